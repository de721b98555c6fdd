"""Classes that Monty has by itself: they stay as they are written, and are only made known (`classes.py`)."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

from langgraph_rlm.repl.rewriting import hidden
from langgraph_rlm.repl.rewriting.operations import SPECIAL
from langgraph_rlm.repl.syntax import Code, Edit, end_of


def is_plain(node: ast.ClassDef) -> bool:
    """Whether it is a statement of the cell itself that has methods and values alone."""
    is_bare = not (node.bases or node.keywords or node.decorator_list or node.col_offset)
    return is_bare and not hasattr(builtins, node.name) and all(map(_is_plain_item, node.body))


def definitions(code: Code) -> Iterator[Edit]:
    """What makes the classes of a cell known in which all are plain: a line after each."""
    for node in code.of(ast.ClassDef):
        own = {name: kind for item in node.body for name, kind in _members(item)}
        call = f"{hidden.module('_classes')}.define({node.name}, (), {own!r}, {{}})"
        yield Edit.at(end_of(node), f"\n{node.name} = {call}", is_last=True)


def _is_plain_item(item: ast.stmt) -> bool:
    match item:
        case ast.FunctionDef(name=name, decorator_list=[]):
            return name not in SPECIAL
        case ast.Assign(targets=[ast.Name(name)]):
            return name != "__match_args__" and name not in SPECIAL
    return isinstance(item, ast.Pass) or (isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant))


def _members(item: ast.stmt) -> Iterator[tuple[str, str]]:
    match item:
        case ast.FunctionDef(name=name):
            yield name, "method"
        case ast.Assign(targets=[ast.Name(name)]):
            yield name, "value"
