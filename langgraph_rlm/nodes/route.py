"""`route`: begins a question. Checks what the thread has for it and picks the path."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from langchain_core.messages import AnyMessage
from langchain_core.runnables import RunnableConfig
from langgraph._internal._constants import CONF, CONFIG_KEY_TASK_ID
from langgraph.types import Command, Overwrite
from typing_extensions import TypedDict

from langgraph_rlm import prompts
from langgraph_rlm.context import Context
from langgraph_rlm.effects import Steps, Work
from langgraph_rlm.history import asking
from langgraph_rlm.inputs import checked_query, name_of, no_context, of_messages
from langgraph_rlm.learning import TEACHING, learned
from langgraph_rlm.level import Level
from langgraph_rlm.outcomes import Recollect, namespace_of
from langgraph_rlm.routing import Routing
from langgraph_rlm.run import read, run_of, store_of
from langgraph_rlm.settings import Profile
from langgraph_rlm.state import Question

LONG_QUERY = 2_000
"""Characters of a message that are the query where the message is also the text."""


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
        query = query if state.get("query") else prompts.shortened(query, LONG_QUERY)
    question: Question = {"asked": query, "chosen": profile, "chat": chat, "schema": schema}
    if writer := state.get("writer"):
        question["model"] = writer
    if routing.first == "generate":
        update |= yield from loop_begun(level, question, given, context, state)
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


def loop_begun(
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
