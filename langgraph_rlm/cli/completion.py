"""What the shell may complete, and how little that takes."""

from __future__ import annotations

import re
from contextlib import suppress
from textwrap import shorten
from typing import Any

from typer.core import TyperCommand

MOST_HELP = 45
"""Characters that stand beside an option or a thread, as typer has it for commands: some shells take a second line for
one more word to complete."""
_MARKS = re.compile(r"[^\w .,?-]+")
"""What may mean something to a shell, or to rich."""


class Command(TyperCommand):
    """A command that is quick to complete.

    Where the shell only asks what may follow some words, they stay as they were typed: to make values of them takes
    longer than all else, since typer imports pydantic for it.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not ctx.resilient_parsing:
            return super().parse_args(ctx, args)
        typed, rest, _ = self.make_parser(ctx).parse_args(args=args)
        for parameter in self.get_params(ctx):
            ctx.params[parameter.name], source = parameter.consume_value(ctx, typed)
            ctx.set_parameter_source(parameter.name, source)
        ctx.args = rest
        return rest

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        found = super().shell_complete(ctx, incomplete)
        for option in found:
            option.help = _short(option.help or "")
        return found


def thread_names(incomplete: str) -> list[tuple[str, str]]:
    """The threads whose names begin so, the last ones, each with its question."""
    with suppress(Exception):  # without runs, or with a file that cannot be read, there is nothing to complete
        from langgraph_rlm.cli.runs import named, state_folder

        found = named(state_folder(), incomplete)
        return [(thread, _short(_MARKS.sub(" ", question))) for thread, question in found]
    return []


def _short(text: str) -> str:
    return shorten(text, MOST_HELP, placeholder="...")
