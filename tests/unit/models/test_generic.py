"""A chat model for HTTP APIs of any form: what is sent, what is read, what fails, and what never shows."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from langchain_core.exceptions import (
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelError,
    ModelInvalidRequestError,
    ModelRateLimitError,
    ModelTimeoutError,
)
from langchain_core.load import dumps
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.tracers.run_collector import RunCollectorCallbackHandler
from langgraph.cache.memory import InMemoryCache
from pydantic import ValidationError

from langgraph_rlm import GenericChatModel, Router, create_rlm
from langgraph_rlm.asking import retries
from tests.fakes import ScriptedModel, cell, rlm_of
from tests.servers import GOODBYE, SILENCE, Asked, Reply, Server, serving

GIVEN = {"query": "How many?", "context": "a text"}
KEY = "sk-secret"


def build_payload(messages: list[BaseMessage], **parameters: Any) -> dict[str, Any]:
    return {"turns": [[message.type, message.text] for message in messages], **parameters}


def parse_response(body: dict[str, Any]) -> AIMessage:
    usage = UsageMetadata(input_tokens=7, output_tokens=2, total_tokens=9)
    return AIMessage(body["said"], usage_metadata=usage)


def model_at(url: str, /, **settings: Any) -> GenericChatModel:
    place = {"base_url": url, "path": "/talk", "model": "talker-1"}
    functions = {"build_payload": build_payload, "parse_response": parse_response}
    return GenericChatModel(**{**place, **functions, **settings})


@contextmanager
def talking(*failures: Reply) -> Iterator[Server]:
    """A server whose replies begin with failures. An RLM gets one cell, a plain call its own last message."""
    left = list(failures)

    def answer(asked: Asked) -> Reply:
        if left:
            return left.pop(0)
        turns = asked.body["turns"]
        return Reply({"said": CELL if turns[0][0] == "system" else turns[-1][1]})

    with serving(answer) as server:
        yield server


CELL = cell("Final = llm_batch(['a', 'b', 'c'])")


async def invoked(model: Any, is_async: bool) -> AIMessage:
    message: AIMessage = await model.ainvoke("hello") if is_async else model.invoke("hello")
    return message


both = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])


@both
def test_run_over_any_number_of_event_loops_and_threads_leaves_no_connection(is_async: bool) -> None:
    with talking() as server:
        model = model_at(f"{server.url}/api/", api_key=KEY, headers={"X-Team": "rlm"})
        rlm = create_rlm(model, router=Router(profile="rlm"))
        for _ in range(2):
            out = asyncio.run(rlm.ainvoke(GIVEN)) if is_async else rlm.invoke(GIVEN)
            assert out["answer"] == ["a", "b", "c"]
            assert out["usage"]["talker-1"]["total_tokens"] == 4 * 9
    assert {asked.path for asked in server.asked} == {"/api/talk"}
    assert {(asked.headers["authorization"], asked.headers["x-team"]) for asked in server.asked} == {
        (f"Bearer {KEY}", "rlm")
    }
    gc.collect()  # what is left open would tell now


@both
async def test_calls_of_a_run_share_connections(is_async: bool) -> None:
    with talking() as server:
        rlm = create_rlm(model_at(server.url), router=Router(profile="rlm"), max_concurrency=1)
        _ = await rlm.ainvoke(GIVEN) if is_async else rlm.invoke(GIVEN)
    assert len(server.asked) == 4
    assert len({asked.client for asked in server.asked}) == 1


@both
async def test_parameters_of_the_model_of_bind_and_of_the_call_reach_the_payload(is_async: bool) -> None:
    with talking() as server:
        model = model_at(server.url, temperature=0, stop=["a"]).bind(temperature=1)
        await invoked(model, is_async)
        await invoked(model.bind(stop=["b"], top_p=0.5), is_async)
    first, second = [asked.body for asked in server.asked]
    assert first == {"turns": [["human", "hello"]], "temperature": 1, "stop": ["a"]}
    assert second == {"turns": [["human", "hello"]], "temperature": 1, "stop": ["b"], "top_p": 0.5}


@both
async def test_text_alone_is_an_answer(is_async: bool) -> None:
    with talking() as server:
        message = await invoked(model_at(server.url, parse_response=lambda body: body["said"]), is_async)
    assert (message.text, message.usage_metadata) == ("hello", None)
    assert message.response_metadata["model_name"] == "talker-1"


@both
async def test_reply_is_the_only_part_of_its_stream(is_async: bool) -> None:
    with talking() as server:
        model = model_at(server.url)
        chunks = [chunk async for chunk in model.astream("hello")] if is_async else list(model.stream("hello"))
    [chunk] = chunks
    assert (chunk.text, chunk.chunk_position) == ("hello", "last")
    assert chunk.usage_metadata
    assert chunk.usage_metadata["total_tokens"] == 9


# -- failures ---------------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "POLICY", retries.POLICY._replace(initial_interval=0.01))


PASSING = {
    "429": (Reply({}, 429, {"Retry-After": "0"}), ModelRateLimitError),
    "408": (Reply({}, 408), ModelTimeoutError),
    "500": (Reply({}, 500), ModelAPIError),
    "529": (Reply({}, 529), ModelAPIError),
    "time-out": (SILENCE, ModelTimeoutError),
    "lost connection": (GOODBYE, ModelConnectionError),
}


@both
@pytest.mark.parametrize("failure", PASSING)
async def test_failure_that_may_pass_is_tried_again_by_the_run(failure: str, is_async: bool) -> None:
    reply, kind = PASSING[failure]
    with talking(reply, reply, reply) as server:
        model = model_at(server.url, timeout=0.3 if reply is SILENCE else 60)
        with pytest.raises(kind):
            await invoked(model, is_async)
        assert len(server.asked) == 1
        rlm = create_rlm(model, router=Router(profile="direct"))
        out = await rlm.ainvoke(GIVEN) if is_async else rlm.invoke(GIVEN)
    assert out["status"] == "answered"
    assert len(server.asked) == 4


STAYING = {
    "400": (Reply({"why": "no such field"}, 400), ModelInvalidRequestError, '400: {"why": "no such field"}'),
    "401": (Reply(b"who\n are you?", 401), ModelAuthenticationError, "401: who are you?"),
    "302": (Reply(b"", 302, {"Location": "/elsewhere"}), ModelError, "302 (its body is empty)."),
    "not today": (Reply(b"later", 429, {"Retry-After": "3600"}), ModelRateLimitError, "429: later"),
    "HTML": (Reply(b"<html>" + b"x" * 999), ModelError, f"200 with what is not JSON: <html>{'x' * 194}"),
    "deep": (Reply(b"[" * 99_999), ModelError, f"200 with what is not JSON: {'[' * 200}"),
    "other JSON": (
        Reply({"text": "hi"}),
        ModelError,
        '200 with what parse_response cannot read (KeyError: \'said\'): {"text": "hi"}',
    ),
}


@both
@pytest.mark.parametrize("failure", STAYING)
async def test_failure_that_stays_is_told_with_url_status_and_body(failure: str, is_async: bool) -> None:
    reply, kind, told = STAYING[failure]
    with talking(reply, reply) as server:
        rlm = create_rlm(model_at(server.url), router=Router(profile="direct"))
        with pytest.raises(kind) as caught:
            _ = await rlm.ainvoke(GIVEN) if is_async else rlm.invoke(GIVEN)
    assert str(caught.value) == f"{server.url}/talk answered {told}"
    assert type(caught.value) is kind
    assert len(server.asked) == 1


def test_reply_whose_encoding_is_broken_is_told_of() -> None:
    told = r"/talk sent a reply that cannot be read: DecodingError: "
    broken = Reply(b"no gzip", headers={"Content-Encoding": "gzip"})
    with talking(broken) as server, pytest.raises(ModelError, match=told):
        model_at(server.url).invoke("hello")


def test_parse_response_has_to_give_an_answer() -> None:
    told = "200, and parse_response gave a NoneType, not a str or an AIMessage: "
    with talking() as server, pytest.raises(ModelError, match=told):
        model_at(server.url, parse_response=lambda body: None).invoke("hello")


def test_failure_that_the_body_tells_of_is_raised_as_it_is() -> None:
    failures = [ModelRateLimitError("busy")]

    def parse(body: Any) -> str:
        if failures:
            raise failures.pop()
        return "said"

    with talking() as server:
        rlm = create_rlm(model_at(server.url, parse_response=parse), router=Router(profile="direct"))
        assert rlm.invoke(GIVEN)["answer"] == "said"
    assert len(server.asked) == 2


def test_failing_sub_call_does_not_end_the_run() -> None:
    def answer(asked: Asked) -> Reply:
        turns = asked.body["turns"]
        if turns[-1][1] == "b":
            return Reply(b"<html>")
        return Reply({"said": CELL if turns[0][0] == "system" else "yes"})

    with serving(answer) as server:
        out = create_rlm(model_at(server.url), router=Router(profile="rlm")).invoke(GIVEN)
    error = f"Error: ModelError: {server.url}/talk answered 200 with what is not JSON: <html>"
    assert out["answer"] == ["yes", error, "yes"]


# -- secrets, and what is refused -------------------------------------------------------------------------------------


def test_keys_show_nowhere() -> None:
    collector = RunCollectorCallbackHandler()
    with talking(Reply(b"no", 401)) as server:
        model = model_at(server.url, api_key=KEY, headers={"X-Key": KEY})
        with pytest.raises(ModelAuthenticationError) as caught:
            model.invoke("hello", {"callbacks": [collector]})
    [run] = collector.traced_runs
    assert server.asked[0].headers["x-key"] == KEY
    for shown in (
        repr(model),
        str(model),
        str(caught.value),
        dumps(model),
        run.model_dump_json(),
        model._get_llm_string(),
    ):
        assert KEY not in shown


ECHOES: dict[str, tuple[dict[str, Any], str, str]] = {
    "bearer": ({"api_key": KEY}, f"Incorrect API key provided: Bearer {KEY}", "Incorrect API key provided: ***"),
    "key alone": ({"api_key": KEY}, f"{KEY} or {KEY}?", "*** or ***?"),
    "at the cut": ({"api_key": KEY}, f"{'x' * 195}{KEY}", f"{'x' * 195}***"),
    "headers": ({"headers": {"X-Key": KEY, "X-Team": f"{KEY}-2"}}, f"{KEY}-2 has {KEY}", "*** has ***"),
    "scheme of its own": ({"headers": {"Authorization": f"Basic {KEY}"}}, f"no {KEY}", "no ***"),
    "escaped": ({"api_key": f'{KEY}/"\\'}, rf'{{"no": "{KEY}\/\"\\"}}', '{"no": "***"}'),
    "empty": ({"headers": {"X-Key": ""}}, "who?", "who?"),
}


@pytest.mark.parametrize("echo", ECHOES)
def test_key_that_the_server_echoes_does_not_show(echo: str) -> None:
    settings, said, told = ECHOES[echo]
    collector = RunCollectorCallbackHandler()
    with talking(Reply(said.encode(), 401)) as server, pytest.raises(ModelAuthenticationError) as caught:
        model_at(server.url, **settings).invoke("hello", {"callbacks": [collector]})
    assert str(caught.value) == f"{server.url}/talk answered 401: {told}"
    [run] = collector.traced_runs
    assert KEY not in run.model_dump_json()


def test_key_that_parse_response_stumbles_over_does_not_show() -> None:
    told = r"200 with what parse_response cannot read \(ValueError: no \*\*\*\): {\"said\": \"hello\"}"

    def parse(body: Any) -> str:
        raise ValueError(f"no {KEY}")

    with talking() as server, pytest.raises(ModelError, match=told):
        model_at(server.url, api_key=KEY, parse_response=parse).invoke("hello")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"base_url": "host/v1"}, 'a URL such as "https://host/v1"'),
        ({"base_url": f"https://me:{KEY}@host"}, "credentials belong into headers"),
        ({"base_url": f"https://host/?key={KEY}"}, "credentials belong into headers"),
        ({"base_url": "https://host:port"}, "Invalid port: 'port'"),
        ({"api_key": f"{KEY}\n"}, "Authorization: its value has spaces around it, a line break"),
        (
            {"headers": {"X-Key": f"{KEY}é"}},
            "X-Key: its value has spaces around it, a line break, or what is not ASCII",
        ),
        ({"timeout": 0}, "greater than 0"),
        ({"parse_response": None}, "callable"),
    ],
)
def test_what_cannot_be_sent_is_refused_before_it_is_without_showing_it(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as caught:
        model_at("https://host", **settings)
    assert told in str(caught.value)
    assert KEY not in str(caught.value)


class Talker:
    """Functions of other kinds than a module has."""

    def __init__(self, style: str) -> None:
        self.style = style

    def build(self, messages: list[BaseMessage], **parameters: Any) -> dict[str, Any]:
        return {**build_payload(messages, **parameters), "style": self.style}

    @classmethod
    def parse(cls, body: Any) -> str:
        return f"{cls.__name__} {body['said']}"


class Other(Talker):
    """Has the same function under the same name, which does something else."""


def styled(style: str) -> Callable[..., Any]:
    def build(messages: list[BaseMessage], **parameters: Any) -> dict[str, Any]:
        return Talker(style).build(messages, **parameters)

    return build


def told_in(style: str, messages: list[BaseMessage], **parameters: Any) -> dict[str, Any]:
    return Talker(style).build(messages, **parameters)


UNLIKE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "host": ({}, {"base_url": "http://host/v2"}),
    "path": ({}, {"path": "/v2/talk"}),
    "parameter": ({}, {"temperature": 1}),
    "parameter with the name of another thing": ({"url": "a"}, {"url": "b"}),
    "model": ({}, {"model": "talker-2"}),
    "function": ({}, {"parse_response": str}),
    "closures": ({"build_payload": styled("a")}, {"build_payload": styled("b")}),
    "lambdas": ({"parse_response": lambda body: "a"}, {"parse_response": lambda body: "b"}),
    "partials": ({"build_payload": partial(told_in, "a")}, {"build_payload": partial(told_in, "b")}),
    "methods": ({"build_payload": Talker("a").build}, {"build_payload": Talker("b").build}),
    "methods of classes": ({"parse_response": Talker.parse}, {"parse_response": Other.parse}),
    "header": ({"headers": {"X-Deployment": "1"}}, {"headers": {"X-Deployment": "2"}}),
    "names of headers": ({"headers": {"A": "1", "B": "2"}}, {"headers": {"A": "2", "B": "1"}}),
    "key": ({"api_key": "1"}, {"api_key": "2"}),
}


@pytest.mark.parametrize("difference", UNLIKE)
def test_caches_tell_models_apart_by_where_and_how_they_ask(difference: str) -> None:
    first, second = (model_at("http://host", **settings) for settings in UNLIKE[difference])
    assert first._get_llm_string() != second._get_llm_string()
    assert first._get_llm_string() == first._get_llm_string()
    changed = first.model_copy(update=dict(second))
    assert changed._get_llm_string() != first._get_llm_string()


def test_function_of_a_script_is_not_that_of_another_script(monkeypatch: pytest.MonkeyPatch) -> None:
    main = sys.modules["__main__"]
    identities = []
    for style in "ab":
        build = styled(style)
        build.__module__, build.__qualname__ = "__main__", "build_payload"
        monkeypatch.setattr(main, "build_payload", build, raising=False)
        identities.append(model_at("http://host", build_payload=build)._get_llm_string())
    assert len(set(identities)) == 2


def test_no_function_takes_the_identity_of_one_that_is_gone() -> None:
    identities = [model_at("http://host", build_payload=styled(str(n)))._get_llm_string() for n in range(50)]
    assert len(set(identities)) == 50


def test_same_model_of_another_process_is_the_same_to_caches() -> None:
    asks = "from tests.unit.models.test_generic import same; print(same())"
    seeded = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": "1"}
    done = subprocess.run([sys.executable, "-c", asks], env=seeded, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == same()


def same() -> str:
    return model_at("http://host", api_key=KEY, headers={"X-Key": KEY}, temperature=0)._get_llm_string()


STYLED: dict[str, Callable[[str], dict[str, Any]]] = {
    "closure": lambda style: {"build_payload": styled(style)},
    "header": lambda style: {"build_payload": build_payload, "headers": {"X-Deployment": style}},
}


@pytest.mark.parametrize("by", STYLED)
def test_cached_answer_is_that_of_the_model_that_is_asked(by: str) -> None:
    def answer(asked: Asked) -> Reply:
        return Reply({"said": asked.body.get("style") or asked.headers["x-deployment"]})

    cache = InMemoryCache[Any]()
    writes = ScriptedModel(cell("Final = llm_query('hello')"))
    with serving(answer) as server:
        leaves = {style: model_at(server.url, **STYLED[by](style)) for style in "ab"}
        for style in "aabb":
            assert rlm_of(writes, sub_model=leaves[style], cache=cache).invoke(GIVEN)["answer"] == style
    assert len(server.asked) == 2
