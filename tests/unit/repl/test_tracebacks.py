"""A traceback names the line that failed and the calls that led there, as CPython's does, whatever it has passed."""

from __future__ import annotations

import re
import traceback
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from pydantic_monty import Monty, MontyRuntimeError

from langgraph_rlm import Sandbox
from langgraph_rlm.conversation.dialects.final import Final
from langgraph_rlm.repl.interpreter import Interpreter
from langgraph_rlm.repl.workers import Workers
from tests.fakes import QUERY, TEXT, ScriptedModel, cell, error_of, rlm_of, run
from tests.unit.repl.comparison import PACKER
from tests.unit.repl.failing import Failing

Frames = list[tuple[int, str]]
OWN_MISTAKES = ("TypeError", "UnboundLocalError")
"""Errors of what was put together at random, in words and at times of each Python's own."""
REFUSALS = "cannot suspend in this synchronous context"


def shown(error: str) -> Frames:
    """The lines that a traceback names, and the functions that they are in; no lambdas and comprehensions."""
    frames = re.findall(r'^  File "<cell>", line (\d+), in (.*)$', error, re.M)
    return [(int(line), name) for line, name in frames if name == "<module>" or name[0] != "<"]


def there(code: str) -> tuple[str, Frames]:
    """In CPython."""
    try:
        exec(compile(code, "<cell>", "exec"), {"print": lambda *_: None, "__name__": "__main__"})
    except Exception as failure:
        frames = [(one.lineno or 0, one.name) for one in traceback.extract_tb(failure.__traceback__)[1:]]
        return type(failure).__name__, [frame for frame in frames if frame[1] == "<module>" or frame[1][0] != "<"]
    return "", []


def here(workers: Workers, code: str) -> str:
    repl = Interpreter(workers, PACKER, Sandbox(timeout=5), Final.conventions)
    try:
        ended: Any = repl.run(code)
    finally:
        repl.close()
    return ended.error or ""


def compare(seeds: range) -> None:
    compared = 0
    workers = Workers(1)
    with workers.opened():
        for seed in seeds:
            code = Failing(seed).code
            kind, frames = there(code)
            if kind and kind not in OWN_MISTAKES:
                error = here(workers, code)
                if REFUSALS not in error:
                    compared += 1
                    assert shown(error) == frames, f"seed {seed}:\n{code}\n{error}"
    assert compared > len(seeds) / 2


def test_programs_that_fail_are_told_the_lines_that_cpython_names() -> None:
    compare(range(60))


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1_000, 6_000, 1_000))
def test_many_programs_that_fail_are_told_the_lines_that_cpython_names(first: int) -> None:
    compare(range(first, first + 1_000))


