"""What of a cell cannot run here, found before it runs: all of it at once, so that one correction is enough.

A cell is refused only for what is certain to fail: syntax that Monty does not read and special methods that it ignores,
wherever they stand, and modules, names in modules and built-ins that are not there, where the cell's own statements
name them. In a function, a branch, a loop they may never be come to: they are told along with the others, and alone
they refuse nothing. What stands in `try` or `with` is left to its handlers.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from langgraph_rlm.repl import gaps, modules
from langgraph_rlm.repl.rewriting.dataclasses import lacking_options
from langgraph_rlm.repl.syntax import Code, read, start_of

MOST = 20
"""Things of a cell that the model is told of at a time."""
MOST_CHARACTERS = 60
"""Of a name that is told."""
_ATTRIBUTE = re.compile(r"\b([^\W\d]\w*)\.([^\W\d]\w*)")
USUAL = {
    "collections": {"Counter", "defaultdict", "deque", "namedtuple"},
    "copy": {"copy", "deepcopy"},
    "csv": {"reader", "writer", "DictReader", "DictWriter"},
    "functools": {"cache", "lru_cache", "partial", "reduce"},
    "hashlib": {"md5", "sha1", "sha256"},
    "itertools": {"accumulate", "chain", "combinations", "count", "groupby", "islice", "permutations", "product"},
    "json": {"dump", "dumps", "load", "loads", "JSONDecodeError"},
    "math": {"ceil", "exp", "floor", "inf", "isnan", "log", "pi", "prod", "sqrt"},
    "os": {"path", "sep", "linesep"},
    "random": {"choice", "randint", "random", "sample", "seed", "shuffle"},
    "sys": {"argv", "maxsize", "stdout", "version_info"},
    "time": {"sleep", "time", "perf_counter"},
}
"""Names of Monty's own modules that cells use most: it is not asked whether they are there."""
_HEAD = "NotImplementedError: nothing of this cell has run. This Python lacks what these lines need:"
_TAIL = "Correct all of them, and run the cell again."
_HANDLED = (ast.Try, ast.With)
_BODIES = (ast.If, ast.For, ast.While, ast.AsyncFor, ast.AsyncWith, ast.Match, ast.FunctionDef, ast.AsyncFunctionDef)
_MAYBE = (ast.Lambda, ast.IfExp, ast.BoolOp, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True, order=True)
class Gap:
    """Something that is not here: where, what, and what to write instead."""

    line: int
    what: str
    instead: str


@dataclass(frozen=True)
class Wanted:
    """A module, a name in one (`module.name`), or a built-in: `is_certain` where the cell cannot do without it."""

    line: int
    module: str
    name: str
    is_certain: bool


Missing = Callable[[list[list[str]]], Collection[tuple[str, str]]]
"""Says which of these, each a module and a name in it, are not in the sandbox. Either may be empty."""


def refusal(code: str, gaps_of_syntax: Iterable[Gap], missing: Missing, ending: str) -> str:
    """Why a cell cannot run, as the model is told it; empty where it can. `ending` is what to write to end the run."""
    found = [(wanted.is_certain, gap) for wanted, gap in _unknown(code, missing, ending)]
    found += [(True, gap) for gap in gaps_of_syntax]
    if not any(is_certain for is_certain, _ in found):
        return ""
    told = sorted({gap for _, gap in found})
    lines = [f"  line {gap.line}, {gap.what}: {gap.instead}" for gap in told[:MOST]]
    more = [f"  and {len(told) - MOST} more"] if len(told) > MOST else []
    here = [gaps.modules_here()] if any(gap.instead == gaps.OTHERS for gap in told) else []
    return "\n".join([_HEAD, *lines, *more, *here, _TAIL])


def _unknown(text: str, missing: Missing, ending: str) -> Iterator[tuple[Wanted, Gap]]:
    """What of the modules and names that a cell wants is not there."""
    has_names = any(name in text for name in gaps.BUILTINS)
    if "import" not in text and not has_names:
        return
    code = read(text)
    imports = _imports(code)
    stored = frozenset(_stored(code.body))
    named = {
        name: imports[name]
        for name, attribute in _ATTRIBUTE.findall(text)
        if name in imports and name not in stored and not _is_known(imports[name], attribute)
    }
    wanted = [one for one in _wanted(code, has_names, named) if one.module or one.name not in {*stored, *imports}]
    asked = {(one.module, one.name) for one in wanted if not _is_known(one.module, one.name)}
    absent = missing([list(pair) for pair in sorted(asked)]) if asked else ()
    for one in wanted:
        if not one.module and ("", one.name) in absent:
            yield one, Gap(one.line, one.name, gaps.instead_of_builtin(one.name, ending))
        elif (one.module, "") in absent:
            if not one.name:  # its import, which all that wants something of it comes after
                yield one, Gap(one.line, f"import {_short(one.module)}", gaps.instead_of_module(one.module))
        elif (one.module, one.name) in absent:
            what = f"{_short(one.name)} of {_short(one.module)}"
            yield one, Gap(one.line, what, gaps.instead_of_name(one.module, one.name))


