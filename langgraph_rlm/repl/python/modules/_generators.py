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
    """What a generator function returns. `resume` is its body: it gives whether it goes on, and a value."""

    def __init__(self, resume):
        self.resume, self.is_begun, self.is_done, self.value = resume, False, False, None

    def __iter__(self):
        return self

    def __next__(self):
        return self.send(None)

    def send(self, value):
        if self.is_done:
            raise StopIteration
        self.is_begun = True
        try:
            goes_on, value = self.resume(value)
        except StopIteration:
            self.is_done = True
            raise RuntimeError("generator raised StopIteration") from None
        except BaseException:
            self.is_done = True
            raise
        if goes_on:
            return value
        self.is_done, self.value = True, value
        raise StopIteration

    def throw(self, error, value=None, traceback=None):
        """Goes on with `error` raised where the body stopped."""
        error = error if value is None else value
        if type(error) is type:
            error = error()
        if not self.is_begun or self.is_done:
            self.is_done = True
            raise error
        return self.send(Thrown(error))

    def close(self):
        """Ends it, by way of each `finally` that it is in."""
        if self.is_begun and not self.is_done:
            try:
                self.throw(KeyboardInterrupt("the generator is closed"))  # no `except Exception` takes it
            except (KeyboardInterrupt, StopIteration):
                pass
            else:
                raise RuntimeError("generator ignored GeneratorExit")
        self.is_done = True


generator = Generator


def next_of(items):
    """The next item; `end` after the last one. Unlike `next` it may ask a model."""
    if not hasattr(items, "__next__"):
        return next(items, end)
    try:
        return items.__next__()
    except StopIteration:
        return end


def value_of(items):
    """What a generator returned."""
    return getattr(items, "value", None)


# -- going through what may be an iterator that is written in Python: see `repl/rewriting/iteration.py` ---------------


class Rounds:
    """Goes once for each item of an iterator, which is asked by a call: nothing can be asked of the host otherwise."""

    def __init__(self, items):
        self.items, self.is_over = items, False

    def __iter__(self):
        return self

    def __next__(self):
        if self.is_over:
            raise StopIteration
        return self

    def next(self):
        item = next_of(self.items)
        self.is_over = item is end
        return item

    def some(self):
        item = self.next()
        return () if self.is_over else (item,)


class Round:
    """All items of what Monty goes through by itself."""

    def __init__(self, items):
        self.items = items

    def some(self):
        return self.items


def asks(items):
    """Whether an iterable is written in Python: it may ask a model for its items."""
    return hasattr(type(items), "__iter__")


def rounds(items):
    """What a loop goes through in place of `items`, and whether it is to call that for each item."""
    if not asks(items):
        return items, False
    items = items.__iter__()
    return (Rounds(items), True) if hasattr(type(items), "__next__") else (items, False)


def by_rounds(items):
    """The rounds in which a comprehension goes through `items`."""
    if not hasattr(type(items), "__iter__"):  # as `asks` says, in less time
        return (Round(items),)
    found, asks_each = rounds(items)
    return found if asks_each else (Round(found),)


def all_of(items, most=None):
    """The items of what is written in Python, no more than `most`; anything else as it is."""
    if not asks(items) or hasattr(items, "keys"):
        return items
    items, found = items.__iter__(), []
    while len(found) != most:
        item = next_of(items)
        if item is end:
            break
        found.append(item)
    return found


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
