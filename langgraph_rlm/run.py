"""What one run holds that no checkpoint can: live interpreters, the ledger, the gate to the models.

A run begins when the graph is invoked or streamed and ends with that call, however it ends. Its nodes find it in the
config, under a key that LangGraph neither stores nor traces. All that it holds can be had again from the state.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph._internal._constants import CONF, CONFIG_KEY_CHECKPOINTER, CONFIG_KEY_READ, NS_SEP
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph.state import CompiledStateGraph

from langgraph_rlm.calls import Gate
from langgraph_rlm.context import Context
from langgraph_rlm.inputs import check_thread, prepare
from langgraph_rlm.ledger import Ledger
from langgraph_rlm.repl.interpreter import Interpreter
from langgraph_rlm.repl.workers import Workers
from langgraph_rlm.settings import Limits

RUN = "__rlm_run"
RECURSION_LIMIT = 1_000_000_000
"""Supersteps. `Limits` bound a run, not these: what an app sets for its own graph would end an RLM in mid-loop."""

SYNC_TASKS = min(32, (os.cpu_count() or 1) + 4)
"""Threads of LangGraph's pool in `invoke` and `stream`: tasks beyond them wait, and with them the writes of others."""
ASYNC_TASKS = 1_000
"""Tasks of one superstep in `ainvoke` and `astream`: LangGraph's cost for each grows with their number."""


