"""What a model's reply says, as values."""

from __future__ import annotations

import re
from dataclasses import dataclass

_THOUGHT = re.compile(r"\A(?:\s*<think>.*?(?:</think>|\Z)|.*?^[ \t]*</think>[ \t]*$)", re.M | re.S)


@dataclass(frozen=True)
class Code:
    """Blocks to run one after the other, each as a cell. `feedback` is what to say to the model of the rest of it."""

    blocks: tuple[str, ...]
    feedback: str = ""


@dataclass(frozen=True)
class Text:
    """An answer stated in words, in a reply without code."""

    answer: str


@dataclass(frozen=True)
class Nothing:
    """Neither code nor an answer. `feedback` is what is wrong with that, if anything is."""

    feedback: str = ""


ParsedReply = Code | Text | Nothing


def without_thoughts(reply: str) -> str:
    """A reply without what the model has only thought, its lines ended alike."""
    return _THOUGHT.sub("", reply.replace("\r\n", "\n").replace("\r", "\n"))
