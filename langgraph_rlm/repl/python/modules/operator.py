"""`operator`: operators as functions."""


def itemgetter(*items):
    if not items:
        raise TypeError("itemgetter expected 1 argument, got 0")
    if len(items) == 1:
        item = items[0]
        return lambda value: value[item]
    return lambda value: tuple([value[item] for item in items])


def attrgetter(*names):
    if not names:
        raise TypeError("attrgetter expected 1 argument, got 0")
    paths = [name.split(".") for name in names]
    if len(paths) == 1:
        return lambda value: _attribute(value, paths[0])
    return lambda value: tuple([_attribute(value, path) for path in paths])


def _attribute(value, path):
    for name in path:
        value = getattr(value, name)
    return value


def methodcaller(name, /, *arguments, **named):
    """Methods of built-in types are no attributes here, so the call is written out."""
    if not isinstance(name, str) or not name.isidentifier():
        raise TypeError("method name must be a string")
    made = {}
    exec("call = lambda value, arguments, named: value." + name + "(*arguments, **named)", made)
    return lambda value: made["call"](value, arguments, named)


def setitem(a, b, c):
    a[b] = c


def countOf(a, b):
    return len([item for item in a if item is b or item == b])


def indexOf(a, b):
    for place, item in enumerate(a):
        if item is b or item == b:
            return place
    raise ValueError("sequence.index(x): x not in sequence")


add = concat = iadd = lambda a, b: a + b
sub = lambda a, b: a - b
mul = lambda a, b: a * b
truediv = lambda a, b: a / b
floordiv = lambda a, b: a // b
mod = lambda a, b: a % b
pow = lambda a, b: a**b
and_ = lambda a, b: a & b
or_ = lambda a, b: a | b
xor = lambda a, b: a ^ b
lshift = lambda a, b: a << b
rshift = lambda a, b: a >> b
neg = lambda a: -a
pos = lambda a: +a
invert = lambda a: ~a
eq = lambda a, b: a == b
ne = lambda a, b: a != b
lt = lambda a, b: a < b
le = lambda a, b: a <= b
gt = lambda a, b: a > b
ge = lambda a, b: a >= b
is_ = lambda a, b: a is b
is_not = lambda a, b: a is not b
not_ = lambda a: not a
truth = lambda a: True if a else False
contains = lambda a, b: b in a
getitem = lambda a, b: a[b]
