"""What a suspended cell asks for: the requests of its call, those it is likely to come to, which go out together."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from langgraph.types import Send

from langgraph_rlm.asking.ledger import SUBCALLS, TOOL_CALLS, limit_of
from langgraph_rlm.asking.requests import Answer, Call, Request
from langgraph_rlm.asking.underway import Underway, Wave
from langgraph_rlm.effects import Steps, Work
from langgraph_rlm.errors import LimitExceeded
from langgraph_rlm.nodes.ending import at_limit
from langgraph_rlm.repl.interpreter import Interpreter
from langgraph_rlm.repl.lookahead import Taken
from langgraph_rlm.repl.python.answers import NOT_ASKED, is_valid
from langgraph_rlm.running.level import Level
from langgraph_rlm.running.run import Run
from langgraph_rlm.state import SubcallInput, next_pending

FIRST_WAVE = 4
"""Prompts that are asked at once where one valid answer is enough, and one more for each that was answered in vain."""
SHARE = 0.5
"""Share of a wave that has to be answered before the next begins, where there are more prompts than fit one."""
NOT_NEEDED = Answer(error="not needed: there is an answer")
LEFT_OUT = Answer(error=NOT_ASKED)


@dataclass(frozen=True)
class Asked:
    """The requests of a call, as the state has them, those asked ahead with it, and the answers so far, by index."""

    pending: Sequence[Mapping[str, Any]]
    answers: Mapping[int, Answer]

    def requests(self, indices: Iterable[int]) -> list[Request]:
        return [Request.of(self.pending[index]) for index in indices]

    @cached_property
    def missing(self) -> list[int]:
        """Those of the call that have no answer."""
        return [i for i, asked in enumerate(self.pending) if i not in self.answers and not asked.get("ahead")]

    @cached_property
    def ahead(self) -> dict[int, Request]:
        """Those that are asked ahead and have no answer."""
        ahead = [i for i, asked in enumerate(self.pending) if i not in self.answers and asked.get("ahead")]
        return dict(zip(ahead, self.requests(ahead), strict=True))

    @property
    def is_first(self) -> bool:
        """Whether one valid answer is enough."""
        return bool(self.pending) and bool(self.pending[0].get("first"))

    @property
    def is_settled(self) -> bool:
        """Whether the code can go on."""
        return not self.missing or (self.is_first and any(is_valid(a.value or "") for a in self.answers.values()))

    @property
    def given(self) -> list[Answer]:
        """What the code is given, once it can go on."""
        return [self.answers.get(i, NOT_NEEDED) for i, asked in enumerate(self.pending) if not asked.get("ahead")]


def reserved(level: Level, call: Call, missing: Sequence[Request], run: Run) -> Sequence[Request] | str:
    """Those of the `missing` requests of a call that may be asked, reserved now, or why the call may not be asked.

    All or none; where one valid answer is enough, as many as are left.
    """
    if not level.offer.has(call):
        return "sub-calls are not available here: answer with Python alone"
    ledger = run.ledger
    try:
        ledger.check()
        if call.first and (some := ledger.reserve_some(missing)):
            return some
        ledger.reserve(missing)
    except LimitExceeded as reached:
        at_limit(level, reached)
        count = len(call.requests)
        if reached.limit == SUBCALLS:
            return (
                f"{count} sub-calls do not fit: {ledger.left(SUBCALLS)} of {reached.allowed:g} are left. Ask fewer, "
                "about larger pieces."
            )
        if reached.limit == TOOL_CALLS:
            return f"{count} calls of tools do not fit: {ledger.left(TOOL_CALLS)} of {reached.allowed:g} are left."
        return str(reached)
    return missing


def asking(
    level: Level, before: Asked, call: Call, taken: Taken, granted: int, repl: Interpreter, run: Run
) -> Steps[tuple[list[Any], Asked]]:
    """The requests that wait from now on, as the state stores them and as they are; those of `before` that were asked
    ahead, and that the code has not come to, among them."""
    repl.took(taken.found)
    left_out = taken.missing_of(call)[granted:]
    repl.left_out(left_out, LEFT_OUT)
    needed = Counter(call.keys[index] for index in taken.flying)
    carried = dict[int, str]()
    for index, request in before.ahead.items():
        if needed[request.key]:
            needed[request.key] -= 1
        else:
            carried[index] = request.key
    room = run.wave - len(call.requests) - len(carried)
    guesses: list[Request] = []
    if level.lookahead and not run.pauses and not call.first and room > 0:
        guesses = yield Work(partial(_ahead, call, room, repl, run))
    if carried or guesses:
        repl.asks_ahead([*carried.values(), *(guess.key for guess in guesses)])

    first = {"first": True} if call.first else {}
    own = [{**request.stored, **first} for request in call.requests]
    guessed = [{**guess.stored, "ahead": True} for guess in guesses]
    answers = {index: answer for index, (_, answer) in taken.found.items()} | dict.fromkeys(left_out, LEFT_OUT)
    stored = [*own, *carried, *guessed]
    return stored, Asked(next_pending(before.pending, [stored]), answers)


def _ahead(call: Call, room: int, repl: Interpreter, run: Run) -> list[Request]:
    """What is asked ahead, together with a call: from half of what is left of each limit, and of what tokens allow."""
    ledger, wanted = run.ledger, repl.guesses.wanted * len(call.requests) - repl.guesses.outstanding
    share = {
        SUBCALLS: min(ledger.left(SUBCALLS) // 2, ledger.calls_left - len(call.requests)),
        TOOL_CALLS: ledger.left(TOOL_CALLS) // 2,
    }
    most = int(min(wanted, room, sum(max(0, left) for left in share.values())))
    guesses: list[Request] = []
    for guess in repl.ahead(most) if most > 0 else []:
        share[limit_of(guess)] -= 1
        if share[limit_of(guess)] >= 0:
            guesses.append(guess)
    try:
        ledger.reserve(guesses)
    except LimitExceeded:  # others have asked meanwhile
        return []
    return guesses


def wave(level: Level, run: Run, underway: Underway, asked: Asked, missing: Sequence[int]) -> list[Send]:
    """Sends the next of the requests that are `missing`, and where all fit, those that are asked ahead.

    There are no more than what can be begun at once, so that the answer of a finished prompt is stored before another
    one begins.
    """
    width = run.wave
    if asked.is_first:
        width = min(width, FIRST_WAVE + sum(answer != LEFT_OUT for answer in asked.answers.values()))
    sent = missing[:width]
    ahead = list(asked.ahead)[: run.wave - len(sent)] if len(sent) == len(missing) else []
    rolls = len(sent) < len(missing) and not (level.pauses or run.pauses)
    underway.wave = None
    if rolls or ahead or asked.is_first:
        needed = math.ceil(SHARE * len(sent)) if rolls else len(sent)
        underway.wave = Wave(needed, partial=rolls or asked.is_first, first=asked.is_first)
    return [Send(level.subcall_node, SubcallInput(index=index)) for index in [*sent, *ahead]]
