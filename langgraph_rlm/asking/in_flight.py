"""Sub-calls in flight: calls of a model that go on while supersteps of the graph come and go.

LangGraph ends a superstep when all of its tasks have ended, so a slow call would hold up all that could go on without
it. So the task of such a call waits no longer than its wave lasts. Then it ends without an answer, and the call goes
on: a task of a later wave waits for it again, or nobody needs it any more, and it is cancelled.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any

from langgraph_rlm.asking.requests import Request
from langgraph_rlm.effects import Steps, adrive, drive

GRACE = 0.05
"""Seconds for which a wave that may end goes on, for those that are about to end."""


class InFlightCall:
    """A sub-call in flight, and whether it `is_ahead`: asked before the code came to it."""

    def __init__(self, request: Request, is_ahead: bool) -> None:
        self.request, self.is_ahead = request, is_ahead
        self.future: Future[Any] | asyncio.Task[Any] | None = None
        self.was_sent = False
        """Whether the model was asked: not before its turn has come."""
        self._is_wanted = True
        self._lock = threading.Lock()

    def mark_sent(self) -> None:
        """Notes that the model is asked now. Raises `CancelledError` where nobody wants that any more."""
        with self._lock:
            if not self._is_wanted:
                raise asyncio.CancelledError
            self.was_sent = True

    def cancel(self) -> None:
        """Ends it, or where a thread waits for a model, leaves it alone: it does nothing more."""
        with self._lock:
            self._is_wanted = False
        if isinstance(self.future, asyncio.Task):
            self.future.cancel()

    def result(self) -> Any:
        assert self.future is not None
        return self.future.result()

    @property
    def has_result(self) -> bool:
        """Whether there is a result."""
        future = self.future
        return future is not None and future.done() and not future.cancelled() and future.exception() is None


class Wave:
    """The sub-calls of one superstep. It may end when `needed` of its tasks have ended, or with the first valid answer
    where `first` is enough; those that are still waiting then are waited for in part, where it `is_partial`."""

    def __init__(self, needed: int, is_partial: bool, first: bool = False) -> None:
        self.is_partial, self.first = is_partial, first
        self.has_answer = False
        """Whether the first valid answer is there."""
        self.over: Future[None] = Future()
        self._over_in_loop: asyncio.Future[None] | None = None
        self._needed, self._end = needed, 0.0
        self._lock = threading.Lock()

    def note_ended(self, is_valid: bool) -> None:
        """Notes that a task which is waited for has ended, and whether with a valid answer."""
        with self._lock:
            self._needed -= 1
            self.has_answer = self.has_answer or (self.first and is_valid)
            if (self.has_answer or self._needed <= 0) and not self.over.done():
                self._end = time.monotonic() + GRACE
                self.over.set_result(None)

    @property
    def over_in_loop(self) -> asyncio.Future[None]:
        """`over`, for those who wait in an event loop."""
        if self._over_in_loop is None:
            self._over_in_loop = asyncio.wrap_future(self.over)
        return self._over_in_loop

    @property
    def rest(self) -> float:
        """Seconds that are left when it is over."""
        return max(0.0, self._end - time.monotonic())


class InFlightCalls:
    """What one RLM has in flight between two waves, and its wave now. Safe to share between threads."""

    def __init__(self) -> None:
        self.wave: Wave | None = None
        self._calls: dict[str, deque[InFlightCall]] = {}
        self._lock = threading.Lock()

    @property
    def calls(self) -> list[InFlightCall]:
        with self._lock:
            return [call for calls in self._calls.values() for call in calls]

    def put(self, call: InFlightCall) -> None:
        with self._lock:
            self._calls.setdefault(call.request.key, deque()).append(call)

    def take(self, key: str) -> InFlightCall | None:
        """A call that asks for just this, if there is one."""
        with self._lock:
            calls = self._calls.get(key)
            if not calls:
                return None
            call = calls.popleft()
            if not calls:
                del self._calls[key]
            return call

    def cancel(self) -> list[InFlightCall]:
        """Cancels all. Gives those that were."""
        calls = self.calls
        with self._lock:
            self._calls = {}
        for call in calls:
            call.cancel()
        return calls


@dataclass(frozen=True)
class StartCall:
    """The effect of beginning a call, which goes on by itself, with `steps` as what it does."""

    call: InFlightCall
    steps: Steps[Any]

    def run(self) -> None:
        future = self.call.future = Future[Any]()
        # A thread of its own that nobody waits for: a process is to end without the answers that it does not need.
        threading.Thread(target=copy_context().run, args=(_fulfil, future, self.steps), daemon=True).start()

    async def arun(self) -> None:
        task = self.call.future = asyncio.create_task(adrive(self.steps))
        task.add_done_callback(lambda task: task.cancelled() or task.exception())  # it may have failed for nobody


@dataclass(frozen=True)
class AwaitCall:
    """The effect of waiting for a call, as long as its wave lasts. Its result: whether it has ended."""

    call: InFlightCall
    wave: Wave | None

    def run(self) -> bool:
        future = self.call.future
        assert isinstance(future, Future)
        if self.wave is None:
            wait([future])
        else:
            wait([future, self.wave.over], return_when=FIRST_COMPLETED)
            wait([future], self.wave.rest)
        return future.done()

    async def arun(self) -> bool:
        future = self.call.future
        assert isinstance(future, asyncio.Task)
        if self.wave is None:
            await asyncio.wait([future])
        else:
            await asyncio.wait([future, self.wave.over_in_loop], return_when=asyncio.FIRST_COMPLETED)
            if not future.done():
                await asyncio.wait([future], timeout=self.wave.rest)
        return future.done()


def _fulfil(future: Future[Any], steps: Steps[Any]) -> None:
    try:
        future.set_result(drive(steps))
    except BaseException as failure:
        future.set_exception(failure)
