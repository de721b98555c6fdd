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

from langgraph_rlm.asking.caching import Shared
from langgraph_rlm.asking.calls import Gate
from langgraph_rlm.asking.ledger import NOTHING, Ledger
from langgraph_rlm.asking.underway import Flight, Underway
from langgraph_rlm.context import Context
from langgraph_rlm.errors import ContextError
from langgraph_rlm.langgraph_internals import CONF, CONFIG_KEY_CHECKPOINTER, CONFIG_KEY_READ, CONFIG_KEY_RUNTIME
from langgraph_rlm.repl.interpreter import Interpreter
from langgraph_rlm.repl.packed import Packing
from langgraph_rlm.repl.workers import Workers
from langgraph_rlm.running.inputs import name_of, of_messages
from langgraph_rlm.settings import Limits

RUN = "__rlm_run"


class Run:
    """The live side of one run, shared by all RLMs of its tree."""

    def __init__(
        self,
        workers: Workers,
        limits: Limits,
        max_concurrency: int,
        wave: int,
        cache: BaseCache[Any] | None,
        is_paced: bool = False,
        pauses: bool = False,
    ) -> None:
        """`wave`: tasks of a superstep of one RLM, at most. `pauses`: this run stops at what executes code or asks."""
        self.workers, self.wave, self.cache, self.pauses = workers, wave, cache, pauses
        self.ledger = Ledger(limits)
        self.gate = Gate(max_concurrency, self.ledger, is_paced)
        self.shared = Shared()
        self.flights: set[Flight] = set()
        self._interpreters: set[Interpreter] = set()
        self._positions: dict[str, Interpreter] = {}
        self._underway: dict[str, Underway] = {}
        self._contexts: dict[str, Context] = {}
        self._known: dict[str, int] = {}
        self._lock = threading.Lock()

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Keeps workers for the block; afterwards every interpreter of the run is gone."""
        with self.workers.opened(), ExitStack() as stack:
            stack.callback(self._close)
            yield

    async def flown(self) -> None:
        """Cancels the sub-calls that nobody needs any more, and waits until that is done."""
        tasks = [flight.future for flight in self.flights if isinstance(flight.future, asyncio.Task)]
        for flight in self.flights:
            flight.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _close(self) -> None:
        for flight in self.flights:
            flight.cancel()
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
            if stored is None:
                raise ContextError("The text is not in the thread any more.")
            if "messages" in stored:
                context = of_messages(read(config, "messages")[: stored["messages"]])
                if name_of(context) != name:
                    raise ContextError("The messages that were the text have been changed since.")
            else:
                context = Context.from_state([stored])
            self._contexts[name] = context
        return context

    def know(self, name: str, context: Context) -> None:
        """Notes a context that is at hand anyway."""
        self._contexts[name] = context

    @contextmanager
    def knowing(self, name: str, context: Context) -> Iterator[None]:
        """Has a context at hand for the block; several blocks, in several threads, may share it."""
        with self._lock:
            self._contexts[name] = context
            self._known[name] = self._known.get(name, 0) + 1
        try:
            yield
        finally:
            with self._lock:
                self._known[name] -= 1
                if not self._known[name]:
                    del self._known[name], self._contexts[name]

    def packing(self, name: str, config: RunnableConfig) -> Packing:
        """What packs dumps over that context."""
        return Packing(name, self.context(name, config))

    def begin(self, interpreter: Interpreter) -> Interpreter:
        """Takes charge of an interpreter: whatever happens, it does not outlive the run."""
        self._interpreters.add(interpreter)
        return interpreter

    def end(self, interpreter: Interpreter) -> None:
        """Closes an interpreter whose RLM has ended."""
        self._interpreters.discard(interpreter)
        interpreter.close()

    def keep(self, interpreter: Interpreter, underway: Underway) -> str:
        """A new token for where the interpreter is now, with what it has under way."""
        token = uuid.uuid4().hex
        self._positions[token], self._underway[token] = interpreter, underway
        return token

    def take(self, token: str) -> tuple[Interpreter | None, Underway]:
        """The live interpreter at that position, if there is one, and what it has under way. Taken once."""
        return self._positions.pop(token, None), self._underway.pop(token, None) or Underway()

    def underway(self, token: str) -> Underway:
        """What the RLM at that position has under way."""
        return self._underway.setdefault(token, Underway())


def run_of(config: RunnableConfig) -> Run:
    """The run that a node is part of."""
    run: Run = config[CONF][RUN]
    return run


SPENT = tuple(NOTHING)
"""The channels that add up over the tree."""


def note_spent(failure: Exception, config: RunnableConfig) -> None:
    """Writes on an error that leaves an RLM what this RLM had spent, for the one that called it."""
    if not hasattr(failure, "rlm_spent"):
        failure.rlm_spent = {channel: read(config, channel) for channel in SPENT}  # type: ignore[attr-defined]


def spent_before(failure: Exception) -> dict[str, Any]:
    """What a failed sub-call had spent."""
    return getattr(failure, "rlm_spent", NOTHING)


def read(config: RunnableConfig, channel: str) -> Any:
    """A channel of the state that is too large to be an input of the node: inputs are traced."""
    return config[CONF][CONFIG_KEY_READ](channel, False)


def is_durable(config: RunnableConfig) -> bool:
    """Whether a checkpointer keeps the state."""
    return bool(config[CONF].get(CONFIG_KEY_CHECKPOINTER))


def store_of(config: RunnableConfig) -> BaseStore | None:
    """The store of the graph, or of the app whose node it is."""
    store: BaseStore | None = config[CONF][CONFIG_KEY_RUNTIME].store
    return store
