"""Iterators of the code's own in loops, comprehensions and built-in functions: they are asked by plain calls.

Monty goes through an iterator that is written in Python from within itself, where nothing can be asked of the host. So
where a cell has generators, or classes with `__iter__`, or an earlier one had some, what may be such an iterator is
gone through by way of `repl/python/modules/_generators.py`. For all other iterables a loop stays Monty's own.
"""

from __future__ import annotations

import ast

from langgraph_rlm.repl.rewriting.filling import expression
from langgraph_rlm.repl.rewriting.loops import HELPERS, by_steps
from langgraph_rlm.repl.rewriting.quiet import Quiet
from langgraph_rlm.repl.rewriting.scopes import own_nodes
from langgraph_rlm.repl.syntax import Code, Nodes

NEXT = "__next__"
"""Stands among the names of special methods where a REPL has iterators of its own."""
ITERATES = frozenset((NEXT, "__iter__"))
LAZY = frozenset(
    (
        *("enumerate", "zip", "map", "filter", "any", "all", "islice", "chain", "takewhile", "dropwhile", "cycle"),
        *("accumulate", "starmap", "filterfalse", "compress", "zip_longest", "pairwise", "batched", "reduce"),
        "from_iterable",
    )
)
"""Functions that go through their arguments item by item: `repl/python/modules/_lazy.py` has them in Python."""
WHOLE = frozenset(
    (
        *("list", "tuple", "set", "frozenset", "dict", "sorted", "sum", "min", "max", "bytes", "join", "extend"),
        *("extendleft", "update", "fromkeys", "union", "intersection", "difference", "symmetric_difference"),
        *("difference_update", "intersection_update", "symmetric_difference_update", "issubset", "issuperset"),
        *("isdisjoint", "writelines", "writerows", "Counter", "OrderedDict", "deque", "groupby", "tee", "product"),
        *("permutations", "combinations", "combinations_with_replacement", "fsum", "prod", "nlargest", "nsmallest"),
        *("merge", "mean", "fmean", "median", "median_low", "median_high", "mode", "multimode", "stdev", "pstdev"),
        *("variance", "pvariance", "quantiles", "geometric_mean", "harmonic_mean"),
        *("llm_batch", "rlm_query_batched", "ask_chunks", "ask_chunks_first", "tool_batch"),
    )
)
"""Functions and methods that take all items of their arguments before they give anything."""
_OF_FIRST = ("sum", "fromkeys")
"""Those that take the items of their first argument alone."""
_NATIVE = frozenset(
    (
        *("range", "list", "tuple", "set", "frozenset", "dict", "sorted", "sum", "len", "str", "int", "float", "bool"),
        *("bytes", "abs", "round", "Counter", "llm_query", "llm_batch", "split", "splitlines", "findall", "finditer"),
        *("strip", "lower", "upper", "replace", "join"),
    )
)
"""Functions and methods that give no iterator of the code's own."""


def has_iterators(code: Nodes) -> bool:
    """Whether code makes iterators of its own."""
    return code.has_yields or any(node.name in ITERATES for node in code.of(ast.FunctionDef))


def iterates(code: Code) -> bool:
    """Whether code goes through what may be an iterator of its own."""
    tree = ast.Module(code.body, [])
    iteration = Iteration(tree, Quiet(tree))
    return any(map(iteration.is_concerned, code.nodes))


