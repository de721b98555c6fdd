"""Sub-calls that were asked before are answered from LangGraph's caches."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from langgraph.cache.base import BaseCache
from langgraph.cache.memory import InMemoryCache
from langgraph.cache.redis import RedisCache
from langgraph.cache.sqlite import SqliteCache
from langgraph.checkpoint.memory import InMemorySaver

from langgraph_rlm import Limits, Router, create_rlm
from tests.fakes import QUERY, ScriptedModel, cell, rlm_of

GIVEN = {"query": QUERY, "context": "text"}


@contextmanager
def redis_server(folder: Path) -> Iterator[Any]:
    import redis

    socket = folder / "redis.sock"
    command = ["redis-server", "--port", "0", "--unixsocket", str(socket), "--dir", str(folder), "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        with redis.Redis(unix_socket_path=str(socket)) as client:
            while True:
                try:
                    client.ping()
                    break
                except redis.ConnectionError:
                    time.sleep(0.02)
            yield client
        process.terminate()


@pytest.fixture(params=["memory", "sqlite", "redis"])
def cache(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BaseCache[Any]]:
    if request.param == "memory":
        yield InMemoryCache()
    elif request.param == "sqlite":
        cache = SqliteCache[Any](path=str(tmp_path / "cache.db"))
        yield cache
        cache._conn.close()
    elif shutil.which("redis-server") is None:
        pytest.skip("no redis-server here")
    else:
        with redis_server(tmp_path) as client:
            yield RedisCache(client)


def asking(code: str = "Final = llm_batch(['x', 'y'])", **settings: Any) -> tuple[Any, ScriptedModel]:
    asked = ScriptedModel(**{"answer": str.upper, **settings.pop("model", {})})
    return rlm_of(ScriptedModel(cell(code)), sub_model=asked, **settings), asked


@pytest.mark.parametrize("is_async", [False, True])
async def test_same_sub_call_of_another_run_is_answered_from_the_cache(cache: Any, is_async: bool) -> None:
    outs = []
    for _ in range(2):
        rlm, model = asking(cache=cache)
        outs.append(await rlm.ainvoke(GIVEN) if is_async else rlm.invoke(GIVEN))
    assert [out["answer"] for out in outs] == [["X", "Y"]] * 2
    assert model.asked == []
    assert [out["subcalls"] for out in outs] == [2, 2]
    assert [out["usage"]["scripted-1"]["total_tokens"] for out in outs] == [45, 15]
    assert [call.get("cached") for call in outs[1]["trajectory"][0]["subcalls"]] == [True, True]


def test_order_and_place_of_the_prompts_do_not_matter(cache: Any) -> None:
    asking(cache=cache)[0].invoke(GIVEN)
    rlm, model = asking("a = llm_query('y')\nFinal = [a, *llm_batch(['z', 'x'])]", cache=cache)
    assert rlm.invoke(GIVEN)["answer"] == ["Y", "Z", "X"]
    assert model.asked == ["z"]


def test_child_rlm_is_answered_from_the_cache(cache: Any) -> None:
    for _ in range(2):
        model = ScriptedModel(
            script={
                "Question: root": [cell("Final = rlm_query('child', 'abc')")],
                "Question: child": [cell("Final = llm_query(P)")],
            },
            answer=str.upper,
        )
        out = rlm_of(model, cache=cache).invoke({"query": "root", "context": "text"})
        assert out["answer"] == "ABC"
    assert (len(model.turns), model.asked) == (1, [])


@pytest.mark.parametrize(
    "other",
    [
        {"model": {"reports": "another"}},
        {"model": {"tokens": (1, 1)}},
        {"name": "another_graph"},
    ],
    ids=str,
)
def test_another_model_or_graph_is_asked_itself(other: dict[str, Any]) -> None:
    cache = InMemoryCache[Any]()
    asking(cache=cache)[0].invoke(GIVEN)
    rlm, model = asking(cache=cache, **other)
    rlm.invoke(GIVEN)
    assert sorted(model.asked) == ["x", "y"]


@pytest.mark.parametrize(
    "other",
    [{"limits": Limits(max_steps=5)}, {"instructions": "Be brief."}, {"sub_model": ScriptedModel(reports="s")}],
    ids=str,
)
def test_child_of_other_settings_is_run_itself(other: dict[str, Any]) -> None:
    cache = InMemoryCache[Any]()
    for settings in ({}, other):
        model = ScriptedModel(
            script={
                "Question: root": [cell("Final = rlm_query('child', 'abc')")],
                "Question: child": [cell("Final = len(P)")],
            }
        )
        rlm_of(model, cache=cache, **settings).invoke({"query": "root", "context": "text"})
        assert len(model.turns) == 2


def test_child_that_another_model_writes_the_code_of_is_run_itself() -> None:
    cache = InMemoryCache[Any]()
    for name in "AB":
        writer = ScriptedModel(cell(f"Final = '{name}'"), reports=name)
        root = ScriptedModel(cell("Final = rlm_query('child', 'abc')"))
        rlm = create_rlm([root, writer], router=Router(profile="rlm"), cache=cache)
        assert rlm.invoke(GIVEN)["answer"] == name


def test_child_that_changes_something_is_run_each_time() -> None:
    cache, sent = InMemoryCache[Any](), list[str]()

    def send(text: str) -> str:
        """Sends."""
        sent.append(text)
        return text

    for runs in (1, 2):
        script = {QUERY: [cell("Final = rlm_query_batched(['a mail', 'a mail'])")], "": [cell("Final = send(P)")]}
        rlm = rlm_of(ScriptedModel(script=script), tools=[send], cache=cache)
        assert rlm.invoke(GIVEN)["answer"] == ["a mail"] * 2
        assert len(sent) == 2 * runs


def test_model_is_the_same_before_its_first_call_and_after() -> None:
    cache, saver, thread = InMemoryCache[Any](), InMemorySaver(), {"configurable": {"thread_id": "1"}}
    code = "Final = [llm_query('x'), llm_query('x')]"
    waiting, asked = asking(code, cache=cache, checkpointer=saver, interrupt_before=["subcall"])
    waiting.invoke(GIVEN, thread)
    waiting.invoke(None, thread)
    assert asked.asked == ["x"]
    resumed, asked = asking(code, cache=cache, checkpointer=saver)
    assert resumed.invoke(None, thread)["answer"] == ["X", "X"]
    assert asked.asked == []


class LosesWrites(InMemorySaver):
    """Is killed before it stores the first answer."""

    lost = False

    def put_writes(self, config: Any, writes: Any, *arguments: Any, **named: Any) -> None:
        if not self.lost and any(channel == "asked" for channel, _ in writes):
            self.lost = True
            raise KeyboardInterrupt
        super().put_writes(config, writes, *arguments, **named)


def test_answer_that_the_cache_has_and_the_state_lost_counts_as_paid() -> None:
    cache, saver, thread = InMemoryCache[Any](), LosesWrites(), {"configurable": {"thread_id": "1"}}
    rlm, asked = asking("Final = llm_query('x')", cache=cache, checkpointer=saver)
    with pytest.raises(KeyboardInterrupt):
        rlm.invoke(GIVEN, thread)
    out = rlm.invoke(None, thread)
    assert (out["answer"], asked.asked) == ("X", ["x"])
    assert out["usage"]["scripted-1"]["total_tokens"] == 30


def test_answer_of_another_thread_costs_this_one_nothing() -> None:
    """Where the first thing that a thread asks is asked by the task that ran its code."""
    cache, saver = InMemoryCache[Any](), InMemorySaver()
    outs = [
        asking("Final = llm_query('x')", cache=cache, checkpointer=saver)[0].invoke(
            GIVEN, {"configurable": {"thread_id": name}}
        )
        for name in "ab"
    ]
    assert [out["usage"]["scripted-1"]["total_tokens"] for out in outs] == [30, 15]


def test_failure_is_not_kept() -> None:
    cache, failing = InMemoryCache[Any](), [ValueError("down")]
    rlm, model = asking(
        "Final = llm_batch(['x'])[0]",
        cache=cache,
        model={"answer": lambda prompt: failing.pop() if failing else prompt.upper()},
    )
    assert rlm.invoke(GIVEN)["answer"] == "Error: ValueError: down"
    assert rlm.invoke(GIVEN)["answer"] == "X"
    assert model.asked == ["x", "x"]


def test_answer_of_a_child_at_its_limit_is_not_kept() -> None:
    cache = InMemoryCache[Any]()
    for _ in range(2):
        model = ScriptedModel(
            script={
                "Question: root": [cell("Final = rlm_query('child', 'abc')")],
                "Question: child": [cell("a = 1"), cell("Final = 2")],
            }
        )
        out = rlm_of(model, cache=cache, limits=Limits(max_steps=1)).invoke({"query": "root", "context": "text"})
        assert out["answer"] == "2"
        assert len(model.turns) == 3


@pytest.mark.parametrize("is_async", [False, True])
async def test_identical_sub_calls_in_flight_are_asked_once(is_async: bool) -> None:
    code = "Final = llm_batch(['x'] * 5 + ['y']) + [llm_query('z') for _ in range(3)]"
    rlm, model = asking(code, cache=InMemoryCache[Any](), model={"latency": 0.1})
    out = await rlm.ainvoke(GIVEN) if is_async else rlm.invoke(GIVEN)
    assert out["answer"] == ["X"] * 5 + ["Y"] + ["Z"] * 3
    assert sorted(model.asked) == ["x", "y", "z"]
    assert out["usage"]["scripted-1"]["total_tokens"] == 60
    assert out["subcalls"] == 9


@pytest.mark.parametrize("is_async", [False, True])
async def test_sub_call_that_failed_in_flight_is_asked_by_the_others_themselves(is_async: bool) -> None:
    failing = [ValueError("down")]
    answer = {"answer": lambda prompt: failing.pop() if failing else prompt.upper(), "latency": 0.05}
    rlm, model = asking("Final = llm_batch(['x'] * 4)", cache=InMemoryCache[Any](), model=answer)
    out = await rlm.ainvoke(GIVEN) if is_async else rlm.invoke(GIVEN)
    assert sorted(out["answer"]) == ["Error: ValueError: down", "X", "X", "X"]
    assert len(model.asked) == 2


async def test_cancelled_sub_call_lets_nobody_wait_for_ever() -> None:
    rlm, model = asking("Final = llm_batch(['x'] * 4)", cache=InMemoryCache[Any](), model={"latency": 30})
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(rlm.ainvoke(GIVEN), 0.5)
    assert model.asked == ["x"]


def test_without_a_cache_equal_prompts_are_separate_calls() -> None:
    rlm, model = asking("Final = [llm_query('x') for _ in range(3)] + llm_batch(['x'] * 2)")
    assert rlm.invoke(GIVEN)["answer"] == ["X"] * 5
    assert model.asked == ["x"] * 5


class BrokenCache(InMemoryCache[Any]):
    def get(self, keys: Any) -> Any:
        raise ConnectionError("no cache here")

    def set(self, keys: Any) -> None:
        raise ConnectionError("no cache here")


def test_broken_cache_costs_money_and_not_the_run(caplog: pytest.LogCaptureFixture) -> None:
    rlm, model = asking(cache=BrokenCache())
    assert rlm.invoke(GIVEN)["answer"] == ["X", "Y"]
    assert "no cache here" in caplog.text
    assert sorted(model.asked) == ["x", "y"]
