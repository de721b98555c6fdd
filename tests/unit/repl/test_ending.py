"""What may be the value that code ends a run with: a value, and nothing that merely stands for one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.fakes import ScriptedModel, cell, error_of, final_of, rlm_of, run, submit

DEFINED = """\
import ast, functools, typing, pathlib, itertools
import collections, dataclasses, datetime, decimal, enum, fractions, hashlib, io
class Plain:
    def __init__(self):
        self.a = 1
class Shown:
    def __str__(self):
        return "shown"
class Derived(Plain):
    @property
    def b(self):
        return 2
class Counting:
    def __init__(self, n):
        self.n = n
    def __iter__(self):
        return self
    def __next__(self):
        if not self.n:
            raise StopIteration
        self.n -= 1
        return self.n
class Pair(typing.NamedTuple):
    a: int
    b: int
    def total(self):
        return self.a + self.b
class Color(enum.Enum):
    RED = 1
class Wrong(Exception):
    pass
class Names(collections.UserList):
    pass
@dataclasses.dataclass
class Row:
    n: int
def find(text="x"):
    return text
def each(n):
    for i in range(n):
        yield i
def asking():
    yield llm_query("x")
"""


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("find", "`Final` is the function `find`: call it, `Final = find(...)`."),
        ("len", "the function `len`"),
        ("llm_query", "the function `llm_query`"),
        ("print", "the function `print`"),
        ("each", "`Final = each(...)`"),
        ("lambda: 1", "is a function: call it"),
        ("P.upper", "is a function: call it"),
        ("functools.partial(find, 'x')", "is a function: call it"),
        ("Plain", "the class `Plain`"),
        ("dict", "the class `dict`"),
        ("ValueError", "the class `ValueError`"),
        ("Color", "an enumeration"),
        ("Plain()", "an instance of `Plain`: give its fields"),
        ("Derived()", "an instance of `Derived`"),
        ("Shown()", "an instance of `Shown`"),
        ("Row(1)", "an instance of `Row`: `dataclasses.asdict(value)`"),
        ("ctx", "an instance of `Ctx`"),
        ("Wrong('no')", "the exception `Wrong`: `str(error)`"),
        ("ValueError('no')", "the exception `ValueError`"),
        ("re.compile('a')", "a pattern: search with it"),
        ("re.search('a', P)", "a match: `.group()`"),
        ("re", "a module"),
        ("json", "a module"),
        ("io.StringIO('a')", "`.getvalue()`"),
        ("hashlib.sha256(b'a')", "`.hexdigest()`"),
        (
            "asking()",
            "an iterator that cannot be gone through here: make a list of it in your code, `Final = list(...)`",
        ),
        ("(1 // x for x in [0])", "`Final = list(...)`"),
        ("itertools.count()", "more than 1,000,000 items"),
        ("itertools.cycle('ab')", "more than 1,000,000 items"),
        ("ast.parse('1').body[0]", "an instance of `Expr`"),
        ("functools.reduce(lambda inner, _: [inner], range(150), Plain())", "no value, deep in other lists"),
        ("...", "`...`: put the answer itself there"),
        ("[1, find]", "`Final` has the function `find` in it: call it, `find(...)`."),
        ("{'a': [Plain()]}", "`Final` has an instance of `Plain` in it"),
        ("{find: 1}", "`Final` has the function `find` in it"),
        ("{(1, Plain): 1}", "`Final` has the class `Plain` in it"),
        ("list(re.finditer('a', P))[:1]", "`Final` has a match in it"),
        ("map(re.compile, ['a'])", "`Final` has a pattern in it"),
    ],
)
def test_what_is_no_value_goes_back_with_what_it_is(value: str, told: str) -> None:
    error = error_of(f"{DEFINED}Final = {value}")
    assert error.startswith("TypeError: `Final` ")
    assert told in error


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        ("datetime.date(2026, 1, 2)", "2026-01-02"),
        ("datetime.timedelta(1)", "1 day, 0:00:00"),
        ("decimal.Decimal('1.50')", "1.50"),
        ("fractions.Fraction(1, 3)", "1/3"),
        ("1 + 2j", "(1+2j)"),
        ("b'ab'", "b'ab'"),
        ("pathlib.Path('a/b')", "a/b"),
        ("Color.RED", "Color.RED"),
        ("{Color.RED: 1, (1, 2): datetime.date(2026, 1, 2)}", {"Color.RED": 1, "(1, 2)": "2026-01-02"}),
        ("Pair(1, 2)", [1, 2]),
        ("Names(['a'])", ["a"]),
        ("collections.ChainMap({'a': 1}, {'b': 2})", {"a": 1, "b": 2}),
        ("Counting(2)", [1, 0]),
        ("each(2)", [0, 1]),
        ("iter('ab')", ["a", "b"]),
        ("iter({'a': 1}.items())", [["a", 1]]),
        ("itertools.batched([1, 2, 3], 2)", [[1, 2], [3]]),
        ("itertools.groupby('aab')", [["a", ["a", "a"]], ["b", ["b"]]]),
        ("itertools.tee([1])[0]", [1]),
        ("itertools.repeat(1, 2)", [1, 1]),
        ("[(x for x in [1]), {2}, range(2)]", [[1], [2], [0, 1]]),
    ],
)
def test_values_and_what_can_be_listed_stay_answers(value: str, answer: Any) -> None:
    assert final_of(f"{DEFINED}Final = {value}") == answer


@pytest.mark.parametrize(
    ("dialect", "ending", "told"),
    [
        ("final", "FINAL(len)", "What `FINAL` was given is the function `len`: call it, `FINAL(len(...))`."),
        ("final", "found = len\nFINAL_VAR('found')", "`found` is the function `len`: call it, `found = len(...)`."),
        (
            "answer",
            submit("len"),
            '`answer["content"]` is the function `len`: call it, `answer["content"] = len(...)`.',
        ),
        ("final-text", "FINAL([len])", "What `FINAL` was given has the function `len` in it"),
    ],
)
def test_told_in_the_words_of_the_dialect(dialect: Any, ending: str, told: str) -> None:
    good = submit("3") if dialect == "answer" else "FINAL(3)"
    model = ScriptedModel(cell(ending), cell(good))
    out = rlm_of(model, dialect=dialect).invoke({"query": "How many?", "context": "text"})
    assert (out["answer"], out["steps"]) == (3, 2)
    assert told in model.turns[1].told


def test_names_of_the_code_are_shown_in_part() -> None:
    name = "a" * 5_000
    assert len(error_of(f"def {name}(): pass\nFinal = {name}")) < 400


def test_what_code_says_of_itself_does_not_make_it_a_value() -> None:
    ran = run(
        "class date:\n    def __str__(self): return 'x'\nFinal = date()",
        "class set:\n    pass\nFinal = set()",
        "import dataclasses\n@dataclasses.dataclass\nclass Row:\n    n: int\nFinal = dataclasses.asdict(Row(1))",
    )
    assert [error is None for error in ran.errors] == [False, False, True]
    assert json.dumps(ran.answer) == '{"n": 1}'
