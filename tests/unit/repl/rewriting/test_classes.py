"""Classes and generators as large models write them: what they print is what CPython prints."""

from __future__ import annotations

from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from pydantic_monty import Monty, MontyError

from langgraph_rlm.repl.rewriting.bridges import METHODS
from langgraph_rlm.repl.session import evaluate
from tests.fakes import ScriptedModel, cell, error_of, final_of, rlm_of, run
from tests.unit.repl.rewriting.printed import print_the_same

PROGRAMS = r'''
def g():
    x = yield 1
    print("got", x)
    y = (yield 2) or 5
    print(y)
    z = [(yield 3), (yield 4)]
    print(z)

it = g()
print(next(it), it.send("a"), next(it), next(it))
print(list(it))
----
def g():
    out = []
    while (yield len(out)) != "stop":
        out.append((yield "in"))
        print(out, (yield "p"), sep=":")
    if (yield "t"):
        print("true")
    for c in (yield "it"):
        print(c)
    return (yield 1) + (yield 2)

it = g()
r = [next(it)]
for s in ["go", "A", "B", "stop", True, "xy", 10]:
    r.append(it.send(s))
try:
    it.send(5)
except StopIteration as e:
    print("stop")
print(r)
----
def g():
    try:
        yield 1
        yield 2
    except ValueError as e:
        print("V", e)
        yield "v"
    finally:
        print("closed")

it = g()
next(it)
it.close()
print("x", list(it))
it = g()
next(it)
print(it.throw(ValueError("boo")))
print(list(it))
it = g()
try:
    it.throw(KeyError("k"))
except KeyError as e:
    print("not begun", e)
it = g()
next(it)
try:
    it.throw(KeyError("k"))
except KeyError as e:
    print("through", e)
----
def g():
    while True:
        try:
            x = yield
            print("v", x)
        except ValueError as e:
            print("err", e)

it = g()
next(it)
it.send(1)
it.throw(ValueError("boo"))
it.send(2)
it.close()
----
def g():
    try:
        yield 1
    except Exception:
        print("no")

it = g()
next(it)
it.close()
print("ok")
----
import contextlib

@contextlib.contextmanager
def cm(n):
    print("enter", n)
    try:
        yield n * 2
    finally:
        print("exit")

with cm(2) as x:
    print(x)
try:
    with cm(1):
        raise ValueError("z")
except ValueError as e:
    print("caught", e)
from contextlib import contextmanager

@contextmanager
def quiet():
    try:
        yield
    except KeyError as e:
        print("hid", e)

with quiet():
    {}["a"]
with quiet() as q, cm(3) as y:
    print(q, y)

def use():
    with cm(5) as z:
        return z

print(use())
----
class M:
    def __enter__(self):
        print("in")
        return 3

    def __exit__(self, t, e, tb):
        print("out", t is None, e)
        return isinstance(e, KeyError)

def g():
    with M() as m:
        yield m
        {}["k"]
    print("after")
    with M(), M() as n:
        yield n
    for i in range(3):
        with M():
            if i:
                break
            yield i

print(list(g()))

def h():
    with M():
        yield 1
        raise ValueError("v")

try:
    print(list(h()))
except ValueError as e:
    print("V", e)
----
import functools

@functools.total_ordering
class G:
    def __init__(self, v):
        self.v = v

    def __eq__(self, o):
        return self.v == o.v

    def __gt__(self, o):
        return self.v > o.v

print(G(1) < G(2), G(1) <= G(1), G(2) >= G(3), [g.v for g in sorted([G(2), G(1)])])

@functools.total_ordering
class H:
    def __init__(self, v):
        self.v = v

    def __eq__(self, o):
        return self.v == o.v

    def __le__(self, o):
        return self.v <= o.v

class I(H):
    pass

for X in (G, H, I):
    for a in (1, 2):
        for b in (1, 2):
            print(X(a) < X(b), X(a) <= X(b), X(a) > X(b), X(a) >= X(b), X(a) == X(b), X(a) != X(b))
----
class Seq:
    def __init__(self, xs):
        self.xs = xs

    def __getitem__(self, i):
        return self.xs[i]

    def __len__(self):
        return len(self.xs)

s = Seq([1, 2, 3])
print(
    list(s),
    [x for x in s],
    2 in s,
    s[-1],
    s[0:2],
    list(reversed(s)),
    sum(s),
    len(Seq([])),
    bool(Seq([])),
    [1] if Seq([]) else [2],
    Seq([]) or 5,
    Seq([1]) and 6,
    not Seq([]),
    any([Seq([])]),
    all([Seq([]), 1]),
    list(filter(None, [Seq([1]), Seq([])])) == [],
    len("abc"),
    sorted(map(len, ["ab", "c", Seq([1, 2, 3])])),
)
q = Seq([1, 2])
while q:
    q.xs.pop()
    print("pop")
assert Seq([1])
print(1 if not q else 2, [x for x in [0, 1] if q or x])
----
class V:
    def __init__(self, n):
        self.n = n

    def __lt__(self, o):
        return self.n < o.n

    def __repr__(self):
        return f"V{self.n}"

import heapq

a = [V(3), V(1), V(2)]
print(
    sorted(a),
    sorted(a, reverse=True),
    min(a),
    max(a),
    max(a, key=lambda v: -v.n),
    sorted([(1, V(2)), (1, V(1))]),
    min(V(2), V(1)),
    V(1) < V(2),
    V(1) > V(2),
    sorted("hello"),
    1 < 2 < 3,
    1 < 2 > 3,
)
a.sort()
print(a)
a.sort(key=lambda v: v.n, reverse=True)
print(a)
h = []
for i in [3, 1, 2]:
    heapq.heappush(h, (1, V(i)))
print([heapq.heappop(h)[1].n for _ in range(3)], heapq.nsmallest(2, a), heapq.nlargest(1, a))
h = list(a)
heapq.heapify(h)
print(h[0])
try:
    V(1) <= V(2)
except TypeError as e:
    print("TE")
try:
    sorted([V(1), "a"])
except (TypeError, AttributeError) as e:
    print("TE2")
try:
    sorted([1, "a"])
except TypeError as e:
    print("TE3", e)
----
from dataclasses import dataclass

@dataclass(order=True, frozen=True)
class Vn:
    a: int
    b: int = 0

print(
    Vn(1, 2) < Vn(1, 3),
    sorted([Vn(2), Vn(1, 5), Vn(1, 1)]),
    max([Vn(1, 1), Vn(1, 2)]),
    Vn(1) <= Vn(1),
    Vn(1) > Vn(0, 9),
    hash(Vn(1)) == hash(Vn(1)),
)
try:
    Vn(1) < 3
except TypeError:
    print("TE")
----
from functools import cmp_to_key

def c(a, b):
    return (a > b) - (a < b)

print(
    sorted([3, 1, 2], key=cmp_to_key(lambda a, b: b - a)),
    max(["a", "bb"], key=cmp_to_key(c)),
    sorted(["x10", "x9"], key=cmp_to_key(lambda a, b: len(a) - len(b))),
)
l = [1, 3, 2]
l.sort(key=cmp_to_key(c), reverse=True)
print(l)
----
def register(reg):
    def deco(cls):
        reg.append(cls.__name__)
        cls.tag = len(reg)
        return cls

    return deco

R = []

@register(R)
class A:
    def __len__(self):
        return 1

@register(R)
class B(A):
    pass

print(R, A.tag, B.tag, len(B()))
----
def g():
    try:
        yield 1
        yield 2
    finally:
        print("closed")

for x in g():
    print(x)
    break
print("end")

def f():
    for x in g():
        if x:
            return x

print(f())

def h():
    for x in g():
        for y in g():
            yield x, y
            break

print(list(h()))
try:
    for x in g():
        raise ValueError("v")
except ValueError as e:
    print(e)
for x in g():
    continue
else:
    print("else")
for i in range(3):
    if i:
        break
for k, v in {"a": 1}.items():
    break
print(i, k)
----
from typing import NamedTuple, Optional, TypedDict

class Row(NamedTuple):
    """A row."""

    name: str
    n: int = 0

    def double(self):
        return self.n * 2

    @property
    def up(self):
        return self.name.upper()

    @classmethod
    def of(cls, t):
        return cls(*t.split(","))

r = Row("a", 3)
print(
    r,
    r.name,
    r[1],
    r.double(),
    r._replace(n=5),
    r._asdict(),
    list(r),
    r == ("a", 3),
    r.up,
    Row.of("q,w"),
    len(r),
    r < Row("b"),
    sorted([Row("b"), Row("a", 1)]),
    {r: 1}[Row("a", 3)],
    r[0:1],
    "a" in r,
    isinstance(r, Row),
    hash(r) == hash(("a", 3)),
)
a, b = r
print(a, b, Row._fields, max([Row("a", 1), Row("a", 2)]))

class M(TypedDict, total=False):
    a: int
    b: str

m: M = {"a": 1}
print(m, M(a=1, b="x"), M({"a": 2}))

class Plain(NamedTuple):
    x: int
    y: Optional[int] = None

print(Plain(1), Plain(1, 2).y, Plain._fields)
----
from enum import Enum, auto, IntEnum, StrEnum, unique

class C(Enum):
    A = auto()
    B = auto()

    def label(self):
        return self.name.lower()

    @property
    def up(self):
        return self.name

    @classmethod
    def first(cls):
        return cls.A

    @staticmethod
    def st():
        return "st"

    def __str__(self):
        return "C!" + self.name

print(
    C.A.value,
    C.B.label(),
    C.B.up,
    C.first(),
    list(C),
    C.A is C.A,
    C["A"],
    {C.A: 1}[C.A],
    C.A == C.B,
    C.A in C,
    len(C),
    repr(C.A),
    isinstance(C.A, C),
    C(2),
    C.st(),
    C.__name__,
    str(C.A),
    f"{C.A}",
)

class I(IntEnum):
    LOW = 1
    HIGH = 2

print(
    I.LOW < I.HIGH,
    I.HIGH + 1,
    sorted([I.HIGH, I.LOW]),
    int(I.LOW),
    I(2).name,
    max(I),
    I.LOW == 1,
    1 == I.LOW,
    I.LOW < 5,
    [10, 20, 30][I.LOW],
    f"{I.LOW}",
    str(I.LOW),
    len(I),
    3 - I.LOW,
    sum(I),
)

class S(str, Enum):
    A = "a"
    B = "b"

    def is_a(self):
        return self == "a"

print(
    S.A == "a",
    S("b").name,
    S.A.value,
    [s.value for s in S],
    S.A.is_a(),
    S.B.is_a(),
    {"a": 1}[S.A],
    S.A in ("a", "b"),
    str(S.A),
)
for n, m in S.__members__.items():
    print(n, m.value)

class T(StrEnum):
    X = auto()
    Y = "why"

print(T.X, T.Y, T.X == "x", f"{T.Y}", sorted([T.Y, T.X]))

class Planet(Enum):
    EARTH = (1, 2)
    MARS = (3, 4)

    def __init__(self, mass, r):
        self.mass = mass
        self.r = r

    @property
    def g(self):
        return self.mass / self.r

print(Planet.EARTH.mass, Planet.MARS.g, Planet((1, 2)).name, [p.name for p in Planet])
try:
    C(9)
except ValueError as e:
    print(e)
try:
    C["Z"]
except KeyError as e:
    print(e)

class D(Enum):
    ONE = 1
    UNO = 1

print(list(D), D.UNO is D.ONE, len(D), D(1))

@unique
class U(Enum):
    Q = 1

print(U.Q)
match C.A:
    case C.B:
        print("b")
    case C.A:
        print("a")
----
def foo():
    pass

class A:
    def m(self):
        return self.__class__.__name__

class B(A):
    pass

print(
    foo.__name__,
    len.__name__,
    (lambda: 0).__name__,
    A().m(),
    B().m(),
    A.__name__,
    type(A()).__name__,
    int.__name__,
    {f.__name__: f for f in (foo, len)}["foo"] is foo,
    ValueError.__name__,
    type(ValueError("x")).__name__,
    B().__class__ is B,
    (3).__class__.__name__,
)
print(
    callable(foo),
    callable(3),
    callable(A),
    callable(A()),
    callable(len),
    callable("".join),
    issubclass(B, A),
    issubclass(A, B),
    issubclass(bool, int),
    issubclass(ValueError, Exception),
    issubclass(KeyError, LookupError),
    issubclass(int, (str, int)),
    issubclass(ValueError, KeyError),
    issubclass(A, object),
    ascii("é日"),
)

class E(ValueError):
    pass

print(issubclass(E, Exception), issubclass(E, ValueError), issubclass(E, KeyError))

class K:
    def __call__(self):
        return 1

print(callable(K()), isinstance(B(), A | int), isinstance(3, A | int | None), isinstance(None, A | None))

class CM:
    def __enter__(self):
        return self

    def __exit__(self, t, e, tb):
        print(t.__name__ if t else None)
        return True

with CM():
    1 / 0
with CM():
    pass
try:
    issubclass(3, int)
except TypeError as e:
    print("TE")
from dataclasses import dataclass

@dataclass
class D:
    x: int
    y: str = "a"

import json

print(D(1).__dict__, vars(D(2)), json.dumps(D(1), default=vars), json.dumps(D(1), default=lambda o: o.__dict__))
----
from functools import wraps, cached_property
import functools

def log(f):
    @functools.wraps(f)
    def inner(*a, **k):
        return f(*a, **k)

    return inner

@log
def foo(x):
    return x

print(foo(1), foo.__name__)

class A:
    n = 0

    @cached_property
    def x(self):
        self.n += 1
        return [self.n]

    @functools.cached_property
    def y(self):
        return self.x + [1]

a = A()
print(a.x, a.x, a.y, a.x is a.x, A().x)

class B(A):
    pass

print(B().x)
----
from abc import ABC, abstractmethod

class Shape(ABC):
    def __init__(self, n):
        self.n = n

    @abstractmethod
    def area(self): ...
    @property
    @abstractmethod
    def name(self): ...
    def both(self):
        return self.name, self.area()

class Sq(Shape):
    def area(self):
        return self.n**2

    @property
    def name(self):
        return "sq"

class Half(Shape):
    def area(self):
        return 1

print(Sq(2).both(), isinstance(Sq(1), Shape))
for X in (Shape, Half):
    try:
        X(1)
    except TypeError as e:
        print("TE", X.__name__)

class Full(Half):
    name = "full"

print(Full(3).both())
----
class E(Exception):
    def __init__(self, msg, code=0):
        super().__init__(msg)
        self.code = code

class F(E):
    pass

try:
    raise F("q")
except Exception as e:
    print(repr(e), [e], f"{e!r}", f"{e}")

class G(ValueError):
    pass

print(repr(G()), repr(G("a", "b")), str(G("a", "b")))
----
class A:
    def hi(self):
        return "A"

class B(A):
    def hi(self):
        return "B" + super(B, self).hi()

class C(A):
    def hi(self):
        return "C" + super().hi()

class D(B, C):
    def hi(self):
        return "D" + super().hi()

print(D().hi(), super(D, D()).hi(), A.hi(D()))
----
g = (x * x for x in range(4))
print(next(g), list(g), list(g))

def f():
    return (x for x in "ab")

it = f()
print(next(it), next(it), next(it, "end"))
h = (line for line in ["a", "b"] if line)
for a in h:
    print(a)
print(list(h))
from typing import TypeVar, Generic

T = TypeVar("T", bound=int)

class Box(Generic[T]):
    def __init__(self, v: T) -> None:
        self.v = v

    def get(self) -> T:
        return self.v

print(Box(3).get())
----
l = list(range(10))
m = list("abcdef")
del l[::2], m[1:5:2], l[0]
print(l, m)

class Q:
    pass

q = Q()
q.z = [1, 2, 3, 4]
del q.z[::-2]
print(q.z)
----
from collections.abc import Mapping, Iterable, Sequence, Callable, Iterator, Sized

class A:
    def __iter__(self):
        return iter([])

    def __call__(self):
        pass

class N:
    def __len__(self):
        return 1

def gen():
    yield 1

print(
    isinstance(A(), Iterable),
    isinstance(A(), Sequence),
    isinstance(A(), Callable),
    isinstance(N(), Sized),
    isinstance(N(), Iterable),
    isinstance([], (Iterable, int)),
    isinstance(gen(), Iterator),
    isinstance({}, Mapping),
    isinstance(3, (str, Iterable)),
    isinstance(A(), (str, Iterable)),
    isinstance("a", (str, (int, float))),
)
----
class Base:
    @classmethod
    def make(cls, n):
        o = cls()
        o.n = n
        return o

    @staticmethod
    def st(x):
        return x + 1

class Sub(Base):
    @classmethod
    def make(cls, n):
        o = super().make(n * 2)
        return o

    def f(self):
        return super().st(1)

print(Sub.make(3).n, type(Sub.make(1)).__name__, Sub().f())

class A:
    def __init__(self):
        print("A")

class B(A):
    def __init__(self):
        super().__init__()
        print("B")

class C(A):
    def __init__(self):
        super().__init__()
        print("C")

class D(B, C):
    def __init__(self):
        super().__init__()
        print("D")

D()

class L:
    def who(self):
        return "L"

class M(L):
    def who(self):
        return "M"

class N(L):
    pass

class O(N, M):
    pass

print(O().who())

class E(Exception):
    def __init__(self, m):
        super().__init__(m)
        self.m = m

    def __str__(self):
        return "<" + super().__str__() + ">"

class F(E):
    pass

try:
    raise F("x")
except E as e:
    print(e, repr(e), e.args)
----
class E(KeyError):
    pass

try:
    raise E('a')
except E as e:
    print(str(e), e, repr(e))
try:
    raise E('a')
except LookupError as e:
    print("LE")

class V(ValueError):
    pass

try:
    raise V('x')
except V as e:
    print(
        isinstance(e, Exception),
        isinstance(e, ValueError),
        isinstance(e, V),
        isinstance(e, KeyError),
        isinstance(e, BaseException),
    )
try:
    1 / 0
except Exception as e:
    print(isinstance(e, ArithmeticError), isinstance(e, (ValueError, ZeroDivisionError)))

class TimeoutError(Exception):
    def __init__(self, a, b):
        self.a = a

try:
    raise TimeoutError(3, 4)
except TimeoutError as e:
    print(e.a)

def f():
    raise TimeoutError(5, 6)

try:
    f()
except (KeyError, TimeoutError) as e:
    print(e.a)
----
from dataclasses import dataclass, field, fields, replace, asdict, KW_ONLY
@dataclass(slots=True)
class A:
    x: int
    y: list = field(default_factory=list, repr=False, compare=False)
    z: int = field(init=False)
    w: str = field(default="w", metadata={"unit": "m"})
    def __post_init__(self):
        self.z = self.x * 2
print(A(1), A(1) == A(1, [2]), A(1) == A(2), [(f.name, f.init, f.repr, dict(f.metadata)) for f in fields(A)])
print(replace(A(1), x=5), asdict(A(1)))
@dataclass(kw_only=True, frozen=True, order=True)
class B:
    a: int = 1
    b: str
    c: float = field(default=1.5, compare=False, kw_only=False)
print(B(2.5, b="x"), B(b="x") < B(b="y"), hash(B(b="x")) == hash(B(7, b="x")), {B(b="x"): 1})
try: B(b="x").a = 3
except Exception as e: print(type(e).__name__, e)
try: B(1, 2)
except TypeError as e: print("TypeError")
@dataclass
class C:
    p: int
    _: KW_ONLY
    q: int = 3
    r: int
print(C(1, r=2), C(p=1, q=5, r=2), C(1, r=2) == C(1, r=2))
try: hash(C(1, r=2))
except TypeError as e: print("unhashable")
@dataclass(unsafe_hash=True)
class D:
    a: int
    b: list = field(default_factory=list, hash=False)
print(len({D(1), D(1, [])}), D(1).b is D(1).b)
@dataclass(repr=False, eq=False)
class E:
    a: int
print(E(1) == E(1), 'E object' in repr(E(1)), E(1).a)
@dataclass(init=False)
class F:
    a: int
    def __init__(self, text): self.a = int(text)
print(F("3"))
@dataclass
class G(A):
    v: int = 9
print(G(1), G(1) == G(1, [3]), [f.name for f in fields(G(1))], G(1, v=3).z)
class Base:
    def __repr__(self): return "base"
    def __init__(self): self.t = 1
@dataclass
class H(Base):
    n: int
print(H(4), H(n=4).n)
@dataclass(repr=False)
class I(Base):
    n: int
print(I(4))
def made():
    @dataclass(slots=True, match_args=True)
    class L:
        n: int
    return L
print(made()(3).n)
@dataclass(order=True)
class M:
    n: int
    s: str = field(default="", compare=False)
print(sorted([M(3, "a"), M(1, "b")]), max(M(1), M(2)), M(1, "a") <= M(1, "b"))
try:
    @dataclass(slots=True)
    class N:
        a: int = 1
        b: int
except TypeError as e: print("TypeError")
match C(1, r=2):
    case C(p=1, r=h): print(h)
----
class A:
    @property
    def area(self):
        return 3

class B(A):
    @property
    def area(self):
        return super().area + 1

print(B().area)
----
class A:
    def f(self, x):
        return x

class B(A):
    def f(self, x):
        g = super().f
        return g(x) + 1

print(B().f(2))
----
class B:
    def __init__(self, x):
        self.x = x

    def s(self):
        return 1

class B(B):
    def s(self):
        return super().s() + 1

print(B(3).x, B(3).s())
----
class A:
    def __init__(self):
        self.__x = 1

    def get(self):
        return self.__x

class B(A):
    def __init__(self):
        super().__init__()
        self.__x = 2

print(B().get())
----
from abc import ABC, abstractmethod

class A(ABC):
    @property
    @abstractmethod
    def name(self): ...
    @abstractmethod
    def f(self): ...

class B(A):
    @property
    def name(self):
        return "b"

    def f(self):
        return self.name

print(B().f(), B().name)
try:
    A()
except TypeError as e:
    print("TypeError")
----
class A:
    def __init__(self):
        self.v = 1

    @property
    def p(self):
        return self._v

    @p.setter
    def p(self, v):
        self._v = v

    v = p

class B(A):
    pass

b = B()
b.p = 3
print(b.p)
----
class A:
    def __init__(self):
        self._v = 1

    @property
    def v(self):
        return self._v

    @v.deleter
    def v(self):
        self._v = None

a = A()
print(a.v)
----
from enum import Enum, auto, IntEnum

class Color(Enum):
    RED = "r"
    GREEN = "g"

    @property
    def nice(self):
        return self.value.upper()

    @classmethod
    def default(cls):
        return cls.RED

    def __str__(self):
        return "C" + self.name

print(
    Color("r"),
    Color["RED"].nice,
    list(Color),
    Color.default().nice,
    Color.RED in Color,
    len(Color),
    isinstance(Color.RED, Color),
)
try:
    Color("zz")
except ValueError as e:
    print(e)
try:
    Color["Q"]
except KeyError as e:
    print("KeyError", e)
print(
    [c.value for c in Color],
    Color.__members__.keys(),
    Color.RED.name,
    repr(Color.RED),
    {Color.RED: 1}[Color.RED],
)

class L(IntEnum):
    A = 1
    B = auto()

print(
    L.A < L.B,
    L.B + 1,
    sorted([L.B, L.A]),
    max(L),
    L(2),
    L.A == 1,
    {1: "x"}[L.A],
    f"{L.A}",
    f"{L.B:>3}",
    [10, 20, 30][L.A],
    isinstance(L.A, int),
    sum([L.A, L.B]),
)
----
class A:
    def __init__(self, **k):
        self.log = ["A"]
        self.k = k

    def who(self):
        return "A"

class B(A):
    def __init__(self, b=0, **k):
        super().__init__(**k)
        self.log.append("B")
        self.b = b

    def who(self):
        return "B" + super().who()

class C(A):
    def __init__(self, c=0, **k):
        super().__init__(**k)
        self.log.append("C")
        self.c = c

    def who(self):
        return "C" + super().who()

class D(B, C):
    def __init__(self, **k):
        super().__init__(**k)
        self.log.append("D")

    def who(self):
        return "D" + super().who()

d = D(b=1, c=2, z=3)
print(d.log, d.b, d.c, d.k, d.who(), B().who(), super(D, d).who(), super(B, d).who())

class M:
    @classmethod
    def make(cls, x):
        return cls.__name__ + x

    @staticmethod
    def st(x):
        return x * 2

    tag = "m"

class N(M):
    @classmethod
    def make(cls, x):
        return "N" + super().make(x)

    @staticmethod
    def st(x):
        return M.st(x) + 1

    def t(self):
        return super().tag, super().st(2)

class O(N):
    tag = "o"

print(N.make("1"), O.make("2"), O().make("3"), O.st(3), O().t())
A.who = lambda self: "new"
print(d.who(), B().who())
----
from abc import ABC, abstractmethod

class Base(ABC):
    registry = {}
    count = 0

    def __init__(self):
        Base.count += 1
        Base.registry[Base.count] = type(self).__name__

    @abstractmethod
    def run(self): ...
    def __call__(self):
        return self.run()

class X(Base):
    def run(self):
        return "x"

class Y(X):
    def __init__(self):
        super().__init__()
        self.extra = 1

    def run(self):
        return "y" + super().run()

xs = [X(), Y(), Y()]
print([x() for x in xs], Base.count, X.count, Y.count, Base.registry, xs[0].count)
X.count = 10
Base.count += 1
print(Base.count, X.count, Y.count)
----
from functools import cached_property

class A:
    n = 0

    @cached_property
    def v(self):
        A.n += 1
        return A.n

class B(A):
    @property
    def w(self):
        return self.v + super().v

a, b = A(), B()
print(a.v, a.v, b.v, b.w, A.n, B.n)
----
class A:
    def __init__(self):
        self._v = 0

    @property
    def v(self):
        return self._v

    @v.setter
    def v(self, x):
        self._v = x

    def items(self):
        yield 1
        yield 2

class B(A):
    def items(self):
        yield from super().items()
        self.v += 5
        yield self.v
        match self:
            case A(v=q):
                yield q
        try:
            raise E("x")
        except E as e:
            yield str(e)

class E(Exception):
    pass

print(list(B().items()))
----
import collections.abc
from typing import Union
from enum import IntEnum

class A:
    pass

class B(A):
    pass

class L(IntEnum):
    X = 1

T = (A, int)
print(
    [isinstance(x, T) for x in (A(), B(), 1, "s", L.X)],
    isinstance(B(), A | int),
    isinstance(3, A | int),
    isinstance(None, A | None),
)
print(
    isinstance(B(), object),
    isinstance(B(), (object,)),
    issubclass(B, A),
    isinstance(ValueError(), Exception),
    isinstance(L.X, (int, str)),
    isinstance(True, int),
    isinstance([], list),
)
try:
    isinstance(1, [A])
except TypeError:
    print("TypeError")
print([type(x).__name__ for x in (A(), B())], isinstance(B, type))
----
import functools

class A:
    @property
    def v(self):
        return 1

class B:
    @functools.lru_cache(maxsize=None)
    def v(self):
        return 2

print(A().v, B().v())
----
class A:
    __slots__ = ("x", "y")
    limit = max(1, 2)
    names = [n.upper() for n in ("a", "b")]

    def __init__(self, x):
        self.x = x
        self.y = A.limit

    def __repr__(self):
        return f"{self.__class__.__name__}({self.x!r}, {self.y})"

class B(A):
    pass

print(B(3), A.names, B.limit)
----
from typing import NamedTuple

class P(NamedTuple):
    x: int
    y: int = 2

    def n(self):
        return self.x

p = P(1)
print(
    (1, 2) == p,
    (1, 2) in [p],
    {(1, 2): "k"}[p],
    {p: "q"}[(1, 2)],
    len({p, (1, 2)}),
    max(p),
    len(p),
    p[-1],
    p[:1],
    list(p),
    1 in p,
    sorted([p, (0, 5)])[0],
    *p,
)
print(
    p != (1, 2),
    (1, 2) != p,
    (1, 3) > p,
    p._fields,
    p._asdict(),
    P._make([5, 6]),
    p._replace(x=4),
    P(*[3, 4]),
    p * 2,
    repr(p),
    str(p),
    f"{p}",
)
----
from enum import Enum, IntEnum, StrEnum

class L(IntEnum):
    A = 1
    B = 2

class S(str, Enum):
    X = "x"
    Y = "y"

class T(StrEnum):
    U = "u"

print(S.X + "!")
print("!" + S.X)
print(S.X.upper())
print(len(S.X))
print("x" == S.X)
print(S("x") is S.X)
print({"x": 1}[S.X])
print({S.X: 2}["x"])
print(S.X in ("x",))
print("%d" % L.A)
print("%s" % S.X)
print("%s" % T.U)
print(f"{S.X}")
print(f"{T.U:>4}")
print(f"{S.X!r}")
print(1 == L.A)
print(2 > L.A)
print(L.A < 2)
print(sum(L))
print(L.A + L.B)
print(-L.A)
print(+L.A)
print(~L.A)
print(L.B**2)
print(2**L.B)
print(L.B // 2)
print(7 // L.B)
print(L.B / 4)
print(1 / L.B)
print(L.B % 2)
print(5 % L.B)
print(L.B - 1)
print(5 - L.B)
print(3 * L.B)
print(L.B << 1)
print(L.B & 3)
print(L.A | L.B)
print(L.A ^ 3)
print(divmod(L.B, 2))
print(list(range(L.B)))
print([1, 2, 3][L.A])
print("abc"[L.A])
print(S.X < S.Y)
print(sorted(S))
print(max(L.A, L.B))
print(int(L.B))
print(float(L.B))
print(abs(L.A))
print(round(L.A))
print(str(L.A))
print(hash(L.A) == hash(1))
print(S.X in S)
print(bool(L.A))
print(L.A or 5)
print("x" in S.X)
print(S.X.startswith("x"))
print(S.X.replace("x", "y"))
print(T.U.upper())
print(T.U == "u")
print({L.A: 1}[1])
print([S.X].index("x"))
print(L.A is L(1))
print(L["A"].name)
print([*S.X])
print(list(S.X))
print(S.X * 2)
print(S.X[0])
print(L.A == L.A)
print(L.A != 1)
print(L.A in [1])
print(min(L, default=3))
print(dict(zip(S, L)))
print(isinstance(S.X, str))
print(isinstance(L.A, (str, int)))
print(type(S.X).__name__)
print([m for m in S])
print(list(L)[::-1])
print(repr(L))
print(S.X.value.upper())
print(str(S.X))
----
class V:
    def __init__(self, n):
        self.n = n

    def __bool__(self):
        return self.n > 0

class W(V):
    def __len__(self):
        return 0

class Z(W):
    pass

print(
    [bool(x) for x in (V(1), V(0), W(1), Z(0))],
    [x.n for x in filter(None, [V(1), V(0), Z(3)])],
    any([V(0)]),
    all([V(1), W(2)]),
    not V(0),
    V(1) and 5,
    V(0) or 6,
    1 if W(1) else 2,
)
assert V(1)
n = V(3)
while n:
    n.n -= 1
print(n.n)

class Q(W):
    def __bool__(self):
        return False

print(bool(Q(5)))
----
class A:
    names = tuple(n.upper() for n in ("a", "b"))
    flag = any(n == "a" for n in ("a", "b"))

    def __init__(self, xs):
        self.__xs = xs

    def some(self, k):
        return any(x > k for x in self.__xs)

    def first(self, k):
        return next((x for x in self.__xs if x > k), None)

    def lazy(self, k):
        g = (x * k for x in self.__xs)
        return list(g)

    def gen(self):
        for x in self.__xs:
            yield x

    def total(self):
        return sum(x for x in self.gen())

class B(A):
    def some(self, k):
        return super().some(k) or all(x for x in self.gen())

a = B([1, 2, 0])
print(a.names, a.flag, a.some(1), a.some(5), a.first(1), a.first(7), a.lazy(2), a.total())
'''


