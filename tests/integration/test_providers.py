"""Each provider's adapter against a server that speaks its wire format: requests, replies, streams and failures."""

from __future__ import annotations

import asyncio
import gc
import json
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from Crypto.PublicKey import RSA
from langchain_anthropic import ChatAnthropic
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, HumanMessage, SystemMessage
from langchain_google_genai import ChatGoogleGenerativeAI
from langchain_ollama import ChatOllama
from langchain_openai import AzureChatOpenAI, ChatOpenAI

from langgraph_rlm import GenericChatModel, Router, create_rlm
from langgraph_rlm.asking import retries
from tests.fakes import cell
from tests.servers import GOODBYE, SILENCE, Asked, Reply, serving

# What their clients do on their own: aiohttp discourages google-genai's way to use it, LangChain reads the reply of a
# failure without awaiting it, and connections are kept until the client is collected.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Inheritance class Aiohttp:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:coroutine 'ClientResponse.json':RuntimeWarning"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]

Messages = list[tuple[str, str]]
"""Roles (system, user, assistant) and texts."""
READ, WRITTEN = 7, 2
"""Tokens of each call."""


@dataclass(frozen=True)
class Wire:
    """A provider's wire format, and how to get its model."""

    name: str
    """As `create_rlm` takes it."""
    environ: Mapping[str, str]
    """What is set for it. `{url}` is the server's."""
    path: str
    streams_at: str
    headers: Mapping[str, str]
    """What each request has to have: regular expressions of a name and of its value."""
    messages: Callable[[Any], Messages]
    """What is asked, of the body of a request."""
    reply: Callable[[str], Any]
    """The body of a reply with that text."""
    stream: Callable[[Sequence[str], Any], Reply]
    """The parts of a text, streamed, for the body of a request."""
    error: Callable[[int, str], Any]
    """The body of a failure, of its status and what it says."""
    instance: Callable[[str, float], BaseChatModel]
    """Of the server's URL and seconds until a time-out: a model that does not try again itself."""
    reports: str = "model-1"
    """The name that replies give."""
    is_named: bool = True
    """Whether its name is one for `create_rlm`, which takes an instance else."""
    is_streamed: bool = True
    """Whether a stream has its parts as the server sends them."""

    def answer(self, asked: Asked) -> Reply:
        """Plays the model: an RLM gets its cells one after the other, a plain call its own last message."""
        messages = self.messages(asked.body)
        turn = sum(role == "assistant" for role, _ in messages)
        text = CELLS[turn] if messages[0][0] == "system" else messages[-1][1]
        if asked.path == self.streams_at and (self.streams_at != self.path or asked.body.get("stream")):
            return self.stream([text[:10], text[10:]], asked.body)
        return Reply(self.reply(text))


CELLS = [cell("print(len(P))"), cell("Final = llm_batch(['Say yes.'])")]
TIMEOUT = 0.3
"""Seconds: the server answers at once, or never."""
GIVEN = {"query": "How many?", "context": "a text"}


def sse(*events: tuple[str | None, Any]) -> Reply:
    """Server-sent events, each in a chunk of its own: names where they have one, and data."""
    named = [(f"event: {name}\n" if name else "", data) for name, data in events]
    parts = [f"{name}data: {data if isinstance(data, str) else json.dumps(data)}\n\n" for name, data in named]
    return Reply([part.encode() for part in parts], content_type="text/event-stream")


# -- OpenAI, and who speaks like it -----------------------------------------------------------------------------------


def openai_messages(body: Any) -> Messages:
    return [(message["role"], message["content"]) for message in body["messages"]]


OPENAI_USAGE = {"prompt_tokens": READ, "completion_tokens": WRITTEN, "total_tokens": READ + WRITTEN}


def openai_reply(text: str) -> Any:
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    reply = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "model-1", "choices": [choice]}
    return {**reply, "usage": OPENAI_USAGE}


def openai_stream(texts: Sequence[str], body: Any) -> Reply:
    kind = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "model-1"}
    deltas = [{"role": "assistant", "content": ""}, *({"content": text} for text in texts)]
    choices = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    end = {"index": 0, "delta": {}, "finish_reason": "stop"}
    chunks = [{**kind, "choices": [choice]} for choice in [*choices, end]]
    if body.get("stream_options", {}).get("include_usage"):
        chunks.append({**kind, "choices": [], "usage": OPENAI_USAGE})
    return sse(*((None, chunk) for chunk in [*chunks, "[DONE]"]))


