"""How the loop begins, for the paths that lead to it: what its model is told first."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from langchain_core.runnables import RunnableConfig

from langgraph_rlm.context import Context
from langgraph_rlm.conversation import prompts
from langgraph_rlm.conversation.history import question_message
from langgraph_rlm.effects import Steps, Work
from langgraph_rlm.nodes.turn import remaining_of
from langgraph_rlm.routes.profiles import PROFILES
from langgraph_rlm.running.run import run_of
from langgraph_rlm.running.spec import RLMSpec
from langgraph_rlm.state import Question


def begin_loop(
    spec: RLMSpec,
    question: Question,
    context_id: str,
    context: Context,
    state: Mapping[str, Any],
    config: RunnableConfig,
    is_its_turn: bool = True,
) -> Steps[dict[str, Any]]:
    """The update that tells the loop's model of the question, and of the text where it has been told of another."""
    spec = spec.with_model(question.get("model"))
    query, is_new = question["asked"], context_id != state.get("told")
    if not state.get("history"):
        text = yield Work(partial(spec.dialect.opening, query, context, spec.briefing))
    else:
        text = yield Work(partial(spec.dialect.follow_up, query, context if is_new else None, spec.briefing))
    schema = question.get("schema")
    schema_text = prompts.answer_schema(schema, spec.dialect.answer_name) if schema else None
    evidence = prompts.EVIDENCE if PROFILES[question["chosen"]].checks_answer else None
    turn = spec.dialect.turn(remaining_of(spec, run_of(config), 1)) if is_its_turn else None
    text = "\n\n".join(filter(None, [text, schema_text, evidence, turn]))
    return {"history": [question_message(text, is_new)], "told": context_id}
