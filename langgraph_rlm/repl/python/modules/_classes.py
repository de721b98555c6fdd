"""What classes are rewritten to: see `repl/rewriting/classes.py`."""

import collections

classes = {}
names = {}
"""The names of functions that took them over from others: `functools.wraps`."""
CALLED = "__call__"
raising = []
MOST_RAISING = 100


class Static:
    """A static method: unlike a function it is not bound to the object that it is read from."""

    def __init__(self, function):
        self.function = function

    def __call__(self, *arguments, **named):
        return self.function(*arguments, **named)


class OfClass:
    """A class method."""

    def __init__(self, owner, function):
        self.owner, self.function = owner, function

    def __call__(self, *arguments, **named):
        return self.function(self.owner, *arguments, **named)


def define(cls, bases, own, setters, abstract=()):
    """Makes a class known, and gives it what its bases have. `own` says of each name of its own what it is."""
    lineages = [list(classes[base]["lineage"]) if base in classes else [base] for base in bases]
    lineage = [cls, *_merged(lineages, bases)]
    members = {name: [kind, getattr(cls, name)] for name, kind in own.items() if kind != "value" or hasattr(cls, name)}
    known = {"lineage": lineage, "own": members, "all": {}, "setters": {}, "raises": None, "abstract": abstract}
    classes[cls] = known
    for above in reversed(lineage):
        if above in classes:
            known["all"].update(classes[above]["own"])
            known["setters"].update(classes[above]["setters"])
        elif known["raises"] is None:
            known["raises"] = above
    known["setters"].update({name: getattr(cls, method) for name, method in setters.items()})
    if known["raises"] is not None:
        known["all"] = {**{name: ["method", method] for name, method in EXCEPTION.items()}, **known["all"]}
    if "__getitem__" in known["all"] and "__iter__" not in known["all"]:
        known["all"]["__iter__"] = ["method", _each]
    if "__delitem__" in known["all"] and "pop" not in known["all"]:
        known["all"]["pop"] = known["all"]["__delitem__"]  # `del items[i]` is rewritten so
    for name, (kind, value) in known["all"].items():
        if kind == "static":
            setattr(cls, name, Static(value))
        elif kind == "class":
            setattr(cls, name, OfClass(cls, value))
        elif name not in members:
            setattr(cls, name, value)
    missing = [
        name
        for above in lineage
        if above in classes
        for name in classes[above]["abstract"]
        if known["all"][name][1] is classes[above]["own"][name][1]
    ]
    if missing:
        cls.__init__ = _refusing(cls, sorted(missing))
    return cls


def _merged(lineages, bases):
    """The classes above one, in the order in which Python looks for a name (C3)."""
    waiting, merged = [*lineages, list(bases)], []
    while True:
        waiting = [line for line in waiting if line]
        if not waiting:
            return merged
        first = [line[0] for line in waiting if not any([line[0] in other[1:] for other in waiting])]
        if not first:
            raise TypeError("Cannot create a consistent method resolution order (MRO) for bases")
        merged.append(first[0])
        waiting = [[cls for cls in line if cls is not first[0]] for line in waiting]


def _refusing(cls, methods):
    """The `__init__` of a class that has abstract methods."""

    def refuse(self, *arguments, **named):
        which = "method" if len(methods) == 1 else "methods"
        names = ", ".join(["'" + name + "'" for name in methods])
        raise TypeError("Can't instantiate abstract class " + cls.__name__ + " with abstract " + which + " " + names)

    return refuse


class Counted:
    """The items `items[0]`, `items[1]` … up to an `IndexError`."""

    def __init__(self, items):
        self.items, self.place = items, -1

    def __iter__(self):
        return self

    def __next__(self):
        self.place += 1
        try:
            return self.items[self.place]
        except IndexError:
            raise StopIteration from None


def _each(self):
    """The items of what has a `__getitem__` alone."""
    return Counted(self)


def total_ordering(cls):
    """What `functools.total_ordering` adds to a class."""
    known = classes[cls]["all"]
    roots = [name for name in ("__lt__", "__gt__", "__le__", "__ge__") if name in known]
    if not roots:
        raise ValueError("must define at least one ordering operation: < > <= >=")
    root = known[roots[0]][1]
    for name, derived in DERIVED[roots[0]].items():
        if name not in known:
            add(cls, name, _derived(root, derived))
    return cls


