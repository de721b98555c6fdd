"""What `docs/production.md` tells: memory and files of many runs, PostgreSQL's connections, and a tree over servers.

Ratios are those of two measurements of the same run of this file.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import threading
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any
from unittest import mock

from langchain_core.messages import BaseMessage
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.pregel.remote import RemoteGraph
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from benchmarks.durability import text_of
from benchmarks.fakes import ScriptedModel
from benchmarks.overhead import TEXT, Figure, seconds
from benchmarks.proxy import proxy
from benchmarks.server import Server, serving
from langgraph_rlm import Limits, Sandbox, create_rlm
from tests.integration.langgraph_server import DevServer, Model
from tests.postgres import database, server

LATENCY = 0.2
LONG = 3.0
CHARACTERS = 10_000_000
MB = 1e6


def rlm_over(model: Any, **settings: Any) -> Any:
    return create_rlm(model, limits=Limits(max_subcalls=10_000), **settings)


@asynccontextmanager
async def pooled(url: str, size: int) -> AsyncIterator[Any]:
    """A pool as `docs/production.md` has it."""
    options = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    async with AsyncConnectionPool(url, min_size=1, max_size=size, kwargs=options) as pool:
        yield pool


# --- memory and files ---


@dataclass(frozen=True)
class Memory:
    """Bytes of resident memory beyond those of a process that has imported all."""

    host: int
    workers: int
    peak: int
    """Of host and workers together, at some time of the run."""


KEEPING_LINES = "lines = P.splitlines()"
COUNTING = "n = P.count('nobody')"


async def memory() -> list[Figure]:
    """Each in a process of its own: memory is not always given back."""
    shown = []
    works: tuple[tuple[int, int | None, str], ...] = (
        (1, None, KEEPING_LINES),
        (4, None, KEEPING_LINES),
        (16, None, KEEPING_LINES),
        (16, 2, KEEPING_LINES),
        (16, 16, KEEPING_LINES),
        (16, 16, COUNTING),
    )
    with server() as folder:
        for runs, live, cell in works:
            with database(folder) as url:
                found = Memory(**await _elsewhere("memory_here", url, runs, live, cell))
            of_sandbox = "" if live is None else f", max_live={live}"
            work = f"{runs} run{'s' * (runs > 1)} over 10 MB each, {cell!r}{of_sandbox}"
            note = f"MB: {found.host / MB:.0f} in the process, {found.workers / MB:.0f} in the sandbox's"
            waiting = found.host + found.workers
            shown.append(Figure(work, waiting / runs / CHARACTERS, "", "× text", f"{note}; peak {found.peak / MB:.0f}"))
    return shown


async def files() -> list[Figure]:
    shown = []
    with serving(LONG, {"scripted": ["```repl\nFinal = len(llm_batch(['?'] * 64))\n```"]}) as provider:
        for runs, width in ((1, 16), (16, 16), (16, 64)):
            most = (await _elsewhere("files_here", provider.url, runs, width))["most"]
            work = f"files that {runs} run{'s' * (runs > 1)} with max_concurrency={width} have open"
            shown.append(Figure(work, most, "", "", f"{(most / runs):.0f} each"))
    return shown


async def _elsewhere(name: str, *arguments: Any) -> dict[str, Any]:
    code = f"from benchmarks.production import {name}; {name}(*{arguments!r})"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert process.returncode == 0
    measured: dict[str, Any] = json.loads(out)
    return measured


class Gathering(ScriptedModel):
    """Answers sub-calls when so many of them wait at the same time, and notes then what memory is taken."""

    runs: int
    seen: list[tuple[int, int]]
    waiting: int = 0
    are_all: Any = None

    async def _agenerate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> Any:
        if not self._is_root(messages):
            self.waiting += 1
            if self.waiting == self.runs:
                self.seen.append(resident())
                self.are_all.set()
            await self.are_all.wait()
        return self._result(messages)


def memory_here(url: str, runs: int, live: int | None, cell: str) -> None:
    """Prints, as JSON, the `Memory` of so many runs at once."""
    line = "one line of a text that nobody reads\n"

    async def measured() -> Memory:
        model = Gathering(cell=f"{cell}\nFinal = llm_query('?')", runs=runs, seen=[], are_all=asyncio.Event())
        async with pooled(url, 2) as pool:
            saver = AsyncPostgresSaver(pool)
            await saver.setup()
            rlm = rlm_over(model, checkpointer=saver, sandbox=Sandbox(max_live=live))

            async def run(number: int) -> None:
                text = f"{number} " + line * (CHARACTERS // len(line))  # its own
                asked = {"query": "?", "profile": "rlm", "context": text}
                await rlm.ainvoke(asked, {"configurable": {"thread_id": str(number)}})

            before = sum(resident())
            with sampled(lambda: sum(resident())) as samples:
                await asyncio.gather(*map(run, range(runs)))
        [(host, workers)] = model.seen
        return Memory(host - before, workers, max(samples) - before)

    print(json.dumps(vars(asyncio.run(measured()))))


def files_here(url: str, runs: int, width: int) -> None:
    """Prints, as JSON, how many files this process has open at most."""

    async def measured() -> None:
        rlm = rlm_over("openai:scripted", max_concurrency=width)
        asked = {"query": "?", "context": TEXT, "profile": "rlm"}
        await asyncio.gather(*(rlm.ainvoke(asked) for _ in range(runs)))

    configured = mock.patch.dict(os.environ, {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": "none"})
    with configured, sampled(lambda: len(os.listdir("/proc/self/fd"))) as samples:
        asyncio.run(measured())
    print(json.dumps({"most": max(samples)}))


@contextmanager
def sampled(value: Callable[[], int]) -> Iterator[Sequence[int]]:
    """What a value is every 10 ms of the block."""
    samples, over = [value()], threading.Event()

    def sample() -> None:
        while not over.wait(0.01):
            samples.append(value())

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield samples
    finally:
        over.set()
        thread.join()


def resident() -> tuple[int, int]:
    """Resident memory of this process, and of its children (Linux)."""
    threads = Path("/proc/self/task").glob("*/children")  # each has those that it has started
    children = " ".join(map(_read, threads)).split()
    return _resident("self"), sum(map(_resident, children))


def _resident(process: str) -> int:
    pages = _read(Path("/proc", process, "statm")).split()
    return int(pages[1]) * os.sysconf("SC_PAGE_SIZE") if pages else 0


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
        return ""


# --- PostgreSQL ---

AWAY = 0.002
"""Seconds to the database and back."""
A_WHILE = 0.02
RUNS = 16


SAVING = (
    ("one saver, a pool of 1", 1, 1),
    ("one saver, a pool of 16", 1, 16),
    ("4 RLMs with a saver each, a pool of 4", 4, 4),
    ("16 RLMs with a saver each, a pool of 16", 16, 16),
    ("no checkpointer", 0, 1),
)
"""Savers, and connections that they may have."""
ROUNDS = 3


async def connections() -> list[Figure]:
    """Runs at once over a database that is a while away. The ways of saving take turns."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(server())
        url = stack.enter_context(database(folder))
        behind = partial(asyncio.open_unix_connection, f"{folder}/.s.PGSQL.5432")
        through = await stack.enter_async_context(proxy(behind, AWAY))
        name = url.partition("?")[0].rpartition("/")[2]
        far = f"postgresql://postgres@127.0.0.1:{through.port}/{name}"
        pools = [await stack.enter_async_context(pooled(far, size)) for _, _, size in SAVING]
        await AsyncPostgresSaver(pools[0]).setup()
        works = [_runs_at_once(pool, savers) for pool, (_, savers, _) in zip(pools, SAVING, strict=True)]
        taken = [[await seconds(work, repeats=1) for work in works] for _ in range(ROUNDS)]
        medians = [median(of_work) for of_work in zip(*taken, strict=True)]
        opened = [pool.get_stats()["pool_size"] for pool in pools]
    return [
        Figure(f"16 runs at once: {what}", one / medians[0], "", "×", f"connections opened: {count}" if savers else "")
        for (what, savers, _), one, count in zip(SAVING, medians, opened, strict=True)
    ]


