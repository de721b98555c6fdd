"""Classes that Monty lacks: inheritance, `super()`, properties, static and class methods.

Each class is made known to the sandbox by `define` (in `repl/python/modules/_classes.py`), which copies into it what
its bases have. What Monty cannot do with such a class is written as a call: reading a property, `isinstance`,
assignments (`assignments.py`), patterns (`matching.py`), `raise` and `except` (`exceptions.py`).
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator

from langgraph_rlm.repl import modules
from langgraph_rlm.repl.rewriting import hidden, matching
from langgraph_rlm.repl.rewriting.assignments import Assignments
from langgraph_rlm.repl.rewriting.dataclasses import is_dataclass, is_ordered, shaped
from langgraph_rlm.repl.rewriting.exceptions import EXCEPTIONS, Exceptions, is_of_own
from langgraph_rlm.repl.rewriting.filling import expression, filled, loaded
from langgraph_rlm.repl.rewriting.generators import NoBridge
from langgraph_rlm.repl.rewriting.operations import ALIKE, ORDERED, SIZED, SPECIAL, natural_order
from langgraph_rlm.repl.rewriting.plain import is_plain
from langgraph_rlm.repl.rewriting.private import is_private
from langgraph_rlm.repl.rewriting.scopes import own_nodes
from langgraph_rlm.repl.syntax import Code, nodes_of

HELPERS = hidden.module("_classes")
"""What the sandbox has for it."""
PASS_FOR_TYPES = ("Alike", "Record")
"""Bases in the sandbox of enumerations and named tuples that are numbers, texts and tuples in Python."""
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
LOOKUPS = {"UserDict", "ChainMap"}
"""Bases that call `__missing__`."""
COLLECTIONS = {"Counter", "defaultdict", "OrderedDict", "deque"}
"""Types of `collections` that cannot be derived from."""
FORMS = frozenset((*modules.exported("typing"), *modules.exported(f"{modules.ADDITIONS}.collections.abc")))
"""Names of which `isinstance` does not know all."""
_MADE_BY: dict[str, Collection[str]] = {
    **dict.fromkeys(("cmp_to_key", "total_ordering"), ORDERED),
    "Fraction": (*ORDERED, "__bool__"),
    **dict.fromkeys(("UserDict", "UserList", "ElementTree", "fromstring", "Element"), ("__len__",)),
    "ChainMap": ("__len__", "parents"),
}
"""Names of modules that have or make classes with properties and methods of `SPECIAL`."""
MARKS = {"abstractmethod", "override", "final"}
"""Decorators of methods that change nothing here."""


def needs_classes(code: Code, properties: Collection[str]) -> bool:
    """Whether a cell has classes that Monty lacks, or something that only classes of earlier cells explain."""
    builtin = EXCEPTIONS - {*properties}
    known = {*properties, *(node.name for node in code.of(ast.ClassDef))}
    own = [node for kind in (ast.ExceptHandler, ast.Raise, ast.Attribute) for node in code.of(kind)]
    return (
        not all(map(is_plain, code.of(ast.ClassDef)))
        or (bool(code.of(ast.ClassDef)) and any(is_private(node.attr) for node in code.of(ast.Attribute)))
        or any(name in SPECIAL for name in properties)
        or any(node.id == "super" for node in code.of(ast.Name))
        or any(_is_of_classes(node, properties, known) for node in (*code.of(ast.Attribute), *code.of(ast.Call)))
        or any(is_of_own(node, builtin, properties) for node in own)
        or any(matching.is_of_classes(node, known) for node in (*code.of(ast.MatchClass), *code.of(ast.MatchSequence)))
        or any(map(_methods_of, (*code.of(ast.Name), *code.of(ast.Attribute), *code.of(ast.alias))))
    )


def _is_of_classes(node: ast.AST, properties: Collection[str], known: Collection[str]) -> bool:
    """Whether it may read a property, assign to a class, or ask for one. `known` are classes of this cell too."""
    match node:
        case ast.Attribute(value=ast.Name(owner), ctx=ast.Store()) if owner in known:
            return True
        case ast.Attribute(value=ast.Call(), ctx=ast.Store()):
            return bool(known)
        case ast.Attribute(attr=name):
            return name in properties
        case ast.Call(func=ast.Name("isinstance"), args=[_, kinds]):
            return not _are_types(kinds) or any(f"{name}()" in properties for name in PASS_FOR_TYPES)
    return False


def _ready_made(nodes: Iterable[ast.AST], classes: Iterable[ast.ClassDef]) -> Iterator[str]:
    """Methods of `SPECIAL` that classes of a cell get without writing them."""
    for part in nodes:
        yield from _methods_of(part)
    for node in classes:
        bases = {_name(base) for base in node.bases}
        if is_ordered(node) or bases & {"IntEnum", "StrEnum", "NamedTuple"} or (bases & ENUMS and len(bases) > 1):
            yield from ORDERED
        if bases & {"IntEnum", "StrEnum"} or (bases & ENUMS and len(bases) > 1):
            yield ALIKE
        if bases & {*ENUMS, "NamedTuple"}:
            yield SIZED
        if bases & {"Set", "MutableSet"}:
            yield from ORDERED
        if bases & {"Sequence", "MutableSequence"}:
            yield "__reversed__"


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
    """The methods of `SPECIAL` and properties that the objects have which are made by what it names."""
    match node:
        case ast.Name(name) | ast.Attribute(attr=name) | ast.alias(name=name):
            return _MADE_BY.get(name.rpartition(".")[2], ())
    return ()


class Classes(ast.NodeTransformer):
    """Rewrites a cell. `properties` are the names of properties that classes of earlier cells have."""

    def __init__(self, tree: ast.Module, properties: Iterable[str] = ()) -> None:
        nodes = nodes_of([tree])
        self.classes = {node.name: node for node in nodes if isinstance(node, ast.ClassDef)}
        methods = [item for node in self.classes.values() for item in node.body if isinstance(item, ast.FunctionDef)]
        self.own_properties = {method.name for method in methods if _kind_of(method) in ("property", "cached")}
        self.own_properties |= SPECIAL & {name for node in nodes if (name := _named(node))}
        self.own_properties |= {*_ready_made(nodes, self.classes.values())}
        self.special = SPECIAL & {*properties, *self.own_properties}
        """Methods of `repl/rewriting/operations.py` that classes have."""
        self.properties = {*properties, *self.own_properties} - self.special
        self.builtin = EXCEPTIONS - {*self.classes} - {*properties}
        """The names of built-in exceptions that are no classes of the code."""
        self.own_properties |= {*self.classes, *(f"{name}()" for name in self._bases())}
        self.known = {*properties, *self.own_properties}
        self.inside: list[ast.ClassDef] = []
        self.supers: list[dict[str, None]] = []
        """What methods of each class ask `super()` for."""
        self.first: list[str] = []

    def _bases(self) -> Iterator[str | None]:
        for node in self.classes.values():
            names = [_name(base) for base in node.bases]
            yield from names
            yield from ["Alike"] if ENUMS & {*names} and names != ["Enum"] else []
            yield from ["Record"] if "NamedTuple" in names else []

    def visit_Module(self, node: ast.Module) -> ast.AST:
        self.generic_visit(node)
        return Exceptions(self.builtin).visit(Assignments(self.properties, self.known).visit(node))  # type: ignore[no-any-return]

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
        members = list(_members(node)) if "Protocol" in names else None
        bases = [_without_arguments(base) for base in node.bases if _name(base) not in IGNORED]
        names = [_name(base) for base in bases]
        if (TYPES | COLLECTIONS) & {*names} or any(not isinstance(base, ast.Name | ast.Attribute) for base in bases):
            raise NoBridge
        own_shape, orders = shaped(node), list(natural_order(node))
        own, setters, decorated = dict[str, str](), dict[str, str](), list[ast.stmt]()
        abstract = [item.name for item in node.body if isinstance(item, ast.FunctionDef) and _is_abstract(item)]
        body = list[ast.stmt]()
        for item in node.body:
            if isinstance(item, ast.FunctionDef):
                kind = _kind_of(item)
                if item.name == "__missing__" and LOOKUPS & {*names}:
                    item.name = "__absent__"
                if kind == "deleter":  # `del x.p` is refused
                    continue
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
        self.supers.append({})
        self.generic_visit(node)
        self.inside.pop()
        supers = tuple(self.supers.pop())
        above = ast.copy_location(ast.Tuple(list(map(self.visit, bases)), ast.Load()), node)
        before = filled("__bases__ = BASES", node, BASES=above) if node.name in names else []
        made = filled(
            f"{node.name} = {HELPERS}.define({node.name}, BASES, {own!r}, {setters!r}, {abstract!r}, {supers!r})",
            node,
            BASES=loaded("__bases__", node) if before else above,
        )
        made += filled(f"{HELPERS}.protocol({node.name}, {members!r})", node) if members is not None else []
        for name, of in orders:
            of = ast.copy_location(self.visit(of), node)
            made += filled(f"{HELPERS}.natural[{node.name}.{name}] = OF", node, OF=of)
        return [*before, node, *made, *map(self.visit, [*own_shape, *decorated, *_decorated_class(node)])]

    def enumeration(self, node: ast.ClassDef) -> list[ast.stmt]:
        """What `class Name(Enum)` is: the class of its members, then the enumeration in its place."""
        kind = next((name for name in map(_name, node.bases) if name != "Enum"), None) or "Enum"
        if kind not in (*ENUMS, "str", "int"):
            raise NoBridge
        members = _enum_members(node)
        for item in node.body:
            if isinstance(item, ast.FunctionDef) and item.name == "__init__":
                item.name = "__start__"
        node.bases = [expression(f"{HELPERS}.{'Member' if kind == 'Enum' else 'Alike'}", node)]
        members = self.visit(members)
        call = f"{node.name} = {HELPERS}.enum({node.name!r}, {node.name}, MEMBERS, {kind!r})"
        return [*self.defined(node), *filled(call, node, MEMBERS=members)]

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        arguments = [*node.args.posonlyargs, *node.args.args]
        is_method = bool(self.inside) and node in self.inside[-1].body and bool(arguments)
        self.first += [arguments[0].arg] if is_method else []
        self.generic_visit(node)
        self.first = self.first[:-1] if is_method else self.first
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name("super"), args=[]), attr=name)) if self.first:
                node.func = self._next_method(name, node)
            case ast.Call(func=ast.Name("isinstance"), args=[_, kinds]) if self._may_be_own(kinds):
                node.func = expression(f"{HELPERS}.is_instance", node)
                node.args[1] = _alternatives(kinds)
            case ast.Call(func=ast.Name("dict"), args=[given]):
                node.args[0] = _as_dict(given)
        for keyword in node.keywords:
            keyword.value = _as_dict(keyword.value) if keyword.arg is None else keyword.value
        self.generic_visit(node)
        return node

    def visit_Dict(self, node: ast.Dict) -> ast.AST:
        node.values = [
            _as_dict(value) if key is None else value for key, value in zip(node.keys, node.values, strict=True)
        ]
        self.generic_visit(node)
        return node

    def _next_method(self, name: str, at: ast.AST) -> ast.expr:
        """`super().name` in a method: its class and those below have it under a name of its own."""
        self.supers[-1][name] = None
        method = hidden.super_of(self.inside[-1].name, name)
        return ast.copy_location(ast.Attribute(loaded(self.first[-1], at), method, ast.Load()), at)

    def _may_be_own(self, kinds: ast.expr) -> bool:
        return not _are_types(kinds) or any(f"{name}()" in self.known for name in PASS_FOR_TYPES)

    # -- attributes ---------------------------------------------------------------------------------------------------

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        match node:
            case ast.Attribute(value=ast.Call(func=ast.Name("super"), args=[]), attr=name) if self.first:
                method = self._next_method(name, node)
                assert isinstance(method, ast.Attribute)
                return self._read(method)
            case ast.Attribute(value=ast.Call(func=ast.Name("super"), args=[cls, owner]), attr=name):
                parts = {"CLASS": self.visit(cls), "OWNER": self.visit(owner)}
                return expression(f"{HELPERS}.super_of(CLASS, OWNER, {hidden.word(name)})", node, **parts)
        self.generic_visit(node)
        return self._read(node) if node.attr in self.properties and isinstance(node.ctx, ast.Load) else node

    def _read(self, node: ast.Attribute) -> ast.expr:
        return expression(f"{HELPERS}.attribute(OWNER, {hidden.word(node.attr)})", node, OWNER=node.value)

    # -- patterns -----------------------------------------------------------------------------------------------------

    def visit_Match(self, node: ast.Match) -> ast.AST | list[ast.stmt]:
        if any(matching.is_of_classes(inner, self.known) for case in node.cases for inner in ast.walk(case.pattern)):
            made = ast.Module(matching.as_conditions(node), [])
            self.generic_visit(made)
            return made.body
        self.generic_visit(node)
        return node


def _named(node: ast.AST) -> str | None:
    """What a definition or an assignment names."""
    match node:
        case (
            ast.FunctionDef(name=name) | ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store())
        ):
            return name
    return None


def _as_dict(value: ast.expr) -> ast.expr:
    """A mapping that Monty takes for one."""
    return expression(f"{HELPERS}.as_dict(VALUE)", value, VALUE=value)


def _without_arguments(base: ast.expr) -> ast.expr:
    """`Parser` of `Parser[str]`."""
    return base.value if isinstance(base, ast.Subscript) else base


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


def _members(protocol: ast.ClassDef) -> Iterator[str]:
    """What is to be there for something to be of that kind."""
    for item in protocol.body:
        match item:
            case ast.FunctionDef(name=name) | ast.AnnAssign(target=ast.Name(name)) if name != "__init__":
                yield name


def _is_abstract(function: ast.FunctionDef) -> bool:
    return any(_name(decorator) == "abstractmethod" for decorator in function.decorator_list)


def _kind_of(function: ast.FunctionDef) -> str:
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Attribute) and decorator.attr in ("setter", "deleter"):
            return decorator.attr
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
    return all(map(_is_type, kinds.elts if isinstance(kinds, ast.Tuple) else [kinds]))


def _is_type(kind: ast.expr) -> bool:
    match kind:
        case ast.Name(name):
            return name in TYPES - {"type"}
        case ast.Attribute(attr=name):
            return name not in FORMS
    return False


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
    node.bases = [expression(f"{HELPERS}.Record", node)]
    node.body = [*filled(f"_fields = {tuple(names)!r}\n__match_args__ = _fields", node), made, *rest]
    return [node]
