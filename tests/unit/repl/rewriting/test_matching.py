"""Patterns with classes of one's own: cells print what CPython prints."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes import final_of, run
from tests.unit.repl.rewriting.printed import print_the_same

PROGRAMS = {
    "derived classes": r"""
from dataclasses import dataclass

class Shape:
    pass

@dataclass
class Circle(Shape):
    r: float

@dataclass
class Sq(Shape):
    a: float

class Big(Circle):
    pass

def f(s):
    match s:
        case Circle(r=x) if x > 5:
            return "big", x
        case Circle(x):
            return "c", x
        case Sq(a=a):
            return "s", a
        case Shape():
            return "shape"
        case [Shape() as q, *rest]:
            return "list", len(rest)
        case {"s": Circle(r=x), **k}:
            return x, k
        case int() | str():
            return "n"
        case None:
            return "none"
        case _:
            return "?"

for s in [
    Circle(1),
    Circle(9),
    Sq(2),
    Shape(),
    Big(2),
    [Shape(), 1, 2],
    {"s": Circle(3), "t": 4},
    5,
    "x",
    None,
    2.5,
]:
    print(f(s))
""",
    "named tuples with methods": r"""
from typing import NamedTuple

class Pt(NamedTuple):
    x: int
    y: int = 0

    def norm(self):
        return self.x + self.y

p = Pt(1, 2)
match p:
    case (a, b):
        print("seq", a, b)
    case _:
        print("none")
match p:
    case Pt(x=1, y=q):
        print(q)
match p:
    case Pt(a, b):
        print(a, b)
print(
    isinstance(p, tuple),
    p == (1, 2),
    p[0],
    p + (3,),
    {p: 1}[(1, 2)],
    sorted([Pt(2, 1), Pt(1, 5)])[0],
    p < (1, 3),
)
""",
    "patterns in patterns": r"""
from dataclasses import dataclass

class Node:
    pass

@dataclass
class Num(Node):
    value: int

@dataclass
class Bin(Node):
    op: str
    left: Node
    right: Node

class Neg(Node):
    __match_args__ = ("x",)

    def __init__(self, x):
        self.x = x

    @property
    def twice(self):
        return 2 * self.x.value

def ev(n):
    match n:
        case Num(value=int(v)) | Num(v):
            return v
        case Bin("+", l, r):
            return ev(l) + ev(r)
        case Bin(op="*" | "x", left=l, right=Num(value=r)):
            return ev(l) * r
        case Bin(op=o) as whole:
            return (o, whole.op)
        case Neg(Num() as m, twice=t) if t > 4:
            return m.value, t
        case Neg(x):
            return -ev(x)
        case [Num(a), *mid, Num(b)]:
            return a, len(mid), b
        case [Node(), Node()] | (Node(),):
            return "nodes"
        case []:
            return "empty"
        case {"n": Num(v), "k": [x, _], **rest}:
            return v, x, rest
        case str(s) | bytes(s):
            return s
        case bool(b):
            return b
        case float() | int() as q:
            return q
        case None:
            return "none"
        case Node():
            return "node"
        case _:
            return "?"

for n in [
    Num(1),
    Bin("+", Num(1), Num(2)),
    Bin("*", Num(3), Num(4)),
    Bin("x", Num(3), Num(5)),
    Bin("*", Num(3), Neg(Num(1))),
    Neg(Num(3)),
    Neg(Num(1)),
    [Num(1), 2, 3, Num(4)],
    [Num(1), Neg(Num(2))],
    (Neg(Num(1)),),
    [],
    {"n": Num(2), "k": (7, 8), "z": 1},
    {"n": Num(2)},
    "s",
    True,
    2.5,
    7,
    None,
    Node(),
    {1},
]:
    print(ev(n))
match Num(3):
    case Node(value=z) if z > 5:
        print("no")
    case Node(value=z):
        print("z", z)
print(z)
try:
    match Num(1):
        case Num(a, b):
            print("no")
except TypeError as e:
    print(e)
try:
    match Node():
        case Node(a):
            print("no")
except TypeError as e:
    print(e)
