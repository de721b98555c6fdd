"""What Monty's `functools` lacks."""


def wraps(wrapped, assigned=(), updated=()):
    """The wrapper, with the name of what it wraps."""
    return lambda wrapper: update_wrapper(wrapper, wrapped)


def update_wrapper(wrapper, wrapped, assigned=(), updated=()):
    if type(wrapper).__name__ == "function":
        known = __rlm__["module"]("_classes")
        known.names[wrapper] = known.part(wrapped, "__name__")
    return wrapper


def cached_property(function):
    """A property that is worked out once: see `repl/rewriting/classes.py`."""
    return function


def total_ordering(cls):
    return __rlm__["module"]("_classes").total_ordering(cls)


def cmp_to_key(mycmp):
    return __rlm__["module"]("_operations").cmp_to_key(mycmp)
