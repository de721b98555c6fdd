"""What a cell cannot do here is told before it runs, all at once, and nothing is told that would have run."""

from __future__ import annotations

import builtins
from random import Random

import pytest
from pydantic_monty import Monty, MontyComplete, MontyError

from langgraph_rlm.repl import gaps
from langgraph_rlm.repl.rewriting.bridges import rewritten
from langgraph_rlm.repl.rewriting.lacking import IGNORED, MOST
from tests.fakes import error_of, run

EACH = 60
"""Cells that are put together."""
LACKING = [
    ("import numpy as np; np.mean([1])", "import numpy"),
    ("import json, pandas; pandas", "import pandas"),
    ("from bs4 import BeautifulSoup; BeautifulSoup('')", "import bs4"),
    ("from random import SystemRandom, choice; SystemRandom()", "SystemRandom of random"),
    ("from statistics import mean, NormalDist; x = NormalDist", "NormalDist of statistics"),
    ("import statistics as st; st.kde([1])", "kde of statistics"),
    ("import math; print(math.sqrt(2), math.nothing)", "nothing of math"),
    ("import xml.sax; xml.sax", "import xml.sax"),
    ("import nothing_known.inner; nothing_known", "import nothing_known.inner"),
    ("print(globals())", "globals"),
    ("x = bytearray(3)", "bytearray"),
]
"""Statements that fail, and what is told of them."""
SYNTAX = [
    ("class Meta(type): pass", "class Meta"),
    ("class Big(dict, object): pass", "class Big"),
    ("class Outer:\n    for name in 'ab': pass", "class Outer"),
    ("class Pair:\n    a, b = 1, 2", "class Pair"),
    ("from dataclasses import dataclass\n@dataclass(slots=not 0)\nclass D: pass", "dataclass(slots=…)"),
    ("async def f():\n    async with (x): pass", "async with ("),
    ("async def f():\n    async for y in x: pass", "async for"),
    ("async def f():\n    return [y async for y in x]", "async in a comprehension"),
    ("try: pass\nexcept* ValueError: pass", "except*"),
    ("x = 1\nif x > 2: x @= 3", "@="),
    ("from math import *", "from math import *"),
    ("f = lambda: (yield)", "yield inside of an expression"),
]
"""What is never read, wherever it stands."""
METHODS = {
    "__format__": "assert f'{A():x}' == 7",
    "__missing__": "assert A()['x']",
    "__getattr__": "assert A().x == 7",
    "__getattribute__": "assert A().y == 7",
    "__setattr__": "A().x = 1\nassert calls",
    "__delattr__": "del A().y\nassert calls",
    "__new__": "assert A() == 7",
    "__init_subclass__": "class B(A): pass\nassert calls",
    "__get__": "class B:\n    x = A()\nassert B().x == 7",
    "__set__": "class B:\n    x = A()\nB().x = 1\nassert calls",
    "__delete__": "class B:\n    x = A()\ndel B().x\nassert calls",
    "__set_name__": "class B:\n    x = A()\nassert calls",
    "__instancecheck__": "isinstance(1, A())\nassert calls",
    "__subclasscheck__": "issubclass(int, A())\nassert calls",
    "__subclasshook__": "issubclass(int, A)\nassert calls",
    "__del__": "a = A()\na = None\nassert calls",
}
"""What Monty does not call, and what would call it."""
FORMS = [
    "class A:\n    y = 1\n    def {}(self, *more, key=1):\n        calls.append(1)\n        return 7",
    "def f(*given):\n    calls.append(1)\n    return 7\nclass A:\n    y = 1\n    {} = f",
    "def f(*given):\n    calls.append(1)\n    return 7\nclass A:\n    y = 1\nA.{} = f",
]
FINE = [
    "import json, os.path, collections.abc, statistics, html",
    "from collections import OrderedDict, Counter, defaultdict",
    "from typing import Any, NamedTuple",
    "from datetime import datetime, timedelta",
    "import xml.etree.ElementTree as ET",
    "from concurrent.futures import ThreadPoolExecutor",
    "def compile(text): return text\nx = compile('a')",
    "x: bytearray = None\ndef f(data: memoryview) -> bytearray: return 1",
    "class A(ValueError):\n    @property\n    def x(self): return 1",
    "def g():\n    got = yield 1",
    "for input in 'ab': print(input)",
    "string = 'abc'\nprint(string.upper())",
]
"""What runs, though some of it has names that built-ins have which are not here."""
UNSURE = [
    "def later():\n    {}",
    "if not P:\n    {}",
    "for i in []:\n    {}",
    "f = lambda: 1\nwhile not f():\n    {}",
]
HANDLED = [
    "try:\n    {}\nexcept (NameError, ImportError, AttributeError):\n    pass",
    "try:\n    {}\nexcept (ImportError, NameError, AttributeError):\n    np = None",
    "from contextlib import suppress\nwith suppress(ImportError, NameError, AttributeError):\n    {}",
]


def line_of(parts: list[str], part: int) -> int:
    return sum(len(before.split("\n")) for before in parts[:part]) + 1


