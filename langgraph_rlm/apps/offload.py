"""What is too long for an agent's model, kept as documents of its state, and asked about by an RLM."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from typing import Annotated, Any, NotRequired

from langchain.agents.middleware import AgentMiddleware, AgentState
from langchain.agents.middleware.types import PrivateStateAttr, ToolCallRequest
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, AnyMessage, ToolMessage
from langchain_core.runnables import Runnable
from langgraph.channels import DeltaChannel
from langgraph.config import get_config
from langgraph.types import Command
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from langgraph_rlm.apps.tool import Runtime, tool_of
from langgraph_rlm.context.files import clean
from langgraph_rlm.errors import InvalidInput
from langgraph_rlm.langgraph_internals import (
    CONFIG_KEY_CHECKPOINT_NS,
    CONFIG_KEY_CHECKPOINTER,
    NS_SEP,
    allow_in_checkpoints,
)

BEGINNING = 500
"""Characters of a document that the agent's model sees."""
NEVER = 1_000_000
"""Updates between two full copies of the documents in a checkpoint: practically none."""
MOST_WHOLE = 1_000_000
"""Characters of documents that are stored once more at the end of a run of the agent that has brought some."""
ASKS = "ask_documents"
BREAK = "…\n\n"
_STUB = re.compile(r"\[This is the beginning of document (\d+), which has [\d,]+ characters\.")
DESCRIPTION = (
    "Answers a question about documents: results of tools and messages that were too long to be shown whole. All of "
    "their text is read or searched, however long it is."
)


class KeptText:
    """A text in an agent's state: stored whole, and shown in traces by its length alone."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def get_secret_value(self) -> str:
        """What LangGraph's serializer stores, and gives to the constructor when it is loaded."""
        return self.text

    def __repr__(self) -> str:
        return f"<{len(self.text):,} characters>"


allow_in_checkpoints(KeptText)


class Offloaded(TypedDict):
    """A text that was taken out of a message: `number` is what the agent's model knows it by."""

    number: int
    name: str
    text: KeptText


def _append(old: list[Offloaded], added: Sequence[list[Offloaded]]) -> list[Offloaded]:
    known = {document["number"] for document in old}
    new = {document["number"]: document for documents in added for document in documents}
    return [*old, *(document for number, document in new.items() if number not in known)]


class Documents(DeltaChannel[Any]):
    """Documents, whole in the checkpoint at the end of a run that has brought some: a clean-up may leave no other.

    That the end has come is told by a write of no documents.
    """

    __slots__ = ("has_new", "is_ending")
    has_new: bool
    is_ending: bool

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.has_new = self.is_ending = False

    def update(self, values: Sequence[Any]) -> bool:
        self.has_new = self.has_new or any(values)
        self.is_ending = self.is_ending or [] in values
        return super().update(values)

    def finish(self) -> bool:
        length = sum(len(document["text"].text) for document in self.value)
        becomes_whole = self.has_new and self.is_ending and length <= MOST_WHOLE
        if becomes_whole:
            self.snapshot_frequency = 1
        return becomes_whole


class OffloadState(AgentState[Any]):
    offloaded: NotRequired[
        Annotated[list[Offloaded], PrivateStateAttr, Documents(_append, list, snapshot_frequency=NEVER)]
    ]


class QuestionOfDocuments(BaseModel):
    question: str = Field(description="What is to be answered, in full: the one who answers knows nothing else.")
    documents: list[int] | None = Field(None, description="The numbers of the documents; all of them by default.")


