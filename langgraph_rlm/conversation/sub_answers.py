"""What the model is shown of sub-answers that its code prints: the beginning of long ones.

Whatever stands in the history is sent again with each turn to come. The answer itself is in a variable of the code,
from which it can print any part, so nothing is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from typing import Any

from langgraph_rlm.repl.journal import Event

LONG = 1_000
"""Characters of a sub-answer that are shown as they are printed."""
SHOWN = 400
"""Characters that are shown of a longer one."""


def long_answers(journal: Sequence[Event]) -> list[str]:
    """The texts in answers of models that are too long to be shown whole.

    Not those in what tools give: to have that again the code may have to call them again.
    """
    given = [event[2] for event in journal if event[0] == "answer" and event[4:] != ["tool"]]
    return [text for text in _texts(given) if len(text) > LONG]


def _texts(value: Any) -> Iterator[str]:
    """The texts in plain data."""
    match value:
        case str():
            yield value
        case list():
            for item in value:
                yield from _texts(item)
        case dict():
            yield from _texts([*value.values()])


def condense(output: str, answers: Iterable[str]) -> str:
    """A cell's output, with long sub-answers cut to their beginning, printed as they are or in a list."""
    alike: dict[str, list[str]] = {}
    for answer in dict.fromkeys(answers):
        for form in dict.fromkeys((answer, repr(answer)[1:-1])):
            alike.setdefault(form[:LONG], []).append(form)
    for beginning, forms in alike.items():
        at = output.find(beginning)
        while at >= 0:
            shown, end = at + SHOWN, at + max(_same(output[at:], form) for form in forms)
            left_out = f" … [{end - shown:,} more characters of this answer: your variables have them]"
            output = output[:shown] + left_out + output[end:]
            at = output.find(beginning, shown)
    return output


def _same(left: str, right: str) -> int:
    """How many characters they have in common from their beginning."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False)))
