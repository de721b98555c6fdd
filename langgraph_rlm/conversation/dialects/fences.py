"""Fenced blocks in a reply: where they begin and end, whatever stands in the strings of their code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from textwrap import dedent

from langgraph_rlm.repl.syntax import MOST_CODE, read, statements

MOST_BLOCKS, MOST_ENDS = 30, 8
"""Blocks of a reply that are looked at, and fences that are tried as the end of one: code up to each is parsed."""
MARKED = ("repl", "python", "py", "python3")
"""What blocks of code are marked with."""
PYTHON = (*MARKED, "")

_OPENS = re.compile(
    r"^[ \t]*(?P<fence>`{3,}|~{3,})(?P<before>[ \t]*+)(?P<language>[\w+-]*+)(?P<info>[^`\n]*+)$"
    rf"|(?<=[^\s`])[ \t]*(?P<inner>`{{3,}})(?P<named>{'|'.join(MARKED)})[ \t]*$",
    re.M | re.I,
)
_TRANSCRIPT = re.compile(r"\s*>>> ")


@dataclass(frozen=True)
class Block:
    """A block of a reply, from its opening fence to after the closing one; `is_closed` says whether it has that."""

    language: str
    code: str
    start: int
    end: int
    is_closed: bool
    has_info: bool = False
    """Whether more than the language stands beside the opening fence."""


def blocks_of(text: str) -> list[Block]:
    """The blocks, in order.

    Where several fences could end one, it is the first up to which its code is Python: those before stand in its
    strings, and no longer code is, since a fence is no Python. A text that is Python itself has none.
    """
    found: list[Block] = []
    if len(text) <= MOST_CODE and statements(text.strip()):
        return found
    at = 0
    while len(found) < MOST_BLOCKS and (opening := _OPENS.search(text, at)):
        block = _block(text, opening)
        found.append(block)
        at = max(block.end, opening.end())
    return found


def outside(text: str, blocks: list[Block]) -> str:
    """The text with its blocks blanked out: what is left stands where it stood."""
    for block in blocks:
        text = text[: block.start] + "\n" * (block.end - block.start) + text[block.end :]
    return text


def _block(text: str, opening: re.Match[str]) -> Block:
    language = opening["language"] or opening["named"] or ""
    fence = opening["fence"] or opening["inner"]
    start = opening.start("fence") if opening["fence"] else opening.start("inner")
    begin = min(opening.end() + 1, len(text))
    ends = [*islice(_ends(text, begin, fence), MOST_ENDS)]
    end = _end(text, begin, ends) if language.lower() in PYTHON else next(iter(ends), None)
    stop, after = end or (len(text), len(text))
    code = _unprompted(dedent(text[begin:stop])).rstrip()
    return Block(
        language, code, start, after, end is not None, bool(opening["before"] or (opening["info"] or "").strip())
    )


def _ends(text: str, begin: int, fence: str) -> Iterator[tuple[int, int]]:
    """Start and end of what may close a block that such a `fence` has opened: on a line of its own, or after code."""
    mark = re.escape(fence[0])
    least = f"{mark}{{{len(fence)},}}"
    pattern = rf"^[ \t]*{least}(?=[ \t]|$)|(?<=[^\s{mark}])[ \t]*{least}[ \t]*$"
    return (end.span() for end in re.compile(pattern, re.M).finditer(text, begin))


def _end(text: str, begin: int, ends: list[tuple[int, int]]) -> tuple[int, int] | None:
    """The first of the ends up to which the code is Python; None where that is the end of the text; else the first.

    Of those that stand behind code the last comes first: a comment may end with a fence.
    """
    own = [end for end in ends if text[end[0] - 1 : end[0]] == "\n"]
    for end in (*own, *(end for end in reversed(ends) if end not in own)):
        if _is_python(text[begin : end[0]]):
            return end
    return None if not ends or _is_python(text[begin:]) else ends[0]


def _is_python(code: str) -> bool:
    if len(code) > MOST_CODE:
        return False
    code = dedent(code)
    return read(code).failure is None or (
        _TRANSCRIPT.match(code) is not None and read(_unprompted(code)).failure is None
    )


def _unprompted(code: str) -> str:
    """The code of a transcript (`>>> x = 1`): what it shows as output was never printed."""
    if not _TRANSCRIPT.match(code) or read(code).failure is None:
        return code
    lines = (line.lstrip() for line in code.split("\n"))
    return "\n".join(line[4:] for line in lines if line.startswith((">>> ", "... ")))
