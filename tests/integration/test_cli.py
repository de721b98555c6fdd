"""The command line, with a model that a server on this machine plays."""

from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from langgraph_rlm.cli import demo, main

ROOT = Path(__file__).parents[2]
TEXT = "apple\npear\n" * 2_000
Messages = list[dict[str, str]]


@dataclass
class Provider:
    """An OpenAI-compatible server. An RLM gets `cells` one after the other; what its code asks, `answer` answers."""

    url: str = ""
    cells: Sequence[str] = ()
    answer: Callable[[str], str] = lambda prompt: "yes"
    asked: list[Messages] = field(default_factory=list)

    def reply(self, messages: Messages) -> str:
        self.asked.append(messages)
        if messages[0]["role"] != "system":
            return self.answer(messages[-1]["content"])
        turn = sum(message["role"] == "assistant" for message in messages)
        return f"```repl\n{self.cells[min(turn, len(self.cells) - 1)]}\n```"


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Provider]:
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


@dataclass(frozen=True)
class Ended:
    status: int
    out: str
    err: str


Cli = Callable[..., Ended]


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


ASK = ("ask", "How many?", "-c", "text.txt", "-m", "openai:fake")
COUNT = "print(P.count('apple'))"
FINAL = "Final = P.count('apple')"


def test_answer_alone_is_on_standard_output_and_the_steps_on_standard_error(cli: Cli, provider: Provider) -> None:
    provider.cells = [COUNT, FINAL]
    ended = cli(*ASK)
    assert (ended.status, ended.out) == (0, "2000\n")
    assert "\x1b" not in ended.err
    shown = ended.err.splitlines()
    assert shown[:2] == ["Context  22,000 characters in 1 document, some 5,500 tokens", "Model    openai:fake"]
    assert shown[2:-2] == ["", "Step 1", f"    {COUNT}", "  output", "    2000", "", "Step 2", f"    {FINAL}"]
    assert shown[-1].startswith("Done     2 steps, 0 sub-calls, 24 tokens, ")


def test_json_is_one_object_with_the_answer_and_what_it_took(cli: Cli, provider: Provider) -> None:
    provider.cells = ["Final = {'apples': P.count('apple'), 'said': llm_query('Well?')}"]
    ended = cli(*ASK, "--json", "--quiet")
    assert (ended.status, ended.err) == (0, "")
    output = json.loads(ended.out)
    assert output.pop("seconds") > 0
    assert output.pop("usage")["fake"]["total_tokens"] == 24
    assert output == {
        "answer": {"apples": 2_000, "said": "yes"},
        "status": "answered",
        "route": "rlm",
        "profile": "auto",
        "steps": 1,
        "subcalls": 1,
        "model": "openai:fake",
    }


def test_short_text_is_answered_by_one_call(cli: Cli, provider: Provider) -> None:
    Path("short.txt").write_text("one apple")
    ended = cli("ask", "How many?", "-c", "short.txt", "-m", "openai:fake")
    assert (ended.status, ended.out) == (0, "yes\n")
    assert "1 document, some 2 tokens" in ended.err
    assert len(provider.asked) == 1


def test_settings_reach_the_run(cli: Cli, provider: Provider) -> None:
    provider.cells = [
        "while True: pass",
        "try:\n    llm_query('?')\nexcept RuntimeError as error:\n    Final = str(error)",
    ]
    ended = cli(*ASK, "--max-depth", "0", "--timeout", "0.05", "--instructions", "Be brave.", "--profile", "rlm")
    assert (ended.status, ended.out) == (0, "sub-calls are not available here: answer with Python alone\n")
    assert "the cell ran longer than 0.05 s" in ended.err
    assert "Be brave." in provider.asked[0][0]["content"]


def test_reached_limit_is_an_answer_with_a_warning_also_when_quiet(cli: Cli, provider: Provider) -> None:
    provider.cells = [COUNT, FINAL]
    ended = cli(*ASK, "--max-steps", "1", "-q")
    assert (ended.status, ended.out) == (0, "2000\n")
    assert ended.err.startswith("Warning: max_steps is reached")
    assert ended.err.count("\n") == 1


def test_children_and_failed_sub_calls_are_told(cli: Cli, provider: Provider) -> None:
    def answer(prompt: str) -> str:
        if "bad" in prompt:
            raise RuntimeError
        return "good"

    provider.answer = answer
    provider.cells = [
        "Final = ctx.num_documents() if P == 'child' else [rlm_query('child'), *llm_batch(['bad', 'fine'])]"
    ]
    ended = cli(*ASK, "--json")
    assert json.loads(ended.out)["answer"][::2] == ["1", "good"]
    assert "  sub-call 1 (RLM, 1 step): 1\n" in ended.err
    assert "  3 sub-calls, 1 of them failed\n  failed: " in ended.err


