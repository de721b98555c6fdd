"""Exceptions of one's own, and causes: cells print what CPython prints."""

from __future__ import annotations

import pytest

from tests.unit.repl.rewriting.printed import print_the_same

PROGRAMS = {
    "causes": r"""
class AppError(Exception):
    pass

try:
    try:
        int("x")
    except ValueError as e:
        raise AppError("failed") from e
except AppError as e:
    print(repr(e.__cause__), e)
try:
    try:
        int("x")
    except ValueError as e:
        raise RuntimeError("failed") from e
except RuntimeError as e:
    print(repr(e.__cause__), e)
""",
    "classes that are raised": r"""
class E(Exception):
    pass

try:
    raise E
except E as e:
    print(repr(e), str(e) == "", e.args)
try:
    try:
        {}["k"]
    except KeyError:
        raise E("nope") from None
except E as e:
    print(e.__cause__, e)
""",
    "raised again, and out of built-ins": r"""
class E(Exception):
    pass

class F(E):
    pass

def a():
    try:
        raise F("x", 3)
    except E:
        raise

def b():
    try:
        a()
    finally:
        print("fin")

try:
    b()
except E as e:
    print(type(e).__name__, e.args)
saved = None
try:
    b()
except F as e:
    saved = e
try:
    raise saved
except E as e:
    print(e is saved)
errs = []
for i in range(300):
    try:
        raise F(i)
    except E as e:
        errs.append(e)
print(errs[5].args, errs[299].args)

def g():
    try:
        yield 1
    except ValueError as e:
        print("in", e)

it = g()
next(it)
try:
    it.throw(ValueError("thrown"))
except StopIteration:
    print("stop")
print(sorted([1], key=lambda x: x))

def key(x):
    raise F("in key")

try:
    sorted([1, 2], key=key)
except E as e:
    print(e)
try:
    list(map(key, [1]))
except E as e:
    print(e)
""",
    "texts of their own": r"""
class E(Exception):
    def __str__(self):
        return "E!" + self.args[0]

try:
    raise E("q")
except Exception as e:
    print(str(e), f"{e}", f"{e!r}")
""",
    "arguments without super()": r"""
class E(Exception):
    def __init__(self, code, msg="x"):
        self.code = code

try:
    raise E(3, msg="y")
except E as e:
    print(e, e.args, repr(e), e.code)

class F(E):
    pass

try:
    raise F(4, "z")
except E as e:
    print(e, e.args, repr(e))

class G(ValueError):
    def __init__(self, a, b):
        super().__init__(f"{a}-{b}")
        self.a = a

try:
    raise G(1, 2)
except ValueError as e:
    print(e, e.args, e.a)

class H(KeyError):
    pass

try:
    raise H("k")
except KeyError as e:
    print(e, repr(e))
""",
    "with and finally": r"""
class E(Exception):
    def __init__(self, n):
        super().__init__(f"n={n}")
        self.n = n

class CM:
    def __enter__(self):
        return self

    def __exit__(self, t, e, tb):
        print("exit", t.__name__ if t else None, e)
        return isinstance(e, E) and e.n == 1

for n in (1, 2):
    try:
        with CM():
            raise E(n)
        print("swallowed")
    except E as e:
        print("caught", e.n)
    else:
        print("else")
    finally:
        print("fin")

def f():
    try:
        raise E(5)
    finally:
        print("cleanup")

try:
    f()
except (ValueError, E) as e:
    print(e.n, e)
try:
    try:
        raise E(1)
    except E as e:
        raise ValueError("v") from e
except ValueError as v:
    print(repr(v), repr(v.__cause__), v.__cause__.n)

def g():
    try:
        raise E(7)
    except Exception:
        raise

try:
    g()
except E as e:
    print(e.n)
try:
    raise E(1) if True else ValueError()
except E as e:
    err = e
print(err.n, isinstance(err, E), isinstance(err, Exception), type(err) is E)

class Multi(E, ValueError):
    pass

try:
    raise Multi(3)
except ValueError as e:
    print(type(e).__name__, e.n)
""",
    "contextmanager and throw()": r"""
from contextlib import contextmanager, suppress

class E(Exception):
    def __init__(self, n):
        super().__init__(n)
        self.n = n

@contextmanager
def cm():
    try:
        yield 5
    except E as e:
        print("in", e.n, e)
        if e.n == 2:
            raise
    finally:
        print("fin")

with cm() as x:
    raise E(1)
try:
    with cm():
        raise E(2)
except E as e:
    print("out", e.n)
with suppress(E):
    raise E(3)
with suppress(ValueError, KeyError):
    {}["x"]
try:
    with suppress(ValueError):
        raise E(4)
except E as e:
    print(e.n)

@contextmanager
def plain():
    yield

try:
    with plain():
        raise E(6)
except E as e:
    print(e.n, type(e) is E)

def gen():
    try:
        yield 1
    except E as e:
        yield ("got", e.n)

g = gen()
next(g)
print(g.throw(E(9)))
""",
    "no Exception, and attributes that are raised": r"""
class Stop(BaseException):
    pass

class Quit(KeyboardInterrupt):
    pass

for kind in (Stop, Quit):
    try:
        raise kind("s")
    except Exception:
        print("no")
    except kind as e:
        print(type(e).__name__, e)
    try:
        raise kind
    except:
        print("bare")

class E(Exception):
    pass

class Result:
    def __init__(self, error):
        self.error = error

    def make(self, text):
        return E(text)

    kinds = {"e": E}

r = Result(E("kept"))
try:
    raise r.error
except E as e:
    print(e, e is r.error)
try:
    raise r.make("made")
except E as e:
    print(e)
try:
    raise r.kinds["e"]("by key")
except E as e:
    print(e)
try:
    raise r.error from ValueError("v")
except E as e:
    print(repr(e.__cause__))
try:
    raise ValueError("x") from E
except ValueError as e:
    print(type(e.__cause__).__name__, repr(e.__cause__))

def f():
    try:
        raise E("inner")
    except E as e:
        return e
    finally:
        print("finally")

print(f().args)
try:
    try:
        raise E("a")
    except E:
        {}["b"]
except (KeyError, E) as e:
    print(repr(e), e.__cause__)
try:
    try:
        int("x")
    except ValueError as error:
        raise E("wrapped") from error
except E as e:
    cause = e.__cause__
    print(type(cause).__name__, cause, cause.args)

def chain(e):
    while e is not None:
        print(type(e).__name__)
        e = e.__cause__

try:
    try:
        try:
            raise KeyError("k")
        except KeyError as a:
            raise E("b") from a
    except E as b:
        raise RuntimeError("c") from b
except RuntimeError as c:
    chain(c)
""",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_prints_what_cpython_prints(name: str) -> None:
    print_the_same(PROGRAMS[name])
