"""A run in a process of its own, which can be killed: what the crash tests kill and start again.

The model logs each of its calls on its own, to a file: what was asked, when, and when it was answered.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import signal
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, SystemMessage
from langchain_core.outputs import ChatResult
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import START, StateGraph
from pydantic import PrivateAttr
from typing_extensions import TypedDict

from langgraph_rlm import Limits, Router, create_rlm
from tests.fakes import cell, said

SETTLED = 0.2
"""Seconds after which an answer must have been stored, whatever happens then."""

NO_SYNC = "PRAGMA synchronous = OFF"
"""Processes are killed here, not the machine: what was written need not have reached the disk."""

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload([__name__])

LOOP = """
import math
class Box:
    def __init__(self):
        self.seen = []
    def ask(self, x):
        self.seen.append(llm_query(f"loop {x}"))
        return self.seen[-1]
box = Box()
def both(x):
    return [box.ask(f"{x}.{i}") for i in range(2)]
print("began")
found = []
for line in P.splitlines()[:2]:
    found += both(line[:6])
    print("after", line[:6], len(found))
pairs = {x: llm_query("pair " + x) for x in "ab"}
"""
BATCH = 'answers = llm_batch([f"batch {i}" for i in range(12)])\nfirst = llm_query("then " + answers[-1])'
GIVE_UP = "Final = 'gave up'"
CELLS: dict[str, dict[str, list[str]]] = {
    "loop": {"root": [LOOP, "Final = [found, box.seen, pairs, math.floor(2.5), len(P)]", GIVE_UP]},
    "batch": {"root": [BATCH, "Final = [answers, first]", GIVE_UP]},
    "tree": {
        "root": ["n = 1\nx = rlm_query_batched(['child a', 'child b'])\nFinal = [x, n]"],
        "child": [
            "mine = P[-1]",
            "y = [rlm_query(f'grand {mine}{i}') for i in range(2)]\nFinal = [mine, y, llm_query('leaf ' + mine)]",
        ],
        "grand": ["z = llm_batch([f'{P} {i}' for i in range(2)])\nFinal = '+'.join(z)"],
    },
}
SUBCALLS = {"loop": 6, "batch": 13, "tree": 10}
"""Plain calls that an undisturbed run makes."""


DEPTH_3 = Limits(max_depth=3)


@dataclass(frozen=True)
class Trial:
    """One run: what it does, where it is stored, and when it is killed."""

    work: str
    database: str
    """`postgresql://…`, or the path of a SQLite file."""
    folder: Path
    is_async: bool
    at_once: int | None = None
    durability: Literal["sync", "async"] = "sync"
    latency: float = 0.01
    kill_after: int | None = None
    """Kills when so many plain calls have returned, and `settled` has passed; no other call returns until then."""
    settled: float = SETTLED + 0.02
    context: str = "first line\nsecond line\nthird line\n"
    limits: Limits = DEPTH_3
    resumes: bool = False
    is_called_in_node: bool = False
    """Whether it is called by a node of an app, without a config."""
    storing_takes: float = 0.0
    """Seconds for each checkpoint."""

    @property
    def log(self) -> Path:
        return self.folder / "calls.log"


class LoggingModel(BaseChatModel):
    """Says what `CELLS` has for an RLM, answers other prompts in capitals, and logs both."""

    trial: Trial
    _returned: int = PrivateAttr(default=0)
    _lock: Any = PrivateAttr(default_factory=threading.Lock)

    @property
    def _llm_type(self) -> str:
        return "logging"

    def _note(self, what: str, prompt: str) -> None:
        line = json.dumps([time.time(), what, prompt, os.getpid()]) + "\n"
        log = os.open(self.trial.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(log, line.encode())
        os.close(log)

    def _begin(self, messages: list[BaseMessage]) -> str:
        """The prompt, by a name of its own."""
        is_turn = isinstance(messages[0], SystemMessage)
        prompt = f"turn {len(messages)} {_question(messages)}" if is_turn else str(messages[-1].text)
        self._note("asked", prompt)
        return prompt

    def _end(self, messages: list[BaseMessage], prompt: str) -> ChatResult | None:
        """The reply; None where none is to come before the kill."""
        if isinstance(messages[0], SystemMessage):
            who = next(name for name in CELLS[self.trial.work] if f"Question: {name}" in _question(messages))
            turn = sum(isinstance(message, AIMessage) for message in messages)
            text = cell(CELLS[self.trial.work][who][turn])
        else:
            text = prompt.upper()
            with self._lock:
                if self._returned == self.trial.kill_after:
                    return None
                self._returned += 1
                if self._returned == self.trial.kill_after:
                    threading.Timer(self.trial.settled, lambda: os.kill(os.getpid(), signal.SIGKILL)).start()
        self._note("returned", prompt)
        return said(text, (10, 5), "logging")

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        prompt = self._begin(messages)
        time.sleep(self.trial.latency)
        reply = self._end(messages, prompt)
        if reply is None:
            time.sleep(60)
        assert reply is not None, "not killed"
        return reply

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        prompt = self._begin(messages)
        await asyncio.sleep(self.trial.latency)
        reply = self._end(messages, prompt)
        if reply is None:
            await asyncio.sleep(60)
        assert reply is not None, "not killed"
        return reply


def _question(messages: list[BaseMessage]) -> str:
    opening = str(messages[1].text)
    return opening[opening.index("Question: ") :].splitlines()[0]


@contextmanager
def saver(database: str) -> Iterator[Any]:
    if database.startswith("postgresql:"):
        with PostgresSaver.from_conn_string(database) as postgres:
            yield postgres
    else:
        with closing(sqlite3.connect(database, check_same_thread=False)) as connection:
            connection.execute(NO_SYNC)
            yield SqliteSaver(connection)


@asynccontextmanager
async def async_saver(database: str) -> AsyncIterator[Any]:
    if database.startswith("postgresql:"):
        async with AsyncPostgresSaver.from_conn_string(database) as postgres:
            yield postgres
    else:
        async with AsyncSqliteSaver.from_conn_string(database) as sqlite:
            await sqlite.conn.execute(NO_SYNC)
            yield sqlite


def rlm_for(trial: Trial, checkpointer: Any) -> Any:
    model = LoggingModel(trial=trial)
    return create_rlm(model, router=Router(profile="rlm"), limits=trial.limits, checkpointer=checkpointer)


def config_of(trial: Trial) -> Any:
    config: dict[str, Any] = {"configurable": {"thread_id": "1"}}
    return config | ({"max_concurrency": trial.at_once} if trial.at_once else {})


def run(trial: Trial) -> None:
    """Runs the trial to its end, and writes its output to `out.json`. In a process of its own."""
    out = asyncio.run(_arun(trial)) if trial.is_async else _run(trial)
    kept = {key: out[key] for key in ("answer", "status", "subcalls", "steps")}
    # which calls are asked ahead depends on when others are answered
    kept["usage"] = {
        name: [used[f"{kind}_tokens"] for kind in ("input", "output")] for name, used in out["usage"].items()
    }
    (trial.folder / "out.json").write_text(json.dumps(kept))


def _given(trial: Trial) -> Any:
    return None if trial.resumes else {"query": "root", "context": trial.context}


def _run(trial: Trial) -> Any:
    with saver(trial.database) as checkpointer:
        store = checkpointer.put

        def put(*arguments: Any) -> Any:
            time.sleep(trial.storing_takes)
            return store(*arguments)

        checkpointer.put = put
        if trial.is_called_in_node:
            app = app_around(rlm_for(trial, None), trial, checkpointer)
            return app.invoke(None if trial.resumes else {}, config_of(trial), durability=trial.durability)["said"]
        rlm = rlm_for(trial, checkpointer)
        return rlm.invoke(_given(trial), config_of(trial), durability=trial.durability)


async def _arun(trial: Trial) -> Any:
    async with async_saver(trial.database) as checkpointer:
        store = checkpointer.aput

        async def aput(*arguments: Any) -> Any:
            await asyncio.sleep(trial.storing_takes)
            return await store(*arguments)

        checkpointer.aput = aput
        if trial.is_called_in_node:
            app = app_around(rlm_for(trial, None), trial, checkpointer)
            out = await app.ainvoke(None if trial.resumes else {}, config_of(trial), durability=trial.durability)
            return out["said"]
        rlm = rlm_for(trial, checkpointer)
        return await rlm.ainvoke(_given(trial), config_of(trial), durability=trial.durability)


class Said(TypedDict, total=False):
    said: Any


def app_around(rlm: Any, trial: Trial, checkpointer: Any) -> Any:
    """An app whose node calls the RLM as a function, and passes it no config."""
    given = {"query": "root", "context": trial.context}

    async def anode(state: Said) -> Said:
        return {"said": await rlm.ainvoke(given)}

    builder = StateGraph(Said)
    builder.add_node("node", anode if trial.is_async else lambda state: {"said": rlm.invoke(given)})
    builder.add_edge(START, "node")
    return builder.compile(checkpointer=checkpointer)


def started(trial: Trial) -> Any:
    """The process that runs the trial."""
    process = processes.Process(target=run, args=(trial,), daemon=True)
    process.start()
    return process


def finished(trial: Trial) -> dict[str, Any]:
    """The output of a trial that is not killed."""
    process = started(replace(trial, kill_after=None))
    process.join(60)
    assert process.exitcode == 0
    out: dict[str, Any] = json.loads((trial.folder / "out.json").read_text())
    return out


def returned(trial: Trial) -> int:
    """How many plain calls were answered, over all processes."""
    calls = [json.loads(line) for line in trial.log.read_text().splitlines()]
    return sum(what == "returned" and not prompt.startswith("turn ") for _, what, prompt, _ in calls)


def asked_again(trial: Trial, killed_at: float) -> list[str]:
    """Prompts that had been answered `SETTLED` before the kill, and were asked again after it."""
    calls = [json.loads(line) for line in trial.log.read_text().splitlines()]
    paid = {prompt for at, what, prompt, _ in calls if what == "returned" and at < killed_at - SETTLED}
    return sorted(prompt for at, what, prompt, _ in calls if what == "asked" and at > killed_at and prompt in paid)
