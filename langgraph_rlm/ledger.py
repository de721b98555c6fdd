"""What a run may still spend: one ledger for the whole tree of RLMs, shared by parallel children."""

from __future__ import annotations

import math
import threading
import time

from langchain_core.messages.ai import UsageMetadata

from langgraph_rlm.errors import LimitExceeded
from langgraph_rlm.settings import Limits

Usage = dict[str, UsageMetadata]
"""Tokens by model name."""


class Ledger:
    """Counts sub-calls, tokens and seconds against `Limits`. Safe to share between threads."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._subcalls = 0
        self._tokens = 0
        self._calls = 0
        self._begun = time.monotonic()

    def seed(self, subcalls: int, usage: Usage, seconds: float) -> None:
        """Counts what was spent on the question before this run took it up."""
        self.spend(usage)
        with self._lock:
            self._subcalls += subcalls
            self._begun -= seconds

    @property
    def seconds(self) -> float:
        """How long the question has been worked on."""
        return time.monotonic() - self._begun

    def reserve(self, subcalls: int) -> None:
        """Takes that many sub-calls, all or none. Raises `LimitExceeded` when they do not fit."""
        with self._lock:
            if self._subcalls + subcalls > self._limits.max_subcalls:
                raise LimitExceeded("max_subcalls", self._subcalls + subcalls, self._limits.max_subcalls)
            self._subcalls += subcalls

    def reserve_some(self, subcalls: int) -> int:
        """Takes that many sub-calls, or as many as are left. Gives how many."""
        with self._lock:
            taken = max(0, min(subcalls, self._limits.max_subcalls - self._subcalls))
            self._subcalls += taken
            return taken

    def give_back(self, subcalls: int) -> None:
        """Returns sub-calls that were taken and will not be asked."""
        with self._lock:
            self._subcalls -= subcalls

    @property
    def subcalls_left(self) -> int:
        return self._limits.max_subcalls - self._subcalls

    @property
    def tokens(self) -> int:
        """Tokens that the question has taken."""
        return self._tokens

    @property
    def calls_left(self) -> float:
        """For how many calls the tokens that are left are enough, if they take as many as those before."""
        allowed = self._limits.max_tokens
        return math.inf if allowed is None else max(0, allowed - self._tokens) * self._calls / max(1, self._tokens)

    def spend(self, usage: Usage) -> None:
        """Notes the tokens of a finished call."""
        with self._lock:
            self._calls += 1
            self._tokens += sum(used["total_tokens"] for used in usage.values())

    def check(self) -> None:
        """Raises `LimitExceeded` when the tokens or the seconds are spent. To be asked before each model call."""
        for limit, used, allowed in (
            ("max_tokens", self._tokens, self._limits.max_tokens),
            ("max_seconds", self.seconds, self._limits.max_seconds),
        ):
            if allowed is not None and used >= allowed:
                raise LimitExceeded(limit, used, allowed)
