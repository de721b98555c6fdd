"""Calls of a model that fail and may work the next time are made again; others are not."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import aiohttp
import httpx
import pytest
from langchain_core.exceptions import ModelAuthenticationError, ModelConnectionError, ModelRateLimitError
from langchain_openai import ChatOpenAI
from openai import DefaultAsyncHttpxClient, DefaultHttpxClient
from pydantic import SecretStr

from langgraph_rlm import LimitExceeded, Limits, Router, create_rlm
from langgraph_rlm.asking import retries
from tests.fakes import QUERY, ScriptedModel, cell, rlm_of

GIVEN = {"query": QUERY, "context": "text"}


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "POLICY", retries.POLICY._replace(initial_interval=0.01))


def answering(*failures: Exception, code: str = "Final = llm_query('x')", **settings: Any) -> tuple[Any, ScriptedModel]:
    """An RLM whose sub-calls fail like this before they are answered."""
    left = list(failures)
    model = ScriptedModel(cell(code), answer=lambda prompt: left.pop(0) if left else prompt.upper())
    return rlm_of(model, **settings), model


def status_error(status: int) -> httpx.HTTPStatusError:
    request = httpx.Request("POST", "http://127.0.0.1/")
    return httpx.HTTPStatusError("failed", request=request, response=httpx.Response(status, request=request))


def wrapped(failure: Exception) -> Exception:
    """As packages raise what another one has told them."""
    error = RuntimeError("wrapped")
    error.__cause__ = failure
    return error


TRANSIENT = [
    ModelRateLimitError("slow down"),
    ModelConnectionError("gone"),
    ConnectionResetError("gone"),
    TimeoutError("late"),
    httpx.ReadTimeout("late"),
    status_error(429),
    status_error(503),
    wrapped(status_error(503)),
    wrapped(httpx.ReadTimeout("late")),
    aiohttp.ServerDisconnectedError("gone"),
]


@pytest.mark.parametrize("failure", TRANSIENT, ids=repr)
@pytest.mark.parametrize("is_async", [False, True])
async def test_failure_that_may_pass_is_tried_again(failure: Exception, is_async: bool) -> None:
    rlm, model = answering(failure, failure)
    out = await rlm.ainvoke(GIVEN) if is_async else rlm.invoke(GIVEN)
    assert (out["answer"], out["subcalls"], model.asked) == ("X", 1, ["x"] * 3)


@pytest.mark.parametrize(
    "failure",
    [
        ModelAuthenticationError("no key"),
        ValueError("no"),
        status_error(400),
        wrapped(status_error(400)),
        KeyError("x"),
    ],
    ids=repr,
)
def test_failure_that_stays_is_raised_in_the_code_at_once(failure: Exception) -> None:
    rlm, model = answering(
        failure, code="try:\n    llm_query('x')\nexcept RuntimeError as error:\n    Final = str(error)"
    )
    assert type(failure).__name__ in rlm.invoke(GIVEN)["answer"]
    assert model.asked == ["x"]


def test_tries_come_to_an_end() -> None:
    rlm, model = answering(*[ModelRateLimitError("slow down")] * 9, code="Final = llm_batch(['x'])")
    assert rlm.invoke(GIVEN)["answer"] == ["Error: ModelRateLimitError: slow down"]
    assert model.asked == ["x"] * retries.POLICY.max_attempts


@pytest.mark.parametrize("profile", ["rlm", "direct"])
def test_turn_of_the_root_is_tried_again_too(profile: Any) -> None:
    left = [ModelRateLimitError("slow down")] * 2

    class Failing(ScriptedModel):
        def _reply_to(self, call: Any) -> str:
            if left:
                raise left.pop()
            return super()._reply_to(call)

    model = Failing(script=[cell("Final = 'said'")], answer=lambda _: "said")
    out = create_rlm(model, router=Router(profile=profile)).invoke(GIVEN)
    assert (out["answer"], len(model.calls)) == ("said", 3)


def test_failing_root_surfaces_as_what_it_is() -> None:
    class Failing(ScriptedModel):
        def _reply_to(self, call: Any) -> str:
            raise ModelAuthenticationError("no key")

    with pytest.raises(ModelAuthenticationError, match="no key"):
        rlm_of(Failing()).invoke(GIVEN)


def test_limit_in_seconds_holds_between_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "POLICY", retries.POLICY._replace(initial_interval=0.3))
    rlm, model = answering(*[ModelRateLimitError("slow down")] * 9, limits=Limits(max_seconds=0.5, on_exceeded="raise"))
    with pytest.raises(LimitExceeded, match="max_seconds"):
        rlm.invoke(GIVEN)
    assert len(model.asked) < retries.POLICY.max_attempts


# -- over HTTP --------------------------------------------------------------------------------------------------------


@dataclass
class Provider:
    """An OpenAI-compatible server that answers its first requests with these statuses and headers."""

    statuses: list[tuple[int, dict[str, str]]]
    url: str = ""
    at: list[float] = field(default_factory=list)


@contextmanager
def serving(*statuses: tuple[int, dict[str, str]]) -> Iterator[Provider]:
    provider = Provider(list(statuses))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            provider.at.append(time.monotonic())
            self.rfile.read(int(self.headers["Content-Length"]))
            status, headers = provider.statuses.pop(0) if provider.statuses else (200, {})
            message = {"role": "assistant", "content": "said"}
            usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
            reply = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "usage": usage}
            choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
            body = json.dumps({**reply, "choices": choices} if status == 200 else {"error": {"message": "no"}}).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Type": "application/json"}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        provider.url = f"http://127.0.0.1:{server.server_port}/v1"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield provider
        server.shutdown()
        thread.join()


def chat(provider: Provider) -> ChatOpenAI:
    return ChatOpenAI(
        model="m",
        base_url=provider.url,
        api_key=SecretStr("key"),
        max_retries=0,
        default_headers={"Connection": "close"},
        http_client=DefaultHttpxClient(trust_env=False),
        http_async_client=DefaultAsyncHttpxClient(trust_env=False),
    )


def test_server_that_is_busy_or_broken_is_asked_again_and_told_pauses_are_kept() -> None:
    with serving((429, {"Retry-After": "0.4"}), (500, {}), (503, {})) as provider:
        out = create_rlm(chat(provider), router=Router(profile="direct")).invoke(GIVEN)
        assert (out["answer"], len(provider.at)) == ("said", 4)
        assert provider.at[1] - provider.at[0] >= 0.4


@pytest.mark.parametrize("answer", [(400, {}), (401, {}), (429, {"Retry-After": "3600"})], ids=str)
def test_server_that_will_not_answer_soon_is_not_asked_again(answer: Any) -> None:
    with serving(answer, answer) as provider:
        with pytest.raises(Exception, match="no"):
            create_rlm(chat(provider), router=Router(profile="direct")).invoke(GIVEN)
        assert len(provider.at) == 1
