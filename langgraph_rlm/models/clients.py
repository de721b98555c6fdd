"""HTTP clients of models: connections that scale, belong to an event loop, and are closed with a run.

A connection that is kept open cannot be used from another event loop than its own. And a pool of httpx takes the longer
for each call the more calls are in flight.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from ssl import SSLContext
from typing import Any
from urllib.request import getproxies

from langchain_core.language_models import BaseChatModel

from langgraph_rlm.asking.turnstile import Turnstile

_UNBOUNDED = 100_000
"""Connections: a run bounds its calls, and its pool need not."""
IDLE = 5.0
"""Seconds for which a connection is kept that nobody uses, as the openai package has it."""


@dataclass
class _Open:
    """A client with connections, and by how many runs it is used."""

    client: Any
    turnstile: Turnstile = field(default_factory=Turnstile)
    users: int = 0


class Connections:
    """The clients that a model sends by: one for each event loop, and one for all threads without.

    A copy, or what another process gets of them, has none open.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._open: dict[asyncio.AbstractEventLoop | None, _Open] = {}

    def __reduce__(self) -> tuple[type[Connections], tuple[Callable[[], Any]]]:
        return Connections, (self._make,)

    def here(self, loop: asyncio.AbstractEventLoop | None, users: int = 0) -> _Open:
        """What is open for the loop, opened where nothing is. So many `users` more have it."""
        with self._lock:
            if loop not in self._open:
                for ended in [other for other in self._open if other and other.is_closed()]:
                    del self._open[ended]
                self._open[loop] = _Open(self._make())
            self._open[loop].users += users
            return self._open[loop]

    def left(self, loop: asyncio.AbstractEventLoop | None) -> list[Any]:
        """The clients to close now that one user less has what is open for the loop."""
        with self._lock:
            self._open[loop].users -= 1
            return [] if self._open[loop].users else [self._open.pop(loop).client]

    @asynccontextmanager
    async def akept(self) -> AsyncIterator[Any]:
        """Keeps the client of the running loop; the last one to end closes it."""
        loop = asyncio.get_running_loop()
        opened = self.here(loop, users=1)
        try:
            yield opened.client
        finally:
            for client in self.left(loop):
                await client.aclose()

    @contextmanager
    def kept(self) -> Iterator[Any]:
        """Keeps the client of threads; the last one to end closes it."""
        opened = self.here(None, users=1)
        try:
            yield opened.client
        finally:
            for client in self.left(None):
                client.close()


def scaling(httpx: Any, certificates: SSLContext | None = None) -> dict[str, Any]:
    """Options with which clients of that package bear any number of calls at once."""
    return {
        "verify": certificates or httpx.create_ssl_context(),  # it takes 17 ms
        "limits": httpx.Limits(max_connections=_UNBOUNDED, max_keepalive_connections=_UNBOUNDED, keepalive_expiry=IDLE),
    }


def openai_clients(**options: Any) -> dict[str, Any]:
    """`http_client` and `http_async_client` for `ChatOpenAI` and its kin, with `options` of httpx.

    Async connections are aiohttp's; without aiohttp, or where a SOCKS proxy is to be used, those of the openai package.
    Both clients have their `connections`.
    """
    from openai import DefaultAioHttpClient, DefaultAsyncHttpxClient, DefaultHttpxClient

    httpx = import_module(DefaultHttpxClient.__base__.__module__)  # or what the openai package has in its place
    options = {**scaling(httpx), **options}
    proxies = [str(options.get("proxy", "")), *getproxies().values()]
    has_socks = any(proxy.startswith("socks") for proxy in proxies)

    def make_async() -> Any:
        try:
            return (DefaultAsyncHttpxClient if has_socks else DefaultAioHttpClient)(**options)
        except RuntimeError:  # there is no aiohttp
            return DefaultAsyncHttpxClient(**options)

    class Client(DefaultHttpxClient):
        """Builds requests itself, and sends them by the client that has the connections."""

        connections = Connections(lambda: DefaultHttpxClient(**options))

        def send(self, request: Any, **how: Any) -> Any:
            return self.connections.here(None).client.send(request, **how)

    class AsyncClient(DefaultAsyncHttpxClient):
        """Builds requests itself, and sends them by the client that has the connections of the running loop."""

        connections = Connections(make_async)

        async def send(self, request: Any, **how: Any) -> Any:
            here = self.connections.here(asyncio.get_running_loop())
            response = await here.client.send(request, **how)
            await here.turnstile.passed()
            return response

    return {"http_client": Client(**options), "http_async_client": AsyncClient(**options)}


def openai_settings(model: BaseChatModel) -> dict[str, Any]:
    """What a model like this one, of OpenAI's kind, is made with to have `openai_clients`.

    The proxy that LangChain takes from `OPENAI_PROXY` is theirs then, and so are the sockets. Whether streams tell what
    they used is as LangChain has it for its own clients: for others it leaves that out.
    """
    proxy = getattr(model, "openai_proxy", None)
    settings = {
        "openai_proxy": "",
        "http_socket_options": (),
        "stream_usage": getattr(model, "stream_usage", None),
    }
    return {
        **openai_clients(**({"proxy": proxy} if proxy else {})),
        **{name: value for name, value in settings.items() if name in type(model).model_fields},
    }


def is_openai(model: BaseChatModel) -> bool:
    """Whether the model talks to its server by the openai package."""
    return any(kind.__module__.startswith("langchain_openai.") for kind in type(model).__mro__)


def scales(model: BaseChatModel) -> bool:
    """Whether the model has clients such as these."""
    return bool(_connections([model], "http_async_client"))


@contextmanager
def connected(models: Iterable[BaseChatModel]) -> Iterator[None]:
    """Keeps the connections of the models for the block, for calls from threads."""
    with ExitStack() as stack:
        for connections in _connections(models, "http_client"):
            stack.enter_context(connections.kept())
        yield


@asynccontextmanager
async def aconnected(models: Iterable[BaseChatModel]) -> AsyncIterator[None]:
    """Keeps the connections of the models for the block, for calls from the running event loop."""
    async with AsyncExitStack() as stack:
        for connections in _connections(models, "http_async_client"):
            await stack.enter_async_context(connections.akept())
        yield


def _connections(models: Iterable[BaseChatModel], client: str) -> list[Connections]:
    clients = [getattr(model, client, None) for model in models]
    had = [getattr(client, "connections", client) for client in clients]  # clients that have them, or they themselves
    return list({id(connections): connections for connections in had if isinstance(connections, Connections)}.values())
