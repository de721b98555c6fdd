"""What one question may spend: each limit, over the whole tree, with an answer or an error at its end."""

from __future__ import annotations

import asyncio
import copy
import pickle
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from langgraph_rlm import InvalidInput, LimitExceeded, Limits, Router, Sandbox, create_rlm
from tests.fakes import QUERY, TEXT, Ran, ScriptedModel, cell, rlm_of, run

THREAD: Any = {"configurable": {"thread_id": "1"}}
INPUT = {"query": QUERY, "context": TEXT}
CAUGHT = "try:\n    {}\nexcept RuntimeError as error:\n    print(error)"


def tree(root: str, child: str, limits: Limits, **settings: Any) -> Ran:
    """A root that runs `root` and ends with the variable `x`; its children run `child` and end with "c"."""
    model = ScriptedModel(
        script={
            "Question: root": [cell(root), cell("Final = x"), cell("Final = 'third'")],
            "Question: child": [cell(child), cell("Final = 'c'"), cell("Final = 'c'")],
        }
    )
    return Ran(rlm_of(model, limits=limits, **settings).invoke({"query": "root", "context": "text"}), model)


# -- steps ------------------------------------------------------------------------------------------------------------


def test_model_gets_one_last_turn_when_the_steps_are_used_up() -> None:
    ran = run("a = 1", "b = 1", "Final = 'last'", limits=Limits(max_steps=2))
    assert (ran.answer, ran.out["status"], ran.out["steps"]) == ("last", "limit", 3)
    assert "last turn" in ran.told[-1]
    assert "last turn" not in ran.told[0]


def test_answer_within_the_steps_is_not_at_the_limit() -> None:
    ran = run("a = 1", "Final = 2", limits=Limits(max_steps=2))
    assert (ran.answer, ran.out["status"]) == (2, "answered")


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("I could not find it.", "I could not find it."),
        ("FINAL: 3", "3"),
        (cell("print('still looking')"), None),
        (cell("1 / 0"), None),
        (cell("Final = 1 / 0"), None),
        (cell("Final = a +"), None),
        ("Final = a +\nprint(a)", None),
        (cell("Final = a\n1 / 0"), 1),
        (cell("Final = 5"), 5),
        (cell("Final = None"), None),
        ("", None),
    ],
)
def test_text_of_the_last_turn_is_the_answer_where_it_is_no_code(reply: str, answer: Any) -> None:
    out = rlm_of(ScriptedModel(cell("a = 1"), reply), limits=Limits(max_steps=1)).invoke(INPUT)
    assert (out["answer"], out["status"], out["steps"]) == (answer, "limit", 2)


@pytest.mark.parametrize("reply", ["FINAL: 3", "FINAL_VAR: a", cell("Final = a"), cell("Final = llm_query('x')")])
def test_last_turn_ends_as_any_other(reply: str) -> None:
    model = ScriptedModel(cell("a = '3'"), reply, answer=lambda _: "3")
    assert rlm_of(model, limits=Limits(max_steps=1)).invoke(INPUT)["answer"] == "3"


def test_steps_are_counted_for_each_rlm_on_its_own() -> None:
    ran = tree("x = rlm_query('child', 'text')", "a = 1", Limits(max_steps=2))
    assert (ran.answer, ran.out["status"], ran.out["steps"]) == ("c", "answered", 4)


def test_child_at_its_limit_answers_its_parent() -> None:
    model = ScriptedModel(
        script={
            "Question: root": [cell("Final = rlm_query('child', 'text')")],
            "Question: child": [cell("a = 1"), cell("Final = 'c'")],
        }
    )
    out = rlm_of(model, limits=Limits(max_steps=1)).invoke({"query": "root", "context": "text"})
    assert (out["answer"], out["status"], out["steps"]) == ("c", "answered", 3)


