"""Operators and built-ins for classes with methods that Monty never calls: see `repl/rewriting/operations.py`."""

_known = __rlm__["module"]("_classes")
methods, natural, sizes, judges = _known.methods, _known.natural, _known.methods["__sized__"], _known.judges
native = {"len": len, "bool": bool, "sorted": sorted, "min": min, "max": max, "reversed": reversed}
native = {**native, "any": any, "all": all}
OPERATORS = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "in": lambda a, b: a in b,
    "not in": lambda a, b: a not in b,
    "is": lambda a, b: a is b,
    "is not": lambda a, b: a is not b,
}
LESS = (methods["__lt__"], methods["__gt__"], OPERATORS["<"])
MORE = (methods["__gt__"], methods["__lt__"], OPERATORS[">"])
AT_MOST = (methods["__le__"], methods["__ge__"], OPERATORS["<="])
AT_LEAST = (methods["__ge__"], methods["__le__"], OPERATORS[">="])
ORDERS = {"<": LESS, ">": MORE, "<=": AT_MOST, ">=": AT_LEAST}
"""Of each: the method of the left one, that of the right one, the operator of Monty's own."""


CHANGED = [
    *[("__iadd__", "+="), ("__isub__", "-="), ("__imul__", "*="), ("__itruediv__", "/="), ("__imod__", "%=")],
    *[("__ifloordiv__", "//="), ("__ipow__", "**="), ("__iand__", "&="), ("__ior__", "|="), ("__ixor__", "^=")],
    *[("__ilshift__", "<<="), ("__irshift__", ">>=")],
]
IN_PLACE = """
def METHOD(value, other):
    if type(value) in methods["METHOD"]:
        result = methods["METHOD"][type(value)](value, other)
        if result is not NotImplemented:
            return result
    value OPERATOR other
    return value
"""
in_place = {"methods": methods}
"""What `value += other` and the like are, as functions."""
exec("".join([IN_PLACE.replace("METHOD", name).replace("OPERATOR", sign) for name, sign in CHANGED]), in_place)


# -- truth ------------------------------------------------------------------------------------------------------------


native_len, bool_type = len, bool


def len(value):
    method = sizes.get(type(value))
    if method is None:
        return native_len(value)
    size = method(value)
    if not isinstance(size, int):
        raise TypeError("'" + type(size).__name__ + "' object cannot be interpreted as an integer")
    if size < 0:
        raise ValueError("__len__() should return >= 0")
    return size


def truth(value):
    """What is true where the value is: the value itself, unless its class has a word in that."""
    judge = judges.get(type(value))
    if judge is None:
        return value
    result = judge(value)
    if result is True or result is False:
        return result
    raise TypeError("__bool__ should return bool, returned " + type(result).__name__)


def bool(value=False):
    return bool_type(truth(value))


def any(items):
    for item in items:
        if truth(item):
            return True
    return False


def all(items):
    for item in items:
        if not truth(item):
            return False
    return True


def filter(function, items):
    return iter([item for item in items if truth(item if function is None else function(item))])


def both(value, *others):
    """`value and …`."""
    for other in others:
        if not truth(value):
            return value
        value = other()
    return value


def either(value, *others):
    """`value or …`."""
    for other in others:
        if truth(value):
            return value
        value = other()
    return value


# -- order ------------------------------------------------------------------------------------------------------------


def compare(left, operator, right):
    if operator in ORDERS:
        return _ordered(left, right, ORDERS[operator])
    if operator == "!=":
        method = methods["__ne__"].get(type(left))
        result = NotImplemented if method is None else method(left, right)
        if result is not NotImplemented:
            return result
    return OPERATORS[operator](left, right)


def _ordered(left, right, order):
    """`left < right`, and the like: by a method of either, or item by item."""
    own, mirrored, native = order
    method = own.get(type(left))
    result = NotImplemented if method is None else method(left, right)
    if result is NotImplemented:
        method = mirrored.get(type(right))
        result = NotImplemented if method is None else method(right, left)
    if result is not NotImplemented:
        return result
    if type(left) is type(right) and type(left) in (tuple, list):
        for a, b in zip(left, right):
            if a is not b and a != b:
                return _ordered(a, b, order)
        return native(native_len(left), native_len(right))
    return native(left, right)


