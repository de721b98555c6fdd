"""`mcp`: a Model Context Protocol server, for coding agents that want a long text read for them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

from pydantic import Field

from langgraph_rlm.cli.ask import models_of, told, worked
from langgraph_rlm.cli.kept import Kept
from langgraph_rlm.cli.request import Settings
from langgraph_rlm.cli.runs import Run, Runs, StateError, state_folder
from langgraph_rlm.cli.story import Story, tokens_of
from langgraph_rlm.cli.view import View
from langgraph_rlm.context import Context
from langgraph_rlm.context.files import clean
from langgraph_rlm.errors import ContextError, InvalidInput, ModelError, RLMError
from langgraph_rlm.routes.profiles import Profile

try:
    from mcp.server.fastmcp import Context as Call
    from mcp.server.fastmcp import FastMCP
    from mcp.server.fastmcp.exceptions import ToolError
    from mcp.types import ClientCapabilities, RootsCapability, ToolAnnotations
except ImportError as error:
    raise ModelError('`mcp` needs a package that is not installed: pip install "langgraph-rlm[mcp]".') from error

MOST_RUNS = 10_000
"""Of which those are chosen that a client may see."""
REPORTED_EVERY = 1.0
"""Seconds between two notes of how far a run is."""
INSTRUCTIONS = (
    "Answers questions about files and folders of any size, such as counts, lists and what is said where, by a model "
    "that writes code to search them and has other models read what has to be understood. An answer may take minutes. "
    "A run that was broken off goes on with `resume`, at no cost for what it has."
)
ASK = (
    "Answer a question about files and folders, however large they are. The question has to be complete: nothing else "
    "of this conversation is known. Gives the answer, and the thread for further questions about the same files."
)
RESUME = "Go on with a run that was killed, stopped or failed, by the name of its thread."
RUNS = "The latest runs: thread, status, question, and what they took."
PATHS = "Files, folders and globs, absolute or from the first folder that is allowed. None on a thread: those it has."
THREAD = "The thread of an earlier question about the same files: what was found then is still there."

Question = Annotated[str, Field(description="What is to be answered, in full.")]
Paths = Annotated[list[str] | None, Field(description=PATHS)]
Thread = Annotated[str | None, Field(description=THREAD)]
Calling = Call[Any, Any, Any]


@dataclass(frozen=True)
class Served:
    """What the server's functions work with. `folders` are those that may be read where the client names none."""

    settings: Settings
    folders: tuple[Path, ...]
    view: View
    runs: Runs

    async def ask(
        self, call: Calling, question: str, paths: Sequence[str], profile: Profile, thread: str | None
    ) -> dict[str, Any]:
        if not question.strip():
            raise InvalidInput("The question is empty: say what is to be answered.")
        allowed = await _allowed(call, self.folders)
        earlier = await asyncio.to_thread(self.runs.idle, thread) if thread else None
        if earlier and not _may_be_read(earlier, allowed):
            raise InvalidInput(f"Thread {earlier.thread} is about files of other folders.")
        given: dict[str, Any] = {"query": question}
        if paths or not earlier:
            paths = placed(paths, allowed)
            given["context"] = await asyncio.to_thread(read_files, paths, allowed)
        now, settings = time.time(), replace(earlier.settings if earlier else self.settings, profile=profile)
        run = Run(
            earlier.thread if earlier else await asyncio.to_thread(self.runs.new_thread),
            clean(question),
            tuple(paths) if paths or not earlier else earlier.paths,
            settings,
            created=earlier.created if earlier else now,
            updated=now,
        )
        with self.runs.held(run.thread):
            return await self._work(call, given, run)

    async def resume(self, call: Calling, thread: str) -> dict[str, Any]:
        allowed = await _allowed(call, self.folders)
        name = (await asyncio.to_thread(self.runs.find, thread)).thread
        with self.runs.held(name):
            run = await asyncio.to_thread(self.runs.find, name)
            if not _may_be_read(run, allowed):
                raise InvalidInput(f"Thread {name} is about files of other folders.")
            return run.output if run.output is not None else await self._work(call, None, run)

    async def newest(self, call: Calling, limit: int) -> list[dict[str, Any]]:
        allowed = await _allowed(call, self.folders)
        every = await asyncio.to_thread(self.runs.newest, MOST_RUNS)
        runs = [run for run in every if _may_be_read(run, allowed)][:limit]
        names = ("thread", "status", "question", "tokens", "steps", "subcalls", "seconds")
        return [{name: getattr(run, name) for name in names} for run in runs]

    async def _work(self, call: Calling, given: dict[str, Any] | None, run: Run) -> dict[str, Any]:
        """The output of a run that the caller holds the thread of. Whoever has asked is told how far it is."""
        models = await asyncio.to_thread(models_of, run.settings, self.view)
        story, begun = Story(), time.monotonic() - run.seconds
        story.steps, story.subcalls, story.tokens = run.steps, run.subcalls, run.tokens
        kept = Kept(self.runs, replace(run, settings=models.settings), story, begun)
        with kept.followed():
            async with _reported(call, story):
                output = await worked(given, models, self.view, story, kept)
        answer = told(output, models, run.thread, time.monotonic() - begun)
        with suppress(StateError):
            kept.end(answer, tokens_of(output["usage"]))
        return answer


