"""Statements from a text with places for expressions: how rewritten code is made."""

from __future__ import annotations

import ast

from langgraph_rlm.repl.syntax import parsed


def filled(text: str, at: ast.AST, **parts: ast.expr) -> list[ast.stmt]:
    """Statements of this text, at the place of a node; names that are `parts` stand for expressions."""

    class Filled(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return parts.get(node.id, node)

    found = []
    for statement in parsed(text).body:
        for node in ast.walk(statement):
            if hasattr(node, "lineno"):
                ast.copy_location(node, at)
        found.append(Filled().visit(statement))
    return found


def expression(text: str, at: ast.AST, **parts: ast.expr) -> ast.expr:
    """The expression of this text, as `filled` makes statements."""
    [statement] = filled(text, at, **parts)
    assert isinstance(statement, ast.Expr)
    return statement.value


def loaded(name: str, at: ast.AST) -> ast.expr:
    """The variable of that name, at the place of a node."""
    return ast.copy_location(ast.Name(name, ast.Load()), at)
