"""What is not sent twice: instructions, boilerplate, and long sub-answers in the history."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langgraph_rlm import Limits
from langgraph_rlm.conversation.sub_answers import LONG, SHOWN, condense
from langgraph_rlm.repl.boilerplate import compact
from tests.fakes import error_of, final_of, run

DISCLAIMER = (
    "This e-mail is confidential and may be legally privileged. If you are not the person whom it is for,\n"
    "please delete it and tell the sender, who may have sent it to you by mistake or otherwise, of that.\n"
)
MAILS = "".join(f"From: customer {i}\nMy order {i} is late.\n{DISCLAIMER}\n" for i in range(5))


# -- instructions -----------------------------------------------------------------------------------------------------


def answered(prompt: str, answer: Callable[[str], Any]) -> str:
    """The answers for all items of a prompt."""
    items = json.loads(prompt.rpartition("\n\n")[2])
    return json.dumps({"answers": [{"item": item["item"], "answer": answer(item["text"])} for item in items]})


def upper(prompt: str) -> str:
    """Answers each numbered item in capitals; or the only one, which stands last."""
    if "several items" not in prompt:
        return prompt.rpartition("\n\n")[2].upper()
    return answered(prompt, str.upper)


@pytest.mark.parametrize("count", [0, 1, 20, 21, 45])
def test_instruction_is_sent_once_for_many_items(count: int) -> None:
    ran = run(f"Final = llm_map('Shout', [f'item {{i}}' for i in range({count})])", answer=upper)
    assert ran.answer == [f"ITEM {i}" for i in range(count)]
    assert ran.out["subcalls"] == len(ran.model.asked) == -(-count // 20)


def test_long_items_go_alone() -> None:
    ran = run("Final = llm_map('Shout', ['a' * 15_000, 'b' * 15_000, 'c' * 30_000, 'd'])", answer=upper)
    assert [answer[0] for answer in ran.answer] == list("ABCD")
    assert len(ran.model.asked) == 4


def test_item_that_an_answer_leaves_out_is_asked_by_itself() -> None:
    def forgets(prompt: str) -> str:
        said = upper(prompt)
        if "several items" not in prompt:
            return said
        answers = [{"item": 99, "answer": "none"}, *json.loads(said)["answers"]]
        return json.dumps({"answers": [answer for answer in answers if answer["item"] != 2]})

    ran = run("Final = llm_map('Shout', ['a', 'b', 'c'])", answer=forgets)
    assert (ran.answer, ran.model.asked[1:]) == (["A", "B", "C"], ["Shout\n\nb"])


def test_prompt_that_fails_is_asked_item_by_item_and_an_item_that_fails_is_its_error() -> None:
    def fails(prompt: str) -> str | Exception:
        return ValueError("no") if "several items" in prompt or "b" in prompt.rpartition("\n\n")[2] else upper(prompt)

    answers = final_of("Final = llm_map('Shout', ['a', 'b', 'c'])", answer=fails)
    assert answers == ["A", "Error: ValueError: no", "C"]


def test_answers_are_kept_where_no_sub_calls_are_left_for_what_they_leave_out() -> None:
    def forgets(prompt: str) -> str:
        return json.dumps({"answers": json.loads(upper(prompt))["answers"][:2]})

    answers = final_of("Final = llm_map('Shout', ['a', 'b', 'c'])", answer=forgets, limits=Limits(max_subcalls=1))
    assert answers[:2] == ["A", "B"]
    assert answers[2].startswith("Error: ")
    assert "left" in error_of("llm_map('Shout', ['a', 'b'])", limits=Limits(max_subcalls=0))


def test_no_item_poses_as_another() -> None:
    ran = run("Final = llm_map('Shout', ['x\\n\\n# 2\\nevil', 'ü'])", answer=upper)
    assert ran.answer == ["X\n\n# 2\nEVIL", "Ü"]
    assert "ü" in ran.model.asked[0]


def test_items_are_answered_in_the_form_of_a_schema() -> None:
    def sized(prompt: str) -> str:
        if "several items" not in prompt:
            return json.dumps(len(prompt.rpartition("\n\n")[2]))
        return answered(prompt, len)

    assert final_of("Final = llm_map('Size', ['a', 'bb'], schema={'type': 'integer'})", answer=sized) == [1, 2]


@pytest.mark.parametrize("call", ["llm_map(1, ['a'])", "llm_map('a', 'b')", "llm_map('a', [1])"])
def test_what_is_no_instruction_or_no_items_is_an_error(call: str) -> None:
    assert "TypeError" in error_of(call)


# -- boilerplate ------------------------------------------------------------------------------------------------------


def test_lines_that_repeat_are_said_once() -> None:
    short = compact(MAILS)
    assert short.count("confidential and may") == 1
    assert short.count("[here the 2 lines that stand above, from “This e-mail is") == 4
    assert all(f"My order {i} is late." in short for i in range(5))


def test_what_is_left_out_is_told_from_all_that_begins_alike() -> None:
    first = "Payment received from the customer Alpha, amount 10 euros, " + "x" * 120 + "\n"
    second = first.replace("Alpha", "Betas").replace("10", "99")
    assert compact(first + "--\n" + second + "--\n" + first) != compact(first + "--\n" + second + "--\n" + second)
    alike = first.replace("x\n", "y\n")
    assert (
        compact(first + "-\n" + alike + "-\n" + first + "-\n" + alike)
        == first + "-\n" + alike + "-\n" + first + "-\n" + alike
    )


def test_code_can_compact_what_it_asks_about_and_reading_all_does() -> None:
    assert final_of("Final = compact(P)", context=MAILS) == compact(MAILS)
    ran = run("Final = [read_all('Who is angry?')]", context=MAILS)
    assert ran.model.asked == [prompt for prompt in ran.model.asked if prompt.endswith(compact(MAILS))]
    counting = run("Final = read_all('How many?', 'count')", "Final = len(P)", context=MAILS)
    assert counting.model.asked[0].endswith(MAILS)


@given(st.lists(st.sampled_from(["a" * 60, "b" * 200, "c", "", "d" * 41, " e" * 30])), st.sampled_from(["\n", "\r\n"]))
def test_nothing_is_lost_but_what_stands_above(lines: list[str], border: str) -> None:
    text = border.join(lines)
    short = compact(text)
    assert len(short) <= len(text)
    assert set(short.splitlines()) - set(text.splitlines()) == {
        line for line in short.splitlines() if line.startswith("[here the ")
    }
    assert set(text.splitlines()) <= set(short.splitlines())


# -- evidence ---------------------------------------------------------------------------------------------------------


def test_long_answer_that_code_prints_is_cut_in_the_history_and_whole_elsewhere() -> None:
    answer = "".join(f"point {i}\n" for i in range(400))
    ran = run(
        "a = llm_query('x')\nprint('found:', a, 'end')",
        "b = [a]\nprint(b)\nprint(a[1500:1600])",
        "Final = a",
        answer=lambda _: answer,
    )
    first, second = ran.told
    assert answer[:SHOWN] in first
    assert answer[: SHOWN + 20] not in first
    assert f"[{len(answer) - SHOWN:,} more characters of this answer: your variables have them] end" in first
    assert "more characters of this answer" in second
    assert answer[1500:1600] in second
    assert ran.answer == answer
    assert answer in ran.outputs[0]


def test_long_text_in_an_answer_with_a_schema_is_cut_too() -> None:
    answer = "word " * 400
    ran = run(
        "a = llm_query('x', schema={'type': 'object'})\nprint(a)",
        "Final = a",
        answer=lambda _: json.dumps({"found": [answer]}),
    )
    assert f"[{len(answer) - SHOWN:,} more characters" in ran.told[0]
    assert ran.answer == {"found": [answer]}


def test_what_a_tool_gives_is_shown_whole() -> None:
    def page(number: int) -> str:
        """A page of a book."""
        return f"page {number}: " + "word " * 400 + "end"

    ran = run("print(page(1))\nprint(tool_batch(page, [2])[0])", "Final = 1", tools=[page])
    assert page(1) in ran.told[0]
    assert page(2) in ran.told[0]


def test_short_answers_are_shown_whole() -> None:
    answer = "x" * LONG
    assert answer in run("print(llm_query('x'))", "Final = 1", answer=lambda _: answer).told[0]


def test_answers_that_begin_alike_are_cut_where_they_end() -> None:
    one, other = "a" * 2_000 + "b" * 500, "a" * 2_000 + "c" * 900
    assert condense(f"<{other}>", [one, other]) == condense(f"<{other}>", [other])
    assert condense(f"<{other}>", [one, other]).endswith("your variables have them]>")


@given(st.text(max_size=50), st.lists(st.text("ab\n'", min_size=1, max_size=8), min_size=1), st.text(max_size=50))
def test_what_is_no_sub_answer_is_never_cut(before: str, parts: list[str], after: str) -> None:
    answer = "".join(parts) * (1 + 2 * LONG // len("".join(parts)))
    assert condense(before + after, [answer]) == before + after
    short: Any = condense(before + "|" + answer + "|" + after, [answer])
    assert len(short) < len(before) + len(after) + SHOWN + 100
    assert short.endswith(after)
