"""What the model is told of its code: the value of the last line, and errors in its own terms."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic_monty import MontyError, MontyRuntimeError, MontySyntaxError

from langgraph_rlm.repl import gaps
from langgraph_rlm.repl.cells import Variable
from langgraph_rlm.repl.rewriting.bridges import Rewritten
from langgraph_rlm.repl.rewriting.marks import marks
from langgraph_rlm.repl.slow import cause
from langgraph_rlm.repl.syntax import Edit, end_of, read, start_of

VALUE, SHOW = "__rlm__['value'] = ", "\n__rlm__['show'](__rlm__)"
BUILTINS = frozenset(name for name in dir(builtins) if not name.startswith("_"))
FEW = 1_000
"""Items that it takes no time to go over."""
MOST_LINE = 120
"""Characters of the line that was running when a cell's time was over."""
MOST_ERROR = 2_000
"""Characters of an error that the model is shown."""

_FRAME = re.compile(
    r'(?P<start>  File "(?P<file><python-input-\d+>)", line )(?P<line>\d{1,9})(?P<rest>.*\n)(?P<shown>(?:    .*\n)*)'
)
"""What a traceback says of a call, with the code that it shows."""


def instrumentation(code: str, echoes: bool) -> list[Edit]:
    """The edits by which a cell tells where it is, and prints its last expression as a REPL does."""
    found = read(code)
    edits = marks(found)
    if echoes and found.body and isinstance(found.body[-1], ast.Expr):
        last = found.body[-1]
        edits += [Edit.at(start_of(last), VALUE), Edit.at(end_of(last), SHOW, is_last=True)]
    return edits


@dataclass(frozen=True)
class Source:
    """A cell, as the model wrote it and as it ran."""

    code: str
    ran: Rewritten

    def line_of(self, number: int) -> int:
        """Which line of the cell one was that ran. What prints the value of the last one comes after that."""
        line = self.ran.lines[number - 1] if 0 < number <= len(self.ran.lines) else number
        return min(line, self.code.count("\n") + 1)

    def shown(self, number: int) -> str:
        """A line of the cell as a traceback shows it."""
        lines = self.code.split("\n")
        return f"    {lines[number - 1].strip()}\n" if 0 < number <= len(lines) else ""

    def has(self, number: int, text: str) -> bool:
        """Whether that is the line which ran."""
        lines = self.ran.code.split("\n")
        return 0 < number <= len(lines) and lines[number - 1].strip() == text


def explain(failure: MontyError, ending: str, sources: Sequence[Source] = (), unshadowed: Sequence[str] = ()) -> str:
    """A failure as the model is told it: the traceback of its own code, and what to write instead.

    `ending` is what to write to end the run; `sources` are the cells that have run, the last of which has failed;
    `unshadowed` are built-ins that it could not call any more, until now.
    """
    text = failure.display() if isinstance(failure, MontyRuntimeError | MontySyntaxError) else str(failure)
    text = re.sub(r'  File "<string>".*\n(?:    .*\n)*', "", text)
    text = re.sub(r"<python-input-\d+>", "<cell>", _in_its_own_lines(text, sources))
    if len(text) > MOST_ERROR:
        text = f"{text[: MOST_ERROR // 2]}\n…\n{text[-MOST_ERROR // 2 :]}"
    instead = gaps.unshadowed(unshadowed) if unshadowed else gaps.advice(text, ending)
    return f"{text}\n{instead}" if instead else text


def _in_its_own_lines(text: str, sources: Sequence[Source]) -> str:
    """A traceback with the lines of the cells as the model wrote them. The outermost frame is the last cell's."""
    own = _FRAME.search(text)

    def placed(frame: re.Match[str]) -> str:
        number, shown = int(frame["line"]), frame["shown"]
        ran = shown.strip().split("\n")[0]
        known = sources[-1:] if own and frame["file"] == own["file"] else sources[-2::-1]
        for source in known:
            if known == sources[-1:] or source.has(number, ran):
                line = source.line_of(number)
                return f"{frame['start']}{line}{frame['rest']}{source.shown(line) if shown else ''}"
        return f"{frame['start']}{number}{frame['rest']}"

    return _FRAME.sub(placed, text)


def shadowed_builtins(failure: MontyError | None, variables: tuple[Variable, ...]) -> tuple[str, ...]:
    """Built-ins that the line which failed calls, and cannot: code has made them variables."""
    called = re.search(r"'(\w+)' object is not callable$", str(failure))
    if called is None or not isinstance(failure, MontyRuntimeError):
        return ()
    line = failure.traceback()[-1].source_line or ""
    shadowing = [v.name for v in variables if v.type == called[1] and v.name in BUILTINS]
    return tuple(name for name in shadowing if re.search(rf"(?<![\w.]){name} *\(", line))


def out_of_time(seconds: float, code: str, line: int | None, variables: tuple[Variable, ...]) -> str:
    """Why a cell was ended that ran too long: the line that was running, and what in it is seen to take long."""
    lines = code.split("\n")
    text = f"TimeoutError: the cell ran longer than {seconds:.2g} s."
    if line is None or not 0 < line <= len(lines):
        return text
    small = {variable.name for variable in variables if variable.size is not None and variable.size < FEW}
    seen = cause(code, line, small)
    instead = f"There {seen}." if seen else "Do less there: go over the text once, or in several cells."
    return f"{text} It was in line {line}: `{lines[line - 1].strip()[:MOST_LINE]}`. {instead}"


def reason(failure: MontyError) -> str:
    """Why a session was lost, with what the model can do."""
    if isinstance(failure.exception(), MemoryError):
        less = "Keep less at once: no copies of P, no list of what has no end."
        return f"MemoryError: the cell held more than the sandbox allows. {less}"
    return "RuntimeError: the sandbox's process died while the cell ran."
