"""What models are told, as a page: `python -m benchmarks.prompts > docs/prompts.md`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from langchain_core.language_models import FakeMessagesListChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.utils import count_tokens_approximately
from langchain_core.outputs import ChatGeneration, ChatResult

from langgraph_rlm import Context, Limits, create_rlm
from langgraph_rlm.repl.python.answers import NO_ANSWER
from langgraph_rlm.settings import VoiceName

BEFORE = """\
# What models are told

In the dialect `"final"` there are two voices (`voice=` of `create_rlm`). Models whose window has fewer than 32,000
tokens, as LangChain's profiles know it, are spoken to in the voice `small`: the embedded model is, and so are those of
Ollama that do not say. All others are in the voice `large`. Below is one run in each, with all features, as it goes to
the model: the system prompt, then message by message. `python -m benchmarks.prompts` makes this page, and a test holds
it to what the code says. Tokens are about four characters each.

Sub-calls get no words of ours: a prompt is sent as it is, but for what a `schema=` and `llm_map` ask for.
`system_prompt=` replaces the rules, or makes others of them: `system_prompt=lambda rules, depth: rules + "…"`.
The rules name the REPL's functions, the models and the tools; a str that replaces them has to do that itself.
`instructions=` is appended to either.
"""
ORDERS = [
    "\n".join(f"order {day}-{i} | {'late' if i % 3 else 'on time'} | parcel to {city}" for i in range(40))
    for day, city in enumerate(["Oslo", "Bergen", "Malmö"])
]
QUESTION = "Which order to Bergen was the first that was late?"


def sample(order: str) -> str:
    """What the warehouse has noted of an order."""
    return f"nothing of {order}"


class Listening(FakeMessagesListChatModel):
    """Says what it was given, to sub-calls that they do not tell the answer, and keeps what it was told."""

    told: list[list[BaseMessage]] = []  # noqa: RUF012 — pydantic copies it

    def _generate(self, messages: list[BaseMessage], *arguments: Any, **options: Any) -> ChatResult:
        self.told.append(messages)
        if messages[0].type == "system":
            return super()._generate(messages, *arguments, **options)
        return ChatResult(generations=[ChatGeneration(message=AIMessage(NO_ANSWER))])


def conversations(voice: VoiceName) -> tuple[list[BaseMessage], list[BaseMessage]]:
    """All that a run in a voice says, the system prompt first; and what it asks in sub-calls."""
    fence = "`" * 3
    cells = [
        "lines = [line for line in ctx.get_document(1).splitlines() if 'LATE' in line]",
        "late = [line for line in ctx.get_document(1).splitlines() if '| late |' in line]\nprint(len(late), late[0])",
        "print(lates)",
        "Final = late[0].split()[1]",
    ]
    model = Listening(responses=[AIMessage(f"{fence}repl\n{cell}\n{fence}") for cell in cells])
    rlm = create_rlm(
        model,
        [sample],
        models={"fast": model},
        voice=voice,
        limits=Limits(max_steps=15, max_tokens=500_000),
    )
    documents = Context.of(ORDERS)
    rlm.invoke({"query": QUESTION, "context": documents, "profile": "rlm"})
    return model.told[-1], [messages[0] for messages in model.told if messages[0].type != "system"]


def page() -> str:
    """The page."""
    return "\n".join([BEFORE, *(part for voice in ("large", "small") for part in _transcript(voice))])


def _transcript(voice: VoiceName) -> Iterator[str]:
    yield f"## `{voice}`\n"
    turns, asked = conversations(voice)
    for message in turns:
        yield _written({"system": "System prompt", "human": "User", "ai": "Model"}[message.type], message)
    for message in asked:
        yield _written("Plain question of the cell in between", message)


def _written(who: str, message: BaseMessage) -> str:
    text, tokens = str(message.text).strip(), count_tokens_approximately([message])
    return f"**{who}** ({tokens} tokens)\n\n````text\n{text}\n````\n"


if __name__ == "__main__":
    print(page(), end="")
