"""What hostile code and documents leave behind ends no run."""

from __future__ import annotations

import json
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from langgraph_rlm import InvalidInput, Limits, Sandbox
from langgraph_rlm.repl import repl_state
from tests.fakes import ScriptedModel, cell, error_of, final_of, rlm_of, run

THREAD: Any = {"configurable": {"thread_id": "1"}}
HALVES = {
    "literal": "import ast\nFinal = ast.literal_eval(P)",
    "tree": "import ast\nFinal = ast.unparse(ast.parse(P))",
    "header": "from email.header import decode_header, make_header\n"
    "Final = str(make_header(decode_header('=?utf-7?q?+2AA-?=')))",
    "text": "Final = __rlm__['_host']('standard', 'email.text', [b'+2AA-', 'utf-7', 'strict'])",
}


@pytest.mark.parametrize("code", HALVES.values(), ids=HALVES)
def test_half_of_a_surrogate_pair_is_an_error_in_the_cell(code: str) -> None:
    text = json.dumps("\ud83d\ude00")  # as documents that went through `repr` have emoji
    caught = f"try:\n    {code.replace(chr(10), chr(10) + '    ')}\nexcept Exception as error:\n    Final = 'caught'"
    for ran in (run(code, "Final = 'next'", context=text), run(caught, "Final = 'next'", context=text)):
        assert isinstance(ran.answer, str)
        ran.answer.encode()


def test_text_of_an_error_is_no_traceback() -> None:
    error = error_of("raise ValueError('\\n  File \"<python-input-1>\", line ' + '9' * 5000 + '\\n')")
    assert "ValueError" in error


TAMPERED = ("lambda: 5", "lambda: [[]]", "lambda: [1, {}]", "lambda: 1 / 0", "5", "lambda: {'a': object}", "hang")


@pytest.mark.parametrize("tampered", TAMPERED)
def test_names_of_properties_are_data_of_hostile_code(tampered: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repl_state, "DUMPS_WORTH", -1)
    ran = run(
        f"def hang():\n    while True: pass\n__rlm__['properties'] = {tampered}",
        "x = 'a' * 10**10",
        *["y = 1", "Final = 'end'"] * 3,
        checkpointer=InMemorySaver(),
        sandbox=Sandbox(timeout=0.3),
        limits=Limits(max_steps=4),
    ).out
    assert ran["status"] == "limit" if tampered == "hang" else ran["answer"] == "end"


@pytest.mark.parametrize("seconds", [1e300, 2e9, float("inf"), float("nan"), 0, -1])
def test_seconds_that_no_clock_has_are_refused(seconds: float) -> None:
    with pytest.raises(InvalidInput, match="a number of seconds is needed"):
        Sandbox(timeout=seconds)


def test_classes_are_known_after_a_resume_from_a_dump(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repl_state, "DUMPS_WORTH", -1)
    saver = InMemorySaver()
    cells = (
        cell(
            "class A:\n    @property\n    def total(self): return 7\n    def __len__(self): return 0\n"
            "class B(A):\n    pass\nb = B()"
        ),
        cell("x = llm_query('p')"),
        cell("Final = [str(b.total), 'full' if b else 'empty', isinstance(b, A)]"),
    )
    rlm_of(ScriptedModel(*cells), checkpointer=saver, interrupt_before=["subcall"]).invoke(
        {"query": "q", "context": "text"}, THREAD
    )
    out = rlm_of(ScriptedModel(*cells), checkpointer=saver).invoke(None, THREAD)
    assert out["answer"] == ["7", "empty", True]


def test_a_cell_without_tampering_has_its_properties() -> None:
    assert final_of("class A:\n    @property\n    def x(self): return 1\nFinal = A().x") == 1
