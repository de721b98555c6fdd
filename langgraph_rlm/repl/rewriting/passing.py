"""Where an exception was that passes a `try` or a `with`: Monty's traceback ends there, in a line that did not fail.

So each statement in such a place, and in functions of the cell that may be called there, stands in a `try` of its own,
which notes its line as the exception passes. As long as nothing is raised that takes no time: Monty finds handlers in
a table. `repl/tracebacks.py` puts the notes in place of what Monty says.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from langgraph_rlm.repl.rewriting import hidden
from langgraph_rlm.repl.rewriting.scopes import own_nodes
from langgraph_rlm.repl.syntax import Nodes, nodes_of

MOST_NESTED = 12
"""How deep statements with others in them are nested that note their lines: it indents these by a level more each."""
_ERROR = "__passing__"
GENERATED = ("__resume", "__whole")
"""Functions that the body of a generator becomes."""
_GUARDED = (ast.Try, ast.With)
_SIMPLE = (ast.Pass, ast.Break, ast.Continue, ast.Global, ast.Nonlocal)
_WORD = re.compile(r"__word_(\w+)__")


def needs_notes(cell: Nodes) -> bool:
    """Whether exceptions may pass something in a cell: a `__next__` is called in a `try` of the sandbox's own."""
    is_stepped = any(function.name == "__next__" for function in cell.of(ast.FunctionDef))
    return bool(cell.of(ast.Try)) or bool(cell.of(ast.With)) or is_stepped


def with_notes(tree: ast.Module, cell: str) -> ast.Module:
    """The cell, whose statements note where an exception passes. It is called `cell` in what they note.

    The lines of statements that are added have a minus: an exception that Monty says is from there has passed.
    """
    if needs_notes(Nodes(nodes_of([tree], ends=(ast.expr,)))):
        tree.body = _Noting(tree, cell).all(tree.body, False)
    return tree


class _Noting:
    def __init__(self, tree: ast.Module, cell: str) -> None:
        self.cell, self.function, self.depth = cell, "<module>", 0
        self.caught: list[str] = []
        self.called = _called_in_guards(tree)

    def all(self, statements: Sequence[ast.stmt], is_inside: bool) -> list[ast.stmt]:
        """Statements that note their lines, where an exception may pass: `is_inside`."""
        self.depth += 1
        made = [new for statement in statements for new in self.one(statement, is_inside)]
        self.depth -= 1
        return made

    def one(self, node: ast.stmt, is_inside: bool) -> list[ast.stmt]:
        match node:
            case ast.FunctionDef():
                self.in_function(node)
            case ast.ClassDef():
                for item in node.body:
                    if isinstance(item, ast.FunctionDef | ast.ClassDef):
                        self.one(item, False)
            case ast.Try():
                self.in_try(node, is_inside)
                return [node]
            case ast.With():
                node.body = [*self.all(node.body, True), _here(node)]
                return self.around(node, is_inside)
            case ast.Raise(exc=None):
                return [_here(node), node]
            case ast.Raise(exc=ast.Name(name)) if name.startswith("__"):  # of the rewriting
                node.lineno = -node.lineno
                return [node]
            case ast.Raise() if _name_of(node) in self.caught:
                return [self.noting(node)]
            case ast.If() | ast.For() | ast.While() | ast.Match():
                for part in node.cases if isinstance(node, ast.Match) else [node]:
                    part.body = self.all(part.body, is_inside)
                if not isinstance(node, ast.Match):
                    node.orelse = self.all(node.orelse, is_inside)
                return self.around(node, is_inside and _may_raise(node))
        return [self.noting(node)] if is_inside and _may_raise(node) else [node]

    def in_function(self, node: ast.FunctionDef) -> None:
        before = self.function, self.caught
        self.function, self.caught = self.function if node.name in GENERATED else node.name, []
        node.body = self.all(node.body, node.name in self.called)
        self.function, self.caught = before

    def in_try(self, node: ast.Try, is_inside: bool) -> None:
        note, calls = None, any(map(self.may_note, node.body))
        if node.handlers and len(node.body) == 1 and _is_plain(node.body[0]) and not _raises_again(node.handlers):
            note = self.note(node.body[0])
        else:
            node.body, calls = self.all(node.body, True), True
        for handler in node.handlers:
            again = _raises_again([handler])
            self.caught.append(handler.name or "")
            handler.body = [*self.all(handler.body, True), _here(handler)]
            self.caught.pop()
            if calls and not again:
                handler.body.insert(0, _call("clear", [], handler))
        if node.handlers and not _takes_all(node.handlers[-1]):
            node.handlers.append(_handler(node, note))
        node.orelse = self.all(node.orelse, is_inside)
        if node.finalbody:
            node.finalbody = [*self.all(node.finalbody, True), _here(node)]

    def may_note(self, node: ast.stmt) -> bool:
        """Whether something is called that may note lines."""
        return any(name in self.called for part in nodes_of([node]) for name in _mentioned(part))

    def around(self, node: ast.stmt, may_pass: bool) -> list[ast.stmt]:
        """A statement that others stand in."""
        return [self.noting(node, True)] if may_pass and self.depth <= MOST_NESTED else [node]

    def noting(self, node: ast.stmt, is_around: bool = False) -> ast.stmt:
        """The statement, which notes where it is as an exception passes."""
        return _placed(ast.Try([node], [_handler(node, self.note(node, is_around))], [], []), node)

    def note(self, node: ast.stmt, is_around: bool = False) -> ast.stmt:
        """Notes the error and its place. A statement that `is_around` others counts where none of them has noted it."""
        place = [ast.Constant(value) for value in (node.lineno, is_around, self.function, self.cell)]
        return _call("append", [ast.Tuple([ast.Name(_ERROR, ast.Load()), *place], ast.Load())], node)


