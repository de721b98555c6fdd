"""What one run holds that no checkpoint can: live interpreters, the ledger, the gate to the models.

A run begins when the graph is invoked or streamed and ends with that call, however it ends. Its nodes find it in the
config, under a key that LangGraph neither stores nor traces. All that it holds can be had again from the state.
"""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.cache.base import BaseCache
from langgraph.store.base import BaseStore

from langgraph_rlm.asking.caching import IdenticalCalls
from langgraph_rlm.asking.in_flight import InFlightCall, InFlightCalls
from langgraph_rlm.asking.ledger import NOTHING_SPENT, Ledger
from langgraph_rlm.asking.model_calls import Gate
from langgraph_rlm.asking.threads import Threads
from langgraph_rlm.context import Context
from langgraph_rlm.context.digests import context_id_of
from langgraph_rlm.errors import ContextError
from langgraph_rlm.langgraph_internals import (
    CONF,
    CONFIG_KEY_CHECKPOINTER,
    CONFIG_KEY_READ,
    CONFIG_KEY_RUNTIME,
    CONFIG_KEY_SEND,
)
from langgraph_rlm.repl.interpreter import Interpreter
from langgraph_rlm.repl.packed import DumpPacker
from langgraph_rlm.repl.workers import Workers
from langgraph_rlm.running.conversations import context_of_messages
from langgraph_rlm.settings import Limits

RUN = "__rlm_run"


class Run:
    """The live side of one run, shared by all RLMs of its tree."""

    def __init__(
        self,
        workers: Workers,
        limits: Limits,
        max_concurrency: int,
        tasks_at_once: int,
        cache: BaseCache[Any] | None,
        is_paced: bool = False,
        interrupts: bool = False,
        is_streamed: bool = True,
        bounds: RunnableConfig | None = None,
    ) -> None:
        """`tasks_at_once`: sub-calls that are a task each, of one superstep, at most. `interrupts`: the run stops at
        what executes code or asks. `is_streamed`: somebody sees its supersteps.

        `bounds`: what whoever called the graph allows for each graph: steps, and tasks at once.
        """
        self.bounds = bounds or RunnableConfig()
        self.workers, self.tasks_at_once, self.cache = workers, tasks_at_once, cache
        self.interrupts, self.is_streamed = interrupts, is_streamed
        self.ledger = Ledger(limits)
        self.gate = Gate(max_concurrency, self.ledger, is_paced)
        self.identical_calls = IdenticalCalls()
        self.threads = Threads(max_concurrency)
        self.in_flight_calls: set[InFlightCall] = set()
        self._interpreters: set[Interpreter] = set()
        self._live: dict[str, Interpreter] = {}
        self._in_flight: dict[str, InFlightCalls] = {}
        self._contexts: dict[str, Context] = {}
        self._holders: dict[str, int] = {}
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type[None], tuple[()]]:
        """Copied or stored it is None: LangGraph shows the configs of runs in some of its streams."""
        return type(None), ()

    def __repr__(self) -> str:
        return "<Run>"

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Keeps workers for the block; afterwards every interpreter of the run is gone."""
        with self.workers.opened(), ExitStack() as stack:
            stack.callback(self._close)
            yield

    async def cancel_in_flight(self) -> None:
        """Cancels the sub-calls that nobody needs any more, and waits until that is done."""
        tasks = [call.future for call in self.in_flight_calls if isinstance(call.future, asyncio.Task)]
        for call in self.in_flight_calls:
            call.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _close(self) -> None:
        for call in self.in_flight_calls:
            call.cancel()
        self.threads.close()
        for interpreter in list(self._interpreters):
            interpreter.close()

    def context(self, name: str, config: RunnableConfig) -> Context:
        """A context of the RLM that `config` belongs to, read from its state once.

        Raises:
            ContextError: It is not there any more: a file or a conversation has changed.
        """
        context = self._contexts.get(name)
        if context is None:
            stored = next((context for context in read(config, "context") if context["id"] == name), None)
            if stored is None or stored.keys() == {"id"}:
                raise ContextError("The text is not in the thread any more: have its old checkpoints been cleaned up?")
            if "messages" in stored:
                context = context_of_messages(read(config, "messages")[: stored["messages"]])
                if context_id_of(context) != name:
                    raise ContextError("The messages that were the text have been changed since.")
            else:
                context = Context.from_state([stored])
            self._contexts[name] = context
        return context

    def hold_context(self, name: str, context: Context) -> None:
        """Notes a context that is at hand anyway, for as long as the run goes on."""
        with self._lock:
            self._contexts[name] = context
            self._holders[name] = self._holders.get(name, 0) + 1

    @contextmanager
    def holding_context(self, name: str, context: Context) -> Iterator[None]:
        """Has a context at hand for the block; several blocks, in several threads, may share it."""
        with self._lock:
            self._contexts[name] = context
            self._holders[name] = self._holders.get(name, 0) + 1
        try:
            yield
        finally:
            with self._lock:
                self._holders[name] -= 1
                if not self._holders[name]:
                    del self._holders[name], self._contexts[name]

    def packer(self, name: str, config: RunnableConfig) -> DumpPacker:
        """What packs dumps over that context."""
        return DumpPacker(name, self.context(name, config))

    def adopt(self, interpreter: Interpreter) -> Interpreter:
        """Takes charge of an interpreter: whatever happens, it does not outlive the run."""
        self._interpreters.add(interpreter)
        return interpreter

    def release(self, interpreter: Interpreter) -> None:
        """Closes an interpreter whose RLM has ended."""
        self._interpreters.discard(interpreter)
        interpreter.close()

    def keep_live(self, interpreter: Interpreter, in_flight: InFlightCalls) -> str:
        """A new token for where the interpreter is now, with what it has in flight."""
        token = uuid.uuid4().hex
        self._live[token], self._in_flight[token] = interpreter, in_flight
        return token

    def take_live(self, token: str) -> tuple[Interpreter | None, InFlightCalls]:
        """The live interpreter under that token, if there is one, and what it has in flight. Taken once."""
        return self._live.pop(token, None), self._in_flight.pop(token, None) or self._nothing_in_flight()

    def is_live(self, token: str) -> bool:
        """Whether there is an interpreter under that token."""
        return token in self._live

    def in_flight_of(self, token: str) -> InFlightCalls:
        """What the RLM under that token has in flight."""
        return self._in_flight.setdefault(token, self._nothing_in_flight())

    def _nothing_in_flight(self) -> InFlightCalls:
        waiting = 0 if self.cache is None else self.gate.width  # for others that ask the same
        return InFlightCalls(room=self.gate.width + waiting)


def as_called(config: RunnableConfig) -> RunnableConfig:
    """The config for a model or a tool: it is bounded as whoever called the RLM has set, not as the RLM's own graph."""
    return {**config, **run_of(config).bounds}


