"""How a command ends: its exit status, what it says when it fails, and how its output is written."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import typer

from langgraph_rlm.cli.terminal import Signals, Stopped, harmless, own_stderr
from langgraph_rlm.cli.view import View, view_on
from langgraph_rlm.errors import ASKED, InvalidInput, RLMError

FAILED, MISUSED = 1, 2
"""Exit statuses: the run failed; it was not begun, since what was typed cannot be used."""


@contextmanager
def reported(quiet: bool = False, debug: bool = False) -> Iterator[tuple[View, Signals]]:
    """Runs the block with a view on standard error. What keeps it from its end ends the command, in one line there."""
    with own_stderr(shared=debug) as stream:
        view, signals = view_on(stream, quiet), Signals(stream)
        try:
            with signals.handled():
                yield view, signals
        except Stopped as stopped:
            view.stopped()
            raise typer.Exit(128 + stopped.number) from None
        except Exception as error:
            if debug:
                traceback.print_exc(file=stream)
            view.fail(_reason(error))
            raise typer.Exit(MISUSED if isinstance(error, InvalidInput) else FAILED) from error


def _reason(error: Exception) -> str:
    """What went wrong. Errors of others name their type, and what is behind them: often the only part that helps."""
    if isinstance(error, RLMError):
        return str(error)
    behind: BaseException = error
    while behind.__cause__ is not None:
        behind = behind.__cause__
    because = f" ({behind})" if str(behind) not in str(error) else ""
    asked = [f" {note}." for note in getattr(error, "__notes__", ()) if note.startswith(ASKED)]
    return f"{type(error).__name__}: {error}{because}{''.join(asked)}"


def print_answer(output: dict[str, Any], as_json: bool) -> None:
    """The output of a run on standard output: all of it as JSON, or the answer."""
    from langgraph_rlm.answers.values import as_text

    text = json.dumps(output, ensure_ascii=False, default=str) if as_json else as_text(output["answer"])
    write(harmless(text) if sys.stdout.isatty() else text)


def write(text: str) -> None:
    """A text on standard output, where somebody may have stopped reading."""
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        print(text, flush=True)
    except BrokenPipeError:
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
