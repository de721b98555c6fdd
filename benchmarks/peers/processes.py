"""A system in a process of its own, which does a work each time it is told to."""

from __future__ import annotations

import json
import os
import select
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

from benchmarks.peers.venvs import CACHE

QUIET = {
    "OPENAI_API_KEY": "none",
    "LANGSMITH_TRACING": "false",
    "OTEL_SDK_DISABLED": "true",
    "DO_NOT_TRACK": "1",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "DSPY_CACHEDIR": str(CACHE / "dspy-answers"),
}
"""No telemetry, and nothing fetched while the clock runs."""
TIMEOUT = 120
"""Seconds, for a run."""


class CannotRun(Exception):
    """A system failed, or took too long."""


class Run(NamedTuple):
    """Seconds by the clock, and of processors."""

    seconds: float
    processors: float


@dataclass(frozen=True)
class Prepared:
    """A system that has been imported and has done a first small run."""

    process: subprocess.Popen[str]
    errors: IO[str]

    def run(self) -> Run:
        """Does the work once.

        Raises:
            CannotRun: it failed, or took too long.
        """
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return Run(*json.loads(self._told()))

    def _told(self) -> str:
        assert self.process.stdout
        if not select.select([self.process.stdout], [], [], TIMEOUT)[0]:
            self.process.kill()
            raise CannotRun(f"> {TIMEOUT} s")
        line = self.process.stdout.readline()
        if not line:
            self.errors.seek(0)
            raise CannotRun((self.errors.read().strip() or "failed").splitlines()[-1])
        return line


@contextmanager
def prepared(python: Path, name: str, label: str, url: str) -> Iterator[Prepared]:
    """A system's process for the block.

    Raises:
        CannotRun: it cannot be imported, or its first run failed.
    """
    command = [str(python), "-m", "benchmarks.peers.driver", name, label, url]
    pipe = subprocess.PIPE
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=errors, text=True, env=os.environ | QUIET) as process,
    ):
        try:
            system = Prepared(process, errors)
            system._told()
            yield system
        finally:
            process.kill()