def programs() -> list[str]:
    return [program.strip("\n") for program in PROGRAMS.split("\n----\n")]


@pytest.mark.parametrize("program", programs(), ids=range(len(programs())))
def test_program_prints_what_cpython_prints(program: str) -> None:
    print_the_same(program)


def test_classes_of_earlier_cells_are_known() -> None:
    ran = run(
        "class TimeoutError(Exception):\n    def __init__(self, a): self.a = a\n"
        "class S:\n    def __init__(self, xs): self.xs = xs\n    def __len__(self): return len(self.xs)\n"
        "    def __lt__(self, other): return len(self) < len(other)\n",
        "try:\n    raise TimeoutError(1)\nexcept TimeoutError as e:\n    Final = [e.a]\n"
        "Final += [len(S([1])), 1 if S([]) else 2, sorted([S([1, 2]), S([3])])[0].xs, len('ab')]",
    )
    assert ran.answer == [1, 1, 2, [3], 2]


CELLS = {
    "a dataclass derived from one of an earlier cell": """
from dataclasses import asdict, dataclass, field, fields, replace
@dataclass
class A:
    x: int
    z: list = field(default_factory=list)
# ----
@dataclass
class B(A):
    y: int = 3
b = B(1)
print(b, B(1, [2], 4), b == B(1), asdict(b), [f.name for f in fields(B)], replace(b, y=9))
""",
    "exceptions of an earlier cell, taken by a built-in kind": """
class E(Exception):
    def __init__(self, text, line):
        super().__init__(text)
        self.line = line
def f():
    raise E("bad", 3)
# ----
try:
    f()
except Exception as e:
    print(e, type(e).__name__, e.line, repr(e), e.args)
""",
    "classes that are defined anew": """
class A:
    def s(self): return 1
class B(A):
    def s(self): return super().s() + 1
b = B()
# ----
class A:
    def s(self): return 10
class B(A):
    def s(self): return super().s() + 1
print(b.s(), B().s(), isinstance(b, B))
""",
    "attributes of classes of an earlier cell": """
class A:
    n = 0
class B(A): pass
class C(A):
    n = 5
# ----
A.n += 1
A.m = lambda self: self.n
print(A.n, B.n, C.n, B().m(), C().m())
""",
    "orders of an earlier cell": """
from functools import cmp_to_key
class A:
    def __init__(self, n): self.n = n
    def __lt__(self, other): return self.n < other.n
key = cmp_to_key(lambda a, b: b - a)
# ----
print([a.n for a in sorted([A(2), A(1)])], sorted([1, 3, 2], key=key), max([A(1), A(2)]).n)
""",
    "causes of an earlier cell": """
def f():
    try:
        int("x")
    except ValueError as e:
        raise RuntimeError("no number") from e
# ----
try:
    f()
except RuntimeError as e:
    print(repr(e.__cause__))
""",
}


