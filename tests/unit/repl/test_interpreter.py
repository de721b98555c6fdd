"""The REPL through the graph: what stays, what is put back, and what code cannot break."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from langgraph_rlm import Limits, Sandbox
from langgraph_rlm.repl import repl_state
from langgraph_rlm.repl.boot import BUILTINS, PROTECTED
from langgraph_rlm.repl.repl_state import ReplState
from tests.fakes import QUERY, TEXT, Ran, ScriptedModel, cell, error_of, final_of, rlm_of, run, worker_processes

IMPATIENT = Sandbox(timeout=0.3)
SMALL = Sandbox(memory=10_000_000)
ENDLESS = "while True:\n    pass"
HARMLESS: dict[str, Any] = {"overwritten": [], "variables": [], "answer": [], "problem": None, "cited": []}
THREAD: Any = {"configurable": {"thread_id": "1"}}


def kept(*cells: str, **settings: Any) -> Ran:
    """Like `run`, with a checkpointer."""
    return run(*cells, checkpointer=InMemorySaver(), **settings)


def kill_workers(prompt: str) -> str:
    """An answer during which the sandbox's processes die."""
    for process in worker_processes():
        os.kill(process, signal.SIGKILL)
    return prompt


@pytest.fixture(params=[run, kept], ids=["replayed", "from a dump"])
def runs(request: pytest.FixtureRequest) -> Any:
    """Without a checkpointer the end of the last cell is had by replaying, with one from a dump."""
    return request.param


# -- state stays ------------------------------------------------------------------------------------------------------


def test_variables_functions_classes_and_imports_stay(runs: Any) -> None:
    ran = runs(
        "import functools\nn = 1\nitems = [n]\ndef double(x):\n    return x * 2",
        "class Box:\n    def __init__(self, v):\n        self.v = v",
        "n += 1\nitems.append(n)\nbox = Box(items)",
        "items.append(3)\nFinal = [double(n), box.v, functools.reduce(lambda a, b: a + b, items)]",
    )
    assert ran.answer == [4, [1, 2, 3], 6]


def test_assignments_of_a_cell_stay_after_an_ordinary_exception(runs: Any) -> None:
    ran = runs("a = 1\nb = 2\nraise ValueError('x')\nc = 3", "Final = [a, b]")
    assert ran.answer == [1, 2]


def test_exceptions_are_shown_with_their_line_and_message(runs: Any) -> None:
    ran = runs("a = 1\nb = a / 0", "Final = 1")
    for part in ("ZeroDivisionError", "line 2", "b = a / 0"):
        assert part in ran.told[0]


def test_syntax_errors_are_shown() -> None:
    error = error_of("x = = 1")
    assert "SyntaxError" in error
    assert "x = = 1" in error


