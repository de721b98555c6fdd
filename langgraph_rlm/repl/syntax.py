"""Looks at a model's code without running it, and edits its text."""

from __future__ import annotations

import ast
import re
import threading
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, overload

MOST_CODE = 50_000
"""Characters of a cell that the host looks at: more than any model writes."""
_LINE_END = re.compile(rb"\r\n?|\n")
_lock = threading.Lock()
"""CPython up to 3.12 counts how deep trees are nested for all threads together, and fails where two parse at once."""


@overload
def parsed(source: str) -> ast.Module: ...
@overload
def parsed(source: str, mode: Literal["eval"]) -> ast.Expression: ...
@overload
def parsed(source: str, mode: str) -> ast.AST: ...
def parsed(source: str, mode: str = "exec") -> ast.AST:
    """The syntax tree of a text that may be no Python. Nothing warns of its escapes.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: It is none, or one that is nested too deeply.
    """
    name = "<source of a cell>"
    with _lock:
        warnings.filterwarnings("ignore", module=re.escape(name))  # stays: putting filters back is not safe in threads
        return ast.parse(source, name, mode)


@lru_cache(maxsize=4)
def _looked_at(code: str) -> ast.Module | Exception:
    try:
        return parsed(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as failure:
        return failure


def statements(code: str) -> list[ast.stmt]:
    """The statements of `code`, each at its line and column; none where it is not Python. To be looked at alone."""
    found = _looked_at(code)
    return found.body if isinstance(found, ast.Module) else []


def excess(code: str) -> str | None:
    """What of a cell is more than is looked at. Monty reads some code that CPython finds too deep."""
    if len(code) > MOST_CODE:
        return f"more than {MOST_CODE:,} characters"
    found = _looked_at(code)
    if isinstance(found, RecursionError | MemoryError) or str(found).startswith("too many "):
        return "code that is nested too deeply"
    return None


@dataclass(frozen=True)
class Edit:
    """New text from a place in the cell to another: lines from 1, columns in bytes."""

    start: tuple[int, int]
    end: tuple[int, int]
    text: str

    @classmethod
    def of(cls, node: ast.expr | ast.stmt, text: str) -> Edit:
        """In place of all of a node, with as many lines."""
        return cls.between(start_of(node), end_of(node), text)

    @classmethod
    def between(cls, start: tuple[int, int], end: tuple[int, int], text: str, after: str = "") -> Edit:
        """In place of what is between two places, with as many lines: they end before `after`."""
        return cls(start, end, text + "\n" * (end[0] - start[0]) + after)

    @classmethod
    def at(cls, place: tuple[int, int], text: str) -> Edit:
        """Nothing is taken away."""
        return cls(place, place, text)


def edited(code: str, edits: Iterable[Edit]) -> str:
    """`code` with its edits. Of two at one place the first stays first; what takes the place of others comes before.

    So edits are to come in the order of a walk from the outside in.
    """
    in_order = sorted(edits, key=lambda edit: edit.start)
    if not in_order:
        return code
    text, done = code.encode(), 0
    begins = [0, *(end.end() for end in _LINE_END.finditer(text))]
    out = list[bytes]()
    for edit in in_order:
        start, end = (begins[line - 1] + column for line, column in (edit.start, edit.end))
        if start >= done:
            out += [text[done:start], edit.text.encode()]
            done = end
    return b"".join([*out, text[done:]]).decode()


def start_of(node: ast.expr | ast.stmt) -> tuple[int, int]:
    return node.lineno, node.col_offset


def end_of(node: ast.expr | ast.stmt | ast.arg) -> tuple[int, int]:
    return node.end_lineno or node.lineno, node.end_col_offset or 0
