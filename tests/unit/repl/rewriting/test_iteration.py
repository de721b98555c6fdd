"""Iterators of the code's own that ask a model: what goes through them does what it does in CPython, in that order."""

from __future__ import annotations

import io
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.sqlite import SqliteSaver
from pydantic_monty import Monty, MontyRuntimeError

from langgraph_rlm.repl.rewriting.bridges import rewritten
from tests.fakes import Graph, ScriptedModel, cell, error_of, rlm_of, run

ITERATORS = """
def g(xs):
    for x in xs:
        print("takes", x)
        yield llm_query(x)
    print("ends")

def endless(n=0):
    while True:
        yield int(llm_query(str(n)))
        n += 1

class Tree:
    def __init__(self, name, *below):
        self.name, self.below = name, below

    def __iter__(self):
        yield llm_query(self.name)
        for tree in self.below:
            yield from tree

class Countdown:
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return self

    def __next__(self):
        if self.n == 0:
            raise StopIteration
        self.n -= 1
        return llm_query(str(self.n))
"""
PROGRAMS = r"""
for e in g("abc"):
    print(e)
else:
    print("else")
----
for i, e in enumerate(g("abcd"), 1):
    if e == "A":
        continue
    print(i, e)
    if e == "C":
        break
else:
    print("no break")
----
for e in g(""):
    print(e)
else:
    print("nothing")
----
for x in g("ab"):
    for y in g(x + x):
        if y == "A":
            break
        print(x, y)
    else:
        print("inner ends")
        continue
    print("broken")
----
print([print("uses", e) or e for e in g("abc")])
print({e for e in g("a")}, {e: i for i, e in enumerate(g("ab"))})
print([x + y for x in g("ab") if x != "A" for y in g(x.lower() * 2)])
print([(x, y) for x in "ab" for y in Tree(x)])
----
print(list(g("ab")), [*g("ab")], (*g("c"), 1), {*g("d")}, tuple(g("ab")), set(g("a")), sorted(g("ba"), reverse=True))
print(*g("ab"), sep="-")
print(max(g("ab")), min(g("ab"), key=ord), ",".join(g("ab")), sum(map(ord, g("ab"))), dict(zip(g("ab"), g("cd"))))
----
found = [0]
found.extend(g("ab"))
found += g("c")
found[1:2] = g("de")
print(found)
seen = set()
seen.update(g("a"))
print(seen, seen | set(g("a")), {"A", "B"}.union(g("c")) - {"B", "A"})
----
a, b = g("ab")
first, *rest = g("abc")
print(a, b, first, rest)
try:
    a, b = endless()
except ValueError:
    print("too many")
try:
    a, b = g("a")
except ValueError:
    print("too few")
----
print(any(g("ab")), all(g("ab")), any(endless()), all(endless()), any([e == "A" for e in g("ab")]))
print(3 in endless(), 3 not in Countdown(3), "A" in Tree("b", Tree("a")))
----
import itertools
from functools import reduce
from itertools import chain, islice, takewhile

print(list(islice(endless(), 3)), list(islice(endless(), 1, 6, 2)), list(takewhile(lambda n: n < 3, endless())))
print(list(chain(g("a"), "b")), list(chain.from_iterable(g(x) for x in ["ab", "c"])), list(chain(*[g("a"), g("b")])))
print(reduce(lambda a, b: a + b, g("abc")), list(itertools.accumulate(g("ab"))), list(itertools.pairwise(g("abc"))))
print(list(itertools.zip_longest(g("ab"), g("c"), fillvalue="-")), list(itertools.dropwhile(str.isupper, g("ab"))))
print(list(itertools.compress(g("abc"), [1, 0, 1])), list(itertools.filterfalse(lambda x: x == "A", g("ab"))))
print(list(itertools.starmap(lambda x: x * 2, zip(g("ab")))), list(islice(itertools.cycle(g("ab")), 5)))
print([(k, list(of)) for k, of in itertools.groupby(g("aab"))])
----
for x, y in zip(g("ab"), g("cde")):
    print(x, y)
for e in map(lambda e: print("maps", e) or e.lower(), g("ab")):
    print(e)
for e in filter(None, g("ab")):
    print(e)
try:
    list(zip(g("ab"), g("c"), strict=True))
except ValueError as error:
    print(error)
try:
    list(zip(g("a"), g("bc"), strict=True))
except ValueError as error:
    print(error)
----
print(list(Tree("a", Tree("b", Tree("c")), Tree("d"))), [*Countdown(3)])
for e in Countdown(2):
    print(e)
----
def loud(items):
    for e in items:
        if e == "B":
            return e
        print("passes", e)

def doubled(items):
    for e in items:
        for copy in [e, e]:
            yield copy
        for _ in g("z"):
            pass

print(loud(g("abc")), loud(["x", "B"]), list(doubled(g("ab"))), [loud(x) for x in [g("b"), "B"]])
print((lambda items: [e for e in items])(g("a")), next(g("a")), next(iter(g("b"))), f"{sorted(g('ba'))}")
----
def fails():
    yield llm_query("a")
    raise ValueError("in the middle")

try:
    for e in fails():
        print(e)
except ValueError as error:
    print(error, e)
for e in g("ab"):
    try:
        {}[e]
    except KeyError:
        continue
    finally:
        print("finally")
print(e)
----
def closes():
    try:
        yield llm_query("a")
        yield llm_query("b")
    finally:
        print("closed", llm_query("c"))

for e in closes():
    print(e)
    break
for e in closes():
    print(e)
----
it = g("abcd")
print(next(it))
for e in it:
    print(e)
    break
print(list(it), list(it))
----
d = {"a": [1, 2], "b": (3,)}
for key, values in d.items():
    for value in values:
        print(key, value)
print([x for xs in d.values() for x in xs], sum(d["a"]), max(d), sorted(d), 2 in list(d["a"]), dict(d) == d)
(x, y), z = (1, 2), [3]
print(x, y, z)
try:
    for x in 5:
        pass
except TypeError as error:
    print(error)
try:
    for x in d:
        d[x + x] = 1
except RuntimeError as error:
    print(error)
----
from collections import Counter, deque, namedtuple

P = namedtuple("P", "a b")
print([*P(1, 2)], list(P(3, 4)), sum(P(1, 2)), Counter(g("ab")), deque(g("abc"), maxlen=1))
for part in P(1, 2):
    print(part)
"""


