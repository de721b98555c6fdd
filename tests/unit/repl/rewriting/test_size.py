"""Cells that are large, nested, or no text that CPython reads: the host looks at them at little cost."""

from __future__ import annotations

import subprocess
import sys

import pytest

from langgraph_rlm.repl.syntax import MOST_CODE
from tests.fakes import error_of, run

REPEATED = {
    "get": ("x = [", "d.get, ", "]"),
    "del": ("", "del d[1];", ""),
    "assert": ("", "assert x;", ""),
    "added": ("", "x += (1,);", ""),
    "exception": ("", "ValueError(x);", ""),
    "find": ("", "t.find(x, 1);", ""),
    "import": ("", "import statistics;", ""),
    "datetime": ("", "f(datetime);", ""),
    "isocalendar": ("", "x.isocalendar();", ""),
    "TypeVar": ("", "T = TypeVar('T');", ""),
    "next": ("", "next(x for x in y);", ""),
    "handlers": ("", "try: pass\nexcept E as e: e.pos\n", ""),
    "patterns": ("def f():\n", "  re.search('a', P)\n", ""),
    "lambdas": ("x = " + "lambda: " * 150 + "[", "re.search('a', P), ", "]"),
    "yields": ("def g():\n", "  yield 1\n", ""),
    "finally": ("def g():\n", "  try:\n    yield 1\n    return 2\n  finally:\n    yield 2\n", ""),
    "generators": ("", "def g():\n  yield 1\n", ""),
    "deep yield": ("def g():\n  x = " + "[" * 150, "a, ", "(yield 1)" + "]" * 150),
    "deep constants": ("def g():\n  x = " + "[" * 150, "1, ", "(yield 1)" + "]" * 150),
    "order": ("class A:\n  def __lt__(s, o): return 1\nx = [", "a < b, ", "]"),
    "truth": ("class A:\n  def __len__(s): return 1\nx = ", "a and ", "b"),
    "calls": ("", "f();", ""),
    "loops": ("def f():\n" + "  x.y()\n" * 3000, "[f() for a in b];", ""),
}
NESTED = {
    "attributes": ("x = print()", ".a", ""),
    "not": ("x = ", "not ", "1"),
    "subscripts": ("x", "[0]", " += (1,)"),
    "yields": ("def g():\n  x = ", "not ", "(yield)"),
    "truth": ("class A:\n  def __bool__(s): return 1\nx = ", "not ", "1"),
    "next": ("x = ", "next(", "1"),
    "branches": ("if x: pass\n", "elif x: pass\n", ""),
    "methods": ("x = ''", ".get", ""),
    "sums": ("x = ", "d.get + ", "1"),
}
LOOK = """
import resource
import sys

from langgraph_rlm.repl.explain import instrumentation
from langgraph_rlm.repl.rewriting.bridges import rewritten
from langgraph_rlm.repl.rewriting.lacking import refusal
from langgraph_rlm.repl.slow import cause
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
code = sys.stdin.read()
refusal(code, rewritten(code, edits=instrumentation(code, True)).gaps, lambda wanted: (), "Final = x")
cause(code, code.count("\\n") + 1)
"""
"""All that the host does to a cell; the system ends it after a minute of processor time, where usual are seconds."""


def cell_of(parts: tuple[str, str, str], count: int | None = None) -> str:
    before, repeated, after = parts
    most = (MOST_CODE - len(before) - len(after)) // len(repeated)
    return before + repeated * (most if count is None else count) + after


@pytest.mark.parametrize("name", REPEATED)
def test_large_cell_ends(name: str) -> None:
    subprocess.run([sys.executable, "-c", LOOK], input=cell_of(REPEATED[name]), text=True, check=True)


@pytest.mark.parametrize("name", NESTED)
@pytest.mark.parametrize("depth", [190, 400, 1500, 4000])
def test_nested_code_ends_no_run(name: str, depth: int) -> None:
    ran = run(cell_of(NESTED[name], depth), "Final = 'went on'")
    assert ran.answer == "went on"


@pytest.mark.parametrize("depth", [50, 100, 150, 190, 250])
def test_nested_code_is_rewritten_or_refused_and_never_runs_in_part(depth: int) -> None:
    """Without its `__bool__` the instance would be true."""
    ran = run("class A:\n    def __bool__(self): return False\nFinal = " + "not " * depth + "A()", "Final = 'refused'")
    assert ran.answer is False or (ran.answer == "refused" and "nested" in (ran.errors[0] or ""))


def test_code_that_cpython_alone_finds_too_deep_is_refused() -> None:
    assert "nested too deeply" in error_of("Final = " + "(" * 250 + "{}.get" + ")" * 250)


def test_functions_that_call_each_other_in_a_long_chain_are_marked() -> None:
    chain = "".join(f"def f{i}(): return f{i + 1}()\n" for i in range(1500))
    assert run(f"{chain}f0()", "Final = 'went on'").answer == "went on"


def test_cell_longer_than_what_is_looked_at_is_refused() -> None:
    assert f"more than {MOST_CODE:,} characters" in error_of("x = 1\n" * (MOST_CODE // 6 + 1))


def test_generator_function_with_more_yields_than_are_rewritten_is_named_with_its_line() -> None:
    error = error_of("x = 1\ndef g():\n" + "    yield x\n" * 2000)
    assert "line 2, a generator function with so many yields" in error
