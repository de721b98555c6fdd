"""What classes are rewritten to: see `repl/classes.py`."""

import collections

classes = {}
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


def define(cls, bases, own, setters):
    """Makes a class known, and gives it what its bases have. `own` says of each name of its own what it is."""
    lineage = [cls]
    for base in bases:
        for above in classes[base]["lineage"] if base in classes else [base]:
            if above in lineage:
                lineage.remove(above)
            lineage.append(above)
    members = {name: [kind, getattr(cls, name)] for name, kind in own.items() if kind != "value" or hasattr(cls, name)}
    known = {"lineage": lineage, "own": members, "all": {}, "setters": {}, "raises": None}
    classes[cls] = known
    for above in reversed(lineage):
        if above in classes:
            known["all"].update(classes[above]["own"])
            known["setters"].update(classes[above]["setters"])
        elif known["raises"] is None:
            known["raises"] = above
    known["setters"].update({name: getattr(cls, method) for name, method in setters.items()})
    if known["raises"] is not None:
        known["all"] = {"__init__": ["method", _init_exception], "__str__": ["method", _exception_text], **known["all"]}
    for name, (kind, value) in known["all"].items():
        if kind == "static":
            setattr(cls, name, Static(value))
        elif kind == "class":
            setattr(cls, name, OfClass(cls, value))
        elif name not in members:
            setattr(cls, name, value)
    return cls


def _init_exception(self, *arguments):
    self.args = arguments


def _exception_text(self):
    arguments = getattr(self, "args", ())
    if len(arguments) == 1:
        return repr(arguments[0]) if classes[type(self)]["raises"] is KeyError else str(arguments[0])
    return str(arguments) if arguments else ""


def super_of(cls, name):
    """The function that `super()` finds for a method of `cls`."""
    known = classes[cls]
    for above in known["lineage"][1:]:
        if above in classes and name in classes[above]["own"]:
            return classes[above]["own"][name][1]
    if name == "__init__":
        return _init_exception if known["raises"] is not None else _nothing
    if name == "__str__" and known["raises"] is not None:
        return _exception_text
    raise AttributeError("'super' object has no attribute '" + name + "'")


def _nothing(self, *arguments, **named):
    return None


def attribute(owner, name):
    """`owner.name`, where some class has a property of that name."""
    known = classes.get(type(owner))
    if known is not None and name in known["all"] and known["all"][name][0] == "property":
        return known["all"][name][1](owner)
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
    return any([_is_of(value, kind) for kind in (kinds if isinstance(kinds, tuple) else (kinds,))])


def _is_of(value, kind):
    if isinstance(kind, Enumeration):
        return value in kind.members.values()
    known = classes.get(type(value))
    if known is None:
        return isinstance(value, kind)
    return kind in known["lineage"] or (known["raises"] is not None and kind in (Exception, BaseException))


def is_subclass(cls, kinds):
    """`issubclass`."""
    for kind in kinds if isinstance(kinds, tuple) else (kinds,):
        if cls is kind or (cls in classes and kind in classes[cls]["lineage"]) or (cls is bool and kind is int):
            return True
    return False


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
        if str(error) in (message, repr(message)):  # the latter of a KeyError
            return value
    return error


def matches(error, kinds):
    """Whether an `except` of these kinds takes an error."""
    return is_instance(error, kinds) or is_instance(caught(error), kinds)


class Member:
    """A member of an enumeration."""

    def __init__(self, owner, name, value):
        self.owner, self.name, self.value = owner, name, value

    def __repr__(self):
        return "<" + self.owner + "." + self.name + ": " + repr(self.value) + ">"

    def __str__(self):
        return self.owner + "." + self.name


class Enumeration:
    """What `class Name(Enum)` gives."""

    def __init__(self, name, members):
        self.__name__, self.members = name, {}
        for key, value in members:
            same = [member for member in self.members.values() if member.value == value]
            self.members[key] = same[0] if same else Member(name, key, value)
            setattr(self, key, self.members[key])

    def __iter__(self):
        return iter([member for key, member in self.members.items() if member.name == key])

    def __getitem__(self, key):
        return self.members[key]

    def __call__(self, value):
        for member in self.members.values():
            if member.value == value:
                return member
        raise ValueError(repr(value) + " is not a valid " + self.__name__)

    def __contains__(self, member):
        return member in self.members.values()


enum = Enumeration


def named_tuple(name, fields, defaults):
    """What `class Name(NamedTuple)` gives."""
    return collections.namedtuple(name, fields, defaults=defaults)
