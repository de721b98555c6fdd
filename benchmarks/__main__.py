"""`make bench`: every figure, beside its goal."""

from __future__ import annotations

import asyncio

from rich.console import Console
from rich.table import Table

from benchmarks.overhead import fan_out, long_context, overhead


async def main() -> None:
    console = Console()
    table = Table("work", "measured", "goal", "note", title="langgraph-rlm: what the graph costs")
    for measure in (overhead, fan_out, long_context):
        with console.status(f"measuring: {measure.__name__}"):
            for figure in await measure():
                table.add_row(figure.work, f"{figure.value:.2f} {figure.unit}", f"≤ {figure.goal:g}", figure.note)
    console.print(table)


if __name__ == "__main__":
    asyncio.run(main())
