"""Threads: what stays from question to question, what starts over, and runs that go on elsewhere."""

from __future__ import annotations

import itertools
import math
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from langgraph_rlm import Context, ContextError, Limits, RLMError, Sandbox
from langgraph_rlm.repl import repl_state
from tests.fakes import QUERY, Graph, ScriptedModel, cell, rlm_of


@pytest.fixture(params=["dumped at each stop", "never dumped"], autouse=True)
def _dumps(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A REPL is had again from dumps and from its journal: when a dump is made depends on the clock."""
    monkeypatch.setattr(repl_state, "DUMPS_WORTH", -1 if request.param == "dumped at each stop" else math.inf)


THREAD: Any = {"configurable": {"thread_id": "1"}}
OTHER: Any = {"configurable": {"thread_id": "2"}}


@pytest.fixture(params=["memory", "sqlite"])
def saver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    if request.param == "memory":
        yield InMemorySaver()
    else:
        with closing(sqlite3.connect(tmp_path / "checkpoints.db", check_same_thread=False)) as connection:
            yield SqliteSaver(connection)


def resumed(rlm: Graph, config: Any = THREAD) -> dict[str, Any]:
    """Resumes until nothing is left to do."""
    out: dict[str, Any] = {}
    while rlm.get_state(config).next:
        out = rlm.invoke(None, config)
    return out


# -- the next question ------------------------------------------------------------------------------------------------


def test_next_question_keeps_text_variables_and_conversation(saver: Any) -> None:
    model = ScriptedModel(cell("n = len(P)\nFinal = n"), cell("n += 1\nFinal = [n, P, ctx.num_documents()]"))
    rlm = rlm_of(model, checkpointer=saver)
    rlm.invoke({"query": "first", "context": "text"}, THREAD)
    assert rlm.invoke({"query": "second"}, THREAD)["answer"] == [5, "text", 1]
    told = [message.text for message in model.turns[1].messages]
    assert "first" in told[1]
    assert told[2] == cell("n = len(P)\nFinal = n")
    assert "second" in told[-1]


def test_repl_of_a_thread_is_had_again_from_the_checkpoint_by_another_graph(saver: Any) -> None:
    model = ScriptedModel(
        cell("class Box:\n    pass\nbox = Box()\nbox.f = lambda x: x + len(P)\nFinal = 1"), cell("Final = box.f(1)")
    )
    rlm_of(model, checkpointer=saver).invoke({"query": "first", "context": "text"}, THREAD)
    assert rlm_of(model, checkpointer=saver).invoke({"query": "second"}, THREAD)["answer"] == 5


def test_variables_of_the_thread_are_told_and_shown_after_loading(saver: Any) -> None:
    model = ScriptedModel(
        cell("items = [1, 2]\nFinal = 1"),
        cell("print(SHOW_VARS())"),
        cell("while True: pass"),
        cell("Final = SHOW_VARS()"),
    )
    rlm = rlm_of(model, checkpointer=saver, sandbox=Sandbox(timeout=0.3))
    rlm.invoke({"query": "first", "context": "text"}, THREAD)
    out = rlm.invoke({"query": "second"}, THREAD)
    assert out["trajectory"][0]["output"] == "items: list (2)\n"
    assert "items" in model.turns[3].told
    assert out["answer"] == "items: list (2)"


def test_broken_first_cell_of_the_next_question_still_tells_the_variables(saver: Any) -> None:
    model = ScriptedModel(cell("items = [1, 2]\nFinal = 1"), cell("while True: pass"), cell("Final = items"))
    rlm = rlm_of(model, checkpointer=saver, sandbox=Sandbox(timeout=0.3))
    rlm.invoke({"query": "first", "context": "text"}, THREAD)
    assert rlm.invoke({"query": "second"}, THREAD)["answer"] == [1, 2]
    assert "items" in model.turns[2].told


def test_new_context_replaces_the_text_and_keeps_the_variables(saver: Any) -> None:
    model = ScriptedModel(
        cell("old = P\nFinal = 1"),
        cell("Final = [old, P, context, peek(3), lenP(), ctx.get_document(1), ctx.num_documents()]"),
        cell("Final = [old, P]"),
    )
    rlm = rlm_of(model, checkpointer=saver)
    rlm.invoke({"query": "first", "context": "text"}, THREAD)
    out = rlm.invoke({"query": "second", "context": ["new", "book"]}, THREAD)
    assert out["answer"] == ["text", "new\n\nbook", "new\n\nbook", "new", 9, "book", 2]
    assert "9" in model.turns[1].told
    assert rlm.invoke({"query": "third"}, THREAD)["answer"] == ["text", "new\n\nbook"]


def test_new_context_stays_after_a_broken_cell(saver: Any) -> None:
    model = ScriptedModel(cell("old = P\nFinal = 1"), cell("while True: pass"), cell("Final = [old, P, peek(9)]"))
    rlm = rlm_of(model, checkpointer=saver, sandbox=Sandbox(timeout=0.3))
    rlm.invoke({"query": "first", "context": "text"}, THREAD)
    assert rlm.invoke({"query": "second", "context": "new"}, THREAD)["answer"] == ["text", "new", "new"]


def test_new_context_may_be_far_larger_than_the_one_before() -> None:
    model = ScriptedModel(cell("a = 1\nFinal = a"), cell("Final = [a, len(P)]"))
    rlm = rlm_of(model, checkpointer=InMemorySaver(), sandbox=Sandbox(memory=1_000_000))
    rlm.invoke({"query": "first", "context": "text"}, THREAD)
    assert rlm.invoke({"query": "second", "context": "x" * 10_000_000}, THREAD)["answer"] == [1, 10_000_000]


@pytest.mark.parametrize("lie", ["1 / 0", "5", "{ctx: 1}", "{'1/0': 1}", "{'__rlm__': 1}"])
def test_variables_that_cannot_be_read_are_left_behind_by_a_far_larger_context(lie: str) -> None:
    model = ScriptedModel(cell(f"a = 1\n__rlm__['data'] = lambda _: {lie}\nFinal = a"), cell("Final = len(P)"))
    rlm = rlm_of(model, checkpointer=InMemorySaver(), sandbox=Sandbox(memory=1_000_000))
    rlm.invoke({"query": "first", "context": "text"}, THREAD)
    assert rlm.invoke({"query": "second", "context": "x" * 10_000_000}, THREAD)["answer"] == 10_000_000


def test_model_is_told_of_a_text_that_came_with_a_question_answered_directly() -> None:
    model = ScriptedModel(cell("Final = P"), cell("Final = P"))
    rlm = rlm_of(model, checkpointer=InMemorySaver())
    rlm.invoke({"query": "first", "context": "text"}, THREAD)
    rlm.invoke({"query": "second", "context": "a new text", "profile": "direct"}, THREAD)
    assert rlm.invoke({"query": "third"}, THREAD)["answer"] == "a new text"
    assert "10 characters" in model.turns[1].told


@pytest.mark.parametrize("second", ["rlm", "direct"])
def test_counters_answer_and_status_start_over_with_each_question(saver: Any, second: str) -> None:
    model = ScriptedModel(
        cell("x = llm_query('a')"), cell("Final = 'late'"), cell("Final = llm_query('b')"), answer=lambda _: "said"
    )
    rlm = rlm_of(model, checkpointer=saver, limits=Limits(max_steps=1))
    first = rlm.invoke({"query": "first", "context": "text"}, THREAD)
    assert (first["status"], first["steps"], first["subcalls"], len(first["trajectory"])) == ("limit", 2, 1, 2)
    out = rlm.invoke({"query": "second", "profile": second}, THREAD)
    turns = 1 if second == "rlm" else 0
    assert (out["answer"], out["status"]) == ("said", "answered")
    assert (out["steps"], out["subcalls"], len(out["trajectory"])) == (turns, turns, turns)
    assert out["usage"]["scripted-1"]["total_tokens"] == 15 * (turns + 1)


def test_limits_start_over_with_each_question(saver: Any) -> None:
    code = cell("Final = llm_batch(['x'] * 3)")
    rlm = rlm_of(ScriptedModel(code, code), checkpointer=saver, limits=Limits(max_subcalls=3, max_tokens=100))
    for given in ({"query": "first", "context": "text"}, {"query": "second"}):
        assert len(rlm.invoke(given, THREAD)["answer"]) == 3


def test_answer_of_the_question_before_is_not_the_answer_of_the_next() -> None:
    model = ScriptedModel(cell("Final = 'first'"), cell("print(Final)"), "FINAL_VAR: Final", cell("FINAL('second')"))
    rlm = rlm_of(model, checkpointer=InMemorySaver())
    rlm.invoke({"query": "first", "context": "text"}, THREAD)
    out = rlm.invoke({"query": "second"}, THREAD)
    assert out["answer"] == "second"
    assert out["trajectory"][0]["output"] == "Final is not set\n"


def test_query_and_profile_do_not_leak_into_the_next_question(saver: Any) -> None:
    rlm = rlm_of(ScriptedModel(cell("Final = P")), checkpointer=saver)
    out = rlm.invoke({"query": "Q1", "context": "text", "profile": "direct"}, THREAD)
    assert (out["route"], out["profile"]) == ("direct", "direct")
    assert "query" not in rlm.get_state(THREAD).values
    out = rlm.invoke({"messages": [HumanMessage("Q2")]}, THREAD)
    assert (out["route"], out["profile"]) == ("rlm", "rlm")


def test_threads_know_nothing_of_each_other(saver: Any) -> None:
    model = ScriptedModel(cell("mine = P\nFinal = 1"), cell("Final = mine"))
    rlm = rlm_of(model, checkpointer=saver)
    for config, text in ((THREAD, "one"), (OTHER, "two")):
        rlm.invoke({"query": "first", "context": text}, config)
    assert [rlm.invoke({"query": "second"}, config)["answer"] for config in (THREAD, OTHER)] == ["one", "two"]


def stored(path: Path, text: str, *cells: str) -> int:
    """Bytes on disk after a run of these cells."""
    with closing(sqlite3.connect(path, check_same_thread=False)) as connection:
        model = ScriptedModel(*map(cell, cells), cell("Final = 1"))
        rlm_of(model, checkpointer=SqliteSaver(connection), limits=Limits(max_steps=100)).invoke(
            {"query": QUERY, "context": text}, THREAD
        )
    return path.stat().st_size


def test_step_stores_what_it_added_and_not_the_history_again(tmp_path: Path) -> None:
    steps = {n: stored(tmp_path / str(n), "text", *["print('x' * 5_000)"] * n) for n in (10, 20, 30)}
    assert steps[30] - steps[20] < 1.2 * (steps[20] - steps[10])


# -- conversations ----------------------------------------------------------------------------------------------------


def test_conversation_is_rebuilt_as_the_text_of_each_run(saver: Any) -> None:
    model = ScriptedModel(cell("seen = ctx.documents()\nFinal = 'one'"), cell("Final = [seen, ctx.documents()]"))
    rlm = rlm_of(model, checkpointer=saver)
    rlm.invoke({"messages": [HumanMessage("hello")]}, THREAD)
    out = rlm.invoke({"messages": [HumanMessage("again")]}, THREAD)
    assert out["answer"] == [["hello"], ["hello", "one", "again"]]
    assert [message.type for message in out["messages"]] == ["human", "ai", "human", "ai"]


def test_context_given_once_stays_the_text_of_a_conversation(saver: Any) -> None:
    model = ScriptedModel(cell("Final = P"), cell("Final = P"))
    rlm = rlm_of(model, checkpointer=saver)
    rlm.invoke({"messages": [HumanMessage("hello")], "context": "the book"}, THREAD)
    assert rlm.invoke({"messages": [HumanMessage("again")]}, THREAD)["answer"] == "the book"


# -- refused inputs ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "refused",
    [
        {"query": ""},
        {"query": 5},
        {"query": "q", "context": ""},
        {"query": "q", "context": []},
        {"query": "q", "context": 5},
        {"query": "q", "profile": "fastest"},
        {"context": "a new text"},
        {"messages": []},
        {"messages": [AIMessage("hi")]},
        {"messages": [HumanMessage("")]},
        {"messages": [AIMessage("hi")], "context": "a new text"},
        {"messages": 5},
    ],
    ids=repr,
)
@pytest.mark.parametrize("fresh", [False, True], ids=["used thread", "fresh thread"])
def test_refused_input_leaves_the_thread_as_it_was(refused: Any, fresh: bool) -> None:
    rlm = rlm_of(ScriptedModel(cell("n = 1\nFinal = P"), cell("Final = [n, P]")), checkpointer=InMemorySaver())
    if not fresh:
        rlm.invoke({"query": "first", "context": "text"}, THREAD)
    before = rlm.get_state(THREAD)
    with pytest.raises(RLMError):
        rlm.invoke(refused, THREAD)
    after = rlm.get_state(THREAD)
    assert (after.values, after.next, after.config) == (before.values, before.next, before.config)
    if not fresh:
        assert rlm.invoke({"query": "second"}, THREAD)["answer"] == [1, "text"]


def test_question_without_a_context_leaves_a_fresh_thread_fresh() -> None:
    rlm = rlm_of(ScriptedModel(cell("Final = P")), checkpointer=InMemorySaver())
    with pytest.raises(ContextError):
        rlm.invoke({"query": "q"}, THREAD)
    assert rlm.get_state(THREAD).values == {}
    assert rlm.invoke({"query": "q", "context": "text"}, THREAD)["answer"] == "text"


# -- interrupts -------------------------------------------------------------------------------------------------------


def test_cell_can_be_seen_and_edited_before_it_runs(saver: Any) -> None:
    model = ScriptedModel(cell("Final = 'written'"))
    rlm = rlm_of(model, checkpointer=saver, interrupt_before=["execute"])
    rlm.invoke({"query": QUERY, "context": "text"}, THREAD)
    state = rlm.get_state(THREAD)
    assert (state.next, state.values["code"]) == (("execute",), "Final = 'written'")
    rlm.update_state(THREAD, {"code": "Final = 'edited'"})
    out = rlm.invoke(None, THREAD)
    assert (out["answer"], out["trajectory"][0]["code"]) == ("edited", "Final = 'edited'")


def test_reply_without_code_can_be_given_some(saver: Any) -> None:
    rlm = rlm_of(ScriptedModel("I do not know."), checkpointer=saver, interrupt_before=["execute"])
    rlm.invoke({"query": QUERY, "context": "text"}, THREAD)
    rlm.update_state(THREAD, {"code": "Final = len(P)"})
    assert rlm.invoke(None, THREAD)["answer"] == 4


def test_edited_code_leaves_the_thread_usable(saver: Any) -> None:
    model = ScriptedModel(cell("a = 1"), cell("Final = a"))
    rlm = rlm_of(model, checkpointer=saver, interrupt_before=["execute"])
    rlm.invoke({"query": QUERY, "context": "text"}, THREAD)
    rlm.update_state(THREAD, {"code": "a = llm_query('x')"})
    assert resumed(rlm)["answer"] == "answer to x"


CODE = """
seen = []
for x in ["a", "b", "c"]:
    print("before", x)
    seen.append(llm_query(x))
    print("after", x)
"""


@pytest.mark.parametrize("anew", [False, True], ids=["same graph", "another graph each time"])
def test_run_goes_on_in_the_middle_of_a_cell(saver: Any, anew: bool) -> None:
    model = ScriptedModel(cell("start = 1"), cell(CODE), cell("Final = [start, seen, len(P)]"), answer=str.upper)

    def make() -> Graph:
        return rlm_of(model, checkpointer=saver, interrupt_before=["subcall"])

    rlm = make()
    rlm.invoke({"query": QUERY, "context": "text"}, THREAD)
    out: dict[str, Any] = {}
    for asked in itertools.count():
        assert len(model.asked) == asked
        if not rlm.get_state(THREAD).next:
            break
        rlm = make() if anew else rlm
        out = rlm.invoke(None, THREAD)
    assert out["answer"] == [1, ["A", "B", "C"], 4]
    assert (sorted(model.asked), len(model.turns)) == (["a", "b", "c"], 3)
    assert out["trajectory"][1]["output"] == "".join(f"before {x}\nafter {x}\n" for x in "abc")
    assert [call["prompt"] for call in out["trajectory"][1]["subcalls"]] == ["a", "b", "c"]
    assert (out["steps"], out["subcalls"], out["usage"]["scripted-1"]["total_tokens"]) == (3, 3, 90)


def test_broken_rest_of_a_resumed_cell_puts_the_repl_back_before_the_cell(saver: Any) -> None:
    model = ScriptedModel(
        cell("a = 1"),
        cell("a = 2\nllm_query('x')\nwhile True: pass"),
        cell("Final = [a, SHOW_VARS()]"),
        answer=str.upper,
    )
    settings: dict[str, Any] = {"checkpointer": saver, "interrupt_before": ["subcall"], "sandbox": Sandbox(timeout=0.3)}
    rlm_of(model, **settings).invoke({"query": QUERY, "context": "text"}, THREAD)
    out = rlm_of(model, **settings).invoke(None, THREAD)
    assert out["answer"] == [1, "a: int"]
    assert "a (int" in model.turns[2].told


def test_run_goes_on_in_the_middle_of_a_childs_cell(saver: Any) -> None:
    model = ScriptedModel(
        script={
            "Question: root": [cell("x = [rlm_query('child', c) for c in 'ab']\nFinal = x")],
            "Question: child": [cell("mine = P"), cell("y = [llm_query(c) for c in 'xy']\nFinal = mine + str(y)")],
        },
        answer=str.upper,
    )
    settings: dict[str, Any] = {"checkpointer": saver, "interrupt_before": ["subcall"]}
    rlm_of(model, **settings).invoke({"query": "root", "context": "text"}, THREAD)
    out: dict[str, Any] = {}
    while rlm_of(model, **settings).get_state(THREAD).next:
        out = rlm_of(model, **settings).invoke(None, THREAD)
    assert out["answer"] == ["a['X', 'Y']", "b['X', 'Y']"]
    assert (len(model.turns), model.asked) == (5, ["x", "y", "x", "y"])
    assert (out["steps"], out["subcalls"]) == (5, 6)


def test_batch_of_children_goes_on_after_interrupts_in_each(saver: Any) -> None:
    model = ScriptedModel(
        script={
            "Question: root": [cell("Final = rlm_query_batched(['child ' + c for c in 'abc'])")],
            "Question: child": [cell("Final = llm_query(P) + llm_query(P[-1])")],
        },
        answer=str.upper,
    )
    rlm = rlm_of(model, checkpointer=saver, interrupt_before=["subcall"])
    rlm.invoke({"query": "root", "context": "text"}, THREAD)
    assert resumed(rlm)["answer"] == ["CHILD AA", "CHILD BB", "CHILD CC"]
    assert len(model.calls) == 10


def test_run_goes_on_after_a_model_failed(saver: Any) -> None:
    replies: list[Callable[[Any], str]] = []

    def turn(_: Any) -> str:
        if not replies:
            raise ValueError("down")
        return cell("Final = seen")

    model = ScriptedModel(cell(CODE), turn, answer=str.upper)
    rlm = rlm_of(model, checkpointer=saver)
    with pytest.raises(ValueError, match="down"):
        rlm.invoke({"query": QUERY, "context": "text"}, THREAD)
    replies.append(turn)
    assert rlm_of(model, checkpointer=saver).invoke(None, THREAD)["answer"] == ["A", "B", "C"]
    assert sorted(model.asked) == ["a", "b", "c"]


@pytest.mark.parametrize("first_cell", [True, False], ids=["no cell before", "a cell before"])
def test_new_question_drops_a_cell_that_was_left_in_its_middle(saver: Any, first_cell: bool) -> None:
    code = "seen = 'left'\nprint('lost')\nllm_query('x')"
    last = cell("try:\n    seen\nexcept NameError:\n    Final = len(P)")
    model = ScriptedModel(*([] if first_cell else [cell("a = 1")]), cell(code), last)
    settings: dict[str, Any] = {"checkpointer": saver, "interrupt_before": ["subcall"]}
    rlm_of(model, **settings).invoke({"query": "first", "context": "text"}, THREAD)
    out = rlm_of(model, **settings).invoke({"query": "second"}, THREAD)
    assert (out["answer"], out["steps"], out["subcalls"], model.asked) == (4, 1, 0, [])
    assert "second" in model.turns[-1].told
    assert len(out["trajectory"]) == 1


def test_new_question_with_a_new_text_drops_a_cell_that_was_left_in_its_middle(saver: Any) -> None:
    model = ScriptedModel(cell("a = 1"), cell("a = 2\nllm_query('x')"), cell("Final = [a, P, peek()]"))
    rlm = rlm_of(model, checkpointer=saver, interrupt_before=["subcall"])
    rlm.invoke({"query": "first", "context": "text"}, THREAD)
    assert rlm.invoke({"query": "second", "context": "new"}, THREAD)["answer"] == [1, "new", "new"]


def test_thread_can_be_forked_where_a_cell_waits(saver: Any) -> None:
    model = ScriptedModel(
        cell("seen = []\nfor x in 'ab':\n    seen.append(llm_query(x))\nFinal = seen"), answer=str.upper
    )
    rlm = rlm_of(model, checkpointer=saver, interrupt_before=["subcall"])
    rlm.invoke({"query": QUERY, "context": "text"}, THREAD)
    fork = rlm.get_state(THREAD).config
    assert resumed(rlm)["answer"] == ["A", "B"]
    rlm.invoke(None, fork)
    assert resumed(rlm)["answer"] == ["A", "B"]


def test_interrupt_before_each_node_changes_nothing(saver: Any) -> None:
    model = ScriptedModel(
        script={
            "Question: root": [cell("x = rlm_query('child', 'abc')"), cell("Final = x")],
            "Question: child": [cell("Final = llm_query(P)")],
        }
    )
    rlm = rlm_of(model, checkpointer=saver, interrupt_before="*", interrupt_after="*")
    rlm.invoke({"query": "root", "context": "text"}, THREAD)
    assert resumed(rlm)["answer"] == "answer to abc"
    assert len(model.calls) == 4


# -- files ------------------------------------------------------------------------------------------------------------


def test_files_are_read_again_and_a_changed_one_is_an_error(saver: Any, tmp_path: Path) -> None:
    path = tmp_path / "book.txt"
    path.write_text("a book " * 100)
    model = ScriptedModel(cell("Final = P.count('book')"), cell("Final = P.count('a')"))
    rlm_of(model, checkpointer=saver).invoke({"query": "first", "context": Context.from_files(path)}, THREAD)
    assert rlm_of(model, checkpointer=saver).invoke({"query": "second"}, THREAD)["answer"] == 100
    path.write_text("another book")
    with pytest.raises(ContextError, match=r"book\.txt"):
        rlm_of(model, checkpointer=saver).invoke({"query": "third"}, THREAD)


# -- async ------------------------------------------------------------------------------------------------------------


async def test_async_thread_keeps_the_repl_and_goes_on_in_the_middle_of_a_cell() -> None:
    model = ScriptedModel(cell("a = 1\nFinal = a"), cell(CODE), cell("Final = [a, seen]"), answer=str.upper)
    async with AsyncSqliteSaver.from_conn_string(":memory:") as saver:
        settings: dict[str, Any] = {"checkpointer": saver, "interrupt_before": ["subcall"]}
        await rlm_of(model, **settings).ainvoke({"query": "first", "context": "text"}, THREAD)
        out = await rlm_of(model, **settings).ainvoke({"query": "second"}, THREAD)
        while (await rlm_of(model, **settings).aget_state(THREAD)).next:
            out = await rlm_of(model, **settings).ainvoke(None, THREAD)
    assert out["answer"] == [1, ["A", "B", "C"]]
    assert sorted(model.asked) == ["a", "b", "c"]
