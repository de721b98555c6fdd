"""Idioms that Monty lacks, written another way."""

from __future__ import annotations

import pytest

from langgraph_rlm import create_rlm
from langgraph_rlm.repl import gaps
from tests.fakes import ScriptedModel, cell


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
    assert gaps.bridge_gaps(code) == code
