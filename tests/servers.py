"""HTTP servers on this machine that say what a test has written down."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
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
