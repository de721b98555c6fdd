"""Posts a body and hands on what came back: from threads by httpx, from event loops by aiohttp.

httpx takes several times as much of the processor for a call from an event loop. It serves there where a SOCKS proxy is
to be used, which aiohttp cannot.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from ipaddress import ip_address
from ssl import SSLContext
from typing import Any
from urllib.request import getproxies

import httpx
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

from langgraph_rlm.asking.turnstile import Turnstile
from langgraph_rlm.models.clients import scaling

_BY_AIOHTTP = "langgraph_rlm.models.posting_aiohttp"
"""The module that imports aiohttp: it takes a tenth of a second."""

_KINDS: dict[int, type[ModelError]] = {
    400: ModelInvalidRequestError,
    401: ModelAuthenticationError,
    403: ModelPermissionDeniedError,
    404: ModelNotFoundError,
    408: ModelTimeoutError,
    422: ModelInvalidRequestError,
    429: ModelRateLimitError,
}


@dataclass(frozen=True, slots=True)
class Post:
    """What is sent, and where to."""

    url: str
    body: bytes
    headers: Mapping[str, str]
    timeout: float
    """Seconds without a sign of the server."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply as it came, but for its compression."""

    status_code: int
    headers: Mapping[str, str]
    """By names in any case."""
    body: bytes

    @property
    def text(self) -> str:
        """The body in the charset that the server names, or else as UTF-8."""
        kind = self.headers.get("content-type", "").encode("utf-8", "surrogateescape")
        try:
            return httpx.Response(200, headers=[(b"content-type", kind)], content=self.body).text
        except Exception:  # there are codecs which are no charsets, such as "base64"
            return self.body.decode("utf-8", "replace")


class FailureInReply(Exception):
    """What a reply with a status of success is instead of an answer: `how` follows "answered 200".

    `shown` stands for its body where that is better than its beginning.
    """

    def __init__(self, how: str, kind: type[ModelError] = ModelError, shown: str = "") -> None:
        super().__init__(how)
        self.how, self.kind, self.shown = how, kind, shown


class Refusal(Exception):
    """A reply that is no answer: as the cause of an error it tells of the pause that the server asks for."""

    def __init__(self, response: Reply) -> None:
        super().__init__(f"a reply of status {response.status_code}")
        self.response = response


def kind_of(status: int) -> type[ModelError]:
    """LangChain's error for a status."""
    return _KINDS.get(status, ModelAPIError if status >= 500 else ModelError)


class ThreadClient:
    """Posts from threads."""

    def __init__(self) -> None:
        self._httpx = httpx.Client(**scaling(httpx, trusted()))

    def post(self, post: Post) -> Reply:
        with _failures(post):
            response = self._httpx.post(post.url, content=post.body, headers=post.headers, timeout=post.timeout)
        return Reply(response.status_code, response.headers, response.content)

    def close(self) -> None:
        self._httpx.close()


