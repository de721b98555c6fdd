"""How `GenericChatModel` reaches its server, from threads and from event loops: proxies, certificates, connections.

Both are to do the same: what one of them is told and does, the other one is told and does.
"""

from __future__ import annotations

import asyncio
import copy
import gc
import pickle
import shutil
import socket
import subprocess
import sys
import threading
import time
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from langchain_core.exceptions import (
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelError,
    ModelTimeoutError,
)
from langchain_core.messages import AIMessage

from langgraph_rlm import GenericChatModel
from langgraph_rlm.models.clients import aconnected, connected
from langgraph_rlm.models.posting import LoopClient, Post, ThreadClient
from tests.servers import (
    SILENCE,
    Asked,
    Certificate,
    Reply,
    listening,
    reply_bytes,
    request_of,
    self_signed,
    serving,
)

NOWHERE = "nowhere.invalid"
"""A host that only a proxy finds."""
VARIABLES = ["http_proxy", "https_proxy", "all_proxy", "no_proxy", "ssl_cert_file", "ssl_cert_dir"]

needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="makes a certificate with openssl")
both = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])


@pytest.fixture(autouse=True, scope="module")
def _only_what_is_new() -> Iterator[None]:
    """Collecting takes long: of what was there before, nothing is looked at."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def _nothing_is_set(_only_what_is_new: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    yield
    gc.collect()  # what is left open tells now


def build_payload(messages: list[Any], **parameters: Any) -> Any:
    return {"said": messages[-1].text, **parameters}


def parse_response(body: Any) -> str:
    return str(body["said"])


def model_at(url: str, **settings: Any) -> GenericChatModel:
    functions: dict[str, Any] = {"build_payload": build_payload, "parse_response": parse_response}
    return GenericChatModel(base_url=url, path="/talk", **functions, **settings)


def echo(asked: Asked) -> Reply:
    return Reply({"said": asked.body["said"]})


def asked_once(model: GenericChatModel, is_async: bool) -> AIMessage:
    return asyncio.run(model.ainvoke("hello")) if is_async else model.invoke("hello")


# -- proxies ----------------------------------------------------------------------------------------------------------

THROUGH: dict[str, dict[str, str]] = {
    "lower case": {"http_proxy": "http://{proxy}"},
    "upper case": {"HTTP_PROXY": "http://{proxy}"},
    "of all schemes": {"ALL_PROXY": "http://{proxy}"},
    "of all schemes, lower case": {"all_proxy": "http://{proxy}"},
    "without a scheme": {"http_proxy": "{proxy}"},
    "that of the scheme counts more": {"http_proxy": "http://{proxy}", "all_proxy": "http://127.0.0.1:9"},
    "other hosts need none": {"http_proxy": "http://{proxy}", "no_proxy": "localhost, 127.0.0.1 ,other.invalid"},
    "hosts that end like it": {"http_proxy": "http://{proxy}", "no_proxy": "where.invalid,here.invalid"},
    "hosts below it": {"http_proxy": "http://{proxy}", "no_proxy": ".nowhere.invalid"},
    "another port": {"http_proxy": "http://{proxy}", "no_proxy": "nowhere.invalid:81"},
    "another scheme": {"http_proxy": "http://{proxy}", "no_proxy": "https://nowhere.invalid"},
}
BESIDE: dict[str, dict[str, str]] = {
    "of another scheme": {"https_proxy": "http://{proxy}"},
    "all hosts": {"http_proxy": "http://{proxy}", "no_proxy": "other.invalid, *"},
    "the host": {"http_proxy": "http://{proxy}", "NO_PROXY": "nowhere.invalid"},
    "a domain": {"http_proxy": "http://{proxy}", "no_proxy": "invalid"},
    "a domain with a dot": {"all_proxy": "http://{proxy}", "no_proxy": ".invalid"},
    "a port": {"http_proxy": "http://{proxy}", "no_proxy": "nowhere.invalid:8080"},
    "a scheme": {"http_proxy": "http://{proxy}", "no_proxy": "http://nowhere.invalid"},
    "a scheme and hosts below": {"http_proxy": "http://{proxy}", "no_proxy": "http://*.invalid"},
}


@both
@pytest.mark.parametrize("how", [*THROUGH, *BESIDE])
def test_proxy_of_the_environment_is_used_but_where_it_says_not_to(
    how: str, is_async: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(echo) as proxy:
        for name, value in (THROUGH | BESIDE)[how].items():
            monkeypatch.setenv(name, value.format(proxy=proxy.url.removeprefix("http://")))
        model = model_at(f"http://{NOWHERE}:8080")
        if how in BESIDE:
            with pytest.raises(ModelConnectionError, match="could not be asked"):
                asked_once(model, is_async)
        else:
            assert asked_once(model, is_async).text == "hello"
    assert [asked.path for asked in proxy.asked] == ([] if how in BESIDE else [f"http://{NOWHERE}:8080/talk"])


@both
@pytest.mark.parametrize(
    "spared", ["127.0.0.1", "{server}", "http://{server}", "http://"], ids=["address", "port", "scheme", "all of it"]
)
def test_addresses_may_need_no_proxy(spared: str, is_async: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with serving(echo) as server:
        monkeypatch.setenv("no_proxy", spared.format(server=server.url.removeprefix("http://")))
        assert asked_once(model_at(server.url), is_async).text == "hello"


@both
def test_proxy_is_told_its_password_and_the_server_is_not(is_async: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(echo) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.replace("http://", "http://me:p%40ss%C3%A9@"))
        assert asked_once(model_at(f"http://{NOWHERE}", api_key="sk"), is_async).text == "hello"
    [asked] = proxy.asked
    assert asked.headers["proxy-authorization"] == f"Basic {b64encode('me:p@ssé'.encode()).decode()}"
    assert asked.headers["authorization"] == "Bearer sk"


@both
def test_proxy_that_is_not_there_is_told_of_without_its_password(
    is_async: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://me:secret@127.0.0.1:9")
    with pytest.raises(ModelConnectionError, match=r"http://nowhere\.invalid/talk could not be asked: ") as caught:
        asked_once(model_at(f"http://{NOWHERE}"), is_async)
    assert "secret" not in str(caught.value)


@contextmanager
def tunnels(port: int, heads: list[str], status: str = "200 Connection established") -> Iterator[int]:
    """A proxy that connects whatever host to a port of this machine. It notes what it was asked."""

    def talk(connection: socket.socket) -> None:
        heads.append(request_of(connection)[0])
        connection.sendall(f"HTTP/1.1 {status}\r\n\r\n".encode())
        if status.startswith("200"):
            pipe(connection, port)

    with listening(talk) as proxy:
        yield proxy


def pipe(connection: socket.socket, port: int) -> None:
    """Carries what is said between a connection and a port, until both sides have ended."""

    def carry(source: socket.socket, target: socket.socket) -> None:
        while part := source.recv(65_536):
            target.sendall(part)
        target.shutdown(socket.SHUT_WR)

    with socket.create_connection(("127.0.0.1", port)) as server:
        back = threading.Thread(target=quietly, args=(carry, server, connection))
        back.start()
        quietly(carry, connection, server)
        back.join()


def quietly(do: Callable[..., Any], *arguments: Any) -> None:
    try:
        do(*arguments)
    except OSError:
        """Who was talked with is gone."""


@contextmanager
def secure(certificate: Certificate, heads: list[str]) -> Iterator[int]:
    """A server behind TLS that says what it hears. It notes the heads of requests."""

    def talk(connection: socket.socket) -> None:
        with certificate.serves(connection) as secured:
            while True:
                head, body = request_of(secured)
                if not head:
                    return
                heads.append(head)
                secured.sendall(reply_bytes(body))

    with listening(talk) as port:
        yield port


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return self_signed(tmp_path_factory.mktemp("certificate"))


@needs_openssl
@both
def test_https_goes_through_a_tunnel_whose_password_the_server_does_not_see(
    is_async: bool, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, passed = list[str](), list[str]()
    with secure(certificate, asked) as port, tunnels(port, passed) as proxy:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate.file))
        monkeypatch.setenv("https_proxy", f"http://me:secret@127.0.0.1:{proxy}")
        assert asked_once(model_at("https://localhost:8443"), is_async).text == "hello"
    [passed_head], [asked_head] = passed, asked
    assert passed_head.startswith("CONNECT localhost:8443 HTTP/1.1")
    assert f"Proxy-Authorization: Basic {b64encode(b'me:secret').decode()}" in passed_head
    assert "proxy-authorization" not in asked_head.lower()


@both
def test_tunnel_that_is_refused_is_told_of(is_async: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    with tunnels(9, [], "407 Proxy Authentication Required") as proxy:
        monkeypatch.setenv("https_proxy", f"http://me:secret@127.0.0.1:{proxy}")
        with pytest.raises(ModelConnectionError, match=r"407.*Proxy Authentication Required") as caught:
            asked_once(model_at("https://localhost"), is_async)
    assert "secret" not in str(caught.value)


@both
@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_socks_proxy_is_used(scheme: str, is_async: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def talk(connection: socket.socket) -> None:
        connection.recv(100)
        connection.sendall(b"\x05\x00")
        hosts.append(connection.recv(100)[5:-2])
        connection.sendall(b"\x05\x00\x00\x01" + bytes(6))
        pipe(connection, int(server.url.rpartition(":")[2]))

    hosts = list[bytes]()
    with serving(echo) as server, listening(talk) as proxy:
        monkeypatch.setenv("all_proxy", f"{scheme}://127.0.0.1:{proxy}")
        assert asked_once(model_at(f"http://{NOWHERE}"), is_async).text == "hello"
    assert hosts == [NOWHERE.encode()]


# -- certificates -----------------------------------------------------------------------------------------------------


@needs_openssl
@both
def test_certificate_that_nobody_vouches_for_is_told_of(is_async: bool, certificate: Certificate) -> None:
    with secure(certificate, []) as port:
        told = (
            f"https://localhost:{port}/talk could not be asked: .*CERTIFICATE_VERIFY_FAILED.* self-signed certificate"
        )
        with pytest.raises(ModelConnectionError, match=told):
            asked_once(model_at(f"https://localhost:{port}"), is_async)


@needs_openssl
@both
@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_certificates_of_the_environment_are_believed(
    variable: str, is_async: bool, certificate: Certificate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = subprocess.run(
        ["openssl", "x509", "-hash", "-noout", "-in", certificate.file], capture_output=True, text=True, check=True
    )
    shutil.copy(certificate.file, tmp_path / f"{told.stdout.strip()}.0")  # as folders of certificates have it
    monkeypatch.setenv(variable, str({"SSL_CERT_FILE": certificate.file, "SSL_CERT_DIR": tmp_path}[variable]))
    with secure(certificate, []) as port:
        assert asked_once(model_at(f"https://localhost:{port}"), is_async).text == "hello"


@needs_openssl
@both
def test_certificate_of_another_host_is_told_of(
    is_async: bool, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.file))
    with (
        secure(certificate, []) as port,
        pytest.raises(ModelConnectionError, match=r"certificate is not valid for '127\.0\.0\.1'"),
    ):
        asked_once(model_at(f"https://127.0.0.1:{port}"), is_async)


@both
def test_certificates_that_cannot_be_read_are_told_of(
    is_async: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    with pytest.raises(ModelError, match=r"no certificates can be read from .*none\.pem \(SSL_CERT_FILE"):
        asked_once(model_at("https://localhost:9"), is_async)


@needs_openssl
def test_event_loop_is_not_held_up(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    """By certificates, look-ups of names, imports or sockets: in a new process nothing of it is done yet."""
    pytest.importorskip("blockbuster")
    code = (
        "import asyncio, blockbuster; from tests.unit.models.test_posting import model_at\n"
        "async def ask():\n"
        "    with blockbuster.blockbuster_ctx():\n"
        "        return (await model_at('https://localhost:{port}').ainvoke('hello')).text\n"
        "print(asyncio.run(ask()))"
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.file))
    monkeypatch.setenv("PYTHONPATH", ":".join(sys.path))
    with secure(certificate, []) as port:
        done = subprocess.run([sys.executable, "-c", code.format(port=port)], capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("hello", "")


# -- connections ------------------------------------------------------------------------------------------------------


@both
def test_connection_that_the_server_closed_while_nobody_used_it_fails_no_call(is_async: bool) -> None:
    """Not even where the loop had no time to see that it is closed."""

    def talk(connection: socket.socket) -> None:
        connections.append(connection)
        _, body = request_of(connection)
        connection.sendall(reply_bytes(body))

    async def ask_again() -> list[bytes]:
        client, said = LoopClient(), []
        for _ in range(5):
            said.append((await client.post(post)).body)
            time.sleep(0.02)  # noqa: ASYNC251
        await client.aclose()
        return said

    def ask_again_in_a_thread() -> list[bytes]:
        client, said = ThreadClient(), []
        for _ in range(5):
            said.append(client.post(post).body)
            time.sleep(0.02)
        client.close()
        return said

    connections = list[socket.socket]()
    with listening(talk) as port:
        post = Post(f"http://127.0.0.1:{port}/talk", b"hello", {}, timeout=5)
        said = asyncio.run(ask_again()) if is_async else ask_again_in_a_thread()
    assert said == [b"hello"] * 5
    assert len(connections) == 5


async def test_two_hundred_calls_at_once_have_connections_that_the_next_two_hundred_use_again() -> None:
    def talk(connection: socket.socket) -> None:
        connections.append(connection)
        while True:
            head, body = request_of(connection)
            if not head:
                closed.append(connection)
                return
            if len(connections) == 200:
                all_are_there.set()
            assert all_are_there.wait(20)
            connection.sendall(reply_bytes(body))

    connections, closed = list[socket.socket](), list[socket.socket]()
    all_are_there = threading.Event()
    with listening(talk) as port:
        model = model_at(f"http://127.0.0.1:{port}")
        async with aconnected([model]):
            for _ in range(3):
                said = await asyncio.gather(*(model.ainvoke(str(n)) for n in range(200)))
                assert [message.text for message in said] == [str(n) for n in range(200)]
        for _ in range(500):
            if len(closed) == len(connections):
                break
            await asyncio.sleep(0.01)
    assert len(closed) == len(connections) == 200


async def test_call_that_is_cancelled_leaves_no_connection_and_the_others_go_on() -> None:
    ended, begun = threading.Event(), threading.Event()

    def talk(connection: socket.socket) -> None:
        _, body = request_of(connection)
        if b"wait" in body:
            begun.set()
            connection.recv(1)
            ended.set()
        connection.sendall(reply_bytes(body))

    with listening(talk) as port:
        model = model_at(f"http://127.0.0.1:{port}")
        async with aconnected([model]):
            waiting = asyncio.create_task(model.ainvoke("wait"))
            await asyncio.to_thread(begun.wait, 5)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert await asyncio.to_thread(ended.wait, 5)
            assert (await model.ainvoke("hello")).text == "hello"


def test_one_model_serves_one_event_loop_after_another_and_several_at_once() -> None:
    with serving(echo) as server:
        model = model_at(server.url)
        for _ in range(20):
            assert asyncio.run(model.ainvoke("hello")).text == "hello"
        said = list[str]()
        threads = [threading.Thread(target=lambda: said.append(asked_once(model, True).text)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert said == ["hello"] * 8


@needs_openssl
def test_event_loop_may_be_uvloop(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    """As LangGraph's server has it."""
    uvloop = pytest.importorskip("uvloop")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.file))

    async def ask(url: str, text: str) -> str:
        model = model_at(url, timeout=PATIENCE)
        async with aconnected([model]):
            said = await asyncio.gather(*(model.ainvoke(text) for _ in range(3)))
            return (await model.ainvoke(said[0].text)).text

    with secure(certificate, []) as port, listening(takes_no_body) as deaf:
        assert uvloop.run(ask(f"https://localhost:{port}", "hello")) == "hello"
        with pytest.raises(ModelTimeoutError):
            uvloop.run(ask(f"http://127.0.0.1:{deaf}", "hello" * 4_000_000))


