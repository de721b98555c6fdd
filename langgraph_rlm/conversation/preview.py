"""What a text looks like: where it has the words of the question, and how its lines come apart.

The host works this out, in a size that does not grow with the text. A model that has seen the spelling and a record
taken apart writes code that fits them; without it, a small one writes code for the format it expects.
"""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from langgraph_rlm.repl.syntax import read

MOST_SEARCHED = 10_000_000
"""Characters of the text that are searched for the words of the question: that takes about a second."""
MOST_TAKEN_APART = 3_000_000
"""Characters of a text that is offered as `rows`: the sandbox needs up to three seconds for so many."""
MOST_PLACES = 10_000
"""Places of a word that are looked at before it counts as missing."""
MOST_WORDS, MOST_WORD = 8, 60
MOST_LINES, MOST_ROWS = 4, 2
MOST_SHOWN = 160
"""Characters shown of a line or a record."""
MOST_RECORD = 500
"""Characters of a line that is searched for pairs: the patterns take time by the square of it."""
SAMPLE = 8_000
"""Characters read at the start, in the middle and at the end of the text, to tell its format."""
SAMPLE_LINES = 10
"""Lines taken from each of these places."""
USUAL = 0.7
"""Share of the sampled lines that has to come apart in the same way."""

Words = list[tuple[str, int]]
"""Words of the question that the text has, each with its first place; the rarest first."""

_COMMON = """
 the a an of in is are was were and or for to by at on as it its from with how many much what which who whom whose where
 when why has have had this that these those all any each most do does did be been not there """

# -- the words of the question --------------------------------------------------------------------------------------


def words_found(query: str, text: str) -> Words:
    """Runs of the query's words that stand in `text`, as long as possible; else its words in another spelling."""
    searched = text[:MOST_SEARCHED]
    found = dict(_runs(query[: 10 * MOST_SHOWN], searched))
    return sorted(found.items(), key=lambda word: searched.count(word[0]))[:MOST_WORDS]


def _runs(query: str, text: str) -> Iterator[tuple[str, int]]:
    words = [match.span() for match in re.finditer(r"\w(?:[\w.=:@/-]*\w)?", query)]
    first = 0
    while first < len(words):
        start, end = words[first]
        last, run, at = first, "", -1
        while last < len(words) and words[last][1] <= start + MOST_WORD:
            place = _place(query[start : words[last][1]], text)
            if place < 0:
                break
            run, at, last = query[start : words[last][1]], place, last + 1
        if not run and not _is_common(query[start:end]):
            places = ((word, _place(word, text)) for word in _spellings(query[start:end]))
            run, at = next((found for found in places if found[1] >= 0), ("", -1))
        if run and not _is_common(run):
            yield run, at
        first = max(last, first + 1)


def _is_common(word: str) -> bool:
    """Whether a word tells nothing of what is looked for."""
    return re.search(rf"\s{re.escape(word.lower())}\s", _COMMON) is not None


def _spellings(word: str) -> list[str]:
    forms = [word, word.removesuffix("s")] if len(word) > 3 else [word]
    return [spelled for form in forms for spelled in (form, form.lower(), form.capitalize(), form.upper())]


def _place(word: str, text: str) -> int:
    """Where `text` first has `word`, not as a part of a longer word; -1 where the first places have not."""
    at = -1
    for _ in range(MOST_PLACES):
        at = text.find(word, at + 1)
        if at < 0 or not (text[max(at - 1, 0) : at].isalnum() or text[at + len(word) : at + len(word) + 1].isalnum()):
            return at
    return -1


def lines_with(words: Words, text: str) -> list[str]:
    """The lines at the places of `words`: each with those after it up to a blank one, or as much as may be shown."""
    return list(dict.fromkeys(_around(text, at) for _, at in words[:MOST_LINES]))


