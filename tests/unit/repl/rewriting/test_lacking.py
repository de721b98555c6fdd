"""What a cell cannot do here is told before it runs, all at once, and nothing is told that would have run."""

from __future__ import annotations

import builtins
from random import Random

import pytest
from pydantic_monty import Monty, MontyComplete, MontyError

from langgraph_rlm.repl import gaps
from langgraph_rlm.repl.rewriting.bridges import rewritten
from tests.fakes import run

EACH = 60
"""Cells that are put together."""
LACKING = [
    ("import numpy as np", "import numpy"),
    ("import json, pandas", "import pandas"),
    ("from bs4 import BeautifulSoup", "import bs4"),
    ("from json import JSONEncoder, dumps", "JSONEncoder of json"),
    ("from statistics import mean, NormalDist", "NormalDist of statistics"),
    ("import xml.sax", "import xml.sax"),
    ("import nothing_known.inner", "import nothing_known.inner"),
    ("print(globals())", "globals"),
    ("x = bytearray(3)", "bytearray"),
]
"""Statements that fail, and what is told of them."""
SYNTAX = [
    ("class Meta(type): pass", "class Meta"),
    ("class Big(dict, object): pass", "class Big"),
    ("class Outer:\n    for name in 'ab': pass", "class Outer"),
    ("class Pair:\n    a, b = 1, 2", "class Pair"),
    ("async def f():\n    async with x: pass", "async with"),
    ("async def f():\n    async for y in x: pass", "async for"),
    ("async def f():\n    return [y async for y in x]", "async in a comprehension"),
    ("try: pass\nexcept* ValueError: pass", "except*"),
    ("x = 1\nif x > 2: x @= 3", "@="),
    ("from math import *", "from math import *"),
    ("f = lambda: (yield)", "yield inside of an expression"),
]
"""What is never read, wherever it stands."""
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
]
"""What runs, though some of it has names that built-ins have which are not here."""
UNSURE = [
    "def later():\n    {}",
    "if not P:\n    {}",
    "for i in []:\n    {}",
    "f = lambda: 1\nwhile not f():\n    {}",
]
HANDLED = [
    "try:\n    {}\nexcept (NameError, ImportError):\n    pass",
    "try:\n    {}\nexcept (ImportError, NameError):\n    np = None",
    "from contextlib import suppress\nwith suppress(ImportError, NameError):\n    {}",
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
    told = [line.strip().split(": ")[0] for line in error.split("\n")[1:-1]]
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
    ran = run("kept = 1", "kept = 2\nprint('ran')\nllm_query('q')\nimport numpy", "Final = kept")
    assert (ran.answer, ran.outputs[1], ran.model.asked) == (1, "", [])


def test_names_of_earlier_cells_are_known() -> None:
    ran = run("def compile(x):\n    return x + 1", "Final = compile(1)")
    assert (ran.answer, ran.errors) == (2, [None, None])


def test_much_that_lacks_is_told_in_short() -> None:
    code = "\n".join(f"import {'x' * 400}{i}" for i in range(100))
    [error, _] = run(code, "Final = 1").errors
    assert error is not None
    assert "and 80 more" in error
    assert len(error) < 5_000


@pytest.mark.parametrize("code", [code for code, _ in SYNTAX])
def test_monty_lacks_the_syntax(code: str) -> None:
    with Monty(max_processes=1) as pool, pool.checkout() as session, pytest.raises(MontyError, match="support"):
        session.feed_start(rewritten(code).code)


def test_monty_lacks_the_modules_and_the_built_ins() -> None:
    there = []
    with Monty(max_processes=1) as pool:
        for code in [*(f"import {name}" for name in gaps.MODULES), *gaps.BUILTINS]:
            with pool.checkout() as session:
                snapshot = session.feed_start(code if code.startswith("import") else f"x = {code}")
                there += [code] if isinstance(snapshot, MontyComplete) else []
    assert not there, "Monty has it by now"
    assert set(gaps.BUILTINS) <= set(dir(builtins))
