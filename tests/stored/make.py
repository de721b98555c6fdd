"""Makes `threads-<version>.db`: threads as this version stores them, for later ones to go on with.

Run with the version whose threads are wanted: `python -m tests.stored.make tests/stored/threads-0.1.0.db`. The threads:

`ended`: a question was answered, and its variables stay.
`waiting`: killed in the middle of a cell, at the third of four sub-calls.
`child`: killed in the middle of a child's cell.
`replied`: killed before the model's second turn.
"""

from __future__ import annotations

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
    "Question: replied": [cell("n = 7\nprint(n)"), cell("Final = n + 1")],
}


def graph(saver: Any, **settings: Any) -> Any:
    """The graph of these threads; what its model is asked is in `model.asked`."""
    model = ScriptedModel(script=SCRIPT, answer=str.upper)
    rlm = rlm_of(model, checkpointer=saver, limits=Limits(max_depth=2), lookahead=False, **settings)
    return rlm, model


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
        turning, _ = graph(saver, interrupt_before=["generate"])
        turning.invoke({"query": "replied", "context": CONTEXT}, thread("replied"))
        turning.invoke(None, thread("replied"))


if __name__ == "__main__":
    make(sys.argv[1])