# -- sub-calls --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fan_out",
    [
        "llm_batch(['x'] * 4)",
        "rlm_query_batched(['x'] * 4)",
        "ask_chunks('x', ['y'] * 4)",
        "llm_batch(['x'] * 10_000)",
    ],
)
def test_fan_out_that_does_not_fit_asks_nobody_and_can_be_caught(fan_out: str) -> None:
    ran = run(CAUGHT.format(fan_out), "Final = llm_batch(['a'] * 3)", limits=Limits(max_subcalls=3))
    assert ran.errors == [None, None]
    assert "3 of 3" in ran.outputs[0]
    assert ran.answer == ["answer to a"] * 3
    assert ran.model.asked == ["a"] * 3
    assert ran.out["status"] == "answered"


def test_refused_call_says_how_many_are_left() -> None:
    ran = run("llm_batch(['x'] * 5)", CAUGHT.format("llm_batch(['y'] * 6)"), "Final = 0", limits=Limits(max_subcalls=7))
    assert "2 of 7" in ran.outputs[1]
    assert ran.out["subcalls"] == 5


def test_refused_call_that_is_not_caught_is_an_error_for_the_model() -> None:
    ran = run("llm_query('x')", "Final = 1", limits=Limits(max_subcalls=0))
    assert ran.answer == 1
    assert "RuntimeError" in ran.told[0]
    assert ran.model.asked == []


def test_sub_calls_are_counted_over_the_tree() -> None:
    child = "try:\n    llm_batch(['y'] * 3)\nexcept RuntimeError as error:\n    print(error)\nllm_query('z')"
    ran = tree("x = rlm_query('child', 'text')", child, Limits(max_subcalls=3))
    assert (ran.answer, ran.out["subcalls"], ran.model.asked) == ("c", 2, ["z"])


@pytest.mark.parametrize(
    "code", ["llm_query('x')", "rlm_query('child', 'text')", CAUGHT.format("llm_batch(['x'] * 9)")]
)
def test_exceeded_sub_calls_leave_the_graph_when_asked_to(code: str) -> None:
    with pytest.raises(LimitExceeded) as raised:
        run(code, "Final = 1", limits=Limits(max_subcalls=0, on_exceeded="raise"))
    assert (raised.value.limit, raised.value.allowed) == ("max_subcalls", 0)
    assert raised.value.used >= 1


# -- tokens and seconds -----------------------------------------------------------------------------------------------


def test_tokens_end_the_run_with_one_last_turn() -> None:
    ran = run("a = 1", "b = 1", "Final = 'last'", limits=Limits(max_tokens=30))
    assert (ran.answer, ran.out["status"], ran.out["steps"]) == ("last", "limit", 3)
    assert "max_tokens" in ran.told[-1]


def test_sub_calls_are_refused_when_the_tokens_are_spent() -> None:
    ran = run(CAUGHT.format("for _ in range(9): llm_query('x')"), "Final = 'last'", limits=Limits(max_tokens=45))
    assert (ran.answer, ran.out["status"], len(ran.model.asked)) == ("last", "limit", 2)
    assert "max_tokens" in ran.outputs[0]


def test_tokens_are_counted_over_the_tree() -> None:
    ran = tree("x = rlm_query('child', 'text')", "llm_query('y')", Limits(max_tokens=45))
    assert (ran.answer, ran.out["status"]) == ("c", "limit")
    assert "max_tokens" in ran.model.turns[-2].told
    assert len(ran.model.calls) == 5


@pytest.mark.parametrize("is_async", [False, True])
def test_tokens_are_overshot_by_no_more_than_the_calls_in_flight(is_async: bool) -> None:
    model = ScriptedModel(
        cell("answers = llm_batch([str(i) for i in range(50)])"), cell("Final = answers"), latency=0.001
    )
    rlm = rlm_of(model, limits=Limits(max_tokens=45), max_concurrency=1)
    out = asyncio.run(rlm.ainvoke(INPUT)) if is_async else rlm.invoke(INPUT)
    assert (len(model.asked), out["status"]) == (2, "limit")
    assert sum("max_tokens" in answer for answer in out["answer"]) == 48


