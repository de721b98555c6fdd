"""What generator functions, and what goes through them, are rewritten to: see `repl/rewriting/generators.py`."""

import functools
import itertools


ITERTOOLS = (
    *("islice", "chain", "takewhile", "dropwhile", "cycle", "accumulate", "starmap", "filterfalse", "compress"),
    *("zip_longest", "pairwise", "batched"),
)


class End:
    """What `next_of` gives when there is nothing more."""


end = End()


class Thrown:
    """Is sent to a body for it to raise an error."""

    def __init__(self, error):
        self.error = error


def received(sent):
    """What a `yield` gives that was sent this."""
    if type(sent) is Thrown:
        raise sent.error
    return sent


def close(items):
    """Ends a generator that nobody asks for more."""
    if type(items) is Generator:
        items.close()


class Generator:
    """What a generator function returns. `resume` is its body: it gives the next item, or `end`.

    It is given what is sent. `result` has what the body returned, if it did. `whole` adds all items to a list where
    nobody has had any. Nobody could notice that where there are `sources` which are quiet too: what its items may be
    taken of (see `repl/rewriting/quiet.py`).
    """

    def __init__(self, resume, result, whole=None, sources=None):
        self.resume, self.result, self.whole, self.sources = resume, result, whole, sources

    def is_quiet(self):
        if self.sources is None:
            return False
        for items in self.sources:
            if not items.is_quiet() if type(items) is Generator else hasattr(type(items), "__next__"):
                return False
        return True

    def __iter__(self):
        return self

    def __next__(self):
        item = self.resume(None)
        if item is end:
            raise StopIteration
        return item

    def send(self, value):
        item = self.resume(value)
        if item is end:
            raise StopIteration
        return item

    def throw(self, error, value=None, traceback=None):
        """Goes on with `error` raised where the body stopped."""
        error = error if value is None else value
        return self.send(Thrown(error() if type(error) is type else error))

    def close(self):
        """Ends it, by way of each `finally` that it is in."""
        try:
            item = self.resume(Thrown(KeyboardInterrupt("the generator is closed")))  # no `except Exception` takes it
        except KeyboardInterrupt:
            return
        if item is not end:
            raise RuntimeError("generator ignored GeneratorExit")


generator = Generator


def over(sent):
    """What a body gives that is at its end."""
    received(sent)
    return end


def next_of(items):
    """The next item; `end` after the last one. Unlike `next` it may ask a model."""
    if type(items) is Generator:
        return items.resume(None)
    if not hasattr(items, "__next__"):
        return next(items, end)
    try:
        return items.__next__()
    except StopIteration:
        return end


def value_of(items):
    """What a generator returned."""
    return items.result[0] if type(items) is Generator and items.result else None


def begun(items):
    """`iter(items)`, which may ask a model where it is written in Python."""
    return items.__iter__() if asks(items) else iter(items)


def taken(items):
    """An iterator of the items and, where it is written in Python, a function that gives the next one, or `end`."""
    if type(items) is not Generator:
        if not hasattr(type(items), "__iter__"):
            return iter(items), None
        items = items.__iter__()
    if type(items) is Generator:
        return items, items.resume
    return (items, _step_of(items)) if hasattr(type(items), "__next__") else (iter(items), None)


def _step_of(items):
    def step(sent):
        received(sent)
        try:
            return items.__next__()
        except StopIteration:
            return end

    return step


# -- going through what may be an iterator that is written in Python: see `repl/rewriting/iteration.py` ---------------


FOREVER = itertools.repeat(None)


def asks(items):
    """Whether an iterable is written in Python: it may ask a model for its items."""
    return hasattr(type(items), "__iter__")


def rounds(items, is_quiet=False):
    """What a loop goes through in place of `items`, and what it calls for each item where that is written in Python."""
    if not hasattr(type(items), "__iter__"):  # as `asks` says, in less time
        return items, None
    if is_quiet and type(items) is Generator and items.is_quiet():
        return all_of(items), None
    items, step = taken(items)
    return (FOREVER, step) if step else (items, None)


def by_rounds(items, is_quiet=False):
    """Functions, each of which gives the items of a round. The list grows while a comprehension goes through it."""
    items, step = rounds(items, is_quiet)
    if step is None:
        return [lambda: items]
    found = []

    def some():
        item = step(None)
        if item is end:
            return ()
        found.append(some)
        return (item,)

    found.append(some)
    return found


def all_of(items, most=None):
    """The items of what is written in Python, no more than `most`; anything else as it is."""
    if not asks(items) or hasattr(items, "keys"):
        return items
    items, step = taken(items)
    if step is None:
        return items
    found = []
    if most is None and type(items) is Generator and items.whole is not None and items.whole(found):
        return found
    while len(found) != most:
        item = step(None)
        if item is end:
            break
        found.append(item)
    return found


def added(value):
    """What `xs += value` adds: the items of an iterator that is written in Python, and any other value as it is."""
    return all_of(value) if type(value) is Generator or hasattr(type(value), "__next__") else value


def is_in(value, items):
    """`value in items`."""
    if not asks(items) or hasattr(type(items), "__contains__"):
        return value in items
    items = items.__iter__()
    item = next_of(items)
    while item is not end:
        if item is value or item == value:
            return True
        item = next_of(items)
    return False


def called(function, *arguments, **named):
    """`function(…)`, by one in Python where what it goes through is written in Python."""
    lists = arguments and type(arguments[0]) is list and function == itertools.chain.from_iterable
    if any([asks(items) for items in (arguments[0] if lists else arguments)]):
        try:
            name = LAZY.get(function)
        except TypeError:
            name = None
        if name is not None:
            function = getattr(__rlm__["module"]("_lazy"), name)
    return function(*arguments, **named)


LAZY = {
    enumerate: "enumerate",
    zip: "zip",
    any: "any",
    all: "all",
    **{__rlm__["replaced"][name]: name for name in ("map", "filter")},
    **{getattr(itertools, name): name for name in ITERTOOLS},
    itertools.chain.from_iterable: "from_iterable",
    functools.reduce: "reduce",
}
"""The names of functions in `_lazy.py`, by those in whose place they are."""
