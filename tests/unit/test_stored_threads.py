"""Threads that earlier versions have stored go on: `tests/stored/` has them."""

from __future__ import annotations

import gzip
import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from langgraph_rlm.repl import journal, packed, repl_state
from langgraph_rlm.repl.repeating import Diverged
from langgraph_rlm.repl.rewriting.bridges import Rewritten
from tests.fakes import ScriptedModel, cell, rlm_of
from tests.stored.make import CONTEXT, graph, make, thread

AGAIN = "The REPL was stored by another version of the sandbox: its cells ran again, in this one."
STORED = Path(__file__).parents[1] / "stored"


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The threads by the version that stored them."""
    own = tmp_path_factory.mktemp("own") / "threads.db"
    make(str(own))
    return {
        "0.1.0": gzip.decompress((STORED / "threads-0.1.0.db.gz").read_bytes()),
        "this version": own.read_bytes(),
    }


@pytest.fixture(params=["0.1.0", "this version"])
def path(request: pytest.FixtureRequest, stored: dict[str, bytes], tmp_path: Path) -> Path:
    path = tmp_path / "threads.db"
    path.write_bytes(stored[request.param])
    return path


@pytest.fixture
def saver(path: Path) -> Iterator[Any]:
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


def test_cell_goes_on_on_top_of_what_failed_in_its_version(path: Path, saver: Any) -> None:
    rlm, model = graph(saver)
    out = rlm.invoke(None, thread("failed"))
    assert (out["answer"], model.asked) == ([1, "A", "B"], ["b"])
    notes = [step.get("note") for step in out["trajectory"]]
    assert notes == [None, None, AGAIN if out["trajectory"][1]["error"] else None]


def test_cells_that_run_again_in_another_version_are_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repl_state, "DUMPS_WORTH", math.inf)
    saver = InMemorySaver()
    rlm, _ = graph(saver, interrupt_before=["subcall"])
    with monkeypatch.context() as earlier:
        for file in (journal, packed, repl_state):
            earlier.setattr(file, "VERSION", "an earlier one")
        rlm.invoke({"query": "failed", "context": CONTEXT}, thread("failed"))
    for note in (AGAIN, None):  # once
        out = graph(saver, interrupt_before=["subcall"] if note else None)[0].invoke(None, thread("failed"))
        assert rlm.get_state(thread("failed")).values["note"] == note
    assert out["trajectory"][2]["note"] == AGAIN


def test_cell_that_failed_once_and_would_not_now_is_no_base_to_go_on_with(monkeypatch: pytest.MonkeyPatch) -> None:
    saver = InMemorySaver()
    monkeypatch.setattr(repl_state, "DUMPS_WORTH", math.inf)
    cells = [cell("def f():\n    yield 1\nn = 5"), cell("n = 1\nFinal = llm_query('a')"), cell("Final = n")]
    rlm = rlm_of(ScriptedModel(*cells), checkpointer=saver, interrupt_before=["subcall"])
    with monkeypatch.context() as earlier:
        earlier.setattr(repl_state, "rewritten", lambda code, *_: Rewritten(code))
        rlm.invoke({"query": "q", "context": CONTEXT}, thread("1"))
    with pytest.raises(Diverged):
        rlm_of(ScriptedModel(*cells), checkpointer=saver).invoke(None, thread("1"))


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


# -- killed at each write ---------------------------------------------------------------------------------------------

KILLED = ["a", "b", "x", "y", "z"]
"""What the question of the killed threads asks models, in order."""


def killed_threads(saver: Any) -> list[str]:
    found = {found.config["configurable"]["thread_id"] for found in saver.list(None)}
    return sorted(name for name in found if name.startswith("killed-"))


def paid_answers(saver: Any, name: str) -> int:
    """How many answers of models are stored, at whatever depth."""
    return sum(
        event[0] == "answer" and event[2] in ("A", "B", "X", "Y", "Z")
        for found in saver.list(thread(name))
        for _, channel, events in found.pending_writes
        if channel == "journal"
        for event in events
    )


def check_killed(out: dict[str, Any]) -> None:
    assert out["answer"] == ["A", "B", '["X", "Y", "Z"]']
    assert (out["subcalls"], out["steps"], out["status"]) == (6, 3, "answered")
    first, second = ([record["answer"] for record in step["subcalls"]] for step in out["trajectory"])
    assert (first, second) == (["A"], ["B", '["X", "Y", "Z"]'])
    [child] = out["trajectory"][1]["subcalls"][1]["trajectory"]
    assert [record["answer"] for record in child["subcalls"]] == ["X", "Y", "Z"]


@pytest.mark.parametrize("every", [5, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("stops", [None, "*"])
def test_killed_threads_go_on_and_pay_nothing_twice(saver: Any, stops: str | None, every: int) -> None:
    names = killed_threads(saver)
    assert len(names) > 30
    for name in names[::every]:
        paid = paid_answers(saver, name)
        rlm, model = graph(saver, interrupt_before=stops)
        out = rlm.invoke(None, thread(name))
        while rlm.get_state(thread(name)).next:
            out = rlm.invoke(None, thread(name))
        check_killed(out)
        assert model.asked == KILLED[paid:], name


async def test_killed_threads_go_on_in_async_apps(path: Path) -> None:
    async with AsyncSqliteSaver.from_conn_string(str(path)) as saver:
        for name in ("killed-14", "killed-19", "killed-25"):
            rlm, model = graph(saver)
            check_killed(await rlm.ainvoke(None, thread(name)))
            assert 0 < len(model.asked) < len(KILLED)
            assert len([state async for state in rlm.aget_state_history(thread(name))]) > 5
