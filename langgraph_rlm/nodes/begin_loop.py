"""How the loop begins, for the paths that lead to it: what its model is told first."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from langgraph_rlm.context import Context
from langgraph_rlm.conversation import prompts
from langgraph_rlm.conversation.history import asking
from langgraph_rlm.effects import Steps, Work
from langgraph_rlm.running.level import Level
from langgraph_rlm.state import Question


def begin_loop(
    level: Level,
    question: Question,
    given: str,
    context: Context,
    state: Mapping[str, Any],
    is_its_turn: bool = True,
) -> Steps[dict[str, Any]]:
    """The update that tells the loop's model of the question, and of the text where it has been told of another."""
    query, is_new = question["asked"], given != state.get("told")
    if not state.get("history"):
        told = yield Work(partial(level.dialect.opening, query, context))
    else:
        told = yield Work(partial(level.dialect.follow_up, query, context if is_new else None))
    schema = question.get("schema")
    form = prompts.form(schema, level.dialect.answer) if schema else None
    evidence = prompts.EVIDENCE if question["chosen"] == "verify" else None
    turn = level.dialect.turn(1, level.limits.max_steps) if is_its_turn else None
    told = "\n\n".join(filter(None, [told, form, evidence, turn]))
    return {"history": [asking(told, is_new)], "told": given}
