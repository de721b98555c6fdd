"""`RLM`: the compiled graph as its users call it. It checks what goes in, and gives each run what it holds live."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, nullcontext
from dataclasses import dataclass, replace
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, GraphOutput, StateSnapshot, StateUpdate

from langgraph_rlm.context import Context
from langgraph_rlm.effects import Steps, adrive, drive
from langgraph_rlm.errors import InvalidInput
from langgraph_rlm.langgraph_internals import (
    CHANNEL_BRANCH_TO,
    CONF,
    CONFIG_KEY_CHECKPOINT_ID,
    CONFIG_KEY_CHECKPOINTER,
    CONFIG_KEY_DURABILITY,
    CONFIG_KEY_RESUMING,
    CONFIG_KEY_STREAM,
    ensure_config,
)
from langgraph_rlm.models.clients import aconnected, connected, is_openai, scales
from langgraph_rlm.models.pools import MANY, slow_pool
from langgraph_rlm.repl.workers import Workers
from langgraph_rlm.running.as_child import as_child_of, checked_as_child, granted
from langgraph_rlm.running.inputs import ASKS_BY, check_thread, prepare_input
from langgraph_rlm.running.lasting import check_whole, edited, keep_text, lasting, with_text
from langgraph_rlm.running.namespace import settled
from langgraph_rlm.running.resuming import (
    asks_same,
    checkpoint_of,
    goes_on,
    is_nested,
    is_tried_again,
    latest,
    latest_unless_named,
    resumes,
    run_id_of,
)
from langgraph_rlm.running.run import RUN, Run, store_of
from langgraph_rlm.running.schemas import input_schema
from langgraph_rlm.running.spec import RLMSpec
from langgraph_rlm.running.taking_up import check_dumps, seed_ledger, unfinished_in
from langgraph_rlm.running.views import TEXTS, UNSEEN, View, attributes_of
from langgraph_rlm.settings import Limits, check_profile

RECURSION_LIMIT = 1_000_000_000
"""Supersteps. `Limits` bound a run, not these: what an app sets for its own graph would end an RLM in mid-loop."""
TASKS = 300
"""Sub-calls of one superstep that are a task each, in `ainvoke` and `astream`: the more there are, the more LangGraph
takes for each."""
MOST_TASKS = 1_000
"""The same where somebody is to see all that waits at once."""
SPARE_THREADS = 4
"""Threads for writing checkpoints in `invoke` and `stream`, beside those that wait for models."""
IS_STREAMED = "rlm_is_streamed"
"""Among the options of a stream: whether somebody sees its events."""
BEGIN = CHANNEL_BRANCH_TO.format("route")
INPUTS = [*ASKS_BY, "as_child", "answer_schema", "writer", "in_messages", BEGIN]
"""The channels that the input goes into. By way of LangGraph's own, `__start__`, it would be stored a second time."""


@dataclass(frozen=True)
class PreparedRun:
    """A run that is to be streamed: by which graph, with which input and config."""

    run: Run
    engine: CompiledStateGraph[Any, Any, Any, Any]
    input: Any
    config: RunnableConfig


NAMES_THREAD = {"thread_id", "checkpoint_ns", "checkpoint_id"}
NO_THREAD = (
    "Checkpointer requires one or more of the following 'configurable' keys: thread_id, checkpoint_ns, checkpoint_id. "
    'Name the thread: invoke(…, {"configurable": {"thread_id": "1"}}).'
)
"""What LangGraph says first, and would not here: a run has keys of its own."""


@dataclass(frozen=True)
class ReadState:
    """The effect of reading a thread's state."""

    graph: View
    config: RunnableConfig
    subgraphs: bool

    def run(self) -> StateSnapshot:
        return self.graph.get_state(self.config, subgraphs=self.subgraphs)

    async def arun(self) -> StateSnapshot:
        return await self.graph.aget_state(self.config, subgraphs=self.subgraphs)


def interrupts_at(*stops: Sequence[str] | str | None) -> bool:
    """Whether runs are interrupted at what executes code or asks: nothing can be under way between two steps then."""
    return any(stop == "*" or {"execute", "subcall"} & set(stop) for stop in stops if stop)


