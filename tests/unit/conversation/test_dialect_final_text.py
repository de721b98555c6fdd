"""The dialect "final-text", turn by turn: blocks, what is said of them, and how a run ends and does not."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from langgraph_rlm import Limits, Router
from langgraph_rlm.conversation.dialects.final_text import NEARLY_FINAL, NOT_BELIEVED, FinalText
from langgraph_rlm.conversation.dialects.official import NOT_MARKED, UNCLOSED
from langgraph_rlm.conversation.dialects.replies import Code, Nothing, ParsedReply, Text
from tests.fakes import InOrder, Ran, blocks, cell, rlm_of

THREAD: Any = {"configurable": {"thread_id": "1"}}
GIVEN = {"query": "How many?", "context": "apple\npear\n"}
OPENING = (
    "Your context is a str of 11 characters, in 1 document. It begins:\n<<<\napple\npear\n\n>>>\n\n"
    "Question: How many?\n\n"
    "You have seen nothing of the context yet. Look at it first: do not give a final answer now."
)
ACT = (
    "Think step by step about what to do in the REPL, which has the `context`, to answer the prompt: "
    '"How many?".\n\nGo on with ```repl blocks, ask models where the text has to be understood, and find out '
    "the answer. Your next action:"
)
GO_ON = f"What stands before is what you did in the REPL so far. {ACT}"
HAS = "'context_0', 'context'"
"""The variables that are listed from the start."""


def ran(*replies: str, given: Any = GIVEN, answer: Any = str.upper, **settings: Any) -> Ran:
    model = InOrder(script=replies, answer=answer)
    return Ran(rlm_of(model, dialect="final-text", **settings).invoke(given, THREAD), model)


# -- what a reply says ------------------------------------------------------------------------------------------------

NEARLY, UNMARKED = Nothing(NEARLY_FINAL, is_prose=False), Nothing(NOT_MARKED, is_prose=False)
READINGS: list[tuple[str, ParsedReply]] = [
    # an answer in words
    ("FINAL(42)", Text("42")),
    ("I have it.\nFINAL(forty-two)", Text("forty-two")),
    ("   FINAL( with spaces )   \n", Text("with spaces")),
    ("FINAL(two\nlines)", Text("two\nlines")),
    ("FINAL('quoted')", Text("'quoted'")),
    ("FINAL(f(a, b) + (c))", Text("f(a, b) + (c)")),
    ("FINAL(a)\nI am done (really)", Text("a)\nI am done (really")),
    ("FINAL(a) is it", NEARLY),
    ("FINAL(a)\nFINAL(b)", Text("a)\nFINAL(b")),
    ("The result is FINAL(42)", Nothing()),
    ("**FINAL(42)**", Nothing()),
    ("FINAL: 42", Nothing()),
    ("FINAL (42)", NEARLY),
    ("final(42)", NEARLY),
    ("```python\nx = 1\n```\nFINAL(42)", Text("42")),
    ("```\nFINAL(42)\n```", Text("42")),
    # a variable
    ("FINAL_VAR(result)", Code(("FINAL_VAR('result')",))),
    ('Done:\n  FINAL_VAR("result") is the answer', Code(("FINAL_VAR('result')",))),
    ("FINAL_VAR('result')\nFINAL(42)", Code(("FINAL_VAR('result')",))),
    ("FINAL(42)\nFINAL_VAR(result)", Code(("FINAL_VAR('result')",))),
    ("FINAL_VAR(\nresult\n)", Code(("FINAL_VAR('result')",))),
    ("It is in FINAL_VAR(result)", Nothing()),
    ("FINAL_VAR: result", Nothing()),
    # beside code that has not run
    (f"{cell('x = 1')}\nFINAL(42)", Code(("x = 1",), NOT_BELIEVED)),
    (f"FINAL(42)\n{cell('x = 1')}", Code(("x = 1",), NOT_BELIEVED)),
    (f"{cell('x = 1')}\nFINAL_VAR(x)", Code(("x = 1",), NOT_BELIEVED)),
    (f"FINAL(1)\n{cell('x = 1')}\nFINAL(2", Code(("x = 1",), NOT_BELIEVED)),
    (
        f"{cell('x = 1')}\nand\n{cell('FINAL(x)')}\nFINAL_VAR(x)",
        Code(("x = 1", "FINAL(x)"), NOT_BELIEVED, states_answer=True),
    ),
    ("```repl\nx = 1\nFINAL(x)", Nothing(UNCLOSED, is_prose=False)),
    # a function in code
    (cell("x = 1\nFINAL(x)"), Code(("x = 1\nFINAL(x)",))),
    (cell("x = 1\nFINAL_VAR('x')"), Code(("x = 1\nFINAL_VAR('x')",))),
    (cell("if x:\n    FINAL('x')\nprint(1)"), Code(("if x:\n    FINAL('x')\nprint(1)",))),
    (f"FINAL(\n{cell('f(1)')}", Code(("f(1)",))),
    # code
    (f"{cell('x = 1')}\nthen\n{cell('y = 2')}", Code(("x = 1", "y = 2"))),
    ("```python\nx = 1\n```", UNMARKED),
    ("x = 1", UNMARKED),
    ("", Nothing()),
    # an answer with blocks of its own
    ("FINAL(Run this:\n```python\nf(1)\n```\nand see.)", Text("Run this:\n```python\nf(1)\n```\nand see.")),
    (f"FINAL(Run this:\n{cell('f(1)')}\n)", Code(("f(1)",), NOT_BELIEVED)),
]


@pytest.mark.parametrize(("reply", "reading"), READINGS, ids=[repr(reply)[:60] for reply, _ in READINGS])
def test_reply_is_read_as(reply: str, reading: ParsedReply) -> None:
    assert FinalText().parse(reply) == reading


@pytest.mark.parametrize("reply", ["FINAL()", "FINAL(\n)", "FINAL_VAR(results[0])", "FINAL_VAR()", "FINAL_VAR(a b)"])
def test_ending_that_says_nothing_is_told_of(reply: str) -> None:
    said = FinalText().parse(reply)
    assert isinstance(said, Nothing)
    assert said.feedback


@pytest.mark.parametrize(
    "unit", ["FINAL(", "FINAL(\n", "FINAL_VAR(\n", "FINAL(a)\n", ")", ") ", "\n", " ", "```repl\n"]
)
def test_reply_of_any_size_is_read(unit: str) -> None:
    assert isinstance(FinalText().parse("FINAL(" + unit * (200_000 // len(unit))), Text | Code | Nothing)


# -- what is said, turn by turn ---------------------------------------------------------------------------------------


def test_final_in_the_code_of_a_block_is_no_answer_beside_it() -> None:
    run = ran(cell("if len(P) < 5:\n    FINAL('x')\nprint(1)"), cell("FINAL(1 / 0)"), "FINAL(2)")
    assert run.answer == "2"
    assert "ZeroDivisionError" in run.told[-1]
    assert not any(NOT_BELIEVED in told for told in run.told)


def test_cell_of_the_host_draws_no_word_on_an_answer() -> None:
    run = ran("FINAL(2)", router=Router("hybrid"), answer=lambda _: "NO_ANSWER")
    assert run.answer == "2"
    [turn] = run.model.turns
    assert "FINAL(found)" in turn.told
    assert NOT_BELIEVED not in turn.told


def test_conversation_is_that_of_the_official_implementation() -> None:
    first, second = cell("print(len(context))\nn = 11"), blocks("print('a')", "n / 0", "t = llm_query('x')")
    run = ran(first, second, "I think.", "So I think.", "FINAL_VAR(m)", "FINAL_VAR(n)")
    ran_first = (
        "Code executed:\n```python\nprint(len(context))\nn = 11\n```\n\n"
        f"REPL output:\n\n11\n\n\nREPL variables: [{HAS}, 'n']\n"
    )
    ran_second = (
        f"Code executed:\n```python\nprint('a')\n```\n\nREPL output:\n\na\n\n\nREPL variables: [{HAS}, 'n']\n\n\n"
        "Code executed:\n```python\nn / 0\n```\n\nREPL output:\n\n\n"
        'Traceback (most recent call last):\n  File "<cell>", line 1, in <module>\n    n / 0\n'
        f"ZeroDivisionError: division by zero\n\nREPL variables: [{HAS}, 'n']\n\n\n"
        f"Code executed:\n```python\nt = llm_query('x')\n```\n\nREPL output:\nREPL variables: [{HAS}, 'n', 't']\n"
    )
    missing = (
        "Code executed:\n```python\nFINAL_VAR('m')\n```\n\nREPL output:\n\n\n"
        "NameError: FINAL_VAR('m'): there is no variable of that name. Run the code first.\n\n"
        f"REPL variables: [{HAS}, 'n', 't']\n"
    )
    conversation = [("human", OPENING), ("ai", first), ("human", ran_first), ("ai", second), ("human", ran_second)]
    thought = ("ai", "I think.\n\nSo I think.\n\nFINAL_VAR(m)")
    assert [call.conversation for call in run.model.turns] == [
        [("human", f"{OPENING}\n\n{ACT}")],
        [*conversation[:2], ("human", f"{ran_first}\n\n{GO_ON}")],
        [*conversation[:4], ("human", f"{ran_second}\n\n{GO_ON}")],
        [*conversation, ("ai", "I think."), ("human", GO_ON)],
        [*conversation, ("ai", "I think.\n\nSo I think."), ("human", GO_ON)],
        [*conversation, thought, ("human", f"{missing}\n\n{GO_ON}")],
    ]
    assert (run.answer, run.out["status"], run.out["steps"], run.model.asked) == (11, "answered", 6, ["x"])


def test_final_answer_beside_code_is_not_taken_and_the_model_is_told() -> None:
    run = ran(f"{cell('n = 5')}\nFINAL_VAR(n)", f"FINAL(7)\n{blocks('n += 1', 'n += 1')}", "FINAL_VAR(n)")
    assert (run.answer, run.out["steps"]) == (7, 3)
    assert [call.told.count(NOT_BELIEVED) for call in run.model.turns] == [0, 1, 1]
    assert run.model.turns[2].told.endswith(f"REPL variables: [{HAS}, 'n']\n\n\n{NOT_BELIEVED}\n\n{GO_ON}")


def test_prompts_differ_from_those_before_in_their_end_alone() -> None:
    run = ran(*[cell(f"print({n})") for n in range(5)], "FINAL(1)")
    sent = ["\n".join(f"{role} {text}" for role, text in call.conversation) for call in run.model.turns]
    for before, after in pairwise(sent):
        kept = before.removesuffix(GO_ON).removesuffix(ACT).rstrip("\n")
        assert after.startswith(kept)


def test_system_prompt_tells_of_this_dialect_alone() -> None:
    [turn] = ran("FINAL(1)").model.turns
    assert "FINAL_VAR(name)" in turn.messages[0].text
    assert "Final =" not in turn.messages[0].text
    assert '"ready"' not in turn.messages[0].text


def test_output_is_cut_at_20_000_characters() -> None:
    told = ran(cell("print('x' * 50_000, end='')"), "FINAL(1)").model.turns[1].told
    shown = told.partition("REPL output:\n")[2].removesuffix(f"\n\n{GO_ON}")
    assert shown == "\n" + "x" * 19_999 + f"... + [{30_001 + len(f'..REPL variables: [{HAS}].')} chars...]"


def test_value_of_the_last_line_is_not_shown() -> None:
    told = ran(cell("1 + 1"), "FINAL(1)").model.turns[1].told
    assert f"REPL output:\nREPL variables: [{HAS}]\n" in told


# -- the answer -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("replies", "answer"),
    [
        (["FINAL(42)"], "42"),
        ([cell("x = [1, {'a': None}]"), "FINAL_VAR(x)"], [1, {"a": None}]),
        ([cell("x = llm_query('y')"), "I have it.\nFINAL_VAR('x')"], "Y"),
        ([cell("x = ''"), "FINAL_VAR(x)"], ""),
        (["FINAL_VAR(context)"], GIVEN["context"]),
        ([cell("x = 5\nFINAL_VAR('x')")], 5),
        ([cell("FINAL_VAR(5)")], 5),
        ([cell("FINAL(2 + 3)")], 5),
    ],
)
def test_final_answer_ends_the_run(replies: list[str], answer: Any) -> None:
    run = ran(*replies)
    assert (run.answer, run.out["status"], run.out["steps"]) == (answer, "answered", len(replies))


def test_all_blocks_run_and_the_first_answer_counts() -> None:
    run = ran(blocks("x = 1\nFINAL_VAR('x')", "1 / 0", "FINAL(llm_query('y'))"))
    assert (run.answer, run.out["steps"], run.model.asked) == (1, 1, ["y"])


@pytest.mark.parametrize("code", ["Final = 5", "answer = {'content': 5, 'ready': True}", "FINAL(5)\n1 / 0"])
def test_other_dialects_and_failed_blocks_do_not_end_a_run(code: str) -> None:
    run = ran(cell(code), "FINAL(here)")
    assert (run.answer, run.out["steps"]) == ("here", 2)


def test_variable_of_another_dialect_is_one_like_any_other() -> None:
    told = ran(cell("Final = 5\nanswer = 6"), "FINAL_VAR(Final)").model.turns[1].told
    assert f"REPL variables: [{HAS}, 'Final', 'answer']" in told


def test_answer_that_does_not_have_its_form_is_asked_for_again() -> None:
    run = ran("FINAL(four)", "FINAL(4)", response_format={"type": "integer"})
    assert (run.answer, run.out["steps"]) == (4, 2)
    assert "What `FINAL` or `FINAL_VAR` gives has to be a value" in run.model.turns[0].told
    assert "then write FINAL(your answer) outside of the code to end." in run.model.turns[1].told


# -- limits -----------------------------------------------------------------------------------------------------------

LAST = (
    "The limit {} is reached, and this is the last turn. Give your final answer to the question now, from what you "
    "know: FINAL(your answer)."
)


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("It is 7.", "It is 7."),
        ("FINAL(7)", "7"),
        ("FINAL_VAR(n)", 7),
        ("FINAL_VAR(m)", None),
        (cell("print(n)"), None),
        (blocks("m = n", "FINAL_VAR('m')"), 7),
    ],
)
def test_last_turn_answers_in_words_or_by_a_variable(reply: str, answer: Any) -> None:
    run = ran(cell("n = 7"), reply, limits=Limits(max_steps=1))
    executed = f"Code executed:\n```python\nn = 7\n```\n\nREPL output:\nREPL variables: [{HAS}, 'n']\n"
    assert run.model.turns[1].conversation[-1] == ("human", f"{executed}\n\n{LAST.format('max_steps')}")
    assert (run.answer, run.out["status"], run.out["steps"]) == (answer, "limit", 2)


def test_last_turn_comes_after_a_turn_without_code_too() -> None:
    run = ran("I think.", "It is 7.", limits=Limits(max_steps=1))
    assert run.model.turns[1].conversation[1:] == [("ai", "I think."), ("human", LAST.format("max_steps"))]
    assert (run.answer, run.out["status"]) == ("It is 7.", "limit")


def test_last_turn_at_another_limit_follows_what_the_block_did() -> None:
    run = ran(cell("print(1)"), "It is 7.", limits=Limits(max_tokens=15))
    assert run.model.turns[1].told.endswith(f"REPL variables: [{HAS}]\n\n\n{LAST.format('max_tokens')}")
    assert (run.answer, run.out["status"]) == ("It is 7.", "limit")


# -- threads ----------------------------------------------------------------------------------------------------------


def test_next_question_has_the_variables_and_is_told_to_the_model() -> None:
    model = InOrder(script=[cell("n = 7"), "FINAL_VAR(n)", cell("n += 1"), "FINAL_VAR(n)"])
    saver = InMemorySaver()

    def rlm() -> Any:
        return rlm_of(model, dialect="final-text", checkpointer=saver)

    assert rlm().invoke(GIVEN, THREAD)["answer"] == 7
    assert rlm().invoke({"query": "And now?"}, THREAD)["answer"] == 8
    asked = "`context` is the same, and your variables are still there.\n\nQuestion: And now?\n\nThink step by step"
    assert asked in model.turns[2].told
    assert 'to answer the prompt: "And now?"' in model.turns[3].told
