"""What the model is told of its code: the value of the last line, and errors in its own terms."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from pydantic_monty import MontyError, MontyRuntimeError

from langgraph_rlm.repl import gaps
from langgraph_rlm.repl.cells import Variable
from langgraph_rlm.repl.passed import Passed, frames_of
from langgraph_rlm.repl.rewriting.marks import marks, matches
from langgraph_rlm.repl.rewriting.scopes import BUILTINS
from langgraph_rlm.repl.slow import cause, generators
from langgraph_rlm.repl.syntax import Edit, end_of, read, start_of
from langgraph_rlm.repl.tracebacks import Source, in_its_own_lines

VALUE, SHOW = "__rlm__['value'] = ", "\n__rlm__['show'](__rlm__)"
_CALLABLE = ("function", "type", "builtin_function_or_method")
FEW = 1_000
"""Items that it takes no time to go over."""
MOST_LINE = 120
"""Characters of the line that was running when a cell's time was over."""
MOST_ERROR = 2_000
"""Characters of an error that the model is shown."""

_NO_TEXT = re.compile(
    r"-?[\d.]+(?:e[-+]?\d+)?|None|True|False|\(.*\)|b?['\"].*|<.*>|[\w.]+\(.*\)|[A-Z]\w*: .*", re.DOTALL
)
"""Keys that are no texts as `repr` shows them, and what exceptions of the code's own say."""


def instrumentation(code: str, echoes: bool) -> list[Edit]:
    """The edits by which a cell tells where it is, and prints its last expression as a REPL does."""
    found = read(code)
    edits = marks(found)
    if echoes and found.body and isinstance(found.body[-1], ast.Expr):
        last = found.body[-1]
        edits += [Edit.at(start_of(last), VALUE), Edit.at(end_of(last), SHOW, is_last=True)]
    return [*edits, *matches(found)]


def explain(
    failure: MontyError,
    ending: str,
    sources: Sequence[Source] = (),
    unshadowed: Sequence[str] = (),
    own_builtins: Sequence[str] = (),
    passed: Sequence[Passed] = (),
) -> str:
    """A failure as the model is told it: the traceback of its own code, and what to write instead.

    `ending` is what to write to end the run; `sources` are the cells that have run, the last of which has failed;
    `unshadowed` are built-ins that it could not call any more, until now; `own_builtins` functions of the code's own
    that it calls by the names of built-ins; `passed` are exceptions that passed a `try`.
    """
    text = in_its_own_lines(failure, sources, frames_of(passed, _text_of(failure)))
    text = _with_quotes(text) if type(failure.exception()) is KeyError else text
    if len(text) > MOST_ERROR:
        text = f"{text[: MOST_ERROR // 2]}\n…\n{text[-MOST_ERROR // 2 :]}"
    instead = gaps.unshadowed(unshadowed) if unshadowed else gaps.advice(text, ending)
    instead = gaps.own_builtins(own_builtins) if own_builtins and not instead else instead
    return f"{text}\n{instead}" if instead else text


def _with_quotes(text: str) -> str:
    """What a `KeyError` says of a key that is a text: Monty has no quotes around it."""
    start, kind, key = text.rpartition("\nKeyError: ")
    return f"{start}{kind}{key!r}" if kind and not _NO_TEXT.fullmatch(key) else text


def _text_of(failure: MontyError) -> str:
    """What an exception holds."""
    return str(next(iter(failure.exception().args), ""))


def shadowed_builtins(failure: MontyError | None, variables: tuple[Variable, ...]) -> tuple[str, ...]:
    """Built-ins that the line which failed calls, and cannot: code has made them variables."""
    called = re.search(r"'(\w+)' object is not callable$", str(failure))
    if called is None or not isinstance(failure, MontyRuntimeError):
        return ()
    line = failure.traceback()[-1].source_line or ""
    shadowing = [v.name for v in variables if v.type == called[1] and v.name in BUILTINS]
    return tuple(name for name in shadowing if re.search(rf"(?<![\w.]){name} *\(", line))


def own_builtins(failure: MontyError | None, code: str, variables: tuple[Variable, ...]) -> tuple[str, ...]:
    """Built-ins that a cell calls which failed, and that are functions or classes of the code's own."""
    if failure is None or not isinstance(failure.exception(), TypeError):
        return ()
    own = [variable.name for variable in variables if variable.type in _CALLABLE and variable.name in BUILTINS]
    return tuple(name for name in own if re.search(rf"(?<![\w.]){name} *\(", code))


def out_of_time(seconds: float, code: str, line: int | None, variables: tuple[Variable, ...]) -> str:
    """Why a cell was ended that ran too long: the line that was running, and what in it is seen to take long."""
    lines = code.split("\n")
    text = f"TimeoutError: the cell ran longer than {seconds:.2g} s."
    if line is None or not 0 < line <= len(lines):
        return text
    small = {variable.name for variable in variables if variable.size is not None and variable.size < FEW}
    seen = cause(code, line, small)
    instead = f"There {seen}." if seen else "Do less there: go over the text once, or in several cells."
    run = "".join(f", which runs `{one.name}` of line {one.lineno}" for one in generators(code, line)[:1])
    return f"{text} It was in line {line}: `{lines[line - 1].strip()[:MOST_LINE]}`{run}. {instead}"


def reason(failure: MontyError) -> str:
    """Why a session was lost, with what the model can do."""
    if isinstance(failure.exception(), MemoryError):
        less = "Keep less at once: no copies of P, no list of what has no end."
        return f"MemoryError: the cell held more than the sandbox allows. {less}"
    return "RuntimeError: the sandbox's process died while the cell ran."