def _derived(root, derived):
    def method(self, other):
        found = root(self, other)
        return found if found is NotImplemented else derived(found, self, other)

    return method


DERIVED = {
    "__lt__": {
        "__gt__": lambda found, a, b: not found and a != b,
        "__le__": lambda found, a, b: found or a == b,
        "__ge__": lambda found, a, b: not found,
    },
    "__gt__": {
        "__lt__": lambda found, a, b: not found and a != b,
        "__ge__": lambda found, a, b: found or a == b,
        "__le__": lambda found, a, b: not found,
    },
    "__le__": {
        "__ge__": lambda found, a, b: not found or a == b,
        "__lt__": lambda found, a, b: found and a != b,
        "__gt__": lambda found, a, b: not found,
    },
    "__ge__": {
        "__le__": lambda found, a, b: not found or a == b,
        "__gt__": lambda found, a, b: found and a != b,
        "__lt__": lambda found, a, b: not found,
    },
}
"""What each of the four methods says of the other three, as `functools` has it."""


def add(cls, name, method):
    classes[cls]["own"][name] = classes[cls]["all"][name] = ["method", method]
    setattr(cls, name, method)


def _init_exception(self, *arguments):
    self.args = arguments


def _exception_text(self):
    arguments = getattr(self, "args", ())
    if len(arguments) == 1 and _is_error_of(classes[type(self)]["raises"], KeyError):
        return repr(arguments[0])
    return str(arguments[0]) if len(arguments) == 1 else str(arguments) if arguments else ""


def _exception_shown(self):
    return type(self).__name__ + "(" + ", ".join([repr(argument) for argument in getattr(self, "args", ())]) + ")"


EXCEPTION = {"__init__": _init_exception, "__str__": _exception_text, "__repr__": _exception_shown}
"""What an exception of the code's own has from the beginning."""


def super_of(cls, owner, name):
    """`super().name` in a method of `cls`: what comes after it among the classes of `owner`."""
    of = owner if type(owner).__name__ == "type" else type(owner)
    known = classes[of]
    above = known["lineage"][known["lineage"].index(cls) + 1 :]
    for other in above:
        if other in classes and name in classes[other]["own"]:
            kind, function = classes[other]["own"][name]
            if kind == "static":
                return function
            return _bound(of if kind == "class" else owner, function)
    if name in EXCEPTION and known["raises"] is not None:
        return _bound(owner, EXCEPTION[name])
    if name == "__init__":
        return _nothing
    raise AttributeError("'super' object has no attribute '" + name + "'")


def _bound(owner, function):
    return lambda *arguments, **named: function(owner, *arguments, **named)


def _nothing(*arguments, **named):
    return None


def attribute(owner, name):
    """`owner.name`, where some class has a property of that name."""
    known = classes.get(type(owner))
    kind, function = known["all"].get(name, ["", None]) if known is not None else ["", None]
    if kind == "cached":
        if not hasattr(owner, "__cached_" + name):
            setattr(owner, "__cached_" + name, function(owner))
        return getattr(owner, "__cached_" + name)
    if kind == "property":
        return function(owner)
    return getattr(owner, name)


def assign(owner, name, value):
    """`owner.name = value`, where some class has a property of that name."""
    known = classes.get(type(owner))
    if known is not None and name in known["setters"]:
        known["setters"][name](owner, value)
    elif known is not None and name in known["all"] and known["all"][name][0] == "property":
        raise AttributeError("property '" + name + "' of '" + type(owner).__name__ + "' object has no setter")
    else:
        setattr(owner, name, value)


def is_instance(value, kinds):
    """`isinstance`, for classes with bases too."""
    return _is_of(value, kinds)


def _is_of(value, kind):
    if isinstance(kind, Enumeration):
        return value in kind.members.values()
    known = classes.get(type(value))
    if isinstance(kind, tuple):
        return any([_is_of(value, one) for one in kind]) or _behaves_as(value, kind)
    if known is None:
        return isinstance(value, kind)
    return kind in known["lineage"] or (known["raises"] is not None and _is_error_of(known["raises"], kind))


