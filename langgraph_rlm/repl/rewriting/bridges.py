"""What Monty lacks, written another way: a cell is rewritten before it runs.

Most bridges look at a node of the cell's syntax tree and give edits of its text, which keep the lines' numbers.
Generators (`generators.py`) and classes (`classes.py`, `operations.py`) take more: the cell is printed anew then, and
it is known of each line where it was. A bridge whose gap Monty has closed is to go: `test_bridges.py` says which.
"""

from __future__ import annotations

import ast
import copy
import re
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate

from langgraph_rlm.repl import modules
from langgraph_rlm.repl.gaps import MONTYS, instead_of_name
from langgraph_rlm.repl.rewriting import hidden
from langgraph_rlm.repl.rewriting.classes import Classes, needs_classes
from langgraph_rlm.repl.rewriting.exceptions import EXCEPTIONS, LACKING_EXCEPTIONS
from langgraph_rlm.repl.rewriting.expressions import Later, has_later_ones, may_have_later_ones
from langgraph_rlm.repl.rewriting.generators import (
    MOST_FUNCTIONS,
    Closing,
    NoBridge,
    TooMuch,
    as_function,
    ends_late,
)
from langgraph_rlm.repl.rewriting.iteration import ITERATES, NEXT, Iteration, has_iterators, iterates
from langgraph_rlm.repl.rewriting.lacking import Gap, bound_name, gaps_of_syntax, is_bare, is_idle
from langgraph_rlm.repl.rewriting.lists import KEEPING, iterators
from langgraph_rlm.repl.rewriting.operations import LOAD, SIGN, Operations
from langgraph_rlm.repl.rewriting.passing import needs_notes, with_notes
from langgraph_rlm.repl.rewriting.plain import definitions
from langgraph_rlm.repl.rewriting.preparation import preparation
from langgraph_rlm.repl.rewriting.private import make_private
from langgraph_rlm.repl.rewriting.quiet import Quiet
from langgraph_rlm.repl.rewriting.scopes import BUILTINS, is_generator, own_nodes
from langgraph_rlm.repl.syntax import Code, Edit, Nodes, edited, end_of, lines_of, nodes_of, parsed, read, start_of