class Run:
    """The live side of one run, shared by all RLMs of its tree."""

    def __init__(self, workers: Workers, limits: Limits, max_concurrency: int, tasks_at_once: int) -> None:
        self.workers = workers
        self.tasks_at_once = tasks_at_once
        self.ledger = Ledger(limits)
        self.gate = Gate(max_concurrency, self.ledger)
        self._charged: set[str] = set()
        self._interpreters: set[Interpreter] = set()
        self._positions: dict[str, Interpreter] = {}
        self._contexts: dict[str, Context] = {}

    def begin_question(self, config: RunnableConfig) -> None:
        """Notes that the RLM of `config` begins in this run, with nothing spent."""
        self._charged.add(_rlm_of(config))

    def take_up(self, config: RunnableConfig) -> None:
        """Charges the ledger, once, with what the RLM of `config` had spent before this run took its question up."""
        rlm = _rlm_of(config)
        if rlm not in self._charged:
            self._charged.add(rlm)
            waiting = (read(config, "pending") or 0) - len(read(config, "answers") or [])
            self.ledger.seed((read(config, "subcalls") or 0) + max(waiting, 0), read(config, "usage") or {})

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Keeps workers for the block; afterwards every interpreter of the run is gone."""
        with self.workers.opened(), ExitStack() as stack:
            stack.callback(self._close)
            yield

    def _close(self) -> None:
        for interpreter in list(self._interpreters):
            interpreter.close()

    def context(self, context_id: str, config: RunnableConfig) -> Context:
        """The context of the RLM that `config` belongs to, read from its state once."""
        if context_id not in self._contexts:
            self._contexts[context_id] = Context.from_state(read(config, "context"))
        return self._contexts[context_id]

    def know(self, context_id: str, context: Context) -> None:
        """Notes a context that is at hand anyway."""
        self._contexts[context_id] = context

    def begin(self, interpreter: Interpreter) -> Interpreter:
        """Takes charge of an interpreter: whatever happens, it does not outlive the run."""
        self._interpreters.add(interpreter)
        return interpreter

    def end(self, interpreter: Interpreter) -> None:
        """Closes an interpreter whose RLM has ended."""
        self._interpreters.discard(interpreter)
        interpreter.close()

    def keep(self, interpreter: Interpreter) -> str:
        """A new token for where the interpreter is now."""
        token = uuid.uuid4().hex
        self._positions[token] = interpreter
        return token

    def take(self, token: str | None) -> Interpreter | None:
        """The live interpreter at that position, if there is one. A position is taken once."""
        return self._positions.pop(token, None) if token else None

    def forget(self, context_id: str) -> None:
        """Lets go of a context whose RLM has ended."""
        self._contexts.pop(context_id, None)


def run_of(config: RunnableConfig) -> Run:
    """The run that a node is part of."""
    run: Run = config[CONF][RUN]
    run.take_up(config)
    return run


def new_run_of(config: RunnableConfig) -> Run:
    """The run, as a question begins."""
    run: Run = config[CONF][RUN]
    run.begin_question(config)
    return run


def _rlm_of(config: RunnableConfig) -> str:
    """Names one RLM of the tree: the namespace of its node, less the node."""
    namespace: str = config[CONF]["checkpoint_ns"]
    return namespace.rpartition(NS_SEP)[0]


SPENT = ("usage", "steps", "subcalls")
"""The channels that add up over the tree."""


def note_spent(failure: Exception, config: RunnableConfig) -> None:
    """Writes on an error that leaves an RLM what this RLM had spent, for the one that called it."""
    if not hasattr(failure, "rlm_spent"):
        failure.rlm_spent = {channel: read(config, channel) for channel in SPENT}  # type: ignore[attr-defined]


def spent_before(failure: Exception) -> dict[str, Any]:
    """What a failed sub-call had spent."""
    return getattr(failure, "rlm_spent", {"usage": {}, "steps": 0, "subcalls": 0})


def read(config: RunnableConfig, channel: str) -> Any:
    """A channel of the state that is too large to be an input of the node: inputs are traced."""
    return config[CONF][CONFIG_KEY_READ](channel, False)


def is_durable(config: RunnableConfig) -> bool:
    """Whether a checkpointer keeps the state."""
    return bool(config[CONF].get(CONFIG_KEY_CHECKPOINTER))


class RLM(CompiledStateGraph[Any, Any, Any, Any]):
    """A compiled graph that checks its input before anything is stored, and gives each run what it holds live."""

    rlm_workers: Workers
    rlm_limits: Limits
    rlm_max_concurrency: int

    def __init__(
        self, *, rlm_workers: Workers, rlm_limits: Limits, rlm_max_concurrency: int, **attributes: Any
    ) -> None:
        super().__init__(**attributes)
        self.rlm_workers = rlm_workers
        self.rlm_limits = rlm_limits
        self.rlm_max_concurrency = rlm_max_concurrency

    def stream(self, input: Any, config: RunnableConfig | None = None, **options: Any) -> Iterator[Any]:
        prepared, run = prepare(input), self._new_run(SYNC_TASKS)
        if self._relies_on_thread(prepared):
            check_thread(self.get_state(config or {}).values)
        with run.opened():
            yield from super().stream(prepared, _carrying(run, config), **self._outputs_alone(options))

    async def astream(self, input: Any, config: RunnableConfig | None = None, **options: Any) -> AsyncIterator[Any]:
        prepared, run = prepare(input), self._new_run(ASYNC_TASKS)
        if self._relies_on_thread(prepared):
            check_thread((await self.aget_state(config or {})).values)
        with run.opened():
            async for event in super().astream(prepared, _carrying(run, config), **self._outputs_alone(options)):
                yield event

    def _relies_on_thread(self, prepared: Any) -> bool:
        """Whether the text has to be one that the thread has, so that it can be refused before anything is stored."""
        kept = isinstance(self.checkpointer, BaseCheckpointSaver)
        return kept and isinstance(prepared, dict) and not {"context", "messages"} & prepared.keys()

    def _outputs_alone(self, options: dict[str, Any]) -> dict[str, Any]:
        """Options of a stream that shows no inner channels, the text among them, unless they are asked for."""
        return options if options.get("output_keys") else {**options, "output_keys": self.output_channels}

    def _new_run(self, tasks_at_once: int) -> Run:
        return Run(self.rlm_workers, self.rlm_limits, self.rlm_max_concurrency, tasks_at_once)


def _carrying(run: Run, config: RunnableConfig | None) -> RunnableConfig:
    config = config or {}
    return {**config, CONF: {**config.get(CONF, {}), RUN: run}, "recursion_limit": RECURSION_LIMIT}