@pytest.mark.parametrize("seed", range(EACH))
def test_all_that_lacks_is_told_at_once_and_nothing_has_run(seed: int) -> None:
    chance = Random(seed)
    certain = chance.sample(LACKING + SYNTAX, chance.randint(1, 4))
    unsure = chance.sample([pair for pair in LACKING if pair not in certain], 1)
    handled = [form.format(code) for form, (code, _) in zip(HANDLED, chance.sample(LACKING, 2), strict=False)]
    placed = [*certain, *((chance.choice(UNSURE).format(code), what) for code, what in unsure)]
    others = ["print('ran')", *handled, *chance.sample(FINE, 2)]
    parts = [*(part for part, *_ in placed), *others]
    chance.shuffle(parts)
    [error, _] = run("\n".join(parts), "Final = 1").errors
    assert error is not None
    told = [line.strip().split(": ")[0] for line in error.split("\n") if line.startswith("  ")]
    assert error.startswith("NotImplementedError: nothing of this cell has run")
    for part, what in placed:
        first = line_of(parts, parts.index(part))
        assert any(f"line {first + i}, {what}" in told for i in range(part.count("\n") + 1)), (what, told)
    assert len(told) == len(placed), told


@pytest.mark.parametrize("seed", range(EACH))
def test_what_may_never_be_come_to_refuses_no_cell(seed: int) -> None:
    chance = Random(seed)
    unsure = [form.format(code) for form, (code, _) in zip(UNSURE, chance.sample(LACKING, 4), strict=True)]
    handled = [form.format(code) for form, (code, _) in zip(HANDLED, chance.sample(LACKING, 3), strict=True)]
    parts = [*unsure, *handled, *chance.sample(FINE, 3), "print('ran')"]
    chance.shuffle(parts)
    ran = run("\n".join(parts), "Final = 1")
    assert ran.errors == [None, None]
    assert "ran" in ran.outputs[0]


def test_nothing_of_a_refused_cell_has_run() -> None:
    ran = run("kept = 1", "kept = 2\nprint('ran')\nllm_query('q')\nimport numpy; numpy", "Final = kept")
    assert (ran.answer, ran.outputs[1], ran.model.asked) == (1, "", [])


def test_names_of_earlier_cells_are_known() -> None:
    ran = run("def compile(x):\n    return x + 1", "Final = compile(1)")
    assert (ran.answer, ran.errors) == (2, [None, None])


def test_much_that_lacks_is_told_in_short() -> None:
    code = "\n".join(f"import {'x' * 400}{i} as it; it" for i in range(100))
    [error, _] = run(code, "Final = 1").errors
    assert error is not None
    assert "and 80 more" in error
    assert len(error) < 5_000


@pytest.mark.parametrize("code", [code for code, _ in SYNTAX])
def test_monty_lacks_the_syntax(code: str) -> None:
    with Monty(max_processes=1) as pool, pool.checkout() as session, pytest.raises(MontyError, match="support"):
        session.feed_start(rewritten(code).code)


@pytest.mark.parametrize("form", FORMS)
def test_methods_that_nothing_would_call_are_told_at_once(form: str) -> None:
    methods = [*METHODS]
    cells = "\n".join(["print('ran')", *map(form.format, methods)])
    ran = run(cells, "Final = 1")
    error = ran.errors[0] or ""
    assert ran.outputs[0] == ""
    assert len(methods) <= MOST
    assert [name for name in methods if f", {name}: " not in error] == []


@pytest.mark.parametrize("method", METHODS)
def test_monty_ignores_the_methods(method: str) -> None:
    code = "\n".join(["calls = []", FORMS[0].format(method), METHODS[method]])
    with Monty(max_processes=1) as pool, pool.checkout() as session, pytest.raises(MontyError):
        session.feed_run(code)


def test_each_method_that_is_refused_is_one_that_monty_ignores() -> None:
    assert {*METHODS} == {*IGNORED}


@pytest.mark.parametrize("code", ["x = 1 if 'C' in dir() else 0", "x = P and dir()", "def f():\n    return dir()\nf()"])
def test_built_in_that_is_come_to_only_now_is_told_with_what_to_write_instead(code: str) -> None:
    assert "lacks dir: use SHOW_VARS()" in error_of(code)


def test_unknown_module_is_told_with_those_that_are_there() -> None:
    told = error_of("import mailbox; mailbox").split("Modules that are here: ")[1].split(".\n")[0].split(", ")
    assert {"email", "csv", "statistics", "re", "json"} <= {*told}
    assert run("\n".join(f"import {name}" for name in told), "Final = 1").errors == [None, None]


@pytest.mark.parametrize("module", ["zoneinfo", "pytz"])
def test_zones_are_told_with_daylight_saving(module: str) -> None:
    assert "daylight saving" in error_of(f"import {module}; {module}")


def test_monty_has_the_modules_that_are_said_to_be_its_own() -> None:
    with Monty(max_processes=1) as pool, pool.checkout() as session:
        session.feed_run("\n".join(f"import {name}" for name in gaps.MONTYS))


def test_monty_lacks_the_modules_and_the_built_ins() -> None:
    there = []
    with Monty(max_processes=1) as pool:
        for code in [*(f"import {name}" for name in gaps.MODULES), *gaps.BUILTINS]:
            with pool.checkout() as session:
                snapshot = session.feed_start(code if code.startswith("import") else f"x = {code}")
                there += [code] if isinstance(snapshot, MontyComplete) else []
    assert not there, "Monty has it by now"
    assert set(gaps.BUILTINS) <= set(dir(builtins))
