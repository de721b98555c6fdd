"""Calling a model: how many at once, and what it used."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.exceptions import ContextOverflowError
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage
from langchain_core.messages.ai import UsageMetadata, add_usage
from langchain_core.runnables import RunnableConfig

from langgraph_rlm.asking.ledger import Ledger, Usage
from langgraph_rlm.asking.replies import ModelReply, read_reply
from langgraph_rlm.asking.retries import MOST_RETRY_AFTER, is_transient, pauses, retry_after
from langgraph_rlm.asking.turnstile import Turnstile
from langgraph_rlm.errors import ASKED

_OVERFLOW = re.compile(
    r"(?:exceed|maximum).{0,80}context|context.{0,80}(?:exceed|maximum)|prompt is too long|input token.{0,80}exceed"
    r"|longer than the (?:model's context|maximum model) length|exceeds the maximum allowed length"
    r"|`inputs` (?:tokens \+ `max_new_tokens` must be <=|must have less than)",
    re.I,
)
"""The last two lines are vLLM's, SGLang's and TGI's."""


class Gate:
    """Lets `width` model calls through at a time, over the whole tree of a run, and charges them to its ledger.

    It is held around a model call only, never around a child RLM: a tree would wait for itself.
    """

    def __init__(self, width: int, ledger: Ledger, is_paced: bool = False) -> None:
        """`is_paced`: calls take so much of the processor that they are to begin one after the other."""
        self.width = width
        self.threads = threading.BoundedSemaphore(width)
        self.tasks = asyncio.Semaphore(width)
        self.turnstile = Turnstile() if is_paced else None
        self.ledger = ledger


@dataclass(frozen=True)
class CallModel:
    """The effect of asking a model. Its result is a `ModelReply`.

    A failure that may pass is tried again, with growing pauses, in which the call keeps its place in the gate: who is
    told to slow down asks less at once.

    Raises `LimitExceeded` when, with its turn come, the tokens or seconds of the run are spent; a `last_turn` is not
    refused.
    """

    model: BaseChatModel
    messages: Sequence[AnyMessage]
    gate: Gate
    config: RunnableConfig
    last_turn: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    """What the model takes besides."""
    on_send: Callable[[], None] | None = None
    """Called before each try, with its turn come."""

    def run(self) -> ModelReply:
        waits = pauses()
        with self.gate.threads:
            while True:
                self._check()
                try:
                    return self._charge(self.model.invoke(list(self.messages), self.config, **self.options))
                except Exception as failure:
                    time.sleep(_wait(failure, next(waits, None), self.model))

    async def arun(self) -> ModelReply:
        waits = pauses()
        async with self.gate.tasks:
            if self.gate.turnstile:
                await self.gate.turnstile.passed()
            while True:
                self._check()
                try:
                    return self._charge(await self.model.ainvoke(list(self.messages), self.config, **self.options))
                except Exception as failure:
                    await asyncio.sleep(_wait(failure, next(waits, None), self.model))

    def _check(self) -> None:
        if not self.last_turn:
            self.gate.ledger.check()
        if self.on_send:
            self.on_send()

    def _charge(self, reply: AIMessage) -> ModelReply:
        usage = usage_of(self.model, reply)
        self.gate.ledger.spend(usage)
        return read_reply(reply, usage)


def _wait(failure: Exception, pause: float | None, model: BaseChatModel) -> float:
    """Seconds until the next try. Raises the failure where there is none, with a note of the model."""
    wait = max(pause or 0.0, retry_after(failure))
    if pause is None or not is_transient(failure) or wait > MOST_RETRY_AFTER:
        known = model._get_ls_params()
        names = filter(None, (known.get("ls_provider"), known.get("ls_model_name")))
        failure.add_note(f"{ASKED}{':'.join(names) or type(model).__name__}")
        raise failure
    return wait


def is_overflow(failure: Exception) -> bool:
    """Whether a call failed because its messages exceed the model's window. Some servers say so in words alone."""
    if isinstance(failure, ContextOverflowError):
        return True
    return not is_transient(failure) and _OVERFLOW.search(str(failure)) is not None


def usage_of(model: BaseChatModel, reply: AIMessage) -> Usage:
    """What a reply used, by the model's name as it reports it, else by its class."""
    if reply.usage_metadata is None:
        return {}
    name = reply.response_metadata.get("model_name") or reply.response_metadata.get("model") or model.get_name()
    return {str(name): reply.usage_metadata}


def mark_ahead(usage: Usage) -> Usage:
    """The usage of a sub-call that was asked before the code came to it: `ahead` is among the details of its tokens."""
    return {name: _mark_ahead(used) for name, used in usage.items()}


def _mark_ahead(used: UsageMetadata) -> UsageMetadata:
    read: Any = {**used.get("input_token_details", {}), "ahead": used["input_tokens"]}
    written: Any = {**used.get("output_token_details", {}), "ahead": used["output_tokens"]}
    return {**used, "input_token_details": read, "output_token_details": written}


def add_usages(left: Usage, right: Usage) -> Usage:
    """The sum of two usages, model by model. A reducer."""
    return {
        name: add_usage(left[name], right[name]) if name in left and name in right else (left.get(name) or right[name])
        for name in [*left, *(name for name in right if name not in left)]
    }
