"""The time of a cell: what it may compute, what the host may work out for it, and the line where it was last."""

from __future__ import annotations

import time

from pydantic_monty import FunctionSnapshot, MontyError

from langgraph_rlm.asking.requests import Call
from langgraph_rlm.repl import host
from langgraph_rlm.repl.cells import Variable
from langgraph_rlm.repl.explain import out_of_time
from langgraph_rlm.repl.processor_time import Budget, passing
from langgraph_rlm.repl.session import Answering

TOO_LONG_ON_HOST = host.raising(
    "TimeoutError",
    "what re, ctx and modules have the host work out for this cell has taken as long as a cell may take: ask for less "
    "of it, or in several cells",
)


class CellTime:
    """The time of the code that runs in a REPL: all of it again with each that begins."""

    def __init__(self, seconds: float) -> None:
        """`seconds` are what a cell may compute."""
        self.seconds = seconds
        self.line: int | None = None
        """Where the unfinished cell is."""
        self.begin()

    def begin(self, spent: float = 0.0) -> None:
        """Other code begins, for which the host has worked so many seconds."""
        self.budget = Budget(self.seconds)
        self._of_host = self.seconds - spent

    def counting(self, answering: Answering) -> Answering:
        """Gives the same answers, as long as the host has time for what it works out, and notes lines."""

        def answer(asked: FunctionSnapshot) -> host.HostResult | Call:
            if (line := host.line_of(asked)) is not None:
                self.line = line
                return host.NOTHING
            if self._of_host < 0 and host.is_worked_out(asked):
                return TOO_LONG_ON_HOST
            begun = time.thread_time()
            result = answering(asked)
            self._of_host -= time.thread_time() - begun
            return result

        return answer

    @property
    def is_over(self) -> bool:
        """Whether the code was ended since it computed too long."""
        return self.budget.is_spent

    def kind_of(self, failure: MontyError) -> str:
        """The kind of the error that ended the code."""
        return "TimeoutError" if self.is_over else type(failure.exception()).__name__

    def explained(self, code: str, variables: tuple[Variable, ...]) -> str:
        """Why a cell was ended that took too long."""
        return out_of_time(self.seconds if self.is_over else passing(self.seconds), code, self.line, variables)
