"""Connections of models that are named by a string: they scale, serve any event loop, and are closed with the run."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import openai
import pytest
from langchain_core.messages import AIMessageChunk
from langchain_openai import ChatOpenAI

import langgraph_rlm.rlm
from benchmarks.server import Server, serving
from langgraph_rlm import GenericChatModel, Limits, create_rlm
from langgraph_rlm.asking.turnstile import Turnstile
from langgraph_rlm.models import pools, resolve_model
from langgraph_rlm.models.clients import aconnected, scales
from langgraph_rlm.models.pools import SlowPool
from tests.servers import self_signed

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


def test_replies_are_streamed(server: Server, named: str) -> None:
    async def stream() -> None:
        before = connections(server)
        stream: Any = create_rlm(named).astream(GIVEN, stream_mode="messages")
        chunks = [message.text async for message, _ in stream if isinstance(message, AIMessageChunk)]
        assert "".join(chunks) == CELL + "yes" * 60
        await closed(server, before)

    asyncio.run(stream())


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


@pytest.mark.parametrize("runs", [1, 3])
def test_runs_without_an_event_loop_close_their_connections_too(server: Server, named: str, runs: int) -> None:
    rlm, before = create_rlm(named), connections(server)
    asyncio.run(fan_out(rlm, server))
    with ThreadPoolExecutor(runs) as threads:
        outputs = list(threads.map(rlm.invoke, [GIVEN] * runs))
    assert [output["answer"] for output in outputs] == [["yes"] * 60] * runs
    asyncio.run(closed(server, before))


def test_event_loops_of_several_threads_at_once_have_connections_of_their_own(server: Server, named: str) -> None:
    rlm, before = create_rlm(named), connections(server)

    def run(_: int) -> list[str]:
        answer: list[str] = asyncio.run(rlm.ainvoke(GIVEN))["answer"]
        return answer

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(run, range(8))) == [["yes"] * 60] * 8
    asyncio.run(closed(server, before))


def test_models_of_openais_kind_that_are_named_have_clients_that_scale_and_generic_ones_too(
    named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert scales(resolve_model(named))
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "http://localhost:1")
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "none")
    monkeypatch.setenv("OPENAI_API_VERSION", "2026-01-01")
    assert scales(resolve_model("azure_openai:scripted"))
    assert scales(GenericChatModel.openai("http://localhost:1/v1", "scripted"))
    instance = ChatOpenAI(model="scripted")
    assert resolve_model(instance) is instance
    assert not scales(instance)


@pytest.mark.parametrize(("base_url", "tell"), [(None, True), ("http://localhost:1/v1", None)])
def test_streams_tell_what_they_used_where_langchain_has_it_so(
    base_url: str | None, tell: bool | None, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL")
    if base_url:
        monkeypatch.setenv("OPENAI_BASE_URL", base_url)
    model: Any = resolve_model(named)
    assert model.stream_usage is tell


@pytest.mark.parametrize("variable", ["http_proxy", "OPENAI_PROXY"])
def test_proxy_of_the_environment_is_used(
    variable: str, server: Server, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server takes itself for the host that the model is at: only a proxy can get there."""
    monkeypatch.setenv(variable, server.url.removesuffix("/v1"))
    monkeypatch.setenv("OPENAI_BASE_URL", "http://nowhere.invalid/v1")
    rlm = create_rlm(named)
    asyncio.run(fan_out(rlm, server))
    assert rlm.invoke(GIVEN)["answer"] == ["yes"] * 60


def test_hosts_that_need_no_proxy_get_none(server: Server, named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://nowhere.invalid:1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    rlm = create_rlm(named)
    asyncio.run(fan_out(rlm, server))
    assert rlm.invoke(GIVEN)["answer"] == ["yes"] * 60


def test_proxy_that_aiohttp_cannot_use_is_left_to_httpx(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", "socks5://127.0.0.1:1")
    model: Any = resolve_model(named)

    async def kind() -> type:
        async with aconnected([model]):
            return type(model.http_async_client.connections.here(asyncio.get_running_loop()).client)

    assert asyncio.run(kind()) is openai.DefaultAsyncHttpxClient


@pytest.mark.skipif(not shutil.which("openssl"), reason="makes a certificate with openssl")
def test_certificates_of_the_environment_are_believed(
    named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = self_signed(tmp_path)
    with HTTPServer(("localhost", 0), Yes) as https:
        https.socket = certificate.serves(https.socket)
        threading.Thread(target=https.serve_forever, daemon=True).start()
        monkeypatch.setenv("OPENAI_BASE_URL", f"https://localhost:{https.server_port}/v1")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate.file))
        rlm = create_rlm(named)
        asked = {"query": "Is it?", "context": "a text", "profile": "direct"}
        assert rlm.invoke(asked)["answer"] == "yes"
        assert asyncio.run(rlm.ainvoke(asked))["answer"] == "yes"
        https.shutdown()


class Yes(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        choice = {"index": 0, "message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}
        reply = {"id": "1", "object": "chat.completion", "created": 1, "model": "scripted", "choices": [choice]}
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(reply).encode())

    def log_message(self, *_: object) -> None:
        """Says nothing."""


# -- clients of instances ---------------------------------------------------------------------------------------------

BUSY = "```repl\nFinal = llm_batch(['?'] * 300)\n```"


@pytest.fixture
def looking(monkeypatch: pytest.MonkeyPatch) -> SlowPool:
    """What a new process has to tell of pools, with few looks."""
    monkeypatch.setattr(pools, "PERIOD", 0.005)
    monkeypatch.setattr(pools, "LOOKS", 40)
    pool = SlowPool()
    monkeypatch.setattr(langgraph_rlm.rlm, "slow_pool", pool)
    return pool


@pytest.fixture
def slow_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """It takes 50 ms, so that many calls are in flight."""
    with serving(0.05, {"busy": [BUSY]}) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        yield server


def ask_many(client: Any, at_once: int = 150) -> None:
    """Asks 300 prompts."""

    async def ask() -> None:
        model = ChatOpenAI(model="busy", http_async_client=client)
        rlm = create_rlm(model, max_concurrency=at_once, limits=Limits(max_subcalls=1_000))
        assert (await rlm.ainvoke(GIVEN))["answer"] == ["yes"] * 300
        await client.aclose()

    asyncio.run(ask())


def with_a_slow_pool() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_connections=1_000, max_keepalive_connections=100))


def test_slow_pool_is_told_of_once(slow_server: Server, looking: SlowPool, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        ask_many(with_a_slow_pool())
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "DefaultAioHttpClient" in caplog.text


def test_pool_that_is_not_what_is_slow_is_not_told_of(
    slow_server: Server, looking: SlowPool, caplog: pytest.LogCaptureFixture
) -> None:
    ask_many(openai.DefaultAioHttpClient())
    ask_many(with_a_slow_pool(), at_once=16)
    assert not caplog.records


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
