"""`match` with classes of the code's own: Monty knows an instance by its very class alone, and reads no properties.

Such a statement becomes a chain of `if`, each with what its pattern asks. Names are bound once all of a pattern fits.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

from langgraph_rlm.repl.rewriting import hidden
from langgraph_rlm.repl.rewriting.filling import filled

HELPERS = hidden.module("_matching")
"""What the sandbox has for it."""
TUPLES = "Record()"
"""The mark of named tuples with methods."""


def is_of_classes(pattern: ast.AST, properties: Collection[str]) -> bool:
    """Whether Monty may match a pattern wrongly. `properties` are names of classes, of their properties, of bases."""
    match pattern:
        case ast.MatchClass(cls=ast.Name(name) | ast.Attribute(attr=name), kwd_attrs=names):
            return name in properties or any(one in properties for one in names)
        case ast.MatchSequence():
            return TUPLES in properties
    return False


def as_conditions(node: ast.Match) -> list[ast.stmt]:
    """The statement without patterns."""
    branches: list[ast.stmt] = []
    for case in reversed(node.cases):
        pattern = _Pattern()
        tests = [test for test in pattern.tests(case.pattern, "__subject") if test]
        tests += [f"({''.join(f'({name} := __as_{name}), ' for name in pattern.names)})"] if pattern.names else []
        tests += ["GUARD"] if case.guard else []
        guard = {"GUARD": case.guard} if case.guard else {}
        if not tests:
            branches = case.body
            continue
        [branch] = filled(f"if {' and '.join(tests)}:\n    pass", case.pattern, **guard)
        assert isinstance(branch, ast.If)
        branch.body, branch.orelse = case.body, branches
        branches = [branch]
    return [*filled("__subject = SUBJECT", node, SUBJECT=node.subject), *branches]


class _Pattern:
    """What the patterns of one case ask, as expressions."""

    def __init__(self) -> None:
        self.names = dict[str, None]()
        """The names that it binds."""
        self.parts = 0

    def tests(self, pattern: ast.pattern, value: str) -> Iterator[str]:
        """What is asked of the value of a name."""
        match pattern:
            case ast.MatchValue(value=expected):
                yield f"{value} == ({ast.unparse(expected)})"
            case ast.MatchSingleton(value=expected):
                yield f"{value} is {expected!r}"
            case ast.MatchAs(pattern=inner, name=name):
                yield from self.tests(inner, value) if inner else ()
                yield self._bound(name, value)
            case ast.MatchOr(patterns=patterns):
                yield f"({' or '.join(f'({self._all(one, value)})' for one in patterns)})"
            case ast.MatchSequence(patterns=patterns):
                stars = [place for place, one in enumerate(patterns) if isinstance(one, ast.MatchStar)]
                arguments = f"{value}, {len(patterns)}, {stars[0] if stars else None}"
                yield from self._each(f"sequence({arguments})", patterns)
            case ast.MatchMapping(keys=keys, patterns=patterns, rest=rest):
                listed = "".join(f"({ast.unparse(key)}), " for key in keys)
                yield from self._each(f"mapping({value}, ({listed}))", patterns)
                yield self._bound(rest, f"{HELPERS}.rest({value}, ({listed}))")
            case ast.MatchClass(cls=cls, patterns=patterns, kwd_attrs=names, kwd_patterns=named):
                arguments = f"{value}, ({ast.unparse(cls)}), {len(patterns)}, {tuple(names)!r}"
                yield from self._each(f"attributes({arguments})", [*patterns, *named])

    def _each(self, values: str, patterns: list[ast.pattern]) -> Iterator[str]:
        """What is asked of values that are there, if a helper gives them."""
        self.parts += 1
        found = f"__found{self.parts}"
        yield f"({found} := {HELPERS}.{values}) is not None"
        for place, pattern in enumerate(patterns):
            if isinstance(pattern, ast.MatchStar) or (isinstance(pattern, ast.MatchAs) and pattern.pattern is None):
                yield self._bound(pattern.name, f"{found}[{place}]")
                continue
            self.parts += 1
            part = f"__found{self.parts}"
            yield f"(({part} := {found}[{place}]),)"
            yield from self.tests(pattern, part)

    def _all(self, pattern: ast.pattern, value: str) -> str:
        return " and ".join(test for test in self.tests(pattern, value) if test) or "True"

    def _bound(self, name: str | None, value: str) -> str:
        if name is None:
            return ""
        self.names[name] = None
        return f"((__as_{name} := {value}),)"
