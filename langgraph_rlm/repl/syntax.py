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

_ESCAPE = re.compile(r"""\\(?!\n)([\\'"]?)""")
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
def statements(code: str) -> list[ast.stmt]:
    """The statements of `code`, each at its line and column; none where it is not Python. To be looked at alone.

    Escapes are blanked out first, at equal length: the parser would warn of `"\\d"`, on the user's terminal.
    """
    try:
        with _lock:
            return ast.parse(_ESCAPE.sub(lambda match: "x" * len(match.group()), code)).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


@dataclass(frozen=True)
class Edit:
    """New text from a place in the cell to another: lines from 1, columns in bytes."""

    start: tuple[int, int]
    end: tuple[int, int]
    text: str

    @classmethod
    def of(cls, node: ast.expr | ast.stmt, text: str) -> Edit:
        """In place of all of a node, with as many lines."""
        end = end_of(node)
        return cls(start_of(node), end, text + "\n" * (end[0] - node.lineno))

    @classmethod
    def at(cls, place: tuple[int, int], text: str) -> Edit:
        """Nothing is taken away."""
        return cls(place, place, text)


def edited(code: str, edits: Iterable[Edit]) -> str:
    """`code` with its edits. What is around another begins before it; of two at one place, the first stays first."""
    lines = code.encode().split(b"\n")
    in_order = sorted(edits, key=lambda edit: (edit.start, edit.end))
    for edit in reversed(in_order):
        (first, start), (last, end) = edit.start, edit.end
        new = lines[first - 1][:start] + edit.text.encode() + lines[last - 1][end:]
        lines[first - 1 : last] = new.split(b"\n")
    return b"\n".join(lines).decode()


def start_of(node: ast.expr | ast.stmt) -> tuple[int, int]:
    return node.lineno, node.col_offset


def end_of(node: ast.expr | ast.stmt | ast.arg) -> tuple[int, int]:
    return node.end_lineno or node.lineno, node.end_col_offset or 0
