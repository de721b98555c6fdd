"""Questions whose answer no line of a text has: it has to be computed from all of it."""

from __future__ import annotations

import re

from langgraph_rlm.conversation.preview.words import NAMES, Words

_AMOUNT = re.compile(
    r"\b(?:how (?:many|often)|numbers? of|count|total|sum|average|mean|median|share|percentage|(?:more|less|fewer)"
    r" (?:\w+ )?than (?:any|all)|most|fewest|least"
    r"|(?:bigg|fast|high|larg|lat|long|low|new|old|short|slow|small|young|earli)est)\b",
    re.IGNORECASE,
)


def is_computed(question: str, found: Words, is_of_records: bool) -> bool:
    """Whether a question is for an amount over all of a text: none of its words is rare there, or none of those a name.

    In prose a rare word is enough to look there: "How many employees are there?" may be answered by a sentence.
    """
    is_of_all = not found or (is_of_records and all(word.rank > NAMES for word in found))
    return is_of_all and _AMOUNT.search(question) is not None
