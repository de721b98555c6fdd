"""Generator functions, which Monty does not have: rewritten into functions that return an iterator.

The body becomes a function that is called again for each item and goes on where it was: its statements are cut into
blocks at each `yield`, as are the loops, branches and `try` statements around one, and a number says which block is
next. What has no `yield` in it stays as it is. Local variables are those of the outer function.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from langgraph_rlm.repl.rewriting.blocks import AT, ERROR, STATE, Block, go, machine
from langgraph_rlm.repl.rewriting.filling import expression, filled, loaded
from langgraph_rlm.repl.rewriting.loops import END, HELPERS
from langgraph_rlm.repl.rewriting.scopes import (
    SCOPES,
    assigned_names,
    body_nodes,
    is_generator,
    leaves_early,
    may_raise_stop,
    own_nodes,
    parameters,
    yields,
)
from langgraph_rlm.repl.rewriting.whole import NAME, RESULT, sources, whole

_RESUME = """
def __resume(__sent):
    nonlocal {local}
    __at, __state = __state, -1
    while True:
        pass
"""
_GUARD = """
try:
    pass
except StopIteration:
    raise RuntimeError("generator raised StopIteration") from None
"""
_FROM = """
if {step}:
    {item} = {step}(__sent)
else:
    if __sent is not None:
        {helpers}.received(__sent)
    {item} = next({items}, {helpers}.end)
"""
_WITH = """
try:
    try:
        pass
    except BaseException as __why:
        {has_failed} = True
        if not {manager}.__exit__(type(__why), __why, None):
            raise
finally:
    if not {has_failed}:
        {manager}.__exit__(None, None, None)
