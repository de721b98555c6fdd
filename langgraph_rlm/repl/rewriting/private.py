"""Names in classes that begin with two underscores: each is its class's own, by the name that Python gives it."""

from __future__ import annotations

import ast

_FIELDS = ("id", "attr", "arg", "name")
"""What of a node may be such a name."""


def is_private(name: str) -> bool:
    return name.startswith("__") and not name.endswith("__")


def make_private(tree: ast.Module) -> None:
    """Renames them, in what the cell itself says: `self.__x` in a class `A` is `self._A__x`."""
    for cls in ast.walk(tree):
        waiting: list[ast.AST] = list(cls.body) if isinstance(cls, ast.ClassDef) else []
        while waiting:
            node = waiting.pop()
            for field in _FIELDS:
                name = getattr(node, field, None)
                if isinstance(name, str) and is_private(name):
                    setattr(node, field, f"_{cls.name.lstrip('_')}{name}")  # type: ignore[attr-defined]
            waiting += [] if isinstance(node, ast.ClassDef) else ast.iter_child_nodes(node)