def _runs_at_once(pool: Any, savers: int) -> Callable[[], Awaitable[Any]]:
    cell = "a = ''\nfor i in range(10): a = llm_query(f'{i} {a}')\nFinal = a"
    rlms = [
        rlm_over(
            ScriptedModel(cell=cell, latency=A_WHILE),
            checkpointer=AsyncPostgresSaver(pool) if savers else None,
            sandbox=Sandbox(max_live=RUNS),
        )
        for _ in range(savers or 1)
    ]

    async def run(number: int) -> None:
        asked = {"query": "?", "context": TEXT, "profile": "rlm"}
        await rlms[number % len(rlms)].ainvoke(asked, {"configurable": {"thread_id": str(uuid.uuid4())}})

    return lambda: asyncio.gather(*map(run, range(RUNS)))


# --- a tree over servers ---

ROOT = "```repl\nFinal = len(rlm_query_batched([f'script:{name} {{i}}' for i in range({children})]))\n```"
ONE = "```repl\nFinal = rlm_query('script:{name}', P)\n```"
LOOP = "```repl\na = ''\nfor i in range({calls}): a = llm_query(P[:99] + str(i) + a)\nFinal = a\n```"
BATCH = "```repl\nFinal = len(llm_batch([P + str(i) for i in range({calls})]))\n```"

