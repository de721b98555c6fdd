"""Python that Monty lacks and cells may use: they give what CPython gives."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes import final_of

GENERATORS = r"""
def f(n):
    for i in range(n):
        yield i
Final = [list(f(3)), sum(f(4)), sorted(f(3), reverse=True), [*f(2)], dict(zip(f(2), 'ab')), 2 in f(3)]
----
def f():
    x = yield 1
    y = yield x
    return y
g = f()
Final = [next(g), g.send(5)]
----
def f():
    i = 0
    while True:
        i += 1
        if i % 2:
            continue
        if i > 8:
            break
        yield i
    else:
        yield 'else'
    yield 'end'
Final = list(f())
----
def f(xs):
    for x in xs:
        if x < 0:
            return
        yield x
    else:
        yield 'done'
Final = [list(f([1, 2])), list(f([1, -1, 3]))]
----
def f():
    try:
        yield 1
        raise ValueError('a')
        yield 2
    except KeyError:
        yield 'key'
    except ValueError as e:
        yield str(e)
    else:
        yield 'else'
    finally:
        yield 'finally'
    yield 'after'
Final = list(f())
----
def f():
    for i in range(3):
        try:
            if i == 1: continue
            if i == 2: break
            yield i
        finally:
            yield ('f', i)
    yield 'end'
Final = [list(x) if isinstance(x, tuple) else x for x in f()]
----
def f():
    try:
        yield 1
        return 7
    finally:
        yield 2
def g():
    r = yield from f()
    yield r
Final = list(g())
----
def f():
    try:
        try:
            yield 1
            1 / 0
        except ZeroDivisionError:
            yield 'z'
            raise
        finally:
            yield 'inner'
    except ZeroDivisionError as e:
        yield 'outer'
Final = list(f())
----
def chunks(s, n):
    for i in range(0, len(s), n):
        yield s[i:i + n]
Final = [list(chunks('abcdefg', 3)), '-'.join(chunks('abcd', 2))]
----
def fib():
    a, b = 0, 1
    while True:
        yield a
        a, b = b, a + b
Final = []
for x in fib():
    if x > 20: break
    Final.append(x)
----
def walk(t):
    if isinstance(t, list):
        for u in t:
            yield from walk(u)
    else:
        yield t
Final = list(walk([1, [2, [3]], 4]))
----
class Tree:
    def __init__(self, items): self.items = items
    def __iter__(self):
        for x in self.items:
            yield x
Final = [list(Tree([1, 2])), sum(Tree([1, 2]))]
----
def outer():
    n = 0
    def g():
        nonlocal n
        for i in range(2):
            n += 1
            yield n
    return [list(g()), n]
Final = outer()
----
def f():
    yield 1
    next(iter([]))
try:
    Final = list(f())
except RuntimeError as e:
    Final = str(e)
----
def lines(text):
    buffer = []
    for line in text.split('\n'):
        if line.startswith('#'):
            if buffer:
                yield '\n'.join(buffer)
            buffer = [line]
        else:
            buffer.append(line)
    if buffer:
        yield '\n'.join(buffer)
Final = list(lines('# a\n1\n2\n# b\n3'))
"""
CLASSES = r"""
class A:
    def __init__(self, x): self.x = x
    def f(self): return ('A', self.x)
    def g(self): return self.f()
class B(A):
    def __init__(self, x, y):
        super().__init__(x)
        self.y = y
    def f(self): return ('B',) + super().f()
b = B(1, 2)
Final = [list(b.f()), list(b.g()), b.x, b.y, isinstance(b, A), isinstance(A(1), B), issubclass(B, A), type(b).__name__]
----
class A:
    @property
    def area(self): return self.w * 2
    @staticmethod
    def double(x): return x * 2
    @classmethod
    def make(cls, w):
        a = cls()
        a.w = w
        return a
class B(A):
    pass
b = B.make(4)
Final = [b.area, A.double(3), b.double(4), type(b).__name__]
----
class T:
    def __init__(self): self._c = 1
    @property
    def c(self): return self._c
    @c.setter
    def c(self, value): self._c = value * 10
t = T()
t.c = 3
Final = t.c
----
class MyError(Exception):
    pass
class Sub(MyError):
    def __init__(self, code):
        super().__init__('code ' + str(code))
        self.code = code
def f(n):
    if n: raise Sub(n)
    raise MyError('m')
Final = []
for n in (0, 7):
    try:
        f(n)
    except Sub as e:
        Final += ['sub', e.code, str(e)]
    except MyError as e:
        Final += ['my', str(e)]
try:
    f(3)
except Exception as e:
    Final += [str(e), type(e).__name__, isinstance(e, MyError)]
----
class E(ValueError): pass
try:
    try:
        raise E('x')
    except KeyError:
        pass
    finally:
        a = 1
except ValueError as e:
    Final = [str(e), a]
----
from enum import Enum
class Color(Enum):
    RED = 1
    BLUE = 'b'
Final = [Color.RED.name, Color.BLUE.value, [c.name for c in Color], Color(1) is Color.RED, Color['BLUE'].value]
Final += [Color.RED == Color.RED, str(Color.RED)]
----
from typing import NamedTuple
class P(NamedTuple):
    x: int
    y: int = 5
Final = [P(1).y, list(P(1, 2)), P(3)._asdict()]
----
from dataclasses import dataclass
@dataclass
class A:
    x: int
@dataclass
class B(A):
    y: int = 2
    def total(self): return self.x + self.y
Final = [B(1).total(), B(1, 5).y, B(1) == B(1, 2)]
----
class Shape:
    sides = 0
    def describe(self): return type(self).__name__ + str(self.sides)
class Square(Shape):
    sides = 4
class Small(Square):
    pass
