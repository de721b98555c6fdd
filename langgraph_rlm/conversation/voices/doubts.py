"""What a small model gives for an answer that cannot be one, and what it is told then."""

from __future__ import annotations

import re

from langgraph_rlm.context import Context
from langgraph_rlm.conversation import prompts
from langgraph_rlm.conversation.briefing import Asked
from langgraph_rlm.conversation.preview import evidence
from langgraph_rlm.conversation.preview.amounts import is_computed_from
from langgraph_rlm.conversation.ran import is_message
from langgraph_rlm.repl.python.answers import declines

EMPTY = "`Final` is empty. Print what your code has found, then set `Final` to the answer; or to this once more."
NOT_FOUND = "`Final` is -1, which is what `find` gives where there is nothing. Print some lines of `P`, and compare."
OF_QUESTION = "`Final` is a piece of the question, and no answer to it. Search `P` for what is asked."
NO_HITS = "`Final` is 0: nothing was as your code looks for it. Print one of what it counts, and compare."
LEFT_OUT = "Your code leaves out {}. Count only what has that as well."

_CHOICE = re.compile(r"\b(?:or|oder|ou|o|either|whether|if|and|which of|options?)\b|[,/:|;]")
"""What stands in a question beside the answers that it names."""
_SAID = ("yes", "no", "true", "false", "none", "unknown")
LEAST_PIECE = 3
"""Characters of an answer that may be a piece of the question by no chance."""


def doubt_of(answer: object, asked: Asked, context: Context) -> str | None:
    """What is said of an answer, once: of what is empty or found nowhere, a piece of the question, an amount of nothing
    or of more than was asked for."""
    said, question = answer.strip() if isinstance(answer, str) else answer, asked.question.casefold()
    if said in ("", [], {}) or (isinstance(said, str) and is_message(said, (code for code, _ in asked.ran))):
        return EMPTY
    if said == -1 and asked.ran and ".find(" in asked.ran[-1][0]:
        return NOT_FOUND
    if type(said) in (int, float) and not said:
        return NO_HITS
    if isinstance(said, str) and declines(said):  # a plain question that the model has put again
        return prompts.NOT_TOLD
    if isinstance(said, str) and _is_piece_of(question, said.casefold()):
        return OF_QUESTION
    missing = _left_out(asked, context)
    return LEFT_OUT.format(" nor ".join(map(repr, missing))) if missing else None


def may_be_told_by_lines(doubt: str) -> bool:
    """Whether some line of the text may have the answer instead: none has an amount over all of it."""
    return not doubt.startswith((NO_HITS, LEFT_OUT.partition("{")[0]))


def _is_piece_of(question: str, said: str) -> bool:
    """Whether an answer is but a piece of the question: of one that names none to choose from."""
    if len(said) < LEAST_PIECE or said in _SAID or _CHOICE.search(re.sub(r"(['\"`]).*?\1", "", question)):
        return False
    return re.search(rf"(?<!\w){re.escape(said)}(?!\w)", question) is not None


def _left_out(asked: Asked, context: Context) -> list[str]:
    """The names in a question for an amount that the text has, and no code."""
    codes = "\n".join(code for code, _ in asked.ran).casefold()
    named = [name for name in evidence.names_in(asked.question) if name.casefold() not in codes]
    missing = [name for name in named if name in context.text]
    return missing if missing and is_computed_from(asked.question, context.text) else []