class OffloadMiddleware(AgentMiddleware[Any, Any]):
    """For `create_agent` and Deep Agents: keeps results of tools and messages that are too long as documents.

    The agent's model sees the beginning of such a text, its size and its number, and has a tool, `ask_documents`, by
    which an RLM answers questions about all of it. The documents are in the agent's state, each once. Of an agent that
    has no checkpointer, or is a node, they are there for one run: its messages have their texts again at its end.

    Args:
        rlm: What `create_rlm` gives. Leave its `checkpointer` out: the agent's keeps its runs.
        above: Characters from which on a text is too long.

    Raises:
        InvalidInput: `above` is no number of characters, or smaller than what is shown of a document.
    """

    state_schema = OffloadState

    def __init__(self, rlm: Runnable[Any, Any], *, above: int = 20_000) -> None:
        if not isinstance(above, int) or isinstance(above, bool) or above <= BEGINNING:
            raise InvalidInput(f"above={above!r}: a number of characters is needed, more than {BEGINNING}.")
        super().__init__()
        self.above, self.tools = above, [tool_of(rlm, _asked, ASKS, DESCRIPTION, QuestionOfDocuments)]

    def before_model(self, state: Any, runtime: Any) -> dict[str, Any] | None:
        """Messages that no tool of this agent has given: a pasted text, say."""
        number, kept, shown = _next_number(state), list[Offloaded](), list[AnyMessage]()
        for message in state["messages"]:
            if self._is_long(message):
                kept.append(
                    {"number": number + len(kept), "name": message.name or message.type, "text": KeptText(message.text)}
                )
                shown.append(_shortened(message, kept[-1]))
        return {"offloaded": kept, "messages": shown} if kept else None

    def after_agent(self, state: Any, runtime: Any) -> dict[str, Any] | None:
        """Tells the documents of the end of a run.

        Messages get their texts back where nobody keeps these: they would be lost with this run.
        """
        configurable = get_config().get("configurable", {})
        is_kept = configurable.get(CONFIG_KEY_CHECKPOINTER) and NS_SEP not in configurable[CONFIG_KEY_CHECKPOINT_NS]
        if not state.get("offloaded"):
            return None
        if is_kept:
            return {"offloaded": []}
        stubs = {_stub(document): document["text"].text for document in state["offloaded"]}
        whole = [_with_text(message, stubs[message.text]) for message in state["messages"] if message.text in stubs]
        return {"messages": whole} if whole else None

    def wrap_tool_call(self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Any]) -> Any:
        return self._kept(request, handler(request))

    async def awrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[Any]]
    ) -> Any:
        return self._kept(request, await handler(request))

    def _kept(self, request: ToolCallRequest, result: Any) -> Any:
        """The result of a tool, without what is too long in it."""
        if request.tool_call["name"] == ASKS:
            return result
        number, name = _number_of_call(request), request.tool_call["name"]
        if isinstance(result, ToolMessage) and self._is_long(result):
            document: Offloaded = {"number": number, "name": name, "text": KeptText(result.text)}
            return Command(update={"messages": [_shortened(result, document)], "offloaded": [document]})
        update = result.update if isinstance(result, Command) else None
        if not isinstance(update, dict) or not any(map(self._is_long, update.get("messages", ()))):
            return result
        messages, kept = list[AnyMessage](), list[Offloaded]()
        for message in update["messages"]:
            if self._is_long(message) and not kept:
                kept.append({"number": number, "name": name, "text": KeptText(message.text)})
                message = _shortened(message, kept[0])
            messages.append(message)
        return replace(result, update={**update, "messages": messages, "offloaded": kept})

    def _is_long(self, message: Any) -> bool:
        return hasattr(message, "text") and len(message.text) > self.above


def _asked(runtime: Runtime | None, question: str, documents: list[int] | None = None) -> dict[str, Any]:
    """What an RLM is asked about documents of an agent's state."""
    state: Any = runtime.state if runtime else {"messages": []}
    return {"query": question, "context": [*_chosen(state.get("offloaded") or [], documents, _told_of(state))]}


def _chosen(offloaded: Sequence[Offloaded], numbers: Sequence[int] | None, told: set[int]) -> Iterator[Document]:
    """The documents of these numbers, or all. Raises `InvalidInput` where there are none.

    `told` are the numbers that the agent's model was told of.
    """
    there = {document["number"]: document for document in offloaded}
    if lost := [number for number in numbers or sorted(told) if number in told and number not in there]:
        raise InvalidInput(
            f"document {lost[0]} is not in the agent's state any more: old checkpoints of its thread were cleaned up. "
            "Get the text again."
        )
    if unknown := [number for number in numbers or () if number not in there]:
        known = ", ".join(map(str, there)) or "none"
        raise InvalidInput(f"there is no document {unknown[0]}. There are: {known}.")
    if not there:
        raise InvalidInput("there are no documents: nothing was too long to be shown whole.")
    for number in numbers or there:
        yield Document(
            clean(there[number]["text"].text), metadata={"name": f"document {number} ({there[number]['name']})"}
        )


def _next_number(state: Any) -> int:
    """One that no document has, nor had: documents may be gone of which the agent's model was told."""
    there = [document["number"] for document in state.get("offloaded") or ()]
    return max([*there, *_told_of(state)], default=0) + 1


def _told_of(state: Any) -> set[int]:
    """The numbers of documents whose beginnings are among the messages."""
    stubs = [_STUB.search(message.text) for message in state["messages"]]
    return {int(stub[1]) for stub in stubs if stub and _is_own(stub)}


def _is_own(stub: re.Match[str]) -> bool:
    """Whether a message may be one that was shortened here: others may quote what they like."""
    return stub.start() == BEGINNING + len(BREAK)


def _number_of_call(request: ToolCallRequest) -> int:
    """The number of what a call gives: those of one message run side by side, so each has a place of its own."""
    state: Any = request.state
    calls = next((m.tool_calls for m in reversed(state["messages"]) if isinstance(m, AIMessage)), [])
    ids = [call["id"] for call in calls]
    place = ids.index(request.tool_call["id"]) if request.tool_call["id"] in ids else 0
    return _next_number(state) + place


def _shortened(message: Any, document: Offloaded) -> Any:
    """A message with the beginning of its text, and where all of it is. What it has besides text stays."""
    return _with_text(message, _stub(document))


def _stub(document: Offloaded) -> str:
    """What the agent's model sees of a document."""
    text, number = document["text"].text, document["number"]
    beginning, size = text[:BEGINNING], len(text)
    return (
        f"{beginning}{BREAK}[This is the beginning of document {number}, which has {size:,} characters. To know more "
        f"of it, call {ASKS} with a question and documents=[{number}].]"
    )


def _with_text(message: Any, text: str) -> Any:
    """A message with another text. What it has besides text stays."""
    others = [block for block in message.content if isinstance(block, dict) and block.get("type") != "text"]
    content: Any = [{"type": "text", "text": text}, *others] if isinstance(message.content, list) and others else text
    return message.model_copy(update={"content": content})
