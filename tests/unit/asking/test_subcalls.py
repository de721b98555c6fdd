"""Sub-calls: what is asked, of whom, how many at once, and what the code gets back."""

from __future__ import annotations

import asyncio
import sys
import threading
from typing import Any

import pytest
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatResult

from langgraph_rlm import InvalidInput, Limits, Router
from tests.fakes import QUERY, TEXT, Ran, ScriptedModel, cell, final_of, rlm_of, run


def fail(prompt: str) -> str:
    if "bad" in prompt:
        raise ValueError(f"cannot do {prompt}")
    return prompt.upper()


def nested(levels: int) -> ScriptedModel:
    """Each RLM asks the next one, down to `levels`; the last asks a plain call."""
    script = {
        f"Question: level {depth}": [
            cell(f"x = rlm_query('level {depth + 1}', 'text {depth + 1}')\nFinal = x + ' {depth}'")
        ]
        for depth in range(levels)
    }
    return ScriptedModel(script=script, answer=lambda prompt: f"plain {prompt!r}")


# -- what the code gets -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("count", [0, 1, 2, 40])
def test_answers_come_in_the_order_of_the_prompts(count: int, is_async: bool) -> None:
    model = ScriptedModel(cell(f"Final = llm_batch([str(i) for i in range({count})])"), latency=0.001)
    rlm = rlm_of(model)
    given = {"query": QUERY, "context": TEXT}
    out = asyncio.run(rlm.ainvoke(given)) if is_async else rlm.invoke(given)
    assert out["answer"] == [f"answer to {i}" for i in range(count)]
    assert sorted(model.asked, key=int) == [str(i) for i in range(count)]
    assert out["subcalls"] == count


def test_more_prompts_than_one_superstep_sends_are_all_answered_in_order() -> None:
    out = asyncio.run(
        rlm_of(
            ScriptedModel(cell("Final = llm_batch([str(i) for i in range(1_100)])"), answer=str),
            limits=Limits(max_subcalls=2_000),
        ).ainvoke({"query": QUERY, "context": TEXT})
    )
    assert out["answer"] == [str(i) for i in range(1_100)]


@pytest.mark.parametrize(
    "code",
    [
        "llm_batch(['vote'] * 5)",
        "[llm_query('vote') for _ in range(5)]",
        "rlm_query_batched(['vote'] * 5)",
        "ask_chunks('vote', ['x'] * 5)",
    ],
)
def test_equal_prompts_are_asked_as_often_as_they_are_written(code: str) -> None:
    ran = run(f"votes = {code}\nFinal = len(votes)", limits=Limits(max_depth=1))
    assert (ran.answer, len(ran.model.asked), ran.out["subcalls"]) == (5, 5, 5)


@pytest.mark.parametrize("name", ["llm_query", "rlm_query"])
@pytest.mark.parametrize("max_depth", [1, 2])
def test_prompt_that_fails_alone_raises_where_code_can_catch_it(name: str, max_depth: int) -> None:
    model = ScriptedModel(
        script={
            "Question: How": [cell(f"try:\n    {name}('bad')\nexcept RuntimeError as error:\n    Final = str(error)")],
            "Question: bad": [ValueError("cannot do bad")],
        },
        answer=fail,
    )
    out = rlm_of(model, limits=Limits(max_depth=max_depth)).invoke({"query": QUERY, "context": TEXT})
    assert "cannot do bad" in out["answer"]
    assert out["subcalls"] == 1


def test_failure_that_is_not_caught_is_an_error_for_the_model() -> None:
    ran = run("x = llm_query('bad')", "Final = 1", answer=fail)
    assert "cannot do bad" in ran.told[0]
    assert "line 1" in ran.told[0]


def test_prompt_that_fails_in_a_batch_is_its_error_and_the_others_stand() -> None:
    first, failed, last = final_of("Final = llm_batch(['a', 'bad', 'c'])", answer=fail)
    assert (first, last) == ("A", "C")
    assert "cannot do bad" in failed


def test_failure_with_surrogates_in_its_message_reaches_the_code() -> None:
    def answer(prompt: str) -> str:
        raise ValueError("\ud800")

    assert "\ufffd" in final_of("Final = llm_batch(['a'])[0]", answer=answer)


def test_surrogates_in_answers_are_cleaned() -> None:
    assert final_of("Final = llm_query('x')", answer=lambda _: "\ud83d\ude00 \ud800") == "\U0001f600 \ufffd"


