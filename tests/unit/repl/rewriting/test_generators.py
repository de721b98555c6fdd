"""Generators: in which order they and what takes their items do what can be noticed, as in CPython."""

from __future__ import annotations

import ast

import pytest

from langgraph_rlm.repl.rewriting.quiet import Quiet
from tests.fakes import run
from tests.unit.repl.rewriting.printed import print_the_same
from tests.unit.repl.test_language import cases

PROGRAMS = """
def loud(n):
    for i in range(n):
        print('makes', i)
        yield i
    print('ends')

def taken(x):
    print('takes', x)
    return x

for x in loud(2):
    print('has', x)
print([taken(x) for x in loud(2)], {x: 1 for x in loud(2)}, sum(x for x in loud(3)), list(loud(1)))
print(sorted(loud(2)), max(loud(2)), dict(zip('ab', loud(3))), [*loud(1)], 1 in loud(5))
----
def quiet(words):
    for word in words:
        if len(word) > 1:
            yield word.lower()

def pairs(words):
    for i, word in enumerate(quiet(words)):
        yield i, word

print([w for w in quiet(['Ab', 'c', 'De'])], dict(pairs(['xX', 'Y', 'Zz'])), sum(len(w) for w in quiet(['ab'] * 3)))
taken = quiet(['ab', 'cd', 'ef'])
print(next(taken), [w for w in taken], list(taken), next(taken, 'no more'))
----
def batches(items, n):
    batch = []
    for item in items:
        batch.append(item)
        if len(batch) == n:
            yield batch
            batch.clear()

print([len(b) for b in batches(range(6), 2)], list(batches(range(4), 2)), [b[0] for b in batches('abcd', 2)])
----
def growing(seen):
    for item in [1, 2, 3]:
        seen.append(item)
        yield list(seen)

seen = []
print([len(s) for s in growing(seen)], [s + seen for s in growing(seen)])
----
def told(xs):
    for x in xs:
        print('told', x)
        yield x

def passed(xs):
    for x in xs:
        yield x * 2

try:
    print([10 // (x - 2) for x in passed(told([0, 1, 2, 3]))])
except ZeroDivisionError as e:
    print(type(e))
try:
    print(sum(10 // x for x in passed(iter([1, 0, 2]))))
except ZeroDivisionError as e:
    print(type(e))
----
def naturals():
    n = 0
    while True:
        yield n
        n += 1

def first(n, items):
    for i, item in enumerate(items):
        if i >= n:
            return
        yield item

def below(limit, items):
    for item in items:
        if item >= limit:
            break
        yield item

print(list(first(3, naturals())), [x for x in below(4, naturals())], [x + 1 for x in first(2, below(5, naturals()))])
for n in naturals():
    if n > 2:
        break
else:
    print('never')
for n in below(2, naturals()):
    print(n)
else:
    print('through')
----
def kinds(values):
    for value in values:
        match value:
            case int(n) if n > 5:
                yield 'large', n
            case int():
                yield 'small'
                continue
            case [first, *rest]:
                yield first
                yield from kinds(rest)
            case {'stop': True}:
                return
            case str() as text:
                got = yield text
                print('got', got)
        print('after', value)

print(list(kinds([1, 9, ['a', 2, [7]], {'x': 1}, {'stop': True}, 3])))
g = kinds(['s', 4])
print(next(g), g.send('word'))
----
def guarded(rows):
    try:
        for row in rows:
            for value in row:
                if value == 'stop':
                    return 'stopped'
                if value == 'skip':
                    continue
            yield row
        else:
            print('all')
    finally:
        print('closed')

def outer(rows):
    result = yield from guarded(rows)
    print('result', result)

print(list(outer([['a'], ['skip'], ['stop'], ['b']])), list(outer([['a']])))
----
def inner():
    try:
        while True:
            try:
                got = yield 'ready'
                print('inner got', got)
            except ValueError as e:
                print('inner caught', e)
    finally:
        print('inner ends')

def middle():
    yield 'first'
    try:
        yield from inner()
    except KeyError as e:
        print('middle caught', e)
        yield 'recovered'

g = middle()
print(next(g), next(g), g.send('a'), g.throw(ValueError('v')), g.throw(KeyError('k')), next(g, 'over'))
g = middle()
print(next(g), next(g))
g.close()
print(next(g, 'closed'), list(g))
----
def broken(n):
    for i in range(n):
        yield i
    raise ValueError('after ' + str(n))

def leaking():
    yield 1
    raise StopIteration

def quiet_ones():
    yield 'one'

for make in (lambda: list(broken(2)), lambda: [x for x in broken(1)], lambda: list(leaking()), lambda: sum(leaking())):
    try:
        print(make())
    except (ValueError, RuntimeError) as e:
        print(type(e).__name__, e)
g = broken(1)
print(next(g))
try:
    next(g)
except ValueError as e:
    print(e, list(g))
def numbered(items):
    yield from enumerate(items, 1)
    yield from zip(items, items)

g = numbered(broken(3))
print(next(g), next(g))
g.close()
print(list(g), list(enumerate(broken(0) if False else quiet_ones())))
never = broken(3)
never.close()
print(list(never))
----
def tree(node):
    yield node['name']
    for below in node['below']:
        yield from tree(below)

def leaves(node):
    if not node['below']:
        yield node['name']
        return
    for below in node['below']:
        for leaf in leaves(below):
            yield leaf

root = {'name': 'a', 'below': [{'name': 'b', 'below': [{'name': 'c', 'below': []}]}, {'name': 'd', 'below': []}]}
print(list(tree(root)), [n.upper() for n in leaves(root)], ''.join(tree(root)))
for name in tree(root):
    if name == 'b':
        root['below'].append({'name': 'late', 'below': []})
    print(name)
----
def counted(words):
    counts = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
        if counts[word] == 2:
            yield word

def unique(words):
    seen = set()
    for word in words:
        if word not in seen:
            seen.add(word)
            yield word

print(list(counted('abcab')), [w for w in unique('abcab')], len(list(unique(counted('aabbcc')))))
----
class Bag:
    def __init__(self, items):
        self.items = items

    def __iter__(self):
        return iter(self.items)

    def __add__(self, other):
        return Bag(self.items + other.items) if isinstance(other, Bag) else Bag(self.items + [other])

def more():
    yield 5

bag = Bag([1])
bag += Bag([2])
items = [1]
items += more()
print(bag.items, sum([Bag([1]), Bag([2])], Bag([])).items, items, sum(more(), 3))
print(dict.fromkeys(more(), Bag([1]))[5].items)

def with_index(items, start=0, *, step=1, **more):
    place = start
    for item in items:
        yield place, item, more
        place += step

def nothing():
    return
    yield

class Node:
    def __init__(self, *below):
        self.below = below

    def __iter__(self):
        yield self
        for node in self.below:
            yield from node

print(list(with_index('ab', 5, step=2, a=1)), list(nothing()), [x for x in nothing()], len(list(Node(Node(), Node()))))
"""