class LoopClient:
    """Posts from one event loop. What takes long, imports and certificates, is left to a thread."""

    def __init__(self) -> None:
        self._ways: dict[str, Callable[[Post], Awaitable[Reply]]] = {}
        self._one_at_a_time = asyncio.Lock()
        self._turnstile = Turnstile()
        self._aiohttp: Any = None
        self._httpx: httpx.AsyncClient | None = None

    async def post(self, post: Post) -> Reply:
        reply = await (self._ways.get(post.url) or await self._way_to(post.url))(post)
        await self._turnstile.passed()
        return reply

    async def aclose(self) -> None:
        for client in filter(None, (self._aiohttp, self._httpx)):
            await client.aclose()

    async def _way_to(self, url: str) -> Callable[[Post], Awaitable[Reply]]:
        """How to post to a URL; the environment is looked at once."""
        async with self._one_at_a_time:
            if url not in self._ways:
                proxy = proxy_to(httpx.URL(url))
                has_socks = proxy is not None and proxy.url.scheme.startswith("socks")
                self._ways[url] = await (self._by_httpx() if has_socks else self._by_aiohttp(httpx.URL(url), proxy))
        return self._ways[url]

    async def _by_aiohttp(self, url: httpx.URL, proxy: httpx.Proxy | None) -> Callable[[Post], Awaitable[Reply]]:
        is_secure = "https" in (url.scheme, proxy and proxy.url.scheme)
        certificates = await asyncio.to_thread(trusted) if is_secure else None
        if self._aiohttp is None:
            is_there = _BY_AIOHTTP in sys.modules
            module = import_module(_BY_AIOHTTP) if is_there else await asyncio.to_thread(import_module, _BY_AIOHTTP)
            self._aiohttp = module.AiohttpClient()
        way: Callable[[Post], Awaitable[Reply]] = self._aiohttp.way_to(url, proxy, certificates)
        return way

    async def _by_httpx(self) -> Callable[[Post], Awaitable[Reply]]:
        client = self._httpx = self._httpx or httpx.AsyncClient(**scaling(httpx, await asyncio.to_thread(trusted)))

        async def send(post: Post) -> Reply:
            with _failures(post):
                response = await client.post(post.url, content=post.body, headers=post.headers, timeout=post.timeout)
            return Reply(response.status_code, response.headers, response.content)

        return send


def trusted() -> SSLContext:
    """The certificates that the environment names, or else those that come with httpx."""
    return _trusted(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@lru_cache(maxsize=4)
def _trusted(*of: str | None) -> SSLContext:
    """They take 17 ms to read."""
    try:
        context = httpx.create_ssl_context()
    except OSError as error:
        where = next(filter(None, of), "certifi")
        raise ModelError(
            f"no certificates can be read from {where} (SSL_CERT_FILE, SSL_CERT_DIR): {told(error)}."
        ) from error
    context.set_alpn_protocols(["http/1.1"])
    return context


def proxy_to(url: httpx.URL) -> httpx.Proxy | None:
    """The proxy that the environment has for a URL, by httpx's rules."""
    proxies = getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    if not proxy or any(_is_spared(url, name.strip()) for name in proxies.get("no", "").split(",")):
        return None
    return httpx.Proxy(proxy if "://" in proxy else f"http://{proxy}")


def _is_spared(url: httpx.URL, name: str) -> bool:
    """Whether a name in `NO_PROXY` means the URL: a host and those below it, an address, ".host", "https://host:port"."""
    if name in ("", "*"):
        return name == "*"
    spared = httpx.URL(name if "://" in name else f"all://{name if _is_address(name) else f'*{name}'}")
    host = spared.host.removeprefix("*")
    is_below = spared.host.startswith("*") and url.host.endswith(host if host.startswith(".") else f".{host}")
    return (
        spared.scheme in ("all", url.scheme)
        and spared.port in (None, url.port)
        and (not host or host == url.host or is_below)
    )


def _is_address(name: str) -> bool:
    try:
        return name == "localhost" or bool(ip_address(name))
    except ValueError:
        return False


@contextmanager
def _failures(post: Post) -> Iterator[None]:
    """Says of a post by httpx that failed what it was, and whether another try may help."""
    try:
        yield
    except httpx.TimeoutException as error:
        raise no_sign(post) from error
    except httpx.TransportError as error:
        raise not_asked(post, told(error)) from error
    except httpx.RequestError as error:
        raise unreadable(post, error) from error


def no_sign(post: Post) -> ModelError:
    return ModelTimeoutError(f"{post.url} gave no sign for {post.timeout:g} seconds.")


def not_asked(post: Post, why: str) -> ModelError:
    return ModelConnectionError(f"{post.url} could not be asked: {why}.")


def unreadable(post: Post, error: Exception) -> ModelError:
    return ModelError(f"{post.url} sent a reply that cannot be read: {told(error)}.")


def told(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split()).removesuffix(":")
