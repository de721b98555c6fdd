"""`generate`: the model reads the history and writes code, or its reply has another block to run."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphBubbleUp
from typing_extensions import TypedDict

from langgraph_rlm.asking.ledger import Usage
from langgraph_rlm.asking.messages import alternating
from langgraph_rlm.asking.model_calls import CallModel, add_usages, is_overflow
from langgraph_rlm.asking.replies import ModelReply
from langgraph_rlm.conversation import prompts
from langgraph_rlm.conversation.dialects.replies import Code
from langgraph_rlm.conversation.history import (
    fills_window,
    gap,
    is_stuck,
    latest_turn,
    reply_message,
    shown,
    stands_for_others,
    summary,
)
from langgraph_rlm.effects import Steps
from langgraph_rlm.errors import LimitExceeded
from langgraph_rlm.models.clients import is_openai
from langgraph_rlm.nodes.ending import limit_reached
from langgraph_rlm.running.run import as_called, run_of
from langgraph_rlm.running.spec import RLMSpec
from langgraph_rlm.state import Question

WARM, WARMER, MOST_WARM = 0.7, 0.2, 1.0
"""The temperature of a reply where the host could help as little as the model itself: at least so much, and so much
more than else. Some models take no more than 1."""


class GenerateInput(TypedDict, total=False):
    question: Question
    history: list[AnyMessage]
    step: int
    block: int
    code: str
    limit: list[Any] | None


def generate(spec: RLMSpec, state: GenerateInput, config: RunnableConfig) -> Steps[dict[str, Any]]:
    history, limit = state["history"], state.get("limit")
    if state.get("block"):
        return {"code": state["code"]}
    spec = spec.with_model(state["question"].get("model"))
    added, usage, reminder = list[AnyMessage](), dict[str, Any](), list[AnyMessage]()
    query = prompts.shorten(state["question"]["asked"], prompts.MOST_REMINDER)
    if not limit and (reminded := spec.dialect.reminder(query, state["step"] + 1)):
        reminder = [HumanMessage(reminded)]
    try:
        if fills_window(spec.model, history):
            added, usage = yield from _summarise(spec, history, config, limit is not None)
        replied: ModelReply = yield from _reply(spec, history, added, reminder, config, limit is not None)
    except LimitExceeded as reached:
        limit = limit_reached(spec, reached)
        added = [*added, HumanMessage(spec.dialect.last_turn(reached.limit))]
        replied = yield from _reply(spec, history, added, [], config, True)
    said = spec.dialect.parse(replied.text)
    blocks = said.blocks if isinstance(said, Code) and not replied.cut else ()
    used = next(iter(replied.usage.values()), None)
    return {
        "history": [*added, reply_message(replied, used)],
        "code": blocks[0] if blocks else "",
        "block": 1 if blocks else 0,
        "step": state["step"] + 1,
        "steps": 1,
        "usage": add_usages(usage, replied.usage),
        "seconds": run_of(config).ledger.seconds,
        "limit": limit,
    }


def _reply(
    spec: RLMSpec,
    history: list[AnyMessage],
    added: list[AnyMessage],
    reminder: list[AnyMessage],
    config: RunnableConfig,
    last: bool,
) -> Steps[ModelReply]:
    """The model's next reply. What it is shown of a history that proves too long for it is `added` as a gap."""
    replied: ModelReply
    try:
        replied = yield _ask(spec, [*history, *added], reminder, config, last)
        return replied
    except Exception as failure:
        if not is_overflow(failure) or len(history) <= latest_turn(history) + 1:
            raise
    added[:] = [gap(history), *(message for message in added if not stands_for_others(message))]
    replied = yield _ask(spec, [*history, *added], reminder, config, last)
    return replied


def _summarise(
    spec: RLMSpec, history: list[AnyMessage], config: RunnableConfig, last: bool
) -> Steps[tuple[list[AnyMessage], Usage]]:
    """The model's own summary of a history that fills its window, and what it used; a gap where it cannot be had."""
    try:
        replied: ModelReply = yield _ask(spec, history, [HumanMessage(prompts.SUMMARISE)], config, last)
    except (GraphBubbleUp, LimitExceeded):
        raise
    except Exception:  # what fails for good fails the reply after it too
        return [gap(history)], {}
    is_said = replied.text.strip() and not replied.cut
    return [summary(replied.text, history) if is_said else gap(history)], replied.usage


def _ask(
    spec: RLMSpec, history: list[AnyMessage], end: list[AnyMessage], config: RunnableConfig, last: bool
) -> CallModel:
    """Sends what is shown of the history, and at its end what is no part of it."""
    messages = [SystemMessage(spec.system), *alternating([*shown(history), *end])]
    temperature = getattr(spec.model, "temperature", None) if is_openai(spec.model) else None
    warmer = {}
    if temperature is not None and temperature < MOST_WARM and is_stuck(history):
        warmer = {"temperature": max(WARM, min(MOST_WARM, round(temperature + WARMER, 2)))}
    options = {**spec.cache_markers, **warmer}
    return CallModel(spec.model, messages, run_of(config).gate, as_called(config), last, options=options)
