"""`typing`: names for annotations, and what they are at run time."""

import collections

_abc = __rlm__["module"]("_additions.collections.abc")
_forms = __rlm__["module"]("_forms")
_Form = _forms.Form


def _form(name, kinds=None, origin=None, made=None):
    return _Form("typing." + name, kinds, (), origin, made)


TYPE_CHECKING = False
Union, Literal, TypeVar = _forms.Union, _forms.Literal, _forms.Variable
ParamSpec = TypeVarTuple = TypeVar
Optional = _form("Optional", made=_forms.optional)
Final = __rlm__["unset"]
"""It is the name that ends a run, too: importing it sets no answer."""

Any, AnyStr, Text = _form("Any"), TypeVar("AnyStr"), str
Annotated, Concatenate, ClassVar = _form("Annotated"), _form("Concatenate"), _form("ClassVar")
Generic, Protocol, Self, TypeAlias = _form("Generic"), _form("Protocol"), _form("Self"), _form("TypeAlias")
Never, NoReturn, LiteralString = _form("Never"), _form("NoReturn"), _form("LiteralString")
Required, NotRequired, ReadOnly = _form("Required"), _form("NotRequired"), _form("ReadOnly")
TypeGuard, TypeIs, Unpack = _form("TypeGuard"), _form("TypeIs"), _form("Unpack")
IO, TextIO, BinaryIO = _form("IO"), _form("TextIO"), _form("BinaryIO")
SupportsInt, SupportsFloat, SupportsIndex = _form("SupportsInt"), _form("SupportsFloat"), _form("SupportsIndex")
SupportsAbs, SupportsRound = _form("SupportsAbs"), _form("SupportsRound")


Pattern = _form("Pattern", lambda value: isinstance(value, __rlm__["module"]("re").Pattern))
Match = _form("Match", lambda value: isinstance(value, __rlm__["module"]("re").Match))

List, Dict, Set, FrozenSet = (
    _form("List", (list,), list),
    _form("Dict", (dict,), dict),
    _form("Set", (set,), set),
    _form("FrozenSet", (frozenset,), frozenset),
)
Tuple, Type = _form("Tuple", (tuple,), tuple), _form("Type", (type,), type)
DefaultDict = _form("DefaultDict", (collections.defaultdict,), collections.defaultdict)
Counter = _form("Counter", (collections.Counter,), collections.Counter)
Deque = _form("Deque", (collections.deque,), collections.deque)
OrderedDict = _form("OrderedDict", (dict,), dict)
ChainMap = _form("ChainMap", ())


def _of_abc(name):
    kind = getattr(_abc, "Set" if name == "AbstractSet" else name)
    return _Form("typing." + name, kind.kinds, kind.methods, kind)


Mapping, MutableMapping, Sequence, MutableSequence = (
    _of_abc("Mapping"),
    _of_abc("MutableMapping"),
    _of_abc("Sequence"),
    _of_abc("MutableSequence"),
)
AbstractSet, MutableSet, Collection, Sized = (
    _of_abc("AbstractSet"),
    _of_abc("MutableSet"),
    _of_abc("Collection"),
    _of_abc("Sized"),
)
Container, Reversible, Iterable, Iterator = (
    _of_abc("Container"),
    _of_abc("Reversible"),
    _of_abc("Iterable"),
    _of_abc("Iterator"),
)
Generator, Callable, Hashable = _of_abc("Generator"), _of_abc("Callable"), _of_abc("Hashable")
KeysView, ValuesView, ItemsView = _of_abc("KeysView"), _of_abc("ValuesView"), _of_abc("ItemsView")
Awaitable, Coroutine = _of_abc("Awaitable"), _of_abc("Coroutine")
AsyncIterator, AsyncIterable, AsyncGenerator = (
    _of_abc("AsyncIterator"),
    _of_abc("AsyncIterable"),
    _of_abc("AsyncGenerator"),
)


def get_origin(tp):
    """What a form with arguments is without them."""
    if isinstance(tp, _forms.Alias):
        return tp.form if tp.form is Annotated else tp.__origin__
    if isinstance(tp, _Form):
        return None if tp.__origin__ is tp else tp.__origin__
    if type(tp) is type(int | str):
        return type(tp)
    return getattr(tp, "__origin__", None) if type(tp) is type(list[int]) else None


def get_args(tp):
    """The arguments of a form."""
    if isinstance(tp, _forms.Alias) and tp.__origin__ is _abc.Callable:
        return tuple([list(part) if isinstance(part, list) else part for part in tp.__args__])
    if isinstance(tp, _forms.Alias) or type(tp) in (type(int | str), type(list[int])):
        return tp.__args__
    return ()


def NamedTuple(typename, fields=(), /, **named):
    """A class of tuples: `NamedTuple("Pair", [("x", int), ("y", int)])`."""
    return collections.namedtuple(typename, [name for name, _ in fields] or list(named))


def TypedDict(typename, fields=None, /, *, total=True):
    """A dict by the names of its keys."""
    return dict


def NewType(name, tp):
    return lambda value: value


def cast(typ, val):
    return val


def assert_type(val, typ):
    return val


def assert_never(arg):
    raise AssertionError("Expected code to be unreachable, but got: " + repr(arg)[:100])


def overload(func):
    return func


def override(method):
    return method


def final(f):
    return f


def no_type_check(arg):
    return arg


def runtime_checkable(cls):
    return cls
