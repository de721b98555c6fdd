"""Whether the answer that code sets is written down in it, or computed."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Sequence, Set

from langgraph_rlm.repl.syntax import nodes_of, read, statements

_MAKERS = ("str", "int", "float", "bool", "list", "tuple", "set", "dict", "FINAL", "print")


def states_answer(blocks: Sequence[str]) -> bool:
    """Whether blocks after the first set an answer that is written down in them, whatever came of those before."""
    codes = [statements(block) for block in blocks]
    later = [statement for code in codes[1:] for statement in code]
    literal = _literal_names(later, {*_bound(nodes_of(codes[0]))} if codes else set())
    answers = [_answer(statement) for statement in later]
    given = [answer for answer in answers if answer is not None]
    return bool(given) and _is_literal(given[-1], literal)


def sets_answer(code: str) -> bool:
    """Whether code may end a run."""
    return any(_answer(node) is not None for node in read(code).nodes if isinstance(node, ast.stmt))


def only_states_answer(code: str) -> bool:
    """Whether code does nothing but set an answer that is written down in it."""
    body = statements(code)
    literal = _literal_names(body)
    return any(_answer(statement) is not None for statement in body) and all(
        _states(statement, literal) for statement in body
    )


def _states(statement: ast.stmt, literal: set[str]) -> bool:
    if (answer := _answer(statement)) is not None:
        return _is_literal(answer, literal)
    match statement:
        case ast.Assign(value=value) | ast.Expr(value=value) | ast.AnnAssign(value=ast.expr() as value):
            return _is_literal(value, literal)
    return isinstance(statement, ast.Import | ast.ImportFrom | ast.Pass)


def _answer(statement: ast.stmt) -> ast.expr | None:
    """What a statement makes the answer."""
    match statement:
        case ast.Assign(targets=[target], value=value) | ast.AnnAssign(target=target, value=ast.expr() as value):
            return value if _is_answer(target) else None
        case ast.Expr(value=ast.Call(func=ast.Name(id="FINAL"), args=[value])):
            return value
        case ast.Expr(value=ast.Call(func=ast.Name(id="FINAL_VAR"), args=[ast.Constant(value=str(name))])):
            return ast.Name(name, ast.Load())
    return None


def _is_answer(target: ast.expr) -> bool:
    match target:
        case ast.Name(id="Final"):
            return True
        case ast.Subscript(value=ast.Name(id="answer"), slice=ast.Constant(value="content")):
            return True
    return False


def _literal_names(body: Sequence[ast.stmt], known: Set[str] = frozenset()) -> set[str]:
    """The names that hold what is written down, and nothing else at any time; not those that were `known` before."""
    bound = Counter(_bound(nodes_of(body)))
    literal: set[str] = set()
    for statement in body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name not in known and _is_literal(
                value, literal
            ):
                bound[name] -= 1
                if not bound[name]:
                    literal.add(name)
    return literal


def _bound(nodes: Sequence[ast.AST]) -> Iterator[str]:
    for node in nodes:
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                yield name
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.alias(name=name, asname=other):
                yield other or name.partition(".")[0]
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name))):
                yield name  # a method may fill it


def _is_literal(value: ast.expr, literal: set[str]) -> bool:
    match value:
        case ast.Constant():
            return True
        case ast.Name(id=name):
            return name in literal
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts) | ast.JoinedStr(values=parts):
            return all(_is_literal(part, literal) for part in parts)
        case ast.Dict(keys=keys, values=values):
            return all(part is not None and _is_literal(part, literal) for part in [*keys, *values])
        case ast.FormattedValue(value=inner) | ast.UnaryOp(operand=inner) | ast.Starred(value=inner):
            return _is_literal(inner, literal)
        case ast.BinOp(left=left, right=right):
            return _is_literal(left, literal) and _is_literal(right, literal)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in _MAKERS:
            return all(_is_literal(argument, literal) for argument in arguments)
        case ast.Call(func=ast.Attribute(value=ast.Constant()), args=arguments, keywords=[]):
            return all(_is_literal(argument, literal) for argument in arguments)
    return False
