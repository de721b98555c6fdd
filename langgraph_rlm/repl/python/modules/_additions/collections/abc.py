"""`collections.abc`: kinds of collections, for `isinstance`, for annotations and to derive from."""

import collections

_Form = __rlm__["module"]("_forms").Form
_views = (type({}.keys()), type({}.values()), type({}.items()))
_iterators = tuple([type(iter(items)) for items in ([], "", (), {}, {1}, range(0), {}.values(), {}.items(), b"")])
_sequences = (list, tuple, str, bytes, range, collections.deque)
_collections = (*_sequences, dict, set, frozenset, *_views)


def _is_callable(value):
    return __rlm__["module"]("_classes").is_callable(value)


def _is_hashable(value):
    try:
        hash(value)
    except TypeError:
        return isinstance(value, (tuple, *_iterators))
    return True


def _form(name, kinds=(), *methods):
    return _Form("collections.abc." + name, kinds, methods)


Mapping = _form("Mapping", (dict,))
MutableMapping = _form("MutableMapping", (dict,))
Sequence = _form("Sequence", (list, tuple, str, bytes, range, collections.deque))
MutableSequence = _form("MutableSequence", (list, collections.deque))
Set = _form("Set", (set, frozenset, type({}.keys()), type({}.items())))
MutableSet = _form("MutableSet", (set,))
Collection = _form("Collection", _collections, "__len__", "__iter__", "__contains__")
Sized = _form("Sized", _collections, "__len__")
Container = _form("Container", _collections, "__contains__")
Reversible = _form("Reversible", (*_sequences, dict, *_views), "__reversed__", "__iter__")
Iterable = _form("Iterable", (*_collections, *_iterators), "__iter__")
Iterator = _form("Iterator", _iterators, "__iter__", "__next__")
Generator = _form("Generator", (), "__iter__", "__next__", "send", "throw", "close")
Callable = _form("Callable", _is_callable)
Hashable = _form("Hashable", _is_hashable)
KeysView, ValuesView, ItemsView = [
    _form(n, (view,)) for n, view in zip(["KeysView", "ValuesView", "ItemsView"], _views)
]
Awaitable, Coroutine = _form("Awaitable", (), "__await__"), _form("Coroutine", (), "__await__", "send")
AsyncIterator, AsyncIterable, AsyncGenerator = _form("AsyncIterator"), _form("AsyncIterable"), _form("AsyncGenerator")
Buffer = _form("Buffer", (bytes,))
