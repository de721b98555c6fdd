"""`direct`: the context fits, so one model call answers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langchain_core.runnables import RunnableConfig
from typing_extensions import TypedDict

from langgraph_rlm import typed
from langgraph_rlm.calls import Ask, Replied
from langgraph_rlm.context.files import clean
from langgraph_rlm.effects import Steps
from langgraph_rlm.errors import LimitExceeded
from langgraph_rlm.ledger import Usage
from langgraph_rlm.level import Level
from langgraph_rlm.nodes.ending import at_limit, ended, form_of, taught
from langgraph_rlm.run import Run, read, run_of
from langgraph_rlm.state import Question


class DirectInput(TypedDict, total=False):
    question: Question
    context_id: str
    messages: list[AnyMessage]


def direct(level: Level, state: DirectInput, config: RunnableConfig) -> Steps[dict[str, Any]]:
    run = run_of(config)
    context = run.context(state["context_id"], config)
    question = state["question"]
    conversation: list[AnyMessage]
    if question["chat"] and "messages" in read(config, "context")[0]:
        conversation = list(state["messages"])
        if question["asked"] != clean(conversation[-1].text):
            conversation.append(HumanMessage(question["asked"]))
    else:
        conversation = [HumanMessage(f"{question['asked']}\n\n{context.text}")]
    if level.instructions:
        conversation = [SystemMessage(level.instructions), *conversation]
    status: Literal["answered", "limit"] = "answered"
    try:
        answer, usage = yield from _answer(level, question, conversation, run, config)
    except LimitExceeded as reached:
        at_limit(level, reached)
        status = "limit"
        replied: Replied = yield Ask(level.model, conversation, run.gate, config, last_turn=True)
        answer, usage = replied.text, replied.usage
    yield from taught(status, config)
    spent = {"usage": usage, "seconds": run.ledger.seconds}
    return {**spent, **ended(answer, question, status)}


def _answer(
    level: Level, question: Question, conversation: list[AnyMessage], run: Run, config: RunnableConfig
) -> Steps[tuple[Any, Usage]]:
    """The model's answer, in the form that it has to have, and what it used."""
    if form := form_of(level, question):
        return (yield from typed.asking(partial(_ask, level, run, config), conversation, form))
    replied: Replied = yield Ask(level.model, conversation, run.gate, config)
    return replied.text, replied.usage


def _ask(level: Level, run: Run, config: RunnableConfig, messages: Sequence[AnyMessage]) -> Ask:
    return Ask(level.model, messages, run.gate, config)
