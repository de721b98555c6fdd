"""A chat model that says what a test has written down, and short ways to run an RLM on it."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, SystemMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatResult
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph.state import CompiledStateGraph
from pydantic import PrivateAttr

from langgraph_rlm import Router, create_rlm
from langgraph_rlm.running.views import UNSEEN, View

Reply = str | Exception | Callable[[list[BaseMessage]], str]
Script = Sequence[Reply] | Mapping[str, Sequence[Reply]]
Graph = CompiledStateGraph[Any, Any, Any, Any]

QUERY = "How many apples are there?"
TEXT = "apple\npear\napple\n" * 10


@dataclass(frozen=True)
class Called:
    """One call of the model."""

    messages: list[BaseMessage]

    @property
    def writes_code(self) -> bool:
        """Whether an RLM asks for its next cell; else it is a plain call."""
        return isinstance(self.messages[0], SystemMessage) and "```repl" in self.messages[0].text

    @property
    def told(self) -> str:
        """The last message."""
        return str(self.messages[-1].text)

    @property
    def conversation(self) -> list[tuple[str, str]]:
        """Who said what, after the system prompt."""
        return [(str(message.type), str(message.text)) for message in self.messages[1:]]


@dataclass
class Log:
    """What happened to a model, over all of its calls."""

    calls: list[Called] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


def said(text: str, tokens: tuple[int, int], model_name: str | None) -> ChatResult:
    """A model's reply, with the tokens it read and wrote, under the name that it reports."""
    read, written = tokens
    message = AIMessage(
        text,
        usage_metadata=UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written),
        response_metadata={"model_name": model_name} if model_name else {},
    )
    return ChatResult(generations=[ChatGeneration(message=message)])


class AgentModel(BaseChatModel):
    """The model of an agent: what it says to its messages, calls of tools among it, is written in a subclass."""

    @property
    def _llm_type(self) -> str:
        return "agent"

    def bind_tools(self, tools: Any, **settings: Any) -> Any:
        return self

    def reply(self, messages: list[BaseMessage]) -> AIMessage:
        raise NotImplementedError

    def _generate(self, messages: list[BaseMessage], *rest: Any, **more: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self.reply(messages))])


class ScriptedModel(BaseChatModel):
    """Says what is written down, statelessly: the n-th turn of a conversation gets the n-th reply of its script.

    `script` holds the replies to RLMs: of every conversation, or of those whose first message has the key in it (the
    first key that fits). `answer` gives the reply to a plain call, from its last message; what is an `Exception` is
    raised.
    """

    script: Any = ()
    answer: Callable[[str], str | Exception] = "answer to {}".format
    reports: str | None = "scripted-1"
    """The model name in the response's metadata."""
    tokens: tuple[int, int] = (10, 5)
    latency: float = 0
    _log: Log = PrivateAttr(default_factory=Log)

    def __init__(self, *script: Reply, **settings: Any) -> None:
        if script:
            settings["script"] = script
        super().__init__(**settings)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    @property
    def calls(self) -> list[Called]:
        return self._log.calls

    @property
    def most_in_flight(self) -> int:
        """How many calls ran at once, at most."""
        return self._log.most_in_flight

    @property
    def turns(self) -> list[Called]:
        """The calls in which an RLM asked for its next cell."""
        return [call for call in self.calls if call.writes_code]

    @property
    def asked(self) -> list[str]:
        """The last message of each plain call."""
        return [call.told for call in self.calls if not call.writes_code]

    def _reply_to(self, call: Called) -> str:
        if not call.writes_code:
            reply: Reply = self.answer(call.told)
        else:
            opening = call.messages[1].text
            script = self.script
            if isinstance(script, Mapping):
                script = next(replies for key, replies in script.items() if key in opening)
            reply = script[sum(isinstance(message, AIMessage) for message in call.messages)]
        if isinstance(reply, Exception):
            raise reply
        return reply if isinstance(reply, str) else reply(call.messages)

    @contextmanager
    def _noted(self, messages: list[BaseMessage]) -> Iterator[Called]:
        call = Called(messages)
        with self._log.lock:
            self._log.calls.append(call)
            self._log.in_flight += 1
            self._log.most_in_flight = max(self._log.most_in_flight, self._log.in_flight)
        try:
            yield call
        finally:
            with self._log.lock:
                self._log.in_flight -= 1

    def _result(self, text: str) -> ChatResult:
        return said(text, self.tokens, self.reports)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        with self._noted(messages) as call:
            time.sleep(self.latency)
            return self._result(self._reply_to(call))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        with self._noted(messages) as call:
            await asyncio.sleep(self.latency)
            return self._result(self._reply_to(call))


