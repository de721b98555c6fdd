"""What a checkpointer keeps of a thousand sub-calls: rows and bytes, in a SQLite store that was empty before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from benchmarks.durability import sqlite
from benchmarks.fakes import ScriptedModel
from benchmarks.overhead import TEXT, Figure
from langgraph_rlm import Limits, create_rlm


@dataclass(frozen=True)
class Asking:
    """A cell that asks. What is answered at once can be stored at once, so that `latency`, in seconds, counts here.

    Goals: fewer `rows` and `kilobytes` than when each sub-call was a task of the graph.
    """

    work: str
    cell: str
    latency: float = 0.0
    max_concurrency: int = 16
    rows: str = ""
    kilobytes: str = ""


@dataclass(frozen=True)
class Kept:
    """Rows of both tables, and bytes of the file."""

    writes: int
    checkpoints: int
    size: int


BATCH = "llm_batch([f'prompt {i}' for i in range(1000)])"
LOOP = "for i in range(1000): llm_query(f'prompt {i}')"
NOTHING = Asking("a run without sub-calls", "pass")
THOUSAND = (
    Asking("1,000 sub-calls in one llm_batch", BATCH, rows="< 6,000", kilobytes="< 2,000"),
    Asking("1,000 sub-calls in one llm_batch, 200 ms, concurrency 100", BATCH, 0.2, 100, "< 6,800", "< 2,300"),
    Asking("1,000 sequential sub-calls, with look-ahead", LOOP, rows="< 6,200", kilobytes="< 3,100"),
)


async def what_is_kept(asking: Asking) -> Kept:
    model = ScriptedModel(cell=f"{asking.cell}\nFinal = 1", latency=asking.latency)
    async with sqlite() as (saver, size):
        empty = await size()
        limits = Limits(max_subcalls=10_000)
        rlm = create_rlm(model, limits=limits, max_concurrency=asking.max_concurrency, checkpointer=saver)
        await rlm.ainvoke({"query": "?", "context": TEXT}, {"configurable": {"thread_id": "1"}})
        return Kept(await _rows(saver, "writes"), await _rows(saver, "checkpoints"), await size() - empty)


async def _rows(saver: AsyncSqliteSaver, table: str) -> int:
    async with saver.conn.execute(f"SELECT count(*) FROM {table}") as rows:
        found: Any = await rows.fetchone()
    return int(found[0])


async def kept() -> list[Figure]:
    figures = []
    for asking in (NOTHING, *THOUSAND):
        kept = await what_is_kept(asking)
        note = f"{kept.writes:,} writes, {kept.checkpoints:,} checkpoints"
        figures += [
            Figure(f"{asking.work}: kept in SQLite", kept.writes + kept.checkpoints, asking.rows, "rows", note),
            Figure("… bytes", kept.size / 1e3, asking.kilobytes, "KB"),
        ]
    return figures
