"""What classes are rewritten to: see `repl/rewriting/classes.py`."""

import collections
import functools

classes = {}
readers = {}
"""Of each class its properties, as functions of an instance."""
writers = {}
"""What is called where they are assigned to."""
followers = {}
"""Of each class, by the names of its members, the classes that have them of it."""
instances = {}
"""Of each class whether its instances are of the kinds that `isinstance` was asked for."""
SPECIAL = ("__len__", "__sized__", "__bool__", "__lt__", "__le__", "__gt__", "__ge__", "__ne__", "__reversed__")
IN_PLACE = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and", "or", "xor", "lshift", "rshift")
methods = {name: {} for name in [*SPECIAL, *["__i" + name + "__" for name in IN_PLACE]]}
"""Of each method that Monty never calls, the classes that have it, and what it is there."""
judges = {}
"""Of each class with `__bool__` or `__len__` what says whether an instance is true."""
natural = {}
"""Methods `__lt__` whose order is that of plain values, with what gives these of an instance."""
names = {}
"""The names of functions that took them over from others: `functools.wraps`."""
CALLED = "__call__"
FORM = "is_form"
"""What the names of `typing` and `collections.abc` have."""
CLASS = type(int)
raising = {}
"""Built-in exceptions by their `id`, each with the one of the code's own that it goes along with."""
MOST_RAISING = 200


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


def define(cls, bases, own, setters, abstract=(), supers=()):
    """Makes a class known, and gives it what its bases have.

    `own` says of each name of its own what it is, `supers` which names its methods ask `super()` for.
    """
    bases = tuple([base.mixin() if hasattr(base, FORM) else base for base in bases])
    lineages = [list(classes[base]["lineage"]) if base in classes else [base] for base in bases]
    lineage = [cls, *_merged(lineages, bases)]
    known = {"lineage": lineage, "own": {}, "all": {}, "setters": {}, "raises": None, "below": []}
    known = {**known, "written": list(own), "abstract": abstract, "supers": supers, "asked": set()}
    known["passes"] = [kind for above in lineage if above in classes for kind in classes[above]["passes"]]
    classes[cls], instances[cls], writers[cls] = known, {}, {}
    followers.clear()
    if hasattr(cls, "__dataclass_fields__"):
        own = {**dict.fromkeys(OF_DATACLASS, "method"), **own}
    known["own"] = {name: _member(kind, getattr(cls, name)) for name, kind in own.items() if hasattr(cls, name)}
    for above in reversed(lineage):
        if above in classes:
            known["all"].update(classes[above]["own"])
            known["setters"].update(classes[above]["setters"])
            known["asked"].update(classes[above]["supers"])
            classes[above]["below"].append(cls)
        elif known["raises"] is None:
            known["raises"] = above
    known["setters"].update({name: getattr(cls, method) for name, method in setters.items()})
    _complete(known)
    for name, member in known["all"].items():
        _bind(cls, name, *member)
    _bind_supers(cls)
    shaped = [above for above in lineage if hasattr(above, "__dataclass_fields__")]
    if shaped and shaped[0] is not cls:
        cls.__dataclass_fields__, cls.__match_args__ = shaped[0].__dataclass_fields__, shaped[0].__match_args__
    _refuse_abstract(cls)
    return cls


OF_DATACLASS = ("__init__", "__repr__", "__eq__", "__hash__")
"""What Monty gives a dataclass, as far as it has it."""


def _member(kind, value):
    """What a member of a class is, and its value: functions are methods wherever they come from."""
    return ["method" if kind == "value" and type(value).__name__ == "function" else kind, value]


def _complete(known):
    """Gives a class what is there without being written."""
    members = known["all"]
    if known["raises"] is not None:
        if "__init__" in known["own"] and "__init__" not in known["supers"]:
            known["own"]["__init__"] = members["__init__"] = ["method", _with_arguments(members["__init__"][1])]
        for name, method in _of_error(known).items():
            members.setdefault(name, ["method", method])
    if "__exit__" in known["own"]:
        known["own"]["__exit__"] = members["__exit__"] = ["method", _with_caught(members["__exit__"][1])]
    if "__getitem__" in members:
        members.setdefault("__iter__", ["method", _each])
    if "__delitem__" in members:
        members.setdefault("pop", members["__delitem__"])  # `del items[i]` is rewritten so


