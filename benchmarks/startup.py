"""What starting costs: the command line beside typer and rich, the package beside LangGraph and LangChain.

Every start is a process of its own, and they take turns: a machine that is busy for a while is so for all of them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from operator import truediv
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median

from langgraph_rlm.cli.request import Settings
from langgraph_rlm.cli.runs import Run, Runs

ROUNDS = 11


@dataclass(frozen=True)
class Start:
    """A start of Python, and how many times as long as the first one of its group it may take."""

    what: str
    arguments: tuple[str, ...]
    goal: float
    environment: Mapping[str, str] = field(default_factory=dict)

    def seconds(self, environment: Mapping[str, str]) -> tuple[float, float]:
        """By the clock, and of the processor."""
        spent, begun = _spent(), time.perf_counter()
        command = [sys.executable, *self.arguments]
        subprocess.run(command, env={**environment, **self.environment}, stdout=subprocess.DEVNULL, check=True)
        return time.perf_counter() - begun, _spent() - spent


def importing(code: str, goal: float) -> Start:
    return Start(code, ("-c", code), goal)


def command(*arguments: str) -> Start:
    return Start(" ".join(("langgraph-rlm", *arguments)), ("-m", "langgraph_rlm", *arguments), 3)


def completing(line: str) -> Start:
    """As bash asks for what may follow."""
    asked = {"_LANGGRAPH_RLM_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    return Start(f"Tab after {line!r}", ("-m", "langgraph_rlm"), 3, asked)


GROUPS = (
    (
        importing("import typer, rich", 1),
        command("--help"),
        command("ask", "--help"),
        command("--version"),
        completing("langgraph-rlm "),
        completing("langgraph-rlm ask --"),
        completing("langgraph-rlm resume k"),
    ),
    (
        importing("import langgraph.graph, langchain.chat_models", 1),
        importing("import langgraph_rlm", 1.15),
        importing("from langgraph_rlm import create_rlm", 1.15),
    ),
)


@dataclass(frozen=True)
class Started:
    """What a start took, and how many times what the first of its group took: medians of the rounds."""

    start: Start
    seconds: float
    times: float
    times_processor: float


def startup() -> Iterator[list[Started]]:
    with tempfile.TemporaryDirectory() as folder:
        Runs(Path(folder)).put(Run("k3f9aaaa", "How many?", (), Settings(), created=0, updated=0))
        environment = {**os.environ, "LANGGRAPH_RLM_STATE": folder}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # what is installed is compiled
        for group in GROUPS:
            rounds = [[start.seconds(environment) for start in group] for _ in range(1 + ROUNDS)]
            taken = [tuple(zip(*of_start, strict=True)) for of_start in zip(*rounds[1:], strict=True)]
            first, first_processor = taken[0]
            yield [
                Started(
                    start,
                    median(clock),
                    median(map(truediv, clock, first)),
                    median(map(truediv, processor, first_processor)),
                )
                for start, (clock, processor) in zip(group, taken, strict=True)
            ]


def _spent() -> float:
    used = getrusage(RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
