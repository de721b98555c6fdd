"""Time-outs: what counts is what a cell computes, and the model is told where it was and why."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from pydantic_monty import Monty, MontyRuntimeError

from langgraph_rlm import Sandbox
from langgraph_rlm.repl import processor_time
from langgraph_rlm.repl.explain import instrumentation
from langgraph_rlm.repl.processor_time import processor_seconds
from langgraph_rlm.repl.slow import cause
from langgraph_rlm.repl.syntax import edited
from tests.fakes import QUERY, TEXT, ScriptedModel, cell, error_of, rlm_of, run, worker_processes

IMPATIENT = Sandbox(timeout=0.3)
LONG = "range(10 ** 9)"
needs_processor_time = pytest.mark.skipif(
    processor_seconds(os.getpid()) is None, reason="the system does not tell what a process computes"
)


def told_of(code: str, *before: str) -> str:
    """What is wrong with a cell that computes too long. What earlier cells made is there afterwards."""
    ran = run("kept = 7", *before, code, "Final = kept", sandbox=IMPATIENT)
    assert ran.answer == 7
    error = ran.errors[len(before) + 1]
    assert error is not None
    return error


def test_monty_lacks_the_line_of_a_time_out() -> None:
    """Where this fails, marks can go."""
    with Monty(max_processes=1) as pool, pool.checkout(limits={"max_feed_duration_secs": 0.05}) as session:
        with pytest.raises(MontyRuntimeError) as failure:
            session.feed_run("x = 1\nwhile True:\n    pass")
        assert isinstance(failure.value.exception(), TimeoutError)
        assert not failure.value.traceback()


# -- the line ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "line"),
    [
        (f"x = 1\nfor i in {LONG}:\n    pass", "line 2: `for i in range(10 ** 9):`"),
        ("while True:\n    pass", "line 1: `while True:`"),
        ("x = 1\n\n# counts\nwhile True:\n    x += 1", "line 4: `while True:`"),
        ("for i in [1]:\n    pass\nwhile i:\n    i += 1", "line 3: `while i:`"),
        (f"for i in [1]:\n    x = i\nn = sum({LONG})", f"line 3: `n = sum({LONG})`"),
        (f"n = sum([1])\nxs = [i for i in {LONG}]", f"line 2: `xs = [i for i in {LONG}]`"),
        (f"x = 'a ' * 3_000_000\nxs = re.findall(r'\\b\\w', x)\nsum({LONG})", "line 2: `xs = re.findall("),
        ("x = 1\nxs = '-'.join(str(n) for n in range(10 ** 8))", "line 2: `xs = '-'.join("),
        (f"if P:\n    x = len(P)\n    y = [i for i in {LONG}]", f"line 3: `y = [i for i in {LONG}]`"),
        (f"if not P:\n    pass\nelif sum({LONG}):\n    pass", f"line 3: `elif sum({LONG}):`"),
        (f"try:\n    x = 1 / 0\nexcept ArithmeticError:\n    sum({LONG})", f"line 4: `sum({LONG})`"),
        (f"when = datetime(2024, 1, 2); sum({LONG})", f"line 1: `when = datetime(2024, 1, 2); sum({LONG})`"),
        (f"x = llm_query('x')\nfor i in {LONG}:\n    pass", f"line 2: `for i in {LONG}:`"),
        ("def f(n):\n    return sum(range(n))\nx = f(3)\ny = f(10 ** 9)", "line 4: `y = f(10 ** 9)`"),
        (f"def main():\n    x = 1\n    y = sum({LONG})\n    return y\nmain()\nz = 2", f"line 3: `y = sum({LONG})`"),
        (f"def f():\n    return sorted([2, 1])\nfor i in f():\n    sum({LONG})", "line 3: `for i in f():`"),
        (f"def one():\n    sum({LONG})\ndef main():\n    one()\nif P:\n    main()", f"line 2: `sum({LONG})`"),
        (f"def numbers():\n    yield 1\nx = [*numbers()]\nsum({LONG})", f"line 4: `sum({LONG})`"),
        (f"class A:\n    def f(self):\n        sum({LONG})\na = A()\na.f()", "line 5: `a.f()`"),
    ],
)
def test_line_that_was_running_is_told(code: str, line: str) -> None:
    assert f"TimeoutError: the cell ran longer than 0.3 s. It was in {line}" in told_of(code)


def test_line_is_told_of_a_cell_that_another_process_goes_on_with() -> None:
    saver = InMemorySaver()
    code = f"kept = [\n    n for n in range(9)]\nx = llm_query('x')\ny = 1\nz = sum({LONG})"
    model = ScriptedModel(cell(code), cell("Final = 'end'"))
    settings: Any = {"checkpointer": saver, "interrupt_before": ["subcall"], "sandbox": IMPATIENT}
    thread: Any = {"configurable": {"thread_id": "1"}}
    rlm_of(model, **settings).invoke({"query": QUERY, "context": TEXT}, thread)
    out = rlm_of(model, **settings).invoke(None, thread)
    assert f"It was in line 5: `z = sum({LONG})`." in out["trajectory"][0]["error"]


def test_errors_show_the_models_own_code_in_its_own_lines() -> None:
    for code, line in (
        ("n = 1\nfor x in len(n):\n    pass", 2),
        ("if sum(n) + 1:\n    pass", 1),
        ("x = 1\nwhile n:\n    pass", 2),
        ("x = 2; f(x)", 1),
        ("def main():\n    x = sum([1])\n    return sorted(x)\nmain()", 3),
    ):
        error = error_of(code)
        assert f", line {line}" in error
        assert f"    {code.splitlines()[line - 1].strip()}\n" in error
        assert "__rlm__" not in error


def test_errors_in_functions_of_earlier_cells_show_no_marks() -> None:
    defining = "def main():\n    xs = sorted([1])\n    for x in zip(xs, sum(xs)):\n        pass"
    ran = run(f"{defining}\nmain() if not P else 0", "main()", "Final = 1")
    error = ran.errors[1]
    assert error is not None
    assert "    for x in zip(xs, sum(xs)):\n" in error
    assert "__rlm__" not in error


@pytest.mark.parametrize(
    "code",
    [
        "for i in 1, 2:\n    print(i)",
        "for i in (1, 2):\n    print(i)",
        "for i in [1] if not P else [1, 2]:\n    print(i)",
        "i = 1\nwhile i < 3:\n    print(i); i += 1",
        "i = 1  # ; begins\nwhile (i <\n       3):\n    print(i)\n    i += 1",
        "for i in [0]:\n    pass\nwhile i < 2 and sum([1]):\n    i += 1\n    print(i)",
        "if (n := sum([3])) > 2: print(1); print(2)",
        "if n := sum([3]): print(1); print(2)",
        "i = 0\nif P:\n    while (i := i + 1) < 3:\n        print(i)",
        "i = 0\nif P:\n    while i < 2 if P else sum([1]):\n        i += 1\n        print(i)",
        "if False:\n    pass\nelif sorted([1]):\n    for i in [1, 2]: print(i)",
        "try:\n    print(max(1, 0))\n    1 / 0\nexcept ZeroDivisionError:\n    print(2)\nelse:\n    pass",
        "x = (\n    print(1),\n    print(2),\n    sum([1]),\n)",
        "match sum([1]):\n    case 1:\n        x = sorted([1])\nprint(1)\nprint(2)",
        "def f():\n    global y\n    y = sum([2])\n    return max(1, 0)\nprint(f()); print(y)",
        "class A:\n    n = sum([2])\nassert max(A.n, 2) == 2\nprint(1)\nprint(A.n)",
        "é = max('é', 'a'); print(1); print(2)",
        "for _ in sorted([1]): break\nelse: 1 / 0\nprint(1)\nprint(2)",
        "x = sum([1]); \\\nprint(x); y = max(2, 1); print(y)",
        "import statistics\nwhile not P:\n    pass\nprint(statistics.median([1]))\nprint(max(2, 1))",
        "xs = [1, 2]\ndel xs[0]\nwhile not P:\n    pass\nprint(xs[0] - 1); print(sum(xs))",
    ],
)
def test_marks_change_nothing_of_what_a_cell_does(code: str) -> None:
    ran = run(code, "Final = 1")
    assert ran.outputs[0] == "1\n2\n", ran.errors
    marked = edited(code, instrumentation(code, echoes=False))
    assert '__rlm__["at"]' in marked
    assert marked.count("\n") == code.count("\n")


@pytest.mark.parametrize("line", ["999", "-1", "10 ** 40", "'x'", "[]", "None", "True"])
def test_code_can_claim_no_line_that_it_does_not_have(line: str) -> None:
    error = told_of(f"def f():\n    __rlm__['_at']({line})\n    while True:\n        pass\n[f() for _ in [1]]")
    assert error.startswith("TimeoutError: the cell ran longer than 0.3 s.")
    assert "999" not in error


# -- the cause --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "seen"),
    [
        ("while True:\n    pass", "the `while` of line 1 never ends: nothing leaves it"),
        (
            "i = n = 0\nwhile i <= n:\n    print(1)",
            "the `while` of line 2 never ends: nothing in it changes `i` or `n`",
        ),
        ("xs = P.split()\nfor a in xs:\n    for b in xs:\n        pass", "line 3 goes over all of `xs` at each turn"),
        ("seen = P.split()\nfor x in range(9):\n    if x in seen:\n        pass", "line 3 goes over all of `seen`"),
        ("xs = [1]\nfor x in P.split():\n    n = [y for y in xs if y == x]", None),
        ("for k in ks:\n    xs.append(P.count(k))", "line 2 goes over all of `P` at each turn of the loop in line 1"),
        ("for k in ks:\n    m = re.findall(k, P)", "line 2 goes over all of `P`"),
        ("for k in ks:\n    m = re.findall(k, line)", "line 2 goes over all of `line`"),
        ("for line in lines:\n    m = re.findall('a', line)", None),
        ("for line in lines:\n    a, b = line.split(',')\n    if b.count('x'): pass", None),
        ("i = 0\nwhile i >= 0:\n    i = P.find('x', i + 1)", None),
        ("n = {k: sum(v for v in vs if v == k) for k in ks}", "line 1 goes over all of `vs`"),
        ("def f(k):\n    return [x for x in xs if x == k]\nn = [f(k) for k in ks]", "line 2 goes over all of `xs`"),
        ("text = P\nwhile text:\n    text = text[1:]", "line 3 copies what is left of `text` at each turn"),
        ("xs = []\nfor x in P.split():\n    xs = xs + [x]", "line 3 copies `xs` at each turn"),
        ("for x in P.split():\n    xs.insert(0, x)", "line 2 moves all items of a list at each turn"),
        ("for a in xs:\n    for b in few:\n        pass", None),
        (f"for i in {LONG}:\n    pass", None),
        ("while True:\n    if P == 'x':\n        break", None),
    ],
)
def test_cause_is_told_where_the_code_shows_it(code: str, seen: str | None) -> None:
    loop = next(n for n, line in enumerate(code.splitlines(), 1) if "for " in line or "while " in line)
    line = len(code.splitlines()) if code.startswith("def") else loop
    found = cause(code, line, small={"few"})
    assert (found or "").startswith(seen) if seen else found is None


def test_cause_is_a_part_of_what_the_model_is_told() -> None:
    loops = "for a in xs:\n    for b in xs:\n        pass"
    assert "There line 2 goes over all of `xs`" in told_of(loops, "xs = list(range(100_000))")
    assert "Do less there" in told_of(
        "for a in few:\n    for b in few:\n        sum(range(10 ** 9))", "few = [*range(9)]"
    )


# -- what counts ------------------------------------------------------------------------------------------------------


@needs_processor_time
def test_time_in_which_the_worker_does_not_compute_is_not_counted() -> None:
    def answer(prompt: str) -> str:
        for worker in worker_processes():
            os.kill(worker, signal.SIGSTOP)  # before it has the answer: however fast it is, it does not end first
            threading.Timer(0.9, os.kill, (worker, signal.SIGCONT)).start()
        return prompt

    code = "x = llm_query('x')\nfor i in range(3_000_000):\n    pass\nFinal = i"
    began = time.perf_counter()
    ran = run(code, "Final = 'too long'", answer=answer, sandbox=Sandbox(timeout=0.6))
    assert ran.answer == 2_999_999
    assert time.perf_counter() - began > 0.6


@pytest.mark.parametrize("code", ["x = llm_query('x')", "x = llm_batch(['a', 'b'])", "x = rlm_query('x', P)"])
def test_waiting_for_a_model_is_not_counted(code: str) -> None:
    def answer(prompt: str) -> str:
        time.sleep(0.5)
        return "```repl\nFinal = 1\n```"

    assert run(f"{code}\nFinal = 2", "Final = 'too long'", answer=answer, sandbox=IMPATIENT).answer == 2


@pytest.mark.parametrize("is_told", [False, pytest.param(True, marks=needs_processor_time)])
def test_stretches_of_a_cell_between_its_calls_add_up(is_told: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not is_told:
        forget_processor_time(monkeypatch)
    code = "for n in range(100):\n    llm_query(str(n))\n    for i in range(3_000_000):\n        pass"
    ran = run(code, "Final = 1", sandbox=IMPATIENT)
    assert "TimeoutError" in (ran.errors[0] or "")
    assert len(ran.model.asked) < 100


def forget_processor_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on systems that do not tell it."""
    monkeypatch.setattr(processor_time, "processor_seconds", lambda pid: None)


