"""Modules in Python of the sandbox: what they give is what CPython gives, value for value or error for error."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from typing import Any

import pytest
from pydantic_monty import Monty, MontyComplete, MontyError, MontySession

from langgraph_rlm.repl import modules, standard
from tests.fakes import TEXT, error_of, final_of, run

TRIED = """
def tried(function):
    try:
        return ["value", function()]
    except Exception as error:
        return ["error", error]
"""
RANDOM = random.Random(14)


def numbers(size: int) -> list[float]:
    return [RANDOM.choice([RANDOM.randint(-9, 9), round(RANDOM.uniform(-99, 99), 2)]) for _ in range(size)]


def words(size: int) -> str:
    letters = "ab é-.,\n\t(\"'"
    return "".join(RANDOM.choice([*letters, "word ", "lines. "]) for _ in range(size))


def expressions(*templates: str, arguments: Any, times: int = 20) -> list[str]:
    """Each of the templates, over arguments that are made anew."""
    return [template.format(*map(repr, arguments())) for _ in range(times) for template in templates]


ORDERS = [[RANDOM.randint(0, 20) for _ in range(size)] for size in range(12)]
MAIL = """From: Ann <ann@x.org>
To: "B, Bob" <bob@x.org>, c@x.org
Subject: =?utf-8?q?Caf=C3=A9?= and
 more
Date: Mon, 02 Jan 2023 10:00:00 +0200
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="=b"

preamble
--=b
Content-Type: text/plain; charset="iso-8859-1"
Content-Transfer-Encoding: quoted-printable

Caf=E9 =3D
--=b
Content-Type: application/pdf; name="a.pdf"
Content-Disposition: attachment; filename="a.pdf"
Content-Transfer-Encoding: base64