def _imports(code: Code) -> dict[str, str]:
    """The modules that a cell imports, by the names that it has for them; no packages that others are in."""
    aliases = [alias for node in code.of(ast.Import) for alias in node.names]
    return {bound_name(alias): alias.name for alias in aliases if alias.asname or "." not in alias.name}


def bound_name(alias: ast.alias) -> str:
    """The name that an import gives a value."""
    return alias.asname or alias.name.partition(".")[0]


def is_idle(alias: ast.alias, module: str, used: Collection[str]) -> bool:
    """Whether an import may be of what is not here, and its name is not used. `module` is what it is imported from."""
    if bound_name(alias) in used or alias.name == "*" or module == "__future__":
        return False
    if module:
        return not _is_known(module, alias.name)
    return alias.name.partition(".")[0] not in gaps.MONTYS and not _is_known(alias.name, "")


def _short(name: str) -> str:
    return name if len(name) <= MOST_CHARACTERS else f"{name[:MOST_CHARACTERS]}…"


def _is_known(module: str, name: str) -> bool:
    """Whether it is certain that it is here."""
    return name in USUAL.get(module, ()) or (bool(module) and _is_ours(module, name))


def _is_ours(module: str, name: str) -> bool:
    """Whether bridges have it."""
    parent, _, last = module.rpartition(".")
    if module == "datetime" or module in modules.names():
        inner = name in ("", "*") or f"{module}.{name}" in modules.names() or module == "datetime"
        return inner or name in modules.exported(module)
    return name in modules.added(module) or last in modules.added(parent)


def _stored(body: Iterable[ast.stmt]) -> Iterator[str]:
    """Names that a cell gives a value anywhere."""
    for node in (node for top in body for node in ast.walk(top)):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name) | ast.ExceptHandler(name=str(name)):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.ImportFrom(names=names):
                yield from map(bound_name, names)


def _wanted(code: Code, has_names: bool, named: Mapping[str, str]) -> Iterator[Wanted]:
    """What a cell asks for. `named` are the modules whose attributes are to be looked at, by their names here."""
    used = code.used
    for node, is_certain in _nodes(code.body, has_names or bool(named)):
        line = getattr(node, "lineno", 0)
        match node:
            case ast.Import(names=names):
                for alias in names:
                    yield Wanted(line, alias.name, "", is_certain and not is_idle(alias, "", used))
            case ast.ImportFrom(module=str(module), names=names, level=0) if module != "__future__":
                yield Wanted(line, module, "", is_certain and not all(is_idle(alias, module, used) for alias in names))
                for alias in names:
                    if alias.name != "*":
                        yield Wanted(line, module, alias.name, is_certain and not is_idle(alias, module, used))
            case ast.Attribute(value=ast.Name(name), attr=attribute, ctx=ast.Load()) if name in named:
                yield Wanted(line, named[name], attribute, is_certain)
            case ast.Name(id=name, ctx=ast.Load()) if name in gaps.BUILTINS:
                yield Wanted(line, "", name, is_certain)


def _nodes(body: Iterable[ast.stmt], has_names: bool) -> Iterator[tuple[ast.AST, bool]]:
    """Nodes of a cell, each with whether it is certain that the cell comes to it; without those in `try` and `with`.

    Expressions only where the cell `has_names` of built-ins that are not here.
    """
    rest: list[tuple[ast.AST, bool]] = [(node, True) for node in body]
    while rest:
        node, is_certain = rest.pop()
        if isinstance(node, _HANDLED) or (isinstance(node, ast.expr) and not has_names):
            continue
        yield node, is_certain
        is_certain = is_certain and not isinstance(node, _BODIES + _MAYBE)
        rest += [(part, is_certain) for part in _evaluated(node)]


def _evaluated(node: ast.AST) -> Iterator[ast.AST]:
    """What is below a node, without annotations."""
    for name, value in ast.iter_fields(node):
        if name not in ("annotation", "returns"):
            yield from (part for part in (value if isinstance(value, list) else [value]) if isinstance(part, ast.AST))


# -- syntax -----------------------------------------------------------------------------------------------------------

_ASYNC = "nothing waits here: write it without async, and ask with llm_batch(prompts)"
_SYNTAX: dict[type[ast.AST], tuple[str, str]] = {
    ast.Yield: ("yield inside of an expression", "give it a line of its own, `got = yield item`, in a plain function"),
    ast.YieldFrom: ("yield from inside of an expression", "give it a line of its own: `got = yield from items`"),
    ast.AsyncFor: ("async for", _ASYNC),
}
for _name, _said in {
    "TryStar": ("except*", "write `except` for each kind of error"),
    "TypeAlias": ("type … =", "write it without `type`: `Name = list[int]`"),
    "TemplateStr": ("t-string", "use an f-string"),
}.items():
    if hasattr(ast, _name):  # by the version of Python
        _SYNTAX[getattr(ast, _name)] = _said
