"""Programs made at random that fail in a line which is known: below functions, and what stands around calls of them."""

from __future__ import annotations

import random
import textwrap

RAISES = (
    'raise ValueError("no")',
    'x = int("x")',
    'x = {}["b"]',
    "x = [].pop()",
    "x = None.a",
    "x = 1 / 0",
    "x = nothing",
    'raise Own("no")',
    'assert x, "no"',
)
BEFORE = """\
class Own(ValueError):
    pass
class Manager:
    def __init__(self, n):
        self.n = n
    def __enter__(self):
        return self
    def __exit__(self, kind, error, traceback):
        self.n += 1
        return False
x = 0
"""
AROUND = (
    "if x == 0:\n    CALLS\nelse:\n    x = 2",
    "if x:\n    x = 1\nelif x == 0:\n    CALLS",
    "for i in range(2):\n    x = i\n    CALLS",
    "for i in [1, 2]:\n    if i == 1:\n        continue\n    CALLS\n    x = i",
    "while x == 0:\n    CALLS\n    x += 1",
    "while True:\n    CALLS\n    break",
    "try:\n    CALLS\nexcept ArithmeticError as e:\n    print(e)",
    "try:\n    CALLS\nexcept (SyntaxError, Own) as e:\n    print(1)\n    raise",
    "try:\n    x = 0\n    CALLS\nexcept Exception as e:\n    x = str(e)\n    if x:\n        print(1)\n    raise",
    "try:\n    CALLS\nexcept KeyError:\n    raise\nexcept OSError as e:\n    print(e)\nelse:\n    print(1)",
    "try:\n    CALLS\nfinally:\n    print(1)\n    x = 1",
    "try:\n    CALLS\nexcept ImportError:\n    x = 1\nfinally:\n    for i in range(2):\n        x = i",
    "try:\n    x = 0\nexcept ValueError:\n    x = 1\nelse:\n    CALLS",
    "try:\n    x = int('y')\nexcept ValueError:\n    CALLS\n    x = 2",
    "try:\n    x = 0\nfinally:\n    CALLS\n    x = 2",
    "try:\n    try:\n        CALLS\n    finally:\n        x = 3\nexcept NotImplementedError:\n    x = 1",
    "with Manager(1) as manager:\n    CALLS\n    x = 2",
    "with Manager(1):\n    x = 0\n    with Manager(2) as m, Manager(3):\n        CALLS",
    "match x:\n    case 0:\n        CALLS\n    case _:\n        x = 1",
)
"""Statements around others."""
WITHIN = (
    *("CALL", "CALL", "CALL", "(lambda: CALL)()", "[CALL for _ in [1]]", "{i: CALL for i in [1]}", "max(1, CALL)"),
    *("sum([CALL for i in range(2) if i])", "sorted([2, 1], key=lambda i: CALL)", "(1, CALL)[1]", 'f"{CALL}"'),
    *("(CALL for _ in [1])", "list(CALL for _ in [1])", "CALL if x == 0 else 1", "(x == 0 and CALL)"),
)
"""Expressions around a call."""
WAYS = {
    "f{n}()": "def f{n}():\n    x = 0\n    BODY\n    return x",
    "f{n}(x, 1)": "def f{n}(a, b=0):\n    x = a\n    BODY",
    "r{n}(2)": "def r{n}(n):\n    x = 0\n    if n:\n        return r{n}(n - 1)\n    BODY",
    "A{n}().go()": "class A{n}:\n    def go(self):\n        x = 0\n        BODY",
    "B{n}(0)": "class B{n}:\n    def __init__(self, x):\n        BODY",
    "C{n}().value": "class C{n}:\n    @property\n    def value(self):\n        x = 0\n        BODY",
    "D{n}.make(0)": "class D{n}:\n    @classmethod\n    def make(cls, x):\n        BODY",
    "E{n}() + 1": "class E{n}:\n    def __add__(self, other):\n        x = 0\n        BODY",
    "len(F{n}())": "class F{n}:\n    def __len__(self):\n        x = 0\n        BODY",
    "list(g{n}(0))": "def g{n}(x):\n    yield 1\n    BODY\n    yield 2",
    "next(h{n}(0))": "def h{n}(x):\n    BODY\n    yield 2",
    "[*i{n}()]": "def i{n}():\n    for j in range(2):\n        x = 0\n        yield j\n    BODY",
    "[*o{n}(0)]": "def o{n}(x):\n    try:\n        yield 1\n        BODY\n        yield x\n    finally:\n        x = 3",
    "[*p{n}()]": "def p{n}():\n    try:\n        x = yield 1\n    finally:\n        x = 0\n    BODY\n    yield 1",
    "k{n}()": "def d{n}(f):\n    def go():\n        x = 0\n        BODY\n    return go\n@d{n}\ndef k{n}():\n    pass",
    "l{n}()": "def l{n}():\n    def inner(x):\n        BODY\n    return inner(0)",
    "m{n}(0)": "def n{n}(x):\n    yield 1\n    BODY\ndef m{n}(x):\n    for i in n{n}(x):\n        x = 0\n    return x",
}
"""Calls of functions, and the functions."""


class Failing:
    """A program: the same for each seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        parts, call = list[str](), ""
        for n in range(self.random.randint(1, 4)):
            way = self.random.choice([*WAYS])
            parts.append(_put(WAYS[way].format(n=n), "BODY", self.body(call)))
            call = way.format(n=n)
        self.code = "\n".join([BEFORE, *parts, self.body(call)])

    def body(self, call: str) -> str:
        """Statements that fail, or that call what does."""
        lines = f"x = {self.random.choice(WITHIN).replace('CALL', call)}" if call else self.random.choice(RAISES)
        for _ in range(self.random.choice([0, 1, 1, 2, 3])):
            lines = _put(self.random.choice(AROUND), "CALLS", lines)
        return lines


def _put(text: str, name: str, lines: str) -> str:
    """The text with these lines in place of the one that is a name."""
    out = []
    for line in text.split("\n"):
        indent = line[: len(line) - len(line.lstrip())]
        out.append(textwrap.indent(lines, indent) if line.strip() == name else line)
    return "\n".join(out)
