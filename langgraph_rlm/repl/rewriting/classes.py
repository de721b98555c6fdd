"""Classes that Monty lacks: inheritance, `super()`, properties, static and class methods, exceptions of one's own.

Each class is made known to the sandbox by `define` (in `repl/python/modules/_classes.py`), which copies into it what
its bases have. What Monty cannot do with such a class is written as a call: reading a property, `isinstance`, `raise`,
`except`.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection, Iterable, Iterator, Sequence

from langgraph_rlm.repl.rewriting import hidden
from langgraph_rlm.repl.rewriting.dataclasses import decorator_of, is_dataclass, is_ordered, shaped
from langgraph_rlm.repl.rewriting.filling import filled
from langgraph_rlm.repl.rewriting.generators import NoBridge
from langgraph_rlm.repl.rewriting.lacking import Gap
from langgraph_rlm.repl.rewriting.operations import ORDERED, SIZED, SPECIAL
from langgraph_rlm.repl.rewriting.plain import is_plain
from langgraph_rlm.repl.rewriting.scopes import own_nodes
from langgraph_rlm.repl.syntax import Code, nodes_of

EXCEPTIONS = {
    name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, BaseException)
}
HELPERS = hidden.module("_classes")
"""What the sandbox has for it."""
_DERIVED = {f"{name}()" for name in EXCEPTIONS}
"""What stands among the properties where earlier cells have exceptions of their own."""
INSTANCE = {"isinstance": "is_instance"}
IGNORED = {"object", "ABC", "Protocol", "Generic"}
"""Bases that change nothing here."""
KINDS = {"staticmethod": "static", "classmethod": "class", "property": "property", "cached_property": "cached"}
ENUMS = {"Enum", "IntEnum", "StrEnum"}
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
_MADE_BY: dict[str, Collection[str]] = {
    **dict.fromkeys(("cmp_to_key", "total_ordering"), ORDERED),
    **dict.fromkeys(("ElementTree", "fromstring", "Element"), ("__len__",)),
    "Fraction": (*ORDERED, "__bool__"),
}
MARKS = {"abstractmethod", "override", "final"}
"""Decorators of methods that change nothing here."""


def needs_classes(code: Code, properties: Collection[str]) -> bool:
    """Whether a cell has classes that Monty lacks, or something that only classes of earlier cells explain."""
    builtin = EXCEPTIONS - {*properties}
    raised = [node.exc for node in code.of(ast.Raise) if node.exc is not None]
    return (
        not all(map(is_plain, code.of(ast.ClassDef)))
        or any(name in SPECIAL for name in properties)
        or any(node.attr in properties for node in code.of(ast.Attribute))
        or any(node.id == "super" for node in code.of(ast.Name))
        or any(map(_asks_for_kind, code.of(ast.Call)))
        or any(_is_own_kind(node.type, builtin) for node in code.of(ast.ExceptHandler))
        or (bool(_DERIVED & {*properties}) and any(node.name for node in code.of(ast.ExceptHandler)))
        or any(not _is_builtin_exception(exc, builtin) for exc in raised)
        or any(map(_methods_of, (*code.of(ast.Name), *code.of(ast.Attribute), *code.of(ast.alias))))
    )


def gaps_of_patterns(code: Code, properties: Collection[str]) -> Iterator[Gap]:
    """The patterns of a cell that would read a property, or ask for a class that others are derived from."""
    for node in code.of(ast.MatchClass):
        read = [name for name in node.kwd_attrs if name in properties]
        name = _name(node.cls)
        if read or f"{name}()" in properties:
            what = f"case {name}({', '.join(f'{name}=…' for name in read)})"
            yield Gap(node.lineno, what, f"write `if isinstance(value, {name}):` and read its attributes there")


def _ready_made(nodes: Iterable[ast.AST], classes: Iterable[ast.ClassDef]) -> Iterator[str]:
    """Methods of `SPECIAL` that classes of a cell get without writing them."""
    for part in nodes:
        yield from _methods_of(part)
    for node in classes:
        bases = {_name(base) for base in node.bases}
        if is_ordered(node) or bases & {"IntEnum", "StrEnum", "NamedTuple"} or (bases & ENUMS and len(bases) > 1):
            yield from ORDERED
        if bases & {*ENUMS, "NamedTuple"}:
            yield SIZED


def _alternatives(kinds: ast.expr) -> ast.expr:
    """`A | B` as a tuple."""
    if not isinstance(kinds, ast.BinOp) or not isinstance(kinds.op, ast.BitOr):
        return kinds
    is_none = isinstance(kinds.right, ast.Constant) and kinds.right.value is None
    right = filled("type(None)", kinds)[0].value if is_none else kinds.right  # type: ignore[attr-defined]
    left = _alternatives(kinds.left)
    parts = left.elts if isinstance(left, ast.Tuple) else [left]
    return ast.copy_location(ast.Tuple([*parts, right], ast.Load()), kinds)


def _methods_of(node: ast.AST) -> Collection[str]:
    """The methods of `SPECIAL` that the objects have which are made by what it names."""
    match node:
        case ast.Name(name) | ast.Attribute(attr=name) | ast.alias(name=name):
            return _MADE_BY.get(name.rpartition(".")[2], ())
    return ()


def _is_builtin_exception(value: ast.expr, builtin: Collection[str]) -> bool:
    function = value.func if isinstance(value, ast.Call) else value
    return isinstance(function, ast.Attribute) or (isinstance(function, ast.Name) and function.id in builtin)


def _asks_for_kind(node: ast.AST) -> bool:
    """Whether it is `isinstance` of what may be a class of the code's own."""
    match node:
        case ast.Call(func=ast.Name("isinstance"), args=[_, kinds]):
            return not _are_types(kinds)
    return False


