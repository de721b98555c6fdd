"""Why a statement takes long, as far as its code shows it."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from itertools import islice

from langgraph_rlm.repl.rewriting.scopes import COMPREHENSIONS, is_generator
from langgraph_rlm.repl.syntax import statements

Functions = dict[str, ast.FunctionDef]

MOST_NODES, MOST_LOOPS = 10_000, 30
"""What is looked at in one loop, and loops: more than a cell has that a model writes."""
_LOOPS = (ast.For, ast.While, *COMPREHENSIONS)
_LISTS = {"split", "splitlines", "readlines", "findall", "values", "items"}
"""Methods that give lists."""
_SMALL = (ast.List, ast.Tuple, ast.Set, ast.Dict)
"""What is written out has few items."""
_FOLDS = {
    "sum",
    "sorted",
    "min",
    "max",
    "any",
    "all",
    "list",
    "set",
    "tuple",
    "Counter",
    "enumerate",
    "reversed",
    "zip",
}
_SEARCHES = {"search", "findall", "finditer", "sub", "subn"}
"""Functions of regular expressions that go over all of a text."""
_WHOLE = {"find", "rfind", "index", "count", "split", "splitlines", "replace", "lower", "upper"}
"""Methods that go over all of a text or a list, where no place is given."""


def cause(code: str, line: int, small: Collection[str] = ()) -> str | None:
    """What takes long in the statement at a line of a cell, with the functions that it calls. None: it does not show.

    `small` are variables that have few items.
    """
    nodes, functions, reached = _running(code, line)
    lists, written_out = _assigned(nodes)
    for loop in islice((node for node in reached if isinstance(node, _LOOPS)), MOST_LOOPS):
        if seen := _seen_in(loop, functions, lists, {*small, *written_out}):
            return seen
    return None


def generators(code: str, line: int) -> list[ast.FunctionDef]:
    """The generator functions of a cell that the statement at a line calls, with the functions that it calls."""
    _, functions, reached = _running(code, line)
    names = dict.fromkeys(node.id for node in reached if isinstance(node, ast.Name) and node.id in functions)
    return [functions[name] for name in names if is_generator(functions[name])]


def _running(code: str, line: int) -> tuple[list[ast.AST], Functions, Iterator[ast.AST]]:
    """The nodes of a cell, its functions, and what is reached from the statement at a line."""
    nodes = [node for statement in statements(code) for node in ast.walk(statement)]
    functions = {node.name: node for node in nodes if isinstance(node, ast.FunctionDef)}
    running = [node for node in nodes if isinstance(node, ast.stmt) and node.lineno == line]
    return nodes, functions, islice((node for top in running for node in _reached(top, functions)), MOST_NODES)


def _assigned(nodes: list[ast.AST]) -> tuple[set[str], set[str]]:
    """Names that the cell gives to lists, and to what it has written out."""
    lists, written_out = set[str](), set[str]()
    for node in nodes:
        match node:
            case ast.Assign(targets=[ast.Name(name)], value=value):
                if _is_list(value):
                    lists.add(name)
                if isinstance(value, ast.Constant) or (isinstance(value, _SMALL) and _has_items(value)):
                    written_out.add(name)
    return lists, written_out


def _is_list(value: ast.expr) -> bool:
    match value:
        case ast.List() | ast.ListComp() | ast.Call(func=ast.Name("list" | "sorted")):
            return True
    calls = (node.func for node in ast.walk(value) if isinstance(node, ast.Call))
    return any(isinstance(method, ast.Attribute) and method.attr in _LISTS for method in calls)


def _has_items(value: ast.expr) -> bool:
    return any(isinstance(part, ast.expr) for part in ast.iter_child_nodes(value))


def _reached(node: ast.AST, functions: Functions) -> Iterator[ast.AST]:
    """A node and all below it, in functions that are called there too."""
    known, waiting = set[str](), [node]
    while waiting:
        for part in ast.walk(waiting.pop()):
            yield part
            if isinstance(part, ast.Name) and part.id in functions and part.id not in known:
                known.add(part.id)
                waiting.append(functions[part.id])


def _seen_in(loop: ast.AST, functions: Functions, lists: set[str], small: set[str]) -> str | None:
    turn = [*islice((node for part in _each_turn(loop) for node in _reached(part, functions)), MOST_NODES)]
    if isinstance(loop, ast.While) and (why := _never_ends(loop, turn)):
        return f"the `while` of line {loop.lineno} never ends: {why}"
    bound = {name for part in [*_targets(loop), *turn] for name in _bound_by(part)}
    for node in turn:
        if doing := _copies(node):
            return f"line {_line(node)} {doing}"
        name = _goes_over(node, lists)
        if name is not None and name not in bound and name not in small:
            return (
                f"line {_line(node)} goes over all of `{name}` at each turn of the loop in line {_line(loop)}: do that "
                "once before the loop, and look things up in a dict or a set"
            )
    return None


def _each_turn(loop: ast.AST) -> list[ast.AST]:
    """What runs at each turn of a loop."""
    match loop:
        case ast.For(body=body):
            return [*body]
        case ast.While(test=test, body=body):
            return [test, *body]
        case ast.DictComp(key=key, value=value, generators=generators):
            made: list[ast.AST] = [key, value]
        case ast.ListComp(elt=elt, generators=generators) | ast.SetComp(elt=elt, generators=generators):
            made = [elt]
        case ast.GeneratorExp(elt=elt, generators=generators):
            made = [elt]
        case _:
            return []
    return [*made, *generators[0].ifs, *generators[1:]]


def _targets(loop: ast.AST) -> list[ast.AST]:
    targets = [loop.target] if isinstance(loop, ast.For) else [part.target for part in getattr(loop, "generators", [])]
    return [node for target in targets for node in ast.walk(target)]


def _bound_by(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
            yield name


def _never_ends(loop: ast.While, turn: list[ast.AST]) -> str | None:
    """Why a loop has no end, where nothing leaves it."""
    if any(isinstance(node, ast.Break | ast.Return | ast.Raise | ast.Yield | ast.YieldFrom) for node in turn):
        return None
    if isinstance(loop.test, ast.Constant):
        return "nothing leaves it"
    tested = {*ast.walk(loop.test)}
    names = {node.id for node in tested if isinstance(node, ast.Name)}
    can_change = any(isinstance(node, ast.Call | ast.Attribute | ast.Subscript | ast.NamedExpr) for node in tested)
    if can_change or names & {node.id for node in turn if isinstance(node, ast.Name) and node not in tested}:
        return None
    return f"nothing in it changes {' or '.join(f'`{name}`' for name in sorted(names))}" if names else None


def _copies(node: ast.AST) -> str | None:
    match node:
        case ast.Assign(targets=[ast.Name(name)], value=ast.Subscript(value=ast.Name(old), slice=ast.Slice())) if (
            name == old
        ):
            return f"copies what is left of `{name}` at each turn: keep a place in it, and cut nothing off"
        case ast.Assign(targets=[ast.Name(name)], value=ast.BinOp(ast.Name(old), ast.Add(), ast.List())) if name == old:
            return f"copies `{name}` at each turn: append to it"
        case ast.Call(func=ast.Attribute(attr="insert" | "pop"), args=[ast.Constant(value=0), *_]):
            return "moves all items of a list at each turn: append to its end, or use an index"
    return None


def _goes_over(node: ast.AST, lists: set[str]) -> str | None:
    """The name of what a node goes over from its beginning to its end."""
    match node:
        case ast.For(iter=ast.Name(name)) | ast.comprehension(iter=ast.Name(name)):
            return name
        case ast.Call(func=ast.Name(function), args=[ast.Name(name), *_]) if function in _FOLDS:
            return name
        case ast.Call(func=ast.Attribute(attr=method), args=[*_, ast.Name(name)]) if method in _SEARCHES:
            return name
        case ast.Call(func=ast.Attribute(value=ast.Name(name), attr=method), args=[] | [_]) if method in _WHOLE:
            return name
        case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[ast.Name(name)]) if name == "P" or name in lists:
            return name
    return None


def _line(node: ast.AST) -> int:
    """The line where a node begins."""
    return next(part.lineno for part in ast.walk(node) if isinstance(part, ast.expr | ast.stmt))