class Iteration(ast.NodeTransformer):
    """Rewrites a cell."""

    def __init__(self, tree: ast.AST, quiet: Quiet) -> None:
        self.own = {
            node.name
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in LAZY | WHOLE | _NATIVE
        }
        """Functions of the cell that have the name of one that is known here."""
        self.quiet = quiet
        self.count = 0

    def is_concerned(self, node: ast.AST) -> bool:
        """Whether it goes through what may be an iterator of the code's own."""
        match node:
            case ast.For(iter=items) | ast.comprehension(iter=items, is_async=0) | ast.Starred(value=items):
                return self.may_ask(items)
            case ast.Call(args=[ast.GeneratorExp() | ast.ListComp()]) if self.name_of(node) == "from_iterable":
                return True
            case ast.Call(args=given) if self.name_of(node) in LAZY | WHOLE:
                if self.name_of(node) in LAZY and any(isinstance(value, ast.Starred) for value in given):
                    return True
                is_choice = self.name_of(node) in ("min", "max") and len(given) > 1
                return not is_choice and any(map(self.may_ask, given))
            case ast.Assign(targets=[ast.Tuple() | ast.List() | ast.Subscript(slice=ast.Slice())], value=ast.Call()):
                return self.may_ask(node.value)
            case ast.AugAssign(op=ast.Add(), value=ast.Call() as value):
                return self.may_ask(value)
            case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[ast.Call() as items]):
                return self.may_ask(items)
        return False

    def may_ask(self, value: ast.expr) -> bool:
        """Whether it may be an iterator of the code's own."""
        match value:
            case ast.Subscript(slice=ast.Slice()):
                return False
            case ast.Name() | ast.Attribute() | ast.Subscript():
                return True
            case ast.Call(func=ast.Subscript()):  # a mark: see `marks.py`
                return False
            case ast.Call() if self.name_of(value) in LAZY:
                return self.is_concerned(value)
            case ast.Call():
                return self.name_of(value) not in _NATIVE
            case ast.IfExp(body=one, orelse=other):
                return self.may_ask(one) or self.may_ask(other)
            case ast.BoolOp(values=values):
                return any(map(self.may_ask, values))
            case ast.NamedExpr(value=inner) | ast.Starred(value=inner):
                return self.may_ask(inner)
        return False

    def name_of(self, call: ast.Call) -> str | None:
        """The name of what is called, unless the cell has a function of that name."""
        match call.func:
            case ast.Name(name) | ast.Attribute(attr=name) if name not in self.own:
                return name
        return None

    def hide(self, prefix: str) -> str:
        self.count += 1
        return f"__{prefix}{self.count}"

    # -- statements ---------------------------------------------------------------------------------------------------

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.body = [
            self.visit(item) if isinstance(item, ast.FunctionDef | ast.ClassDef) else item for item in node.body
        ]
        return node

    def visit_For(self, node: ast.For) -> ast.AST | list[ast.stmt]:
        is_cut = any(isinstance(inner, ast.Yield | ast.YieldFrom) for inner in own_nodes(node))
        is_concerned = self.is_concerned(node) and not is_cut  # `generators.py` writes those with a `yield` anew
        self.generic_visit(node)
        return by_steps(node, self.hide) if is_concerned else node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        is_concerned = self.is_concerned(node)
        self.generic_visit(node)
        if is_concerned:
            parts = getattr(node.targets[0], "elts", None)
            has_end = parts is not None and not any(isinstance(part, ast.Starred) for part in parts)
            node.value = _taken(node.value, len(parts) + 1 if has_end and parts is not None else None)
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        is_concerned = self.is_concerned(node)
        self.generic_visit(node)
        if is_concerned:
            node.value = expression(f"{HELPERS}.added(VALUE)", node.value, VALUE=node.value)
        return node

    # -- expressions --------------------------------------------------------------------------------------------------

    def visit_comprehensions(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> ast.AST:
        """Each clause becomes two: one for the rounds, one for what there is in a round, which is asked by a call."""
        concerned = list(map(self.is_concerned, node.generators))
        quiet = ", True" if self.quiet.is_quiet(*_worked_out(node)) else ""
        self.generic_visit(node)
        clauses: list[ast.comprehension] = []
        for clause, is_concerned in zip(node.generators, concerned, strict=True):
            if is_concerned:
                name = self.hide("round")
                rounds = expression(f"{HELPERS}.by_rounds(ITEMS{quiet})", clause.iter, ITEMS=clause.iter)
                target = ast.copy_location(ast.Name(name, ast.Store()), clause.iter)
                clauses.append(ast.comprehension(target, rounds, [], 0))
                clause.iter = expression(f"{name}()", clause.iter)
            clauses.append(clause)
        node.generators = clauses
        return node

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_comprehensions

    def visit_Starred(self, node: ast.Starred) -> ast.AST:
        is_concerned = isinstance(node.ctx, ast.Load) and self.is_concerned(node)
        self.generic_visit(node)
        node.value = _taken(node.value) if is_concerned else node.value
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        name, is_concerned = self.name_of(node), self.is_concerned(node)
        asking = [not isinstance(value, ast.Starred) and self.may_ask(value) for value in node.args]
        self.generic_visit(node)
        if is_concerned and name in LAZY:
            node.args.insert(0, node.func)
            node.func = expression(f"{HELPERS}.called", node)
        elif is_concerned:
            most = 1 if name in _OF_FIRST else None
            taken = [_taken(value) if asks else value for value, asks in zip(node.args, asking, strict=True)]
            node.args = [*taken[:most], *node.args[len(taken[:most]) :]]
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        is_concerned = self.is_concerned(node)
        self.generic_visit(node)
        if not is_concerned:
            return node
        negation = "not " if isinstance(node.ops[0], ast.NotIn) else ""
        parts = {"VALUE": node.left, "ITEMS": node.comparators[0]}
        return expression(f"{negation}{HELPERS}.is_in(VALUE, ITEMS)", node, **parts)


def _worked_out(node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> list[ast.expr]:
    """What is worked out for each item."""
    conditions = [test for clause in node.generators for test in clause.ifs]
    inner = [clause.iter for clause in node.generators[1:]]
    made = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
    return [*made, *conditions, *inner]


def _taken(value: ast.expr, most: int | None = None) -> ast.expr:
    """All items of an iterator of the code's own, or so many of them; of anything else the thing itself."""
    return expression(f"{HELPERS}.all_of(ITEMS{'' if most is None else f', {most}'})", value, ITEMS=value)
