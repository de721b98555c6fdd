"""Generator expressions, and what else gives iterators in Python: worked out when CPython does, and once."""

from __future__ import annotations

import pytest

from langgraph_rlm.repl.rewriting.bridges import rewritten
from tests.fakes import run
from tests.unit.repl.rewriting.printed import print_the_same
from tests.unit.repl.test_language import cases

PROGRAMS = """
def told(x):
    print('told', x)
    return x

print(any(told(x) > 1 for x in [1, 2, 3]), all(told(x) < 2 for x in [1, 2, 3]), any(told(x) for x in []))
print(all(told(x) for x in []))
print(next(told(x) for x in 'abc'), next((told(x) for x in 'abc' if x > 'a'), None))
print(next((x for x in [1] if told(x) > 5), 'none'))
try:
    next(told(x) for x in [])
except StopIteration:
    print('stopped')
g = (told(x) for x in [1, 2, 3])
print('made')
print(next(g), list(g), list(g))
----
import itertools
from itertools import count
print(next(i for i in itertools.count(1) if i * i > 50), next(i for i in count() if i > 3))
print(any(i > 5 for i in itertools.count()))
squares = (i * i for i in count(1))
print(list(itertools.islice(squares, 3)), next(squares), [x for x, _ in zip(squares, 'ab')])
def naturals():
    n = 0
    while True:
        yield n
        n += 1
print(next(n for n in naturals() if n > 5), any(n == 3 for n in naturals()))
print(list(itertools.takewhile(lambda n: n < 3, (n for n in naturals()))))
----
lines = iter(['# a', '# b', 'x', 'y', 'z'])
header = next(line for line in lines if not line.startswith('#'))
print(header, list(lines))
it = iter([1, 2, 3, 4])
evens = (n for n in it if n % 2 == 0)
print(next(evens), next(it), list(evens), list(it))
----
factor = 2
late = (x * factor for x in [1, 2])
factor = 10
print(list(late))
numbers = [1, 2]
grown = (int(n) for n in numbers)
numbers.append(3)
print(list(grown))
rows = [['a', '1'], ['b', 'x'], ['c', '3']]
values = (int(row[1]) for row in rows)
got = []
try:
    for value in values:
        got.append(value)
except ValueError as e:
    print(got, type(e).__name__, list(values))
----
def told(x):
    print('told', x)
    return x
class Box:
    def __iter__(self):
        print('begins')
        return iter([1, 2])
for items in [True, 5, None]:
    try:
        kept = (told(x) for x in items if told(items))
    except TypeError:
        print('at once')
kept = (told(x) for x in Box())
print('made', next(kept), list(kept))
inner = (told(x) for x in (told(y) for y in [3]))
print('made', list(inner))
----
tries = [
    lambda: next((next(iter([])) for x in [1]), 'none'),
    lambda: next(x for x in [1] if next(y for y in [2])),
    lambda: next(x for x in [1] if next(y for y in [0] if int(y))),
    lambda: next(int(x) for x in []),
    lambda: next((int(x) for x in []), 'none'),
    lambda: any(next(iter([])) for x in [1]),
    lambda: list(map(str, ((lambda y: next(iter([])))(x) for x in [1]))),
    lambda: all(next((y for y in [0] if int(y)), 1) for x in [1, 2]),
    lambda: list(map(str, (next(y for y in [0] if int(y)) for x in [1]))),
]
for attempt in tries:
    try:
        print(attempt())
    except (StopIteration, RuntimeError) as e:
        print(type(e).__name__, e)
----
print(any((w := x) > 1 for x in [1, 2, 3]), w)
def found(rows):
    hit = any((row := r) == 'b' for r in rows)
    return hit, row
def seen(rows):
    best = 0
    return [any((best := len(r)) > 1 for r in rows), best]
print(found('abc'), seen(['a', 'bb', 'ccc']), [last := next((y := x) for x in [5]), y, last])
it = iter([1, 2, 3])
print(any(v > 0 for v in it), list(it))
z, w = map(str, [1]), zip([1], [2])
y = zip([1], [2]) if z else None
def twice(z): return list(z), list(z)
print(list(z), list(z), list(w), list(w), list(y), list(y))
print(twice(z=map(str, [1])), [list(a) for a in [zip('a', 'b')] * 2])
def ok(w): return w != 'c'
print([w for r in ['ab', 'cd'] if all(ok(w) for w in r) for w in r])
print({w: 1 for r in ['ab'] if any(ok(w) for w in r) for w in r})
----
rows = [{'k': 'ab', 'v': [1, 2]}, {'k': 'cd', 'v': [3]}]
def has(v, n):
    return n in v
print([any(has(row['v'], n) for n in (1, 3)) for row in rows])
print([next((row['k'] for v in row['v'] if has([3], v)), '-') for row in rows])
print(sorted(rows, key=lambda row: next((-int(v) for v in row['v'] if has(row['v'], v)), 0))[0]['k'])
print({row['k']: all(has(row['v'], v) for v in row['v'] if v) for row in rows})
print([[any(has([a], b) for b in (1, 2)) for a in row['v']] for row in rows])
print(any(any(has(row['v'], n) for n in (3,)) for row in rows))
print(all(x for row in rows for x in row['v'] if has(row['v'], x)))
----
def check(n):
    return all(n % d for d in range(2, n) if d * d <= n)
def first(items, *tests):
    for test in tests:
        found = next((item for item in items if test(item)), None)
        if found is not None:
            return found
    else:
        return 'nothing'
class Box:
    sizes = [1, 2, 3]
    total = sum(x for x in sizes)
    largest = next(str(x) for x in sizes if x > 1)
    def __init__(self, items):
        self.items = items
        self.first = next((check(i) for i in self.items), None)
    def has(self, test):
        return any(test(i) for i in self.items)
    def each(self):
        return (check(i) for i in self.items)
print([n for n in range(2, 20) if check(n)], first([1, 5, 9], lambda x: x > 20, lambda x: x > 4))
print(first([], bool))
box = Box([4, 5])
print(Box.total, Box.largest, box.first, box.has(lambda i: i == 5), list(box.each()), list(box.each()))
if any(check(n) for n in [4, 6]):
    print('no')
elif next((n for n in [4, 7] if check(n)), None):
    print('seven')
n = 0
while all(check(m) for m in [2, 3, n + 2]) and n < 3:
    n += 1
print(n)
----
pairs = zip('ab', [1, 2])
print(list(pairs), list(pairs))
numbered = enumerate('ab', 1)
print(next(numbered), list(numbered), next(zip('x', 'y')), next(reversed([1, 2])), next(enumerate('q')))
print(next(map(str, [7])), next(filter(None, [0, 4])))
import re
found = re.finditer('a.', 'ab ac')
print(next(found).group(), [m.group() for m in found], next(re.finditer('z', 'ab'), None))
def swapped(d):
    return zip(d.values(), d.keys())
back = swapped({'a': 1})
print(dict(back), dict(back))
def taken(items, n):
    return [item for item, _ in zip(items, range(n))], list(items)
words = map(str.upper, ['a', 'b'])
print(list(words), list(words), [*zip('ab', 'cd')], dict(zip('ab', [1, 2])))
print((lambda it: (next(it), list(it)))(iter('abc')))
def two(it):
    return next(it), next(it)
print(two(x * 2 for x in [1, 2]), two(zip('ab', 'cd')), two(reversed('ab')))
if (m := next(re.finditer('(b)', 'abc'), None)):
    print(m.group(1))
----
def lower(word):
    return word.lower()
text = 'A b C d'
words = (lower(w) for w in text.split())
longer = (w + '!' for w in words if len(w))
print(', '.join(longer), sum(len(lower(w)) for w in text.split()), max((lower(w) for w in text), default=''))
print({w: 1 for w in (lower(x) for x in 'AB')})
print(sorted({lower(w) for w in text.split()}), dict((lower(w), i) for i, w in enumerate(text.split())))
print(tuple(lower(w) for w in 'XY'), 'c' in (lower(w) for w in text))
for i, w in enumerate(lower(x) for x in 'AB'):
    print(i, w)
for w in (lower(x) for x in 'QR'):
    print(w)
print(*(lower(x) for x in 'AB'), [*(lower(x) for x in 'C')], list(zip((lower(x) for x in 'AB'), 'cd')))
print(list(map(len, (lower(x) for x in 'AB'))))
a, b = (lower(x) for x in 'XY')
print(a, b, min(lower(x) for x in 'CB'))
"""