COPIES: dict[str, Callable[[GenericChatModel], GenericChatModel]] = {
    "pickled": lambda model: pickle.loads(pickle.dumps(model)),
    "deep": copy.deepcopy,
    "shallow": copy.copy,
    "pydantic's": lambda model: model.model_copy(),
}


@both
@pytest.mark.parametrize("kind", COPIES)
def test_copy_asks_as_the_model_does(kind: str, is_async: bool) -> None:
    with serving(echo) as server:
        model = model_at(server.url, api_key="sk", temperature=0)
        asked_once(model, is_async)
        copied = COPIES[kind](model)
        assert asked_once(copied, is_async).text == "hello"
    assert copied._get_llm_string() == model._get_llm_string()
    first, second = server.asked
    assert (first.body, first.headers["authorization"]) == (second.body, second.headers["authorization"])


async def test_copy_with_another_url_goes_there_by_the_same_connections() -> None:
    with serving(echo) as here, serving(echo) as there:
        model = model_at(here.url)
        other = model.model_copy(update={"base_url": there.url})
        async with aconnected([model, other]):
            await model.ainvoke("hello")
            await other.ainvoke("hello")
    assert [len(server.asked) for server in (here, there)] == [1, 1]


def test_aiohttp_is_imported_by_the_first_call_of_an_event_loop() -> None:
    code = (
        "import sys; from langgraph_rlm import GenericChatModel; GenericChatModel.openai('http://a', 'b')\n"
        "print('aiohttp' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


# -- time-outs --------------------------------------------------------------------------------------------------------

PATIENCE = 0.4
"""Seconds."""


@both
def test_server_that_gives_a_sign_now_and_then_has_all_the_time(is_async: bool) -> None:
    def talk(connection: socket.socket) -> None:
        _, body = request_of(connection)
        whole = reply_bytes(body)
        for start in range(0, len(whole), 20):
            time.sleep(PATIENCE / 4)
            connection.sendall(whole[start : start + 20])

    with listening(talk) as port:
        begun = time.monotonic()
        assert asked_once(model_at(f"http://127.0.0.1:{port}", timeout=PATIENCE), is_async).text == "hello"
    assert time.monotonic() - begun > PATIENCE


def stops_in_the_head(connection: socket.socket) -> None:
    request_of(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Le")
    connection.recv(1)


def stops_in_the_body(connection: socket.socket) -> None:
    _, body = request_of(connection)
    connection.sendall(reply_bytes(body)[:-2])
    connection.recv(1)


def takes_no_body(connection: socket.socket) -> None:
    connection.recv(1_000)
    time.sleep(5 * PATIENCE)


def shakes_no_hand(connection: socket.socket) -> None:
    connection.recv(1_000)
    connection.recv(1)


SLOW: dict[str, tuple[str, Callable[[socket.socket], None], str]] = {
    "head": ("http", stops_in_the_head, "hello"),
    "body": ("http", stops_in_the_body, "hello"),
    "a prompt of megabytes": ("http", takes_no_body, "hello" * 4_000_000),
    "handshake": ("https", shakes_no_hand, "hello"),
}


@both
@pytest.mark.parametrize("where", SLOW)
def test_server_that_stops_is_not_waited_for_longer(where: str, is_async: bool) -> None:
    scheme, talk, text = SLOW[where]
    with listening(talk) as port:
        model = model_at(f"{scheme}://127.0.0.1:{port}", timeout=PATIENCE)
        with pytest.raises(ModelTimeoutError, match=r"/talk gave no sign for 0\.4 seconds\."):
            _ = asyncio.run(model.ainvoke(text)) if is_async else model.invoke(text)


@both
def test_prompt_of_megabytes_arrives(is_async: bool) -> None:
    text = "hellö" * 1_000_000
    with serving(lambda asked: Reply({"said": asked.body["said"]})) as server:
        model = model_at(server.url, timeout=20)
        message = asyncio.run(model.ainvoke(text)) if is_async else model.invoke(text)
    assert message.text == text
    [asked] = server.asked
    assert int(asked.headers["content-length"]) == 6_000_000 + len('{"said":""}')


@both
def test_time_out_is_a_time_out_to_each_of_many(is_async: bool) -> None:
    with serving(lambda asked: SILENCE) as server:
        model = model_at(server.url, timeout=0.2)
        said = (
            asyncio.run(model.abatch(["hello"] * 5, return_exceptions=True))
            if is_async
            else model.batch(["hello"] * 5, return_exceptions=True)
        )
    assert all(isinstance(failure, ModelTimeoutError) for failure in said)


# -- replies ----------------------------------------------------------------------------------------------------------

SAID = b'{"said": "hello"}'


def packed(body: bytes, encoding: str, bits: int) -> bytes:
    packer = zlib.compressobj(wbits=bits)
    return reply_bytes(packer.compress(body) + packer.flush(), "200 OK", f"Content-Encoding: {encoding}")


READ: dict[str, bytes] = {
    "gzip": packed(SAID, "gzip", 31),
    "deflate": packed(SAID, "deflate", 15),
    "bare deflate": packed(SAID, "deflate", -15),
    "an encoding that it is not in": reply_bytes(SAID, "200 OK", "Content-Encoding: identity"),
    "to the end of the connection": b"HTTP/1.1 200 OK\r\n\r\n" + SAID,
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + SAID,
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n"
    + SAID[:9]
    + b"\r\n8\r\n"
    + SAID[9:]
    + b"\r\n0\r\n\r\n",
    "go on first": b"HTTP/1.1 100 Continue\r\n\r\n" + reply_bytes(SAID),
    "UTF-16": reply_bytes(SAID.decode().encode("utf-16")),
    "a byte order mark": reply_bytes(b"\xef\xbb\xbf" + SAID),
    "a charset that it is not in": reply_bytes(SAID, "200 OK", "Content-Type: application/json; charset=utf-16"),
    "a long header": reply_bytes(SAID, "200 OK", f"X-Policy: {'x' * 50_000}"),
    "many headers": reply_bytes(SAID, "200 OK", *(f"X-{n}: {n}" for n in range(100))),
    "a broken cookie": reply_bytes(SAID, "200 OK", "Set-Cookie: =;\x01;;a=\xff"),
    "another status of success": reply_bytes(SAID, "201 Created"),
    "no reason": reply_bytes(SAID, "200 "),
    "megabytes": reply_bytes(b'{"said": "hello", "more": "' + b"x" * 20_000_000 + b'"}'),
}


@both
@pytest.mark.parametrize("how", READ)
def test_reply_is_read_however_it_comes(how: str, is_async: bool) -> None:
    assert replied(READ[how], is_async).text == "hello"


def replied(sent: bytes, is_async: bool) -> AIMessage:
    """What a model makes of what a server sends before it closes the connection."""

    def talk(connection: socket.socket) -> None:
        request_of(connection)
        connection.sendall(sent)

    with listening(talk) as port:
        return asked_once(model_at(f"http://127.0.0.1:{port}"), is_async)


BROKEN: dict[str, tuple[bytes, type[ModelError], str]] = {
    "nothing": (b"", ModelConnectionError, "could not be asked"),
    "no HTTP": (b"SSH-2.0-OpenSSH_9.6\r\n", ModelConnectionError, "could not be asked"),
    "cut off": (reply_bytes(SAID)[:-3], ModelConnectionError, "could not be asked"),
    "cut off in the head": (b"HTTP/1.1 200 OK\r\nContent-", ModelConnectionError, "could not be asked"),
    "cut off between chunks": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n" + SAID[:9] + b"\r\n",
        ModelConnectionError,
        "could not be asked",
    ),
    "no chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n", ModelConnectionError, "could not"),
    "two lengths": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        ModelConnectionError,
        "could not be asked",
    ),
    "no gzip": (
        reply_bytes(SAID, "200 OK", "Content-Encoding: gzip"),
        ModelError,
        "sent a reply that cannot be read: DecodingError: ",
    ),
    "gzip that is cut off": (packed(SAID, "gzip", 31)[:40], ModelConnectionError, "could not be asked"),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", ModelError, r"204 with what is not JSON \(its body is empty\)"),
    "half of JSON": (reply_bytes(SAID[:-3]), ModelError, '200 with what is not JSON: {"said": "hel'),
    "no UTF-8": (reply_bytes(b'{"said": "\xff\xfe\xfd"}'), ModelError, "200 with what is not JSON: "),
    "redirection": (
        reply_bytes(b"", "307 Temporary Redirect", "Location: http://127.0.0.1:9/"),
        ModelError,
        r"answered 307 \(its body is empty\)",
    ),
    "Latin-1": (
        b"HTTP/1.1 401 No\r\nContent-Type: text/plain; charset=latin-1\r\n\r\n" + "près".encode("latin-1"),
        ModelAuthenticationError,
        "answered 401: près",
    ),
    "no charset": (
        b"HTTP/1.1 401 No\r\nContent-Type: text/plain; charset=base64\r\n\r\nno\xff",
        ModelAuthenticationError,
        "answered 401: no�",
    ),
    "gzip of an error": (
        packed("später".encode(), "gzip", 31).replace(b"200 OK", b"503 No", 1),
        ModelAPIError,
        "answered 503: später",
    ),
}


