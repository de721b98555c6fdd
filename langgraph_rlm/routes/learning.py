"""What earlier runs teach `auto`: whether one call should answer longer texts than it does now, or only shorter ones.

The threshold moves by doublings and halvings, `MOST_MOVES` of them at most. After each move the evidence starts over:
each outcome says which threshold was in force when its run began, and only those of the present one speak for the next
move. So a move back takes as many runs as the move did, and no single run turns the threshold round.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from langgraph_rlm.routes.routing import CHARACTERS_PER_TOKEN, Reach

MOST_MOVES = 2
"""From a quarter of what is set to four times of it."""
EVIDENCE = 5
"""Runs that a move takes, of one route and of about the size that it is about."""


@dataclass(frozen=True)
class Outcome:
    """How a question ended: its size in characters, what it took, and whether the answer was accepted."""

    route: str
    characters: int
    tokens: int
    seconds: float
    accepted: bool
    begun: float
    """In seconds since 1970: outcomes count in this order."""
    moved: int | None
    """The threshold in force, as `Reach.moved`; None where the profile was not `auto`, which asks for none."""


def learned_moves(outcomes: Iterable[Outcome], reach: Reach) -> int:
    """What `moved` is to be for the next run, by what came of those before.

    With T the threshold in force, it is halved where at least `EVIDENCE` direct answers to texts of T/2 … T, or of any
    size below T, were not accepted in more than half of the cases, unless the loop does no better there; or where the
    loop (by its own profile) answered such texts with fewer tokens than reading them takes, and not more slowly. It is
    doubled where the loop took more tokens for texts of T … 2T than reading 2T takes, and not less time than direct
    answers; or was not accepted in more than half of the cases. But not where direct answers to texts of up to 2T have
    failed before.
    """
    ordered = sorted(outcomes, key=lambda outcome: outcome.begun)
    now = next((outcome.moved for outcome in reversed(ordered) if outcome.moved is not None), 0)
    since = list[Outcome]()
    for outcome in reversed(ordered):
        if outcome.moved not in (None, now):
            break
        since.append(outcome)
    threshold = reach.unmoved * 2.0**now
    if now > -MOST_MOVES and _is_too_high(threshold, since, ordered):
        return now - 1
    if now < MOST_MOVES and threshold < reach.most and _is_too_low(threshold, since, ordered):
        return now + 1
    return now


def _is_too_high(threshold: float, since: list[Outcome], all_kept: list[Outcome]) -> bool:
    low = threshold / 2
    if _is_refused(_of("rlm", all_kept, low, threshold)):
        return False
    loops = [loop for loop in _of("rlm", since, low, threshold) if loop.tokens]
    cost = _Cost.of(loops, all_kept)
    is_cheaper = cost.tokens < low / CHARACTERS_PER_TOKEN and not cost.is_slower
    return _direct_fails(since, threshold) or (len(loops) >= EVIDENCE and is_cheaper)


def _is_too_low(threshold: float, since: list[Outcome], all_kept: list[Outcome]) -> bool:
    high = threshold * 2
    if _direct_fails(all_kept, high):
        return False
    loops = _of("rlm", since, threshold, high)
    cost = _Cost.of(loops, all_kept)
    is_dearer = cost.tokens > high / CHARACTERS_PER_TOKEN and not cost.is_faster
    return _is_refused(loops) or (len(loops) >= EVIDENCE and is_dearer)


def _direct_fails(outcomes: Sequence[Outcome], below: float) -> bool:
    return any(_is_refused(_of("direct", outcomes, low, below)) for low in (below / 2, 0))


def _of(route: str, outcomes: Iterable[Outcome], low: float, high: float) -> list[Outcome]:
    return [outcome for outcome in outcomes if outcome.route == route and low <= outcome.characters < high]


def _is_refused(outcomes: Sequence[Outcome]) -> bool:
    """Whether there is evidence that answers are not accepted, in more than half of the cases."""
    return len(outcomes) >= EVIDENCE and sum(outcome.accepted for outcome in outcomes) * 2 < len(outcomes)


@dataclass(frozen=True)
class _Cost:
    """What a loop typically takes, and whether it is slower, or faster, than direct answers are."""

    tokens: float
    is_slower: bool = False
    is_faster: bool = False

    @classmethod
    def of(cls, loops: Sequence[Outcome], others: Iterable[Outcome]) -> _Cost:
        direct = [outcome.seconds for outcome in others if outcome.route == "direct"]
        if not loops or not direct:
            return cls(median(loop.tokens for loop in loops) if loops else 0)
        seconds, usual = median(loop.seconds for loop in loops), median(direct)
        return cls(median(loop.tokens for loop in loops), seconds > usual, seconds < usual)
