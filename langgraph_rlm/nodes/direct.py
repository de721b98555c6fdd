"""`direct`: the context fits, so one model call answers."""

from __future__ import annotations

from typing import Any, TypedDict

from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langchain_core.runnables import RunnableConfig

from langgraph_rlm.calls import Ask, usage_of
from langgraph_rlm.context.files import clean
from langgraph_rlm.effects import Steps
from langgraph_rlm.level import Level
from langgraph_rlm.nodes.ending import ended
from langgraph_rlm.nodes.route import FROM_MESSAGES
from langgraph_rlm.run import run_of
from langgraph_rlm.state import Question


class DirectInput(TypedDict, total=False):
    question: Question
    context_id: str
    messages: list[AnyMessage]


def direct(level: Level, state: DirectInput, config: RunnableConfig) -> Steps[dict[str, Any]]:
    run = run_of(config)
    run.ledger.check()
    context = run.context(state["context_id"], config)
    question = state["question"]
    conversation: list[AnyMessage]
    if question["chat"] and state["context_id"].startswith(FROM_MESSAGES):
        conversation = list(state["messages"])
    else:
        conversation = [HumanMessage(f"{question['asked']}\n\n{context.text}")]
    if level.instructions:
        conversation = [SystemMessage(level.instructions), *conversation]
    reply = yield Ask(level.model, conversation, run.gate, config)
    usage = usage_of(level.model, reply)
    run.ledger.spend(usage)
    return {"usage": usage, **ended(clean(reply.text), question, "answered")}
