"""Places in the text, as `grep` of the REPL tells them: what the host searches and cuts for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langgraph_rlm.context import Context

MOST_PLACES = 10_000
MOST_AROUND, MOST_MATCH = 2_000, 1_000
"""Characters on either side of a match, and of the match."""


def found(needle: str, around: int, most: int, context: Context) -> dict[str, Any]:
    """How often a text stands there, in `total`, and the `hits`: the first places, at most so many."""
    starts = context.find_all(needle, min(max(most, 0), MOST_PLACES))
    spans = [(start, start + len(needle)) for start in starts]
    return {"total": context.text.count(needle), "hits": places(spans, around, context)}


def piece(at: int, size: int, behind: int, ahead: int, context: Context) -> list[Any] | None:
    """The piece from `at` on, to the end of a line where there is one, with what stands around it; None at the end.

    With it where what is given begins, and where the next piece does.
    """
    text = context.text
    if not 0 <= at < len(text):
        return None
    end = min(at + size, len(text))
    end = (text.rfind("\n", at, end) + 1 or end) if end < len(text) else end
    begin = max(0, at - behind)
    return [text[begin : end + ahead], begin, end]


def places(spans: Sequence[tuple[int, int]], around: int, context: Context) -> list[dict[str, Any]]:
    """What there is to say of these places, in their order: the document, the line in it, and the text around."""
    told, document, offset, line = list[dict[str, Any]](), -1, 0, 1
    for start, end in sorted(spans)[:MOST_PLACES]:
        about = context.document_at(start)
        within = context.metadata[about]
        if about != document:
            document, offset, line = about, within["start"], 1
        line, offset = line + context.text.count("\n", offset, start), start
        shown, room = min(end, start + MOST_MATCH), min(max(around, 0), MOST_AROUND)
        first, last = max(within["start"], start - room), max(shown, min(within["end"], shown + room))
        told.append(
            {
                "name": within["name"],
                "document": about,
                "line": line,
                "offset": start,
                "match": context.text[start:shown],
                "text": context.text[first:last],
            }
        )
    return told
