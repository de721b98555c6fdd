"""Values as a checkpoint, the sandbox and JSON can all hold them: None, bool, int, float, str, list, dict."""

from __future__ import annotations

import json
from typing import Any

from pydantic_core import to_jsonable_python

from langgraph_rlm.context.files import clean

MOST_PARTS, MOST_CHARACTERS = 200_000, 20_000_000
"""Of a value that comes out of the sandbox, where parts of it may be the same: it is told how large it is by then."""
MOST_NESTED = 100
"""Lists and dicts in each other that checkpoints hold."""
MOST_INT = 2**63
"""Checkpoints hold whole numbers from minus this to below twice this, and no others."""


def plain(value: object, lenient: bool = False) -> Any:
    """`value` as plain data: models, dataclasses, tuples, dates and the like become what JSON has for them.

    Raises:
        TypeError: Something in it is no data, or it is nested too deeply. Where this is `lenient`, that becomes its
            `str`.
    """
    if not lenient:
        _measure(value)
    try:
        jsonable = to_jsonable_python(value, fallback=str if lenient else None, inf_nan_mode="constants")
        return _cleaned(jsonable, MOST_NESTED, lenient)
    except (ValueError, RecursionError) as error:  # pydantic's own errors are ValueErrors
        if lenient:
            return clean(str(value))
        raise TypeError(f"this is no plain data: {error}") from None


def as_text(answer: Any) -> str:
    """An answer as a str: as it is, or as JSON."""
    return answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False, default=str)


def _measure(value: object) -> None:
    """Raises `TypeError` where a value is too large, parts that stand in several places counted in each."""
    parts, characters, left = 0, 0, [value]
    while left:
        item = left.pop()
        parts += 1
        match item:
            case str() | bytes():
                characters += len(item)
            case list() | tuple() | set() | frozenset():
                left += item
            case dict():
                left += [*item.keys(), *item.values()]
        if parts + len(left) > MOST_PARTS or characters > MOST_CHARACTERS:
            raise TypeError(f"this has more than {MOST_PARTS:,} parts, or {MOST_CHARACTERS:,} characters")


def _cleaned(value: Any, room: int, lenient: bool) -> Any:
    if not room:
        raise ValueError("it is nested too deeply")
    match value:
        case str():
            return clean(value)
        case int() if not isinstance(value, bool) and not -MOST_INT <= value < 2 * MOST_INT:
            if not lenient:
                raise ValueError("a whole number has more than 64 bits")
            return str(value)
        case list():
            return [_cleaned(item, room - 1, lenient) for item in value]
        case dict():
            return {clean(str(key)): _cleaned(item, room - 1, lenient) for key, item in value.items()}
    return value