@pytest.mark.parametrize(
    "code",
    [
        "Final = [ask_it(x) for x in 'ab']",
        "Final = []\nfor x in 'ab':\n    Final.append(ask_it(x))",
        "Final = []\nwhile len(Final) < 2:\n    Final.append(ask_it('ab'[len(Final)]))",
        "Final = list({x: ask_it(x) for x in 'ab'}.values())",
        "Final = list(ask_it(x) for x in 'ab')",
        "def each(xs):\n    return [ask_it(x) for x in xs]\nFinal = each('ab')",
        "def first(x):\n    return second(x)\ndef second(x):\n    return ask_it(x)\nFinal = [first('a'), first('b')]",
        "Final = list(map(ask_it, 'ab'))",
        "Final = list(map(lambda x: ask_it(x), 'ab'))",
        "Final = [x.upper() for x in filter(lambda x: ask_it(x) != 'C', 'abc')]",
        "Final = [x.upper() for x in sorted('ba', key=lambda x: ask_it(x))]",
        "Final = [x.upper() for x in [min('ab', key=ask_it), max('ab', key=ask_it)]]",
        "Final = [ask_it('a') if ask_it('x') else None] + [ask_it('b')]",
        "Final = [f'{ask_it(x)}' for x in 'ab']",
        "a, b = ask_it('a'), ask_it('b')\nFinal = [a, b]",
        "Final = []\ntry:\n    Final += [ask_it('a')]\n    1 / 0\nexcept ArithmeticError:\n    Final += [ask_it('b')]",
        "Final = []\ntry:\n    Final += [ask_it('a')]\nfinally:\n    Final += [ask_it('b')]",
        "class Asker:\n    def go(self, x):\n        return ask_it(x)\nFinal = [Asker().go(x) for x in 'ab']",
        "assert ask_it('x')\nFinal = [ask_it('a'), ask_it('b')]",
        "Final = [ask_it(x) for x in 'abc' if ask_it(x) != 'C']",
        "Final = list(zip(*[[ask_it(x)] for x in 'ab']))[0]",
        "Final = [ask_it(y) for x in ['ab'] for y in x]",
        "Final = [(lambda: ask_it(x))() for x in 'ab']",
        "import functools\nFinal = functools.reduce(lambda found, x: [*found, ask_it(x)], 'ab', [])",
    ],
)
@pytest.mark.parametrize("is_kept", [False, True], ids=["live", "parked at each call"])
def test_sub_calls_stand_wherever_code_calls_a_function(code: str, is_kept: bool) -> None:
    code = f"def ask_it(x):\n    return llm_query(x)\n{code}"
    if not is_kept:
        assert final_of(code, answer=str.upper) == ["A", "B"]
        return
    rlm = rlm_of(
        ScriptedModel(cell(code), answer=str.upper), checkpointer=InMemorySaver(), interrupt_before=["subcall"]
    )
    out = rlm.invoke({"query": QUERY, "context": TEXT}, THREAD)
    while rlm.get_state(THREAD).next:
        out = rlm.invoke(None, THREAD)
    assert out["answer"] == ["A", "B"]


# -- what is lost is put back -----------------------------------------------------------------------------------------


BREAKS = {
    "time-out": (ENDLESS, "TimeoutError"),
    "time-out that is caught": ("try:\n    while True:\n        pass\nexcept BaseException:\n    pass", "TimeoutError"),
    "time-out after a sub-call": (f"llm_query('x')\n{ENDLESS}", "TimeoutError"),
    "memory": ("hoard = []\nwhile True:\n    hoard.append('x' * 1_000_000)", "MemoryError"),
    "memory at once": ("hoard = 'x' * 10 ** 9", "MemoryError"),
    "memory after a sub-call": ("llm_query('x')\nhoard = [0] * 10 ** 9", "MemoryError"),
    "killed worker": ("llm_query('kill')", "died"),
    "killed worker in a batch": ("llm_batch(['kill', 'kill'])", "died"),
}


@pytest.mark.parametrize("broken", BREAKS)
def test_broken_cell_is_an_error_and_the_repl_is_back_at_the_last_cells_end(broken: str, runs: Any) -> None:
    for left in (2, 1, 0) if "killed" in broken else (0,):  # the pool may hand out a worker that was killed too
        try:
            return check_broken(broken, runs)
        except (AssertionError, IndexError):
            if not left:
                raise
    raise AssertionError("it returns or raises")


def check_broken(broken: str, runs: Any) -> None:
    code, error = BREAKS[broken]
    ran = runs(
        "import random\nitems = [llm_query('first'), random.random()]",
        "items.append(llm_query('second'))\nshown = str(items)\nprint(shown)",
        f"items.append('lost')\nlost = 1\n{code}",
        "print([items, shown])",
        "try:\n    lost\nexcept NameError:\n    Final = [str(items) == shown, len(items), P == context]",
        answer=lambda prompt: kill_workers(prompt) if prompt == "kill" else prompt,
        sandbox=IMPATIENT if "time-out" in broken else SMALL,
    )
    assert error in ran.told[2]
    assert "items" in ran.told[2]
    assert ran.answer == [True, 3, True]
    assert sorted(ran.model.asked[:2]) == ["first", "second"]
    assert ran.model.asked.count("first") == 1


