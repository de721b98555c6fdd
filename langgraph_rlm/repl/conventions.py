"""What of a dialect the REPL has to know: how code ends a run, what is shown of its output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from langgraph_rlm.repl.printed import OutputCap
from langgraph_rlm.settings import Sandbox


@dataclass(frozen=True)
class ReplConventions:
    """How code ends a run, and what is shown of what it does."""

    variable: Literal["Final", "answer"] | None
    """What a cell sets to end the run: `answer` alone, or else what it gives to `FINAL` and `FINAL_VAR` too."""
    how_to_end: str
    """What to write to end the run, for a model that tries another way."""
    statement: str
    """Code that ends the run with the value of `{}`."""
    echoes: bool
    """Whether the value of a cell's last expression is printed."""
    shown_characters: int | None
    """Characters of a cell's output that are shown, from its start; None: `Sandbox(max_output=…)`, from both ends."""

    names_of_text: tuple[str, ...] = ()
    """What the model is told that the text is called besides `P`: names that a cell does not take from it."""

    def end_with(self, expression: str) -> str:
        """Code that ends the run with the value of an expression."""
        return self.statement.format(expression)

    def output_cap(self, sandbox: Sandbox) -> OutputCap:
        """What is kept of a cell's output."""
        if self.shown_characters is not None:
            return OutputCap(self.shown_characters, 0)
        head = sandbox.max_output * 3 // 4
        return OutputCap(head, sandbox.max_output - head)
