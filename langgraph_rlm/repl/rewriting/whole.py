"""The body of a generator for who takes all its items at once: it runs as it is written, and collects them."""

from __future__ import annotations

import ast
from collections.abc import Collection

from langgraph_rlm.repl.rewriting.blocks import OVER, STATE
from langgraph_rlm.repl.rewriting.filling import filled
from langgraph_rlm.repl.rewriting.loops import HELPERS, by_steps
from langgraph_rlm.repl.rewriting.scopes import SCOPES, body_nodes, leaves_early, may_raise_stop, name_of, yields

NAME, RESULT = "__whole", "__result"
"""The function, and the list that has what a body returned."""
_TAKE_NO_ITEMS = {"isinstance", "len", "str", "int", "float", "bool", "repr", "ord", "chr", "range", "abs", "round"}
_WHOLE = f"""
def {NAME}(__found):
    nonlocal {{local}}
    if {STATE} != 0:
        return False
    {STATE} = {OVER}
    return True
"""


def whole(function: ast.FunctionDef, local: Collection[str], is_quiet: bool) -> ast.FunctionDef | None:
    """A function that adds all items to a list, or gives False where somebody has had some of them.

    None where something is done with what a `yield` gives, or what it raises would have to be changed; and where there
    are functions within, which would have to be written twice. The function is changed.
    """
    if may_raise_stop(function) or any(isinstance(node, ast.FunctionDef) for node in body_nodes(function)):
        return None
    nodes = [*body_nodes(function)]
    alone = {node.value for node in nodes if isinstance(node, ast.Expr)}
    if any(isinstance(node, ast.Yield | ast.YieldFrom) and node not in alone for node in nodes):
        return None
    [made] = filled(_WHOLE.format(local=", ".join([STATE, *local])), function)
    assert isinstance(made, ast.FunctionDef)
    made.body[-1:-1] = _Collecting(is_quiet).all(function.body)
    return made


def sources(function: ast.FunctionDef) -> str:
    """An expression of what a generator may take items of, beside what it makes itself."""
    names = {name_of(source) for node in body_nodes(function) for source in _sources(node)}
    stored = {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    given = sorted(name for name in names if name is not None and name not in stored)
    return f"({''.join(f'{name}, ' for name in given)})"


def _sources(node: ast.AST) -> list[ast.expr]:
    """What a node may take items of."""
    match node:
        case ast.For(iter=items) | ast.comprehension(iter=items) | ast.YieldFrom(value=items):
            return [items]
        case ast.Call(func=ast.Name(name) | ast.Attribute(attr=name), args=given) if name not in _TAKE_NO_ITEMS:
            return given
    return []


class _Collecting(ast.NodeTransformer):
    def __init__(self, is_quiet: bool) -> None:
        self.is_quiet, self.count = is_quiet, 0

    def hide(self, prefix: str) -> str:
        self.count += 1
        return f"__{prefix}_{self.count}"

    def all(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        module = self.visit(ast.Module(statements, []))
        assert isinstance(module, ast.Module)
        return module.body

    def visit(self, node: ast.AST) -> ast.AST | list[ast.stmt]:
        made: ast.AST | list[ast.stmt] = node if isinstance(node, SCOPES) else super().visit(node)
        return made

    def visit_Expr(self, node: ast.Expr) -> ast.AST | list[ast.stmt]:
        match node.value:
            case ast.Yield(value=value):
                return filled("__found.append(VALUE)", node, VALUE=value or ast.copy_location(ast.Constant(None), node))
            case ast.YieldFrom(value=items):
                return filled(f"__found.extend({HELPERS}.all_of(ITEMS))", node, ITEMS=items)
        return node

    def visit_Return(self, node: ast.Return) -> list[ast.stmt]:
        kept = filled(f"{RESULT}.append(VALUE)", node, VALUE=node.value) if node.value is not None else []
        return [*kept, *filled("return True", node)]

    def visit_For(self, node: ast.For) -> ast.AST | list[ast.stmt]:
        is_concerned, is_left = yields([node]), any(map(leaves_early, node.body))
        self.generic_visit(node)
        return by_steps(node, self.hide, self.is_quiet and not is_left) if is_concerned else node