@pytest.mark.parametrize("name", CELLS)
def test_cells_print_what_cpython_prints(name: str) -> None:
    print_the_same(*CELLS[name].split("# ----\n"))


def test_super_in_a_class_derived_from_one_of_its_own_name_is_refused() -> None:
    code = "class A: pass\nclass B(A):\n    def __init__(self): super().__init__()\n"
    assert "another name" in error_of(f"{code}class B(B):\n    def __init__(self): super().__init__()")


def test_handlers_of_several_kinds_ask_the_host_nothing() -> None:
    code = (
        "class Own(ValueError):\n    pass\ndef key(x):\n    try:\n        return int(x)\n"
        "    except (Own, ValueError):\n        return 0\nxs = ['2', 'a', '1']\nxs.sort(key=key)\nFinal = xs"
    )
    assert run(code).answer == ["a", "1", "2"]


def test_names_of_built_ins_that_are_variables_stay_variables() -> None:
    ran = run(
        "max, vars = 5, {'a': 1}\nclass S:\n    def __lt__(self, other): return True\n    def __len__(self): return 3",
        "def f(len): return len\nFinal = [max, vars, f(2), len(S())]",
    )
    assert ran.answer == [5, {"a": 1}, 2, 3]


def test_rewriting_leaves_no_variables_for_the_model_to_see() -> None:
    ran = run(
        "def g():\n    try: yield 1\n    finally: pass\nfor x in g():\n    break\nclass E(Exception): pass\n"
        "try: raise E('a')\nexcept E as e: pass",
        "SHOW_VARS()\nprint(SHOW_VARS())",
        "Final = 1",
    )
    assert "__" not in ran.outputs[1]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("class A:\n    x = 1\nvars(A())", "name its attributes"),
    ],
)
def test_what_would_differ_is_an_error_that_names_it(code: str, said: str) -> None:
    assert said in error_of(code)


