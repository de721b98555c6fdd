"""What of a dialect the REPL has to know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from langgraph_rlm.repl.printed import Room
from langgraph_rlm.settings import Sandbox


@dataclass(frozen=True)
class Idiom:
    """How code ends a run, and what is shown of what it does."""

    variable: Literal["Final", "answer"] | None
    """What a cell sets to end the run: `answer` alone, or else what it gives to `FINAL` and `FINAL_VAR` too."""
    ending: str
    """What to write to end the run, for a model that tries another way."""
    statement: str
    """Code that ends the run with the value of `{}`."""
    echoes: bool
    """Whether the value of a cell's last expression is printed."""
    shows: int | None
    """Characters of a cell's output that are shown, from its start; None: `Sandbox(max_output=…)`, from both ends."""

    def ends(self, expression: str) -> str:
        """Code that ends the run with the value of an expression."""
        return self.statement.format(expression)

    def room(self, sandbox: Sandbox) -> Room:
        """What is kept of a cell's output."""
        if self.shows is not None:
            return Room(self.shows, 0)
        head = sandbox.max_output * 3 // 4
        return Room(head, sandbox.max_output - head)
