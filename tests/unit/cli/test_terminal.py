"""What the command line writes to a terminal, and to what is none."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import textwrap
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langgraph_rlm.cli.story import Asking, ChildEnded, Ran, Wrote, cached_of
from langgraph_rlm.cli.terminal import Signals, Stopped, harmless, own_stderr
from langgraph_rlm.cli.view import MOST_LINES, View, spent, view_on


@given(st.text(st.characters()))
def test_text_steers_no_terminal(text: str) -> None:
    shown = harmless(text)
    assert {unicodedata.category(character) for character in shown if character not in "\n\t"}.isdisjoint({"Cc", "Cs"})
    shown.encode()


def test_text_keeps_its_lines_and_letters() -> None:
    assert harmless("été\tπ\r\n\x1b[31mred\x1b[0m\x07\r日本\u202e") == "été\tπ\n[31mred[0m\n日本"


def shown_by(*events: Wrote | Asking | ChildEnded | Ran, quiet: bool = False) -> str:
    stream = io.StringIO()
    view = view_on(stream, quiet)
    for event in events:
        view.tell(event)
    return stream.getvalue()


RAN = Ran(1, "print(P)", "", "[bold]one[/bold] :smile:\n" + "x" * 200, None, (), 0)


def test_stream_that_is_no_terminal_gets_plain_lines_unbroken_and_unstyled() -> None:
    shown = shown_by(Wrote(1, "print(P)"), RAN)
    assert shown == f"\nStep 1\n    print(P)\n  output\n    [bold]one[/bold] :smile:\n    {'x' * 200}\n"


def test_quiet_view_shows_no_steps_but_errors() -> None:
    assert shown_by(Wrote(1, "print(P)"), RAN, quiet=True) == ""
    stream = io.StringIO()
    view_on(stream, quiet=True).fail("no\nway")
    assert stream.getvalue() == "Error: no way\n"


def test_long_output_keeps_its_first_and_last_lines() -> None:
    output = "\n".join(map(str, range(1_000)))
    lines = shown_by(Ran(1, "", "", output, None, (), 0)).splitlines()
    assert len(lines) < MOST_LINES + 6
    assert "    0" in lines
    assert lines[-1] == "    999"
    assert "    … 985 more lines …" in lines


def test_line_of_output_without_end_is_cut() -> None:
    assert len(shown_by(Ran(1, "", "", "x" * 1_000_000, None, (), 0))) < 1_000


def test_fan_out_is_told_in_quarters() -> None:
    shown = shown_by(*(Asking(done, 40) for done in range(41)))
    assert shown.splitlines() == [f"  sub-calls: {done} of 40" for done in (0, 10, 20, 30)]


def test_single_prompt_is_no_fan_out() -> None:
    assert shown_by(Asking(0, 1), Asking(1, 1)) == ""


def test_failed_sub_calls_are_counted_and_the_first_ones_shown() -> None:
    shown = shown_by(Ran(1, "x = 1", "", "", None, tuple(f"no. {i}" for i in range(9)), 40))
    assert shown.splitlines() == [
        "  40 sub-calls, 9 of them failed",
        "  failed: no. 0",
        "  failed: no. 1",
        "  failed: no. 2",
    ]


def test_children_tell_what_they_answered() -> None:
    assert (
        shown_by(ChildEnded(2, 1, "\x1b]0;title\x07 four\n[red]"))
        == "  sub-call 3 (RLM, 1 step): ]0;title four [red]\n"
    )


def test_view_of_no_terminal_is_the_plain_one() -> None:
    assert type(view_on(io.StringIO(), quiet=False)) is View


def test_what_others_write_to_the_descriptors_goes_nowhere(capfd: pytest.CaptureFixture[str]) -> None:
    with own_stderr(shared=False) as stream:
        subprocess.run([sys.executable, "-c", "import os; os.write(1, b'noise'); os.write(2, b'noise')"], check=True)
        os.write(2, b"noise")
        print("mine", file=stream)
    os.write(1, b"out")
    os.write(2, b"err")
    assert capfd.readouterr() == ("out", "mine\nerr")


def test_descriptors_are_restored_after_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError), own_stderr(shared=False):
        _ = 1 / 0
    os.write(2, b"err")
    assert capfd.readouterr().err == "err"


def test_signal_raises_where_the_program_is_and_handlers_are_restored() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Stopped) as stopped, Signals(sys.stderr).handled():
        signal.raise_signal(signal.SIGTERM)
    assert stopped.value.number == signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is before


def test_signal_lets_a_running_task_clean_up_first() -> None:
    cleaned = []

    async def work() -> None:
        import asyncio

        try:
            signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(3_600)
        finally:
            await asyncio.sleep(0)
            cleaned.append(True)

    signals = Signals(sys.stderr)
    with pytest.raises(Stopped) as stopped, signals.handled():
        signals.run(work())
    assert stopped.value.number == signal.SIGINT
    assert cleaned


def test_large_file_is_told_in_tenths_where_there_is_no_bar() -> None:
    stream = io.StringIO()
    with view_on(stream, quiet=False).progress("Loading") as meter:
        for done in range(0, 1_000_000_001, 10_000_000):
            meter.show(done, 1_000_000_000)
    assert stream.getvalue().splitlines() == [f"Loading  {done:,} of 1,000 MB" for done in range(100, 1_001, 100)]


def test_second_signal_ends_a_program_that_hangs_while_it_cleans_up() -> None:
    program = """
        import asyncio, os, signal, sys
        from langgraph_rlm.cli.terminal import Signals

        async def work():
            while True:
                try:
                    os.kill(os.getpid(), signal.SIGINT)
                    await asyncio.sleep(3_600)
                except asyncio.CancelledError:
                    pass

        signals = Signals(sys.stderr)
        with signals.handled():
            signals.run(work())
        """
    ended = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, timeout=600)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, b"", b"")


def test_cached_tokens_are_told_where_there_are_any() -> None:
    usage: Any = {"m": {"input_tokens": 900, "output_tokens": 100, "total_tokens": 1000}}
    assert spent(1, 0, 1000, 2.0, cached_of(usage)) == "1 step, 0 sub-calls, 1,000 tokens, 2.0 s"
    usage["m"]["input_token_details"] = {"cache_read": 800}
    assert spent(1, 0, 1000, 2.0, cached_of(usage)) == "1 step, 0 sub-calls, 1,000 tokens (800 cached), 2.0 s"
