"""Posts by aiohttp. Only who posts from an event loop imports this: it takes a tenth of a second."""

from __future__ import annotations

import asyncio
import select
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache, partial
from ssl import SSLContext
from typing import Any
from weakref import WeakSet

import httpx
from aiohttp import (
    ClientError,
    ClientOSError,
    ClientSession,
    ClientTimeout,
    CookieJar,
    TCPConnector,
    ThreadedResolver,
)
from aiohttp.connector import Connection
from yarl import URL

from langgraph_rlm.models.clients import IDLE
from langgraph_rlm.models.posting import Post, Reply, no_sign, not_asked, unreadable

_AT_ONCE = 32_768
"""Bytes of a body that the system takes without waiting for the server."""
_HEAD = 100_000
"""Bytes that the headers of a reply may have, as httpx has it."""


class AiohttpClient:
    """A session of the running loop."""

    def __init__(self) -> None:
        self._session = ClientSession(
            connector=_Connector(limit=0, keepalive_timeout=IDLE, resolver=ThreadedResolver()),
            cookie_jar=CookieJar(unsafe=True),  # of addresses too
            auto_decompress=False,
            max_field_size=_HEAD,
        )

    def way_to(
        self, url: httpx.URL, proxy: httpx.Proxy | None, certificates: SSLContext | None
    ) -> Callable[[Post], Awaitable[Reply]]:
        """How to post to a URL."""
        way: dict[str, Any] = {
            "url": URL(str(url), encoded=True),
            "ssl": certificates or True,
            "allow_redirects": False,
        }
        headers = {"Accept-Encoding": "gzip, deflate"}
        if proxy is not None:
            way["proxy"] = URL(str(proxy.url), encoded=True)
            if proxy.raw_auth is not None:
                known = {"Proxy-Authorization": f"Basic {b64encode(b':'.join(proxy.raw_auth)).decode()}"}
                if url.scheme == "https":
                    way["proxy_headers"] = known
                else:
                    headers |= known
        return partial(self._post, way, headers)

    async def _post(self, way: Mapping[str, Any], headers: Mapping[str, str], post: Post) -> Reply:
        try:
            return await self._sent(way, headers, post)
        except TimeoutError:
            failure = no_sign(post)
        except httpx.DecodingError as error:
            failure = unreadable(post, error)
        except ClientError as error:
            failure = not_asked(post, _why(error))
        raise failure  # without aiohttp's own, which has the headers in it, and so the key

    async def _sent(self, way: Mapping[str, Any], headers: Mapping[str, str], post: Post) -> Reply:
        options = {**way, "headers": {**headers, **post.headers}, "timeout": _without_a_sign(post.timeout)}
        if len(post.body) <= _AT_ONCE:
            return await self._replied(data=post.body, **options)
        options["headers"]["Content-Length"] = str(len(post.body))
        with _dropped_if_given_up():
            async with asyncio.timeout(None) as deadline:
                return await self._replied(data=_pieces(post, deadline), **options)

    async def _replied(self, **options: Any) -> Reply:
        async with self._session.post(**options) as response:
            body = await response.read()
            compressed = ", ".join(response.headers.getall("Content-Encoding", ()))
            return Reply(response.status, response.headers, _inflated(body, compressed) if compressed else body)

    async def aclose(self) -> None:
        await self._session.close()


_taken: ContextVar[list[asyncio.Transport]] = ContextVar("_taken")
"""What the running call was given to send by, where that is to be known."""


class _Connector(TCPConnector):
    """Takes no connection again that its server has closed meanwhile. httpx looks too."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._used = WeakSet[Any]()

    async def connect(self, *request: Any, **options: Any) -> Connection:
        while True:
            connection = await super().connect(*request, **options)
            protocol, transport = connection.protocol, connection.transport
            if protocol in self._used and (transport is None or _has_news(transport)):
                connection.close()
                continue
            self._used.add(protocol)
            if transport is not None:
                _taken.get([]).append(transport)
            return connection


@contextmanager
def _dropped_if_given_up() -> Iterator[None]:
    """Without that, the connection of a call stays open until its server has taken all of the prompt."""
    taken = list[asyncio.Transport]()
    before = _taken.set(taken)
    try:
        yield
    except BaseException:
        for transport in taken:
            if transport.is_closing():  # else it may be another call's by now
                transport.abort()
        raise
    finally:
        _taken.reset(before)


def _has_news(transport: asyncio.Transport) -> bool:
    """Whether a server that was asked nothing sends something, its end as a rule. The loop may not know of it yet."""
    place = transport.get_extra_info("socket").fileno()
    if not hasattr(select, "poll"):
        return bool(select.select([place], [], [], 0)[0])
    poll = select.poll()
    poll.register(place, select.POLLIN)
    return bool(poll.poll(0))


@lru_cache
def _without_a_sign(seconds: float) -> ClientTimeout:
    return ClientTimeout(total=None, connect=seconds, sock_connect=seconds, sock_read=seconds)


async def _pieces(post: Post, deadline: asyncio.Timeout) -> AsyncIterator[bytes]:
    """A long body: aiohttp waits for ever for a server that does not take it."""
    loop = asyncio.get_running_loop()
    for start in range(0, len(post.body), _AT_ONCE):
        deadline.reschedule(loop.time() + post.timeout)
        yield post.body[start : start + _AT_ONCE]
    deadline.reschedule(None)


def _inflated(body: bytes, encoding: str) -> bytes:
    return httpx.Response(
        200, headers=[(b"content-encoding", encoding.encode("utf-8", "surrogateescape"))], content=body
    ).content


def _why(error: ClientError) -> str:
    """What aiohttp says of an error, or what it was told by the system: its own words show how it keeps connections."""
    cause = error.__cause__ if isinstance(error, ClientOSError) else None
    return " ".join(f"{type(error).__name__}: {cause or error}".split())
