"""`direct`: the context fits, so one model call answers."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any, Literal

from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langchain_core.runnables import RunnableConfig
from typing_extensions import TypedDict

from langgraph_rlm.answers.schema import AnswerSchema, Unfit
from langgraph_rlm.asking import typed
from langgraph_rlm.asking.ledger import Usage
from langgraph_rlm.asking.messages import alternating
from langgraph_rlm.asking.model_calls import CallModel, add_usages, is_overflow
from langgraph_rlm.asking.replies import ModelReply
from langgraph_rlm.effects import Steps
from langgraph_rlm.errors import CutOff, InvalidInput, LimitExceeded
from langgraph_rlm.nodes.ending import answer_schema_of, answer_update, limit_reached, record_outcome
from langgraph_rlm.running.conversations import as_asked
from langgraph_rlm.running.run import as_called, read, run_of, spent_before
from langgraph_rlm.running.spec import RLMSpec
from langgraph_rlm.state import Question


class DirectInput(TypedDict, total=False):
    question: Question
    context_id: str


def direct(spec: RLMSpec, state: DirectInput, config: RunnableConfig) -> Steps[dict[str, Any]]:
    run = run_of(config)
    context = run.context(state["context_id"], config)
    question = state["question"]
    conversation: list[AnyMessage]
    if question["chat"] and "messages" in read(config, "context")[0]:
        conversation = as_asked(read(config, "messages"), question["asked"])
    else:
        conversation = [HumanMessage(f"{question['asked']}\n\n{context.text}")]
    if spec.instructions:
        conversation = alternating([SystemMessage(spec.instructions), *conversation])
    answer_schema = answer_schema_of(spec, question)
    ask = CallModel(spec.model, conversation, run.gate, as_called(config))
    status: Literal["answered", "limit"] = "answered"
    try:
        answer, usage, message_id, status = yield from _answer(ask, answer_schema)
    except LimitExceeded as reached:
        limit_reached(spec, reached)
        status = "limit"
        messages = typed.with_schema(conversation, answer_schema) if answer_schema else conversation
        replied: ModelReply = yield replace(ask, messages=messages, last_turn=True)
        answer, message_id = _said(replied), replied.id
        usage = add_usages(spent_before(reached)["usage"], replied.usage)
        if answer_schema:
            with suppress(Unfit):
                answer = answer_schema.read(answer)
    except CutOff:
        raise
    except Exception as failure:
        if not is_overflow(failure):
            raise
        size = sum(len(message.text) for message in conversation)
        raise InvalidInput(
            f'Question and text have {size:,} characters, more than the model can read: ask with the profile "rlm".'
        ) from failure
    yield from record_outcome(status, config)
    spent = {"usage": usage, "seconds": run.ledger.seconds}
    is_known = any(message.id == message_id for message in read(config, "messages"))  # as that of a cached reply
    return {**spent, **answer_update(spec, answer, question, status, None if is_known else message_id)}


def _answer(
    ask: CallModel, answer_schema: AnswerSchema | None
) -> Steps[tuple[Any, Usage, str | None, Literal["answered", "limit"]]]:
    """The model's answer, in the form that it has to have, what it used, the id of the message that is it, a status."""
    if answer_schema:
        return (*(yield from typed.ask_typed(ask, answer_schema)), None, "answered")
    replied: ModelReply = yield ask
    return _said(replied), replied.usage, replied.id, "limit" if replied.cut else "answered"


def _said(replied: ModelReply) -> str:
    """What the model has said, if not all of it. Raises `CutOff` where it has said nothing."""
    if replied.cut and not replied.text.strip():
        advice = (
            "raise the model's limit of output tokens (max_tokens=…, or as its class has it)"
            if replied.cut.is_too_long
            else 'ask in other words, or with the profile "rlm"'
        )
        raise CutOff(f"The model gave no answer. Its reply {replied.cut.what}: {advice}.")
    return replied.text
