"""What Monty lacks, written another way: a cell is rewritten before it runs.

Most bridges look at a node of the cell's syntax tree and give edits of its text, which keep the lines' numbers.
Generators (`generators.py`) and classes (`classes.py`, `operations.py`) take more: the cell is printed anew then, and
it is known of each line where it was. A bridge whose gap Monty has closed is to go: `test_bridges.py` says which.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from langgraph_rlm.repl import modules
from langgraph_rlm.repl.rewriting.classes import EXCEPTIONS, Classes, needs_classes
from langgraph_rlm.repl.rewriting.generators import (
    MOST_FUNCTIONS,
    Closing,
    NoBridge,
    TooMuch,
    as_function,
    ends_late,
    is_generator,
)
from langgraph_rlm.repl.rewriting.lacking import Gap, gaps_of_syntax
from langgraph_rlm.repl.rewriting.operations import LOAD, SIGN, Operations
from langgraph_rlm.repl.rewriting.preparation import preparation
from langgraph_rlm.repl.syntax import Edit, edited, end_of, parsed, start_of, statements

METHODS = {
    name for kind in (str, bytes, list, dict, set, tuple, int, float) for name in dir(kind) if not name.startswith("_")
} - {"real", "imag", "numerator", "denominator"}
"""Methods of built-in types: as values they are functions that call them."""
LACKING = {
    *(
        "translate",
        "maketrans",
        "format_map",
        "difference_update",
        "intersection_update",
        "symmetric_difference_update",
    ),
    *("bit_length", "bit_count", "is_integer"),
}
"""Those that Monty does not have."""
UNBOUND = {"str", "bytes", "list", "dict", "set", "frozenset", "tuple", "int", "float"}
"""Types whose methods are called with the object: `set.union(*sets)`."""
_OF_CLASSES = {"fromkeys", "fromhex", "from_bytes", "maketrans"}
_FACTS = ("msg", "pos", "lineno", "colno")
"""What errors of `json.loads` and `ast.parse` say in their messages alone."""
PARTS = {"__name__", "__qualname__", "__class__", "__dict__"}
"""What functions and instances lack."""
OF_ONE = {"union", "intersection", "difference", "update"}
"""Methods of sets, which take one other set in Monty."""
DATETIME, AS_CLASS, DATES = '__rlm__["datetime"]', '__rlm__["dated"]', '__rlm__["dates"]'
"""What the prelude has for dates."""
HELPERS = {
    **{name: repr(name) for name in ("_generators", "_classes", "_methods", "_searching", "_errors")},
    "_dates": DATES,
}
"""The modules that rewritten cells call, and what of a cell tells that it calls one."""
_DATE_METHODS = (
    *("strptime", "fromisoformat", "fromtimestamp", "utcfromtimestamp", "fromordinal", "fromisocalendar"),
    *("isocalendar", "toordinal", "timetuple", "ctime", "utcnow", "today"),
)
SEARCHES = ("find", "rfind", "index", "rindex", "count", "startswith", "endswith")
"""Methods that may be given a place to begin at."""
_IGNORED = (
    *("__format__", "__new__", "__setattr__", "__delattr__", "__getattr__", "__getattribute__", "__init_subclass__"),
    *("__get__", "__set__", "__set_name__", "__instancecheck__", "__missing__"),
)
"""Methods that nothing calls in Monty, nor in what bridges make of a cell."""


@dataclass(frozen=True)
class Rewritten:
    """A cell as Monty understands it; where they differ, `lines` has for each of its lines that of the cell, from 1."""

    code: str
    lines: tuple[int, ...] = ()
    properties: frozenset[str] = frozenset()
    """Names of properties that its classes have, of methods that Monty never calls, of classes."""
    gaps: tuple[Gap, ...] = ()
    """What of its syntax Monty does not read."""


def rewritten(code: str, properties: Iterable[str] = ()) -> Rewritten:
    """A cell as Monty understands it. What is not Python stays as it is. `properties` are those of earlier cells.

    Half of the bridges would change what the code means: what cannot be rewritten has a gap.
    """
    try:
        return _rewritten(code, properties)
    except TooMuch as found:
        gap = Gap(found.line, found.what, "write several smaller ones, or a plain loop")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        gap = Gap(1, "code that is nested too deeply to be read", "give parts of it names of their own")
    return Rewritten(code, gaps=(gap,))


def _rewritten(code: str, properties: Iterable[str]) -> Rewritten:
    edited = edited_text(code)
    found = ast.Module(statements(edited), [])
    printed, lines, own_properties, tree = _printed_anew(edited, found, properties) or (edited, (), (), found)
    loaded = [f"{_module(name)}\n" for name, sign in HELPERS.items() if sign in printed]
    loaded += [f"{LOAD}\n"] if SIGN in printed else []
    loaded += [f"{line}\n" for line in preparation(code)]
    if loaded:  # where a cell begins: in the middle of a built-in function nothing can be asked of the host
        lines = (*[1] * len(loaded), *(lines or range(1, printed.count("\n") + 2)))
    return Rewritten("".join([*loaded, printed]), lines, frozenset(own_properties), gaps_of_syntax(tree))


def _printed_anew(
    code: str, found: ast.Module, properties: Iterable[str]
) -> tuple[str, tuple[int, ...], Iterable[str], ast.Module] | None:
    """A cell without generators and what classes lack, where its lines stood, its properties, its tree.

    None where it has none of these. `found` are its statements.
    """
    has_generators = any(isinstance(node, ast.Yield | ast.YieldFrom) for node in ast.walk(found))
    if not has_generators and not needs_classes(found, properties):
        return None
    tree = parsed(code)
    classes = Classes(tree, properties)
    tree = ast.fix_missing_locations(classes.visit(tree))
    tree = ast.fix_missing_locations(Operations(classes.special).visit(tree)) if classes.special else tree
    tree = ast.fix_missing_locations(Closing().visit(tree)) if ends_late(tree) else tree
    tree = ast.fix_missing_locations(_Generators().visit(tree))
    printed = ast.unparse(tree)
    return printed, _lines(tree, printed), classes.own_properties, tree


class _Generators(ast.NodeTransformer):
    def __init__(self) -> None:
        self.count = 0

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        if not is_generator(node):
            return node
        self.count += 1
        if self.count > MOST_FUNCTIONS:
            raise TooMuch("so many generator functions", node.lineno)
        try:
            return as_function(copy.deepcopy(node))
        except NoBridge:  # the model is told what stays
            return node


def _lines(tree: ast.AST, printed: str) -> tuple[int, ...]:
    """Where each printed line stood: both trees have the same statements."""
    lines = [1] * (printed.count("\n") + 1)
    for old, new in zip(ast.walk(tree), ast.walk(parsed(printed)), strict=True):
        if isinstance(old, ast.stmt | ast.ExceptHandler) and isinstance(new, ast.stmt | ast.ExceptHandler):
            lines[new.lineno - 1] = old.lineno
    return tuple(lines)


def edited_text(code: str) -> str:
    """A cell with the edits of its text."""
    tree = ast.Module(statements(code), [])
    bridges = [bridge for bridge in BRIDGES if bridge not in _SIGNS or _SIGNS[bridge].search(code)]
    bridges += [_error_facts(tree), _methods(tree)]
    of_nodes = ([edit for bridge in bridges for edit in bridge(node)] for node in ast.walk(tree))
    return edited(code, [edit for edits in of_nodes for edit in sorted(edits, key=lambda edit: edit.end)])


def _generator_for_next(node: ast.AST) -> Iterator[Edit]:
    """`next(x for …)`, `g = (x for …)`: a generator expression is a list here, so it gets an iterator."""
    match node:
        case ast.Call(func=ast.Name("next") as function, args=[ast.GeneratorExp() as items, *_]):
            start, end = start_of(items), end_of(items)
            is_bare = start == (function.end_lineno, function.end_col_offset)
            yield Edit(start, start, "(iter" if is_bare else "iter")
            if is_bare:
                yield Edit(end, end, ")")
        case ast.Assign(value=ast.GeneratorExp() as items) | ast.Return(value=ast.GeneratorExp() as items):
            yield Edit(start_of(items), start_of(items), "iter")


def _type_variable(node: ast.AST) -> Iterator[Edit]:
    """`TypeVar("T", bound=…)`: a name for annotations."""
    match node:
        case ast.Call(func=ast.Name("TypeVar" | "ParamSpec"), args=[ast.Constant(str(name)), *_]):
            yield Edit.of(node, repr(name))


def _delete(node: ast.AST) -> Iterator[Edit]:
    """`del items[i]`, `del items[i:j]`, `del (a, b)`: taken out, emptied, forgotten."""
    if not isinstance(node, ast.Delete):
        return
    targets = [target for given in node.targets for target in _deleted(given)]
    done = start_of(node)
    for target in targets:
        yield Edit(done, start_of(target), ("" if target is targets[0] else "; ") + _continued(done, start_of(target)))
        done = end_of(target)
        if isinstance(target, ast.Subscript):
            yield from _taken_out(target)
        else:
            yield Edit.at(done, " = None")
    lines = _continued(done, end_of(node))
    yield Edit(done, end_of(node), f"; {lines}None" if lines else "")


def _deleted(target: ast.expr) -> Iterator[ast.expr]:
    if isinstance(target, ast.Tuple | ast.List):
        for item in target.elts:
            yield from _deleted(item)
    else:
        yield target


def _continued(start: tuple[int, int], end: tuple[int, int]) -> str:
    """The ends of lines between two places, where a statement is to begin after them."""
    return "None; " + "\\\n" * (end[0] - start[0]) if end[0] > start[0] else ""


def _taken_out(target: ast.Subscript) -> Iterator[Edit]:
    """`delete(owner, key)` in place of `owner[key]`."""
    key, owner = target.slice, target.value
    is_slice = isinstance(key, ast.Slice)
    parts = [key.lower, key.upper, key.step] if isinstance(key, ast.Slice) else [key]
    yield Edit.between(start_of(target), start_of(owner), f"{_module('_methods')}.delete((")
    done, text = end_of(owner), "), slice(" if is_slice else "), "
    for part in parts:
        if part is None:
            text += "None, "
        else:
            yield Edit.between(done, start_of(part), f"{text}(")
            done, text = end_of(part), "), "
    yield Edit.between(done, end_of(target), text, "))" if is_slice else ")")


def _methods(tree: ast.AST) -> Callable[[ast.AST], Iterator[Edit]]:
    """`key=counts.get`, `add = found.append`, `text.translate(table)`: methods of built-in types are no values here.

    And some are not there, or take fewer arguments. The bridge has to know what all of the cell calls.
    """
    called = {id(node.func): _is_of_one(node) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    wanted = {True: LACKING, False: LACKING | OF_ONE, None: METHODS}

    def method(node: ast.AST) -> Iterator[Edit]:
        match node:
            case ast.Attribute(attr=name, ctx=ast.Load()) if name in PARTS:
                yield from _of_function(node, f"{_module('_classes')}.part")
            case ast.Attribute(attr=name, ctx=ast.Load()) if name in wanted[called.get(id(node))] or (
                id(node) in called and _is_unbound(node)
            ):
                yield from _of_function(node, f"{_module('_methods')}.method")

    return method


def _of_function(attribute: ast.Attribute, function: str) -> Iterator[Edit]:
    """`function(value, name)` in place of `value.name`."""
    yield from _around(attribute, f"{function}(", f", {attribute.attr!r})")


def _around(attribute: ast.Attribute, before: str, after: str) -> Iterator[Edit]:
    """The value of an attribute between two texts, without the attribute. Parentheses around it are written anew."""
    start, value = start_of(attribute), attribute.value
    is_bare = start == start_of(value)
    yield Edit.between(start, start_of(value), before if is_bare else f"{before}(")
    yield Edit.between(end_of(value), end_of(attribute), "", after if is_bare else f"){after}")


def _is_unbound(method: ast.Attribute) -> bool:
    match method:
        case ast.Attribute(value=ast.Name(kind), attr=name):
            return kind in UNBOUND and name in METHODS - _OF_CLASSES
    return False


def _error_facts(tree: ast.AST) -> Callable[[ast.AST], Iterator[Edit]]:
    """`except json.JSONDecodeError as e: e.pos`: read from the message. The bridge has to know the names of errors."""
    names = {node.name for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler)}

    def fact(node: ast.AST) -> Iterator[Edit]:
        match node:
            case ast.Attribute(value=ast.Name(name), attr=attr, ctx=ast.Load()) if name in names and attr in _FACTS:
                yield Edit.of(node, f"{_module('_methods')}.fact({name}, {attr!r})")

    return fact


def _match_fact(node: ast.AST) -> Iterator[Edit]:
    """`m.lastgroup`: worked out where it is asked for, since a `Match` of the sandbox has no properties."""
    match node:
        case ast.Attribute(attr="lastgroup" | "lastindex" | "regs", ctx=ast.Load()):
            yield from _of_function(node, f"{_module('re')}.fact")


def _is_of_one(call: ast.Call) -> bool:
    return bool(call.keywords) or (len(call.args) == 1 and not isinstance(call.args[0], ast.Starred))


def _list_and_more(node: ast.AST) -> Iterator[Edit]:
    """`found += (a, b)`, `pairs += counts.items()`: lists take lists and iterators alone."""
    match node:
        case ast.AugAssign(target=target, op=ast.Add(), value=value) if _is_no_list(value) and _is_plain(target):
            start, end = start_of(value), end_of(value)
            yield Edit(start, start, f"{_module('_methods')}.added_to({ast.unparse(target)})((")
            yield Edit(end, end, "))")


def _is_no_list(value: ast.expr) -> bool:
    """Whether it is written as what can be gone through, and is neither a list nor an iterator."""
    match value:
        case ast.Call(func=ast.Name("range" | "tuple" | "set") | ast.Attribute(attr="items" | "keys" | "values")):
            return True
    return isinstance(value, ast.Tuple | ast.Set | ast.Dict | ast.SetComp | ast.DictComp)


def _is_plain(target: ast.expr) -> bool:
    """Whether it may be read once more: nothing is called for it."""
    return not any(isinstance(node, ast.Call) for node in ast.walk(target))


def _exception(node: ast.AST) -> Iterator[Edit]:
    """`ValueError(error)`, `KeyError("a", 1)`: Monty's take one text, and end the cell where they are given more."""
    match node:
        case ast.Call(func=ast.Name(kind) as function, args=[first, *more], keywords=[]) if kind in EXCEPTIONS:
            if more or not (isinstance(first, ast.JoinedStr) or _is_text(first)):
                end = end_of(function)
                yield Edit(end, end, f"(*{_module('_errors')}.arguments({kind})")
                yield Edit(end_of(node), end_of(node), ")")