class RLM(CompiledStateGraph[Any, Any, Any, Any]):
    """The graph that `create_rlm` gives."""

    def __init__(
        self,
        *,
        rlm_spec: RLMSpec,
        rlm_max_concurrency: int,
        rlm_workers: Workers,
        rlm_variant: Callable[[int, int | None], RLM],
        **attributes: Any,
    ) -> None:
        """`rlm_variant` makes the same for another depth, and another bound of fan-outs."""
        super().__init__(**attributes)
        self.rlm_spec, self.rlm_max_concurrency, self.rlm_workers = rlm_spec, rlm_max_concurrency, rlm_workers
        self.rlm_variant = rlm_variant

    def get_input_jsonschema(self, config: RunnableConfig | None = None) -> dict[str, Any]:
        """What a run takes, for those who call it over HTTP and show a form for it."""
        return input_schema(self.get_name())

    def get_state(self, config: RunnableConfig, *, subgraphs: bool = False) -> StateSnapshot:
        return View(self, TEXTS).get_state(config, subgraphs=subgraphs)

    async def aget_state(self, config: RunnableConfig, *, subgraphs: bool = False) -> StateSnapshot:
        return await View(self, TEXTS).aget_state(config, subgraphs=subgraphs)

    def bulk_update_state(self, config: RunnableConfig, supersteps: Sequence[Sequence[StateUpdate]]) -> RunnableConfig:
        return self._edited.bulk_update_state(config, supersteps)

    async def abulk_update_state(
        self, config: RunnableConfig, supersteps: Sequence[Sequence[StateUpdate]]
    ) -> RunnableConfig:
        return await self._edited.abulk_update_state(config, supersteps)

    @property
    def _edited(self) -> CompiledStateGraph[Any, Any, Any, Any]:
        """This graph as its state is edited."""
        return CompiledStateGraph(**{**attributes_of(self), "channels": edited(self.channels)})

    def invoke(self, input: Any, config: RunnableConfig | None = None, **options: Any) -> Any:
        return self._validated(super().invoke(input, config, **self._unseen(options)))

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **options: Any) -> Any:
        return self._validated(await super().ainvoke(input, config, **self._unseen(options)))

    def _unseen(self, options: dict[str, Any]) -> dict[str, Any]:
        """Options of a stream of which the end alone is seen."""
        shows = self.debug or options.get("print_mode") or options.get("stream_mode", "values") != "values"
        return {**options, IS_STREAMED: bool(shows)}

    def _validated(self, output: Any) -> Any:
        """The output with the answer as `response_format` has it: in the state it is plain data."""
        if isinstance(output, GraphOutput):
            return replace(output, value=self._validated(output.value))
        schema = self.rlm_spec.answer_schema
        if schema is None or not isinstance(output, dict) or output.get("status") != "answered":
            return output
        return output | ({"answer": schema.check(output["answer"])} if "answer" in output else {})

    def stream(self, input: Any, config: RunnableConfig | None = None, **options: Any) -> Iterator[Any]:
        begun = drive(self._begin(input, config, options, is_async=False))
        with connected(self.rlm_spec.all_models), begun.run.opened():
            yield from begun.engine.stream(begun.input, begun.config, **self._options(begun.config, options))

    async def astream(self, input: Any, config: RunnableConfig | None = None, **options: Any) -> AsyncIterator[Any]:
        begun = await adrive(self._begin(input, config, options, is_async=True))
        run, options = begun.run, self._options(begun.config, options)
        can_be_slow = run.gate.width >= MANY and not all(map(scales, self.rlm_spec.all_models))
        async with aconnected(self.rlm_spec.all_models):
            with run.opened(), slow_pool.watched() if can_be_slow else nullcontext():
                try:
                    stream: Any = begun.engine.astream(begun.input, begun.config, **options)
                    async with aclosing(stream) as events:
                        async for event in events:
                            yield event
                finally:
                    await run.cancel_in_flight()

    def _begin(
        self, input: Any, config: RunnableConfig | None, options: dict[str, Any], is_async: bool
    ) -> Steps[PreparedRun]:
        """Checks the input, reads what the thread has for the run, and makes the run: nothing is stored yet."""
        async_tools = [tool.name for tool in self.rlm_spec.tools.values() if tool.is_async]
        if async_tools and not is_async:
            raise InvalidInput(f"tools that are async: {', '.join(async_tools)}. Use `ainvoke` or `astream`.")
        given_config, config = config, ensure_config(self.config, config)
        if isinstance(self.checkpointer, BaseCheckpointSaver) and not config[CONF].keys() & NAMES_THREAD:
            raise InvalidInput(NO_THREAD)
        prepared, state = prepare_input(input), None
        if isinstance(prepared, dict) and "as_child" in prepared:
            prepared["as_child"] = checked_as_child(prepared["as_child"], self.rlm_spec)
        if isinstance(prepared, dict) and "profile" in prepared:
            check_profile(prepared["profile"], self.rlm_spec.limits)
        config = settled(config, self.get_name())
        keeps_thread = self._keeps_thread(config)
        if keeps_thread or (_is_stored(self, config) and resumes(prepared, config)):
            subgraphs = resumes(prepared, config) or run_id_of(config) is not None
            whole = View(self, UNSEEN)
            state = yield ReadState(whole, latest_unless_named(config), subgraphs)
            if is_tried_again(config, state):
                config = {**config, CONF: {**config[CONF], CONFIG_KEY_RESUMING: True}}
            if isinstance(prepared, Command) and config[CONF].get(CONFIG_KEY_CHECKPOINT_ID):
                head: StateSnapshot = yield ReadState(whole, latest(config), subgraphs)
                state = head if checkpoint_of(head) == checkpoint_of(state) else state
            is_same = goes_on(prepared, config, state) if self.checkpointer is True else asks_same(prepared, state)
            if resumes(prepared, config) and not is_same:
                config = {**config, CONF: {**config[CONF], CONFIG_KEY_RESUMING: False}}
        limits = granted(self.rlm_spec.limits, as_child_of(prepared, state))
        own = self.rlm_spec.limits
        if (limits.max_depth, limits.confirm_above) != (own.max_depth, own.confirm_above):
            return (yield from self._within(limits)._begin(input, given_config, options, is_async))
        takes_up = resumes(prepared, config)
        if state is not None and ((takes_up and state.tasks) or (keeps_thread and isinstance(prepared, dict))):
            for values in unfinished_in(state):
                check_whole(values)
        if keeps_thread and state is not None:
            store = self.store or store_of(config)
            prepared = yield from with_text(prepared, state, store)
            yield from keep_text(_channel_input(prepared, state), store)
        stops = (options.get("interrupt_before"), options.get("interrupt_after"))
        interrupts = self.rlm_spec.interrupts or interrupts_at(*stops)
        is_streamed = options.get(IS_STREAMED, True) or CONFIG_KEY_STREAM in config[CONF]
        run = self._new_run(config, state, prepared, limits, is_async, interrupts, is_streamed)
        # In a pool of threads, one for each task: what is finished is stored before another one begins.
        at_once = None if is_async else run.tasks_at_once + SPARE_THREADS
        if is_nested(config) and not keeps_thread:
            prepared = _by_name(prepared, run)
        channel_input, run_config = _channel_input(prepared, state), _run_config(run, config, at_once)
        return PreparedRun(run, self._engine(keeps_thread), channel_input, run_config)

    def _engine(self, keeps_thread: bool) -> CompiledStateGraph[Any, Any, Any, Any]:
        """This graph as LangGraph runs it."""
        channels = lasting(self.channels) if keeps_thread else self.channels
        return CompiledStateGraph(**{**attributes_of(self), "input_channels": INPUTS, "channels": channels})

    def _keeps_thread(self, config: RunnableConfig) -> bool:
        """Whether the next question may depend on what this one leaves: not in a node that begins anew each time."""
        return _is_stored(self, config) and (not is_nested(config) or self.checkpointer is True)

    def _within(self, limits: Limits) -> RLM:
        """The same, as deep as these limits allow, and with their consent to fan-outs."""
        variant = self.rlm_variant(limits.max_depth, limits.confirm_above)
        return variant.copy({"checkpointer": self.checkpointer, "store": self.store, "cache": self.cache})

    def _new_run(
        self,
        config: RunnableConfig,
        state: StateSnapshot | None,
        prepared: Any,
        limits: Limits,
        is_async: bool,
        interrupts: bool,
        is_streamed: bool,
    ) -> Run:
        takes_up = resumes(prepared, config)
        if prepared is None and state is not None and not state.values:
            raise InvalidInput("There is nothing to go on with on this thread: ask a question.")
        if isinstance(prepared, dict) and not takes_up and not {"context", "messages"} & prepared.keys():
            if state is not None:
                check_thread(state.values)
            elif not is_nested(config):
                check_thread({})
        for values in unfinished_in(state) if state else ():
            check_dumps(values, takes_up)
        width = min(self.rlm_max_concurrency, config.get("max_concurrency") or self.rlm_max_concurrency)
        tasks_at_once = max(TASKS, 2 * width) if is_async else 2 * width
        if interrupts:
            tasks_at_once = max(tasks_at_once, min(limits.max_subcalls, MOST_TASKS))
        is_paced = any(is_openai(model) or scales(model) for model in self.rlm_spec.all_models)
        bounds = RunnableConfig(
            recursion_limit=config["recursion_limit"], max_concurrency=config.get("max_concurrency")
        )
        run = Run(self.rlm_workers, limits, width, tasks_at_once, self.cache, is_paced, interrupts, is_streamed, bounds)
        if takes_up and state is not None:
            seed_ledger(run.ledger, state)
        return run

    def _options(self, config: RunnableConfig, options: dict[str, Any]) -> dict[str, Any]:
        """Options of a stream that shows no inner channels, the text among them, unless they are asked for.

        Code does not go on before the checkpoint that has its answers is stored: what "async" leaves to chance would be
        paid for twice.
        """
        options = {name: value for name, value in options.items() if name != IS_STREAMED}
        if not options.get("output_keys"):
            options = {**options, "output_keys": self.output_channels}
        durability = options.get("durability") or config.get(CONF, {}).get(CONFIG_KEY_DURABILITY)
        if durability != "exit" and _checkpointer(self, config):
            options = {**options, "durability": "sync"}
        return options