@both
@pytest.mark.parametrize("how", BROKEN)
def test_reply_that_is_broken_is_told_of(how: str, is_async: bool) -> None:
    sent, kind, told = BROKEN[how]
    with pytest.raises(ModelError, match=told) as caught:
        replied(sent, is_async)
    assert type(caught.value) is kind


@both
def test_refusal_before_the_prompt_is_taken_is_heard(is_async: bool) -> None:
    def talk(connection: socket.socket) -> None:
        connection.recv(1_000)
        connection.sendall(reply_bytes(b"too much", "413 Content Too Large"))
        time.sleep(0.2)
        while connection.recv(1_000_000):
            pass

    with listening(talk) as port:
        model = model_at(f"http://127.0.0.1:{port}", timeout=5)
        with pytest.raises(ModelError, match="answered 413: too much"):
            _ = asyncio.run(model.ainvoke("hello" * 200_000)) if is_async else model.invoke("hello" * 200_000)


@both
def test_cookie_of_a_balancer_is_kept_for_the_run(is_async: bool) -> None:
    def answer(asked: Asked) -> Reply:
        return Reply({"said": asked.headers.get("cookie", "none")}, headers={"Set-Cookie": "node=7; Path=/"})

    async def ask_twice() -> list[str]:
        async with aconnected([model]):
            return [(await model.ainvoke("hello")).text for _ in range(2)]

    with serving(answer) as server:
        model = model_at(server.url)
        if is_async:
            said = asyncio.run(ask_twice())
        else:
            with connected([model]):
                said = [model.invoke("hello").text for _ in range(2)]
        assert asked_once(model, is_async).text == "none"
    assert said == ["none", "node=7"]


