"""The lines of a text that have most of what a question asks for: evidence, before anybody has read it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from langgraph_rlm.context import Context
from langgraph_rlm.conversation.preview.documents import folder_of, name_in
from langgraph_rlm.conversation.preview.words import MOST_QUESTION, MOST_SEARCHED, is_common, is_identifier, quoted

MOST_PLACES = 2_000
"""Places of a word that are looked at: one that stands at more tells little."""
MOST_LINE = 200
"""Characters shown of a line."""
LEAST_SHARE = 0.34
"""What a line has to come to of what the best one does."""


def lines_found(query: str, context: Context, most: int) -> list[str]:
    """The lines with the rarest words of the question, best first, as many as fit in `most` characters.

    A word counts the more the fewer lines have it, and twice where it is quoted or an identifier. Where there are
    several documents, each line says where it stands.
    """
    text = context.text[:MOST_SEARCHED]
    total = text.count("\n") + 1
    scores: dict[int, float] = {}
    for pattern, weight in _patterns(query[:MOST_QUESTION]):
        starts = {text.rfind("\n", 0, at) + 1 for at in _places(pattern, text)}
        rarity = math.log(total / len(starts)) if starts else 0.0
        for start in starts:
            scores[start] = scores.get(start, 0.0) + weight * rarity
    best = max(scores.values(), default=0)
    folder, shown = folder_of(context), list[str]()
    for start, score in sorted(scores.items(), key=lambda scored: -scored[1]):
        line = _line(context, start, folder)
        most -= len(line) + 1
        if most < 0 or score < LEAST_SHARE * best or not best:
            break
        shown.append(line)
    return shown


def _places(pattern: re.Pattern[str], text: str) -> list[int]:
    found: list[int] = []
    for match in pattern.finditer(text):
        found.append(match.start())
        if len(found) > MOST_PLACES:
            return []
    return found


def _patterns(query: str) -> Iterator[tuple[re.Pattern[str], int]]:
    """What to look for, each with its weight. What is quoted, and identifiers, stand in the text as they are."""
    for words in quoted(query):
        yield re.compile(re.escape(words)), 2
    for word in dict.fromkeys(re.findall(r"\w+", query)):
        if is_common(word):
            continue
        if is_identifier(word):
            yield re.compile(rf"\b{re.escape(word)}\b"), 2
        else:
            stem = re.sub(r"(?<=..)(?:ies|y|e?s)$", "", word)
            yield re.compile(rf"\b{re.escape(stem)}(?:ies|y|e?s)?\b", re.I), 1


def _line(context: Context, start: int, folder: str) -> str:
    """A line, after the document and the number that it has in it."""
    end = context.text.find("\n", start, start + MOST_LINE)
    line = context.text[start : end if end >= 0 else start + MOST_LINE].rstrip()
    if context.num_documents() == 1:
        return line
    document = context.metadata[context.document_at(start)]
    number = context.text.count("\n", document["start"], start) + 1
    return f"{name_in(folder, document)}:{number}: {line}"
