"""Loops over what may be an iterator of the code's own: it is asked for each item by a plain call."""

from __future__ import annotations

import ast
from collections.abc import Callable

from langgraph_rlm.repl.rewriting import hidden
from langgraph_rlm.repl.rewriting.filling import filled

HELPERS = hidden.module("_generators")
"""What the sandbox has for it."""
END = f"{HELPERS}.end"
"""What is given after the last item."""


def by_steps(node: ast.For, hide: Callable[[str], str], is_quiet: bool = False) -> list[ast.stmt]:
    """The loop, and what stands before and after it. `hide` names variables.

    Args:
        is_quiet: Nothing could notice that the items were made before the loop begins: see `quiet.py`.
    """
    items, step, item = hide("rounds"), hide("step"), hide("taken")
    kept = filled(f"{items}, {step} = {HELPERS}.rounds(ITEMS{', True' if is_quiet else ''})", node, ITEMS=node.iter)
    is_over = hide("over") if node.orelse else None
    leave = f"{is_over} = True\n        break" if is_over else "break"
    first = filled(
        f"if {step}:\n    {item} = {step}(None)\n    if {item} is {END}:\n        {leave}\nTARGET = {item}", node
    )
    assign = first[-1]
    assert isinstance(assign, ast.Assign)
    assign.targets = [node.target]
    node.target = ast.copy_location(ast.Name(item, ast.Store()), node)
    node.iter = ast.copy_location(ast.Name(items, ast.Load()), node)
    node.body[0:0] = first
    if is_over is None:
        return [*kept, node]
    [after] = filled(f"if {is_over}:\n    pass", node)
    assert isinstance(after, ast.If)
    after.body, node.orelse = node.orelse, filled(f"{is_over} = True", node)
    return [*kept, *filled(f"{is_over} = False", node), node, after]
