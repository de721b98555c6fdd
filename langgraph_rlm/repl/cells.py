"""What a suspended or finished cell is, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from langgraph_rlm.asking.requests import Call
from langgraph_rlm.repl.printed import Printed


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
    overwritten: tuple[str, ...] = ()
    """Names of the REPL that it had overwritten: they are restored."""
    answer: tuple[Any, ...] = ()
    held: tuple[Any, ...] = ()
    """The answer that was set, whatever else the cell did: it counts where there is no other turn."""
    cited: tuple[tuple[int, int], ...] = ()
    """Start and end of what it quoted of the text."""
    is_dropped: bool = False
    """Whether nothing of what it did stays."""


CellOutcome = Suspended | Finished
