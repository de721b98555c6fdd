"""Options of dataclasses and of their fields that Monty lacks.

They are taken out of the class, and `repl/python/modules/_dataclasses.py` gives it the methods that they ask for.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from langgraph_rlm.repl.rewriting import hidden
from langgraph_rlm.repl.rewriting.filling import expression, filled
from langgraph_rlm.repl.rewriting.generators import NoBridge

HELPERS = hidden.module("_dataclasses")
"""What the sandbox has for it."""
OPTIONS = {"init", "repr", "order", "unsafe_hash", "kw_only", "slots", "weakref_slot"}
"""Of a dataclass: what Monty does not take."""
FIELD_OPTIONS = {"init", "repr", "hash", "compare", "kw_only", "metadata", "doc"}
"""Of a field."""


def decorator_of(node: ast.ClassDef) -> ast.expr | None:
    """What makes a class a dataclass."""
    return next((decorator for decorator in node.decorator_list if is_dataclass(decorator)), None)


def is_dataclass(decorator: ast.expr) -> bool:
    return _called(decorator.func if isinstance(decorator, ast.Call) else decorator) == "dataclass"


def is_ordered(node: ast.ClassDef) -> bool:
    return bool(_options(decorator_of(node)).get("order"))


def shaped(node: ast.ClassDef) -> list[ast.stmt]:
    """What gives a dataclass what Monty does not, without which it is left. Run where the class is known.

    Raises:
        NoBridge: Its options are not written as True and False.
    """
    decorator = decorator_of(node)
    fields = list(_fields(node)) if decorator is not None else []
    if decorator is None or not (node.bases or _needs_shape(decorator, fields)):
        return []
    options = _options(decorator)
    if None in options.values():
        raise NoBridge
    fields = list(_after_marker(node, bool(options.get("kw_only"))))
    own = [(field, _of_init(node, field) if _is_only_init(field) else _own_options(field)) for field in fields]
    if isinstance(decorator, ast.Call):
        decorator.keywords = [keyword for keyword in decorator.keywords if keyword.arg not in OPTIONS]
    call = f"{HELPERS}.shape({node.name}, {options!r}, FIELDS)"
    return filled(call, node, FIELDS=_as_dict({field.target.id: given for field, given in own}))  # type: ignore[union-attr]


def lacking_options(node: ast.ClassDef) -> str | None:
    """What of the first line of a dataclass Monty does not take, where that is left."""
    decorator = decorator_of(node)
    given = decorator.keywords if isinstance(decorator, ast.Call) else []
    return next((keyword.arg or "**" for keyword in given if keyword.arg in {*OPTIONS, None}), None)


def _needs_shape(decorator: ast.expr, fields: list[ast.AnnAssign]) -> bool:
    given = decorator.keywords if isinstance(decorator, ast.Call) else []
    options = [keyword for field in fields for keyword in _keywords(field) if keyword.arg in FIELD_OPTIONS]
    return (
        bool(options)
        or any(_is_marker(field) or _is_only_init(field) for field in fields)
        or any(one.arg in OPTIONS for one in given)
    )


def _options(decorator: ast.expr | None) -> dict[str, bool | None]:
    """Those that are given, with None for what is not written as True or False."""
    given = decorator.keywords if isinstance(decorator, ast.Call) else []
    values = {one.arg or "**": one.value.value if isinstance(one.value, ast.Constant) else None for one in given}
    return {name: value if isinstance(value, bool) else None for name, value in values.items()}


def _fields(node: ast.ClassDef) -> Iterator[ast.AnnAssign]:
    for item in node.body:
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
            kind = item.annotation.value if isinstance(item.annotation, ast.Subscript) else item.annotation
            if _called(kind) != "ClassVar":
                yield item


def _is_marker(field: ast.AnnAssign) -> bool:
    """Whether it is `_: KW_ONLY`."""
    return _called(field.annotation) == "KW_ONLY"


def _is_only_init(field: ast.AnnAssign) -> bool:
    """Whether it is `name: InitVar[…]`."""
    kind = field.annotation.value if isinstance(field.annotation, ast.Subscript) else field.annotation
    return _called(kind) == "InitVar"


def _of_init(node: ast.ClassDef, field: ast.AnnAssign) -> dict[str, ast.expr]:
    """What is said of what is given to `__init__` alone: it is no field, and the class keeps its default."""
    given, place, name = _own_options(field), node.body.index(field), ast.unparse(field.target)
    if given.pop("required", None):
        node.body[place] = ast.copy_location(ast.Pass(), field)
    else:
        node.body[place] = filled(f"{name} = DEFAULT", field, DEFAULT=field.value)[0]  # type: ignore[arg-type]
        given["default"] = expression(f"{node.name}.{name}", field)
    return given


def _after_marker(node: ast.ClassDef, are_named: bool) -> Iterator[ast.AnnAssign]:
    """The fields; those that are given by name say so."""
    for field in list(_fields(node)):
        if _is_marker(field):
            are_named = True
            node.body.remove(field)
            continue
        if are_named:
            field.value = field.value if _is_field(field.value) else _as_field(field)
            if not any(keyword.arg == "kw_only" for keyword in _keywords(field)):
                _keywords(field).append(ast.keyword("kw_only", ast.Constant(True)))
        yield field


def _as_field(field: ast.AnnAssign) -> ast.expr:
    default = [ast.keyword("default", field.value)] if field.value else []
    return ast.copy_location(ast.Call(ast.Name("field", ast.Load()), [], default), field)


def _own_options(field: ast.AnnAssign) -> dict[str, ast.expr]:
    """What is said of a field; what Monty does not take is taken out, and it has some default."""
    given = {one.arg: one.value for one in _keywords(field) if one.arg in FIELD_OPTIONS}
    if isinstance(field.value, ast.Call) and _is_field(field.value):
        field.value.keywords = [one for one in field.value.keywords if one.arg not in FIELD_OPTIONS]
        match field.value.keywords:
            case [ast.keyword("default", default)]:
                field.value = default
            case []:
                field.value = None
    if field.value is None:
        given["required"] = ast.Constant(True)
        field.value = ast.copy_location(ast.Constant(None), field)
    return {str(name): value for name, value in given.items()}


def _keywords(field: ast.AnnAssign) -> list[ast.keyword]:
    return field.value.keywords if isinstance(field.value, ast.Call) and _is_field(field.value) else []


def _is_field(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Call) and _called(value.func) == "field"


def _as_dict(fields: dict[str, dict[str, ast.expr]]) -> ast.Dict:
    def made(values: dict[str, ast.expr]) -> ast.Dict:
        return ast.Dict([ast.Constant(name) for name in values], list(values.values()))

    return made({name: made(given) for name, given in fields.items()})


def _called(node: ast.expr) -> str | None:
    match node:
        case ast.Name(name) | ast.Attribute(attr=name):
            return name
    return None
