"""How long replies to the code may be, and how many items `llm_map` has answered in one."""

from __future__ import annotations

import json
import math
from types import SimpleNamespace
from typing import Any

import pytest
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatResult
from langgraph.cache.memory import InMemoryCache
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import PrivateAttr

from langgraph_rlm import Router
from langgraph_rlm.asking.requests import Call, Request
from langgraph_rlm.repl import host, repeating, repl_state
from langgraph_rlm.repl.journal import Cell, Exchange
from langgraph_rlm.repl.printed import OutputCap, Printed
from tests.fakes import QUERY, TEXT, ScriptedModel, cell, error_of, rlm_of, run

GIVEN = {"query": QUERY, "context": TEXT}
THREAD: Any = {"configurable": {"thread_id": "1"}}
NUMBER = {"type": "integer"}


class Bounded(ScriptedModel):
    """Notes with which bounds it is asked."""

    _bounds: dict[str, Any] = PrivateAttr(default_factory=dict)

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        self._bounds[str(messages[-1].text)] = kwargs.get("max_tokens")
        return super()._generate(messages, stop, run_manager)


def mapped(prompt: str) -> str:
    """Answers to items of `llm_map`: each its own text."""
    if "several items" not in prompt:
        return prompt.rpartition("\n\n")[2]
    items = json.loads(prompt.rpartition("\n\n")[2])
    return json.dumps({"answers": [{"item": item["item"], "answer": item["text"]} for item in items]})


def windowed(tokens: int, *script: str) -> ScriptedModel:
    return ScriptedModel(*script, answer=mapped, profile={"max_input_tokens": tokens})


# -- max_tokens -------------------------------------------------------------------------------------------------------


def test_model_is_told_how_long_its_reply_may_be() -> None:
    code = (
        "a = llm_query('a', max_tokens=7)\nb = llm_batch(['b', 'c'], max_tokens=8)\nd = llm_query('d')\n"
        f"e = llm_query('5', schema={NUMBER}, max_tokens=9)\nFinal = [a, *b, d, e]"
    )
    model = Bounded(script=[cell(code)], answer=str)
    assert rlm_of(model).invoke(GIVEN)["answer"] == ["a", "b", "c", "d", 5]
    assert {prompt: model._bounds[prompt] for prompt in "abcd5"} == {"a": 7, "b": 8, "c": 8, "d": None, "5": 9}


def test_bound_of_llm_map_is_that_of_each_answer() -> None:
    model = Bounded(script=[cell("Final = llm_map('Say', ['a', 'b', 'x' * 30_000], max_tokens=10)")], answer=mapped)
    assert len(rlm_of(model).invoke(GIVEN)["answer"]) == 3
    together, alone = [bound for prompt, bound in model._bounds.items() if prompt.startswith("Say")]
    assert 2 * 10 < together < 100
    assert alone == 10


def test_equal_prompts_with_other_bounds_are_other_calls() -> None:
    code = "Final = [llm_query('x'), llm_query('x', max_tokens=5), llm_query('x', max_tokens=5)]"
    assert len(run(code, cache=InMemoryCache()).model.asked) == 2
    assert Request("llm", "x", max_tokens=5).key != Request("llm", "x").key
    assert Request.of(Request("llm", "x", max_tokens=5).stored) == Request("llm", "x", max_tokens=5)
    assert "max_tokens" not in Request("llm", "x").stored


def test_bound_is_there_after_a_resume() -> None:
    model, saver = Bounded(script=[cell("Final = llm_query('x', max_tokens=5)")]), InMemorySaver()
    waiting = rlm_of(model, checkpointer=saver, interrupt_before=["subcall"])
    waiting.invoke(GIVEN, THREAD)
    assert waiting.get_state(THREAD).values["pending"][0]["max_tokens"] == 5
    rlm_of(model, checkpointer=saver).invoke(None, THREAD)
    assert model._bounds["x"] == 5


@pytest.mark.parametrize(
    ("call", "why"),
    [
        ("llm_query('x', max_tokens=0)", "from 1"),
        ("llm_batch(['x'], max_tokens='5')", "max_tokens must be a whole number, not str"),
        ("llm_query('x', max_tokens=10**9)", "from 1"),
        ("rlm_query('x', 'y', max_tokens=5)", "max_tokens"),
    ],
)
def test_bound_that_is_none_costs_nothing(call: str, why: str) -> None:
    assert why in error_of(call)


