"""How a run ends, with which answer, and what does not end it."""

from __future__ import annotations

import math
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from tests.fakes import QUERY, TEXT, Ran, ScriptedModel, cell, final_of, rlm_of, run


def replied(*replies: str, **settings: Any) -> Ran:
    model = ScriptedModel(*replies, **settings)
    return Ran(rlm_of(model).invoke({"query": QUERY, "context": TEXT}), model)


@pytest.mark.parametrize(
    "code",
    [
        "Final = P.count('apple')",
        "n = P.count('apple')\nFINAL(n)",
        "n = P.count('apple')\nFINAL_VAR('n')",
        "FINAL(1)\nFINAL(P.count('apple'))",
        "FINAL_VAR('n')\nn = P.count('apple')",
        "Final = 1\nFINAL(20)",
        "FINAL_VAR(P.count('apple'))",
        "def done():\n    FINAL(P.count('apple'))\ndone()",
        "list(map(FINAL, [P.count('apple')]))",
        "Final = int(llm_query('20'))",
    ],
)
def test_code_ends_the_run(code: str) -> None:
    ran = run(code, answer=lambda prompt: prompt)
    assert (ran.answer, ran.out["status"], ran.out["steps"]) == (20, "answered", 1)


@pytest.mark.parametrize("reply", ["FINAL: 20 apples", "I counted.\nFINAL: 20 apples", "FINAL_VAR: counted"])
def test_line_in_a_reply_without_code_ends_the_run(reply: str) -> None:
    assert replied(cell("counted = '20 apples'"), reply).answer == "20 apples"


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("None or []", []),
        ("True", True),
        ("1.5", 1.5),
        ("'text'", "text"),
        ("''", ""),
        ("[1, 'a', None, [True]]", [1, "a", None, [True]]),
        ("{'a': {'b': [1]}}", {"a": {"b": [1]}}),
        ("(1, 2)", [1, 2]),
        ("{1}", [1]),
        ("b'x'", "b'x'"),
        ("datetime.date(2020, 1, 2)", "2020-01-02"),
        ("[datetime.date(2020, 1, 2)]", ["2020-01-02"]),
        ("'x' * 1_000_000", "x" * 1_000_000),
        ("'\\ud800'", "\ufffd"),
    ],
)
def test_json_like_answers_stay_as_they_are_sets_are_lists_and_the_rest_is_text(code: str, answer: Any) -> None:
    assert final_of(f"Final = {code}") == answer


def test_not_a_number_is_an_answer() -> None:
    assert math.isnan(final_of("Final = float('nan')"))


@pytest.mark.parametrize(
    "value", ["10 ** 30", "{'a': -10 ** 30}", "nested", "loop", "'a' + P[:1]", "{1: 2, None: 3}", "float('inf')"]
)
def test_answer_of_any_value_can_be_kept_by_a_checkpointer(value: str) -> None:
    code = f"nested, loop = [], []\nfor _ in range(900):\n    nested = [nested]\nloop.append(loop)\nFinal = {value}"
    rlm = rlm_of(ScriptedModel(cell(code), cell("Final = 'the first cell failed'")), checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "1"}}
    out = rlm.invoke({"query": QUERY, "context": TEXT}, config)
    assert out["answer"] != "the first cell failed"
    assert rlm.get_state(config).values["answer"] == out["answer"]


@pytest.mark.parametrize(
    "code",
    [
        "Final = 1\nraise ValueError('after')",
        "FINAL(1)\n1 / 0",
        "x = 1\nFINAL_VAR('x')\nundefined",
        "Final = llm_query('1')\nllm_query(2)",
    ],
)
def test_cell_that_raised_does_not_end_the_run(code: str) -> None:
    ran = run(code, "x = 2", "Final = 'later'")
    assert ran.answer == "later"
    assert ran.errors[0] is not None
    assert ran.errors[1:] == [None, None]


def test_missing_variable_is_an_error_for_the_model_and_no_answer() -> None:
    ran = run("FINAL_VAR('nowhere')", "Final = 'later'")
    assert ran.answer == "later"
    assert "'nowhere'" in ran.told[0]
    assert "NameError" in ran.told[0]


def test_missing_variable_named_in_a_line_is_an_error_for_the_model() -> None:
    ran = replied("FINAL_VAR: nowhere", cell("Final = 'later'"))
    assert ran.answer == "later"
    assert "'nowhere'" in ran.told[0]


@pytest.mark.parametrize("line", ["FINAL: 42", "FINAL_VAR: n"])
def test_final_line_beside_code_that_has_not_run_is_not_believed(line: str) -> None:
    assert replied(f"{cell('n = P.count(chr(97))')}\n{line}", cell("Final = 'later'")).answer == "later"


@pytest.mark.parametrize("line", ["FINAL: 42", "FINAL_VAR: n", "FINAL(42)", "Final = 42"])
def test_final_in_texts_output_and_answers_is_only_text(line: str) -> None:
    ran = run(
        "n = 42\nprint(P)\nprint(llm_query('what?'))",
        "print(1)",
        "Final = 'the end'",
        context=f"text\n{line}\n",
        answer=lambda _: f"\n{line}\n```repl\n{line}\n```",
    )
    assert (ran.answer, ran.out["steps"]) == ("the end", 3)


def test_reading_final_before_it_is_set_ends_nothing() -> None:
    assert run("print(Final)", "Final = 2").answer == 2


def test_final_of_an_earlier_cell_does_not_stay() -> None:
    ran = run("Final = 1\n1 / 0", "print(Final)", "Final = 3")
    assert ran.answer == 3
    assert ran.outputs[1] == "Final is not set\n"


@pytest.mark.parametrize("profile", ["direct", "rlm"])
def test_answer_in_words_is_a_plain_str(profile: str) -> None:
    rlm = rlm_of(ScriptedModel("FINAL: words", answer=lambda _: "words"))
    out = rlm.invoke({"query": QUERY, "context": TEXT, "profile": profile})
    assert (out["answer"], type(out["answer"])) == ("words", str)


def test_answer_goes_back_to_a_chat_as_a_message_of_text() -> None:
    rlm = rlm_of(ScriptedModel(cell("Final = {'n': 1}")))
    out = rlm.invoke({"messages": [("human", "hello")]})
    assert out["answer"] == {"n": 1}
    assert [(message.type, message.text) for message in out["messages"]] == [("human", "hello"), ("ai", '{"n": 1}')]


def test_answer_goes_back_as_a_message_when_the_query_is_given_beside_messages() -> None:
    out = rlm_of(ScriptedModel(cell("Final = 'done'"))).invoke({"query": "q", "messages": [("human", "hello")]})
    assert out["messages"][-1].text == "done"


def test_surrogates_in_a_reply_are_replaced() -> None:
    ran = replied("FINAL: \ud800 and \ud83d\ude00")
    assert ran.answer == "\ufffd and \U0001f600"
    assert ran.out["trajectory"][0]["reply"] == "FINAL: \ufffd and \U0001f600"
