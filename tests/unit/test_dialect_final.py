"""How the dialect "final" reads a reply."""

from __future__ import annotations

import pytest

from langgraph_rlm.dialects.final import Cell, Nothing, Reply, Text, read
from tests.fakes import ScriptedModel, cell, rlm_of

BLOCK = "```repl\nprint(1)\n```"

READINGS: list[tuple[str, Reply]] = [
    # blocks
    (BLOCK, Cell("print(1)")),
    ("```python\nprint(1)\n```", Cell("print(1)")),
    ("```py\nprint(1)\n```", Cell("print(1)")),
    ("```Python\nprint(1)\n```", Cell("print(1)")),
    ("``` repl\nprint(1)\n```", Cell("print(1)")),
    ("```repl title=x\nprint(1)\n```", Cell("print(1)")),
    (f"Let me look.\n\n{BLOCK}\n\nI wait for the output.", Cell("print(1)")),
    (f"{BLOCK}\nand then\n```python\nprint(2)\n```", Cell("print(1)\nprint(2)")),
    ("```repl\nfor x in P:\n    print(x)\n\n    y = x\n```", Cell("for x in P:\n    print(x)\n\n    y = x")),
    ("```repl\nprint(1)", Cell("print(1)")),
    ("```repl\nprint(1)\n", Cell("print(1)")),
    ("```repl\r\nprint(1)\r\nx = 2\r\n```\r\n", Cell("print(1)\nx = 2")),
    ("1. Look:\n   ```repl\n   if x:\n       print(1)\n   ```", Cell("if x:\n    print(1)")),
    (f"An example of the data:\n```json\n[1]\n```\n{BLOCK}", Cell("print(1)")),
    (f"```\na = [1]\n```\n{BLOCK}", Cell("print(1)")),
    ("```repl\n\n```", Nothing()),
    # bare code
    ("print(P[:100])", Cell("print(P[:100])")),
    ("x = 1\nprint(x)", Cell("x = 1\nprint(x)")),
    ("x: int = 3", Cell("x: int = 3")),
    ("Final = 3", Cell("Final = 3")),
    ("FINAL(3)", Cell("FINAL(3)")),
    ("FINAL_VAR('x')", Cell("FINAL_VAR('x')")),
    (r"re.findall('\d+', P)", Cell(r"re.findall('\d+', P)")),
    ("```\nprint(1)\n```", Cell("print(1)")),
    ("Here:\n```\nprint(1)\n```", Cell("print(1)")),
    # neither
    ("", Nothing()),
    (" \n ", Nothing()),
    ("I think the answer is 3.", Nothing()),
    ("Done", Nothing()),
    ("42", Nothing()),
    ("-42.5", Nothing()),
    ("yes, no", Nothing()),
    ('"a quoted answer"', Nothing()),
    ("Answer: unknown", Nothing()),
    ("```json\n[1]\n```", Nothing()),
    ("```text\nFINAL: 3\n```", Nothing()),
    ("```\nplain words here\n```", Nothing()),
    # an answer stated without code
    ("FINAL: 42", Text("42")),
    ("FINAL: x", Text("x")),
    ("FINAL:42", Text("42")),
    ("  FINAL: 42  ", Text("42")),
    ("I have it.\nFINAL: forty-two", Text("forty-two")),
    ("FINAL: first line\nsecond line", Text("first line\nsecond line")),
    ("FINAL: ", Nothing()),
    ("The line FINAL: 3 stands inside a sentence.", Nothing()),
    ("FINAL_VAR: result", Cell("FINAL_VAR('result')")),
    ("FINAL_VAR: `result`", Cell("FINAL_VAR('result')")),
    ("I have it.\nFINAL_VAR: result\n", Cell("FINAL_VAR('result')")),
    ("FINAL_VAR: not a name", Nothing()),
    # an answer stated beside code that has not run
    (f"{BLOCK}\nFINAL: 42", Cell("print(1)")),
    (f"FINAL: 42\n{BLOCK}", Cell("print(1)")),
    (f"{BLOCK}\nFINAL_VAR: x", Cell("print(1)")),
    ("```repl\nprint(1)\nFINAL: 42", Cell("print(1)\nFINAL: 42")),
    ("```\nx = P.count('a')\nprint(x)\n```\nFINAL: 42", Cell("x = P.count('a')\nprint(x)")),
    # a transcript: what it shows as output was never printed
    (
        "```repl\n>>> n = P.count('a')\n>>> for i in [n]:\n...     print(i)\n57\n```",
        Cell("n = P.count('a')\nfor i in [n]:\n    print(i)"),
    ),
    # thoughts
    (f"<think>\nFINAL: 1\n```repl\nbad()\n```\n</think>\n{BLOCK}", Cell("print(1)")),
    ("<think>FINAL: 1</think>\nFINAL: 2", Text("2")),
    ("\n <think>hm</think>print(1)", Cell("print(1)")),
    ("<think>\nFINAL: 1\nprint(1)", Nothing()),
    (f"```repl\nbad()\n```\nFINAL: 1\n</think>\n\n{BLOCK}", Cell("print(1)")),
    ("FINAL: the tag <think> opens a thought", Text("the tag <think> opens a thought")),
]


@pytest.mark.parametrize(("reply", "reading"), READINGS, ids=[repr(reply)[:60] for reply, _ in READINGS])
def test_reply_is_read_as(reply: str, reading: Reply) -> None:
    assert read(reply) == reading


def test_final_line_after_bare_code_is_not_believed() -> None:
    reading = read("x = P.count('a')\nprint(x)\nFINAL: 42")
    assert isinstance(reading, Cell)
    assert reading.code.startswith("x = P.count('a')\nprint(x)")


@pytest.mark.parametrize("size", [1_000, 100_000])
@pytest.mark.parametrize("unit", ["`", "```\n", "FINAL:", "<think>", "(", "\\", "a ", "FINAL_VAR: ", " \n"])
def test_reply_of_any_size_is_read(unit: str, size: int) -> None:
    assert isinstance(read(unit * (size // len(unit))), Cell | Text | Nothing)


def test_reply_without_code_is_answered_by_a_request_for_code() -> None:
    model = ScriptedModel("I shall look at the text.", cell("Final = 7"))
    out = rlm_of(model).invoke({"query": "q", "context": "text"})
    assert out["answer"] == 7
    assert "no code" in model.turns[1].told
    assert [bool(step["error"]) for step in out["trajectory"]] == [True, False]


def test_several_blocks_run_in_order_as_one_cell() -> None:
    model = ScriptedModel(f"{cell('a = 1')}\nthen\n{cell('Final = a + 1')}")
    out = rlm_of(model).invoke({"query": "q", "context": "text"})
    assert (out["answer"], out["steps"]) == (2, 1)
