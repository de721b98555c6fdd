"""What a suspended cell waits for: the requests of its call, and with them those that it is likely to come to."""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from langgraph.types import Send

from langgraph_rlm.asking.in_flight import InFlightCall, InFlightCalls
from langgraph_rlm.asking.ledger import SUBCALLS, TOOL_CALLS, limit_of
from langgraph_rlm.asking.requests import Answer, Call, Request
from langgraph_rlm.errors import LimitExceeded
from langgraph_rlm.nodes.ending import limit_reached
from langgraph_rlm.repl.interpreter import Interpreter
from langgraph_rlm.repl.lookahead import Prefetched
from langgraph_rlm.repl.python.answers import NOT_ASKED, is_valid
from langgraph_rlm.running.run import Run
from langgraph_rlm.running.spec import RLMSpec
from langgraph_rlm.state import SubcallInput, next_pending

FIRST_PROMPTS = 4
"""Prompts that are asked at once where one valid answer is enough, and one more for each that was answered in vain."""
NOT_NEEDED = Answer(error="not needed: there is an answer")
LEFT_OUT = Answer(error=NOT_ASKED)


@dataclass(frozen=True)
class PendingCall:
    """The requests of a call, as the state has them, those asked ahead with it, and the answers so far, by index."""

    pending: Sequence[Mapping[str, Any]]
    answers: Mapping[int, Answer]
    known: dict[int, Request] = field(default_factory=dict)
    """Those that somebody has read."""

    def request(self, index: int) -> Request:
        if index not in self.known:
            self.known[index] = Request.of(self.pending[index])
        return self.known[index]

    def requests(self, indices: Iterable[int]) -> list[Request]:
        return [self.request(index) for index in indices]

    @cached_property
    def missing(self) -> list[int]:
        """Those of the call that have no answer."""
        return [i for i, stored in enumerate(self.pending) if i not in self.answers and not stored.get("ahead")]

    @property
    def to_ask(self) -> Sequence[int]:
        """Those of them that are to be asked at once."""
        if not self.is_first:
            return self.missing
        in_vain = sum(answer != LEFT_OUT for answer in self.answers.values())
        return self.missing[: FIRST_PROMPTS + in_vain]

    @cached_property
    def ahead(self) -> dict[int, Request]:
        """Those that are asked ahead and have no answer."""
        ahead = [i for i, stored in enumerate(self.pending) if i not in self.answers and stored.get("ahead")]
        return dict(zip(ahead, self.requests(ahead), strict=True))

    def name(self, index: int, position: str) -> str:
        """What a request is known by that is pending there, in this run and in one that goes on with it."""
        return str(self.pending[index].get("id") or f"{position} {index}")

    def in_flight(self, index: int, position: str) -> InFlightCall:
        """A request as it goes in flight."""
        stored = self.pending[index]
        is_ahead = bool(stored.get("ahead"))
        return InFlightCall(self.name(index, position), self.request(index), index, is_ahead)

    @property
    def is_first(self) -> bool:
        """Whether one valid answer is enough."""
        return bool(self.pending) and bool(self.pending[0].get("first"))

    @property
    def is_alone(self) -> bool:
        """Whether a single one is to be asked, and none ahead of the code."""
        return len(self.missing) == 1 and not self.ahead

    @property
    def is_settled(self) -> bool:
        """Whether the code can go on."""
        return not self.missing or (self.is_first and any(is_valid(a.value or "") for a in self.answers.values()))

    @property
    def result(self) -> list[Answer]:
        """The answers that the code goes on with, once it can."""
        return [self.answers.get(i, NOT_NEEDED) for i, stored in enumerate(self.pending) if not stored.get("ahead")]


@dataclass(frozen=True)
class Refused:
    """A call that may not be asked, with the reason for the model."""

    reason: str


def try_reserve(spec: RLMSpec, call: Call, prefetched: Prefetched, run: Run) -> Sequence[Request] | Refused:
    """Takes places for the requests of a call, for all or for none: those that are to be asked now.

    What was asked ahead takes its place here too. Where one valid answer is enough, as many are asked as are left.
    """
    if not spec.capabilities.can_answer(call):
        return Refused("sub-calls are not available here: answer with Python alone")
    ledger, claimed = run.ledger, prefetched.claimed_of(call)
    missing = [call.requests[index] for index in prefetched.missing_of(call)]
    try:
        ledger.check()
        if call.first:
            ledger.reserve(claimed)
            if (some := ledger.reserve_some(missing)) or claimed:
                return some
        ledger.reserve([*claimed, *missing])
    except LimitExceeded as reached:
        limit_reached(spec, reached)
        count = len(claimed) + len(missing)
        if reached.limit == SUBCALLS:
            return Refused(
                f"{count} sub-calls do not fit: {ledger.left(SUBCALLS)} of {reached.allowed:g} are left. Ask fewer, "
                "about larger pieces."
            )
        if reached.limit == TOOL_CALLS:
            return Refused(
                f"{count} calls of tools do not fit: {ledger.left(TOOL_CALLS)} of {reached.allowed:g} are left."
            )
        return Refused(str(reached))
    return missing


