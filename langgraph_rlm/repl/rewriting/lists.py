"""What gives an iterator in Python and a list in Monty: `zip`, `map`, `finditer` …, and generator expressions.

A list can be gone through twice, and is no iterator for `next`. Where one is kept, it is made an iterator.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

from langgraph_rlm.repl.rewriting.iteration import LAZY, WHOLE
from langgraph_rlm.repl.syntax import Code, Edit, end_of, start_of

_LISTED = {"zip", "enumerate", "reversed", "map", "filter"}
_TAKE_ANY = {*dir(builtins), *LAZY, *WHOLE} - {"next"}
"""Functions that make no difference between a list and an iterator."""


KEEPING = (
    *(ast.Call, ast.Assign, ast.AnnAssign, ast.NamedExpr, ast.Return, ast.Yield, ast.Expr),
    *(ast.Tuple, ast.List, ast.Dict, ast.IfExp, ast.keyword),
)
"""The kinds of nodes that keep, or show, what they are given."""


def iterators(node: ast.AST, code: Code) -> Iterator[Edit]:
    """`next(zip(…))`, `pairs = zip(…)`, `return map(…)`, `f(x for …)`."""
    match node:
        case ast.Call(func=ast.Name(name) as function, args=values) if name not in _TAKE_ANY:
            for value in values:
                yield from _iterator(value, function)
        case (
            ast.Assign(value=ast.expr() as value)
            | ast.AnnAssign(value=ast.expr() as value)
            | ast.NamedExpr(value=value)
            | ast.Return(value=ast.expr() as value)
            | ast.Yield(value=ast.expr() as value)
            | ast.Expr(value=value)
            | ast.keyword(arg=str(), value=value)
        ):
            yield from _iterator(value)
        case ast.Tuple(elts=values) | ast.List(elts=values) | ast.Dict(values=values):
            for value in values:
                yield from _iterator(value)
        case ast.IfExp(body=value, orelse=other):
            yield from _iterator(value)
            yield from _iterator(other)


def _iterator(value: ast.expr, function: ast.Name | None = None) -> Iterator[Edit]:
    """`iter(…)` around a value that is a list. A generator expression may share the parentheses of the `function`."""
    start, end = start_of(value), end_of(value)
    match value:
        case ast.GeneratorExp():
            is_bare = function is not None and start == end_of(function)
            yield Edit.at(start, "(iter" if is_bare else "iter")
            if is_bare:
                yield Edit.at(end, ")")
        case ast.Call(func=ast.Name(name)) if name in _LISTED:
            yield from (Edit.at(start, "iter("), Edit.at(end, ")"))
        case ast.Call(func=ast.Attribute(attr="finditer")):
            yield from (Edit.at(start, "iter("), Edit.at(end, ")"))
