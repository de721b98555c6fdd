"""`runs`: the kept runs as a table, or as JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from langgraph_rlm.cli.runs import Run, Runs
from langgraph_rlm.cli.view import one_line

STYLES = {
    "running": "cyan",
    "interrupted": "yellow",
    "stopped": "yellow",
    "failed": "red",
    "answered": "green",
    "limit": "magenta",
}
WIDE = 500
"""Columns of a table that goes to no terminal: a question is shown as far as a view shows any line."""
UNITS = (("s", 60), ("min", 60), ("h", 24), ("d", 365), ("y", 1_000))


def table(runs: Sequence[Run], stream: TextIO) -> str:
    """A line for each run, for that stream: cut to the width of a terminal, else whole."""
    console = Console(file=stream, highlight=False, width=None if stream.isatty() else WIDE)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", expand=True)
    table.add_column("Thread", no_wrap=True)
    table.add_column("Status", no_wrap=True)
    table.add_column("Age", no_wrap=True)
    for name in ("Tokens", "Steps", "Calls", "Seconds"):
        table.add_column(name, no_wrap=True, justify="right")
    table.add_column("Question", no_wrap=True, overflow="ellipsis", ratio=1)
    for run in runs:
        table.add_row(
            run.thread,
            Text(run.status, STYLES[run.status]),
            age(run),
            *map(_short, (run.tokens, run.steps, run.subcalls)),
            f"{run.seconds:,.1f}",
            Text(one_line(run.question)),
        )
    with console.capture() as capture:
        console.print(table)
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


def as_json(runs: Sequence[Run]) -> str:
    """An array of the runs, without their answers: `resume --json` gives one."""
    listed = []
    for run in runs:
        entry = asdict(run)
        for inner in ("output", "pid", "since"):
            del entry[inner]
        for moment in ("created", "updated"):
            entry[moment] = datetime.fromtimestamp(entry[moment], UTC).isoformat(timespec="seconds")
        listed.append(entry)
    return json.dumps(listed, ensure_ascii=False)


def age(run: Run) -> str:
    """How long ago a run last changed."""
    number = max(0.0, time.time() - run.updated)
    for unit, size in UNITS:
        if number < size:
            return f"{number:.0f} {unit} ago" if number >= 1 else "now"
        number //= size
    return "long ago"


def summary(shown: int, total: int, runs: Runs) -> str:
    """How many runs there are, and what room they take."""
    if not total:
        return f"There are no runs in {runs.path} yet: ask keeps them there."
    count = f"{shown:,} of {total:,} runs" if shown < total else f"{total:,} run" + "s" * (total != 1)
    return f"{count}, {megabytes(runs.size())} in {runs.path}"


def megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


def _short(number: int) -> str:
    if number < 10_000:
        return f"{number:,}"
    return f"{number / 1e3:,.0f}k" if number < 1_000_000 else f"{number / 1e6:,.1f}M"