def next_pending_call(
    now: PendingCall, call: Call, prefetched: Prefetched, reserved_count: int, guesses: Sequence[Request]
) -> tuple[list[Any], PendingCall]:
    """What is pending from now on, as the state stores it and as it is.

    The requests of the call, of which the first `reserved_count` that were not prefetched are asked; those of `now`
    that were asked ahead and that the code has not come to; and the `guesses`, to be asked ahead.
    """
    first, claimed = {"first": True} if call.first else {}, _claimed_ahead(now, call, prefetched)
    ids = {index: {"id": now.pending[place].get("id")} for index, place in claimed.items()}
    own = [{**request.stored, **first, **ids.get(index, {})} for index, request in enumerate(call.requests)]
    ahead = [{**guess.stored, "ahead": True, "id": uuid.uuid4().hex} for guess in guesses]
    answers = {index: answer for index, (_, answer) in prefetched.answers.items()}
    answers |= dict.fromkeys(left_out(call, prefetched, reserved_count), LEFT_OUT)
    still = {index: request for index, request in now.ahead.items() if index not in claimed.values()}
    stored, known = [*own, *still, *ahead], dict(enumerate([*call.requests, *still.values(), *guesses]))
    return stored, PendingCall(next_pending(now.pending, [stored]), answers, known)


def left_out(call: Call, prefetched: Prefetched, reserved_count: int) -> list[int]:
    """Those of a call, by index, for which no place is left."""
    return prefetched.missing_of(call)[reserved_count:]


def _claimed_ahead(now: PendingCall, call: Call, prefetched: Prefetched) -> dict[int, int]:
    """Which of what is asked ahead the call has claimed, by its place in the call: the index that it has now."""
    places: dict[str, deque[int]] = {}
    for index, request in now.ahead.items():
        places.setdefault(request.key, deque()).append(index)
    return {index: places[call.keys[index]].popleft() for index in prefetched.in_flight}


def guess_ahead(call: Call, repl: Interpreter, run: Run) -> list[Request]:
    """What is asked ahead, together with a call: from half of what is left of each limit, and of what tokens allow."""
    ledger = run.ledger
    budget = {
        SUBCALLS: min(ledger.left_ahead(SUBCALLS) // 2, ledger.calls_left - len(call.requests)),
        TOOL_CALLS: ledger.left_ahead(TOOL_CALLS) // 2,
    }
    most = int(min(repl.lookahead.wanted(call), sum(max(0, left) for left in budget.values())))
    guesses: list[Request] = []
    for guess in repl.requests_ahead(most) if most > 0 else []:
        budget[limit_of(guess)] -= 1
        if budget[limit_of(guess)] >= 0:
            guesses.append(guess)
    return guesses


def to_subcalls(
    spec: RLMSpec, run: Run, in_flight: InFlightCalls, call: PendingCall, position: str, asked: Sequence[int]
) -> str | list[Send]:
    """Where the graph goes to have these asked, and what is asked ahead with them: to one task that waits for what is
    in flight, or to one for each. `position` names the call of the code.

    Those are no more than what can be begun at once, so that the answer of each is stored when it has ended.
    """
    others = [index for index in asked if call.name(index, position) not in in_flight.alone]
    plain = all(map(spec.is_plain, call.requests([*asked, *call.ahead])))
    if plain and not run.interrupts and (others or in_flight.calls):
        return spec.subcall_node
    needed = asked[: run.tasks_at_once]
    ahead = list(call.ahead)[: run.tasks_at_once - len(needed)] if len(needed) == len(asked) else []
    ahead = [index for index in ahead if call.name(index, position) not in in_flight.alone]
    in_flight.lasting_tasks = len(needed) + sum(not spec.is_plain(request) for request in call.requests(ahead))
    return [Send(spec.subcall_node, SubcallInput(index=index)) for index in [*needed, *ahead]]
