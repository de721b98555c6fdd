"""Dataclasses with options that Monty lacks: see `repl/rewriting/dataclasses.py`."""

import dataclasses

_known = __rlm__["module"]("_classes")
shapes = {}
"""Of each such class its fields, by their names."""


class Field:
    """What `dataclasses.fields` gives."""

    def __init__(self, native, given):
        self.name, self.type, self.default_factory = native.name, native.type, native.default_factory
        self.default = dataclasses.MISSING if given.get("required") else native.default
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
    """Gives a dataclass the methods that its options ask for. `own` says of its own fields what is given for them."""
    known = _known.classes[cls]
    shapes[cls] = {name: _field(native, own, known["lineage"]) for name, native in cls.__dataclass_fields__.items()}
    fields = list(shapes[cls].values())
    mine, eq, frozen = known["own"], options.get("eq", True), options.get("frozen", False)
    if "__init__" not in mine and options.get("init", True):
        cls.__init__ = _init(fields, frozen, hasattr(cls, "__post_init__"))
    elif "__init__" not in known["all"]:
        cls.__init__ = _init([], frozen, False)
    if "__repr__" not in mine and options.get("repr", True):
        cls.__repr__ = _shown([field.name for field in fields if field.repr])
    elif "__repr__" not in known["all"]:
        cls.__repr__ = _plain
    compared = [field.name for field in fields if field.compare]
    if eq and "__eq__" not in mine:
        cls.__eq__ = _same(compared)
    if "__hash__" not in mine and (options.get("unsafe_hash") or (eq and frozen)):
        cls.__hash__ = _hashed([field.name for field in fields if field.is_hashed()])
    if options.get("order"):
        _in_order(cls, compared)


def _field(native, own, lineage):
    if native.name in own:
        return Field(native, own[native.name])
    above = [shapes[cls][native.name] for cls in lineage[1:] if native.name in shapes.get(cls, {})]
    return above[0] if above else Field(native, {})


def _init(fields, frozen, has_more):
    """An `__init__` that is written out, as `dataclasses` of CPython makes one."""
    given = [field for field in fields if field.init]
    before = [field for field in given if not field.kw_only]
    for first, second in zip(before, before[1:]):
        if first.has_default() and not second.has_default():
            raise TypeError(f"non-default argument '{second.name}' follows default argument '{first.name}'")
    named = [_parameter(field) for field in given if field.kw_only]
    parameters = ["self", *[_parameter(field) for field in before], *(["*", *named] if named else [])]
    lines = [_set(field, frozen) for field in fields if field.init or field.has_default()]
    lines += ["self.__post_init__()"] if has_more else []
    names = {"__fields": {field.name: field for field in fields}, "__unset": dataclasses.MISSING}
    exec("def __init__(" + ", ".join(parameters) + "):\n    " + "\n    ".join(lines or ["pass"]), names)
    return names["__init__"]


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


def _values(instance, names):
    return [getattr(instance, name) for name in names]


def _same(names):
    return lambda a, b: _values(a, names) == _values(b, names) if type(b) is type(a) else NotImplemented


def _hashed(names):
    return lambda instance: hash(tuple(_values(instance, names)))


def _in_order(cls, names):
    """What `dataclass(order=True)` adds to a class."""
    for name, operator in (("__lt__", "<"), ("__le__", "<="), ("__gt__", ">"), ("__ge__", ">=")):
        _known.add(cls, name, _by_fields(operator, names))


def _by_fields(operator, names):
    compare = __rlm__["module"]("_operations").compare

    def ordered(a, b):
        return compare(_values(a, names), operator, _values(b, names)) if type(b) is type(a) else NotImplemented

    return ordered