def _call(method: str, given: list[ast.expr], node: ast.stmt | ast.ExceptHandler) -> ast.stmt:
    """A call of a method of the notes."""
    function = ast.Attribute(ast.Name(hidden.PASSED, ast.Load()), method, ast.Load())
    return _placed(ast.Expr(ast.Call(function, given, [])), node)


def _handler(node: ast.stmt, note: ast.stmt | None) -> ast.ExceptHandler:
    """Lets everything pass."""
    body = [*filter(None, [note]), _placed(ast.Raise(None, None), node)]
    handler = ast.ExceptHandler(ast.Name("BaseException", ast.Load()), _ERROR if note else None, body)
    handler.lineno = -abs(node.lineno)
    return handler


def _here(node: ast.stmt | ast.ExceptHandler) -> ast.stmt:
    """A statement that does nothing, in the line that Monty says of what is raised again after it."""
    return _placed(ast.Expr(ast.Constant(None)), node)


def _placed(made: ast.stmt, node: ast.stmt | ast.ExceptHandler) -> ast.stmt:
    made.lineno = -abs(node.lineno)
    return made


def _takes_all(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or (isinstance(handler.type, ast.Name) and handler.type.id == "BaseException")


def _raises_again(handlers: Sequence[ast.ExceptHandler]) -> bool:
    """Whether one of them lets go on what it has caught. Those of the rewriting keep it for later."""
    return any(
        (handler.name or "").startswith("__")
        or any(
            isinstance(node, ast.Raise) and (node.exc is None or _name_of(node) == handler.name)
            for statement in handler.body
            for node in own_nodes(statement)
        )
        for handler in handlers
    )


def _name_of(statement: ast.Raise) -> str | None:
    """The variable that has what is raised: `raise error`, `raise raised(error)`."""
    match statement.exc:
        case ast.Name(name) | ast.Call(func=ast.Attribute(attr="raised"), args=[ast.Name(name)]):
            return name
    return None


# -- what may raise ---------------------------------------------------------------------------------------------------


def _is_plain(node: ast.stmt) -> bool:
    """Whether it has no statements in it, and may raise."""
    return not hasattr(node, "body") and not isinstance(node, ast.Match | ast.Raise) and _may_raise(node)


def _may_raise(node: ast.stmt) -> bool:
    """Whether it may raise something by itself, apart from statements in it."""
    match node:
        case ast.FunctionDef(decorator_list=decorators, args=given):
            return bool(decorators or given.defaults or given.kw_defaults)
        case ast.If(test=value) | ast.While(test=value) | ast.Expr(value=value):
            return not _is_quiet(value)
        case ast.Return(value=value) | ast.AnnAssign(target=ast.Name(), value=value):
            return value is not None and not _is_quiet(value)
        case ast.Assign(targets=targets, value=value):
            return not _is_quiet(value) or not all(map(_is_quiet_target, targets))
    return not isinstance(node, _SIMPLE)


def _is_quiet(value: ast.expr) -> bool:
    """Whether nothing can fail: values that are written out, and what belongs to the rewriting."""
    match value:
        case ast.Constant() | ast.Call(func=ast.Subscript(value=ast.Name("__rlm__"))):
            return True
        case ast.Name(name) | ast.Attribute(value=ast.Name(name)):
            return name.startswith("__")
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.BoolOp(values=parts):
            return all(map(_is_quiet, parts))
        case ast.Compare(left=left, comparators=others):
            return all(map(_is_quiet, [left, *others]))
        case ast.UnaryOp(operand=ast.Constant()) | ast.Dict(keys=[]):
            return True
        case ast.Call(func=ast.Attribute(attr="generator" | "over") as function, args=given):
            return _is_quiet(function) and all(map(_is_quiet, given))
    return False


def _is_quiet_target(target: ast.expr) -> bool:
    return isinstance(target, ast.Name) or (isinstance(target, ast.Tuple) and all(map(_is_quiet_target, target.elts)))


# -- what is called in guards -----------------------------------------------------------------------------------------


def _called_in_guards(tree: ast.Module) -> set[str]:
    """The names of functions that may be called where an exception passes something; special methods always may be."""
    named = defaultdict[str, list[ast.AST]](list)
    guards, below = list[ast.AST](), list[ast.AST]([tree])
    while below:
        node = below.pop()
        if isinstance(node, ast.FunctionDef):
            named[node.name].append(node)
        if isinstance(node, _GUARDED):
            guards.append(node)
            below += [part for part in nodes_of([node]) if isinstance(part, ast.FunctionDef)]
        elif isinstance(node, ast.stmt | ast.Module | ast.match_case):
            below += ast.iter_child_nodes(node)
    called = {name for name in named if name.startswith("__")}
    waiting = [*guards, *(function for name in called for function in named[name])]
    while waiting:
        found = {name for node in nodes_of([waiting.pop()]) for name in _mentioned(node)} & {*named} - called
        called |= found
        waiting += [function for name in found for function in named[name]]
    return called


def _mentioned(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(name) | ast.Attribute(attr=name):
            word = _WORD.fullmatch(name)
            yield word[1] if word else name
