"""`route`: begins a question. Checks what the thread has for it and picks the path."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from langchain_core.messages import AnyMessage
from langchain_core.runnables import RunnableConfig
from langgraph.types import Command, Overwrite
from typing_extensions import TypedDict

from langgraph_rlm.context.digests import context_id_of
from langgraph_rlm.conversation import prompts
from langgraph_rlm.effects import Steps, Work
from langgraph_rlm.langgraph_internals import CONF, CONFIG_KEY_TASK_ID
from langgraph_rlm.nodes.begin_loop import begin_loop
from langgraph_rlm.routes.learning import learned_moves
from langgraph_rlm.routes.outcomes import ReadOutcomes, namespace_of
from langgraph_rlm.routes.profiles import PROFILES, Profile
from langgraph_rlm.routes.routing import Routing
from langgraph_rlm.running.conversations import context_of_messages, question_in
from langgraph_rlm.running.inputs import checked_query, missing_context
from langgraph_rlm.running.run import read, run_of, store_of
from langgraph_rlm.running.spec import RLMSpec
from langgraph_rlm.state import Question


class RouteInput(TypedDict, total=False):
    query: str | None
    profile: Profile | None
    answer_schema: dict[str, Any] | None
    writer: str | None
    in_messages: bool | None
    told: str
    history: list[AnyMessage]


def route(spec: RLMSpec, state: RouteInput, config: RunnableConfig) -> Steps[Command[Any]]:
    run = run_of(config)
    conversation = read(config, "messages")
    chat = bool(state.get("in_messages"))
    query = state.get("query") or checked_query(question_in(conversation))
    update: dict[str, Any] = {}

    newest = next(iter(read(config, "context")), None)
    if conversation and (newest is None or "messages" in newest):
        context = context_of_messages(conversation)
        context_id = context_id_of(context)
        update["context"] = [{"id": context_id, "messages": len(conversation)}]
        run.hold_context(context_id, context)
    elif newest is None:
        raise missing_context()
    else:
        context_id = newest["id"]
        context = yield Work(lambda: run.context(context_id, config))

    profile: Profile = state.get("profile") or spec.router.profile
    schema = spec.answer_schema.schema if spec.answer_schema else state.get("answer_schema")
    routing = yield from _decide(spec, profile, len(query) + len(context), config)
    if routing.first != "direct":
        query = query if state.get("query") else prompts.shorten(query, prompts.MOST_QUERY)
    question: Question = {"asked": query, "chosen": profile, "chat": chat, "schema": schema}
    if writer := state.get("writer"):
        question["model"] = writer
    if routing.first == "generate":
        update |= yield from begin_loop(spec, question, context_id, context, state, config)
    update |= {
        "question": question,
        "context_id": context_id,
        "route": routing.route,
        "routing": routing.stored,
        "answer": None,
        "step": 0,
        "code": "",
        "block": 0,
        "ready": [],
        "pending": [],
        "limit": None,
        "steps": Overwrite(0),
        "subcalls": Overwrite(0),
        "tool_calls": Overwrite(0),
        "citations": Overwrite([]),
        "verification": None,
        "returned": [],
        "status": None,
        "usage": Overwrite({}),
        "seconds": Overwrite(0.0),
        "trajectory": Overwrite([]),
        "asked": Overwrite([]),
    }
    return Command(update=update, goto=routing.first)


def _decide(spec: RLMSpec, profile: Profile, characters: int, config: RunnableConfig) -> Steps[Routing]:
    """Decides on the way, with what the store has to teach. Of an RLM's children nothing is learned."""
    routing = Routing(profile, characters, spec.reach, extractors=len(spec.router.extractors) + 1)
    store = store_of(config)
    if spec.depth or store is None or not PROFILES[profile].is_learned_from:
        return routing
    namespace = namespace_of(spec.name, spec.model, spec.reach)
    place = {"namespace": list(namespace), "key": config[CONF][CONFIG_KEY_TASK_ID], "begun": time.time()}
    if not PROFILES[profile].goes_by_size:
        return replace(routing, run=place)
    outcomes = yield ReadOutcomes(store, namespace)
    if outcomes is None:
        return routing
    reach = replace(spec.reach, moved=learned_moves(outcomes, spec.reach))
    return replace(routing, reach=reach, outcomes=len(outcomes), run=place)
