"""The host's own code in the sandbox: what starts a REPL, and what reads it between cells."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

from langgraph_rlm.answers.values import MOST_INT
from langgraph_rlm.repl.cells import Variable
from langgraph_rlm.repl.passed import Passed, passed_of

SOURCES = ("answers", "prelude", "reading")
PRELUDE = "\n".join(Path(__file__).with_name("python").joinpath(f"{name}.py").read_text("utf-8") for name in SOURCES)
NAMES = [
    *("P", "context", "context_0", "ctx", "peek", "tail", "lenP", "llm_query", "llm_batch", "llm_query_batched"),
    *("rlm_query", "rlm_query_batched", "ask", "ask_chunks", "ask_chunks_first", "pick_first_answer", "extract_after"),
    *("read_all", "llm_map", "compact", "grep", "budget"),
    *("cite", "SHOW_VARS", "FINAL", "FINAL_VAR", "re", "json", "math", "collections", "itertools", "datetime"),
]
"""The names of the REPL. A cell may use them for its own, but for those without which it has no text and no models."""
PROTECTED = ["P", "ctx", "llm_query", "llm_batch", "llm_query_batched", "llm_map", "rlm_query", "rlm_query_batched"]
"""What a cell overwrites of these is restored when it ends; so are its tools."""
OCCASIONAL = ["answer", "tool_batch"]
"""Names that some REPLs have besides, by their dialect and their tools."""
BUILTINS = ["map", "filter", "sorted", "min", "max", "round", "callable", "issubclass", "vars", "ascii"]
"""Built-ins that the prelude replaces, and those that Monty does not have."""
BOOT = "\n".join(
    [
        '__rlm__ = {"_host": _host, "_at": _at, "P": "", "metadata": [], "names": _names}',
        '__rlm__["builtin_names"] = _builtin_names',
        '__rlm__["locals"] = locals',
        "exec(_prelude, __rlm__)",
        *(f'{name} = __rlm__["{name}"]' for name in [*NAMES, *BUILTINS]),
        "_host = _at = _prelude = _names = _builtin_names = None",
    ]
)
"""Makes a fresh session a REPL over no text."""
LOAD = "__rlm__['module']({!r})"
"""Loads a module of the sandbox's own Python."""
BIND = """\
if context is __rlm__["P"]:
    context = P
if context_0 is __rlm__["P"]:
    context_0 = P
__rlm__["rebind"](__rlm__, P, _metadata)
P = __rlm__["P"]
ctx = __rlm__["ctx"]
_metadata = None
"""
"""Makes `P` the text, whatever it was before."""
TOOL = """\
if "{name}" not in __rlm__["tools"]:
    {name} = __rlm__["tool"]("{name}")
"""
"""Makes a tool a function of the REPL."""
TOOL_BATCH = """\
if "tool_batch" not in __rlm__["names"]:
    __rlm__["names"].append("tool_batch")
    tool_batch = __rlm__["tool_batch"]
"""
PROPERTIES = "__rlm__['properties']()"
"""The names of the properties that classes of its cells have."""
MISSING = "__rlm__['missing'](_wanted, __rlm__['locals']())"
"""Which of the modules and names in `_wanted` cannot be had."""
DATA = "__rlm__['data'](__rlm__, __rlm__['locals']())"
RESTORE = '{name} = {{**__rlm__, **__rlm__["tools"]}}["{name}"]'
SURVEY = "__rlm__['survey'](__rlm__, __rlm__['locals'](), {!r}, {!r})"
SURVEY_AND_RESET = f"__rlm__['surveyed'] = {SURVEY}\nFinal = __rlm__['unset']\n__rlm__['surveyed']"
"""For the dialect that ends a run by `Final`, which is forgotten at once."""
UNSHADOW = '{name}_, {name} = {name}, __rlm__["builtin"](__rlm__, "{name}")'
"""Gives a built-in its name back; the variable that had it has an underscore more."""
MOST_NESTED = 101
"""Lists in lists of an answer, the one around it among them: one more than the prelude allows."""
MOST_NAME, MOST_PROBLEM = 60, 300
"""Characters of a variable's name or type, and of what is wrong with its ending, that the model is shown."""