BEHAVIOURS = {"Iterable": "__iter__", "Iterator": "__next__", "Sized": "__len__", "Callable": CALLED}


def _behaves_as(value, kinds):
    """Whether `kinds` are a class of `collections.abc` that goes by a method, and the value has that."""
    known = __rlm__["module"]("_additions.collections.abc")
    return any([getattr(known, name) is kinds and hasattr(value, method) for name, method in BEHAVIOURS.items()])


def is_subclass(cls, kinds):
    """`issubclass`."""
    if type(cls).__name__ != "type":
        raise TypeError("issubclass() arg 1 must be a class")
    for kind in kinds if isinstance(kinds, tuple) else (kinds,):
        if cls is kind or kind is object or (cls is bool and kind is int):
            return True
        if cls in classes:
            known = classes[cls]
            if kind in known["lineage"] or (known["raises"] is not None and _is_error_of(known["raises"], kind)):
                return True
        elif _is_error_of(cls, kind):
            return True
    return False


def _is_error_of(cls, kind):
    """Whether one built-in exception is a kind of another."""
    try:
        return isinstance(cls(""), kind)
    except Exception:  # it is none
        return False


def is_callable(value):
    """`callable`."""
    kind = type(value).__name__
    return kind in ("function", "builtin_function_or_method", "type", "method") or hasattr(value, CALLED)


def part(owner, name):
    """`owner.__name__`, `owner.__class__`, `owner.__dict__`: what functions and instances do not have here."""
    if name == "__class__":
        return type(owner)
    if name == "__dict__" and hasattr(owner, "__dataclass_fields__"):
        return {field: getattr(owner, field) for field in owner.__dataclass_fields__}
    if name == "__name__" and type(owner).__name__ == "function" and owner in names:
        return names[owner]
    try:
        return getattr(owner, name)
    except AttributeError:
        shown = repr(owner)
        for start in ("<function '", "<class '", "<built-in function "):
            if name in ("__name__", "__qualname__") and shown.startswith(start):
                return shown[len(start) :].rstrip(">").split("' at ")[0].strip("'").split(".")[-1]
        raise


def raised(value):
    """What to raise for `value`: an exception of the code's own goes along with a built-in one."""
    if value in classes:
        value = value()
    known = classes.get(type(value))
    if known is None or known["raises"] is None:
        return value
    message = type(value).__name__ + ": " + str(value)
    raising.append([message, value])
    if len(raising) > MOST_RAISING:
        raising.pop(0)
    return known["raises"](message)


def caught(error):
    """The exception of the code's own that went along with a built-in one, or that one."""
    for message, value in reversed(raising):
        if error.args[:1] == (message,):
            return value
    return error


def matches(error, kinds):
    """Whether an `except` of these kinds takes an error."""
    return is_instance(error, kinds) or is_instance(caught(error), kinds)


class Member:
    """A member of an enumeration."""

    def __repr__(self):
        return "<" + self.owner + "." + self.name + ": " + repr(self.value) + ">"

    def __str__(self):
        return self.owner + "." + self.name


class Alike:
    """A member that is as good as its value: of an `IntEnum`, of `class Name(str, Enum)`."""

    def __repr__(self):
        return "<" + self.owner + "." + self.name + ": " + repr(self.value) + ">"

    def __str__(self):
        return str(self.value) if self.is_shown_as_value else self.owner + "." + self.name

    def __eq__(self, other):
        return self.value == plain(other)

    def __hash__(self):
        return hash(self.value)

    def __lt__(self, other):
        return self.value < plain(other)

    def __le__(self, other):
        return self.value <= plain(other)

    def __gt__(self, other):
        return self.value > plain(other)

    def __ge__(self, other):
        return self.value >= plain(other)

    def __add__(self, other):
        return self.value + plain(other)

    def __radd__(self, other):
        return other + self.value

    def __sub__(self, other):
        return self.value - plain(other)

    def __rsub__(self, other):
        return other - self.value

    def __mul__(self, other):
        return self.value * plain(other)

    def __rmul__(self, other):
        return other * self.value

    def __int__(self):
        return int(self.value)

    def __index__(self):
        return self.value


def plain(value):
    return value.value if hasattr(value, "is_shown_as_value") else value