def _is_own_kind(kind: ast.expr | None, builtin: Collection[str]) -> bool:
    """Whether an `except` may be for a class of the code's own."""
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(isinstance(one, ast.Name) and one.id not in builtin for one in kinds)


class Classes(ast.NodeTransformer):
    """Rewrites a cell. `properties` are the names of properties that classes of earlier cells have."""

    def __init__(self, tree: ast.Module, properties: Iterable[str] = ()) -> None:
        nodes = nodes_of([tree])
        self.classes = {node.name: node for node in nodes if isinstance(node, ast.ClassDef)}
        self.own_properties = {
            item.name
            for node in self.classes.values()
            for item in node.body
            if isinstance(item, ast.FunctionDef) and (_kind_of(item) in ("property", "cached") or item.name in SPECIAL)
        }
        self.own_properties |= {*_ready_made(nodes, self.classes.values())}
        self.special = SPECIAL & {*properties, *self.own_properties}
        """Methods of `repl/rewriting/operations.py` that classes have."""
        self.properties = {*properties, *self.own_properties} - self.special
        self.builtin = EXCEPTIONS - {*self.classes} - {*properties}
        """The names of built-in exceptions that are no classes of the code."""
        self.own_properties |= EXCEPTIONS & {*self.classes}
        self.own_properties |= {f"{name}()" for node in self.classes.values() for name in self._unmatched(node)}
        self.inside: list[ast.ClassDef] = []
        self.first: list[str] = []

    def _unmatched(self, node: ast.ClassDef) -> Iterator[str | None]:
        """Classes that Monty's patterns do not know: the bases of one, itself where `__match_args__` has a property."""
        yield from map(_name, node.bases)
        for item in node.body:
            if isinstance(item, ast.Assign) and any(name.id == "__match_args__" for name in _targets(item)):
                texts = {part.value for part in ast.walk(item.value) if isinstance(part, ast.Constant)}
                yield from [node.name] if texts & self.properties else []

    # -- classes ------------------------------------------------------------------------------------------------------

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST | list[ast.stmt]:
        try:
            return self.defined(node)
        except NoBridge:  # the model is told what stays
            return node

    def defined(self, node: ast.ClassDef) -> list[ast.stmt]:
        """The class, and what makes it known."""
        names = [_name(base) for base in node.bases]
        if "TypedDict" in names:
            return filled(f"{node.name} = dict", node)
        if node.keywords and {keyword.arg for keyword in node.keywords} != {"metaclass"}:
            raise NoBridge
        if "metaclass" in names or any(_name(keyword.value) != "ABCMeta" for keyword in node.keywords):
            raise NoBridge
        if ENUMS & {*names}:
            return self.enumeration(node)
        if "NamedTuple" in names:
            made = _tuple_class(node)
            return self.defined(node) if made == [node] else made
        bases = [base for base in node.bases if _name(base) not in IGNORED]
        names = [_name(base) for base in bases]
        if TYPES & {*names} or any(not isinstance(base, ast.Name | ast.Attribute) for base in bases):
            raise NoBridge
        own_shape = shaped(node)
        own, setters, decorated = dict[str, str](), dict[str, str](), list[ast.stmt]()
        abstract = [item.name for item in node.body if isinstance(item, ast.FunctionDef) and _is_abstract(item)]
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
            f"{node.name} = {HELPERS}.define({node.name}, BASES, {own!r}, {setters!r}, {abstract!r})",
            node,
            BASES=ast.copy_location(ast.Tuple(list(map(self.visit, bases)), ast.Load()), node),
        )
        return [node, *made, *map(self.visit, [*own_shape, *decorated, *_decorated_class(node)])]

    def enumeration(self, node: ast.ClassDef) -> list[ast.stmt]:
        """What `class Name(Enum)` is: the class of its members, then the enumeration in its place."""
        kind = next((name for name in map(_name, node.bases) if name != "Enum"), None) or "Enum"
        if kind not in (*ENUMS, "str", "int"):
            raise NoBridge
        members = _enum_members(node)
        for item in node.body:
            if isinstance(item, ast.FunctionDef) and item.name == "__init__":
                item.name = "__start__"
        node.bases = [filled(f"{HELPERS}.{'Member' if kind == 'Enum' else 'Alike'}", node)[0].value]  # type: ignore[attr-defined]
        members = self.visit(members)
        call = f"{node.name} = {HELPERS}.enum({node.name!r}, {node.name}, MEMBERS, {kind!r})"
        return [*self.defined(node), *filled(call, node, MEMBERS=members)]

    def _inherited_fields(self, node: ast.ClassDef, bases: Sequence[str | None]) -> list[ast.stmt]:
        """The fields that a dataclass has of its bases in this cell."""
        if decorator_of(node) is None:
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
            case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name("super"), args=given), attr=name)) if len(
                given
            ) == 2 or (self.inside and self.first):
                self.generic_visit(node)
                cls, owner = given if given else (_loaded(self.inside[-1].name, node), _loaded(self.first[-1], node))
                [call] = filled(
                    f"{HELPERS}.super_of(CLASS, OWNER, {hidden.word(name)})()", node, CLASS=cls, OWNER=owner
                )
                made: ast.Call = call.value  # type: ignore[attr-defined]
                made.args += node.args
                made.keywords = node.keywords
                return made
            case ast.Call(func=ast.Name("isinstance" as name), args=[_, kinds]) if not _are_types(kinds):
                node.func = filled(f"{HELPERS}.{INSTANCE[name]}", node)[0].value  # type: ignore[attr-defined]
                node.args[1] = _alternatives(kinds)
        self.generic_visit(node)
        return node

    # -- properties ---------------------------------------------------------------------------------------------------

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if node.attr in self.properties and isinstance(node.ctx, ast.Load):
            made = filled(f"{HELPERS}.attribute(OWNER, {hidden.word(node.attr)})", node, OWNER=node.value)
            return made[0].value  # type: ignore[attr-defined,no-any-return]
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST | list[ast.stmt]:
        match node.targets:
            case [ast.Attribute(value=owner, attr=name)] if name in self.properties:
                parts = {"OWNER": self.visit(owner), "VALUE": self.visit(node.value)}
                return filled(f"{HELPERS}.assign(OWNER, {hidden.word(name)}, VALUE)", node, **parts)
        self.generic_visit(node)
        return node

    # -- exceptions ---------------------------------------------------------------------------------------------------

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        self.generic_visit(node)
        if node.exc is not None and not _is_builtin_exception(node.exc, self.builtin):
            node.exc = filled(f"{HELPERS}.raised(VALUE)", node, VALUE=node.exc)[0].value  # type: ignore[attr-defined]
            node.cause = None
        return node

    def visit_Try(self, node: ast.Try) -> ast.AST:
        self.generic_visit(node)
        if not any(_is_own_kind(handler.type, self.builtin) for handler in node.handlers):
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


