"""Operators and built-ins for classes with methods that Monty never calls: see `repl/rewriting/operations.py`."""

classes = __rlm__["module"]("_classes").classes
native = {"len": len, "bool": bool, "sorted": sorted, "min": min, "max": max, "reversed": reversed}
native = {**native, "any": any, "all": all}
MIRRORED = {
    "<": ["__lt__", "__gt__"],
    ">": ["__gt__", "__lt__"],
    "<=": ["__le__", "__ge__"],
    ">=": ["__ge__", "__le__"],
}
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


def _method(value, name):
    """The method of that name that the class of a value has, or None."""
    known = classes.get(type(value))
    return known["all"][name][1] if known is not None and name in known["all"] else None


# -- truth ------------------------------------------------------------------------------------------------------------


native_len = len


def len(value):
    return _len(value) if type(value) in classes else native_len(value)


def _len(value):
    method = _method(value, "__len__") or _method(value, "__sized__")
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
    return _truth(value) if type(value) in classes else value


def _truth(value):
    method = _method(value, "__bool__")
    if method is None:
        return len(value) > 0 if _method(value, "__len__") is not None else True
    result = method(value)
    if type(result) is not bool_type:
        raise TypeError("__bool__ should return bool, returned " + type(result).__name__)
    return result


bool_type = bool


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
    if operator in MIRRORED:
        for owner, other, name in ((left, right, MIRRORED[operator][0]), (right, left, MIRRORED[operator][1])):
            method = _method(owner, name)
            result = NotImplemented if method is None else method(owner, other)
            if result is not NotImplemented:
                return result
        if type(left) is type(right) and type(left) in (tuple, list):
            for a, b in zip(left, right):
                if a is not b and a != b:
                    return compare(a, operator, b)
            return OPERATORS[operator](native_len(left), native_len(right))
    elif operator == "!=":
        method = _method(left, "__ne__")
        result = NotImplemented if method is None else method(left, right)
        if result is not NotImplemented:
            return result
    return OPERATORS[operator](left, right)


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
        return compare(a, "<", b)


def at_most(a, b):
    try:
        return a <= b
    except TypeError:
        return compare(a, "<=", b)


def more(a, b):
    try:
        return a > b
    except TypeError:
        return compare(a, ">", b)


def at_least(a, b):
    try:
        return a >= b
    except TypeError:
        return compare(a, ">=", b)


def sorted(iterable, *, key=None, reverse=False):
    items = list(iterable)
    return [items[place] for place in places(items if key is None else [key(item) for item in items], reverse)]


def places(keys, reverse=False):
    """The places of the keys in their order."""
    found = list(range(native_len(keys)))
    try:
        return native["sorted"](found, key=lambda place: keys[place], reverse=reverse)
    except TypeError:
        return _merge_sorted(found, keys, reverse)


def _merge_sorted(found, keys, reverse):
    if native_len(found) < 2:
        return found
    middle = native_len(found) // 2
    left, right = _merge_sorted(found[:middle], keys, reverse), _merge_sorted(found[middle:], keys, reverse)
    merged, i, j = [], 0, 0
    while i < native_len(left) and j < native_len(right):
        a, b = keys[left[i]], keys[right[j]]
        if truth(less(a, b) if reverse else less(b, a)):
            merged.append(right[j])
            j += 1
        else:
            merged.append(left[i])
            i += 1
    return merged + left[i:] + right[j:]


def sort(items, *arguments, **options):
    """`items.sort(…)`, which may be a list."""
    if isinstance(items, list) and not arguments:
        items[:] = sorted(items, **options)
        return None
    return items.sort(*arguments, **options)


def min(*items, **options):
    return _extreme("min", lambda new, best: less(new, best), items, options)


def max(*items, **options):
    return _extreme("max", lambda new, best: more(new, best), items, options)


def _extreme(name, is_better, items, options):
    candidates = list(items[0]) if native_len(items) == 1 else list(items)
    key = options.get("key")
    if not candidates:
        return native[name](candidates, **options)
    best, best_key = candidates[0], candidates[0] if key is None else key(candidates[0])
    for item in candidates[1:]:
        item_key = item if key is None else key(item)
        if truth(is_better(item_key, best_key)):
            best, best_key = item, item_key
    return best


def reversed(items):
    method = _method(items, "__reversed__")
    if method is not None:
        return method(items)
    if _method(items, "__len__") is not None and _method(items, "__getitem__") is not None:
        return iter([items[i] for i in range(len(items) - 1, -1, -1)])
    return native["reversed"](items)


OWN = {
    **{native[name]: own for name, own in (("len", len), ("bool", bool), ("reversed", reversed))},
    **{__rlm__["replaced"][name]: own for name, own in (("sorted", sorted), ("min", min), ("max", max))},
    native["any"]: any,
    native["all"]: all,
    __rlm__["replaced"]["filter"]: filter,
}


def own(value):
    """The value of a name that may be one of these built-ins: code may have made it something else."""
    try:
        return OWN.get(value, value)
    except TypeError:
        return value


functions = [own, sort, less, at_most, more, at_least, compare, chained, both, either, truth]
