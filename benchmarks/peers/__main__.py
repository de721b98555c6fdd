"""`make bench-peers`: the same works by langgraph-rlm and its peers, side by side, over one fake server.

`python -m benchmarks.peers batch tree` measures these works alone, see `WORKS`."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.peers.processes import CannotRun, Prepared, Run, prepared
from benchmarks.peers.rows import ROWS, Measured
from benchmarks.peers.venvs import CannotSetUp, python_of
from benchmarks.peers.works import LATENCY, STEPS, WORKS, System, scripts
from benchmarks.server import Server, serving

OURS = ("ours", "ours_generic")
PEERS = ("rlms", "pyrlm_runtime", "dspy")
SYSTEMS = {name: cast(System, importlib.import_module(f"benchmarks.peers.{name}")) for name in (*OURS, *PEERS)}
ROUNDS = 5
ENOUGH = 20.0
"""Seconds after which a system does a work no more."""
NONE = "—"
WIDTH = 290
"""Of the table, where it is not shown in a terminal."""


@dataclass
class Turns:
    """A system's runs of a work, and what the server saw of them."""

    label: str
    system: Prepared
    server: Server
    runs: list[Run] = field(default_factory=list)
    calls: int = 0
    most: int = 0
    prompts: list[list[str]] = field(default_factory=list)

    @property
    def done(self) -> bool:
        return sum(run.seconds for run in self.runs) >= ENOUGH

    def take(self) -> None:
        """One more run.

        Raises:
            CannotRun: it failed, took too long, or did not ask what it had to.
        """
        forget(self.server)
        self.runs.append(self.system.run())
        self.prompts = self.server.prompts()
        calls = sum(self.server.counts().values()) - len(self.prompts)
        if calls < (WORKS[self.label].calls or 0):  # more are tries of its HTTP client
            raise CannotRun(f"asked {calls:g} of {WORKS[self.label].calls}")
        self.calls += calls
        self.most = max(self.most, self.server.most())

    def measured(self) -> Measured:
        last = ["\n".join(texts) for texts in self.prompts[-STEPS:]]
        return Measured(self.runs, self.calls / len(self.runs), self.most, last)


def measure(label: str, pythons: Mapping[str, Path], server: Server) -> dict[str, Measured | str]:
    """What each system did in a work, or what kept it from it. They take turns: what else the machine does falls on
    all of them."""
    told: dict[str, Measured | str] = dict.fromkeys(SYSTEMS, NONE)
    turns: dict[str, Turns] = {}
    with ExitStack() as stack:
        for name in pythons:
            if label not in SYSTEMS[name].LACKS:
                try:
                    system = stack.enter_context(prepared(pythons[name], name, label, server.url))
                    turns[name] = Turns(label, system, server)
                except CannotRun as reason:
                    told[name] = str(reason)
        for _ in range(ROUNDS):
            for name in [name for name, turn in turns.items() if not turn.done]:
                try:
                    turns[name].take()
                except CannotRun as reason:
                    told[name] = str(reason)
                    del turns[name]
    return told | {name: turn.measured() for name, turn in turns.items()}


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


def main(labels: Sequence[str]) -> None:
    console = Console()
    pythons = dict.fromkeys(OURS, Path(sys.executable))
    headings = []
    with console.status("") as status, servers() as serve:
        for name, system in SYSTEMS.items():
            status.update(f"setting up: {system.NAME}")
            try:
                pythons[name] = pythons.get(name) or python_of(name)
                headings.append(f"{system.NAME} {version(pythons[name], system.PACKAGE)}")
            except CannotSetUp as reason:
                headings.append(f"{system.NAME}: cannot be set up: {reason}")
        measured: dict[str, dict[str, Measured | str]] = {name: {} for name in SYSTEMS}
        for label in labels:
            status.update(f"measuring: {label}")
            for name, told in measure(label, pythons, serve[WORKS[label].latency]).items():
                measured[name][label] = told
    table = Table("", *headings, "goal", box=box.MARKDOWN)
    peers = [measured[name] for name in PEERS]
    for row in (row for row in ROWS if {*row.works} <= {*labels}):
        table.add_row(row.heading, *(row.cell(works, peers) for works in measured.values()), row.goal)
    (console if console.is_terminal else Console(width=WIDTH)).print(table)


if __name__ == "__main__":
    labels = sys.argv[1:] or [*WORKS]
    if unknown := {*labels} - {*WORKS}:
        sys.exit(f"usage: python -m benchmarks.peers [{'|'.join(WORKS)}]…, or all of them. Not {', '.join(unknown)}.")
    main(labels)
