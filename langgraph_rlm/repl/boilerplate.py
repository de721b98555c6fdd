"""Boilerplate: lines that a text repeats, such as the disclaimer under each of a hundred mails, said once."""

from __future__ import annotations

from collections import Counter
from itertools import groupby

LEAST = 40
"""Characters of a line that is worth a look: shorter ones, as `}` or `Yours,`, say little and cost little."""
WORTH = 150
"""Characters of lines in a row that are left out: what stands for them has some eighty itself."""
QUOTED = (30, 60)
"""Characters that tell which lines are meant; where neither many do, the lines stay."""


def compact(text: str) -> str:
    """`text` with long lines that were there before left out, where several follow each other or one is very long.

    What stands for them says how many there are and how they begin. What is said for the first time stays as it is.
    """
    lines = text.splitlines(keepends=True)
    often = Counter(line.strip() for line in lines)
    seen: set[tuple[str, ...]] = set()
    parts: list[str] = []
    for is_repeated, group in groupby(lines, key=lambda line: len(line) >= LEAST and often[line.strip()] > 1):
        run = list(group)
        key = tuple(line.strip() for line in run)
        is_known = is_repeated and key in seen and sum(map(len, run)) >= WORTH
        if is_known and (quote := _quote_of(key, seen)):
            lines_there = f"{len(run)} lines that stand" if len(run) > 1 else "line that stands"
            parts.append(f"[here the {lines_there} above, from “{quote}…” on]\n")
        else:
            seen.add(key)
            parts += run
    return "".join(parts)


def _quote_of(key: tuple[str, ...], seen: set[tuple[str, ...]]) -> str | None:
    """The beginning of these lines, as far as no others that were seen begin like it."""
    for length in QUOTED:
        quote = key[0][:length]
        if sum(other[0].startswith(quote) for other in seen) == 1:
            return quote
    return None
