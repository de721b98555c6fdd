"""Programs of the standard library's everyday names print here what they print in CPython."""

from __future__ import annotations

import contextlib
import io
import time
import warnings
from typing import Any

import pytest

from langgraph_rlm.repl.rewriting.lacking import USUAL
from tests.fakes import error_of, run

PROGRAMS = {
    "a limit in async with": r"""
import asyncio as aio
from asyncio import gather, Semaphore
async def double(x): return x * 2
async def main():
    limit = Semaphore(2)
    async def one(x):
        async with limit:
            return await double(x)
    return await gather(*[one(x) for x in 'abc'])
print(aio.run(main()))
# next cell
async def more():
    async with aio.Lock(), aio.Semaphore(1):
        return await one_more()
async def one_more(): return 1
print(aio.run(more()))
""",
    "a context manager of coroutines": r"""
import asyncio
class Pool:
    async def __aenter__(self):
        print('in')
        return 5
    async def __aexit__(self, kind, error, trace):
        print('out', kind is not None)
        return True
async def main():
    async with Pool() as n:
        print(n)
        raise KeyError(n)
    print('after')
asyncio.run(main())
""",
    "tasks": r"""
import asyncio
async def work(n):
    print('begins', n)
    if n == 2: raise ValueError(f'bad {n}')
    return n * 10
async def main():
    task = asyncio.create_task(work(1))
    print('made')
    print(await task, task.done())
    bad = asyncio.create_task(work(2))
    try: await bad
    except ValueError as e: print(e, repr(bad.exception()))
    first, second = [asyncio.create_task(work(n)) for n in (3, 4)]
    print(await second, first.result())
    later = asyncio.create_task(work(5))
    await asyncio.sleep(0.01)
    print(later.done(), later.result())
    async def outer(): return await asyncio.create_task(work(6)) + 1
    print(await asyncio.gather(outer(), asyncio.create_task(outer())))
    print([repr(e) for e in await asyncio.gather(work(2), work(7), return_exceptions=True)])
    async with asyncio.TaskGroup() as group:
        inner = group.create_task(work(8))
    print(inner.result())
    done, pending = await asyncio.wait([asyncio.create_task(work(9))])
    print(len(done), len(pending))
    print(sorted([await one for one in asyncio.as_completed([asyncio.sleep(0, 3), asyncio.sleep(0, 1)])]))
    print(await asyncio.wait_for(asyncio.shield(work(1)), timeout=3), await asyncio.to_thread(len, 'abc'))
    print(await asyncio.get_running_loop().run_in_executor(None, len, 'ab'))
asyncio.run(main())
loop = asyncio.new_event_loop()
print(loop.run_until_complete(work(4)))
loop.close()
""",
    "JSON in chatter": r"""
import json
from json import JSONDecoder, JSONDecodeError
def first(text):
    for i, c in enumerate(text):
        if c in '{[':
            try: return JSONDecoder().raw_decode(text[i:])
            except JSONDecodeError: continue
print(first('Sure! {not json} here: {"a": {"b": [1]}} and {more}'))
d = json.JSONDecoder()
for text, place in [('{"a": [1, 2.5, null]} é', 0), ('xx [1, "é"] ]', 3), ('12abc', 0), ('01', 0), ('1e', 0), ('-1-', 0)]:
    print(d.raw_decode(text, place))
many, place, total = ' '.join('{"i": %d, "x": "%s"}' % (i, 'y' * (i * 37 % 5000)) for i in range(60)), 0, 0
while place < len(many):
    value, place = d.raw_decode(many, place)
    total += value['i']
    while place < len(many) and many[place] == ' ': place += 1
print(total, place == len(many))
""",
    "what is wrong with JSON": r"""
import json
texts = ['', '{', '{"a"', '{"a":', '{"a": 1,}', '[1,]', '[1 2]', '{a: 1}', 'nul', '"abc', '"\x01"', '"\\x"', '1 2',
  '{"a": 1} {', '[1,\n 2,\n x]', '-', '01', '"\\u12"', '\ufeff{}', '[1}', '1.', '.5', '{"a":1, 2:3}', '{"é": é}', '[1', 'NaN']
for text in texts:
    try: print(json.loads(text))
    except json.JSONDecodeError as e: print(e, e.msg, e.pos, e.lineno, e.colno, e.doc == text)
for text, place in [('', 0), (' 1', 0), ('x{', 1), ('\n\n{x', 2), ('[1,', 0)]:
    try: json.JSONDecoder().raw_decode(text, place)
    except ValueError as e: print(e, e.pos, e.doc == text)
try: raise json.JSONDecodeError('no', 'a\nb', 3)
except json.JSONDecodeError as e: print(e, e.lineno)
""",
    "hooks of JSON": r"""
import json
from decimal import Decimal
from types import SimpleNamespace
print(json.loads('[{}, {"a": {"b": 1}}]', object_hook=lambda d: list(d.items())))
print(json.loads('{"a": 1, "a": [2, {}]}', object_pairs_hook=lambda pairs: pairs))
print(json.loads('[1.10, 2, -0, 1e3, NaN, -Infinity, "1", true]', parse_float=Decimal, parse_int=lambda n: n + '!', parse_constant=str))
print(json.loads('{"a": {"b": 2}}', object_hook=lambda d: SimpleNamespace(**d)).a.b, json.loads('"a\nb"', strict=False))
try: json.loads('[1', object_hook=len)
except ValueError as e: print(e)
class Lists(json.JSONDecoder):
    def __init__(self, **options): super().__init__(object_hook=list, **options)
print(json.loads('{"a": {"b": 1}}', cls=Lists))
""",
    "encoders of JSON": r"""
import json
from datetime import date
class Dates(json.JSONEncoder):
    def default(self, o):
        if isinstance(o, date): return o.isoformat()
        return super().default(o)
print(json.dumps({'b': [date(2024, 1, 2)], 'a': 'é'}, cls=Dates, indent=1, sort_keys=True, ensure_ascii=False))
print(Dates(separators=(',', ':')).encode({1: date(2024, 1, 1)}), ''.join(json.JSONEncoder().iterencode([1, 'a'])))
try: json.dumps([{1}], cls=Dates)
except TypeError as e: print(e)
print(json.dumps({(1, 2): {3}, 'a': {4}}, default=list, skipkeys=True))
""",
    "names that JSON has too": r"""
def load(x, **options): return x
try: print(load('q'))
except Exception as e: print(e)
""",
    "the error that is handled": r"""
import traceback, sys
class Mine(Exception): pass
def last(text): return text.splitlines()[-1].rpartition('.')[2]
for error in (KeyError('a'), ValueError(), Mine('x', 2)):
    try: raise error
    except Exception as e:
        print(last(traceback.format_exc()), last(''.join(traceback.format_exception(e))), sys.exc_info()[1] is e or str(e))
print(sys.exc_info(), traceback.format_exception_only(IndexError('i')), sys.exception())
""",
    "leaving by sys.exit": r"""
import sys
for status in (None, 1, 'no text'):
    try: sys.exit(status)
    except Exception: print('never')
    except SystemExit as e: print('left', e)
sys.setrecursionlimit(5000)
print(sys.getrecursionlimit())
""",
    "modules under other names": r"""
import json as j, functools as ft, collections as c
print(j.JSONDecoder().raw_decode('[1] 2'), j.loads('{"a": 1}', object_hook=list), c.UserDict(a=1), c.OrderedDict(a=1)['a'])
@ft.singledispatch
def kind(x): return 'any'
print(kind(1))
""",
    "paths": r"""
import os
from pathlib import Path, PurePosixPath
p = PurePosixPath('/a/b.tar.gz')
print(p.name, p.stem, p.suffix, p.parent, str(p / 'c'), p.with_suffix('.x'), p == PurePosixPath('/a//b.tar.gz'))
print(os.path.splitext('a/b.c'), os.path.basename('a/b'), os.path.join('a', '/b', 'c'), os.sep, Path('x.py').suffix)
""",
    "functions by type": r"""
from functools import singledispatch
from collections import Counter
class A: pass
class B(A): pass
@singledispatch
def kind(x): return 'any'
@kind.register(int)
def _(x): return 'int'
@kind.register
def _(x: list): return 'list'
@kind.register
def of_many(x: dict | set, by=0): return f'many {by}'
@kind.register
def _(x: A): return 'A'
print([kind(x) for x in (1, [], 'a', True, None, {}, {1}, Counter(), A(), B())])
# next cell
print(kind({}, by=2), kind.dispatch(bool)(1), of_many(3), len(kind.registry))
""",
    "exceptions of networks and files": r"""
def call(n):
    if n < 2: raise [ConnectionError('reset'), TimeoutError('late')][n]
    return n
for n in range(3):
    try: print(call(n))
    except (ConnectionError, TimeoutError) as e: print(type(e).__name__, e, repr(e), isinstance(e, OSError))
# next cell
try: call(0)
except Exception as e: print(type(e).__name__, e.args)
try: call(0)
except OSError as e: print(e)
try: call(0)
except ValueError: print('no')
except ConnectionError: print('caught')
try: raise BrokenPipeError(32, 'Broken pipe')
except ConnectionError as e: print(e, e.errno)
try: 'é'.encode('ascii')
except UnicodeError as e: print(type(e).__name__)
try: raise EOFError
except EOFError as e: print(repr(e), issubclass(ConnectionResetError, OSError))
try: raise ExceptionGroup('many', [ValueError('a'), KeyError('b')])
except ExceptionGroup as e: print(e, [type(x).__name__ for x in e.exceptions])
class Old(DeprecationWarning): pass
try: raise Old('o')
except Warning as e: print(repr(e))
""",
    "a class of one's own that has the name of an exception": r"""
class ConnectionError(Exception):
    def __init__(self, n): super().__init__(f'mine {n}')
# next cell
try: raise ConnectionError(3)
except ConnectionError as e: print(e, isinstance(e, OSError))
""",
    "the type of an error": r"""
for wrong in (lambda: 1 / 0, lambda: [][1], lambda: int('x')):
    try: wrong()
    except Exception as e:
        print(type(e) is ValueError, type(e) in (IndexError, KeyError), type(e).__name__, {ZeroDivisionError: 1}.get(type(e)))
""",
    "methods of operators": r"""
d, xs = {'b': 1, 'a': 2}, [3, 1]
print(sorted(d, key=d.__getitem__), list(map('abc'.__contains__, 'ax')), list(map(str.__len__, ['a', 'bb'])))
print((3).__add__(4), (1).__add__('a'), 'a'.__eq__('a'), max([0, 1], key=xs.__getitem__), (1).__repr__())
class A:
    def __len__(self): return 3
class B(A):
    def __len__(self): return super().__len__() + 1
print(B().__len__(), A().__len__())
""",
    "an import that is not used": r"""
try:
    import no_such_thing
    has = True
except ImportError:
    has = False
print(has)
""",
    "imports that later cells use": r"""
from __future__ import annotations
from dataclasses import dataclass, field
from itertools import takewhile
from decimal import Decimal as D
import os.path, posixpath as paths
print('imported')
# next cell
@dataclass
class A:
    xs: list = field(default_factory=list)
print(A(), list(takewhile(lambda x: x < 2, [1, 2])), D('1.1'), paths.basename('a/b'), os.path.sep)
""",
    "a name for annotations that ends runs": r"""
from typing import Final
LIMIT: Final = 3
print(LIMIT)
# next cell
print('still here')
""",
}
"""Each a few cells."""


