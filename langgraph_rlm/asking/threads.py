"""Threads for calls of models in sync runs: a process is to end without the answers that it does not need."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue

Job = Callable[[], object]


class Threads:
    """Up to `width` threads, begun when there is work for them, that nobody waits for at exit."""

    def __init__(self, width: int) -> None:
        self._width, self._begun, self._idle = width, 0, 0
        self._jobs = SimpleQueue[Job | None]()
        self._lock = threading.Lock()

    def submit(self, job: Job) -> None:
        """Has a thread do it, when one is free. It must not raise.

        Raises `RuntimeError` where the system has no thread, and there is none from before.
        """
        with self._lock:
            is_new = not self._idle and self._begun < self._width
            self._begun += is_new
            self._idle -= not is_new and self._idle > 0
        self._jobs.put(job)
        if is_new:
            try:
                threading.Thread(target=self._work, daemon=True).start()
            except RuntimeError:
                with self._lock:
                    self._begun -= 1
                    if not self._begun:
                        raise

    def close(self) -> None:
        """Has the threads end, each after what it is at."""
        for _ in range(self._begun):
            self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
            with self._lock:
                self._idle += 1