def _assertion(node: ast.AST) -> Iterator[Edit]:
    """`assert a == b, text`: Monty adds to the text what it has compared."""
    match node:
        case ast.Assert(test=test) if not isinstance(test, ast.BoolOp | ast.UnaryOp):
            yield Edit(start_of(test), start_of(test), "not not (")
            yield Edit(end_of(test), end_of(test), ")")


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _json_default(node: ast.AST) -> Iterator[Edit]:
    """`json.dumps(value, default=str)`."""
    match node:
        case ast.Call(func=ast.Attribute(attr="dumps") as function, keywords=keywords) if any(
            keyword.arg == "default" for keyword in keywords
        ):
            yield Edit.of(function, f"{_module('_methods')}.dumps")


def _search_from(node: ast.AST) -> Iterator[Edit]:
    """`text.find(x, start)`: Monty's own goes over all of the text each time."""
    match node:
        case ast.Call(func=ast.Attribute(value=text, attr=name) as method, args=[_, _, *_]) if (
            name in SEARCHES and not _is_unbound(method)
        ):
            yield Edit(start_of(text), start_of(text), f"{_module('_searching')}.at(")
            yield Edit(end_of(text), end_of(text), ")")


def _import(node: ast.AST) -> Iterator[Edit]:
    """`import statistics`, `from heapq import nlargest`: modules that are written in Python of the sandbox."""
    if isinstance(node, ast.Import) and any(map(_is_ours, node.names)):
        yield Edit.of(node, "; ".join(map(_imported, node.names)))
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        wanted = [(alias.name, alias.asname or alias.name) for alias in node.names]
        if node.module in modules.names():
            if wanted == [("*", "*")]:
                wanted = [(name, name) for name in modules.exported(node.module)]
            targets = ", ".join(new for _, new in wanted)  # a tuple: Monty takes `; match = …` for another statement
            values = ", ".join(_from_module(node.module, name) for name, _ in wanted)
            yield Edit.of(node, f"({targets},) = ({values},)")
        elif added := {name for name, _ in wanted} & set(modules.added(node.module)):
            own = [f"{name} as {new}" for name, new in wanted if name not in added]
            more = [f"{new} = {_addition(node.module, name)}" for name, new in wanted if name in added]
            yield Edit.of(node, "; ".join([f"from {node.module} import {', '.join(own)}"][: len(own)] + more))