@pytest.mark.parametrize("program", cases(PROGRAMS))
def test_programs_print_what_cpython_prints(program: str) -> None:
    print_the_same(program)


QUIET = {
    "def f(xs):\n    for x in xs:\n        if x > 1:\n            yield x.strip(), len(x)": True,
    "def f(n):\n    yield n\n    yield from f(n - 1)": True,
    "def f(t):\n    seen = set()\n    for w in t:\n        seen.add(w)\n        yield w": True,
    "def f(t):\n    for m in re.finditer('a', t):\n        yield m.group(), json.loads(t)": True,
    "def f(xs):\n    for x in xs:\n        print(x)\n        yield x": False,
    "def f(xs):\n    for x in xs:\n        yield llm_query(x)": False,
    "def f(xs):\n    while xs:\n        yield xs.pop()": False,
    "def f(xs):\n    xs[0] = 1\n    yield xs": False,
    "def f(xs):\n    out = []\n    for x in xs:\n        out.append(x)\n        yield out": False,
    "def f(self):\n    self.n = 1\n    yield 1": False,
    "def f():\n    global n\n    n = 1\n    yield 1": False,
    "def f(xs):\n    xs += [1]\n    yield xs": False,
    "def f(xs):\n    yield g(xs)\ndef g(xs):\n    print(xs)": False,
    "def f(xs):\n    yield g(xs)\ndef g(xs):\n    return len(xs)": True,
    "def f(xs):\n    yield len(xs)\nlen = print": False,
    "def f(xs):\n    yield len(xs)\ndef f(xs):\n    yield 1": False,
    "@cache\ndef f(xs):\n    yield 1": False,
    "def f(xs):\n    try:\n        yield 1\n    finally:\n        pass": False,
}


@pytest.mark.parametrize(("code", "is_quiet"), QUIET.items())
def test_code_is_quiet_where_nothing_else_can_notice_that_it_runs(code: str, is_quiet: bool) -> None:
    assert ("f" in Quiet(ast.parse(code)).functions) == is_quiet


def test_answers_of_a_generator_that_asks_are_asked_for_one_by_one() -> None:
    code = """
def answers(questions):
    for question in questions:
        yield llm_query(question)

Final = []
for answer in answers(['a', 'b', 'c']):
    Final.append(answer)
    if answer == 'yes to b':
        break
"""
    ran = run(code, answer=lambda prompt: f"yes to {prompt}", lookahead=False)
    assert ran.answer == ["yes to a", "yes to b"]
    assert ran.out["subcalls"] == 2
