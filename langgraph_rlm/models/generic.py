"""A chat model for HTTP APIs that no package of LangChain speaks."""

from __future__ import annotations

import re
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from operator import attrgetter
from typing import Any, NoReturn, Self
from uuid import uuid4

import httpx
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.exceptions import (
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelError,
    ModelInvalidRequestError,
    ModelNotFoundError,
    ModelPermissionDeniedError,
    ModelRateLimitError,
    ModelTimeoutError,
)
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import ConfigDict, Field, PrivateAttr, SecretStr, field_validator, model_validator

from langgraph_rlm.context.digests import digest_of
from langgraph_rlm.models.clients import Connections, scaling

_SHOWN = 200  # characters of a body in an error

_KINDS: dict[int, type[ModelError]] = {
    400: ModelInvalidRequestError,
    401: ModelAuthenticationError,
    403: ModelPermissionDeniedError,
    404: ModelNotFoundError,
    408: ModelTimeoutError,
    422: ModelInvalidRequestError,
    429: ModelRateLimitError,
}


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
    """The name that usage is counted under."""

    model_config = ConfigDict(extra="allow", hide_input_in_errors=True)

    _nameless: dict[int, tuple[Callable[..., Any], str]] = PrivateAttr(default_factory=dict)
    """By their ids, functions that nothing names but this. They are held: no other one can come to have the id."""
    _sync: Connections = PrivateAttr()
    _async: Connections = PrivateAttr()

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
            if not (value.isascii() and value.isprintable() and value == value.strip()):
                raise ValueError(f"{name}: its value has spaces around it, a line break, or what is not ASCII.")
        return self

    def model_post_init(self, context: Any, /) -> None:
        super().model_post_init(context)
        options = cache(partial(scaling, httpx))
        self._sync = Connections(lambda: httpx.Client(**options()))
        self._async = Connections(lambda: httpx.AsyncClient(**options()))

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
            "parameters": self.model_extra or {},
        }

    def _get_llm_string(self, stop: list[str] | None = None, **kwargs: Any) -> str:
        """What caches tell models apart by. The digest is here alone: parameters that identify are in traces."""
        headers = [part for header in sorted(self._headers.items()) for part in header]
        return f"{super()._get_llm_string(stop, **kwargs)} {digest_of(self._url, *headers)}"

    def _named(self, function: Callable[..., Any]) -> str:
        """A name that no other function has."""
        return _path_of(function) or self._nameless.setdefault(id(function), (function, uuid4().hex))[1]

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        request = self._request(messages, stop, kwargs)
        with self._sync.kept() as client, self._failures():
            response = client.post(self._url, **request)
        return self._result(response)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        request = self._request(messages, stop, kwargs)
        async with self._async.akept() as client:
            with self._failures():
                response = await client.post(self._url, **request)
        return self._result(response)

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

    def _request(self, messages: list[BaseMessage], stop: list[str] | None, given: dict[str, Any]) -> dict[str, Any]:
        parameters = {**(self.model_extra or {}), **given, **({"stop": stop} if stop else {})}
        return {
            "json": self.build_payload(messages, **parameters),
            "headers": self._headers,
            "timeout": self.timeout,
        }

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """Says of a request that failed what it was, and whether another try may help."""
        try:
            yield
        except httpx.TimeoutException as error:
            raise ModelTimeoutError(f"{self._url} gave no sign for {self.timeout:g} seconds.") from error
        except httpx.TransportError as error:
            raise ModelConnectionError(f"{self._url} could not be asked: {_told(error)}.") from error
        except httpx.RequestError as error:
            raise ModelError(f"{self._url} sent a reply that cannot be read: {_told(error)}.") from error

    def _result(self, response: httpx.Response) -> ChatResult:
        """The answer in a reply of the server."""
        try:
            response.raise_for_status()
        except httpx.HTTPStatusError as error:  # with it as the cause, the pause that the server asks for is found
            status = response.status_code
            kind = _KINDS.get(status, ModelAPIError if status >= 500 else ModelError)
            self._refuse(response, "", error, kind)
        try:
            body = response.json()
        except (ValueError, RecursionError) as error:
            self._refuse(response, " with what is not JSON", error)
        try:
            parsed = self.parse_response(body)
        except ModelError:
            raise
        except Exception as error:
            self._refuse(response, f" with what parse_response cannot read ({_told(error)})", error)
        if isinstance(parsed, str):
            parsed = AIMessage(parsed)
        elif not isinstance(parsed, AIMessage):
            what = type(parsed).__name__
            self._refuse(response, f", and parse_response gave a {what}, not a str or an AIMessage", None)
        metadata = {"model_name": self.model, **parsed.response_metadata}
        message = parsed.model_copy(update={"response_metadata": metadata})
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _refuse(
        self, response: httpx.Response, how: str, cause: Exception | None, kind: type[ModelError] = ModelError
    ) -> NoReturn:
        beginning = " ".join(self._veiled(response.text)[: 2 * _SHOWN].split())[:_SHOWN]
        body = f": {beginning}" if beginning else " (its body is empty)."
        raise kind(f"{self._url} answered {response.status_code}{self._veiled(how)}{body}") from cause

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


def _told(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split()).removesuffix(":")
