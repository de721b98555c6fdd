"""Operators and built-ins where a class has methods that Monty never calls for them: `__len__`, `__lt__`, `__bool__` ….

As soon as some class of a REPL has one of these methods, cells that follow call `repl/python/modules/_operations.py`
in place of what would have called it.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Collection, Iterable, Iterator

from langgraph_rlm.repl.rewriting.filling import expression, filled, loaded

SIGN = "__op_"
"""What the names of functions begin with that rewritten cells call."""
ORDER = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
NATIVE_FIRST = {"<": "less", "<=": "at_most", ">": "more", ">=": "at_least"}
"""Functions that try Monty's own operator first, which never is one of a class."""
OTHERS = {ast.Eq: "==", ast.NotEq: "!=", ast.In: "in", ast.NotIn: "not in", ast.Is: "is", ast.IsNot: "is not"}
ORDERED = frozenset(("__lt__", "__le__", "__gt__", "__ge__"))
TRUE = frozenset(("__bool__", "__len__"))
SIZED = "__sized__"
"""The `__len__` of what is never empty, as `repl/python/modules/_classes.py` has it."""
ALIKE = "__alike__"
"""What members of enumerations have that are texts or numbers: the one that they are as good as."""
IN_PLACE: dict[type[ast.operator], str] = {
    ast.Add: "__iadd__",
    ast.Sub: "__isub__",
    ast.Mult: "__imul__",
    ast.Div: "__itruediv__",
    ast.Mod: "__imod__",
    ast.FloorDiv: "__ifloordiv__",
    ast.Pow: "__ipow__",
    ast.BitAnd: "__iand__",
    ast.BitOr: "__ior__",
    ast.BitXor: "__ixor__",
    ast.LShift: "__ilshift__",
    ast.RShift: "__irshift__",
}
SPECIAL = ORDERED | TRUE | {"__ne__", "__reversed__", SIZED, ALIKE, *IN_PLACE.values()}
"""The methods."""
NAMES = {
    "len": {"__len__", SIZED},
    **dict.fromkeys(("bool", "any", "all", "filter"), TRUE),
    **dict.fromkeys(("sorted", "min", "max"), ORDERED),
    "reversed": {"__reversed__", "__len__"},
}
"""Built-ins that would call them."""
FUNCTIONS = (
    *("sort", "less", "at_most", "more", "at_least", "compare", "chained", "both", "either", "truth", "likeness"),
    *(f"{kind}_{name}" for name in NAMES for kind in ("given", "own")),
    *(f"changed{method}" for method in IN_PLACE.values()),
)
LOAD = f'{", ".join(f"{SIGN}{name}" for name in FUNCTIONS)} = __rlm__["module"]("_operations").functions'
"""Makes them known, in the order of `functions` there."""
_OF_LIKENESS = {
    *("join", "dumps", "dump", "startswith", "endswith", "replace", "split", "rsplit", "find", "rfind", "partition"),
    *("removeprefix", "removesuffix"),
}
"""Functions that take members of enumerations as what they are as good as."""
_ALWAYS_BOOL = (ast.Compare, ast.Constant, ast.JoinedStr, ast.List, ast.Dict, ast.Tuple, ast.Set, ast.ListComp)


def natural_order(cls: ast.ClassDef) -> Iterator[tuple[str, ast.Lambda]]:
    """The methods `__lt__` and `__gt__` that compare `self.a` with `other.a`, each with what gives that."""
    for method in cls.body:
        match method:
            case ast.FunctionDef(
                name="__lt__" | "__gt__" as name,
                args=ast.arguments(args=[ast.arg(own), ast.arg(other)]),
                decorator_list=[],
                body=[*before, ast.Return(ast.Compare(left, [op], [right]))],
            ) if ORDER.get(type(op)) == {"__lt__": "<", "__gt__": ">"}[name]:
                mirrored = ast.unparse(_Renamed(own, other).visit(copy.deepcopy(left)))
                is_same = _is_plain(left, other) and mirrored == ast.unparse(right)
                if is_same and all(_is_check(statement, cls.name, other) for statement in before):
                    of = ast.arguments([], [ast.arg(own)], None, [], [], None, [])
                    yield name, ast.Lambda(of, copy.deepcopy(left))


def _is_plain(value: ast.expr, other: str) -> bool:
    """Whether it is made of attributes alone, and does not name the other one."""
    plain = (ast.Name, ast.Attribute, ast.Tuple, ast.Constant, ast.expr_context)
    return all(isinstance(node, plain) and getattr(node, "id", "") != other for node in ast.walk(value))


def _is_check(statement: ast.stmt, cls: str, other: str) -> bool:
    """Whether it says nothing of instances of one class: a docstring, or what asks whether they are."""
    match statement:
        case ast.Expr(ast.Constant()):
            return True
        case ast.If(
            ast.UnaryOp(ast.Not(), ast.Call(ast.Name("isinstance"), [ast.Name(value), ast.Name(kind)], [])),
            [ast.Return(ast.Name("NotImplemented"))],
            [],
        ):
            return value == other and kind == cls
    return False


class _Renamed(ast.NodeTransformer):
    def __init__(self, old: str, new: str) -> None:
        self.old, self.new = old, new

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.copy_location(ast.Name(self.new, node.ctx), node) if node.id == self.old else node


