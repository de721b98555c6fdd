"""How the lines of a text come apart.

The host works this out, in a size that does not grow with the text. A small model that has seen a record taken apart
writes code that fits it; without it, it writes code for the format that it expects.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from langgraph_rlm.context import Context
from langgraph_rlm.conversation.preview.offered import MOST_TAKEN_APART, defined_for
from langgraph_rlm.conversation.preview.words import Words, is_common

MOST_ROWS = 2
MOST_SHOWN = 160
"""Characters shown of a record."""
MOST_RECORD = 500
"""Characters of a line that is searched for pairs: the patterns take time by the square of it."""
SAMPLE = 8_000
"""Characters read at the start, in the middle and at the end of the text, to tell its format."""
SAMPLE_LINES = 10
"""Lines taken from each of these places."""
USUAL = 0.7
"""Share of the sampled lines that has to come apart in the same way."""


BOM = "\ufeff"
_ENDS_LINE = re.compile("[\v\f\x1c-\x1e\x85\u2028\u2029]")
"""What ends a line for `splitlines`, and is a part of one to most."""


@dataclass(frozen=True)
class Way:
    """A way to take a text apart: Python that does it, what stands between two records, and what becomes of one.

    `record` gives None for what does not come apart. `code` is made of our own templates alone, never of the text.
    """

    code: str
    border: str
    record: Callable[[str], Any]


def way_apart(text: str) -> Way | None:
    """How most records of `text` come apart alike; None for prose, and for texts that are too long."""
    lines = _sampled(text, "\n")
    if not lines or len(text) > MOST_TAKEN_APART or _ENDS_LINE.search(text):
        return None
    for way in _ways(text, lines):
        if sum(1 for line in lines if way.record(line)) >= USUAL * len(lines):
            return way
    blocks = _sampled(text, "\n\n")
    shapes = Counter(map(_shape, blocks)).most_common(1)
    if len(blocks) > SAMPLE_LINES and shapes[0][0] and shapes[0][1] >= USUAL * len(blocks):
        return Way(r"rows = P.split('\n\n')", "\n\n", str)
    return None


def second_search(words: Words, text: str, way: Way | None) -> str | None:
    """A word that is missing at the only place of the rarest one: the answer is likely to be elsewhere."""
    if not words or text.find("\n", 0, words[0].place) < 0 or text.find(words[0].text, words[0].place + 1) >= 0:
        return None  # no words, a heading, or one of many
    piece = _piece(text, words[0].place, way.border if way else "\n")
    return next((other.text for other in words[1:] if other.text not in piece), None)


def _shape(block: str) -> tuple[str, ...]:
    """The words with which the lines of a block begin, after its first: alike in records, unlike in prose and code."""
    return tuple(re.split(r"[^\w-]", line.strip(), maxsplit=1)[0] for line in block.splitlines()[1:])


def rows_shown(words: Words, text: str, way: Way) -> list[str]:
    """Records that `way` makes, each on one line: those that have `words`, else one from the middle."""
    shown: list[str] = []
    missing = [word.text for word in words]
    for word in words:
        piece = _piece(text, word.place, way.border)
        if word.text in missing and (row := way.record(piece)):
            missing = [other for other in missing if other not in piece]
            shown.append(_written(row))
    if not shown:
        sampled = _sampled(text, way.border)
        shown = [_written(row) for row in map(way.record, sampled[len(sampled) // 2 :]) if row][:1]
    return shown[:MOST_ROWS]


def _written(row: Any) -> str:
    """A record on one line. Each item has its index written out: a small model counts wrong."""
    if isinstance(row, list):
        return ", ".join(f"row[{index}] == {item!r}" for index, item in enumerate(row))[: 2 * MOST_SHOWN]
    return repr(row)[:MOST_SHOWN]


def rows_for(code: str, context: Context) -> str:
    """What defines `rows` before `code` runs, where it uses them without a definition; else nothing.

    A small model takes `rows` for defined, whatever it is told. Defined so, they cost nothing where they are not used.
    """

    def made() -> str:
        way = way_apart(context.text)
        return way.code.removeprefix("rows = ") if way else ""

    return defined_for(code, "rows", context, made)


def _ways(text: str, lines: list[str]) -> Iterator[Way]:
    yield Way("rows = [json.loads(line) for line in P.splitlines() if line.startswith('{')]", "\n", _json_object)
    for pattern in (r'([\w-]+)="([^"]*)"', r"([\w-]+)=(\S+)", r"(\w[\w ]*): ([^|;]*[^|;\s])"):
        rows = f"(dict(re.findall(r'{pattern}', line)) for line in P.splitlines())"
        yield Way(f"rows = [row for row in {rows} if len(row) > 1]", "\n", partial(_pairs, pattern))
    for delimiter in ("\t", " || ", " | ", "|", ";", ",", None):
        if delimiter in ("|", ";", ",") and any(f"{delimiter} " in line for line in lines):
            continue  # punctuation
        if delimiter and (f'"{delimiter}' in text or f'{delimiter}"' in text):
            continue  # what is quoted may have it too
        usual = Counter(len(line.split(delimiter)) for line in lines).most_common(1)[0][0]
        if not (3 if delimiter else 4) <= usual <= 20 or not (delimiter or _are_columns(lines, usual)):
            continue
        split = f"line.split({delimiter!r})" if delimiter else "line.split()"
        head = text.partition("\n")[0].rstrip("\r")
        names = head.removeprefix(BOM).split(delimiter)
        least = f"line.count({delimiter!r}) >= {usual - 1}" if delimiter else f"len({split}) == {usual}"
        if delimiter and len(names) == usual and _are_headings(names, [line.split(delimiter) for line in lines]):
            named = f"dict(zip(P[{int(head.startswith(BOM)) or ''}:{len(head)}].split({delimiter!r}), {split}))"
            code = f"rows = [{named} for line in P.splitlines()[1:] if {least}]"
            yield Way(code, "\n", partial(_named, names, delimiter))
        else:
            code = f"rows = [{split} for line in P.splitlines() if {least}]"
            yield Way(code, "\n", partial(_items, delimiter, usual))


def _are_headings(names: list[str], rows: list[list[str]]) -> bool:
    """Whether a first line names columns: in words without digits, which are no values of theirs."""
    values = {item for row in rows if row != names for item in row}
    return all(re.fullmatch(r"[^\W\d](?:[^\W\d]|[ .()-])*", name) and name not in values for name in names)


def _are_columns(lines: list[str], usual: int) -> bool:
    """Whether white space parts columns, not words: lines of as many each, no sentences, with a column of numbers."""
    rows = [line.split() for line in lines]
    is_markup = all(line.lstrip().startswith("<") for line in lines)
    if {len(row) for row in rows} != {usual} or is_markup or sum(map(_is_sentence, rows)) >= USUAL * len(rows):
        return False
    columns = (column for column in zip(*rows, strict=True) if all(re.search(r"\d", item) for item in column))
    return any(len({*column}) > 1 for column in columns)


def _is_sentence(words: Sequence[str]) -> bool:
    return words[-1].endswith((".", "!", "?")) and any(is_common(word.rstrip(",.;:!?")) for word in words)


def _json_object(line: str) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _pairs(pattern: str, line: str) -> dict[str, str] | None:
    if len(line) > MOST_RECORD:
        return None
    pairs = dict(re.findall(pattern, line))
    return pairs if len(pairs) > 1 else None


def _items(delimiter: str | None, usual: int, line: str) -> list[str] | None:
    items = line.split(delimiter)
    return items if len(items) == usual else None


def _named(names: list[str], delimiter: str, line: str) -> dict[str, str] | None:
    items = _items(delimiter, len(names), line)
    return dict(zip(names, items, strict=True)) if items and items != names else None


def _sampled(text: str, border: str) -> list[str]:
    """Pieces between borders from the start, the middle and the end of `text`, without those that were cut."""
    found: list[str] = []
    for start in dict.fromkeys((0, len(text) // 2, max(len(text) - SAMPLE, 0))):
        pieces = text[start : start + SAMPLE].split(border)
        whole = pieces[1 if start else 0 : -1] or pieces
        found += [piece.rstrip("\r").removeprefix(BOM) for piece in whole if piece.strip()][:SAMPLE_LINES]
    return found


def _piece(text: str, at: int, border: str) -> str:
    """The piece between borders at an offset, as far as it is near."""
    start = text.rfind(border, max(at - SAMPLE, 0), at)
    end = text.find(border, at, at + SAMPLE)
    return text[start + len(border) if start >= 0 else max(at - SAMPLE, 0) : end if end >= 0 else at + SAMPLE]
