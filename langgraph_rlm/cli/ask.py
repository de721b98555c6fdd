"""`ask`: from what the user typed to an answer. What is cheap to check is checked first, a model comes last."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from langchain_core.documents import Document

from langgraph_rlm.cli.story import Story, tokens_of
from langgraph_rlm.cli.terminal import Signals
from langgraph_rlm.cli.view import View, spent
from langgraph_rlm.context import Context, Progress
from langgraph_rlm.errors import ContextError, InvalidInput, ModelError
from langgraph_rlm.settings import Limits, Router, Sandbox

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

STDIN = "-"
CHARACTERS_PER_TOKEN = 4
"""For a rough word about size, nothing else."""
OUTPUTS = ("answer", "status", "route", "profile", "usage", "steps", "subcalls")


@dataclass(frozen=True)
class Request:
    """A question as it was typed, with its settings. `paths` are files, folders, globs, or `-`."""

    question: str
    paths: Sequence[str]
    model: str | None = None
    sub_model: str | None = None
    router: Router = Router()
    limits: Limits = Limits()
    sandbox: Sandbox = Sandbox()
    max_concurrency: int = 16
    instructions: str | None = None


def answer(request: Request, view: View, signals: Signals) -> dict[str, Any]:
    """The output of the run, with `model` and `seconds`.

    Raises:
        InvalidInput: The request cannot be used: the question, a path, a setting, the name of a model.
        ModelError: A model cannot be had.
        Exception: Whatever made the run fail.
    """
    if not request.question.strip():
        raise InvalidInput("The question is empty: say what is to be answered.")
    context = read_context(request.paths, view)
    name, model = _model(request.model, view)
    _, sub_model = (name, model) if request.sub_model in (None, name) else _model(request.sub_model, view)

    from langgraph_rlm.create import create_rlm  # takes a second to import, and needs the checks above to pass

    rlm = create_rlm(
        model,
        sub_model=sub_model,
        router=request.router,
        limits=request.limits,
        sandbox=request.sandbox,
        instructions=request.instructions,
        max_concurrency=request.max_concurrency,
    )
    story, begun = Story(), time.monotonic()

    async def run() -> dict[str, Any]:
        output: dict[str, Any] = {}
        given = {"query": request.question, "context": context}
        events = rlm.astream(given, stream_mode=["tasks", "values"], subgraphs=True, output_keys=list(OUTPUTS))
        async with aclosing(cast(AsyncGenerator[Any], events)) as stream:
            async for namespace, mode, event in stream:
                if mode == "tasks":
                    for happening in story.follow(namespace, event):
                        view.tell(happening)
                elif not namespace:
                    output = event
        return output

    with view.following(story):
        output = signals.run(run())
    seconds = time.monotonic() - begun
    used = spent(output["steps"], output["subcalls"], tokens_of(output["usage"]), seconds)
    if output["status"] == "limit":
        view.warn(f"{story.limit} is reached: the answer may be incomplete. Raise the limit, or ask for less.")
    view.done(f"{used} ({output['route']})")
    return {key: output.get(key) for key in OUTPUTS} | {"model": name, "seconds": round(seconds, 3)}


def read_context(paths: Sequence[str], view: View) -> Context:
    """The files, folders and globs in order, and after them standard input where one of them is `-`."""
    if not paths:
        raise ContextError(
            "There is no context: name a file, a folder or a glob with --context"
            + (", or read standard input with --context -." if sys.stdin and not sys.stdin.isatty() else ".")
        )
    files = [path for path in paths if path != STDIN]
    context = _read_files(files, view) if files else None
    if len(files) < len(paths):
        context = _with_documents_of(context, _read_stdin(view))
    assert context is not None
    if context.empty:
        raise ContextError("The context is empty: there is nothing to answer the question from.")
    documents = f"{context.num_documents():,} document" + "s" * (context.num_documents() != 1)
    tokens = len(context) // CHARACTERS_PER_TOKEN
    view.note("Context", f"{len(context):,} characters in {documents}, some {_rounded(tokens)} tokens")
    if left_out := context.skipped.binary_files:
        view.note("Skipped", f"{left_out:,} binary file" + "s" * (left_out != 1))
    if replaced := context.skipped.undecodable_bytes:
        view.note("Replaced", f"{replaced:,} byte" + "s" * (replaced != 1) + " not in UTF-8")
    return context


def _read_files(paths: Sequence[str], view: View) -> Context:
    with view.progress("Reading") as meter:

        def on_progress(progress: Progress) -> None:
            meter.show(progress.bytes_read, progress.bytes_total)

        return Context.from_files(*paths, on_progress=on_progress)


def _read_stdin(view: View) -> str:
    if sys.stdin is None:
        raise ContextError("Standard input is closed: there is nothing to read with --context -.")
    if sys.stdin.isatty():
        view.note("Reading", "standard input, up to Ctrl-D")
    return sys.stdin.buffer.read().decode("utf-8-sig", "replace")


def _with_documents_of(context: Context | None, text: str) -> Context:
    """The documents of `context`, if there is one, and `text`."""
    if context is None:
        return Context.of(text)
    given: Iterable[tuple[str, dict[str, Any]]] = zip(context.documents(), context.metadata, strict=True)
    documents = [Document(document, metadata={"name": metadata["name"]}) for document, metadata in given]
    joined = Context.of([*documents, Document(text, metadata={"name": "standard input"})])
    return Context(joined.text, joined.metadata, context.skipped)


def _model(name: str | None, view: View) -> tuple[str, BaseChatModel]:
    """The model of that name, or the default one, and what it goes by."""
    from langgraph_rlm.models import default_model_name, local_chat_model, resolve_model
    from langgraph_rlm.models.resolve import LOCAL

    chosen = name or default_model_name()
    view.note("Model", chosen)
    if chosen != LOCAL:
        return chosen, resolve_model(chosen)
    try:
        with view.progress("Loading the local model") as meter:
            return chosen, local_chat_model(meter.show)
    except ModelError as error:
        if name is None:
            raise ModelError(f"{error} Or name a model with --model, or set OPENAI_API_KEY.") from error
        raise


def _rounded(number: int) -> str:
    return f"{number / 1e6:,.1f} million" if number >= 1_000_000 else f"{number:,}"
