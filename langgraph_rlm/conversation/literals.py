"""Whether the answer that code sets is written down in it, or computed."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Mapping, Sequence

from langgraph_rlm.repl.syntax import nodes_of, read, statements

_NO_SOURCES = frozenset({*vars(builtins), "re", "json", "math", "collections", "itertools", "datetime", "FINAL"})
"""Names from which nothing of the text comes, and nothing that a model has said."""


_MAKERS = frozenset(
    {"iter", "reversed", "map", "filter", "zip", "enumerate", "range", "set", "frozenset"}
    | {"keys", "values", "items", "collections", "itertools"}
)
"""Functions, methods and modules that make what nobody would guess in."""


def states_answer(blocks: Sequence[str]) -> bool:
    """Whether a block after the first sets an answer that is written down, whatever came of those before."""
    codes = [statements(block) for block in blocks]
    literal = _after([statement for code in codes[:1] for statement in code], {})
    return _is_stated([statement for code in codes[1:] for statement in code], literal)


def states_answer_unseen(code: str) -> bool:
    """Whether code sets an answer that is written down in it, and does nothing else for it: a guess, as it may be."""
    body = statements(code)
    return _is_stated(body, {}) and not any(isinstance(part, ast.For | ast.While) or _is_made(part) for part in body)


def has_sources(code: str) -> bool:
    """Whether anything but what is written down may come into code: of the text, of earlier blocks, from a model."""
    found = read(code)
    return not found.undefined <= _NO_SOURCES | {*_defined(found.nodes)}


def sets_answer(code: str) -> bool:
    """Whether code may end a run."""
    return any(_answer(node) is not None for node in read(code).nodes)


Literal = Mapping[str, bool]
"""Of each name that code has bound: whether it holds what is written down, and nothing else."""


def _is_stated(body: Sequence[ast.stmt], literal: Literal) -> bool:
    """Whether the last answer that statements set is written down. `literal` are the names bound before them."""
    is_stated = False
    for statement in body:
        if any(_answer(node) is not None for node in nodes_of([statement])):
            is_stated = _is_literal(statement, literal)
        literal = _after([statement], literal)
    return is_stated


def _after(body: Sequence[ast.stmt], literal: Literal) -> dict[str, bool]:
    """The names that are bound once statements have run."""
    known = dict(literal)
    for statement in body:
        nodes, is_literal = nodes_of([statement]), _is_literal(statement, known)
        stored = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        # what was computed stays so where it is only added to
        known |= {name: is_literal and (name in stored or known.get(name, True)) for name in _bound(nodes)}
    return known


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


def _answer(node: ast.AST) -> ast.expr | None:
    """What a statement, or a part of one, makes the answer."""
    match node:
        case ast.Assign(targets=[ast.Name(id="answer")], value=ast.Dict() as value):
            return value if any(_is_ready(key) for key in value.keys) else None
        case ast.Assign(targets=targets, value=value):
            return value if any(_is_answer(part) for target in targets for part in _parts(target)) else None
        case ast.NamedExpr(target=target, value=value):
            return value if _is_answer(target) else None
        case ast.For(target=target, iter=value):
            return value if _is_answer(target) else None
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            return value if _is_answer(target) else None
        case ast.Call(func=ast.Name(id="FINAL"), args=[value]):
            return value
        case ast.Call(func=ast.Name(id="FINAL_VAR"), args=[ast.Constant(value=str(name))]):
            return ast.Name(name, ast.Load())
        case ast.Call(func=ast.Attribute(value=ast.Name(id="answer"), attr="update")) as call:
            return ast.Tuple([*call.args, *(keyword.value for keyword in call.keywords)], ast.Load())
    return None


def _parts(target: ast.expr) -> list[ast.expr]:
    return list(target.elts) if isinstance(target, ast.Tuple | ast.List) else [target]


def _is_ready(key: ast.expr | None) -> bool:
    return isinstance(key, ast.Constant) and key.value == "ready"


def _is_answer(target: ast.expr) -> bool:
    match target:
        case ast.Name(id="Final"):
            return True
        case ast.Subscript(value=ast.Name(id="answer"), slice=ast.Constant(value="content")):
            return True
    return False


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


def _is_literal(statement: ast.stmt, literal: Literal) -> bool:
    """Whether nothing comes into what a statement binds but what is written down."""
    nodes = nodes_of([statement])
    names = [node for node in nodes if isinstance(node, ast.Name)]
    uses = {name.id for name in names if isinstance(name.ctx, ast.Load)}
    for node in nodes:
        match node:
            case ast.AugAssign(target=ast.Name(id=name)):
                uses.add(name)
            case ast.Call(func=ast.Name(id="FINAL_VAR"), args=[ast.Constant(value=str(name))]):
                uses.add(name)
    inner = set[str]()
    if not isinstance(statement, ast.Assign | ast.AugAssign | ast.AnnAssign):  # what those bind comes after it is read
        inner = {name.id for name in names if isinstance(name.ctx, ast.Store)}
        inner -= {name for node in nodes if isinstance(node, ast.Assign) for name in _names_in(node.value)} & {
            name for node in nodes if isinstance(node, ast.Assign) for part in node.targets for name in _names_in(part)
        }
    known = inner | _NO_SOURCES | {"answer", "FINAL_VAR"}
    return all(literal.get(name, name in known) for name in uses - _own(nodes))


def _names_in(value: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(value) if isinstance(node, ast.Name)}


def _own(nodes: Sequence[ast.AST]) -> set[str]:
    """The names that stand for something in a part of a statement alone."""
    targets = [node.target for node in nodes if isinstance(node, ast.comprehension | ast.For)]
    names = {name for target in targets for name in _names_in(target)}
    return names | {node.arg for node in nodes if isinstance(node, ast.arg)} | {*_defined(nodes)}
