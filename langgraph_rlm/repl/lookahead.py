"""Running ahead: what a suspended cell will ask next, found out by a fork of it that goes on without the answers.

The fork gets a placeholder for each answer that is not known, and is asked for nothing but its prompts: what it prints,
computes or raises is nobody's. It may guess wrong, where the code branches on an answer, and then costs a call of a
model; what the real cell does is never touched. It ends where a prompt is made of a placeholder, where the code ends or
fails, or after a bounded time. Code that fails since it converts the placeholder is followed with examples of answers.
(Blocking sub-calls are the first weakness that the paper names, arXiv 2512.24601.)
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count, takewhile
from typing import Any

from pydantic_monty import FunctionSnapshot, FutureSnapshot, MontyComplete, MontyError, MontySession, NameLookupSnapshot

from langgraph_rlm.asking.requests import TOOL, Answer, Call, Request
from langgraph_rlm.repl import host
from langgraph_rlm.repl.capabilities import Capabilities
from langgraph_rlm.repl.session import is_lost
from langgraph_rlm.repl.workers import Workers

Place = tuple[int, int]
"""The place of a call in the journal, and which of the prompts asked with it."""
PlacedAnswer = tuple[Place, Answer]
AnswersByKey = dict[str, deque[PlacedAnswer]]

SECONDS = 0.5
"""How long a look ahead may take, with all of its forks."""
MARK = "\ue000"
"""Begins a placeholder, which has characters of its kind alone: any piece of it tells that it is one."""
LENGTH = 12
EXAMPLES = ("3", "8")
"""Answers that can be converted to much: to a number, from JSON, by a pattern of digits. With two of them it shows what
is made of an answer."""
FIRST_WINDOW = 3
"""Prompts that are asked ahead when nothing is known of how well guesses hold; 1 after some that did not. As many as
the code's call asks are in any case: a loop of batches is guessed batch by batch."""
MOST_WINDOW = 64
MOST_WASTE = 8
"""Prompts that a cell may have asked ahead in vain, and one more for each four that held."""


@dataclass(frozen=True)
class Prefetched:
    """Of the prompts of a call, by their index: the answers that are there, and which prompts are asked already."""

    answers: dict[int, PlacedAnswer] = field(default_factory=dict)
    kept: Collection[int] = ()
    """Which of these answers are those of dropped cells; the others were asked ahead."""
    in_flight: list[int] = field(default_factory=list)
    drops_rest: bool = False
    """Whether the code has gone elsewhere, so that what else was asked ahead is dropped."""

    def missing_of(self, call: Call) -> list[int]:
        """The other prompts."""
        return [i for i in range(len(call.requests)) if i not in self.answers and i not in self.in_flight]

    def claimed_of(self, call: Call) -> list[Request]:
        """Those that were asked ahead."""
        return [call.requests[i] for i in [*self.answers, *self.in_flight] if i not in self.kept]


@dataclass(frozen=True)
class Claimed:
    """A request that the code has come to and whose answer was there. `is_kept`: that of a dropped cell."""

    request: Request
    answer: Answer
    is_kept: bool


