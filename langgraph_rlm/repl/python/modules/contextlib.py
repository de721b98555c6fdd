"""`contextlib`: what stands after `with`."""


class suppress:
    """Lets exceptions of these kinds go by."""

    def __init__(self, *kinds):
        self._kinds = kinds

    def __enter__(self):
        pass

    def __exit__(self, kind, error, traceback):
        return kind is not None and isinstance(error, self._kinds)


class nullcontext:
    """Does nothing."""

    def __init__(self, enter_result=None):
        self.enter_result = enter_result

    def __enter__(self):
        return self.enter_result

    def __exit__(self, kind, error, traceback):
        pass


class closing:
    """Closes a thing at the end."""

    def __init__(self, thing):
        self.thing = thing

    def __enter__(self):
        return self.thing

    def __exit__(self, kind, error, traceback):
        self.thing.close()


class Managed:
    """What a function gives that `contextmanager` decorates."""

    def __init__(self, items):
        self.items = items

    def __enter__(self):
        try:
            return self.items.__next__()
        except StopIteration:
            raise RuntimeError("generator didn't yield") from None

    def __exit__(self, kind, error, traceback):
        try:
            self.items.throw(error) if kind is not None else self.items.__next__()
        except StopIteration:
            return kind is not None
        except Exception as raised:
            if type(raised) is kind and str(raised) == str(error):
                return False
            raise
        raise RuntimeError("generator didn't stop" + (" after throw()" if kind is not None else ""))


def contextmanager(function):
    """A function for `with` from a generator function that yields once."""
    return lambda *arguments, **named: Managed(function(*arguments, **named))
