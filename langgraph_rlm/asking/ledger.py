"""What a run may still spend: one ledger for the whole tree of RLMs, shared by parallel children."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages.ai import UsageMetadata

from langgraph_rlm.asking.requests import Request
from langgraph_rlm.errors import LimitExceeded
from langgraph_rlm.settings import Limits

NOTHING_SPENT: dict[str, Any] = {"usage": {}, "steps": 0, "subcalls": 0, "tool_calls": 0}
"""What nobody has spent."""
SUBCALLS, TOOL_CALLS = "max_subcalls", "max_tool_calls"

Usage = dict[str, UsageMetadata]
"""Tokens by model name."""


def limit_of(request: Request) -> str:
    """The limit that a request counts against."""
    return TOOL_CALLS if request.kind == "tool" else SUBCALLS


@dataclass(frozen=True)
class Share:
    """What somebody who counts for himself may spend, of what is left. None: it is not bounded."""

    subcalls: int
    tool_calls: int
    tokens: int | None
    seconds: float | None


class Ledger:
    """Counts sub-calls, calls of tools, tokens and seconds against `Limits`. Safe to share between threads."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._allowed = {SUBCALLS: limits.max_subcalls, TOOL_CALLS: limits.max_tool_calls}
        self._lock = threading.Lock()
        self._reserved = Counter[str]()
        self._ahead: dict[object, int] = {}
        self._tokens = 0
        self._shared_tokens = self._shares = 0
        self._calls = 0
        self._begun = time.monotonic()

    def seed(self, subcalls: int, tool_calls: int, usage: Usage, seconds: float) -> None:
        """Counts what was spent on the question before this run took it up."""
        self.spend(usage)
        with self._lock:
            self._reserved.update({SUBCALLS: subcalls, TOOL_CALLS: tool_calls})
            self._begun -= seconds

    @property
    def seconds(self) -> float:
        """How long the question has been worked on."""
        return time.monotonic() - self._begun

    @property
    def seconds_left(self) -> float:
        """How much longer the question may be worked on."""
        return math.inf if self.limits.max_seconds is None else max(0.0, self.limits.max_seconds - self.seconds)

    def reserve(self, requests: Iterable[Request]) -> None:
        """Takes places for what is to be asked, for all or for none. Raises `LimitExceeded` when they do not fit."""
        wanted = Counter(map(limit_of, requests))
        with self._lock:
            for limit, count in wanted.items():
                if self._reserved[limit] + count > self._allowed[limit]:
                    raise LimitExceeded(limit, self._reserved[limit] + count, self._allowed[limit])
            self._reserved.update(wanted)

    def reserve_some(self, requests: Sequence[Request]) -> Sequence[Request]:
        """Takes places for as many sub-calls as are left, of the first of them. Gives these."""
        with self._lock:
            fitting = requests[: max(0, self._allowed[SUBCALLS] - self._reserved[SUBCALLS])]
            self._reserved[SUBCALLS] += len(fitting)
            return fitting

    def give_back(self, requests: Iterable[Request]) -> None:
        """Returns the places of what will not be asked."""
        with self._lock:
            self._reserved.subtract(map(limit_of, requests))

    def left(self, limit: str) -> int:
        """How many more are allowed."""
        return self._allowed[limit] - self._reserved[limit]

    @property
    def remaining(self) -> dict[str, Any]:
        """What the question may still spend: None where it is not bounded, seconds to a tenth."""
        tokens, seconds = self.limits.max_tokens, self.limits.max_seconds
        return {
            "subcalls": max(0, self.left(SUBCALLS)),
            "tool_calls": max(0, self.left(TOOL_CALLS)),
            "tokens": None if tokens is None else max(0, tokens - self._tokens),
            "seconds": None if seconds is None else max(0.0, round(seconds - self.seconds, 1)),
        }

    def share(self, sharers: int) -> Share:
        """Sets aside what one of so many may spend, so that all of them together spend no more than is left.

        Those among them who have theirs already are not counted again.
        """
        allowed, seconds = self.limits.max_tokens, self.limits.max_seconds
        with self._lock:
            askers = max(1, sharers - self._shares)
            self._shares += 1
            tokens = None if allowed is None else max(0, allowed - self._tokens - self._shared_tokens) // askers
            subcalls, tool_calls = (max(0, self.left(limit)) // askers for limit in (SUBCALLS, TOOL_CALLS))
            self._reserved.update({SUBCALLS: subcalls, TOOL_CALLS: tool_calls})
            self._shared_tokens += tokens or 0
        return Share(subcalls, tool_calls, tokens, None if seconds is None else max(0.0, seconds - self.seconds))

    def settle(self, share: Share, spent: Mapping[str, Any]) -> None:
        """Counts what was spent in place of what was set aside for it."""
        with self._lock:
            self._reserved.update({SUBCALLS: spent["subcalls"], TOOL_CALLS: spent["tool_calls"]})
            self._reserved.subtract({SUBCALLS: share.subcalls, TOOL_CALLS: share.tool_calls})
            self._shared_tokens -= share.tokens or 0
            self._shares -= 1
        self.spend(spent["usage"])

    def exceeded_by(self, share: Share, spent: Mapping[str, Any]) -> LimitExceeded:
        """What somebody ran into who has spent that much of his share."""
        tokens = sum(used["total_tokens"] for used in spent["usage"].values())
        for limit, used, shared, allowed in (
            (SUBCALLS, spent["subcalls"], share.subcalls, self.limits.max_subcalls),
            (TOOL_CALLS, spent["tool_calls"], share.tool_calls, self.limits.max_tool_calls),
            ("max_tokens", tokens, share.tokens, self.limits.max_tokens),
            ("max_seconds", self.seconds, self.limits.max_seconds, self.limits.max_seconds),
        ):
            if shared is not None and allowed is not None and used >= shared:
                return LimitExceeded(limit, allowed - shared + used, allowed)
        return LimitExceeded("max_steps", spent["steps"], spent["steps"])

    def note_ahead(self, asker: object, count: int) -> None:
        """Notes how many requests are asked ahead for the code of `asker`, which has not come to them yet.

        They count against no limit before it does, but no more are asked ahead than are left beside them.
        """
        with self._lock:
            self._ahead[asker] = count
            if not count:
                del self._ahead[asker]

    def left_ahead(self, limit: str) -> int:
        """How many more are allowed, if all that is asked ahead is needed."""
        with self._lock:
            return self.left(limit) - sum(self._ahead.values())

    @property
    def tokens(self) -> int:
        """Tokens that the question has taken."""
        return self._tokens

    @property
    def calls_left(self) -> float:
        """For how many calls the tokens that are left are enough, if they take as many as those before."""
        allowed = self.limits.max_tokens
        return math.inf if allowed is None else max(0, allowed - self._tokens) * self._calls / max(1, self._tokens)

    def spend(self, usage: Usage) -> None:
        """Notes the tokens of a finished call."""
        with self._lock:
            self._calls += 1
            self._tokens += sum(used["total_tokens"] for used in usage.values())

    def check(self) -> None:
        """Raises `LimitExceeded` when the tokens or the seconds are spent. To be asked before each model call."""
        for limit, used, allowed in (
            ("max_tokens", self._tokens, self.limits.max_tokens),
            ("max_seconds", self.seconds, self.limits.max_seconds),
        ):
            if allowed is not None and used >= allowed:
                raise LimitExceeded(limit, used, allowed)
