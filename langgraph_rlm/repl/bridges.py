"""What Monty lacks, written another way: a cell is rewritten before it runs. Lines keep their numbers.

Each bridge looks at a node of the cell's syntax tree and gives edits of its text. A bridge whose gap Monty has closed
is to go: `tests/unit/repl/test_bridges.py` says which.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from langgraph_rlm.repl import modules
from langgraph_rlm.repl.syntax import statements

_TYPES = ("str", "dict", "list", "set", "tuple", "int", "float")
DATETIME, AS_CLASS, DATES = '__rlm__["datetime"]', '__rlm__["dated"]', '__rlm__["dates"]'
"""What the prelude has for dates."""
DATES_MODULE = "_dates"
LOAD_DATES = f'__rlm__["module"]({DATES_MODULE!r})'
"""Has the methods of dates: it is not rewritten, since it uses those of Monty."""
_DATE_METHODS = (
    *("strptime", "fromisoformat", "fromtimestamp", "utcfromtimestamp", "fromordinal", "fromisocalendar"),
    *("isocalendar", "toordinal", "timetuple", "ctime", "utcnow", "today"),
)


_IGNORED = ("__bool__", "__format__", "__new__", "__setattr__", "__getattribute__")


@dataclass(frozen=True)
class Edit:
    """New text from a place in the cell to another: lines from 1, columns in bytes."""

    start: tuple[int, int]
    end: tuple[int, int]
    text: str

    @classmethod
    def of(cls, node: ast.expr | ast.stmt, text: str) -> Edit:
        """In place of all of a node, with as many lines."""
        end = (node.end_lineno or node.lineno, node.end_col_offset or 0)
        return cls((node.lineno, node.col_offset), end, text + "\n" * (end[0] - node.lineno))


def bridged(code: str) -> str:
    """`code` as Monty understands it. What is not Python stays as it is."""
    bridges = [bridge for bridge in BRIDGES if bridge not in _SIGNS or _SIGNS[bridge].search(code)]
    nodes = (node for statement in statements(code) for node in ast.walk(statement))
    edits = [edit for node in nodes for bridge in bridges for edit in bridge(node)]
    edits.sort(key=lambda edit: (edit.start, edit.end))  # what is around another comes before it, as in the tree
    lines = code.encode().split(b"\n")
    for edit in reversed(edits):
        (first, start), (last, end) = edit.start, edit.end
        new = lines[first - 1][:start] + edit.text.encode() + lines[last - 1][end:]
        lines[first - 1 : last] = new.split(b"\n")
    return b"\n".join(lines).decode()


def _generator_for_next(node: ast.AST) -> Iterator[Edit]:
    """`next(x for …)`: a generator expression is a list here, so it gets an iterator."""
    match node:
        case ast.Call(func=ast.Name("next") as function, args=[ast.GeneratorExp() as items, *_]):
            start, end = (items.lineno, items.col_offset), (items.end_lineno or 0, items.end_col_offset or 0)
            is_bare = start == (function.end_lineno, function.end_col_offset)
            yield Edit(start, start, "(iter" if is_bare else "iter")
            if is_bare:
                yield Edit(end, end, ")")


def _method_as_function(node: ast.AST) -> Iterator[Edit]:
    """`max(counts, key=counts.get)`, `map(str.strip, lines)`: a method that is handed over becomes a lambda."""
    if not isinstance(node, ast.Call):
        return
    handed = [keyword.value for keyword in node.keywords if keyword.arg == "key"]
    if isinstance(node.func, ast.Name) and node.func.id in ("map", "filter"):
        handed += node.args[:1]
    for method in handed:
        match method:
            case ast.Attribute(value=ast.Name(owner), attr=name):
                call = f"it.{name}()" if owner in _TYPES else f"{owner}.{name}(it)"
                yield Edit.of(method, f"(lambda it: {call})")


def _import(node: ast.AST) -> Iterator[Edit]:
    """`import statistics`, `from heapq import nlargest`: modules that are written in Python of the sandbox."""
    if isinstance(node, ast.Import) and any(
        alias.name == "datetime" or alias.name in modules.names() for alias in node.names
    ):
        yield Edit.of(node, "; ".join(map(_imported, node.names)))
    elif isinstance(node, ast.ImportFrom) and node.module in modules.names() and not node.level:
        wanted = [(alias.name, alias.asname or alias.name) for alias in node.names]
        if wanted == [("*", "*")]:
            wanted = [(name, name) for name in modules.exported(node.module)]
        yield Edit.of(node, "; ".join(f"{new} = {_module(node.module)}.{name}" for name, new in wanted))


def _imported(alias: ast.alias) -> str:
    if alias.name == "datetime":
        return f"{alias.asname or alias.name} = {DATETIME}"
    if alias.name not in modules.names():
        return f"import {alias.name}" + (f" as {alias.asname}" if alias.asname else "")
    if alias.asname:
        return f"{alias.asname} = {_module(alias.name)}"
    package = alias.name.partition(".")[0]
    return f'{package} = __rlm__["package"]({alias.name!r})'


def _module(name: str) -> str:
    return f'__rlm__["module"]({name!r})'


def _datetime(node: ast.AST) -> Iterator[Edit]:
    """`import datetime`, `from datetime import datetime`: the REPL's own, which is the module and the class at once."""
    if isinstance(node, ast.ImportFrom) and node.module == "datetime" and not node.level:
        wanted = [(alias.name, alias.asname) for alias in node.names if alias.name != "*"]
        wanted = wanted or [(name, None) for name in ("datetime", "date", "time", "timedelta", "timezone")]
        yield Edit.of(node, "; ".join(f"{new or name} = {_of_datetime(name, new)}" for name, new in wanted))
    elif not isinstance(node, ast.Attribute | ast.pattern):
        for name in ast.iter_child_nodes(node):
            if isinstance(name, ast.Name) and name.id == "datetime" and isinstance(name.ctx, ast.Load):
                yield Edit.of(name, f"{AS_CLASS}(datetime)")