def server_of(served: Served, **settings: Any) -> FastMCP[Any]:
    """The server: three functions, and nothing else."""
    server: FastMCP[Any] = FastMCP("langgraph-rlm", instructions=INSTRUCTIONS, log_level="WARNING", **settings)

    @server.tool(description=ASK, annotations=ToolAnnotations(readOnlyHint=True))
    async def ask(
        call: Calling, question: Question, paths: Paths = None, profile: Profile = "auto", thread: Thread = None
    ) -> dict[str, Any]:
        return await _answered(served.ask(call, question, paths or [], profile, thread))

    @server.tool(description=RESUME)
    async def resume(call: Calling, thread: str) -> dict[str, Any]:
        return await _answered(served.resume(call, thread))

    @server.tool(description=RUNS, annotations=ToolAnnotations(readOnlyHint=True))
    async def runs(call: Calling, limit: Annotated[int, Field(ge=1, le=100)] = 20) -> list[dict[str, Any]]:
        return await served.newest(call, limit)

    return server


def serve(settings: Settings, folders: Sequence[str], port: int | None, view: View) -> None:
    """Serves until it is stopped: on standard input and output, or over HTTP at that port of this machine.

    Raises:
        InvalidInput: A folder is none.
        StateError: Runs cannot be kept.
    """
    roots = [Path(folder).expanduser() for folder in folders]
    if missing := next((root for root in roots if not root.is_dir()), None):
        raise InvalidInput(f"--root {missing}: there is no such folder.")
    served = Served(settings, tuple(root.resolve() for root in roots), view, Runs(state_folder()))
    if port is None:
        server_of(served).run("stdio")
    else:
        server_of(served, host="127.0.0.1", port=port).run("streamable-http")


def placed(paths: Sequence[str], allowed: Sequence[Path]) -> list[str]:
    """Paths from the first folder that is allowed on.

    Raises:
        ContextError: There are none, or no folder is allowed.
    """
    if not paths:
        raise ContextError("There are no paths: name files, folders or globs.")
    if not allowed:
        raise ContextError("No folder is allowed: the client names none.")
    if bad := next((path for path in paths if "\0" in path), None):
        raise ContextError(f"{bad!r} is no path.")
    return [str(_root_of(path, allowed) / Path(path).expanduser()) for path in paths]


def _root_of(path: str, allowed: Sequence[Path]) -> Path:
    """The first folder that has a path, or what a glob begins with."""
    return next((folder for folder in allowed if (folder / _fixed(path)).exists()), allowed[0])


def read_files(paths: Sequence[str], allowed: Sequence[Path]) -> Context:
    """The text of files, all of which lie in one of the folders that are allowed.

    Raises:
        ContextError: One lies elsewhere, or cannot be read, or there is no text.
    """
    for path in paths:
        _check(_fixed(path), allowed)
    context = Context.from_files(paths)
    for path in paths:
        _check(Path(path), allowed)  # a link that is named itself
    inside = [number for number, file in enumerate(context.files) if _is_in(Path(file.path), allowed)]
    context = context.only(inside)  # a link that leads out is none of a folder's files
    if context.empty:
        raise ContextError("The files are empty: there is nothing to answer the question from.")
    return context


def _may_be_read(run: Run, allowed: Sequence[Path]) -> bool:
    """Whether a run is about files of folders that are allowed: one of `ask` names them as it was typed."""
    paths = [_fixed(path) for path in run.paths]
    return bool(paths) and all(path.is_absolute() and _is_in(path, allowed) for path in paths)


def _fixed(path: str) -> Path:
    """A path, or the folder that a glob begins with."""
    fixed = path.partition("*")[0].partition("?")[0].partition("[")[0]
    return Path(fixed) if fixed == path else Path(fixed).parent if not fixed.endswith("/") else Path(fixed)


def _is_in(path: Path, folders: Sequence[Path]) -> bool:
    real = path.resolve()
    return any(real.is_relative_to(folder) for folder in folders)


def _check(path: Path, allowed: Sequence[Path]) -> None:
    """Raises `ContextError` where a path leads out of the folders, by a link or by dots too."""
    if not _is_in(path, allowed):
        folders = ", ".join(map(str, allowed))
        raise ContextError(f"{path} is not in a folder that may be read: {folders}.")


async def _allowed(call: Calling, folders: tuple[Path, ...]) -> tuple[Path, ...]:
    """The folders that the client allows; where it does not say, those of the command line."""
    session = call.session
    if not session.check_client_capability(ClientCapabilities(roots=RootsCapability())):
        return folders
    roots = (await session.list_roots()).roots
    return _folders([str(root.uri) for root in roots])


def _folders(uris: Sequence[str]) -> tuple[Path, ...]:
    places = [urlsplit(uri) for uri in uris]
    return tuple(Path(unquote(place.path)).resolve() for place in places if place.scheme == "file")


@asynccontextmanager
async def _reported(call: Calling, story: Story) -> AsyncIterator[None]:
    """Tells the client for the block how far the run is, where it has asked for that."""

    async def report() -> None:
        while True:
            await asyncio.sleep(REPORTED_EVERY)
            done = story.steps + story.subcalls
            message = f"{story.steps:,} steps, {story.subcalls:,} sub-calls, {story.tokens:,} tokens"
            await call.report_progress(done, None, message)

    reporting = asyncio.create_task(report())
    try:
        yield
    finally:
        reporting.cancel()
        with suppress(asyncio.CancelledError):
            await reporting


async def _answered(work: Any) -> dict[str, Any]:
    """What came of a call; what went wrong in words that a model can do something with."""
    try:
        output: dict[str, Any] = await work
    except RLMError as failure:
        raise ToolError(str(failure)) from failure
    except Exception as failure:
        raise ToolError(f"The run failed: {type(failure).__name__}: {failure}") from failure
    return output
