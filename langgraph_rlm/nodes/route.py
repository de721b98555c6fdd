"""`route`: begins a question. Checks what the thread has for it and picks the path."""

from __future__ import annotations

from functools import partial
from typing import Any

from langchain_core.messages import AnyMessage
from langchain_core.runnables import RunnableConfig
from langgraph.types import Command, Overwrite
from typing_extensions import TypedDict

from langgraph_rlm import prompts
from langgraph_rlm.effects import Steps, Work
from langgraph_rlm.history import asking
from langgraph_rlm.inputs import checked_query, name_of, no_context, of_messages
from langgraph_rlm.level import Level
from langgraph_rlm.run import read, run_of
from langgraph_rlm.settings import Profile
from langgraph_rlm.state import Question

LONG_QUERY = 2_000
"""Characters of a message that are the query where the message is also the text."""


class RouteInput(TypedDict, total=False):
    query: str | None
    profile: Profile | None
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
    if profile == "direct" or (profile == "auto" and len(query) + len(context) < level.router.direct_below):
        path = "direct"
    else:
        path = "rlm"
        query = query if state.get("query") else prompts.shortened(query, LONG_QUERY)
        is_new = given != state.get("told")
        if not state.get("history"):
            told = yield Work(partial(level.dialect.opening, query, context))
        else:
            told = yield Work(partial(level.dialect.follow_up, query, context if is_new else None))
        told = "\n\n".join(filter(None, [told, level.dialect.turn(1, level.limits.max_steps)]))
        update |= {"history": [asking(told, is_new)], "told": given}

    question: Question = {"asked": query, "chosen": profile, "chat": chat}
    update |= {
        "question": question,
        "context_id": given,
        "route": path,
        "answer": None,
        "step": 0,
        "code": "",
        "block": 0,
        "ready": [],
        "pending": [],
        "limit": None,
        "steps": Overwrite(0),
        "subcalls": Overwrite(0),
        "usage": Overwrite({}),
        "seconds": Overwrite(0.0),
        "trajectory": Overwrite([]),
        "asked": Overwrite([]),
    }
    return Command(update=update, goto="direct" if path == "direct" else "generate")
