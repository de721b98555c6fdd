"""What Monty's `dataclasses` lacks."""

from dataclasses import is_dataclass

_shapes = __rlm__["module"]("_dataclasses").shapes
KW_ONLY = "KW_ONLY"
InitVar = "InitVar"


def fields(class_or_instance):
    if not is_dataclass(class_or_instance):
        raise TypeError("must be called with a dataclass type or instance")
    cls = class_or_instance if _is_class(class_or_instance) else type(class_or_instance)
    return tuple(_shapes.get(cls, cls.__dataclass_fields__).values())


def _is_class(value):
    return type(value).__name__ == "type"


def _names(instance):
    if not is_dataclass(instance) or _is_class(instance):
        raise TypeError("should be called on dataclass instances")
    return list(instance.__dataclass_fields__)


def replace(obj, /, **changes):
    fixed = [field.name for field in _shapes.get(type(obj), {}).values() if not field.init]
    for name in fixed:
        if name in changes:
            raise ValueError(f"field {name} is declared with init=False, it cannot be specified with replace()")
    return type(obj)(**{**{name: getattr(obj, name) for name in _names(obj) if name not in fixed}, **changes})


def asdict(obj, *, dict_factory=dict):
    return dict_factory([(name, _inner(getattr(obj, name), _as_dict(dict_factory))) for name in _names(obj)])


def _as_dict(dict_factory):
    return lambda obj: asdict(obj, dict_factory=dict_factory)


def astuple(obj, *, tuple_factory=tuple):
    return tuple_factory([_inner(getattr(obj, name), _as_tuple(tuple_factory)) for name in _names(obj)])


def _as_tuple(tuple_factory):
    return lambda obj: astuple(obj, tuple_factory=tuple_factory)


def _inner(value, convert):
    """A value with the dataclasses in it converted."""
    if is_dataclass(value) and not _is_class(value):
        return convert(value)
    if type(value) in (list, tuple):
        return type(value)([_inner(item, convert) for item in value])
    if isinstance(value, dict):
        return {_inner(key, convert): _inner(item, convert) for key, item in value.items()}
    return value