def test_replayed_cells_see_the_clock_chance_and_answers_they_saw_before() -> None:
    clocks = "time.time(), str(datetime.datetime.now()), str(datetime.date.today())"
    ran = run(
        "import random, time\na = 1",
        f"seen = [random.random(), {clocks}, llm_query('x'), SHOW_VARS()]\nshown = str(seen)\nprint(shown)",
        "b = 2",
        ENDLESS,
        "Final = [shown, str(seen)]",
        sandbox=IMPATIENT,
    )
    assert ran.answer == [ran.outputs[1].rstrip("\n")] * 2


def test_chance_goes_on_where_it_was_before_a_broken_cell(runs: Any) -> None:
    first, draw, end = "import random\na = random.random()", "b = random.random()", "Final = [a, b]"
    assert (
        runs(first, draw, end).answer == runs(first, f"random.random()\n{ENDLESS}", draw, end, sandbox=IMPATIENT).answer
    )


def test_refused_and_failed_calls_are_replayed_as_they_were() -> None:
    def answer(prompt: str) -> str:
        raise ValueError("down")

    ran = run(
        "seen = []\nfor prompts in [['a'], ['x'] * 50, []]:\n    try:\n        seen.append(llm_batch(prompts))\n"
        "    except RuntimeError as error:\n        seen.append(str(error))\n"
        "try:\n    llm_query('b')\nexcept RuntimeError as error:\n    seen.append(str(error))\nshown = str(seen)",
        ENDLESS,
        "Final = shown == str(seen)",
        answer=answer,
        limits=Limits(max_subcalls=3),
        sandbox=IMPATIENT,
    )
    assert ran.answer is True
    assert ran.model.asked == ["a", "b"]


def test_several_broken_cells_in_a_row_lose_nothing(runs: Any) -> None:
    ran = runs("a = 1", ENDLESS, "b = 2", ENDLESS, ENDLESS, "Final = [a, b]", sandbox=IMPATIENT)
    assert ran.answer == [1, 2]


def test_waiting_for_models_is_not_counted_as_execution() -> None:
    model = ScriptedModel(cell("Final = [llm_query('x') for _ in range(3)]"), latency=0.15)
    out = rlm_of(model, sandbox=Sandbox(timeout=0.2)).invoke({"query": QUERY, "context": TEXT})
    assert len(out["answer"]) == 3


@pytest.mark.parametrize("code", ["hoard = 'x' * 30_000_000", "hoard = 'x' * 30_000_000\nllm_query('x')"])
def test_state_too_large_to_keep_is_the_cells_memory_error(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repl_state, "DUMPS_WORTH", -1)  # whatever the clock says
    ran = kept("a = 1", f"a = 2\n{code}", "Final = a", sandbox=SMALL)
    assert "MemoryError" in ran.told[1]
    assert ran.answer == 1


def test_context_of_very_many_documents_fits_a_small_memory(runs: Any) -> None:
    ran = runs("Final = ctx.num_documents()", context=["d"] * 30_000, sandbox=Sandbox(memory=1_000_000))
    assert ran.answer == 30_000


# -- names of the REPL ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PROTECTED)
def test_overwritten_name_is_restored_and_reported(name: str) -> None:
    ran = run(f"kept = {name}\n{name} = 'mine'\nassert {name} == 'mine'", f"Final = str({name}) == str(kept)")
    assert ran.answer is True
    assert "Restored" in ran.told[0]
    assert name in ran.told[0].split("Restored")[1]


@pytest.mark.parametrize(
    "code",
    [
        "def llm_query(x):\n    return 'mine'",
        "for P in ['a', 'b']:\n    pass",
        "P, ctx = 1, 2",
        "exec('P = 1')",
        "class ctx:\n    pass",
        "P = 1\nraise ValueError('x')",
        "P = P[:10]\nllm_query('x')",
    ],
)
def test_name_overwritten_in_any_way_is_restored(code: str, runs: Any) -> None:
    ran = runs(
        code,
        "day = str(datetime.date(2026, 1, 2))\n"
        "Final = [len(P), P == context, llm_query('x'), ctx.num_documents(), re.findall('b', 'abc'), day]",
    )
    assert ran.answer == [len(TEXT), True, "answer to x", 1, ["b"], "2026-01-02"]
    assert "Restored" in ran.told[0]