def _loaded(name: str, at: ast.AST) -> ast.expr:
    return ast.copy_location(ast.Name(name, ast.Load()), at)


def _decorated(owner: str, method: ast.FunctionDef) -> list[ast.stmt]:
    """What decorates a method once its class is there: Monty has no decorators in a class."""
    made: list[ast.stmt] = []
    for decorator in reversed(method.decorator_list):
        if _name(decorator) not in MARKS:
            made += filled(f"{owner}.{method.name} = DECORATOR({owner}.{method.name})", decorator, DECORATOR=decorator)
    return made


def _decorated_class(node: ast.ClassDef) -> list[ast.stmt]:
    """What decorates a class once it is known, all but `dataclass`."""
    made: list[ast.stmt] = []
    for decorator in reversed(node.decorator_list):
        if not is_dataclass(decorator):
            made += filled(f"{node.name} = DECORATOR({node.name})", decorator, DECORATOR=decorator)
    node.decorator_list = [decorator for decorator in node.decorator_list if is_dataclass(decorator)]
    return made


def _is_abstract(function: ast.FunctionDef) -> bool:
    return any(_name(decorator) == "abstractmethod" for decorator in function.decorator_list)


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
    return all(isinstance(kind, ast.Attribute) or (isinstance(kind, ast.Name) and kind.id in TYPES) for kind in each)


