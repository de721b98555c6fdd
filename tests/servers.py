"""HTTP servers on this machine that say what a test has written down."""

from __future__ import annotations

import json
import re
import socket
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Asked:
    """A request: its path with the query, its headers by lower-case names, its body (parsed where it is JSON).

    `client` is the port that it came from: requests of one connection have the same.
    """

    path: str
    headers: Mapping[str, str]
    body: Any
    client: int


@dataclass(frozen=True)
class Reply:
    """A reply. What is not bytes is sent as JSON; a list of bytes in chunks, one after the other."""

    body: Any = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


SILENCE = Reply(status=0)
"""The server takes the request and says nothing."""
GOODBYE = Reply(status=-1)
"""The server closes the connection."""

Answer = Callable[[Asked], Reply]


@dataclass
class Server:
    """What it was asked, and where it is."""

    asked: list[Asked] = field(default_factory=list)
    url: str = ""


@contextmanager
def serving(answer: Answer) -> Iterator[Server]:
    """A server for the block. Requests are noted, and answered one at a time."""
    server, lock, over = Server(), threading.Lock(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            is_json = "json" in self.headers.get("Content-Type", "")
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.path, headers, json.loads(body) if is_json else body, self.client_address[1])
            with lock:
                server.asked.append(asked)
                reply = answer(asked)
            self.send(reply)

        do_GET = do_POST

        def send(self, reply: Reply) -> None:
            if reply == SILENCE:
                over.wait()
            if reply.status <= 0:
                self.close_connection = True
                return
            self.send_response(reply.status)
            for name, value in {"Content-Type": reply.content_type, **reply.headers}.items():
                self.send_header(name, value)
            if isinstance(reply.body, list):
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for part in [*reply.body, b""]:
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
                    self.wfile.flush()
            else:
                body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True  # a kept connection would be waited for

        def handle_error(self, *_: object) -> None:
            """Who asked is gone."""

    with Quiet(("127.0.0.1", 0), Handler) as http:
        server.url = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            over.set()
            http.shutdown()
            thread.join()


@contextmanager
def listening(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port for the block. Each connection to it is talked with in a thread of its own, and closed after that."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):  # who asked is gone
                talk(self.request)

    class Listener(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False
        request_queue_size = 1_000

    with Listener(("127.0.0.1", 0), Handler) as listener:
        thread = threading.Thread(target=listener.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield listener.server_address[1]
        finally:
            listener.shutdown()
            thread.join()


def request_of(connection: socket.socket) -> tuple[str, bytes]:
    """Reads one request from a connection: its head, and its body. ("", b"") where there is none any more."""
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(65_536)
        if not part:
            return "", b""
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head, re.I)
    while length and len(body) < int(length[1]):
        body += connection.recv(65_536)
    return head.decode("latin-1"), body


def reply_bytes(body: Any, status: str = "200 OK", *headers: str) -> bytes:
    """A reply as it is sent."""
    encoded = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(encoded)}", "Content-Type: application/json", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + encoded


@dataclass(frozen=True)
class Certificate:
    """Of "localhost", signed by itself. `file` is what to believe in."""

    file: Path
    key: Path

    def serves(self, connection: socket.socket) -> ssl.SSLSocket:
        """The connection as the server has it, after the handshake."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.file, self.key)
        return context.wrap_socket(connection, server_side=True)


def self_signed(folder: Path) -> Certificate:
    """Makes one, with openssl."""
    certificate = Certificate(folder / "certificate.pem", folder / "key.pem")
    made = "req -x509 -nodes -newkey rsa:2048 -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    files = ["-keyout", str(certificate.key), "-out", str(certificate.file)]
    subprocess.run(["openssl", *made.split(), *files], check=True, capture_output=True)
    return certificate