def test_name_that_a_cell_only_used_is_not_reported() -> None:
    ran = run("import re, json\nfrom collections import Counter\nP = P\nn = len(P)", "Final = 1")
    assert "Restored" not in ran.told[0]


@pytest.mark.parametrize(
    "name", [*BUILTINS, "len", "list", "str", "print", "locals", "range", "isinstance", "type", "input"]
)
def test_builtin_used_as_a_variable_breaks_nothing(name: str) -> None:
    ran = run(f"{name} = [1]\n5", "peek(3)\nSHOW_VARS()\nllm_batch(['x'])\n[6]", f"Final = {name}")
    assert ran.errors == [None, None, None]
    assert ran.answer == [1]


def test_show_vars_tells_names_types_and_sizes() -> None:
    shown = run("items = [1, 2]\nname = 'abc'", "other = 1\nprint(SHOW_VARS())", "Final = 1").outputs[1]
    assert shown.splitlines() == ["items: list (2)", "name: str (3)"]


@pytest.mark.parametrize("name", ["a", "_private", "é", "Final2", "x" * 100])
def test_final_var_finds_any_name(name: str) -> None:
    assert final_of(f"{name} = 5\nFINAL_VAR({name!r})") == 5


def test_there_is_nothing_of_the_host_in_the_repl() -> None:
    ran = run("SHOW_VARS()", "Final = 1")
    assert ran.outputs[0].strip() in ("'no variables yet'", "no variables yet")


# -- gaps -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("import sys\nsys.stdout.flush()", "print(text, end='')"),
        ("from datetime import timedelta\ntimedelta(1) * 1.5", "count in seconds"),
        ("pow(3, -1, 7)", "a * x % m == 1"),
        ("import difflib\ndifflib.context_diff([], [])", "use unified_diff"),
        ("globals()", "SHOW_VARS"),
        ("import numpy as np; np", "list"),
        ("import nothing_known; nothing_known", "collections"),
        ("xs = [1, 2]\nxs.sort(key=lambda x: llm_query(str(x)))", "by a plain call"),
        ("collections.defaultdict(lambda: llm_query('x'))[1]", "by a plain call"),
        ("list(itertools.takewhile(lambda x: llm_query('x'), [1]))", "by a plain call"),
        ("class A:\n    def __str__(self):\n        return llm_query('x')\nstr(A())", "by a plain call"),
        ("open('/etc/passwd')", "P"),
        ("import os\nos.getenv('HOME')", "P"),
        ("from pathlib import Path\nPath('/etc/passwd').read_text()", "P"),
        ("input('?')", "P"),
        ("exit()", "Final"),
    ],
)
def test_error_of_a_gap_says_what_to_write_instead(code: str, advice: str) -> None:
    ran = run(code, "Final = 1")
    assert advice in "\n".join((ran.errors[0] or "no error").splitlines()[-2:])


@pytest.mark.parametrize(
    "code", ["nothing_defined", "nothing_defined(1)", "P.nothing()", "'a' + 1", "[][0]", "{}['x']", "int('x')"]
)
def test_error_that_comes_from_no_gap_has_no_advice(code: str) -> None:
    assert "This Python" not in error_of(code)