def openai_error(status: int, told: str) -> Any:
    return {"error": {"message": told, "type": "error", "param": None, "code": str(status)}}


def openai_instance(url: str, timeout: float) -> BaseChatModel:
    return ChatOpenAI(model="model-1", base_url=f"{url}/v1", timeout=timeout, max_retries=0, stream_usage=True)


def generic_instance(url: str, timeout: float) -> BaseChatModel:
    return GenericChatModel.openai(f"{url}/v1", "model-1", api_key="the-key", timeout=timeout)


def azure_instance(url: str, timeout: float) -> BaseChatModel:
    return AzureChatOpenAI(model="deployed", azure_endpoint=url, timeout=timeout, max_retries=0)


OPENAI = Wire(
    name="openai:model-1",
    environ={"OPENAI_BASE_URL": "{url}/v1", "OPENAI_API_KEY": "the-key"},
    path="/v1/chat/completions",
    streams_at="/v1/chat/completions",
    headers={"authorization": "Bearer the-key"},
    messages=openai_messages,
    reply=openai_reply,
    stream=openai_stream,
    error=openai_error,
    instance=openai_instance,
)
GENERIC = replace(
    OPENAI, name="generic:model-1", environ={}, instance=generic_instance, is_named=False, is_streamed=False
)
AZURE_PATH = "/openai/deployments/deployed/chat/completions?api-version=2026-01-01"
AZURE = Wire(
    name="azure_openai:deployed",
    environ={
        "AZURE_OPENAI_ENDPOINT": "{url}",
        "AZURE_OPENAI_API_KEY": "the-key",
        "OPENAI_API_VERSION": "2026-01-01",
    },
    path=AZURE_PATH,
    streams_at=AZURE_PATH,
    headers={"api-key": "the-key"},
    messages=openai_messages,
    reply=openai_reply,
    stream=openai_stream,
    error=openai_error,
    instance=azure_instance,
)


# -- Anthropic --------------------------------------------------------------------------------------------------------


def anthropic_messages(body: Any) -> Messages:
    def text(content: Any) -> str:
        return content if isinstance(content, str) else "".join(block["text"] for block in content)

    assert body["max_tokens"] > 0
    system = [("system", text(body["system"]))] if "system" in body else []
    return [*system, *((message["role"], text(message["content"])) for message in body["messages"])]


ANTHROPIC_USAGE = {"input_tokens": READ, "output_tokens": WRITTEN}


def anthropic_message(text: str) -> Any:
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "model-1"}
    content = [{"type": "text", "text": text}]
    return {**message, "content": content, "stop_reason": "end_turn", "stop_sequence": None, "usage": ANTHROPIC_USAGE}


