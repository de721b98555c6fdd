"""Methods of built-in types as values, and those that Monty lacks: see `repl/rewriting/bridges.py`."""

import datetime
import re
import sys
from collections import Counter, deque

makers = {}


def method(owner, name):
    """`owner.name`, where that may be a method of a built-in type."""
    if name in LACKING:
        for kind, function in LACKING[name]:
            if isinstance(owner, kind):
                return lambda *arguments, **named: function(owner, *arguments, **named)
            if owner is kind:
                return function
    try:
        return attribute(owner, name)
    except AttributeError:
        if not isinstance(owner, BUILT_IN) and owner not in BUILT_IN and not _is_method(owner, name):
            raise
    if name not in makers:
        namespace = {}
        exec(MAKER.replace("NAME", name), namespace)
        makers[name] = [namespace["bind"], namespace["call"]]
    bind, call = makers[name]
    return call(owner) if type(owner) is type(str) and name not in OF_CLASSES else bind(owner)


modules = __rlm__["modules"]


def attribute(owner, name):
    """`owner.name`, where that may be a property."""
    known = modules.get("_classes")
    return getattr(owner, name) if known is None else known.attribute(owner, name)


def get_attribute(owner, name, *default):
    """`getattr`, for methods of built-in types and properties too."""
    try:
        if name in ALL_NAMES and _is_method(owner, name):
            return method(owner, name)
        return attribute(owner, name)
    except AttributeError:
        if default:
            return default[0]
        raise


def has_attribute(owner, name):
    """`hasattr`."""
    try:
        get_attribute(owner, name)
    except AttributeError:
        return isinstance(owner, SPECIAL.get(name, ()))
    return True


def set_attribute(owner, name, value):
    """`setattr`."""
    known = modules.get("_classes")
    return setattr(owner, name, value) if known is None else known.assign(owner, name, value)


def _is_method(owner, name):
    return any([name in names and (isinstance(owner, kind) or owner is kind) for kind, names in NAMES])


def coded(owner, name):
    """`text.encode`, `data.decode` with a character set that Monty does not know."""
    if not isinstance(owner, str if name == "encode" else bytes):
        return getattr(owner, name)
    return lambda encoding, errors="strict": __rlm__["standard"]("codec." + name, owner, encoding, errors)