def test_code_goes_on_at_the_call_where_it_stopped() -> None:
    code = """
seen = []
def visit(n):
    if n == 0:
        return [llm_query("leaf")]
    return visit(n - 1) + [llm_query(str(n))]
class Box:
    def __init__(self):
        self.items = visit(2)
for name in ["a", "b"]:
    try:
        seen.append([name, Box().items])
    finally:
        seen.append(llm_query(name))
Final = seen
"""
    items = ["LEAF", "1", "2"]
    assert final_of(code, answer=str.upper) == [["a", items], "A", ["b", items], "B"]


# -- what is asked ----------------------------------------------------------------------------------------------------


def test_prompt_is_asked_verbatim_and_followed_by_its_context() -> None:
    prompt = "  Keep {this}\n```exactly``` é \t"
    code = f"llm_query({prompt!r})\nllm_query({prompt!r}, 'the context')\nllm_query({prompt!r}, '')\nFinal = 1"
    ran = run(code, lookahead=False)
    plain, with_context, with_empty = ran.model.asked
    assert plain == prompt
    assert with_context.startswith(prompt)
    assert with_context.endswith("the context")
    assert with_empty.startswith(prompt)


def test_sub_model_answers_plain_calls_and_the_model_writes_all_code() -> None:
    script = {
        "Question: root": [cell("a = llm_query('leaf')\nFinal = a + rlm_query('child', 'text')")],
        "Question: child": [cell("Final = llm_query('deep leaf')")],
    }
    writer = ScriptedModel(script=script, reports="writer")
    reader = ScriptedModel(reports="reader", answer=lambda prompt: f"<{prompt}>")
    out = rlm_of(writer, sub_model=reader).invoke({"query": "root", "context": "text"})
    assert out["answer"] == "<leaf><deep leaf>"
    assert (len(writer.asked), reader.asked) == (0, ["leaf", "deep leaf"])
    assert {name: usage["total_tokens"] for name, usage in out["usage"].items()} == {"writer": 30, "reader": 30}


def test_unknown_model_is_refused_in_the_code() -> None:
    ran = run("llm_query('x', model='nobody')", "Final = 1")
    assert "nobody" in ran.told[0]
    assert ran.model.asked == []


# -- who is asked -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("max_depth", [1, 2, 3, 4])
def test_recursion_goes_as_deep_as_it_may_and_ends_in_a_plain_call(max_depth: int) -> None:
    model = nested(4)
    out = rlm_of(model, limits=Limits(max_depth=max_depth)).invoke({"query": "level 0", "context": "text 0"})
    assert len(model.turns) == max_depth
    [plain] = model.asked
    assert plain.startswith(f"level {max_depth}")
    assert out["answer"] == " ".join([f"plain {plain!r}", *(str(depth) for depth in reversed(range(max_depth)))])
    assert (out["steps"], out["subcalls"]) == (max_depth, max_depth)


def test_depth_0_has_no_sub_calls() -> None:
    ran = run("llm_query('x')", "Final = 1", limits=Limits(max_depth=0))
    assert "sub-calls are not available" in ran.told[0]
    assert ran.model.asked == []


@pytest.mark.parametrize(
    ("call", "is_child"),
    [
        ("llm_query('q')", False),
        ("llm_query('q', 'x' * 98)", False),
        ("llm_query('q', 'x' * 99)", False),
        ("llm_query('q', 'x' * 100)", True),
        ("llm_query('q' * 101)", True),
        ("llm_batch(['q', 'q' * 101])[1]", True),
        ("ask('q', 'x' * 100)", True),
        ("rlm_query('q')", True),
        ("rlm_query('q', 'x')", True),
        ("rlm_query_batched(['q'])[0]", True),
    ],
)
@pytest.mark.parametrize("max_depth", [1, 2])
def test_child_runs_where_the_call_wants_one_and_depth_allows_it(call: str, is_child: bool, max_depth: int) -> None:
    model = ScriptedModel(
        script={QUERY: [cell(f"Final = {call}")], "q": [cell("Final = 'child'")]}, answer=lambda _: "plain"
    )
    rlm = rlm_of(model, limits=Limits(max_depth=max_depth), router=Router(profile="rlm", subcall_direct_below=100))
    out = rlm.invoke({"query": QUERY, "context": TEXT})
    assert out["answer"] == ("child" if is_child and max_depth == 2 else "plain")