METHODS = {
    name for kind in (str, bytes, list, dict, set, tuple, int, float) for name in dir(kind) if not name.startswith("_")
} - {"real", "imag", "numerator", "denominator"}
"""Methods of built-in types: as values they are functions that call them."""
LACKING = {
    *("translate", "maketrans", "format_map", "bit_length", "bit_count", "is_integer", "from_bytes", "to_bytes"),
    *("difference_update", "intersection_update", "symmetric_difference_update", "move_to_end", "popitem"),
    *("__getitem__", "__setitem__", "__contains__", "__len__", "__iter__", "__str__", "__repr__", "__hash__"),
    *("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__add__", "__sub__", "__mul__", "__mod__"),
}
"""Those that Monty does not have, or not all of."""
UNBOUND = {"str", "bytes", "list", "dict", "set", "frozenset", "tuple", "int", "float"}
"""Types whose methods are called with the object: `set.union(*sets)`."""
_OF_CLASSES = {"fromkeys", "fromhex", "from_bytes", "maketrans"}
_FACTS = ("msg", "pos", "lineno", "colno", "doc")
"""What errors of `json.loads` and `ast.parse` say in their messages alone."""
PARTS = {"__name__", "__qualname__", "__class__", "__dict__"}
"""What functions and instances lack."""
BY_NAME = {"getattr": "get_attribute", "hasattr": "has_attribute", "setattr": "set_attribute"}
"""Built-ins, and the functions of `_methods` in their place."""
OF_ONE = {"union", "intersection", "difference", "update"}
"""Methods of sets, which take one other set in Monty."""
_HOOKS = {"cls", "object_hook", "object_pairs_hook", "parse_float", "parse_int", "parse_constant", "strict"}
OPTIONS = {"dumps": {"default", "cls"}, "dump": {"default", "cls"}, "loads": _HOOKS, "load": _HOOKS}
"""What Monty's functions of `json` do not take."""
DATETIME = '__rlm__["datetime"]'
"""What the prelude has for the module and the class."""
IMPORTED = ("re", "json", "math", "collections", "itertools", "datetime")
"""Modules that a REPL has without an import."""
HELPERS = (
    "_generators",
    "_classes",
    "_dataclasses",
    "_methods",
    "_searching",
    "_errors",
    "_dates",
    "_matching",
    "_json",
)
"""The modules that rewritten cells call."""
_DATE_METHOD = f"{hidden.module('_dates')}.method_of"
_DATE_METHODS = (
    *("strptime", "fromisoformat", "fromtimestamp", "utcfromtimestamp", "fromordinal", "fromisocalendar"),
    *("isocalendar", "toordinal", "timetuple", "ctime", "utcnow", "today"),
)
_CODECS = {"utf-8", "utf8", "ascii", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"}
"""What Monty knows of them."""
SEARCHES = ("find", "rfind", "index", "rindex", "count", "startswith", "endswith")
"""Methods that may be given a place to begin at."""
_BEFORE_VALUE, _DEBUG = re.compile(rb"\{[\s(]*$"), re.compile(rb"[\s)]*(=\s*)(?=[!:}])")
"""What is around a value in the braces of an f-string: `{(value) = }`."""
_LESS = "write less at a time: several cells, and functions for what repeats"
_FORMATTED = "Inside the braces use other quotes than around the f-string, no backslashes and no comments"
"""How f-strings are written up to Python 3.11."""


Bridge = Callable[[ast.AST, Code], Iterator[Edit]]
"""Gives the edits for a node of a cell."""


@dataclass(frozen=True)
class Rewritten:
    """A cell as Monty understands it; where they differ, `lines` has for each of its lines that of the cell, from 1.

    Lines where exceptions pass have a minus: see `passing.py`.
    """

    code: str
    lines: tuple[int, ...] = ()
    properties: frozenset[str] = frozenset()
    """Names of properties that its classes have, of methods that Monty never calls, of classes, of bases: `A()`."""
    gaps: tuple[Gap, ...] = ()
    """What of its syntax Monty does not read, or ignores."""
    places: Mapping[tuple[int, int], int] = field(default_factory=dict)
    """Of expressions by where they begin, the lines where they stood, if other than those of their statements."""
    name: str = ""
    """What it is called in the notes of exceptions that pass; without one there are none."""


def rewritten(code: str, properties: Collection[str] = (), edits: Iterable[Edit] = (), name: str = "") -> Rewritten:
    """A cell as Monty understands it, with `edits` of another's. `properties` are those of earlier cells.

    It notes where exceptions pass, if it has a `name`.

    What cannot be read here, or not be written anew, raises a `SyntaxError` at its line before anything runs: half of
    the bridges would change what the code means.
    """
    found = read(code)
    if found.excess is not None:
        return Rewritten(code, gaps=(Gap(1, found.excess, _LESS),))
    if found.failure is not None:
        return _refused(found.failure, code)
    if found.of(ast.Return) and (outside := _returned_outside(found)):
        return _refused(outside, code)
    try:
        ran = _rewritten(found, properties, [*edits, *bridging(found)], name)
    except TooMuch as much:
        return Rewritten(code, gaps=(Gap(much.line, much.what, "write several smaller ones, or a plain loop"),))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as why:  # a hostile cell ends no run
        return _refused(why, code)
    loaded = hidden.bindings(ran.code)
    loaded += [LOAD] if SIGN in ran.code else []
    loaded += preparation(found)
    if loaded:  # where a cell begins: in the middle of a built-in function nothing can be asked of the host
        lines = (*[1] * len(loaded), *(ran.lines or range(1, ran.code.count("\n") + 2)))
        places = {(line + len(loaded), column): stood for (line, column), stood in ran.places.items()}
        ran = replace(ran, code="\n".join([*loaded, ran.code]), lines=lines, places=places)
    return replace(ran, name=name)


def _rewritten(cell: Code, properties: Collection[str], edits: list[Edit], name: str) -> Rewritten:
    """A cell without what is to run before it."""
    text = edited(cell.text, edits)
    is_anew = has_iterators(cell) or needs_classes(cell, {*properties} - ITERATES)
    is_anew = is_anew or (bool(ITERATES & {*properties}) and iterates(cell))
    if is_anew or may_have_later_ones(cell):
        tree = parsed(text)
        make_private(tree)
        may_iterate = bool(ITERATES & {*properties})
        is_later = bool(cell.of(ast.GeneratorExp)) and has_later_ones(tree, may_iterate)
        tree = ast.fix_missing_locations(Later(tree, text, may_iterate).visit(tree)) if is_later else tree
        if is_anew or is_later:
            return _printed_anew(cell, tree, properties, name)
    made_known = [*definitions(cell)]
    text = edited(cell.text, [*edits, *made_known]) if made_known else text
    lines = lines_of(cell.text, [*edits, *made_known])
    if name and needs_notes(cell):
        return replace(_printed(cell, _at_lines(parsed(text), lines), name), gaps=gaps_of_syntax(cell.nodes))
    return Rewritten(text, lines, gaps=gaps_of_syntax(cell.nodes))


def _at_lines(tree: ast.Module, lines: Sequence[int]) -> ast.Module:
    """The tree of an edited text, each node in the line where it stood."""
    for node in nodes_of([tree]) if lines else ():
        if hasattr(node, "lineno"):
            node.lineno = lines[node.lineno - 1]
    return tree


def _returned_outside(cell: Code) -> SyntaxError | None:
    """The error of a `return` that belongs to no function: Monty ends the cell there, without a word."""
    for statement in cell.body:
        for node in own_nodes(statement):
            if isinstance(node, ast.Return):
                error = SyntaxError("'return' outside function: write `if … else`, or make it a function")
                error.lineno = node.lineno
                return error
    return None


def _refused(why: Exception, code: str) -> Rewritten:
    """A cell that runs nothing and raises what is wrong with it."""
    line, text = 1, f"this cannot be read ({why})"
    if isinstance(why, RecursionError | MemoryError):
        text = "this is nested too deeply: give parts of it names of their own"
    elif isinstance(why, SyntaxError):
        line, text = min(why.lineno or 1, code.count("\n") + 1), why.msg
    if text.startswith("f-string") and sys.version_info < (3, 12):
        text += f". {_FORMATTED}"
    return Rewritten(f"raise SyntaxError({text!r})", (line,))


def _printed_anew(cell: Code, tree: ast.Module, properties: Collection[str], name: str) -> Rewritten:
    """A cell without generators and what classes lack, printed from the `tree` of its edited text."""
    may_iterate, properties = bool(ITERATES & {*properties}), {*properties} - ITERATES
    nodes = Nodes(nodes_of([tree]))
    own = {NEXT} if has_iterators(nodes) else set()
    quiet = Quiet(tree) if may_iterate or own else None
    tree = ast.fix_missing_locations(Closing(tree).visit(tree)) if nodes.has_yields and ends_late(tree) else tree
    tree = ast.fix_missing_locations(Iteration(tree, quiet).visit(tree)) if quiet else tree
    classes = Classes(tree, properties)
    tree = ast.fix_missing_locations(classes.visit(tree))
    tree = ast.fix_missing_locations(Operations(classes.special).visit(tree)) if classes.special else tree
    tree = ast.fix_missing_locations(_Generators(quiet).visit(tree)) if quiet and nodes.has_yields else tree
    gaps, own_properties = gaps_of_syntax(nodes_of([tree])), frozenset((*classes.own_properties, *own))
    return replace(_printed(cell, tree, name), properties=own_properties, gaps=gaps)


def _printed(cell: Code, tree: ast.Module, name: str) -> Rewritten:
    """What a tree says that a cell has become, with notes where exceptions pass."""
    tree = with_notes(tree, name) if name else tree
    for node in nodes_of([tree]) if cell.of(ast.JoinedStr) else ():
        if isinstance(node, ast.JoinedStr):
            hidden.WithoutQuotes().visit(node)
    printed = ast.unparse(tree)
    lines, places = _lines(tree, printed)
    return Rewritten(printed, lines, places=places)


class _Generators(ast.NodeTransformer):
    def __init__(self, quiet: Quiet) -> None:
        self.count, self.quiet = 0, quiet

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        if not is_generator(node):
            return node
        self.count += 1
        if self.count > MOST_FUNCTIONS:
            raise TooMuch("so many generator functions", node.lineno)
        try:
            return as_function(copy.deepcopy(node), node.name in self.quiet.functions)
        except NoBridge:  # the model is told what stays
            return node


def _lines(tree: ast.AST, printed: str) -> tuple[tuple[int, ...], dict[tuple[int, int], int]]:
    """Where each printed line stood, and expressions that stood in other lines: both trees have the same nodes."""
    lines, places = [0] * (printed.count("\n") + 1), dict[tuple[int, int], int]()
    for old, new in zip(*(nodes_of([one], ends=(ast.expr,)) for one in (tree, parsed(printed))), strict=True):
        if isinstance(old, ast.stmt | ast.ExceptHandler) and isinstance(new, ast.stmt | ast.ExceptHandler):
            lines[new.lineno - 1] = old.lineno
            for before, now in zip(*(getattr(node, "decorator_list", []) for node in (old, new)), strict=True):
                lines[now.lineno - 1] = before.lineno
        elif isinstance(old, ast.expr) and (line := getattr(old, "lineno", 0)) != (getattr(old, "end_lineno", 0) or 0):
            for part, now in zip(nodes_of([old]), nodes_of([new]), strict=False):
                if isinstance(now, ast.expr) and (stood := getattr(part, "lineno", line)) != line:
                    places.setdefault((now.lineno, now.col_offset), stood)
    return tuple(accumulate(lines, lambda before, line: line or before, initial=1))[1:], places


def bridging(code: Code) -> Iterator[Edit]:
    """The edits of a cell, from the outside in."""
    for node in code.nodes:
        of_kind = _BY_KIND.get(type(node))
        if of_kind:
            for bridge in (*of_kind[ANY], *of_kind.get(_word(node), ())):
                yield from sorted(bridge(node, code), key=lambda edit: edit.end)


def _word(node: ast.AST) -> str | None:
    """The name by which it is known what bridges a node needs."""
    match node:
        case ast.Name(word) | ast.Attribute(attr=word) | ast.Call(func=ast.Name(word) | ast.Attribute(attr=word)):
            return word
    return None


def _delete(node: ast.AST, code: Code) -> Iterator[Edit]:
    """`del items[i]`, `del items[i:j]`, `del (a, b)`: taken out, emptied, forgotten. Attributes cannot be."""
    targets = [target for given in getattr(node, "targets", ()) for target in _deleted(given)]
    if not isinstance(node, ast.Delete) or any(isinstance(target, ast.Attribute) for target in targets):
        return
    done = start_of(node)
    for target in targets:
        yield Edit(done, start_of(target), ("" if target is targets[0] else "; ") + _continued(done, start_of(target)))
        done = end_of(target)
        if isinstance(target, ast.Subscript):
            yield from _taken_out(target)
        else:
            yield Edit.at(start_of(target), "(")  # it may be called `match`, and not be the first
            yield Edit.at(done, f") = {_without(target)}")
    lines = _continued(done, end_of(node))
    yield Edit(done, end_of(node), f"; {lines}None" if lines else "")


def _without(name: ast.expr) -> str:
    """What a name is after it was deleted: what it was before the code made something of it, if anything."""
    if isinstance(name, ast.Name) and name.id in IMPORTED:
        return f'__rlm__["{name.id}"]'
    if isinstance(name, ast.Name) and name.id in BUILTINS:
        return f'__rlm__["builtin"](__rlm__, {name.id!r})'
    return "None"


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
    yield Edit.between(start_of(target), start_of(owner), f"{hidden.module('_methods')}.delete((")
    done, text = end_of(owner), "), slice(" if is_slice else "), "
    for part in parts:
        if part is None:
            text += "None, "
        else:
            yield Edit.between(done, start_of(part), f"{text}(")
            done, text = end_of(part), "), "
    yield Edit.between(done, end_of(target), text, "))" if is_slice else ")")


def _methods(node: ast.AST, code: Code) -> Iterator[Edit]:
    """`key=counts.get`, `add = found.append`, `text.translate(table)`: methods of built-in types are no values here.

    And some are not there, or take fewer arguments.
    """
    match node:
        case ast.Attribute(value=ast.Call(func=ast.Name("super"))):
            return
        case ast.Attribute(attr=name, ctx=ast.Load()) if name in PARTS:
            yield from _of_function(node, f"{hidden.module('_classes')}.part")
        case ast.Attribute(attr=name, ctx=ast.Load()) if id(node) not in code.own_attributes:
            call = code.calls.get(id(node))
            lacking = LACKING | METHODS if call is None else LACKING if _is_of_one(call) else LACKING | OF_ONE
            if name in lacking or (call is not None and _is_unbound(node)):
                yield from _of_function(node, f"{hidden.module('_methods')}.method")


def _of_function(attribute: ast.Attribute, function: str) -> Iterator[Edit]:
    """`function(value, name)` in place of `value.name`."""
    yield from _around(attribute, f"{function}(", f", {hidden.word(attribute.attr)})")


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


def _with_its_text(node: ast.AST, code: Code) -> Iterator[Edit]:
    """`f"{value = }"`: its text is written out, for it would be that of the rewritten expression."""
    if not isinstance(node, ast.FormattedValue) or node.value.lineno != node.value.end_lineno:
        return
    (line, start), (_, end) = start_of(node.value), end_of(node.value)
    text = code.lines[line - 1]
    before, after = _BEFORE_VALUE.search(text[:start]), _DEBUG.match(text[end:])
    if before and after:
        begins, sign, ends = before.start(), end + after.start(1), end + after.end()
        shown = text[begins + 1 : ends].decode().replace("{", "{{").replace("}", "}}")
        is_repr = node.conversion == ord("r") and text[ends : ends + 1] != b"!"
        yield Edit.at((line, begins), shown)
        yield Edit((line, sign), (line, ends), "!r" if is_repr else "")


def _attribute_by_name(node: ast.AST, code: Code) -> Iterator[Edit]:
    """`getattr(value, name)`, `hasattr`, `setattr`: they know no methods of built-in types, and no properties."""
    match node:
        case ast.Name(id=name, ctx=ast.Load()):
            yield Edit.of(node, f"{hidden.module('_methods')}.{BY_NAME[name]}")


def _error_facts(node: ast.AST, code: Code) -> Iterator[Edit]:
    """`except json.JSONDecodeError as e: e.pos`: read from the message. `type(e)`: the kind that it was raised by."""
    match node:
        case ast.Call(func=ast.Name() as function, args=[ast.Name(name)]) if name in code.errors:
            yield Edit.of(function, f"{hidden.module('_errors')}.kind")
        case ast.Attribute(value=ast.Name(name), attr=attr, ctx=ast.Load()) if name in code.errors:
            yield Edit.of(node, f"{hidden.module('_methods')}.fact({name}, {hidden.word(attr)})")


def _match_fact(node: ast.AST, code: Code) -> Iterator[Edit]:
    """`m.lastgroup`: worked out where it is asked for, since a `Match` of the sandbox has no properties."""
    match node:
        case ast.Attribute(ctx=ast.Load()):
            yield from _of_function(node, f"{hidden.module('re')}.fact")


def _codec(node: ast.AST, code: Code) -> Iterator[Edit]:
    """`data.decode("latin-1")`: by the host, since Monty knows few character sets."""
    match node:
        case ast.Call(func=ast.Attribute() as method, args=args, keywords=keywords):
            given = [*args[:1], *(keyword.value for keyword in keywords if keyword.arg == "encoding")]
            names = [value.value for value in given if isinstance(value, ast.Constant) and isinstance(value.value, str)]
            if names and names[0].lower() not in _CODECS and not _is_unbound(method):
                yield from _of_function(method, f"{hidden.module('_methods')}.coded")


def _is_of_one(call: ast.Call) -> bool:
    return bool(call.keywords) or (len(call.args) == 1 and not isinstance(call.args[0], ast.Starred))


def _list_and_more(node: ast.AST, code: Code) -> Iterator[Edit]:
    """`found += (a, b)`, `pairs += counts.items()`: lists take lists and iterators alone."""
    match node:
        case ast.AugAssign(target=target, op=ast.Add(), value=value) if _is_no_list(value) and _is_plain(target):
            start, end = start_of(value), end_of(value)
            yield Edit.at(start, f"{hidden.module('_methods')}.added_to({ast.unparse(target)})((")
            yield Edit.at(end, "))")


def _set_in_place(node: ast.AST, code: Code) -> Iterator[Edit]:
    """`seen |= more`: a set stays the one that it is, whoever else has it.

    What is subtracted from is most often a number, unless it is a parameter.
    """
    match node:
        case ast.AugAssign(target=target, op=op, value=value) if type(op) in _OF_SETS and _is_plain(target):
            is_parameter = isinstance(target, ast.Name) and target.id in {argument.arg for argument in code.of(ast.arg)}
            may_be_set = not isinstance(value, ast.Constant | ast.Tuple | ast.Yield | ast.YieldFrom)
            sign, function = _OF_SETS[type(op)]
            line, column = end_of(target)
            place = code.lines[line - 1].find(sign, column)
            if may_be_set and place >= 0 and (is_parameter or not isinstance(op, ast.Sub)):
                call = f"= {hidden.module('_methods')}.{function}({ast.unparse(target)}, "
                yield Edit((line, place), (line, place + len(sign)), call)
                yield Edit.at(end_of(node), ")")


_OF_SETS = {
    ast.BitOr: (b"|=", "united"),
    ast.BitAnd: (b"&=", "intersected"),
    ast.BitXor: (b"^=", "exchanged"),
    ast.Sub: (b"-=", "subtracted"),
}


def _is_no_list(value: ast.expr) -> bool:
    """Whether it is written as what can be gone through, and is neither a list nor an iterator."""
    match value:
        case ast.Call(func=ast.Name("range" | "tuple" | "set") | ast.Attribute(attr="items" | "keys" | "values")):
            return True
    return isinstance(value, ast.Tuple | ast.Set | ast.Dict | ast.SetComp | ast.DictComp)


def _is_plain(target: ast.expr) -> bool:
    """Whether it may be read once more: nothing is called for it."""
    return not any(isinstance(node, ast.Call) for node in ast.walk(target))


def _exception(node: ast.AST, code: Code) -> Iterator[Edit]:
    """`ValueError(error)`, `KeyError("a", 1)`: Monty's take one text, and end the cell where they are given more."""
    match node:
        case ast.Call(func=ast.Name(kind) as function, args=[first, *more], keywords=[]):
            if more or not (isinstance(first, ast.JoinedStr) or _is_text(first)):
                end = end_of(function)
                yield Edit.at(end, f"(*{hidden.module('_errors')}.arguments({kind})")
                yield Edit.at(end_of(node), ")")


def _lacking_exception(node: ast.AST, code: Code) -> Iterator[Edit]:
    """`except ConnectionError`: it is like an exception of the code's own. One that is, has the name for itself."""
    match node:
        case ast.Name(id=name, ctx=ast.Load()) if all(cls.name != name for cls in code.of(ast.ClassDef)):
            yield Edit.of(node, hidden.exception(name))


def _assertion(node: ast.AST, code: Code) -> Iterator[Edit]:
    """`assert a == b, text`: Monty adds to the text what it has compared."""
    match node:
        case ast.Assert(test=test) if not isinstance(test, ast.BoolOp | ast.UnaryOp):
            yield Edit.at(start_of(test), "not not (")
            yield Edit.at(end_of(test), ")")


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _json(node: ast.AST, code: Code) -> Iterator[Edit]:
    """`json.dumps(value, default=str)`, `json.loads(text, object_hook=f)`: functions take more than Monty's.

    Where errors get names, those of `json.loads` are to say what CPython's say.
    """
    match node:
        case ast.Call(func=ast.Attribute(ast.Name(owner), name) as function):
            name = name if code.renamed.get(owner, owner) == "json" else ""
        case ast.Call(func=ast.Name(word) as function):
            name = code.of_json.get(word, "")
        case _:
            return
    given = OPTIONS.get(name, set()) & {keyword.arg for keyword in node.keywords}
    if given or name == "JSONDecodeError" or (name in ("loads", "load") and code.errors - {None}):
        yield Edit.of(function, f"{hidden.module('_json')}.{'error' if name == 'JSONDecodeError' else name}")


def _printed_elsewhere(node: ast.AST, code: Code) -> Iterator[Edit]:
    """`print(text, file=buffer)`, `sys.stdout.write(text)`."""
    match node:
        case ast.Call(func=ast.Name("print") as function, keywords=keywords) if any(
            keyword.arg == "file" for keyword in keywords
        ):
            yield Edit.of(function, f"{hidden.module('_methods')}.print_to")
        case ast.Attribute(value=ast.Attribute(value=ast.Name("sys"), attr="stdout" | "stderr") as file, attr="write"):
            yield Edit.at(start_of(file), f"{hidden.module('_methods')}.writer(")
            yield Edit.between(end_of(file), end_of(node), ")")


def _bytes_of_numbers(node: ast.AST, code: Code) -> Iterator[Edit]:
    """`bytes([65, 66])`."""
    match node:
        case ast.Call(func=ast.Name("bytes") as kind, args=[_], keywords=[]):
            yield Edit.of(kind, f"{hidden.module('_methods')}.bytes_of")


def _search_from(node: ast.AST, code: Code) -> Iterator[Edit]:
    """`text.find(x, start)`: Monty's own goes over all of the text each time."""
    match node:
        case ast.Call(func=ast.Attribute(value=text) as method, args=[_, _, *_]) if not _is_unbound(method):
            yield Edit.at(start_of(text), f"{hidden.module('_searching')}.at(")
            yield Edit.at(end_of(text), ")")


def _registered(node: ast.AST, code: Code) -> Iterator[Edit]:
    """`@show.register` before `def _(value: int)`: Monty keeps no annotations, so the type is written out."""
    match node:
        case ast.FunctionDef(args=ast.arguments(args=[ast.arg(annotation=ast.expr() as kind), *_])):
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Attribute) and decorator.attr == "register":
                    yield Edit.at(end_of(decorator), f"({ast.unparse(kind)})")


