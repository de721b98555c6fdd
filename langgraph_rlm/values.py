"""Values as a checkpoint, the sandbox and JSON can all hold them: None, bool, int, float, str, list, dict."""

from __future__ import annotations

from typing import Any

from pydantic_core import to_jsonable_python

from langgraph_rlm.context.files import clean

MOST_NESTED = 100
"""Lists and dicts in each other that checkpoints hold."""
MOST_INT = 2**63
"""Checkpoints hold whole numbers below this, and no others."""


def plain(value: object, lenient: bool = False) -> Any:
    """`value` as plain data: models, dataclasses, tuples, dates and the like become what JSON has for them.

    Raises:
        TypeError: Something in it is no data, or it is nested too deeply. Where this is `lenient`, that becomes its
            `str`.
    """
    try:
        jsonable = to_jsonable_python(value, fallback=str if lenient else None, inf_nan_mode="constants")
        return _cleaned(jsonable, MOST_NESTED)
    except (ValueError, RecursionError) as error:  # pydantic's own errors are ValueErrors
        if lenient:
            return clean(str(value))
        raise TypeError(f"this is no plain data: {error}") from None


def _cleaned(value: Any, room: int) -> Any:
    if not room:
        raise ValueError("it is nested too deeply")
    match value:
        case str():
            return clean(value)
        case int() if not isinstance(value, bool) and not -MOST_INT <= value < MOST_INT:
            return str(value)
        case list():
            return [_cleaned(item, room - 1) for item in value]
        case dict():
            return {clean(str(key)): _cleaned(item, room - 1) for key, item in value.items()}
    return value
