"""Tells code from words: much of what people write is Python too."""

from __future__ import annotations

import ast
import re

from langgraph_rlm.repl.syntax import nodes_of, read, statements

_DO_NOTHING = (ast.Pass, ast.Break, ast.Continue, ast.Global, ast.Nonlocal)
_MAY_DO = (ast.Return, ast.Raise, ast.Assert, ast.Delete, ast.Expr)
_DOES = (
    *(ast.Call, ast.Await, ast.NamedExpr, ast.Lambda),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
)
_LOOKS_LIKE_CODE = re.compile(
    r"^[ \t]*(?:(?:import|from) \w[\w.]*(?:$| import )|(?:def|class) \w[^\n]*:|(?:for|while|if|with) [^\n]+:[ \t]*$"
    r"|>>> |(?:print|FINAL)\(|[A-Za-z_]\w*(?:\[.*\])? [-+*/|&]?= )",
    re.M,
)
_REMARK = re.compile(r"\b([A-Z]\w*) \([^()\n]*\)")
"""A name with a remark, such as "Bergen (Norway)": Python takes it for a call."""
_PLURALS = ("s", "es", "ies")
_NAMES_OF_REPL = {"P", "context", "context_0", "ctx", "grep", "llm_query", "llm_batch", "llm_map", "rlm_query"}


def is_code(text: str) -> bool:
    """Whether `text` is Python that does something, or shows something: what has only names and values is prose."""
    return any(map(_shows, statements(text)))


def does_something(text: str) -> bool:
    """Whether `text` is Python that does something, as words beside a stated answer never do."""
    return any(map(_does, statements(_REMARK.sub(r"\1", text))))


def names_repl(code: str) -> bool:
    """Whether code has names that are of the REPL alone."""
    return bool(read(code).used & _NAMES_OF_REPL)


def looks_like_code(text: str) -> bool:
    """Whether `text` is code, if it is not Python: what a model wrote in a hurry, or was cut off in."""
    return _LOOKS_LIKE_CODE.search(text) is not None


def _shows(statement: ast.stmt) -> bool:
    is_part = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Subscript)
    return is_part or _does(statement)


def _does(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.AnnAssign):
        return statement.value is not None
    if isinstance(statement, _MAY_DO):
        return any(isinstance(node, _DOES) and not _is_plural(node) for node in nodes_of([statement]))
    return not isinstance(statement, _DO_NOTHING)


def _is_plural(node: ast.AST) -> bool:
    """Whether it is a word such as "item(s)"."""
    match node:
        case ast.Call(func=ast.Name(), args=[ast.Name(id=ending)], keywords=[]):
            return ending in _PLURALS
    return False