@dataclass
class Lookahead:
    """What was asked ahead for a cell, and how well guesses have held so far, in prompts.

    `answered` has what the code has not come to yet by the key of the prompt, in the order in which it was guessed;
    `in_flight` counts the prompts that are asked now, by their keys. `kept` has answers of dropped cells: the code gets
    these first.
    """

    kept: AnswersByKey = field(default_factory=dict)
    answered: AnswersByKey = field(default_factory=dict)
    in_flight: Counter[str] = field(default_factory=Counter)
    window: int = FIRST_WINDOW
    held: int = 0
    wasted: int = 0
    takes_examples: bool | None = None
    """Whether forks get further with examples of answers than with placeholders; None while nobody knows."""

    def claim(self, call: Call, has_side_effects: bool) -> Prefetched:
        """What there is for a call before it is asked. Guesses that did not hold are dropped.

        So are all where the call has side effects, and a tool was called ahead: it may say something else afterwards.
        """
        kept = {index: answers.popleft() for index, key in enumerate(call.keys) if (answers := self.kept.get(key))}
        guessed = self._claim_guesses(call, kept, has_side_effects)
        return replace(guessed, answers=kept | guessed.answers, kept=kept.keys())

    def _claim_guesses(self, call: Call, kept: Collection[int], has_side_effects: bool) -> Prefetched:
        """What was asked ahead of a call, but for the prompts whose answers are `kept`."""
        unclaimed, prefetched = self.unclaimed, Prefetched()
        answered = [key for key, answers in self.answered.items() if answers]
        if has_side_effects and any(key.startswith(TOOL) for key in [*answered, *+self.in_flight]):
            return self._drop(unclaimed)
        wanted = {index: key for index, key in enumerate(call.keys) if index not in kept}
        for index, key in wanted.items():
            if answers := self.answered.get(key):
                prefetched.answers[index] = answers.popleft()
            elif self.in_flight[key]:
                self.in_flight[key] -= 1
                prefetched.in_flight.append(index)
        held = len(prefetched.answers) + len(prefetched.in_flight)
        self.held += held
        if held == len(wanted):
            self.window = min(self.window + held, MOST_WINDOW)
        elif unclaimed and not held:
            return self._drop(unclaimed)
        return prefetched

    def put_back(self, call: Call, prefetched: Prefetched) -> None:
        """Undoes a claim of a call that was refused."""
        for index, answer in reversed(prefetched.answers.items()):
            unclaimed = self.kept if index in prefetched.kept else self.answered
            unclaimed.setdefault(call.keys[index], deque()).appendleft(answer)
        self.in_flight.update(call.keys[index] for index in prefetched.in_flight)

    def _drop(self, wasted: int) -> Prefetched:
        self.answered, self.in_flight = {}, Counter()
        self.wasted, self.window = self.wasted + wasted, 1
        return Prefetched(drops_rest=True)

    @property
    def has_any(self) -> bool:
        """Whether there may be something for a call before it is asked."""
        return bool(self.unclaimed) or any(self.kept.values())

    @property
    def unclaimed(self) -> int:
        """Prompts that were asked ahead and that the code has not come to."""
        return sum(map(len, self.answered.values())) + self.in_flight.total()

    def wanted(self, call: Call) -> int:
        """Prompts to ask ahead of the calls after this one: more with each that holds, none when too many have not."""
        if self.wasted > MOST_WASTE + self.held // 4:
            return 0
        return max(self.window, len(call.requests)) - self.unclaimed