"""
"""A `with` that was entered."""


MOST_FUNCTIONS, MOST_BLOCKS, MOST_HIDDEN = 200, 1_000, 200
"""Generator functions of a cell, pieces of one, and variables of its rewriting: Monty takes 255 in a closure."""


_SURE = (ast.Name, ast.Constant, ast.Tuple, ast.expr_context)
"""What raises nothing; a local variable that is not there is None."""


class TooMuch(Exception):
    """There is more to rewrite than the host does for a cell: what, and in which line."""

    def __init__(self, what: str, line: int) -> None:
        super().__init__(what)
        self.what, self.line = what, line


class NoBridge(Exception):
    """A `yield` stands where none can be rewritten: the sandbox says so when the cell runs."""


def as_function(function: ast.FunctionDef, is_quiet: bool) -> ast.FunctionDef:
    """The function without its yields: it returns an iterator of what it yielded. Raises `NoBridge`.

    Args:
        is_quiet: Its body is, as `quiet.py` has it.
    """
    return ast.fix_missing_locations(ast.copy_location(_Flattened(function).function(is_quiet), function))


def _parts(value: ast.AST) -> Iterator[tuple[ast.AST, str, int | None]]:
    """The expressions that one is made of, in the order in which they are worked out, each by where it stands.

    Of a method that is called it is the owner.
    """
    for name, part in ast.iter_fields(value):
        for place, one in enumerate(part) if isinstance(part, list) else [(None, part)]:
            if isinstance(one, ast.keyword) or (name == "func" and isinstance(one, ast.Attribute)):
                yield one, "value", None
            elif isinstance(one, ast.expr):
                yield value, name, place


def guarded(body: list[ast.stmt], at: ast.AST) -> list[ast.stmt]:
    """Statements of a generator: a `StopIteration` that comes out of them is an error."""
    [guard] = filled(_GUARD, at)
    assert isinstance(guard, ast.Try)
    guard.body = body
    return [guard]


def _is_end(item: str, at: ast.AST) -> ast.expr:
    return expression(f"{item} is {END}", at)


def _received(at: ast.AST) -> list[ast.stmt]:
    return filled(f"if __sent is not None:\n    __sent = {HELPERS}.received(__sent)", at)


def _part(owner: ast.AST, name: str, place: int | None) -> ast.expr:
    found: ast.expr = getattr(owner, name) if place is None else getattr(owner, name)[place]
    return found


def ends_late(tree: ast.AST) -> bool:
    """Whether there is a generator with a `finally` or a `with`, which runs when nobody asks the generator for more."""
    return any(
        isinstance(node, ast.With) or (isinstance(node, ast.Try) and node.finalbody)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef) and is_generator(function)
        for node in ast.walk(function)
    )


class Closing(ast.NodeTransformer):
    """Closes the generator that a call made for a loop, where the loop is left early: nobody else has it."""

    def __init__(self, tree: ast.AST) -> None:
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        self.makes = {function.name for function in functions if is_generator(function)}
        self.count = 0

    def is_made_here(self, items: ast.expr) -> bool:
        match items:
            case ast.BoolOp(values=[ast.Call(func=ast.Subscript()), value]):  # a mark: see `marks.py`
                return self.is_made_here(value)
            case ast.Call(func=ast.Name(name) | ast.Attribute(attr=name)):
                return name in self.makes
        return False

    def visit_For(self, node: ast.For) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        if not self.is_made_here(node.iter) or not any(map(leaves_early, node.body)):
            return node
        self.count += 1
        name = f"__looped{self.count}"
        kept = filled(f"{name} = ITEMS", node, ITEMS=node.iter)
        [closing] = filled(f"try:\n    pass\nfinally:\n    {HELPERS}.close({name})", node)
        assert isinstance(closing, ast.Try)
        node.iter = expression(name, node)
        closing.body = [node]
        return [*kept, closing]


def _returns_from_loop(statement: ast.stmt) -> bool:
    """Whether there is a `return` in a loop: on its way through a `finally` it would go on with the loop."""
    loops = [node for node in own_nodes(statement) if isinstance(node, ast.For | ast.While)]
    return any(isinstance(node, ast.Return) for loop in loops for node in own_nodes(loop))


@dataclass(frozen=True)
class _Loop:
    """Where `break` and `continue` go, and how many `finally` are around the loop."""

    after: int
    again: int
    depth: int


@dataclass
class _Finally:
    """A `finally` around the statements that are cut now: the block that it begins with, and the ways out of it."""

    number: int
    begins: int
    exits: list[list[ast.stmt]] = field(default_factory=list)


class _Flattened:
    def __init__(self, function: ast.FunctionDef) -> None:
        self.source, self.as_written = function, copy.deepcopy(function)
        self.blocks: list[Block] = []
        self.handler: int | None = None
        self.loops: list[_Loop] = []
        self.finals: list[_Finally] = []
        self.errors: list[str] = []
        self.hidden: list[str] = []
        self.yielding = set[ast.AST]()
        for node in reversed([*body_nodes(function)]):
            if isinstance(node, ast.Yield | ast.YieldFrom) or not self.yielding.isdisjoint(ast.iter_child_nodes(node)):
                self.yielding.add(node)
        self.may_be_sent_on = any(isinstance(node, ast.Try | ast.With | ast.YieldFrom) for node in self.yielding)
        """Whether what is thrown into it may go elsewhere than out of it."""
        self.is_short = any(isinstance(node, ast.YieldFrom) for node in self.yielding)
        """Whether it is likely to begin as often as it goes on: one that takes items of others as it is."""
        self.now = self.block()
        self.receive(function)
        self.cut(function.body)
        self.add(*filled(f"return {END}", function))

    def function(self, is_quiet: bool) -> ast.FunctionDef:
        source, at = self.source, self.source
        names, taken = assigned_names(self.as_written), sorted(parameters(source.args))
        errors = [ERROR] if any(block.handler is not None for block in self.blocks) else []
        fresh = [name for name in dict.fromkeys([*errors, *self.hidden, *names]) if name not in taken]
        outer = [node for node in body_nodes(self.as_written) if isinstance(node, ast.Global | ast.Nonlocal)]
        resume = self.resume([STATE, *fresh, *taken])
        quiet = sources(self.as_written) if is_quiet else "None"
        returns = any(isinstance(node, ast.Return) and node.value is not None for node in body_nodes(self.as_written))
        given = ["__resume", RESULT if returns else "()"]
        in_one_go = whole(self.as_written, sorted({*names, *taken}), is_quiet)
        given += [NAME, quiet] if in_one_go else []
        for function in (resume, in_one_go):
            if function is not None:
                function.body[0:0] = outer
        body = [
            *(node for node in outer if isinstance(node, ast.Nonlocal)),
            *filled(f"{STATE} = 0" + (f"\n{' = '.join(fresh)} = None" if fresh else ""), at),
            *(filled(f"{RESULT} = []", at) if returns else []),
            resume,
            *filter(None, [in_one_go]),
            *filled(f"return {HELPERS}.generator({', '.join(given)})", at),
        ]
        return ast.FunctionDef(source.name, source.args, body, source.decorator_list, None, None)

    def resume(self, local: list[str]) -> ast.FunctionDef:
        [made] = filled(_RESUME.format(local=", ".join(local)), self.source)
        assert isinstance(made, ast.FunctionDef)
        loop = made.body[-1]
        assert isinstance(loop, ast.While)
        loop.body = [
            *machine(self.blocks, self.source, self.is_short),
            *filled(f"return {HELPERS}.over(__sent)", self.source),
        ]
        if not self.may_be_sent_on:
            made.body[-1:-1] = _received(self.source)
        if may_raise_stop(self.as_written):
            made.body[-1:] = guarded([loop], self.source)
        return made

    # -- blocks -------------------------------------------------------------------------------------------------------

    def block(self) -> int:
        self.no_more_than(MOST_BLOCKS, self.blocks)
        self.blocks.append(Block(self.handler))
        return len(self.blocks) - 1

    def no_more_than(self, most: int, made: Sequence[object]) -> None:
        if len(made) >= most:
            raise TooMuch("a generator function with so many yields", self.source.lineno)

    def add(self, *statements: ast.stmt) -> None:
        self.blocks[self.now].statements += statements

    def go(self, number: int) -> None:
        """Ends the block: that one is next."""
        self.blocks[self.now].then = number

    def choose(self, test: ast.expr, then: int, otherwise: int) -> None:
        """Ends the block with a choice of the next."""
        block = self.blocks[self.now]
        block.test, block.then, block.otherwise = test, then, otherwise

    def receive(self, at: ast.AST) -> None:
        """Raises what was thrown where the body goes on here. Unless it is done for all places at once."""
        if self.may_be_sent_on:
            self.add(*_received(at))

    def hide(self, prefix: str) -> str:
        """A variable of the rewriting."""
        self.no_more_than(MOST_HIDDEN, self.hidden)
        self.hidden.append(f"__{prefix}{len(self.hidden)}")
        return self.hidden[-1]

    # -- statements ---------------------------------------------------------------------------------------------------

    def cut(self, statements: Sequence[ast.stmt]) -> None:
        for statement in statements:
            if isinstance(statement, ast.Global | ast.Nonlocal):
                continue
            if yields([statement]) or (self.finals and _returns_from_loop(statement)):
                self.cut_one(statement)
            else:
                self.keep(statement)

    def keep(self, statement: ast.stmt) -> None:
        """A statement without `yield`: but it may return, or leave a loop that was cut."""
        self.add(*_Jumps(self).all([statement]))

    def cut_one(self, statement: ast.stmt) -> None:
        match statement:
            case ast.Expr(value=ast.Yield() | ast.YieldFrom() as value):
                self.cut_yield(value, statement)
            case (
                ast.Assign(value=ast.Yield() | ast.YieldFrom() as value)
                | ast.AugAssign(value=ast.Yield() | ast.YieldFrom() as value)
            ):
                statement.value = self.cut_yield(value, statement)
                self.keep(statement)
            case ast.Return(value=ast.Yield() | ast.YieldFrom() as value):
                statement.value = self.cut_yield(value, statement)
                self.keep(statement)
            case ast.If():
                self.cut_if(statement)
            case ast.While():
                self.cut_while(statement)
            case ast.For():
                self.cut_for(statement)
            case ast.Try():
                self.cut_try(statement)
            case ast.With():
                self.cut_with(statement)
            case ast.Match():
                self.cut_match(statement)
            case ast.Expr() | ast.Assign() | ast.AugAssign() | ast.AnnAssign() | ast.Return() if statement.value:
                statement.value = self.lifted(statement.value, statement)
                self.cut([statement])
            case _:
                raise NoBridge

    def lifted(self, value: ast.expr, at: ast.stmt) -> ast.expr:
        """An expression without its yields: they are statements before it, as is what it works out before them."""
        if value not in self.yielding:
            return value
        match value:
            case ast.Yield() | ast.YieldFrom():
                value.value = value.value and self.lifted(value.value, at)
                return self.kept(self.cut_yield(value, at), at)
            case ast.BoolOp(values=[_, *unsure]) | ast.Compare(comparators=[_, *unsure]) if self.yielding & {*unsure}:
                raise NoBridge
            case ast.IfExp(body=then, orelse=otherwise) if self.yielding & {then, otherwise}:
                raise NoBridge
            case ast.Lambda() | ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                raise NoBridge
        self.lift_parts(value, at)
        return value

    def lift_parts(self, value: ast.AST, at: ast.stmt) -> None:
        places = list(_parts(value))
        last = max(i for i, (owner, name, place) in enumerate(places) if _part(owner, name, place) in self.yielding)
        for i, (owner, name, place) in enumerate(places[: last + 1]):
            part = _part(owner, name, place)
            new = self.lifted(part, at)
            if i < last and not isinstance(new, ast.Constant):
                new = self.kept(new, at)
            if place is None:
                setattr(owner, name, new)
            else:
                getattr(owner, name)[place] = new

    def kept(self, value: ast.expr, at: ast.stmt) -> ast.expr:
        """A variable that has the value from here on."""
        name = self.hide("kept")
        self.add(*filled(f"{name} = VALUE", at, VALUE=value))
        return loaded(name, at)

    def cut_yield(self, value: ast.Yield | ast.YieldFrom, at: ast.stmt) -> ast.expr:
        """Stops there. Gives what the expression is worth when it goes on."""
        if value.value is not None:
            value.value = self.lifted(value.value, at)
        if isinstance(value, ast.YieldFrom):
            return self.cut_yield_from(value, at)
        following = self.block()
        given = value.value or ast.copy_location(ast.Constant(None), at)
        if all(isinstance(part, _SURE) for part in ast.walk(given)):
            self.add(*filled(f"{STATE} = {following}\nreturn VALUE", at, VALUE=given))
        else:  # what raises an error here is at its end
            self.add(*filled(f"__given = VALUE\n{STATE} = {following}\nreturn __given", at, VALUE=given))
        self.now = following
        self.receive(at)
        return ast.copy_location(ast.Name("__sent", ast.Load()), at)

    def cut_yield_from(self, value: ast.YieldFrom, at: ast.stmt) -> ast.expr:
        """Gives the items of another iterator, which is told what is sent and thrown."""
        items, step, item = self.hide("items"), self.hide("step"), f"__item{len(self.hidden)}"
        again, given, after = self.block(), self.block(), self.block()
        self.add(*filled(f"{items}, {step} = {HELPERS}.taken(VALUE)\n__sent = None", at, VALUE=value.value))
        self.go(again)
        self.now = again
        self.add(*filled(_FROM.format(item=item, items=items, step=step, helpers=HELPERS), at))
        self.choose(_is_end(item, at), after, given)
        self.now = given
        self.add(*filled(f"{STATE} = {again}\nreturn {item}", at))
        self.now = after
        return expression(f"{HELPERS}.value_of({items})", at)

    def cut_if(self, statement: ast.If) -> None:
        statement.test = self.lifted(statement.test, statement)
        then, otherwise, after = self.block(), self.block(), self.block()
        self.choose(statement.test, then, otherwise)
        for number, body in ((then, statement.body), (otherwise, statement.orelse)):
            self.now = number
            self.cut(body)
            self.go(after)
        self.now = after

    def cut_match(self, statement: ast.Match) -> None:
        if any(case.guard in self.yielding for case in statement.cases):
            raise NoBridge
        statement.subject = self.lifted(statement.subject, statement)
        cases, after = [(self.block(), case.body) for case in statement.cases], self.block()
        for (number, body), case in zip(cases, statement.cases, strict=True):
            case.body = go(number, body[0])
        self.add(statement)
        self.go(after)
        for number, body in cases:
            self.now = number
            self.cut(body)
            self.go(after)
        self.now = after

    def cut_while(self, statement: ast.While) -> None:
        again, body, otherwise, after = self.block(), self.block(), self.block(), self.block()
        self.go(again)
        self.now = again
        self.choose(self.lifted(statement.test, statement), body, otherwise)
        self.cut_loop(statement, body, otherwise, after, again)

    def cut_for(self, statement: ast.For) -> None:
        statement.iter = self.lifted(statement.iter, statement)
        items, step, item = self.hide("items"), self.hide("step"), f"__item{len(self.hidden)}"
        again, body, otherwise, after = self.block(), self.block(), self.block(), self.block()
        self.add(*filled(f"{items}, {step} = {HELPERS}.taken(ITEMS)", statement, ITEMS=statement.iter))
        self.go(again)
        self.now = again
        self.add(*filled(f"{item} = {step}(None) if {step} else next({items}, {END})", statement))
        self.choose(_is_end(item, statement), otherwise, body)
        self.now = body
        [assign] = filled(f"TARGET = {item}", statement)
        assert isinstance(assign, ast.Assign)
        assign.targets = [statement.target]
        self.add(assign)
        self.cut_loop(statement, body, otherwise, after, again)

    def cut_loop(self, statement: ast.For | ast.While, body: int, otherwise: int, after: int, again: int) -> None:
        self.now = body
        self.loops.append(_Loop(after, again, len(self.finals)))
        self.cut(statement.body)
        self.loops.pop()
        self.go(again)
        self.now = otherwise
        self.cut(statement.orelse)
        self.go(after)
        self.now = after

    def cut_with(self, statement: ast.With) -> None:
        first, *rest = statement.items
        manager = self.hide("manager")
        self.add(*filled(f"{manager} = MANAGER", statement, MANAGER=first.context_expr))
        [enter] = filled(f"TARGET = {manager}.__enter__()", statement)
        assert isinstance(enter, ast.Assign)
        if first.optional_vars is not None:
            enter.targets = [first.optional_vars]
        else:
            enter.targets = [ast.copy_location(ast.Name(self.hide("entered"), ast.Store()), statement)]
        self.add(enter)
        inner = ast.copy_location(ast.With(rest, statement.body), statement)
        has_failed = self.hide("failed")
        self.add(*filled(f"{has_failed} = False", statement))
        [around] = filled(_WITH.format(manager=manager, has_failed=has_failed), statement)
        assert isinstance(around, ast.Try)
        assert isinstance(around.body[0], ast.Try)
        around.body[0].body = [inner] if rest else statement.body
        self.cut_try(around)

    def cut_try(self, statement: ast.Try) -> None:
        if statement.finalbody:
            self.cut_finally(statement)
        else:
            self.cut_handlers(statement)

    def cut_finally(self, statement: ast.Try) -> None:
        outer = self.handler
        begins, after, failed = self.block(), self.block(), self.block()
        final = _Finally(len(self.hidden), begins)
        way, kept = self.hide("way"), self.hide("kept")
        self.handler = failed
        body = self.block()
        self.go(body)
        self.now = body
        self.finals.append(final)
        inner = ast.copy_location(ast.Try(statement.body, statement.handlers, statement.orelse, []), statement)
        if statement.handlers:
            self.cut_handlers(inner)
        else:
            self.cut(statement.body)
        self.finals.pop()
        self.add(*filled(f"{way} = 0", statement))
        self.go(begins)
        self.handler = outer
        self.now = failed
        self.add(*filled(f"{way}, {kept} = -1, {ERROR}", statement))
        self.go(begins)
        self.now = begins
        self.cut(statement.finalbody)
        self.add(*filled(f"if {way} == -1:\n    raise {kept}", statement))
        for number, exit_ in enumerate(final.exits, 1):
            [leave] = filled(f"if {way} == {number}:\n    pass", statement)
            assert isinstance(leave, ast.If)
            leave.body = exit_
            self.add(leave)
        self.go(after)
        self.now = after

    def cut_handlers(self, statement: ast.Try) -> None:
        outer = self.handler
        handling, after = self.block(), self.block()
        error = self.hide("error")
        self.handler = handling
        body = self.block()
        self.go(body)
        self.now = body
        self.cut(statement.body)
        self.handler = outer
        otherwise = self.block()
        self.go(otherwise)
        self.now = otherwise
        self.cut(statement.orelse)
        self.go(after)
        self.now = handling
        self.add(*filled(f"{error} = {ERROR}", statement))
        bodies = [(self.block(), handler) for handler in statement.handlers]
        for number, handler in bodies:
            kind = handler.type or ast.Name("BaseException", ast.Load())
            name = f"\n    {handler.name} = {error}" if handler.name else ""
            self.add(
                *filled(f"if isinstance({error}, KIND):{name}\n    {AT} = {number}\n    continue", handler, KIND=kind)
            )
        self.add(*filled(f"raise {error}", statement))
        self.errors.append(error)
        for number, handler in bodies:
            self.now = number
            self.cut(handler.body)
            self.go(after)
        self.errors.pop()
        self.now = after

    # -- ways out -----------------------------------------------------------------------------------------------------

    def way_out(self, statements: list[ast.stmt], depth: int, at: ast.AST) -> list[ast.stmt]:
        """Statements that leave, through each `finally` that is deeper than `depth`."""
        for final in self.finals[depth:]:
            final.exits.append(statements)
            way = f"__way{final.number}"
            statements = [*filled(f"{way} = {len(final.exits)}", at), *go(final.begins, at)]
        return statements


class _Jumps(ast.NodeTransformer):
    """Rewrites what leaves a statement that is kept: `return`, a bare `raise`, `break` and `continue` of cut loops."""

    def __init__(self, flat: _Flattened) -> None:
        self.flat, self.in_loop, self.in_handler = flat, False, False

    def visit(self, node: ast.AST) -> ast.AST:
        return node if isinstance(node, SCOPES) else super().visit(node)

    def visit_Return(self, node: ast.Return) -> list[ast.stmt]:
        kept = filled(f"{RESULT}.append(VALUE)", node, VALUE=node.value) if node.value is not None else []
        out = filled(f"return {END}", node)
        return [*kept, *self.flat.way_out(out, 0, node)]

    def visit_Raise(self, node: ast.Raise) -> ast.stmt:
        if node.exc is None and not self.in_handler and self.flat.errors:
            return filled(f"raise {self.flat.errors[-1]}", node)[0]
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        before, self.in_handler = self.in_handler, True
        self.generic_visit(node)
        self.in_handler = before
        return node

    def visit_For(self, node: ast.For) -> ast.AST:
        return self.loop(node)

    def visit_While(self, node: ast.While) -> ast.AST:
        return self.loop(node)

    def loop(self, node: ast.For | ast.While) -> ast.AST:
        before, self.in_loop = self.in_loop, True
        node.body = self.all(node.body)
        self.in_loop = before
        node.orelse = self.all(node.orelse)
        return node

    def all(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        out: list[ast.stmt] = []
        for statement in statements:
            made = self.visit(statement)
            out += made if isinstance(made, list) else [made]  # type: ignore[list-item]
        return out

    def visit_Break(self, node: ast.Break) -> ast.stmt | list[ast.stmt]:
        return node if self.in_loop or not self.flat.loops else self.leave_loop(self.flat.loops[-1].after, node)

    def visit_Continue(self, node: ast.Continue) -> ast.stmt | list[ast.stmt]:
        return node if self.in_loop or not self.flat.loops else self.leave_loop(self.flat.loops[-1].again, node)

    def leave_loop(self, target: int, node: ast.stmt) -> list[ast.stmt]:
        return self.flat.way_out(go(target, node), self.flat.loops[-1].depth, node)
