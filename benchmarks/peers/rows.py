"""The rows of the table: which works each is made of, and how it is told."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter

from benchmarks.peers.processes import Run
from benchmarks.peers.works import LATENCY, STEPS


@dataclass(frozen=True)
class Measured:
    """The runs of a work: plain calls of each, calls in flight at most, prompts of the last run."""

    runs: Sequence[Run]
    calls: float
    most: int
    prompts: Sequence[str]

    @property
    def seconds(self) -> float:
        """By the clock, the median."""
        return statistics.median(run.seconds for run in self.runs)

    @property
    def processors(self) -> float:
        """Seconds of processors, the median."""
        return statistics.median(run.processors for run in self.runs)


Works = Mapping[str, Measured | str]
"""What a system did in each work, or why it did not."""


@dataclass(frozen=True)
class Row:
    heading: str
    works: Sequence[str]
    tell: Callable[..., str]
    goal: str = ""

    def cell(self, measured: Works, peers: Sequence[Works]) -> str:
        """What is measured, or why it is not."""
        works = [measured[label] for label in self.works]
        return next((work for work in works if isinstance(work, str)), None) or self.tell(*works)


@dataclass(frozen=True)
class Beside:
    """A row of ratios to the peer that is the fastest at a work by the clock: each of a run and the peer's run of the
    same round, and of these the median."""

    heading: str
    work: str
    of: Callable[[Run], float]
    goal: str

    @property
    def works(self) -> Sequence[str]:
        return [self.work]

    def cell(self, measured: Works, peers: Sequence[Works]) -> str:
        """What is measured, or why it is not."""
        work = measured[self.work]
        if isinstance(work, str):
            return work
        able = [did for did in (peer[self.work] for peer in peers) if isinstance(did, Measured)]
        if not able:
            return "no peer"
        fastest = min(able, key=attrgetter("seconds"))
        ratios = (self.of(run) / self.of(other) for run, other in zip(work.runs, fastest.runs, strict=False))
        return f"{statistics.median(ratios):.2f} ×"


def times(ideal: float) -> Callable[[Measured], str]:
    return lambda work: f"{work.seconds / ideal:.2f} × ({work.seconds:.1f} s)"


def each(calls: int) -> Callable[[Measured, Measured], str]:
    """Of each further call: what starts and ends a run is in both."""
    return lambda few, many: f"{(many.seconds - few.seconds) / calls * 1e3:.2f} ms"


def each_uses(calls: int) -> Callable[[Measured, Measured], str]:
    return lambda few, many: f"{(many.processors - few.processors) / calls * 1e3:.2f} ms"


def uses(calls: int) -> Callable[[Measured], str]:
    """Of each call, with its share of what starts and ends a run."""
    return lambda work: f"{work.processors / calls * 1e3:.2f} ms"


def milliseconds(work: Measured) -> str:
    return f"{work.seconds * 1e3:.0f} ms"


def calls(work: Measured) -> str:
    return f"{work.calls:.3g}"


def in_flight(work: Measured) -> str:
    return str(work.most)


def repeated(work: Measured) -> str:
    """Share of the characters of all prompts but the first that begin like the prompt before."""
    same = sum(begin_alike(before, after) for before, after in pairwise(work.prompts))
    return f"{same / sum(map(len, work.prompts[1:])):.1%}"


def tokens(work: Measured) -> str:
    """Of all prompts, and of these the ones that do not repeat the prompt before; about four characters each."""
    total = sum(map(len, work.prompts))
    new = total - sum(begin_alike(before, after) for before, after in pairwise(work.prompts))
    return f"{total / 4_000:.0f} k, {new / 4_000:.1f} k"


def begin_alike(before: str, after: str) -> int:
    pairs = enumerate(zip(before, after, strict=False))
    return next((place for place, (one, other) in pairs if one != other), min(len(before), len(after)))


SECONDS, PROCESSORS = attrgetter("seconds"), attrgetter("processors")
ROWS: Sequence[Row | Beside] = (
    Row("a run that asks nothing", ["nothing"], milliseconds),
    Row("loop of 100 `llm_query` × 200 ms, concurrency 16", ["loop"], times(7 * LATENCY), "≤ 1.4 ×"),
    Row("loop that breaks at the 3rd of 200: prompts asked", ["break"], calls, "≤ 8"),
    Row("batch of 1,000 prompts × 200 ms, concurrency 100", ["batch"], times(10 * LATENCY), "≤ 1.3 ×"),
    Beside("… beside the fastest peer", "batch", SECONDS, "≤ 1.2 ×, generic ≤ 0.85 ×"),
    Row("… processor time of each prompt", ["batch"], uses(1000)),
    Beside("… beside the fastest peer's", "batch", PROCESSORS, "≤ 1.1 ×, generic ≤ 0.4 ×"),
    Row("… calls in flight at most", ["batch"], in_flight),
    Row("… by 100 threads that the code makes", ["pool"], times(10 * LATENCY)),
    Row("50 children × 20 prompts × 200 ms, concurrency 100", ["tree"], times(10 * LATENCY), "≤ 1.25 ×"),
    Beside("… beside the fastest peer", "tree", SECONDS, "≤ 0.9 ×"),
    Row("… processor time of each prompt", ["tree"], uses(1000)),
    Beside("… beside the fastest peer's", "tree", PROCESSORS, ""),
    Row("… calls in flight at most", ["tree"], in_flight),
    Row("no latency: each `llm_query` of a loop", ["few-calls", "many-calls"], each(400)),
    Row("… processor time", ["few-calls", "many-calls"], each_uses(400)),
    Row("no latency: each prompt of a batch", ["few-items", "many-items"], each(998)),
    Row("… processor time", ["few-items", "many-items"], each_uses(998)),
    Row(f"{STEPS} steps, no latency", ["steps"], milliseconds),
    Row("… share of prompts that repeats the one before", ["steps"], repeated, "≥ 95 %"),
    Row("… tokens of all prompts, and of these new", ["steps"], tokens),
)
