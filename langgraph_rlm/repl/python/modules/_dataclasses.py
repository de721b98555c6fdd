"""Dataclasses with options that Monty lacks: see `repl/rewriting/dataclasses.py`."""

import dataclasses

_known = __rlm__["module"]("_classes")
shapes = {}
"""Of each such class its fields, by their names."""
initialised = {}
"""The same, with what is given to `__init__` alone: `InitVar`."""


class Field:
    """What `dataclasses.fields` gives."""

    def __init__(self, name, native, given):
        self.name, self.type = name, getattr(native, "type", None)
        self.default_factory = getattr(native, "default_factory", dataclasses.MISSING)
        self.default = given.get("default", getattr(native, "default", dataclasses.MISSING))
        if given.get("required"):
            self.default = dataclasses.MISSING
        self.init, self.repr = given.get("init", True), given.get("repr", True)
        self.compare, self.hash = given.get("compare", True), given.get("hash")
        self.kw_only, self.metadata = given.get("kw_only", False), given.get("metadata") or {}

    def __repr__(self):
        return "Field(name=" + repr(self.name) + ",type=" + repr(self.type) + ")"

    def has_default(self):
        return self.default is not dataclasses.MISSING or self.has_factory()

    def has_factory(self):
        return self.default_factory is not dataclasses.MISSING

    def is_hashed(self):
        return self.compare if self.hash is None else self.hash


def shape(cls, options, own):
    """Gives a dataclass the methods that its options ask for. `own` says of its own fields what is given for them.

    Those with `only_init` are no fields: `__post_init__` is given them.
    """
    known, natives, parameters = _known.classes[cls], {}, {}
    for above in reversed(known["lineage"][1:]):
        if above in _known.classes and hasattr(above, "__dataclass_fields__"):
            natives.update(above.__dataclass_fields__)
            parameters.update(initialised.get(above) or fields_of(above))
    natives.update(cls.__dataclass_fields__)
    parameters.update({name: Field(name, natives.get(name), given) for name, given in own.items()})
    only_init = [name for name in parameters if name not in natives]
    cls.__dataclass_fields__ = natives
    shapes[cls] = {name: field for name, field in parameters.items() if name in natives}
    initialised[cls] = parameters
    fields = list(shapes[cls].values())
    cls.__match_args__ = tuple([field.name for field in parameters.values() if field.init and not field.kw_only])
    written, eq, frozen = known["written"], options.get("eq", True), options.get("frozen", False)
    if "__init__" not in written:
        made = options.get("init", True)
        more = only_init if hasattr(cls, "__post_init__") else None
        own_init = _init(list(parameters.values()), frozen, only_init, more) if made else _init([], frozen, [], None)
        _known.add(cls, "__init__", own_init if made else _inherited(known, "__init__", own_init))
    if "__repr__" not in written:
        made = options.get("repr", True)
        own_repr = _shown([field.name for field in fields if field.repr])
        _known.add(cls, "__repr__", own_repr if made else _inherited(known, "__repr__", _plain))
    compared = [field.name for field in fields if field.compare]
    if eq and "__eq__" not in written:
        _known.add(cls, "__eq__", _same(compared))
    if "__hash__" not in written and (options.get("unsafe_hash") or (eq and frozen)):
        _known.add(cls, "__hash__", _hashed([field.name for field in fields if field.is_hashed()]))
    if options.get("order"):
        _in_order(cls, compared)


def fields_of(cls):
    """The fields of a dataclass by their names."""
    if cls in shapes:
        return shapes[cls]
    return {name: Field(name, native, {}) for name, native in cls.__dataclass_fields__.items()}


def _inherited(known, name, otherwise):
    """What the classes above one have as a method."""
    above = [_known.classes[cls]["own"] for cls in known["lineage"][1:] if cls in _known.classes]
    found = [own[name][1] for own in above if name in own]
    return found[0] if found else otherwise


def _init(fields, frozen, only_init, more):
    """An `__init__` that is written out, as `dataclasses` of CPython makes one."""
    given = [field for field in fields if field.init]
    before = [field for field in given if not field.kw_only]
    for first, second in zip(before, before[1:]):
        if first.has_default() and not second.has_default():
            raise TypeError(f"non-default argument '{second.name}' follows default argument '{first.name}'")
    named = [_parameter(field) for field in given if field.kw_only]
    parameters = ["self", *[_parameter(field) for field in before], *(["*", *named] if named else [])]
    kept = [field for field in fields if field.name not in only_init]
    lines = [_set(field, frozen) for field in kept if field.init or field.has_default()]
    lines += [] if more is None else ["self.__post_init__(" + ", ".join(more) + ")"]
    names = {"__fields": {field.name: field for field in fields}, "__unset": dataclasses.MISSING}
    return _made("(" + ", ".join(parameters) + "):\n    " + "\n    ".join(lines or ["pass"]), names)


def _parameter(field):
    if field.has_factory():
        return field.name + "=__unset"
    return field.name + ("=__fields['" + field.name + "'].default" if field.has_default() else "")


def _set(field, frozen):
    made = "__fields['" + field.name + "']." + ("default_factory()" if field.has_factory() else "default")
    value = field.name if field.init else made
    if field.init and field.has_factory():
        value = made + " if " + field.name + " is __unset else " + field.name
    return f"object.__setattr__(self, '{field.name}', {value})" if frozen else f"self.{field.name} = {value}"


def _shown(names):
    def __repr__(self):
        return type(self).__name__ + "(" + ", ".join([n + "=" + repr(getattr(self, n)) for n in names]) + ")"

    return __repr__


def _plain(self):
    return "<" + type(self).__name__ + " object>"


def _tuple_of(owner, names):
    return "(" + "".join([owner + "." + name + ", " for name in names]) + ")"


def _made(code, names):
    """A function that is written out, as `dataclasses` of CPython makes one."""
    exec("def made" + code, names)
    return names["made"]


def _same(names):
    return _made(
        "(self, other):\n"
        "    if type(other) is not type(self):\n"
        "        return NotImplemented\n"
        "    return " + _tuple_of("self", names) + " == " + _tuple_of("other", names),
        {},
    )


def _hashed(names):
    return _made("(self):\n    return hash(" + _tuple_of("self", names) + ")", {})


def _ordered(operator, names):
    """The method that compares the fields of two instances: by their own methods where Monty cannot."""
    return _made(
        "(self, other):\n"
        "    if type(other) is not type(self):\n"
        "        return NotImplemented\n"
        "    mine, others = " + _tuple_of("self", names) + ", " + _tuple_of("other", names) + "\n"
        "    try:\n"
        "        return mine " + operator + " others\n"
        "    except TypeError:\n"
        "        return compare(mine, '" + operator + "', others)",
        {"compare": __rlm__["module"]("_operations").compare},
    )


def _in_order(cls, names):
    """What `dataclass(order=True)` adds to a class."""
    for name, operator in (("__lt__", "<"), ("__le__", "<="), ("__gt__", ">"), ("__ge__", ">=")):
        _known.add(cls, name, _ordered(operator, names))
    of = _made("(self):\n    return " + _tuple_of("self", names), {})
    _known.natural[cls.__lt__] = _known.natural[cls.__gt__] = of
