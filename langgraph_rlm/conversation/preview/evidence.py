"""The lines of a text that have most of what a question asks for: evidence, before anybody has read it."""

from __future__ import annotations

import math
import re

from langgraph_rlm.context import Context
from langgraph_rlm.conversation.preview.documents import folder_of, where
from langgraph_rlm.conversation.preview.words import MOST_QUESTION, MOST_SEARCHED, is_common, is_identifier, quoted

MOST_PLACES = 2_000
"""Places of a word that are looked at: one that stands at more tells little."""
MOST_WANTED = 12
"""Words of a question that are looked for: those that are quoted, and identifiers, first."""
MOST_LINE = 200
"""Characters shown of a line."""
MOST_BEFORE, MOST_AFTER = 300, 12
"""Lines that are looked at above a line for what it stands in, and below it for the end of its brackets."""
LEAST_SHARE = 0.34
"""What a line has to come to of what the best one does."""

_OPENS = re.compile(r"^\s*(?:(?:async )?def|class|function|fn|func|struct|interface|module|section)\b")
"""Lines that name what is below them."""


def lines_found(query: str, context: Context, most: int) -> list[str]:
    """The lines with the rarest words of the question, best first, as many as fit in `most` characters.

    With each come the lines that open what it stands in, and those that close its brackets. A word counts the more the
    fewer lines have it, and twice where it is quoted or an identifier. Where there are several documents, each line
    says where it stands.
    """
    text = context.text[:MOST_SEARCHED]
    lowered = text.lower()
    lowered = lowered if len(lowered) == len(text) else text  # some letters are two, lowered
    total = text.count("\n") + 1
    scores: dict[int, float] = {}
    for forms, weight in _wanted(query[:MOST_QUESTION]):
        searched = lowered if weight == 1 else text
        starts = {text.rfind("\n", 0, at) + 1 for at in _places(forms, searched)}
        rarity = math.log(total / len(starts)) if starts else 0.0
        for start in starts:
            scores[start] = scores.get(start, 0.0) + weight * rarity
    best, folder, shown = max(scores.values(), default=0.0), folder_of(context), dict[int, str]()
    for start, score in sorted(scores.items(), key=lambda scored: -scored[1]):
        if score < LEAST_SHARE * best or not best:
            break
        lines = {at: _line(context, at, folder) for at in _with_surroundings(text, start) if at not in shown}
        most -= sum(len(line) + 1 for line in lines.values())
        if most < 0 and shown:
            break
        shown |= lines
    return [*shown.values()]


def _with_surroundings(text: str, start: int) -> list[int]:
    """Where the lines begin that belong to one: what it stands in, by its indentation, and the rest of its brackets."""
    line, before = _line_at(text, start), list[int]()
    indent, at = _indent(line), start
    for _ in range(MOST_BEFORE):
        if not indent or at == 0:
            break
        at = text.rfind("\n", 0, at - 1) + 1
        above = _line_at(text, at)
        if above.strip() and _indent(above) < indent:
            if _OPENS.search(above):
                before.insert(0, at)
            indent = _indent(above)
    after, depth, at = [start], _depth(line), start
    while depth > 0 and len(after) < MOST_AFTER and (at := text.find("\n", at) + 1):
        after.append(at)
        depth += _depth(_line_at(text, at))
    return [*before, *after]


def _line_at(text: str, start: int) -> str:
    end = text.find("\n", start, start + MOST_LINE)
    return text[start : end if end >= 0 else start + MOST_LINE]


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _depth(line: str) -> int:
    """How many brackets a line leaves open."""
    return sum(map(line.count, "([{")) - sum(map(line.count, ")]}"))


def _places(forms: tuple[str, ...], text: str) -> list[int]:
    """Where a word stands by itself, in any of its forms; nowhere, where that is so often that it tells little."""
    found: list[int] = []
    for form in forms:
        at = text.find(form)
        while at >= 0:
            if not (_is_of_word(text[at - 1 : at]) or _is_of_word(text[at + len(form) : at + len(form) + 1])):
                found.append(at)
            if len(found) > MOST_PLACES:
                return []
            at = text.find(form, at + 1)
    return found


def _is_of_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _wanted(query: str) -> list[tuple[tuple[str, ...], int]]:
    """What to look for, each with its weight. What is quoted, and identifiers, stand in the text as they are."""
    exact = [*quoted(query), *(word for word in re.findall(r"\w+", query) if is_identifier(word))]
    others = [word.lower() for word in re.findall(r"\w+", query) if not is_identifier(word) and not is_common(word)]
    wanted = [((word,), 2) for word in dict.fromkeys(exact)]
    return [*wanted, *((_forms(word), 1) for word in dict.fromkeys(others))][:MOST_WANTED]


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


def _line(context: Context, start: int, folder: str) -> str:
    """A line, after the document and the number that it has in it."""
    line = _line_at(context.text, start).rstrip()
    return line if context.num_documents() == 1 else f"{where(context, start, folder)}{line}"
