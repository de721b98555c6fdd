"""What the graph costs around a model: per sub-call, per item of a batch, and for a long context.

Every figure is measured in one run of this file, beside what it is compared with: the model's own cost, the ideal of a
fan-out, the size of the context.
"""

from __future__ import annotations

import asyncio
import gc
import json
import math
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver

from benchmarks.fakes import ScriptedModel
from langgraph_rlm import Limits, create_rlm

TEXT = "one line of a text that nobody reads\n" * 1_000
REPEATS = 5
ROUNDS = 9
OWN = 1_000
"""Calls of the model alone in each round: as long as what they are compared with."""
LOOP = "for i in range(int(P.split()[0])): llm_query('?')"
BATCH = "llm_batch(['?'] * int(P.split()[0]))"
"""The text's first word says how many are asked, so that one RLM can be asked for few and for many."""

Work = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Figure:
    """A measured value, its goal, and the unit of both."""

    work: str
    value: float
    goal: str
    unit: str
    note: str = ""

    @property
    def measured(self) -> str:
        """Value and unit; what was counted has no decimals."""
        return f"{self.value:,} {self.unit}" if isinstance(self.value, int) else f"{self.value:.2f} {self.unit}"


async def seconds(work: Work, repeats: int = REPEATS) -> float:
    """The median of several runs, after one that is not counted."""
    return statistics.median(taken for (taken,) in await in_turns(work, rounds=repeats))


async def in_turns(*works: Work, rounds: int = ROUNDS) -> list[list[float]]:
    """Seconds of each work, round by round, after a round that is not counted.

    What is compared runs within seconds, so that what else the machine does falls on all of it. No work pays for the
    garbage of the one before.
    """
    taken = []
    for _ in range(rounds + 1):
        one_round = []
        for work in works:
            gc.collect()
            begun = time.perf_counter()
            await work()
            one_round.append(time.perf_counter() - begun)
        taken.append(one_round)
    return taken[1:]


def running(
    cell: str, latency: float = 0.0, max_concurrency: int = 16, **settings: Any
) -> Callable[[], Awaitable[Any]]:
    """Runs of an RLM whose only cell is `cell`; the graph is compiled once."""
    rlm = create_rlm(
        ScriptedModel(cell=f"{cell}\nFinal = 1", latency=latency),
        limits=Limits(max_subcalls=10_000),
        max_concurrency=max_concurrency,
        **settings,
    )
    return lambda: rlm.ainvoke({"query": "?", "context": TEXT})


def asking(rlm: Any, prompts: int) -> Work:
    """Runs of an RLM that ask so many prompts; where they are kept, each in a thread of its own."""

    async def run() -> None:
        config = {"configurable": {"thread_id": str(uuid4())}} if rlm.checkpointer else None
        out = await rlm.ainvoke({"query": "?", "context": f"{prompts}\n{TEXT}"}, config)
        assert out["subcalls"] == prompts

    return run


async def beyond_own(work: str, goal: str, cell: str, few: int, many: int, **settings: Any) -> Figure:
    """What each further sub-call takes beyond the model's own `ainvoke`, as a multiple of that. What starts and ends a
    run is in both of its measurements."""
    model = ScriptedModel(cell=f"{cell}\nFinal = 1")
    rlm = create_rlm(model, limits=Limits(max_subcalls=10_000), **settings)

    async def alone() -> None:
        for _ in range(OWN):
            await model.ainvoke([HumanMessage("?")])

    taken = await in_turns(asking(rlm, few), alone, asking(rlm, many))
    own = [alone / OWN for _, alone, _ in taken]
    each = [(more - less) / (many - few) for less, _, more in taken]
    times = [(one - itself) / itself for one, itself in zip(each, own, strict=True)]
    note = f"{statistics.median(each) * 1e3:.2f} ms, of which ainvoke is {statistics.median(own) * 1e3:.2f} ms"
    return Figure(work, statistics.median(times), goal, "× ainvoke", note)


async def overhead() -> list[Figure]:
    nothing = await seconds(running("pass")) * 1e3
    sequential, kept = "a sequential llm_query, without look-ahead", {"checkpointer": InMemorySaver()}
    return [
        Figure("a run without sub-calls", nothing, "≤ 100", "ms", "its sandbox's process is started and stopped"),
        await beyond_own(sequential, "≤ 1.5", LOOP, 100, 500, lookahead=False),
        await beyond_own("… with a checkpointer", "≤ 4", LOOP, 100, 500, lookahead=False, **kept),
        await beyond_own("a sequential llm_query, with look-ahead", "", LOOP, 100, 500),
        await beyond_own("an item of a 1,000-item llm_batch", "≤ 0.6", BATCH, 1, 1_000),
    ]


