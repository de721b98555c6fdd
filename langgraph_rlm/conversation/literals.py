"""Whether the answer that code sets is written down in it, or computed."""

from __future__ import annotations

import ast
import builtins
from collections import Counter
from collections.abc import Iterator, Sequence

from langgraph_rlm.repl.syntax import nodes_of, read, statements

_NO_SOURCES = frozenset({*vars(builtins), "re", "json", "math", "collections", "itertools", "datetime", "FINAL"})
"""Names from which nothing of the text comes, and nothing that a model has said."""


_MAKERS = frozenset(
    {"iter", "reversed", "map", "filter", "zip", "enumerate", "range", "set", "frozenset", "sorted"}
    | {"keys", "values", "items", "collections", "itertools"}
)
"""Functions, methods and modules that make what nobody would guess in."""


def states_answer(blocks: Sequence[str]) -> bool:
    """Whether a block after the first sets an answer that is written down, whatever came of those before."""
    codes = [statements(block) for block in blocks]
    literal = _literal_names([statement for code in codes for statement in code])
    return _is_stated([statement for code in codes[1:] for statement in code], literal)


def states_answer_unseen(code: str) -> bool:
    """Whether code sets an answer that is written down in it: a guess, as it may be."""
    body = statements(code)
    return _is_stated(body, _literal_names(body)) and not any(map(_is_made, body))


def has_sources(code: str) -> bool:
    """Whether anything but what is written down may come into code: of the text, of earlier blocks, from a model."""
    found = read(code)
    return not found.undefined <= _NO_SOURCES | {*_defined(found.nodes)}


def sets_answer(code: str) -> bool:
    """Whether code may end a run."""
    return any(_answer(node) is not None for node in read(code).nodes if isinstance(node, ast.stmt))


def _is_stated(body: Sequence[ast.stmt], literal: set[str]) -> bool:
    given = [answer for answer in map(_answer, body) if answer is not None]
    return bool(given) and _is_literal(given[-1], literal)


def _is_made(statement: ast.stmt) -> bool:
    """Whether a statement makes something of what is written down that nobody would guess in: an iterator, a set."""
    match statement:
        case ast.Assign(value=value) | ast.Expr(value=ast.Call(func=ast.Name(id="FINAL"), args=[value])):
            return isinstance(value, ast.Set | ast.GeneratorExp) or _maker(value) in _MAKERS
    return False


def _maker(value: ast.expr) -> str:
    match value:
        case ast.Call(func=ast.Name(id=name)):
            return name
        case ast.Call(func=ast.Attribute(value=ast.Name(id=module))) if module in ("collections", "itertools"):
            return module
        case ast.Call(func=ast.Attribute(attr=name), args=[]):
            return name
    return ""


def _answer(statement: ast.stmt) -> ast.expr | None:
    """What a statement makes the answer."""
    match statement:
        case ast.Assign(targets=[ast.Name(id="answer")], value=ast.Dict() as value):
            return value if any(_is_ready(key) for key in value.keys) else None
        case ast.Assign(targets=targets, value=value):
            return value if any(map(_is_answer, targets)) else None
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            return value if _is_answer(target) else None
        case ast.Expr(value=ast.Call(func=ast.Name(id="FINAL"), args=[value])):
            return value
        case ast.Expr(value=ast.Call(func=ast.Name(id="FINAL_VAR"), args=[ast.Constant(value=str(name))])):
            return ast.Name(name, ast.Load())
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="answer"), attr="update")) as call):
            return ast.Tuple([*call.args, *(keyword.value for keyword in call.keywords)], ast.Load())
    return None


def _is_ready(key: ast.expr | None) -> bool:
    return isinstance(key, ast.Constant) and key.value == "ready"


def _is_answer(target: ast.expr) -> bool:
    match target:
        case ast.Name(id="Final"):
            return True
        case ast.Subscript(value=ast.Name(id="answer"), slice=ast.Constant(value="content")):
            return True
    return False


def _literal_names(body: Sequence[ast.stmt]) -> set[str]:
    """The names that hold what is written down, and nothing else at any time."""
    bound = Counter(_bound(nodes_of(body)))
    literal: set[str] = set()
    for statement in body:
        match statement:
            case ast.Assign(targets=targets, value=value) if _is_literal(value, literal):
                names = [node.id for node in nodes_of(targets) if isinstance(node, ast.Name)]
                bound.subtract(names)
                literal |= {name for name in names if not bound[name]}
    return literal


def _defined(nodes: Sequence[ast.AST]) -> Iterator[str]:
    for node in nodes:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.alias(name=name, asname=other):
                yield other or name.partition(".")[0]


def _bound(nodes: Sequence[ast.AST]) -> Iterator[str]:
    yield from _defined(nodes)
    for node in nodes:
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                yield name
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name))):
                yield name  # a method may fill it
            case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store()):
                yield name
            case ast.Call(func=ast.Name(id=function), args=args) if function not in _NO_SOURCES:
                yield from (node.id for node in args if isinstance(node, ast.Name))


def _is_literal(value: ast.expr, literal: set[str]) -> bool:
    """Whether nothing comes into a value but what is written down."""
    nodes = nodes_of([value])
    own = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    arguments = {node.arg for node in nodes if isinstance(node, ast.arg)}
    read_names = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    return read_names <= _NO_SOURCES | literal | own | arguments
