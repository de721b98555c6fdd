"""`make bench-peers`: the same works by langgraph-rlm and its peers, side by side, over one fake server."""

from __future__ import annotations

import importlib
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.peers.rows import ROWS, Measured
from benchmarks.peers.venvs import CACHE, CannotSetUp, python_of
from benchmarks.peers.works import LATENCY, STEPS, WORKS, System, scripts
from benchmarks.server import Server, serving

SYSTEMS = {
    name: cast(System, importlib.import_module(f"benchmarks.peers.{name}"))
    for name in ("ours", "rlms", "pyrlm_runtime", "dspy")
}
QUIET = {
    "OPENAI_API_KEY": "none",
    "LANGSMITH_TRACING": "false",
    "OTEL_SDK_DISABLED": "true",
    "DO_NOT_TRACK": "1",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "DSPY_CACHEDIR": str(CACHE / "dspy-answers"),
}
"""No telemetry, and nothing fetched while the clock runs."""
TIMEOUT = 240
"""Seconds, for all runs of a work."""
NONE = "—"
WIDTH = 200
"""Of the table, where it is not shown in a terminal."""


def measure(python: Path, name: str, label: str, server: Server) -> Measured | str:
    """What a system did, or what kept it from it."""
    forget(server)
    command = [str(python), "-m", "benchmarks.peers.driver", name, label, server.url]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, env=os.environ | QUIET)
    except subprocess.TimeoutExpired:
        return f"> {TIMEOUT} s"
    if done.returncode:
        return (done.stderr.strip() or "failed").splitlines()[-1]
    taken = json.loads(done.stdout)
    prompts = server.prompts()
    calls = (sum(server.counts().values()) - len(prompts)) / len(taken)
    if calls < (WORKS[label].calls or 0):  # more are tries of its HTTP client
        return f"asked {calls:g} of {WORKS[label].calls}"
    last = ["\n".join(texts) for texts in prompts[-STEPS:]]
    seconds, processors = (statistics.median(times) for times in zip(*taken, strict=True))
    return Measured(seconds, processors, calls, server.most(), last)


def forget(server: Server) -> None:
    server.counts()
    server.prompts()
    server.most()


def version(python: Path, package: str) -> str:
    code = "import importlib.metadata as m, sys; print(m.version(sys.argv[1]), *sys.version_info[:2])"
    told = subprocess.run([str(python), "-c", code, package], capture_output=True, text=True, check=True)
    number, major, minor = told.stdout.split()
    return f"{number} (Python {major}.{minor})"


@contextmanager
def servers() -> Iterator[Mapping[float, Server]]:
    """By their latency."""
    said = {model: replies for name, system in SYSTEMS.items() for model, replies in scripts(name, system).items()}
    with serving(0.0, said) as fast, serving(LATENCY, said) as slow:
        yield {0.0: fast, LATENCY: slow}


def main() -> None:
    console = Console()
    pythons = {"ours": Path(sys.executable)}
    headings = []
    with console.status("") as status, servers() as serve:
        for name, system in SYSTEMS.items():
            status.update(f"setting up: {system.PACKAGE}")
            try:
                pythons[name] = pythons.get(name) or python_of(name)
                headings.append(f"{system.PACKAGE} {version(pythons[name], system.PACKAGE)}")
            except CannotSetUp as reason:
                headings.append(f"{system.PACKAGE}: cannot be set up: {reason}")
        measured: dict[str, dict[str, Measured | str]] = {name: {} for name in SYSTEMS}
        for label, work in WORKS.items():
            for name, system in SYSTEMS.items():
                status.update(f"measuring: {label}, {system.PACKAGE}")
                possible = name in pythons and label not in system.LACKS
                measured[name][label] = measure(pythons[name], name, label, serve[work.latency]) if possible else NONE
    table = Table("", *headings, "goal", box=box.MARKDOWN)
    for row in ROWS:
        table.add_row(row.heading, *(row.cell(works) for works in measured.values()), row.goal)
    (console if console.is_terminal else Console(width=WIDTH)).print(table)


if __name__ == "__main__":
    main()