def test_seconds_end_the_run_with_one_last_turn() -> None:
    ran = run("Final = 'last'", limits=Limits(max_seconds=0))
    assert (ran.answer, ran.out["status"], ran.out["steps"]) == ("last", "limit", 1)
    assert "last turn" in ran.model.turns[0].told


def test_seconds_refuse_sub_calls() -> None:
    ran = run("x = 1\nllm_query('x')", limits=Limits(max_seconds=0))
    assert (ran.model.asked, ran.out["status"]) == ([], "limit")


def test_question_that_one_call_answers_is_answered_at_a_limit_too() -> None:
    rlm = create_rlm(ScriptedModel(answer=lambda _: "20"), limits=Limits(max_seconds=0))
    assert rlm.invoke(INPUT)["answer"] == "20"


@pytest.mark.parametrize(
    ("limit", "allowed"), [("max_steps", 1), ("max_tokens", 15), ("max_subcalls", 0), ("max_seconds", 0)]
)
@pytest.mark.parametrize("is_async", [False, True])
def test_limit_leaves_the_graph_as_an_error_when_asked_to(limit: str, allowed: int, is_async: bool) -> None:
    rlm = rlm_of(
        ScriptedModel(cell(CAUGHT.format("llm_query('x')")), cell("Final = 1")),
        limits=Limits(**{limit: allowed, "on_exceeded": "raise"}),  # type: ignore[arg-type]
    )
    with pytest.raises(LimitExceeded, match=f"{limit}.*Limits") as raised:
        asyncio.run(rlm.ainvoke(INPUT)) if is_async else rlm.invoke(INPUT)
    assert (raised.value.limit, raised.value.allowed) == (limit, allowed)
    assert raised.value.used >= allowed


@pytest.mark.parametrize(
    ("limits", "child"),
    [
        (Limits(max_steps=1, on_exceeded="raise"), "a = 1"),
        (Limits(max_subcalls=1, on_exceeded="raise"), "llm_query('y')"),
        (Limits(max_tokens=30, on_exceeded="raise"), "llm_query('y')"),
    ],
)
@pytest.mark.parametrize("call", ["rlm_query('child', 'text')", "rlm_query_batched(['child'])"])
def test_limit_in_a_child_leaves_the_whole_graph(limits: Limits, child: str, call: str) -> None:
    with pytest.raises(LimitExceeded):
        tree(f"try:\n    x = {call}\nexcept Exception:\n    x = 0", child, limits)


def test_limit_error_survives_copying_between_processes() -> None:
    error = LimitExceeded("max_steps", 3, 2)
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (str(twin), twin.limit, twin.used, twin.allowed) == (str(error), "max_steps", 3, 2)


# -- a run that is interrupted ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "allowed"), [(Limits(max_subcalls=3), 3), (Limits(max_tokens=45), 2)], ids=["sub-calls", "tokens"]
)
def test_what_was_spent_before_an_interrupt_counts_after_it(limits: Limits, allowed: int) -> None:
    code = "n = 0\ntry:\n    for i in range(9):\n        llm_query('x')\n        n += 1\nexcept RuntimeError:\n    pass"
    model = ScriptedModel(cell(code), cell("Final = n"))
    rlm = rlm_of(model, limits=limits, checkpointer=InMemorySaver(), interrupt_before=["subcall"])
    out = rlm.invoke(INPUT, THREAD)
    while rlm.get_state(THREAD).next:
        out = rlm.invoke(None, THREAD)
    assert (out["answer"], len(model.asked)) == (allowed, allowed)


