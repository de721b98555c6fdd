"""What Monty's `typing` lacks: names for annotations, and classes by call."""

import collections
import re

TypeAlias = Text = AnyStr = str
Pattern, Match = re.Pattern, re.Match
DefaultDict, Counter, Deque, OrderedDict = collections.defaultdict, collections.Counter, collections.deque, dict
Collection = Sized = (list, tuple, str, dict, set, frozenset)
MutableMapping, MutableSequence, MutableSet, AbstractSet = dict, list, set, (set, frozenset)
Hashable = (str, int, float, bytes, tuple, frozenset)
IO = TextIO = BinaryIO = Awaitable = Coroutine = AsyncIterator = Container = ()


def NamedTuple(typename, fields=(), /, **named):
    """A class of tuples: `NamedTuple("Pair", [("x", int), ("y", int)])`."""
    return collections.namedtuple(typename, [name for name, _ in fields] or list(named))


def TypedDict(typename, fields=None, /, *, total=True):
    """A dict by the names of its keys."""
    return dict


def NewType(name, tp):
    return lambda value: value


def cast(typ, val):
    return val


def overload(function):
    return function


def final(function):
    return function


def runtime_checkable(cls):
    return cls
