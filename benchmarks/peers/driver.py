"""`python -m benchmarks.peers.driver SYSTEM WORK URL` does a work and prints the times of each run as JSON.

It runs in the Python of the system. Nothing here needs a package.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from typing import cast

from benchmarks.peers.works import WORKS, System, model

REPEATS = 3
ENOUGH = 10.0
"""Seconds after which a work is not repeated."""


def run_once(system: System, name: str, label: str, url: str) -> tuple[float, float]:
    """Seconds of one run, by the clock and of processors; the system was imported and set up before."""
    run = system.prepare(url, model(name, label), WORKS[label])
    begun, used = time.perf_counter(), processors()
    run()
    return time.perf_counter() - begun, processors() - used


def processors() -> float:
    """Seconds that this process and its children used that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


if __name__ == "__main__":
    name, label, url = sys.argv[1:]
    told, sys.stdout = sys.stdout, sys.stderr
    system = cast(System, importlib.import_module(f"benchmarks.peers.{name}"))
    run_once(system, name, "nothing", url)
    taken: list[tuple[float, float]] = []
    while len(taken) < REPEATS and sum(seconds for seconds, _ in taken) < ENOUGH:
        taken.append(run_once(system, name, label, url))
    json.dump(taken, told)
