"""What the user sees of a run, on standard error: a transcript, and in a terminal a live region below it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console, ConsoleDimensions, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from langgraph_rlm.cli.story import Asking, ChildEnded, Event, Ran, Story, Wrote
from langgraph_rlm.cli.terminal import harmless

MOST_LINES = 16
"""Lines of code, and of output, that a step shows."""
MOST_COLUMNS = 400
"""Characters of a line that are shown."""
MOST_FAILURES = 3
"""Failed sub-calls of a step that are shown."""
LARGE = 100_000_000
"""Bytes from which on plain lines tell the progress of reading or fetching something."""
MOST_CHILDREN = 6
"""Child RLMs at work that the live region shows."""
REFRESHES = 8
"""Times a second that the live region is drawn."""


class View:
    """Shows a run as plain lines. `TerminalView` shows more; `quiet` shows warnings and errors only."""

    def __init__(self, console: Console, quiet: bool = False) -> None:
        self.console = console
        self.quiet = quiet
        self._thread: str | None = None

    def note(self, label: str, text: str) -> None:
        """A line about the run: `label` says what it is about."""
        if not self.quiet:
            self._print(Text.assemble((f"{label:<8} ", "bold"), harmless(text)))

    def kept(self, thread: str) -> None:
        """That the run is stored from now on, and where. Should it end without an answer, it says how to go on."""
        self._thread = thread
        self.note("Thread", thread)

    def done(self, text: str) -> None:
        """What a run has used that is over."""
        if not self.quiet:
            self._print(Text())
        self.note("Done", text)

    def warn(self, text: str) -> None:
        """A line that is also shown when the view is quiet."""
        self._print(Text.assemble(("Warning: ", "bold yellow"), one_line(text)))

    def fail(self, text: str) -> None:
        """Why there is no answer, on one line."""
        self._print(Text.assemble(("Error: ", "bold red"), one_line(text)))
        self._say_how_to_go_on()

    def stopped(self) -> None:
        """That somebody stopped the run."""
        self._print(Text("Stopped.", "bold"))
        self._say_how_to_go_on()

    def _say_how_to_go_on(self) -> None:
        if self._thread:
            self._print(Text.assemble(("Resume with: ", "bold"), f"langgraph-rlm resume {self._thread}"))

    @contextmanager
    def progress(self, label: str) -> Iterator[Meter]:
        """Shows for the block how many bytes of something are done."""
        yield Meter() if self.quiet else _Lines(self, label)

    @contextmanager
    def following(self, story: Story, begun: float) -> Iterator[None]:
        """Shows for the block what goes on in `story`, which has begun at that moment of the monotonic clock."""
        yield

    def tell(self, event: Event) -> None:
        """An event of the run, as lines that stay."""
        if self.quiet:
            return
        match event:
            case Wrote(step, code):
                self._print(Text(f"\nStep {step}", "bold"))
                self._code(_shortened(code))
            case Asking(done, total):
                self._fan_out(done, total)
            case ChildEnded(index, steps, answer):
                self._labelled(f"sub-call {index + 1} (RLM, {_count(steps, 'step')})", "cyan", one_line(answer, 120))
            case Ran():
                self._ran(event)

    def _ran(self, step: Ran) -> None:
        if not step.code:
            self._print(Text(f"\nStep {step.step}", "bold"))
            self._block("reply", "dim", step.reply)
        if step.subcalls:
            failed = f", {len(step.failures):,} of them failed" if step.failures else ""
            self._labelled(_count(step.subcalls, "sub-call") + failed, "yellow" if failed else "cyan")
        for failure in step.failures[:MOST_FAILURES]:
            self._labelled("failed", "yellow", one_line(failure, 200))
        if step.output:
            self._block("output", "green", step.output)
        if step.error:
            self._block("error", "red", step.error)

    def _fan_out(self, done: int, total: int) -> None:
        """A line when a call of several prompts begins, and at each quarter of it. The step's end tells its end."""
        if total > 1 and done < total and done % max(1, total // 4) == 0:
            self._labelled("sub-calls", "cyan", f"{done:,} of {total:,}")

    def _code(self, code: str) -> None:
        self._indented(Text(code))

    def _block(self, label: str, style: str, text: str) -> None:
        self._labelled(label, style)
        self._indented(Text(_shortened(text)))

    def _labelled(self, label: str, style: str, text: str = "") -> None:
        self._print(Text.assemble("  ", (label, style), f": {text}" if text else ""))

    def _indented(self, text: Text) -> None:
        self._print(Text("\n").join(Text("    ") + line for line in text.split()))

    def _print(self, text: RenderableType) -> None:
        self.console.print(text, soft_wrap=True)


class Meter:
    """Where a view is told how far something has come. This one does not tell."""

    def show(self, done: int, total: int) -> None:
        """`done` of `total` bytes."""


class _Lines(Meter):
    """A line at each tenth of something large."""

    def __init__(self, view: View, label: str) -> None:
        self._view, self._label, self._shown = view, label, 0

    def show(self, done: int, total: int) -> None:
        tenths = done * 10 // max(1, total)
        if total > LARGE and tenths != self._shown:
            self._shown = tenths
            self._view.note(self._label, f"{done / 1e6:,.0f} of {total / 1e6:,.0f} MB")


class TerminalView(View):
    """Shows a run in a terminal: progress bars, highlighted code, and a region that moves while the run does."""

    @contextmanager
    def progress(self, label: str) -> Iterator[Meter]:
        if self.quiet:
            yield Meter()
            return
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
        with Progress(*columns, console=self.console, transient=True, refresh_per_second=REFRESHES) as progress:
            yield _Bar(progress, progress.add_task(label, total=None))

    @contextmanager
    def following(self, story: Story, begun: float) -> Iterator[None]:
        if self.quiet:
            yield
            return
        region = _Region(story, begun)
        with Live(
            get_renderable=region.draw,
            console=self.console,
            refresh_per_second=REFRESHES,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        ):
            yield

    def done(self, text: str) -> None:
        super().done(text)
        if not self.quiet:
            self.console.print()  # the answer comes next, as a rule in the same terminal

    def _fan_out(self, done: int, total: int) -> None:
        """The live region has a bar for it."""

    def _code(self, code: str) -> None:
        syntax = Syntax(code, "python", theme="ansi_dark", background_color="default", word_wrap=True)
        self.console.print(Padding(syntax, (0, 0, 0, 4)))

    def _indented(self, text: Text) -> None:
        self.console.print(Padding(text, (0, 0, 0, 4)), overflow="fold")

    def _print(self, text: RenderableType) -> None:
        self.console.print(text, overflow="fold")


class _Bar(Meter):
    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress, self._task = progress, task

    def show(self, done: int, total: int) -> None:
        self._progress.update(self._task, completed=done, total=total)


class _Region:
    """The live region: what the root does, its fan-out as a bar, its children, and the totals."""

    def __init__(self, story: Story, begun: float) -> None:
        self._story = story
        self._begun = begun
        self._spinner = Spinner("dots", style="cyan")

    def draw(self) -> RenderableType:
        story = self._story
        rlms = list(story.rlms.items())
        root = next((rlm for namespace, rlm in rlms if not namespace), None)
        children = [(namespace, rlm) for namespace, rlm in rlms if namespace]
        doing = "begins" if root is None else f"step {root.step}: {root.doing}" if root.step else root.doing
        now = Table.grid(padding=(0, 1))
        now.add_row(self._spinner, Text(doing))
        lines: list[RenderableType] = [Text(), now]
        if root and root.asked:
            bar = Table.grid(padding=(0, 1))
            bar.add_row(
                Text("  sub-calls"),
                ProgressBar(root.asked, root.done, width=30),
                Text(f"{root.done:,} of {root.asked:,}"),
            )
            lines.append(bar)
        for namespace, rlm in children[:MOST_CHILDREN]:
            asked = f" {rlm.done:,} of {rlm.asked:,}" if rlm.asked else ""
            indent = "  " * len(namespace)
            lines.append(
                Text(f"{indent}RLM {rlm.index + 1}, step {rlm.step}: {rlm.doing}{asked}", "cyan", no_wrap=True)
            )
        if len(children) > MOST_CHILDREN:
            lines.append(Text(f"  and {len(children) - MOST_CHILDREN:,} more", "cyan"))
        totals = spent(story.steps, story.subcalls, story.tokens, time.monotonic() - self._begun)
        lines.append(Text(f"  {totals}", "dim", no_wrap=True))
        return Group(*lines)


class _Console(Console):
    """A console as wide as the terminal it writes to: rich asks descriptors 0 to 2, which may lead elsewhere."""

    @property
    def size(self) -> ConsoleDimensions:
        try:
            columns, lines = os.get_terminal_size(self.file.fileno())
        except (OSError, ValueError):
            return super().size
        return ConsoleDimensions(columns or 80, lines or 25)  # a new pseudo-terminal has none

    @size.setter
    def size(self, new_size: tuple[int, int]) -> None:
        raise NotImplementedError


def view_on(stream: TextIO, quiet: bool) -> View:
    """The view for a stream: a `TerminalView` where it is a terminal that can move the cursor."""
    console = _Console(file=stream, highlight=False, markup=False, emoji=False)
    if stream.isatty() and console.is_terminal and not console.is_dumb_terminal:
        return TerminalView(console, quiet)
    return View(console, quiet)


def spent(steps: int, subcalls: int, tokens: int, seconds: float, cached: int = 0) -> str:
    """What a run has used, in words; `cached` of the tokens came from a provider's cache."""
    of_cache = f" ({cached:,} cached)" if cached else ""
    used = f"{_count(steps, 'step')}, {_count(subcalls, 'sub-call')}, {_count(tokens, 'token')}{of_cache}"
    return f"{used}, {seconds:,.1f} s"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + "s" * (number != 1)


def one_line(text: str, most: int = MOST_COLUMNS) -> str:
    """The text without line breaks and control characters, cut where it is longer than that."""
    line = " ".join(harmless(text).split())
    return line if len(line) <= most else f"{line[:most]} …"


def _shortened(text: str) -> str:
    """The text without control characters; of many lines the first and last ones, of long lines the beginning."""
    lines = harmless(text).expandtabs(4).strip("\n").split("\n")
    if len(lines) > MOST_LINES:
        left_out = len(lines) - MOST_LINES + 1
        lines = [*lines[: MOST_LINES - 4], f"… {left_out:,} more lines …", *lines[-3:]]
    return "\n".join(line if len(line) <= MOST_COLUMNS else f"{line[:MOST_COLUMNS]} …" for line in lines)
