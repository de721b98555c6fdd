"""`langgraph dev` in a folder of its own, and a server that plays the models of its runs: the network is not needed."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.fakes import cell
from tests.integration.command_line import Messages, Provider
from tests.servers import SILENCE, Asked, Reply, serving

ROOT = Path(__file__).parents[2]
STARTED_WITHIN = 60.0


@dataclass
class Model(Provider):
    """The model "openai:fake". It takes a prompt that is to stay open, and does not say anything to it."""

    child: str = ""
    """The cell of RLMs whose question begins with "child"."""
    open: str = ""
    is_open: threading.Event = field(default_factory=threading.Event)

    @property
    def prompts(self) -> list[str]:
        """The last message of each call, in order."""
        return [messages[-1]["content"] for messages in self.asked]

    def reply(self, messages: Messages) -> str:
        said = super().reply(messages)
        is_child = messages[0]["role"] == "system" and "Question: child" in messages[1]["content"]
        return cell(self.child) if is_child else said

    def __call__(self, asked: Asked) -> Reply:
        content = self.reply(asked.body["messages"])
        if self.open and self.prompts[-1] == self.open:
            self.is_open.set()
            return SILENCE
        message = {"role": "assistant", "content": content}
        told: dict[str, Any] = {"id": "1", "created": 0, "model": "fake"}
        usage = {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}
        if not asked.body.get("stream"):
            whole = {"index": 0, "finish_reason": "stop", "message": message}
            return Reply({**told, "object": "chat.completion", "choices": [whole], "usage": usage})
        parts: list[dict[str, Any]] = [{"delta": message}, {"delta": {}, "finish_reason": "stop"}]
        events = [{**told, "object": "chat.completion.chunk", "choices": [{"index": 0, **part}]} for part in parts]
        lines = [*map(json.dumps, events), "[DONE]"]
        return Reply("".join(f"data: {line}\n\n" for line in lines).encode(), content_type="text/event-stream")


@contextmanager
def playing(model: Model) -> Iterator[Model]:
    with serving(model) as server:
        model.url = f"{server.url}/v1"
        yield model


@contextmanager
def started(folder: Path, model: Model, **settings: str) -> Iterator[DevServer]:
    """A server for the block, with variables of its environment."""
    server = DevServer(folder, model, settings=settings)
    try:
        server.start()
        yield server
    finally:
        server.end()


@dataclass
class DevServer:
    """The repository's `langgraph.json`, served from a copy of it: what the server writes is written beside that."""

    folder: Path
    model: Model
    url: str = ""
    port: int = 0
    """Where it listens: from its first start on always there."""
    settings: dict[str, str] = field(default_factory=dict)
    """Variables of its environment."""
    jobs: int = 4
    """Runs that it works on at once."""

    def __post_init__(self) -> None:
        shutil.copytree(ROOT / "examples", self.folder / "examples")
        shutil.copy(ROOT / "langgraph.json", self.folder)

    def forget(self, setting: str) -> None:
        """Takes a setting out of `langgraph.json`."""
        file = self.folder / "langgraph.json"
        settings = json.loads(file.read_text())
        del settings[setting]
        file.write_text(json.dumps(settings))

    @property
    def log(self) -> str:
        return re.sub(r"\x1b\[\d*m", "", (self.folder / "log").read_text())

    def start(self) -> None:
        cli = [sys.executable, "-c", "from langgraph_cli.cli import cli; cli()"]
        at_once = ["--n-jobs-per-worker", str(self.jobs)]
        settings = {
            "PYTHONPATH": str(ROOT),
            "OPENAI_BASE_URL": self.model.url,
            "OPENAI_API_KEY": "none",
            "LANGSMITH_TRACING": "false",
            "LANGGRAPH_CLI_NO_ANALYTICS": "1",
            "LANGGRAPH_NO_VERSION_CHECK": "1",
            **self.settings,
        }
        if not self.port:
            with socket.create_server(("127.0.0.1", 0)) as free:
                self.port = free.getsockname()[1]  # another one is taken, and told, where it is not free any more
        with (self.folder / "log").open("w") as log:
            self._process = subprocess.Popen(
                [*cli, "dev", "--no-browser", "--no-reload", *at_once, "--port", str(self.port)],
                cwd=self.folder,
                env={**os.environ, **settings},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + STARTED_WITHIN
        while not self._answers():
            assert self._process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.05)

    def _answers(self) -> bool:
        found = re.search(r"API: (http://\S+)", self.log)
        self.url = found[1] if found else ""
        try:
            return bool(found) and httpx.get(f"{self.url}/ok", trust_env=False).is_success
        except httpx.TransportError:
            return False

    def end(self, number: int = signal.SIGKILL) -> None:
        """Ends the server: `SIGKILL` with all that it has started, at once, another signal as it is used to."""
        if number != signal.SIGKILL:
            self._process.send_signal(number)
        else:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
        self._process.wait(60)
