"""Citations: where a quote stands in the text. What code says of it is not believed: the text is looked at."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from langgraph_rlm.context import Context

MOST_QUOTE = 10_000
"""Characters of a quote."""
MOST_CITATIONS = 200
"""Of one question."""
MOST_COMPARED, MOST_SPACE = 100_000, 200
"""Words that are looked at to find a quote whose white space differs, and characters of white space between two."""

_SPACE, _SPACE_BEFORE = re.compile(r"\s{1,200}"), re.compile(r"\s{1,200}\Z")


def locate(quote: str, context: Context) -> tuple[int, int]:
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
    if found := _loosely(words, context.text):
        return found
    raise ValueError(f"this does not stand in P: {quote[:100]!r}. Quote it letter by letter, as P has it.")


def _loosely(words: list[str], text: str) -> tuple[int, int] | None:
    """Where these words follow each other, with any white space between them. Gives up where that takes too long."""
    rarest = max(range(len(words)), key=lambda index: len(words[index]))
    at, left = text.find(words[rarest]), MOST_COMPARED
    while at >= 0 and left > 0:
        start, end = at, at + len(words[rarest])
        for word in reversed(words[:rarest]):
            left -= 1
            before = _SPACE_BEFORE.search(text, max(0, start - MOST_SPACE), start)
            start = before.start() - len(word) if before else -1
            if start < 0 or not text.startswith(word, start):
                break
        else:
            for word in words[rarest + 1 :]:
                left -= 1
                after = _SPACE.match(text, end)
                if not after or not text.startswith(word, after.end()):
                    break
                end = after.end() + len(word)
            else:
                return start, end
        left -= 1
        at = text.find(words[rarest], at + 1)
    return None


def place(start: int, end: int, context: Context) -> dict[str, Any]:
    """The document that the text from `start` to `end` begins in, and these offsets in `P`."""
    index = context.document_at(start)
    name, line = context.metadata[index]["name"], context.line_at(start)
    return {"document": index, "name": name, "line": line, "start": start, "end": end}


def citations(places: Iterable[tuple[int, int]], context: Context) -> list[dict[str, Any]]:
    """The quotes at these places, each once: `quote`, `document` (its number), its `name`, `start` and `end` in `P`."""
    sound = [(start, end) for start, end in dict.fromkeys(places) if 0 <= start < end <= len(context)]
    return [
        {"quote": context.text[start:end], **place(start, end, context)}
        for start, end in sound[:MOST_CITATIONS]
        if end - start <= MOST_QUOTE
    ]