def _around(text: str, at: int) -> str:
    start = max(text.rfind("\n", 0, at) + 1, at - MOST_SHOWN // 2)
    ends = (text.find(border, at, start + MOST_SHOWN) for border in ("\n\n", "\n"))
    return text[start : next((end for end in ends if end >= 0), start + MOST_SHOWN)]


def second_search(words: Words, text: str, way: Way | None) -> str | None:
    """A word that is missing at the only place of the rarest one: the answer is likely to be elsewhere."""
    if not words or text.find("\n", 0, words[0][1]) < 0 or text.find(words[0][0], words[0][1] + 1) >= 0:
        return None  # no words, a heading, or one of many
    piece = _piece(text, words[0][1], way.border if way else "\n")
    return next((other for other, _ in words[1:] if other not in piece), None)


# -- records ----------------------------------------------------------------------------------------------------------


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
    if not lines or len(text) > MOST_TAKEN_APART:
        return None
    for way in _ways(text, lines):
        if sum(1 for line in lines if way.record(line)) >= USUAL * len(lines):
            return way
    blocks = _sampled(text, "\n\n")
    shapes = Counter(map(_shape, blocks)).most_common(1)
    if len(blocks) > SAMPLE_LINES and shapes[0][0] and shapes[0][1] >= USUAL * len(blocks):
        return Way(r"rows = P.split('\n\n')", "\n\n", str)
    return None


def _shape(block: str) -> tuple[str, ...]:
    """The words with which the lines of a block begin, after its first: alike in records, unlike in prose and code."""
    return tuple(re.split(r"[^\w-]", line.strip(), maxsplit=1)[0] for line in block.splitlines()[1:])


def rows_shown(words: Words, text: str, way: Way) -> list[str]:
    """Records that `way` makes, each on one line: those that have `words`, else one from the middle."""
    shown: list[str] = []
    missing = [word for word, _ in words]
    for word, at in words:
        piece = _piece(text, at, way.border)
        if word in missing and (row := way.record(piece)):
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


def rows_for(code: str, text: str) -> str:
    """What defines `rows` before `code` runs, where it uses them without a definition; else nothing.

    A small model takes `rows` for defined, whatever it is told. Defined so, they cost nothing where they are not used.
    """
    found = read(code)
    rows = [node for node in found.of(ast.Name) if node.id == "rows"]
    own = any(isinstance(name.ctx, ast.Store) for name in rows) or any(node.arg == "rows" for node in found.of(ast.arg))
    if not rows or own or not (way := way_apart(text)):
        return ""
    return f'if "rows" not in locals(): {way.code}'


def _ways(text: str, lines: list[str]) -> Iterator[Way]:
    yield Way("rows = [json.loads(line) for line in P.splitlines() if line.startswith('{')]", "\n", _json_object)
    for pattern in (r'([\w-]+)="([^"]*)"', r"([\w-]+)=(\S+)", r"(\w[\w ]*): ([^|;]*[^|;\s])"):
        code = f"rows = [dict(re.findall(r'{pattern}', line)) for line in P.splitlines()]"
        yield Way(code, "\n", partial(_pairs, pattern))
    for delimiter in ("\t", " || ", " | ", "|", ";", ",", None):
        if delimiter in ("|", ";", ",") and any(f"{delimiter} " in line for line in lines):
            continue  # punctuation
        usual = Counter(len(line.split(delimiter)) for line in lines).most_common(1)[0][0]
        if not (3 if delimiter else 4) <= usual <= 20:
            continue
        split = f"line.split({delimiter!r})" if delimiter else "line.split()"
        head = text.partition("\n")[0]
        names = head.split(delimiter)
        if delimiter and len(names) == usual and all(re.fullmatch(r"[^\W\d][\w .()-]*", name) for name in names):
            named = f"dict(zip(P[:{len(head)}].split({delimiter!r}), {split}))"
            code = f"rows = [{named} for line in P.splitlines()[1:]]"
            yield Way(code, "\n", partial(_named, names, delimiter))
        else:
            yield Way(f"rows = [{split} for line in P.splitlines()]", "\n", partial(_items, delimiter, usual))


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
        found += [piece for piece in whole if piece.strip()][:SAMPLE_LINES]
    return found


def _piece(text: str, at: int, border: str) -> str:
    """The piece between borders at an offset, as far as it is near."""
    start = text.rfind(border, max(at - SAMPLE, 0), at)
    end = text.find(border, at, at + SAMPLE)
    return text[start + len(border) if start >= 0 else max(at - SAMPLE, 0) : end if end >= 0 else at + SAMPLE]