class _Owner:
    """Whose session a fork is. It is never parked: it ends soon."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.lock.acquire()
        self.pid: int | None = None

    def park(self) -> None:
        raise AssertionError("its lock is never free")


def requests_ahead(
    dump: bytes,
    workers: Workers,
    answering: Callable[[FunctionSnapshot], host.HostResult | Call],
    capabilities: Capabilities,
    lookahead: Lookahead,
    most: int,
) -> list[Request]:
    """What the cell in `dump` will ask for after the call at which it is suspended, in order, at most `most`.

    What `lookahead` has is no news: the fork goes on with the answers, where these are there. Nothing is asked
    ahead that changes something, nor a tool called ahead while something does, nor what `capabilities` has nobody for.

    Code that converts an answer (`int(answer)`, `json.loads(answer)`) fails with a placeholder. Then two more forks go
    on with examples, and what both ask alike depends on no answer.
    """
    deadline = time.monotonic() + SECONDS

    def look(placeholder: Callable[[Request], Any]) -> Look:
        fork = _Fork(answering, capabilities, lookahead, most, placeholder)
        return fork.run(dump, workers, deadline)

    numbers, first = count(), Look()
    if not lookahead.takes_examples:
        first = look(lambda request: _placeholder(next(numbers)))
        if not first.has_failed or lookahead.takes_examples is False:
            return first.found
    one, other = (look(partial(_example, which)) for which in range(len(EXAMPLES)))
    alike = [a for a, _ in takewhile(lambda pair: pair[0] == pair[1], zip(one.found, other.found, strict=False))]
    lookahead.takes_examples = len(alike) > len(first.found)
    return max(first.found, alike, key=len)


@dataclass(frozen=True)
class Look:
    """What a fork has found, and whether the code failed in it."""

    found: list[Request] = field(default_factory=list)
    has_failed: bool = False


class _Fork:
    """One look ahead, which gets a `placeholder` for each answer that is not known."""

    def __init__(
        self,
        answering: Callable[[FunctionSnapshot], host.HostResult | Call],
        capabilities: Capabilities,
        lookahead: Lookahead,
        most: int,
        placeholder: Callable[[Request], Any],
    ) -> None:
        self._answering, self._capabilities, self._placeholder = answering, capabilities, placeholder
        self._known = {key: deque(answers) for key, answers in lookahead.kept.items()}
        for key, answers in lookahead.answered.items():
            self._known.setdefault(key, deque()).extend(answers)
        self._in_flight = lookahead.in_flight.copy()
        self._most, self._found = most, list[Request]()

    def run(self, dump: bytes, workers: Workers, deadline: float) -> Look:
        """Goes on from the suspended call. Where no worker is free, nothing is found."""
        owner = _Owner()
        session = workers.spare(owner)
        if session is None:
            return Look()
        try:
            with _bounded(session, deadline):
                self._follow(session.load_snapshot(dump, print_callback=lambda *_: None))
            return Look(self._found)
        except MontyError as failure:
            return Look(self._found, has_failed=not is_lost(session, failure))
        finally:
            workers.give_back(owner)

    def _follow(self, snapshot: Any) -> None:
        is_first, has_changed = True, False
        while len(self._found) < self._most and not isinstance(snapshot, MontyComplete | FutureSnapshot):
            if isinstance(snapshot, NameLookupSnapshot):
                snapshot = snapshot.resume()
                continue
            answer = self._answering(snapshot)
            if isinstance(answer, Call):
                fits = is_first or len(self._found) + len(answer.requests) <= self._most
                may_change = any(map(self._capabilities.has_side_effects, answer.requests))
                is_waiting = not is_first and (may_change or (has_changed and answer.requests[0].kind == "tool"))
                can_answer = self._capabilities.can_answer(answer)
                if not fits or answer.first or is_waiting or _depends(answer) or not can_answer:
                    break
                has_changed = has_changed or may_change
                answer, is_first = self._answers(answer, is_first), False
            snapshot = snapshot.resume(answer)

    def _answers(self, call: Call, is_first: bool) -> host.HostResult:
        """What the fork goes on with. What is news is found here; the call that `is_first` is asked already."""
        answers: list[Answer] = []
        for request in call.requests:
            key = request.key
            if not is_first and self._known.get(key):
                answers.append(self._known[key].popleft()[1])
                continue
            answers.append(Answer(self._placeholder(request)))
            if self._in_flight[key] and not is_first:
                self._in_flight[key] -= 1
            elif not is_first:
                self._found.append(request)
        return host.result_of(answers, call.batch)


def _depends(call: Call) -> bool:
    """Whether a request is made of an answer that is not known."""
    return any(MARK in text for request in call.requests for text in _texts(request))


def _texts(request: Request) -> Iterator[str]:
    yield request.prompt
    yield request.context or ""
    if request.schema or request.arguments:
        yield json.dumps([request.schema, request.arguments], ensure_ascii=False)


def _placeholder(number: int) -> str:
    """A str that no answer is, unlike every other one."""
    digits = "".join(chr(ord(MARK) + 1 + int(digit)) for digit in str(number))
    return MARK + MARK.join(digits) + MARK * LENGTH


def _example(which: int, request: Request) -> Any:
    """An answer such as there might be."""
    return _example_of(which, request.schema)


def _example_of(which: int, schema: Any) -> Any:
    match schema:
        case {"enum": [_, *_] as values}:
            return values[-which]
        case {"type": "object", "properties": dict(properties)}:
            return {name: _example_of(which, of) for name, of in properties.items()}
        case {"type": "array"}:
            return None  # nobody knows how long it is: code that goes through it fails
        case {"type": "boolean"}:
            return bool(which)
        case {"type": "integer" | "number"}:
            return int(EXAMPLES[which])
    return EXAMPLES[which]


@contextmanager
def _bounded(session: MontySession, deadline: float) -> Iterator[None]:
    """Ends the session's process when the block takes too long."""
    assert session.worker_pid is not None
    timer = threading.Timer(deadline - time.monotonic(), os.kill, (session.worker_pid, signal.SIGKILL))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
