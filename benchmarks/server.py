"""A fake server that speaks OpenAI's chat completions, in a process of its own: what it costs is nobody's.

A model name is that of a script, which says its next reply at once to a conversation that has a system message: one
for each turn, the last one again where there are no more. Any other prompt, and any to `"leaf"`, is answered with "yes"
after the server's latency.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

LEAF = "leaf"


@dataclass(frozen=True)
class Server:
    """A running server. `url` is a `base_url` for OpenAI clients."""

    url: str

    def counts(self) -> dict[str, int]:
        """Requests so far, by model name. They begin at 0 again."""
        with urllib.request.urlopen(f"{self.url}/counts") as response:
            counts: dict[str, int] = json.load(response)
        return counts

    def prompts(self) -> list[list[str]]:
        """The messages' texts of each request to a script, in order, since they were asked for the last time."""
        with urllib.request.urlopen(f"{self.url}/prompts") as response:
            prompts: list[list[str]] = json.load(response)
        return prompts


@contextmanager
def serving(latency: float, scripts: Mapping[str, Sequence[str]]) -> Iterator[Server]:
    """A server for the block; `latency` in seconds."""
    spawn = multiprocessing.get_context("spawn")
    ports: Any = spawn.Queue()
    process = spawn.Process(target=_serve, args=(latency, dict(scripts), ports), daemon=True)
    process.start()
    try:
        yield Server(f"http://127.0.0.1:{ports.get(timeout=30)}/v1")
    finally:
        process.kill()
        process.join()


def _serve(latency: float, scripts: Mapping[str, Sequence[str]], ports: Any) -> None:
    async def main() -> None:
        counts: Counter[str] = Counter()
        prompts: list[list[str]] = []
        server = await asyncio.get_running_loop().create_server(
            lambda: _Connection(latency, scripts, counts, prompts), "127.0.0.1", 0, backlog=2_000
        )
        ports.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


class _Connection(asyncio.Protocol):
    """One kept connection: request after request, without pipelining."""

    def __init__(
        self, latency: float, scripts: Mapping[str, Sequence[str]], counts: Counter[str], prompts: list[list[str]]
    ) -> None:
        self.latency, self.scripts, self.counts, self.prompts = latency, scripts, counts, prompts
        self.received = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, found, rest = self.received.partition(b"\r\n\r\n")
        if not found:
            return
        line, *headers = head.decode("latin-1").split("\r\n")
        fields = {name.lower(): value for name, _, value in (header.partition(": ") for header in headers)}
        length = int(fields.get("content-length", 0))
        if len(rest) < length:
            return
        self.received = rest[length:]
        if line.startswith("GET"):
            self._tell(self.counts if "/counts" in line else self.prompts)
            (self.counts if "/counts" in line else self.prompts).clear()
            return
        asked = json.loads(rest[:length])
        self.counts[asked["model"]] += 1
        if asked["model"] == LEAF or asked["messages"][0]["role"] not in ("system", "developer"):
            asyncio.get_running_loop().call_later(self.latency, self._reply, asked, "yes")
            return
        self.prompts.append([_text(message["content"]) for message in asked["messages"]])
        script = self.scripts[asked["model"]]
        turn = sum(message["role"] == "assistant" for message in asked["messages"])
        self._reply(asked, script[min(turn, len(script) - 1)])

    def _reply(self, asked: dict[str, Any], text: str) -> None:
        used = {"prompt_tokens": sum(len(str(m["content"])) for m in asked["messages"]) // 4, "completion_tokens": 1}
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        kind = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": asked["model"]}
        self._tell({**kind, "choices": [choice], "usage": {**used, "total_tokens": sum(used.values())}})

    def _tell(self, body: object) -> None:
        encoded = json.dumps(body).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(encoded)}\r\n\r\n"
        if not self.transport.is_closing():
            self.transport.write(head.encode() + encoded)


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
