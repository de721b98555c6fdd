"""Tracebacks in the lines of the cells as the model wrote them, with what Monty forgets of them."""

from __future__ import annotations

import ast
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import dropwhile

from pydantic_monty import MontyError, MontyRuntimeError, MontySyntaxError

from langgraph_rlm.repl.passed import Frame
from langgraph_rlm.repl.rewriting.bridges import Rewritten
from langgraph_rlm.repl.rewriting.expressions import HOISTED
from langgraph_rlm.repl.rewriting.passing import GENERATED
from langgraph_rlm.repl.syntax import read, statements

_FRAME = re.compile(
    r'  File "(?P<file><python-input-\d+>)", line (?P<line>\d{1,9}), in (?P<function>.*)\n(?P<shown>(?:    .*\n)*)'
)
"""What a traceback says of a call, with the code that it shows."""
_OF_MODULES = re.compile(r'  File "<string>", line \d+, in (?P<function>.*)\n(?:    .*\n)*(?P<more>(?=  File))?')
_UNDEFINED = re.compile(
    r'  File "(?P<file>[^"\n]*)", line (?P<line>\d{1,9}), in (?P<function>.*)\n(?P<shown>(?:    .*\n)*)'
    r"(?:NameError: name|UnboundLocalError: cannot access local variable) '(?P<name>\w+)'"
)
"""The last call, with what is not defined there."""
_STEPS = ("step", "next_of")
"""Functions of `_generators.py` that call a `__next__` in a `try`."""


@dataclass(frozen=True)
class Source:
    """A cell, as the model wrote it and as it ran."""

    code: str
    ran: Rewritten

    def line_of(self, number: int, column: int) -> int:
        """Which line of the cell a place was in what ran; with a minus where an exception passed something.

        What prints the value of the last one comes after that.
        """
        line = self.ran.lines[number - 1] if 0 < number <= len(self.ran.lines) else number
        line = self.ran.places.get((number, column - 1), line) if line > 0 else line
        return min(line, self.code.count("\n") + 1)

    def shown(self, number: int) -> str:
        """A line of the cell as a traceback shows it."""
        lines = self.code.split("\n")
        return f"    {lines[number - 1].strip()}\n" if 0 < number <= len(lines) else ""

    def function_at(self, number: int) -> str:
        """The name of the function that a line is in."""
        inside = [
            node
            for statement in statements(self.code)
            for node in ast.walk(statement)
            if isinstance(node, ast.FunctionDef) and node.lineno <= number <= (node.end_lineno or 0)
        ]
        return max(inside, key=lambda node: node.lineno).name if inside else "<module>"

    def has(self, number: int, text: str) -> bool:
        """Whether that is the line which ran."""
        lines = self.ran.code.split("\n")
        return 0 < number <= len(lines) and lines[number - 1].strip() == text


def name_of(code: str) -> str:
    """What a cell is called in the notes of exceptions."""
    return f"{zlib.crc32(code.encode()):08x}"


def in_its_own_lines(failure: MontyError, sources: Sequence[Source], passed: Sequence[Frame] = ()) -> str:
    """The traceback with the lines of the cells as the model wrote them. The outermost frame is the last cell's.

    Where it ends in a line that the exception only passed, `passed` says where it was.
    """
    text = failure.display() if isinstance(failure, MontyRuntimeError | MontySyntaxError) else str(failure)
    raised = failure.traceback() if isinstance(failure, MontyRuntimeError) else []
    columns = {(frame.filename, frame.line): frame.column for frame in raised}
    own = _FRAME.search(text)

    def placed(frame: re.Match[str]) -> str:
        number, function, shown = int(frame["line"]), frame["function"], frame["shown"]
        ran = shown.strip().split("\n")[0]
        known = sources[-1:] if own and frame["file"] == own["file"] else sources[-2::-1]
        for source in known:
            if known == sources[-1:] or source.has(number, ran):
                line = source.line_of(number, columns.get((frame["file"], number), 0))
                if function in GENERATED:
                    function = source.function_at(abs(line))
                if line < 0 and (inner := _from(function, passed)):
                    return _noted(inner, sources)
                return _told(abs(line), function, source.shown(abs(line)) if shown else "")
        return _told(number, function, "")

    def of_modules(frame: re.Match[str]) -> str:
        return _noted(passed, sources) if frame["function"] in _STEPS and frame["more"] is None else ""

    return _of_augmented(_OF_MODULES.sub(of_modules, _FRAME.sub(placed, text)), sources)


def _of_augmented(text: str, sources: Sequence[Source]) -> str:
    """The traceback with the line of `name += …` where that name is not defined: Monty tells the line before it."""
    found = _UNDEFINED.search(text)
    if found is None or not sources or re.search(rf"\b{found['name']}\b", found["shown"]):
        return text
    source, is_placed = sources[-1], found["file"] == "<cell>"
    targets = (node.target for node in read(source.code).of(ast.AugAssign))
    lines = sorted(target.lineno for target in targets if isinstance(target, ast.Name) and target.id == found["name"])
    after = (line for line in lines if line > int(found["line"]) and source.function_at(line) == found["function"])
    line = next(after if is_placed else iter(lines), None)
    if line is None:
        return text
    told = _told(line, source.function_at(line), source.shown(line))
    return text[: found.start()] + told + text[found.end("shown") :]


def _from(function: str, frames: Sequence[Frame]) -> list[Frame]:
    return [*dropwhile(lambda frame: frame.function != function, frames)]


def _noted(frames: Sequence[Frame], sources: Sequence[Source]) -> str:
    known = {source.ran.name: source for source in sources}
    return "".join(
        _told(one.line, one.function, known[one.cell].shown(one.line) if one.cell in known else "") for one in frames
    )


def _told(line: int, function: str, shown: str) -> str:
    function = HOISTED.sub("<genexpr>", function)
    return f'  File "<cell>", line {line}, in {function}\n{shown}'
