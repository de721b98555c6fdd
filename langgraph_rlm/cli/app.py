"""The commands: their arguments, and what each does with them.

A command imports what it does when it is called, and not before: whoever asks for `--help`, presses Tab or has mistyped
an option does not wait for LangGraph. Nor are annotations postponed here: typer would evaluate each of them twice.
"""

import sys
import time
from dataclasses import fields, replace
from typing import Annotated, Any, get_args

import typer

from langgraph_rlm.cli import help
from langgraph_rlm.cli.completion import Command, thread_names
from langgraph_rlm.cli.request import Request, Settings
from langgraph_rlm.errors import InvalidInput
from langgraph_rlm.routes.profiles import Profile
from langgraph_rlm.settings import DialectName, VoiceName

DAY = 86_400
"""Seconds."""

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={
        "help_option_names": ["-h", "--help"],
        # A flag that is not given is None, and typer imports pydantic to make a bool of it.
        "default_map": dict.fromkeys(("help", "install_completion", "show_completion"), False),
    },
)


def main() -> None:
    """Runs the command line of this process."""
    app(prog_name="langgraph-rlm")


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            typer.echo(f"langgraph-rlm {version('langgraph-rlm')}")
        except PackageNotFoundError:
            typer.echo("langgraph-rlm, not installed: run from its source")
        raise typer.Exit