def _await(node: ast.AST, code: Code) -> Iterator[Edit]:
    """`await task`, `async with limit:` a task is no coroutine, and there is nothing to wait for at a `with`."""
    match node:
        case ast.Await(value=value):
            yield Edit.at(start_of(value), f"{hidden.module('asyncio')}.awaited(")
            yield Edit.at(end_of(value), ")")
        case ast.AsyncWith(items=items) if is_bare(node):
            yield Edit(start_of(node), start_of(items[0].context_expr), "with ")
            for item in items:
                yield Edit.at(start_of(item.context_expr), f"{hidden.module('asyncio')}.entered(")
                yield Edit.at(end_of(item.context_expr), ")")


def _slice_from(node: ast.AST, code: Code) -> Iterator[Edit]:
    """`text[i:j]`: Monty's own counts the characters before it, where they are not all of ASCII."""
    match node:
        case ast.Subscript(value=text, slice=ast.Slice(lower=ast.expr() as lower), ctx=ast.Load()):
            if not isinstance(lower, ast.Constant | ast.UnaryOp):
                yield Edit.at(start_of(text), f"{hidden.module('_searching')}.cut((")
                yield Edit.at(end_of(text), "))")


def _import(node: ast.AST, code: Code) -> Iterator[Edit]:
    """`import statistics`, `from heapq import nlargest`: modules that are written in Python of the sandbox.

    An import of what may not be here, and that the cell does not use, says so, and the cell runs.
    """
    match node:
        case ast.Import(names=aliases):
            idle = [alias for alias in aliases if id(node) not in code.handled and is_idle(alias, "", code.used)]
            if idle or any(map(_is_ours, aliases)):
                made = [_tried(alias.name, "", alias) if alias in idle else _imported(alias) for alias in aliases]
                yield Edit.of(node, "; ".join(made))
        case ast.ImportFrom(module=str(module), names=aliases, level=0):
            idle = [alias for alias in aliases if id(node) not in code.handled and is_idle(alias, module, code.used)]
            if idle or module in modules.names() or {alias.name for alias in aliases} & {*modules.added(module)}:
                rest = [alias for alias in aliases if alias not in idle]
                made = [_tried(module, alias.name, alias) for alias in idle]
                yield Edit.of(node, "; ".join([*made, *([_imported_from(module, rest)] if rest else [])]))