BUILT_IN = (str, bytes, list, dict, set, frozenset, tuple, int, float)
NAMES = (
    (
        str,
        (
            "capitalize casefold center count encode endswith expandtabs find format format_map index isalnum "
            "isalpha isascii isdecimal isdigit isidentifier islower isnumeric isprintable isspace istitle isupper "
            "join ljust lower lstrip maketrans partition removeprefix removesuffix replace rfind rindex rjust "
            "rpartition rsplit rstrip split splitlines startswith strip swapcase title translate upper zfill"
        ).split(),
    ),
    (
        bytes,
        (
            "capitalize center count decode endswith expandtabs find fromhex hex index isalnum isalpha isascii "
            "isdigit islower isspace istitle isupper join ljust lower lstrip maketrans partition removeprefix "
            "removesuffix replace rfind rindex rjust rpartition rsplit rstrip split splitlines startswith strip "
            "swapcase title translate upper zfill"
        ).split(),
    ),
    (list, "append clear copy count extend index insert pop remove reverse sort".split()),
    (dict, "clear copy fromkeys get items keys pop popitem setdefault update values".split()),
    (
        set,
        (
            "add clear copy difference difference_update discard intersection intersection_update isdisjoint "
            "issubset issuperset pop remove symmetric_difference symmetric_difference_update union update"
        ).split(),
    ),
    (frozenset, "copy difference intersection isdisjoint issubset issuperset symmetric_difference union".split()),
    (tuple, "count index".split()),
    (int, "as_integer_ratio bit_count bit_length conjugate from_bytes to_bytes".split()),
    (float, "as_integer_ratio conjugate fromhex hex is_integer".split()),
    (Counter, "elements get items keys most_common subtract total update values".split()),
    (deque, "append appendleft clear count extend extendleft index insert pop popleft remove reverse rotate".split()),
    (re.Match, "expand group groupdict groups end span start".split()),
    (datetime.date, "ctime isocalendar isoformat isoweekday replace strftime timetuple toordinal weekday".split()),
    (datetime.datetime, "astimezone date dst time timestamp timetz tzname utcoffset".split()),
    (datetime.time, "isoformat replace strftime".split()),
    (datetime.timedelta, ["total_seconds"]),
)
"""The methods of built-in types."""
ALL_NAMES = {name for _, names in NAMES for name in names}
MANY = (str, bytes, list, dict, set, frozenset, tuple, range, Counter, deque)
SPECIAL = {
    **dict.fromkeys(("__len__", "__iter__", "__contains__"), MANY),
    "__getitem__": (str, bytes, list, dict, tuple, range, Counter, deque),
    **dict.fromkeys(("__setitem__", "__delitem__"), (list, dict, Counter, deque)),
    **dict.fromkeys(("__lt__", "__add__"), (str, bytes, list, tuple, int, float)),
    **dict.fromkeys(("__int__", "__float__", "__index__"), (int,)),
    "__next__": tuple([type(iter(items)) for items in ([], (), "", b"", {}, set(), range(0))]),
    "__name__": (type(int), type(len), type(lambda: 0)),
}
"""Special methods that built-in types have in CPython: `hasattr` knows of them."""
MAKER = """
def bind(owner):
    return lambda *arguments, **named: owner.NAME(*arguments, **named)

def call(kind):
    def method(owner, *arguments, **named):
        if not isinstance(owner, kind):
            raise TypeError(f"'NAME' is a method of {kind.__name__}, not of {type(owner).__name__}")
        return owner.NAME(*arguments, **named)
    return method
"""
OF_CLASSES = ("fromkeys", "fromhex", "from_bytes")


def added_to(target):
    """What makes of values what may be added to the target, as a function of them."""
    return list if isinstance(target, list) else lambda values: values


def _translate(text, table):
    if type(table) is not dict:
        made = _looked_up(text, table)
    elif len(text) <= len(table):
        made = {character: table[ord(character)] for character in text if ord(character) in table}
    else:
        keys = [key for key in table if isinstance(key, int) and 0 <= key < 0x110000]
        made = {chr(key): table[key] for key in keys if chr(key) in text}
    if not made:
        return text
    for character, new in made.items():
        if new is None or isinstance(new, int):
            made[character] = "" if new is None else chr(new)
        elif not isinstance(new, str):
            raise TypeError("character mapping must return integer, None or str")
    results = "".join(made.values())
    if any([character in results for character in made]):  # one after the other, they would be replaced again
        return "".join([made.get(character, character) for character in text])
    for character, new in made.items():
        text = text.replace(character, new)
    return text


def _looked_up(text, table):
    """What a table that is no dict, or has values for what is not in it, has for the characters of a text."""
    made = {}
    for character in set(text):
        try:
            made[character] = table[ord(character)]
        except (KeyError, IndexError):
            pass
    return made


def _maketrans(old, new=None, gone=""):
    if new is None:
        return {ord(key) if isinstance(key, str) else key: value for key, value in old.items()}
    if len(old) != len(new):
        raise ValueError("the first two maketrans arguments must have equal length")
    return {**{ord(a): ord(b) for a, b in zip(old, new)}, **{ord(character): None for character in gone}}


def _union(items, *others):
    for other in others:
        items = items.union(other)
    return items.copy()


def _intersection(items, *others):
    for other in others:
        items = items.intersection(other)
    return items.copy()


def _difference(items, *others):
    for other in others:
        items = items.difference(other)
    return items.copy()


def _update(items, *others):
    for other in others:
        items.update(other)


def _difference_update(items, *others):
    for other in others:
        for item in list(other):
            items.discard(item)


