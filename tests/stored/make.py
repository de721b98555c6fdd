"""Makes `threads-<version>.db`: threads as this version stores them, for later ones to go on with.

Run with the version whose threads are wanted: `python -m tests.stored.make tests/stored/threads-0.1.0.db`. The threads:

`ended`: a question was answered, and its variables stay.
`waiting`: stopped in the middle of a cell, at the third of four sub-calls.
`child`: stopped in the middle of a child's cell.
`failed`: stopped in the middle of a cell, on top of one that imports what 0.1.0 does not have.
`replied`: stopped before the model's second turn.
`killed-1`, `killed-2` …: killed when the n-th thing was to be stored, in a question with a child.
"""

from __future__ import annotations

import itertools
import sqlite3
import sys
from contextlib import closing
from typing import Any

from langgraph.checkpoint.sqlite import SqliteSaver

from langgraph_rlm import Limits
from tests.fakes import ScriptedModel, cell, rlm_of

QUERY, CONTEXT = "How many?", "apple\npear\n" * 10
SCRIPT = {
    "Question: ended": [cell("n = len(P)\nFinal = n"), cell("Final = [n, P.count('pear')]")],
    "Question: waiting": [cell("seen = [llm_query(word) for word in 'abcd']\nFinal = seen")],
    "Question: child": [cell("Final = rlm_query('part', P)")],
    "Question: part": [cell("Final = [llm_query(word) for word in 'xyz']")],
    "Question: killed": [
        cell("n = llm_query('a')\nprint(n)"),
        cell("Final = [n, llm_query('b'), rlm_query('part', P)]"),
    ],
    "Question: failed": [cell("n = 1"), cell("import statistics"), cell("Final = [n, *map(llm_query, 'ab')]")],
    "Question: replied": [cell("n = 7\nprint(n)"), cell("Final = n + 1")],
}


def graph(saver: Any, **settings: Any) -> Any:
    """The graph of these threads; what its model is asked is in `model.asked`."""
    model = ScriptedModel(script=SCRIPT, answer=str.upper)
    rlm = rlm_of(model, checkpointer=saver, limits=Limits(max_depth=2), lookahead=False, **settings)
    return rlm, model


class KilledAt(SqliteSaver):
    """Is killed when it is to store the n-th thing."""

    def __init__(self, connection: sqlite3.Connection, writes: int) -> None:
        super().__init__(connection)
        self.left = writes

    def _count(self) -> None:
        self.left -= 1
        if self.left <= 0:
            raise KeyboardInterrupt

    def put(self, *arguments: Any, **named: Any) -> Any:
        self._count()
        return super().put(*arguments, **named)

    def put_writes(self, *arguments: Any, **named: Any) -> None:
        self._count()
        super().put_writes(*arguments, **named)


def thread(name: str) -> Any:
    return {"configurable": {"thread_id": name}}


def make(path: str) -> None:
    with closing(sqlite3.connect(path, check_same_thread=False)) as connection:
        saver = SqliteSaver(connection)
        graph(saver)[0].invoke({"query": "ended", "context": CONTEXT}, thread("ended"))
        stopping, _ = graph(saver, interrupt_before=["subcall"])
        stopping.invoke({"query": "waiting", "context": CONTEXT}, thread("waiting"))
        for _ in range(2):
            stopping.invoke(None, thread("waiting"))
        stopping.invoke({"query": "child", "context": CONTEXT}, thread("child"))
        for _ in range(3):
            stopping.invoke(None, thread("child"))
        for again in (False, True):
            stopping.invoke(None if again else {"query": "failed", "context": CONTEXT}, thread("failed"))
        turning, _ = graph(saver, interrupt_before=["generate"])
        turning.invoke({"query": "replied", "context": CONTEXT}, thread("replied"))
        turning.invoke(None, thread("replied"))
        for writes in itertools.count(1):
            try:
                killed, _ = graph(KilledAt(connection, writes))
                killed.invoke({"query": "killed", "context": CONTEXT}, thread(f"killed-{writes}"), durability="sync")
            except KeyboardInterrupt:
                continue
            break


if __name__ == "__main__":
    make(sys.argv[1])