def _of_datetime(name: str, new_name: str | None) -> str:
    return DATETIME if name == "datetime" and not new_name else f"{DATETIME}.{name}"


def _date_method(node: ast.AST) -> Iterator[Edit]:
    """`datetime.strptime(text, form)`, `day.isocalendar()`, `timedelta(hours=1.5)`: as CPython has them."""
    match node:
        case ast.Call(func=ast.Attribute(value=owner, attr=name) as method) if name in _DATE_METHODS:
            start, end = (owner.lineno, owner.col_offset), (owner.end_lineno or 0, owner.end_col_offset or 0)
            lines = (method.end_lineno or 0) - end[0]
            yield Edit(start, start, f'{DATES}("{name}", ')
            yield Edit(end, (end[0] + lines, method.end_col_offset or 0), "\n" * lines + ")")
        case ast.Call(func=ast.Name("timedelta") | ast.Attribute(attr="timedelta") as kind) if not _are_whole(node):
            start, end = (kind.lineno, kind.col_offset), (kind.end_lineno or 0, kind.end_col_offset or 0)
            yield Edit(start, start, f'{DATES}("timedelta", ')
            yield Edit(end, end, ")")


def _ignored_method(node: ast.AST) -> Iterator[Edit]:
    """`def __bool__(self)` in a class: refused where it is defined, since nothing would ever call it."""
    if not isinstance(node, ast.ClassDef):
        return
    for method in node.body:
        if isinstance(method, ast.FunctionDef) and method.name in _IGNORED and not method.args.kwonlyargs:
            given = method.args
            last: ast.expr | ast.arg = given.vararg or max([*given.args, *given.defaults], key=_end)
            star = "" if given.vararg else "*, "
            yield Edit(_end(last), _end(last), f', {star}_=__rlm__["ignored"]({method.name!r})')


def _end(node: ast.expr | ast.arg) -> tuple[int, int]:
    return (node.end_lineno or node.lineno, node.end_col_offset or 0)


def _are_whole(call: ast.Call) -> bool:
    """Whether all arguments are written as whole numbers."""
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return all(isinstance(value, ast.Constant) and isinstance(value.value, int) for value in given)


BRIDGES: tuple[Callable[[ast.AST], Iterator[Edit]], ...] = (
    _generator_for_next,
    _method_as_function,
    _import,
    _datetime,
    _date_method,
    _ignored_method,
)
_SIGNS = {
    _import: re.compile("import"),
    _datetime: re.compile("datetime"),
    _date_method: re.compile("|".join([*_DATE_METHODS, "timedelta"])),
    _ignored_method: re.compile("|".join(_IGNORED)),
}
"""Words without which a bridge is not needed: most cells need few."""
