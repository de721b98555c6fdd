"""What Monty's `collections` lacks."""

from collections.abc import MutableMapping, MutableSequence

OrderedDict = dict
"""A dict keeps its order: what else it has is in `_methods`."""


class _Lookup(MutableMapping):
    """Has `__missing__`, which is `__absent__` here: see `repl/rewriting/classes.py`."""

    def __absent__(self, key):
        raise KeyError(key)

    def get(self, key, default=None):
        return self[key] if key in self else default


class ChainMap(_Lookup):
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
        return self.__absent__(key)

    def __setitem__(self, key, value):
        self.maps[0][key] = value

    def __delitem__(self, key):
        if key not in self.maps[0]:
            raise KeyError("Key not found in the first mapping: " + repr(key))
        self.maps[0].pop(key)

    def __contains__(self, key):
        return any([key in mapping for mapping in self.maps])

    def __iter__(self):
        return iter(self._merged())

    def __len__(self):
        return len(self._merged())

    def __repr__(self):
        return "ChainMap(" + ", ".join([repr(mapping) for mapping in self.maps]) + ")"

    def new_child(self, m=None, **named):
        return type(self)({**({} if m is None else m), **named}, *self.maps)

    @property
    def parents(self):
        return type(self)(*self.maps[1:])

    def copy(self):
        return type(self)(dict(self.maps[0]), *self.maps[1:])


class UserDict(_Lookup):
    """A dict to derive from: `data` has its items."""

    def __init__(self, dict=None, /, **named):
        self.data = {}
        self.update({} if dict is None else dict)
        self.update(named)

    def __getitem__(self, key):
        if key in self.data:
            return self.data[key]
        return self.__absent__(key)

    def __setitem__(self, key, item):
        self.data[key] = item

    def __delitem__(self, key):
        if key not in self.data:
            raise KeyError(key)
        self.data.pop(key)

    def __contains__(self, key):
        return key in self.data

    def __iter__(self):
        return iter(self.data)

    def __len__(self):
        return len(self.data)

    def __repr__(self):
        return repr(self.data)

    def copy(self):
        return type(self)(self.data)


class UserList(MutableSequence):
    """A list to derive from: `data` has its items."""

    def __init__(self, initlist=None):
        self.data = [] if initlist is None else list(initlist)

    def __getitem__(self, index):
        return type(self)(self.data[index]) if isinstance(index, slice) else self.data[index]

    def __setitem__(self, index, item):
        self.data[index] = item

    def __delitem__(self, index):
        self.data.pop(index)

    def __contains__(self, item):
        return item in self.data

    def __iter__(self):
        return iter(self.data)

    def __len__(self):
        return len(self.data)

    def __eq__(self, other):
        return self.data == (other.data if isinstance(other, UserList) else other)

    def __add__(self, other):
        return type(self)([*self.data, *other])

    def __repr__(self):
        return repr(self.data)

    def insert(self, index, value):
        self.data.insert(index, value)

    def sort(self, *, key=None, reverse=False):
        self.data = sorted(self.data, key=key, reverse=reverse)

    def copy(self):
        return type(self)(self.data)
