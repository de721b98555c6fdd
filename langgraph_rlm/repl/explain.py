"""What the model is told of its code: the value of the last line, and errors in its own terms."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Sequence

from pydantic_monty import MontyError, MontyRuntimeError, MontySyntaxError

from langgraph_rlm.repl import gaps
from langgraph_rlm.repl.cells import Variable
from langgraph_rlm.repl.syntax import statements
from langgraph_rlm.settings import Sandbox

VALUE, SHOW = "__rlm__['value'] = ", "\n__rlm__['show'](__rlm__)"
BUILTINS = frozenset(name for name in dir(builtins) if not name.startswith("_"))
MOST_ERROR = 2_000
"""Characters of an error that the model is shown."""


def echoing(code: str) -> str:
    """`code`, its last expression printed as a REPL does. Lines keep their numbers."""
    body = statements(code)
    if not body or not isinstance(body[-1], ast.Expr):
        return code
    lines, last = code.encode().split(b"\n"), body[-1]
    start = last.lineno - 1
    lines[start] = lines[start][: last.col_offset] + VALUE.encode() + lines[start][last.col_offset :]
    return b"\n".join(lines).decode() + SHOW


def explain(
    failure: MontyError, ending: str, code: str = "", lines: Sequence[int] = (), unshadowed: Sequence[str] = ()
) -> str:
    """A failure as the model is told it: the traceback of its own code, and what to write instead.

    `ending` is what to write to end the run; `lines` says which line of `code` each was that ran, where they differ;
    `unshadowed` are built-ins that it could not call any more, until now.
    """
    text = failure.display() if isinstance(failure, MontyRuntimeError | MontySyntaxError) else str(failure)
    if lines:
        text = _in_its_own_lines(text, code.split("\n"), lines)
    text = re.sub(r'  File "<string>".*\n(?:    .*\n)*', "", text)
    text = re.sub(r"\n +~+(?=\n)", "", text)
    text = re.sub(r"<python-input-\d+>", "<cell>", text).replace(VALUE, "")
    text = re.sub(r'__rlm__\["dates"\]\("timedelta", ([^()]*)\)', r"\1", text)
    text = re.sub(r'__rlm__\["dates"\]\("(\w+)", ([^()]*)\)', r"\2.\1", text)
    text = re.sub(r'__rlm__\["dated"\]\((\w+)\)', r"\1", text)
    if len(text) > MOST_ERROR:
        text = f"{text[: MOST_ERROR // 2]}\n…\n{text[-MOST_ERROR // 2 :]}"
    instead = gaps.unshadowed(unshadowed) if unshadowed else gaps.advice(text, ending)
    return f"{text}\n{instead}" if instead else text


def _in_its_own_lines(text: str, code: Sequence[str], lines: Sequence[int]) -> str:
    """A traceback with the lines of the cell as the model wrote it. The outermost frame is the cell's."""
    frames = re.compile(r'(  File "(<python-input-\d+>)", line )(\d+)(.*\n)(    .*\n)?')
    own = frames.search(text)

    def placed(frame: re.Match[str]) -> str:
        number = int(frame[3])
        if own is None or frame[2] != own[2] or number > len(lines):
            return frame[0]
        line = lines[number - 1]
        shown = f"    {code[line - 1].strip()}\n" if frame[5] and line <= len(code) else frame[5] or ""
        return f"{frame[1]}{line}{frame[4]}{shown}"

    return frames.sub(placed, text)


def shadowed_builtins(failure: MontyError | None, variables: tuple[Variable, ...]) -> tuple[str, ...]:
    """Built-ins that the line which failed calls, and cannot: code has made them variables."""
    called = re.search(r"'(\w+)' object is not callable$", str(failure))
    if called is None or not isinstance(failure, MontyRuntimeError):
        return ()
    line = failure.traceback()[-1].source_line or ""
    shadowing = [v.name for v in variables if v.type == called[1] and v.name in BUILTINS]
    return tuple(name for name in shadowing if re.search(rf"(?<![\w.]){name} *\(", line))


def reason(failure: MontyError, sandbox: Sandbox) -> str:
    """Why a session was lost, with what the model can do."""
    if isinstance(failure.exception(), TimeoutError):
        instead = "Go over the text once, not once for each item."
        return f"TimeoutError: the cell ran longer than {sandbox.timeout:g} s. {instead}"
    if isinstance(failure.exception(), MemoryError):
        return "MemoryError: the cell held more than the sandbox allows. Keep less at once: no copies of P."
    return "RuntimeError: the sandbox's process died while the cell ran."