def chained(left, operators, *others):
    """`left < … < …`."""
    for operator, other in zip(operators, others):
        right = other()
        result = compare(left, operator, right)
        if not truth(result):
            return result
        left = right
    return result


def less(a, b):
    try:
        return a < b
    except TypeError:
        return _ordered(a, b, LESS)


def at_most(a, b):
    try:
        return a <= b
    except TypeError:
        return _ordered(a, b, AT_MOST)


def more(a, b):
    try:
        return a > b
    except TypeError:
        return _ordered(a, b, MORE)


def at_least(a, b):
    try:
        return a >= b
    except TypeError:
        return _ordered(a, b, AT_LEAST)


def cmp_to_key(mycmp):
    """A class of keys that are in the order of a function of two."""

    class Key:
        def __init__(self, obj):
            self.obj = obj

        def __lt__(self, other):
            return mycmp(self.obj, other.obj) < 0

        def __gt__(self, other):
            return mycmp(self.obj, other.obj) > 0

        def __le__(self, other):
            return mycmp(self.obj, other.obj) <= 0

        def __ge__(self, other):
            return mycmp(self.obj, other.obj) >= 0

        def __eq__(self, other):
            return mycmp(self.obj, other.obj) == 0

    _known.known_as_methods(Key, "__lt__", "__gt__", "__le__", "__ge__", "__eq__")
    compared[Key] = mycmp
    return Key


compared = {}
"""Of each class of `cmp_to_key` its function."""


def comparable(keys, order):
    """The keys as what can be compared the quickest, and how: `less` or `more`, a method of the class of all, a `cmp`.

    The last is told by True: less than zero is what it says of those that are in order.
    """
    own, mirrored, _ = LESS if order is less else MORE
    kind = type(keys[0]) if native_len(keys) > 1 else None
    if (kind not in own and kind not in mirrored) or {type(key) for key in keys} != {kind}:
        return keys, order, False
    if kind in compared:
        return [key.obj for key in keys], compared[kind], True
    method, other = own.get(kind), mirrored.get(kind)
    if (method or other) in natural:
        of = natural[method or other]
        return [of(key) for key in keys], order, False
    return keys, method or (lambda a, b: other(b, a)), False


def before(item):
    """How `a < b` is found out of items like this one, which Monty cannot compare."""
    kind, method = type(item), methods["__lt__"].get(type(item))
    of = natural.get(method)

    def is_before(a, b):
        if method is None or type(a) is not kind:
            return truth(less(a, b))
        result = method(a, b)
        return result if result is True or result is False else judged(result, a, b, LESS)

    def is_before_by_value(a, b):
        if type(a) is kind and type(b) is kind:
            try:
                return of(a) < of(b)
            except TypeError:  # values that have an order of their own
                pass
        return is_before(a, b)

    return is_before if of is None else is_before_by_value


def judged(result, a, b, order):
    """Whether one is before the other, where a method gave something else than True or False."""
    return truth(_ordered(a, b, order) if result is NotImplemented else result)


def sorted(iterable, *, key=None, reverse=False):
    items = list(iterable)
    if key is None:
        try:
            return native["sorted"](items, reverse=reverse)
        except TypeError:
            pass
    return [items[place] for place in places(items if key is None else [key(item) for item in items], reverse)]


def places(keys, reverse=False):
    """The places of the keys in their order."""
    keys, is_below, is_cmp = comparable(keys, less)
    found = list(range(native_len(keys)))
    if is_below is less:
        try:
            return native["sorted"](found, key=lambda place: keys[place], reverse=reverse)
        except TypeError:
            pass
    if not reverse:
        return _merge_sorted(found, keys, is_below, is_cmp)
    return _merge_sorted(found[::-1], keys, is_below, is_cmp)[::-1]


SHORT = 500


