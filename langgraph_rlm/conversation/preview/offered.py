"""What the host makes of a text for cells that name it, and makes anew of a new text."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from langgraph_rlm.context import Context
from langgraph_rlm.context.digests import context_id_of
from langgraph_rlm.repl.syntax import nodes_of, read, statements

MOST_TAKEN_APART = 3_000_000
"""Characters of a text that is offered: the sandbox holds it twice then, and needs up to three seconds for so many."""


def defined_for(code: str, name: str, context: Context, made: Callable[[], str]) -> str:
    """What runs before `code`, so that `name` is what the expression `made()` gives, if there is one.

    Nothing where the code does not read the name, or sets it first. What the code itself sets it to is its own, and
    stays, also when there is a new text.
    """
    uses = _uses(read(code).nodes, name)
    if not uses:
        return ""
    lines, mark = list[str](), f"made {name}"
    if _reads_first(code, name):
        if expression := made():
            key = context_id_of(context)
            lines.append(f"if {name!r} not in locals() or __rlm__.get({mark!r}, {key!r}) != {key!r}:")
            lines.append(f"    {name} = {expression}\n    __rlm__[{mark!r}] = {key!r}")
        else:  # what there is was made of another text
            lines.append(f"if __rlm__.get({mark!r}):\n    {name} = __rlm__[{mark!r}] = None")
    if _are_set(uses):
        lines.append(f"__rlm__.pop({mark!r}, None)")
    return "\n".join(lines)


def _reads_first(code: str, name: str) -> bool:
    """Whether code reads a name before it has set it."""
    for statement in statements(code):
        nodes = nodes_of([statement])
        uses = _uses(nodes, name)
        sets = _are_set(uses)
        if sets and isinstance(statement, ast.For):  # what is below reads what it goes through
            uses = _uses(nodes_of([statement.iter]), name)
        is_own = any(isinstance(node, ast.arg) and node.arg == name for node in nodes)
        if any(isinstance(node.ctx, ast.Load) for node in uses) and not is_own:
            return True
        if sets:
            return False
    return False


def _uses(nodes: Sequence[ast.AST], name: str) -> list[ast.Name]:
    return [node for node in nodes if isinstance(node, ast.Name) and node.id == name]


def _are_set(uses: Sequence[ast.Name]) -> bool:
    return any(not isinstance(node.ctx, ast.Load) for node in uses)
