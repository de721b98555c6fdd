"""A bounded pool of live interpreters.

Each live interpreter is a worker process. There are never more than `size`: who needs one when all are taken parks
the one that has been idle longest (its state becomes bytes, its process is free), so that a root and its children
never wait for each other. The processes exist while at least one run is open.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from pydantic_monty import Monty, MontySession, OSPolicy, ResourceLimits

from langgraph_rlm.repl.processor_time import Budget, ProcessorTime
from langgraph_rlm.repl.session import UNLIMITED, blank

LIVE_PER_CORE = 4

POLICY: OSPolicy = {"datetime": "call_host", "sleep": "zero", "random_start": {"seed": 0}}
"""Clocks are asked of the host, which notes its answers, and chance is seeded: a finished cell can be run again."""


_blanks: dict[tuple[str, ...], bytes] = {}
"""What REPLs begin as, by the modules that are loaded: the same in the whole process."""


class Parkable(Protocol):
    """Something that holds a session and can do without it for a while."""

    lock: threading.Lock
    pid: int | None
    """The process of the session, as long as there is one."""

    def park(self) -> None:
        """Gives the session back, keeping the state. Called with `lock` held."""


class Workers:
    """Sessions of a Monty pool, at most `size` at a time. Safe to share between threads, event loops and runs."""

    def __init__(self, size: int | None) -> None:
        self.size = size or LIVE_PER_CORE * (os.cpu_count() or 1)
        self._pool: Monty | None = None
        self._open = 0
        self._live: OrderedDict[Parkable, MontySession] = OrderedDict()
        self._changed = threading.Condition(threading.RLock())

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Keeps the worker processes for as long as the block runs; the last block to end stops them."""
        with self._changed:
            if self._pool is None:
                self._pool = Monty(max_processes=self.size).__enter__()
                self._time = ProcessorTime()
            self._open += 1
        try:
            yield
        finally:
            with self._changed:
                self._open -= 1
                if not self._open:
                    pool, self._pool = self._pool, None
                    self._time.close()
                    pool.__exit__(None, None, None)

    def checkout(self, owner: Parkable, limits: ResourceLimits | None) -> MontySession:
        """A fresh session for `owner`, whose lock the caller holds. Waits only while every other one is executing."""
        with self._changed:
            session = self._free(limits).__enter__()
            self._live[owner], owner.pid = session, session.worker_pid
            return session

    def blank(self, *loaded: str) -> bytes:
        """The dump of a REPL over no text with these modules, made once. Waits as `checkout` does."""
        with self._changed:
            if loaded not in _blanks:
                with self._free(UNLIMITED) as session:
                    _blanks[loaded] = blank(session, loaded)
            return _blanks[loaded]

    def _free(self, limits: ResourceLimits | None) -> MontySession:
        while len(self._live) >= self.size and not self._park_one():
            self._changed.wait()
        assert self._pool is not None
        return self._pool.checkout(limits=limits, os_policy=POLICY)

    def spending(self, owner: Parkable, budget: Budget) -> AbstractContextManager[None]:
        """What `owner`'s process computes in the block is taken off the budget; it is ended when that is spent."""
        assert owner.pid is not None
        return self._time.spending(budget, owner.pid)

    def spare(self, owner: Parkable) -> MontySession | None:
        """A fresh session for `owner` where one is free now; its limits are those of the state it will load."""
        with self._changed:
            return self.checkout(owner, None) if len(self._live) < self.size else None

    def give_back(self, owner: Parkable) -> None:
        """Ends `owner`'s session, if it has one."""
        with self._changed:
            session = self._live.pop(owner, None)
            if session is not None:
                owner.pid = None
                session.__exit__(None, None, None)
            self._changed.notify_all()

    def idle(self, owner: Parkable) -> None:
        """Notes that `owner` has stopped executing and may be parked. Called after its lock was released."""
        with self._changed:
            if owner in self._live:
                self._live.move_to_end(owner)
            self._changed.notify_all()

    def _park_one(self) -> bool:
        for candidate in list(self._live):
            if candidate.lock.acquire(blocking=False):
                try:
                    candidate.park()
                    return True
                finally:
                    candidate.lock.release()
        return False
