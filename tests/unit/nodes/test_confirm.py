"""Somebody agrees to large fan-outs, to some of one, or not at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, StateSnapshot

from langgraph_rlm import Limits
from tests.fakes import QUERY, ScriptedModel, cell, rlm_of

THREAD: Any = {"configurable": {"thread_id": "1"}}
GIVEN = {"query": QUERY, "context": "text"}
REFUSED = "Error: not asked: the user did not agree to so many sub-calls"


@pytest.fixture
def saver(tmp_path: Path) -> Iterator[SqliteSaver]:
    with closing(sqlite3.connect(tmp_path / "runs.db", check_same_thread=False)) as connection:
        yield SqliteSaver(connection)


def asking(prompts: int, above: int = 2, saver: Any = None, **limits: Any) -> tuple[Any, ScriptedModel]:
    model = ScriptedModel(
        cell(f"answers = llm_batch([f'p{{i}}' for i in range({prompts})])\nFinal = answers"), answer=str.upper
    )
    limits = {"confirm_above": above, **limits}
    return rlm_of(model, checkpointer=saver or InMemorySaver(), limits=Limits(**limits)), model


def test_fan_out_up_to_the_limit_is_asked_at_once() -> None:
    rlm, _ = asking(2)
    assert rlm.invoke(GIVEN, THREAD)["answer"] == ["P0", "P1"]


def test_larger_fan_out_waits_and_tells_what_it_will_ask() -> None:
    rlm, model = asking(3)
    [interrupt] = rlm.invoke(GIVEN, THREAD)["__interrupt__"]
    assert model.asked == []
    told = interrupt.value
    assert [asked["prompt"] for asked in told["prompts"]] == ["p0", "p1", "p2"]
    assert (told["count"], told["characters"], told["depth"], told["step"]) == (3, 6, 0, 1)
    assert "llm_batch" in told["code"]
    assert "resume" in told["how"]
    assert rlm.get_state(THREAD).next == ("confirm",)


@pytest.mark.parametrize(
    ("said", "answers"),
    [
        (True, ["P0", "P1", "P2"]),
        (5, ["P0", "P1", "P2"]),
        (2, ["P0", "P1", REFUSED]),
        ([2], [REFUSED, REFUSED, "P2"]),
        ([2, 0], ["P0", REFUSED, "P2"]),
        (False, [REFUSED] * 3),
        (0, [REFUSED] * 3),
        ([], [REFUSED] * 3),
        ([True, False, True], ["P0", REFUSED, "P2"]),
        ("yes", ["P0", "P1", "P2"]),
        (["p2", "p0"], ["P0", REFUSED, "P2"]),
        ("too expensive", ["Error: not asked: too expensive"] * 3),
    ],
    ids=str,
)
@pytest.mark.parametrize("is_async", [False, True])
async def test_run_goes_on_with_what_was_agreed_to(said: Any, answers: list[str], is_async: bool) -> None:
    rlm, model = asking(3)
    rlm.invoke(GIVEN, THREAD)
    resume: Any = Command(resume=said)
    out = await rlm.ainvoke(resume, THREAD) if is_async else rlm.invoke(resume, THREAD)
    assert out["answer"] == answers
    asked = [answer for answer in answers if not answer.startswith("Error")]
    assert (sorted(prompt.upper() for prompt in model.asked), out["subcalls"]) == (asked, len(asked))
    assert len(model.turns) == 1


@pytest.mark.parametrize("said", [-1, 1.5, {"type": "accept"}, ["p7"], [7], ["p0", 1], [True], [True, 2, 1]], ids=str)
def test_what_is_no_answer_is_asked_about_again(said: Any) -> None:
    rlm, model = asking(3)
    rlm.invoke(GIVEN, THREAD)
    [interrupt] = rlm.invoke(Command(resume=said), THREAD)["__interrupt__"]
    assert repr(said) in interrupt.value["problem"]
    assert model.asked == []
    assert rlm.invoke(Command(resume=1), THREAD)["answer"] == ["P0", REFUSED, REFUSED]


def test_run_waits_for_consent_in_another_process_too(saver: Any) -> None:
    rlm, _ = asking(3, saver=saver)
    rlm.invoke(GIVEN, THREAD)
    again, model = asking(3, saver=saver)
    assert again.invoke(Command(resume=True), THREAD)["answer"] == ["P0", "P1", "P2"]
    assert (len(model.turns), sorted(model.asked)) == (0, ["p0", "p1", "p2"])


def test_refused_prompts_are_given_back_to_the_limit() -> None:
    code = "a = llm_batch(['x'] * 4)\nb = llm_batch(['y'] * 3)\nFinal = len(a) + len(b)"
    rlm = rlm_of(
        ScriptedModel(cell(code)), checkpointer=InMemorySaver(), limits=Limits(confirm_above=3, max_subcalls=4)
    )
    rlm.invoke(GIVEN, THREAD)
    out = rlm.invoke(Command(resume=1), THREAD)
    assert (out["answer"], out["subcalls"]) == (7, 4)


def test_refusal_of_a_single_call_raises_where_code_can_catch_it() -> None:
    model = ScriptedModel(cell("try:\n    llm_query('x')\nexcept RuntimeError as error:\n    Final = str(error)"))
    rlm = rlm_of(model, checkpointer=InMemorySaver(), limits=Limits(confirm_above=0))
    rlm.invoke(GIVEN, THREAD)
    assert rlm.invoke(Command(resume="no"), THREAD)["answer"] == "not asked: no"


def test_children_wait_each_for_their_own_consent(saver: Any) -> None:
    model = ScriptedModel(
        script={
            "Question: root": [cell("Final = rlm_query_batched(['child ' + c for c in 'ab'])")],
            "Question: child": [cell("Final = llm_batch([P + c for c in 'xyz'])")],
        },
        answer=str.upper,
    )
    limits = Limits(confirm_above=2)
    rlm = rlm_of(model, checkpointer=saver, limits=limits)
    interrupts = rlm.invoke({"query": "root", "context": "text"}, THREAD)["__interrupt__"]
    assert sorted(interrupt.value["prompts"][0]["prompt"] for interrupt in interrupts) == ["child ax", "child bx"]
    assert {interrupt.value["depth"] for interrupt in interrupts} == {1}
    answers = {interrupt.id: interrupt.value["prompts"][0]["prompt"] == "child ax" for interrupt in interrupts}
    out = rlm_of(model, checkpointer=saver, limits=limits).invoke(Command(resume=answers), THREAD)
    assert out["answer"] == ['["CHILD AX", "CHILD AY", "CHILD AZ"]', str([REFUSED] * 3).replace("'", '"')]
    assert out["subcalls"] == 5


def test_node_of_an_app_waits_for_consent() -> None:
    rlm, _ = asking(3, saver=True)
    builder = StateGraph(MessagesState)
    builder.add_node("rlm", rlm)
    builder.add_edge(START, "rlm")
    builder.add_edge("rlm", END)
    app = builder.compile(checkpointer=InMemorySaver())
    assert app.invoke({"messages": [HumanMessage(QUERY)]}, THREAD)["__interrupt__"][0].value["count"] == 3
    out = app.invoke(Command(resume=2), THREAD)
    assert out["messages"][-1].text == str(["P0", "P1", REFUSED]).replace("'", '"')


def test_graph_shows_where_it_may_wait() -> None:
    rlm, _ = asking(1)
    drawn = {(edge.source, edge.target) for edge in rlm.get_graph().edges}
    assert {("execute", "confirm"), ("confirm", "subcall"), ("confirm", "execute"), ("execute", "subcall")} <= drawn
    plain = rlm_of(ScriptedModel())
    assert "confirm" not in plain.get_graph().nodes


# -- breakpoints ------------------------------------------------------------------------------------------------------


def test_breakpoint_before_a_fan_out_shows_what_it_will_ask(saver: Any) -> None:
    model = ScriptedModel(cell("Final = llm_batch(['what is it?', 'and this?'])"))
    rlm = rlm_of(model, checkpointer=saver, interrupt_before=["subcall"])
    rlm.invoke(GIVEN, THREAD)
    state = rlm.get_state(THREAD)
    assert state.next == ("subcall", "subcall")
    assert [asked["prompt"] for asked in state.values["pending"]] == ["what is it?", "and this?"]
    assert model.asked == []


def test_code_of_a_child_can_be_seen_and_edited(saver: Any) -> None:
    model = ScriptedModel(
        script={
            "Question: root": [cell("Final = rlm_query('child')")],
            "Question: child": [cell("Final = 'written'")],
        }
    )
    rlm = rlm_of(model, checkpointer=saver, interrupt_before=["execute"])
    rlm.invoke({"query": "root", "context": "text"}, THREAD)
    rlm.invoke(None, THREAD)
    [task] = rlm.get_state(THREAD, subgraphs=True).tasks
    child = task.state
    assert isinstance(child, StateSnapshot)
    assert (child.next, child.values["code"]) == (("execute",), "Final = 'written'")
    rlm.update_state(child.config, {"code": "Final = 'edited'"})
    out = rlm.invoke(None, THREAD)
    while rlm.get_state(THREAD).next:
        out = rlm.invoke(None, THREAD)
    assert out["answer"] == "edited"


def test_model_is_told_that_its_code_was_edited(saver: Any) -> None:
    model = ScriptedModel(cell("a = 1"), cell("Final = a"))
    rlm = rlm_of(model, checkpointer=saver, interrupt_before=["execute"])
    rlm.invoke(GIVEN, THREAD)
    rlm.update_state(THREAD, {"code": "a = 2"})
    rlm.invoke(None, THREAD)
    assert "changed before it ran" in model.turns[1].told
    assert "a = 2" in model.turns[1].told
    assert rlm.invoke(None, THREAD)["answer"] == 2


@pytest.mark.parametrize(("said", "asked"), [(True, 3), (False, 0)])
def test_prompts_for_which_no_sub_call_is_left_are_neither_asked_nor_given_back(said: bool, asked: int) -> None:
    again = cell("try:\n    Final = len(llm_batch(['x'] * 4))\nexcept RuntimeError as error:\n    Final = str(error)")
    first = cell("try:\n    a = ask_chunks_first('what', list('abcdef'))\nexcept RuntimeError:\n    pass")
    model = ScriptedModel(first, again, answer=lambda _: "NO_ANSWER")
    rlm = rlm_of(model, checkpointer=InMemorySaver(), limits=Limits(confirm_above=2, max_subcalls=3))
    assert rlm.invoke(GIVEN, THREAD)["__interrupt__"][0].value["count"] == 3
    out = rlm.invoke(Command(resume=said), THREAD)
    assert len(model.asked) == asked
    assert f"{3 - asked} of 3 are left" in out["answer"]


def test_interrupt_does_not_repeat_the_text() -> None:
    rlm = rlm_of(
        ScriptedModel(cell("Final = [len(a) for a in llm_batch([P] * 3)]")),
        checkpointer=InMemorySaver(),
        limits=Limits(confirm_above=2),
    )
    text = "apple pear " * 5_000
    [waits] = rlm.invoke({"query": QUERY, "context": text}, THREAD)["__interrupt__"]
    assert [len(request["prompt"]) for request in waits.value["prompts"]] == [2_003] * 3
    assert waits.value["characters"] == 3 * len(text)
    out = rlm.invoke(Command(resume=[request["prompt"] for request in waits.value["prompts"]]), THREAD)
    assert out["answer"] == [len("answer to ") + len(text)] * 3
