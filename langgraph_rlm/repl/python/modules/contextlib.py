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