def printed_by_cpython(cells: list[str]) -> str:
    names: dict[str, Any] = {"__name__": "__main__"}
    out = io.StringIO()
    with contextlib.redirect_stdout(out), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for code in cells:
            exec(compile(code, "<cell>", "exec", dont_inherit=True), names)
    return out.getvalue()


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_prints_what_it_prints_in_cpython(name: str) -> None:
    cells = PROGRAMS[name].split("# next cell\n")
    ran = run(*cells, "Final = 1")
    assert ran.errors == [None] * (len(cells) + 1)
    assert "".join(ran.outputs) == printed_by_cpython(cells)


ASYNC = "import asyncio\nprompts = list('abcdefgh')\nasync def one(prompt): return llm_query(prompt)\n"


@pytest.mark.parametrize(
    "code",
    [
        "async def main():\n    limit = asyncio.Semaphore(2)\n    async def limited(p):\n        async with limit:\n"
        "            return await one(p)\n    return await asyncio.gather(*map(limited, prompts), return_exceptions=True)",
        "async def main():\n    tasks = [asyncio.create_task(one(p)) for p in prompts]\n    return [await task for task in tasks]",
        "async def main():\n    return [await each for each in asyncio.as_completed([one(p) for p in prompts])]",
        "async def main():\n    async with asyncio.TaskGroup() as group:\n        tasks = [group.create_task(one(p)) for p in prompts]\n"
        "    return [task.result() for task in tasks]",
        "async def main():\n    loop = asyncio.get_running_loop()\n"
        "    return await asyncio.gather(*[loop.run_in_executor(None, llm_query, p) for p in prompts])",
    ],
)
def test_prompts_of_tasks_are_asked_together(code: str) -> None:
    def answer(prompt: str) -> str:
        time.sleep(0.05)  # so that others are asked meanwhile
        return prompt.upper()

    ran = run(f"{ASYNC}{code}\nFinal = asyncio.run(main())", answer=answer)
    assert ran.answer == list("ABCDEFGH")
    assert ran.model.most_in_flight > 1


def test_an_idle_import_of_what_is_not_here_is_told_and_costs_no_cell() -> None:
    ran = run(
        "import linecache, statistics\nfrom functools import singledispatchmethod\nprint(statistics.mean([1, 3]))",
        "linecache.getline('a', 1)",
        "Final = 1",
    )
    assert "No module named 'linecache' here" in ran.outputs[0]
    assert "singledispatchmethod of functools is not here, and this cell does not use it: use " in ran.outputs[0]
    assert ran.outputs[0].endswith("\n2\n")
    assert ran.errors[0] is None
    assert "its import found nothing" in (ran.errors[1] or "")


def test_what_leaves_a_cell_is_told_to_end_it_otherwise() -> None:
    assert "To leave it early" in error_of("import sys\nsys.exit(1)")
    assert "1,000 deep" in error_of("def f(n): return f(n + 1)\nf(0)")


def test_names_that_are_taken_for_granted_are_there() -> None:
    code = "\n".join(f"from {module} import {', '.join(sorted(names))}" for module, names in USUAL.items())
    assert run(f"{code}\nFinal = [{', '.join(name for names in USUAL.values() for name in names)}] and 1").answer == 1