def run_of(config: RunnableConfig) -> Run:
    """The run that a node is part of."""
    run: Run = config[CONF][RUN]
    return run


SPENT = tuple(NOTHING_SPENT)
"""The channels that add up over the tree."""


def note_spent(failure: Exception, config: RunnableConfig) -> None:
    """Writes on an error that leaves an RLM what this RLM had spent, for the one that called it."""
    if not hasattr(failure, "rlm_spent"):
        now = fresh(config)
        failure.rlm_spent = {channel: read(now, channel) for channel in SPENT}  # type: ignore[attr-defined]


def spent_before(failure: Exception) -> dict[str, Any]:
    """What a failed sub-call had spent."""
    return getattr(failure, "rlm_spent", NOTHING_SPENT)


def read(config: RunnableConfig, channel: str) -> Any:
    """A channel of the state that is too large to be an input of the node: inputs are traced."""
    return config[CONF][CONFIG_KEY_READ](channel, False)


def fresh(config: RunnableConfig) -> RunnableConfig:
    """The same, in which `read` has what the node has written already. It costs a copy of all channels."""
    reads = config[CONF][CONFIG_KEY_READ]
    return {**config, CONF: {**config[CONF], CONFIG_KEY_READ: lambda channel, _: reads(channel, True)}}


ADDED_UP = ("journal", "asked", "usage", "subcalls", "tool_calls")
"""Channels that add up what nodes write."""


def write(config: RunnableConfig, update: dict[str, Any]) -> None:
    """Writes what adds up of an update, before the node has ended, and takes it out."""
    config[CONF][CONFIG_KEY_SEND]([(channel, update.pop(channel)) for channel in ADDED_UP if channel in update])


def is_seen(config: RunnableConfig) -> bool:
    """Whether somebody sees the supersteps of the run: by a stream, by callbacks, or where it pauses."""
    run = run_of(config)
    return run.is_streamed or run.interrupts or bool(getattr(config.get("callbacks"), "handlers", True))


def is_durable(config: RunnableConfig) -> bool:
    """Whether a checkpointer keeps the state."""
    return bool(config[CONF].get(CONFIG_KEY_CHECKPOINTER))


def store_of(config: RunnableConfig) -> BaseStore | None:
    """The store of the graph, or of the app whose node it is."""
    store: BaseStore | None = getattr(config[CONF].get(CONFIG_KEY_RUNTIME), "store", None)
    return store
