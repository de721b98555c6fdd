"""`generate`: the model reads the history and writes a cell."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage
from langchain_core.runnables import RunnableConfig
from typing_extensions import TypedDict

from langgraph_rlm import prompts
from langgraph_rlm.calls import Ask, Replied, overflowed
from langgraph_rlm.dialects import final
from langgraph_rlm.effects import Steps
from langgraph_rlm.errors import LimitExceeded
from langgraph_rlm.level import Level
from langgraph_rlm.nodes.ending import at_limit
from langgraph_rlm.run import run_of

LATEST = 3
"""Messages that are shown of a history that does not fit the model's window, after its first."""


class GenerateInput(TypedDict, total=False):
    history: list[AnyMessage]
    step: int
    limit: list[Any] | None


def generate(level: Level, state: GenerateInput, config: RunnableConfig) -> Steps[dict[str, Any]]:
    limit, asked = state.get("limit"), list[AnyMessage]()
    try:
        replied: Replied = yield from _turn(level, state["history"], config, last=limit is not None)
    except LimitExceeded as reached:
        limit = at_limit(level, reached)
        asked = [HumanMessage(prompts.last_turn(reached.limit))]
        replied = yield from _turn(level, [*state["history"], *asked], config, last=True)
    cell = final.read(replied.text)
    return {
        "history": [*asked, AIMessage(replied.text)],
        "code": cell.code if isinstance(cell, final.Cell) else "",
        "step": state["step"] + 1,
        "steps": 1,
        "usage": replied.usage,
        "seconds": run_of(config).ledger.seconds,
        "limit": limit,
    }


def _turn(level: Level, history: list[AnyMessage], config: RunnableConfig, last: bool) -> Steps[Replied]:
    """The model's next reply. Where the history has outgrown its window, it is shown the first and latest messages."""

    def ask(shown: list[AnyMessage]) -> Ask:
        messages = [SystemMessage(level.system), *alternating(shown)]
        return Ask(level.model, messages, run_of(config).gate, config, last)

    replied: Replied
    try:
        replied = yield ask(history)
    except Exception as failure:
        if not overflowed(failure) or len(history) <= LATEST + 1:
            raise
        replied = yield ask([history[0], HumanMessage(prompts.LEFT_OUT), *history[-LATEST:]])
    return replied


def alternating(history: list[AnyMessage]) -> list[AnyMessage]:
    """The history with neighbours of one role merged: templates of llama.cpp and vLLM refuse anything else."""
    merged: list[AnyMessage] = []
    for message in history:
        if merged and merged[-1].type == message.type:
            merged[-1] = message.model_copy(update={"content": f"{merged[-1].text}\n\n{message.text}"})
        else:
            merged.append(message)
    return merged
