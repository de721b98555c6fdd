"""Classes that Monty lacks: inheritance, `super()`, properties, static and class methods, exceptions of one's own.

Each class is made known to the sandbox by `define` (in `repl/python/modules/_classes.py`), which copies into it what
its bases have. What Monty cannot do with such a class is written as a call: reading a property, `isinstance`, `raise`,
`except`.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Sequence

from langgraph_rlm.repl.generators import NoBridge, filled, own_nodes

EXCEPTIONS = {
    name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, BaseException)
}
HELPERS = '__rlm__["module"]("_classes")'
"""What the sandbox has for it."""
INSTANCE = {"isinstance": "is_instance", "issubclass": "is_subclass"}
IGNORED = {"object", "ABC", "Protocol", "Generic"}
"""Bases that change nothing here."""
KINDS = {"staticmethod": "static", "classmethod": "class", "property": "property", "cached_property": "property"}
TYPES = {
    "int",
    "float",
    "str",
    "bytes",
    "bool",
    "list",
    "dict",
    "tuple",
    "set",
    "frozenset",
    "type",
    "complex",
    "object",
}
MARKS = {"abstractmethod", "override", "final"}
"""Decorators of methods that change nothing here."""


def needs_classes(tree: ast.Module, properties: Iterable[str]) -> bool:
    """Whether a cell has classes, or something that only classes of earlier cells explain."""
    return any(
        isinstance(node, ast.ClassDef)
        or (isinstance(node, ast.Attribute) and node.attr in properties)
        or (isinstance(node, ast.Name) and node.id == "super")
        or _asks_for_kind(node)
        or (isinstance(node, ast.ExceptHandler) and _is_own_kind(node.type))
        or (isinstance(node, ast.Raise) and node.exc is not None and not _is_builtin_exception(node.exc))
        for node in ast.walk(tree)
    )


def _is_builtin_exception(value: ast.expr) -> bool:
    function = value.func if isinstance(value, ast.Call) else value
    return isinstance(function, ast.Attribute) or (isinstance(function, ast.Name) and function.id in EXCEPTIONS)


def _asks_for_kind(node: ast.AST) -> bool:
    """Whether it is `isinstance` or `issubclass` of what may be a class of the code's own."""
    match node:
        case ast.Call(func=ast.Name("isinstance" | "issubclass"), args=[_, kinds]):
            return not _are_types(kinds)
    return False


def _is_own_kind(kind: ast.expr | None) -> bool:
    """Whether an `except` may be for a class of the code's own."""
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(isinstance(one, ast.Name) and one.id not in EXCEPTIONS for one in kinds)


class Classes(ast.NodeTransformer):
    """Rewrites a cell. `properties` are the names of properties that classes of earlier cells have."""

    def __init__(self, tree: ast.Module, properties: Iterable[str] = ()) -> None:
        self.classes = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
        self.own_properties = {
            item.name
            for node in self.classes.values()
            for item in node.body
            if isinstance(item, ast.FunctionDef) and _kind_of(item) == "property"
        }
        self.properties = {*properties, *self.own_properties}
        self.inside: list[ast.ClassDef] = []
        self.first: list[str] = []

    # -- classes ------------------------------------------------------------------------------------------------------

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST | list[ast.stmt]:
        try:
            return self.defined(node)
        except NoBridge:  # the model is told what stays
            return node

    def defined(self, node: ast.ClassDef) -> list[ast.stmt]:
        """The class, and what makes it known."""
        if node.keywords and {keyword.arg for keyword in node.keywords} != {"metaclass"}:
            raise NoBridge
        bases = [base for base in node.bases if _name(base) not in IGNORED]
        names = [_name(base) for base in bases]
        if "Enum" in names or "IntEnum" in names or "StrEnum" in names:
            return _enum(node)
        if "NamedTuple" in names:
            return _named_tuple(node)
        if "TypedDict" in names:
            return filled(f"def {node.name}(**fields):\n    return fields", node)
        if TYPES & {*names} or any(not isinstance(base, ast.Name | ast.Attribute) for base in bases):
            raise NoBridge
        own, setters, decorated = dict[str, str](), dict[str, str](), list[ast.stmt]()
        body: list[ast.stmt] = [*self._inherited_fields(node, names)]
        for item in node.body:
            if isinstance(item, ast.FunctionDef):
                kind = _kind_of(item)
                if kind == "setter":
                    setters[item.name], item.name = f"__set_{item.name}", f"__set_{item.name}"
                else:
                    own[item.name] = kind
                if kind == "method":
                    decorated += _decorated(node.name, item)
                item.decorator_list = []
            elif isinstance(item, ast.Assign | ast.AnnAssign):
                own |= {name.id: "value" for name in _targets(item)}
            body.append(item)
        node.bases, node.keywords, node.body = [], [], body
        self.inside.append(node)
        self.generic_visit(node)
        self.inside.pop()
        made = filled(
            f"{node.name} = {HELPERS}.define({node.name}, BASES, {own!r}, {setters!r})",
            node,
            BASES=ast.copy_location(ast.Tuple(list(map(self.visit, bases)), ast.Load()), node),
        )
        return [node, *made, *map(self.visit, decorated)]

    def _inherited_fields(self, node: ast.ClassDef, bases: Sequence[str | None]) -> list[ast.stmt]:
        """The fields that a dataclass has of its bases in this cell."""
        if not any(
            _name(decorator.func if isinstance(decorator, ast.Call) else decorator) == "dataclass"
            for decorator in node.decorator_list
        ):
            return []
        known = {name.id for item in node.body if isinstance(item, ast.AnnAssign) for name in _targets(item)}
        return [
            item
            for base in bases
            if base in self.classes and base != node.name
            for item in self.classes[base].body
            if isinstance(item, ast.AnnAssign) and not known & {name.id for name in _targets(item)}
        ]

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        arguments = [*node.args.posonlyargs, *node.args.args]
        is_method = bool(self.inside) and node in self.inside[-1].body and bool(arguments)
        self.first += [arguments[0].arg] if is_method else []
        self.generic_visit(node)
        self.first = self.first[:-1] if is_method else self.first
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name("super")), attr=name)) if (
                self.inside and self.first
            ):
                self.generic_visit(node)
                [call] = filled(f"{HELPERS}.super_of({self.inside[-1].name}, {name!r})({self.first[-1]})", node)
                made: ast.Call = call.value  # type: ignore[attr-defined]
                made.args += node.args
                made.keywords = node.keywords
                return made
            case ast.Call(func=ast.Name("isinstance" | "issubclass" as name), args=[_, kinds]) if not _are_types(kinds):
                node.func = filled(f"{HELPERS}.{INSTANCE[name]}", node)[0].value  # type: ignore[attr-defined]
        self.generic_visit(node)
        return node

    # -- properties ---------------------------------------------------------------------------------------------------

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if node.attr in self.properties and isinstance(node.ctx, ast.Load):
            made = filled(f"{HELPERS}.attribute(OWNER, {node.attr!r})", node, OWNER=node.value)
            return made[0].value  # type: ignore[attr-defined,no-any-return]
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST | list[ast.stmt]:
        match node.targets:
            case [ast.Attribute(value=owner, attr=name)] if name in self.properties:
                parts = {"OWNER": self.visit(owner), "VALUE": self.visit(node.value)}
                return filled(f"{HELPERS}.assign(OWNER, {name!r}, VALUE)", node, **parts)
        self.generic_visit(node)
        return node

    # -- exceptions ---------------------------------------------------------------------------------------------------

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        self.generic_visit(node)
        if node.exc is not None and not _is_builtin_exception(node.exc):
            node.exc = filled(f"{HELPERS}.raised(VALUE)", node, VALUE=node.exc)[0].value  # type: ignore[attr-defined]
            node.cause = None
        return node

    def visit_Try(self, node: ast.Try) -> ast.AST:
        self.generic_visit(node)
        if not any(_is_own_kind(handler.type) for handler in node.handlers):
            for handler in node.handlers:
                if handler.name:
                    handler.body[0:0] = filled(f"{handler.name} = {HELPERS}.caught({handler.name})", handler)
            return node
        branches: list[ast.stmt] = filled("raise", node)
        for handler in reversed(node.handlers):
            kind = handler.type or ast.Name("Exception", ast.Load())
            [test] = filled(f"if {HELPERS}.matches(__caught, KIND):\n    pass", handler, KIND=kind)
            assert isinstance(test, ast.If)
            name = filled(f"{handler.name} = {HELPERS}.caught(__caught)", handler) if handler.name else []
            test.body, test.orelse = [*name, *handler.body], branches
            branches = [test]
        caught = ast.ExceptHandler(ast.Name("Exception", ast.Load()), "__caught", branches)
        node.handlers = [ast.copy_location(caught, node.handlers[0])]
        return node