aGVsbG8=
--=b--
"""
XML = (
    '<?xml version="1.0" encoding="utf-8"?><r a="1" xmlns:n="u">t<i id="1">one<b>x</b>tail</i><i id="2"/>'
    "<!-- c --><n:i n:k='&lt;'>&#233;<![CDATA[<x>]]></n:i><d><i id='3'><b>y</b></i><i/></d> end</r>"
)
ADDRESSES = (
    "http: https: HTTP: mailto: x-y+z: 1a: // / /// a b.org Host user@ :80 : .. . ../ ./ ? ?a=1 # #f ;p = & &b=%20 + % "
    "%C3%A9 %zz é \t [ ] [::1] a;b ~ * ( ' \\ | ^ { a//b %41 %e9"
).split(" ")


def address() -> str:
    start = RANDOM.choice(["http://a.org", "https://Ex.org:8080", "http://u@h", "//h", "", ""])
    return start + "".join(RANDOM.choice(ADDRESSES) for _ in range(RANDOM.randint(0, 5)))


REFERENCES = [
    "&",
    " ",
    "&amp;",
    "&lt ",
    "&nbsp;",
    "&foo;",
    "&notit;",
    "&#39;",
    "&#x27",
    "&#39a;",
    "&;",
    ";",
    "a",
    "&b=1",
    "<",
]
REFERENCES += ["&#", "&#x;", "&é;", "lt;"]
STEPS = ["a", "b", "*", "./a", "..", "", "a[@k]", "a[@k='1']", "b[1]", "a[last()]", "*[b]", "a[.='t']", "a[b!='t']"]


def tree(depth: int) -> str:
    """An element with others in it, as XML."""
    tag, attribute = RANDOM.choice("ab"), RANDOM.choice(["", " k='1'"])
    text, tail = RANDOM.choice(["", "t"]), RANDOM.choice(["", "x"])
    inner = "".join(tree(depth - 1) for _ in range(RANDOM.randint(0, 3) if depth else 0))
    return f"<{tag}{attribute}>{text}{inner}</{tag}>{tail}"


PAGES = [
    "<!DOCTYPE html>\n<html><!-- a > b --><P Class='x y' id=a1 hidden title=\"5 &lt; 6\">A &amp; b&nbsp;&#233;c</p >\n",
    "<br/><img src='a.png' alt=\"<b>\"/><input value = x disabled>1 < 2 & 3 &unknown; a<b</html>",
    "<script type=a>if (a<b && c) { x = '<p>' }</script><style>p > a {}</style><?php echo ?><a\nhref='#'>x</a>\n",
    "<a href=x.html>k</a><td nowrap><![CDATA[x]]></td></1><!x></>",
]
SOURCE = '''"""Doc."""
import os, sys as s
from a.b import c as d

X: int = 1

@deco(1)
class A(B, metaclass=M):
    """
    Two
      lines.
    """
    def f(self, x, /, y=2, *a, z: str = "é", **k) -> list[int]:
        return [i ** 2 for i in x if i > 0.5] or {**k, "a": b"x"}

    async def g(self):
        async with h() as v:
            await v[1:2, ...]

def top(f=lambda v: -v):
    try:
        raise ValueError(f"{f!r:>10}") from None
    except (KeyError, OSError) as e:
        pass
    else:
        global X
    finally:
        while not X: X += 1
    match X:
        case [1, *_] | {"a": int(b)}: return
'''

CASES: dict[str, tuple[str, list[str]]] = {
    "io": (
        "import io\ndef made(text, at=0):\n    f = io.StringIO(text); f.seek(at); return f\n"
        "def steps(f, calls):\n"
        "    out = []\n"
        "    for name, argument in calls:\n"
        "        if name == 'read': out.append(f.read(argument))\n"
        "        elif name == 'readline': out.append(f.readline(argument))\n"
        "        elif name == 'seek': out.append(f.seek(max(argument, 0)))\n"
        "        elif name == 'write': out.append(f.write('x' * argument + '\\n'))\n"
        "        elif name == 'next': out.append(next(f, None))\n"
        "        else: out.append(f.tell())\n"
        "    return [out, f.getvalue()]\n",
        [
            "made('a\\nb\\n\\nc').readlines()",
            "[line for line in made('a\\r\\nb\\x0bc\\n')]",
            "made('abc').write(1)",
            "made('a').seek(-1)",
            "made('a\\nb\\nc').readlines(2)",
            *expressions(
                "steps(made({}, {}), {})",
                arguments=lambda: (
                    words(12),
                    RANDOM.randint(0, 9),
                    [
                        (RANDOM.choice("read readline seek write next tell".split()), RANDOM.randint(-1, 6))
                        for _ in range(8)
                    ],
                ),
                times=40,
            ),
        ],
    ),
    "csv": (
        "import csv, io\n"
        "def written(rows, **options):\n"
        "    f = io.StringIO(); csv.writer(f, **options).writerows(rows); return f.getvalue()\n"
        "def dicts(rows):\n"
        "    f = io.StringIO(); w = csv.DictWriter(f, ['a', 'b'], extrasaction='ignore'); w.writeheader()\n"
        "    w.writerows(rows); return f.getvalue()\n"
        "sniffed = lambda text: csv.Sniffer().sniff(text).delimiter\n",
        [
            "dicts([{'a': 1, 'b': 'x\"y', 'c': 3}, {'a': None}])",
            "list(csv.reader(io.StringIO('a;b\\n1;\"x;y\\n z\"\\n'), csv.Sniffer().sniff('a;b\\n1;2\\n3;4\\n')))",
            *[f"sniffed({d.join('abc')!r} + '\\n' + {d.join(['12', 'x y', 'z'])!r} + '\\n')" for d in ",;\t|"],
            *expressions(
                "list(csv.reader(io.StringIO({})))",
                "list(csv.DictReader(io.StringIO({}), restkey='more'))",
                "written([{}])",
                arguments=lambda: (words(20).replace("\n", ",\n"),),
            ),
        ],
    ),
    "statistics": (
        "import statistics as s\n",
        [
            *(f"s.{name}({xs})" for name in ("mean", "median", "mode", "stdev", "fmean") for xs in ([], [1], [1, 3])),
            *("s.mode('aab')", "s.multimode('aabb')", "s.multimode([])", "s.mean(['a'])", "s.median(['a', 'b', 'c'])"),
            *("s.quantiles([1])", "s.quantiles([1, 2], n=0)", "s.harmonic_mean([1, -1])", "s.geometric_mean([0, 1])"),
            "tuple(s.linear_regression([1, 2, 3], [2, 4, 7]))",
            *("s.correlation([1, 1], [1, 2])", "s.fmean([1, 2], [3, 1])", "s.mean(x for x in [1, 2])"),
            *expressions(
                *(f"s.{name}({{0}})" for name in "mean fmean median median_low median_high multimode".split()),
                *(f"s.{name}({{0}})" for name in "stdev pstdev variance pvariance quantiles".split()),
                "s.quantiles({0}, n=10, method='inclusive')",
                "s.correlation({0}, {0}[::-1])",
                "s.covariance({0}, {0}[::-1])",
                "s.geometric_mean([abs(x) + 1 for x in {0}])",
                "s.harmonic_mean([abs(x) + 1 for x in {0}])",
                arguments=lambda: (numbers(RANDOM.randint(2, 12)),),
                times=12,
            ),
        ],
    ),
    "heapq": (
        "import heapq\ncounts = {'a': 3, 'b': 1, 'c': 1}\n"
        "def heap(xs):\n    h = []\n    for x in xs: heapq.heappush(h, x)\n    return [heapq.heappop(h) for _ in xs]\n"
        "def heaped(xs):\n    h = list(xs); heapq.heapify(h)\n"
        "    return [heapq.heapreplace(h, 3), heapq.heappushpop(h, 0), sorted(h), h[0]]\n",
        [
            *(f"{name}({xs})" for name in ("heap", "heaped") for xs in ORDERS),
            *(f"heapq.{name}({n}, {xs})" for name in ("nlargest", "nsmallest") for n in (-1, 0, 3) for xs in ORDERS),
            *("heapq.heappop([])", "list(heapq.merge([1, 4], [2, 3]))", "list(heapq.merge([4, 1], [3], reverse=True))"),
            "heapq.nlargest(2, ['a', 'ccc', 'bb', 'ddd'], key=len)",
            "heapq.nsmallest(2, counts, key=counts.get)",
        ],
    ),
    "string": (
        "import string\nfrom string import Template\n",
        [
            *(
                "string.punctuation",
                "string.printable",
                "string.ascii_letters",
                "string.hexdigits",
                "string.whitespace",
            ),
            *(
                "string.capwords('a  bC-d e')",
                "string.capwords('a-bC-', '-')",
                "Template('$a ${b}c $$').substitute(a=1, b=2)",
            ),
            *(
                "Template('$a $b').safe_substitute({'a': 1})",
                "Template('$a').substitute()",
                "Template('$ a').substitute()",
            ),
            "Template('$ $1 ${a} $a.').safe_substitute(a='x')",
        ],
    ),
    "textwrap": (
        "import textwrap\n",
        expressions(
            "textwrap.wrap({0}, {1})",
            "textwrap.fill({0}, width={1} + 3, initial_indent='* ', subsequent_indent='  ')",
            "textwrap.shorten({0}, {1}, placeholder='…')",
            "textwrap.dedent('  ' + {0}.replace('\\n', '\\n   '))",
            "textwrap.indent({0}, '> ')",
            "textwrap.indent({0}, '> ', lambda line: True)",
            "textwrap.TextWrapper(width={1}).wrap({0})",
            arguments=lambda: (words(40), RANDOM.choice([0, 1, 5, 20, 70])),
        ),
    ),
    "operator": (
        "import operator, functools\nfrom operator import itemgetter, attrgetter, methodcaller\n"
        "class A:\n    def __init__(self, x): self.x = x\n",
        [
            "sorted([(1, 'b'), (0, 'c')], key=itemgetter(1))",
            "sorted({'a': 3, 'b': 1}.items(), key=operator.itemgetter(1), reverse=True)",
            "list(map(itemgetter('a', 'b'), [{'a': 1, 'b': 2}]))",
            *(
                "attrgetter('x')(A(1))",
                "attrgetter('x.x', 'x')(A(A(2)))[0]",
                "attrgetter('y')(A(1))",
                "itemgetter(3)([])",
            ),
            *("methodcaller('upper')('a')", "methodcaller('split', ',', maxsplit=1)('a,b,c')"),
            *("functools.reduce(operator.mul, [2, 3, 4])", "list(map(operator.add, [1, 2], [3, 4]))"),
            *("operator.contains([1], 1)", "operator.countOf([1, 1, 2], 1)", "operator.indexOf([1], 2)"),
            *(
                f"operator.{name}(6, 3)"
                for name in "add sub mul truediv floordiv mod pow eq ne lt le gt ge xor".split()
            ),
            *("operator.not_([])", "operator.neg(1)", "operator.getitem([1], 0)", "operator.is_(None, None)"),
        ],
    ),
    "html": (
        "import html\n",
        [
            "html.escape('<a b=\"c\">&\\'')",
            "html.escape('<\"', quote=False)",
            "html.unescape('&lt;&eacute;&#233;&#xe9;&notit;&amp;amp;&nope; &#0;&#x110000;&NotEqualTilde;')",
            *expressions("html.unescape(html.escape({}))", arguments=lambda: (words(20),)),
            *expressions(
                "html.unescape({})", arguments=lambda: ("".join(RANDOM.choice(REFERENCES) for _ in range(6)),)
            ),
        ],
    ),
    "html.parser": (
        "import html.parser\nfrom html.parser import HTMLParser\n"
        "class Seen(HTMLParser):\n"
        "    def __init__(self, **options):\n        super().__init__(**options)\n        self.seen = []\n"
        "    def note(self, *what): self.seen.append([*what, list(self.getpos())])\n"
        "    def handle_starttag(self, tag, attrs): self.note('start', tag, attrs, self.get_starttag_text())\n"
        "    def handle_endtag(self, tag): self.note('end', tag)\n"
        "    def handle_data(self, data): self.note('data', data)\n"
        "    def handle_comment(self, data): self.note('comment', data)\n"
        "    def handle_decl(self, data): self.note('decl', data)\n"
        "    def handle_pi(self, data): self.note('pi', data)\n"
        "    def handle_entityref(self, name): self.note('entity', name)\n"
        "    def handle_charref(self, name): self.note('char', name)\n"
        "def seen(*pieces, **options):\n    p = Seen(**options)\n    for piece in pieces: p.feed(piece)\n"
        "    p.close()\n    return p.seen\n",
        [
            *(f"seen({page!r})" for page in PAGES),
            *(f"seen({page!r}, convert_charrefs=False)" for page in PAGES[:3]),
            "seen('<p>a', ' b</', 'p><', 'br/>&am', 'p; c', '<a href=\"x')",
        ],
    ),
    "types": (
        "from types import SimpleNamespace\ndef changed(n):\n    n.b = 2\n    return [n.a, n.b]\n",
        [
            *("changed(SimpleNamespace(a=1))", "SimpleNamespace(a=1, b='x') == SimpleNamespace(b='x', a=1)"),
            *("repr(SimpleNamespace(a=1, b='x'))", "SimpleNamespace(a=1) == 1", "SimpleNamespace().x"),
        ],
    ),
    "asyncio": (
        "import asyncio\nasync def both(f, *xs):\n"
        "    return await asyncio.gather(*(asyncio.to_thread(f, x) for x in xs))\n",
        ["list(asyncio.run(both(len, 'a', 'bb')))", "asyncio.run(both(int, 'x'))"],
    ),
    "contextlib": (
        "import contextlib\nclass A:\n    closed = False\n    def close(self): self.closed = True\n"
        "def suppressed(kinds, function):\n    with contextlib.suppress(*kinds): return function()\n    return 'gone'\n"
        "def closed(a):\n    with contextlib.closing(a) as it: pass\n    return it.closed\n"
        "def none(x):\n    with contextlib.nullcontext(x) as it: return it\n",
        [
            "suppressed([ZeroDivisionError], lambda: 1 / 0)",
            "suppressed([KeyError, LookupError], lambda: [][0])",
            "suppressed([KeyError], lambda: 1 / 0)",
            "suppressed([], lambda: 5)",
            "closed(A())",
            "none(3)",
        ],
    ),
    "concurrent.futures": (
        "from concurrent.futures import ThreadPoolExecutor, as_completed, wait\nimport concurrent.futures as cf\n"
        "def mapped(f, *xs):\n    with ThreadPoolExecutor(max_workers=2) as pool: return list(pool.map(f, *xs))\n"
        "def submitted(f, xs):\n    with cf.ThreadPoolExecutor() as pool:\n"
        "        fs = {pool.submit(f, x): x for x in xs}\n"
        "        return sorted([(fs[done], done.result()) for done in as_completed(fs)])\n"
        "def failed(f):\n    pool = ThreadPoolExecutor(1); done = pool.submit(f); wait([done]); pool.shutdown()\n"
        "    return [type(done.exception()).__name__, done.done(), done.cancelled()]\n"
        "def late():\n    pool = ThreadPoolExecutor(1); pool.shutdown(); pool.submit(len, 'a')\n",
        [
            *(
                "mapped(lambda x: x * 2, range(5))",
                "mapped(lambda x, y: x + y, [1, 2], [3, 4])",
                "mapped(len, ['a', 'bb'])",
            ),
            *(
                "mapped(lambda x: 1 / x, [1, 0])",
                "submitted(lambda x: x + 1, [3, 1])",
                "submitted(lambda x: 1 / x, [0])",
            ),
            *("failed(lambda: [][1])", "failed(lambda: 1)", "late()", "ThreadPoolExecutor(0)"),
        ],
    ),
    "threading": (
        "import threading\ndef ran(n):\n    out, lock = [], threading.Lock()\n"
        "    def work(i, k=0):\n        with lock: out.append(i + k)\n"
        "    ts = [threading.Thread(target=work, args=(i,), kwargs={'k': 1}) for i in range(n)]\n"
        "    for t in ts: t.start()\n    for t in ts: t.join()\n    return sorted(out)\n",
        ["ran(4)", "threading.Thread(target=len).join()"],
    ),
    "pprint": (
        "import pprint, io\ndef written(x):\n    f = io.StringIO(); pprint.pprint(x, stream=f); return f.getvalue()\n",
        [
            *("written({'b': [1, 2], 'a': 'x'})", "pprint.pformat({1, 2}, indent=2)", "pprint.pformat('a b ' * 40)"),
            *expressions(
                "pprint.pformat({0})",
                "pprint.pformat({0}, width={1}, compact=True, sort_dicts=False)",
                "pprint.pformat({0}, depth=1)",
                arguments=lambda: (
                    {words(5): [numbers(6), (words(9),), {"k": None}] for _ in range(4)},
                    RANDOM.randint(1, 60),
                ),
            ),
        ],
    ),
    "dataclasses": (
        "import dataclasses\nfrom dataclasses import dataclass, field, asdict, astuple, replace\n"
        "@dataclass\nclass A:\n    x: int\n    y: list = field(default_factory=list)\n",
        [
            *(
                "asdict(A(1, [A(2), (A(3),)]))",
                "astuple(A(1, [2]))",
                "asdict(replace(A(1), x=5))",
                "asdict(A(1, {'k': A(2)}))",
            ),
            *("replace(A(1), z=1)", "asdict(1)", "asdict(A)", "[f.name for f in dataclasses.fields(A)]"),
            *("dataclasses.is_dataclass(A)", "dataclasses.is_dataclass(1)", "list(map(asdict, [A(1)]))"),
        ],
    ),
    "ast": (
        "import ast\n"
        "def seen(source):\n    tree = ast.parse(source)\n"
        "    return [[type(n).__name__, getattr(n, 'lineno', 0), getattr(n, 'end_col_offset', 0)] for n in ast.walk(tree)]\n"
        "def named(source):\n"
        "    tree = ast.parse(source)\n"
        "    return [n.name for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))]\n"
        "def imported(source):\n    tree = ast.parse(source)\n"
        "    return [[a.name, a.asname] for n in ast.walk(tree) if isinstance(n, (ast.Import, ast.ImportFrom)) for a in n.names]\n"
        "def shown(source):\n    tree = ast.parse(source)\n    return [ast.unparse(tree), [ast.unparse(n) for n in tree.body]]\n"
        "class Names(ast.NodeVisitor):\n    def __init__(self): self.found = []\n"
        "    def visit_FunctionDef(self, node):\n        self.found.append(node.name)\n        self.generic_visit(node)\n"
        "    def visit_Name(self, node): self.found.append(node.id)\n"
        "def visited(source):\n    names = Names()\n    names.visit(ast.parse(source))\n    return names.found\n"
        "class Changed(ast.NodeTransformer):\n    def visit_Pass(self, node): return None\n"
        "    def visit_Import(self, node): return [node, node]\n"
        "    def visit_Name(self, node):\n        node.id = node.id.upper()\n        return node\n"
        "def changed(source): return ast.unparse(Changed().visit(ast.parse(source)))\n"
        "def documented(source):\n    tree = ast.parse(source)\n    return [ast.get_docstring(tree), ast.get_docstring(tree.body[4])]\n"
        "def segments(source):\n    tree = ast.parse(source)\n    return [ast.get_source_segment(source, n) for n in tree.body]\n",
        [
            *(
                f"{name}({SOURCE!r})"
                for name in ("seen", "named", "visited", "changed", "imported", "shown", "documented", "segments")
            ),
            *(f"ast.dump(ast.parse({code!r}))" for code in ("x = 1", "f(a, *b, c=None)", "a < b <= -c")),
            *(
                "ast.get_docstring(ast.parse('x').body[0])",
                "ast.parse('x =')",
                "ast.parse('a b', mode='eval')",
                "ast.parse('1', mode='x')",
                "shown('a = 1\\nb')",
            ),
            *(
                f"ast.literal_eval({text!r})"
                for text in ("1", " [1, 'a', {'b': (2,)}]", "-1.5", "{1, 2}", "f()", "[", "a", "1 +")
            ),
            "isinstance(ast.parse('1').body[0].value, ast.expr)",
        ],
    ),
    "difflib": (
        "import difflib\nfrom difflib import SequenceMatcher\n",
        [
            "difflib.get_close_matches('appel', ['ape', 'apple', 'peach', 'puppy'])",
            "difflib.get_close_matches('a', ['b'], n=0)",
            "list(difflib.ndiff(['one\\n', 'two\\n', 'three\\n'], ['ore\\n', 'tree\\n', 'emu\\n'], charjunk=None))",
            *("SequenceMatcher(None, '', '').ratio()", "SequenceMatcher(None, 'abc', 'abc').get_opcodes()"),
            *expressions(
                "SequenceMatcher(None, {0}, {1}).ratio()",
                "SequenceMatcher(None, {0}, {1}).get_opcodes()",
                "SequenceMatcher(a={0}, b={1}).quick_ratio()",
                "[tuple(b) for b in SequenceMatcher(None, {0}, {1}, False).get_matching_blocks()]",
                "list(difflib.unified_diff({0}.split(' '), {1}.split(' '), 'a', 'b', n=1, lineterm=''))",
                "list(difflib.unified_diff({0}.splitlines(True), {1}.splitlines(True)))",
                "list(difflib.ndiff({0}.split('a'), ({0}[:9] + {1} + {0}[9:]).split('a')))",
                "list(difflib.Differ().compare({0}.splitlines(True), {1}.splitlines(True)))",
                "difflib.get_close_matches({0}, {1}.split(), cutoff=0.1)",
                arguments=lambda: (words(30), words(30)),
            ),
            *expressions(
                "list(difflib.unified_diff({0}, {1}, lineterm='', n=2))",
                "[list(g) for g in SequenceMatcher(None, {0}, {1}).get_grouped_opcodes(1)]",
                arguments=lambda: ([str(RANDOM.randint(0, 3)) for _ in range(20)], ["1", "2", "0", "3"] * 4),
            ),
        ],
    ),
    "fractions": (
        "from fractions import Fraction as F\n",
        [
            *(
                "str(F(6, -4))",
                "repr(F('0.25'))",
                "str(F(' -3/6 '))",
                "str(F(0.1))",
                "str(F('1e-2'))",
                "F(1, 0)",
                "F('x')",
                "F([])",
            ),
            *(
                "str(F(3.141592653589793).limit_denominator(1000))",
                "F(1, 2) == 0.5",
                "[F(3) * 0.5, 0.5 * F(1, 3), F(1, 3) + 0.5, 2.5 - F(1, 3), F(1, 3) / 0.7, 1.0 / F(3, 7), F(1, 2) ** 0.5]",
                "F(1, 2) == F(2, 4)",
                "float(F(1, 3))",
            ),
            *(
                "str(sum([F(1, 3), F(1, 6)]))",
                "str(1 - F(1, 3))",
                "str(2 / F(3))",
                "int(F(-7, 2))",
                "str(F(2, 3) ** -2)",
            ),
            *(
                "[F(1, 3) < F(1, 2), F(1, 2) >= 0.5, F(1, 2) > 1, F(1, 3) < float('nan'), F(1, 3) < float('inf')]",
                "str(sorted([F(1, 2), F(1, 3), 0.4]))",
                "str([max(F(1, 3), F(1, 2)), min([F(5), F(-1)])])",
                "F(1) < 'a'",
                "[bool(F(0)), bool(F(1, 9)), 'yes' if F(0, 5) else 'no']",
                "[round(F(n, 2)) for n in range(-7, 8)]",
                "str([round(F(22, 7), 2), round(F(12345, 7), -2)])",
                "str([F(7, 2) // 1, F(-7, 2) % 1, 3 // F(2, 3), 7 % F(2, 3), divmod(F(7, 2), 2)])",
                "str(F.from_float(0.5))",
            ),
            *expressions(
                "str(F({0}, {1}) + F({2}, {3}))",
                "str(F({0}, {1}) * F({2}, {3}) - {0})",
                "str(F({0}, {1}) / F({2}, {3}))",
                "[F({0}, {1}) < F({2}, {3}), F({0}, {1}) >= {2} / 7, str(max(F({0}, {1}), F({2}, {3}))), bool(F({0}))]",
                "str(F({0}, {1}).limit_denominator(abs({3})))",
                arguments=lambda: [RANDOM.randint(-9, 99) for _ in range(4)],
            ),
        ],
    ),
    "urllib.parse": (
        "import urllib.parse\nfrom urllib.parse import *\n",
        [
            *(
                f"[list(urlparse({url!r})), list(urlsplit({url!r})), urlparse({url!r}).geturl(), urlparse({url!r}).hostname, "
                f"urldefrag({url!r})[0]]"
                for url in (
                    "http://user:p@ss@Host.org:80/a/b;c?d=1&e#f",
                    "//x/y",
                    "mailto:a@b.c",
                    "a;b/c;d",
                    "",
                    "http://[::1]:8080/",
                    "ftp://x/y;type=a",
                    "http://[x/",
                )
            ),
            *("urlparse('http://a:99/').port", "urlparse('http://a/').port", "urlsplit('http://a/')[1]"),
            *("str(urlsplit('http://a/b'))", "urlsplit('http://a/b')._replace(path='/c').geturl()"),
            *(f"urljoin('http://a/b/c?d', {url!r})" for url in ("../x", "y#z", "//q/r", "http://n", "?p", "")),
            *("parse_qs('a=1&b=&a=2&c', True)", "parse_qsl('a=%20+&b')", "parse_qsl('a', strict_parsing=True)"),
            *(
                "urlencode([('a', 'é /'), ('b', None)])",
                "urlencode({'a': [1, 'x']}, doseq=True)",
                "urlencode({'a': 'b c'}, quote_via=quote)",
            ),
            *(
                "quote('/a b?é~', safe='')",
                "quote(b'\\xe9/')",
                "quote_plus('a b&')",
                "unquote('%C3%A9+%zz')",
                "unquote_plus('a+%20')",
            ),
            "urllib.parse.urlunsplit(['http', 'a', '/b', 'c', 'd'])",
            *expressions(
                "[list(urlsplit({0})), urlsplit({0}).hostname, urlsplit({0}).geturl(), list(urlparse({0}))]",
                "[urljoin({0}, {1}), urljoin('http://a.b/c/d?e', {0}), urldefrag({0})]",
                "[parse_qsl({0}), parse_qsl({0}, True), quote({0}), quote_plus({0}, '&'), unquote({0}), unquote_plus({0})]",
                arguments=lambda: (address(), address()),
                times=60,
            ),
        ],
    ),
    "xml.etree.ElementTree": (
        "import io\nimport xml.etree.ElementTree as ET\n"
        f"root = ET.fromstring({XML!r})\nns = {{'p': 'u'}}\n"
        "facts = lambda es: [[e.tag, e.attrib, e.text, e.tail] for e in es]\n",
        [
            *("facts(root.iter())", "facts(root)", "list(root.itertext())", "[e.tag for e in root.iter('i')]"),
            *(
                f"facts(root.findall({path!r}, ns))"
                for path in (
                    *("i", ".//i", "*", "d/i", ".//b/..", "i[@id]", "i[@id='2']", ".//i[b]", ".//i[b='y']", "i[1]"),
                    *("i[last()]", "{u}i", "p:i", ".", ".//*", "d//b", "./d/i[2]", "i[@id!='2']", "{*}i", ".//i[.='']"),
                    *(
                        "/i",
                        "q:i",
                        "i[0]",
                        "none",
                        "i[@id='1']/b",
                        "d/",
                        ".//d//i",
                        "*//b",
                        "i[d/b]",
                        ".//..",
                        "i[@id!='1']",
                    ),
                )
            ),
            *(
                "root.findall('q:i')",
                "facts(root.findall('i', {'': 'u'}))",
                "root.find('p:i', ns).tag",
                "root.findall('')",
            ),
            *(
                "[len(root), len(root[0]), [e.tag for e in root.iter() if len(e)]]",
                "'some' if len(root[1]) else 'none'",
            ),
            *expressions(
                "facts(ET.fromstring('<r>' + {} + '</r>').findall({}))",
                "ET.tostring(ET.fromstring('<r>' + {0} + '</r>'), encoding='unicode')",
                "[one := ET.fromstring({0}.rstrip('x')), ET.indent(one), ET.tostring(one, encoding='unicode')][2]",
                arguments=lambda: (tree(3), "/".join(RANDOM.choice(STEPS) for _ in range(RANDOM.randint(1, 3)))),
            ),
            *(
                "root.find('x')",
                "root.findtext('i/b')",
                "root.findtext('x', 'd')",
                "root.findtext('d')",
                "root.find('i').get('id')",
            ),
            *(
                "ET.tostring(root, encoding='unicode')",
                "ET.tostring(ET.fromstring('<a b=\"&lt;&quot;&#10;\">&amp;</a>')).decode()",
            ),
            *(f"ET.fromstring({text!r})" for text in ("", "<a>", "<a></b>", "<a>&x;</a>", "text", "<a/><b/>")),
            *("ET.parse(io.StringIO('<a><b/></a>')).getroot()[0].tag", "ET.fromstring(b'<a>\\xc3\\xa9</a>').text"),
            "[e.tag for _, e in ET.iterparse(io.StringIO('<a><b><c/></b><d/></a>'))]",
        ],
    ),
    "email": (
        "import email, email.utils, email.policy, email.header\nfrom email import policy\nfrom email.header import decode_header\n"
        f"text = {MAIL!r}\nm = email.message_from_string(text)\n"
        "n = email.message_from_string(text, policy=policy.default)\n",
        [
            *(
                "m['subject']",
                "m.get('X', 'none')",
                "m.keys()",
                "m.is_multipart()",
                "m.get_content_type()",
                "m.get_boundary()",
            ),
            *("[p.get_content_type() for p in m.walk()]", "[p.get_filename() for p in m.walk()]", "m.get_all('to')"),
            *("[p.get_payload(decode=True) for p in m.walk()]", "m.get_payload(1).get_payload()", "'DATE' in m"),
            *("[p.get_content_charset() for p in m.walk()]", "[p.get_content_disposition() for p in m.walk()]"),
            *("str(n['subject'])", "n.get_body().get_content()", "[a.get_filename() for a in n.iter_attachments()]"),
            *("decode_header(m['subject'])", "str(email.header.make_header(decode_header('=?utf-8?b?w6k=?= x')))"),
            *(
                "email.utils.parseaddr('Ann <a@b>')",
                "email.utils.getaddresses([m['to']])",
                "email.utils.formataddr(('A, B', 'c@d'))",
            ),
            *("str(email.utils.parsedate_to_datetime(m['date']))", "email.utils.parsedate_to_datetime('x')"),
            "email.message_from_string('no headers\\n\\nbody').get_payload()",
        ],
    ),
    "quopri": (
        "import quopri\n",
        ["quopri.decodestring('=C3=A9=\\nx_')", "quopri.decodestring(b'a_b=20', header=True)"],
    ),
    "calendar": (
        "import calendar\n",
        [
            *(f"calendar.timegm({moment})" for moment in ((1969, 12, 31, 23, 59, 59), (2024, 2, 29, 1, 2, 3, 0, 0, 0))),
            *(
                f"list(calendar.monthrange({year}, {month}))"
                for year in (1900, 2000, 2023, 2024)
                for month in range(14)
            ),
            *(
                "list(calendar.month_name)",
                "list(calendar.day_abbr)",
                "calendar.isleap(2000)",
                "calendar.leapdays(1999, 2025)",
            ),
        ],
    ),
    "collections": (
        "import collections\nfrom collections import ChainMap, Counter, OrderedDict\nfrom collections.abc import Iterable, Mapping, Sequence, Set, Sized\n"
        "import collections.abc as cabc\nc = ChainMap({'a': 1}, {'a': 2, 'b': 3})\n"
        "from collections import UserDict, UserList\n"
        "class Lower(UserDict):\n"
        "    def __setitem__(self, key, value): super().__setitem__(key.lower(), value)\n"
        "    def __missing__(self, key): return self['a'] if key == 'A' else None\n"
        "class Squares(Mapping[int, int]):\n"
        "    def __getitem__(self, key):\n        if key > 2: raise KeyError(key)\n        return key * key\n"
        "    def __iter__(self): return iter([1, 2])\n    def __len__(self): return 2\n"
        "class Letters(Sequence):\n"
        "    def __getitem__(self, place): return 'abca'[place]\n    def __len__(self): return 4\n"
        "class Half(Sequence):\n    def __len__(self): return 0\n"
        "class Notes(cabc.MutableMapping):\n    def __init__(self): self.kept = {}\n"
        "    def __getitem__(self, key): return self.kept[key]\n"
        "    def __setitem__(self, key, value): self.kept[key] = value\n"
        "    def __delitem__(self, key): self.kept.pop(key)\n"
        "    def __iter__(self): return iter(self.kept)\n    def __len__(self): return len(self.kept)\n"
        "class Down(cabc.Iterator):\n    def __init__(self, n): self.n = n\n"
        "    def __next__(self):\n        if not self.n: raise StopIteration\n        self.n -= 1\n        return self.n\n"
        "class Bag(Set):\n    def __init__(self, items): self.items = list(items)\n"
        "    def __contains__(self, item): return item in self.items\n"
        "    def __iter__(self): return iter(self.items)\n    def __len__(self): return len(self.items)\n"
        "def moved(*key, **last):\n    d = OrderedDict(a=1, b=2, c=3)\n    d.move_to_end(*key, **last)\n    return list(d.items())\n"
        "lower, taken, squares, letters, notes = Lower({'A': 1}, B=2), UserList([3, 1, 2]), Squares(), Letters(), Notes()\n",
        [
            *(
                "list(OrderedDict([('b', 1), ('a', 2)]).items())",
                "collections.OrderedDict(a=1)['a']",
                "Counter('aab')['a']",
            ),
            *(
                "c['a']",
                "c['b']",
                "c['z']",
                "c.get('z', 0)",
                "sorted(c)",
                "dict(c.items())",
                "c.new_child({'b': 9})['b']",
                "'b' in c",
            ),
            *(
                "[dict(c), {**c, 'x': 1}, (lambda **named: named)(**c), len(c), str(c), str(c.parents)]",
                "[len(ChainMap()), bool(ChainMap()), c == {'a': 1, 'b': 3}, '{a}'.format_map(c)]",
                "c.pop('b')",
                "moved('a')",
                "moved('c', last=False)",
                "moved('no')",
                "(lambda d: [d.popitem(last=False), d.popitem(), list(d)])(OrderedDict(a=1, b=2, c=3))",
                "OrderedDict().popitem()",
            ),
            *(
                "[sorted(lower), lower['A'], lower['none'], 'b' in lower, len(lower), dict(lower), str(lower)]",
                "[lower.pop('a', 0), lower.pop('no', 0), lower.setdefault('b', 5), lower == {'b': 2}]",
                "[list(taken), taken[0], taken[:2].data, len(taken), taken.index(1), taken == [3, 1, 2]]",
                "[taken.pop(), taken.append(5), taken.count(5), 3 in taken, list(reversed(taken))]",
            ),
            *(
                "[squares.get(2), squares.get(9), squares.get(9, 'no'), list(squares), list(squares.items())]",
                "[2 in squares, 9 in squares, len(squares), dict(squares), squares == {1: 1, 2: 4}, list(squares.values())]",
                "[isinstance(squares, Mapping), issubclass(Squares, Mapping), isinstance(squares, Sequence)]",
                "[list(letters), list(reversed(letters)), letters.index('b'), letters.count('a'), 'c' in letters, letters[-1]]",
                "letters.index('z')",
                "Half()",
                "[notes.update({'a': 1}, b=2), notes.pop('a'), notes.setdefault('c', 3), list(notes.items()), notes.popitem()]",
                "notes.pop('no')",
                "[isinstance(kind, (Mapping, str)) for kind in (squares, {}, 'a', [], notes)]",
                "[list(Down(3)), isinstance(Down(1), Iterable), sorted(Bag('ab') & Bag('bc')), Bag('a') <= Bag('ab')]",
            ),
            *(
                f"isinstance({value}, {kind})"
                for value in ("[]", "{}", "''", "iter([])", "1", "(1,)", "{1}", "len", "None", "{}.keys()", "range(2)")
                for kind in (
                    "Iterable",
                    "Mapping",
                    "Sequence",
                    "cabc.Iterator",
                    "collections.abc.Callable",
                    "Set",
                    "Sized",
                )
            ),
        ],
    ),
    "functools": (
        "import functools\ndef logged(f):\n    @functools.wraps(f)\n    def wrapper(*a): return f(*a)\n    return wrapper\n",
        ["logged(len)('ab')", "functools.reduce(lambda a, b: a + b, [1, 2])"],
    ),
    "typing": (
        "from typing import NamedTuple, TypedDict, NewType, cast, List, Optional, Deque\nimport typing\nimport typing as t\n"
        "from typing import Literal, get_args, get_origin, TypeVar, Union, Callable, Any, Annotated, ParamSpec, Final\n"
        "import collections.abc\nKind = Literal['low', 'high']\nHandler = Callable[[str], int]\n"
        "Json = Union[dict, list, str, None]\nLIMIT: Final = 3\n"
        "Pair = NamedTuple('Pair', [('x', int), ('y', int)])\nT = TypedDict('T', {'a': int})\n",
        [
            "Pair(1, y=2).y",
            "list(Pair(1, 2))",
            "T(a=1)",
            "cast(int, 'x')",
            "NewType('N', int)(3)",
            "typing.cast(str, 1)",
            "[get_args(Kind), get_origin(Kind) is Literal, 'low' in get_args(Kind), get_args(Literal[Kind, 'x', 'x'])]",
            "str([Kind, Handler, List[int], t.Dict[str, t.List[int]], t.Tuple[int, ...], Any])",
            "str([get_args(Handler), get_args(Json), get_args(list[int]), get_args(int | None), get_args(int)])",
            "[get_origin(List[int]) is list, get_origin(Handler) is collections.abc.Callable, get_origin(Json) is Union]",
            "[get_origin(dict[str, int]) is dict, get_origin(t.Dict) is dict, get_origin(int)]",
            "[get_origin(Annotated[int, 1]) is Annotated, str(TypeVar('T')), Union[int] is int]",
            "[List[int] == List[int], List[int] == List[str], len({List[int], List[int]})]",
            "[Union[int, str] == Union[str, int], Handler | None == None | Handler, get_args(Union[int, Json])[0] is int]",
            "[isinstance([], List), isinstance({}, t.Mapping), isinstance(1, Union[int, str]), isinstance(None, Optional[int])]",
            "isinstance(1, Kind)",
            "isinstance([], List[int])",
            "List()",
            "[LIMIT, ParamSpec('P') is not None, typing.assert_type(3, int)]",
            "typing.assert_never('x')",
        ],
    ),
    "time": ("import time\n", ["time.sleep(0)"]),
}


def _plain(value: Any) -> Any:
    """As an answer is kept: tuples and sets are lists, keys are texts where they are no plain data."""
    if isinstance(value, list | tuple | set):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


@pytest.mark.parametrize("name", CASES)
def test_module_gives_what_cpython_gives(name: str) -> None:
    setup, tries = CASES[name]
    code = setup + TRIED + "Final = [\n" + "".join(f"    tried(lambda: {one}),\n" for one in tries) + "]\n"
    named = "\nFinal = [[k, v if k == 'value' else type(v).__name__] for k, v in Final]"
    here = final_of(code + named, context=TEXT)
    there: dict[str, Any] = {}
    exec(code, there)
    wrong = []
    for one, (kind, value), (expected_kind, expected) in zip(tries, here, there["Final"], strict=True):
        if expected_kind == "error":
            right = kind == "error" and value in [base.__name__ for base in type(expected).__mro__[:-3]]
        else:
            right = kind == "value" and value == _plain(expected)
        if not right:
            wrong.append(f"{one}\n  is {value!r}\n  and should be {expected!r}")
    assert not wrong, "\n".join(wrong)


# -- which of them are needed -----------------------------------------------------------------------------------------


FALLS_SHORT = {
    "typing": "import typing\ntyping.Literal['a']",
    "asyncio": "import asyncio\nasyncio.Semaphore(1)",
}
"""Modules that Monty has too, each with what it cannot do."""
WHOLE = sorted(
    name
    for name in modules.names()
    if modules.ADDITIONS not in name and name not in ("re", *FALLS_SHORT) and modules.source(name)
)
ADDED = sorted(
    (module.partition(".")[2], name)
    for module in modules.names()
    if module.startswith(f"{modules.ADDITIONS}.")
    for name in modules.exported(module)
)


def runs(session: MontySession, code: str) -> bool:
    """Whether Monty runs it by itself."""
    try:
        return isinstance(session.feed_start(code), MontyComplete)
    except MontyError:
        return False


def test_monty_lacks_what_is_here() -> None:
    wanted = (
        [f"import {name}" for name in WHOLE]
        + [*FALLS_SHORT.values()]
        + [f"from {module} import {name}" for module, name in ADDED]
    )
    there = []
    with Monty(max_processes=1) as pool:
        for code in wanted:
            with pool.checkout() as session:
                there += [code] if runs(session, code) else []
    assert not there, "Monty has it by now: ours is to go"


@pytest.mark.parametrize("name", [*WHOLE, *sorted({module for module, _ in ADDED})])
def test_module_is_compared_with_cpython(name: str) -> None:
    elsewhere = {"logging", "warnings", "abc", "enum"}  # the latter two in test_language.py
    elsewhere |= {"asyncio", "json", "pathlib", "sys", "traceback"}  # in test_standard_library.py
    assert name.startswith("_") or name in CASES or name.split(".")[0] in {*CASES, *elsewhere}


# -- what they do by printing, by asking models, and to the host --------------------------------------------------------


def test_logging_and_warnings_are_printed() -> None:
    ran = run(
        "import logging, warnings\nlog = logging.getLogger('mine')\nlog.info('no')\nlogging.warning('%s of %d', 'a', 2)\n"
        "logging.basicConfig(level=logging.INFO, format='%(name)s %(message)s', force=True)\nlog.info('yes')\n"
        "warnings.warn('careful')\nwarnings.simplefilter('ignore')\nwarnings.warn('no more')\nFinal = 1"
    )
    assert ran.outputs[0] == "WARNING:root:a of 2\nmine yes\nUserWarning: careful\n"


def test_prompts_of_an_executor_are_asked_together() -> None:
    def answer(prompt: str) -> str:
        time.sleep(0.1)  # so that others are asked meanwhile
        return prompt

    for asked in (
        "list(pool.map(llm_query, prompts))",
        "[f.result() for f in [pool.submit(llm_query, p) for p in prompts]]",
        "[f.result() for f in cf.as_completed([pool.submit(lambda p: int(llm_query(p)), p) for p in prompts])]",
    ):
        code = f"import concurrent.futures as cf\nprompts = [str(i) for i in range(6)]\npool = cf.ThreadPoolExecutor(4)\nFinal = {asked}"
        ran = run(code, answer=answer)
        assert [int(answer) for answer in ran.answer] == list(range(6))
        assert ran.model.most_in_flight > 1, asked


BOMBS = {
    "import html; html.unescape('&lt ' * 1_000_000)": "at most 1,000,000 characters",
    "import textwrap; textwrap.wrap('a' * 200_000)": "at most 10,000 characters",
    "import textwrap; textwrap.wrap('\\t' * 20_000, tabsize=10**9)": "at most",
    "import textwrap; textwrap.wrap('ab-c', 1, initial_indent='* ')": "width must be larger",
    "import textwrap; textwrap.wrap('a ' * 9, initial_indent=' ' * 10_000)": "at most 100",
    "import statistics; statistics.stdev([10 ** 4000] * 1000)": "TypeError",
    "import statistics; statistics.mean(list(range(200_000)))": "at most 100,000",
    "__rlm__['standard']('statistics', 'NormalDist', [1], [])": "TypeError",
    "import difflib; difflib.SequenceMatcher(None, 'ab' * 9000, 'ba' * 9000, False).ratio()": "at most 5,000,000 comparisons",
    "import difflib; difflib.get_close_matches('ab' * 90, ['ba' * 90 + str(i) for i in range(900)])": "at most 5,000,000 comparisons",
    "import difflib; difflib.ndiff([f'{i} b' for i in range(900)], [f'{i} a' for i in range(900)])": "at most 5,000,000 comparisons",
    "import difflib; difflib.ndiff(['ab' * 90 + '!'] * 100, ['ba' * 90] * 100)": "at most 5,000,000 comparisons",
    "import difflib; difflib.ndiff(['a'], [1])": "lists of str",
    "import ast; ast.parse('(' * 5000 + ')' * 5000)": "Error",
    "import ast; ast.parse('-' * 100_000 + '1')": "nested too deeply",
    "import ast; ast.parse('a=b\\n' * 40_000)": "at most 100,000 nodes",
    "import ast; ast.literal_eval('[' * 100 + ']' * 100 + '+' * 50_000)": "Error",
    "import ast; n = ast.parse('x').body[0]; n._fields = ('__class__',); ast.unparse(n)": "Error",
    "import ast; ast.unparse(type('__builtins__', (), {'_fields': ()})())": "no syntax tree",
    "import xml.etree.ElementTree as E; E.fromstring('<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>')": "DOCTYPE",
    "import xml.etree.ElementTree as E; E.fromstring('<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>')": "DOCTYPE",
    "import xml.etree.ElementTree as E; E.fromstring('<a>' * 5000)": "at most 500 deep",
    "import xml.etree.ElementTree as E; E.fromstring('<a>' + ' ' * 2_000_000 + '</a>')": "parse the records one by one",
    "import xml.etree.ElementTree as E; E.fromstring('<a>' + '<b/>' * 200_000)": "at most 100,000 elements",
    "import email; email.message_from_string('A: b\\n' * 100_000)": "at most 30,000 headers",
    "import email; email.message_from_string('Content-Type: multipart/mixed; boundary=b\\n\\n--b\\n' * 5000)": "at most",
    "__rlm__['standard']('codec.decode', b'a', 'zip', 'strict')": "unknown encoding",
    "import json; json.loads('[' * 50_000, object_hook=len)": "nested too deeply",
    "import json; json.loads('[1' + ', 1' * 200_000 + ']', parse_int=str)": "at most 300,000 characters",
    "import json; json.loads('1' * 10_000, parse_float=str)": "ValueError",
    "import pprint; x = 1\nfor _ in range(150): x = [x]\n__rlm__['standard']('pprint.pformat', x, {})": "deep",
}


@pytest.mark.parametrize("code", BOMBS)
def test_what_would_take_the_host_long_is_refused(code: str) -> None:
    assert BOMBS[code] in error_of(code)


def test_host_works_out_nothing_else() -> None:
    assert "no function 'os.system'" in error_of("__rlm__['standard']('os.system', 'true')")
    assert "takes other arguments" in error_of("__rlm__['standard']('html.unescape', 1)")
    assert "takes other arguments" in error_of("class A: pass\n__rlm__['standard']('pprint.pformat', [A()], {})")


def test_functions_of_the_host_take_no_time_beyond_their_bounds() -> None:
    assert all(function.most <= 2_000_000 for function in standard.FUNCTIONS.values())


def test_source_that_is_parsed_warns_nobody() -> None:
    code = "from langgraph_rlm.repl.syntax import parsed; parsed('x = \"\\\\d\"')"
    told = subprocess.run([sys.executable, "-W", "default", "-c", code], capture_output=True, text=True, check=True)
    assert "escape" not in told.stderr