def _tried(module: str, name: str, alias: ast.alias) -> str:
    what = f"{name} of {module} is not here, and this cell does not use it: {instead_of_name(module, name)}"
    told = what if name and (module in MONTYS or module in modules.names()) else ""
    return f'{bound_name(alias)} = __rlm__["imported"]({module!r}, {name!r}, {told!r})'


def _imported_from(module: str, aliases: list[ast.alias]) -> str:
    wanted = [(alias.name, alias.asname or alias.name) for alias in aliases]
    if module in modules.names():
        if wanted == [("*", "*")]:
            wanted = [(name, name) for name in modules.exported(module)]
        targets = ", ".join(new for _, new in wanted)  # a tuple: Monty takes `; match = …` for another statement
        values = ", ".join(_from_module(module, name) for name, _ in wanted)
        return f"({targets},) = ({values},)"
    added = {*modules.added(module)}
    own = [f"{name} as {new}" for name, new in wanted if name not in added]
    more = [f"{new} = {_addition(module, name)}" for name, new in wanted if name in added]
    return "; ".join([f"from {module} import {', '.join(own)}"][: len(own)] + more)


def _added(node: ast.AST, code: Code) -> Iterator[Edit]:
    """`collections.OrderedDict`: what Monty's own modules lack."""
    match node:
        case ast.Attribute(value=ast.Name(owner), attr=name):
            module = code.renamed.get(owner, owner)
            if name in modules.added(module):
                yield Edit.of(node, _of_module(f"{modules.ADDITIONS}.{module}", name, hidden.module))


