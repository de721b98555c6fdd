"""What patterns ask of values: see `repl/rewriting/matching.py`. None is the answer of what does not fit."""

from collections import deque

_known = __rlm__["module"]("_classes")
WHOLE = (bool, bytes, dict, float, frozenset, int, list, set, str, tuple)
"""Types whose one positional pattern is for the value itself."""


def attributes(value, cls, count, names):
    """The attributes of an instance: so many of `__match_args__`, and these."""
    if not _known.is_instance(value, cls):
        return None
    if count and cls in WHOLE:
        if count > 1:
            raise TypeError(cls.__name__ + "() accepts 1 positional sub-pattern (" + str(count) + " given)")
        return [value]
    if count:
        known = getattr(cls, "__match_args__", ())
        if count > len(known):
            raise TypeError(
                f"{cls.__name__}() accepts {len(known)} positional sub-pattern{'s' * (len(known) != 1)} ({count} given)"
            )
        names = (*known[:count], *names)
    read = _known.attribute if type(value) in _known.readers else getattr
    try:
        return [read(value, name) for name in names]
    except AttributeError:
        return None


def sequence(value, count, star):
    """The items of a sequence of so many; at the place of a star those that are left."""
    if not isinstance(value, (list, tuple, range, deque)) and not _known.is_instance(value, _known.Record):
        return None
    items = list(value)
    if star is None:
        return items if len(items) == count else None
    more = len(items) - count + 1
    return None if more < 0 else [*items[:star], items[star : star + more], *items[star + more :]]


def mapping(value, keys):
    """The values of these keys."""
    if not isinstance(value, dict) or not all([key in value for key in keys]):
        return None
    return [value[key] for key in keys]


def rest(value, keys):
    """The other items of a dict."""
    return {key: item for key, item in value.items() if key not in keys}