def _intersection_update(items, *others):
    kept = _intersection(items, *others)
    for item in list(items):
        if item not in kept:
            items.discard(item)


def _symmetric_difference_update(items, other):
    for item in set(other):
        if item in items:
            items.discard(item)
        else:
            items.add(item)


def by_class(name, items, others):
    """What a class's own `items |= others` and the like give."""
    known = modules.get("_classes")
    method = None if known is None else known.methods[name].get(type(items))
    return NotImplemented if method is None else method(items, others)


IN_PLACE = """
def NAME(items, others):
    kind = type(items)
    if kind is set and isinstance(others, (set, frozenset)):
        update(items, others)
        return items
    found = NotImplemented if kind is int else by_class("METHOD", items, others)
    if found is not NotImplemented:
        return found
    items SIGN others
    return items
"""


def _in_place(name, method, sign, update):
    """What `items |= others` and the like are: a set stays the one that it is."""
    names = {"update": update, "by_class": by_class}
    exec(IN_PLACE.replace("NAME", name).replace("METHOD", method).replace("SIGN", sign), names)
    return names[name]


united = _in_place("united", "__ior__", "|=", _update)
intersected = _in_place("intersected", "__iand__", "&=", _intersection_update)
subtracted = _in_place("subtracted", "__isub__", "-=", _difference_update)
exchanged = _in_place("exchanged", "__ixor__", "^=", _symmetric_difference_update)


def bytes_of(value):
    """`bytes(value)`, for numbers too."""
    if not isinstance(value, (list, tuple, set, range)) and not hasattr(value, "__next__"):
        return bytes(value)
    numbers = list(value)
    if not all([0 <= number < 256 for number in numbers]):
        raise ValueError("bytes must be in range(0, 256)")
    return bytes.fromhex("".join([f"{number:02x}" for number in numbers]))


def _from_bytes(data, byteorder="big", *, signed=False):
    data = data if isinstance(data, bytes) else bytes_of(data)
    number = int((data if _is_big(byteorder) else data[::-1]).hex() or "0", 16)
    return number - (1 << 8 * len(data)) if signed and data and number >> (8 * len(data) - 1) else number


def _to_bytes(number, length=1, byteorder="big", *, signed=False):
    most = 1 << (8 * length - 1 if signed and length else 8 * length)
    if number < 0 and not signed:
        raise OverflowError("can't convert negative int to unsigned")
    if not (-most if signed else 0) <= number < most:
        raise OverflowError("int too big to convert")
    digits = f"{number % (1 << 8 * length):0{2 * length}x}" if length else ""
    data = bytes.fromhex(digits)
    return data if _is_big(byteorder) else data[::-1]


def _is_big(byteorder):
    if byteorder not in ("big", "little"):
        raise ValueError("byteorder must be either 'little' or 'big'")
    return byteorder == "big"


def _move_to_end(items, key, last=True):
    value = items.pop(key)
    others = [] if last else list(items.items())
    if not last:
        items.clear()
    items[key] = value
    items.update(others)


def _popitem(items, last=True):
    if last or not items:
        return items.popitem()
    key = next(iter(items))
    return key, items.pop(key)


def print_to(*values, sep=" ", end="\n", file=None, flush=False):
    """`print`, for what has a method `write` too."""
    if file is None or file is sys.stdout or file is sys.stderr:
        print(*values, sep=sep, end=end, file=file)
    else:
        text = (" " if sep is None else sep).join([str(value) for value in values])
        file.write(text + ("\n" if end is None else end))


def writer(file):
    """`file.write`, for the output."""

    def write(text):
        if not isinstance(text, str):
            raise TypeError("write() argument must be str, not " + type(text).__name__)
        print(text, end="", file=file)
        return len(text)

    return write


def _set_item(items, key, value):
    items[key] = value


def _compared(compare):
    """A method of an operator, which says nothing of values of other types."""

    def method(owner, other):
        try:
            return compare(owner, other)
        except TypeError:
            return NotImplemented

    return method


