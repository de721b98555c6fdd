"""Looks at a model's code without running it."""

from __future__ import annotations

import ast
import io
import re
import threading
import tokenize
from collections.abc import Iterator

VALID_ESCAPES = "\n\\'\"abfnrtvxuUN01234567"
_ESCAPE = re.compile(r"""\\(?!\n)([\\'"]?)""")
_ANY_ESCAPE = re.compile(r"\\(.)", re.S)


_lock = threading.Lock()
"""CPython up to 3.12 counts how deep trees are nested for all threads together, and fails where two parse at once."""


def parsed(code: str) -> ast.Module:
    """The tree of `code`, its strings as they are. Escapes that Python does not know are doubled, which means the same:
    the parser would warn of them. Raises `SyntaxError`."""
    with _lock:
        return ast.parse("".join(_known_escapes(code)))


def _known_escapes(code: str) -> Iterator[str]:
    """`code` in pieces, with no escape in a string that the parser would warn of."""
    lines = io.StringIO(code).readlines()
    at, raw = (1, 0), list[bool]()
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        kind = tokenize.tok_name[token.type]
        if kind == "FSTRING_START":
            raw.append("r" in token.string.lower())
        elif kind == "FSTRING_END":
            raw.pop()
        is_raw = "r" in re.match("[a-zA-Z]*", token.string)[0].lower() if kind == "STRING" else bool(raw) and raw[-1]  # type: ignore[index]
        yield _between(lines, at, token.start)
        text = _between(lines, token.start, token.end)
        yield text if is_raw or kind not in ("STRING", "FSTRING_MIDDLE") else _ANY_ESCAPE.sub(_doubled, text)
        at = token.end


def _between(lines: list[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    """The text from one place to another: lines from 1, columns from 0."""
    piece = lines[start[0] - 1 : end[0]]
    if not piece:
        return ""
    if end[0] <= len(lines):
        piece[-1] = piece[-1][: end[1]]
    piece[0] = piece[0][start[1] :]
    return "".join(piece)


def _doubled(escape: re.Match[str]) -> str:
    return escape[0] if escape[1] in VALID_ESCAPES else "\\" + escape[0]


def statements(code: str) -> list[ast.stmt]:
    """The statements of `code`, each at its line and column; none where it is not Python.

    Escapes are blanked out first, at equal length: the parser would warn of `"\\d"`, on the user's terminal.
    """
    try:
        with _lock:
            return ast.parse(_ESCAPE.sub(lambda match: "x" * len(match.group()), code)).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
