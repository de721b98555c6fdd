"""`python -m benchmarks.peers.driver SYSTEM WORK URL` does a work for each line that it reads, and prints its times.

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
    print("ready", file=told, flush=True)
    for _ in sys.stdin:
        print(json.dumps(run_once(system, name, label, url)), file=told, flush=True)
