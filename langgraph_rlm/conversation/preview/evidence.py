"""The lines of a text that have most of what a question asks for: evidence, before anybody has read it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from langgraph_rlm.context import Context
from langgraph_rlm.conversation.preview.documents import folder_of, name_in
from langgraph_rlm.conversation.preview.hops import second_places
from langgraph_rlm.conversation.preview.words import (
    LEAST_RARE,
    MOST_QUESTION,
    MOST_SEARCHED,
    Words,
    is_common,
    is_identifier,
    quoted,
)

MOST_PLACES, MOST_SEEN = 2_000, 20_000
"""Places of a word, and places where it may be a part of another: one that stands at more tells little."""
RARE_SHARE = 0.5
"""Share of the lines that a word may have, of which some word has to be."""
MOST_WANTED = 12
"""Words of a question that are looked for: those that are quoted, and identifiers, first."""
MOST_LINE = 200
"""Characters shown of a line."""
PIECE, MOST_WORD = 140, 30
"""A longer line is taken in pieces that begin so many characters after each other, or up to a word before."""
MOST_BEFORE, MOST_AFTER = 300, 12
"""Lines that are looked at above a line for what it stands in, and below it for the end of its brackets."""
MOST_WEIGHED = 300
"""Of the lines with most of the question, so many are weighed together with what they stand in."""
SHARE_OF_OPENERS = 0.5
"""What a word counts for a line that only stands below it."""
LEAST_SHARE, LEAST_STEP = 0.5, 0.7
"""What a line has to come to of what the best one does, and of what the one before it does."""

_OPENS = re.compile(r"^\s*(?:(?:async )?def|class|function|fn|func|struct|interface|module|section)\b")
"""Lines that name what is below them."""
_NAME = re.compile(r"(?<=[\w,] )[A-Z][a-z]\w+")
"""A word that is not the first of a sentence."""


@dataclass(frozen=True)
class Line:
    """A line, or a piece of one; the name of its document where there are several, and its number there, from 1."""

    text: str
    document: str | None
    number: int

    def __str__(self) -> str:
        return self.text if self.document is None else f"{self.document}:{self.number}: {self.text}"


def by_document(lines: Sequence[Line]) -> str:
    """Lines below the names of their documents, in their order.

    A small model that is asked for a function, and shown `tasks.py:418: raise`, says `tasks.py:418`.
    """
    parts = list[str]()
    for document, group in groupby(lines, key=lambda line: line.document):
        numbered = [line.text if document is None else f"{line.number}: {line.text}" for line in group]
        parts += numbered if document is None else [f"{document}:", *numbered]
    return "\n".join(parts)


def lines_found(query: str, context: Context, found: Words, most: int) -> list[Line]:
    """The lines with the rarest words of the question, best first, as many as fit in `most` characters.

    `found` are the words of the question that the text has.

    A word counts the more the fewer lines have it, and twice where it is quoted or an identifier. It counts in part for
    the lines below one that opens something, such as a function. With each line come those that open what it stands in,
    and those that close its brackets. Of a question of two steps, the lines of both places alone.
    """
    text = context.text[:MOST_SEARCHED]
    weights = _weights(query, text)

    def score(lines: list[int]) -> float:
        return sum(weight for starts, weight in weights if not starts.isdisjoint(lines))

    own = {start: score([start]) for start in sorted(frozenset[int]().union(*(starts for starts, _ in weights)))}
    likeliest = sorted(own, key=lambda start: -own[start])[:MOST_WEIGHED]
    openers = {start: _openers(text, start) for start in likeliest}
    scores = {
        start: (1 - SHARE_OF_OPENERS) * own[start] + SHARE_OF_OPENERS * score([start, *openers[start]])
        for start in likeliest
    }
    best, folder, shown = max(scores.values(), default=0.0), folder_of(context), dict[int, Line]()
    most_common = max(LEAST_RARE, RARE_SHARE * _lines_in(text))
    if not any(len(starts) <= most_common for starts, _ in weights):  # none of its words, or common ones alone
        return []
    if places := second_places(query, text, found):
        starts = [start for place in places for start in _starts(text, *place)]
        return [_line(context, start, folder) for start in starts][: most // MOST_LINE]
    least = LEAST_SHARE * best
    for start in sorted(likeliest, key=lambda start: -scores[start]):
        lines = [at for at in (*openers[start], *_to_closed_brackets(text, start)) if at not in shown]
        new = {at: _line(context, at, folder) for at in lines}
        most -= sum(len(str(line)) + 1 for line in new.values())
        if (most < 0 and shown) or scores[start] < least:
            break
        shown |= new
        least = max(LEAST_SHARE * best, LEAST_STEP * scores[start])
    return [*shown.values()]


def _starts(text: str, start: int, end: int) -> Iterator[int]:
    """Where the lines between two places begin."""
    while 0 <= start < end:
        yield start
        start = text.find("\n", start, end) + 1 or -1


def _openers(text: str, start: int) -> list[int]:
    """Where the lines begin that open what a line stands in, by its indentation."""
    found, indent, at = list[int](), _indent(_line_at(text, start)), start
    for _ in range(MOST_BEFORE):
        if not indent or at == 0:
            break
        at = text.rfind("\n", 0, at - 1) + 1
        above = _line_at(text, at)
        if above.strip() and _indent(above) < indent and above.lstrip()[0] not in ")]}":
            if _OPENS.search(above):
                found.insert(0, at)
            indent = _indent(above)
    return found


def _to_closed_brackets(text: str, start: int) -> list[int]:
    """Where a line begins, and those after it that close its brackets."""
    found, depth, at = [start], _depth(_line_at(text, start)), start
    while depth > 0 and len(found) < MOST_AFTER and (at := text.find("\n", at) + 1):
        found.append(at)
        depth += _depth(_line_at(text, at))
    return found


def _line_at(text: str, start: int) -> str:
    """A line, or a piece of one: as much as is shown."""
    end = text.find("\n", start, start + MOST_LINE)
    return text[start : end if end >= 0 else start + MOST_LINE]


def _start(text: str, at: int) -> int:
    """Where the line of a place begins; in a long one, its piece, at a space where there is one."""
    start = text.rfind("\n", 0, at) + 1
    piece = start + (at - start) // PIECE * PIECE
    return piece if piece == start else text.rfind(" ", piece - MOST_WORD, piece) + 1 or piece


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _depth(line: str) -> int:
    """How many brackets a line leaves open."""
    return sum(map(line.count, "([{")) - sum(map(line.count, ")]}"))


def _lines_in(text: str) -> int:
    return max(text.count("\n"), len(text) // PIECE) + 1


def _weights(query: str, text: str) -> list[tuple[frozenset[int], float]]:
    """Where the lines begin that have a word of the question, and what it counts: for each that `text` has."""
    lowered = text.lower()
    lowered = lowered if len(lowered) == len(text) else text  # some letters are two, lowered
    total = _lines_in(text)
    found = list[tuple[frozenset[int], float]]()
    for forms, is_exact in _wanted(query[:MOST_QUESTION]):
        if starts := frozenset(_start(text, at) for at in _places(forms, text if is_exact else lowered, is_exact)):
            found.append((starts, (2 if is_exact else 1) * math.log(1 + total / len(starts))))
    return found


def _places(forms: tuple[str, ...], text: str, is_exact: bool) -> list[int]:
    """Where a word stands by itself, in any of its forms; nowhere, where that is so often that it tells little.

    One that is not to be `is_exact` as it stands may be a part of a name: `limit` of `DEFAULT_LIMIT`.
    """
    found, seen = list[int](), 0
    for form in forms:
        at = text.find(form)
        while at >= 0:
            seen += 1
            around = text[at - 1 : at] + text[at + len(form) : at + len(form) + 1]
            if not any(character.isalnum() or (is_exact and character == "_") for character in around):
                found.append(at)
            if len(found) > MOST_PLACES or seen > MOST_SEEN:
                return []
            at = text.find(form, at + 1)
    return found


def names_in(query: str) -> list[str]:
    """What a query has to be looked for just as it is: what is quoted, identifiers, names."""
    return [forms[0] for forms, is_exact in _wanted(query[:MOST_QUESTION]) if is_exact]


def _wanted(query: str) -> list[tuple[tuple[str, ...], bool]]:
    """What to look for, in its forms, and whether just as it is: what is quoted, identifiers, names."""
    words = dict.fromkeys(re.findall(r"\w+", query))
    exact = [*quoted(query), *(word for word in words if is_identifier(word)), *_NAME.findall(query)]
    others = [word.lower() for word in words if not is_identifier(word) and not is_common(word)]
    wanted = [((word,), True) for word in dict.fromkeys(exact)]
    return [*wanted, *((_forms(word), False) for word in dict.fromkeys(others))][:MOST_WANTED]


def _forms(word: str) -> tuple[str, ...]:
    """A word in one and in many."""
    forms = {word, f"{word}s", f"{word}es"}
    if word.endswith("s"):
        forms |= {word[:-1], word.removesuffix("es")}
    if word.endswith("y"):
        forms.add(f"{word[:-1]}ies")
    if word.endswith("ies"):
        forms.add(f"{word[:-3]}y")
    return tuple(sorted(form for form in forms if len(form) > 1))


def _line(context: Context, start: int, folder: str) -> Line:
    is_one = context.num_documents() == 1
    document = None if is_one else name_in(folder, context.metadata[context.document_at(start)])
    return Line(_line_at(context.text, start).rstrip(), document, context.line_at(start))
