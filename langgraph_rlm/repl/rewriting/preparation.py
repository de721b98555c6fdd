"""What regular expressions a cell is likely to need, for the sandbox to know them before the cell runs.

The host is asked for all of them at once. And from within a built-in function of the sandbox (`xs.sort(key=…)`) it
cannot be asked at all.
"""

from __future__ import annotations

import ast
import re

from langgraph_rlm.repl.boot import LOAD
from langgraph_rlm.repl.syntax import Code

_MENTIONED = re.compile(r"\bre\b")
_SIGNS = {
    "re": _MENTIONED,
    "_classes": re.compile(r"^\s*class\b", re.M),
    "_generators": re.compile(r"\byield\b"),
    "_searching": re.compile(r"\[[^\[\]\n:]*[A-Za-z_][^\[\]\n:]*:|\.r?(?:find|index)\([^\n()]*,"),
}
_WANTED = {
    "all": re.compile(r"(?<!\bself)\.(?:expand|regs|endpos|pos|re)\b|\.(?:start|end|span|groups)\(\s*[^\s\d)]"),
    "last": re.compile(r"\.(?:lastgroup|lastindex)\b"),
    "places": re.compile(r"\.(?:start|end|span)\b"),
}
"""Words for what Monty's own matches lack, or take long to tell."""
_PLACES_OF_FLAGS = {"compile": 1, "split": 3, "sub": 4, "subn": 4} | dict.fromkeys(
    ("search", "match", "fullmatch", "findall", "finditer"), 2
)
_LOAD = LOAD.format("re")


def needed_at_once(code: str) -> list[str]:
    """The larger modules of the sandbox's own Python that a REPL is likely to need for this cell."""
    return [name for name, sign in _SIGNS.items() if sign.search(code)]


def preparation(code: Code) -> list[str]:
    """The line of the host's own that stands before a cell, if it needs one."""
    wanted = [word for word, mentioned in _WANTED.items() if mentioned.search(code.text)]
    if not wanted and not _MENTIONED.search(code.text):
        return []
    patterns = list(dict.fromkeys(filter(None, map(_pattern, code.of(ast.Call)))))
    return [f"{_LOAD}.prepare({patterns!r}, {wanted!r})" if patterns or wanted else _LOAD]


def _pattern(call: ast.Call) -> tuple[str, int] | None:
    """The literal pattern of a call, with its flags."""
    match call:
        case ast.Call(
            func=ast.Attribute(value=ast.Name("re"), attr=name) | ast.Name(name), args=[ast.Constant(str(text)), *_]
        ) if name in _PLACES_OF_FLAGS:
            place = _PLACES_OF_FLAGS[name]
            given = [*call.args[place : place + 1], *(word.value for word in call.keywords if word.arg == "flags")]
            flags = _flags(given[0]) if given else 0
            return None if flags is None else (text, flags)
    return None


def _flags(node: ast.expr) -> int | None:
    match node:
        case ast.Attribute(value=ast.Name("re"), attr=name):
            flag = getattr(re, name, None)
            return int(flag) if isinstance(flag, re.RegexFlag) else None
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            both = _flags(left), _flags(right)
            return None if None in both else (both[0] or 0) | (both[1] or 0)
    return None