class InOrder(ScriptedModel):
    """Says its replies in the order of its turns: some leave no message of the model's between two of them."""

    def _reply_to(self, call: Called) -> str:
        return str(self.script[len(self.turns) - 1]) if call.writes_code else super()._reply_to(call)


def cell(code: str) -> str:
    """A reply that holds a cell."""
    return f"```repl\n{code}\n```"


def blocks(*codes: str) -> str:
    """A reply that holds several."""
    return "\n\n".join(["I look.", *map(cell, codes)])


def submit(content: str) -> str:
    """Code that ends a run in the dialect "answer"."""
    return f'answer["content"] = {content}\nanswer["ready"] = True'


def rlm_of(model: ScriptedModel, **settings: Any) -> Graph:
    """An RLM that always uses its REPL."""
    return create_rlm(model, **{"router": Router(profile="rlm"), **settings})


@dataclass(frozen=True)
class Ran:
    """A run that has ended: its output, and the model with all that it was asked."""

    out: dict[str, Any]
    model: ScriptedModel

    @property
    def answer(self) -> Any:
        return self.out["answer"]

    @property
    def told(self) -> list[str]:
        """What the model was told after each cell."""
        return [call.told for call in self.model.turns[1:]]

    @property
    def errors(self) -> list[str | None]:
        return [step["error"] for step in self.out["trajectory"]]

    @property
    def outputs(self) -> list[str]:
        return [step["output"] for step in self.out["trajectory"]]


def run(
    *cells: str, context: Any = TEXT, answer: Callable[[str], str | Exception] | None = None, **settings: Any
) -> Ran:
    """Runs these cells one after the other in the REPL of an RLM. Sub-calls are answered by `answer`."""
    model = ScriptedModel(*map(cell, cells), **({"answer": answer} if answer else {}))
    thread: Any = {"configurable": {"thread_id": "1"}}
    return Ran(rlm_of(model, **settings).invoke({"query": QUERY, "context": context}, thread), model)


def final_of(code: str, **settings: Any) -> Any:
    """The answer of a run of one cell."""
    ran = run(code, "Final = 'the first cell did not end the run'", **settings)
    assert ran.errors == [None], ran.errors
    return ran.answer


def error_of(code: str, **settings: Any) -> str:
    """What the model is told is wrong with a cell."""
    [error, _] = run(code, "Final = 0", **settings).errors
    assert error is not None
    return error


def all_channels(rlm: Graph, thread: Any) -> dict[str, Any]:
    """All channels of a thread, those among them that its state does not show."""
    return dict(View(rlm, UNSEEN).get_state(thread).values)


def stored_answers(rlm: Graph, thread: Any) -> set[Any]:
    """The answers of sub-calls that a thread has."""
    return {event[2] for event in all_channels(rlm, thread).get("journal", ()) if event[0] == "answer"}


class KilledAt(InMemorySaver):
    """Is killed when it is to store the n-th thing."""

    def __init__(self, writes: int) -> None:
        super().__init__()
        self.left = writes

    def _count(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt

    def put(self, *arguments: Any, **named: Any) -> Any:
        self._count()
        return super().put(*arguments, **named)

    def put_writes(self, *arguments: Any, **named: Any) -> None:
        self._count()
        super().put_writes(*arguments, **named)


def worker_processes() -> list[int]:
    """The sandbox's processes that this process has started and that are alive."""
    alive = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "stat").read_text().rpartition(")")[2].split()
            command = (folder / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(status[1]) == os.getpid() and status[0] != "Z" and b"monty" in command:
            alive.append(int(folder.name))
    return alive
