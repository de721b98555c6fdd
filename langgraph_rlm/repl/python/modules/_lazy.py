"""Built-in functions that go through iterators item by item, in Python: see `called` in `_generators.py`."""

_generators = __rlm__["module"]("_generators")
_next, _last = _generators.next_of, _generators.end
_enumerate = enumerate


def _step_of(items):
    """A function that gives the next item, or `_last`, whatever it is given."""
    items, step = _generators.taken(items)
    return (lambda sent: next(items, _last)) if step is None else step


def enumerate(items, start=0):
    step, place = _step_of(items), start

    def resume(sent):
        nonlocal place
        if sent is not None:
            _generators.received(sent)
        item = step(None)
        if item is _last:
            return _last
        place += 1
        return place - 1, item

    def whole(found):
        if place != start:
            return False
        found.extend(_enumerate(_generators.all_of(items), start))
        return True

    return _generators.generator(resume, (), whole, (items,))


def zip(*iterables, strict=False):
    return _zipped(iterables, strict)


def _zipped(iterables, strict):
    steps = [_step_of(items) for items in iterables]

    def resume(sent):
        if sent is not None:
            _generators.received(sent)
        row = []
        for step in steps:
            item = step(None)
            if item is _last:
                if strict:
                    _refuse_uneven(steps, len(row))
                return _last
            row.append(item)
        return tuple(row) if row else _last

    return _generators.generator(resume, ())


def _refuse_uneven(steps, place):
    """Raises what `zip(strict=True)` does where the iterator in that place was the first to end."""
    if place:
        before = "argument 1" if place == 1 else "arguments 1-" + str(place)
        raise ValueError("zip() argument " + str(place + 1) + " is shorter than " + before)
    for i in range(1, len(steps)):
        if steps[i](None) is not _last:
            before = "argument 1" if i == 1 else "arguments 1-" + str(i)
            raise ValueError("zip() argument " + str(i + 1) + " is longer than " + before)


def zip_longest(*iterables, fillvalue=None):
    iterators = [iter(items) for items in iterables]
    while iterators:
        row = [_next(items) for items in iterators]
        if not [item for item in row if item is not _last]:
            return
        yield tuple([fillvalue if item is _last else item for item in row])


def map(function, *iterables):
    for items in _zipped(iterables, False):
        yield function(*items)


def starmap(function, items):
    for arguments in items:
        yield function(*arguments)


def filter(function, items):
    for item in items:
        if item if function is None else function(item):
            yield item


def filterfalse(function, items):
    for item in items:
        if not (item if function is None else function(item)):
            yield item


def takewhile(function, items):
    for item in items:
        if not function(item):
            return
        yield item


def dropwhile(function, items):
    is_begun = False
    for item in items:
        is_begun = is_begun or not function(item)
        if is_begun:
            yield item


def compress(items, selectors):
    for item, is_wanted in _zipped([items, selectors], False):
        if is_wanted:
            yield item


def islice(items, *bounds):
    """`islice(items, stop)`, `islice(items, start, stop, step)`."""
    start, stop, step = (0, bounds[0], 1) if len(bounds) == 1 else (*bounds, 1)[:3]
    if (start or 0) < 0 or (stop or 0) < 0 or (step is not None and step < 1):
        raise ValueError("Indices for islice() must be None or an integer: 0 <= x <= sys.maxsize.")
    return _sliced(iter(items), start or 0, stop, step or 1)


def _sliced(items, following, stop, step):
    place = 0
    while stop is None or place < stop:  # no item more is taken than is needed
        item = _next(items)
        if item is _last:
            return
        if place == following:
            yield item
            following += step
        place += 1


def chain(*iterables):
    for items in iterables:
        yield from items


def from_iterable(iterables):
    for items in iterables:
        yield from items


def cycle(items):
    kept = []
    for item in items:
        kept.append(item)
        yield item
    while kept:
        for item in kept:
            yield item


def accumulate(items, function=None, *, initial=None):
    items = iter(items)
    total = _next(items) if initial is None else initial
    if total is _last:
        return
    yield total
    for item in items:
        total = total + item if function is None else function(total, item)
        yield total


def pairwise(items):
    items = iter(items)
    before = _next(items)
    for item in items:
        yield before, item
        before = item


def batched(items, n, *, strict=False):
    if n < 1:
        raise ValueError("n must be at least one")
    batch = []
    for item in items:
        batch.append(item)
        if len(batch) == n:
            yield tuple(batch)
            batch = []
    if batch:
        if strict:
            raise ValueError("batched(): incomplete batch")
        yield tuple(batch)


def reduce(function, items, *initial):
    items = iter(items)
    total = initial[0] if initial else _next(items)
    if total is _last:
        raise TypeError("reduce() of empty iterable with no initial value")
    for item in items:
        total = function(total, item)
    return total


def any(items):
    for item in items:
        if item:
            return True
    return False


def all(items):
    for item in items:
        if not item:
            return False
    return True