def programs() -> list[str]:
    return [program.strip("\n") for program in PROGRAMS.split("\n----\n")]


@pytest.mark.parametrize("apart", [False, True], ids=["one cell", "two cells"])
@pytest.mark.parametrize("program", programs(), ids=range(len(programs())))
def test_iterators_that_ask_give_what_they_give_in_cpython(program: str, apart: bool) -> None:
    printed, names = io.StringIO(), dict[str, Any](llm_query=str.upper)
    with redirect_stdout(printed):
        exec(f"{ITERATORS}\n{program}", names)
    cells = [ITERATORS, program] if apart else [f"{ITERATORS}\n{program}"]
    ran = run(*cells, "Final = 1", answer=str.upper, lookahead=False)
    assert ran.errors == [None] * (len(cells) + 1)
    assert ran.outputs[-2].strip() == printed.getvalue().strip()


def test_cells_without_iterators_of_their_own_stay_as_they_are() -> None:
    code = "for x in xs:\n    pass\nys = [x for x in xs]\nzs = list(map(f, xs))"
    assert rewritten(code).code == code
    with_one = rewritten("def g():\n    yield 1\nfor x in range(3):\n    pass\nys = [x for x in 'ab']").code
    assert "for x in range(3):\n    pass\nys = [x for x in 'ab']" in with_one


def test_functions_of_the_code_that_have_the_name_of_a_built_in_get_the_iterator_itself() -> None:
    code = "def g():\n    yield 1\n    yield 2\ndef pairwise(items):\n    return type(items).__name__\n"
    both = "def merge(items):\n    return next(items)\nFinal = [pairwise(g()), merge(g())]"
    assert run(f"{code}{both}", "Final = 'no'").answer == ["Generator", 1]


