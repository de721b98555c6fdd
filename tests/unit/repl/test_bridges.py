"""Idioms and modules that Monty lacks: a cell is rewritten before it runs."""

from __future__ import annotations

import pytest

from langgraph_rlm import create_rlm
from langgraph_rlm.repl.bridges import rewritten
from tests.fakes import ScriptedModel, cell, error_of


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("d = {'a': 1, 'b': 3}\nFinal = max(d, key=d.get)", "b"),
        ("Final = sorted(['b', 'A'], key=str.lower, reverse=True)", ["b", "A"]),
        ("Final = list(map(str.strip, [' é ', 'b ']))", ["é", "b"]),
        ("é = 'é'; d = {é: 2}; Final = max(d, key=d.get)", "é"),
        ("Final = next(x for x in [1, 2] if x > 1)", 2),
        ("Final = next((x for x in [1, 2] if x > 5), None) is None", True),
    ],
)
def test_common_idioms_run(code: str, answer: object) -> None:
    rlm = create_rlm(ScriptedModel(cell(code)))
    assert rlm.invoke({"query": "q", "context": "text", "profile": "rlm"})["answer"] == answer


@pytest.mark.parametrize(
    "code", ["max(d, key=len)", "next(it)", "f(x.y)", "not python (", "'\\d' + x", "key = d.get('a')"]
)
def test_other_code_stays_as_it_is(code: str) -> None:
    assert rewritten(code).code == code


# -- modules ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("import bisect\nFinal = bisect.bisect([1, 3, 5], 3)", 2),
        ("import bisect as b, json\nFinal = [b.bisect_left([1, 3], 3), json.dumps(1)]", [1, "1"]),
        (
            "from bisect import bisect_left as left, insort\nxs = [1, 3]\ninsort(xs, 2)\nFinal = [left(xs, 2), xs]",
            [1, [1, 2, 3]],
        ),
        ("from bisect import (\n    bisect_left,\n    bisect_right,\n)\nFinal = bisect_right([1], 1)", 1),
        ("from bisect import *\nFinal = bisect_left([1, 2], 2)", 1),
        ("def place(x):\n    import bisect; return bisect.bisect([1, 2], x)\nFinal = place(1)", 1),
        ("if True: import bisect\nFinal = bisect.bisect([], 1)", 0),
        ("try:\n    import numpy\nexcept ImportError:\n    import bisect\nFinal = bisect.bisect([], 1)", 0),
    ],
)
def test_modules_in_python_of_the_sandbox_are_imported_in_any_way(code: str, answer: object) -> None:
    rlm = create_rlm(ScriptedModel(cell(code)))
    assert rlm.invoke({"query": "q", "context": "text", "profile": "rlm"})["answer"] == answer


def test_lines_of_errors_are_those_of_the_cell() -> None:
    assert "line 5" in error_of("from bisect import (\n    bisect_left,\n    bisect_right,\n)\n1 / 0")
    assert rewritten("from bisect import (\n    bisect,\n)\nx").code.count("\n") == 3


def test_module_that_is_not_there_cannot_be_had_from_the_host() -> None:
    for name in ("os", "../prelude", "modules/bisect", "prelude", ""):
        assert "no such call" in error_of(f"__rlm__['module']({name!r})")
