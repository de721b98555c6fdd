"""How the dialect "final" reads a reply."""

from __future__ import annotations

import pytest

from langgraph_rlm.conversation import prompts
from langgraph_rlm.conversation.dialects.final import TEXT_KEPT, Final
from langgraph_rlm.conversation.dialects.replies import Code, Nothing, ParsedReply, Text
from langgraph_rlm.conversation.voices.small import Small
from tests.fakes import ScriptedModel, cell, rlm_of

read = Final(Small()).parse
NO_CELL = Nothing(prompts.NO_CELL)
BLOCK = "```repl\nprint(1)\n```"
LONG = "order 1 | late | " * 9
FENCED_TEXT = "x = '''Write:\n```repl\nFinal = 42\n```\n'''\nprint(x)"

READINGS: list[tuple[str, ParsedReply]] = [
    # blocks
    (BLOCK, Code(("print(1)",))),
    ("```python\nprint(1)\n```", Code(("print(1)",))),
    ("```py\nprint(1)\n```", Code(("print(1)",))),
    ("```Python\nprint(1)\n```", Code(("print(1)",))),
    ("``` repl\nprint(1)\n```", Code(("print(1)",))),
    ("```repl title=x\nprint(1)\n```", Code(("print(1)",))),
    (f"Let me look.\n\n{BLOCK}\n\nI wait for the output.", Code(("print(1)",))),
    (f"{BLOCK}\nand then\n```python\nprint(2)\n```", Code(("print(1)\nprint(2)",))),
    ("```repl\nfor x in P:\n    print(x)\n\n    y = x\n```", Code(("for x in P:\n    print(x)\n\n    y = x",))),
    ("```repl\nprint(1)", Code(("print(1)",))),
    ("```repl\nprint(1)\n", Code(("print(1)",))),
    ("```repl\r\nprint(1)\r\nx = 2\r\n```\r\n", Code(("print(1)\nx = 2",))),
    ("1. Look:\n   ```repl\n   if x:\n       print(1)\n   ```", Code(("if x:\n    print(1)",))),
    (f"An example of the data:\n```json\n[1]\n```\n{BLOCK}", Code(("print(1)",))),
    (f"```\na = [1]\n```\n{BLOCK}", Code(("print(1)",))),
    ("```repl\n\n```", NO_CELL),
    # bare code
    ("print(P[:100])", Code(("print(P[:100])",))),
    ("x = 1\nprint(x)", Code(("x = 1\nprint(x)",))),
    ("x: int = 3", Code(("x: int = 3",))),
    ("Final = 3", Code(("Final = 3",))),
    ("FINAL(3)", Code(("FINAL(3)",))),
    ("FINAL_VAR('x')", Code(("FINAL_VAR('x')",))),
    (r"re.findall('\d+', P)", Code((r"re.findall('\d+', P)",))),
    ("```\nprint(1)\n```", Code(("print(1)",))),
    ("Here:\n```\nprint(1)\n```", Code(("print(1)",))),
    (
        "x = '''Write:\n```repl\nFinal = 42\n```\n'''\nprint(x)",
        Code(("x = '''Write:\n```repl\nFinal = 42\n```\n'''\nprint(x)",)),
    ),
    # neither
    ("", NO_CELL),
    (" \n ", NO_CELL),
    ("I think the answer is 3.", NO_CELL),
    ("Done", NO_CELL),
    ("42", NO_CELL),
    ("-42.5", NO_CELL),
    ("yes, no", NO_CELL),
    ('"a quoted answer"', NO_CELL),
    ("Answer: unknown", NO_CELL),
    ("```json\n[1]\n```", NO_CELL),
    ("See:\n```text\nFINAL: 3\n```", NO_CELL),
    ("```\nplain words here\n```", NO_CELL),
    # an answer stated without code
    ("FINAL: 42", Text("42")),
    ("FINAL: x", Text("x")),
    ("FINAL:42", Text("42")),
    ("```repl\nFINAL: 42\n```", Text("42")),
    ("```\nFINAL: 42\n```", Text("42")),
    ("```text\nFINAL: forty two\n```\n", Text("forty two")),
    ("I have it.\n```python\nFINAL: forty-two, and\nno more\n```", Text("forty-two, and\nno more")),
    ("  FINAL: 42  ", Text("42")),
    ("I have it.\nFINAL: forty-two", Text("forty-two")),
    ("FINAL: first line\nsecond line", Text("first line\nsecond line")),
    ("FINAL: ", NO_CELL),
    ("The line FINAL: 3 stands inside a sentence.", NO_CELL),
    ("FINAL_VAR: result", Code(("FINAL_VAR('result')",))),
    ("FINAL_VAR: `result`", Code(("FINAL_VAR('result')",))),
    ("I have it.\nFINAL_VAR: result\n", Code(("FINAL_VAR('result')",))),
    ("FINAL_VAR: not a name", NO_CELL),
    # an answer stated beside code that has not run
    (f"{BLOCK}\nFINAL: 42", Code(("print(1)",))),
    (f"{BLOCK}\n```python\nprint(2)\n```\nFINAL: 42", Code(("print(1)\nprint(2)",))),
    (f"FINAL: 42\n{BLOCK}", Code(("print(1)",))),
    ("FINAL: see below\n```python\nx = len(P)\n```", Text("see below\n```python\nx = len(P)\n```")),
    ("FINAL:\n```python\nx = len(P)\n```", Code(("x = len(P)",))),
    ("FINAL:\n```python\nrun(5)\n```", Text("```python\nrun(5)\n```")),
    ("FINAL: run\n```python\nprint(1)\nFinal = 5\n```\nonce", Text("run\n```python\nprint(1)\nFinal = 5\n```\nonce")),
    ("FINAL: run\n```\nFINAL(5)\n```", Text("run\n```\nFINAL(5)\n```")),
    ("FINAL: run\n```py\nrun(5)\n```\n```sh\nls\n```", Text("run\n```py\nrun(5)\n```\n```sh\nls\n```")),
    ("FINAL:\n```python\nFinal = 5\n```", Code(("Final = 5",))),
    (f"FINAL_VAR: x\n{BLOCK}", Code(("print(1)",))),
    ("FINAL:\n```repl\nFinal = P.count('a')\n```", Code(("Final = P.count('a')",))),
    (f"{BLOCK}\nFINAL_VAR: x", Code(("print(1)",))),
    ("```repl\nprint(1)\nFINAL: 42", Code(("print(1)\nFINAL: 42",))),
    ("```\nx = P.count('a')\nprint(x)\n```\nFINAL: 42", Code(("x = P.count('a')\nprint(x)",))),
    (
        "```repl\n# the text has\n# ```\nx = len(P)\nFinal = x```",
        Code(("# the text has\n# ```\nx = len(P)\nFinal = x",)),
    ),
    ("```repl\nx = 1```\nand\n```repl\ny = 2```", Code(("x = 1\ny = 2",))),
    # a copy of the text
    (f"```repl\nP = '''a\n{LONG}'''\nprint(P)\n```", Code(("\n\nprint(P)",), TEXT_KEPT)),
    (f"```python\nimport re\nP = '{LONG}'\nn = len(P)\n```", Code(("import re\n\nn = len(P)",), TEXT_KEPT)),
    (f"P = '{LONG}'\nprint(len(P))", Code(("\nprint(len(P))",), TEXT_KEPT)),
    (f"```repl\nP = '{LONG}'; print(P)\n```", Code((f"P = '{LONG}'; print(P)",))),
    (f"```repl\nx = 1; P = '{LONG}'\n```", Code((f"x = 1; P = '{LONG}'",))),
    (f"```repl\nx = '''\na'''; P = '{LONG}'\n```", Code((f"x = '''\na'''; P = '{LONG}'",))),
    ("```repl\nP = 'short'\n```", Code(("P = 'short'",))),
    ("```repl\nP = P.lower()\nQ = 'a'\n```", Code(("P = P.lower()\nQ = 'a'",))),
    # a transcript: what it shows as output was never printed
    (
        "```repl\n>>> n = P.count('a')\n>>> for i in [n]:\n...     print(i)\n57\n```",
        Code(("n = P.count('a')\nfor i in [n]:\n    print(i)",)),
    ),
    ("FINAL: the tag <think> opens a thought", Text("the tag <think> opens a thought")),
]


@pytest.mark.parametrize(("reply", "reading"), READINGS, ids=[repr(reply)[:60] for reply, _ in READINGS])
def test_reply_is_read_as(reply: str, reading: ParsedReply) -> None:
    assert read(reply) == reading


def test_final_line_after_bare_code_is_not_believed() -> None:
    reading = read("x = P.count('a')\nprint(x)\nFINAL: 42")
    assert isinstance(reading, Code)
    assert reading.blocks[0].startswith("x = P.count('a')\nprint(x)")


@pytest.mark.parametrize("size", [1_000, 100_000])
@pytest.mark.parametrize("unit", ["`", "```\n", "FINAL:", "<think>", "(", "\\", "a ", "FINAL_VAR: ", " \n"])
def test_reply_of_any_size_is_read(unit: str, size: int) -> None:
    assert isinstance(read(unit * (size // len(unit))), Code | Text | Nothing)


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
