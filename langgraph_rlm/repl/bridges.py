"""What Monty lacks, written another way: a cell is rewritten before it runs. Lines keep their numbers.

Each bridge looks at a node of the cell's syntax tree and gives edits of its text. A bridge whose gap Monty has closed
is to go: `tests/unit/repl/test_bridges.py` says which.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from langgraph_rlm.repl import modules
from langgraph_rlm.repl.syntax import statements

_TYPES = ("str", "dict", "list", "set", "tuple", "int", "float")


@dataclass(frozen=True, order=True)
class Edit:
    """New text from a place in the cell to another: lines from 1, columns in bytes."""

    start: tuple[int, int]
    end: tuple[int, int]
    text: str

    @classmethod
    def of(cls, node: ast.expr | ast.stmt, text: str) -> Edit:
        """In place of all of a node, with as many lines."""
        end = (node.end_lineno or node.lineno, node.end_col_offset or 0)
        return cls((node.lineno, node.col_offset), end, text + "\n" * (end[0] - node.lineno))


def bridged(code: str) -> str:
    """`code` as Monty understands it. What is not Python stays as it is."""
    nodes = (node for statement in statements(code) for node in ast.walk(statement))
    edits = sorted(edit for node in nodes for bridge in BRIDGES for edit in bridge(node))
    lines = code.encode().split(b"\n")
    for edit in reversed(edits):
        (first, start), (last, end) = edit.start, edit.end
        new = lines[first - 1][:start] + edit.text.encode() + lines[last - 1][end:]
        lines[first - 1 : last] = new.split(b"\n")
    return b"\n".join(lines).decode()


def _generator_for_next(node: ast.AST) -> Iterator[Edit]:
    """`next(x for …)`: a generator expression is a list here, so it gets an iterator."""
    match node:
        case ast.Call(func=ast.Name("next") as function, args=[ast.GeneratorExp() as items, *_]):
            start, end = (items.lineno, items.col_offset), (items.end_lineno or 0, items.end_col_offset or 0)
            is_bare = start == (function.end_lineno, function.end_col_offset)
            yield Edit(start, start, "(iter" if is_bare else "iter")
            if is_bare:
                yield Edit(end, end, ")")


def _method_as_function(node: ast.AST) -> Iterator[Edit]:
    """`max(counts, key=counts.get)`, `map(str.strip, lines)`: a method that is handed over becomes a lambda."""
    if not isinstance(node, ast.Call):
        return
    handed = [keyword.value for keyword in node.keywords if keyword.arg == "key"]
    if isinstance(node.func, ast.Name) and node.func.id in ("map", "filter") and len(node.args) == 2:
        handed += node.args[:1]
    for method in handed:
        match method:
            case ast.Attribute(value=ast.Name(owner), attr=name) if name not in modules.added(owner):
                call = f"it.{name}()" if owner in _TYPES else f"{owner}.{name}(it)"
                yield Edit.of(method, f"(lambda it: {call})")


def _import(node: ast.AST) -> Iterator[Edit]:
    """`import statistics`, `from heapq import nlargest`: modules that are written in Python of the sandbox."""
    if isinstance(node, ast.Import) and any(map(_is_ours, node.names)):
        yield Edit.of(node, "; ".join(map(_imported, node.names)))
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        wanted = [(alias.name, alias.asname or alias.name) for alias in node.names]
        if node.module in modules.names():
            if wanted == [("*", "*")]:
                wanted = [(name, name) for name in modules.exported(node.module)]
            yield Edit.of(node, "; ".join(f"{new} = {_of_module(node.module, name)}" for name, new in wanted))
        elif added := {name for name, _ in wanted} & set(modules.added(node.module)):
            own = [f"{name} as {new}" for name, new in wanted if name not in added]
            more = [f"{new} = {_addition(node.module, name)}" for name, new in wanted if name in added]
            yield Edit.of(node, "; ".join([f"from {node.module} import {', '.join(own)}"][: len(own)] + more))


def _added(node: ast.AST) -> Iterator[Edit]:
    """`collections.OrderedDict`: what Monty's own modules lack."""
    match node:
        case ast.Attribute(value=ast.Name(module), attr=name) if name in modules.added(module):
            yield Edit.of(node, _addition(module, name))


def _of_module(module: str, name: str) -> str:
    inner = f"{module}.{name}"
    return _module(inner) if inner in modules.names() else f"{_module(module)}.{name}"


def _addition(module: str, name: str) -> str:
    return _of_module(f"{modules.ADDITIONS}.{module}", name)


def _is_ours(alias: ast.alias) -> bool:
    parent, _, name = alias.name.rpartition(".")
    return alias.name in modules.names() or name in modules.added(parent)


def _imported(alias: ast.alias) -> str:
    parent, _, name = alias.name.rpartition(".")
    if name in modules.added(parent):  # of a module of Monty's, which has the name ready
        return f"{alias.asname} = {_addition(parent, name)}" if alias.asname else f"import {parent}"
    if alias.name not in modules.names():
        return f"import {alias.name}" + (f" as {alias.asname}" if alias.asname else "")
    if alias.asname:
        return f"{alias.asname} = {_module(alias.name)}"
    package = alias.name.partition(".")[0]
    return f'{package} = __rlm__["package"]({alias.name!r})'


def _module(name: str) -> str:
    return f'__rlm__["module"]({name!r})'


BRIDGES: tuple[Callable[[ast.AST], Iterator[Edit]], ...] = (
    _generator_for_next,
    _method_as_function,
    _import,
    _added,
)
