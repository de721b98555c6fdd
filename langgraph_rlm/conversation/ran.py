"""A block of a reply that has run."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from langgraph_rlm.repl.cells import Finished
from langgraph_rlm.repl.syntax import nodes_of, statements

NOTHING = ("", "None", "False", "[]", "()", "{}", "set()", "''")


@dataclass(frozen=True)
class RanBlock:
    """A block that has run: the `number`-th of the `blocks` of its reply. `note` says what became of the REPL."""

    code: str
    cell: Finished
    number: int
    blocks: int
    is_edited: bool = False
    """Whether it is not the model's own."""
    is_repeated: bool = False
    """Whether it ran before."""
    note: str | None = None
    has_answer: bool = False
    """Whether it has set an answer, which did not end the run if this is told."""
    answers: tuple[str, ...] = ()
    """Long answers that the code had, of which it may have printed some."""
    kept: int = 0
    """Answers that are kept of dropped cells, where this is one."""

    @property
    def found_nothing(self) -> list[str]:
        """The variables that hold nothing after a search over the text, where the code printed nothing either."""
        if self.cell.printed.length or self.cell.error:
            return []
        empty = {variable.name for variable in self.cell.variables if variable.size == 0}
        return [
            target.id
            for statement in statements(self.code)
            if isinstance(statement, ast.Assign) and _reads_text(statement.value)
            for target in statement.targets
            if isinstance(target, ast.Name) and target.id in empty
        ]

    @property
    def misnamed_answer(self) -> str | None:
        """The variable that was to be the answer, as it seems: the last that the code set, named almost like it."""
        body = statements(self.code)
        match body[-1] if body else None:
            case ast.Assign(targets=[ast.Name(id=("final" | "FINAL") as name)]):
                return name
        return None


def found_by(code: str, printed: str) -> str:
    """What code has printed, without lines that only say that there is nothing, or that are written in it.

    Such as "No match found."
    """
    lines = (line for line in printed.splitlines() if line.strip() not in NOTHING and line.strip() not in code)
    return "\n".join(lines)


def is_repeated(code: str, earlier: Sequence[str]) -> bool:
    """Whether code ran before, with other comments perhaps."""
    lines = _without_comments(code)
    return any(lines == _without_comments(other) for other in earlier if other)


def _without_comments(code: str) -> list[str]:
    return [line.rstrip() for line in code.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def _reads_text(value: ast.expr) -> bool:
    names = (node.id for node in nodes_of([value]) if isinstance(node, ast.Name))
    return any(name in ("P", "context", "ctx", "documents", "rows", "grep") for name in names)