Final = [Shape().describe(), Square().describe(), Small().describe(), isinstance(Small(), Shape)]
----
from abc import ABC, abstractmethod
class Base(ABC):
    @abstractmethod
    def f(self): ...
    def g(self): return self.f() + 1
class Impl(Base):
    def f(self): return 1
Final = Impl().g()
----
class M1:
    def f(self): return 'm1'
class M2:
    def f(self): return 'm2'
    def g(self): return 'g2'
class C(M1, M2):
    pass
Final = [C().f(), C().g()]
"""

REST = r"""
x = [1, 2, 3, 4, 5]
del x[0], x[1:3]
d = {'a': 1, 'b': 2}
del d['a']
y = 5
del y
Final = [x, d]
----
counts = {'a': 1, 'b': 3}
out = []
add = out.append
for n in range(2): add(n)
f = str.lower
Final = [max(counts, key=counts.get), out, f('AB'), list(map(str.strip, [' a '])), list(map('{:>3}'.format, [1, 2]))]
Final += [sorted(['b', 'A'], key=str.lower), [g('x') for g in [str.upper, 'axb'.split]]]
----
table = str.maketrans('ab', 'xy', 'c')
Final = ['abcd'.translate(table), '{a}'.format_map({'a': 1}), (5).bit_length(), (2.0).is_integer()]
----
import io, sys
b = io.StringIO()
print('a', 1, None, file=b)
print('x', 'y', sep='-', end='!', file=b)
print(file=b, end='', sep='')
Final = [b.getvalue(), sys.stdout.write('out\n'), print('shown', file=sys.stdout), print('shown too', file=None)]
----
from collections import OrderedDict
numbers = [(n, size, order) for n in (0, 1, 255, 65535, 2 ** 40) for size in (6, 8) for order in ('big', 'little')]
Final = [list(bytes([65, 0, 255])), list(bytes(range(3))), len(bytes(3)), bytes(b'x').hex(), bytes([]).hex()]
Final += [n.to_bytes(size, order).hex() for n, size, order in numbers]
Final += [int.from_bytes(n.to_bytes(size, order), order) for n, size, order in numbers]
Final += [int.from_bytes((-n).to_bytes(size, order, signed=True), order, signed=True) for n, size, order in numbers]
Final += [int.from_bytes(b'\xff\x01', 'big', signed=True), int.from_bytes([1, 2], 'little'), int.from_bytes(b'')]
wrong = [lambda: bytes([256]), lambda: (300).to_bytes(1, 'big'), lambda: (-1).to_bytes(1, 'big')]
wrong += [lambda: (128).to_bytes(1, 'big', signed=True), lambda: int.from_bytes(b'a', 'x')]
for one in wrong:
    try:
        Final.append(one())
    except (ValueError, OverflowError) as error:
        Final.append(str(error))
d = OrderedDict(a=1, b=2, c=3)
d.move_to_end('a')
Final.append(list(map(list, d.items())))
d.move_to_end('a', last=False)
Final += [list(d), list(d.popitem(last=False)), list(d.popitem()), list({'x': 1}.popitem()), list(d)]
----
from collections import defaultdict
tables = [{97: 'xyz', 98: None, 'c': 'q', -5: 1}, {97: 98, 98: 97}, {}, {233: 'e', 97: 'ää'}, {97: 'ba', 98: 'a'}]
tables += [defaultdict(lambda: None, {97: 97}), [str(i) for i in range(200)], str.maketrans('abc', 'bca', 'é')]
Final = [text.translate(table) for table in tables for text in ('', 'a', 'abca', 'éab' * 9, 'no such' * 200)]
----
import json, datetime
Final = [json.dumps({'d': datetime.date(2024, 1, 2), 's': [1, None]}, default=str)]
Final.append(json.dumps({'x': {1}}, default=list, indent=1))
----
s = {1, 2, 3}
s.difference_update([1])
s.intersection_update({2, 9})
Final = sorted(s)
----
class Row:
    def __init__(self, title): self.title, self.items = title, [1]
r = Row('t')
g = r.title
Final = [g, [i for i in r.items], [row.title for row in [r]]]
----
Final = [sorted(set.union({1}, {2})), sorted(set.intersection(*[{1, 2}, {2, 3}])), str.upper('a'), dict.get({1: 2}, 1)]
Final += [str.join('-', 'ab'), dict.fromkeys('ab'), list.index([3, 4], 4), str.split('a b')]
----
import json, ast
Final = []
for text in ['[1, 2', '[1,\n x]', '{"a": 1} 2', '']:
    try:
        json.loads(text)
    except json.JSONDecodeError as e:
        Final.append([e.lineno, e.colno, e.pos] if e.msg else 0)
try:
    ast.parse('a = 1\nb = = 2')
except SyntaxError as error:
    Final.append([error.lineno, error.msg])
class Wrong(ValueError):
    def __init__(self, pos):
        self.pos = pos
try:
    raise Wrong(3)
except Wrong as e:
    Final.append(e.pos)
try:
    {}['x']
except KeyError as e:
    Final.append(hasattr(e, 'pos'))
----
words = 'a b a'.split()
seen = {}
for w in words:
    seen[w] = seen.get(w, 0) + 1
del words[:]
for key in list(seen):
    if seen[key] > 1:
        del seen[key]
Final = [words, seen]
"""


def cases(text: str) -> list[str]:
    return [case.strip("\n") + "\n" for case in text.split("\n----\n")]


@pytest.mark.parametrize("code", cases(GENERATORS) + cases(CLASSES) + cases(REST))
def test_code_gives_what_cpython_gives(code: str) -> None:
    names: dict[str, Any] = {}
    exec(code, names)
    assert final_of(code) == names["Final"]
