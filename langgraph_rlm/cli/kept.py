"""A run that is kept: its row in the file says at each moment what has become of it."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from langgraph_rlm.cli.runs import PATIENCE, Run, Runs, StateError
from langgraph_rlm.cli.story import Story
from langgraph_rlm.cli.terminal import Stopped
from langgraph_rlm.errors import ContextError, InvalidInput

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

NOTED_EVERY = 1.0
"""Seconds between two notes of what a run has used so far."""
LAST_WRITES = 10.0
"""Seconds that a run which ends may take to store what it has."""


class Kept:
    """A run in the file, for the process that holds its thread.

    Args:
        story: What happens in it.
        begun: When work on it began, on the monotonic clock.
    """

    def __init__(self, runs: Runs, run: Run, story: Story, begun: float) -> None:
        self.run = run
        self.config: RunnableConfig = {"configurable": {"thread_id": run.thread}}
        self._runs, self._story, self._begun = runs, story, begun
        self._stored = False

    @asynccontextmanager
    async def saver(self) -> AsyncIterator[AsyncSqliteSaver]:
        """The checkpointer of the file, for the block."""
        import aiosqlite
        from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

        before = asyncio.all_tasks()  # those of a server, say
        try:
            async with aiosqlite.connect(self._runs.path, timeout=PATIENCE) as connection:
                try:
                    yield AsyncSqliteSaver(connection)
                except BaseException:  # a run that is cancelled leaves writes under way
                    if others := asyncio.all_tasks() - before - {asyncio.current_task()}:
                        await asyncio.wait(others, timeout=LAST_WRITES)
                    raise
                finally:
                    await connection.commit()
        except sqlite3.Error as error:
            raise self._runs.explained(error) from error

    async def begin(self, saver: AsyncSqliteSaver, given: dict[str, Any] | None) -> None:
        """Stores that the run begins, or goes on where nothing is `given`.

        Raises:
            InvalidInput: There is nothing to go on with, or no text to answer the question from.
        """
        checkpoint = await saver.aget_tuple(self.config)
        last = checkpoint.config["configurable"]["checkpoint_id"] if checkpoint else None
        if given is None and last == self.run.since:
            raise InvalidInput(f"Thread {self.run.thread} ended before its question was stored: ask it again.")
        if given is not None and last is None and "context" not in given:
            raise ContextError(f"Thread {self.run.thread} has no text: name one with --context.")
        self._put(status="running", pid=os.getpid(), since=self.run.since if given is None else last)
        self._stored = True
        self._note()

    @contextmanager
    def followed(self) -> Iterator[None]:
        """Stores, should the block end without an answer, that it did."""
        try:
            yield
        except BaseException as error:
            if self._stored:
                with suppress(StateError):
                    is_stopped = isinstance(error, Stopped | asyncio.CancelledError)
                    self._put(status="stopped" if is_stopped else "failed", **self._used())
            raise

    def end(self, output: dict[str, Any], tokens: int) -> None:
        """Stores the answer."""
        spent = {name: output[name] for name in ("steps", "subcalls", "seconds")}
        self._put(status=output["status"], output=output, tokens=tokens, **spent)

    def _note(self) -> None:
        """Stores what the run has used so far, from now on every second that it has used something."""
        used = self._used()
        if any(used[name] != getattr(self.run, name) for name in ("tokens", "steps", "subcalls")):
            with suppress(StateError):  # somebody writes to the file: the next time, then
                self._put(patience=0, **used)
        asyncio.get_running_loop().call_later(NOTED_EVERY, self._note)

    def _used(self) -> dict[str, Any]:
        story = self._story
        spent = {"tokens": story.tokens, "steps": story.steps, "subcalls": story.subcalls}
        return spent | {"seconds": time.monotonic() - self._begun}

    def _put(self, *, patience: float = PATIENCE, **changes: Any) -> None:
        run = replace(self.run, updated=time.time(), **changes)
        self._runs.put(run, patience)
        self.run = run
