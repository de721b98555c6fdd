"""`route`: begins a question. Checks what the thread has for it and picks the path."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from langchain_core.messages import AnyMessage
from langchain_core.runnables import RunnableConfig
from langgraph.types import Command, Overwrite
from typing_extensions import TypedDict

from langgraph_rlm.conversation import prompts
from langgraph_rlm.effects import Steps, Work
from langgraph_rlm.langgraph_internals import CONF, CONFIG_KEY_TASK_ID
from langgraph_rlm.nodes.begin_loop import begin_loop
from langgraph_rlm.routes.learning import TEACHING, learned
from langgraph_rlm.routes.outcomes import Recollect, namespace_of
from langgraph_rlm.routes.routing import Routing
from langgraph_rlm.running.inputs import checked_query, name_of, no_context, of_messages
from langgraph_rlm.running.level import Level
from langgraph_rlm.running.run import read, run_of, store_of
from langgraph_rlm.settings import Profile
from langgraph_rlm.state import Question


class RouteInput(TypedDict, total=False):
    query: str | None
    profile: Profile | None
    answer_schema: dict[str, Any] | None
    writer: str | None
    messages: list[AnyMessage]
    told: str
    history: list[AnyMessage]


def route(level: Level, state: RouteInput, config: RunnableConfig) -> Steps[Command[Any]]:
    run = run_of(config)
    conversation = state.get("messages") or []
    chat = bool(conversation) and conversation[-1].type == "human"
    query = state.get("query") or checked_query(str(conversation[-1].text) if chat else None)
    update: dict[str, Any] = {}

    newest = next(iter(read(config, "context")), None)
    if conversation and (newest is None or "messages" in newest):
        context = of_messages(conversation)
        given = name_of(context)
        update["context"] = [{"id": given, "messages": len(conversation)}]
        run.know(given, context)
    elif newest is None:
        raise no_context()
    else:
        given = newest["id"]
        context = yield Work(lambda: run.context(given, config))

    profile: Profile = state.get("profile") or level.router.profile
    schema = level.form.schema if level.form else state.get("answer_schema")
    routing = yield from _routed(level, profile, len(query) + len(context), config)
    if routing.first != "direct":
        query = query if state.get("query") else prompts.shortened(query, prompts.MOST_QUERY)
    question: Question = {"asked": query, "chosen": profile, "chat": chat, "schema": schema}
    if writer := state.get("writer"):
        question["model"] = writer
    if routing.first == "generate":
        update |= yield from begin_loop(level, question, given, context, state)
    update |= {
        "question": question,
        "context_id": given,
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


def _routed(level: Level, profile: Profile, characters: int, config: RunnableConfig) -> Steps[Routing]:
    """Decides on the way, with what the store has to teach. Of an RLM's children nothing is learned."""
    routing = Routing(profile, characters, level.reach, extractors=len(level.router.extractors) + 1)
    store = store_of(config)
    if level.depth or store is None or profile not in TEACHING:
        return routing
    namespace = namespace_of(level.name, level.model, level.reach)
    place = {"namespace": list(namespace), "key": config[CONF][CONFIG_KEY_TASK_ID], "begun": time.time()}
    if profile != "auto":
        return replace(routing, run=place)
    outcomes = yield Recollect(store, namespace)
    if outcomes is None:
        return routing
    reach = replace(level.reach, moved=learned(outcomes, level.reach))
    return replace(routing, reach=reach, outcomes=len(outcomes), run=place)
