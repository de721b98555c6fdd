"""Generator expressions, which Monty works out at once, as lists: where somebody could tell, they become functions.

`next(GENERATOR, …)`, `any(GENERATOR)` and `all(GENERATOR)` become plain functions that return as soon as they know,
all others generator functions. Left as they are those of which all items are taken at once, and those that neither
ask nor raise anything and end.
"""

from __future__ import annotations

import ast
import re
import zlib
from collections.abc import Iterator

from langgraph_rlm.repl.rewriting.filling import expression, filled, loaded
from langgraph_rlm.repl.rewriting.generators import guarded
from langgraph_rlm.repl.rewriting.iteration import LAZY, WHOLE
from langgraph_rlm.repl.rewriting.loops import HELPERS
from langgraph_rlm.repl.rewriting.quiet import is_harmless, may_raise
from langgraph_rlm.repl.rewriting.scopes import may_raise_stop, parameters
from langgraph_rlm.repl.syntax import Code

Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_ITEMS = "__items"
HOISTED = re.compile(r"\b__(?:any|all|next|first|genexpr)_[0-9a-f]+_[0-9]+\b")
"""The names of the functions."""
_MAKING = {
    *("iter", "zip", "map", "filter", "enumerate", "reversed", "finditer", "StringIO", "open", "reader", "DictReader"),
    *("count", "cycle", "repeat", "chain", "islice", "takewhile", "dropwhile", "accumulate", "groupby", "tee"),
    *("starmap", "filterfalse", "compress", "zip_longest", "pairwise", "batched", "product", "from_iterable"),
}
"""Functions that give iterators."""
_ENDS = {
    "any": ("if VALUE:\n    return True", "return False"),
    "all": ("if VALUE:\n    pass\nelse:\n    return False", "return True"),
    "next": ("return VALUE", "raise StopIteration"),
    "first": ("return VALUE", "return __default"),
    "genexpr": ("yield VALUE", None),
}
"""What a function does with an item, and at the end: `first` is `next` with a default."""


def has_later_ones(tree: ast.AST, may_iterate: bool) -> bool:
    """Whether there is a generator expression that is to become a function.

    Args:
        may_iterate: The REPL has iterators of the code's own, from cells before.
    """
    later = Later(tree, "", may_iterate)
    return any(later.is_concerned(node, parent) for parent in ast.walk(tree) for node in _expressions_of(parent))


def may_have_later_ones(code: Code) -> bool:
    """Whether `has_later_ones` is to be asked of a cell: not where functions take all items of each at once."""
    expressions = {*map(id, code.of(ast.GeneratorExp))}
    if not expressions:
        return False
    whole = WHOLE - {node.id for node in code.of(ast.Name) if isinstance(node.ctx, ast.Store)}
    whole -= {node.name for node in code.of(ast.FunctionDef)} | {node.name for node in code.of(ast.ClassDef)}
    whole -= {node.name for node in code.of(ast.AsyncFunctionDef)}
    for call in code.of(ast.Call):
        match call.func:
            case ast.Name(name) | ast.Attribute(attr=("join" | "extend") as name) if name in whole:
                expressions -= {*map(id, call.args)}
    return bool(expressions)


def _expressions_of(parent: ast.AST) -> Iterator[ast.GeneratorExp]:
    for node in ast.iter_child_nodes(parent):
        if isinstance(node, ast.GeneratorExp):
            yield node