def _of_module(module: str, name: str, loaded: Callable[[str], str]) -> str:
    inner = f"{module}.{name}"
    return loaded(inner) if inner in modules.names() else f"{loaded(module)}.{name}"


def _from_module(module: str, name: str) -> str:
    """For `from module import name`, which is an `ImportError` where there is no such name."""
    is_there = f"{module}.{name}" in modules.names() or name in modules.exported(module)
    return _of_module(module, name, _module) if is_there else f'__rlm__["no_name"]({module!r}, {name!r})'


def _addition(module: str, name: str) -> str:
    return _of_module(f"{modules.ADDITIONS}.{module}", name, _module)


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


def _datetime(node: ast.AST, code: Code) -> Iterator[Edit]:
    """`import datetime`, `from datetime import datetime`: the REPL's own, which is the module and the class at once."""
    if isinstance(node, ast.ImportFrom) and node.module == "datetime" and not node.level:
        wanted = [(alias.name, alias.asname) for alias in node.names if alias.name != "*"]
        wanted = wanted or [(name, None) for name in ("datetime", "date", "time", "timedelta", "timezone")]
        yield Edit.of(node, "; ".join(f"{new or name} = {_of_datetime(name, new)}" for name, new in wanted))
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and id(node) not in code.owners:
        yield Edit.of(node, f"{hidden.DATED}(datetime)")


