"""What code may compute, in processor time of its worker where the system tells it: a busy machine is no time-out.

Monty itself bounds the time that passes while code runs. Where processor time is told, its bound is many times what is
allowed, and a thread looks at the clocks of the workers that run; elsewhere Monty's bound is all there is.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

LOOK_EVERY = 0.05
"""Seconds from one look at the clocks to the next: code may compute longer by so much."""
PATIENCE, LEAST_PATIENCE = 10, 30.0
"""How many times as long may pass, at least so many seconds: a machine may be that busy."""


def processor_seconds(pid: int) -> float | None:
    """What the processor clock of a process shows; None where it has none, or is no more."""
    if sys.platform != "linux":
        return None
    try:
        return time.clock_gettime((~pid << 3) | 2)  # CPUCLOCK_SCHED of <linux/posix-timers.h>
    except OSError:
        return None


def passing(seconds: float) -> float:
    """How many seconds may pass while code computes that may do so for `seconds`."""
    return max(PATIENCE * seconds, LEAST_PATIENCE) if processor_seconds(os.getpid()) is not None else seconds


@dataclass(eq=False)
class Budget:
    """Seconds that code may still compute. `is_spent`: its process was ended, since it computed longer."""

    seconds: float
    is_spent: bool = False


class ProcessorTime:
    """Ends the processes that have spent their budgets. Safe to share between threads."""

    def __init__(self) -> None:
        self._running: dict[Budget, tuple[int, float]] = {}
        """For each that is being spent: the process, and what its clock shows at the end."""
        self._lock = threading.Lock()
        self._closed = threading.Event()
        threading.Thread(target=self._watch, name="rlm-processor-time", daemon=True).start()

    def close(self) -> None:
        self._closed.set()

    @contextmanager
    def spending(self, budget: Budget, pid: int) -> Iterator[None]:
        """What the process computes in the block is taken off the budget."""
        begun = processor_seconds(pid)
        if begun is None:
            yield
            return
        with self._lock:
            self._running[budget] = pid, begun + budget.seconds
        try:
            yield
        finally:
            with self._lock:
                self._running.pop(budget)
            budget.seconds -= (processor_seconds(pid) or begun) - begun

    def _watch(self) -> None:
        while not self._closed.wait(LOOK_EVERY):
            with self._lock:
                for budget, (pid, end) in self._running.items():
                    if not budget.is_spent and (processor_seconds(pid) or 0) > end:
                        budget.is_spent = True
                        with suppress(ProcessLookupError):
                            os.kill(pid, signal.SIGKILL)
