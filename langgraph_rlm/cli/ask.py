"""`ask` and `resume`: from what the user typed to an answer. What is cheap to check comes first, a model last."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from langgraph_rlm.cli.kept import Kept
from langgraph_rlm.cli.listing import age
from langgraph_rlm.cli.reading import read_context
from langgraph_rlm.cli.request import Request, Settings
from langgraph_rlm.cli.runs import Run, Runs, StateError
from langgraph_rlm.cli.story import Story, cached_of, tokens_of
from langgraph_rlm.cli.terminal import Signals
from langgraph_rlm.cli.view import View, one_line, spent
from langgraph_rlm.context.files import clean
from langgraph_rlm.errors import InvalidInput, ModelError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langgraph.graph.state import CompiledStateGraph

SOURCES = ("citations", "verification")
"""What an output has of them, where there is any."""
OUTPUTS = ("answer", "status", "route", "profile", "usage", "steps", "subcalls", *SOURCES)
MOST_SOURCES = 5
"""Citations that are shown."""


@dataclass(frozen=True)
class Models:
    """The models of a run, and the settings with their names in them."""

    settings: Settings
    root: BaseChatModel
    leaf: BaseChatModel


def answer(
    request: Request, view: View, signals: Signals, runs: Runs | None = None, earlier: Run | None = None
) -> dict[str, Any]:
    """The output of a question, with `thread`, `model` and `seconds`.

    Args:
        runs: Where the run is kept, if it is.
        earlier: The last question of the thread that this one goes on with; its text and variables are still there.

    Raises:
        InvalidInput: The request cannot be used: the question, a path, a setting, the name of a model.
        ModelError: A model cannot be had.
        StateError: The run cannot be kept.
        Exception: Whatever made the run fail.
    """
    if not request.question.strip():
        raise InvalidInput("The question is empty: say what is to be answered.")
    given: dict[str, Any] = {"query": request.question}
    if request.paths or not earlier:
        given["context"] = read_context(request.paths, view)
    models = models_of(request.settings, view)
    if runs is None:
        return _run(given, models, view, signals)
    thread = earlier.thread if earlier else runs.new_thread()
    now = time.time()
    with runs.held(thread):
        run = Run(
            thread,
            clean(request.question),
            tuple(request.paths) if request.paths or not earlier else earlier.paths,
            models.settings,
            created=earlier.created if earlier else now,
            updated=now,
        )
        return _run(given, models, view, signals, runs, run)


def go_on(thread: str, limits: dict[str, Any], view: View, signals: Signals, runs: Runs) -> dict[str, Any]:
    """The output of a run that goes on where it was; of one that has its answer, that answer.

    Args:
        thread: How the name of its thread begins.
        limits: Settings to raise.

    Raises:
        As `answer`.
    """
    with runs.held(runs.find(thread).thread):
        run = runs.find(thread)  # nobody changes it any more
        if run.output is not None:
            view.note("Thread", f"{run.thread} was answered {age(run)}: no model is asked.")
            if run.status == "limit":
                view.warn(_AT_LIMIT.format("A limit"))
            return run.output
        view.note("Question", run.question)
        models = models_of(replace(run.settings, **limits), view)
        return _run(None, models, view, signals, runs, replace(run, settings=models.settings))


_AT_LIMIT = "{} is reached: the answer may be incomplete. Raise the limit, or ask for less."


def _run(
    given: dict[str, Any] | None,
    models: Models,
    view: View,
    signals: Signals,
    runs: Runs | None = None,
    run: Run | None = None,
) -> dict[str, Any]:
    """The output of the graph, from what it is `given` or, without that, from where its thread is."""
    story, begun = Story(), time.monotonic()
    kept = None
    if runs and run:
        story.steps, story.subcalls, story.tokens = run.steps, run.subcalls, run.tokens
        begun -= run.seconds
        kept = Kept(runs, run, story, begun)

    with kept.followed() if kept else nullcontext(), view.following(story, begun):
        output = signals.run(worked(given, models, view, story, kept))
    seconds, tokens = time.monotonic() - begun, tokens_of(output["usage"])
    output = told(output, models, run.thread if run else None, seconds)
    if kept:
        try:
            kept.end(output, tokens)
        except StateError as error:
            view.warn(f"The answer is not kept. {error}")
    if output["status"] == "limit":
        view.warn(_AT_LIMIT.format(story.limit or "A limit"))
    _tell_sources(output, view)
    used = spent(output["steps"], output["subcalls"], tokens, seconds, cached_of(output["usage"]))
    view.done(f"{used} ({output['route']})")
    return output


async def worked(
    given: dict[str, Any] | None, models: Models, view: View, story: Story, kept: Kept | None
) -> dict[str, Any]:
    """The output of the graph, as it is; where the run is kept, from where its thread is if nothing is `given`."""
    if kept is None:
        return await _followed(_rlm(models), given, story, view)
    async with kept.saver() as saver:
        rlm = _rlm(models, saver)
        await kept.begin(saver, given)
        view.kept(kept.run.thread)
        return await _followed(rlm, given, story, view, kept.config)


def told(output: dict[str, Any], models: Models, thread: str | None, seconds: float) -> dict[str, Any]:
    """What is told of an output."""
    return {key: output.get(key) for key in OUTPUTS if key not in SOURCES or output.get(key)} | {
        "thread": thread,
        "model": models.settings.model,
        "seconds": round(seconds, 3),
    }


def _tell_sources(output: dict[str, Any], view: View) -> None:
    """What the answer rests on, and what came of its check."""
    cited, verification = output.get("citations", []), output.get("verification")
    for citation in cited[:MOST_SOURCES]:
        view.note("Source", f"{citation['name']}: “{one_line(citation['quote'])}”")
    if len(cited) > MOST_SOURCES:
        view.note("", f"and {len(cited) - MOST_SOURCES:,} more")
    if verification and verification["verified"]:
        view.note("Checked", "the answer holds against what it cites")
    elif verification:
        view.warn(f"The answer did not hold when it was checked: {verification['reason']}")


def _rlm(models: Models, saver: Any = None) -> CompiledStateGraph[Any, Any, Any, Any]:
    from langgraph_rlm.create import create_rlm

    settings = models.settings
    return create_rlm(
        models.root,
        sub_model=models.leaf,
        router=settings.router,
        limits=settings.limits,
        sandbox=settings.sandbox,
        dialect=settings.dialect,
        voice=settings.voice,
        instructions=settings.instructions,
        response_format=settings.schema,
        max_concurrency=settings.max_concurrency,
        checkpointer=saver,
    )


async def _followed(
    rlm: CompiledStateGraph[Any, Any, Any, Any], given: Any, story: Story, view: View, config: Any = None
) -> dict[str, Any]:
    """The output of the graph. `story` and `view` follow what happens on the way."""
    output: dict[str, Any] = {}
    events = rlm.astream(given, config, stream_mode=["tasks", "values"], subgraphs=True, output_keys=list(OUTPUTS))
    async with aclosing(cast(AsyncGenerator[Any], events)) as stream:
        async for namespace, mode, event in stream:
            if mode == "tasks":
                for happening in story.follow(namespace, event):
                    view.tell(happening)
            elif not namespace:
                output = event
    return output


def models_of(settings: Settings, view: View) -> Models:
    name, root = _model(settings.model, view)
    leaf = root if settings.sub_model in (None, name) else _model(settings.sub_model, view)[1]
    return Models(replace(settings, model=name), root, leaf)


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
