"""What a run that takes a question up again needs of its thread, and what had been spent on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from langgraph.types import StateSnapshot

from langgraph_rlm.asking.ledger import SUBCALLS, TOOL_CALLS, Ledger, limit_of
from langgraph_rlm.asking.model_calls import add_usages
from langgraph_rlm.asking.requests import Request
from langgraph_rlm.repl.journal import answers_so_far
from langgraph_rlm.repl.packed import is_loadable


def check_dumps(values: dict[str, Any], resumes: bool) -> None:
    """Raises `SandboxError` where a dump that the run needs is damaged: before a model is asked, or anything stored."""
    needed = ["cell_end", "suspension"] if resumes and values.get("pending") else ["cell_end"]
    for dump in (values[channel][0] for channel in needed if values.get(channel)):
        is_loadable(dump)


def seed_ledger(ledger: Ledger, state: StateSnapshot) -> None:
    """Charges the ledger with what a question had spent that is taken up again, over the tree.

    A sub-call that has ended counts by what it told its caller; one that has not, by its own state.
    """
    unfinished = [values for values in unfinished_in(state) if values]
    waiting = Counter[str]()
    for values in unfinished:
        answered = answers_so_far(values["journal"]) if values.get("pending") else {}
        pending = (stored for i, stored in enumerate(values.get("pending", ())) if i not in answered)
        waiting.update(limit_of(Request.of(stored)) for stored in pending if not stored.get("ahead"))
    usage: dict[str, Any] = {}
    for values in unfinished:
        usage = add_usages(usage, values.get("usage", {}))
    ledger.seed(
        sum(values.get("subcalls", 0) for values in unfinished) + waiting[SUBCALLS],
        sum(values.get("tool_calls", 0) for values in unfinished) + waiting[TOOL_CALLS],
        usage,
        max((values.get("seconds", 0.0) for values in unfinished), default=0.0),
    )


def unfinished_in(state: StateSnapshot) -> Iterator[dict[str, Any]]:
    yield state.values
    for task in state.tasks:
        if isinstance(task.state, StateSnapshot) and task.result is None:
            yield from unfinished_in(task.state)