@pytest.mark.parametrize("program", cases(PROGRAMS))
def test_programs_print_what_cpython_prints(program: str) -> None:
    print_the_same(program)


@pytest.mark.parametrize(
    ("code", "asked"),
    [
        ("Final = any(llm_query(q) == 'b' for q in 'abcdefgh')", 2),
        ("Final = all(llm_query(q) == 'a' for q in 'abcdefgh')", 2),
        ("Final = next((q for q in 'abcdefgh' if llm_query(q) == 'c'), None)", 3),
        ("g = (llm_query(q) for q in 'abcdefgh')\nFinal = [next(g), next(g)]", 2),
        ("g = (llm_query(q) for q in 'abcdefgh')\nFinal = any(v == 'c' for v in g)", 3),
        ("Final = any((v := llm_query(q)) == 'b' for q in 'abcdefgh'), v", 2),
        (
            "class R:\n    def search(self, q): return llm_query(q)\nFinal = any(R().search(q) == 'b' for q in 'abcd')",
            2,
        ),
    ],
)
def test_only_what_is_needed_is_asked(code: str, asked: int) -> None:
    ran = run(code, answer=lambda prompt: prompt, lookahead=False)
    assert ran.errors == [None]
    assert ran.out["subcalls"] == asked


@pytest.mark.parametrize(
    "code",
    [
        "x = any(w in line for w in words)",
        "n = sum(int(x) for x in xs)",
        "s = ', '.join(f(x) for x in xs)",
        "d = dict((f(x), x) for x in xs)",
        "ok = [l for l in lines if all(l.startswith(p) for p in ps)]",
        "xs.sort(key=lambda x: any(c.isdigit() for c in x))",
    ],
)
def test_generator_expressions_stay_where_nobody_could_tell(code: str) -> None:
    assert rewritten(code).code == code