# -- hostile code -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "code",
    [
        "__rlm__ = None",
        "__rlm__ = {}",
        "__rlm__.clear()",
        "__rlm__ = {'survey': lambda *_: None}",
        "__rlm__['survey'] = None",
        "__rlm__['survey'] = lambda *_: None",
        "__rlm__['survey'] = lambda *_: {}",
        *(
            f"__rlm__['survey'] = lambda *_: {HARMLESS | lie}"
            for lie in (
                {"overwritten": 5},
                {"overwritten": ["1/0"]},
                {"overwritten": ["x" * 10**6]},
                {"overwritten": [[1]]},
                {"variables": None},
                {"variables": [1]},
                {"variables": [["a", 1, "b"]]},
                {"variables": [["a" * 10**6, "str", 1]]},
                {"variables": [["a", "str", 2**70]]},
                {"answer": 1},
                {"answer": [2**70]},
                {"answer": [{2**70: 1}]},
                {"cited": [[0, 2**70]]},
                {"problem": [1]},
            )
        ),
        "def endless(*_):\n    while True:\n        pass\n__rlm__['survey'] = endless",
        "__rlm__['survey'] = lambda *_: __rlm__['_host']('ask', 'llm', [['x', None]], None, True)",
        "__rlm__['survey'] = lambda *_: {ctx: 1}",
        "nested = []\nfor _ in range(500):\n    nested = [nested]\n"
        "m = __rlm__['module']('_ending')\nm.kept_answer = lambda *_: ([nested], None)\nFinal = 1",
        "__rlm__['tools'] = None",
        "__rlm__['show'] = lambda own: 1 / 0\n5",
        "__rlm__['names'] = None",
        "__rlm__['unset'] = 5",
        "__rlm__['final'] = 5 / 1\n1 / 0",
        "__rlm__['llm_query'] = 5",
        "__rlm__['P'] = 5",
        "ctx.metadata = None",
        "ctx.metadata.clear()",
        "ctx.get_document = None",
        "__builtins__ = None",
        "__name__ = 5",
    ],
)
def test_code_that_reaches_for_the_host_harms_only_its_own_repl(code: str, runs: Any) -> None:
    ran = runs("a = 1", code, "b = 2", *["FINAL('end')"] * 3, sandbox=IMPATIENT, limits=Limits(max_steps=4))
    assert ran.out["status"] in ("answered", "limit")


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "1",
        "'ask'",
        "'ask', 'llm', 1, None, True, None, False",
        "'ask', 'llm', [1], None, True, None, False",
        "'ask', 'llm', [['x', 1]], None, True, None, False",
        "'ask', 'llm', [['x']], None, True, None, False",
        "'ask', 'other', [['x', None]], None, True, None, False",
        "'ask', 'llm', [['x', None]], 5, True, None, False",
        "'ask', 'llm', [['x', None]], None, 1, None, False",
        "'ask', 'llm', [['x', None]], None, True, {'type': 'object'}, True",
        "'ask', 'llm', [['x', None]], None, True, {ctx: 1}, False",
        "'context', 'slice', [{ctx: 1}, 3]",
        "'context', 'slice', ['a', 1]",
        "'context', 'slice', ['a', 10 ** 5000]",
        "'context', 'slice', 5",
        "'context', 'get_document', [10 ** 40]",
        "'context', 'get_document', [None]",
        "'context', 'chunk', [0, 0]",
        "'context', 'chunk', [-5, 0]",
        "'context', 'find', [5, 0, None]",
        "'context', '__class__', []",
        "'context', 'from_files', ['/etc/passwd']",
        "'nothing', {1}, b'x', print",
        "*range(10_000)",
        "'x' * 10 ** 6",
    ],
)
def test_rubbish_sent_to_the_host_raises_in_the_code(arguments: str) -> None:
    refused = "except (TypeError, ValueError, IndexError):\n    Final = 'refused'"
    code = f"try:\n    __rlm__['_host']({arguments})\n{refused}"
    ran = run(code, "Final = 'not refused'")
    assert (ran.answer, ran.model.asked) == ("refused", [])


@pytest.mark.parametrize(
    "arguments",
    [
        "'context', 'slice', [10 ** 40, -10 ** 40]",
        "'context', 'chunk', [10 ** 40, 0]",
        "'context', 'find', ['x', -10 ** 40, 10 ** 40]",
    ],
)
def test_huge_numbers_sent_to_the_host_are_numbers(arguments: str) -> None:
    assert run(f"x = __rlm__['_host']({arguments})\nFinal = 'done'").answer == "done"


@pytest.mark.parametrize(
    "method",
    ["__str__", "__repr__", "__len__", "__eq__", "__hash__", "__bool__", "__iter__", "__getattr__", "__format__"],
)
@pytest.mark.parametrize(
    "body", ["raise ValueError('mine')", "return None", "return llm_query('x')", "while True: pass"]
)
def test_object_that_misbehaves_breaks_no_run(method: str, body: str) -> None:
    code = f"class Odd:\n    def {method}(self, *rest):\n        {body}\nodd = Odd()"
    ran = run(f"{code}\nodd", f"{code}\nFinal = [odd, {{1: odd}}]", "Final = 'end'", sandbox=IMPATIENT)
    assert ran.out["status"] == "answered"


