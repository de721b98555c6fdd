"""The commands: arguments, exit statuses, and what goes to which stream."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any, get_args

import typer

from langgraph_rlm.cli.ask import Request, answer
from langgraph_rlm.cli.demo import QUESTION, expected
from langgraph_rlm.cli.demo import request as demo_request
from langgraph_rlm.cli.terminal import Signals, Stopped, harmless, own_stderr
from langgraph_rlm.cli.view import view_on
from langgraph_rlm.errors import InvalidInput, RLMError
from langgraph_rlm.settings import Limits, Profile, Router, Sandbox

FAILED, MISUSED = 1, 2
"""Exit statuses: the run failed; it was not begun, since what was typed cannot be used."""

OUTPUT = "Output"
ASK = (
    "Answer QUESTION about the texts at --context, of any size.\n\n"
    "The answer goes to standard output, all else to standard error. The exit status is 0 with an answer, 1 after a "
    "failed run, and 2 when the arguments cannot be used."
)
EXAMPLES = """\
Examples:

  langgraph-rlm ask "Which module defines the retry policy?" -c src

  langgraph-rlm ask "How many requests failed?" -c "logs/**/*.log" --json

  git log -p | langgraph-rlm ask "Why did the timeout change?" -c -
"""
CONTEXT = "What to read: a file, a folder, a glob, or - for standard input. May be given several times."
MODEL = (
    "Writes the code: a model as LangChain's init_chat_model names it, or 'local'. Default: the first of "
    "LANGGRAPH_RLM_MODEL, a provider whose key is set, a running Ollama, and 'local' (1.1 GB, fetched once)."
)
SUB_MODEL = "Answers what the code asks. Default: the same model."
PROFILE = "direct: one model call; rlm: code reads the text; auto: by its size."
DEPTH = "0: no sub-calls; 1: plain ones; 2: sub-calls that may be RLMs themselves."
JSON = "Print one JSON object: the answer and what it took."
DEBUG = "Show tracebacks, and what libraries write."
DEMO = (
    "Ask the local model about the Python standard library's own source, and check its answer.\n\n"
    "That is about 30 MB, some 8 million tokens: a thousand times what this model can read. It is fetched on first use "
    "(1.1 GB), and runs on this machine alone. The exit status is 1 when the answer is wrong."
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Runs the command line of this process."""
    app(prog_name="langgraph-rlm")


def _print_version(wanted: bool) -> None:
    if wanted:
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


def _option(*names: str, panel: str | None = None, **settings: Any) -> Any:
    return typer.Option(*names, rich_help_panel=panel, show_default=settings.pop("show_default", False), **settings)


def _limit(text: str, metavar: str = "N", **settings: Any) -> Any:
    return _option(panel="Limits", help=text, metavar=metavar, **settings)


@app.command(help=ASK, epilog=EXAMPLES)
def ask(
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="What is to be answered.", show_default=False)],
    context: Annotated[list[str] | None, _option("--context", "-c", metavar="PATH", help=CONTEXT)] = None,
    model: Annotated[str | None, _option("--model", "-m", metavar="PROVIDER:NAME", help=MODEL)] = None,
    sub_model: Annotated[str | None, _option(metavar="PROVIDER:NAME", help=SUB_MODEL)] = None,
    profile: Annotated[Profile, _option(metavar="|".join(get_args(Profile)), help=PROFILE, show_default=True)] = "auto",
    instructions: Annotated[str | None, _option(metavar="TEXT", help="Added to what the model is told.")] = None,
    max_depth: Annotated[int, _limit(DEPTH, min=0, show_default=True)] = Limits.max_depth,
    max_steps: Annotated[int, _limit("Cells of code, for each RLM.", min=1, show_default=True)] = Limits.max_steps,
    max_subcalls: Annotated[int, _limit("Prompts that code asks.", min=0, show_default=True)] = Limits.max_subcalls,
    max_tokens: Annotated[int | None, _limit("Input and output. Default: no limit.", min=1)] = None,
    max_seconds: Annotated[float | None, _limit("Checked before each model call. Default: no limit.", min=0)] = None,
    max_concurrency: Annotated[int, _limit("Model calls at once.", min=1, show_default=True)] = 16,
    timeout: Annotated[
        float, _limit("Seconds that a cell may compute.", min=0.01, show_default=True)
    ] = Sandbox.timeout,
    as_json: Annotated[bool, _option("--json", panel=OUTPUT, help=JSON)] = False,
    quiet: Annotated[bool, _option("--quiet", "-q", panel=OUTPUT, help="Show errors and warnings only.")] = False,
    debug: Annotated[bool, _option("--debug", panel=OUTPUT, help=DEBUG)] = False,
) -> None:
    def request() -> Request:
        limits = Limits(max_steps, max_subcalls, max_depth, max_tokens, max_seconds)
        return Request(
            question,
            context or [],
            model,
            sub_model,
            Router(profile=profile),
            limits,
            Sandbox(timeout),
            max_concurrency,
            instructions,
        )

    _print_answer(_answered(request, quiet, debug), as_json)


@app.command(help=DEMO)
def demo(debug: Annotated[bool, _option("--debug", help=DEBUG)] = False) -> None:
    typer.echo(f"{QUESTION}\nP is the source of Python {sys.version.split()[0]}'s standard library.\n", err=True)
    output = _answered(demo_request, quiet=False, debug=debug)
    _print_answer(output, as_json=False)
    right = expected()
    if str(output["answer"]).strip() != str(right):
        typer.echo(f"Wrong: plain Python counts {right:,}.", err=True)
        raise typer.Exit(FAILED)
    typer.echo(f"Right: plain Python counts {right:,} too.", err=True)


def _answered(request: Callable[[], Request], quiet: bool, debug: bool) -> dict[str, Any]:
    """The output for a request. Whatever keeps it from coming ends the command, in one line on standard error."""
    with own_stderr(shared=debug) as stream:
        view, signals = view_on(stream, quiet), Signals(stream)
        try:
            with signals.handled():
                return answer(request(), view, signals)
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
    return f"{type(error).__name__}: {error}{because}"


def _print_answer(output: dict[str, Any], as_json: bool) -> None:
    from langgraph_rlm.nodes.ending import as_text

    text = json.dumps(output, ensure_ascii=False, default=str) if as_json else as_text(output["answer"])
    if sys.stdout.isatty():
        text = harmless(text)
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        print(text, flush=True)
    except BrokenPipeError:  # who reads has read enough
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