def _channel_input(prepared: Any, state: StateSnapshot | None) -> Any:
    """The input as it goes into the channels. A text that the thread has already is not stored again."""
    if not isinstance(prepared, dict):
        return prepared
    as_child = prepared.get("as_child")
    said = {name: as_child[name] if as_child else None for name in ("answer_schema", "writer")}
    entered = {channel: value for channel, value in prepared.items() if channel in ASKS_BY}
    had = state.values.get("context") if state else None
    if had and "context" in entered and entered["context"][0]["id"] == had[0]["id"]:
        entered.pop("context")
    return {
        "query": None,
        "profile": None,
        "as_child": as_child,
        **said,
        **entered,
        "in_messages": "messages" in entered,
        BEGIN: None,
    }


def _by_name(prepared: Any, run: Run) -> Any:
    """The input of a node that begins anew each time, and is given its text again where it goes on: the app's state has
    that already, so that here its name is enough."""
    match prepared:
        case {"context": [{"text": _, "id": name} as stored]}:
            run.hold_context(name, Context.from_state([stored]))
            return {**prepared, "context": [{"id": name}]}
    return prepared


def _is_stored(graph: RLM, config: RunnableConfig) -> bool:
    """Whether the run has a thread, and a checkpointer that keeps its state."""
    return _checkpointer(graph, config) and "thread_id" in config.get(CONF, {})


def _checkpointer(graph: RLM, config: RunnableConfig) -> bool:
    """Whether a checkpointer keeps the state: the graph's own, or that of the app whose node it is."""
    if graph.checkpointer is False:
        return False
    return isinstance(graph.checkpointer, BaseCheckpointSaver) or bool(
        config.get(CONF, {}).get(CONFIG_KEY_CHECKPOINTER)
    )


def _run_config(run: Run, config: RunnableConfig, at_once: int | None) -> RunnableConfig:
    """The config of a run. LangGraph counts writes of checkpoints to what runs `at_once`: they would have to wait."""
    configurable = {**config.get(CONF, {}), RUN: run}
    return {**config, CONF: configurable, "recursion_limit": RECURSION_LIMIT, "max_concurrency": at_once}