@pytest.mark.parametrize(
    "code",
    [
        "x = 1\rprint(x)\rx",
        "x = 1\r\nx\r\n",
        "\ufeffx = 1",
        "\x0cx = 1",
        "x = 1\x00",
        "x = '\x00'\nx",
        "x = 1\u2028x",
        "x = '\\ud800'\nprint(x)\nllm_query('\\ud800')\nx",
        "print('\\ud83d\\ude00')",
        "x = '😀é'; x",
        "(" * 500,
        "(" * 200 + ")" * 200,
        "-" * 5_000 + "1",
        "x = " + "+".join(["1"] * 5_000) + "\nx",
        "x = " + "[" * 300 + "]" * 300 + "\nx",
        "\n" * 10_000 + "x",
        "# nothing",
        "'''unclosed",
        "\tx = 1",
        "pass;;",
        "def f(n):\n    return f(n + 1)\nf(0)",
        "x = []\nx.append(x)\nx",
        "x = {}\nx['x'] = x\nprint(x)\nx",
        "x = []\nfor _ in range(100_000):\n    x = [x]\nprint(x)",
        "x = []\nfor _ in range(100_000):\n    x = [x]\nFinal = x",
        "x = []\nfor _ in range(100_000):\n    x = [x]\nx",
        "x = 10 ** 100_000\nx",
        "x = 10 ** 10 ** 10",
        "Final = 10 ** 100_000",
        "Final = print",
        "Final = {len: 1}",
        "Final = (x for x in 'ab')",
        "Final = ValueError('x')",
        "raise SystemExit",
        "raise KeyboardInterrupt",
        "raise MemoryError",
        "raise TimeoutError('mine')",
        "raise BaseException('mine')",
        "raise 5",
        "chunks = ['x' for _ in range(10 ** 7)]",
        "llm_batch('x' for _ in range(10 ** 5))",
        "import time\ntime.sleep(10 ** 9)",
        "import asyncio\nasync def f():\n    return llm_query('x')\nawait asyncio.gather(f(), f())",
        "await llm_query('x')",
        "import asyncio\nasyncio.run(5)",
        "print('x', file=5)",
        "print(*range(10 ** 6))",
        "exec('exec(\"1/0\")')",
        "eval('P')",
        "Final.x = 1",
        "return 5",
        "break",
        "global P\nP = 1",
        "nonlocal x",
        "lambda: (yield)",
        "import sys\nsys.exit()",
        "import sys\nsys.setrecursionlimit(10 ** 9)",
        "raise ValueError('FINAL: 5')",
        "''.join(['x'] * 10 ** 8)",
        "'a' * 10 ** 18",
        "[0] * 10 ** 18",
        "re.match('(a+)+$', 'a' * 40 + 'b')",
        "list(range(10 ** 9))",
        "sum(range(10 ** 12))",
    ],
    ids=lambda code: repr(code)[:50],
)
def test_strange_cell_breaks_no_run_and_loses_no_variable(code: str) -> None:
    ran = kept("kept = 7", code, "Final = ['end', kept]", sandbox=Sandbox(timeout=1, memory=50_000_000))
    assert ran.answer == ["end", 7] or "Final = " in code
    assert all(len(told) < 13_000 for told in ran.told)


def test_text_in_millions_of_chunks_is_refused_where_code_can_catch_it() -> None:
    code = "try:\n    ctx.chunk({})\nexcept ValueError as error:\n    Final = str(error)"
    for arguments in ("1", "2, 1"):
        assert "larger size" in final_of(code.format(arguments), context="x" * 2_000_000)


# -- fewer workers than interpreters ----------------------------------------------------------------------------------