# -- properties with names of methods ---------------------------------------------------------------------------------

NAMED_AS_METHODS = sorted(METHODS | {"msg", "pos", "lastgroup", "regs"})


def class_of_properties() -> str:
    """A class with a property for each method that a built-in type has, and an object of it."""
    lines = [f"    @property\n    def {name}(self): return {place}" for place, name in enumerate(NAMED_AS_METHODS)]
    return "class C:\n" + "\n".join(lines) + "\nc = C()\n"


READ = {
    "itself": "[" + ", ".join(f"c.{name}" for name in NAMED_AS_METHODS) + "]",
    "getattr": f"[getattr(c, name) for name in {NAMED_AS_METHODS}]",
    "attrgetter": f"list(operator.attrgetter(*{NAMED_AS_METHODS})(c))",
    "hasattr": f"[hasattr(c, name) for name in {NAMED_AS_METHODS}]",
    "a key": f"[sorted([c, c], key=lambda one: one.{NAMED_AS_METHODS[0]})[0].title, max([c], key=lambda x: x.get).get]",
}


@pytest.mark.parametrize("is_later", [False, True])
@pytest.mark.parametrize("way", READ)
def test_properties_named_as_methods_are_read(way: str, is_later: bool) -> None:
    setup, names = class_of_properties(), dict[str, object]()
    code = f"import operator\nFinal = {READ[way]}"
    exec(f"{setup}{code}", names)
    cells = [setup, code] if is_later else [f"{setup}{code}"]
    assert run(*cells).answer == names["Final"]


