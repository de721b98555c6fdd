"""The idioms of `python -m benchmarks python` come to the same here and in CPython; how fast, the benchmark says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from benchmarks.idioms import Idiom, idioms
from benchmarks.python import Compared, Ran, compare, summary
from langgraph_rlm.repl.workers import Workers

SMALL = 40_000
"""Characters of a text: records of each kind are in it."""
LACKING = {
    "logs: state machine over lines",
}
"""Those that do not run here: what runs by now has to go from the list."""
IDIOM = idioms()[0]
RAN = Ran(answer=[1, {"a": 2.0}], printed="3\n", error=None, seconds=1.0)


@pytest.fixture
def workers() -> Iterator[Workers]:
    opened = Workers(1)
    with opened.opened():
        yield opened


@pytest.mark.parametrize("idiom", idioms(), ids=lambda idiom: idiom.name)
def test_idiom_has_cpythons_value(idiom: Idiom, workers: Workers) -> None:
    compared = compare(idiom, workers, SMALL, rounds=1)
    assert compared.in_cpython.answer is not None
    assert compared.is_equal == (idiom.name not in LACKING), (compared.here, compared.in_cpython)


def test_idioms_are_many_and_of_all_texts() -> None:
    names = [idiom.name for idiom in idioms()]
    assert len(names) == len({*names}) >= 120
    assert {*names} > LACKING
    assert len({idiom.text.name for idiom in idioms()}) == 8


@pytest.mark.parametrize(
    "other",
    [
        replace(RAN, answer=[1, {"a": 2}]),
        replace(RAN, answer=[True, {"a": 2.0}]),
        replace(RAN, printed="3"),
        replace(RAN, error="TypeError"),
    ],
)
def test_value_is_cpythons_only_with_the_same_types_and_output(other: Ran) -> None:
    assert RAN.agrees(replace(RAN, seconds=2.0))
    assert not RAN.agrees(other)


def test_summary_counts_values_and_names_what_is_slow() -> None:
    slow = Compared(IDIOM, replace(RAN, seconds=0.3), replace(RAN, seconds=0.02))
    short = Compared(IDIOM, replace(RAN, seconds=0.2), replace(RAN, seconds=0.001))
    wrong = Compared(IDIOM, replace(RAN, answer=2, seconds=0.3), replace(RAN, seconds=0.1))
    told = summary([slow, short, wrong, short])
    assert "3 of 4 with CPython's value: 75.0%" in told
    assert told.count(IDIOM.name) == 1
    assert "15 ×" in told
