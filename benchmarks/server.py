"""A fake server that speaks OpenAI's chat completions, in a process of its own: what it costs is nobody's.

A script says its next reply at once to a conversation that has a system message: one for each turn, the last one again
where there are no more. It is the script that the texts name (`script:name`), or else that of the model's name. Any
other prompt, such as all those to `"leaf"`, is answered with "yes" after the server's latency.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import re
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Server:
    """A running server. `url` is a `base_url` for OpenAI clients."""

    url: str

    def counts(self) -> dict[str, int]:
        """Requests so far, by model name. They begin at 0 again."""
        counts: dict[str, int] = self._read("counts")
        return counts

    def prompts(self) -> list[list[str]]:
        """The messages' texts of each request to a script, in order, since they were asked for the last time."""
        prompts: list[list[str]] = self._read("prompts")
        return prompts

    def most(self) -> int:
        """How many requests waited for the latency at the same time, at most. It begins at 0 again."""
        most: int = self._read("most")
        return most

    def _read(self, name: str) -> Any:
        with urllib.request.urlopen(f"{self.url}/{name}") as response:
            return json.load(response)


@dataclass
class _Seen:
    counts: Counter[str] = field(default_factory=Counter)
    prompts: list[list[str]] = field(default_factory=list)
    waiting: int = 0
    most: int = 0

    def tell(self, name: str) -> object:
        """What the `Server`'s method of this name returns. It begins again."""
        told: object = getattr(self, name)
        setattr(self, name, type(told)())
        return told


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
        seen = _Seen()
        server = await asyncio.get_running_loop().create_server(
            lambda: _Connection(latency, scripts, seen), "127.0.0.1", 0, backlog=2_000
        )
        ports.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


class _Connection(asyncio.Protocol):
    """One kept connection: request after request, without pipelining."""

    def __init__(self, latency: float, scripts: Mapping[str, Sequence[str]], seen: _Seen) -> None:
        self.latency, self.scripts, self.seen = latency, scripts, seen
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
            self._tell(self.seen.tell(line.split()[1].rpartition("/")[2]))
            return
        asked = json.loads(rest[:length])
        texts = [_text(message["content"]) for message in asked["messages"]]
        self.seen.counts[asked["model"]] += 1
        script = self._script(asked, texts)
        if script is None:
            self.seen.waiting += 1
            self.seen.most = max(self.seen.most, self.seen.waiting)
            asyncio.get_running_loop().call_later(self.latency, self._waited, asked)
            return
        self.seen.prompts.append(texts)
        turn = sum(message["role"] == "assistant" for message in asked["messages"])
        self._reply(asked, script[min(turn, len(script) - 1)])

    def _script(self, asked: dict[str, Any], texts: Sequence[str]) -> Sequence[str] | None:
        if asked["messages"][0]["role"] not in ("system", "developer"):
            return None
        named = re.search(r"script:([\w-]+)", "\n".join(texts))
        return self.scripts.get(named[1] if named else asked["model"])

    def _waited(self, asked: dict[str, Any]) -> None:
        self.seen.waiting -= 1
        self._reply(asked, "yes")

    def _reply(self, asked: dict[str, Any], text: str) -> None:
        used = {"prompt_tokens": sum(len(str(m["content"])) for m in asked["messages"]) // 4, "completion_tokens": 1}
        message, end = {"role": "assistant", "content": text}, {"index": 0, "finish_reason": "stop"}
        kind = {"id": "chatcmpl-1", "created": 1, "model": asked["model"]}
        usage = {**used, "total_tokens": sum(used.values())}
        if asked.get("stream"):
            chunk = {**kind, "object": "chat.completion.chunk"}
            parts: list[dict[str, Any]] = [{"choices": [{**end, "delta": message}]}, {"choices": [], "usage": usage}]
            events = [*(json.dumps({**chunk, **part}) for part in parts), "[DONE]"]
            self._send("".join(f"data: {event}\n\n" for event in events), "text/event-stream")
        else:
            self._tell({**kind, "object": "chat.completion", "choices": [{**end, "message": message}], "usage": usage})

    def _tell(self, body: object) -> None:
        self._send(json.dumps(body), "application/json")

    def _send(self, body: str, content_type: str) -> None:
        encoded = body.encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {len(encoded)}\r\n\r\n"
        if not self.transport.is_closing():
            self.transport.write(head.encode() + encoded)


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
