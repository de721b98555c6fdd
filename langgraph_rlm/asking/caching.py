"""Answers to sub-calls that were asked before, by LangGraph's caches (`cache=`).

LangGraph's `CachePolicy` would keep all that a node wrote: which prompt of which call it answered, what it cost, and
failures too. So the node looks its answer up itself, in the same cache, and keeps answers alone: those of a child RLM
that may have changed something are not among them.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import Future
from dataclasses import astuple, dataclass
from typing import Any

from langgraph.cache.base import BaseCache

NAMESPACE = ("langgraph_rlm", "subcall")

_logger = logging.getLogger("langgraph_rlm")


@dataclass(frozen=True)
class CachedAnswer:
    """An answer that was kept: the sub-call that asked for it, and what it spent."""

    answer: Any
    asker: str
    spent: dict[str, Any]


@dataclass(frozen=True)
class GetCached:
    """The effect of looking an answer up. Its result is a `CachedAnswer`, or None. A cache that fails has none."""

    cache: BaseCache[Any]
    key: str

    def run(self) -> CachedAnswer | None:
        try:
            return _found(self.cache.get([(NAMESPACE, self.key)]))
        except Exception as failure:
            _complain(failure)
            return None

    async def arun(self) -> CachedAnswer | None:
        try:
            return _found(await self.cache.aget([(NAMESPACE, self.key)]))
        except Exception as failure:
            _complain(failure)
            return None


@dataclass(frozen=True)
class PutCached:
    """The effect of keeping an answer."""

    cache: BaseCache[Any]
    key: str
    cached: CachedAnswer

    def run(self) -> None:
        try:
            self.cache.set({(NAMESPACE, self.key): (list(astuple(self.cached)), None)})
        except Exception as failure:
            _complain(failure)

    async def arun(self) -> None:
        try:
            await self.cache.aset({(NAMESPACE, self.key): (list(astuple(self.cached)), None)})
        except Exception as failure:
            _complain(failure)


@dataclass(frozen=True)
class AwaitIdentical:
    """The effect of waiting for what another sub-call asks. Its result is a `CachedAnswer`, or None where it failed."""

    future: Future[CachedAnswer | None]

    def run(self) -> CachedAnswer | None:
        return self.future.result()

    async def arun(self) -> CachedAnswer | None:
        return await asyncio.shield(asyncio.wrap_future(self.future))


class IdenticalCalls:
    """The sub-calls that a run has asked or is asking, so that identical ones are asked once. Safe to share."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._futures: dict[str, Future[CachedAnswer | None]] = {}

    def join(self, key: str) -> Future[CachedAnswer | None] | None:
        """What to wait for, where somebody has asked that; else the caller does, and is to `end` it."""
        with self._lock:
            if key in self._futures:
                return self._futures[key]
            self._futures[key] = Future()
            return None

    def end(self, key: str, cached: CachedAnswer | None) -> None:
        """Tells those who wait what came of it; None where it failed: each of them asks for itself."""
        with self._lock:
            (self._futures[key] if cached else self._futures.pop(key)).set_result(cached)


def _found(values: dict[Any, Any]) -> CachedAnswer | None:
    match next(iter(values.values()), None):
        case [answer, str(asker), dict(spent)]:
            return CachedAnswer(answer, asker, spent)
    return None


def _complain(failure: Exception) -> None:
    _logger.warning("The cache failed, and the run goes on without it: %s", failure)