def _decorated(owner: str, method: ast.FunctionDef) -> list[ast.stmt]:
    """What decorates a method once its class is there: Monty has no decorators in a class."""
    made: list[ast.stmt] = []
    for decorator in reversed(method.decorator_list):
        if _name(decorator) not in MARKS:
            made += filled(f"{owner}.{method.name} = DECORATOR({owner}.{method.name})", decorator, DECORATOR=decorator)
    return made


def _kind_of(function: ast.FunctionDef) -> str:
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Attribute) and decorator.attr == "setter":
            return "setter"
        if (kind := KINDS.get(_name(decorator) or "")) is not None:
            return kind
    return "method"


def _name(node: ast.expr) -> str | None:
    match node:
        case ast.Name(name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=generic):
            return _name(generic)
    return None


def _targets(node: ast.Assign | ast.AnnAssign) -> list[ast.Name]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [name for target in targets for name in own_nodes(target) if isinstance(name, ast.Name)]


def _are_types(kinds: ast.expr) -> bool:
    """Whether these are built-in types, of which `isinstance` knows all."""
    each = kinds.elts if isinstance(kinds, ast.Tuple) else [kinds]
    return all(
        isinstance(kind, ast.Attribute) or (isinstance(kind, ast.Name) and kind.id in TYPES | EXCEPTIONS)
        for kind in each
    )


def _enum(node: ast.ClassDef) -> list[ast.stmt]:
    members = [item for item in node.body if isinstance(item, ast.Assign)]
    if any(
        not isinstance(item, ast.Assign | ast.Pass)
        and not (isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant))
        for item in node.body
    ):
        raise NoBridge
    pairs = [ast.Tuple([ast.Constant(name.id), item.value], ast.Load()) for item in members for name in _targets(item)]
    listed = ast.copy_location(ast.List([ast.copy_location(pair, node) for pair in pairs], ast.Load()), node)
    return filled(f"{node.name} = {HELPERS}.enum({node.name!r}, MEMBERS)", node, MEMBERS=listed)


def _named_tuple(node: ast.ClassDef) -> list[ast.stmt]:
    fields = [item for item in node.body if isinstance(item, ast.AnnAssign)]
    if any(isinstance(item, ast.FunctionDef) for item in node.body):
        raise NoBridge
    names = [name.id for item in fields for name in _targets(item)]
    defaults = ast.copy_location(ast.List([item.value for item in fields if item.value is not None], ast.Load()), node)
    return filled(f"{node.name} = {HELPERS}.named_tuple({node.name!r}, {names!r}, DEFAULTS)", node, DEFAULTS=defaults)
