"""What a model's reply says, as values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """Blocks to run one after the other, each as a cell. `feedback` is what to say to the model of the rest of it."""

    blocks: tuple[str, ...]
    feedback: str = ""
    states_answer: bool = False
    """Whether the answer that they set is written down after a block whose output nobody had seen."""


@dataclass(frozen=True)
class Text:
    """An answer stated in words, in a reply without code."""

    answer: str


@dataclass(frozen=True)
class Nothing:
    """Neither code nor an answer. `feedback` is what is wrong with that, if anything is."""

    feedback: str = ""
    is_prose: bool = True
    """Whether it may stand for an answer where nothing else can be had any more."""


ParsedReply = Code | Text | Nothing


def with_equal_lines(reply: str) -> str:
    """A reply with its lines ended alike."""
    return reply.replace("\r\n", "\n").replace("\r", "\n")
