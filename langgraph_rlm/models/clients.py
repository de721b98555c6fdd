"""HTTP clients of OpenAI's kind of models: connections that scale, belong to an event loop, and are closed with a run.

A connection that is kept open cannot be used from another event loop than its own. And the pools that are httpx's take
the longer for each call the more calls are in flight.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable
from urllib.request import getproxies

from langchain_core.language_models import BaseChatModel

from langgraph_rlm.turnstile import Turnstile

MANY = 50
"""Calls in flight from which a pool can be what is slow."""
SLOW = 0.004
"""Seconds of processor time for a call, all in all, that are more than any but such a pool takes."""

_logger = logging.getLogger("langgraph_rlm")


@runtime_checkable
class ClientPerLoop(Protocol):
    """An async client with connections of its own for each event loop."""

    def used_here(self) -> Any:
        """An async context that keeps the connections of the running loop; the last one to end closes them."""


def openai_client(**options: Any) -> Any:
    """An async client for `ChatOpenAI(http_async_client=…)` and its kin: a `ClientPerLoop`, with `options` of httpx.

    Its connections are aiohttp's; without aiohttp, those of the openai package.
    """
    from openai import DefaultAioHttpClient, DefaultAsyncHttpxClient

    def make() -> Any:
        try:
            return DefaultAioHttpClient(**options)
        except RuntimeError:  # there is no aiohttp
            return DefaultAsyncHttpxClient(**options)

    class Client(DefaultAsyncHttpxClient):
        """Builds requests itself, and sends them by the client of the running loop."""

        def __init__(self) -> None:
            super().__init__(**options)
            self._loops: dict[asyncio.AbstractEventLoop, _InLoop] = {}

        async def send(self, request: Any, **how: Any) -> Any:
            here = self._in_loop()
            response = await here.client.send(request, **how)
            await here.turnstile.passed()
            return response

        @asynccontextmanager
        async def used_here(self) -> AsyncIterator[None]:
            here = self._in_loop()
            here.users += 1
            try:
                yield
            finally:
                here.users -= 1
                if not here.users:
                    del self._loops[asyncio.get_running_loop()]
                    await here.client.aclose()

        def _in_loop(self) -> _InLoop:
            loop = asyncio.get_running_loop()
            if loop not in self._loops:
                self._loops = {other: client for other, client in self._loops.items() if not other.is_closed()}
                self._loops[loop] = _InLoop(make())
            return self._loops[loop]

    return Client()


@dataclass
class _InLoop:
    client: Any
    turnstile: Turnstile = field(default_factory=Turnstile)
    users: int = 0


def openai_settings() -> dict[str, Any]:
    """What a model of OpenAI's kind is made with, so that it has an `openai_client`.

    LangChain's options for sockets go to its sync client then, and would keep it from a proxy of the environment.
    """
    without_options = {"http_socket_options": ()} if getproxies() else {}
    return {"http_async_client": openai_client(), **without_options}


def is_openai(model: BaseChatModel) -> bool:
    """Whether the model talks to its server by the openai package."""
    return any(kind.__module__.startswith("langchain_openai.") for kind in type(model).__mro__)


@asynccontextmanager
async def connected(models: Iterable[BaseChatModel]) -> AsyncIterator[None]:
    """Keeps the connections of the models for the block."""
    async with AsyncExitStack() as stack:
        for client in {id(client): client for client in map(_client, models)}.values():
            if isinstance(client, ClientPerLoop):
                await stack.enter_async_context(client.used_here())
        yield


class SlowPool:
    """Says once, of a process, that the client of a model is what is slow."""

    was_told = False

    def note(self, models: Iterable[BaseChatModel], most_in_flight: int, calls: int, seconds: float) -> None:
        """`seconds` of processor time were taken for `calls`, of which so many were in flight at most."""
        if self.was_told or not calls or most_in_flight < MANY or seconds < SLOW * calls:
            return
        if not any(is_openai(model) and _client(model) is None for model in models):
            return
        self.was_told = True
        _logger.warning(
            "%.0f ms of processor time for each of %d model calls, up to %d of them at once: the HTTP client's pool is "
            'what is slow. Name the model by a string ("openai:…"), or give it a client that scales: '
            'http_async_client=openai.DefaultAioHttpClient() (pip install "openai[aiohttp]").',
            *(seconds / calls * 1e3, calls, most_in_flight),
        )


slow_pool = SlowPool()


def _client(model: BaseChatModel) -> Any:
    return getattr(model, "http_async_client", None)