def _added(node: ast.AST) -> Iterator[Edit]:
    """`collections.OrderedDict`: what Monty's own modules lack."""
    match node:
        case ast.Attribute(value=ast.Name(module), attr=name) if name in modules.added(module):
            yield Edit.of(node, _addition(module, name))


def _of_module(module: str, name: str) -> str:
    inner = f"{module}.{name}"
    return _module(inner) if inner in modules.names() else f"{_module(module)}.{name}"


def _from_module(module: str, name: str) -> str:
    """For `from module import name`, which is an `ImportError` where there is no such name."""
    is_there = f"{module}.{name}" in modules.names() or name in modules.exported(module)
    return _of_module(module, name) if is_there else f'__rlm__["no_name"]({module!r}, {name!r})'


def _addition(module: str, name: str) -> str:
    return _of_module(f"{modules.ADDITIONS}.{module}", name)


def _is_ours(alias: ast.alias) -> bool:
    parent, _, name = alias.name.rpartition(".")
    return alias.name == "datetime" or alias.name in modules.names() or name in modules.added(parent)


def _imported(alias: ast.alias) -> str:
    if alias.name == "datetime":
        return f"{alias.asname or alias.name} = {DATETIME}"
    parent, _, name = alias.name.rpartition(".")
    if name in modules.added(parent):  # of a module of Monty's, which has the name ready
        return f"{alias.asname} = {_addition(parent, name)}" if alias.asname else f"import {parent}"
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
        case ast.Call(func=ast.Attribute(attr=name) as method) if name in _DATE_METHODS:
            yield from _around(method, f'{DATES}("{name}", ', ")")
        case ast.Call(func=ast.Name("timedelta") | ast.Attribute(attr="timedelta") as kind) if not _are_whole(node):
            yield Edit(start_of(kind), start_of(kind), f'{DATES}("timedelta", ')
            yield Edit(end_of(kind), end_of(kind), ")")