def _of_datetime(name: str, new_name: str | None) -> str:
    return DATETIME if name == "datetime" and not new_name else f"{DATETIME}.{name}"


def _date_method(node: ast.AST, code: Code) -> Iterator[Edit]:
    """`datetime.strptime(text, form)`, `day.isocalendar()`, `timedelta(hours=1.5)`: as CPython has them."""
    match node:
        case ast.Call(func=ast.Name("timedelta") | ast.Attribute(attr="timedelta") as kind):
            if not _are_whole(node):
                yield Edit.at(start_of(kind), f"{_DATE_METHOD}(")
                yield Edit.at(end_of(kind), f", {hidden.word('timedelta')})")
        case ast.Call(func=ast.Attribute() as method):
            yield from _of_function(method, _DATE_METHOD)


def _are_whole(call: ast.Call) -> bool:
    """Whether all arguments are written as whole numbers."""
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return all(isinstance(value, ast.Constant) and isinstance(value.value, int) for value in given)


ANY = ""
"""In place of words."""
BRIDGES: dict[Bridge, dict[type[ast.AST], Iterable[str]]] = {
    iterators: dict.fromkeys(KEEPING, (ANY,)),
    _delete: {ast.Delete: [ANY]},
    _match_fact: {ast.Attribute: ["lastgroup", "lastindex", "regs"]},
    _attribute_by_name: {ast.Name: BY_NAME},
    _list_and_more: {ast.AugAssign: [ANY]},
    _set_in_place: {ast.AugAssign: [ANY]},
    _exception: {ast.Call: EXCEPTIONS},
    _lacking_exception: {ast.Name: LACKING_EXCEPTIONS},
    _assertion: {ast.Assert: [ANY]},
    _json: {ast.Call: [ANY]},
    _codec: {ast.Call: ["encode", "decode"]},
    _printed_elsewhere: {ast.Call: ["print"], ast.Attribute: ["write"]},
    _bytes_of_numbers: {ast.Call: ["bytes"]},
    _search_from: {ast.Call: SEARCHES},
    _registered: {ast.FunctionDef: [ANY]},
    _await: {ast.Await: [ANY], ast.AsyncWith: [ANY]},
    _slice_from: {ast.Subscript: [ANY]},
    _import: {ast.Import: [ANY], ast.ImportFrom: [ANY]},
    _added: {ast.Attribute: [ANY]},
    _datetime: {ast.Name: ["datetime"], ast.ImportFrom: [ANY]},
    _date_method: {ast.Call: [*_DATE_METHODS, "timedelta"]},
    _error_facts: {ast.Attribute: _FACTS, ast.Call: ["type"]},
    _methods: {ast.Attribute: METHODS | LACKING | PARTS},
    _with_its_text: {ast.FormattedValue: [ANY]},
}
"""Each with the kinds of nodes that it is for, and the names that these have: most nodes need none."""


def _by_kind() -> dict[type[ast.AST], dict[str | None, list[Bridge]]]:
    found: dict[type[ast.AST], dict[str | None, list[Bridge]]] = {}
    for bridge, kinds in BRIDGES.items():
        for kind, words in kinds.items():
            for word in words:
                found.setdefault(kind, {ANY: []}).setdefault(word, []).append(bridge)
    return found


_BY_KIND = _by_kind()