LACKED = {
    "loop": "for x in It(): pass",
    "comprehension": "[x for x in It()]",
    "whole": "list(It())",
    "unpacking": "a, b = It()",
    "star": "[*It()]",
    "membership": "1 in It()",
    "enumerate": "list(enumerate(It()))",
}
ITERATOR = """
class It:
    def __iter__(self):
        return self
    def __next__(self):
        return ask()
"""


@pytest.mark.parametrize("code", LACKED.values(), ids=LACKED)
def test_monty_lacks_suspension_within_an_iterator(code: str) -> None:
    def ask() -> int:
        raise AssertionError

    suspends = pytest.raises(MontyRuntimeError, match="cannot suspend")
    with Monty(max_processes=1) as pool, pool.checkout() as session, suspends:
        session.feed_start(ITERATOR + code, inputs={"ask": ask})


def test_what_cannot_ask_says_what_to_write() -> None:
    told = error_of("class A:\n    def __str__(self): return llm_query('a')\nstr(A())")
    assert "by a plain call" in told


KILLED = """
import os, sqlite3, sys
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph_rlm.repl import repl_state
from tests.unit.repl.rewriting.test_iteration import THREAD, gathering
repl_state.DUMPS_WORTH = {dumps}
answer = lambda prompt: os._exit(9) if prompt == "b" else prompt.upper()
saver = SqliteSaver(sqlite3.connect({path!r}, check_same_thread=False))
gathering(answer, saver).invoke({{"query": "Q", "context": "text"}}, THREAD, durability="sync")
"""
THREAD: Any = {"configurable": {"thread_id": "1"}}


def gathering(answer: Callable[[str], str], saver: Any) -> Graph:
    """An RLM whose second cell goes through generators that ask, and whose third has one of them go on."""
    asking = "kept = [*zip(g('ab'), [e for e in g('cd')])]\nit = g('efg')\nfor e in it: break\nkept.append(e)"
    model = ScriptedModel(
        cell(ITERATORS), cell(asking), cell("Final = kept + list(it)"), cell("Final = 0"), answer=answer
    )
    return rlm_of(model, checkpointer=saver, lookahead=False)


@pytest.mark.parametrize("dumps", ["-1", "float('inf')"], ids=["dumped at each stop", "never dumped"])
def test_run_that_was_killed_in_the_middle_of_a_generator_goes_on_in_another_process(
    dumps: str, tmp_path: Path
) -> None:
    path = str(tmp_path / "runs.db")
    program = KILLED.format(dumps=dumps, path=path)
    killed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert killed.returncode == 9, killed.stderr
    with closing(sqlite3.connect(path, check_same_thread=False)) as connection:
        asked: list[str] = []

        def answer(prompt: str) -> str:
            asked.append(prompt)
            return prompt.upper()

        out = gathering(answer, SqliteSaver(connection)).invoke(None, THREAD)
    assert [step["error"] for step in out["trajectory"]] == [None] * 3
    assert out["answer"] == [["A", "C"], ["B", "D"], "E", "F", "G"]
    assert asked == [*"befg"]


AHEAD = {
    "loop": "for e in g(xs): Final.append(e)",
    "loop that leaves early": "for i, e in enumerate(g(xs)):\n    Final.append(e)\n    if i == 7: break",
    "comprehension": "Final = [e for e in g(xs)]",
    "whole": "Final = sorted(g(xs))",
    "iterator": "Final = list(Countdown(8))",
}


@pytest.mark.parametrize("code", AHEAD.values(), ids=AHEAD)
def test_prompts_of_generators_are_asked_ahead(code: str) -> None:
    program = f"{ITERATORS}\nFinal, xs = [], 'abcdefgh'\n{code}"

    def ran(ahead: bool) -> Any:
        model = ScriptedModel(answer=str.upper, latency=0.05 * ahead)
        rlm = rlm_of(ScriptedModel(cell(program)), sub_model=model, lookahead=ahead)
        return rlm.invoke({"query": "Q", "context": "text"})["answer"], model

    (one, without), (many, ahead) = ran(False), ran(True)
    assert many == one
    assert sorted(ahead.asked) == sorted(without.asked)
    assert ahead.most_in_flight > 1