@dataclass(frozen=True)
class Survey:
    """What the prelude's `survey` says of a finished cell."""

    variables: tuple[Variable, ...]
    overwritten: tuple[str, ...]
    answer: tuple[Any, ...]
    problem: str | None
    cited: tuple[tuple[int, int], ...] = ()
    """Start and end of what it quoted of the text."""
    unshadowed: tuple[str, ...] = ()
    own_builtins: tuple[str, ...] = ()
    """Built-ins that it could not call any more, since they had become variables: they are built-ins again."""
    passed: tuple[Passed, ...] = ()
    """Exceptions that passed a `try` or a `with`, the last one last."""


class Unreadable(Exception):
    """The cell has tampered with what reads it."""

    def __init__(self) -> None:
        super().__init__("the REPL's own functions were overwritten")


def survey_of(value: object, names: Collection[str]) -> Survey:
    """The survey as it comes out of the sandbox, where code may have replaced it by anything.

    `names` are those of the REPL; it may have others, of tools that are not there any more.
    """
    match value:
        case {
            "variables": list(variables),
            "overwritten": list(overwritten),
            "answer": list(answer),
            "problem": (str() | None) as problem,
            "cited": cited,
            "passed": passed,
        } if all(map(_is_variable, variables)) and all(map(_is_name, overwritten)) and _is_storable(answer):
            named = tuple(Variable(name[:MOST_NAME], kind[:MOST_NAME], size) for name, kind, size in variables)
            restored = tuple(name for name in names if name in overwritten)
            places = [(start, end) for start, end in cited] if _are_places(cited) else []
            problem = problem and problem[:MOST_PROBLEM]
            return Survey(named, restored, tuple(answer), problem, tuple(places), passed=passed_of(passed))
    raise Unreadable


def data_of(value: object) -> dict[str, Any]:
    """The prelude's `data` as it comes out of the sandbox, where code may have replaced it too."""
    if isinstance(value, dict) and "__rlm__" not in value and all(map(_is_name, value)):
        return value
    raise Unreadable


def missing_of(value: object) -> set[tuple[str, str]]:
    """The prelude's `missing` as it comes out of the sandbox. What code has tampered with says that all is there."""
    found = set[tuple[str, str]]()
    for pair in value if isinstance(value, list) else []:
        match pair:
            case [str(module), str(name)]:
                found.add((module, name))
    return found


def names_of(value: object) -> frozenset[str]:
    """Names as they come out of the sandbox; those of bases have `()` at their end."""
    names = [name for name in value if isinstance(name, str)] if isinstance(value, list) else []
    return frozenset(name for name in names if _is_name(name.removesuffix("()")))


def _is_name(value: object) -> bool:
    return isinstance(value, str) and value.isidentifier()


def _are_places(value: object) -> TypeGuard[list[list[int]]]:
    return isinstance(value, list) and all(
        isinstance(place, list) and len(place) == 2 and all(map(_is_number, place)) for place in value
    )


def _is_variable(value: object) -> bool:
    match value:
        case [str(), str(), size]:
            return size is None or _is_number(size)
    return False


def _is_number(value: object) -> bool:
    return type(value) is int and -MOST_INT <= value < MOST_INT


def _is_storable(value: object, depth: int = 0) -> bool:
    """Whether a checkpoint can hold it: what `answer_of` of `_ending` makes of any answer, a list around it."""
    match value:
        case None | bool() | float() | str():
            return True
        case int():
            return -MOST_INT <= value < 2 * MOST_INT
        case list() if depth < MOST_NESTED:
            return all(_is_storable(item, depth + 1) for item in value)
        case dict() if depth < MOST_NESTED:
            return all(_is_storable(part, depth + 1) for pair in value.items() for part in pair)
    return False
