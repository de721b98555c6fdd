"""Values as a checkpoint, the sandbox and JSON can all hold them: None, bool, int, float, str, list, dict."""

from __future__ import annotations

from typing import Any

from pydantic_core import to_jsonable_python

from langgraph_rlm.context.files import clean

MOST_INT = 2**63
"""Checkpoints hold whole numbers below this, and no others."""


def plain(value: object, lenient: bool = False) -> Any:
    """`value` as plain data: models, dataclasses, tuples, dates and the like become what JSON has for them.

    Raises:
        TypeError: Something in it is no data. Where this is `lenient`, it becomes its `str`.
    """
    try:
        return _cleaned(to_jsonable_python(value, fallback=str if lenient else None, inf_nan_mode="constants"))
    except (ValueError, RecursionError) as error:  # pydantic's own errors are ValueErrors
        if lenient:
            return clean(str(value))
        raise TypeError(f"this is no plain data: {error}") from None


def _cleaned(value: Any) -> Any:
    match value:
        case str():
            return clean(value)
        case int() if not isinstance(value, bool) and not -MOST_INT <= value < MOST_INT:
            return str(value)
        case list():
            return [_cleaned(item) for item in value]
        case dict():
            return {clean(str(key)): _cleaned(item) for key, item in value.items()}
    return value
