"""Looks at a model's code without running it."""

from __future__ import annotations

import ast
import re
import threading
import warnings
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


def statements(code: str) -> list[ast.stmt]:
    """The statements of `code`, each at its line and column; none where it is not Python.

    Escapes are blanked out first, at equal length: the parser would warn of `"\\d"`, on the user's terminal.
    """
    try:
        with _lock:
            return ast.parse(_ESCAPE.sub(lambda match: "x" * len(match.group()), code)).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