SCRIPTS = {
    "child-0": [LOOP.format(calls=0)],
    "child-5": [LOOP.format(calls=5)],
    "child-25": [LOOP.format(calls=25)],
    "wide": [BATCH.format(calls=32)],
    "one-5": [ROOT.format(name="child-5", children=1)],
    "tree-5": [ROOT.format(name="child-5", children=8)],
    "tree-25": [ROOT.format(name="child-25", children=8)],
    "tree-wide": [ROOT.format(name="wide", children=8)],
    "text-0": [ONE.format(name="child-0")],
    "text-5": [ONE.format(name="child-5")],
    "text-25": [ONE.format(name="child-25")],
}
"""What a model writes that is named so: trees of one child or eight, of so many sub-calls one after the other."""


@asynccontextmanager
async def serving_rlms(provider: Server, jobs: int, **settings: str) -> AsyncIterator[DevServer]:
    """`langgraph dev` for the block, with room for so many runs at once."""
    with tempfile.TemporaryDirectory() as folder:
        served = DevServer(Path(folder, "app"), Model(url=provider.url), settings=settings, jobs=jobs)
        try:
            await asyncio.to_thread(served.start)
            yield served
        finally:
            served.end()


def tree(name: str, url: str | None, text: str = TEXT) -> Callable[[], Awaitable[Any]]:
    """Runs of the tree of that name, whose children are on the server at `url`, or here."""
    rlm = rlm_over(f"openai:{name}", child=None if url is None else RemoteGraph("rlm", url=url))
    return lambda: rlm.ainvoke({"query": "?", "context": text, "profile": "rlm"})


async def trees() -> list[Figure]:
    shown = []
    async with AsyncExitStack() as stack:
        provider = stack.enter_context(serving(LATENCY, SCRIPTS))
        stack.enter_context(mock.patch.dict(os.environ, {"OPENAI_BASE_URL": provider.url, "OPENAI_API_KEY": "none"}))
        wide = await stack.enter_async_context(serving_rlms(provider, 8, RLM_MODEL="openai:child"))
        narrow = await stack.enter_async_context(serving_rlms(provider, 1, RLM_MODEL="openai:child"))
        here, there = {}, {}
        for name in ("one-5", "tree-5", "tree-25"):
            here[name] = await seconds(tree(name, None), repeats=3)
            there[name] = await seconds(tree(name, wide.url), repeats=3)
        for name, what in (("one-5", "1 child × 5"), ("tree-5", "8 children × 5"), ("tree-25", "8 children × 25")):
            note = f"{there[name] - here[name]:.1f} s more than the {here[name]:.1f} s in one process"
            work = f"{what} sub-calls of 200 ms, children on a server"
            shown.append(Figure(work, there[name] / here[name], "", "×", note))
        taken = await seconds(tree("tree-5", narrow.url), repeats=1)
        work = "8 children × 5, the server with one job at a time"
        shown.append(Figure(work, taken / here["tree-5"], "", "×", "the default of langgraph dev"))
        for place, url in (("in one process", None), ("on a server with 8 jobs", wide.url)):
            provider.most()
            await tree("tree-wide", url)()
            shown.append(Figure(f"calls in flight: 8 children × 32 at once, {place}", provider.most(), "", ""))
        shown += await _bytes(wide)
    return shown


async def _bytes(served: DevServer) -> list[Figure]:
    """What goes over HTTP for one child: each figure is a difference, or that of a short text and no sub-calls."""
    host, port = served.url.removeprefix("http://").split(":")
    found = {}
    async with proxy(partial(asyncio.open_connection, host, int(port))) as through:
        for name, characters in (("text-0", 10_000), ("text-0", 1_010_000), ("text-5", 10_000), ("text-25", 10_000)):
            before = through.sent, through.received
            await tree(name, f"http://127.0.0.1:{through.port}", text_of(characters))()
            found[name, characters] = through.sent - before[0], through.received - before[1]
    sent, received = found["text-0", 10_000]
    more = [long - short for long, short in zip(found["text-0", 1_010_000], found["text-0", 10_000], strict=True)]
    early = (sum(found["text-5", 10_000]) - sent - received) / 5
    late = (sum(found["text-25", 10_000]) - sum(found["text-5", 10_000])) / 20
    note = f"of 10 KB of text; sent {sent / 1e3:.0f}, received {received / 1e3:.0f}"
    return [
        Figure("over HTTP: a child without sub-calls", (sent + received) / 1e3, "", "KB", note),
        Figure("… its text", sum(more) / 1e6, "", "× text", f"sent {more[0] / 1e6:.2f}, received {more[1] / 1e6:.2f}"),
        Figure("… each of its first 5 sub-calls", early / 1e3, "", "KB"),
        Figure("… each of the next 20", late / 1e3, "", "KB"),
    ]


MEASURES = (memory, files, connections, trees)
