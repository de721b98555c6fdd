"""Threads that earlier versions have stored go on: `tests/stored/` has them."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.sqlite import SqliteSaver

from tests.stored.make import CONTEXT, graph, make, thread

STORED = Path(__file__).parents[1] / "stored"


@pytest.fixture(params=[*sorted(STORED.glob("*.db")), None], ids=lambda path: path.stem if path else "this version")
def saver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    path = tmp_path / "threads.db"
    if request.param is None:
        make(str(path))
    else:
        shutil.copy(request.param, path)
    with closing(sqlite3.connect(path, check_same_thread=False)) as connection:
        yield SqliteSaver(connection)


def test_next_question_has_the_variables(saver: Any) -> None:
    rlm, _ = graph(saver)
    assert rlm.invoke({"query": "again"}, thread("ended"))["answer"] == [len(CONTEXT), 10]


def test_cell_goes_on_in_its_middle_and_pays_for_no_answer_twice(saver: Any) -> None:
    rlm, model = graph(saver)
    out = rlm.invoke(None, thread("waiting"))
    assert out["answer"] == ["A", "B", "C", "D"]
    assert model.asked == ["c", "d"]
    assert (out["subcalls"], out["steps"]) == (4, 1)


def test_childs_cell_goes_on_in_its_middle(saver: Any) -> None:
    rlm, model = graph(saver)
    out = rlm.invoke(None, thread("child"))
    assert out["answer"] == '["X", "Y", "Z"]'
    assert model.asked == ["z"]
    assert out["subcalls"] == 4


@pytest.mark.parametrize("node", ["generate", "execute", "subcall"])
@pytest.mark.parametrize("name", ["ended", "waiting", "child", "replied"])
def test_threads_are_interrupted_and_go_on(saver: Any, name: str, node: str) -> None:
    rlm, _ = graph(saver, interrupt_before=[node])
    out = rlm.invoke({"query": "again"} if name == "ended" else None, thread(name))
    for _ in range(8):
        out = rlm.invoke(None, thread(name)) if rlm.get_state(thread(name)).next else out
    assert not rlm.get_state(thread(name)).next
    assert out["status"] == "answered"


def test_loop_goes_on_with_the_next_turn(saver: Any) -> None:
    rlm, model = graph(saver)
    out = rlm.invoke(None, thread("replied"))
    assert out["answer"] == 8
    assert len(model.calls) == 1
    assert out["steps"] == 2


async def test_state_of_an_earlier_version_is_shown_by_the_names_of_this_one(saver: Any) -> None:
    rlm, _ = graph(saver)
    values = rlm.get_state(thread("waiting")).values
    assert values["question"]["query"] == "waiting"
    assert values["repl_ref"]["context"] == values["context_id"]
