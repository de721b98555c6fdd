"""`direct`: the context fits, so one model call answers."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any, Literal

from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langchain_core.runnables import RunnableConfig
from typing_extensions import TypedDict

from langgraph_rlm.answers.schema import Form, Unfit
from langgraph_rlm.asking import typed
from langgraph_rlm.asking.calls import Ask, Replied, add_usages, overflowed
from langgraph_rlm.asking.ledger import Usage
from langgraph_rlm.asking.messages import alternating
from langgraph_rlm.context.files import clean
from langgraph_rlm.effects import Steps
from langgraph_rlm.errors import InvalidInput, LimitExceeded
from langgraph_rlm.nodes.ending import at_limit, ended, form_of, taught
from langgraph_rlm.running.level import Level
from langgraph_rlm.running.run import read, run_of, spent_before
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
        conversation = alternating([SystemMessage(level.instructions), *conversation])
    form, ask = form_of(level, question), Ask(level.model, conversation, run.gate, config)
    status: Literal["answered", "limit"] = "answered"
    try:
        answer, usage, message_id = yield from _answer(ask, form)
    except LimitExceeded as reached:
        at_limit(level, reached)
        status = "limit"
        messages = typed.told(conversation, form) if form else conversation
        replied: Replied = yield replace(ask, messages=messages, last_turn=True)
        answer, message_id = replied.text, replied.id
        usage = add_usages(spent_before(reached)["usage"], replied.usage)
        if form:
            with suppress(Unfit):
                answer = form.read(answer)
    except Exception as failure:
        if not overflowed(failure):
            raise
        size = sum(len(message.text) for message in conversation)
        raise InvalidInput(
            f'Question and text have {size:,} characters, more than the model can read: ask with the profile "rlm".'
        ) from failure
    yield from taught(status, config)
    spent = {"usage": usage, "seconds": run.ledger.seconds}
    is_known = any(message.id == message_id for message in state.get("messages", ()))  # as that of a cached reply
    return {**spent, **ended(answer, question, status, None if is_known else message_id)}


def _answer(ask: Ask, form: Form | None) -> Steps[tuple[Any, Usage, str | None]]:
    """The model's answer, in the form that it has to have, what it used, and the id of the message that is it."""
    if form:
        return (*(yield from typed.asking(ask, form)), None)
    replied: Replied = yield ask
    return replied.text, replied.usage, replied.id
