"""What a turn reads of the state, and what comes after one that has not ended the run."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph import END
from langgraph.types import Command
from typing_extensions import TypedDict

from langgraph_rlm.conversation.history import latest_reply
from langgraph_rlm.errors import LimitExceeded
from langgraph_rlm.nodes.ending import at_limit, ended
from langgraph_rlm.running.level import Level
from langgraph_rlm.running.run import read
from langgraph_rlm.state import Position, Question


class TurnInput(TypedDict, total=False):
    question: Question
    step: int
    limit: list[Any] | None


class CellInput(TurnInput, total=False):
    context_id: str
    code: str
    block: int
    ready: list[Any]
    position: Position | None
    note: str | None


def next_turn(
    level: Level, state: TurnInput, config: RunnableConfig, update: dict[str, Any], *told: str
) -> Command[Any]:
    """Another turn for the model, which is `told` something: an ordinary one, the last one, or none."""
    if state.get("limit"):
        reply = latest_reply(read(config, "history"))
        return Command(update=update | ended(reply, state["question"], "limit"), goto=END)
    if state["step"] >= level.limits.max_steps:
        update["limit"] = at_limit(level, LimitExceeded("max_steps", state["step"], level.limits.max_steps))
        turn = level.dialect.last_turn("max_steps")
    else:
        turn = level.dialect.turn(state["step"] + 1, level.limits.max_steps)
    said = "\n\n".join(filter(None, [*told, turn]))
    return Command(update=update | {"block": 0, "history": [HumanMessage(said)] if said else []}, goto="generate")