def test_child_rlm_is_not_bound() -> None:
    script = {"Question: child": [cell("Final = len(P)")], QUERY: [cell("Final = llm_query('child', P, max_tokens=5)")]}
    model = Bounded(script=script)
    assert rlm_of(model, router=Router("rlm", subcall_direct_below=20)).invoke(GIVEN)["answer"] == str(len(TEXT))
    assert set(model._bounds.values()) == {None}


# -- llm_map ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("tokens", "calls"), [(4_000, 5), (32_000, 4), (128_000, 1), (1_000_000, 1)])
def test_group_of_llm_map_grows_with_the_window_of_the_model(tokens: int, calls: int) -> None:
    items = "items = [f'item {i}' for i in range(100)]\n"
    model = windowed(tokens, cell(f"{items}Final = llm_map('Say', items) == items"))
    out = rlm_of(model).invoke(GIVEN)
    assert (out["answer"], out["subcalls"]) == (True, calls)


def test_items_of_a_group_fit_the_window_of_the_model() -> None:
    code = "Final = len(llm_map('Say', ['x' * 1_500] * 4, model='small') + llm_map('Say', ['y' * 1_500] * 4))"
    small, large = windowed(4_000), windowed(200_000, cell(code))
    assert rlm_of(large, models={"small": small}).invoke(GIVEN)["answer"] == 8
    assert (len(small.asked), len(large.asked)) == (2, 1)


@pytest.mark.parametrize("dumps", [-1, math.inf], ids=["dumped at each stop", "never dumped"])
def test_groups_stay_where_another_model_goes_on(dumps: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repl_state, "DUMPS_WORTH", dumps)
    saver = InMemorySaver()
    code = cell("items = [str(i) for i in range(100)]\nsaid = llm_map('Say', items)\nFinal = said == items")
    rlm_of(windowed(32_000, code), checkpointer=saver, interrupt_before=["subcall"]).invoke(GIVEN, THREAD)
    other = windowed(1_000_000, code)
    out = rlm_of(other, checkpointer=saver).invoke(None, THREAD)
    assert (out["answer"], len(other.asked)) == (True, 4)


def test_cell_of_a_version_that_did_not_ask_for_groups_gets_its_own_again() -> None:
    def asked(*arguments: Any) -> Any:
        return SimpleNamespace(is_os_function=False, function_name="_host", args=arguments)

    call, said = Call([Request("llm", "x")], True), {"return_value": ["a"]}
    group: Any = {"return_value": {"characters": 100, "items": 3}}
    for kept, told in (([], host.SMALL_GROUP), ([Exchange(group)], group["return_value"])):
        ran = Cell("", "", {}, Printed(OutputCap(1, 1)), [*kept, Exchange(said, call.digest)])  # type: ignore[arg-type]
        again = repeating.repeating(ran, lambda asked: {"return_value": {}} if asked.args[0] == "group" else call)
        assert again(asked("group", None)) == {"return_value": told}
        assert again(asked("ask")) == said


# -- chunks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "chunks"),
    [
        ("ask_chunks('q', P, size=60)", 3),
        ("ask_chunks('q', P, size=60, overlap=30)", 5),
        ("ask_chunks('q', 'é' * 100, 30)", 4),
        ("ask_chunks('q', ['a' * 100, 'b' * 10], size=50)", 3),
        ("ask_chunks('q', ['a', 'b'])", 2),
        ("ask_chunks('q', 'x' * 50_000, overlap=10)", 3),
        ("ask_chunks_first('q', P, size=60) or [1] * 4", 4),
    ],
)
def test_chunks_are_as_long_as_the_code_says(call: str, chunks: int) -> None:
    assert run(f"Final = len({call})", answer=lambda _: "NO_ANSWER").answer == chunks


def test_chunks_are_those_of_ctx_and_overlap() -> None:
    ran = run("ask_chunks('q', P, size=60, overlap=20)\nFinal = ctx.chunk(60, 20)", answer=lambda _: "x")
    assert sorted(prompt.partition("\n\nAnswer")[2].partition("\n\n")[2] for prompt in ran.model.asked) == sorted(
        ran.answer
    )
    assert "overlap" in error_of("ask_chunks('q', P, size=5, overlap=5)")
    assert "more than" in error_of("ask_chunks('q', 'x' * 1_000_001, size=1)")
