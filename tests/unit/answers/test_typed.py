"""Typed answers: what users ask for by `response_format`, and code by `schema=`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from langchain_core.messages import SystemMessage
from langgraph.cache.memory import InMemoryCache
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from pydantic import BaseModel, Field, field_validator
from typing_extensions import TypedDict

from langgraph_rlm import InvalidInput, Limits, Router, create_rlm
from langgraph_rlm.answers.schema import AnswerSchema, Unfit
from tests.fakes import QUERY, TEXT, ScriptedModel, cell, error_of, final_of, rlm_of, run

THREAD: Any = {"configurable": {"thread_id": "1"}}
GIVEN = {"query": QUERY, "context": TEXT}
NUMBER = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


class Count(BaseModel):
    fruit: str
    count: int = Field(ge=0)

    @field_validator("fruit")
    @classmethod
    def singular(cls, fruit: str) -> str:
        return fruit.removesuffix("s")


@dataclass
class Pair:
    left: int
    right: int


class Row(TypedDict):
    name: str


class Dated(BaseModel, strict=True):
    day: date


# -- the answer of a run ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("response_format", "code", "answer"),
    [
        (Count, "Final = {'fruit': 'apples', 'count': P.count('apple')}", Count(fruit="apple", count=20)),
        (Count, "Final = json.dumps({'fruit': 'apple', 'count': 1})", Count(fruit="apple", count=1)),
        (Pair, "Final = {'left': 1, 'right': 2}", Pair(1, 2)),
        (Row, "Final = {'name': 'x'}", {"name": "x"}),
        (list[Count], "Final = [{'fruit': 'pear', 'count': 3}]", [Count(fruit="pear", count=3)]),
        (int, "Final = '17'", 17),
        (Dated, "Final = {'day': '2026-01-02'}", Dated(day=date(2026, 1, 2))),
        (NUMBER, "Final = {'n': 3}", {"n": 3}),
        (NUMBER, "Final = '```json\\n{\"n\": 3}\\n```'", {"n": 3}),
    ],
)
def test_answer_is_the_validated_value(response_format: Any, code: str, answer: Any) -> None:
    assert run(code, response_format=response_format).answer == answer


async def test_async_run_gives_the_validated_value() -> None:
    model = ScriptedModel(cell("Final = {'fruit': 'pear', 'count': 1}"))
    out = await rlm_of(model, response_format=Count).ainvoke(GIVEN)
    assert out["answer"] == Count(fruit="pear", count=1)


def test_schema_is_shown_with_the_question_and_not_without_one() -> None:
    asked, plain = run("Final = {'n': 1}", response_format=NUMBER), run("Final = 1")
    assert json.dumps(NUMBER) in asked.model.turns[0].messages[1].text
    assert "schema" not in plain.model.turns[0].messages[1].text


def test_what_does_not_validate_goes_back_with_the_errors() -> None:
    ran = run(
        "Final = {'fruit': 'apple', 'count': -1}",
        "Final = 'many'",
        "Final = {'count': 3}",
        "Final = {'fruit': 'apple', 'count': 20}",
        response_format=Count,
    )
    assert ran.answer == Count(fruit="apple", count=20)
    assert ran.out["steps"] == 4
    below, text, missing = ran.told
    assert "count: Input should be greater than or equal to 0" in below
    assert "no JSON" in text
    assert "fruit: Field required" in missing


def test_answer_in_words_has_to_validate_too() -> None:
    model = ScriptedModel("FINAL: three", 'FINAL: {"n": 3}')
    out = rlm_of(model, response_format=NUMBER).invoke(GIVEN)
    assert (out["answer"], out["steps"]) == ({"n": 3}, 2)


def test_at_a_limit_the_answer_is_what_there_is() -> None:
    model = ScriptedModel(cell("Final = 'many'"), cell("Final = 'still many'"))
    out = rlm_of(model, response_format=Count, limits=Limits(max_steps=1)).invoke(GIVEN)
    assert (out["status"], out["answer"]) == ("limit", "still many")


def test_state_has_plain_data_and_a_second_question_is_checked_too() -> None:
    model = ScriptedModel(
        cell("Final = {'fruit': 'a', 'count': 1}"), cell("Final = 1"), cell("Final = {'fruit': 'b', 'count': 2}")
    )
    rlm = rlm_of(model, response_format=Count, checkpointer=InMemorySaver())
    assert rlm.invoke(GIVEN, THREAD)["answer"] == Count(fruit="a", count=1)
    assert rlm.get_state(THREAD).values["answer"] == {"fruit": "a", "count": 1}
    assert rlm.invoke({"query": "And now?"}, THREAD)["answer"] == Count(fruit="b", count=2)


def test_question_that_pauses_after_an_answered_one_gives_its_interrupt() -> None:
    model = ScriptedModel(cell("Final = {'fruit': 'a', 'count': 1}"), cell("Final = {'fruit': 'b', 'count': 2}"))
    rlm = rlm_of(model, response_format=Count, checkpointer=InMemorySaver())
    rlm.invoke(GIVEN, THREAD)
    paused = rlm.invoke({"query": "And now?"}, THREAD, interrupt_before=["execute"])
    assert paused.get("status") is None
    assert rlm.invoke(None, THREAD)["answer"] == Count(fruit="b", count=2)


def test_extracted_answer_is_the_validated_value() -> None:
    rlm = create_rlm(ScriptedModel(), router=Router("deterministic_first"), response_format={"type": "integer"})
    out = rlm.invoke({"query": "What is the total?", "context": "Order 1\nTotal: 42\n"})
    assert (out["answer"], out["route"]) == (42, "extract")


def test_model_sees_what_its_code_did_beside_what_is_wrong_with_its_answer() -> None:
    ran = run("print('SEEN')\nFinal = 'x'", "Final = {'n': 1}", response_format=NUMBER)
    assert "SEEN" in ran.told[0]
    assert "no JSON" in ran.told[0]
    assert "If this output has the answer" not in ran.told[0]


def test_output_without_the_answer_is_left_as_it_is() -> None:
    rlm = rlm_of(ScriptedModel(cell("Final = {'fruit': 'a', 'count': 1}")), response_format=Count)
    assert rlm.invoke(GIVEN, output_keys=["status"]) == {"status": "answered"}


def test_direct_answer_at_a_limit_is_asked_for_in_the_form_and_counts_what_was_used() -> None:
    replies = iter(["three", "four", '{"n": 1}'])
    model = ScriptedModel(answer=lambda _: next(replies))
    out = create_rlm(model, response_format=NUMBER, limits=Limits(max_tokens=20)).invoke(GIVEN)
    assert (out["answer"], out["status"]) == ({"n": 1}, "limit")
    assert out["usage"]["scripted-1"]["total_tokens"] == 45


def test_app_gets_the_value_from_its_node() -> None:
    class State(TypedDict, total=False):
        query: str
        context: str
        answer: Count

    app = StateGraph(State)
    app.add_node("rlm", rlm_of(ScriptedModel(cell("Final = {'fruit': 'a', 'count': 1}")), response_format=Count))
    app.add_edge(START, "rlm")
    assert app.compile().invoke(State(query=QUERY, context=TEXT))["answer"] == Count(fruit="a", count=1)


def test_direct_answer_is_asked_for_in_the_form_and_corrected() -> None:
    replies = iter(["three", '{"n": "3"}', '```json\n{"n": 3}\n```'])
    model = ScriptedModel(answer=lambda _: next(replies))
    out = create_rlm(model, response_format=NUMBER).invoke(GIVEN)
    assert (out["answer"], out["route"]) == ({"n": 3}, "direct")
    assert out["usage"]["scripted-1"]["total_tokens"] == 45
    assert "'3' is not of type 'integer'" in model.asked[-1]


@pytest.mark.parametrize(
    "response_format",
    [
        *("json", 3, {"type": "thing"}, {"$ref": "#/$defs/missing"}, object()),
        {"name": "count", "description": "Counts.", "parameters": NUMBER},
    ],
)
def test_what_is_no_form_is_refused(response_format: Any) -> None:
    with pytest.raises(InvalidInput, match="response_format"):
        create_rlm(ScriptedModel(), response_format=response_format)


def test_schema_counts_as_one_of_the_draft_that_it_names() -> None:
    draft = "http://json-schema.org/draft-07/schema#"
    pair = {"$schema": draft, "definitions": {"n": {"type": "integer"}}, "items": [{"$ref": "#/definitions/n"}]}
    ran = run("Final = ['x']", "Final = [1]", response_format=pair)
    assert "'x' is not of type 'integer'" in ran.told[0]
    assert ran.answer == [1]


def test_direct_answer_that_stays_wrong_ends_the_run_with_what_is_wrong() -> None:
    model = ScriptedModel(answer=lambda _: "three")
    with pytest.raises(Unfit, match="does not satisfy the schema, after 2 corrections: it is no JSON"):
        create_rlm(model, response_format=NUMBER).invoke(GIVEN)
    assert len(model.calls) == 3


# -- the answers of sub-calls -----------------------------------------------------------------------------------------


def test_answers_to_the_code_are_parsed_and_validated() -> None:
    ran = run(
        f"s = {NUMBER}\nFinal = [llm_query('one', schema=s)['n'] + 1, llm_batch(['2', '3'], schema=s)]",
        answer=lambda prompt: json.dumps({"n": {"one": 1}.get(prompt, 0) or int(prompt)}),
    )
    assert ran.answer == [2, [{"n": 2}, {"n": 3}]]
    [call] = [call for call in ran.model.calls if call.told == "one"]
    assert isinstance(call.messages[0], SystemMessage)
    assert json.dumps(NUMBER) in call.messages[0].text


def test_reply_is_repaired_twice_and_then_an_error_that_counts_what_it_took() -> None:
    ran = run(
        f"s = {NUMBER}\nFinal = llm_batch(['good', 'bad'], schema=s)",
        answer=lambda prompt: '{"n": 1}' if prompt == "good" else "no idea",
    )
    good, bad = ran.answer
    assert good == {"n": 1}
    assert bad == "Error: Unfit: the reply does not satisfy the schema, after 2 corrections: it is no JSON."
    assert len(ran.model.asked) == 4
    assert ran.out["subcalls"] == 2
    assert ran.out["usage"]["scripted-1"]["total_tokens"] == 15 * 5
    assert "RuntimeError: Unfit" in error_of(f"llm_query('x', schema={NUMBER})", answer=lambda _: "no idea")


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"n": "int"}, "must be a JSON schema"),
        ({"type": "thing"}, "no JSON schema"),
        ({"$ref": "http://example.org/schema", "type": "object"}, "'$ref' cannot be"),
        ({"type": "string", "pattern": "(a+)+$"}, "'pattern' cannot be"),
        ({"type": "object", "properties": {"a": {"patternProperties": {"(a+)+$": {}}}}}, "patternProperties"),
        ({"type": "array", "items": {"anyOf": [{"pattern": "x"}]}}, "'pattern' cannot be"),
        ({"type": "string", "enum": ["x" * 30_000]}, "characters"),
        ({"type": "array", "uniqueItems": True}, "'uniqueItems' cannot be"),
        ({"type": "object", "$schema": "http://json-schema.org/draft-07/schema#"}, "'$schema' cannot be"),
        ({"allOf": [{"unevaluatedProperties": True}]}, "'unevaluatedProperties' cannot be"),
        ({"type": "number", "minimum": float("nan")}, "nan"),
        ({"anyOf": [{"type": "string"}] * 101}, "more than 100 schemas"),
    ],
)
def test_schema_of_the_code_that_cannot_be_used_costs_nothing(schema: dict[str, Any], why: str) -> None:
    ran = run(f"llm_query('x', schema={schema})", "Final = 0")
    assert why in str(ran.errors[0])
    assert ran.model.asked == []


def test_schema_of_the_code_that_is_nested_too_deeply_is_an_error() -> None:
    code = (
        "s = {'type': 'string'}\nfor _ in range(%d):\n    s = {'type': 'array', 'items': s}\nllm_query('x', schema=s)"
    )
    assert "in each other" in error_of(code % 40)
    assert "depth" in error_of(code % 400)


def test_parts_that_stand_in_many_places_are_counted_in_each() -> None:
    code = "a = [1]\nfor _ in range(40):\n    a = [a, a]\nllm_query('x', schema={'enum': a})"
    assert "more than" in error_of(code)
    assert "more than" in error_of("a = 'x' * 10**6\nllm_query('x', schema={'enum': [a] * 1_000})")


@pytest.mark.parametrize(
    ("reply", "value"),
    [
        ('{"n": 1, "s": "\\ud800"}', {"n": 1, "s": "\ufffd"}),
        ('{"n": 1, "s": %s}' % ("[" * 300 + "]" * 300), None),
        ('{"n": 123456789012345678901234567890}', None),
    ],
)
def test_json_that_nothing_can_hold_is_cleaned_or_refused(reply: str, value: Any) -> None:
    code = f"answers = llm_batch(['x'], schema={NUMBER})\nFinal = answers[0]"
    answer = final_of(code, answer=lambda _: reply, checkpointer=InMemorySaver())
    assert answer == value or (value is None and answer.startswith("Error: Unfit"))


def test_words_around_a_block_of_json_cost_no_repair() -> None:
    ran = run(
        f"Final = llm_query('x', schema={NUMBER})", answer=lambda _: 'Sure:\n```json\n{"n": 1}\n```\nAnything else?'
    )
    assert ran.answer == {"n": 1}
    assert len(ran.model.asked) == 1


@pytest.mark.parametrize("schema", ["int", "'integer'", "[1]", "json"])
def test_what_is_no_schema_at_all_is_an_error_that_says_so(schema: str) -> None:
    assert "must be a JSON schema, such as" in error_of(f"llm_query('x', schema={schema})")


def test_reply_to_a_schema_of_a_text_is_the_text() -> None:
    code = "Final = llm_batch(['json', 'plain'], schema={'type': 'string'})"
    assert final_of(code, answer=lambda prompt: '"yes"' if prompt == "json" else "yes") == ["yes", "yes"]
    null = "Final = [llm_query('x', schema={'type': ['string', 'null']})]"
    assert final_of(null, answer=lambda _: "null") == [None]


def test_what_was_used_before_a_repair_failed_counts() -> None:
    replies: Iterator[str | Exception] = iter(["no idea", ValueError("gone")])
    ran = run(f"Final = llm_batch(['x'], schema={NUMBER})", answer=lambda _: next(replies))
    assert ran.out["usage"]["scripted-1"]["total_tokens"] == 30


def test_properties_may_have_the_names_of_keywords() -> None:
    schema = {"type": "object", "properties": {"pattern": {"type": "string"}}}
    answer = final_of(f"Final = llm_query('x', schema={schema})", answer=lambda _: '{"pattern": "(a"}')
    assert answer == {"pattern": "(a"}


def test_equal_prompts_with_other_schemas_are_other_calls_for_the_cache() -> None:
    code = f"Final = [llm_query('1'), llm_query('1', schema={NUMBER}), llm_query('1', schema={NUMBER})]"
    ran = run(code, answer=lambda _: '{"n": 1}', cache=InMemoryCache())
    assert ran.answer == ['{"n": 1}', {"n": 1}, {"n": 1}]
    assert len(ran.model.asked) == 2


def test_child_rlm_answers_in_the_form_that_the_code_asks_for() -> None:
    script = {
        "Question: child": [cell("Final = 'three'"), cell("Final = {'n': len(P)}")],
        QUERY: [cell(f"Final = llm_query('child', 'x' * 50, schema={NUMBER})['n']")],
    }
    model = ScriptedModel(script=script)
    out = rlm_of(model, router=Router(profile="rlm", subcall_direct_below=20)).invoke(GIVEN)
    assert (out["answer"], out["steps"]) == (50, 3)


def test_schema_that_goes_on_for_ever_is_an_error() -> None:
    form = AnswerSchema.of_schema({"$ref": "#"})
    with pytest.raises(Unfit):
        form.conform({"n": 1})


# -- models of the code's choice --------------------------------------------------------------------------------------


def test_code_chooses_among_the_models_that_it_was_given() -> None:
    fast = ScriptedModel(answer=lambda prompt: f"fast {prompt}", reports="fast-1")
    ran = run(
        "Final = [llm_query('a', model='fast'), llm_query('b'), *llm_batch(['c'], model='fast')]", models={"fast": fast}
    )
    assert ran.answer == ["fast a", "answer to b", "fast c"]
    assert sorted(fast.asked) == ["a", "c"]
    assert set(ran.out["usage"]) == {"scripted-1", "fast-1"}
    assert "'fast'" in ran.model.turns[0].messages[0].text
    assert ran.out["trajectory"][0]["subcalls"][0]["model"] == "fast"


def test_child_rlm_is_run_by_the_model_that_the_code_has_chosen_and_its_own_children_are_not() -> None:
    script = {
        "Question: outer": [cell("print(len(P))"), cell("Final = rlm_query('inner', 'ab')")],
        "Question: inner": [cell("Final = len(P)")],
        QUERY: [cell("Final = rlm_query('outer', 'abc', model='careful')")],
    }
    root, careful = ScriptedModel(script=script), ScriptedModel(script=script, reports="careful-1")
    out = rlm_of(root, models={"careful": careful}, limits=Limits(max_depth=3)).invoke(GIVEN)
    assert (out["answer"], out["steps"]) == ("2", 4)
    assert [len(model.turns) for model in (root, careful)] == [2, 2]
    assert out["usage"]["careful-1"]["total_tokens"] == 30


def test_long_prompt_is_sent_to_the_model_that_the_code_has_chosen() -> None:
    careful = ScriptedModel(answer=lambda prompt: str(len(prompt)))
    ran = run(
        "Final = llm_query('x' * 500, model='careful')", models={"careful": careful}, router=Router("rlm", 0, 100)
    )
    assert ran.answer == "500"


def test_model_that_is_not_there_is_an_error_that_names_those_that_are() -> None:
    fast = ScriptedModel()
    assert "choose one of fast" in error_of("llm_query('a', model='slow')", models={"fast": fast})
    assert "leave `model` out" in error_of("llm_query('a', model='slow')")
    assert "there is no model named 5: choose" in error_of("llm_query('a', model=5)", models={"fast": fast})


def test_each_depth_has_its_model() -> None:
    script = {"Question: inner": [cell("Final = llm_query('leaf')")], QUERY: [cell("Final = rlm_query('inner', 'x')")]}
    root, child, leaf = (
        ScriptedModel(script=script, answer=name.format) for name in ("root {}", "child {}", "leaf {}")
    )
    out = rlm_of([root, child], sub_model=leaf).invoke(GIVEN)  # type: ignore[arg-type]
    assert out["answer"] == "leaf leaf"
    assert [len(model.turns) for model in (root, child, leaf)] == [1, 1, 0]


@pytest.mark.parametrize("models", [[ScriptedModel()], {3: ScriptedModel()}, {"": ScriptedModel()}])
def test_models_without_names_are_refused(models: Any) -> None:
    with pytest.raises(InvalidInput, match="models"):
        create_rlm(ScriptedModel(), models=models)


def test_no_model_at_all_is_refused() -> None:
    with pytest.raises(InvalidInput, match="empty sequence"):
        create_rlm([])
