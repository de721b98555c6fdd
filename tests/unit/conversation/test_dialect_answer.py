"""The dialect "answer", turn by turn: blocks, what is said of them, and how a run ends and does not."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from langchain_core.exceptions import ContextOverflowError
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatResult
from langgraph.cache.memory import InMemoryCache
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from langgraph_rlm import Limits, Sandbox
from langgraph_rlm.conversation import prompts
from langgraph_rlm.conversation.dialects.answer import Answer
from langgraph_rlm.conversation.dialects.official import NOT_MARKED, UNCLOSED
from langgraph_rlm.conversation.dialects.replies import Code, Nothing, ParsedReply
from tests.fakes import Ran, ScriptedModel, blocks, cell, rlm_of, said, submit

THREAD: Any = {"configurable": {"thread_id": "1"}}
GIVEN = {"query": "How many?", "context": "apple\npear\n"}
OPENING = (
    "Answer the following: How many?\n\n"
    "Your context is a str of 11 characters, in 1 document. It begins:\n<<<\napple\npear\n\n>>>\n\n"
    "You have seen nothing of the context yet. Look at it first, and do not answer in this turn."
)
HAS = "'answer', 'context_0', 'context'"
"""The variables that are listed from the start."""


def ran(*replies: Any, given: Any = GIVEN, **settings: Any) -> Ran:
    answer = settings.pop("answer", str.upper)
    model = ScriptedModel(*replies, answer=answer)
    return Ran(rlm_of(model, dialect="answer", **settings).invoke(given, THREAD), model)


# -- what a reply says ------------------------------------------------------------------------------------------------

UNMARKED = Nothing(NOT_MARKED, is_prose=False)
READINGS: list[tuple[str, ParsedReply]] = [
    ("```repl\nx = 1\n```", Code(("x = 1",))),
    ("I look.\n```repl\nx = 1\n```\nThen:\n```repl\ny = 2\n\nz = 3\n```\nDone.", Code(("x = 1", "y = 2\n\nz = 3"))),
    ("```repl  \n\n  x = 1  \n\n```", Code(("x = 1",))),
    ("```repl\r\nx = 1\r\n```", Code(("x = 1",))),
    ("Inside a line: ```repl\nx = 1\n``` goes on", Code(("x = 1",))),
    ("```repl\n\n```", Code(("",))),
    ("```repl\nx = '''\n  ```\n'''\n```", Code(("x = '''\n  ```\n'''",))),
    # blocks that do not run
    ("```python\nx = 1\n```", UNMARKED),
    ("```tool_code\nprint(P[:3])\n```", UNMARKED),
    ("```python-repl\nprint(P[:3])\n```", UNMARKED),
    ("I run `print(P[:3])` now.", UNMARKED),
    ("The function `print` writes.", Nothing()),
    ("```\nx = 1\n```", UNMARKED),
    ("```REPL\nx = 1\n```", UNMARKED),
    ("```repl title\nx = 1\n```", UNMARKED),
    ("``` repl\nx = 1\n```", UNMARKED),
    ("```python\nx = 1\n```\n```repl\ny = 2\n```", Code(("y = 2",))),
    ("```repl\nx = 1", Nothing(UNCLOSED, is_prose=False)),
    ("```repl\nx = 1```", Code(("x = 1",))),
    ("```repl\nx = 1\n   ```", Code(("x = 1",))),
    ("```repl\nx = 1\n```\n```repl\ny = 2", Code(("x = 1",), UNCLOSED)),
    # no code, and no other way to end
    ("", Nothing()),
    ("x = 1", UNMARKED),
    ("FINAL(3)", UNMARKED),
    ("FINAL_VAR(x)", UNMARKED),
    ("FINAL: 3", Nothing()),
    ('answer["content"] = 3\nanswer["ready"] = True', UNMARKED),
]


@pytest.mark.parametrize(("reply", "reading"), READINGS, ids=[repr(reply)[:60] for reply, _ in READINGS])
def test_reply_is_read_as(reply: str, reading: ParsedReply) -> None:
    assert Answer().parse(reply) == reading


@pytest.mark.parametrize("unit", ["`", "```repl\n", "a```repl\n", "```repl\n\n", "\n", "```", "<think>", " \n"])
def test_reply_of_any_size_is_read(unit: str) -> None:
    assert isinstance(Answer().parse("```repl" + unit * (200_000 // len(unit))), Code | Nothing)


# -- what is said, turn by turn ---------------------------------------------------------------------------------------


def test_conversation_is_that_of_the_official_implementation() -> None:
    first, second = (
        cell("print(len(context))\nn = 11\nf = print\n_p = 1"),
        blocks("print('a')", "n / 0", "t = llm_query('x')"),
    )
    run = ran(first, second, "I think.", cell(submit("n")))
    conversation = [
        ("human", f"{OPENING}\n\nTurn 1/30:"),
        ("ai", first),
        ("human", f"REPL output:\n\n11\n\n\nREPL variables: [{HAS}, 'n']\n\n\nTurn 2/30:"),
        ("ai", second),
        (
            "human",
            f"REPL output (block 1):\n\na\n\n\nREPL variables: [{HAS}, 'n']\n\n\n"
            'REPL output (block 2):\n\n\nTraceback (most recent call last):\n  File "<cell>", line 1, in <module>\n'
            f"    n / 0\nZeroDivisionError: division by zero\n\nREPL variables: [{HAS}, 'n']\n\n\n"
            f"REPL output (block 3):\nREPL variables: [{HAS}, 'n', 't']\n\n\nTurn 3/30:",
        ),
        ("ai", "I think."),
        ("human", "Turn 4/30:"),
    ]
    assert [call.conversation for call in run.model.turns] == [conversation[: 2 * n + 1] for n in range(4)]
    assert (run.answer, run.out["status"], run.out["steps"], run.model.asked) == (11, "answered", 4, ["x"])


def test_trajectory_has_an_entry_for_each_block() -> None:
    run = ran(blocks("print('a')", "1 / 0", "print(llm_query('x'))"), "hm", cell(submit("1")))
    told = [(step["step"], step.get("block"), step["code"], step["output"]) for step in run.out["trajectory"]]
    assert told == [
        (1, 1, "print('a')", "a\n"),
        (1, 2, "1 / 0", ""),
        (1, 3, "print(llm_query('x'))", "X\n"),
        (2, None, "", ""),
        (3, None, submit("1"), ""),
    ]
    assert [bool(step["error"]) for step in run.out["trajectory"]] == [False, True, False, False, False]
    assert [len(step["subcalls"]) for step in run.out["trajectory"]] == [0, 0, 1, 0, 0]


def test_value_of_the_last_line_is_not_shown() -> None:
    run = ran(cell("1 + 1"), cell(submit("1")))
    assert run.model.turns[1].told == f"REPL output:\nREPL variables: [{HAS}]\n\n\nTurn 2/30:"


def test_system_prompt_tells_of_this_dialect_alone() -> None:
    [turn] = ran(cell(submit("1"))).model.turns
    assert 'answer["ready"] = True' in turn.messages[0].text
    assert "llm_query_batched" in turn.messages[0].text
    assert "Final" not in turn.messages[0].text
    assert "FINAL" not in turn.messages[0].text


@pytest.mark.parametrize(("depth", "told"), [(0, ()), (1, ("llm_query",)), (2, ("llm_query", "rlm_query"))])
def test_system_prompt_tells_of_the_calls_that_there_are(depth: int, told: Sequence[str]) -> None:
    [turn] = ran(cell(submit("1")), limits=Limits(max_depth=depth), instructions="Be brief.").model.turns
    assert [name for name in ("llm_query", "rlm_query") if name in turn.messages[0].text] == list(told)
    assert turn.messages[0].text.endswith("\nBe brief.\n")


def test_tools_and_the_form_of_the_answer_are_told_of_in_this_dialect() -> None:
    def price(item: str) -> int:
        """The price of an item."""
        return len(item)

    replies = [blocks("n = price('pear')", "print(n)"), cell(submit("'four'")), cell(submit("n"))]
    run = ran(*replies, tools=[price], response_format={"type": "integer"})
    assert (run.answer, run.out["steps"]) == (4, 3)
    first, _, last = run.model.turns
    assert "- `price(item: str)`: The price of an item.\n" in first.messages[0].text
    form = '`answer["content"]` has to be a value that satisfies this JSON schema: {"type": "integer"}'
    assert first.conversation[0] == ("human", f"{OPENING}\n\n{form}\n\nTurn 1/30:")
    assert '\n\n`answer["content"]` does not satisfy the JSON schema' in last.told
    assert last.told.endswith('then set answer["content"], then answer["ready"] = True, to end.\n\nTurn 3/30:')


def test_documents_and_a_long_prefix_are_told_of_in_bounded_size() -> None:
    given = {"query": "q", "context": ["x" * 5_000, "y" * 5_000]}
    opening = ran(cell(submit("len(P)")), given=given).model.turns[0].told
    assert "a str of 10002 characters, in 2 documents" in opening
    assert "x" * 300 in opening
    assert len(opening) < 700


# -- what is shown of output ------------------------------------------------------------------------------------------


def shown(code: str) -> str:
    """What the model is told of a block."""
    told = ran(cell(code), cell(submit("1"))).model.turns[1].told
    return told.removeprefix("REPL output:\n").removesuffix("\n\nTurn 2/30:")


def test_output_is_cut_at_20_000_characters() -> None:
    variables = f"\n\nREPL variables: [{HAS}]\n"
    fits = 20_000 - len(f"\n{variables}")
    assert shown(f"print('x' * {fits}, end='')") == "\n" + "x" * fits + variables
    one_more = "\n" + "x" * (fits + 1) + variables
    assert shown(f"print('x' * {fits + 1}, end='')") == one_more[:20_000] + "... + [1 chars...]"
    assert shown("print('x' * 50_000, end='')") == "\n" + "x" * 19_999 + f"... + [{30_001 + len(variables)} chars...]"


def test_output_in_many_pieces_is_cut_in_the_same_way() -> None:
    told = shown("for i in range(30_000):\n    print(i % 10, end='')\ni = None")
    assert told.startswith("\n" + "0123456789" * 1_999 + "012345678... + [")


def test_max_output_of_the_sandbox_is_that_of_the_dialect_final() -> None:
    run = ran(cell("print('x' * 15_000)"), cell(submit("1")), sandbox=Sandbox(max_output=100))
    assert "x" * 15_000 in run.model.turns[1].told


def test_error_after_long_output_is_still_told() -> None:
    told = shown("print('x' * 50_000)\n1 / 0")
    assert "chars...]\n\nTraceback" in told
    assert told.endswith("ZeroDivisionError: division by zero")


# -- the answer -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        (submit("'text'"), "text"),
        (submit("[1, {'a': None}]"), [1, {"a": None}]),
        (submit("(1, 2)"), [1, 2]),
        (submit("{1}"), [1]),
        ('answer["ready"] = True\nanswer["content"] = 5', 5),
        ('answer["ready"] = 1', ""),
        ('answer = {"content": 5, "ready": True}', 5),
        ('answer = {"ready": True}', ""),
        ('answer.update({"content": 5, "ready": True})', 5),
        ('def done(x):\n    answer["content"], answer["ready"] = x, True\ndone(llm_query("x"))', "X"),
    ],
)
def test_answer_that_is_ready_ends_the_run(code: str, answer: Any) -> None:
    run = ran(cell(code))
    assert (run.answer, run.out["status"], run.out["steps"]) == (answer, "answered", 1)


def test_content_is_kept_over_turns_until_it_is_ready() -> None:
    run = ran(
        cell('answer["content"] = "a"'),
        cell('answer["content"] += "b"\nprint(answer)'),
        cell('answer["ready"] = True'),
    )
    assert run.answer == "ab"
    assert "{'content': 'ab', 'ready': False}" in run.model.turns[2].told


def test_all_blocks_run_and_the_first_answer_counts() -> None:
    run = ran(blocks(submit("'first'"), "1 / 0", submit("llm_query('x')")))
    assert (run.answer, run.out["steps"], run.model.asked) == ("first", 1, ["x"])
    assert len(run.out["trajectory"]) == 3


def test_block_that_raised_submits_nothing_then_or_later() -> None:
    run = ran(blocks(submit("'early'") + "\n1 / 0", "print(answer)"), cell("print(1)"), cell(submit("'late'")))
    assert (run.answer, run.out["steps"]) == ("late", 3)
    assert "{'content': 'early', 'ready': False}" in run.model.turns[1].told


@pytest.mark.parametrize("value", ["llm_query('x')", "None", "[1]", "5"])
def test_answer_that_is_overwritten_is_there_again_and_the_model_is_told(value: str) -> None:
    run = ran(cell(f"answer = {value}"), cell(submit("str(answer)")))
    assert run.answer == "{'content': '', 'ready': False}"
    assert "Restored to what they are: answer" in run.model.turns[1].told
    assert f"REPL variables: [{HAS}]" in run.model.turns[1].told


@pytest.mark.parametrize("code", ["Final = 5", "FINAL(5)", "FINAL_VAR('context')", "x = 5\nFINAL_VAR(x)"])
def test_other_dialects_do_not_end_a_run(code: str) -> None:
    run = ran(cell(code), cell(submit("'here'")))
    assert (run.answer, run.out["steps"]) == ("here", 2)
    if "FINAL" in code:
        assert "NameError: FINAL does not end a run" in run.model.turns[1].told
    else:
        assert f"REPL variables: [{HAS}, 'Final']" in run.model.turns[1].told


def test_code_that_exits_is_told_how_to_end() -> None:
    assert 'answer["ready"] = True' in shown("exit()")


# -- limits -----------------------------------------------------------------------------------------------------------

LAST = (
    "The limit {} is reached, and this is the last turn. Give your final answer to the question now, from what you "
    'know: in words, or by a ```repl block that sets answer["content"] and answer["ready"].'
)


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("It is 7.", "It is 7."),
        ("FINAL(7)", None),
        (cell(submit("n")), 7),
        (blocks("m = n", submit("m")), 7),
        (cell("print(n)"), None),
        (cell("answer['content'] = n\nn / 0"), None),
        (cell(submit("n") + "\nn / 0"), 7),
    ],
)
def test_last_turn_answers_in_words_or_in_code(reply: str, answer: Any) -> None:
    run = ran(cell("n = 7"), reply, limits=Limits(max_steps=1))
    told = f"REPL output:\nREPL variables: [{HAS}, 'n']\n\n\n{LAST.format('max_steps')}"
    assert run.model.turns[1].conversation[-1] == ("human", told)
    assert (run.answer, run.out["status"], run.out["steps"]) == (answer, "limit", 2)


def test_last_turn_comes_after_a_turn_without_code_too() -> None:
    run = ran("I think.", "It is 7.", limits=Limits(max_steps=1))
    assert run.model.turns[1].conversation[-1] == ("human", LAST.format("max_steps"))
    assert run.answer == "It is 7."


def test_last_turn_at_another_limit_follows_what_the_block_did() -> None:
    run = ran(cell("print(1)"), "It is 7.", limits=Limits(max_tokens=15))
    assert run.model.turns[1].told.endswith(f"Turn 2/30:\n\n{LAST.format('max_tokens')}")
    assert (run.answer, run.out["status"]) == ("It is 7.", "limit")


def test_fan_out_that_does_not_fit_is_an_error_of_its_block_alone() -> None:
    run = ran(blocks("llm_query_batched(['x'] * 9)", submit("llm_query('y')")), limits=Limits(max_subcalls=2))
    assert (run.answer, run.model.asked) == ("Y", ["y"])
    assert "do not fit" in run.out["trajectory"][0]["error"]


def test_block_that_runs_too_long_is_dropped_and_the_next_one_runs() -> None:
    run = ran(blocks("a = 1", "a = 2\nwhile True: pass", submit("a")), sandbox=Sandbox(timeout=0.3))
    assert (run.answer, run.out["steps"]) == (1, 1)
    assert "TimeoutError" in run.out["trajectory"][1]["error"]


# -- threads ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dropped", [False, True], ids=["", "its first cell dropped"])
def test_next_question_has_an_answer_of_its_own_and_the_variables(dropped: bool) -> None:
    lost = [cell("n = 0\nwhile True: pass")] if dropped else []
    model = ScriptedModel(
        cell("n = 7"),
        cell(submit("n")),
        *lost,
        cell("print(answer)\nn += 1"),
        cell('answer["ready"] = True'),
        cell(submit("n")),
    )
    saver = InMemorySaver()

    def rlm() -> Any:
        return rlm_of(model, dialect="answer", checkpointer=saver, sandbox=Sandbox(timeout=0.3))

    assert rlm().invoke(GIVEN, THREAD)["answer"] == 7
    assert rlm().invoke({"query": "And now?"}, THREAD)["answer"] == ""
    asked = "`context` is the same, and your variables are still there.\n\nAnswer the following: And now?\n\nTurn 1/30:"
    assert asked in [call.told for call in model.turns]
    assert "{'content': '', 'ready': False}" in model.turns[3 + dropped].told
    assert rlm().invoke({"query": "third", "context": "new"}, THREAD)["answer"] == 8
    assert "`context` is a new text now" in model.turns[-1].told
    assert "a str of 3 characters" in model.turns[-1].told


def test_new_text_is_that_of_every_name_of_it() -> None:
    model = ScriptedModel(cell(submit("context_0")), cell(submit("[context, context_0, P, ctx.num_documents()]")))
    rlm = rlm_of(model, dialect="answer", checkpointer=InMemorySaver())
    rlm.invoke({"query": "q", "context": "old"}, THREAD)
    assert rlm.invoke({"query": "q", "context": ["n", "ew"]}, THREAD)["answer"] == ["n\n\new"] * 3 + [2]


def test_names_that_a_block_overwrites_are_restored_and_told_of() -> None:
    run = ran(cell("context = context_0 = llm_query = 1"), cell(submit("[context, context_0, llm_query('x')]")))
    assert run.answer == [GIVEN["context"], GIVEN["context"], "X"]
    assert "Restored to what they are: context, context_0, llm_query" in run.model.turns[1].told


def test_child_that_another_dialect_has_answered_is_run_itself() -> None:
    cache = InMemoryCache[Any]()
    for dialect, ending in [("final", "Final = {}".format), ("answer", submit)]:
        script = {"root": [cell(ending("rlm_query('child', 'abc')"))], "child": [cell(ending("len(P)"))]}
        model = ScriptedModel(script=script)
        rlm_of(model, dialect=dialect, cache=cache).invoke({"query": "root", "context": "text"})
        assert len(model.turns) == 2


def test_sequential_calls_of_a_block_are_asked_ahead() -> None:
    run = ran(blocks("a = [llm_query(f'p{i}') for i in range(6)]", submit("a")))
    assert run.answer == [f"P{i}" for i in range(6)]
    assert any(call.get("ahead") for call in run.out["trajectory"][0]["subcalls"])


def test_large_fan_out_of_a_block_waits_for_consent() -> None:
    model = ScriptedModel(blocks("a = 1", "b = llm_query_batched(['x'] * 3)", submit("b")), answer=str.upper)
    rlm = rlm_of(model, dialect="answer", checkpointer=InMemorySaver(), limits=Limits(confirm_above=2))
    [interrupt] = rlm.invoke(GIVEN, THREAD)["__interrupt__"]
    assert interrupt.value["code"] == "b = llm_query_batched(['x'] * 3)"
    assert rlm.invoke(Command(resume=True), THREAD)["answer"] == ["X"] * 3


def test_new_question_drops_the_blocks_that_were_left() -> None:
    model = ScriptedModel(
        blocks(submit("1"), "b = llm_query('x')", "c = 1"), cell("print(SHOW_VARS())"), cell(submit("2"))
    )
    saver = InMemorySaver()
    rlm_of(model, dialect="answer", checkpointer=saver, interrupt_before=["subcall"]).invoke(GIVEN, THREAD)
    out = rlm_of(model, dialect="answer", checkpointer=saver).invoke({"query": "second"}, THREAD)
    assert (out["answer"], out["steps"], out["trajectory"][0]["output"]) == (2, 2, "no variables yet\n")


def test_thread_goes_on_in_another_dialect() -> None:
    saver, final = InMemorySaver(), ScriptedModel(cell("n = 7\nFINAL(n)"))
    assert rlm_of(final, checkpointer=saver).invoke(GIVEN, THREAD)["answer"] == 7
    model = ScriptedModel("unused", cell(submit("n + 1")))
    assert rlm_of(model, dialect="answer", checkpointer=saver).invoke({"query": "q"}, THREAD)["answer"] == 8


class Windowed(ScriptedModel):
    """Has a window of 3,000 tokens, four characters each, and refuses more where LangChain does not know of it."""

    is_known: bool = True

    def model_post_init(self, context: Any) -> None:
        super().model_post_init(context)
        self.profile = {"max_input_tokens": 3_000} if self.is_known else None

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        size = sum(len(message.text) for message in messages) // 4
        if size > 3_000:
            raise ContextOverflowError("too long")
        with self._noted(messages) as call:
            return said(self._reply_to(call), (size, 50), self.reports)


@pytest.mark.parametrize("is_known", [True, False], ids=["summary", "gap"])
def test_all_blocks_of_the_latest_turn_stand_where_earlier_ones_are_left_out(is_known: bool) -> None:
    count = itertools.count()

    def reply(messages: list[BaseMessage]) -> str:
        if messages[-1].text.endswith(prompts.SUMMARISE):
            return "A summary."
        n = next(count)
        places = [f"print('{place} {n} ' * 60)" for place in ("first", "second", "third", "last")]
        return blocks(*places) if n < 9 else cell(submit("past_steps"))

    model = Windowed(script=[reply] * 99, is_known=is_known)
    out = rlm_of(model, dialect="answer").invoke(GIVEN)
    assert f"REPL output (block 1):\n\n{'first 0 ' * 60}" in out["answer"][2]
    left_out = "A summary." if is_known else prompts.LEFT_OUT
    [after] = [call for call in model.turns if call.told.count(left_out) or left_out in str(call.conversation[:1])][:1]
    [*_, (_, told)] = after.conversation
    latest = max(n for n in range(9) if f"last {n} " in told)
    assert f"first {latest} " in told
    assert f"first {latest - 1} " not in told
    assert OPENING in after.conversation[0][1]
    roles = [role for call in model.turns for role, _ in call.conversation]
    assert all(pair != ("ai", "ai") for pair in pairwise(roles))