def _bind(cls, name, kind, value):
    """Gives a class one member."""
    if kind == "property":
        readers.setdefault(cls, {})[name] = value
        writers[cls][name] = classes[cls]["setters"].get(name) or _fixed(cls, name)
    elif kind == "cached":
        readers.setdefault(cls, {})[name] = _once(name, value)
        writers[cls][name] = _keeping(name)
    elif cls in readers and name in readers[cls]:
        readers[cls].pop(name)
        writers[cls].pop(name)
    if kind == "static":
        value = Static(value)
    elif kind == "class":
        value = OfClass(cls, value)
    elif name in methods:
        methods[name][cls] = value
        if name == "__len__":
            methods["__sized__"][cls] = value
        if name == "__bool__" or (name == "__len__" and cls not in methods["__bool__"]):
            judges[cls] = value if name == "__bool__" else _by_length(value)
    setattr(cls, name, value)


def _by_length(method):
    def judge(value):
        size = method(value)
        return size > 0 if type(size) is int and size >= 0 else __rlm__["module"]("_operations").len(value) > 0

    return judge


def _once(name, function):
    """What reads a property that is worked out once."""
    place = "__cached_" + name

    def read(owner):
        if not hasattr(owner, place):
            setattr(owner, place, function(owner))
        return getattr(owner, place)

    return read


def _bind_supers(cls):
    """Gives a class what `super()` is for it in its methods and in those of the classes above it."""
    callers = [above for above in classes[cls]["lineage"] if above in classes and classes[above]["supers"]]
    names = [above.__name__ for above in callers]
    for above in callers:
        if names.count(above.__name__) > 1:
            why = "This Python lacks super() in a class that is derived from one of its own name: "
            raise NotImplementedError(why + "give class " + above.__name__ + " another name")
        for name in classes[above]["supers"]:
            kind, value = _after(cls, above, name)
            if kind == "cached":
                kind, value = "property", _once(name, value)
            _bind(cls, "__super_" + above.__name__ + "_" + name + "__", kind, value)


def _after(cls, above, name):
    """What comes after one of the classes above among the classes of an instance."""
    known = classes[cls]
    for other in known["lineage"][known["lineage"].index(above) + 1 :]:
        if other in classes and name in classes[other]["own"]:
            return classes[other]["own"][name]
    if name in EXCEPTION and known["raises"] is not None:
        return ["method", _of_error(known)[name]]
    return ["method", _nothing if name == "__init__" else _lacking(name)]


def _of_error(known):
    """What an exception has of the built-in one that it is derived from."""
    return KEY_ERROR if _is_error_of(known["raises"], KeyError) else EXCEPTION


def _nothing(*arguments, **named):
    return None


def _lacking(name):
    def lacking(*arguments, **named):
        raise AttributeError("'super' object has no attribute '" + name + "'")

    return lacking


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


def _refuse_abstract(cls):
    """Gives a class that has abstract methods an `__init__` that says so."""
    known = classes[cls]
    above = [other for other in known["lineage"] if other in classes]
    wanted = [(name, classes[other]["own"][name][1]) for other in above for name in classes[other]["abstract"]]
    methods = sorted([name for name, method in wanted if known["all"][name][1] is method])

    def refuse(self, *arguments, **named):
        which = "method" if len(methods) == 1 else "methods"
        names = ", ".join(["'" + name + "'" for name in methods])
        raise TypeError("Can't instantiate abstract class " + cls.__name__ + " with abstract " + which + " " + names)

    if methods:
        cls.__init__ = refuse


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


