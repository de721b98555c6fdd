"""What belongs to a function's own scope, in the order of the code."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator

SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
BUILTINS = frozenset(name for name in dir(builtins) if not name.startswith("_"))
"""The names that Python itself has something for."""


def is_generator(function: ast.FunctionDef) -> bool:
    """Whether a function yields."""
    return yields(function.body)


def yields(nodes: Iterable[ast.AST]) -> bool:
    """Whether one of these belongs to a generator."""
    return any(isinstance(node, ast.Yield | ast.YieldFrom) for top in nodes for node in own_nodes(top))


def own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all below it that belong to the same scope."""
    return _walked(node, SCOPES)


def body_nodes(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """All nodes of a function's own scope."""
    for statement in function.body:
        yield from own_nodes(statement)


def _walked(node: ast.AST, ends: tuple[type[ast.AST], ...]) -> Iterator[ast.AST]:
    """A node and all below it in the order of the code, but for what is in nodes of these kinds."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ends):
            waiting += reversed([*ast.iter_child_nodes(node)])


def parameters(given: ast.arguments) -> set[str]:
    """The names of what a function is given."""
    several = filter(None, [given.vararg, given.kwarg])
    return {one.arg for one in [*given.posonlyargs, *given.args, *given.kwonlyargs, *several]}


def name_of(node: ast.AST) -> str | None:
    """The name of a variable."""
    return node.id if isinstance(node, ast.Name) else None


def assigned_names(function: ast.FunctionDef) -> list[str]:
    """The local variables of a function, its parameters excepted."""
    names: dict[str, None] = {}
    outer: set[str] = set()
    for node in body_nodes(function):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                names[name] = None
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.ExceptHandler(name=str(name)):
                names[name] = None
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                names[name] = None
            case ast.Import() | ast.ImportFrom():
                names |= {(alias.asname or alias.name.partition(".")[0]): None for alias in node.names}
            case ast.Global() | ast.Nonlocal():
                outer |= set(node.names)
    targets = {
        name.id
        for node in ast.walk(function)
        if isinstance(node, ast.comprehension)
        for name in ast.walk(node.target)
        if isinstance(name, ast.Name)
    }
    stored = {
        node.id
        for statement in function.body
        for node in outside_comprehensions(statement)
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    }
    return [name for name in names if name not in outer and (name in stored or name not in targets)]


def outside_comprehensions(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all below it that belong to the same scope and to no comprehension."""
    return _walked(node, (*SCOPES, *COMPREHENSIONS))


def may_raise_stop(function: ast.FunctionDef) -> bool:
    """Whether a `StopIteration` may come out of a body: of `next(items)`, or as it stands there, in lambdas too."""
    for node in (node for statement in function.body for node in ast.walk(statement)):
        match node:
            case ast.Call(func=ast.Name("next"), args=[_]) | ast.Attribute(attr="__next__" | "send" | "throw"):
                return True
            case ast.Call(func=ast.Name(name)) if name.startswith("__next_"):  # as `expressions.py` writes it
                return True
            case ast.Name("StopIteration"):
                return True
    return False


def leaves_early(statement: ast.stmt) -> bool:
    """Whether what is around a statement may be left by it."""
    return any(isinstance(node, ast.Break | ast.Return | ast.Raise) for node in own_nodes(statement))
