"""What to write instead, where the sandbox's Python lacks something.

Monty is a Python of its own; where code meets a gap, the error alone sends a model in circles. Each entry pairs a
pattern of the error with the advice that follows it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from langgraph_rlm.repl.python.answers import TOO_LONG

_MODULES = {
    "multiprocessing": "use llm_batch(prompts): it asks in parallel",
    "enum": "use plain strings",
    "numpy": "use lists, sum, min and max",
    "pandas": "use lists of dicts and collections.Counter",
    "os": "there are no files: the text is P",
    "pathlib": "there are no files: the text is P",
    "subprocess": "there is no system here: work on P with Python",
    "requests": "there is no network here: the text is P",
    "traceback": "use print(error)",
}

ENDING = "what ends a run, as the dialect has it"
_GAPS: list[tuple[str, str]] = [
    (r"yield expression", "collect the items in a list and return it"),
    (r"the 'del' statement", "assign a new value instead, use d.pop(key), or rebuild the list without the item"),
    (
        r"class inheritance",
        "write a class without bases, or plain functions and dicts; raise ValueError or RuntimeError",
    ),
    (
        r"cannot suspend in this synchronous context",
        "call it in a for loop or a list comprehension, and use the results",
    ),
    (r"name '(globals|vars|dir)' is not defined", "use SHOW_VARS()"),
    (r"name 'callable' is not defined", "call it and catch TypeError"),
    (r"method decorators|name '(property|staticmethod|classmethod|super)' is not defined", "use plain functions"),
    (r"name '(exit|quit)' is not defined", ENDING),
    (r"name 'input' is not defined", "nobody can answer here: the text is P"),
    (r"name '__import__' is not defined", "use an import statement"),
    (r"object is not an iterator", "generator expressions are lists here: index them or loop over them"),
    (r"can only concatenate list \(not", "use xs.extend(more), or xs + list(more)"),
    (r"exceptions can only be called with", "make exceptions of one text, as in kind(str(value))"),
    (r"has no attribute 'utcnow'", "use datetime.datetime.now()"),
]


_HINTS: list[tuple[str, str]] = [
    (
        r"^KeyError: ",
        "Not every record has that key: ask `if 'key' in row` first. Records share values: search by those.",
    ),
    (r"IndexError: list index out of range", "The list is shorter, or empty. Print it before you take an item of it."),
    (r"'NoneType' object has no attribute", "The search found nothing. Print the text there and correct the pattern."),
    (
        TOO_LONG,
        "Search the text with code, and ask about what you find, or about smaller pieces.",
    ),
    (r"Max limit for backtracking", "The pattern tries too many ways: no (a+)+ in it, and search line by line."),
    (r"JSONDecodeError: Extra data", "There are several JSON values: json.loads(line) for each line."),
]
"""Errors that any Python has, and that a small model repeats until it is told what to look at."""


def advice(error: str, ending: str) -> str | None:
    """What to write instead of that which raised `error`, or to look at; None where there is no advice.

    `ending` is what to write to end the run.
    """
    for pattern, instead in _GAPS:
        if re.search(pattern, error):
            return f"This Python lacks that: {ending if instead is ENDING else instead}."
    for pattern, hint in _HINTS:
        if re.search(pattern, error, re.M):
            return hint
    return None


def unshadowed(names: Sequence[str]) -> str:
    """What is said where code calls built-ins that it has made variables."""
    renamed = ", ".join(
        f"`{name}` is the built-in again, and your variable of that name is `{name}_`" for name in names
    )
    return f"You had made it a variable. Now {renamed}."


def module_missing(name: str) -> str:
    """The message of the error that importing a module raises where there is none."""
    instead = _MODULES.get(name.partition(".")[0], "use re, json, math, collections, itertools and datetime")
    return f"No module named {name!r} here: {instead}."