@app.callback()
def langgraph_rlm(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Ask questions about texts of any length: a language model writes code that reads them."""


def _option(text: str, *names: str, panel: str | None = None, **settings: Any) -> Any:
    shown = settings.pop("show_default", False)
    return typer.Option(*names, help=text, rich_help_panel=panel, show_default=shown, **settings)


def _limit(text: str, metavar: str = "N", **settings: Any) -> Any:
    return _option(text, panel="Limits", metavar=metavar, **settings)


Json = Annotated[bool, _option(help.JSON, "--json", panel="Output")]
Quiet = Annotated[bool, _option(help.QUIET, "--quiet", "-q", panel="Output")]
Debug = Annotated[bool, _option(help.DEBUG, "--debug", panel="Output")]


@app.command(cls=Command, help=help.ASK, epilog=help.EXAMPLES)
def ask(
    typed: typer.Context,
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="What is to be answered.", show_default=False)],
    context: Annotated[list[str] | None, _option(help.CONTEXT, "--context", "-c", metavar="PATH")] = None,
    model: Annotated[str | None, _option(help.MODEL, "--model", "-m", metavar="PROVIDER:NAME")] = None,
    sub_model: Annotated[str | None, _option(help.SUB_MODEL, metavar="PROVIDER:NAME")] = None,
    profile: Annotated[
        Profile, _option(help.PROFILE, metavar="|".join(get_args(Profile)), show_default=True)
    ] = Settings.profile,
    instructions: Annotated[str | None, _option(help.INSTRUCTIONS, metavar="TEXT")] = None,
    dialect: Annotated[
        DialectName, _option(help.DIALECT, metavar="|".join(get_args(DialectName)), show_default=True)
    ] = Settings.dialect,
    voice: Annotated[
        VoiceName, _option(help.VOICE, metavar="|".join(get_args(VoiceName)), show_default=True)
    ] = Settings.voice,
    schema: Annotated[str | None, _option(help.SCHEMA, metavar="FILE")] = None,
    thread: Annotated[
        str | None, _option(help.THREAD, "--thread", metavar="THREAD", autocompletion=thread_names)
    ] = None,
    ephemeral: Annotated[bool, _option(help.EPHEMERAL, "--ephemeral")] = False,
    max_depth: Annotated[int, _limit(help.DEPTH, min=0, show_default=True)] = Settings.max_depth,
    max_steps: Annotated[int, _limit(help.STEPS, min=1, show_default=True)] = Settings.max_steps,
    max_subcalls: Annotated[int, _limit(help.SUBCALLS, min=0, show_default=True)] = Settings.max_subcalls,
    max_tokens: Annotated[int | None, _limit(f"{help.TOKENS} {help.UNLIMITED}", min=1)] = None,
    max_seconds: Annotated[float | None, _limit(f"{help.SECONDS} {help.UNLIMITED}", min=0)] = None,
    max_concurrency: Annotated[
        int, _limit("Model calls at once.", min=1, show_default=True)
    ] = Settings.max_concurrency,
    timeout: Annotated[
        float | None, _limit(f"Seconds that a cell may compute. {help.GROWS}", min=0.01)
    ] = Settings.timeout,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    from langgraph_rlm.cli.ask import answer
    from langgraph_rlm.cli.outcome import print_answer, reported
    from langgraph_rlm.cli.reading import read_schema
    from langgraph_rlm.cli.runs import Runs, state_folder

    limits = (max_depth, max_steps, max_subcalls, max_tokens, max_seconds, max_concurrency, timeout)
    with reported(quiet, debug) as (view, signals):
        form = read_schema(schema) if schema else None
        settings = Settings(model, sub_model, profile, instructions, *limits, dialect, voice, form)
        if ephemeral and thread is not None:
            raise InvalidInput("--thread asks on a thread that is kept: leave --ephemeral out.")
        runs = None if ephemeral else Runs(state_folder())
        earlier = runs.idle(thread) if runs and thread is not None else None
        if earlier:
            settings = replace(earlier.settings, **_given(typed, settings))
        output = answer(Request(question, context or [], settings), view, signals, runs, earlier)
    print_answer(output, as_json)


def _given(typed: typer.Context, settings: Settings) -> dict[str, Any]:
    """The settings that stand on the command line."""
    names = {field.name for field in fields(Settings)}
    sources = {name: typed.get_parameter_source(name) for name in names}
    return {name: getattr(settings, name) for name, source in sources.items() if source and source.name != "DEFAULT"}


@app.command(cls=Command, help=help.RESUME)
def resume(
    thread: Annotated[
        str, typer.Argument(metavar="THREAD", help=help.BEGINNING, show_default=False, autocompletion=thread_names)
    ],
    max_steps: Annotated[int | None, _limit(f"{help.STEPS} {help.AS_IT_WAS}", min=1)] = None,
    max_subcalls: Annotated[int | None, _limit(f"{help.SUBCALLS} {help.AS_IT_WAS}", min=0)] = None,
    max_tokens: Annotated[int | None, _limit(f"{help.TOKENS} {help.AS_IT_WAS}", min=1)] = None,
    max_seconds: Annotated[float | None, _limit(f"{help.SECONDS} {help.AS_IT_WAS}", min=0)] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    from langgraph_rlm.cli.ask import go_on
    from langgraph_rlm.cli.outcome import print_answer, reported
    from langgraph_rlm.cli.runs import Runs, state_folder

    limits = {
        "max_steps": max_steps,
        "max_subcalls": max_subcalls,
        "max_tokens": max_tokens,
        "max_seconds": max_seconds,
    }
    given = {name: limit for name, limit in limits.items() if limit is not None}
    with reported(quiet, debug) as (view, signals):
        output = go_on(thread, given, view, signals, Runs(state_folder()))
    print_answer(output, as_json)


@app.command(cls=Command, help=help.RUNS)
def runs(
    limit: Annotated[int, _option(help.MOST_RUNS, metavar="N", min=1, show_default=True)] = 20,
    as_json: Annotated[bool, _option(help.RUNS_JSON, "--json")] = False,
) -> None:
    from langgraph_rlm.cli import listing
    from langgraph_rlm.cli.outcome import reported, write
    from langgraph_rlm.cli.runs import Runs, state_folder

    with reported():
        kept = Runs(state_folder())
        newest, total = kept.newest(limit), kept.count()
    if as_json:
        write(listing.as_json(newest))
    elif newest:
        write(listing.table(newest, sys.stdout))
    typer.echo(listing.summary(len(newest), total, kept), err=True)


@app.command(cls=Command, help=help.FORGET)
def forget(
    threads: Annotated[
        list[str] | None, typer.Argument(metavar="THREAD", help=help.FORGOTTEN, autocompletion=thread_names)
    ] = None,
    older_than: Annotated[float | None, _option(help.OLDER_THAN, metavar="DAYS", min=0)] = None,
) -> None:
    from langgraph_rlm.cli import listing
    from langgraph_rlm.cli.outcome import reported, write
    from langgraph_rlm.cli.runs import Runs, state_folder
    from langgraph_rlm.cli.view import one_line

    with reported():
        if bool(threads) == (older_than is not None):
            raise InvalidInput("Name threads, or give --older-than DAYS.")
        kept = Runs(state_folder())
        if older_than is None:
            chosen = {run.thread: run for run in map(kept.idle, threads or [])}
        else:
            before = time.time() - older_than * DAY
            chosen = {run.thread: run for run in kept.older_than(before) if run.status != "running"}
        size = kept.size()
        kept.forget(list(chosen))
        freed = size - kept.size()
    for run in chosen.values():
        write(f"{run.thread}  {one_line(run.question)}")
    typer.echo(f"{len(chosen):,} forgotten, {listing.megabytes(max(0, freed))} given back.", err=True)


@app.command(cls=Command, help=help.MCP, epilog=help.MCP_EXAMPLES)
def mcp(
    http: Annotated[int | None, _option(help.HTTP, "--http", metavar="PORT", min=1, max=65_535)] = None,
    root: Annotated[list[str] | None, _option(help.ROOT, "--root", metavar="FOLDER")] = None,
    model: Annotated[str | None, _option(help.MODEL, "--model", "-m", metavar="PROVIDER:NAME")] = None,
    sub_model: Annotated[str | None, _option(help.SUB_MODEL, metavar="PROVIDER:NAME")] = None,
    instructions: Annotated[str | None, _option(help.INSTRUCTIONS, metavar="TEXT")] = None,
    max_depth: Annotated[int, _limit(help.DEPTH, min=0, show_default=True)] = Settings.max_depth,
    max_steps: Annotated[int, _limit(help.STEPS, min=1, show_default=True)] = Settings.max_steps,
    max_subcalls: Annotated[int, _limit(help.SUBCALLS, min=0, show_default=True)] = Settings.max_subcalls,
    max_tokens: Annotated[int | None, _limit(f"{help.TOKENS} {help.UNLIMITED}", min=1)] = None,
    max_seconds: Annotated[float | None, _limit(f"{help.SECONDS} {help.UNLIMITED}", min=0)] = None,
    debug: Debug = False,
) -> None:
    from langgraph_rlm.cli.mcp import serve
    from langgraph_rlm.cli.outcome import reported
    from langgraph_rlm.cli.terminal import own_stdout

    limits = (max_depth, max_steps, max_subcalls, max_tokens, max_seconds)
    with own_stdout(), reported(quiet=True, debug=debug) as (view, _):
        serve(Settings(model, sub_model, "auto", instructions, *limits), root or ["."], http, view)


@app.command(cls=Command, help=help.DEMO)
def demo(debug: Debug = False) -> None:
    from langgraph_rlm.cli.ask import answer
    from langgraph_rlm.cli.demo import QUESTION, expected, request
    from langgraph_rlm.cli.outcome import FAILED, print_answer, reported

    python = sys.version.split()[0]
    typer.echo(f"{QUESTION}\nP is the source of Python {python}'s standard library.\n", err=True)
    with reported(debug=debug) as (view, signals):
        output = answer(request(), view, signals)
    print_answer(output, as_json=False)
    right = expected()
    if str(output["answer"]).strip() != str(right):
        typer.echo(f"Wrong: plain Python counts {right:,}.", err=True)
        raise typer.Exit(FAILED)
    typer.echo(f"Right: plain Python counts {right:,} too.", err=True)
