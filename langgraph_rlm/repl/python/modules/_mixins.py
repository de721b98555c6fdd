"""What classes derived from those of `collections.abc` get of them."""

from abc import abstractmethod


class Hashable:
    pass


class Sized:
    @abstractmethod
    def __len__(self):
        return 0


class Container:
    @abstractmethod
    def __contains__(self, item):
        return False


class Iterable:
    @abstractmethod
    def __iter__(self):
        return iter(())


class Callable:
    @abstractmethod
    def __call__(self, *arguments, **named):
        pass


class Iterator(Iterable):
    @abstractmethod
    def __next__(self):
        raise StopIteration

    def __iter__(self):
        return self


class Reversible(Iterable):
    @abstractmethod
    def __reversed__(self):
        return iter(())


class Collection(Sized, Iterable, Container):
    pass


class Mapping(Collection):
    @abstractmethod
    def __getitem__(self, key):
        raise KeyError(key)

    def get(self, key, default=None):
        try:
            return self[key]
        except KeyError:
            return default

    def __contains__(self, key):
        try:
            self[key]
        except KeyError:
            return False
        return True

    def keys(self):
        return dict.fromkeys(list(iter(self))).keys()

    def items(self):
        return {key: self[key] for key in iter(self)}.items()

    def values(self):
        return {key: self[key] for key in iter(self)}.values()

    def __eq__(self, other):
        if not isinstance(other, (dict, Mapping)):
            return NotImplemented
        return dict(self.items()) == dict(other.items())


class MutableMapping(Mapping):
    @abstractmethod
    def __setitem__(self, key, value):
        raise KeyError(key)

    @abstractmethod
    def __delitem__(self, key):
        raise KeyError(key)

    def pop(self, key, *default):
        try:
            value = self[key]
        except KeyError:
            if not default:
                raise
            return default[0]
        self.__delitem__(key)
        return value

    def popitem(self):
        for key in iter(self):
            value = self[key]
            self.__delitem__(key)
            return key, value
        raise KeyError

    def clear(self):
        for key in list(iter(self)):
            self.__delitem__(key)

    def update(self, other=(), /, **named):
        pairs = other.items() if hasattr(other, "items") or isinstance(other, dict) else other
        for key, value in pairs:
            self[key] = value
        for key, value in named.items():
            self[key] = value

    def setdefault(self, key, default=None):
        try:
            return self[key]
        except KeyError:
            self[key] = default
        return default


class Sequence(Reversible, Collection):
    @abstractmethod
    def __getitem__(self, index):
        raise IndexError

    def __iter__(self):
        return iter([self[place] for place in range(len(self))])

    def __contains__(self, value):
        return any([item is value or item == value for item in iter(self)])

    def __reversed__(self):
        return iter([self[place] for place in range(len(self) - 1, -1, -1)])

    def index(self, value, start=0, stop=None):
        for place in list(range(len(self)))[start:stop]:
            if self[place] is value or self[place] == value:
                return place
        raise ValueError

    def count(self, value):
        return len([item for item in iter(self) if item is value or item == value])


class MutableSequence(Sequence):
    @abstractmethod
    def __setitem__(self, index, value):
        raise IndexError

    @abstractmethod
    def __delitem__(self, index):
        raise IndexError

    @abstractmethod
    def insert(self, index, value):
        raise IndexError

    def append(self, value):
        self.insert(len(self), value)

    def extend(self, values):
        for value in list(values):
            self.append(value)

    def clear(self):
        while len(self):
            self.__delitem__(len(self) - 1)

    def reverse(self):
        for place, value in enumerate(list(iter(self))[::-1]):
            self[place] = value

    def pop(self, index=-1):
        value = self[index]
        self.__delitem__(index)
        return value

    def remove(self, value):
        self.__delitem__(self.index(value))


class Set(Collection):
    def _made(self, items):
        return type(self)(items)

    def __le__(self, other):
        return len(self) <= len(other) and all([item in other for item in iter(self)])

    def __lt__(self, other):
        return len(self) < len(other) and all([item in other for item in iter(self)])

    def __ge__(self, other):
        return len(self) >= len(other) and all([item in self for item in other])

    def __gt__(self, other):
        return len(self) > len(other) and all([item in self for item in other])

    def __eq__(self, other):
        if not isinstance(other, (set, frozenset, Set)):
            return NotImplemented
        return len(self) == len(other) and all([item in other for item in iter(self)])

    def __and__(self, other):
        return self._made([item for item in other if item in self])

    def __or__(self, other):
        return self._made([*iter(self), *other])

    def __sub__(self, other):
        others = list(other)
        return self._made([item for item in iter(self) if item not in others])

    def __xor__(self, other):
        others = list(other)
        mine = [item for item in iter(self) if item not in others]
        return self._made([*mine, *[item for item in others if item not in self]])

    def isdisjoint(self, other):
        return not any([item in self for item in other])


class MutableSet(Set):
    @abstractmethod
    def add(self, value):
        pass

    @abstractmethod
    def discard(self, value):
        pass

    def remove(self, value):
        if value not in self:
            raise KeyError(value)
        self.discard(value)

    def pop(self):
        for value in iter(self):
            self.discard(value)
            return value
        raise KeyError

    def clear(self):
        for value in list(iter(self)):
            self.discard(value)