class Operations(ast.NodeTransformer):
    """Rewrites a cell. `special` are the methods of `SPECIAL` that classes have."""

    def __init__(self, special: Collection[str]) -> None:
        self.names = {name for name, methods in NAMES.items() if methods & {*special}}
        self.are_ordered, self.are_true = bool(ORDERED & {*special}), bool(TRUE & {*special})
        self.may_differ = "__ne__" in special
        self.in_place = {*special}
        self.are_alike = ALIKE in special
        self.types = set[ast.AST]()
        """What stands where a type is meant: `bool` is one."""

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id in self.names and isinstance(node.ctx, ast.Load) and node not in self.types:
            return expression(f"{SIGN}own_{node.id} if NAME is {SIGN}given_{node.id} else NAME", node, NAME=node)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        match node.func:
            case ast.Name("isinstance" | "issubclass") | ast.Attribute(attr="is_instance"):  # of `classes.py`
                self.types |= {*node.args[:1], *(part for kinds in node.args[1:] for part in ast.walk(kinds))}
        self.generic_visit(node)
        match node:
            case ast.Call(func=ast.Name(name) | ast.Attribute(attr=name), args=given) if (
                self.are_alike and name in _OF_LIKENESS and not any(isinstance(one, ast.Starred) for one in given)
            ):
                node.args = [expression(f"{SIGN}likeness(VALUE)", node, VALUE=value) for value in given]
        if self.are_ordered and isinstance(node.func, ast.Attribute) and node.func.attr == "sort":
            node.args.insert(0, node.func.value)
            node.func = expression(f"{SIGN}sort", node)
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        method = IN_PLACE.get(type(node.op))
        if method not in self.in_place:
            return node
        before, target = _read_once(node.target)
        read = copy.deepcopy(target)
        read.ctx = ast.Load()
        changed = expression(f"{SIGN}changed{method}(READ, VALUE)", node, READ=read, VALUE=node.value)
        return [*before, ast.copy_location(ast.Assign([target], changed), node)]

    # -- order --------------------------------------------------------------------------------------------------------

    def visit_Dict(self, node: ast.Dict) -> ast.AST:
        self.types |= {*filter(None, node.keys)}
        return self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.types.add(node.slice)
        return self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.types |= {node.left, *node.comparators}
        sides = (node.left, *node.comparators)
        self.types |= {one for side in sides if isinstance(side, ast.Tuple | ast.List) for one in side.elts}
        self.generic_visit(node)
        known = (*ORDER, ast.NotEq) if self.may_differ else tuple(ORDER)
        if (not self.are_ordered and not self.may_differ) or not any(isinstance(op, known) for op in node.ops):
            return node
        names = [{**ORDER, **OTHERS}[type(op)] for op in node.ops]
        if len(names) == 1:
            parts = {"LEFT": node.left, "RIGHT": node.comparators[0]}
            quick = NATIVE_FIRST.get(names[0])
            call = f"{SIGN}{quick}(LEFT, RIGHT)" if quick else f"{SIGN}compare(LEFT, {names[0]!r}, RIGHT)"
            return expression(call, node, **parts)
        if any(map(_cannot_wait, node.comparators)):
            return node
        made = expression(f"{SIGN}chained(LEFT, {names!r})", node, LEFT=node.left)
        assert isinstance(made, ast.Call)
        made.args += [_later(value) for value in node.comparators]
        return made

    # -- truth --------------------------------------------------------------------------------------------------------

    def visit_If(self, node: ast.If) -> ast.AST:
        return self._tested(node)

    def visit_While(self, node: ast.While) -> ast.AST:
        return self._tested(node)

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        return self._tested(node)

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        return self._tested(node)

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        self.generic_visit(node)
        node.ifs = [self._truth(test) for test in node.ifs]
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Not):
            node.operand = self._truth(node.operand)
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        if not self.are_true or any(map(_cannot_wait, node.values[1:])):
            return node
        name = "both" if isinstance(node.op, ast.And) else "either"
        made = expression(f"{SIGN}{name}(FIRST)", node, FIRST=node.values[0])
        assert isinstance(made, ast.Call)
        made.args += [_later(value) for value in node.values[1:]]
        return made

    def _tested(self, node: ast.If | ast.While | ast.IfExp | ast.Assert) -> ast.AST:
        self.generic_visit(node)
        node.test = self._truth(node.test)
        return node

    def _truth(self, test: ast.expr) -> ast.expr:
        is_not = isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
        if not self.are_true or is_not or isinstance(test, _ALWAYS_BOOL):
            return test
        return expression(f"{SIGN}truth(VALUE)", test, VALUE=test)


def _read_once(
    target: ast.Name | ast.Attribute | ast.Subscript,
) -> tuple[list[ast.stmt], ast.Name | ast.Attribute | ast.Subscript]:
    """What works the parts of a target out, and the target of these."""
    parts = {"__owner": getattr(target, "value", None), "__key": getattr(target, "slice", None)}
    before: list[ast.stmt] = []
    for field, (name, part) in zip(("value", "slice"), parts.items(), strict=True):
        if part is not None and not isinstance(part, ast.Constant):
            before += filled(f"{name} = PART", target, PART=part)
            setattr(target, field, loaded(name, target))
    return before, target


def _later(value: ast.expr) -> ast.expr:
    """A function that works out a value."""
    nothing = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
    return ast.copy_location(ast.Lambda(nothing, value), value)


def _cannot_wait(value: ast.expr) -> bool:
    """Whether it does something that belongs to the function which it stands in."""
    inside: Iterable[ast.AST] = ast.walk(value)
    return any(isinstance(node, ast.NamedExpr | ast.Await | ast.Yield | ast.YieldFrom) for node in inside)
