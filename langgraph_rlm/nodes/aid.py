"""The host's own help: where a cell got nowhere, or its answer is doubted, the next cell is the host's.

It is run by `execute` like any other: durable, within the limits, seen in the history. The voice says which code it is.
"""

from __future__ import annotations

from typing import Any

from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.types import Command

from langgraph_rlm.asking.ledger import SUBCALLS
from langgraph_rlm.conversation.history import Stuck, aid_message
from langgraph_rlm.conversation.prompts import shorten
from langgraph_rlm.conversation.ran import RanBlock, found_by
from langgraph_rlm.nodes.turn import CellInput, asked_of, next_turn
from langgraph_rlm.running.run import read, run_of
from langgraph_rlm.running.spec import RLMSpec

MOST_AIDS = 2
"""Cells of the host's own, of one question."""
MOST_OUTPUTS = 3
"""Of what was printed that are told again where a model begins afresh."""


def go_on(
    spec: RLMSpec,
    state: CellInput,
    config: RunnableConfig,
    update: dict[str, Any],
    ran: RanBlock,
    *feedback: str,
    doubt: str | None = None,
) -> Command[Any]:
    """Another turn of the model; or before that a cell of the host's own, where the dialect has one that may help.

    `doubt` is what is said of the answer that the block has set.
    """
    feedback = (*feedback, doubt or "")
    aid = spec.dialect.aid(ran, doubt)
    if aid is None or not _can_help(spec, state, config, aid, "" if doubt else str(ran.cell.printed)):
        return next_turn(spec, state, config, update, *feedback, stuck=_stuck(ran, config) if aid or doubt else None)
    told = HumanMessage("\n\n".join(filter(None, feedback)))
    update |= {"code": aid, "block": 1, "history": [told, aid_message(aid)]}
    return Command(update=update, goto="generate")


def _stuck(ran: RanBlock, config: RunnableConfig) -> Stuck:
    outputs = (found_by(step["code"], step["output"]) for step in read(config, "trajectory"))
    return Stuck(ran.is_repeated or ran.fails_again, [*dict.fromkeys(filter(None, outputs))][-MOST_OUTPUTS:])


def _can_help(spec: RLMSpec, state: CellInput, config: RunnableConfig, aid: str, printed: str) -> bool:
    """Whether a cell of the host's own may be run now, and has something new to go by: what was `printed`, say."""
    steps, run = read(config, "trajectory"), run_of(config)
    is_over = bool(state.get("limit")) or sum(step["code"] == aid for step in steps) >= MOST_AIDS
    if is_over or not spec.has_subcalls or run.ledger.left(SUBCALLS) <= 0:
        return False
    asked = asked_of(state, config, (state["code"], printed))
    given = spec.dialect.given(aid, run.context(state["context_id"], config), asked)
    before = [call["prompt"] for step in steps for call in step["subcalls"]]
    return any(shorten(value) not in before for value in given.values())
