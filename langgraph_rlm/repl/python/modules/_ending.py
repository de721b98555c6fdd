"""What becomes of the value that code ends a run with: plain data, or a word on why it is none."""

import datetime
import itertools

module, modules = __rlm__["module"], __rlm__["modules"]

MOST_NESTED = 100
MOST_ITEMS = 1_000_000
ITERABLES = [
    *("set", "frozenset", "range", "deque", "dict_keys", "dict_values", "dict_items", "list_iterator", "chain"),
    *("tuple_iterator", "str_iterator", "str_ascii_iterator", "bytes_iterator", "set_iterator", "range_iterator"),
    *("dict_keyiterator", "dict_valueiterator", "dict_itemiterator", "list_reverseiterator", "islice", "groupby"),
    *("_grouper", "accumulate", "takewhile", "dropwhile", "starmap", "zip_longest", "pairwise", "product", "batched"),
    *("permutations", "combinations", "combinations_with_replacement", "filterfalse", "compress", "map", "zip"),
    *("filter", "enumerate", "reversed", "_tee", "count", "cycle", "repeat"),
]
"""The names of types whose items are the answer: a list of them, where there are no more than `MOST_ITEMS`."""
DATES = (datetime.datetime, datetime.date, datetime.time, datetime.timedelta, datetime.timezone)
INSTEAD = {
    "Pattern": ("a pattern", "search with it, as in `pattern.findall(P)`"),
    "Match": ("a match", "`.group()` gives its text"),
    "module": ("a module", "give a value"),
    "Module": ("a module", "give a value"),
    "ellipsis": ("`...`", "put the answer itself there"),
    "NotImplementedType": ("`NotImplemented`", "put the answer itself there"),
    "Unset": ("`Final` of another cell", "set it to the answer"),
    "StringIO": ("a `StringIO`", "`.getvalue()` gives its text"),
    "HASH": ("a hash", "`.hexdigest()` gives its text"),
    "Enumeration": ("an enumeration", "give one of its members, or a list of their values"),
}
"""By the names of types: what something is that is no value, and what to do."""

_refused = []
"""Of what was found in an answer that is no value the first: its depth, what it is, what to do, and code for that."""


def kept_answer(value, where, form):
    """The answer in a list, and None; or an empty list and what to tell the model, which calls it `where`.

    `form` is how it is set: to `{}`.
    """
    _refused.clear()
    kept = answer_of(value)
    if not _refused:
        return [kept], None
    depth, what, instead, code = _refused[0]
    is_there = " is " + what if depth == 0 else " has " + what + " in it"
    if code:
        instead += ", " + (form if depth == 0 else "`{}`").replace("{}", code)
    return [], "TypeError: " + where + is_there + ": " + instead + "."


def answer_of(value, depth=0):
    """`value` as JSON has it, its `str` where that says it: a date, a member of an enumeration. Else it is refused."""
    if value is None or isinstance(value, (str, bool, float)):
        return value
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**64 else str(value)
    if depth >= MOST_NESTED:
        return _too_deep(value, depth) if isinstance(value, (list, tuple, dict)) else _as_text(value, depth)
    if isinstance(value, (list, tuple)):
        return [answer_of(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {_key(key, depth + 1): answer_of(item, depth + 1) for key, item in value.items()}
    if _is_iterable(value):
        return _items_of(value, depth)
    if "_additions.collections" in modules:
        plain = _container(value)
        if plain is not value:
            return answer_of(plain, depth)
    return _as_text(value, depth)


def _too_deep(value, depth):
    """What is in so many lists that it is kept as a text."""
    text = str(value)
    if " at 0x" in text:
        _refuse(depth, "something that is no value, deep in other lists,", "give text, numbers, lists and dicts")
    return text


def _is_iterable(value):
    """Whether its items are what it is: also of an iterator, and a named tuple with methods, of the code's own."""
    kind = type(value)
    is_own = hasattr(kind, "__next__") or (hasattr(kind, "_fields") and hasattr(kind, "__iter__"))
    return kind.__name__ in ITERABLES or (is_own and kind.__name__ not in INSTEAD)


def _items_of(value, depth):
    """The items of an iterator, which may be endless, or fail, or ask a model."""
    try:
        if hasattr(type(value), "__next__"):
            value = module("_generators").all_of(value, MOST_ITEMS + 1)
        items = [answer_of(item, depth + 1) for item in itertools.islice(value, MOST_ITEMS + 1)]
    except Exception:
        _refuse(depth, "an iterator that cannot be gone through here", "make a list of it in your code", "list(...)")
        return None
    if len(items) > MOST_ITEMS:
        _refuse(depth, "something of more than 1,000,000 items", "take the first of them, `list(islice(items, 10))`")
        return None
    return items


def _container(value):
    """What a list or dict of `collections` has that is written in Python, or a class derived from one."""
    known = modules["_classes"].classes.get(type(value)) if "_classes" in modules else None
    names = [_class_name(above) for above in known["lineage"]] if known is not None else []
    if "ChainMap" in names:
        return value._merged()
    return value.data if "UserDict" in names or "UserList" in names or "UserString" in names else value


def _class_name(cls):
    """Built-in exceptions have no `__name__`."""
    return str(cls).partition("'")[2].partition("'")[0].rpartition(".")[2]


def _key(key, depth):
    """A key of a dict: the text of what is no key in JSON, if that is a value."""
    if key is None or isinstance(key, (str, int, float)):
        return answer_of(key, depth)
    answer_of(key, depth)
    return str(key)


def _as_text(value, depth):
    """The `str` of what is a value by itself."""
    if _is_value(value):
        return str(value)
    _refuse(depth, *_told(value))
    return None


def _is_value(value):
    kind, name = type(value), type(value).__name__
    if kind in DATES or isinstance(value, (complex, bytes)):
        return True
    if name == "Decimal":
        import decimal

        return isinstance(value, decimal.Decimal)
    if name in ("PosixPath", "PurePosixPath"):
        import pathlib

        return isinstance(value, pathlib.Path)
    if name == "Fraction" and "fractions" in modules:
        return kind is modules["fractions"].Fraction
    return hasattr(kind, "__new_member__")


def _told(value):
    """What something is that is no value, what to do, and code for that, if it can be told."""
    name = type(value).__name__[:60]
    if name in ("function", "builtin_function_or_method", "method", "partial"):
        start, _, rest = str(value).partition("function ")
        called = rest.partition(" at ")[0].strip("'>")[:60] if start in ("<", "<built-in ") else ""
        if called.isidentifier():
            return "the function `" + called + "`", "call it", called + "(...)"
        return "a function", "call it, with brackets behind its name"
    if name == "type":
        return "the class `" + _class_name(value)[:60] + "`", "give a value: a text, a number, a list or a dict"
    if name in INSTEAD:
        return INSTEAD[name]
    if isinstance(value, Exception) or _is_own_exception(value):
        return "the exception `" + name + "`", "`str(error)` gives its text, if that is the answer"
    if hasattr(value, "__dataclass_fields__"):
        return "an instance of `" + name + "`", "`dataclasses.asdict(value)` gives its fields as a dict"
    return "an instance of `" + name + "`", "give its fields, as a dict or a text"


def _is_own_exception(value):
    known = modules["_classes"].classes.get(type(value)) if "_classes" in modules else None
    return known is not None and known["raises"] is not None


def _refuse(depth, what, instead, code=None):
    if not _refused:
        _refused.append((depth, what, instead, code))
