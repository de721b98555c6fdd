"""`extract`: an answer that stands in the text as it is, found without a model; else the loop begins."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from langchain_core.messages import AnyMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph import END
from langgraph.types import Command
from typing_extensions import TypedDict

from langgraph_rlm.answers.schema import AnswerSchema, Unfit
from langgraph_rlm.effects import Steps, Work
from langgraph_rlm.nodes.begin_loop import begin_loop
from langgraph_rlm.nodes.ending import answer_schema_of, answer_update
from langgraph_rlm.routes.extractors import Found, run_extractors
from langgraph_rlm.routes.routing import Routing
from langgraph_rlm.running.run import run_of
from langgraph_rlm.running.spec import RLMSpec
from langgraph_rlm.state import Question


class ExtractInput(TypedDict, total=False):
    question: Question
    context_id: str
    routing: dict[str, Any]
    told: str
    history: list[AnyMessage]


def extract(spec: RLMSpec, state: ExtractInput, config: RunnableConfig) -> Steps[Command[Any]]:
    run, question, context_id = run_of(config), state["question"], state["context_id"]
    routing = Routing.of(state)
    context = yield Work(lambda: run.context(context_id, config))
    found = yield Work(partial(run_extractors, spec.router.extractors, question["asked"], context))
    answer = _as_schema(found, answer_schema_of(spec, question))
    if found is None or answer is None:
        spent = {"route": "rlm", "seconds": run.ledger.seconds}
        if routing.after_extract == "batches":
            return Command(update=spent, goto="batches")
        begun = yield from begin_loop(spec, question, context_id, context, state, config)
        return Command(update={**begun, **spent}, goto="generate")
    routing = replace(routing, found_by=found.by)
    update = {"routing": routing.stored, "seconds": run.ledger.seconds}
    return Command(update={**update, **answer_update(spec, answer, question, "answered")}, goto=END)


def _as_schema(found: Found | None, answer_schema: AnswerSchema | None) -> Any:
    """What was found, as it has to be; None where it is not that."""
    if found is None or answer_schema is None:
        return found and found.answer
    try:
        return answer_schema.read(found.answer)
    except Unfit:
        return None
