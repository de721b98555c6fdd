"""What it costs to be durable: bytes and milliseconds of each step and sub-call, and the time until a run goes on.

Each figure is a difference of two runs, a short and a long one, so that what begins and ends a run is in neither; what
durability costs is beside the same work without a checkpointer.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatResult
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from benchmarks.fakes import ScriptedModel
from langgraph_rlm import Limits, Router, create_rlm
from tests.postgres import database, server

Size = Callable[[], Awaitable[int]]
"""Bytes that the store takes on disk."""

SQLITE_SIZE = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
POSTGRES_SIZE = "SELECT pg_database_size(current_database())"
SIZES = (100_000, 1_000_000, 10_000_000, 50_000_000)
FEW, MANY = 10, 60
KEEPING = "lines = P.splitlines()"


class Steps(ScriptedModel):
    """Writes `cells` one after the other, and then an answer; notes when it was asked."""

    cell: str = ""
    cells: list[str]
    asked_at: list[float]

    def _result(self, messages: list[BaseMessage]) -> ChatResult:
        self.asked_at.append(time.perf_counter())
        turn = sum(isinstance(message, AIMessage) for message in messages)
        self.cell = self.cells[turn] if turn < len(self.cells) else "Final = 1"
        return super()._result(messages)


@dataclass(frozen=True)
class Store:
    """A way to keep checkpoints: what opens an empty one, and tells its size in bytes."""

    name: str
    opened: Callable[[], AbstractAsyncContextManager[tuple[Any, Size]]]


@dataclass(frozen=True)
class Cost:
    """One row of the table: bytes, and milliseconds beyond those of the same work that is not kept."""

    store: str
    characters: int
    context_bytes: int
    step_bytes: float
    step_ms: float
    subcall_bytes: float
    subcall_ms: float
    resume_ms: float
    """From `ainvoke(None)` to the next call of a model, in a process that knows nothing of the run."""


def text_of(characters: int) -> str:
    chance = random.Random(1)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(2, 9))) for _ in range(20_000)]
    lines = (" ".join(chance.choices(words, k=12)) for _ in range(min(characters, 1_000_000) // 70))
    text = "\n".join(lines)
    return (text * (characters // len(text) + 1))[:characters]


def rlm_of(cells: list[str], saver: Any, **settings: Any) -> tuple[Any, Steps]:
    model = Steps(cells=cells, asked_at=[])
    limits = Limits(max_steps=10_000, max_subcalls=10_000)
    rlm = create_rlm(model, limits=limits, checkpointer=saver, router=Router(profile="rlm"), **settings)
    return rlm, model


async def ran(text: str, cells: list[str], store: Store | None) -> tuple[float, int]:
    """Seconds and bytes of one run."""
    if store is None:
        rlm, _ = rlm_of(cells, None)
        begun = time.perf_counter()
        await rlm.ainvoke({"query": "?", "context": text})
        return time.perf_counter() - begun, 0
    async with store.opened() as (saver, size):
        rlm, _ = rlm_of(cells, saver)
        before, begun = await size(), time.perf_counter()
        await rlm.ainvoke({"query": "?", "context": text}, {"configurable": {"thread_id": "1"}})
        taken = time.perf_counter() - begun
        return taken, await size() - before


async def resumed(text: str, store: Store) -> float:
    """Seconds from `ainvoke(None)` to the next model call of a run that stopped in its loop."""
    config: Any = {"configurable": {"thread_id": "1"}}
    cell = f"{KEEPING}\nfor i in range(9): llm_query(str(i))"
    async with store.opened() as (saver, _):
        rlm, _ = rlm_of([cell], saver, interrupt_before=["subcall"])
        await rlm.ainvoke({"query": "?", "context": text}, config)
        for _ in range(4):
            await rlm.ainvoke(None, config)
        again, model = rlm_of([cell], saver)
        begun = time.perf_counter()
        await again.ainvoke(None, config)
        return model.asked_at[0] - begun


async def cost(characters: int, store: Store) -> Cost:
    text = text_of(characters)
    loop = f"{KEEPING}\nfor i in range({{}}): llm_query(str(i))"
    seconds: dict[tuple[str, int, bool], float] = {}
    size: dict[tuple[str, int], int] = {}
    for steps in (FEW, MANY):
        for kept in (store, None):
            taken, stored = await ran(text, [KEEPING, *["print(len(lines))"] * steps], kept)
            seconds["step", steps, kept is not None] = taken
            size["step", steps] = max(stored, size.get(("step", steps), 0))
            taken, stored = await ran(text, [loop.format(steps)], kept)
            seconds["subcall", steps, kept is not None] = taken
            size["subcall", steps] = max(stored, size.get(("subcall", steps), 0))

    def each(what: str) -> tuple[float, float]:
        more = [seconds[what, MANY, kept] - seconds[what, FEW, kept] for kept in (True, False)]
        return (size[what, MANY] - size[what, FEW]) / (MANY - FEW), (more[0] - more[1]) / (MANY - FEW) * 1e3

    _, context_bytes = await ran(text, [], store)
    return Cost(
        store.name,
        characters,
        context_bytes,
        *each("step"),
        *each("subcall"),
        await resumed(text, store) * 1e3,
    )


@asynccontextmanager
async def sqlite() -> AsyncIterator[tuple[Any, Size]]:
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncSqliteSaver.from_conn_string(f"{folder}/runs.db") as saver:
            await saver.setup()

            async def size() -> int:
                async with saver.conn.execute(SQLITE_SIZE) as rows:
                    found = await rows.fetchone()
                return int(found[0]) if found else 0

            yield saver, size


@asynccontextmanager
async def postgres(folder: Path) -> AsyncIterator[tuple[Any, Size]]:
    with database(folder) as url:
        async with AsyncPostgresSaver.from_conn_string(url) as saver:
            await saver.setup()

            async def size() -> int:
                async with await psycopg.AsyncConnection.connect(url) as connection:
                    found = await (await connection.execute(POSTGRES_SIZE)).fetchone()
                return int(found[0]) if found else 0

            yield saver, size


async def durability() -> AsyncIterator[Cost]:
    """The costs for each store and size."""
    with server() as folder:
        for store in (Store("SQLite", sqlite), Store("PostgreSQL", partial(postgres, folder))):
            for characters in SIZES:
                yield await cost(characters, store)
