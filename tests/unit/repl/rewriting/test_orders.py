"""Orders that classes have of their own: cells print what CPython prints."""

from __future__ import annotations

import pytest

from tests.unit.repl.rewriting.printed import print_the_same

PROGRAMS = {
    "types beside classes that have a truth": r"""
class Bag:
    def __init__(self, items):
        self.items = items
    def __len__(self):
        return len(self.items)

print(isinstance(-3, bool), isinstance(True, (bool, int)), issubclass(bool, int), type(True) is bool, {bool: 1}[bool])
print(list(map(bool, [Bag([]), Bag([1]), 0])), bool(Bag([])), type(True) in (bool, str), type(1) == bool)
print({"flag": bool}["flag"](Bag([])), [int, bool][1](Bag([])), sorted([Bag([1]), Bag([])], key=bool)[0].items)
print(max([Bag([]), Bag([1])], key=len).items, (lambda test=bool: test(Bag([])))())
""",
    "types beside enumerations and classes that have a truth": r"""
from enum import IntEnum

class Level(IntEnum):
    LOW = 1

class Bag:
    def __len__(self):
        return 0

print(isinstance(True, bool), isinstance(Level.LOW, bool), isinstance(False, (Level, bool)), isinstance(1, bool | str))
print(isinstance(Bag(), (Bag, bool)), isinstance(1, (Bag, bool)), list(map(bool, [Bag(), Level.LOW])))
""",
    "members that are texts": r"""
import json
from enum import Enum, IntEnum, StrEnum

class Label(str, Enum):
    BUG = "bug"
    ASK = "ask"

class Level(IntEnum):
    LOW = 1

print(json.dumps(Label.BUG), json.dumps({"a": Label.ASK, "b": [Label.BUG, Level.LOW], Label.BUG: 1}), ", ".join(Label))
print("|".join([Label.BUG, "x"]), "+".join(label for label in Label), json.dumps([{"k": (Label.ASK, 2.5, None, True)}]))
print("bug: x".startswith(("a", Label.BUG)), "x".endswith(("", "y")), json.dumps((1, Label.BUG)))
print("bug: x".startswith(Label.BUG), "a bug".replace(Label.BUG, "b"), "xbugy".split(Label.BUG))
print(json.dumps({"a": 1, "b": "é"}, ensure_ascii=False, indent=1), "".join({"a": 1}), ",".join(iter("ab")))
""",
    "members for values that there are none for": r"""
from enum import Enum

class Label(Enum):
    BUG = "bug"
    OTHER = "other"
    @classmethod
    def _missing_(cls, value):
        return cls.OTHER if isinstance(value, str) else None

class Strict(Enum):
    A = 1
    @classmethod
    def _missing_(cls, value):
        return 7

print(Label("bug"), Label("zzz"), Label("zzz") is Label.OTHER)
for cls, value in ((Label, 5), (Strict, 2)):
    try:
        cls(value)
    except (ValueError, TypeError) as e:
        print(type(e).__name__, e)
""",
    "heaps with equal items": r"""
import heapq
from dataclasses import dataclass, field

@dataclass(order=True)
class T:
    p: int
    name: str = field(compare=False)

h = []
for i in range(60):
    heapq.heappush(h, T((i * 7) % 4, str(i)))
print([heapq.heappop(h).name for _ in range(60)])
h = [T((i * 7) % 4, str(i)) for i in range(60)]
heapq.heapify(h)
print([t.name for t in h])
print([t.name for t in heapq.nsmallest(9, h)], [t.name for t in heapq.nlargest(9, h)])
print([t.name for t in sorted(h, reverse=True)][:10], max(h).name, min(h).name)
""",
    "cmp_to_key": r"""
from functools import cmp_to_key

xs = [3, 1, 2, 5, 4]
print(
    sorted(xs, key=cmp_to_key(lambda a, b: a > b)),
    sorted(xs, key=cmp_to_key(lambda a, b: (a > b) - (a < b)), reverse=True),
)
k = cmp_to_key(lambda a, b: len(a) - len(b))
print(
    sorted(["ccc", "a", "bb", "dd"], key=k),
    max(["a", "bb", "cc"], key=k),
    min(["bb", "a", "c"], key=k),
    k("a") < k("bb"),
    k("a") >= k("b"),
)
""",
    "sorted, min, max": r"""
class A:
    def __init__(self, k, n):
        self.k, self.n = k, n

    def __lt__(self, o):
        return self.k < o.k

    def __repr__(self):
        return f"A{self.k}{self.n}"

import random

xs = [A((i * 37) % 11, i) for i in range(60)]
print(sorted(xs), sorted(xs, reverse=True), min(xs), max(xs))
ys = list(xs)
ys.sort()
print(ys == sorted(xs))
ys.sort(reverse=True)
print(ys[:5])
print(sorted([(1, A(2, 0)), (1, A(1, 0)), (0, A(5, 5))]))
print(sorted(xs, key=lambda a: (a.n % 2, a))[:6])

class B(A):
    pass

print(sorted([B(2, 1), A(1, 2), B(0, 3)]), A(1, 1) > A(0, 0), B(1, 2) < A(2, 2))

class C:
    def __init__(self, v):
        self.v = v

    def __gt__(self, o):
        return self.v > o.v

    def __repr__(self):
        return f"C{self.v}"

print(sorted([C(3), C(1), C(2)]), min([C(3), C(1)]), max([C(1), C(5), C(5)]), C(1) < C(2))

class D:
    def __init__(self, v):
        self.v = v

    def __lt__(self, o):
        if not isinstance(o, D):
            return NotImplemented
        return self.v > o.v

    def __repr__(self):
        return f"D{self.v}"

print(sorted([D(3), D(1), D(2)]), min(D(1), D(2)), max([D(1), D(2)]))
try:
    sorted([D(1), 3])
except TypeError as e:
    print("TypeError")

class E:
    def __init__(self, v):
        self.v = v

    def __lt__(self, o):
        return 1 if self.v < o.v else 0

    def __repr__(self):
        return f"E{self.v}"

print(sorted([E(3), E(1), E(2)]), sorted([E(i * 7 % 1009) for i in range(1500)])[700:703])

class F:
    def __init__(self, v):
        self.v = v

    def __lt__(self, o):
        return NotImplemented

    def __gt__(self, o):
        return self.v > o.v

    def __repr__(self):
        return f"F{self.v}"

print(sorted([F(3), F(1), F(2)]))

class G:
    def __init__(self, v):
        self.v = v

    def __lt__(self, o):
        return self.v < o.v

    def __repr__(self):
        return f"G{self.v}"

try:
    sorted([G(1), G("a")])
except TypeError:
    print("TypeError")
print(sorted([G(G(2)), G(G(1))]), sorted([G([1, G(2)]), G([1, G(1)])]))
""",
    "dataclasses": r"""
from dataclasses import dataclass, field
from typing import Optional

@dataclass(order=True)
class A:
    x: int
    y: object = None

@dataclass(order=True)
class B(A):
    z: int = 0

class C(A):
    pass

print(
    sorted([A(2), A(1)]),
    A(1, 2) < A(1, 3),
    A(1) <= A(1),
    sorted([B(2, 1, 0), B(1, 5, 3)]),
    sorted([C(3), C(2)]),
)
try:
    A(1, 2) < A(1, None)
except TypeError:
    print("TypeError")
try:
    A(1) < B(1)
except TypeError:
    print("TypeError")
try:
    sorted([A(1), B(0)])
except TypeError:
    print("TypeError")
print(max([A(1), A(3), A(2)]), min(A(2), A(1)), A(1) == B(1), A(1) != A(2))

@dataclass(order=True, frozen=True)
class K:
    a: int
    b: A = field(default_factory=lambda: A(1))

print(sorted([K(1, A(3)), K(1, A(2))]), len({K(1), K(2)}) if False else 1)

@dataclass(order=True)
class V:
    key: tuple = field(init=False, repr=False)
    name: str = ""
    n: int = 0

    def __post_init__(self):
        self.key = (-self.n, self.name)

print(sorted([V("a", 1), V("b", 3), V("c", 3)]))
""",
    "orders of values": r"""
class T:
    def __init__(self, a, b):
        self.a, self.b = a, b

    def __lt__(self, other):
        return (self.a, self.b) < (other.a, other.b)

    def __repr__(self):
        return f"T{self.a}{self.b}"

print(sorted([T(2, 1), T(1, 5), T(1, 2)]), sorted([T(2, 1), T(1, 5)], reverse=True))

class U(T):
    def __lt__(self, other):
        return self.b < other.b

print(sorted([U(2, 1), U(1, 5), U(1, 2)]), sorted([U(2, 1), T(1, 5)]), max([U(2, 9), U(3, 1)]))

class X(T):
    pass

T.__lt__ = lambda self, other: self.a > other.a
print(sorted([T(2, 1), T(3, 5), T(1, 2)]), sorted([X(2, 1), X(3, 5)]))

class P:
    def __init__(self, v):
        self._v = v

    @property
    def v(self):
        return self._v % 10

    def __lt__(self, other):
        return self.v < other.v

print([p._v for p in sorted([P(15), P(21), P(33)])])
""",
    "orders that are none, and those of values": r"""
class A:
    def __init__(self, v):
        self.v = v

    def __lt__(self, other):
        return other.v < other.v

class B:
    def __init__(self, v):
        self.v = v

    def __lt__(self, other):
        return 1 < 2

    def __repr__(self):
        return f"B{self.v}"

class C:
    def __lt__(self, other):
        return self.nothing < other.nothing

class D:
    def __init__(self, v):
        self.v = v

    def __lt__(self, other):
        'Smaller first.'
        if not isinstance(other, D):
            return NotImplemented
        return (self.v, 1) < (other.v, 1)

    def __repr__(self):
        return f"D{self.v}"

print(
    [a.v for a in sorted([A(2), A(1)])],
    len(sorted([C()])),
    min([C()]) is not None,
    sorted([D(3), D(1)]),
    max(D(3), D(7), D(5)),
)
try:
    sorted([C(), C()])
except AttributeError:
    print("AttributeError")
print(
    sorted([3, 1, 2]),
    sorted("bca", reverse=True),
    max([1, 5, 2]),
    min("b", "a"),
    max({"a": 1, "b": 3}.items(), key=lambda p: p[1]),
    min([], default=4),
    max([2, 1], key=lambda x: -x),
)
try:
    max([1, "a"])
except TypeError:
    print("TypeError")
try:
    max([])
except ValueError:
    print("ValueError")
print(
    max([1, True, 1.0]),
    min([1, True]),
    sorted([True, 1, 0.5]),
    max([[1], [1, 2]]),
    max([(1, D(2)), (1, D(3))])[1],
    min([(2, D(2)), (1, D(3))]),
)
""",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_prints_what_cpython_prints(name: str) -> None:
    print_the_same(PROGRAMS[name])
