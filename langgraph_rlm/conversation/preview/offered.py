"""What the host makes of a text for cells that name it, and makes anew of a new text."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable

from langgraph_rlm.context import Context
from langgraph_rlm.repl.syntax import nodes_of, statements


def defined_for(code: str, name: str, context: Context, made: Callable[[], str]) -> str:
    """What runs before `code`, so that `name` is what the expression `made()` gives, if there is one.

    Nothing where the code does not read the name, or sets it first. What the code itself sets it to is its own, and
    stays, also when there is a new text.
    """
    reads, sets = _uses(code, name)
    lines = list[str]()
    mark = f"made {name}"
    if reads:
        key, expression = _key(context), made()
        is_old = f"__rlm__.get({mark!r}, {key!r}) != {key!r}"
        if expression:
            lines.append(f"if {name!r} not in locals() or {is_old}:")
            lines.append(f"    {name} = {expression}\n    __rlm__[{mark!r}] = {key!r}")
        else:
            lines.append(f"if {is_old}:\n    {name} = __rlm__[{mark!r}] = None")
    if sets:
        lines.append(f"__rlm__.pop({mark!r}, None)")
    return "\n".join(lines)


def _uses(code: str, name: str) -> tuple[bool, bool]:
    """Whether code reads a name before it has set it, and whether it sets it."""
    for statement in statements(code):
        nodes = nodes_of([statement])
        uses = [node for node in nodes if isinstance(node, ast.Name) and node.id == name]
        is_own = any(isinstance(node, ast.arg) and node.arg == name for node in nodes)
        sets = any(not isinstance(node.ctx, ast.Load) for node in uses)
        if sets and isinstance(statement, ast.For):  # what is below reads what it goes through
            before = nodes_of([statement.iter])
            uses = [node for node in uses if node in before]
        if any(isinstance(node.ctx, ast.Load) for node in uses) and not is_own:
            return True, sets or _sets(code, name)
        if sets:
            return False, True
    return False, False


def _sets(code: str, name: str) -> bool:
    nodes = nodes_of(statements(code))
    return any(isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load) for node in nodes)


def _key(context: Context) -> str:
    """What tells a text from others."""
    digest = hashlib.blake2b(repr(context.metadata).encode("utf-8", "backslashreplace"), digest_size=8)
    digest.update(context.text.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
