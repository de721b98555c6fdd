"""Exceptions that passed a `try` or a `with`, as the sandbox tells of them: `rewriting/passing.py` has them noted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MOST_NAME = 60
"""Characters of a function's name that are shown."""


@dataclass(frozen=True)
class Frame:
    """Where an exception was: a line of the function in a cell."""

    line: int
    function: str
    cell: str

    def is_in(self, other: Frame) -> bool:
        """Whether they may be one call."""
        return (self.function, self.cell) == (other.function, other.cell)


@dataclass(frozen=True)
class Passed:
    """An exception that passed a `try` or a `with`: what it holds, and where it was, the outermost first."""

    text: str
    frames: tuple[Frame, ...]


def passed_of(value: object) -> tuple[Passed, ...]:
    """What the prelude says of exceptions that passed, as it comes out of the sandbox: code may have changed it."""
    return tuple(_passed(value)) if isinstance(value, list) else ()


def _passed(value: list[object]) -> Iterator[Passed]:
    for one in value:
        match one:
            case [str(text), list(places)]:
                frames: list[Frame] = []
                for place in places:
                    match place:
                        case [int(line), bool(is_around), str(function), str(cell)]:
                            frame = Frame(line, function[:MOST_NAME], cell)
                            if not is_around or not frames or not frame.is_in(frames[-1]):
                                frames.append(frame)
                yield Passed(text, tuple(reversed(frames)))


def frames_of(passed: Sequence[Passed], text: str) -> list[Frame]:
    """Where the last exception with this text was, the outermost first.

    What a built-in function has called (`key=`) raises another one there than comes out of the built-in function.
    """
    frames: list[Frame] = []
    for one in reversed(passed):
        if one.text == text and not {*frames} & {*one.frames}:
            frames += one.frames
        elif frames:
            break
    return frames