class Later(ast.NodeTransformer):
    """Rewrites a cell, whose text gives the functions names that no other cell has."""

    def __init__(self, tree: ast.AST, code: str, may_iterate: bool) -> None:
        self.may_iterate = may_iterate or has_iterators_of_its_own(tree)
        self.scopes: list[ast.FunctionDef] = []
        self.own = {
            node.name
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        } | {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        self.sign, self.count = f"{zlib.crc32(code.encode('utf-8', 'surrogatepass')):x}", 0
        self.before: list[list[ast.stmt]] = [[]]
        self.bound: list[set[str]] = []
        """The variables of comprehensions and lambdas around an expression: a function before it does not see them."""

    def is_concerned(self, node: ast.GeneratorExp, parent: ast.AST) -> bool:
        parts = [node.elt, *node.generators]
        if any(isinstance(inner, ast.Await) for part in parts for inner in ast.walk(part)):
            return False
        if any(clause.is_async for clause in node.generators):
            return False
        match parent:
            case ast.Starred():
                return False
            case ast.Call(func=ast.Name(name) | ast.Attribute(attr=name)) if name not in self.own:
                if name in WHOLE:
                    return False
                if name in ("any", "all") and self.may_iterate and _takes_of_others(node):
                    return True
                if name in ("next", "iter"):
                    return not is_harmless(node, self.own) or may_raise(node) or _takes_of_others(node)
                if name not in LAZY:
                    return True
        return not is_harmless(node, self.own)

    # -- statements ---------------------------------------------------------------------------------------------------

    def generic_visit(self, node: ast.AST) -> ast.AST:
        for name, value in ast.iter_fields(node):
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                setattr(node, name, self.all(value))
            elif isinstance(value, list):
                setattr(node, name, [self.visit(item) if isinstance(item, ast.AST) else item for item in value])
            elif isinstance(value, ast.AST):
                setattr(node, name, self.visit(value))
        return node

    def all(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        made: list[ast.stmt] = []
        for statement in statements:
            self.before.append([])
            new = self.visit(statement)
            made += [*self.before.pop(), new]
        return made

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """Functions for what stands in a class are before it: there they would be methods."""
        for name in ("bases", "keywords", "decorator_list", "body"):
            setattr(node, name, [self.visit(item) for item in getattr(node, name)])
        return node

    # -- expressions --------------------------------------------------------------------------------------------------

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        self.bound.append(parameters(node.args))
        self.generic_visit(node)
        self.bound.pop()
        return node

    def visit_comprehensions(self, node: Comprehension) -> ast.expr:
        first = node.generators[0]
        first.iter = self.visit(first.iter)
        self.bound.append({name for clause in node.generators for name in _names(clause.target)})
        for clause in node.generators:
            clause.iter = clause.iter if clause is first else self.visit(clause.iter)
            clause.ifs = list(map(self.visit, clause.ifs))
        for name in ("elt", "key", "value"):
            if hasattr(node, name):
                setattr(node, name, self.visit(getattr(node, name)))
        self.bound.pop()
        return node

    visit_ListComp = visit_SetComp = visit_DictComp = visit_comprehensions

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.AST:
        return self.function(node, "genexpr") if self.is_concerned(node, node) else self.visit_comprehensions(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        match node:
            case ast.Call(func=ast.Name("any" | "all" as name), args=[ast.GeneratorExp() as items]):
                if self.is_concerned(items, node):
                    return self.function(items, name)
            case ast.Call(func=ast.Name("next"), args=[items, *default]):
                inner = items.args[0] if isinstance(items, ast.Call) and _is_iter(items) else items
                if isinstance(inner, ast.GeneratorExp) and self.is_concerned(inner, node):
                    return self.function(inner, "first" if default else "next", list(map(self.visit, default)))
            case ast.Call(args=[ast.GeneratorExp() as items]) if _is_iter(node) and self.is_concerned(items, node):
                return self.function(items, "genexpr")
        node.func = self.visit(node.func)
        node.args = [self.argument(value, node) for value in node.args]
        node.keywords = [self.visit(keyword) for keyword in node.keywords]
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.scopes.append(node)
        self.generic_visit(node)
        self.scopes.pop()
        return node

    def bind_outside(self, made: ast.FunctionDef, node: ast.GeneratorExp) -> None:
        """What `:=` names in an expression belongs to the function around it, or to the cell."""
        named = {inner.target.id for inner in ast.walk(node) if isinstance(inner, ast.NamedExpr)}
        for name in sorted(named):
            if not self.scopes:
                made.body[0:0] = filled(f"global {name}", node)
                continue
            if not any(name in _stored(statement) for statement in self.scopes[-1].body):
                self.before[-1] += filled(f"{name} = None", node)
            made.body[0:0] = filled(f"nonlocal {name}", node)

    def argument(self, value: ast.expr, call: ast.Call) -> ast.expr:
        if not isinstance(value, ast.GeneratorExp):
            visited: ast.expr = self.visit(value)
            return visited
        return self.function(value, "genexpr") if self.is_concerned(value, call) else self.visit_comprehensions(value)

    def function(self, node: ast.GeneratorExp, kind: str, default: list[ast.expr] | None = None) -> ast.expr:
        """A call of a function that stands before the statement."""
        self.count += 1
        name, [first, *_] = f"__{kind}_{self.sign}_{self.count}", node.generators
        items = self.visit(first.iter)
        if kind == "genexpr":  # what cannot be gone through is told at once
            items = expression(f"{HELPERS}.begun(ITEMS)", items, ITEMS=items)
        first.iter = loaded(_ITEMS, first.iter)
        used = {name for part in (node.elt, *node.generators) for name in _names(part)}
        own = {name for clause in node.generators for name in _names(clause.target)}
        taken = sorted((used - own) & {name for names in self.bound for name in names})
        with_item, at_end = _ENDS[kind]
        body = filled(with_item, node, VALUE=node.elt)
        for clause in reversed(node.generators):
            for test in reversed(clause.ifs):
                [choice] = filled("if TEST:\n    pass", test, TEST=test)
                assert isinstance(choice, ast.If)
                choice.body, body = body, [choice]
            [loop] = filled("for __item in ITEMS:\n    pass", clause.iter, ITEMS=clause.iter)
            assert isinstance(loop, ast.For)
            loop.target, loop.body, body = clause.target, body, [loop]
        [made] = filled(
            f"def {name}({', '.join([_ITEMS, *taken, *(['__default'] if default else [])])}):\n    pass", node
        )
        assert isinstance(made, ast.FunctionDef)
        made.body = body
        if at_end:
            made.body = [*(guarded(body, node) if may_raise_stop(made) else body), *filled(at_end, node)]
        self.bind_outside(made, node)
        bound, self.bound = self.bound, []
        self.generic_visit(made)
        self.bound = bound
        self.before[-1].append(made)
        given = [loaded(name, node) for name in taken]
        function = loaded(name, node)
        return ast.copy_location(ast.Call(function, [items, *given, *(default or [])], []), node)


def has_iterators_of_its_own(tree: ast.AST) -> bool:
    """Whether variables of a cell may be iterators: it has generators, or keeps what gives one."""
    for node in ast.walk(tree):
        match node:
            case ast.Yield() | ast.YieldFrom():
                return True
            case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value) | ast.NamedExpr(value=value):
                for part in value.elts if isinstance(value, ast.Tuple) else [value]:
                    if isinstance(part, ast.GeneratorExp) or (isinstance(part, ast.Call) and _makes_iterator(part)):
                        return True
    return False


def _makes_iterator(call: ast.Call) -> bool:
    match call.func:
        case ast.Name(name) | ast.Attribute(attr=name):
            return name in _MAKING
    return False


def _is_iter(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id == "iter" and len(call.args) == 1


def _takes_of_others(items: ast.GeneratorExp) -> bool:
    """Whether it needs variables other than its own: they may be others later, or iterators that are used elsewhere."""
    own = {name for clause in items.generators for name in _names(clause.target)}
    called = {id(node.func) for node in ast.walk(items) if isinstance(node, ast.Call)}
    first = items.generators[0].iter
    inside = [node for node in ast.walk(items) if isinstance(node, ast.Name) and id(node) not in called]
    of_first = {id(node) for node in ast.walk(first)} if not isinstance(first, ast.Name | ast.Attribute) else set()
    return any(node.id not in own and id(node) not in of_first for node in inside)


def _stored(statement: ast.stmt) -> set[str]:
    """The variables that a statement assigns, but for those that its generator expressions name."""
    inside = {
        id(inner) for node in ast.walk(statement) if isinstance(node, ast.GeneratorExp) for inner in ast.walk(node)
    }
    names = (node for node in ast.walk(statement) if isinstance(node, ast.Name) and id(node) not in inside)
    return {node.id for node in names if isinstance(node.ctx, ast.Store)}


def _names(node: ast.AST) -> set[str]:
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