def test_child_gets_the_context_as_its_text_and_the_prompt_as_its_query() -> None:
    model = ScriptedModel(
        script={
            "Question: root": [cell("Final = rlm_query('child question', 'child text')")],
            "Question: child question": [cell("Final = P")],
        }
    )
    assert rlm_of(model).invoke({"query": "root", "context": "text"})["answer"] == "child text"


def test_child_without_context_gets_the_prompt_as_text_and_query() -> None:
    model = ScriptedModel(
        script={"Question: root": [cell("Final = rlm_query('child question')")], "Question: child": [cell("Final = P")]}
    )
    assert rlm_of(model).invoke({"query": "root", "context": "text"})["answer"] == "child question"


def test_long_prompt_without_context_is_the_childs_text_and_a_short_query() -> None:
    code = "prompt = 'child: ' + 'a' * 50_000 + 'NEEDLE' + 'b' * 50_000\nFinal = rlm_query(prompt)"
    model = ScriptedModel(
        script={"Question: root": [cell(code)], "Question: child": [cell("Final = [len(P), 'NEEDLE' in P]")]}
    )
    assert rlm_of(model).invoke({"query": "root", "context": "text"})["answer"] == "[100013, true]"
    assert len(model.turns[-1].told) < 5_000


def test_no_part_of_a_long_prompt_is_lost_when_it_has_a_context() -> None:
    code = "Final = rlm_query('child: ' + 'a' * 3_000 + 'NEEDLE' + 'b' * 3_000, 'the text')"
    model = ScriptedModel(
        script={"Question: root": [cell(code)], "Question: child": [cell("Final = ['NEEDLE' in P, 'the text' in P]")]}
    )
    in_text, has_context = rlm_of(model).invoke({"query": "root", "context": "text"})["answer"].strip("[]").split(", ")
    assert has_context == "true"
    assert in_text == "true" or "NEEDLE" in model.turns[-1].told


@pytest.mark.parametrize("prompt", ["''", "'  '", "'\\n'"])
@pytest.mark.parametrize("call", ["llm_query({})", "rlm_query({})", "rlm_query({}, 'text')", "rlm_query('q', {})"])
def test_empty_prompt_or_context_is_answered_or_refused_but_never_ends_the_run(call: str, prompt: str) -> None:
    model = ScriptedModel(
        script={
            QUERY: [
                cell(f"try:\n    Final = {call.format(prompt)}\nexcept RuntimeError as error:\n    Final = str(error)")
            ],
            "Question": [cell("Final = 'child'")],
        }
    )
    assert isinstance(rlm_of(model).invoke({"query": QUERY, "context": TEXT})["answer"], str)


@pytest.mark.parametrize("value", ["[1, {'a': None}]", "12", "True", "datetime.date(2020, 1, 2)"])
def test_answer_of_a_child_is_text_in_its_parent(value: str) -> None:
    model = ScriptedModel(
        script={
            "Question: root": [cell("x = rlm_query('child', 'text')\nFinal = [type(x).__name__, x]")],
            "Question: child": [cell(f"Final = {value}")],
        }
    )
    kind, text = rlm_of(model).invoke({"query": "root", "context": "text"})["answer"]
    assert kind == "str"
    assert text == {"[1, {'a': None}]": '[1, {"a": null}]', "True": "true", "12": "12"}.get(value, "2020-01-02")


# -- how many at once -------------------------------------------------------------------------------------------------


def fan_out_model(**settings: Any) -> ScriptedModel:
    """A root with 4 children, each of which asks 4 plain calls."""
    return ScriptedModel(
        script={
            "Question: root": [cell("Final = rlm_query_batched(['child ' + str(i) for i in range(4)])")],
            "Question: child": [cell("Final = llm_batch([str(i) for i in range(4)])")],
        },
        **settings,
    )


@pytest.mark.parametrize("width", [1, 2, 4, 16])
async def test_as_many_calls_as_allowed_are_in_flight_over_the_tree_and_no_more(width: int) -> None:
    together = asyncio.Barrier(width)

    class Meeting(ScriptedModel):
        async def _agenerate(self, messages: list[BaseMessage], *rest: Any, **more: Any) -> ChatResult:
            with self._noted(messages) as call:
                if not call.writes_code:
                    await together.wait()
                return self._result(self._reply_to(call))

    model = Meeting(script=fan_out_model().script)
    out = await asyncio.wait_for(
        rlm_of(model, max_concurrency=width).ainvoke({"query": "root", "context": "text"}), timeout=60
    )
    assert (len(model.calls), out["subcalls"]) == (21, 20)
    assert model.most_in_flight == width


