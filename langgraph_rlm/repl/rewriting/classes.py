"""Classes that Monty lacks: inheritance, `super()`, properties, static and class methods, exceptions of one's own.

Each class is made known to the sandbox by `define` (in `repl/python/modules/_classes.py`), which copies into it what
its bases have. What Monty cannot do with such a class is written as a call: reading a property, `isinstance`, `raise`,
`except`.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection, Iterable, Iterator

from langgraph_rlm.repl.rewriting import hidden, matching
from langgraph_rlm.repl.rewriting.dataclasses import is_dataclass, is_ordered, shaped
from langgraph_rlm.repl.rewriting.filling import filled
from langgraph_rlm.repl.rewriting.generators import NoBridge
from langgraph_rlm.repl.rewriting.operations import ORDERED, SIZED, SPECIAL, natural_order
from langgraph_rlm.repl.rewriting.scopes import own_nodes

EXCEPTIONS = {
    name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, BaseException)
}
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
MARKS = {"abstractmethod", "override", "final"}
"""Decorators of methods that change nothing here."""


def needs_classes(tree: ast.Module, properties: Collection[str]) -> bool:
    """Whether a cell has classes, or something that only classes of earlier cells explain."""
    builtin = _builtin_exceptions(tree, properties)
    has_exceptions = any(f"{name}()" in properties for name in EXCEPTIONS)
    return any(name in SPECIAL for name in properties) or any(
        isinstance(node, ast.ClassDef)
        or _mentions_order(node)
        or (isinstance(node, ast.Attribute) and (node.attr in properties or node.attr == "__cause__"))
        or (isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and _name(node.value) in properties)
        or (isinstance(node, ast.Name) and node.id == "super")
        or _asks_for_kind(node, properties)
        or matching.is_of_classes(node, properties)
        or (
            isinstance(node, ast.ExceptHandler) and ((has_exceptions and node.name) or _is_own_kind(node.type, builtin))
        )
        or (isinstance(node, ast.Raise) and (_cause(node) or (node.exc and not _is_builtin(node.exc, builtin))))
        for node in ast.walk(tree)
    )


def _ready_made(tree: ast.Module, classes: Iterable[ast.ClassDef]) -> Iterator[str]:
    """Methods of `SPECIAL` that classes of a cell get without writing them."""
    if any(map(_mentions_order, ast.walk(tree))):
        yield from ORDERED
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


def _mentions_order(node: ast.AST) -> bool:
    """Whether it is `cmp_to_key` or `total_ordering`, which make objects that only `operations.py` can sort."""
    match node:
        case ast.Name(name) | ast.Attribute(attr=name) | ast.alias(name=name):
            return name in ("cmp_to_key", "total_ordering")
    return False


def _builtin_exceptions(tree: ast.Module, others: Iterable[str]) -> set[str]:
    """The names of built-in exceptions, without those that classes of the code have."""
    return EXCEPTIONS - {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)} - {*others}


def _is_builtin(value: ast.expr, builtin: Collection[str]) -> bool:
    function = value.func if isinstance(value, ast.Call) else value
    return isinstance(function, ast.Attribute) or (isinstance(function, ast.Name) and function.id in builtin)


def _asks_for_kind(node: ast.AST, properties: Collection[str]) -> bool:
    """Whether it is `isinstance` of what may be a class of the code's own, or a type that one passes for."""
    match node:
        case ast.Call(func=ast.Name("isinstance"), args=[_, kinds]):
            return not _are_types(kinds) or any(f"{name}()" in properties for name in PASS_FOR_TYPES)
    return False


def _cause(node: ast.Raise) -> ast.expr | None:
    """What an exception is raised from."""
    is_none = isinstance(node.cause, ast.Constant) and node.cause.value is None
    return None if is_none else node.cause


def _is_own_kind(kind: ast.expr | None, builtin: Collection[str]) -> bool:
    """Whether an `except` may be for a class of the code's own."""
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(isinstance(one, ast.Name) and one.id not in builtin for one in kinds)


