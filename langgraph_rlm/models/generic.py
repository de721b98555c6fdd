"""A chat model for HTTP APIs that no package of LangChain speaks."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from operator import attrgetter
from typing import Any, NoReturn, Self
from uuid import uuid4

import httpx
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.exceptions import ModelError
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import ConfigDict, Field, PrivateAttr, SecretStr, field_validator, model_validator

from langgraph_rlm.context.digests import digest_of
from langgraph_rlm.models import chat_completions
from langgraph_rlm.models.clients import Connections
from langgraph_rlm.models.posting import (
    FailureInReply,
    LoopClient,
    Post,
    Refusal,
    Reply,
    ThreadClient,
    kind_of,
    told,
)

_SHOWN = 200  # characters of a body in an error

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""Names of headers."""


class GenericChatModel(BaseChatModel):
    """Posts JSON to `base_url` + `path`, in a form of your own, and reads the JSON that comes back.

    What else is named (`temperature=0`, `stop=["\\n"]`) is handed to `build_payload` with each call; so are the
    parameters of `invoke` and `bind`, which count more.

    Raises LangChain's `ModelError`s, which say whether another try may help: for each status, for time-outs and lost
    connections, and for replies that cannot be read, with the URL, the status and the beginning of the body. It does
    not try again itself: the run that asks does.
    """

    base_url: str
    """Scheme, host, and what all paths of the API have in front. No secrets: it is in errors and traces."""
    path: str
    """Of the endpoint. No secrets here either."""
    build_payload: Callable[..., Any] = Field(repr=False)
    """`(messages, **parameters)` to the JSON that is posted. `messages` are LangChain's."""
    parse_response: Callable[[Any], str | AIMessage] = Field(repr=False)
    """The JSON that came back to the answer: its text, or an `AIMessage`, which has room for `usage_metadata`.

    May raise a `ModelError` where the API tells of a failure in the body."""
    api_key: SecretStr | None = Field(default=None, repr=False)
    """Sent as a bearer token. Other schemes go into `headers`."""
    headers: dict[str, SecretStr] = Field(default={}, repr=False)
    """Sent with each request. Their values, as that of `api_key`, are in no error, trace or `repr`."""
    timeout: float = Field(default=60.0, gt=0)
    """Seconds without a sign of the server."""
    model: str = "generic"
    """The name that usage is counted under, unless the reply has another in its `response_metadata["model_name"]`."""
    sends_model: bool = False
    """Whether that name is a parameter too: `build_payload` has it as `model`."""

    model_config = ConfigDict(extra="allow", hide_input_in_errors=True)

    _nameless: dict[int, tuple[Callable[..., Any], str]] = PrivateAttr(default_factory=dict)
    """By their ids, functions that nothing names but this. They are held: no other one can come to have the id."""
    _sync: Connections = PrivateAttr(default_factory=lambda: Connections(ThreadClient))
    _async: Connections = PrivateAttr(default_factory=lambda: Connections(LoopClient))

    @field_validator("base_url")
    @classmethod
    def _is_url(cls, base_url: str) -> str:
        try:
            url = httpx.URL(base_url)
        except httpx.InvalidURL as error:
            raise ValueError(str(error)) from None
        if url.scheme not in ("http", "https") or not url.host or url.userinfo or url.query or url.fragment:
            raise ValueError('a URL such as "https://host/v1": credentials belong into headers, a query into path.')
        return base_url

    @model_validator(mode="after")
    def _can_be_sent(self) -> Self:
        for name, value in self._headers.items():
            if not _TOKEN.fullmatch(name):
                raise ValueError(f"{name!r}: no name of a header has such characters.")
            if not (value.isascii() and value.isprintable() and value == value.strip()):
                raise ValueError(f"{name}: its value has spaces around it, a line break, or what is not ASCII.")
        return self

    @classmethod
    def openai(
        cls,
        base_url: str,
        model: str,
        *,
        api_key: SecretStr | str | None = None,
        headers: Mapping[str, SecretStr | str] | None = None,
        timeout: float = 600.0,
        **parameters: Any,
    ) -> Self:
        """A model of any server that has OpenAI's chat completions: vLLM, SGLang, llama.cpp, TGI, a gateway.

        `base_url` is what stands before `/chat/completions`, as in `"http://localhost:8000/v1"`. `parameters` are sent
        as they are named (`temperature`, `top_p`, `max_tokens`, `stop`, `seed`, vLLM's `top_k` …), but for LangChain's
        (`profile`, `rate_limiter`, `tags` …). `timeout`: seconds without a sign of the server, which gives none before
        the reply is whole.
        """
        return cls(
            base_url=base_url,
            path="chat/completions",
            build_payload=chat_completions.build_payload,
            parse_response=chat_completions.parse_response,
            timeout=timeout,
            model=model,
            sends_model=True,
            **{"api_key": api_key, "headers": headers or {}, **parameters},
        )

    @property
    def http_client(self) -> Connections:
        """What calls from threads send by. A run keeps it; a call without one has connections of its own."""
        return self._sync

    @property
    def http_async_client(self) -> Connections:
        """What calls from event loops send by, as with `http_client`."""
        return self._async

    @property
    def _llm_type(self) -> str:
        return "generic"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "url": self._url,
            "build_payload": self._named(self.build_payload),
            "parse_response": self._named(self.parse_response),
            "parameters": self._parameters,
        }

    def _get_llm_string(self, stop: list[str] | None = None, **kwargs: Any) -> str:
        """What caches tell models apart by. The digest is here alone: parameters that identify are in traces."""
        headers = [part for header in sorted(self._headers.items()) for part in header]
        return f"{super()._get_llm_string(stop, **kwargs)} {digest_of(self._url, *headers)}"

    def _named(self, function: Callable[..., Any]) -> str:
        """A name that no other function has."""
        if path := _path_of(function):
            return path
        held, name = self._nameless.get(id(function), (None, ""))
        if held is not function:  # in another process ids are others
            self._nameless[id(function)] = function, (name := uuid4().hex)
        return name

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        post = self._post(messages, stop, kwargs)
        with self._sync.kept() as client, self._veiling():
            reply = client.post(post)
        return self._result(reply)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        post = self._post(messages, stop, kwargs)
        async with self._async.akept() as client:
            with self._veiling():
                reply = await client.post(post)
        return self._result(reply)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        yield _whole(self._generate(messages, stop, **kwargs))

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        yield _whole(await self._agenerate(messages, stop, **kwargs))

    @property
    def _url(self) -> str:
        return f"{self.base_url.rstrip('/')}/{self.path.lstrip('/')}"

    @property
    def _headers(self) -> dict[str, str]:
        key = {"Authorization": f"Bearer {self.api_key.get_secret_value()}"} if self.api_key else {}
        return {**key, **{name: value.get_secret_value() for name, value in self.headers.items()}}

    @property
    def _headers_of_json(self) -> dict[str, str]:
        headers = self._headers
        names_type = any(name.lower() == "content-type" for name in headers)
        return headers if names_type else {"Content-Type": "application/json", **headers}

    @property
    def _parameters(self) -> dict[str, Any]:
        """What is handed to `build_payload` with each call."""
        return {**({"model": self.model} if self.sends_model else {}), **(self.model_extra or {})}

    def _post(self, messages: list[BaseMessage], stop: list[str] | None, given: dict[str, Any]) -> Post:
        payload = self.build_payload(messages, **{**self._parameters, **given, **({"stop": stop} if stop else {})})
        body = json.dumps(payload, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
        return Post(self._url, body, self._headers_of_json, self.timeout)

    def _result(self, reply: Reply) -> ChatResult:
        """The answer in a reply of the server."""
        if not 200 <= reply.status_code < 300:
            self._refuse(reply, "", Refusal(reply), kind_of(reply.status_code))
        try:
            body = json.loads(reply.body)
        except (ValueError, RecursionError) as error:
            self._refuse(reply, " with what is not JSON", error)
        try:
            parsed = self.parse_response(body)
        except ModelError:
            raise
        except FailureInReply as failure:
            self._refuse(reply, failure.how, Refusal(reply), failure.kind, failure.shown)
        except Exception as error:
            self._refuse(reply, f" with what parse_response cannot read ({told(error)})", error)
        if isinstance(parsed, str):
            parsed = AIMessage(parsed)
        elif not isinstance(parsed, AIMessage):
            what = type(parsed).__name__
            self._refuse(reply, f", and parse_response gave a {what}, not a str or an AIMessage", None)
        metadata = {"model_name": self.model, **parsed.response_metadata}
        message = parsed.model_copy(update={"response_metadata": metadata})
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _refuse(
        self, reply: Reply, how: str, cause: Exception | None, kind: type[ModelError] = ModelError, shown: str = ""
    ) -> NoReturn:
        beginning = " ".join(self._veiled(shown or reply.text)[: 2 * _SHOWN].split())[:_SHOWN]
        body = f": {beginning}" if beginning else " (its body is empty)."
        raise kind(f"{self._url} answered {reply.status_code}{self._veiled(how)}{body}") from cause

    @contextmanager
    def _veiling(self) -> Iterator[None]:
        """A server may say in its errors what it was sent."""
        try:
            yield
        except ModelError as failure:
            failure.args = (self._veiled(str(failure)),)
            raise

    def _veiled(self, text: str) -> str:
        """The text without the values of the headers, with or without their scheme, and with JSON's backslashes."""
        values = {part for value in self._headers.values() for part in (value, value.partition(" ")[2]) if part}
        longest_first = sorted(values, key=len, reverse=True)
        pattern = "|".join(r"\\?".join(map(re.escape, value)) for value in longest_first)
        return re.sub(pattern, "***", text) if pattern else text


def _path_of(function: Callable[..., Any]) -> str | None:
    """Where every process has the function, if it is that of a module; another script has another `__main__`."""
    module, name = getattr(function, "__module__", ""), getattr(function, "__qualname__", None)
    if module == "__main__" or not isinstance(name, str):
        return None
    try:
        is_there = attrgetter(name)(sys.modules.get(module)) is function
    except AttributeError:
        return None
    return f"{module}.{name}" if is_there else None


def _whole(result: ChatResult) -> ChatGenerationChunk:
    """A reply as the only part of its stream."""
    message = result.generations[0].message.model_dump(exclude={"type"})
    return ChatGenerationChunk(message=AIMessageChunk(**message, chunk_position="last"))
