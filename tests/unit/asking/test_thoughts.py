"""What a model has only thought is left out of what it says, and what is said of thoughts is not."""

from __future__ import annotations

import random

import pytest

from langgraph_rlm.asking.thoughts import without_thoughts

SAID = [
    ("<think>hm</think>yes", "yes"),
    ("<THINK>\nhm\n</Think>\n\nYes.", "Yes."),
    ("<thinking>a</thinking>\nb", "b"),
    ("<think>a</think><think>b</think>c", "c"),
    ("<think>a</think>\nLet me look.\n<think>b</think>\nc", "Let me look.\n\nc"),
    ("hm, so yes.</think>no", "no"),
    ("hm, so yes\n</think>\n\nno", "no"),
    ("hm, so yes.\n\n</think>\nno", "no"),
    ("hm</think> no", "no"),
    ("<think>\nlong", ""),
    ("<think>Okay, so", ""),
    ("<think>\n```\nx\n</think>\n```repl\nprint(1)\n```", "```repl\nprint(1)\n```"),
    ("<think>\n\n</think>\n\nyes", "yes"),
    ("<|channel|>analysis<|message|>We need<|end|><|start|>assistant<|channel|>final<|message|>four<|return|>", "four"),
    ("analysisWe need to say four.assistantfinalfour", "four"),
    ("<|channel|>analysis<|message|>We need", ""),
    ("<|channel|>analysis<|message|>no<|channel|>final<|message|>yes", "yes"),
    ("[THINK]a[/THINK]b", "b"),
    ("<think>The </think> tag is meant.\n</think>\nyes", "yes"),
    ("<think>use `</think>`\nok</think>\nyes", "yes"),
    ("<think>a</think>Yes<think>b</think>", "Yes"),
]
SPOKEN_OF = [
    "<think> is a tag",
    "Qwen writes <think> before it answers.",
    "Qwen writes <think>…</think> before it answers.",
    "The `</think>` tag ends it.\n",
    "The </think> tag ends it.",
    "<think> and </think> enclose thoughts",
    "```repl\nx = re.sub(r'<think>.*?</think>', '', P)\n```",
    "```repl\nx = '''\n<think>\na\n</think>\n'''\n```",
    "analysis of the text: assistantfinal",
    "gpt-oss writes `<|channel|>final<|message|>` first",
    "yes",
    " yes \n",
    '"</think>" closes a thought',
    "Close it with </think>",
    "Text.\n```xml\n<think>\n</think>\n```\nmore",
    "<thinking about lunch>",
    "FINAL: the tag <think> opens a thought",
    "1 < 2 and <thinking> is a tag of HTML, it seems",
    "Use `<think>` and `</think>`.",
]
NAMES = ("think", "thinking", "THINK", "Thought")
ENDS = ("\n", " ", "\n\n", "")


@pytest.mark.parametrize(("reply", "said"), SAID, ids=[repr(reply)[:60] for reply, _ in SAID])
def test_thought_is_left_out(reply: str, said: str) -> None:
    assert without_thoughts(reply) == said


@pytest.mark.parametrize("reply", SPOKEN_OF, ids=[repr(reply)[:60] for reply in SPOKEN_OF])
def test_text_that_speaks_of_a_thought_survives(reply: str) -> None:
    assert without_thoughts(reply) == reply


@pytest.mark.parametrize("seed", range(200))
def test_thoughts_around_any_answer_are_left_out(seed: int) -> None:
    chance = random.Random(seed)
    answers = ["yes", "No.", "42", '{"a": [1, 2]}', "```repl\nprint(1)\n```", "FINAL: it is <b>bold</b>", "two\nlines"]
    notes = ["", "hm", "The text has 3 of them.\nOr 4?", "I could write\n```python\nx = 1\n```\nbut no", "`code` < 3"]
    answer, name = chance.choice(answers), chance.choice(NAMES)
    thoughts = [
        f"<{name}>{chance.choice(ENDS)}{chance.choice(notes)}{chance.choice(ENDS)}</{name}>{chance.choice(ENDS)}"
        for _ in range(chance.randint(1, 3))
    ]
    assert without_thoughts("".join(thoughts) + answer) == answer


def test_thought_that_was_cut_off_says_nothing() -> None:
    assert without_thoughts("<think> is it 3", is_cut=True) == ""
    assert without_thoughts("yes\n<think>or", is_cut=True) == "yes"


@pytest.mark.parametrize(
    "unit", ["<think>", "</think>", "\n<think>a", "a `</think>` ", "```\n</think>\n", "<|channel|>"]
)
def test_reply_of_any_size_is_read(unit: str) -> None:
    assert isinstance(without_thoughts(unit * (50_000 // len(unit))), str)
