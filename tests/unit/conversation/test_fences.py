"""Blocks of a reply end where their code does, whatever stands in its strings."""

from __future__ import annotations

import random

import pytest

from langgraph_rlm.conversation.dialects.answer import Answer
from langgraph_rlm.conversation.dialects.dialect import Dialect
from langgraph_rlm.conversation.dialects.fences import blocks_of
from langgraph_rlm.conversation.dialects.final import Final
from langgraph_rlm.conversation.dialects.final_text import FinalText
from langgraph_rlm.conversation.dialects.replies import Code, Text
from langgraph_rlm.conversation.voices.small import Small

DIALECTS = [Final(Small()), Answer(), FinalText()]
CODES = [
    "print(P[:100])",
    'Final = """Run this:\n```python\nprint(1)\n```\nand see."""',
    "x = '''\n```\n'''\nprint(x)",
    'for line in P.splitlines():\n    if line.startswith("```"):\n        print(line)',
    "x = '''\n>>> y = 1\n1\n'''\nprint(x)",
    "x = '''\n~~~\n'''",
    'doc = """\n````\n```repl\nx\n```\n````\n"""\nn = len(doc)',
    "a = 1  # not a ```",
    "def f(x):\n    return {'a': [x]}\n\n\nprint(f(1))",
]
FENCES = [("```", "```"), ("````", "````"), ("~~~", "~~~"), ("```", "`````"), ("  ```", "  ```")]


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: str(dialect.name))
@pytest.mark.parametrize("seed", range(40))
def test_each_block_is_read_whole(dialect: Dialect, seed: int) -> None:
    chance = random.Random(seed)
    codes = chance.choices(CODES, k=chance.randint(1, 3))
    words = ["I look.", "", "Then `x` is next:", "The output shows that.\n\n"]
    reply = "".join(f"{chance.choice(words)}\n{block(code, chance)}\n" for code in codes) + chance.choice(words)
    said = dialect.parse(reply)
    assert isinstance(said, Code)
    assert "\n".join(said.blocks) == "\n".join(codes)


def block(code: str, chance: random.Random) -> str:
    opening, closing = chance.choice(FENCES)
    if opening.startswith(" "):
        code = "\n".join(f"  {line}" if line else line for line in code.split("\n")) if "'''" not in code else code
        opening, closing = (opening, closing) if "'''" not in code and '"""' not in code else ("```", "```")
        code = code if opening.startswith(" ") else "\n".join(line.removeprefix("  ") for line in code.split("\n"))
    ends_on_last_line = closing == "```" and not code.endswith("`") and chance.random() < 0.3
    return f"{opening}repl\n{code}{'' if ends_on_last_line else chr(10)}{closing}"


@pytest.mark.parametrize("dialect", DIALECTS[::2], ids=lambda dialect: str(dialect.name))
@pytest.mark.parametrize("answer", ["print(1)", "x = 1\nprint(x)", "plain"])
def test_stated_answer_keeps_its_blocks_and_runs_none(dialect: Dialect, answer: str) -> None:
    words = f"Run this (see below):\n```python\n{answer}\n```\nThat is all."
    said = dialect.parse(f"FINAL({words})" if dialect.name == "final-text" else f"It is done.\nFINAL: {words}")
    assert said == Text(words)


def test_code_that_is_not_python_ends_at_the_first_fence() -> None:
    [first, second] = blocks_of("```repl\nx = (\n```\nno\n```repl\ny = 1\n```")
    assert (first.code, second.code) == ("x = (", "y = 1")


def test_other_languages_end_at_the_first_fence_and_unclosed_blocks_at_the_end() -> None:
    [json, text, last] = blocks_of("```json\n[1]\n```\n~~~\nwords\n~~~\n```repl\nprint(1)")
    assert [json.code, text.code, last.code] == ["[1]", "words", "print(1)"]
    assert [json.is_closed, text.is_closed, last.is_closed] == [True, True, False]