async def wide() -> list[Figure]:
    rlm = create_rlm(ScriptedModel(cell=f"{BATCH}\nFinal = 1"), limits=Limits(max_subcalls=10_000))
    taken = await in_turns(*(asking(rlm, prompts) for prompts in (1, 1_000, 10_000)), rounds=REPEATS)
    each = [((more - less) / 999, (most - less) / 9_999) for less, more, most in taken]
    times = statistics.median(of_most / of_more for of_more, of_most in each)
    note = f"{statistics.median(of_most for _, of_most in each) * 1e3:.2f} ms"
    return [Figure("a prompt of 10,000 at once, beside one of 1,000", times, "≤ 1.1", "×", note)]


async def fan_out() -> list[Figure]:
    taken = await seconds(running("llm_batch(['?'] * 1000)", 0.2, 100), repeats=3)
    return [Figure("1,000 prompts of 200 ms at concurrency 100", taken / 2.0, "≤ 1.15", "× ideal")]


async def tree() -> list[Figure]:
    root = "Final = len(rlm_query_batched([f'child {i}' for i in range(50)]))"
    child = "Final = len(llm_batch([f'{P} {i}' for i in range(20)]))"
    model = ScriptedModel(cell=root, child_cell=child, latency=0.2)
    rlm = create_rlm(model, limits=Limits(max_subcalls=10_000), max_concurrency=100)
    taken = await seconds(lambda: rlm.ainvoke({"query": "?", "context": TEXT}), repeats=3)
    note = "50 REPLs; the turns of root and children take no time"
    return [Figure("50 children of 20 prompts of 200 ms, concurrency 100", taken / 2.0, "≤ 1.25", "× ideal", note)]


async def look_ahead() -> list[Figure]:
    loop = "for i in range(100): llm_query(f'prompt {i}')"
    ahead, behind = running(loop, 0.2), running(loop, 0.2, lookahead=False)
    taken, sequential = await seconds(ahead, repeats=3), await seconds(behind, repeats=1)
    ideal = math.ceil(100 / 16) * 0.2
    broken = "for i in range(200):\n    if i and llm_query(f'prompt {i}') == 'yes' and i == 3: break"
    asked = (await running(broken)())["subcalls"]
    return [
        Figure(
            "a loop of 100 llm_query of 200 ms, concurrency 16",
            taken / ideal,
            "≤ 1.4",
            "× ideal",
            f"of a batch; without look-ahead {sequential / ideal:.1f} ×",
        ),
        Figure("a loop that breaks at the 3rd of 200", asked, "≤ 8", "prompts"),
    ]


async def long_context(characters: int = 100_000_000) -> list[Figure]:
    """Measured in a process of its own, so that the peak of its memory is that of this work."""
    code = f"from benchmarks.overhead import long_context_here; long_context_here({characters})"
    command = [sys.executable, "-c", code]
    measured = json.loads((await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True)).stdout)
    return [
        Figure("100 MB of context: bound, first cell run", measured["seconds"], "≤ 3", "s"),
        Figure("100 MB of context: peak memory, process and worker", measured["peak"] / characters, "≤ 5", "× context"),
    ]


def long_context_here(characters: int) -> None:
    """Prints, as JSON, seconds to the end of the first cell and peak bytes of this process and its worker."""
    line = "one line of a text that nobody reads\n"
    text = line * (characters // len(line))
    peaks: list[int] = []

    class Watching(ScriptedModel):
        def _is_root(self, messages: list[object]) -> bool:  # type: ignore[override]
            peaks.append(peak_bytes())
            return True

    cells = "n = P.count('nobody')"
    rlm = create_rlm(Watching(cell=cells), limits=Limits(max_steps=1))
    begun = time.perf_counter()
    rlm.invoke({"query": "?", "context": text})
    print(json.dumps({"seconds": time.perf_counter() - begun, "peak": max(peaks)}))


def peak_bytes() -> int:
    """Peak resident memory of this process and its children, from the kernel's own accounting (Linux)."""
    here = Path("/proc/self")
    children = here.joinpath("task", here.resolve().name, "children").read_text().split()
    return sum(map(_peak, ["self", *children]))


def _peak(process: str) -> int:
    status = Path("/proc", process, "status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) * 1024