try:
    match 1:
        case int(a, b):
            print("no")
except TypeError as e:
    print(e)
match Num(1):
    case Num(nothing=q):
        print("no")
    case Num():
        print("yes")
x = 5
match x:
    case Num(value=x):
        pass
print(x)
""",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_prints_what_cpython_prints(name: str) -> None:
    print_the_same(PROGRAMS[name])


MATCHED = "class A:\n    __match_args__ = ('p',)\n    @property\n    def p(self): return 1\nclass B(A): pass\nx = B()\n"


@pytest.mark.parametrize("pattern", ["A()", "B(p=1)", "A(h)", "[A()]", "{'k': B(p=h)}", "A(p=2) | B(p=1)"])
@pytest.mark.parametrize("subject", ["x", "[x]", "{'k': x}"])
def test_patterns_know_bases_and_properties_of_this_cell_and_of_earlier_ones(pattern: str, subject: str) -> None:
    match, names = f"match {subject}:\n    case {pattern}: Final = 1\n    case _: Final = 2", dict[str, Any]()
    exec(f"{MATCHED}{match}", names)
    assert run(f"{MATCHED}{match}").answer == run(MATCHED, match).answer == names["Final"]


def test_patterns_of_earlier_cells_know_classes_that_are_derived_later() -> None:
    cells = "class A: pass\ndef f(x):\n    match x:\n        case A(): return 1", "class B(A): pass\nFinal = f(B())"
    assert run(*cells).answer == 1


def test_patterns_of_plain_classes_run() -> None:
    code = "class A:\n    def __init__(self): self.v = 1\nmatch A():\n    case A(v=int(h)): Final = h"
    assert final_of(code) == 1


@pytest.mark.parametrize(
    "statements",
    [
        "match = re.search('b', t)\nprint(match.group())",
        "x = 1; match = re.search('b', t)\nprint(match.start())",
        "match: list = list(map(int, '12'))\nprint(match)",
        "match = [0, 0]\nmatch[0] = sum(map(int, '12'))\nprint(match)",
        "match, case, type = sorted(map(str, 'cab'))\nprint(match, case, type)",
        "match = 1\nmatch += len(sorted(t))\nprint(match)",
        "match = {}\nmatch.update(a=sorted(t)); match['b'] = sorted(t)\nprint(match)",
        "a = match = sorted(t); match = a = sorted(t)\nprint(a, match)",
        "def match(x):\n    return sorted(x)\nx = 1; match(t)\nmatch(t)\nprint(match(t))",
        "def f(t):\n    x = 1; match = re.search('c', t)\n    match = match or 1\n    return match\nprint(f(t).end())",
        "for x in t:\n    y = x; match = re.search(x, t)\nprint(match.end())",
        "match = re.search('b', t)\nwhile match:\n    print(match.group()); match = re.search('z', t)",
        "match = sorted(t)\nmatch.append(1); match[0:1] = []; match\nprint(match)",
        "a, match = 1, 2\ndel a, match\nmatch = 3\nprint(match)",
        "(match) = sorted(t)\nprint(match)",
        "match = sorted(t)\nx = 1; match [0] = 2; match * 2\nmatch (x) if not match else None\nprint(match)",
        "match = sorted(t)\nmatch match:\n    case [x]:\n        print(x)\n    case found:\n        print(found)",
    ],
)
def test_match_may_be_a_name(statements: str) -> None:
    print_the_same(f"import re\nt = 'abc'\n{statements}")


@pytest.mark.parametrize(
    ("last", "printed"),
    [
        ("match", "['a', 'b', 'c']"),
        ("match[0]", "'a'"),
        ("match == 3", "False"),
        ("match and match.pop()", "'c'"),
        ("print(1); match", "1\n['a', 'b', 'c']"),
        ("match.index('b')", "1"),
    ],
)
def test_match_as_the_last_expression_is_shown(last: str, printed: str) -> None:
    ran = run(f"match = sorted('bca')\n{last}", "Final = len(P)")
    assert (ran.outputs[0].strip(), ran.errors) == (printed, [None, None])