_BASES = "derive from {instead}, or hold the {base} as an attribute"
_OWN = "classes of your own and from exceptions"
_INSTEAD = {
    **dict.fromkeys(("dict", "OrderedDict", "defaultdict", "Counter"), "collections.UserDict"),
    "list": "collections.UserList",
}
"""Classes to derive from in place of others."""

_OTHER_METHOD = "nothing calls it here: write a method of another name, and call that"
IGNORED = {
    **dict.fromkeys(("__new__", "__init_subclass__"), "nothing calls it here: use __init__, or a function"),
    **dict.fromkeys(("__getattr__", "__getattribute__"), "nothing calls it here: use properties, or a dict"),
    **dict.fromkeys(("__setattr__", "__delattr__", "__get__", "__set__", "__delete__"), "use properties, or methods"),
    **dict.fromkeys(("__set_name__", "__del__", "__format__"), _OTHER_METHOD),
    **dict.fromkeys(("__instancecheck__", "__subclasscheck__", "__subclasshook__"), _OTHER_METHOD),
    "__missing__": "nothing calls it here: use collections.defaultdict, or d.get(key, default)",
}
"""Special methods that nothing calls in Monty, nor in what bridges make of a cell, with what to write instead."""


_TOLD_OF = {
    *(*_SYNTAX, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.AugAssign, ast.ImportFrom),
    *(ast.ClassDef, ast.Attribute, ast.AsyncWith, ast.Delete),
}
"""The kinds of nodes of which something may not be read, or be ignored."""


def gaps_of_syntax(nodes: list[ast.AST]) -> tuple[Gap, ...]:
    """What Monty does not read in a cell that bridges have rewritten, or ignores without a word."""
    nodes = [node for node in nodes if type(node) in _TOLD_OF]
    unread = [Gap(getattr(node, "lineno", 1), *said) for node in nodes if (said := _unread(node))]
    methods = [Gap(line, name, IGNORED[name]) for node in nodes for line, name in _methods(node) if name in IGNORED]
    return (*unread, *methods)


def _methods(node: ast.AST) -> Iterator[tuple[int, str]]:
    """What a class, or an assignment to its attributes, makes a method of it."""
    for item in node.body if isinstance(node, ast.ClassDef) else [node]:
        match item:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if item is not node:
                yield item.lineno, name
            case ast.Assign(targets=[ast.Name(name)]) if item is not node:
                yield item.lineno, name
            case ast.Attribute(attr=name, ctx=ast.Store()):
                yield item.lineno, name


def _unread(node: ast.AST) -> tuple[str, str] | None:
    match node:
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            return ("async in a comprehension", _ASYNC) if any(one.is_async for one in node.generators) else None
        case ast.AsyncWith() if not is_bare(node):
            return "async with (", "leave the parentheses out: `async with a as b, c as d:`"
        case ast.Delete(targets=targets):
            deleted = any(isinstance(part.ctx, ast.Del) for part in _attributes(targets))
            return ("del x.y", "assign None to it, or keep such values in a dict") if deleted else None
        case ast.AugAssign(op=ast.MatMult()):
            return "@=", "write `x = x @ y`"
        case ast.ImportFrom(names=[ast.alias(name="*")]) if not (node.module and _is_ours(node.module, "*")):
            return f"from {node.module} import *", "name what you import"
        case ast.ClassDef(name=name):
            return _unread_class(node, f"class {_short(name)}")
    return _SYNTAX.get(type(node))


def is_bare(statement: ast.AsyncWith) -> bool:
    """Whether nothing but `async with ` is before its first expression."""
    first = start_of(statement.items[0].context_expr)
    return first == (statement.lineno, statement.col_offset + len("async with "))


def _attributes(targets: Iterable[ast.expr]) -> Iterator[ast.Attribute]:
    return (node for target in targets for node in ast.walk(target) if isinstance(node, ast.Attribute))


def _unread_class(node: ast.ClassDef, what: str) -> tuple[str, str] | None:
    if node.keywords:
        return what, "leave out what is given by name in its first line, and do that by a function"
    if any(isinstance(base, ast.Name) and base.id == "type" for base in node.bases):
        return what, "no classes of classes: write a function that changes the class, and call it"
    if node.bases:
        base = _short(ast.unparse(node.bases[0]))
        return what, _BASES.format(base=base, instead=_INSTEAD.get(base.rpartition(".")[2], _OWN))
    for item in node.body:
        if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef):
            if item.decorator_list:
                return what, f"call what decorates {_short(item.name)} after the class: `C.f = decorate(C.f)`"
        elif not isinstance(item, ast.Assign | ast.AnnAssign | ast.Pass | ast.Expr):
            return what, "only methods and `name = value` may stand in a class: put the rest before or after it"
        elif isinstance(item, ast.Assign) and not all(isinstance(target, ast.Name) for target in item.targets):
            return what, "give each name of the class a line of its own: `name = value`"
    if option := lacking_options(node):
        return f"dataclass({_short(option)}=…)", "write True or False for it, and nothing as `**options`"
    return None
