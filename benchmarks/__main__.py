"""`make bench`: every figure, beside its goal. `python -m benchmarks overhead` measures one table, see `TABLES`."""

from __future__ import annotations

import asyncio
import sys

from rich.console import Console
from rich.table import Table

from benchmarks.durability import durability
from benchmarks.economy import economy
from benchmarks.http import completions, over_http
from benchmarks.kept import kept
from benchmarks.overhead import fan_out, long_context, look_ahead, overhead, tree, wide
from benchmarks.prefix import prefix
from benchmarks.production import MEASURES
from benchmarks.python import compared, summary
from benchmarks.startup import startup


async def show_overhead(console: Console) -> None:
    table = Table("work", "measured", "goal", "note", title="langgraph-rlm: what the graph costs")
    for measure in (overhead, wide, look_ahead, fan_out, tree, over_http, completions, kept, prefix, long_context):
        with console.status(f"measuring: {measure.__name__}"):
            for figure in await measure():
                table.add_row(figure.work, figure.measured, figure.goal, figure.note)
    console.print(table)


async def show_production(console: Console) -> None:
    table = Table("work", "measured", "note", title="langgraph-rlm: many runs at once, PostgreSQL, a tree over servers")
    for measure in MEASURES:
        with console.status(f"measuring: {measure.__name__}"):
            for figure in await measure():
                table.add_row(figure.work, figure.measured, figure.note)
        table.add_section()
    console.print(table)


async def show_durability(console: Console) -> None:
    table = Table(title="langgraph-rlm: what durability costs, beyond the same work that is not kept")
    for heading in ("store", "context", "stored", "each step", "each sub-call", "resume"):
        table.add_column(heading, justify="right", no_wrap=True)
    with console.status("measuring: durability"):
        async for cost in durability():
            table.add_row(
                cost.store,
                f"{cost.characters / 1e6:g} MB",
                f"{cost.context_bytes / 1e6:.2f} MB",
                f"{cost.step_bytes / 1e3:.1f} KB, {cost.step_ms:.1f} ms",
                f"{cost.subcall_bytes / 1e3:.1f} KB, {cost.subcall_ms:.1f} ms",
                f"{cost.resume_ms:.0f} ms",
            )
    console.print(table)


async def show_economy(console: Console) -> None:
    table = Table(
        "task", "tokens without", "tokens with it", "saved", title="langgraph-rlm: tokens, with the same answers"
    )
    for saved in await economy():
        share = 1 - saved.with_it / saved.without
        table.add_row(saved.task, f"{saved.without:,}", f"{saved.with_it:,}", f"{share:.0%}")
    console.print(table)


async def show_startup(console: Console) -> None:
    table = Table("start", title="langgraph-rlm: what starting costs, beside the first line of each part")
    for heading in ("takes", "by the clock", "processor", "goal"):
        table.add_column(heading, justify="right", no_wrap=True)
    with console.status("measuring: startup"):
        for group in startup():
            for started in group:
                goal = "" if started.start.goal == 1 else f"≤ {started.start.goal:g} ×"
                times = (f"{times:.2f} ×" for times in (started.times, started.times_processor))
                table.add_row(started.start.what, f"{started.seconds * 1e3:,.0f} ms", *times, goal)
            table.add_section()
    console.print(table)


async def show_python(console: Console) -> None:
    table = Table(title="langgraph-rlm: Python here and in CPython, over 1 MB")
    for heading in ("idiom", "here", "CPython", "ratio", "value"):
        table.add_column(heading, justify="left" if heading == "idiom" else "right", no_wrap=True)
    console.print("measuring: python, some two minutes")  # no status: what the idioms print is caught
    all_compared = await asyncio.to_thread(lambda: list(compared()))  # idioms begin event loops
    for one in all_compared:
        table.add_row(
            one.idiom.name,
            f"{one.here.seconds * 1e3:,.0f} ms",
            f"{one.in_cpython.seconds * 1e3:,.0f} ms",
            f"{one.times:.1f} ×{' !' if one.is_outlier else ''}",
            one.verdict,
        )
    console.print(table)
    console.print(summary(all_compared))


TABLES = {
    "overhead": show_overhead,
    "durability": show_durability,
    "economy": show_economy,
    "startup": show_startup,
    "python": show_python,
    "production": show_production,
}

if __name__ == "__main__":
    names = sys.argv[1:] or [*TABLES]
    if unknown := {*names} - {*TABLES}:
        sys.exit(f"usage: python -m benchmarks [{'|'.join(TABLES)}]…, or all of them. Not {', '.join(unknown)}.")
    for name in names:
        asyncio.run(TABLES[name](Console()))
