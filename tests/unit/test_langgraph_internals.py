"""What LangGraph's private names mean. A new version that changes it is noticed here, name by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.graph import START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.store.memory import InMemoryStore
from typing_extensions import TypedDict

from langgraph_rlm.langgraph_internals import (
    CHANNEL_BRANCH_TO,
    CONF,
    CONFIG_KEY_CHECKPOINT_ID,
    CONFIG_KEY_CHECKPOINT_MAP,
    CONFIG_KEY_CHECKPOINT_NS,
    CONFIG_KEY_CHECKPOINTER,
    CONFIG_KEY_DURABILITY,
    CONFIG_KEY_READ,
    CONFIG_KEY_RESUMING,
    CONFIG_KEY_RUNTIME,
    CONFIG_KEY_SEND,
    CONFIG_KEY_TASK_ID,
    RunnableCallable,
    allow_in_checkpoints,
)
from langgraph_rlm.running.run import RUN

THREAD: Any = {"configurable": {"thread_id": "1", RUN: "live"}}


class Asked(TypedDict, total=False):
    query: str


class State(Asked, total=False):
    text: str


class App:
    """A graph of one node that fails the first time, and goes on: `seen` has what the node's config held each time."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self.read: list[str] = []
        self.saver, self.store = InMemorySaver(), InMemoryStore()
        graph = StateGraph(State)
        graph.add_node("look", self._node(), input_schema=Asked)
        graph.add_edge(START, "look")
        self.graph: Any = graph.compile(checkpointer=self.saver, store=self.store)

    def _node(self) -> RunnableCallable:
        def look(state: Any, config: RunnableConfig) -> dict[str, Any]:
            assert state == {"query": "q"}
            held = config[CONF]
            self.seen.append(dict(held))
            self.read.append(held[CONFIG_KEY_READ]("text", False))
            if len(self.seen) == 1:
                raise ConnectionError("the first time")
            return {}

        async def alook(state: Any, config: RunnableConfig) -> dict[str, Any]:
            return look(state, config)

        return RunnableCallable(look, alook, name="look", trace=False)

    def run(self) -> None:
        with pytest.raises(ConnectionError):
            self.graph.invoke({"query": "q", "text": "long"}, THREAD, durability="sync")
        self.graph.invoke(None, THREAD)


@pytest.fixture
def app() -> App:
    app = App()
    app.run()
    return app


def test_configurable_is_where_users_put_the_thread(app: App) -> None:
    assert CONF == "configurable"
    assert app.seen[0]["thread_id"] == "1"


def test_read_gives_a_channel_that_is_no_input_of_the_node(app: App) -> None:
    assert app.read == ["long", "long"]


def test_checkpointer_and_store_of_a_graph_are_told_to_its_nodes(app: App) -> None:
    for held in app.seen:
        assert held[CONFIG_KEY_CHECKPOINTER] is app.saver
        assert held[CONFIG_KEY_RUNTIME].store is app.store


def test_durability_is_told_to_nodes_where_it_was_asked_for(app: App) -> None:
    assert [held.get(CONFIG_KEY_DURABILITY) for held in app.seen] == ["sync", None]


def test_task_keeps_its_name_and_its_path_when_a_run_goes_on(app: App) -> None:
    first, second = app.seen
    assert first[CONFIG_KEY_TASK_ID] == second[CONFIG_KEY_TASK_ID]
    assert first[CONFIG_KEY_CHECKPOINT_NS] == second[CONFIG_KEY_CHECKPOINT_NS] == f"look:{first[CONFIG_KEY_TASK_ID]}"


def test_nodes_are_told_that_a_run_goes_on(app: App) -> None:
    assert [bool(held.get(CONFIG_KEY_RESUMING)) for held in app.seen] == [False, True]


def test_checkpoint_of_a_step_is_the_one_that_its_nodes_have_as_that_of_the_graph_above(app: App) -> None:
    steps = [state.config[CONF][CONFIG_KEY_CHECKPOINT_ID] for state in app.graph.get_state_history(THREAD)]
    assert [held[CONFIG_KEY_CHECKPOINT_MAP] for held in app.seen] == [{"": steps[1]}] * 2


def test_key_with_two_underscores_is_told_to_nodes_and_not_stored(app: App) -> None:
    assert [held[RUN] for held in app.seen] == ["live", "live"]
    assert all(RUN not in checkpoint.metadata for checkpoint in app.saver.list(THREAD))


class Traced(BaseCallbackHandler):
    def __init__(self) -> None:
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []

    def on_chain_start(self, serialized: Any, inputs: Any, **_: Any) -> None:
        self.inputs.append(inputs)

    def on_chain_end(self, outputs: Any, **_: Any) -> None:
        self.outputs.append(outputs)


async def test_node_of_two_functions_is_traced_once() -> None:
    for is_async in (False, True):
        app, traced = App(), Traced()
        app.seen.append({})  # it does not fail
        config: Any = {**THREAD, "callbacks": [traced]}
        given = {"query": "q", "text": "long"}
        await app.graph.ainvoke(given, config) if is_async else app.graph.invoke(given, config)
        assert traced.inputs == [given, {"query": "q"}]


def test_channel_that_is_sent_is_stored_and_is_no_part_of_what_the_node_is_traced_with() -> None:
    saver, traced = InMemorySaver(), Traced()

    def write(state: Asked, config: RunnableConfig) -> dict[str, Any]:
        config[CONF][CONFIG_KEY_SEND]([("text", "sent")])
        return {"query": "returned"}

    graph = StateGraph(State).add_node("write", write).add_edge(START, "write").compile(checkpointer=saver)
    graph.stream_channels = ["query"]
    config: Any = {"configurable": {"thread_id": "1"}, "callbacks": [traced]}
    streamed = list(graph.stream({"query": "q"}, config, stream_mode=["tasks", "checkpoints"]))
    assert "sent" not in f"{traced.outputs[0]}{streamed}"
    [stored] = [c.checkpoint["channel_values"].get("text") for c in saver.list(config, limit=1)]
    assert stored == "sent"
    assert graph.get_state(config).values == {"query": "returned"}


def test_channel_of_a_node_runs_it(app: App) -> None:
    channel = CHANNEL_BRANCH_TO.format("look")
    entered = app.graph.copy({"input_channels": ["query", "text", channel]})
    entered.invoke({"query": "q", "text": "longer", channel: None}, {"configurable": {"thread_id": "2"}})
    assert app.read[2:] == ["longer"]


def test_graph_is_copied_by_its_attributes(app: App) -> None:
    copied: Any = CompiledStateGraph(**vars(app.graph))
    settings = {name: value for name, value in vars(app.graph).items() if not name.startswith("_")}
    assert settings.items() <= vars(copied).items()


def test_checkpoints_may_hold_types_that_are_allowed_later() -> None:
    serde = JsonPlusSerializer(allowed_msgpack_modules=None)
    stored = serde.dumps_typed(Held("x"))
    assert serde.loads_typed(stored) == {"name": "x"}
    allow_in_checkpoints(Held)
    assert serde.loads_typed(stored) == Held("x")


@dataclass(frozen=True)
class Held:
    name: str