def family(**settings: Any) -> ScriptedModel:
    """Three generations: a root that keeps a variable, 3 children that do, each with 2 children."""
    return ScriptedModel(
        script={
            "Question: root": [
                cell("mine = 'root'\nx = rlm_query_batched(['child ' + i for i in 'abc'])\nFinal = [mine, x]")
            ],
            "Question: child": [
                cell("mine = P"),
                cell("x = ' '.join([rlm_query('grand' + mine) for _ in 'ab'])\nprint(len(P))\nFinal = mine + ': ' + x"),
            ],
            "Question: grandchild": [cell("mine = P + llm_query('leaf')"), cell("Final = mine[-7:]")],
        },
        answer=lambda prompt: "!",
        **settings,
    )


EXPECTED = ["root", [f"child {i}: hild {i}! hild {i}!" for i in "abc"]]


@pytest.mark.parametrize("max_live", [1, 2, 3])
@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("is_kept", [False, True])
def test_tree_of_more_repls_than_workers_runs_to_its_end(max_live: int, is_async: bool, is_kept: bool) -> None:
    most = 0

    def answer(prompt: str) -> str:
        nonlocal most
        most = max(most, len(worker_processes()))
        return "!"

    model = family()
    model.answer = answer
    rlm = rlm_of(
        model,
        sandbox=Sandbox(max_live=max_live),
        limits=Limits(max_depth=3),
        checkpointer=InMemorySaver() if is_kept else None,
    )
    given = {"query": "root", "context": "text"}
    out = asyncio.run(rlm.ainvoke(given, THREAD)) if is_async else rlm.invoke(given, THREAD)
    assert out["answer"] == EXPECTED
    assert 1 <= most <= max_live


def test_repl_that_waits_for_a_worker_gets_it_where_another_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    model = ScriptedModel(
        script={
            "Question: root": [cell("Final = rlm_query_batched(['a', 'b'])"), cell("Final = 'end'")],
            "Question: ": [cell("Final = 'c'")],
        }
    )
    rlm = rlm_of(model, sandbox=Sandbox(max_live=1), limits=Limits(max_depth=2))
    advance, failed = ReplState.advance, threading.Event()

    def fails_once_another_waits(state: ReplState, *given: Any) -> Any:
        waiting = rlm.rlm_workers._changed._waiters  # type: ignore[attr-defined]
        if state.cell is not None and "'c'" in state.cell.code and not failed.is_set():
            while not waiting:
                time.sleep(0.01)
            failed.set()
            raise RuntimeError("broken")
        return advance(state, *given)

    monkeypatch.setattr(ReplState, "advance", fails_once_another_waits)
    answers = rlm.invoke({"query": "root", "context": "text"})["answer"]
    assert failed.is_set()
    assert sorted(map(str, answers)) == ["Error: RuntimeError: broken", "c"]


@pytest.mark.parametrize(("code", "error"), [(ENDLESS, "TimeoutError"), ("hoard = 'x' * 10 ** 9", "MemoryError")])
def test_repl_that_was_put_aside_is_bounded_as_before(code: str, error: str) -> None:
    model = ScriptedModel(
        script={
            "Question: root": [cell(f"a = rlm_query('child', 'text')\n{code}"), cell("Final = 'end'")],
            "Question: child": [cell("Final = 'c'")],
        }
    )
    rlm = rlm_of(model, sandbox=Sandbox(timeout=1, memory=10_000_000, max_live=1))
    out = rlm.invoke({"query": "root", "context": "text"})
    assert error in out["trajectory"][0]["error"]
    assert out["answer"] == "end"


def test_repl_too_large_to_put_aside_is_a_memory_error_of_its_cell() -> None:
    model = ScriptedModel(
        script={
            "Question: root": [
                cell("a = 1"),
                cell("hoard = 'x' * 30_000_000\nx = rlm_query('child', 'text')"),
                cell("Final = a"),
            ],
            "Question: child": [cell("Final = 'c'")],
        }
    )
    out = rlm_of(model, sandbox=Sandbox(memory=10_000_000, max_live=1)).invoke({"query": "root", "context": "text"})
    assert "MemoryError" in out["trajectory"][1]["error"]
    assert out["answer"] == 1
