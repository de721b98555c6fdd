"""One at a time where many wake up at once."""

from __future__ import annotations

import asyncio
from collections import deque


class Turnstile:
    """Lets one task through at each turn of the event loop.

    Replies that arrive together wake their tasks in the same turn. What each of them then asks is sent in a later turn
    only, when all have worked through their replies: so calls that once began together stay together, and the model
    waits while the processor works, and the other way round. Behind this, each task sends before the next one works.
    """

    def __init__(self) -> None:
        self._is_free = True
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def passed(self) -> None:
        loop = asyncio.get_running_loop()
        if self._is_free:
            self._is_free = False
            loop.call_soon(self._next, loop)
        else:
            waiting = loop.create_future()
            self._waiting.append(waiting)
            await waiting

    def _next(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._waiting and self._waiting[0].done():  # cancelled
            self._waiting.popleft()
        self._is_free = not self._waiting
        if self._waiting:
            self._waiting.popleft().set_result(None)
            loop.call_soon(self._next, loop)
