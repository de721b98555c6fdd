"""`generate`: the model reads the history and writes a cell."""

from __future__ import annotations

from typing import Any, TypedDict

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage
from langchain_core.runnables import RunnableConfig

from langgraph_rlm import prompts
from langgraph_rlm.calls import Ask, usage_of
from langgraph_rlm.context.files import clean
from langgraph_rlm.dialects import final
from langgraph_rlm.effects import Steps
from langgraph_rlm.errors import LimitExceeded
from langgraph_rlm.level import Level
from langgraph_rlm.run import run_of


class GenerateInput(TypedDict, total=False):
    history: list[AnyMessage]
    step: int
    limit: list[Any] | None


def generate(level: Level, state: GenerateInput, config: RunnableConfig) -> Steps[dict[str, Any]]:
    run = run_of(config)
    limit, asked = state.get("limit"), []
    if limit is None:
        try:
            run.ledger.check()
        except LimitExceeded as reached:
            limit = at_limit(level, reached)
            asked = [HumanMessage(prompts.last_turn(reached.limit))]
    messages = [SystemMessage(level.system), *alternating([*state["history"], *asked])]
    reply: AIMessage = yield Ask(level.model, messages, run.gate, config)
    usage = usage_of(level.model, reply)
    run.ledger.spend(usage)
    text = clean(reply.text)
    cell = final.read(text)
    return {
        "history": [*asked, AIMessage(text)],
        "reply": text,
        "code": cell.code if isinstance(cell, final.Cell) else "",
        "step": state["step"] + 1,
        "steps": 1,
        "usage": usage,
        "limit": limit,
    }


def at_limit(level: Level, reached: LimitExceeded) -> list[Any]:
    """A reached limit as the state keeps it, where the model gets one last turn; else it leaves the graph."""
    if level.limits.on_exceeded == "raise":
        raise reached
    return [reached.limit, reached.used, reached.allowed]


def alternating(history: list[AnyMessage]) -> list[AnyMessage]:
    """The history with neighbours of one role merged: templates of llama.cpp and vLLM refuse anything else."""
    merged: list[AnyMessage] = []
    for message in history:
        if merged and merged[-1].type == message.type:
            merged[-1] = message.model_copy(update={"content": f"{merged[-1].text}\n\n{message.text}"})
        else:
            merged.append(message)
    return merged
