"""Looks at a model's code without running it, and edits its text."""

from __future__ import annotations

import ast
import re
import threading
import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import Any, Literal, TypeVar, overload

MOST_CODE = 50_000
"""Characters of a cell that the host looks at: more than any model writes."""
_LINE_END = re.compile(rb"\r\n?|\n")
_lock = threading.Lock()
"""CPython up to 3.12 counts how deep trees are nested for all threads together, and fails where two parse at once."""


@overload
def parsed(source: str) -> ast.Module: ...
@overload
def parsed(source: str, mode: Literal["eval"]) -> ast.Expression: ...
@overload
def parsed(source: str, mode: str) -> ast.AST: ...
def parsed(source: str, mode: str = "exec") -> ast.AST:
    """The syntax tree of a text that may be no Python. Nothing warns of its escapes.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: It is none, or one that is nested too deeply.
    """
    name = "<source of a cell>"
    with _lock:
        warnings.filterwarnings("ignore", module=re.escape(name))  # stays: putting filters back is not safe in threads
        return ast.parse(source, name, mode)


Node = TypeVar("Node", bound=ast.AST)
_NO_NODES = {"ctx", "op", "ops", "id", "attr", "kind", "type_comment", "conversion", "level", "is_async", "simple"}
"""Fields of nodes in which there are none, but for the operators that their owners are asked for."""


class TooLong(ValueError):
    def __init__(self) -> None:
        super().__init__(f"more than {MOST_CODE:,} characters")


class Nodes:
    """The nodes of a syntax tree, from the outside in. To be looked at alone: all that does shares one walk."""

    def __init__(self, nodes: list[ast.AST]) -> None:
        self.nodes = nodes

    def of(self, kind: type[Node]) -> list[Node]:
        """Those of a kind."""
        return self._by_kind.get(kind, [])

    @cached_property
    def _by_kind(self) -> dict[type[ast.AST], list[Any]]:
        found: dict[type[ast.AST], list[Any]] = {}
        for node in self.nodes:
            found.setdefault(type(node), []).append(node)
        return found

    @cached_property
    def has_yields(self) -> bool:
        return bool(self.of(ast.Yield)) or bool(self.of(ast.YieldFrom))


