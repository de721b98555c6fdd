"""Assignments to properties and to attributes of classes, wherever they are a target: Monty calls nothing for them.

A class has copies of what the classes above it have, so one of these has to be told (`assign` in
`repl/python/modules/_classes.py`).
"""

from __future__ import annotations

import ast
from collections.abc import Collection

from langgraph_rlm.repl.rewriting import hidden
from langgraph_rlm.repl.rewriting.filling import filled, loaded
from langgraph_rlm.repl.rewriting.lacking import IGNORED

HELPERS = hidden.module("_classes")
"""What the sandbox has for it."""


class Assignments(ast.NodeTransformer):
    """Rewrites a cell. `properties` are the names of properties, `classes` those of what may be classes."""

    def __init__(self, properties: Collection[str], classes: Collection[str]) -> None:
        self.properties, self.classes = properties, {"cls", *classes}
        self.parts = 0

    def visit_Assign(self, node: ast.Assign) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        if not any(map(self._is_told, node.targets)):
            return node
        match node.targets:
            case [ast.Attribute(value=ast.Name())]:
                return self._told(node.targets[0], node.value)
        name = self._part()
        found = filled(f"{name} = VALUE", node, VALUE=node.value)
        for target in node.targets:
            found += self._told(target, loaded(name, node))
        return found

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | list[ast.stmt]:
        if node.value is None or not self._is_told(node.target):
            return node
        return self.visit_Assign(ast.copy_location(ast.Assign([node.target], node.value), node))

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        if not isinstance(node.target, ast.Attribute) or not self._is_told(node.target):
            return node
        owner, value, word = self._part(), self._part(), hidden.word(node.target.attr)
        begun = f"{owner} = OWNER\n{value} = {HELPERS}.attribute({owner}, {word})"
        changed = ast.AugAssign(ast.Name(value, ast.Store()), node.op, node.value)
        return [
            *filled(begun, node, OWNER=node.target.value),
            ast.copy_location(changed, node),
            *filled(f"{HELPERS}.assign({owner}, {word}, {value})", node),
        ]

    def visit_For(self, node: ast.For) -> ast.AST:
        self.generic_visit(node)
        if self._is_told(node.target):
            node.target, node.body[0:0] = self._held(node.target)
        return node

    def visit_With(self, node: ast.With) -> ast.AST:
        self.generic_visit(node)
        before: list[ast.stmt] = []
        for item in node.items:
            if item.optional_vars is not None and self._is_told(item.optional_vars):
                item.optional_vars, told = self._held(item.optional_vars)
                before += told
        node.body[0:0] = before
        return node

    def _is_told(self, target: ast.expr) -> bool:
        match target:
            case ast.Attribute(attr=name) if name in IGNORED:  # it is refused
                return False
            case ast.Attribute(value=owner, attr=name):
                is_class = isinstance(owner, ast.Call) or (isinstance(owner, ast.Name) and owner.id in self.classes)
                return is_class or name in self.properties
            case ast.Starred(value=inner):
                return self._is_told(inner)
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                return any(map(self._is_told, parts))
        return False

    def _told(self, target: ast.expr, value: ast.expr) -> list[ast.stmt]:
        """What assigns a value to a target."""
        match target:
            case ast.Attribute(value=owner, attr=name) if self._is_told(target):
                return filled(f"{HELPERS}.assign(OWNER, {hidden.word(name)}, VALUE)", target, OWNER=owner, VALUE=value)
            case ast.Starred(value=inner):
                return self._told(inner, value)
            case ast.Tuple(elts=parts) | ast.List(elts=parts) if self._is_told(target):
                names = [self._part() for _ in parts]
                stars = ["*" if isinstance(part, ast.Starred) else "" for part in parts]
                targets = ", ".join(f"{star}{name}" for star, name in zip(stars, names, strict=True))
                found = filled(f"[{targets}] = VALUE", target, VALUE=value)
                for part, name in zip(parts, names, strict=True):
                    found += self._told(part, loaded(name, part))
                return found
        return [ast.copy_location(ast.Assign([target], value), target)]

    def _held(self, target: ast.expr) -> tuple[ast.Name, list[ast.stmt]]:
        """A name in place of a target, and what assigns its value to that."""
        name = self._part()
        return ast.copy_location(ast.Name(name, ast.Store()), target), self._told(target, loaded(name, target))

    def _part(self) -> str:
        """A name for something that is assigned."""
        self.parts += 1
        return f"__part{self.parts}"
