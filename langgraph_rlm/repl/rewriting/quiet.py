"""Whether code does nothing that other code could notice, but for what it gives and raises.

Where a generator and what takes its items are both quiet, nobody can tell that it was not run item by item.
"""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable

from langgraph_rlm.repl.rewriting import hidden
from langgraph_rlm.repl.rewriting.scopes import name_of

_FUNCTIONS = frozenset(
    (
        *(
            "abs",
            "bool",
            "chr",
            "dict",
            "divmod",
            "enumerate",
            "float",
            "frozenset",
            "int",
            "isinstance",
            "len",
            "list",
        ),
        *("max", "min", "ord", "range", "repr", "reversed", "round", "set", "sorted", "str", "sum", "tuple", "zip"),
    )
)
_METHODS = frozenset(
    (
        *(name for kind in (str, bytes, tuple, int, float, frozenset) for name in dir(kind) if name[0] != "_"),
        *("get", "items", "keys", "values", "search", "match", "fullmatch", "findall", "finditer", "group", "groups"),
        *("groupdict", "start", "end", "span", "isoformat", "total_seconds", "timestamp", "date", "time", "weekday"),
        *("strftime", "strptime", "fromisoformat", "loads", "dumps"),
    )
)
_HARMLESS = _FUNCTIONS - {"chr", "dict", "divmod", "float", "int", "max", "min", "ord", "round", "sum"}
_MAY_RAISE = frozenset(
    ("index", "rindex", "encode", "decode", "format", "format_map", "loads", "strptime", "fromisoformat")
)
_HELPERS: dict[str | None, Collection[str]] = {
    hidden.module("re"): {"fact"},
    hidden.module("_methods"): {"method", "get_attribute", "has_attribute"},
    hidden.module("_searching"): {"at", "cut"},
}
"""What of a cell has been rewritten before."""
_CHANGING = frozenset(("append", "add", "extend", "update", "discard", "pop", "popleft", "appendleft", "setdefault"))
"""Methods that change what is theirs."""
_MAKING = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
_LOUD = (
    *(ast.Global, ast.Nonlocal, ast.Delete, ast.With, ast.AsyncWith, ast.AsyncFor, ast.Await, ast.Import, ast.Match),
    *(ast.ImportFrom, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef, ast.Try, ast.NamedExpr),
)


class Quiet:
    """Of a cell, which of its functions and expressions are quiet."""

    def __init__(self, tree: ast.AST) -> None:
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        stored = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        count = Counter(function.name for function in functions)
        self.known, self.methods = _FUNCTIONS - stored - {*count}, _METHODS - {*count}
        self.functions = {name for name, times in count.items() if times == 1 and name not in stored}
        """Those that are called by name; to begin with all that may be quiet."""
        callers = defaultdict[str, list[str]](list)
        loud = list[str]()
        for function in functions:
            if not self._is_quiet_function(function):
                loud.append(function.name)
            for name in _called(function) & self.functions:
                callers[name].append(function.name)
        while loud:
            name = loud.pop()
            if name in self.functions:
                self.functions.remove(name)
                loud += callers[name]

    def _is_quiet_function(self, function: ast.FunctionDef) -> bool:
        return not function.decorator_list and self._are_quiet(function.body, _own_collections(function))

    def is_quiet(self, *expressions: ast.expr) -> bool:
        return self._are_quiet(expressions, frozenset())

    def _are_quiet(self, tops: Iterable[ast.AST], own: Collection[str]) -> bool:
        return all(self._is_quiet(node, own) for top in tops for node in ast.walk(top))

    def _is_quiet(self, node: ast.AST, own: Collection[str]) -> bool:
        match node:
            case ast.Call(func=ast.Name(name)):
                return name in self.known or name in self.functions
            case ast.Call(func=ast.Attribute(value=owner, attr=name)):
                if name_of(owner) in _HELPERS:
                    return name in _HELPERS[name_of(owner)]
                return name in self.methods or (name in _CHANGING and name_of(owner) in own)
            case ast.Subscript(value=owner, ctx=ast.Store()):
                return name_of(owner) in own
            case ast.AugAssign(target=ast.Name(), value=value):
                return isinstance(value, ast.Constant | ast.JoinedStr)
            case ast.AugAssign(target=target):
                return isinstance(target, ast.Subscript)
            case ast.Attribute(ctx=ast.Store()) | ast.Call():
                return False
        return not isinstance(node, _LOUD)


def is_harmless(items: ast.GeneratorExp, own: Collection[str]) -> bool:
    """Whether a generator expression may be worked out at once, for it hardly raises anything, and ends.

    Args:
        own: Names that the code has made something of.
    """
    for node in ast.walk(items):
        match node:
            case ast.Call(func=ast.Name(name)):
                if name not in _HARMLESS or name in own:
                    return False
            case ast.Call(func=ast.Attribute(value=owner, attr=name)):
                is_known = name in _HELPERS.get(name_of(owner), _METHODS - _MAY_RAISE)
                if not is_known or name in own or name_of(owner) == "itertools":
                    return False
            case ast.Call():
                return False
            case ast.BinOp(op=ast.Div() | ast.FloorDiv() | ast.Mod(), right=right):
                if not isinstance(right, ast.Constant):
                    return False
            case _ if isinstance(node, _LOUD):
                return False
    return True


def may_raise(items: ast.GeneratorExp) -> bool:
    """Whether a harmless generator expression may raise something after all, of values of other types than expected."""
    orders = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn)
    called = {id(node.func) for node in ast.walk(items) if isinstance(node, ast.Call)}
    for node in ast.walk(items):
        match node:
            case ast.Compare(ops=ops) if any(isinstance(op, orders) for op in ops):
                return True
            case ast.Subscript() | ast.BinOp() | ast.UnaryOp(op=ast.USub() | ast.Invert()):
                return True
            case ast.Attribute() if id(node) not in called:
                return True
    return False


def _own_collections(function: ast.FunctionDef) -> set[str]:
    """Local variables that have collections made in the function, which nothing else ever gets."""
    made, stored, loaded, inside = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for node in ast.walk(function):
        match node:
            case ast.Name(name, ctx=ast.Store()) | ast.arg(name):
                stored[name] += 1
            case ast.Name(name):
                loaded[name] += 1
            case ast.Assign(targets=[ast.Name(name)], value=value) | ast.AnnAssign(target=ast.Name(name), value=value):
                made[name] += _makes(value)
            case ast.Call(func=ast.Attribute(value=ast.Name(name))):
                inside[name] += 1
            case ast.Call(func=ast.Name("len"), args=[ast.Name(name)]) | ast.Subscript(value=ast.Name(name)):
                inside[name] += 1
            case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[ast.Name(name)]):
                inside[name] += 1
    return {name for name, times in made.items() if times == stored[name] and inside[name] == loaded[name]}


def _called(function: ast.FunctionDef) -> set[str]:
    called = {name_of(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)}
    return {name for name in called if name is not None}


def _makes(value: ast.expr | None) -> bool:
    match value:
        case ast.Call(func=ast.Name("list" | "dict" | "set" | "Counter" | "defaultdict" | "deque")):
            return True
    return isinstance(value, _MAKING)
