"""Calling a model: how many at once, and what it used."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage
from langchain_core.messages.ai import UsageMetadata, add_usage
from langchain_core.runnables import RunnableConfig

Usage = dict[str, UsageMetadata]
"""Tokens by model name."""


class Gate:
    """Lets `width` model calls through at a time, over the whole tree of a run.

    It is held around a model call only, never around a child RLM: a tree would wait for itself.
    """

    def __init__(self, width: int) -> None:
        self.threads = threading.BoundedSemaphore(width)
        self.tasks = asyncio.Semaphore(width)


@dataclass(frozen=True)
class Ask:
    """The effect of asking a model. Its result is the reply."""

    model: BaseChatModel
    messages: Sequence[AnyMessage]
    gate: Gate
    config: RunnableConfig

    def run(self) -> AIMessage:
        with self.gate.threads:
            return self.model.invoke(list(self.messages), self.config)

    async def arun(self) -> AIMessage:
        async with self.gate.tasks:
            return await self.model.ainvoke(list(self.messages), self.config)


def usage_of(model: BaseChatModel, reply: AIMessage) -> Usage:
    """What a reply used, by the model's name as it reports it, else by its class."""
    if reply.usage_metadata is None:
        return {}
    name = reply.response_metadata.get("model_name") or reply.response_metadata.get("model") or type(model).__name__
    return {str(name): reply.usage_metadata}


def add_usages(left: Usage, right: Usage) -> Usage:
    """The sum of two usages, model by model. A reducer."""
    return {
        name: add_usage(left[name], right[name]) if name in left and name in right else (left.get(name) or right[name])
        for name in [*left, *(name for name in right if name not in left)]
    }
