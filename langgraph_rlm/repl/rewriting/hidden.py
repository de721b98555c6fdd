"""Names that rewritten cells have for what they call and for its words: bound where a cell begins, and kept.

An expression may stand in an f-string, where up to Python 3.11 no quotes may be written; and a name is quicker than
what it is bound to. They begin and end with two underscores: no class changes them, and no survey tells of them.
"""

from __future__ import annotations

import ast
import re
from functools import cache

from langgraph_rlm.repl import modules

DATED, PASSED = "__dated__", "__passed__"
"""A function of the prelude, and what it has of exceptions that passed: see `passing.py`."""
_HIDDEN = re.compile(
    r"\b__(?:module_(?P<module>\w+)|exception_(?P<exception>\w+)|word_(?P<word>\w+)|text_(?P<text>[0-9a-f]*)"
    r"|(?P<own>dated|passed))__\b"
)


def module(name: str) -> str:
    """The name of a module of the sandbox's own Python."""
    return f"__module_{name.replace('.', '_')}__"


def exception(name: str) -> str:
    """The name of a built-in exception that Monty lacks."""
    return f"__exception_{name}__"


def word(text: str) -> str:
    """The name of a text."""
    if text.isidentifier():
        return f"__word_{text}__"
    return f"__text_{text.encode('utf-8', 'surrogatepass').hex()}__"


def super_of(cls: str, name: str) -> str:
    """The name by which instances have what `super().name` is in a class."""
    return f"__super_{cls}_{name}__"


def bindings(code: str) -> list[str]:
    """The lines that bind what of these code has, each name once."""
    found = {match[0]: match for match in _HIDDEN.finditer(code)}
    return [f"{name} = {value}" for name, match in found.items() if (value := _value(match)) is not None]


class WithoutQuotes(ast.NodeTransformer):
    """Names texts that stand in the braces of f-strings, which otherwise might not be printed."""

    def __init__(self) -> None:
        self.is_inside = False

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        outer = self.is_inside
        for value in node.values:
            if isinstance(value, ast.FormattedValue):
                self.is_inside = True
                value.value = self.visit(value.value)
                if value.format_spec is not None:
                    self.visit(value.format_spec)
        self.is_inside = outer
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if not self.is_inside or not isinstance(node.value, str):
            return node
        return ast.copy_location(ast.Name(word(node.value), ast.Load()), node)


def _value(match: re.Match[str]) -> str | None:
    if match["module"]:
        return _modules().get(match[0])
    if match["exception"]:
        return (
            f'__rlm__["locals"]().get({match["exception"]!r}) or __rlm__["module"]("_exceptions").{match["exception"]}'
        )
    if match["text"] is not None:
        return repr(bytes.fromhex(match["text"]).decode("utf-8", "surrogatepass"))
    return repr(match["word"]) if match["word"] else f'__rlm__["{match["own"]}"]'


@cache
def _modules() -> dict[str, str]:
    return {module(name): f'__rlm__["module"]({name!r})' for name in modules.names()}
