"""Questions whose answer no line of a text has: it has to be computed from all of it."""

from __future__ import annotations

import re

from langgraph_rlm.conversation.preview.records import way_apart
from langgraph_rlm.conversation.preview.words import NAMES, Words, words_found

_AMOUNT = re.compile(
    r"\b(?:how (?:many|often)|numbers? of|count|total|sum|average|mean|median|share|percentage|(?:more|less|fewer)"
    r" (?:\w+ )?than (?:any|all)|most|fewest|least"
    r"|(?:bigg|fast|high|larg|lat|long|low|new|old|short|slow|small|young|earli)est)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\bhow (?:many|much|often)\b", re.IGNORECASE)
_IS_NUMBER = re.compile(
    r"\d|\b(?:no|none|zero|never|once|twice|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|\w+ty"
    r"|hundreds?|thousands?|millions?)\b",
    re.IGNORECASE,
)
FEW = 3
"""Places of a name at which a single record is told of."""


def is_computed(question: str, found: Words, text: str, is_of_records: bool) -> bool:
    """Whether a question is for an amount over all of a text: none of its words is rare there, or none of those a name.

    In prose a rare word is enough to look there: "How many employees are there?" may be answered by a sentence.
    """
    names = (word for word in found if word.rank <= NAMES)
    is_of_all = not found or (is_of_records and all(text.count(name.text) > FEW for name in names))
    return is_of_all and _AMOUNT.search(question) is not None


def is_computed_from(question: str, text: str) -> bool:
    """The same, of a text."""
    return is_computed(question, words_found(question, text), text, way_apart(text) is not None)


def may_answer(question: str, answer: str) -> bool:
    """Whether what is said to a question for a number may be one."""
    return _NUMBER.search(question) is None or _IS_NUMBER.search(answer) is not None
