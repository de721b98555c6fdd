"""What cells print here and in CPython."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from typing import Any

from tests.fakes import run


def print_the_same(*cells: str) -> None:
    """Runs cells one after the other, here and there: none fails, and what they print is the same."""
    printed, names = io.StringIO(), dict[str, Any](__name__="__main__")
    with redirect_stdout(printed):
        for cell in cells:
            exec(compile(cell, "<program>", "exec", dont_inherit=True), names)
    ran = run(*cells, "Final = 1")
    assert ran.errors == [None] * (len(cells) + 1)
    assert "".join(ran.outputs) == printed.getvalue()