class Code(Nodes):
    """A text as CPython reads it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.body: list[ast.stmt] = []
        """The statements, each at its line and column; none where it is not Python, or too long."""
        self.failure: Exception | None = None
        """Why there are none."""
        try:
            if len(text) > MOST_CODE:
                raise TooLong
            self.body = parsed(text).body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as failure:
            failure.__traceback__ = failure.__context__ = None  # a kept one would keep the frames of who asked
            self.failure = failure
        super().__init__(nodes_of(self.body))

    @property
    def excess(self) -> str | None:
        """What of it is more than is looked at. Monty reads some code that CPython finds too deep."""
        if isinstance(self.failure, TooLong):
            return str(self.failure)
        if isinstance(self.failure, RecursionError | MemoryError) or str(self.failure).startswith("too many "):
            return "code that is nested too deeply"
        return None

    @cached_property
    def calls(self) -> dict[int, ast.Call]:
        """The calls, by the `id` of what is called."""
        return {id(node.func): node for node in self.of(ast.Call)}

    @cached_property
    def owners(self) -> set[int]:
        """The `id` of what attributes are taken of, and of the classes of patterns."""
        owners = [node.value for node in self.of(ast.Attribute)] + [node.cls for node in self.of(ast.MatchClass)]
        return {*map(id, owners)}

    @cached_property
    def own_attributes(self) -> set[int]:
        """The `id` of the attributes that methods take of their own instance."""
        found: set[int] = set()
        for method in (item for cls in self.of(ast.ClassDef) for item in cls.body if isinstance(item, ast.FunctionDef)):
            is_static = any(isinstance(one, ast.Name) and one.id == "staticmethod" for one in method.decorator_list)
            first = method.args.args[0].arg if method.args.args and not is_static else None
            attributes = (node for node in nodes_of([method]) if isinstance(node, ast.Attribute))
            found |= {id(node) for node in attributes if isinstance(node.value, ast.Name) and node.value.id == first}
        return found

    @cached_property
    def errors(self) -> set[str | None]:
        """The names of what `except` has caught."""
        return {node.name for node in self.of(ast.ExceptHandler)}

    @cached_property
    def used(self) -> frozenset[str]:
        """The names that are read."""
        return frozenset(node.id for node in self.of(ast.Name) if isinstance(node.ctx, ast.Load))

    @cached_property
    def undefined(self) -> frozenset[str]:
        """The names that are read and nowhere set, at any depth."""
        stored = {node.id for node in self.of(ast.Name) if not isinstance(node.ctx, ast.Load)}
        return self.used - stored - {node.arg for node in self.of(ast.arg)}

    @cached_property
    def handled(self) -> set[int]:
        """The `id` of what stands in `try` or `with`."""
        return {id(node) for node in nodes_of([*self.of(ast.Try), *self.of(ast.With)])}

    @cached_property
    def renamed(self) -> dict[str, str]:
        """The modules that are imported under other names, by these."""
        aliases = [alias for node in self.of(ast.Import) for alias in node.names]
        return {alias.asname: alias.name for alias in aliases if alias.asname}

    @cached_property
    def of_json(self) -> dict[str, str]:
        """What is imported from `json`, by its names here."""
        froms = [node for node in self.of(ast.ImportFrom) if node.module == "json"]
        return {alias.asname or alias.name: alias.name for node in froms for alias in node.names}

    @cached_property
    def lines(self) -> list[bytes]:
        """As columns count them."""
        return self.text.encode().split(b"\n")


def nodes_of(nodes: Iterable[ast.AST], ends: tuple[type[ast.AST], ...] = ()) -> list[ast.AST]:
    """These nodes and all below them, from the outside in, but for what is in nodes of the kinds `ends`."""
    found = list(nodes)
    for node in found:
        for name in () if isinstance(node, ends) else _parts(node._fields):
            part = getattr(node, name, None)
            if isinstance(part, list):
                found += [one for one in part if isinstance(one, ast.AST)]
            elif isinstance(part, ast.AST):
                found.append(part)
    return found


@cache
def _parts(fields: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in fields if name not in _NO_NODES)


@lru_cache(maxsize=4)
def read(text: str) -> Code:
    """The same for the same text."""
    return Code(text)


def statements(code: str) -> list[ast.stmt]:
    """The statements of `code`; none where it is not Python. To be looked at alone."""
    return read(code).body


@dataclass(frozen=True)
class Edit:
    """New text from a place in the cell to another: lines from 1, columns in bytes."""

    start: tuple[int, int]
    end: tuple[int, int]
    text: str
    is_last: bool = False
    """Whether it comes after all others at its place."""

    @classmethod
    def of(cls, node: ast.expr | ast.stmt, text: str) -> Edit:
        """In place of all of a node, with as many lines."""
        return cls.between(start_of(node), end_of(node), text)

    @classmethod
    def between(cls, start: tuple[int, int], end: tuple[int, int], text: str, after: str = "") -> Edit:
        """In place of what is between two places, with as many lines: they end before `after`."""
        return cls(start, end, text + "\n" * (end[0] - start[0]) + after)

    @classmethod
    def at(cls, place: tuple[int, int], text: str, is_last: bool = False) -> Edit:
        """Nothing is taken away."""
        return cls(place, place, text, is_last)


def edited(code: str, edits: Iterable[Edit]) -> str:
    """`code` with its edits. Of two at one place the first stays first; what takes the place of others comes before.

    So edits are to come in the order of a walk from the outside in.
    """
    in_order = sorted(edits, key=lambda edit: (edit.start, edit.is_last))
    if not in_order:
        return code
    text, done = code.encode(), 0
    begins = [0, *(end.end() for end in _LINE_END.finditer(text))]
    out = list[bytes]()
    for edit in in_order:
        start, end = (begins[line - 1] + column for line, column in (edit.start, edit.end))
        if start >= done:
            out += [text[done:start], edit.text.encode()]
            done = end
    return b"".join([*out, text[done:]]).decode()


def lines_of(code: str, edits: Iterable[Edit]) -> tuple[int, ...]:
    """Where each line of the edited text stood; empty where each is where it was."""
    added = Counter[int]()
    for edit in edits:
        added[edit.end[0]] += edit.text.count("\n") - (edit.end[0] - edit.start[0])
    if not any(added.values()):
        return ()
    return tuple(line for line in range(1, code.count("\n") + 2) for _ in range(1 + added[line]))


def start_of(node: ast.expr | ast.stmt) -> tuple[int, int]:
    return node.lineno, node.col_offset


def end_of(node: ast.expr | ast.stmt | ast.arg) -> tuple[int, int]:
    return node.end_lineno or node.lineno, node.end_col_offset or 0
