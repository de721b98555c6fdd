"""A server in LangSmith's place: it takes what LangSmith's client sends, and has the runs of each trace."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

import langsmith
import zstandard

from tests.servers import Asked, Reply, serving

BATCHES = {
    "use_multipart_endpoint": True,
    "size_limit": 100,
    "size_limit_bytes": 20_971_520,
    "scale_up_qsize_trigger": 1_000,
    "scale_up_nthreads_limit": 16,
    "scale_down_nempty_trigger": 4,
}
PLAIN: dict[str, Any] = {"version": "0.16.14", "batch_ingest_config": BATCHES}
COMPRESSED: dict[str, Any] = {**PLAIN, "instance_flags": {"zstd_compression_enabled": True}}
"""What the server says it takes."""


@dataclass
class Run:
    """A run of a trace. `sent` is what was told of it, as JSON."""

    name: str
    kind: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    sent: str
    parent: str | None
    began: str
    children: list[Run] = field(default_factory=list)

    def __iter__(self) -> Iterator[Run]:
        """This one, and all below it."""
        yield self
        for child in self.children:
            yield from child


class Traces:
    """What came in: `roots` once all of it is there."""

    def __init__(self) -> None:
        self.fields: dict[str, dict[str, Any]] = {}

    def answer(self, asked: Asked) -> Reply:
        """Takes parts named `post.<run>`, `post.<run>.inputs`, `patch.<run>.outputs` and so on."""
        body = asked.body
        if asked.headers.get("content-encoding") == "zstd":
            body = zstandard.ZstdDecompressor().decompressobj().decompress(body)
        head = f"Content-Type: {asked.headers['content-type']}\r\n\r\n".encode()
        for part in message_from_bytes(head + body, EmailMessage, policy=policy.HTTP).iter_parts():
            name = cast(str, part.get_param("name", header="content-disposition"))
            _, run, *names = name.split(".")
            told = json.loads(cast(bytes, part.get_payload(decode=True)))
            self.fields.setdefault(run, {}).update({names[0]: told} if names else told)
        return Reply(status=202)

    @property
    def roots(self) -> list[Run]:
        """The traces, their runs in the order in which they began."""
        runs = {
            name: Run(
                told["name"],
                told["run_type"],
                told["inputs"],
                told.get("outputs") or {},
                json.dumps(told),
                told.get("parent_run_id"),
                told["dotted_order"],
            )
            for name, told in self.fields.items()
        }
        for run in sorted(runs.values(), key=lambda run: run.began):
            if run.parent:
                runs[run.parent].children.append(run)
        return [run for run in runs.values() if run.parent is None]


@contextmanager
def traced(takes: dict[str, Any] = COMPRESSED, **settings: Any) -> Iterator[Traces]:
    """Has what runs in the block traced, by a client of these settings. After it, the traces are there."""
    traces = Traces()

    def answer(asked: Asked) -> Reply:
        return Reply(takes) if asked.path == "/info" else traces.answer(asked)

    with serving(answer) as server:
        client = langsmith.Client(api_url=server.url, api_key="none", **settings)
        with langsmith.tracing_context(enabled=True, client=client):
            yield traces
        client.flush()
        client.cleanup()
