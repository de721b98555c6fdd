"""What the model is told: metadata of constant size, in a conversation that only ever grows."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import BaseMessage
from langgraph.checkpoint.memory import InMemorySaver

from langgraph_rlm import Context, Limits, Sandbox
from tests.fakes import QUERY, Called, Ran, ScriptedModel, cell, rlm_of, run

THREAD: Any = {"configurable": {"thread_id": "1"}}


def conversations(model: ScriptedModel) -> list[list[Called]]:
    """The turns of each RLM of the tree, by its opening."""
    openings = {turn.messages[1].text: [] for turn in model.turns}  # type: dict[str, list[Called]]
    for turn in model.turns:
        openings[turn.messages[1].text].append(turn)
    return list(openings.values())


def said(messages: list[BaseMessage]) -> list[tuple[str, str]]:
    return [(message.type, message.text) for message in messages]


def assert_grows_and_alternates(model: ScriptedModel) -> None:
    for conversation in conversations(model):
        for earlier, later in pairwise(conversation):
            assert said(later.messages)[: len(earlier.messages)] == said(earlier.messages)
            assert len(later.messages) == len(earlier.messages) + 2
        for turn in conversation:
            roles = [message.type for message in turn.messages]
            assert roles == ["system", *(["human", "ai"] * len(roles))[: len(roles) - 1]]
            assert roles[-1] == "human"


def test_each_call_extends_the_one_before_it() -> None:
    model = ScriptedModel(
        cell("print(1)"),
        "no code",
        cell("1 / 0"),
        "",
        cell("llm_query('x')"),
        cell("P = 1"),
        cell("while True: pass"),
        cell("FINAL_VAR('nowhere')"),
        "FINAL: end",
    )
    out = rlm_of(model, sandbox=Sandbox(timeout=0.3)).invoke({"query": QUERY, "context": "text"})
    assert (out["answer"], out["steps"]) == ("end", 9)
    assert_grows_and_alternates(model)


def test_conversations_of_children_grow_and_alternate_too() -> None:
    model = ScriptedModel(
        script={
            "Question: root": [cell("x = rlm_query('child', 'text')"), cell("Final = x")],
            "Question: child": [cell("print(1)"), "no code", cell("Final = 'c'")],
        }
    )
    assert rlm_of(model).invoke({"query": "root", "context": "text"})["answer"] == "c"
    assert len(model.turns) == 5
    assert_grows_and_alternates(model)


@pytest.mark.parametrize("limits", [Limits(max_steps=2), Limits(max_tokens=20)])
def test_last_turn_extends_the_conversation(limits: Limits) -> None:
    model = ScriptedModel(cell("a = 1"), cell("b = 1"), cell("Final = 1"))
    assert rlm_of(model, limits=limits).invoke({"query": QUERY, "context": "text"})["status"] == "limit"
    assert_grows_and_alternates(model)


@pytest.mark.parametrize("ending", [cell("Final = 1"), "FINAL: 1", "no answer at the limit"])
def test_next_question_on_a_thread_extends_the_conversation(ending: str) -> None:
    model = ScriptedModel(cell("a = 1"), ending, cell("b = 1"), cell("Final = 2"))
    rlm = rlm_of(model, checkpointer=InMemorySaver(), limits=Limits(max_steps=1))
    rlm.invoke({"query": "first", "context": "text"}, THREAD)
    rlm.invoke({"query": "second"}, THREAD)
    assert_grows_and_alternates(model)
    assert "second" in model.turns[2].told


def test_roles_alternate_after_a_run_that_the_model_failed() -> None:
    failing = ScriptedModel(cell("a = 1"), ValueError("down"))
    saver = InMemorySaver()
    with pytest.raises(ValueError, match="down"):
        rlm_of(failing, checkpointer=saver).invoke({"query": "first", "context": "text"}, THREAD)
    model = ScriptedModel("not asked", cell("Final = a"))
    assert rlm_of(model, checkpointer=saver).invoke({"query": "second"}, THREAD)["answer"] == 1
    assert_grows_and_alternates(model)
    assert "second" in model.turns[0].told


REPLIES = st.sampled_from(
    ["no code", "", cell("print(P)"), cell("1 / 0"), cell("x = llm_query('x')"), cell("Final = 1"), "FINAL: 1"]
)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(REPLIES, max_size=12),
    st.lists(st.sampled_from(["", "another text"]), max_size=3),
    st.sampled_from([Limits(max_steps=2), Limits(max_steps=5), Limits(max_tokens=40)]),
)
def test_each_prompt_begins_with_the_one_before_byte_for_byte(
    replies: list[str], texts: list[str], limits: Limits
) -> None:
    """Over all questions of a thread, whatever the model says, whether a limit ends a question or an answer."""
    model = ScriptedModel(*replies, *[cell("Final = 2")] * 20)
    rlm = rlm_of(model, checkpointer=InMemorySaver(), limits=limits)
    rlm.invoke({"query": "first", "context": "text"}, THREAD)
    for text in texts:
        rlm.invoke({"query": "next", **({"context": text} if text else {})}, THREAD)
    prompts = ["".join(f"\0{role}\0{text}" for role, text in said(turn.messages)) for turn in model.turns]
    assert all(later.startswith(earlier) for earlier, later in pairwise(prompts))


@pytest.mark.parametrize(
    ("context", "characters", "documents"),
    [
        ("x" * 1_234_567, "1234567", "1"),
        (["abc", "de"], "7", "2"),
        (["x"] * 1_500, str(1_500 + 2 * 1_499), "1500"),
        (Context.of(["a", "b", "c"]), "7", "3"),
    ],
)
def test_opening_gives_length_number_of_documents_and_a_short_prefix(
    context: Any, characters: str, documents: str
) -> None:
    opening = run("Final = len(P)", context=context).model.turns[0].told
    assert re.findall(r"\d+", opening.split("begins")[0]) == [characters, documents]
    assert Context.of(context).text[:100] in opening
    assert QUERY in opening
    assert len(opening) < 2_000


def test_text_stays_out_of_all_that_the_model_is_told() -> None:
    ran = run("a = P", "b = [P, P]", "SHOW_VARS()", "Final = 1", context="x" * 1_000 + "SECRET" + "y" * 1_000_000)
    assert not any("SECRET" in message.text for call in ran.model.calls for message in call.messages)


@pytest.mark.parametrize(
    "code",
    [
        "print('z' * 10 ** 7)",
        "for i in range(50_000):\n    print(i)",
        "print('\\n' * 10 ** 6, end='')",
        "'z' * 10 ** 7",
        "['z' * 100] * 10 ** 5",
        "{i: 'z' for i in range(10 ** 5)}",
        "raise ValueError('z' * 10 ** 6)",
        "def f(n):\n    return f(n + 1)\nf(0)",
        "exec('\\n'.join('v' + str(i) + ' = 1' for i in range(2_000)))",
        "exec('z' * 10 ** 5 + ' = 1')",
        "exec('class ' + 'Z' * 10 ** 5 + ':\\n    pass\\nz = ' + 'Z' * 10 ** 5 + '()')",
        "big = 'z' * 10 ** 7",
        "llm_batch(['x'] * 10 ** 4)",
        "FINAL_VAR('z' * 10 ** 5)",
    ],
)
def test_metadata_has_constant_size(code: str) -> None:
    assert len(run(code, "Final = 1").told[0]) < 13_000


def test_query_of_any_size_is_told_once() -> None:
    model = ScriptedModel(cell("a = 1"), cell("b = 1"), cell("Final = 1"))
    rlm_of(model).invoke({"query": "Q" * 100_000, "context": "text"})
    assert sum(len(message.text) for message in model.turns[-1].messages) < 150_000


def test_output_is_shown_by_prefix_suffix_and_length() -> None:
    ran = run("print('a' * 10_000 + 'z' * 10_000)", "Final = 1", sandbox=Sandbox(max_output=100))
    [told] = ran.told
    assert "20,001" in told or "20001" in told
    assert "a" * 60 in told
    assert "z" * 20 in told
    assert len(told) < 1_000
    assert ran.outputs[0] in told


@pytest.mark.parametrize("size", [1, 2, 3, 10])
def test_tiny_outputs_may_be_asked_for(size: int) -> None:
    assert "51" in run("print('x' * 50)", "Final = 1", sandbox=Sandbox(max_output=size)).told[0]


def test_output_of_a_suspended_cell_is_shown_whole() -> None:
    ran = run("for i in range(3):\n    print(i, llm_query('x'))", "Final = 1", answer=lambda _: "y")
    assert ran.outputs[0] == "0 y\n1 y\n2 y\n"


def test_variables_are_told_by_name_type_and_size() -> None:
    ran = run("items = [1, 2]\ntext = 'abc'\nn = 5\ndef f():\n    pass", "other = {}", "Final = 1")
    for line, parts in zip(
        ran.told, [("items", "list", "2", "text", "str", "3", "n", "int", "f"), ("items", "other", "dict")], strict=True
    ):
        assert all(part in line for part in parts)
    assert not re.search(r"__rlm__|_host|llm_query|peek", ran.told[0])


@pytest.mark.parametrize(
    ("code", "output"),
    [
        ("1 + 1", "2\n"),
        ("x = 3\nx", "3\n"),
        ("None", ""),
        ("x = 1; x + 1", "2\n"),
        ("'é' + 'x'", "'éx'\n"),
        ("# é\n[1,\n 2]", "[1, 2]\n"),
        ("x = 'é'; x", "'é'\n"),
        ("(y := 5)", "5\n"),
        ("(1\n)", "1\n"),
        ("print(1)", "1\n"),
        ("if True:\n    5", ""),
        ("P.count('apple')  # how many", "20\n"),
        ("'a\\nb'", "'a\\nb'\n"),
        ("'''a\nb'''", "'a\\nb'\n"),
        ("re.findall('\\w+', 'a b')", "['a', 'b']\n"),
        ("f'{1 + 1}'", "'2'\n"),
        ("lambda: 1", "<function"),
        ("1,", "(1,)\n"),
        ("x = 1 \\\n + 1\nx", "2\n"),
    ],
)
def test_value_of_the_last_expression_is_shown(code: str, output: str) -> None:
    ran = run(code, "Final = 1")
    assert ran.errors[0] is None
    assert ran.outputs[0].startswith(output)
    assert bool(ran.outputs[0]) == bool(output)


def test_instructions_are_appended_to_the_system_prompt() -> None:
    system = run("Final = 1", instructions="Answer in French.").model.turns[0].messages[0]
    assert (system.type, system.text.strip().splitlines()[-1]) == ("system", "Answer in French.")


@pytest.mark.parametrize(
    ("max_depth", "offered"),
    [(0, []), (1, ["llm_query"]), (2, ["llm_query", "rlm_query"]), (3, ["llm_query", "rlm_query"])],
)
def test_system_prompt_offers_the_sub_calls_that_there_are(max_depth: int, offered: list[str]) -> None:
    ran: Ran = run("Final = 1", limits=Limits(max_depth=max_depth))
    system = ran.model.turns[0].messages[0].text
    assert [name for name in ("llm_query", "rlm_query") if name in system] == offered
