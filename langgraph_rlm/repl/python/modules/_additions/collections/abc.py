"""`collections.abc`: what `isinstance` takes for a kind of collection, and names for annotations."""

import collections

_views = (type({}.keys()), type({}.values()), type({}.items()))
_iterators = tuple([type(iter(items)) for items in ([], "", (), {}, {1}, range(0), {}.values(), {}.items(), b"")])

Mapping = MutableMapping = dict
Sequence = (list, tuple, str, bytes, range, collections.deque)
MutableSequence = (list, collections.deque)
Set = (set, frozenset, type({}.keys()))
MutableSet = set
Collection = Sized = Container = Reversible = (*Sequence, dict, set, frozenset, *_views)
Iterator = Generator = _iterators
Iterable = (*Collection, *_iterators)
Hashable = (str, int, float, bool, bytes, tuple, frozenset, range, type(None))
Callable = (type(lambda: None), type(len))
Awaitable = Coroutine = AsyncIterator = AsyncIterable = ()
