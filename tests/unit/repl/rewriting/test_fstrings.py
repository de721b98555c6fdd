"""Bridges in the braces of f-strings, where up to Python 3.11 no quotes may be written."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from langgraph_rlm.repl.rewriting.bridges import BRIDGES, bridging
from langgraph_rlm.repl.syntax import edited, parsed, read
from tests.fakes import error_of, run

SETUP = """\
import collections, datetime, json, re, typing
from datetime import timedelta
counts = {'b': 1, 'a': 3}
sets = [{1, 2}, {2, 3}]
text = 'ab-ab'
class Plain: pass
plain = Plain()
plain.x = 1
try:
    json.loads('[1 2]')
except json.JSONDecodeError as error:
    failure = error
"""
EXPRESSIONS = {
    "iterators": ["next(zip(text, text))", "next(x for x in counts)", "next((x for x in counts if x > 'z'), None)"],
    "_match_fact": [f"re.match('(?P<one>a)(b)', text).{name}" for name in ("lastgroup", "lastindex", "regs")],
    "_attribute_by_name": ["getattr(plain, text[:0] + 'x')", "hasattr(text, 'upper')", "getattr(text, 'no', 5)"],
    "_error_facts": ["caught.msg", "caught.pos", "caught.lineno", "caught.colno"],
    "_exception": ["str(ValueError(5))", "str(ValueError(text, 2))"],
    "_json": ["json.dumps([plain], default=lambda value: value.x)", "json.loads('[1]', parse_int=str)"],
    "_lacking_exception": ["issubclass(ConnectionError, OSError)"],
    "_search_from": ["text.find('a', 1)", "text.count('a', 1)", "text.startswith('-', 2)", "text.rindex('b', 0, 3)"],
    "_slice_from": ["text[len(text) - 2:]", "(text or 'ab')[text.find('a'):][::-1]", "[1, 2, 3][plain.x - plain.x:2]"],
    "_bytes_of_numbers": ["bytes([65, 66]).hex()", "len(bytes(3))"],
    "_printed_elsewhere": ["print(text, file=None)"],
    "_codec": ["text.encode('latin-1').decode('cp1252')", "len(text.encode(encoding='utf-7'))"],
    "_added": ["list(collections.OrderedDict(a=1))", "collections.ChainMap({1: 2})[1]"],
    "_datetime": ["[datetime][0] is not None"],
    "_date_method": [
        "datetime.datetime.strptime('2024', '%Y').year",
        "datetime.date.fromisoformat('2024-05-06')",
        "datetime.datetime.fromtimestamp(5, datetime.timezone.utc):%d.%m.%Y",
        "datetime.date(2024, 5, 6).isocalendar()[1]",
        "timedelta(seconds=1.5)",
    ],
    "_methods": [
        *("max(counts, key=counts.get)", "list(map(str.lower, ['A']))", "sorted(set.union(*sets))"),
        *("text.translate({97: 98})", "sets[0].union({5}, {6})", "type(failure).__name__", "plain.__class__.__name__"),
        *("len.__name__", "(255).bit_length()", "2.0.is_integer()", "str.maketrans('a', 'b')"),
    ],
}
"""Expressions that each bridge rewrites."""
ELSEWHERE = {
    "_delete",
    "_list_and_more",
    "_set_in_place",
    "_assertion",
    "_import",
    "_registered",
    "_await",
    "_with_its_text",
}
"""Bridges of statements and coroutines, which stand in no f-string, and the one of f-strings themselves."""
CONTEXTS = {
    "a generator": "def g():\n    yield 2\n{}\nFinal = [SHOWN, list(g())]",
    "a class with a base": "class A: pass\nclass B(A):\n    def shown(self): return SHOWN\n{}\nFinal = B().shown()",
    "a property of an earlier cell": "{}\nFinal = [SHOWN, [one.twice for one in [old]]]",
}
EARLIER = "class Old:\n    @property\n    def twice(self): return 2\nold = Old()\n"
CAUGHT = "try:\n    json.loads('[1 2]')\nexcept json.JSONDecodeError as caught:\n    seen = SHOWN"


def as_fstring(expression: str) -> str:
    """It stands between texts with both kinds of quotes, if it has but one itself."""
    quotes = '"' if "'" in expression else "'"
    return f"f{quotes}<{{{expression}}} it{chr(96)}s {{1:>3}}{quotes}"


def cells(expression: str, context: str) -> tuple[str, str]:
    """Two cells: one makes what the expression needs, the other has it in an f-string beside what is printed anew."""
    shown, before = as_fstring(expression), "pass"
    if "caught" in expression:
        shown, before = "seen", CAUGHT.replace("SHOWN", shown)
    return SETUP + EARLIER, CONTEXTS[context].format(before).replace("SHOWN", shown)


def test_each_bridge_is_tried() -> None:
    assert {bridge.__name__ for bridge in BRIDGES} == {*EXPRESSIONS} | ELSEWHERE


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("bridge", EXPRESSIONS)
def test_bridges_in_fstrings_give_what_cpython_gives(bridge: str, context: str) -> None:
    for expression in EXPRESSIONS[bridge]:
        setup, code = cells(expression, context)
        expected = dict[str, Any]()
        exec(f"{setup}{code}", expected)
        ran = run(setup, code, "Final = None")
        assert ran.errors[:2] == [None, None], (expression, ran.errors)
        assert ran.answer == json.loads(json.dumps(expected["Final"])), expression


@pytest.mark.parametrize("expression", [one for each in EXPRESSIONS.values() for one in each])
def test_rewritten_fstrings_are_python_of_any_version(expression: str) -> None:
    code = CAUGHT.replace("SHOWN", as_fstring(expression))
    text = edited(code, bridging(read(code)))
    assert text != code
    parsed(text)


VALUES = ["text.translate({97: 98}) = ", "(len.__name__)=", "len.__name__ = !s:>6}{counts = ", "{1: len.__name__}[1]="]


@pytest.mark.parametrize("value", VALUES)
def test_text_before_an_equals_sign_is_the_code_of_the_cell(value: str) -> None:
    code = f"counts, text = {{}}, 'ab'\nFinal = f'''a {{{' ' * value.startswith('{')}{value}}} b'''"
    names: dict[str, object] = {}
    exec(code, names)
    assert run(code).answer == names["Final"]


def test_texts_that_need_escapes_stay_in_fstrings() -> None:
    code = "def g(): yield 1\ns = 'a\\xa0b'\nFinal = [f\"{s.replace('\xa0', '-')} it's {s!r}\", *g()]"
    assert run(code).answer == ["a-b it's 'a\\xa0b'", 1]


# -- what cannot be read ----------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="such f-strings are read from Python 3.12 on")
@pytest.mark.parametrize("beside", ["x = 1", "def g(): yield 1", "class A:\n    @property\n    def p(self): return 1"])
def test_fstring_that_is_not_read_is_told_before_anything_runs(beside: str) -> None:
    code = f'{beside}\nprint("ran")\nd = {{"a": 1}}\nprint(f"{{d["a"]}}")'
    ran = run(code, "Final = SHOW_VARS()")
    assert f"line {code.count(chr(10)) + 1}" in (ran.errors[0] or "")
    assert "SyntaxError" in (ran.errors[0] or "")
    assert "other quotes" in (ran.errors[0] or "")
    assert ran.answer == "no variables yet"


@pytest.mark.parametrize(
    ("code", "line", "why"),
    [
        ("x = 1\nnot python (", 2, "never closed"),
        ("x = 1\ny = \0", 1, "null bytes"),
        ("def g(): yield 1\nx = " + "+".join(["1"] * 5_000), 1, "nested too deeply"),
    ],
)
def test_cell_that_is_not_read_runs_nothing_and_names_its_line(code: str, line: int, why: str) -> None:
    error = error_of(code)
    assert "SyntaxError" in error or "nothing of this cell has run" in error
    assert f"line {line}" in error
    assert why in error


# -- hidden names -----------------------------------------------------------------------------------------------------


def test_functions_of_earlier_cells_have_their_hidden_names() -> None:
    first = "def names(kinds): return [f'{kind.__name__}' for kind in kinds]\ndef g():\n    yield from names([int])"
    assert run(first, "Final = list(g())").answer == ["int"]


def test_hidden_names_are_no_variables() -> None:
    ran = run("counts = {'a': 1}\nbest = max(counts, key=counts.get)", "Final = SHOW_VARS()")
    assert "best" in ran.answer
    assert "__" not in ran.answer
