"""Reading code as CPython reads it."""

from __future__ import annotations

import gc
import weakref

import pytest

from langgraph_rlm.repl import syntax


class Held:
    """Something of who reads a text."""


@pytest.mark.parametrize("text", ["It is not Python.", "(" * 10_000, "é" * (syntax.MOST_CODE + 1), "x = '\0'"])
@pytest.mark.parametrize("is_while_another_is_handled", [False, True])
def test_text_that_is_no_python_keeps_nothing_of_who_read_it(text: str, is_while_another_is_handled: bool) -> None:
    def reader() -> weakref.ref[Held]:
        held = Held()
        if not is_while_another_is_handled:
            assert syntax.statements(text) == []
            return weakref.ref(held)
        try:
            raise ValueError(held)
        except ValueError:
            assert syntax.statements(text) == []
        return weakref.ref(held)

    syntax.read.cache_clear()
    kept = reader()
    gc.collect()
    assert kept() is None
    assert syntax.read(text).failure is not None
