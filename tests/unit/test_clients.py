"""Connections of models that are named by a string: they scale, serve any event loop, and are closed with the run."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import openai
import pytest
from langchain_openai import ChatOpenAI

from benchmarks.server import Server, serving
from langgraph_rlm import create_rlm
from langgraph_rlm.models import clients, resolve_model
from langgraph_rlm.models.clients import ClientPerLoop, SlowPool, openai_client
from langgraph_rlm.turnstile import Turnstile
from tests.fakes import ScriptedModel

GIVEN = {"query": "How many?", "context": "a text", "profile": "rlm"}
ESTABLISHED = "01"
CELL = "```repl\nFinal = llm_batch(['?'] * 60)\n```"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(0.0, {"scripted": [CELL]}) as server:
        yield server


@pytest.fixture
def named(server: Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """A name of a model at the server."""
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    return "openai:scripted"


def connections(server: Server) -> int:
    """Connections to the server that are open."""
    port = f"{urlsplit(server.url).port:04X}"
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(remote.endswith(f":{port}") and state == ESTABLISHED for _, _, remote, state, *_ in lines)


async def closed(server: Server, before: int) -> None:
    """Returns when no more connections are open than `before` the run: they are closed with it, not with the loop."""
    for _ in range(500):
        if connections(server) <= before:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{connections(server)} connections are open, after {before}")


async def fan_out(rlm: Any, server: Server, runs: int = 1) -> None:
    before = connections(server)  # those of sync runs, which LangChain keeps for a while
    outputs = await asyncio.gather(*(rlm.ainvoke(GIVEN) for _ in range(runs)))
    assert [output["answer"] for output in outputs] == [["yes"] * 60] * runs
    await closed(server, before)


@pytest.mark.parametrize("has_aiohttp", [True, False])
def test_one_rlm_serves_any_number_of_event_loops(
    server: Server, named: str, has_aiohttp: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not has_aiohttp:

        def missing(**options: Any) -> None:
            raise RuntimeError("To use the aiohttp client you must have installed the package with the `aiohttp` extra")

        monkeypatch.setattr(openai, "DefaultAioHttpClient", missing)
    rlm = create_rlm(named)
    for _ in range(3):
        asyncio.run(fan_out(rlm, server))
    gc.collect()  # what is left open would tell now


def test_runs_at_the_same_time_share_connections_until_the_last_has_ended(server: Server, named: str) -> None:
    asyncio.run(fan_out(create_rlm(named, max_concurrency=50), server, runs=3))


def test_connections_are_closed_when_a_run_is_left(server: Server, named: str) -> None:
    async def leave(rlm: Any) -> None:
        before = connections(server)
        stream = rlm.astream(GIVEN, stream_mode="tasks")
        async for event in stream:
            if event["name"] == "subcall" and "result" in event:
                break
        assert connections(server) > before
        await stream.aclose()
        await closed(server, before)

    asyncio.run(leave(create_rlm(named)))


def test_the_same_rlm_runs_without_an_event_loop(server: Server, named: str) -> None:
    rlm = create_rlm(named)
    asyncio.run(fan_out(rlm, server))
    assert rlm.invoke(GIVEN)["answer"] == ["yes"] * 60


def test_models_of_openais_kind_get_such_a_client(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given: Any = resolve_model(named)
    assert isinstance(given.http_async_client, ClientPerLoop)
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "http://localhost:1")
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "none")
    monkeypatch.setenv("OPENAI_API_VERSION", "2026-01-01")
    azure: Any = resolve_model("azure_openai:scripted")
    assert isinstance(azure.http_async_client, ClientPerLoop)
    monkeypatch.setenv("OPENAI_PROXY", "http://localhost:2")  # it says how to connect
    proxied: Any = resolve_model(named)
    assert not isinstance(proxied.http_async_client, ClientPerLoop)
    instance = ChatOpenAI(model="scripted")
    assert resolve_model(instance) is instance


def test_proxy_of_the_environment_is_used(server: Server, named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server takes itself for the host that the model is at: only a proxy can get there."""
    proxy = server.url.removesuffix("/v1")
    monkeypatch.setenv("HTTP_PROXY", proxy)
    monkeypatch.setenv("http_proxy", proxy)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://nowhere.invalid/v1")
    rlm = create_rlm(named)
    asyncio.run(fan_out(rlm, server))
    assert rlm.invoke(GIVEN)["answer"] == ["yes"] * 60


# -- clients of instances ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("most_in_flight", "calls", "seconds", "warns"),
    [(100, 1000, 24.0, True), (100, 1000, 3.0, False), (16, 1000, 24.0, False), (100, 0, 0.0, False)],
)
def test_slow_pool_is_told_of_where_it_is_what_is_slow(
    most_in_flight: int, calls: int, seconds: float, warns: bool, named: str, caplog: pytest.LogCaptureFixture
) -> None:
    pool = SlowPool()
    for _ in range(2):
        pool.note([ScriptedModel(), ChatOpenAI(model="scripted")], most_in_flight, calls, seconds)
    assert len(caplog.records) == warns
    assert "DefaultAioHttpClient" in caplog.text or not warns


def test_only_default_clients_of_instances_are_told_of(
    server: Server, named: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "MANY", 2)
    monkeypatch.setattr(clients, "SLOW", 0.0)
    monkeypatch.setattr(clients.slow_pool, "was_told", False)
    scaling = ChatOpenAI(model="scripted", http_async_client=openai_client())
    for model in (named, scaling, ScriptedModel("FINAL: 1")):
        asyncio.run(create_rlm(model).ainvoke(GIVEN))
    assert not caplog.records

    async def twice() -> None:
        rlm = create_rlm(ChatOpenAI(model="scripted", http_async_client=None))
        for _ in range(2):
            await rlm.ainvoke(GIVEN)

    asyncio.run(twice())
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


# -- one after the other ----------------------------------------------------------------------------------------------


async def test_one_task_passes_at_each_turn_of_the_loop() -> None:
    turnstile, passed, turns = Turnstile(), list[tuple[int, int]](), 0

    async def count() -> None:
        nonlocal turns
        while len(passed) < 5:
            await asyncio.sleep(0)
            turns += 1

    async def go(number: int) -> None:
        await turnstile.passed()
        passed.append((number, turns))

    await asyncio.gather(count(), *map(go, range(5)))
    assert [number for number, _ in passed] == [0, 1, 2, 3, 4]
    assert len({turn for _, turn in passed}) == 5
    await asyncio.wait_for(turnstile.passed(), 5)  # it is free again


async def test_task_that_is_cancelled_before_its_turn_holds_up_nobody() -> None:
    turnstile = Turnstile()
    tasks = [asyncio.ensure_future(turnstile.passed()) for _ in range(4)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    done, _ = await asyncio.wait(tasks, timeout=5)
    assert [task.cancelled() for task in tasks] == [False, True, False, False]
    assert len(done) == 4


def test_fake_server_says_what_it_is_to_say(server: Server) -> None:
    server.counts()
    client = openai.OpenAI(base_url=server.url, api_key="none")
    said = [
        client.chat.completions.create(model=name, messages=[{"role": role, "content": "hi"}])  # type: ignore[list-item, misc]
        for name, role in (("leaf", "user"), ("scripted", "system"), ("scripted", "user"))
    ]
    client.close()
    assert [reply.choices[0].message.content for reply in said] == ["yes", CELL, "yes"]
    assert server.counts() == {"leaf": 1, "scripted": 2}
