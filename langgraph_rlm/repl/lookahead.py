"""Running ahead: what a suspended cell will ask next, found out by a fork of it that goes on without the answers.

The fork gets a placeholder for each answer that is not known, and is asked for nothing but its prompts: what it prints,
computes or raises is nobody's. It may guess wrong, where the code branches on an answer, and then costs a call of a
model; what the real cell does is never touched. It ends where a prompt is made of a placeholder, where the code ends or
fails, or after a bounded time. (Blocking sub-calls are the first weakness that the paper names, arXiv 2512.24601.)
"""

from __future__ import annotations

import json
import os
import signal
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from pydantic_monty import FunctionSnapshot, FutureSnapshot, MontyComplete, MontyError, MontySession, NameLookupSnapshot

from langgraph_rlm.asking.requests import TOOL, Answer, Call, Request
from langgraph_rlm.repl import host
from langgraph_rlm.repl.offer import Offer
from langgraph_rlm.repl.workers import Workers

Place = tuple[int, int]
"""The place of a call in the journal, and which of the prompts asked with it."""
Found = tuple[Place, Answer]
"""An answer, with its place."""
Spare = dict[str, deque[Found]]

SECONDS = 0.5
"""How long a fork may run."""
MARK = "\ue000"
"""Begins a placeholder, which has characters of its kind alone: any piece of it tells that it is one."""
LENGTH = 12
FIRST_WINDOW = 3
"""Calls that are guessed when nothing is known of how well guesses hold; 1 after one that did not."""
MOST_WINDOW = 64
MOST_WASTE = 8
"""Guesses in vain that a cell may have, and one more for each four that held."""


@dataclass(frozen=True)
class Taken:
    """Of the prompts of a call, by their index: the answers that are there, and which prompts are asked already."""

    found: dict[int, Found] = field(default_factory=dict)
    flying: list[int] = field(default_factory=list)
    drops: bool = False
    """Whether the code has gone elsewhere, so that what else was asked ahead is dropped."""

    def missing_of(self, call: Call) -> list[int]:
        """The other prompts."""
        return [index for index in range(len(call.requests)) if index not in self.found and index not in self.flying]


@dataclass
class Guesses:
    """Answers to prompts that a cell has not come to yet, and how well guesses have held so far.

    `spare` has them by the key of the prompt, in the order in which they were guessed: the place of each,
    and what it is. `flying` counts the prompts that are asked now, by their keys.
    """

    spare: Spare = field(default_factory=dict)
    flying: Counter[str] = field(default_factory=Counter)
    window: int = FIRST_WINDOW
    held: int = 0
    wasted: int = 0

    def take(self, call: Call, is_change: bool) -> Taken:
        """What was asked ahead of a call. Guesses that did not hold are dropped.

        So are all where the call `is_change`, and a tool was called ahead: it may say something else afterwards.
        """
        left, taken = self.outstanding, Taken()
        spare = [key for key, answers in self.spare.items() if answers]
        if is_change and any(key.startswith(TOOL) for key in [*spare, *+self.flying]):
            return self._dropped(left)
        for index, key in enumerate(call.keys):
            if found := self.spare.get(key):
                taken.found[index] = found.popleft()
            elif self.flying[key]:
                self.flying[key] -= 1
                taken.flying.append(index)
        held = len(taken.found) + len(taken.flying)
        self.held += held
        if held == len(call.requests):
            self.window = min(self.window + 1, MOST_WINDOW)
        elif left and not held:
            return self._dropped(left)
        return taken

    def _dropped(self, wasted: int) -> Taken:
        self.spare, self.flying = {}, Counter()
        self.wasted, self.window = self.wasted + wasted, 1
        return Taken(drops=True)

    @property
    def outstanding(self) -> int:
        """Prompts that were asked ahead and that the code has not come to."""
        return sum(map(len, self.spare.values())) + self.flying.total()

    @property
    def wanted(self) -> int:
        """Calls to have asked ahead now: more with each guess that holds, none when too many have not."""
        return 0 if self.wasted > MOST_WASTE + self.held // 4 else self.window


class _Owner:
    """Whose session a fork is. It is never parked: it ends soon."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.lock.acquire()
        self.pid: int | None = None

    def park(self) -> None:
        raise AssertionError("its lock is never free")


def calls_ahead(
    dump: bytes,
    workers: Workers,
    answering: Callable[[FunctionSnapshot], host.Reply | Call],
    offer: Offer,
    guesses: Guesses,
    most: int,
) -> list[Request]:
    """What the cell in `dump` will ask for after the call at which it is suspended, in order, at most `most`.

    What is among `guesses` is no news: the fork goes on with the answers, where these are there. Nothing is asked
    ahead that changes something, nor a tool called ahead while something does, nor what `offer` has nobody for.
    """
    owner = _Owner()
    session = workers.spare(owner)
    if session is None:
        return []
    found: list[Request] = []
    known = {key: deque(answers) for key, answers in guesses.spare.items()}
    flying = guesses.flying.copy()
    placeholders = map(_placeholder, count())

    def reply_to(call: Call, is_first: bool) -> host.Reply:
        answers: list[Answer] = []
        for request in call.requests:
            key = request.key
            if not is_first and known.get(key):
                answers.append(known[key].popleft()[1])
                continue
            answers.append(Answer(next(placeholders)))
            if flying[key] and not is_first:
                flying[key] -= 1
            elif not is_first:
                found.append(request)
        return host.reply_to(answers, call.batch)

    with _given_back(workers, owner), _bounded(session):
        snapshot: Any = session.load_snapshot(dump, print_callback=lambda *_: None)
        is_first, is_change = True, False
        while len(found) < most and not isinstance(snapshot, MontyComplete | FutureSnapshot):
            if isinstance(snapshot, NameLookupSnapshot):
                snapshot = snapshot.resume()
                continue
            answer = answering(snapshot)
            if isinstance(answer, Call):
                fits = is_first or len(found) + len(answer.requests) <= most
                may_change = any(map(offer.changes, answer.requests))
                is_waiting = not is_first and (may_change or (is_change and answer.requests[0].kind == "tool"))
                if not fits or answer.first or is_waiting or _depends(answer) or not offer.has(answer):
                    break
                is_change = is_change or may_change
                answer, is_first = reply_to(answer, is_first), False
            snapshot = snapshot.resume(answer)
    return found


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


@contextmanager
def _bounded(session: MontySession) -> Iterator[None]:
    """Ends the session's process when the block takes too long. Whatever the code fails with, the block is over."""
    assert session.worker_pid is not None
    timer = threading.Timer(SECONDS, os.kill, (session.worker_pid, signal.SIGKILL))
    timer.start()
    try:
        yield
    except MontyError:
        pass
    finally:
        timer.cancel()
        timer.join()


@contextmanager
def _given_back(workers: Workers, owner: _Owner) -> Iterator[None]:
    try:
        yield
    finally:
        workers.give_back(owner)