FAILING = {
    "no `except` matches": (
        'def g(s): return s.nope()\ndef h():\n    try:\n        g("x")\n    except (ValueError, KeyError) as e:\n'
        '        print(f"{e}")\nh()'
    ),
    "nothing is called": "try:\n    x = undefined\nexcept ValueError:\n    pass",
    "`finally`": "def g(s):\n    return s.nope()\ntry:\n    x = 1\n    g(x)\nfinally:\n    print(1)\n    print(2)",
    "`suppress`": "from contextlib import suppress\ndef f(n):\n    return n.nope\nwith suppress(ValueError):\n    f(1)",
    "`contextmanager`": (
        "from contextlib import contextmanager\n@contextmanager\ndef f():\n    try:\n        yield 1\n    finally:\n"
        "        print(1)\nwith f() as x:\n    y = x\n    y.nope\n    z = y"
    ),
    "raised again": (
        "def f():\n    return {}['a']\ndef g():\n    try:\n        f()\n    except KeyError:\n        x = 1\n"
        "        raise\ntry:\n    g()\nexcept ValueError:\n    pass"
    ),
    "in a handler": "try:\n    1 / 0\nexcept ArithmeticError:\n    x = []\n    x.pop()\n    x = 1",
    "an earlier one was handled": (
        "def f(x):\n    return int(x)\nfor x in 'aa':\n    try:\n        f(x)\n    except ValueError:\n        pass\n"
        "int('a')"
    ),
    "an earlier one was suppressed": (
        "from contextlib import suppress\ndef f(x):\n    return int(x)\nfor i in range(3):\n"
        "    with suppress(ValueError):\n        f('a')\nf('a')"
    ),
    "an own kind": (
        "class Own(Exception):\n    pass\ndef f():\n    raise Own('x')\ntry:\n    f()\nexcept (Own, KeyError) as e:\n"
        "    if str(e) == 'x':\n        raise\n"
    ),
    "in a generator": (
        "def f():\n    yield 1\n    yield int('x')\nout = []\ntry:\n    out.extend(f())\nexcept KeyError as e:\n"
        "    print('handler', e)"
    ),
    "a generator's own `try`": (
        "def f(d):\n    for k in 'ab':\n        try:\n            yield d[k]\n        except ValueError:\n"
        "            pass\nfor x in f({'a': 1}):\n    print(x)"
    ),
    "an iterator": (
        "class A:\n    def __iter__(self):\n        return self\n    def __next__(self):\n        x = 1\n"
        "        return x.nope\nfor x in A():\n    pass"
    ),
    "a decorator": "def f(g):\n    return g.nope\na = 1\n@f\ndef h(x):\n    return x",
    "a decorator beside a generator": (
        "import functools\n@functools.nope\ndef f(x): return 1\ndef g():\n    yield 1\nx = 1"
    ),
    "a header": "def f():\n    return 1 / 0\ntry:\n    if f():\n        print(1)\nexcept KeyError:\n    pass",
    "a late header": (
        "def f(x):\n    return 1 / (2 - x)\ntry:\n    x = 0\n    while f(x):\n        x += 1\nfinally:\n    x = 0"
    ),
    "in the middle of a statement": (
        "x = [\n    1,\n    len(\n        'a'), int('x'),\n]\ntry:\n    x = 1\nfinally:\n    x = 2"
    ),
    "recursion": (
        "def f(n):\n    try:\n        return 1 / n if n == 0 else f(n - 1)\n    finally:\n        n = 0\nf(3)"
    ),
}


@pytest.mark.parametrize("code", FAILING.values(), ids=FAILING)
def test_line_that_failed_is_told(code: str) -> None:
    error = error_of(code)
    assert shown(error) == there(code)[1], error
    assert "__pass" not in error


def test_line_of_an_earlier_cell_is_told() -> None:
    cells = ["def f(x):\n    try:\n        y = x\n        return y.nope\n    finally:\n        print(1)", "x = 1\nf(x)"]
    error = run(*cells, "Final = 0").errors[1] or ""
    assert '  File "<cell>", line 2, in <module>\n    f(x)\n  File "<cell>", line 4, in f\n    return y.nope\n' in error


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("{}['b']", "KeyError: 'b'"),
        ("{}['New York']", "KeyError: 'New York'"),
        ('{}["it\'s"]', 'KeyError: "it\'s"'),
        ("{}['a\\nb']", "KeyError: 'a\\nb'"),
        ("{}[1]", "KeyError: 1"),
        ("{}[-1.5]", "KeyError: -1.5"),
        ("{}[None]", "KeyError: None"),
        ("{}['a', 1]", "KeyError: ('a', 1)"),
        ("try:\n    {}['b']\nfinally:\n    pass", "KeyError: 'b'"),
    ],
)
def test_key_of_a_key_error_is_shown_as_in_cpython(code: str, told: str) -> None:
    assert f"\n{told}\n" in error_of(code)


def test_time_out_names_the_generator_that_a_loop_runs() -> None:
    code = (
        "def numbers():\n    n = 0\n    while True:\n        n += 1\n        if n < 0:\n            yield n\n"
        "for n in numbers():\n    pass"
    )
    error = run(code, "Final = 0", sandbox=Sandbox(timeout=0.3)).errors[0] or ""
    assert "It was in line 7: `for n in numbers():`, which runs `numbers` of line 1." in error
    assert "never ends" not in error