def test_standard_input_and_files_are_one_context(cli: Cli, provider: Provider) -> None:
    provider.cells = ["Final = [d['name'] for d in ctx.metadata] + [P[-5:]]"]
    ended = cli("ask", "?", "-c", "-", "-c", "*.txt", "-m", "openai:fake", "--profile", "rlm", "-q", stdin="piped")
    assert json.loads(ended.out) == ["text.txt", "standard input", "piped"]


def test_what_of_the_files_is_left_out_is_told(cli: Cli) -> None:
    Path("binary").write_bytes(b"\0")
    Path("latin").write_bytes(b"caf\xe9")
    ended = cli("ask", "?", "-c", ".", "-m", "openai:fake", "--profile", "direct")
    assert "Skipped  1 binary file\nReplaced 1 byte not in UTF-8\n" in ended.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("ask", " ", "-c", "text.txt"), "The question is empty"),
        (("ask", "?", "-c", "nowhere.txt"), "'nowhere.txt' cannot be read: No such file"),
        (("ask", "?", "-c", "*.pdf"), "'*.pdf' has no files"),
        (("ask", "?", "-c", "empty"), "The context is empty"),
        (("ask", "?", "-c", "-"), "The context is empty"),
        (("ask", "?"), "There is no context: name a file, a folder or a glob with --context, or read standard input"),
        (("ask", "?", "-c", "text.txt", "-m", "nonsense"), 'Unknown model "nonsense"'),
    ],
)
def test_unusable_request_is_refused_in_one_line_before_a_model_is_asked(
    cli: Cli, provider: Provider, arguments: Sequence[str], said: str
) -> None:
    Path("empty").touch()
    ended = cli(*arguments, "-q")
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith(f"Error: {said}")
    assert ended.err.count("\n") == 1
    assert not provider.asked


@pytest.mark.parametrize(
    "arguments",
    [
        ("ask",),
        (*ASK, "--max-steps", "0"),
        (*ASK, "--max-tokens", "many"),
        (*ASK, "--timeout", "nan"),
        (*ASK, "--profile", "nonsense"),
        (*ASK, "--nonsense"),
        ("nonsense",),
    ],
)
def test_bad_usage_is_explained(cli: Cli, arguments: Sequence[str]) -> None:
    ended = cli(*arguments)
    assert (ended.status, ended.out) == (2, "")
    assert "Usage: langgraph-rlm" in ended.err


