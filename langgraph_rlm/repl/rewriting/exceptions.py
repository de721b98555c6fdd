"""Exceptions of one's own: Monty raises built-in ones alone.

So one of the code's own goes along with a built-in one (`raised` in `repl/python/modules/_classes.py`), and handlers
ask for it (`caught`).
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection

from langgraph_rlm.repl import modules
from langgraph_rlm.repl.rewriting import hidden
from langgraph_rlm.repl.rewriting.filling import expression, filled

LACKING_EXCEPTIONS = frozenset(modules.exported("_exceptions"))
"""Built-in exceptions that Monty does not have."""
EXCEPTIONS = {
    name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, BaseException)
} - LACKING_EXCEPTIONS
HELPERS = hidden.module("_classes")
"""What the sandbox has for it."""


def is_of_own(node: ast.AST, builtin: Collection[str], known: Collection[str]) -> bool:
    """Whether it raises or takes what may be an exception of the code's own. `known` are classes and bases (`A()`)."""
    match node:
        case ast.ExceptHandler(type=kind, name=name):
            return _is_own_kind(kind, builtin) or (bool(name) and _has_own(known))
        case ast.Raise(exc=ast.expr() as error):
            is_attribute = isinstance(_raised(error), ast.Attribute)
            may_be_own = _has_own(known) if is_attribute else not _is_builtin(error, builtin)
            return may_be_own or _cause(node) is not None
        case ast.Attribute(attr=name):
            return name in ("__cause__", "throw")
    return False


def _has_own(known: Collection[str]) -> bool:
    return any(f"{name}()" in known for name in EXCEPTIONS)


class Exceptions(ast.NodeTransformer):
    """Rewrites a cell. `builtin` are the names of built-in exceptions."""

    def __init__(self, builtin: Collection[str]) -> None:
        self.builtin = builtin

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        self.generic_visit(node)
        cause = _cause(node)
        if node.exc is not None and (cause or not _is_builtin(node.exc, self.builtin)):
            parts = {"VALUE": node.exc, "CAUSE": cause or ast.Constant(None)}
            node.exc = expression(f"{HELPERS}.raised(VALUE, CAUSE)", node, **parts)
            node.cause = None
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if node.attr != "__cause__" or not isinstance(node.ctx, ast.Load):
            return node
        return expression(f"{HELPERS}.cause_of(ERROR)", node, ERROR=node.value)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """`generator.throw(error)`."""
        self.generic_visit(node)
        match node:
            case ast.Call(func=ast.Attribute(attr="throw"), args=[error], keywords=[]):
                node.args = [expression(f"{HELPERS}.raised(ERROR)", node, ERROR=error)]
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
            kind = handler.type or ast.Name("BaseException", ast.Load())
            [test] = filled(f"if {HELPERS}.is_instance(__caught, KIND):\n    pass", handler, KIND=kind)
            assert isinstance(test, ast.If)
            name = filled(f"{handler.name} = __caught", handler) if handler.name else []
            test.body, test.orelse = [*name, *handler.body], branches
            branches = [test]
        branches = [*filled(f"__caught = {HELPERS}.caught(__caught)", node.handlers[0]), *branches]
        caught = ast.ExceptHandler(ast.Name("BaseException", ast.Load()), "__caught", branches)
        node.handlers = [ast.copy_location(caught, node.handlers[0])]
        return node


def _cause(node: ast.Raise) -> ast.expr | None:
    """What an exception is raised from."""
    is_none = isinstance(node.cause, ast.Constant) and node.cause.value is None
    return None if is_none else node.cause


def _is_builtin(error: ast.expr, builtin: Collection[str]) -> bool:
    function = _raised(error)
    return isinstance(function, ast.Name) and function.id in builtin


def _raised(error: ast.expr) -> ast.expr:
    """The class, where that is written."""
    return error.func if isinstance(error, ast.Call) else error


def _is_own_kind(kind: ast.expr | None, builtin: Collection[str]) -> bool:
    """Whether an `except` may be for a class of the code's own."""
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(isinstance(one, ast.Name) and one.id not in builtin for one in kinds)