@pytest.mark.parametrize("width", [1, 2, 3])
def test_no_more_calls_are_in_flight_than_allowed_in_threads(width: int) -> None:
    model = fan_out_model(latency=0.01)
    out = rlm_of(model, max_concurrency=width).invoke({"query": "root", "context": "text"})
    assert (len(model.calls), out["subcalls"]) == (21, 20)
    assert model.most_in_flight <= width


def test_batch_is_asked_at_once_in_threads() -> None:
    together = threading.Barrier(4, timeout=30)

    def answer(prompt: str) -> str:
        together.wait()
        return prompt

    assert final_of("Final = llm_batch(['a', 'b', 'c', 'd'])", answer=answer) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("max_concurrency", [0, -1, 1.5, "4", None, True])
def test_width_that_makes_no_sense_is_refused(max_concurrency: Any) -> None:
    with pytest.raises(InvalidInput, match="max_concurrency"):
        rlm_of(ScriptedModel(), max_concurrency=max_concurrency)


# -- what it cost -----------------------------------------------------------------------------------------------------


def test_usage_steps_and_sub_calls_are_of_the_whole_tree() -> None:
    model = fan_out_model()
    out = rlm_of(model).invoke({"query": "root", "context": "text"})
    assert (out["steps"], out["subcalls"]) == (5, 20)
    assert out["usage"] == {"scripted-1": {"input_tokens": 210, "output_tokens": 105, "total_tokens": 315}}


def test_usage_goes_by_class_name_where_the_model_reports_none() -> None:
    out = rlm_of(ScriptedModel(cell("Final = 1"), reports=None)).invoke({"query": QUERY, "context": TEXT})
    assert list(out["usage"]) == ["ScriptedModel"]


def test_what_a_failed_child_spent_is_counted() -> None:
    model = ScriptedModel(
        script={
            "Question: root": [cell("x = rlm_query_batched(['child'])[0]\nFinal = x")],
            "Question: child": [cell("llm_query('x')"), ValueError("down")],
        }
    )
    out = rlm_of(model).invoke({"query": "root", "context": "text"})
    assert "down" in out["answer"]
    assert (out["steps"], out["subcalls"], out["usage"]["scripted-1"]["total_tokens"]) == (2, 2, 45)


def test_trajectory_tells_what_was_asked_and_answered_in_order() -> None:
    ran: Ran = run("a = 1", "print('hi')\nllm_query('one')\nx = llm_batch(['bad', 'two'])\nFinal = 1", answer=fail)
    first, second = ran.out["trajectory"]
    assert (first["step"], first["code"], first["output"], first["error"], first["subcalls"]) == (
        1,
        "a = 1",
        "",
        None,
        [],
    )
    assert (second["step"], second["depth"], second["output"]) == (2, 0, "hi\n")
    assert [(call["prompt"], call.get("answer")) for call in second["subcalls"]] == [
        ("one", "ONE"),
        ("bad", None),
        ("two", "TWO"),
    ]
    assert "cannot do bad" in second["subcalls"][1]["error"]


def test_trajectory_holds_those_of_the_children() -> None:
    out = rlm_of(fan_out_model()).invoke({"query": "root", "context": "text"})
    [step] = out["trajectory"]
    assert [child["trajectory"][0]["depth"] for child in step["subcalls"]] == [1] * 4
    assert [len(child["trajectory"][0]["subcalls"]) for child in step["subcalls"]] == [4] * 4


def test_children_over_equal_texts_in_many_threads_share_them() -> None:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # makes threads meet
    model = ScriptedModel(
        script={
            "Question: root": [cell("Final = [rlm_query_batched(['child'] * 30) for _ in range(3)]")],
            "Question: child": [cell("Final = llm_query('a')")],
        }
    )
    try:
        out = rlm_of(model, max_concurrency=30).invoke({"query": "root", "context": "text"})
    finally:
        sys.setswitchinterval(before)
    assert out["answer"] == [["answer to a"] * 30] * 3
