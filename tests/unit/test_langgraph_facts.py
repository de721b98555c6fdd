"""What LangGraph does that durable runs are built on or around. A new version that changes it is noticed here."""

from __future__ import annotations

import asyncio
import itertools
import operator
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import pytest
from langgraph.cache.memory import InMemoryCache
from langgraph.channels import DeltaChannel, EphemeralValue
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import CachePolicy, Command, RetryPolicy, Send
from typing_extensions import TypedDict

THREAD: Any = {"configurable": {"thread_id": "1"}}
TEXT = "x" * 1_000_000


@pytest.fixture
def saver(tmp_path: Path) -> Iterator[SqliteSaver]:
    with closing(sqlite3.connect(tmp_path / "facts.db", check_same_thread=False)) as connection:
        yield SqliteSaver(connection)


def size(saver: SqliteSaver) -> float:
    """What is stored, in copies of `TEXT`."""
    [[stored]] = saver.conn.execute(
        "SELECT (SELECT sum(length(checkpoint)) FROM checkpoints) + (SELECT sum(length(value)) FROM writes)"
    ).fetchall()
    return float(stored) / len(TEXT)


def keep_last(old: list[str], written: Any) -> list[str]:
    return list(written[-1])


class Plain(TypedDict, total=False):
    text: str
    steps: Annotated[int, operator.add]


class Delta(TypedDict, total=False):
    text: Annotated[list[str], DeltaChannel(keep_last, list, snapshot_frequency=1_000)]
    steps: Annotated[int, operator.add]


def stepping(state: Any, steps: int) -> Any:
    graph = StateGraph(state)
    graph.add_node("step", lambda _: {"steps": 1})
    graph.add_edge(START, "step")
    graph.add_conditional_edges("step", lambda s: "step" if s["steps"] < steps else END, ["step", END])
    return graph


def test_plain_channel_is_stored_again_at_each_step_and_a_delta_channel_is_not(saver: SqliteSaver) -> None:
    stepping(Plain, 8).compile(checkpointer=saver).invoke({"text": TEXT}, THREAD)
    plain = size(saver)
    saver.delete_thread("1")
    stepping(Delta, 8).compile(checkpointer=saver).invoke({"text": [TEXT]}, THREAD)
    assert plain > 8
    assert size(saver) < 2.1


def test_input_is_stored_a_second_time_by_way_of_start_and_once_in_a_channel_of_its_own(saver: SqliteSaver) -> None:
    graph = stepping(Delta, 3).compile(checkpointer=saver)
    graph.invoke({"text": [TEXT]}, THREAD)
    assert size(saver) > 1.9
    saver.delete_thread("1")
    entered = graph.copy({"input_channels": ["text", "branch:to:step"]})
    entered.invoke({"text": [TEXT], "branch:to:step": None}, THREAD)
    assert size(saver) < 1.1
    assert graph.get_state(THREAD).values == {"text": [TEXT], "steps": 3}


def test_channel_that_lives_for_a_step_keeps_its_value_until_the_next_input_writes_it() -> None:
    class State(TypedDict, total=False):
        query: Annotated[str | None, EphemeralValue(str)]
        seen: Annotated[list[Any], operator.add]
        last: Annotated[str, EphemeralValue(str)]

    graph: Any = StateGraph(State)
    graph.add_node("see", lambda state: {"seen": [state.get("last")], "last": "left"})
    graph.add_edge(START, "see")
    app = graph.compile(checkpointer=InMemorySaver()).copy({"input_channels": ["query", "last", "branch:to:see"]})
    app.invoke({"query": "a", "branch:to:see": None}, THREAD)
    app.invoke({"query": "b", "branch:to:see": None}, THREAD)
    assert app.get_state(THREAD).values["seen"] == [None, "left"]
    app.invoke({"query": "c", "last": None, "branch:to:see": None}, THREAD)
    assert app.get_state(THREAD).values["seen"] == [None, "left", None]


# -- fan-outs ---------------------------------------------------------------------------------------------------------


class Fan(TypedDict, total=False):
    done: Annotated[list[Any], operator.add]


def fanning(work: Callable[[Any], Any], sends: Callable[[], list[Send]], **node: Any) -> Any:
    graph = StateGraph(Fan)
    graph.add_node("fan", lambda _: Command(goto=sends()), destinations=("work",))
    graph.add_node("work", work, **node)
    graph.add_edge(START, "fan")
    return graph


def stored_answers(saver: InMemorySaver) -> int:
    return sum(channel == "done" for writes in saver.writes.values() for _, channel, _, _ in writes.values())


@pytest.mark.parametrize(("at_once", "is_stored"), [(3, False), (None, True)])
async def test_limit_of_tasks_holds_back_the_writes_of_finished_ones(at_once: int | None, is_stored: bool) -> None:
    saver, stored = InMemorySaver(), list[int]()
    numbers = itertools.count()

    async def work(_: Any) -> Any:
        number = next(numbers)
        await asyncio.sleep(0.01 * number)
        for _ in range(500):
            if is_stored and number == 7 and stored_answers(saver) - stored[0] <= 3:
                await asyncio.sleep(0.01)  # the machine may be busy
        stored.append(stored_answers(saver))
        return {"done": [number]}

    app = fanning(work, lambda: [Send("work", {}) for _ in range(12)]).compile(checkpointer=saver)
    await app.ainvoke({"done": []}, {**THREAD, "max_concurrency": at_once})
    assert (stored[7] - stored[0] > 3) is is_stored
    assert is_stored or stored[7] == stored[0]


