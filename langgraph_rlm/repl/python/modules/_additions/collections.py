"""What Monty's `collections` lacks."""

OrderedDict = dict
"""A dict keeps its order. It has no `move_to_end` and no `popitem(last=False)`."""


class ChainMap:
    """Looks things up in one dict after the other. What is set is set in the first."""

    def __init__(self, *maps):
        self.maps = list(maps) or [{}]

    def _merged(self):
        merged = {}
        for mapping in reversed(self.maps):
            merged.update(mapping)
        return merged

    def __getitem__(self, key):
        for mapping in self.maps:
            if key in mapping:
                return mapping[key]
        raise KeyError(key)

    def __setitem__(self, key, value):
        self.maps[0][key] = value

    def __contains__(self, key):
        return any([key in mapping for mapping in self.maps])

    def __iter__(self):
        return iter(self._merged())

    def __len__(self):
        return len(self._merged())

    def __eq__(self, other):
        return self._merged() == (other._merged() if isinstance(other, ChainMap) else other)

    def __repr__(self):
        return "ChainMap(" + ", ".join([repr(mapping) for mapping in self.maps]) + ")"

    def get(self, key, default=None):
        return self[key] if key in self else default

    def keys(self):
        return self._merged().keys()

    def values(self):
        return self._merged().values()

    def items(self):
        return self._merged().items()

    def new_child(self, m=None):
        return ChainMap({} if m is None else m, *self.maps)
