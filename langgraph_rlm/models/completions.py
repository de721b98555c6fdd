"""Chat completions of the openai package for a third less of the processor's time.

Its `create` goes over each request by the hints of its types, to make JSON of what is none, and makes each reply field
by field. LangChain asks in JSON, and most replies are as documented: those pydantic can read at once.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from types import FunctionType
from typing import Any

from langchain_core.language_models import BaseChatModel
from openai import AsyncStream, Stream
from openai.resources.chat.completions import AsyncCompletions, Completions
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import ValidationError

_BESIDE = {"extra_headers", "extra_body"}
"""What LangChain gives beside what is sent."""
_LEFT = {"self", "response_format", "extra_query", "timeout"}
"""What is left to the package. A format may be a class."""
_SENT = {*inspect.signature(Completions.create).parameters} - _BESIDE - _LEFT


class _Reply(ChatCompletion):
    """A reply as pydantic makes it, or as the package does where it is not as documented."""

    @classmethod
    def construct(cls, /, _fields_set: set[str] | None = None, **values: Any) -> Any:
        try:
            return ChatCompletion.model_validate(values)
        except ValidationError:
            return ChatCompletion.construct(_fields_set, **values)


class _Completions(Completions):
    def __init__(self, client: Any) -> None:
        super().__init__(client)
        self.client = client

    def create(self, **request: Any) -> Any:
        if _is_watched(Completions.create) or not _is_plain(request):
            return super().create(**request)
        return self.client.post(**_posted(request), stream_cls=Stream[ChatCompletionChunk])


class _AsyncCompletions(AsyncCompletions):
    def __init__(self, client: Any) -> None:
        super().__init__(client)
        self.client = client

    async def create(self, **request: Any) -> Any:
        if _is_watched(AsyncCompletions.create) or not _is_plain(request):
            return await super().create(**request)
        return await self.client.post(**_posted(request), stream_cls=AsyncStream[ChatCompletionChunk])


def with_cheap_completions(model: BaseChatModel) -> BaseChatModel:
    """The model, which is one of OpenAI's kind: its chat completions cost less from now on, and are the same.

    Errors, retries, time-outs, streams and headers are the package's: its client sends. So are its other APIs, and
    structured output by a format.
    """
    clients: Any = model
    if type(clients.client) is Completions:
        clients.client = _Completions(clients.root_client)
    if type(clients.async_client) is AsyncCompletions:
        clients.async_client = _AsyncCompletions(clients.root_async_client)
    return model


def _posted(request: Mapping[str, Any]) -> dict[str, Any]:
    """What a client's `post` takes for the request."""
    options = {"headers": request.get("extra_headers"), "extra_json": request.get("extra_body")}
    return {
        "path": "/chat/completions",
        "body": {name: value for name, value in request.items() if name not in _BESIDE},
        "options": {
            "security": {"bearer_auth": True},
            **{name: value for name, value in options.items() if value is not None},
        },
        "cast_to": _Reply,
        "stream": request.get("stream") or False,
    }


def _is_plain(request: Mapping[str, Any]) -> bool:
    """Whether the package would send the request as it is."""
    sent = {name: value for name, value in request.items() if name not in _BESIDE}
    return {"messages", "model"} <= sent.keys() <= _SENT and _is_json(sent)


def _is_json(value: object) -> bool:
    if isinstance(value, dict):
        return all(map(_is_json, value.values()))
    if isinstance(value, list):
        return all(map(_is_json, value))
    return value is None or isinstance(value, str | int | float)


def _is_watched(create: object) -> bool:
    """Whether another package has put a function of its own there, as those do that trace calls."""
    return type(create) is not FunctionType or not create.__globals__["__name__"].startswith("openai.")
