"""Sub-calls in flight: calls of a model that live in the run, while supersteps of the graph come and go.

LangGraph ends a superstep when all of its tasks have ended. So a call is no task of the graph but one of the run, and a
node waits until some have landed, and tells the state of them: a slow one holds up nothing that could go on without it.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import Context, copy_context
from dataclasses import dataclass
from functools import partial
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphBubbleUp

from langgraph_rlm.asking.requests import Request
from langgraph_rlm.asking.threads import Threads
from langgraph_rlm.effects import Steps, adrive, drive

_sending = threading.Lock()


class InFlightCall:
    """A sub-call in flight. `name` is unlike that of every other one, and the same when a killed run asks again."""

    __slots__ = ("future", "has_landed", "index", "is_ahead", "is_wanted", "name", "request", "was_ahead", "was_sent")

    def __init__(self, name: str, request: Request, index: int, is_ahead: bool) -> None:
        self.name, self.request, self.index = name, request, index
        self.was_ahead, self.is_ahead = is_ahead, is_ahead
        """Whether it was asked before the code came to it, and whether the code has not come to it yet."""
        self.future: Future[Any] | asyncio.Task[Any] | None = None
        self.was_sent = False
        """Whether the model was asked: not before its turn has come."""
        self.has_landed, self.is_wanted = False, True

    def mark_sent(self) -> None:
        """Notes that the model is asked now. Raises `CancelledError` where nobody wants that any more."""
        with _sending:
            if not self.is_wanted:
                raise asyncio.CancelledError
            self.was_sent = True

    def cancel(self) -> None:
        """Ends it, or where a thread waits for a model, leaves it alone: it does nothing more."""
        with _sending:
            self.is_wanted = False
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


class InFlightCalls:
    """What one RLM has in flight, `room` of it at once, and what has landed that its state has not been told of.

    Safe to share between threads.
    """

    def __init__(self, room: int) -> None:
        self.position: str | None = None
        """The call of the code that these were begun for last, by its name in the state."""
        self.is_first = False
        """Whether one valid answer is enough for it."""
        self.config = RunnableConfig()
        """Under which a call is begun: that of the task which waits last."""
        self.alone: dict[str, GraphBubbleUp] = {}
        """What models have for somebody to answer, by the names of the calls: these need a task of their own."""
        self.lasting_tasks: int | None = None
        """Tasks that the superstep lasts for, those that have not ended; None where nobody has counted."""
        self._room, self._flying, self._needed, self._attending = room, 0, 0, 0
        self._calls: dict[str, InFlightCall] = {}
        self._waiting = deque[tuple[InFlightCall, Callable[[InFlightCall], None]]]()
        self._landed: list[InFlightCall] = []
        self._watches: list[tuple[Callable[[], bool], Callable[[], None]]] = []
        self._lock = threading.RLock()

    @property
    def calls(self) -> list[InFlightCall]:
        with self._lock:
            return list(self._calls.values())

    def find(self, name: str) -> InFlightCall | None:
        return self._calls.get(name)

    def begin(self, calls: Sequence[InFlightCall], start: Callable[[InFlightCall], None]) -> None:
        """Has `start` called for each when there is room: it is to begin it, and to note it when that has landed."""
        with self._lock:
            for call in calls:
                self._calls[call.name] = call
                self._needed += not call.is_ahead
                self._waiting.append((call, start))
        self._start_some()

    def claim(self, call: InFlightCall, index: int, is_ahead: bool) -> None:
        """Notes where a call stands now that the code has gone on, and whether the code has come to it."""
        with self._lock:
            self._needed += (call.is_ahead and not is_ahead) and not call.has_landed
            call.index, call.is_ahead = index, is_ahead

    def note_landed(self, call: InFlightCall) -> None:
        with self._lock:
            call.has_landed = True
            self._flying -= 1
            if self._calls.get(call.name) is call:
                self._landed.append(call)
                self._needed -= not call.is_ahead
        self._start_some()
        self._wake()

    def note_task_ended(self) -> None:
        """Notes that a task has ended which the superstep lasts for."""
        with self._lock:
            if self.lasting_tasks is not None:
                self.lasting_tasks -= 1
        self._wake()

    def forget(self, call: InFlightCall) -> None:
        """Takes a call out, whose end is of no use any more or is known."""
        with self._lock:
            if self._calls.pop(call.name, None) and not call.has_landed:
                self._needed -= not call.is_ahead
            if call in self._landed:
                self._landed.remove(call)

    def take_landed(self) -> list[InFlightCall]:
        """What has landed since this was asked the last time."""
        with self._lock:
            landed, self._landed = self._landed, []
            for call in landed:
                del self._calls[call.name]
            return landed

    def put_back(self, landed: Sequence[InFlightCall]) -> None:
        """Has these taken again."""
        with self._lock:
            self._landed = [*landed, *self._landed]
            self._calls.update({call.name: call for call in landed})

    def cancel(self) -> list[InFlightCall]:
        """Cancels all. Gives those that were."""
        with self._lock:
            calls, self._calls, self._landed, self._needed = self.calls, {}, [], 0
        for call in calls:
            call.cancel()
        return calls

    # -- what may be waited for ---------------------------------------------------------------------------------------

    @property
    def landed_count(self) -> int:
        """How much has landed that has not been taken."""
        return len(self._landed)

    @property
    def needed_landed(self) -> bool:
        """Whether nothing is in flight that the code waits for."""
        return self._needed <= 0

    @property
    def all_landed(self) -> bool:
        return len(self._landed) == len(self._calls)

    def any_landed(self, fits: Callable[[InFlightCall], bool]) -> bool:
        with self._lock:
            return any(map(fits, self._landed))

    @contextmanager
    def attended(self, config: RunnableConfig) -> Iterator[None]:
        """Has calls begun during the block, at no other time: to traces they are part of the task with that config."""
        with self._lock:
            self.config, self._attending = config, self._attending + 1
        self._start_some()
        try:
            yield
        finally:
            with self._lock:
                self._attending -= 1

    @contextmanager
    def watched(self, is_so: Callable[[], bool], wake: Callable[[], None]) -> Iterator[None]:
        """Has `wake` called as soon as that `is_so`, during the block."""
        watch = (is_so, wake)
        with self._lock:
            self._watches.append(watch)
            if is_so():
                wake()
        try:
            yield
        finally:
            with self._lock:
                self._watches.remove(watch)

    def _wake(self) -> None:
        with self._lock:
            for is_so, wake in self._watches:
                if is_so():
                    wake()

    def _start_some(self) -> None:
        while True:
            with self._lock:
                if not self._attending or self._flying >= self._room or not self._waiting:
                    return
                call, start = self._waiting.popleft()
                if not call.is_wanted:
                    continue
                self._flying += 1
            start(call)


@dataclass(frozen=True)
class BeginCalls:
    """The effect of having calls in flight, which go on by themselves, with `steps` as what each does."""

    in_flight: InFlightCalls
    calls: Sequence[InFlightCall]
    steps: Callable[[InFlightCall], Steps[Any]]
    threads: Threads

    def run(self) -> None:
        for call in self.calls:
            call.future = Future()
        self.in_flight.begin(self.calls, partial(self._start, copy_context()))

    async def arun(self) -> None:
        self.in_flight.begin(self.calls, partial(self._astart, copy_context()))

    def _start(self, here: Context, call: InFlightCall) -> None:
        self.threads.submit(partial(here.copy().run, self._fly, call))

    def _fly(self, call: InFlightCall) -> None:
        assert isinstance(call.future, Future)
        try:
            call.future.set_result(drive(self.steps(call)))
        except BaseException as failure:
            call.future.set_exception(failure)
        self.in_flight.note_landed(call)

    def _astart(self, here: Context, call: InFlightCall) -> None:
        task = call.future = asyncio.create_task(adrive(self.steps(call)), context=here.copy())
        task.add_done_callback(partial(self._landed, call))

    def _landed(self, call: InFlightCall, task: asyncio.Task[Any]) -> None:
        task.cancelled() or task.exception()  # it may have failed for nobody
        self.in_flight.note_landed(call)


@dataclass(frozen=True)
class Until:
    """The effect of waiting until that `is_so` of what is in flight, for so many seconds at most."""

    in_flight: InFlightCalls
    is_so: Callable[[], bool]
    seconds: float | None = None

    def run(self) -> None:
        if not self.is_so():
            event = threading.Event()
            with self.in_flight.watched(self.is_so, event.set):
                event.wait(self.seconds)

    async def arun(self) -> None:
        if not self.is_so():
            event = asyncio.Event()
            with self.in_flight.watched(self.is_so, event.set):
                try:
                    async with asyncio.timeout(self.seconds):
                        await event.wait()
                except TimeoutError:
                    pass