def add(cls, name, value):
    """Gives a class a member, and the classes below that have no such one of their own."""
    known, kind = classes[cls], "value" if isinstance(value, PLAIN) else _member("value", value)[0]
    if name not in known["own"]:
        followers.clear()
    known["own"][name] = [kind, value]
    of_names = followers.setdefault(cls, {})
    if name not in of_names:
        taking = [below for below in known["below"] if _owner(below, name) is cls]
        of_names[name] = [taking, [below for below in known["below"] if name in classes[below]["asked"]]]
    for below in of_names[name][0]:
        classes[below]["all"][name] = [kind, value]
        if kind == "value" and below not in readers:
            setattr(below, name, value)
        else:
            _bind(below, name, kind, value)
    for below in of_names[name][1]:
        _bind_supers(below)


PLAIN = (int, str, float, list, dict)
"""Types of values that are no functions."""


def _owner(cls, name):
    """Which of the classes above one it has a member of."""
    return [above for above in classes[cls]["lineage"] if above in classes and name in classes[above]["own"]][0]


def _with_caught(method):
    """The `__exit__` of a class, which gets exceptions of the code's own as they were raised."""

    def __exit__(self, kind, error, trace):
        found = caught(error)
        return method(self, kind if found is error else type(found), found, trace)

    return __exit__


def _with_arguments(init):
    """The `__init__` of an exception that does not say what its `args` are: what it was made with."""

    def __init__(self, *arguments, **named):
        self.args = arguments
        init(self, *arguments, **named)

    return __init__


def _init_exception(self, *arguments):
    self.args = arguments


def _key_error_text(self):
    arguments = getattr(self, "args", ())
    return repr(arguments[0]) if len(arguments) == 1 else _exception_text(self)


def _exception_text(self):
    try:
        arguments = self.args
    except AttributeError:
        return ""
    return str(arguments[0]) if len(arguments) == 1 else str(arguments) if arguments else ""


def _exception_shown(self):
    return type(self).__name__ + "(" + ", ".join([repr(argument) for argument in getattr(self, "args", ())]) + ")"


EXCEPTION = {"__init__": _init_exception, "__str__": _exception_text, "__repr__": _exception_shown}
"""What an exception of the code's own has from the beginning."""
KEY_ERROR = {**EXCEPTION, "__str__": _key_error_text}


def super_of(cls, owner, name):
    """`super(cls, owner).name`."""
    of = owner if type(owner) is CLASS else type(owner)
    kind, value = _after(of, cls, name)
    if kind == "property" or kind == "cached":
        return value(owner)
    if kind == "value" or kind == "static":
        return value
    return lambda *arguments, **named: value(of if kind == "class" else owner, *arguments, **named)


def attribute(owner, name):
    """`owner.name`, where some class has a property of that name."""
    properties = readers.get(type(owner))
    if properties is not None and name in properties:
        return properties[name](owner)
    return getattr(owner, name)


def assign(owner, name, value):
    """`owner.name = value`, where some class has a property of that name, or the owner may be a class."""
    cls = type(owner)
    known = writers.get(cls)
    if known is not None and name in known:
        known[name](owner, value)
    elif cls is CLASS and owner in classes:
        add(owner, name, value)
    else:
        setattr(owner, name, value)


def _keeping(name):
    return lambda owner, value: setattr(owner, "__cached_" + name, value)


def _fixed(cls, name):
    """What is called for an assignment to a property that has no setter."""

    def refuse(owner, value):
        raise AttributeError("property '" + name + "' of '" + cls.__name__ + "' object has no setter")

    return refuse


protocols = {}
"""The members that each class has which is a `Protocol`."""


def protocol(cls, members):
    known = [name for above in classes[cls]["lineage"][1:] for name in protocols.get(above, ())]
    protocols[cls] = [*known, *members]


def is_instance(value, kinds):
    """`isinstance`, for classes with bases too."""
    if protocols and type(kinds) is CLASS and kinds in protocols:  # which goes by the instance
        return _is_of(value, kinds)
    answers = instances.get(type(value))
    if answers is None:
        return _is_of(value, kinds)
    if kinds not in answers:
        answers[kinds] = _is_of(value, kinds)
    return answers[kinds]


