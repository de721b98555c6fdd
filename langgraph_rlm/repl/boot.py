"""The host's own code in the sandbox: what starts a REPL, and what reads it between cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from langgraph_rlm.repl.cells import Variable

PRELUDE = "\n".join(Path(__file__).with_name(name).read_text() for name in ("answers.py", "prelude.py"))
NAMES = [
    *("P", "context", "ctx", "peek", "tail", "lenP", "llm_query", "llm_batch", "llm_query_batched", "rlm_query"),
    *("rlm_query_batched", "ask", "ask_chunks", "ask_chunks_first", "pick_first_answer", "extract_after"),
    *("SHOW_VARS", "FINAL", "FINAL_VAR", "re", "json", "math", "collections", "itertools", "datetime"),
]
"""The names of the REPL: what a cell overwrites of them is restored when it ends."""
OTHER_NAMES = ["context_0", "answer"]
"""Names that some dialects have besides."""
BUILTINS = ["map", "filter", "sorted", "min", "max"]
"""Built-ins that the prelude replaces. A cell may use these names for its own variables."""
OF_THE_TEXT = ["P", "context", "context_0", "ctx"]
"""Names that mean another text's when that becomes the text."""
SURVEY = "__rlm__['survey'](__rlm__, __rlm__['locals'](), {!r})"
MOST_NAME = 60
"""Characters of a variable's name or type that the model is shown."""


def booting(names: Sequence[str]) -> str:
    """Starts a REPL that has these names."""
    return "\n".join(
        [
            '__rlm__ = {"_host": _host, "P": P, "metadata": _metadata, "locals": locals}',
            '__rlm__["names"], __rlm__["builtin_names"] = _names, _builtin_names',
            "exec(_prelude, __rlm__)",
            *binding([*names, *BUILTINS]),
            "_host = _metadata = _prelude = _names = _builtin_names = None",
        ]
    )


def rebinding(names: Sequence[str]) -> str:
    """Makes `P` the text of a REPL that has these names."""
    of_the_text = binding([name for name in names if name in OF_THE_TEXT])
    return "\n".join(['__rlm__["rebind"](__rlm__, P, _metadata)', *of_the_text, "_metadata = None"])


def binding(names: Sequence[str]) -> list[str]:
    """Gives cells these names of the prelude."""
    return [f'{name} = __rlm__["{name}"]' for name in names]


@dataclass(frozen=True)
class Left:
    """What the prelude's `survey` says of a finished cell."""

    variables: tuple[Variable, ...]
    overwritten: tuple[str, ...]
    answer: tuple[Any, ...]
    missing: str | None


class Unreadable(Exception):
    """The cell has tampered with what reads it."""


def left_by(value: object) -> Left:
    """The survey as it comes out of the sandbox, where code may have replaced it by anything."""
    match value:
        case {
            "variables": list(variables),
            "overwritten": list(overwritten),
            "answer": list(answer),
            "missing": (str() | None) as missing,
        } if set(overwritten) <= {*NAMES, *OTHER_NAMES} and all(map(_is_variable, variables)):
            named = tuple(Variable(name[:MOST_NAME], kind[:MOST_NAME], size) for name, kind, size in variables)
            return Left(named, tuple(overwritten), tuple(answer), missing and missing[:MOST_NAME])
    raise Unreadable("the REPL's own functions were overwritten")


def _is_variable(value: object) -> bool:
    match value:
        case [str(), str(), int() | None]:
            return True
    return False
