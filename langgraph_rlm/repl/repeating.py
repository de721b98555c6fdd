"""A cell that runs again is answered as it was the first time: each answer that could not be worked out is kept."""

from __future__ import annotations

from collections import deque

from pydantic_monty import FunctionSnapshot

from langgraph_rlm.asking.requests import Call
from langgraph_rlm.errors import SandboxError
from langgraph_rlm.repl import host
from langgraph_rlm.repl.journal import Cell, Event, Exchange
from langgraph_rlm.repl.session import Answering

MOST_EXCHANGES = 10_000
"""Answers of the host that are kept of a cell, to run it again; sub-calls have a limit of their own."""
TOO_MANY = host.raising("RuntimeError", "the clock was read too often in this cell: wait for nothing here")


class Diverged(SandboxError):
    """A cell asks for something else than it did, when it runs again: this package is another version, say."""

    def __init__(self) -> None:
        super().__init__(
            "The cell that was suspended asks for something else when it runs again, so it cannot go on. The thread is "
            "as it was: go on with the version of this package that began it, or ask a new question, which drops the "
            "cell."
        )


def recording(cell: Cell, events: list[Event], answering: Answering) -> Answering:
    """Answers the calls of a cell and notes each answer that a second run could not work out again."""

    def answer(snapshot: FunctionSnapshot) -> host.HostResult | Call:
        result = answering(snapshot)
        if not isinstance(result, Call) and not host.can_be_repeated(snapshot):
            if len(cell.exchanges) >= MOST_EXCHANGES:
                return TOO_MANY
            cell.exchanges.append(Exchange(result))
            events.append(["reply", result])
        return result

    return answer


def repeating(cell: Cell, answering: Answering, start: int = 0) -> Answering:
    """Answers the calls of a cell as they were answered before, from the exchange `start` on.

    What it gives raises `Diverged` where the cell asks for something else.
    """
    exchanges = deque(cell.exchanges[start:])
    repeated = start

    def answer(snapshot: FunctionSnapshot) -> host.HostResult | Call:
        nonlocal repeated
        is_clock = snapshot.is_os_function and not host.can_be_repeated(snapshot)
        result = None if is_clock else answering(snapshot)
        if result is not None and host.can_be_repeated(snapshot):
            return result
        if host.asks_for_group(snapshot) and not (exchanges and _tells_group(exchanges[0])):
            return {"return_value": host.SMALL_GROUP}  # the cell ran in a version that did not ask
        if not isinstance(result, Call) and repeated >= MOST_EXCHANGES:
            return TOO_MANY
        exchange = exchanges.popleft() if exchanges else None
        if exchange is None and isinstance(result, Call):
            return result
        if exchange is None or exchange.digest != (result.digest if isinstance(result, Call) else None):
            raise Diverged
        repeated += 1
        return exchange.result

    return answer


def _tells_group(exchange: Exchange) -> bool:
    told = exchange.result.get("return_value")
    return isinstance(told, dict) and told.keys() == host.SMALL_GROUP.keys()
