"""`types`: a thing with attributes."""


class SimpleNamespace:
    """Has what it is given as attributes; those that it gets later are not compared and not shown."""

    def __init__(self, /, **attributes):
        self._names = list(attributes)
        for name, value in attributes.items():
            setattr(self, name, value)

    def _items(self):
        return {name: getattr(self, name) for name in self._names}

    def __eq__(self, other):
        return isinstance(other, SimpleNamespace) and self._items() == other._items()

    def __repr__(self):
        return "namespace(" + ", ".join([name + "=" + repr(value) for name, value in self._items().items()]) + ")"
