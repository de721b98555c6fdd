"""Classes that Monty has by itself stay as they are written."""

from __future__ import annotations

import pytest

from langgraph_rlm.repl.rewriting.bridges import rewritten
from tests.fakes import final_of, run

PLAIN = """\
class Row:
    'A row.'
    kind = 'row'
    def __init__(self, x): self.x = x
    def twice(self): return 2 * self.x"""


def test_plain_class_is_not_printed_anew() -> None:
    code = f"{PLAIN}; # the end\nrow = Row( 2 )  # two"
    assert set(code.split("\n")) - set(rewritten(code).code.split("\n")) == {code.split("\n")[4]}
    assert final_of(f"{code}\nFinal = [row.twice(), row.kind, Row.__name__]") == [4, "row", "Row"]


def test_lines_after_a_plain_class_keep_their_numbers() -> None:
    ran = run(f"{PLAIN}\n{PLAIN.replace('Row', 'Other')}\nx = 1 / 0", f"{PLAIN}\nRow(1).no()", "Final = 1")
    assert ran.errors[0] is not None
    assert 'File "<cell>", line 11' in ran.errors[0]
    assert "    x = 1 / 0\n" in ran.errors[0]
    assert ran.errors[1] is not None
    assert 'File "<cell>", line 6' in ran.errors[1]


@pytest.mark.parametrize(
    "rest",
    [
        "class More(Row):\n    def thrice(self): return super().twice() + self.x\nFinal = More(2).thrice()",
        "Final = 6 if isinstance(Row(1), Row) else 0",
        "def f():\n    class Inner:\n        def __len__(self): return 6\n    return len(Inner())\nFinal = f()",
        "class ValueError:\n    pass\nFinal = 6",
        "class More:\n    @property\n    def x(self): return 6\nFinal = More().x",
        "class Match:\n    __match_args__ = ('x',)\n    def __init__(self): self.x = 6\nFinal = Match().x",
    ],
)
def test_plain_classes_stand_beside_others(rest: str) -> None:
    assert final_of(f"{PLAIN}\n{rest}") == 6
    first, second = run(PLAIN, rest), run(f"{PLAIN}\n{rest}")
    assert first.answer == second.answer == 6


def test_exception_of_an_earlier_cell_is_itself_where_all_exceptions_are_caught() -> None:
    defining = "class Own(Exception):\n    def __init__(self, code): self.code = code\ndef f(): raise Own(3)"
    catching = "try:\n    f()\nexcept Exception as e:\n    codes = [e.code]"
    assert run(defining, f"{catching}\nFinal = codes").answer == [3]
    assert run(defining, f"class A: pass\n{catching}\nFinal = codes").answer == [3]


def test_class_derived_from_a_plain_one_of_an_earlier_cell_has_its_methods() -> None:
    ran = run(PLAIN, "class More(Row):\n    pass\nFinal = [More(3).twice(), isinstance(More(1), Row), More(1).kind]")
    assert ran.answer == [6, True, "row"]