class Classes(ast.NodeTransformer):
    """Rewrites a cell. `properties` are the names of properties that classes of earlier cells have."""

    def __init__(self, tree: ast.Module, properties: Iterable[str] = ()) -> None:
        self.classes = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
        self.own_properties = {
            item.name
            for node in self.classes.values()
            for item in node.body
            if isinstance(item, ast.FunctionDef) and (_kind_of(item) in ("property", "cached") or item.name in SPECIAL)
        }
        self.own_properties |= {*_ready_made(tree, self.classes.values())}
        self.special = SPECIAL & {*properties, *self.own_properties}
        """Methods of `repl/rewriting/operations.py` that classes have."""
        self.properties = {*properties, *self.own_properties} - self.special
        self.builtin = _builtin_exceptions(tree, properties)
        self.own_properties |= {*self.classes, *(f"{name}()" for name in self._bases())}
        self.known = {*properties, *self.own_properties}
        self.inside: list[ast.ClassDef] = []
        self.supers: list[dict[str, None]] = []
        """What methods of each class ask `super()` for."""
        self.first: list[str] = []
        self.parts = 0

    def _bases(self) -> Iterator[str | None]:
        for node in self.classes.values():
            names = [_name(base) for base in node.bases]
            yield from names
            yield from ["Alike"] if ENUMS & {*names} and names != ["Enum"] else []
            yield from ["Record"] if "NamedTuple" in names else []

    def visit_Module(self, node: ast.Module) -> ast.AST:
        for inner in ast.walk(node):
            if isinstance(inner, ast.ClassDef):
                _make_private(inner)
        self.generic_visit(node)
        return node

    def _visited(self, statements: Iterable[ast.stmt]) -> list[ast.stmt]:
        found: list[ast.stmt] = []
        for statement in statements:
            made = self.visit(statement)
            found += made if isinstance(made, list) else [made]
        return found

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
        own_shape, orders = shaped(node), list(natural_order(node))
        own, setters, decorated = dict[str, str](), dict[str, str](), list[ast.stmt]()
        abstract = [item.name for item in node.body if isinstance(item, ast.FunctionDef) and _is_abstract(item)]
        body = list[ast.stmt]()
        for item in node.body:
            if isinstance(item, ast.FunctionDef):
                kind = _kind_of(item)
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
            BASES=_loaded("__bases__", node) if before else above,
        )
        for name, of in orders:
            of = ast.copy_location(self.visit(of), node)
            made += filled(f"{HELPERS}.natural[{node.name}.{name}] = OF", node, OF=of)
        return [*before, node, *made, *self._visited([*own_shape, *decorated, *_decorated_class(node)])]

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
                node.func = filled(f"{HELPERS}.is_instance", node)[0].value  # type: ignore[attr-defined]
                node.args[1] = _alternatives(kinds)
            case ast.Call(func=ast.Attribute(attr="throw"), args=[error], keywords=[]):
                node.args = [_expression(f"{HELPERS}.raised(ERROR)", node, ERROR=error)]
        self.generic_visit(node)
        return node

    def _next_method(self, name: str, at: ast.AST) -> ast.expr:
        """`super().name` in a method: its class and those below have it under a name of its own."""
        self.supers[-1][name] = None
        method = hidden.super_of(self.inside[-1].name, name)
        return ast.copy_location(ast.Attribute(_loaded(self.first[-1], at), method, ast.Load()), at)

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
                return _expression(f"{HELPERS}.super_of(CLASS, OWNER, {hidden.word(name)})", node, **parts)
        self.generic_visit(node)
        if isinstance(node.ctx, ast.Load) and node.attr == "__cause__":
            return _expression(f"{HELPERS}.cause_of(ERROR)", node, ERROR=node.value)
        return self._read(node) if node.attr in self.properties and isinstance(node.ctx, ast.Load) else node

    def _read(self, node: ast.Attribute) -> ast.expr:
        return _expression(f"{HELPERS}.attribute(OWNER, {hidden.word(node.attr)})", node, OWNER=node.value)

    def _is_told(self, target: ast.expr) -> bool:
        """Whether what is assigned to a target has to be told: to a property, or to what may be a class."""
        match target:
            case ast.Attribute(value=owner, attr=name):
                is_class = isinstance(owner, ast.Call) or _name(owner) in {"cls", *self.known}
                return name in self.properties or is_class
            case ast.Starred(value=inner):
                return self._is_told(inner)
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                return any(map(self._is_told, parts))
        return False

    def _told(self, target: ast.expr, value: ast.expr) -> list[ast.stmt]:
        """What assigns a value to a target."""
        match target:
            case ast.Attribute(value=owner, attr=name) if self._is_told(target):
                call = f"{HELPERS}.assign(OWNER, {hidden.word(name)}, VALUE)"
                return filled(call, target, OWNER=self.visit(owner), VALUE=value)
            case ast.Tuple(elts=parts) | ast.List(elts=parts) if self._is_told(target):
                names = [self._part() for _ in parts]
                stars = [isinstance(part, ast.Starred) for part in parts]
                targets = ", ".join(f"*{name}" if star else name for name, star in zip(names, stars, strict=True))
                found = filled(f"[{targets}] = VALUE", target, VALUE=value)
                for part, name in zip(parts, names, strict=True):
                    found += self._told(part.value if isinstance(part, ast.Starred) else part, _loaded(name, part))
                return found
        return [ast.copy_location(ast.Assign([self.visit(target)], value), target)]

    def visit_Assign(self, node: ast.Assign) -> ast.AST | list[ast.stmt]:
        if not any(map(self._is_told, node.targets)):
            self.generic_visit(node)
            return node
        value = self.visit(node.value)
        match node.targets:
            case [ast.Attribute(value=ast.Name())]:
                return self._told(node.targets[0], value)
        found = filled("__value = VALUE", node, VALUE=value)
        for target in node.targets:
            found += self._told(target, _loaded("__value", node))
        return found

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | list[ast.stmt]:
        if node.value is not None and self._is_told(node.target):
            return self.visit_Assign(ast.copy_location(ast.Assign([node.target], node.value), node))
        self.generic_visit(node)
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST | list[ast.stmt]:
        match node.target:
            case ast.Attribute(value=owner, attr=name) if self._is_told(node.target):
                found = filled("__owner = OWNER", node, OWNER=self.visit(owner))
                read = ast.copy_location(ast.Attribute(_loaded("__owner", node), name, ast.Load()), node)
                found += filled("__value = READ", node, READ=self._read(read))
                changed = ast.AugAssign(ast.Name("__value", ast.Store()), node.op, self.visit(node.value))
                call = f"{HELPERS}.assign(__owner, {hidden.word(name)}, __value)"
                return [*found, ast.copy_location(changed, node), *filled(call, node)]
        self.generic_visit(node)
        return node

    def visit_For(self, node: ast.For) -> ast.AST:
        if self._is_told(node.target):
            name = self._part()
            node.body[0:0] = self._told(node.target, _loaded(name, node.target))
            node.target = ast.copy_location(ast.Name(name, ast.Store()), node.target)
        self.generic_visit(node)
        return node

    def visit_With(self, node: ast.With) -> ast.AST:
        before: list[ast.stmt] = []
        for item in node.items:
            if item.optional_vars is not None and self._is_told(item.optional_vars):
                name = self._part()
                before += self._told(item.optional_vars, _loaded(name, item.optional_vars))
                item.optional_vars = ast.copy_location(ast.Name(name, ast.Store()), item.optional_vars)
        node.body[0:0] = before
        self.generic_visit(node)
        return node

    def _part(self) -> str:
        """A name for a part of what is assigned."""
        self.parts += 1
        return f"__part{self.parts}"

    # -- patterns -----------------------------------------------------------------------------------------------------

    def visit_Match(self, node: ast.Match) -> ast.AST | list[ast.stmt]:
        if any(matching.is_of_classes(inner, self.known) for case in node.cases for inner in ast.walk(case.pattern)):
            return self._visited(matching.as_conditions(node))
        self.generic_visit(node)
        return node

    # -- exceptions ---------------------------------------------------------------------------------------------------

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        self.generic_visit(node)
        cause = _cause(node)
        if node.exc is not None and (cause or not _is_builtin(node.exc, self.builtin)):
            call = f"{HELPERS}.raised(VALUE, CAUSE)" if cause else f"{HELPERS}.raised(VALUE)"
            parts = {"CAUSE": cause} if cause else {}
            node.exc = _expression(call, node, VALUE=node.exc, **parts)
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
            [test] = filled(f"if {HELPERS}.is_instance(__caught, KIND):\n    pass", handler, KIND=kind)
            assert isinstance(test, ast.If)
            name = filled(f"{handler.name} = __caught", handler) if handler.name else []
            test.body, test.orelse = [*name, *handler.body], branches
            branches = [test]
        branches = [*filled(f"__caught = {HELPERS}.caught(__caught)", node.handlers[0]), *branches]
        caught = ast.ExceptHandler(ast.Name("Exception", ast.Load()), "__caught", branches)
        node.handlers = [ast.copy_location(caught, node.handlers[0])]
        return node


def _expression(text: str, at: ast.AST, **parts: ast.expr) -> ast.expr:
    return filled(text, at, **parts)[0].value  # type: ignore[attr-defined,no-any-return]


def _make_private(node: ast.ClassDef) -> None:
    """Gives names that begin with two underscores the name of their class, as Python does."""
    waiting: list[ast.AST] = list(node.body)
    while waiting:
        inner = waiting.pop()
        for field in ("id", "attr", "arg", "name"):
            name = getattr(inner, field, None)
            if isinstance(name, str) and name.startswith("__") and not name.endswith("__"):
                setattr(inner, field, f"_{node.name.lstrip('_')}{name}")
        waiting += [] if isinstance(inner, ast.ClassDef) else ast.iter_child_nodes(inner)


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
    each = kinds.elts if isinstance(kinds, ast.Tuple) else [kinds]
    known = TYPES - {"type"}
    return all(isinstance(kind, ast.Attribute) or (isinstance(kind, ast.Name) and kind.id in known) for kind in each)


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
    node.body = [*filled(f"_fields = {tuple(names)!r}\n__match_args__ = _fields", node), made, *rest]
    return [node]