def test_iterators_of_earlier_cells_are_asked_no_more_than_they_are_in_cpython() -> None:
    ran = run("g = (llm_query(q) for q in 'abcdefgh')", "Final = any(v == 'b' for v in g)", answer=str, lookahead=False)
    assert (ran.answer, ran.out["subcalls"]) == (True, 2)


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("Final = map(str, [1, 2])", ["1", "2"]),
        ("Final = (x for x in [1, 2])", [1, 2]),
        ("def g():\n    yield 1\n    yield 2\nFinal = g()", [1, 2]),
        ("FINAL(zip([1], [2]))", [[1, 2]]),
        ("x = enumerate('a')\nFINAL_VAR('x')", [[0, "a"]]),
        ("Final = {'a': {3}, 'b': range(2), 'c': {1: 2}.values()}", {"a": [3], "b": [0, 1], "c": [2]}),
    ],
)
def test_answer_of_items_is_a_list(code: str, answer: object) -> None:
    assert run(code).answer == answer


def test_traceback_names_a_generator_expression() -> None:
    [error, _] = run("def f(x): return 1 / x\nany(f(x) > 2 for x in [1, 0])", "Final = 1").errors
    assert error is not None
    assert "in <genexpr>" in error
    assert "__any" not in error


def test_functions_of_generator_expressions_last_over_cells() -> None:
    one = "f = lambda row: next((int(x) for x in row if int(x) > 1), None)"
    two = "g = lambda row: next((int(x) for x in row if int(x) > 2), None)"
    assert run(one, two, "Final = [f('123'), g('123')]").answer == [2, 3]
