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


class singledispatch:
    """A function that goes by the type of its first argument."""

    def __init__(self, func):
        self._function, self.registry = func, {object: func}

    def register(self, cls, func=None):
        """Takes a function for a type; as a decorator it is given the type that the argument is annotated with."""
        if func is None:
            if type(cls).__name__ == "function":
                raise TypeError(
                    "write the type: @"
                    + __rlm__["module"]("_classes").part(self._function, "__name__")
                    + ".register(type)"
                )
            return lambda func: self.register(cls, func)
        for kind in getattr(cls, "__args__", (cls,)):
            self.registry[kind] = func
        return func

    def dispatch(self, cls):
        known = __rlm__["module"]("_classes")
        return self._nearest([kind for kind in self.registry if known.is_subclass(cls, kind)])

    def _nearest(self, kinds):
        known = __rlm__["module"]("_classes")
        for kind in kinds:
            if not any([other is not kind and known.is_subclass(other, kind) for other in kinds]):
                return self.registry[kind]
        return self.registry[object]

    def __call__(self, *arguments, **named):
        if type(arguments[0]) in self.registry:
            return self.registry[type(arguments[0])](*arguments, **named)
        known = __rlm__["module"]("_classes")
        kinds = [kind for kind in self.registry if known.is_instance(arguments[0], kind)]
        return self._nearest(kinds)(*arguments, **named)
