"""`route`: begins a question. Checks what the thread has for it and picks the path."""

from __future__ import annotations

from functools import partial
from typing import Any

from langchain_core.documents import Document
from langchain_core.messages import AnyMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.types import Command, Overwrite
from typing_extensions import TypedDict

from langgraph_rlm import prompts
from langgraph_rlm.context import Context
from langgraph_rlm.context.files import clean
from langgraph_rlm.effects import Steps, Work
from langgraph_rlm.inputs import checked_query, no_context, stored
from langgraph_rlm.level import Level
from langgraph_rlm.run import new_run_of, read
from langgraph_rlm.settings import Profile
from langgraph_rlm.state import Question

FROM_MESSAGES = "messages"
"""Begins the name of a context that is the conversation: it is rebuilt for each question."""
LONG_QUERY = 2_000
"""Characters of a message that are the query where the message is also the text."""


class RouteInput(TypedDict, total=False):
    query: str
    profile: Profile
    messages: list[AnyMessage]
    told: str
    history: list[AnyMessage]


def route(level: Level, state: RouteInput, config: RunnableConfig) -> Steps[Command[Any]]:
    run = new_run_of(config)
    conversation = state.get("messages") or []
    chat = bool(conversation) and conversation[-1].type == "human"
    query = state["query"] if "query" in state else checked_query(str(conversation[-1].text) if chat else None)
    update: dict[str, Any] = {}

    given = _id_of(read(config, "context"))
    if conversation and (given is None or given.startswith(FROM_MESSAGES)):
        context = Context.of(
            [Document(clean(message.text), metadata={"name": message.type}) for message in conversation]
        )
        update["context"] = stored(context, FROM_MESSAGES)
        given = update["context"][0]["id"]
        run.know(given, context)
    elif given is None:
        raise no_context()
    else:
        context = yield Work(lambda: run.context(given, config))

    profile: Profile = state.get("profile") or level.router.profile
    if profile == "direct" or (profile == "auto" and len(query) + len(context) < level.router.direct_below):
        path = "direct"
    else:
        path = "rlm"
        query = query if "query" in state else prompts.shortened(query, LONG_QUERY)
        if not state.get("history"):
            told = yield Work(partial(prompts.opening, query, context))
        else:
            told = yield Work(partial(prompts.follow_up, query, context if given != state.get("told") else None))
        update |= {"history": [HumanMessage(told)], "told": given}

    question: Question = {"asked": query, "chosen": profile, "chat": chat}
    update |= {
        "question": question,
        "context_id": given,
        "route": path,
        "answer": None,
        "step": 0,
        "code": "",
        "reply": "",
        "pending": 0,
        "limit": None,
        "steps": Overwrite(0),
        "subcalls": Overwrite(0),
        "usage": Overwrite({}),
        "trajectory": Overwrite([]),
        "answers": Overwrite([]),
        "asked": Overwrite([]),
    }
    return Command(update=update, goto="direct" if path == "direct" else "generate")


def _id_of(context: list[dict[str, Any]]) -> str | None:
    return context[0]["id"] if context else None
