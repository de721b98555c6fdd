"""Whole programs, made at random, here and in CPython: the same values and prints, or the same kind of error.

What differs is told as the least program that does. Some programs may be refused here, by an error that names what is
not there: few of them.
"""

from __future__ import annotations

from collections import Counter

import pytest

from langgraph_rlm.repl.workers import Workers
from tests.unit.repl.comparison import here, shrunk, there, verdict
from tests.unit.repl.programs import AFTER, BEFORE, Program

MOST_REFUSED = 0.03
"""Share of the programs."""


def whole(body: str) -> str:
    return f"{BEFORE}{body}\n{AFTER}"


def differs(workers: Workers, body: str) -> bool:
    theirs = there(whole(body))
    is_program = theirs.error is None or theirs.error[0] not in ("SyntaxError", "NameError")
    return is_program and verdict(here(workers, whole(body)), theirs)[0] == "different"


def compare(seeds: range) -> None:
    verdicts: Counter[str] = Counter()
    workers = Workers(1)
    with workers.opened():
        for seed in seeds:
            body = Program(seed).body
            found, where = verdict(here(workers, whole(body)), there(whole(body)))
            verdicts[found] += 1
            if found == "different":
                least = shrunk(body, lambda smaller: differs(workers, smaller))
                pytest.fail(f"seed {seed}: {where}\n{least}")
    assert verdicts["refused"] <= MOST_REFUSED * len(seeds), verdicts


def test_programs_give_what_they_give_in_cpython() -> None:
    compare(range(50))


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1_000, 11_000, 1_000))
def test_many_programs_give_what_they_give_in_cpython(first: int) -> None:
    compare(range(first, first + 1_000))


def test_programs_are_the_same_for_each_seed() -> None:
    assert Program(7).body == Program(7).body != Program(8).body


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("note(1 + 1)", "same"),
        ("note(len(P))", "different"),
        ("print(llm_query)", "different"),
        ("note(bytearray(b'a'))", "refused"),
        ("try:\n    1 / 0\nexcept Exception as e:\n    failed(e)", "same"),
        ("raise KeyError('x')", "same"),
        ("note(999999999999999.25)", "same"),
        ("note(repr(999999999999999.25 + ('P' in locals())))", "different"),
        ("try:\n    {'x': 1}[:2]\nexcept KeyError as e:\n    failed(e)", "same"),
        ("failed(ValueError('x') if 'P' in locals() else TypeError())", "different"),
    ],
)
def test_differences_are_found(code: str, expected: str) -> None:
    workers = Workers(1)
    with workers.opened():
        assert verdict(here(workers, whole(code)), there(whole(code)))[0] == expected


def test_least_program_is_found() -> None:
    body = "a = 1\nfor x in [1, 2]:\n    if x:\n        a += x\n        b = print\nelse:\n    c = 3\n"
    assert shrunk(body, lambda smaller: "b = print" in smaller) == "b = print"
