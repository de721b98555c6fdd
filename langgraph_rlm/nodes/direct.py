"""`direct`: the context fits, so one model call answers."""

from __future__ import annotations

from typing import Any, Literal

from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langchain_core.runnables import RunnableConfig
from typing_extensions import TypedDict

from langgraph_rlm.calls import Ask
from langgraph_rlm.context.files import clean
from langgraph_rlm.effects import Steps
from langgraph_rlm.errors import LimitExceeded
from langgraph_rlm.level import Level
from langgraph_rlm.nodes.ending import at_limit, ended, taught
from langgraph_rlm.run import read, run_of
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
        replied = yield Ask(level.model, conversation, run.gate, config)
    except LimitExceeded as reached:
        at_limit(level, reached)
        status = "limit"
        replied = yield Ask(level.model, conversation, run.gate, config, last_turn=True)
    yield from taught(status, config)
    spent = {"usage": replied.usage, "seconds": run.ledger.seconds}
    return {**spent, **ended(replied.text, question, status)}
