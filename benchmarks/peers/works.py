"""The works that every system does, as the cells that a model writes for it. Nothing here needs a package.

A cell says `context` for the text, `llm_query`, `llm_query_batched` and `rlm_query_batched` to ask, and `Final = …` to
end the run. Each system's `reply` puts it into its own words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

LATENCY = 0.2
"""Of the server, in seconds."""
TEXT = "one line of a text that nobody reads\n" * 1_000
STEPS = 20
ENTRY = "2026-03-{:02d} 12:00:00 INFO service-{} request {} took {} ms, status 200\n"
LOG = "".join(ENTRY.format(i % 28 + 1, i % 7, i, i * 37 % 900) for i in range(20_000))
STEP = f"""\
try:
    step += 1
except NameError:
    step = 1
sought = f'service-{{step % 7}} '
lines = [line for line in context.splitlines() if sought in line and line.startswith(f'2026-03-{{step:02d}}')]
slow = [line for line in lines if int(line.split(' took ')[1].split(' ')[0]) > 800]
print(len(lines), len(slow))
print('\\n'.join(slow[:3]))
if step == {STEPS}:
    Final = len(slow)"""
"""A step as models write them: search, keep, print the number found and some of the lines."""
LOOP = "for i in range({}): llm_query(f'prompt {{i}}')\nFinal = 1"
BREAK = "for i in range(200):\n    if llm_query(f'prompt {i}') == 'yes' and i == 2: break\nFinal = 1"
BATCH = "Final = len(llm_query_batched([f'prompt {{i}}' for i in range({})]))"
POOL = """\
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(100) as pool:
    answers = list(pool.map(llm_query, [f'prompt {i}' for i in range(1000)]))
Final = len(answers)"""
TREE = "Final = len(rlm_query_batched([f'CHILD {i}' for i in range(50)]))"
CHILD = "Final = len(llm_query_batched([f'{context.split()[-1]} {i}' for i in range(20)]))"
"""The last word of a child's text is its number."""


@dataclass(frozen=True)
class Work:
    """What one run does. `child` is the cell of the RLMs that it calls; `calls` is how many plain calls it makes, where
    that is not what is measured."""

    code: str
    calls: int | None
    latency: float = 0.0
    concurrency: int = 100
    child: str = ""
    text: str = TEXT


WORKS = {
    "nothing": Work("Final = 1", 0),
    "loop": Work(LOOP.format(100), 100, LATENCY, concurrency=16),
    "break": Work(BREAK, None, LATENCY, concurrency=16),
    "batch": Work(BATCH.format(1000), 1000, LATENCY),
    "pool": Work(POOL, 1000, LATENCY),
    "tree": Work(TREE, 1000, LATENCY, child=CHILD),
    "few-calls": Work(LOOP.format(100), 100, concurrency=16),
    "many-calls": Work(LOOP.format(500), 500, concurrency=16),
    "few-items": Work(BATCH.format(2), 2),
    "many-items": Work(BATCH.format(1000), 1000),
    "steps": Work(STEP, 0, text=LOG),
}


class System(Protocol):
    """One that runs RLMs: a module of this folder."""

    NAME: str
    PACKAGE: str
    """As pip knows it."""
    LACKS: Mapping[str, str]
    """Works that it cannot do, and why."""

    def reply(self, code: str, child: str) -> str:
        """A cell as its model writes it; `child` is the name of the model of its children, where one can be named."""

    def prepare(self, url: str, model: str, work: Work) -> Callable[[], object]:
        """A run, of which the call is all that is timed."""


def model(name: str, label: str) -> str:
    """The name of the model that says the script of a work to a system."""
    return f"{name}-{label}"


def scripts(name: str, system: System) -> dict[str, list[str]]:
    """What the server says to a system, by names of models. A child's question names its script too."""
    child = model(name, "child")
    said = {}
    for label, work in WORKS.items():
        if label not in system.LACKS:
            said[model(name, label)] = [system.reply(work.code.replace("CHILD", f"script:{child}"), child)]
            if work.child:
                said[child] = [system.reply(work.child, child)]
    return said
