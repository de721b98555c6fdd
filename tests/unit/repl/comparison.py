"""A program here and in CPython: what it gave, how the two differ, and the least of it that still differs."""

from __future__ import annotations

import ast
import builtins
import contextlib
import copy
import io
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from langgraph_rlm.context import Context
from langgraph_rlm.conversation.dialects.final import Final
from langgraph_rlm.repl.cells import Finished
from langgraph_rlm.repl.interpreter import Interpreter
from langgraph_rlm.repl.packed import DumpPacker
from langgraph_rlm.repl.workers import Workers
from langgraph_rlm.settings import Sandbox

Verdict = Literal["same", "refused", "different"]
PACKER = DumpPacker("text", Context.of("text"))
SAME = {"JSONDecodeError": "ValueError", "UnicodeDecodeError": "ValueError", "UnicodeEncodeError": "ValueError"}
"""Kinds of errors that are here what they are derived from."""
REFUSALS = r"NotImplementedError: |This Python lacks that|not yet supported|does not yet"
HALFWAY = r"\b\d{15}\.\d\b"
"""Floats that may be halfway between two decimals: here the other one may be written, which is the same float."""
LACKING = r"(?:'(\w+)' object|type object '(\w+)') has no attribute '(\w+)'|name '(\w+)' is not defined"
"""What errors say that name what is not there: the second where CPython has it."""


@dataclass(frozen=True)
class Gave:
    """What a program gave: its records, what it printed, and the error that ended it as kind and text."""

    records: list[Any]
    printed: str
    error: tuple[str, str] | None


def here(workers: Workers, code: str) -> Gave:
    """In a REPL of its own."""
    interpreter = Interpreter(workers, PACKER, Sandbox(timeout=5, max_output=1_000_000), Final.conventions)
    try:
        ended = interpreter.run(code)
        whole = interpreter.run("Final = out")
        assert isinstance(ended, Finished), "it asks nobody"
        assert isinstance(whole, Finished)
        records = whole.answer[0] if whole.answer else []
    finally:
        interpreter.close()
    error = None
    if ended.error is not None:
        kinds = re.findall(r"^(?:\w+\.)*(\w+)(?::|$)", ended.error, re.M)
        error = (next((kind for kind in kinds if kind[0].isupper()), "?"), ended.error)
    return Gave(records, ended.printed.head + ended.printed.tail, error)


def there(code: str) -> Gave:
    """In CPython."""
    names: dict[str, Any] = {"__name__": "__main__", "__part__": _part}
    printed, error = io.StringIO(), None
    try:
        with contextlib.redirect_stdout(printed), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of what fails when it runs
            exec(compile(ast.fix_missing_locations(_SlicesAsKeys().visit(ast.parse(code))), "<cell>", "exec"), names)
    except Exception as failure:
        error = (type(failure).__name__, str(failure))
    return Gave(names.get("out", []), printed.getvalue(), error)


class _SlicesAsKeys(ast.NodeTransformer):
    """Has slices taken by `_part`."""

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.slice, ast.Slice) or not isinstance(node.ctx, ast.Load):
            return node
        bounds = [bound or ast.Constant(None) for bound in (node.slice.lower, node.slice.upper, node.slice.step)]
        key = ast.Call(ast.Name("slice", ast.Load()), bounds, [])
        return ast.Call(ast.Name("__part__", ast.Load()), [node.value, key], [])


def _part(owner: Any, key: slice) -> Any:
    """`owner[i:j]` as since Python 3.12, and here: a slice is a key that a dict does not have."""
    if type(owner) is dict:
        raise KeyError(key)
    return owner[key]


def verdict(ours: Gave, theirs: Gave) -> tuple[Verdict, Any]:
    """How the two compare, and where they part."""
    for own, other in zip(ours.records, theirs.records, strict=False):
        if not _same(own, other):
            return _refused_or_different(own), (own, other)
    if ours.error and not _same(["error", *ours.error], ["error", *theirs.error] if theirs.error else None):
        return _refused_or_different(["error", *ours.error]), (ours.error, theirs.error)
    more = ours.records[len(theirs.records) :]
    is_same = not more and len(ours.records) == len(theirs.records) and bool(ours.error) == bool(theirs.error)
    if not is_same or not _same(ours.printed, theirs.printed):
        return _refused_or_different(more[0] if more else ours.error and ["error", *ours.error]), (ours, theirs)
    return "same", None


def _same(own: Any, other: Any) -> bool:
    if isinstance(own, list) and isinstance(other, list):
        return SAME.get(own[1], own[1]) == SAME.get(other[1], other[1])
    return bool(_exactly(own) == _exactly(other))


def _exactly(value: Any) -> Any:
    """A text with its floats as CPython writes them; anything else as it is."""
    return re.sub(HALFWAY, lambda found: repr(float(found[0])), value) if isinstance(value, str) else value


def _refused_or_different(record: Any) -> Verdict:
    error = ": ".join(record[1:]) if isinstance(record, list) else ""
    lacking = re.search(LACKING, error)
    is_refusal = bool(re.search(REFUSALS, error)) or (lacking is not None and _is_in_cpython(*lacking.groups()))
    return "refused" if is_refusal else "different"


def _is_in_cpython(kind: str | None, cls: str | None, attribute: str | None, name: str | None) -> bool:
    return hasattr(builtins, name) if name else hasattr(getattr(builtins, kind or cls or "", None), attribute or "")


def shrunk(body: str, is_wanted: Callable[[str], bool]) -> str:
    """The least statements that are still wanted: some are taken out, or replaced by those in them."""
    tree = ast.parse(body)
    while True:
        for smaller in _smaller(tree):
            if is_wanted(ast.unparse(smaller)):
                tree = smaller
                break
        else:
            return ast.unparse(tree)


def _smaller(tree: ast.Module) -> Iterator[ast.Module]:
    """The program without one of its statements each: outer ones first, and the last of them."""
    for index, node in enumerate(ast.walk(tree)):
        if isinstance(node, ast.While):  # so that it ends
            continue
        for name in ("body", "orelse", "finalbody", "handlers"):
            for place in reversed(range(len(_list_of(node, name)))):
                yield from _without(tree, index, name, place)


def _without(tree: ast.Module, index: int, name: str, place: int) -> Iterator[ast.Module]:
    """Without this statement of the node at an index, or with what is in the statement in its place."""
    smaller = copy.deepcopy(tree)
    node = list(ast.walk(smaller))[index]
    items = _list_of(node, name)
    taken = items.pop(place)
    inner = _list_of(taken, "body")
    is_needed = name == "body" and not items and not isinstance(node, ast.Module)
    if not (is_needed and isinstance(taken, ast.Pass)):
        items += [ast.Pass()] if is_needed else []
        yield smaller
    if inner and not isinstance(taken, ast.FunctionDef | ast.ClassDef | ast.ExceptHandler | ast.While):
        items[place : place + is_needed] = inner
        yield smaller


def _list_of(node: ast.AST, name: str) -> list[Any]:
    found = getattr(node, name, [])
    return found if isinstance(found, list) else []