OF_ANY = {
    "__str__": str,
    "__repr__": repr,
    "__hash__": hash,
    "__eq__": lambda owner, other: owner == other,
    "__ne__": lambda owner, other: owner != other,
}
OF_ITEMS = {"__len__": len, "__contains__": lambda items, item: item in items, "__iter__": lambda items: iter(items)}
OF_VALUES = {
    "__lt__": _compared(lambda owner, other: owner < other),
    "__le__": _compared(lambda owner, other: owner <= other),
    "__gt__": _compared(lambda owner, other: owner > other),
    "__ge__": _compared(lambda owner, other: owner >= other),
    "__add__": _compared(lambda owner, other: owner + other),
    "__sub__": _compared(lambda owner, other: owner - other),
    "__mul__": _compared(lambda owner, other: owner * other),
    "__mod__": _compared(lambda owner, other: owner % other),
}
ITEMS = (str, bytes, list, dict, set, frozenset, tuple)
NUMBERS = (int, float)
LACKING = {
    **{name: [[kind, function] for kind in ITEMS + NUMBERS] for name, function in OF_ANY.items()},
    **{name: [[kind, function] for kind in ITEMS] for name, function in OF_ITEMS.items()},
    **{name: [[kind, function] for kind in ITEMS + NUMBERS] for name, function in OF_VALUES.items()},
    "__getitem__": [[kind, lambda items, key: items[key]] for kind in (str, bytes, list, dict, tuple)],
    "__setitem__": [[list, _set_item], [dict, _set_item]],
    "translate": [[str, _translate]],
    "maketrans": [[str, _maketrans]],
    "format_map": [[str, lambda text, values: text.format(**__rlm__["module"]("_classes").as_dict(values))]],
    "union": [[set, _union], [frozenset, _union]],
    "intersection": [[set, _intersection], [frozenset, _intersection]],
    "difference": [[set, _difference], [frozenset, _difference]],
    "update": [[set, _update]],
    "difference_update": [[set, _difference_update]],
    "intersection_update": [[set, _intersection_update]],
    "symmetric_difference_update": [[set, _symmetric_difference_update]],
    "from_bytes": [[int, _from_bytes]],
    "to_bytes": [[int, _to_bytes]],
    "move_to_end": [[dict, _move_to_end]],
    "popitem": [[dict, _popitem]],
    "bit_length": [[int, lambda number: len(bin(abs(number))) - 2 if number else 0]],
    "bit_count": [[int, lambda number: bin(abs(number)).count("1")]],
    "is_integer": [[float, lambda number: number % 1 == 0], [int, lambda number: True]],
}


_OF_JSON = r"(?s)(.*): line (\d+) column (\d+) \(char (\d+)\)"
_OF_SYNTAX = r"(?s)(.*) \(<[^>]*>, line (\d+)\)"


def fact(failure, name):
    """`failure.name`, read from the message where it stands there alone."""
    try:
        return attribute(failure, name)
    except AttributeError:
        if name == "doc":
            return __rlm__["module"]("_json").doc_of(failure)
        matched = __rlm__["module"]("re").fullmatch
        found = matched(_OF_JSON, str(failure)) or matched(_OF_SYNTAX, str(failure))
        facts = dict(zip(("msg", "lineno", "colno", "pos"), found.groups())) if found else {}
        if name not in facts:
            raise
    return facts[name] if name == "msg" else int(facts[name])


def delete(items, key):
    """`del items[key]`."""
    if isinstance(key, slice):
        gone = set(list(range(len(items)))[key])
        items[:] = [item for place, item in enumerate(items) if place not in gone]
    elif hasattr(items, "__delitem__"):
        items.__delitem__(key)
    elif isinstance(items, Counter):
        items.pop(key, None)
    elif isinstance(items, deque):
        key = range(len(items))[key]
        items.rotate(-key)
        items.popleft()
        items.rotate(key)
    else:
        items.pop(key)
