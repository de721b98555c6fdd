"""`generate`: the model reads the history and writes a cell."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage
from langchain_core.runnables import RunnableConfig
from typing_extensions import TypedDict

from langgraph_rlm import prompts
from langgraph_rlm.calls import Ask, Replied
from langgraph_rlm.dialects import final
from langgraph_rlm.effects import Steps
from langgraph_rlm.errors import LimitExceeded
from langgraph_rlm.level import Level
from langgraph_rlm.nodes.ending import at_limit
from langgraph_rlm.run import run_of


class GenerateInput(TypedDict, total=False):
    history: list[AnyMessage]
    step: int
    limit: list[Any] | None


def generate(level: Level, state: GenerateInput, config: RunnableConfig) -> Steps[dict[str, Any]]:
    run, limit = run_of(config), state.get("limit")
    asked: list[AnyMessage] = []

    def turn(last: bool) -> Ask:
        return Ask(
            level.model,
            [SystemMessage(level.system), *alternating([*state["history"], *asked])],
            run.gate,
            config,
            last,
        )

    try:
        replied: Replied = yield turn(last=limit is not None)
    except LimitExceeded as reached:
        limit = at_limit(level, reached)
        asked = [HumanMessage(prompts.last_turn(reached.limit))]
        replied = yield turn(last=True)
    cell = final.read(replied.text)
    return {
        "history": [*asked, AIMessage(replied.text)],
        "reply": replied.text,
        "code": cell.code if isinstance(cell, final.Cell) else "",
        "step": state["step"] + 1,
        "steps": 1,
        "usage": replied.usage,
        "limit": limit,
    }


def alternating(history: list[AnyMessage]) -> list[AnyMessage]:
    """The history with neighbours of one role merged: templates of llama.cpp and vLLM refuse anything else."""
    merged: list[AnyMessage] = []
    for message in history:
        if merged and merged[-1].type == message.type:
            merged[-1] = message.model_copy(update={"content": f"{merged[-1].text}\n\n{message.text}"})
        else:
            merged.append(message)
    return merged