class Auto:
    """What `enum.auto()` gives."""


class Enumeration:
    """What `class Name(Enum)` gives. `cls` is the class of its members, `kind` the type that they are as good as."""

    def __init__(self, name, cls, members, kind):
        self.__name__, self.members, self.cls = name, {}, cls
        self.__members__ = self.members
        last = 0
        for key, value in members:
            if isinstance(value, Auto):
                value = key.lower() if kind == "StrEnum" else last + 1
            last = value
            same = [member for member in self.members.values() if member.value == value]
            self.members[key] = same[0] if same else self.made(key, value, kind)
            setattr(self, key, self.members[key])
        for key, (how, function) in classes[cls]["all"].items():
            if how == "class":
                setattr(self, key, OfClass(self, function))
            elif how == "static" or how == "value":
                setattr(self, key, function)

    def made(self, key, value, kind):
        member = self.cls.__new_member__()
        member.owner, member.name, member.value = self.__name__, key, value
        if kind != "Enum":
            member.is_shown_as_value = kind in ("StrEnum", "IntEnum")
        if "__start__" in classes[self.cls]["all"]:
            member.__start__(*(value if isinstance(value, tuple) else (value,)))
        return member

    def __iter__(self):
        return iter([member for key, member in self.members.items() if member.name == key])

    def __sized__(self):
        return len([key for key, member in self.members.items() if member.name == key])

    def __getitem__(self, key):
        return self.members[key]

    def __call__(self, value):
        for member in self.members.values():
            if member is value or member.value == value:
                return member
        raise ValueError(repr(value) + " is not a valid " + self.__name__)

    def __contains__(self, member):
        return any([member is known for known in self.members.values()])


def enum(name, cls, members, kind):
    cls.__new_member__ = Static(lambda: cls())
    return Enumeration(name, cls, members, kind)


class Record:
    """What `class Name(NamedTuple)` with methods gives: not a tuple, though it does what one does."""

    def values(self):
        return tuple([getattr(self, name) for name in self._fields])

    def __iter__(self):
        return iter(self.values())

    def __sized__(self):
        return len(self._fields)

    def __getitem__(self, key):
        return self.values()[key]

    def __contains__(self, value):
        return value in self.values()

    def __eq__(self, other):
        return self.values() == values_of(other)

    def __hash__(self):
        return hash(self.values())

    def __lt__(self, other):
        return self.values() < values_of(other)

    def __le__(self, other):
        return self.values() <= values_of(other)

    def __gt__(self, other):
        return self.values() > values_of(other)

    def __ge__(self, other):
        return self.values() >= values_of(other)

    def __add__(self, other):
        return self.values() + values_of(other)

    def __repr__(self):
        return type(self).__name__ + "(" + ", ".join([n + "=" + repr(getattr(self, n)) for n in self._fields]) + ")"

    def _asdict(self):
        return {name: getattr(self, name) for name in self._fields}

    def _replace(self, **changes):
        return type(self)(**{**self._asdict(), **changes})

    def index(self, value):
        return self.values().index(value)

    def count(self, value):
        return self.values().count(value)


def values_of(other):
    return other.values() if hasattr(other, "_fields") and not isinstance(other, tuple) else other


def known_as_methods(cls, *names):
    define(cls, (), dict.fromkeys(names, "method"), {})


ORDER = ["__lt__", "__le__", "__gt__", "__ge__"]
SHOWN = ["__repr__", "__str__"]
known_as_methods(Member, *SHOWN)
NUMBERS = ["__add__", "__radd__", "__sub__", "__rsub__", "__mul__", "__rmul__", "__int__", "__index__"]
known_as_methods(Alike, *SHOWN, *ORDER, *NUMBERS, "__eq__", "__hash__")
known_as_methods(Enumeration, "__sized__")
SEQUENCE = [
    "values",
    "__iter__",
    "__sized__",
    "__getitem__",
    "__contains__",
    "__eq__",
    "__hash__",
    "__add__",
    "__repr__",
]
known_as_methods(Record, *SEQUENCE, *ORDER, "_asdict", "_replace", "index", "count")


def named_tuple(name, fields, defaults):
    """What `class Name(NamedTuple)` gives."""
    return collections.namedtuple(name, fields, defaults=defaults)
