"""The fixtures of `command_line`."""

from __future__ import annotations

import io
import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from langgraph_rlm.cli import main
from tests.integration.command_line import TEXT, Cli, Ended, Provider

ROOT = Path(__file__).parents[2]


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the runs of the test are kept: not in the user's own folder."""
    folder = tmp_path_factory.mktemp("home") / "state"
    monkeypatch.setenv("LANGGRAPH_RLM_STATE", str(folder))
    return folder


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, state: Path) -> Iterator[Provider]:
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                content, status = provider.reply(request["messages"]), 200
            except Exception:
                content, status = "", 400
            message = {"role": "assistant", "content": content}
            body = {
                "id": "1",
                "object": "chat.completion",
                "created": 0,
                "model": "fake",
                "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
                "usage": {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12},
            }
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())
            except OSError:  # who asked is gone
                pass

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        provider.url = f"http://127.0.0.1:{server.server_port}/v1"
        for name in ("LANGGRAPH_RLM_MODEL", "FORCE_COLOR", "TTY_COMPATIBLE", "NO_COLOR", "OPENAI_API_BASE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("OPENAI_BASE_URL", provider.url)
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        monkeypatch.setenv("TERM", "xterm-256color")
        monkeypatch.setenv("PYTHONPATH", str(ROOT))
        monkeypatch.chdir(tmp_path)
        Path("text.txt").write_text(TEXT)
        yield provider
        server.shutdown()


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], provider: Provider) -> Cli:
    """Runs the command line in this process: a new one takes seconds to start."""

    def run(*arguments: str, stdin: str = "") -> Ended:
        monkeypatch.setattr(sys, "argv", ["langgraph-rlm", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        capfd.readouterr()
        with pytest.raises(SystemExit) as exit:
            main()
        return Ended(int(exit.value.code or 0), *capfd.readouterr())

    return run