def test_what_a_child_spent_before_an_interrupt_counts_after_it() -> None:
    count = (
        "n = 0\ntry:\n    for i in range(9):\n        llm_query('x')\n        n += 1\nexcept RuntimeError:\n    pass"
    )
    model = ScriptedModel(
        script={
            "Question: root": [cell("x = rlm_query('child', 'text')"), cell("Final = x")],
            "Question: child": [cell(count), cell("Final = str(n)")],
        }
    )
    limits = Limits(max_subcalls=4)
    rlm = rlm_of(model, limits=limits, checkpointer=InMemorySaver(), interrupt_before=["subcall"])
    out = rlm.invoke({"query": "root", "context": "text"}, THREAD)
    while rlm.get_state(THREAD).next:
        out = rlm.invoke(None, THREAD)
    assert (out["answer"], len(model.asked), out["subcalls"]) == ("3", 3, 4)


# -- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        ({"max_steps": 0}, "max_steps=0"),
        ({"max_steps": True}, "max_steps=True"),
        ({"max_steps": "3"}, "max_steps='3'"),
        ({"max_subcalls": -1}, "max_subcalls=-1"),
        ({"max_depth": -1}, "max_depth=-1"),
        ({"max_tokens": 0}, "max_tokens=0"),
        ({"max_seconds": -0.1}, "max_seconds=-0.1"),
        ({"max_seconds": float("nan")}, "max_seconds=nan"),
        ({"max_depth": 1.5}, "max_depth=1.5"),
        ({"max_steps": None}, "max_steps=None"),
        ({"on_exceeded": "stop"}, "on_exceeded='stop'"),
    ],
)
def test_limits_that_make_no_sense_are_refused(settings: dict[str, Any], wrong: str) -> None:
    with pytest.raises(InvalidInput, match=wrong):
        Limits(**settings)


@pytest.mark.parametrize(
    ("kind", "settings", "wrong"),
    [
        (Sandbox, {"timeout": 0}, "timeout=0"),
        (Sandbox, {"timeout": "5"}, "timeout='5'"),
        (Sandbox, {"memory": 0}, "memory=0"),
        (Sandbox, {"max_output": 0}, "max_output=0"),
        (Sandbox, {"max_live": 0}, "max_live=0"),
        (Router, {"profile": "fastest"}, "unknown profile 'fastest'"),
        (Router, {"direct_below": -1}, "direct_below=-1"),
        (Router, {"subcall_direct_below": "x"}, "subcall_direct_below='x'"),
        (Router, {"direct_share": -0.1}, "direct_share=-0.1"),
        (Router, {"direct_share": 0.6}, "direct_share=0.6"),
        (Router, {"direct_share": "much"}, "direct_share='much'"),
        (Router, {"direct_share": float("nan")}, "direct_share=nan"),
        (Router, {"extractors": len}, "extractors="),
        (Router, {"extractors": ("Total:",)}, "'Total:' is no plain function"),
    ],
)
def test_settings_that_make_no_sense_are_refused(kind: Any, settings: dict[str, Any], wrong: str) -> None:
    with pytest.raises(InvalidInput, match=wrong):
        kind(**settings)


def test_resume_that_names_the_latest_checkpoint_counts_what_finished_siblings_spent() -> None:
    each = (
        "n = 0\ntry:\n    for i in range(9):\n        llm_query('s')\n        n += 1\nexcept RuntimeError:\n    pass\n"
    )
    model = ScriptedModel(
        script={
            "Question: root": [cell("Final = rlm_query_batched(['child a', 'kid b'])")],
            "Question: child": [cell(f"z = llm_batch(['1', '2', '3'])\n{each}Final = n")],
            "Question: kid": [cell("for i in range(4): llm_query('k')\nFinal = 'kid'")],
        }
    )
    limits = Limits(confirm_above=2, max_subcalls=12)
    rlm = rlm_of(model, checkpointer=InMemorySaver(), limits=limits)
    rlm.invoke({"query": "root", "context": "text"}, {"configurable": {"thread_id": "1"}})
    head = rlm.get_state({"configurable": {"thread_id": "1"}}).config
    assert rlm.invoke(Command(resume=True), head)["subcalls"] == 12
