"""What the model is shown of sub-answers that its code prints: the beginning of long ones.

Whatever stands in the history is sent again with each turn to come. The answer itself is in a variable of the code,
from which it can print any part, so nothing is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import takewhile

from langgraph_rlm.repl.journal import Event

LONG = 1_000
"""Characters of a sub-answer that are shown as they are printed."""
SHOWN = 400
"""Characters that are shown of a longer one."""


def long_answers(journal: Sequence[Event]) -> list[str]:
    """The sub-answers that are too long to be shown whole."""
    return [
        event[2] for event in journal if event[0] == "answer" and isinstance(event[2], str) and len(event[2]) > LONG
    ]


def condensed(output: str, answers: Iterable[str]) -> str:
    """A cell's output, with long sub-answers cut to their beginning, printed as they are or in a list."""
    for answer in answers:
        for form in dict.fromkeys((answer, repr(answer)[1:-1])):
            at = output.find(form[:LONG])
            while at >= 0:
                same = takewhile(lambda pair: pair[0] == pair[1], zip(output[at:], form, strict=False))
                shown, end = at + SHOWN, at + sum(1 for _ in same)
                left_out = f" … [{end - shown:,} more characters of this answer: your variables have them]"
                output = output[:shown] + left_out + output[end:]
                at = output.find(form[:LONG], shown)
    return output