BY_NAME = {
    "[hasattr('a', 'upper'), hasattr([], 'upper'), hasattr({}, 'items'), hasattr(1, 'items')]": [
        True,
        False,
        True,
        False,
    ],
    "[getattr('a', 'upper')(), getattr(5, 'items', 0), getattr([1], 'index')(1)]": ["A", 0, 0],
    "list(map(getattr(str, 'upper'), ['a']))": ["A"],
}


@pytest.mark.parametrize("expression", BY_NAME)
def test_methods_of_builtin_types_are_had_by_name(expression: str) -> None:
    """Where Monty gives this, it has methods by itself: the bridge is to go."""
    assert eval(expression) == BY_NAME[expression] == final_of(f"Final = {expression}")
    with Monty(max_processes=1) as pool, pool.checkout() as session:
        try:
            assert evaluate(session, expression) != BY_NAME[expression]
        except MontyError:
            return


def test_property_is_set_by_name_and_is_not_there_where_it_raises() -> None:
    parts = [
        "    @property\n    def p(self): return self.q",
        "    @p.setter\n    def p(self, value): self.q = value + 1",
    ]
    code = "class C:\n" + "\n".join(parts) + "\nc = C()\nFinal = [hasattr(c, 'p'), getattr(c, 'p', 0)]\n"
    assert final_of(f"{code}setattr(c, 'p', 5)\nFinal += [c.p]") == [False, 0, 6]


def test_what_classes_have_is_known_at_the_next_question() -> None:
    classes = """
class Wrong(ValueError):
    pass

class Empty:
    def __bool__(self):
        return False

    @property
    def size(self):
        return 0
"""
    asked = cell("Final = [bool(Empty()), Empty().size, not Empty()]")
    rlm = rlm_of(ScriptedModel(cell(f"{classes}\nFinal = 1"), asked), checkpointer=InMemorySaver())
    thread: Any = {"configurable": {"thread_id": "1"}}
    rlm.invoke({"query": "one?", "context": "text"}, thread)
    assert rlm.invoke({"query": "two?"}, thread)["answer"] == [False, 0, True]