def _enum_members(node: ast.ClassDef) -> ast.List:
    """The pairs of name and value, which are taken out of the class."""
    members = [item for item in node.body if isinstance(item, ast.Assign)]
    pairs = [ast.Tuple([ast.Constant(name.id), item.value], ast.Load()) for item in members for name in _targets(item)]
    node.body = [item for item in node.body if item not in members] or [ast.copy_location(ast.Pass(), node)]
    return ast.copy_location(ast.List([ast.copy_location(pair, node) for pair in pairs], ast.Load()), node)


def _tuple_class(node: ast.ClassDef) -> list[ast.stmt]:
    """What a `NamedTuple` is: a `namedtuple`, or with methods a class of its own."""
    fields = [item for item in node.body if isinstance(item, ast.AnnAssign)]
    names = [name.id for item in fields for name in _targets(item)]
    defaults = [item.value for item in fields if item.value is not None]
    rest = [item for item in node.body if item not in fields and not isinstance(item, ast.Pass | ast.Expr)]
    if not rest:
        listed = ast.copy_location(ast.List(defaults, ast.Load()), node)
        return filled(f"{node.name} = {HELPERS}.named_tuple({node.name!r}, {names!r}, DEFAULTS)", node, DEFAULTS=listed)
    sets = [f"    self.{name} = {name}\n" for name in names] or ["    pass\n"]
    made = filled(f"def __init__(self, {', '.join(names)}):\n{''.join(sets)}", node)[0]
    assert isinstance(made, ast.FunctionDef)
    made.args.defaults = defaults
    node.bases = [filled(f"{HELPERS}.Record", node)[0].value]  # type: ignore[attr-defined]
    node.body = [*filled(f"_fields = {tuple(names)!r}", node), made, *rest]
    return [node]