def test_notes_are_no_variables_and_nothing_of_them_stays() -> None:
    ran = run("try:\n    x = 1\n    int('y')\nexcept ValueError:\n    x = 2", "print(len(__passed__))", "Final = x")
    assert ran.errors[:2] == [None, None]
    assert ran.outputs[1] == "0\n"
    assert "__pass" not in str(ran.model.asked)


TAMPERED = (
    "__passed__ = 1",
    "__passed__.append(1)",
    "__passed__.append((ValueError('x'), 10 ** 40, False, 'f' * 10 ** 6, 'x'))",
    "__rlm__['passed'] = None",
    "__rlm__['_passed'] = lambda: [['x', [[999, False, 'f', 'g']]], 3, ['y'], [1, [2]]]",
)


@pytest.mark.parametrize("code", TAMPERED)
def test_code_that_tampers_with_notes_ends_no_run(code: str) -> None:
    failing = "def f():\n    try:\n        x = 1\n        raise ValueError('x')\n    finally:\n        x = 2\nf()"
    ran = run(f"{code}\n{failing}", "Final = 1")
    assert len(ran.errors[0] or "") < 3_000
    assert ran.answer == 1


def test_cell_that_is_suspended_in_a_try_goes_on_in_another_process_with_the_right_lines() -> None:
    saver = InMemorySaver()
    code = "def f(x):\n    return x.nope\ntry:\n    x = llm_query('x')\n    f(x)\nfinally:\n    y = 1"
    model = ScriptedModel(cell(code), cell("Final = 'end'"))
    settings: Any = {"checkpointer": saver, "interrupt_before": ["subcall"]}
    thread: Any = {"configurable": {"thread_id": "1"}}
    rlm_of(model, **settings).invoke({"query": QUERY, "context": TEXT}, thread)
    out = rlm_of(model, **settings).invoke(None, thread)
    assert shown(out["trajectory"][0]["error"]) == [(5, "<module>"), (2, "f")]


def test_sub_calls_in_a_try_are_looked_ahead() -> None:
    asking = "        x = llm_query(f'p {i}')\n        Final = [*out, x]\n        out = Final"
    code = f"out = []\nfor i in range(4):\n    try:\n{asking}\n    except KeyError:\n        pass"
    model = ScriptedModel(cell(code), answer=str.upper, latency=0.05)
    assert rlm_of(model).invoke({"query": QUERY, "context": TEXT})["answer"] == [f"P {i}" for i in range(4)]
    assert model.most_in_flight > 1


def test_monty_forgets_where_an_exception_was_that_passes_a_try() -> None:
    """Once this fails, `passing.py` can go."""
    with Monty(max_processes=1) as pool, pool.checkout() as session:
        with pytest.raises(MontyRuntimeError) as failure:
            session.feed_run("def f():\n    1 / 0\ntry:\n    f()\nexcept KeyError:\n    print(1)")
        assert [frame.line for frame in failure.value.traceback()] == [6]


@pytest.mark.parametrize(
    ("code", "line", "shown"),
    [
        ("x = 1\nprint(x)\n\ny += 1", 4, "y += 1"),
        ("y += 1", 1, "y += 1"),
        ("counts = {}\nfor w in P.split():\n    print(1)\n    total += len(w)", 4, "total += len(w)"),
        (
            "def f():\n    a = 1\n    for i in range(2):\n        total += i\n    return total\nprint(f())",
            4,
            "total += i",
        ),
        ("def f():\n    n += 1\nf()", 2, "n += 1"),
        ("x = [1]\nx[0] += zz", 2, "x[0] += zz"),
        ("x = 1\nx += zz\nzz += 1", 2, "x += zz"),
    ],
)
def test_augmented_assignment_to_what_is_not_defined_is_told_at_its_line(code: str, line: int, shown: str) -> None:
    told = error_of(code)
    assert f'  File "<cell>", line {line}, in ' in told
    assert f"    {shown}\n" in told
