"""Citations: where a quote stands in the text. What code says of it is not believed: the text is looked at."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from langgraph_rlm.context import Context

MOST_QUOTE = 10_000
"""Characters of a quote."""
MOST_CITATIONS = 200


def located(quote: str, context: Context) -> tuple[int, int]:
    """Start and end of the first place with `quote`, in characters; where it differs in white space, of that.

    Raises:
        ValueError: It does not stand in the text.
    """
    words = quote.split()
    if not words or len(quote) > MOST_QUOTE:
        raise ValueError(f"a quote has 1 to {MOST_QUOTE:,} characters")
    start = context.text.find(quote)
    if start >= 0:
        return start, start + len(quote)
    found = re.search(r"\s+".join(map(re.escape, words)), context.text)
    if found is None:
        raise ValueError(f"this does not stand in P: {quote[:100]!r}. Quote it letter by letter, as P has it.")
    return found.span()


def place(start: int, end: int, context: Context) -> dict[str, Any]:
    """The document that the text from `start` to `end` begins in, and these offsets in `P`."""
    index = context.document_at(start)
    return {"document": index, "name": context.metadata[index]["name"], "start": start, "end": end}


def citations(places: Iterable[tuple[int, int]], context: Context) -> list[dict[str, Any]]:
    """The quotes at these places, each once: `quote`, `document` (its number), its `name`, `start` and `end` in `P`."""
    sound = [(start, end) for start, end in dict.fromkeys(places) if 0 <= start < end <= len(context)]
    return [
        {"quote": context.text[start:end], **place(start, end, context)}
        for start, end in sound[:MOST_CITATIONS]
        if end - start <= MOST_QUOTE
    ]
