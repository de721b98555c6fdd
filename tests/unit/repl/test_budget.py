"""`budget()` in the REPL: what is left of the run."""

from __future__ import annotations

import math
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from langgraph_rlm import Limits, Router, Sandbox
from langgraph_rlm.repl import repl_state
from tests.fakes import QUERY, TEXT, ScriptedModel, cell, final_of, rlm_of, run

GIVEN = {"query": QUERY, "context": TEXT}
THREAD: Any = {"configurable": {"thread_id": "1"}}


def test_what_is_left_is_told_and_what_is_not_bounded_is_none() -> None:
    ran = run(
        "first = budget()\nllm_batch(['a', 'b'])",
        "Final = [first, budget()]",
        limits=Limits(max_steps=5, max_subcalls=9, max_tool_calls=3),
        sandbox=Sandbox(timeout=2.5, max_output=1_000),
    )
    unbounded = {"tool_calls": 3, "tokens": None, "seconds": None, "cell_seconds": 2.5, "output_characters": 1_000}
    assert ran.answer == [{"turns": 4, "subcalls": 9, **unbounded}, {"turns": 3, "subcalls": 7, **unbounded}]


def test_tokens_and_seconds_that_are_bounded_are_told() -> None:
    ran = run("llm_query('a')\nFinal = budget()", limits=Limits(max_tokens=1_000, max_seconds=600))
    assert ran.answer["tokens"] == 1_000 - 2 * 15
    assert 0 < ran.answer["seconds"] <= 600


def test_tools_count_and_sub_calls_that_there_are_not_are_none_left() -> None:
    def double(n: int) -> int:
        """Twice as much."""
        return 2 * n

    left = final_of("double(2)\nFinal = budget()", tools=[double], limits=Limits(max_depth=0, max_tool_calls=4))
    assert (left["tool_calls"], left["subcalls"]) == (3, 0)


def test_child_rlm_has_turns_of_its_own_and_shares_the_rest() -> None:
    script = {
        "Question: child": [cell("llm_query('x')"), cell("Final = json.dumps(budget())")],
        QUERY: [cell("import json\nsaid = json.loads(rlm_query('child', 'text'))\nFinal = [said, budget()]")],
    }
    rlm = rlm_of(ScriptedModel(script=script), limits=Limits(max_steps=6, max_subcalls=10), router=Router("rlm"))
    child, root = rlm.invoke(GIVEN)["answer"]
    assert (child["turns"], root["turns"]) == (4, 5)
    assert (child["subcalls"], root["subcalls"]) == (8, 8)


@pytest.mark.parametrize("dumps", [-1, math.inf], ids=["dumped at each stop", "never dumped"])
def test_cell_that_runs_again_is_told_the_same(dumps: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repl_state, "DUMPS_WORTH", dumps)
    saver, code = (
        InMemorySaver(),
        "kept = budget()\na = llm_query(str(kept['subcalls']))\nFinal = [kept['subcalls'], a]",
    )
    model = ScriptedModel(cell("x = budget()"), cell(code))
    rlm_of(model, checkpointer=saver, interrupt_before=["subcall"], limits=Limits(max_subcalls=9)).invoke(GIVEN, THREAD)
    out = rlm_of(model, checkpointer=saver, limits=Limits(max_subcalls=50)).invoke(None, THREAD)
    assert out["answer"] == [9, "answer to 9"]


def test_code_may_use_the_name_for_its_own() -> None:
    assert run("budget = 5\n1", "Final = budget + 1").answer == 6


def test_loop_that_asks_by_its_budget_is_looked_ahead_of() -> None:
    code = "said = []\nfor word in 'abc':\n    if budget()['subcalls'] > 1:\n        said.append(llm_query(word))"
    ran = run(code, "Final = said", limits=Limits(max_subcalls=3), answer=str.upper)
    assert ran.answer == ["A", "B"]
