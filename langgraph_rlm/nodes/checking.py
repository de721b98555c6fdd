"""Where an answer goes that is to be checked: a task for each check."""

from __future__ import annotations

from langgraph.types import Send
from typing_extensions import TypedDict

MOST_CHECKED = 5
"""Citations that are checked one by one."""


class CheckInput(TypedDict):
    """Which citation is to be checked: the argument of a `Send`. None: all of them together."""

    citation: int | None


def to_check(cited: int) -> list[Send] | str:
    """Where an answer with so many citations goes."""
    one_by_one: list[int | None] = [*range(min(cited, MOST_CHECKED))]
    return [Send("check", CheckInput(citation=which)) for which in [*one_by_one, None]] if cited else "verify"
