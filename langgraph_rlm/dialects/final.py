"""The dialect "final": how a reply holds a cell, and how it ends a run without one."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from textwrap import dedent

from langgraph_rlm.syntax import statements

_FENCE = re.compile(r"^[ \t]*```[ \t]*([\w+-]*)[^\n]*\n(.*?)(?:^[ \t]*```[ \t]*$|\Z)", re.M | re.S)
_THOUGHT = re.compile(r"\A(?:\s*<think>.*?(?:</think>|\Z)|.*?^[ \t]*</think>[ \t]*$)", re.M | re.S)
_FINAL = re.compile(r"^[ \t]*FINAL:[ \t]*(.*)\Z", re.M | re.S)
_FINAL_VAR = re.compile(r"^[ \t]*FINAL_VAR:[ \t]*`?([A-Za-z_]\w*)`?[ \t]*$", re.M)


@dataclass(frozen=True)
class Cell:
    """Code to run."""

    code: str


@dataclass(frozen=True)
class Text:
    """An answer stated in words, in a reply without code."""

    answer: str


@dataclass(frozen=True)
class Nothing:
    """Neither code nor an answer."""


Reply = Cell | Text | Nothing


def read(reply: str) -> Reply:
    """What a reply says.

    Its blocks marked `repl` or `python` are one cell; else its unmarked blocks of Python, or the reply where it is
    Python. A reply without code ends the run with a line `FINAL: answer` or `FINAL_VAR: name`. Beside code such a
    line is not believed: the code has not run yet.
    """
    text = _THOUGHT.sub("", reply.replace("\r\n", "\n").replace("\r", "\n"))
    blocks = [(language.lower(), _unprompted(dedent(code)).rstrip()) for language, code in _FENCE.findall(text)]
    marked = [code for language, code in blocks if language in ("repl", "python", "py", "python3") and code.strip()]
    if marked:
        return Cell("\n".join(marked))
    unmarked = [code for language, code in blocks if not language and _is_code(code)]
    if unmarked:
        return Cell("\n".join(unmarked))
    prose = _FENCE.sub("", text)
    named, stated = _FINAL_VAR.search(prose), _FINAL.search(prose)
    ending = named or stated
    before = prose[: ending.start()].strip() if ending else prose.strip()
    if _is_code(before):
        return Cell(before)
    if named:
        return Cell(f"FINAL_VAR({named[1]!r})")
    return Text(stated[1].strip()) if stated and stated[1].strip() else Nothing()


def _unprompted(code: str) -> str:
    """The code of a transcript (`>>> x = 1`): what it shows as output was never printed."""
    lines = code.split("\n")
    if not any(line.startswith(">>> ") for line in lines):
        return code
    return "\n".join(line[4:] for line in lines if line.startswith((">>> ", "... ")))


def _is_code(text: str) -> bool:
    """Whether `text` is Python that does something: a lone name or number is prose."""
    return not all(map(_is_word, statements(text)))


def _is_word(node: ast.stmt) -> bool:
    if isinstance(node, ast.AnnAssign):
        return node.value is None
    words = (ast.Name, ast.Constant, ast.Tuple, ast.JoinedStr, ast.Attribute, ast.UnaryOp)
    return isinstance(node, ast.Expr) and isinstance(node.value, words)