def test_arguments_of_a_send_come_from_the_checkpoint_on_resume() -> None:
    numbers, seen = itertools.count(), list[int]()

    def work(argument: int) -> Any:
        seen.append(argument)
        if len(seen) == 1:
            raise ValueError("the first time")
        return {"done": [argument]}

    app = fanning(work, lambda: [Send("work", next(numbers))]).compile(checkpointer=InMemorySaver())
    with pytest.raises(ValueError, match="first"):
        app.invoke({"done": []}, THREAD)
    assert app.invoke(None, THREAD)["done"] == [0]
    assert seen == [0, 0]


class HeldWrites(InMemorySaver):
    """Stores no answer until it may."""

    def __init__(self) -> None:
        super().__init__()
        self.may_store, self.stored = asyncio.Event(), 0

    async def aput_writes(self, config: Any, writes: Any, *more: Any, **named: Any) -> None:
        if any(channel == "done" and value for channel, value in writes):
            await asyncio.wait_for(self.may_store.wait(), 10)
            self.stored += 1
        await super().aput_writes(config, writes, *more, **named)


class SlowToPut(InMemorySaver):
    async def aput(self, *arguments: Any, **named: Any) -> Any:
        await asyncio.sleep(0.1)
        return await super().aput(*arguments, **named)


async def test_nobody_waits_until_the_write_of_a_finished_task_is_stored() -> None:
    saver, stored = HeldWrites(), list[int]()

    async def work(argument: int) -> Any:
        await asyncio.sleep(0.03 * argument)
        stored.append(saver.stored)
        if argument == 1:
            saver.may_store.set()
        return {"done": [argument]}

    app = fanning(work, lambda: [Send("work", i) for i in range(2)]).compile(checkpointer=saver)
    await app.ainvoke({"done": []}, THREAD, durability="sync")
    assert stored == [0, 0]


@pytest.mark.parametrize(("durability", "is_stored"), [("async", False), ("sync", True)])
async def test_step_begins_before_the_one_before_it_is_stored_unless_durability_is_sync(
    durability: Any, is_stored: bool
) -> None:
    saver, stored = SlowToPut(), list[int]()

    async def work(_: int) -> Any:
        stored.append(len(list(saver.list(THREAD))))
        return {"done": [1]}

    app = fanning(work, lambda: [Send("work", 1)]).compile(checkpointer=saver)
    await app.ainvoke({"done": []}, THREAD, durability=durability)
    assert (stored == [3]) is is_stored


# -- children ---------------------------------------------------------------------------------------------------------


class Text(TypedDict, total=False):
    text: str


def parent_of(child_work: Any, given: Iterator[str], then: Callable[[], None], **node: Any) -> Any:
    child = StateGraph(Text)
    child.add_node("work", child_work)
    child.add_edge(START, "work")
    compiled = child.compile()

    def call(_: Text) -> Any:
        out = compiled.invoke({"text": next(given)})
        then()
        return out

    graph = StateGraph(Text)
    graph.add_node("call", call, **node)
    graph.add_edge(START, "call")
    return graph.compile(checkpointer=InMemorySaver())


def failing_once() -> Callable[[], None]:
    failures = iter([ConnectionError("once")])

    def fail() -> None:
        for failure in failures:
            raise failure

    return fail


def test_child_that_goes_on_ignores_a_new_input() -> None:
    fail, seen = failing_once(), list[str]()

    def work(state: Text) -> Any:
        seen.append(state["text"])
        fail()
        return {}

    app = parent_of(work, iter("ab"), lambda: None)
    with pytest.raises(ConnectionError):
        app.invoke({"text": ""}, THREAD)
    assert app.invoke(None, THREAD)["text"] == "a"
    assert seen == ["a", "a"]


@pytest.mark.parametrize("how", ["resume", "retry"])
def test_finished_child_runs_again_on_a_retry_and_not_on_a_resume(how: str) -> None:
    calls: list[str] = []
    retrying = {"retry_policy": RetryPolicy(initial_interval=0.01, jitter=False)} if how == "retry" else {}

    def work(state: Text) -> Any:
        calls.append(state["text"])
        return {}

    app = parent_of(work, iter("ab"), failing_once(), **retrying)
    if how == "resume":
        with pytest.raises(ConnectionError):
            app.invoke({"text": ""}, THREAD)
        app.invoke(None, THREAD)
    else:
        app.invoke({"text": ""}, THREAD)
    assert len(calls) == (1 if how == "resume" else 2)


# -- caches -----------------------------------------------------------------------------------------------------------


def test_cache_policy_keeps_all_that_a_node_wrote_its_place_and_its_failure_too() -> None:
    def work(argument: Any) -> Any:
        return {"done": [[argument["index"], "Error: down", time.monotonic()]]}

    policy = CachePolicy(key_func=lambda argument: argument["prompt"])
    sends = [Send("work", {"index": 0, "prompt": "x"})]
    app = fanning(work, lambda: sends, cache_policy=policy).compile(cache=InMemoryCache())
    [first] = app.invoke({"done": []})["done"]
    sends[:] = [Send("work", {"index": 7, "prompt": "x"})]
    assert app.invoke({"done": []})["done"] == [first]
