"""The command line under test, in this process or in one of its own, and a server that plays its model."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

TEXT = "apple\npear\n" * 2_000
ASK = ("ask", "How many?", "-c", "text.txt", "-m", "openai:fake")
COUNT = "print(P.count('apple'))"
FINAL = "Final = P.count('apple')"
Messages = list[dict[str, str]]


@dataclass
class Provider:
    """An OpenAI-compatible server. An RLM gets `cells` one after the other; what its code asks, `answer` answers."""

    url: str = ""
    cells: Sequence[str] = ()
    answer: Callable[[str], str] = lambda prompt: "yes"
    asked: list[Messages] = field(default_factory=list)
    replies_left: int | None = None
    """How many questions it answers before it fails; None is all of them."""

    def reply(self, messages: Messages) -> str:
        self.asked.append(messages)
        if self.replies_left is not None:
            self.replies_left -= 1
            assert self.replies_left >= 0
        if messages[0]["role"] != "system" or "```repl" not in messages[0]["content"]:
            return self.answer(messages[-1]["content"])
        turn = sum(message["role"] == "assistant" for message in messages)
        return f"```repl\n{self.cells[min(turn, len(self.cells) - 1)]}\n```"


@dataclass(frozen=True)
class Ended:
    status: int
    out: str
    err: str


Cli = Callable[..., Ended]


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

    @property
    def pid(self) -> int:
        return self._process.pid

    def has_ended(self) -> bool:
        return self._process.poll() is not None

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