def _is_of(value, kind):
    if isinstance(kind, Enumeration):
        return type(value) is kind.cls
    if kind is type:
        return type(value) is CLASS or isinstance(value, Enumeration)
    known = classes.get(type(value))
    if isinstance(kind, tuple):
        return any([_is_of(value, one) for one in kind])
    if hasattr(kind, FORM):
        return kind.has(value)
    if protocols and kind in protocols and not (known is not None and kind in known["lineage"]):
        has_attribute = __rlm__["module"]("_methods").has_attribute
        return all([has_attribute(value, name) for name in protocols[kind]])
    if known is None:
        return isinstance(value, kind)
    if kind is object or kind in known["passes"] or kind in known["lineage"]:
        return True
    return known["raises"] is not None and _is_error_of(known["raises"], kind)


def is_subclass(cls, kinds):
    """`issubclass`."""
    if type(cls).__name__ != "type":
        raise TypeError("issubclass() arg 1 must be a class")
    for kind in kinds if isinstance(kinds, tuple) else (kinds,):
        if cls is kind or kind is object or (cls is bool and kind is int):
            return True
        if hasattr(kind, FORM):
            if kind.is_above(cls):
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


def as_dict(value):
    """A mapping of the code's own as a dict; anything else as it is."""
    known = classes.get(type(value))
    if known is None or "keys" not in known["all"]:
        return value
    return {key: value[key] for key in value.keys()}


def is_callable(value):
    """`callable`."""
    kind = type(value).__name__
    return kind in ("function", "builtin_function_or_method", "type", "method") or hasattr(value, CALLED)


def part(owner, name):
    """`owner.__name__`, `owner.__class__`, `owner.__dict__`: what functions and instances do not have here."""
    if name == "__class__":
        return type(owner)
    if name == "__dict__" and hasattr(owner, "__dataclass_fields__"):
        if hasattr(owner, "__post_init__"):
            raise AttributeError("'" + type(owner).__name__ + "' may have more than its fields: use asdict(value)")
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


