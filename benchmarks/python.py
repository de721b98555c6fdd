"""The Python that models write: idioms here and in CPython, over the same text.

An idiom's cells run in a REPL as cells of a model do, rewritten before they run, and in this very Python, where the
functions of the REPL are plain ones. Both are given the same answers to what they ask.
"""

from __future__ import annotations

import collections
import contextlib
import datetime
import io
import itertools
import json
import math
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.idioms import Idiom, idioms
from langgraph_rlm import Sandbox
from langgraph_rlm.asking.requests import Answer
from langgraph_rlm.context import Context
from langgraph_rlm.conversation.dialects.final import Final
from langgraph_rlm.conversation.voices.large import Large
from langgraph_rlm.repl.cells import Finished, Suspended
from langgraph_rlm.repl.interpreter import Interpreter
from langgraph_rlm.repl.packed import DumpPacker
from langgraph_rlm.repl.workers import Workers

SIZE = 1_000_000
ROUNDS = 3
MOST_TIMES, WORTH_SECONDS = 12, 0.25
"""An idiom that takes so many times what CPython takes is an outlier, where it takes longer than this."""
SANDBOX = Sandbox(timeout=60.0)
REPLIES = (
    ("a number only", "Severity: 7 of 10"),
    ("yes or no", "Yes."),
    ("yes/no", "yes, by a year"),
    ("Reply with the numbers", "3, 7 and 19"),
    ("Give JSON", '```json\n{"severity": "high", "area": "io"}\n```'),
    ("Numbers only", "2021-0042, 2019-0007"),
    ("one word", "Networking, mostly"),
)


@dataclass(frozen=True)
class Ran:
    """What a run of an idiom came to, and how long it took in seconds."""

    answer: Any
    printed: str
    error: str | None
    seconds: float

    def agrees(self, other: Ran) -> bool:
        """Whether both came to the same, in the same types and order."""
        return self.error == other.error and repr(self.answer) == repr(other.answer) and self.printed == other.printed


@dataclass(frozen=True)
class Compared:
    """An idiom here and in CPython: the fastest of its runs."""

    idiom: Idiom
    here: Ran
    in_cpython: Ran

    @property
    def times(self) -> float:
        return self.here.seconds / self.in_cpython.seconds

    @property
    def is_equal(self) -> bool:
        return self.here.agrees(self.in_cpython)

    @property
    def verdict(self) -> str:
        """What became of it here: CPython's value, another one, or the last line of its error."""
        if self.here.error is not None:
            return self.here.error.strip().splitlines()[-1][:60]
        return "CPython's" if self.is_equal else "another"

    @property
    def is_outlier(self) -> bool:
        return self.here.seconds > WORTH_SECONDS and self.times > MOST_TIMES


def compared(size: int = SIZE, rounds: int = ROUNDS) -> Iterator[Compared]:
    workers = Workers(1)
    with workers.opened():
        for idiom in idioms():
            yield compare(idiom, workers, size, rounds)


def compare(idiom: Idiom, workers: Workers, size: int, rounds: int) -> Compared:
    text = idiom.text.of(size)
    dialect = Final(Large())
    repl = Interpreter(workers, DumpPacker("text", Context.of(text)), SANDBOX, dialect.conventions)
    try:
        here = _fastest([run_here(idiom, repl) for _ in range(rounds)])
    finally:
        repl.close()
    return Compared(idiom, here, _fastest([run_in_cpython(idiom, text) for _ in range(rounds)]))


def _fastest(runs: list[Ran]) -> Ran:
    return min(runs, key=lambda ran: (ran.error is not None, ran.seconds))


def run_here(idiom: Idiom, repl: Interpreter) -> Ran:
    printed, answer, error, seconds = "", None, None, 0.0
    for cell in idiom.cells:
        begun = time.perf_counter()
        outcome = repl.run(cell)
        while isinstance(outcome, Suspended):
            outcome = repl.resume([Answer(reply(asked.prompt, asked.context)) for asked in outcome.call.requests])
        seconds += time.perf_counter() - begun
        assert isinstance(outcome, Finished)
        printed += str(outcome.printed)
        answer = outcome.answer[0] if outcome.answer else None
        error = error or outcome.error
    return Ran(answer, printed, error, seconds)


def run_in_cpython(idiom: Idiom, text: str) -> Ran:
    namespace: dict[str, Any] = {"__name__": "__main__", "P": text, **MODULES, "llm_query": reply}
    namespace["llm_batch"] = lambda prompts: [reply(prompt) for prompt in prompts]
    printed, seconds = io.StringIO(), 0.0
    with contextlib.redirect_stdout(printed):
        for cell in idiom.cells:
            begun = time.perf_counter()
            exec(compile(cell, "<cell>", "exec"), namespace)
            seconds += time.perf_counter() - begun
    return Ran(plain(namespace["Final"]), printed.getvalue(), None, seconds)


MODULES = {
    "re": re,
    "json": json,
    "math": math,
    "collections": collections,
    "itertools": itertools,
    "datetime": datetime,
}
"""What the REPL has without an import."""


def reply(prompt: str, context: str | None = None) -> str:
    """What the model says to a sub-call."""
    asked = f"{prompt}\n{context or ''}"
    return next((said for sign, said in REPLIES if sign in asked), f"Answer to {asked[:20]!r}.")


def plain(value: Any) -> Any:
    """What a run's answer is where a cell ends with this value."""
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {
            key if isinstance(key, str | int | float | None) else str(key): plain(item) for key, item in value.items()
        }
    return value if isinstance(value, str | int | float | None) else str(value)


def summary(all_compared: list[Compared]) -> str:
    """How many have CPython's value, and which are outliers."""
    equal, outliers = [c for c in all_compared if c.is_equal], [c for c in all_compared if c.is_outlier]
    share = len(equal) / len(all_compared)
    slow = "; ".join(f"{c.idiom.name} ({c.times:.0f} ×)" for c in outliers) or "none"
    return (
        f"{len(equal)} of {len(all_compared)} with CPython's value: {share:.1%} (goal: ≥ 95 %)\n"
        f"above {MOST_TIMES} × where it takes more than {WORTH_SECONDS} s: {slow} (goal: none)"
    )