def _merge_sorted(found, keys, is_below, is_cmp):
    """Places in the order of their keys; those that are equal stay in theirs."""
    size = native_len(found)
    if size <= SHORT:
        return _insertion_sorted(found, keys, is_below, is_cmp)
    left = _merge_sorted(found[: size // 2], keys, is_below, is_cmp)
    right = _merge_sorted(found[size // 2 :], keys, is_below, is_cmp)
    b, i, merged = keys[right[0]], 0, []
    if not _is_before(is_below(b, keys[left[-1]]), b, keys[left[-1]], is_cmp):
        return left + right
    for place, number in enumerate(left):
        a = keys[number]
        while True:
            result = is_below(b, a)
            if is_cmp:
                result = result < 0
            elif result is not True and result is not False:
                result = judged(result, b, a, LESS)
            if not result:
                break
            merged.append(right[i])
            i += 1
            if i == size - size // 2:
                return merged + left[place:]
            b = keys[right[i]]
        merged.append(number)
    return merged + right[i:]


def _insertion_sorted(found, keys, is_below, is_cmp):
    """The same for a few of them: each is put in its place among those before."""
    known, order = [keys[place] for place in found[:1]], found[:1]
    for place in found[1:]:
        key, low, high = keys[place], 0, native_len(known)
        middle = high - 1  # first: they may be in order
        while low < high:
            result = is_below(key, known[middle])
            if is_cmp:
                result = result < 0
            elif result is not True and result is not False:
                result = judged(result, key, known[middle], LESS)
            if result:
                high = middle
            else:
                low = middle + 1
            middle = (low + high) // 2
        known.insert(low, key)
        order.insert(low, place)
    return order


def _is_before(result, a, b, is_cmp):
    return result < 0 if is_cmp else judged(result, a, b, LESS)


def sort(items, *arguments, **options):
    """`items.sort(…)`, which may be a list."""
    if isinstance(items, list) and not arguments:
        items[:] = sorted(items, **options)
        return None
    return items.sort(*arguments, **options)


def min(*items, **options):
    return _extreme("min", less, items, options)


def max(*items, **options):
    return _extreme("max", more, items, options)


def _extreme(name, order, items, options):
    candidates = list(items[0]) if native_len(items) == 1 else list(items)
    key = options.get("key")
    if not candidates:
        return native[name](candidates, **options)
    keys, compare, is_cmp = comparable(candidates if key is None else [key(item) for item in candidates], order)
    if compare is order:
        try:
            return candidates[native[name](range(native_len(keys)), key=lambda place: keys[place])]
        except TypeError:
            pass
    best = 0
    for place in range(1, native_len(keys)):
        a, b = keys[place], keys[best]
        result = compare(a, b)
        if is_cmp:
            result = result < 0 if order is less else result > 0
        if result is True or (result is not False and judged(result, a, b, LESS if order is less else MORE)):
            best = place
    return candidates[best]


def reversed(items):
    method = methods["__reversed__"].get(type(items))
    if method is not None:
        return method(items)
    if type(items) in methods["__len__"] and hasattr(items, "__getitem__"):
        return iter([items[i] for i in range(len(items) - 1, -1, -1)])
    return native["reversed"](items)


replaced = __rlm__["replaced"]


def likeness(value):
    """A value with the texts and numbers that members of enumerations in it are as good as."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, dict):
        return {likeness(key): likeness(item) for key, item in value.items()}
    if type(value) is tuple:
        return tuple([likeness(item) for item in value])
    if isinstance(value, (list, tuple)):
        return [likeness(item) for item in value]
    if hasattr(value, "__members__"):
        return [likeness(item) for item in value]
    return _known.plain(value)


functions = [sort, less, at_most, more, at_least, compare, chained, both, either, truth, likeness]
functions += [native["len"], len, native["bool"], bool, native["any"], any, native["all"], all]
functions += [replaced["filter"], filter, replaced["sorted"], sorted, replaced["min"], min, replaced["max"], max]
functions += [native["reversed"], reversed, *[in_place[name] for name, _ in CHANGED]]
"""In the order of `repl/rewriting/operations.py`."""
