"""Assignments to properties and attributes of classes, and operators in place: cells print what CPython prints."""

from __future__ import annotations

import pytest

from tests.fakes import run
from tests.unit.repl.rewriting.printed import print_the_same

PROGRAMS = {
    "properties as targets": r"""
class A:
    def __init__(self):
        self._p = 1

    @property
    def p(self):
        return self._p

    @p.setter
    def p(self, v):
        self._p = v * 10

a = A()
a.p += 1
print(a._p, a.p)
a.p, y = 3, 4
print(a._p, y)
for a.p in [1, 2]:
    print(a._p)
import contextlib

class CM:
    def __enter__(self):
        return 7

    def __exit__(self, *x):
        return False

with CM() as a.p:
    print(a._p)
x = a.p = 8
print(x, a._p)
a.p: int = 5
print(a._p)
[a.p, *z] = [1, 2, 3]
print(a._p, z)
""",
    "attributes of classes": r"""
class A:
    n = 0

class B(A):
    pass

A.n += 1
print(A.n, B.n, B().n)
B.n = 5
A.n = 9
print(A.n, B.n)

class C(A):
    @classmethod
    def inc(cls):
        cls.n += 1

class D(C):
    pass

D.inc()
C.inc()
print(A.n, C.n, D.n)

def area(self):
    return 3

A.area = area
print(B().area(), D().area())
""",
    "counters": r"""
class A:
    count = 0

    def __init__(self):
        A.count += 1
        type(self).count += 1
        self.__class__.count += 1

class B(A):
    pass

A()
B()
B()
print(A.count, B.count)
""",
    "__iadd__": r"""
class V:
    def __init__(self, x):
        self.x = x

    def __iadd__(self, o):
        self.x += o
        return self

v = V(1)
w = v
v += 5
print(v.x, w is v)

class H:
    pass

h = H()
h.v = v
h.v += 1
d = {"k": v}
d["k"] += 1
print(v.x)
n = 1
n += 1
s = "a"
s += "b"
print(n, s)
""",
    "operators in place": r"""
class V:
    def __init__(self, x):
        self.x = x

    def __iadd__(self, o):
        self.x += getattr(o, "x", o)
        return self

    def __isub__(self, o):
        return V(self.x - o)

    def __imul__(self, o):
        return NotImplemented

    def __mul__(self, o):
        return V(self.x * o)

    def __ior__(self, o):
        self.x |= o
        return self

v = w = V(1)
v += 2
v += V(3)
print(v.x, w.x)
v -= 1
print(v.x, w.x)
v *= 3
print(v.x)
xs = ys = [1]
xs += [2]
xs += (3,)
print(ys)
xs *= 2
print(xs)
d = {"a": [1]}
d["a"] += [2]
d["a"] *= 2
print(d)
s = {1}
s |= {2}
print(s)
s -= {1}
print(s)

class H:
    pass

h = H()
h.v = v
h.v += 1
h.n = 1
h.n += 1
print(h.v.x, h.n)

def k():
    print("once")
    return 0

zs = [v, 1]
zs[k()] += 5
print(zs[0].x)
zs[1] += 1
print(zs[1])
try:
    v += None
except TypeError:
    print("TypeError")
n = 2
n **= 3
n //= 3
n <<= 2
n %= 5
n /= 2
print(n)
v |= 8
print(v.x)
t = "a"
t += "b"
t *= 2
print(t)
""",
    "targets in targets": r"""
class A:
    def __init__(self):
        self._p = []
        self.d = {}

    @property
    def p(self):
        return self._p

    @p.setter
    def p(self, v):
        self._p = v

a = A()
a.p.append(1)
a.p += [2]
a.d["k"] = 5
a.p[0], a.d["z"] = 9, 8
(a.p, b), c = ([1, 2], 3), 4
print(a.p, a.d, b, c)
a.p = b = [7]
print(a.p is b)
lst = [a]
lst[0].p = 1
lst[0].p += 1
print(a.p)
for i, a.p in enumerate("xy"):
    pass
print(i, a.p)
""",
    "properties without setter": r"""
class A:
    @property
    def p(self):
        return 1

a = A()
try:
    a.p = 3
except AttributeError as e:
    print(e)
try:
    a.p += 3
except AttributeError as e:
    print(e)
try:
    setattr(a, "p", 2)
except AttributeError as e:
    print(e)
""",
    "cached properties": r"""
from functools import cached_property

class A:
    @cached_property
    def p(self):
        return 1

a = A()
a.p = 5
print(a.p)
b = A()
print(b.p)
b.p = 7
print(b.p)
""",
    "sets": r"""
def grow(seen, more):
    seen |= more

def less(seen, more):
    seen -= more

def both(seen, more):
    seen &= more

def either(seen, more):
    seen ^= more

s = {1, 2, 3}
grow(s, {9})
print(sorted(s))
less(s, {1})
print(sorted(s))
both(s, {2, 9, 5})
print(sorted(s))
either(s, {2, 7})
print(sorted(s))
t = s
s |= {100} | {101}
s &= {100, 101, 9}
print(t is s, sorted(t))
d = {"k": {1}}
e = d["k"]
d["k"] |= {2}
d["k"] ^= {1}
print(e)

class A:
    pass

a = A()
a.s = e
a.s |= {5}
print(sorted(e))
n = 5
n |= 8
m = 3
n ^= m
n &= 0xFF

def f(n, k):
    n -= k
    return n

print(n, f(5, 2), f(2.5, 1))
x = {"a": 1}
y = x
x |= {"b": 2}
print(y)
fr = frozenset({1})
g = fr
fr |= {2}
print(sorted(fr), sorted(g))
b = True
b |= False
b &= 1 == 1
print(b)
try:
    s |= [1]
except TypeError:
    print("TypeError")
from collections import Counter

c = Counter("aab")
k = c
c |= Counter("bbb")
c -= Counter("a")
print(dict(c))
s |= {i for i in range(3)}
s |= s
print(len(s))
for s2 in [{1}, {2}]:
    s2 |= s
    print(len(s2))

class V:
    def __init__(self, x):
        self.x = x

    def __ior__(self, o):
        self.x |= o
        return self

    def __sub__(self, o):
        return V(self.x - o)

v = w = V(1)
q = 6
v |= q
print(w.x)

def h(v, o):
    v -= o
    return v.x

print(h(v, 2), v.x)
""",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_prints_what_cpython_prints(name: str) -> None:
    print_the_same(PROGRAMS[name])


IN_PLACE = {"iadd": "+", "isub": "-", "imul": "*", "itruediv": "/", "ifloordiv": "//", "imod": "%", "ipow": "**"}
IN_PLACE |= {"iand": "&", "ior": "|", "ixor": "^", "ilshift": "<<", "irshift": ">>"}


@pytest.mark.parametrize("name", IN_PLACE)
@pytest.mark.parametrize(
    "form",
    [
        "class A:\n    def __{}__(self, other): return [other]",
        "def f(self, other): return [other]\nclass A:\n    __{}__ = f",
        "def f(self, other): return [other]\nclass A: pass\nA.__{}__ = f",
    ],
)
def test_operators_in_place_are_called_however_they_are_defined(form: str, name: str) -> None:
    define, use = form.format(name), f"x = A()\nn = 7\nx {IN_PLACE[name]}= n\nFinal = x"
    assert run(f"{define}\n{use}").answer == run(define, use).answer == [7]


def test_attribute_is_not_deleted_in_silence() -> None:
    ran = run("class A: pass\na = A()\na.x = 1", "del a.x", "Final = a.x")
    assert "nothing of this cell has run" in (ran.errors[1] or "")
    assert ran.answer == 1