def anthropic_stream(texts: Sequence[str], body: Any) -> Reply:
    begun = {**anthropic_message(""), "content": [], "stop_reason": None, "usage": {"input_tokens": READ}}
    deltas = [{"index": 0, "delta": {"type": "text_delta", "text": text}} for text in texts]
    events: list[tuple[str, Any]] = [
        ("message_start", {"message": {**begun, "usage": {**ANTHROPIC_USAGE, "output_tokens": 0}}}),
        ("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}),
        *(("content_block_delta", delta) for delta in deltas),
        ("content_block_stop", {"index": 0}),
        ("message_delta", {"delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": ANTHROPIC_USAGE}),
        ("message_stop", {}),
    ]
    return sse(*((name, {"type": name, **data}) for name, data in events))


def anthropic_instance(url: str, timeout: float) -> BaseChatModel:
    return ChatAnthropic(model_name="model-1", base_url=url, timeout=timeout, max_retries=0, stop=None)


ANTHROPIC = Wire(
    name="anthropic:model-1",
    environ={"ANTHROPIC_BASE_URL": "{url}", "ANTHROPIC_API_KEY": "the-key"},
    path="/v1/messages",
    streams_at="/v1/messages",
    headers={"authorization|x-api-key": "(Bearer )?the-key", "anthropic-version": r"\d{4}-\d\d-\d\d"},
    messages=anthropic_messages,
    reply=anthropic_message,
    stream=anthropic_stream,
    error=lambda status, told: {"type": "error", "error": {"type": "error", "message": told}},
    instance=anthropic_instance,
)


# -- Ollama -----------------------------------------------------------------------------------------------------------


def ollama_stream(texts: Sequence[str], body: Any) -> Reply:
    kind = {"model": "model-1", "created_at": "2026-01-01T00:00:00Z"}
    parts = [{**kind, "message": {"role": "assistant", "content": text}, "done": False} for text in texts]
    counts = {"total_duration": 3, "load_duration": 1, "prompt_eval_count": READ, "eval_count": WRITTEN}
    end = {**kind, "message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop", **counts}
    return Reply([json.dumps(part).encode() + b"\n" for part in [*parts, end]], content_type="application/x-ndjson")


OLLAMA = Wire(
    name="ollama:model-1",
    environ={"OLLAMA_HOST": "{url}"},
    path="/api/chat",
    streams_at="/api/chat",
    headers={},
    messages=openai_messages,
    reply=lambda text: pytest.fail("it is asked to stream"),
    stream=ollama_stream,
    error=lambda status, told: {"error": told},
    instance=lambda url, timeout: ChatOllama(model="model-1", base_url=url, client_kwargs={"timeout": timeout}),
)


# -- Google -----------------------------------------------------------------------------------------------------------

ROLES = {"user": "user", "model": "assistant"}


def google_messages(body: Any) -> Messages:
    def text(content: Any) -> str:
        return "".join(part["text"] for part in content["parts"])

    system = [("system", text(body["systemInstruction"]))] if "systemInstruction" in body else []
    return [*system, *((ROLES[content["role"]], text(content)) for content in body["contents"])]


def google_reply(text: str) -> Any:
    content = {"role": "model", "parts": [{"text": text}]}
    used = {"promptTokenCount": READ, "candidatesTokenCount": WRITTEN, "totalTokenCount": READ + WRITTEN}
    candidate = {"content": content, "finishReason": "STOP", "index": 0}
    return {"candidates": [candidate], "usageMetadata": used, "modelVersion": "model-1", "responseId": "1"}


def google_stream(texts: Sequence[str], body: Any) -> Reply:
    def part(text: str) -> Any:
        reply = google_reply(text)
        del reply["candidates"][0]["finishReason"], reply["usageMetadata"]
        return reply

    return sse(*((None, part(text)) for text in texts[:-1]), (None, google_reply(texts[-1])))


def google_error(status: int, told: str) -> Any:
    name = "RESOURCE_EXHAUSTED" if status == 429 else "INTERNAL"
    return {"error": {"code": status, "message": told, "status": name}}


def gemini_instance(url: str, timeout: float) -> BaseChatModel:
    return ChatGoogleGenerativeAI(model="model-1", base_url=url, timeout=timeout, max_retries=0)


def vertexai_instance(url: str, timeout: float) -> BaseChatModel:
    where = {"vertexai": True, "project": "project-1", "location": "europe-west4"}
    return ChatGoogleGenerativeAI(model="model-1", base_url=url, timeout=timeout, max_retries=0, **where)


GEMINI = Wire(
    name="google_genai:model-1",
    environ={"GOOGLE_GEMINI_BASE_URL": "{url}", "GOOGLE_API_KEY": "the-key"},
    path="/v1beta/models/model-1:generateContent",
    streams_at="/v1beta/models/model-1:streamGenerateContent?alt=sse",
    headers={"x-goog-api-key": "the-key"},
    messages=google_messages,
    reply=google_reply,
    stream=google_stream,
    error=google_error,
    instance=gemini_instance,
)
VERTEXAI_PATH = "/v1beta1/projects/project-1/locations/europe-west4/publishers/google/models/model-1"
VERTEXAI = Wire(
    name="google_vertexai:model-1",
    environ={
        "GOOGLE_VERTEX_BASE_URL": "{url}",
        "GOOGLE_CLOUD_PROJECT": "project-1",
        "GOOGLE_CLOUD_LOCATION": "europe-west4",
        "GOOGLE_APPLICATION_CREDENTIALS": "account.json",
    },
    path=f"{VERTEXAI_PATH}:generateContent",
    streams_at=f"{VERTEXAI_PATH}:streamGenerateContent?alt=sse",
    headers={"authorization": "Bearer token"},
    messages=google_messages,
    reply=google_reply,
    stream=google_stream,
    error=google_error,
    instance=vertexai_instance,
)

WIRES = [OPENAI, GENERIC, AZURE, ANTHROPIC, OLLAMA, GEMINI, VERTEXAI]
VARIABLES = ["GEMINI_API_KEY", "GOOGLE_GENAI_USE_VERTEXAI", "ANTHROPIC_API_URL", "OPENAI_API_BASE", "OLLAMA_API_KEY"]


@pytest.fixture(autouse=True)
def _collected(_only_what_is_new: None) -> Iterator[None]:
    """What a test leaves open or unawaited is told of here, where it is known, and not between two tests."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def _only_what_is_new() -> Iterator[None]:
    """Collecting takes milliseconds: of what was there before, nothing is looked at."""
    gc.freeze()
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.unfreeze()
        gc.collect()


@pytest.fixture(scope="module")
def private_key() -> str:
    return RSA.generate(2048).export_key(pkcs=8).decode()


@pytest.fixture(params=WIRES, ids=lambda wire: wire.name.partition(":")[0])
def wire(request: pytest.FixtureRequest) -> Wire:
    provider: Wire = request.param
    return provider


@dataclass
class Provider:
    """A running server of a provider. Turns of an RLM begin with `failures`, sub-calls with those of their own."""

    wire: Wire
    url: str = ""
    failures: list[Reply] = field(default_factory=list)
    failures_of_sub_calls: list[Reply] = field(default_factory=list)
    calls: list[Asked] = field(default_factory=list)
    """What the model was asked."""

    @property
    def model(self) -> BaseChatModel | str:
        """What `create_rlm` takes."""
        return self.wire.name if self.wire.is_named else self.wire.instance(self.url, 60)

    def answer(self, asked: Asked) -> Reply:
        """What the model says; first come the failures."""
        if asked.path == "/token":
            return Reply({"access_token": "token", "expires_in": 3600, "token_type": "Bearer"})
        self.calls.append(asked)
        turns = [role for role, _ in self.wire.messages(asked.body)]
        failures = self.failures if turns[0] == "system" else self.failures_of_sub_calls
        return failures.pop(0) if failures else self.wire.answer(asked)


@pytest.fixture
def provider(
    wire: Wire, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Provider]:
    """A server of the provider, with an environment that leads to it."""
    monkeypatch.setattr(retries, "POLICY", retries.POLICY._replace(initial_interval=0.01))
    monkeypatch.chdir(tmp_path)
    provider = Provider(wire)
    with serving(provider.answer) as server:
        provider.url = server.url
        for name in [*VARIABLES, *(name for other in WIRES for name in other.environ)]:
            monkeypatch.delenv(name, raising=False)
        for name, value in wire.environ.items():
            monkeypatch.setenv(name, value.format(url=server.url))
        if wire is VERTEXAI:
            account = {
                "type": "service_account",
                "project_id": "project-1",
                "client_email": "rlm@project-1.iam.gserviceaccount.com",
                "private_key": request.getfixturevalue("private_key"),
                "token_uri": f"{server.url}/token",
            }
            Path("account.json").write_text(json.dumps(account))
        yield provider


@pytest.fixture(params=["sync", "async"])
def is_async(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "async")


async def run(model: BaseChatModel | str, is_async: bool, profile: Any = "rlm") -> dict[str, Any]:
    rlm = create_rlm(model, router=Router(profile=profile))
    output: dict[str, Any] = await rlm.ainvoke(GIVEN) if is_async else rlm.invoke(GIVEN)
    return output


async def test_named_model_runs_to_final(wire: Wire, provider: Provider, is_async: bool) -> None:
    output = await run(provider.model, is_async)
    assert output["answer"] == ["Say yes."]
    asked = provider.calls
    roles = [[role for role, _ in wire.messages(call.body)] for call in asked]
    assert roles == [["system", "user"], ["system", "user", "assistant", "user"], ["user"]]
    assert "How many?" in wire.messages(asked[0].body)[1][1]
    assert wire.messages(asked[1].body)[2] == ("assistant", CELLS[0])
    for call in asked:
        assert call.path == wire.path
        for name, value in wire.headers.items():
            [sent] = [sent for header, sent in call.headers.items() if re.fullmatch(name, header)]
            assert re.fullmatch(value, sent)
    [(name, used)] = output["usage"].items()
    assert name == wire.reports
    assert (used["input_tokens"], used["output_tokens"]) == (3 * READ, 3 * WRITTEN)


async def test_reply_is_streamed_with_its_usage(wire: Wire, provider: Provider, is_async: bool) -> None:
    model = wire.instance(provider.url, 60)
    asked = [SystemMessage("Write code."), HumanMessage("How many?")]
    chunks = [chunk async for chunk in model.astream(asked)] if is_async else list(model.stream(asked))
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    assert isinstance(whole, AIMessageChunk)
    assert whole.text == CELLS[0]
    parts = [CELLS[0][:10], CELLS[0][10:]] if wire.is_streamed else [CELLS[0]]
    assert [chunk.text for chunk in chunks if chunk.text] == parts
    assert whole.usage_metadata is not None
    assert (whole.usage_metadata["input_tokens"], whole.usage_metadata["output_tokens"]) == (READ, WRITTEN)
    assert [call.path for call in provider.calls] == [wire.streams_at]


def test_named_model_serves_one_event_loop_after_another(wire: Wire, provider: Provider) -> None:
    rlm = create_rlm(provider.model, router=Router(profile="rlm"))
    assert [asyncio.run(rlm.ainvoke(GIVEN))["answer"] for _ in range(3)] == [["Say yes."]] * 3


@pytest.mark.parametrize("failure", [(429, {"Retry-After": "0"}), (500, {})], ids=lambda failure: str(failure[0]))
async def test_failure_of_the_server_is_tried_again(
    wire: Wire, provider: Provider, is_async: bool, failure: Any
) -> None:
    status, headers = failure
    provider.failures = [Reply(wire.error(status, "not now"), status, headers)] * 2
    assert (await run(provider.model, is_async))["answer"] == ["Say yes."]
    assert len(provider.calls) == 2 + 3


async def test_the_run_alone_tries_again(wire: Wire, provider: Provider, is_async: bool) -> None:
    provider.failures = [Reply(wire.error(500, "broken"), 500)] * 20
    with pytest.raises(Exception, match="broken") as raised:
        await run(provider.model, is_async)
    [asked] = [note for note in raised.value.__notes__ if note.startswith("The model that was asked: ")]
    assert asked.rpartition(":")[2] == wire.name.partition(":")[2]
    assert len(provider.calls) == retries.POLICY.max_attempts


async def test_pause_that_the_server_asks_for_is_heard(wire: Wire, provider: Provider, is_async: bool) -> None:
    provider.failures = [Reply(wire.error(429, "not today"), 429, {"Retry-After": "3600"})] * 9
    with pytest.raises(Exception, match="not today"):
        await run(provider.model, is_async)
    has_heard = wire is not OLLAMA  # its package keeps no headers of a failure
    assert len(provider.calls) == (1 if has_heard else retries.POLICY.max_attempts)


@pytest.mark.parametrize("failure", [SILENCE, GOODBYE], ids=["time-out", "lost connection"])
async def test_server_that_does_not_answer_is_asked_again(
    wire: Wire, provider: Provider, is_async: bool, failure: Reply
) -> None:
    provider.failures = [failure]
    output = await run(wire.instance(provider.url, TIMEOUT if failure is SILENCE else 60), is_async)
    assert output["answer"] == ["Say yes."]
    assert len(provider.calls) == 1 + 3


MALFORMED = {
    "HTML": Reply(b"<html>Bad gateway</html>", content_type="text/html"),
    "cut off": Reply(b'{"id": "1", "choices": [{"ind'),
    "another API": Reply({"hello": "world"}),
}


@pytest.mark.parametrize("body", MALFORMED)
async def test_reply_that_cannot_be_read_is_an_error_of_that_sub_call(
    wire: Wire, provider: Provider, is_async: bool, body: str
) -> None:
    provider.failures_of_sub_calls = [MALFORMED[body]]
    [error] = (await run(provider.model, is_async))["answer"]
    if wire in (GEMINI, VERTEXAI) and body == "another API":
        assert error == ""  # to its package that is a reply without an answer, as where a prompt is refused
    else:
        assert error.startswith("Error: ")
    assert len(provider.calls) == 3