@both
def test_headers_are_sent_as_they_are(is_async: bool) -> None:
    key = """!"#$%&'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~ inside"""
    with serving(echo) as server:
        headers = {
            "x-!#$%&'*+.^_`|~": "1",
            "Content-Type": "application/vnd.talk+json",
            "accept": "text/*",
            "X-Empty": "",
        }
        asked_once(model_at(server.url, api_key=key, headers=headers), is_async)
    [asked] = server.asked
    sent = {name: asked.headers[name.lower()] for name in headers}
    assert sent == headers
    assert asked.headers["authorization"] == f"Bearer {key}"
    assert asked.body == {"said": "hello"}


@both
@pytest.mark.parametrize("path", ["/a%2Fb/ü", "/a/../b", "/a b?q=1+2&r=ü#no", "/x:generate?key=a%20b"])
def test_path_is_asked_for_as_it_is_written(path: str, is_async: bool) -> None:
    written = {
        "/a%2Fb/ü": "/a%2Fb/%C3%BC",
        "/a/../b": "/b",
        "/a b?q=1+2&r=ü#no": "/a%20b?q=1+2&r=%C3%BC",
        "/x:generate?key=a%20b": "/x:generate?key=a%20b",
    }
    with serving(echo) as server:
        asked_once(model_at(server.url).model_copy(update={"path": path}), is_async)
    assert [asked.path for asked in server.asked] == [written[path]]
