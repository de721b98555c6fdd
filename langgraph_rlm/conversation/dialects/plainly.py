"""What a model says to a plain question: an answer, in words."""

from __future__ import annotations

import re

from langgraph_rlm.conversation.dialects.fences import blocks_of
from langgraph_rlm.conversation.dialects.prose import does_something, names_repl
from langgraph_rlm.conversation.dialects.replies import with_equal_lines
from langgraph_rlm.conversation.literals import sets_answer
from langgraph_rlm.repl.python.answers import is_valid
from langgraph_rlm.repl.syntax import read

_LABEL = re.compile(r"\**(?:FINAL|(?:The )?(?:final )?answer)(?: is)?\**\s*:\**\s*", re.I)
_WRAPPED = re.compile(r"(\*\*|[*`'\"])(?!\1)(.+)\1")
MOST_WRAPS = 4


def said_plainly(reply: str) -> str | None:
    """The answer of a reply, without what it is wrapped in; None where it has none, or code for the REPL."""
    text = with_equal_lines(reply).strip()
    blocks = blocks_of(text)
    if any(block.language == "repl" or _is_for_repl(block.code) for block in blocks) or _is_for_repl(text):
        return None
    if blocks and (blocks[0].start, blocks[0].end) == (0, len(text)):
        text = blocks[0].code.strip()
    if label := _LABEL.match(text):
        text = text[label.end() :]
    for _ in range(MOST_WRAPS):
        wrapped = _WRAPPED.fullmatch(text)
        if wrapped is None or wrapped[1] in wrapped[2]:
            break
        text = wrapped[2].strip()
    return text if is_valid(text) else None


def _is_for_repl(code: str) -> bool:
    """Whether code is meant to run: it ends a run, or does something with the text, or prints."""
    return sets_answer(code) or (does_something(code) and (names_repl(code) or "print" in read(code).used))
