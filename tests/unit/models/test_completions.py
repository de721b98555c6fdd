"""Chat completions of models that are named by a string: as those of LangChain's own client, at less cost."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import openai
import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import AzureChatOpenAI, ChatOpenAI
from openai.resources.chat.completions import AsyncCompletions, Completions
from pydantic import BaseModel

from langgraph_rlm.asking.retries import is_transient, retry_after
from langgraph_rlm.models import resolve_model
from langgraph_rlm.models.clients import aconnected, connected, openai_clients

YES = {"role": "assistant", "content": "yes"}
USED = {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}


def reply(message: object = YES, end: object = "stop", **more: object) -> dict[str, Any]:
    choice = {"index": 0, "message": message, "finish_reason": end}
    said = {"id": "1", "object": "chat.completion", "created": 1, "model": "it", "choices": [choice], "usage": USED}
    return {**said, **more}


@dataclass
class Speaking:
    """A server: what it was sent, and what it answers."""

    url: str = ""
    asked: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    body: str = json.dumps(reply())


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Speaking]:
    speaking = Speaking()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            speaking.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}, asked))
            self.send_response(speaking.status)
            for name, value in {**speaking.headers, "Content-Length": str(len(speaking.body.encode()))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(speaking.body.encode())

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        speaking.url = f"http://127.0.0.1:{http.server_port}"
        monkeypatch.setenv("OPENAI_BASE_URL", f"{speaking.url}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", speaking.url)
        monkeypatch.setenv("AZURE_OPENAI_API_KEY", "none")
        monkeypatch.setenv("OPENAI_API_VERSION", "2026-01-01")
        yield speaking
        http.shutdown()
        thread.join()


def named(name: str = "openai:it", **settings: Any) -> Any:
    """A model as a run has it."""
    model: Any = resolve_model(name)
    for setting, value in settings.items():
        setattr(model, setting, value)
    return model


def own(kind: type = ChatOpenAI, **settings: Any) -> Any:
    """A model as LangChain has it, with the same clients."""
    return kind(model="it", max_retries=0, **openai_clients(), **settings)


Use = Callable[[Any], Any]


def outcome(model: Any, use: Use) -> list[Any]:
    """What comes of the use of a model, from a thread and from an event loop: replies or failures."""

    async def ainvoke() -> Any:
        async with aconnected([model]):
            return await use(model).ainvoke(CONVERSATION)

    def invoke() -> Any:
        with connected([model]):
            return use(model).invoke(CONVERSATION)

    outcomes = []
    for call in (invoke, lambda: asyncio.run(ainvoke())):
        try:
            outcomes.append(call())
        except Exception as failure:
            outcomes.append(failure)
    return outcomes


def told(outcomes: list[Any]) -> list[Any]:
    """The same, to compare: without the ids of runs."""
    return [
        reply.model_dump(exclude={"id"}) if isinstance(reply, AIMessage) else (type(reply), str(reply))
        for reply in outcomes
    ]


@tool
def count(text: str, words: list[str]) -> int:
    """Counts words."""
    return sum(map(text.count, words))


CALL = {"name": "count", "args": {"text": "é", "words": ["a"]}, "id": "call-1", "type": "tool_call"}
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
CONVERSATION = [
    SystemMessage("You count."),
    HumanMessage([{"type": "text", "text": "How many? ✓"}, PICTURE]),
    AIMessage("", tool_calls=[CALL]),
    ToolMessage("3", tool_call_id="call-1"),
    HumanMessage("Sure?", name="someone"),
]


class Answer(BaseModel):
    answer: str


USES: list[Use] = [
    lambda model: model,
    lambda model: model.bind_tools([count], tool_choice="count", parallel_tool_calls=False, strict=True),
    lambda model: model.bind(stop=["."], max_tokens=3, temperature=0.5, logit_bias={"1": 2}, seed=None),
    lambda model: model.bind(extra_body={"top_k": 1}, extra_headers={"X-Mine": "1"}, prediction={"type": "content"}),
    lambda model: model.bind(extra_query={"a": "b"}, timeout=3.5),
    lambda model: model.bind(prediction=Answer(answer="a"), modalities=("text",)),
    lambda model: model.bind(functions=iter([{"name": "f", "parameters": {}}])),
    lambda model: model.bind(unheard_of=1),
    lambda model: model.bind(response_format={"type": "json_object"}),
]


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize(("name", "kind"), [("openai:it", ChatOpenAI), ("azure_openai:it", AzureChatOpenAI)])
def test_servers_are_asked_the_same(name: str, kind: type, use: Use, server: Speaking) -> None:
    assert told(outcome(named(name), use)) == told(outcome(own(kind), use))
    asked = [
        (path, {name: value for name, value in headers.items() if name != "x-stainless-async"}, body)
        for path, headers, body in server.asked
    ]
    for _, headers, _ in asked:
        for once in ("content-length", "user-agent", "x-stainless-helper-method", "idempotency-key"):
            headers.pop(once, None)
    assert asked[: len(asked) // 2] == asked[len(asked) // 2 :]


REPLIES = [
    reply(),
    reply(service_tier="flex", system_fingerprint="f"),
    reply({**YES, "reasoning_content": "hm", "refusal": None}, usage={**USED, "cost": 0.1}, provider="p"),
    reply({**YES, "content": None, "refusal": "no"}, "content_filter"),
    reply(
        {
            **YES,
            "content": None,
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{"}}],
        },
        "tool_calls",
        usage={**USED, "prompt_tokens_details": {"cached_tokens": 2}, "completion_tokens_details": None},
    ),
    reply(choices=[{"message": YES}], usage=None, object="chat", created=1.5),  # as no documentation has it
    reply(end="unheard of"),
    reply(usage={**USED, "cost": "3"}, system_fingerprint=7),
    reply(usage={**USED, "prompt_tokens": "3"}),
    reply(choices=None),
    reply(choices=[]),
    {"error": {"message": "busy"}},
    {},
]


@pytest.mark.parametrize("said", REPLIES)
def test_replies_are_taken_as_langchain_takes_them(said: object, server: Speaking) -> None:
    server.body = json.dumps(said)
    assert told(outcome(named(), lambda model: model)) == told(outcome(own(), lambda model: model))


@pytest.mark.parametrize("kind", ["text/html", "text/plain"])
@pytest.mark.parametrize("body", [json.dumps(reply()), "<html>"])
def test_replies_that_are_not_called_json_are_taken_so_too(kind: str, body: str, server: Speaking) -> None:
    server.headers, server.body = {"Content-Type": kind}, body
    assert told(outcome(named(), lambda model: model)) == told(outcome(own(), lambda model: model))


@pytest.mark.parametrize("status", [400, 401, 404, 408, 409, 422, 429, 500, 503])
def test_failures_say_what_they_say_to_langchain(status: int, server: Speaking) -> None:
    server.status, server.headers["Retry-After"] = status, "7"
    server.body = json.dumps({"error": {"message": "too long", "code": "context_length_exceeded"}})
    failures = outcome(named(), lambda model: model)
    assert told(failures) == told(outcome(own(), lambda model: model))
    for failure in failures:
        assert isinstance(failure, openai.APIStatusError)
        assert failure.response.status_code == status
        assert failure.body == {"message": "too long", "code": "context_length_exceeded"}
        assert retry_after(failure) == 7.0
    assert [is_transient(failure) for failure in failures] == [status not in (400, 401, 404, 409, 422)] * 2
    assert len(server.asked) == 4  # nobody tried again


def test_client_that_is_to_try_again_does(server: Speaking) -> None:
    server.status, server.headers["Retry-After-Ms"] = 429, "1"
    model = named()
    model.root_client = model.root_client.with_options(max_retries=2)
    client: Any = type(model.client)(model.root_client)
    with pytest.raises(openai.RateLimitError):
        client.create(model="it", messages=[{"role": "user", "content": "?"}])
    assert [headers["x-stainless-retry-count"] for _, headers, _ in server.asked] == ["0", "1", "2"]


def test_lost_connections_are_told(server: Speaking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    for failure in outcome(named(), lambda model: model):
        assert isinstance(failure, openai.APIConnectionError)
        assert is_transient(failure)


def test_calls_that_are_left_or_late_are_ended(server: Speaking) -> None:
    async def leave() -> None:
        async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            came.set()
            await reader.read(-1)  # until the connection is closed
            writer.close()
            await writer.wait_closed()
            gone.set_result(None)

        came, gone = asyncio.Event(), asyncio.get_running_loop().create_future()
        async with await asyncio.start_server(never, "127.0.0.1", 0) as silent:
            client = openai.AsyncOpenAI(
                api_key="none", base_url=f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}", max_retries=0
            )
            model = named()
            asking = asyncio.create_task(type(model.async_client)(client).create(model="it", messages=[]))
            await came.wait()
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            await gone
            gone = asyncio.get_running_loop().create_future()
            late = type(model.async_client)(client.with_options(timeout=0.05))
            with pytest.raises(openai.APITimeoutError):
                await late.create(model="it", messages=[])
            await gone
            await client.close()

    asyncio.run(leave())


def test_streams_are_the_same(server: Speaking) -> None:
    chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "it", "choices": []}
    parts: list[dict[str, Any]] = [
        {"choices": [{"index": 0, "delta": YES, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {"content": "!"}, "finish_reason": "stop"}]},
        {"usage": USED},
    ]
    server.headers["Content-Type"] = "text/event-stream"
    server.body = "".join(
        f"data: {said}\n\n" for said in [*(json.dumps({**chunk, **part}) for part in parts), "[DONE]"]
    )

    def stream(model: Any) -> list[Any]:
        async def astream() -> list[Any]:
            async with aconnected([model]):
                return [part async for part in model.astream(CONVERSATION)]

        chunks: list[list[AIMessageChunk]] = [list(model.stream(CONVERSATION)), asyncio.run(astream())]
        assert ["".join(part.text for part in parts) for parts in chunks] == ["yes!"] * 2
        assert [parts[-1].response_metadata for parts in chunks]
        return [[part.model_dump(exclude={"id"}) for part in parts] for parts in chunks]

    options: list[dict[str, Any]] = [{}, {"stream_usage": True}, {"include_response_headers": True}]
    for settings in options:
        assert [len(parts) for parts in stream(named(**settings))] == [len(parts) for parts in stream(own(**settings))]
    assert [body for _, _, body in server.asked[:2]] == [body for _, _, body in server.asked[2:4]]


def test_headers_of_a_reply_are_told_to_whom_asks(server: Speaking) -> None:
    server.headers["X-Request-Id"] = "request-1"
    for message in outcome(named(include_response_headers=True), lambda model: model):
        assert message.response_metadata["headers"]["x-request-id"] == "request-1"


@pytest.mark.parametrize("method", ["function_calling", "json_schema", "json_mode"])
def test_structured_output_is_had_by_each_method(method: str, server: Speaking) -> None:
    arguments = json.dumps({"answer": "3"})
    call = {"id": "c", "type": "function", "function": {"name": "Answer", "arguments": arguments}}
    by_call = method == "function_calling"
    server.body = json.dumps(reply({**YES, "content": arguments, **({"tool_calls": [call]} if by_call else {})}))
    answers = outcome(named(), lambda model: model.with_structured_output(Answer, method=method))
    assert answers == [Answer(answer="3")] * 2


def test_responses_api_is_left_as_it_is(server: Speaking) -> None:
    text = {"type": "output_text", "text": "yes", "annotations": []}
    message = {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [text]}
    said = {"id": "r", "object": "response", "created_at": 1, "model": "it", "output": [message], "status": "completed"}
    more = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "error": None, "metadata": {}}
    server.body = json.dumps({**said, **more})
    assert [reply.text for reply in outcome(named(use_responses_api=True), lambda model: model)] == ["yes"] * 2
    assert {path for path, _, _ in server.asked} == {"/v1/responses"}


def test_instances_keep_what_they_have(server: Speaking) -> None:
    model: Any = own()
    resolve_model(model)
    assert (type(model.client), type(model.async_client)) == (Completions, AsyncCompletions)


def test_who_watches_the_packages_own_function_sees_each_call(
    server: Speaking, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, seen = named(), []
    for kind in (Completions, AsyncCompletions):
        create: Any = kind.create

        def watching(self: Any, *, create: Any = create, **request: Any) -> Any:
            seen.append(request["model"])
            return create(self, **request)

        monkeypatch.setattr(kind, "create", watching)
    assert [reply.text for reply in outcome(model, lambda model: model)] == ["yes"] * 2
    assert seen == ["it"] * 2


def test_call_takes_far_fewer_steps(server: Speaking) -> None:
    """Steps are calls of Python functions: they are the same each time, on every machine."""

    def steps(call: Callable[[], Any]) -> int:
        count = 0

        def step(frame: object, event: str, argument: object) -> None:
            nonlocal count
            count += event == "call"

        call()
        sys.setprofile(step)
        try:
            call()
        finally:
            sys.setprofile(None)
        return count

    def ask(model: Any, loop: asyncio.Runner) -> list[int]:
        return [
            steps(lambda: model.invoke([HumanMessage("?")])),
            steps(lambda: loop.run(model.ainvoke([HumanMessage("?")]))),
        ]

    with asyncio.Runner() as loop:
        less, more = named(), own()
        with connected([less, more]):
            counted = list(zip(ask(less, loop), ask(more, loop), strict=True))
        for model in (less, more):
            loop.run(model.http_async_client.connections.here(loop.get_loop()).client.aclose())
    assert all(few < 0.66 * many for few, many in counted), counted
