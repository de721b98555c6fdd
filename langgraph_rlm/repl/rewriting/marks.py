"""Where a cell is: it tells the host which of its statements begins, before each that may take long.

Nothing else says where code was once its process has been ended. A mark costs 0.03 ms, so there are none in loops: of a
loop it is known that it runs. Functions that the cell calls once, outside of loops, are marked as the cell is.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

from langgraph_rlm.repl.rewriting.scopes import COMPREHENSIONS, SCOPES, is_generator
from langgraph_rlm.repl.syntax import Code, Edit, end_of, nodes_of, start_of

Functions = dict[str, ast.FunctionDef]

_CAN_FOLLOW_OR = (
    *(ast.Call, ast.Name, ast.Attribute, ast.Subscript, ast.BinOp, ast.BoolOp, ast.Compare, ast.UnaryOp),
    *(ast.Constant, ast.JoinedStr, ast.List, ast.Dict, ast.Set, *COMPREHENSIONS),
)
_LATER = SCOPES + COMPREHENSIONS
"""What is in these is not run once."""
_QUICK = {
    *("print", "len", "str", "int", "float", "bool", "repr", "type", "isinstance", "range", "enumerate", "zip", "dict"),
    *("list", "set", "tuple", "Counter", "defaultdict", "append", "add", "update", "extend", "get", "items", "keys"),
    *("values", "strip", "lower", "upper", "startswith", "endswith", "split", "splitlines", "compile", "most_common"),
    *("format", "find", "replace", "peek", "tail"),
}
"""Functions and methods that go over any text in a fraction of a second, or not at all."""


def marks(code: Code) -> list[Edit]:
    """The marks of a cell's statements. Its lines keep their numbers."""
    used = Counter(node.id for node in code.of(ast.Name))
    once = {
        statement.name: statement
        for statement in code.body
        if isinstance(statement, ast.FunctionDef)
        and used[statement.name] == 1
        and not statement.decorator_list
        and not (code.has_yields and is_generator(statement))
    }
    edits, blocks = list[Edit](), [code.body]
    while blocks:
        edits += _of_block(blocks.pop(), once, blocks)
    return edits


def matches(code: Code) -> Iterator[Edit]:
    """`match` in parentheses where it is a name that begins a statement.

    Monty takes it for the keyword where another statement stands before it on the line, such as a mark.
    """
    names = [name for name in code.of(ast.Name) if name.id == "match"]
    begins = {start_of(node) for node in code.nodes if isinstance(node, ast.stmt)} if names else set()
    for name in names:
        if start_of(name) in begins:
            yield Edit.at(start_of(name), "(")
            yield Edit.at(end_of(name), ")")


def _of_block(body: list[ast.stmt], once: Functions, blocks: list[list[ast.stmt]]) -> Iterator[Edit]:
    """The marks of a block; those in it are added to `blocks`."""
    before: ast.stmt | None = None
    for statement in body:
        slow = [node for node in nodes_of(_run_once(statement), _LATER) if _may_take_long(node)]
        match statement:
            case ast.While(test=test):
                yield from _before_while(statement, test, before)
            case ast.For(iter=first):
                yield from _before_value(statement, first)
            case ast.If(test=first) | ast.With(items=[ast.withitem(context_expr=first), *_]) if slow:
                yield from _before_value(statement, first)
            case ast.Match(subject=first) if slow:
                yield from _before_value(statement, first)
            case _ if slow:
                yield Edit.at(start_of(statement), f"{_mark(statement)}; ")
        match slow:
            case [ast.Call(func=ast.Name(name))] if name in once and not isinstance(statement, ast.For):
                blocks.append(once[name].body)
        blocks += _blocks(statement)
        before = statement


def _mark(statement: ast.stmt) -> str:
    return f'__rlm__["at"]({statement.lineno})'


def _before_value(statement: ast.stmt, value: ast.expr) -> Iterator[Edit]:
    """A mark whose value is None, and then the value."""
    yield from _after_or(value, f"{_mark(statement)} or ")


def _after_or(value: ast.expr, before: str) -> Iterator[Edit]:
    """The value, which is the other side of an `or`."""
    is_bound_closer = isinstance(value, _CAN_FOLLOW_OR)
    yield Edit.at(start_of(value), before if is_bound_closer else f"{before}(")
    if not is_bound_closer:
        yield Edit.at(end_of(value), ")")


def _before_while(loop: ast.While, test: ast.expr, before: ast.stmt | None) -> Iterator[Edit]:
    """At the end of the statement before, where that is possible: the test is done at each turn."""
    if before is not None and not hasattr(before, "body") and not isinstance(before, ast.Match):
        yield Edit.at(end_of(before), f"; {_mark(loop)}", is_last=True)
    else:
        yield from _after_or(test, f'__rlm__["line"] != {loop.lineno} and {_mark(loop)} or ')


def _run_once(statement: ast.stmt) -> list[ast.expr]:
    """The expressions of a statement that are evaluated as it begins, and no more than once."""
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.Try() | ast.While():
            return []
        case ast.With(items=items):
            return [item.context_expr for item in items]
    return [part for part in ast.iter_child_nodes(statement) if isinstance(part, ast.expr)]


def _blocks(statement: ast.stmt) -> list[list[ast.stmt]]:
    """The blocks of a statement that run no more than once."""
    if isinstance(statement, ast.Match):
        return [case.body for case in statement.cases]
    if not isinstance(statement, ast.If | ast.With | ast.Try):
        return []
    parts = [statement, *getattr(statement, "handlers", [])]
    return [getattr(part, name, []) for part in parts for name in ("body", "orelse", "finalbody")]


def _may_take_long(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        match node.func:
            case ast.Name(name) | ast.Attribute(attr=name):
                return name not in _QUICK
        return True
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow | ast.LShift):
        return not isinstance(node.right, ast.Constant) or not isinstance(node.left, ast.Constant | ast.Name)
    return isinstance(node, COMPREHENSIONS)
