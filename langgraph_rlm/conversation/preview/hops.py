"""Questions of two steps: what is asked stands beside a value that is found beside what is named."""

from __future__ import annotations

import re
from collections.abc import Iterator

from langgraph_rlm.conversation.preview.words import MOST_SEARCHED, Words, stands_alone

MOST_BLOCK = 600
"""Characters between two blank lines that belong together; of longer ones a line is taken."""
MOST_VALUES, MOST_PLACES = 8, 20
"""Values of the first place that are looked for, and places of each."""
MOST_HOPS = 3

_KEY = re.compile(r"(?=.*\d).*[^\W\d].*|\d{5}")
"""Letters with digits, such as `B-81146`, or a long number: shorter ones are years and counts."""

Span = tuple[int, int]


def second_places(query: str, text: str, found: Words) -> list[Span]:
    """Where a question of two steps is answered: from where to where its first place goes, and each second one.

    `found` are the words of the question that the text has.

    The first is the only one with what the question names first of all. A second one has another word of the question,
    which the first has not, and a value that stands in the first. None where there is no such place.
    """
    searched = text[:MOST_SEARCHED]
    if not found or searched.find(found[0].text, found[0].place + 1) >= 0:
        return []
    first = _block(searched, found[0].place)
    beside = searched[slice(*first)]
    missing = [word.text.casefold() for word in found[1:] if word.text.casefold() not in beside.casefold()]
    if not missing:
        return []
    places = dict.fromkeys(
        block
        for value in _values(beside, query)
        for block in _blocks_with(value, searched)
        if block != first and any(word in searched[slice(*block)].casefold() for word in missing)
    )
    return [first, *places][: 1 + MOST_HOPS] if places else []


def _values(block: str, query: str) -> list[str]:
    """What has digits in a block, such as numbers of orders and hosts, and is not of the question."""
    words = dict.fromkeys(re.findall(r"\w(?:[\w.:/@-]*\w)?", block))
    return [word for word in words if _KEY.search(word) and word not in query][:MOST_VALUES]


def _blocks_with(value: str, text: str) -> Iterator[Span]:
    at = text.find(value)
    for _ in range(MOST_PLACES):
        if at < 0:
            return
        if stands_alone(value, at, text):
            yield _block(text, at)
        at = text.find(value, at + 1)


def _block(text: str, at: int) -> Span:
    """What a place belongs to: as far as the next blank lines, or its line where that is long."""
    start, end = text.rfind("\n\n", max(0, at - MOST_BLOCK), at), text.find("\n\n", at, at + MOST_BLOCK)
    if start >= 0 and end >= 0 and end - start <= MOST_BLOCK:
        return start + 2, end
    start, end = text.rfind("\n", max(0, at - MOST_BLOCK), at), text.find("\n", at, at + MOST_BLOCK)
    return (start + 1 if start >= 0 else max(0, at - MOST_BLOCK)), (end if end >= 0 else at + MOST_BLOCK)