def _ignored_method(node: ast.AST) -> Iterator[Edit]:
    """`def __bool__(self)` in a class: refused where it is defined, since nothing would ever call it."""
    if not isinstance(node, ast.ClassDef):
        return
    for method in node.body:
        if isinstance(method, ast.FunctionDef) and method.name in _IGNORED and not method.args.kwonlyargs:
            given = method.args
            inside: list[ast.expr | ast.arg] = [*given.args, *given.defaults]
            last = given.vararg or max(inside, key=end_of)
            star = "" if given.vararg else "*, "
            yield Edit(end_of(last), end_of(last), f', {star}_=__rlm__["ignored"]({method.name!r})')


def _are_whole(call: ast.Call) -> bool:
    """Whether all arguments are written as whole numbers."""
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return all(isinstance(value, ast.Constant) and isinstance(value.value, int) for value in given)


BRIDGES: tuple[Callable[[ast.AST], Iterator[Edit]], ...] = (
    _generator_for_next,
    _type_variable,
    _delete,
    _match_fact,
    _list_and_more,
    _exception,
    _assertion,
    _json_default,
    _search_from,
    _import,
    _added,
    _datetime,
    _date_method,
    _ignored_method,
)
"""For each node; what `_error_facts` and `_methods` make for a cell are too."""
_SIGNS = {
    _import: re.compile("import"),
    _datetime: re.compile("datetime"),
    _date_method: re.compile("|".join([*_DATE_METHODS, "timedelta"])),
    _ignored_method: re.compile("|".join(_IGNORED)),
}
"""Words without which a bridge is not needed: most cells need few."""