def raised(value, cause=None):
    """What to raise for `value`: an exception of the code's own goes along with a built-in one."""
    cls = type(value)
    if cls is CLASS:
        value = value()
        cls = type(value)
    if cause is not None and type(cause) is CLASS:
        cause = cause()
    native, known = value, classes.get(cls)
    if known is not None and known["raises"] is not None:
        native = known["raises"](cls.__name__ + ": " + str(value))
        if cause is not None:
            value.__cause__ = cause
    elif cause is None:
        return value
    raising[id(native)] = (native, value, cause)
    if len(raising) > MOST_RAISING:
        for oldest in list(raising)[: MOST_RAISING // 2]:
            raising.pop(oldest)
    return native


def cause_of(error):
    """`error.__cause__`."""
    if type(error) in classes:
        return getattr(error, "__cause__", None)
    found = raising.get(id(error))
    return None if found is None or found[0] is not error else found[2]


def caught(error):
    """The exception of the code's own that went along with a built-in one, or that one."""
    found = raising.get(id(error))
    return error if found is None or found[0] is not error else found[1]


class Member:
    """A member of an enumeration."""

    def __repr__(self):
        return "<" + self.owner + "." + self.name + ": " + repr(self.value) + ">"

    def __str__(self):
        return self.owner + "." + self.name


class Alike:
    """A member that is as good as its value: of an `IntEnum`, of `class Name(str, Enum)`."""

    def __alike__(self):
        return self.value

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

    def __int__(self):
        return int(self.value)

    def __float__(self):
        return float(self.value)

    def __index__(self):
        return self.value

    def __round__(self, ndigits=None):
        return round(self.value, ndigits)


class Text:
    """What such a member has besides where it is a text."""

    def __sized__(self):
        return len(self.value)

    def __iter__(self):
        return iter(self.value)

    def __contains__(self, item):
        return plain(item) in self.value

    def __getitem__(self, key):
        return self.value[key]


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

    def __repr__(self):
        return "<enum '" + self.__name__ + "'>"

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
        if hasattr(self, "_missing_"):
            member = self._missing_(value)
            if member in self.members.values():
                return member
            if member is not None:
                what = "error in " + self.__name__ + "._missing_: returned " + repr(member)
                raise TypeError(what + " instead of None or a valid member")
        raise ValueError(repr(value) + " is not a valid " + self.__name__)

    def __contains__(self, member):
        return any([member is known for known in self.members.values()])


def enum(name, cls, members, kind):
    if kind in ("int", "IntEnum"):
        classes[cls]["passes"].append(int)
    if kind in ("str", "StrEnum"):
        classes[cls]["passes"].append(str)
        for method, function in of_text().items():
            if method not in classes[cls]["own"]:
                add(cls, method, function)
    cls.__new_member__ = Static(lambda: cls())
    return Enumeration(name, cls, members, kind)


@functools.cache
def of_text():
    """The methods of a text, as those of a member whose value is one."""
    names, known = __rlm__["module"]("_methods").NAMES[0][1], {}
    lines = [f"def {name}(self, *given, **named):\n    return self.value.{name}(*given, **named)\n" for name in names]
    exec("".join(lines), known)
    return {**known, **{name: getattr(Text, name) for name in OF_TEXT}}


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

    def __radd__(self, other):
        return values_of(other) + self.values()

    def __mul__(self, other):
        return self.values() * other

    def __rmul__(self, other):
        return other * self.values()

    def __repr__(self):
        return type(self).__name__ + "(" + ", ".join([n + "=" + repr(getattr(self, n)) for n in self._fields]) + ")"

    def _asdict(self):
        return {name: getattr(self, name) for name in self._fields}

    def _make(cls, values):
        return cls(*values)

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
BINARY = [
    *[("add", "+"), ("sub", "-"), ("mul", "*"), ("truediv", "/"), ("floordiv", "//"), ("mod", "%"), ("pow", "**")],
    *[("and", "&"), ("or", "|"), ("xor", "^"), ("lshift", "<<"), ("rshift", ">>")],
]
operators = {"plain": plain}
"""What operators are of an enumeration's members that are as good as their values."""
for name, sign in BINARY:
    exec(f"def __{name}__(self, other):\n    return self.value {sign} plain(other)", operators)
    exec(f"def __r{name}__(self, other):\n    return plain(other) {sign} self.value", operators)
for name, text in (("neg", "-VALUE"), ("pos", "+VALUE"), ("invert", "~VALUE"), ("abs", "abs(VALUE)")):
    exec(f"def __{name}__(self):\n    return " + text.replace("VALUE", "self.value"), operators)
exec("def __divmod__(self, other):\n    return divmod(self.value, plain(other))", operators)
OF_NUMBER = [name for name in operators if name != "plain"]
for name in OF_NUMBER:
    setattr(Alike, name, operators[name])
OF_NUMBER += ["__int__", "__float__", "__index__", "__round__"]
known_as_methods(Alike, *SHOWN, *ORDER, *OF_NUMBER, "__eq__", "__hash__", "__alike__")
OF_TEXT = ["__sized__", "__iter__", "__contains__", "__getitem__"]
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
    "__radd__",
    "__mul__",
    "__rmul__",
    "__repr__",
]
known_as_methods(Record, *SEQUENCE, *ORDER, "_asdict", "_replace", "index", "count")
classes[Record]["own"]["_make"] = ["class", Record._make]
classes[Record]["passes"] = [tuple]
for name in ("__lt__", "__gt__"):
    natural[methods[name][Alike]] = lambda member: member.value
    natural[methods[name][Record]] = lambda record: record.values()


def named_tuple(name, fields, defaults):
    """What `class Name(NamedTuple)` gives."""
    return collections.namedtuple(name, fields, defaults=defaults)
