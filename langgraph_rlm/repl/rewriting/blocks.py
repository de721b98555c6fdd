"""The blocks that a generator's body is cut into, and the code that runs them: see `generators.py`.

A block runs in one go and says which is next. Blocks that only one other leads to are written into it, so that what is
left to tell by its number is where a generator goes on after a `yield`, and the heads of loops.
"""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from langgraph_rlm.repl.rewriting.filling import filled
from langgraph_rlm.repl.rewriting.scopes import own_nodes

AT, STATE, ERROR = "__at", "__state", "__error"
"""The number of the block that runs, of the one to go on with next time, and what was raised for a handler to see."""
OVER = -1
"""The number of no block: a generator that is at its end, or that raised something."""
MOST_WITHIN = 12
"""Blocks that are written one into another."""


@dataclass
class Block:
    """Statements that run in one go. What they raise goes to the block `handler`, if any.

    It ends with one of its statements, or goes on with the block `then`; where it has a `test`, with that or another.
    """

    handler: int | None
    statements: list[ast.stmt] = field(default_factory=list)
    then: int | None = None
    test: ast.expr | None = None
    otherwise: int = OVER


def go(number: int, at: ast.AST) -> list[ast.stmt]:
    """Statements that go on with a block."""
    return filled(f"{AT} = {number}\ncontinue", at)


def machine(blocks: list[Block], at: ast.AST, begins_often: bool) -> list[ast.stmt]:
    """The statements of a loop that runs the block `AT`, and those that follow it."""
    return _Machine(blocks, at).statements(begins_often)


class _Machine:
    def __init__(self, blocks: list[Block], at: ast.AST) -> None:
        self.blocks, self.place = blocks, at
        told = [number for block in blocks for number in _numbers(block.statements)]
        self.told = {self.end_of(_value(number)) for number in told}
        """Blocks that statements go on with."""
        for number in told:
            number.value = self.end_of(_value(number))
        for block in blocks:
            if block.then is not None:
                block.then, block.otherwise = self.end_of(block.then), self.end_of(block.otherwise)

    def end_of(self, number: int) -> int:
        """The block that a way ends at which leads through blocks that do nothing."""
        seen = {number}
        while number != OVER and (block := self.blocks[number]).then is not None:
            if block.statements or block.test is not None or block.then in seen:
                break
            seen.add(number := block.then)
        return number

    def statements(self, begins_often: bool) -> list[ast.stmt]:
        """Those of the blocks that something other than one block leads to. The first one runs once: so it is last."""
        handlers = {block.handler for block in self.blocks if block.handler is not None}
        self.own = {0, *handlers, *self.told} - {OVER}
        leading = Counter(
            number
            for block in map(self.blocks.__getitem__, self.reached())
            if block.then is not None
            for number in ((block.then, block.otherwise) if block.test is not None else (block.then,))
        )
        self.own |= {number for number, count in leading.items() if count > 1 and not self.is_end(number)}
        waiting, made = sorted(self.own), dict[int, list[ast.stmt]]()
        while waiting:
            number = waiting.pop()
            if number not in made:
                before = {*self.own}
                made[number] = self.written(number, 0)
                waiting += sorted(self.own - before)
        in_order = sorted(made, key=lambda number: number or (OVER if begins_often else len(self.blocks)))
        return [self.dispatched(number, made[number]) for number in in_order]

    def reached(self) -> Collection[int]:
        """The blocks that run at all."""
        found, waiting = set[int](), [*self.own]
        while waiting:
            number = waiting.pop()
            if number != OVER and number not in found:
                found.add(number)
                block = self.blocks[number]
                waiting += [block.then] if block.then is not None else []
                waiting += [block.otherwise] if block.test is not None else []
        return found

    def is_end(self, number: int) -> bool:
        """Whether a block does nothing but end the generator."""
        statements = self.blocks[number].statements
        return len(statements) == 1 and isinstance(statements[0], ast.Return)

    def dispatched(self, number: int, statements: list[ast.stmt]) -> ast.stmt:
        [test] = filled(f"if {AT} == {number}:\n    pass", statements[0])
        assert isinstance(test, ast.If)
        test.body = statements
        handler = self.blocks[number].handler
        if handler is not None:
            [guard] = filled(
                f"try:\n    pass\nexcept (Exception, KeyboardInterrupt) as __raised:\n"
                f"    {ERROR}, {AT} = __raised, {handler}\n    continue",
                statements[0],
            )
            assert isinstance(guard, ast.Try)
            guard.body, test.body = test.body, [guard]
        return test

    def written(self, number: int, depth: int) -> list[ast.stmt]:
        """A block, and those that only it leads to."""
        block = self.blocks[number]
        if block.then is None:
            return block.statements
        if block.test is None:
            return [*block.statements, *self.way(number, block.then, depth)]
        [choice] = filled("if TEST:\n    pass", block.test, TEST=block.test)
        assert isinstance(choice, ast.If)
        choice.body = self.way(number, block.then, depth)
        return [*block.statements, choice, *self.way(number, block.otherwise, depth)]

    def way(self, number: int, following: int, depth: int) -> list[ast.stmt]:
        """How one block goes on with another."""
        if self.is_end(following):
            return copy.deepcopy(self.blocks[following].statements)
        is_guarded_alike = self.blocks[following].handler == self.blocks[number].handler
        if following in self.own or depth >= MOST_WITHIN or not is_guarded_alike:
            self.own.add(following)
            return go(following, self.place_of(following))
        return self.written(following, depth + 1)

    def place_of(self, number: int) -> ast.AST:
        statements = self.blocks[number].statements
        return statements[0] if statements else self.place


def _value(number: ast.Constant) -> int:
    assert isinstance(number.value, int)
    return number.value


def _numbers(statements: list[ast.stmt]) -> Iterator[ast.Constant]:
    """The numbers of blocks that statements go on with."""
    for statement in statements:
        for node in own_nodes(statement):
            match node:
                case ast.Assign(targets=[ast.Name(name)], value=ast.Constant() as number) if name in (AT, STATE):
                    yield number
