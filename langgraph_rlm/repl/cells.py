"""What a suspended or finished cell is, as values."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from langgraph_rlm.digests import digest_of
from langgraph_rlm.repl.printed import Printed

Kind = Literal["llm", "rlm"]


def key_of(kind: Kind, prompt: str, context: str | None, model: str | None = None) -> str:
    """Names a prompt by what is asked, and of whom."""
    return digest_of(kind, model, prompt, context)


@dataclass(frozen=True)
class Call:
    """Prompts that the code asks at once: `(prompt, context)` pairs, answered in order.

    In a batch, a failed prompt is answered with its error as a str; alone, it raises in the code. Where the `first`
    valid answer is enough, the others may be errors that say so.
    """

    kind: Kind
    prompts: list[tuple[str, str | None]]
    model: str | None
    batch: bool
    first: bool = False

    @cached_property
    def keys(self) -> list[str]:
        """Names of the prompts."""
        return [key_of(self.kind, *prompt, self.model) for prompt in self.prompts]

    @cached_property
    def digest(self) -> str:
        """Names the call: a cell that runs again has to ask the same."""
        return digest_of(str(self.batch), *self.keys)


@dataclass(frozen=True)
class Answer:
    """What became of one prompt: its answer, or why there is none."""

    value: Any = None
    error: str | None = None


@dataclass(frozen=True)
class Suspended:
    """The cell waits for the answers to a call."""

    call: Call


@dataclass(frozen=True)
class Variable:
    """A variable that code has left: `size` counts characters, bytes or items, and is None where it has none."""

    name: str
    type: str
    size: int | None


@dataclass(frozen=True)
class Finished:
    """The cell has ended. `answer` holds the answer if one was set and may be believed; `error` is for the model."""

    printed: Printed
    error: str | None
    variables: tuple[Variable, ...]
    restored: tuple[str, ...] = ()
    answer: tuple[Any, ...] = ()


Outcome = Suspended | Finished