def test_where_the_system_does_not_tell_it_time_that_passes_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_processor_time(monkeypatch)
    error = told_of("x = 1\nwhile True:\n    pass")
    assert "TimeoutError: the cell ran longer than 0.3 s. It was in line 2: `while True:`." in error


@pytest.mark.parametrize("is_told", [False, pytest.param(True, marks=needs_processor_time)])
def test_children_that_run_at_once_have_a_time_each(is_told: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not is_told:
        forget_processor_time(monkeypatch)
    endless = [cell("x = 1\nwhile True:\n    pass"), cell("Final = 'was dropped'")]
    model = ScriptedModel(
        script={
            "Question: root": [cell("Final = rlm_query_batched(['endless a', 'b', 'endless c', 'd'])")],
            "Question: endless": endless,
            "Question:": [cell("for i in range(100_000):\n    pass\nFinal = 'ended'")],
        }
    )
    rlm = rlm_of(model, sandbox=Sandbox(timeout=0.5, max_live=3))
    out = rlm.invoke({"query": "root", "context": TEXT})
    assert out["answer"] == ["was dropped", "ended", "was dropped", "ended"]
    assert out["trajectory"][0]["error"] is None


async def test_async_runs_have_the_same_limit() -> None:
    model = ScriptedModel(cell("x = 1\nwhile True:\n    pass"), cell("Final = 1"))
    out = await rlm_of(model, sandbox=IMPATIENT).ainvoke({"query": QUERY, "context": TEXT})
    assert "It was in line 2" in out["trajectory"][0]["error"]
    assert out["answer"] == 1


def test_cells_that_run_again_after_one_that_was_dropped_are_not_counted_as_the_next() -> None:
    slow = "for i in range(1_500_000):\n    pass"
    ran = run(slow, slow, slow, slow, "while True:\n    pass", "Final = i", sandbox=Sandbox(timeout=0.5))
    assert [error and error[:12] for error in ran.errors] == [None, None, None, None, "TimeoutError", None]


def test_what_a_cell_leaves_behind_cannot_run_for_ever() -> None:
    endless = (
        "class A:\n    def __iter__(self): return self\n    def __next__(self):\n        while True:\n            pass"
    )
    assert "TimeoutError: the cell ran longer than 0.3 s." in told_of(f"{endless}\nFinal = A()")


def test_default_grows_with_the_text_and_a_number_fixes_it() -> None:
    assert [Sandbox().seconds(characters) for characters in (0, 1_000_000, 25_000_000)] == [5, 6, 30]
    assert Sandbox(timeout=2).seconds(25_000_000) == 2


# -- the host's time --------------------------------------------------------------------------------------------------

HOST_WORKS = {
    "patterns": "re.compile(f'{i}' + '(a|b)[c-f]' * 900)",
    "modules": "difflib.SequenceMatcher(None, 'ab' * 900, 'ba' * 900, False).ratio()",
    "reads": "ctx.find('no such text')",
}


@pytest.mark.parametrize("works", HOST_WORKS.values(), ids=HOST_WORKS)
def test_host_works_no_longer_for_a_cell_than_the_cell_itself_may(works: str) -> None:
    endless = f"import difflib, re\ni = 0\nwhile True:\n    i += 1\n    {works}"
    ran = run(endless, endless, "Final = 1", sandbox=IMPATIENT, context="no " * 1_000_000)
    assert all("TimeoutError: what re, ctx and modules have the host" in str(error) for error in ran.errors[:2])
    assert ran.answer == 1


def test_cell_that_goes_on_after_the_hosts_time_asks_models_all_the_same() -> None:
    code = (
        f"import difflib\ntry:\n    while True:\n        {HOST_WORKS['modules']}\n"
        "except TimeoutError:\n    Final = llm_query('still there?')"
    )
    assert run(code, sandbox=IMPATIENT).answer == "answer to still there?"


def test_cell_that_asks_the_host_again_and_again_spends_its_own_time() -> None:
    endless = f"while True:\n    try:\n        {HOST_WORKS['modules']}\n    except TimeoutError:\n        pass"
    assert "TimeoutError: the cell ran longer than 0.3 s" in told_of(f"import difflib\n{endless}")
