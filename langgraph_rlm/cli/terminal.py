"""The process's own terminal: its streams kept from others, its signals, and what may be written to it."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, TextIO, TypeVar

T = TypeVar("T")

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Steers a terminal, changes the direction of writing, or cannot be encoded. Tabs and newlines are not among it."""

SHOW_CURSOR = b"\x1b[?25h"


def harmless(text: str) -> str:
    """`text` without what a terminal would act on: it may come from a model or from somebody's documents."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


@contextmanager
def own_stderr(shared: bool) -> Iterator[TextIO]:
    """A stream to standard error that this program alone writes to, for the block.

    Libraries and worker processes write to the descriptors 1 and 2 behind Python's back (llama.cpp, Monty's workers),
    which would tear up the live view, or stand beside the answer. Meanwhile those lead nowhere, unless `shared`.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    kept = {descriptor: os.dup(descriptor) for descriptor in (1, 2)}
    own = os.fdopen(os.dup(2), "w", encoding=sys.stderr.encoding, errors="replace")
    try:
        if not shared:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            for descriptor in kept:
                os.dup2(nowhere, descriptor)
            os.close(nowhere)
        yield own
    finally:
        for descriptor, copy in kept.items():
            os.dup2(copy, descriptor)
            os.close(copy)
        with suppress(OSError):  # the terminal is gone
            own.close()


@contextmanager
def own_stdout() -> Iterator[None]:
    """Makes `sys.stdout` a stream, for the block, that leads where standard output does whatever becomes of that."""
    sys.stdout.flush()
    shared, own = sys.stdout, os.fdopen(os.dup(1), "w", encoding="utf-8")
    sys.stdout = own
    try:
        yield
    finally:
        sys.stdout = shared
        with suppress(OSError):  # nobody reads it any more
            own.close()


class Stopped(BaseException):
    """Somebody wants the program to end, by the signal `number`."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Signals:
    """Ctrl-C and a request to terminate raise `Stopped` where the program is; in `run`, once its task is cancelled.

    A second signal ends the process at once, since then the cleaning up is what hangs. `stream` is where a hidden
    cursor is to be shown again.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._received: int | None = None
        self._running: tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]] | None = None

    @contextmanager
    def handled(self) -> Iterator[None]:
        """Handles signals so for the block."""
        numbers = {signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)}
        before = {number: signal.signal(number, self._handle) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of `work`, in an event loop of its own."""

        async def watched() -> T:
            task = asyncio.current_task()
            assert task is not None
            self._running = asyncio.get_running_loop(), task
            try:
                return await work
            finally:
                self._running = None

        try:
            return asyncio.run(watched())
        except asyncio.CancelledError:
            raise Stopped(self._received or signal.SIGINT) from None

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._received is not None:
            if self._stream.isatty():
                os.write(self._stream.fileno(), SHOW_CURSOR)
            os._exit(128 + number)
        self._received = number
        if self._running is None:
            raise Stopped(number)
        loop, task = self._running
        task.cancel()
        loop.call_soon_threadsafe(lambda: None)  # wakes it
