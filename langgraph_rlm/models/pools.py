"""Finds out whether the pool of a model's HTTP client is what is slow, by looking at what an event loop is doing."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

MANY = 50
"""Calls at once below which no pool is slow."""
PERIOD = 0.02
"""Seconds from one look to the next."""
LOOKS = 100
"""Looks at a time, of which more than half tell what is slow."""

_SAID = (
    "The pool of connections of a model's HTTP client takes %.0f %% of the event loop's time. Name the model by a "
    'string ("openai:…"), give it a client that scales (http_async_client=openai.DefaultAioHttpClient(), '
    'pip install "openai[aiohttp]"), or lower max_concurrency.'
)

_logger = logging.getLogger("langgraph_rlm")


class SlowPool:
    """Says once, of a process, that an event loop spends most of its time in the pool of an HTTP client."""

    was_told = False

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Looks at the loop of this thread during the block."""
        done = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(threading.get_ident(), done), daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()

    def _watch(self, thread: int, done: threading.Event) -> None:
        while not self.was_told:
            in_pool = 0
            for _ in range(LOOKS):
                if done.wait(PERIOD):
                    return
                in_pool += any(map(_is_pool, _names(sys._current_frames().get(thread))))
            if in_pool > LOOKS / 2:
                self.was_told = True
                _logger.warning(_SAID, 100 * in_pool / LOOKS)


slow_pool = SlowPool()


def _names(frame: FrameType | None) -> Iterator[str]:
    """Module and function of what a thread is at, the innermost first."""
    while frame:
        yield f"{frame.f_globals.get('__name__')}.{frame.f_code.co_name}"
        frame = frame.f_back


def _is_pool(name: str) -> bool:
    """Whether this is httpcore's search through all its connections and requests."""
    return name.startswith("httpcore") and name.endswith("._assign_requests_to_connections")