def test_failed_run_says_why_in_one_line(cli: Cli, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    provider.cells = []  # any question about code fails
    ended = cli(*ASK, "-q")
    assert (ended.status, ended.out) == (1, "")
    assert ended.err.startswith("Error: ")
    assert ended.err.count("\n") == 1
    assert "Traceback" in cli(*ASK, "-q", "--debug").err


def test_missing_key_is_a_failed_run(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    ended = cli(*ASK, "-q")
    assert (ended.status, ended.err) == (1, "Error: openai:fake needs a key: set OPENAI_API_KEY.\n")


def test_without_any_model_the_remedies_are_named(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.setenv("LANGGRAPH_RLM_MODEL", "")
    monkeypatch.setattr("langgraph_rlm.models.default_model_name", lambda: "local")
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    ended = cli("ask", "?", "-c", "text.txt", "-q")
    assert (ended.status, ended.out) == (1, "")
    assert "pip install" in ended.err
    assert "--model" in ended.err
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize("command", [("--help",), ("ask", "--help"), ("demo", "-h")])
def test_help_is_on_standard_output(cli: Cli, command: Sequence[str]) -> None:
    ended = cli(*command)
    assert (ended.status, ended.err) == (0, "")
    assert "Usage: langgraph-rlm" in ended.out


def test_help_names_every_option_default_and_example(cli: Cli) -> None:
    shown = " ".join(cli("ask", "--help").out.replace("│", "").split())
    for name in ("--context", "--model", "--sub-model", "--profile", "--max-depth", "--max-steps", "--max-subcalls"):
        assert name in shown
    assert "[default: 200]" in shown
    assert "auto|direct|rlm" in shown
    assert "-c -" in shown


def test_demo_compares_the_answer_with_plain_python(
    cli: Cli, provider: Provider, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    library = tmp_path / "library"
    (library / "site-packages").mkdir(parents=True)
    (library / "json").mkdir()
    (library / "os.py").write_text(demo.WANTED)
    (library / "json" / "tool.py").write_text(demo.WANTED * 2)
    (library / "site-packages" / "other.py").write_text(demo.WANTED)
    monkeypatch.setattr(demo, "root", lambda: library)

    from langchain.chat_models import init_chat_model

    monkeypatch.setattr("langgraph_rlm.models.local_chat_model", lambda _: init_chat_model("openai:fake"))
    provider.cells = [f"Final = P.count({demo.WANTED!r})"]
    right = cli("demo")
    assert (right.status, right.out) == (0, "3\n")
    assert right.err.splitlines()[-1] == "Right: plain Python counts 3 too."
    provider.cells = ["Final = 4"]
    wrong = cli("demo")
    assert (wrong.status, wrong.out) == (1, "4\n")
    assert wrong.err.splitlines()[-1] == "Wrong: plain Python counts 3."


# -- real processes -------------------------------------------------------------------------------------------------


class Process:
    """`python -m langgraph_rlm …` in a terminal of 80 columns of its own, with standard output aside."""

    def __init__(self, *arguments: str) -> None:
        self.screen = b""
        self._terminal, inside = pty.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        # A session of its own whose controlling terminal it is, as a shell in a window has it: Ctrl-C reaches it.
        become = (
            "import fcntl, os, sys, termios; fcntl.ioctl(2, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
        )
        self._process = subprocess.Popen(
            [sys.executable, "-c", become, sys.executable, "-m", "langgraph_rlm", *arguments],
            stdin=inside,
            stdout=subprocess.PIPE,
            stderr=inside,
            start_new_session=True,
        )
        os.close(inside)

    def wait_for(self, text: bytes) -> None:
        while text not in self.screen:
            read = self._read()
            assert read, f"ended without {text!r}: {self.screen!r}"

    def press_ctrl_c(self) -> None:
        os.write(self._terminal, b"\x03")

    def send(self, number: int) -> None:
        self._process.send_signal(number)

    def children(self) -> list[int]:
        return [
            pid for pid in map(int, filter(str.isdecimal, os.listdir("/proc"))) if _parent(pid) == self._process.pid
        ]

    def end(self) -> tuple[int, bytes]:
        """The exit status, and what was on standard output."""
        while self._read():
            pass
        out = self._process.communicate(timeout=600)[0]
        os.close(self._terminal)
        return self._process.returncode, out

    def _read(self) -> bytes:
        try:
            read = os.read(self._terminal, 65_536)
        except OSError:  # nobody is left to write to it
            return b""
        self.screen += read
        return read


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def alive(pids: Sequence[int]) -> list[int]:
    return [pid for pid in pids if _parent(pid)]


posix = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")


@posix
def test_terminal_shows_bars_and_code_and_nothing_that_a_document_makes_it_do(provider: Provider) -> None:
    Path("evil.txt").write_text("\x1b]0;owned\x07\x1b[2J[red]apple[/red]\n" * 2_000)
    held, release = threading.Event(), threading.Event()

    def answer(prompt: str) -> str:
        if prompt == "item 3":
            held.set()
            release.wait(600)
        return "\x1b[2J\x9b2J"

    provider.answer = answer
    provider.cells = [
        "for line in P.splitlines()[:2]:\n    print(line)\nprint(llm_batch([f'item {i}' for i in range(4)]))",
        FINAL,
    ]
    process = Process("ask", "How many?", "-c", "evil.txt", "-m", "openai:fake")
    process.wait_for(b" of 4")
    assert held.wait(600)
    process.wait_for(b"3 of 4")
    release.set()
    status, out = process.end()
    assert (status, out) == (0, b"2000\n")
    assert b"]0;owned" in process.screen  # the text of it, without what makes it an order
    for order in (b"\x1b]0;owned", b"\x07", b"\x1b[2J", b"\x9b"):
        assert order not in process.screen
    assert process.screen.rfind(b"\x1b[?25h") > process.screen.rfind(b"\x1b[?25l")
    assert b"\xe2\x94\x81" in process.screen
    assert b"[red]apple[/red]" in process.screen


@posix
@pytest.mark.parametrize("cell", ["print(llm_query('wait'))", "while True: pass"], ids=["sub-call", "endless cell"])
def test_ctrl_c_ends_run_and_workers_and_leaves_the_terminal_as_it_was(provider: Provider, cell: str) -> None:
    release = threading.Event()
    provider.answer = lambda prompt: str(release.wait(600))
    provider.cells = [cell]
    process = Process(*ASK, "--timeout", "600")
    process.wait_for(b"sub-calls" if "llm" in cell else b"the code runs")
    workers = process.children()
    process.press_ctrl_c()
    status, out = process.end()
    release.set()
    assert workers
    assert not alive(workers)
    assert (status, out) == (130, b"")
    assert b"Traceback" not in process.screen
    assert b"Stopped." in process.screen.splitlines()[-1]
    assert process.screen.rfind(b"\x1b[?25h") > process.screen.rfind(b"\x1b[?25l")


@posix
def test_termination_is_clean_too(provider: Provider) -> None:
    release = threading.Event()
    provider.answer = lambda prompt: str(release.wait(600))
    provider.cells = ["llm_batch(['a', 'b'])"]
    process = Process(*ASK)
    process.wait_for(b"0 of 2")
    workers = process.children()
    process.send(signal.SIGTERM)
    status, _ = process.end()
    release.set()
    assert workers
    assert not alive(workers)
    assert status == 143


def test_reader_that_has_read_enough_is_no_error(provider: Provider) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        [sys.executable, "-m", "langgraph_rlm", *ASK, "-q", "--profile", "direct"],
        stdout=writing,
        stderr=subprocess.PIPE,
        timeout=600,
    )
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (0, b"")
