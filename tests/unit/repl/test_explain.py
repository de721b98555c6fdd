"""Errors are told in the model's own words: the lines of its cells as it wrote them, whatever ran in their place."""

from __future__ import annotations

from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from tests.fakes import QUERY, TEXT, ScriptedModel, cell, error_of, rlm_of, run

DEFINED = """\
from datetime import datetime
class Day:
    def __init__(self, day):
        self.day = day
    def __lt__(self, other):
        return self.day < other.day
    def __len__(self):
        return 0
    @property
    def title(self):
        return self.missing
    def __repr__(self):
        return 1 + self.day
def when(text):
    print("before")
    return datetime.strptime(text, "%Y")
def both(text):
    return len(Day(1)) + int(
        text)
def each(texts):
    for text in texts:
        yield when(text)
"""
FAILING = {
    "if when('x'):\n    pass": 'return datetime.strptime(text, "%Y")',
    "def f():\n    return both('x')\nf()": "return len(Day(1)) + int(",
    "max(len(Day(2)), both('x'))": "return len(Day(1)) + int(",
    "x = 1\nDay('a')": "return 1 + self.day",
    "sorted([Day(1)], key=lambda d: when('x'))": 'return datetime.strptime(text, "%Y")',
}


def shown(error: str) -> list[tuple[int, str]]:
    """The lines that a traceback shows, with their numbers."""
    lines = error.split("\n")
    places = [i for i, line in enumerate(lines) if line.startswith('  File "<cell>", line ')]
    return [(int(lines[i].split("line ")[1].split(",")[0]), lines[i + 1].strip()) for i in places]


@pytest.mark.parametrize("code", FAILING)
@pytest.mark.parametrize("is_one_cell", [True, False])
def test_traceback_shows_the_lines_that_the_model_wrote(code: str, is_one_cell: bool) -> None:
    cells = [f"{DEFINED}{code}"] if is_one_cell else [DEFINED, code]
    error = run(*cells, "Final = 0").errors[len(cells) - 1]
    assert error is not None
    frames = shown(error)
    assert FAILING[code] in [line for _, line in frames]
    for number, line in frames:
        assert any(
            line == source.split("\n")[number - 1].strip() for source in cells if number <= source.count("\n") + 1
        )
    assert "__rlm__" not in error
    assert "__op_" not in error


def test_cells_of_an_earlier_process_are_not_shown_as_they_ran() -> None:
    saver = InMemorySaver()
    thread: Any = {"configurable": {"thread_id": "1"}}
    first = rlm_of(ScriptedModel(cell(DEFINED), cell("Final = 1")), checkpointer=saver)
    first.invoke({"query": QUERY, "context": TEXT}, thread)
    second = rlm_of(ScriptedModel("", "", cell("when('x')"), cell("Final = 2")), checkpointer=saver)
    out = second.invoke({"query": QUERY}, thread)
    error = out["trajectory"][-2]["error"]
    assert "in when" in error
    assert "__rlm__" not in error


def test_statement_of_many_lines_is_shown_by_its_first() -> None:
    error = error_of("class A:\n    x = 1\n    y = int(\n        'z')\n    w = 2\ndef g():\n    yield 1")
    assert shown(error)[-1] == (3, "y = int(")
    assert "<" not in error.replace("<cell>", "").replace("<module>", "")
