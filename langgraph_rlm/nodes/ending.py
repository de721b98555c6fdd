"""How a question ends: what every path writes when it has an answer, and what becomes of a reached limit."""

from __future__ import annotations

from typing import Any, Literal

from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig

from langgraph_rlm.answers.schema import AnswerSchema
from langgraph_rlm.answers.values import as_text
from langgraph_rlm.effects import Steps
from langgraph_rlm.errors import LimitExceeded
from langgraph_rlm.routes.learning import Outcome
from langgraph_rlm.routes.outcomes import WriteOutcome
from langgraph_rlm.routes.profiles import PROFILES
from langgraph_rlm.routes.routing import Routing
from langgraph_rlm.running.run import read, run_of, store_of
from langgraph_rlm.running.spec import RLMSpec
from langgraph_rlm.state import Question


def answer_update(
    spec: RLMSpec,
    answer: Any,
    question: Question,
    status: Literal["answered", "limit"],
    message_id: str | None = None,
) -> dict[str, Any]:
    """The update that ends a question. `profile` is written here since it does not outlive the step that wrote it.

    `message_id` is that of the model's message, where it is the answer: who streams messages has seen it.
    """
    update: dict[str, Any] = {"answer": answer, "status": status, "profile": question["chosen"]}
    if question["chat"]:
        update["messages"] = [AIMessage(as_text(answer), id=message_id, name=spec.name)]
    return update


def answer_schema_of(spec: RLMSpec, question: Question) -> AnswerSchema | None:
    """What the answer has to be."""
    schema = question.get("schema")
    return spec.answer_schema or (AnswerSchema.of_schema(schema) if schema else None)


def record_outcome(status: str, config: RunnableConfig) -> Steps[None]:
    """Keeps what came of a question that a model has answered, where there is a store to keep it in."""
    store, stored = store_of(config), read(config, "routing")
    if store is None or not stored or not stored["run"]:
        return
    routing, run, ledger = Routing.of({"routing": stored}), stored["run"], run_of(config).ledger
    outcome = Outcome(
        read(config, "route"),
        routing.characters,
        ledger.tokens,
        ledger.seconds,
        status == "answered",
        run["begun"],
        routing.reach.moved if PROFILES[routing.profile].goes_by_size else None,
    )
    yield WriteOutcome(store, tuple(run["namespace"]), run["key"], outcome)


def limit_reached(spec: RLMSpec, reached: LimitExceeded) -> list[Any]:
    """A reached limit as the state keeps it, where the model gets one last turn; else it leaves the graph."""
    if spec.limits.on_exceeded == "raise":
        raise reached
    return [reached.limit, reached.used, reached.allowed]
