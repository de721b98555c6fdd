"""What is said to a Monty session: the host's own code, a text, a cell, and the answers to what it asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from pydantic_monty import (
    FunctionSnapshot,
    FutureSnapshot,
    MontyComplete,
    MontyError,
    MontySession,
    NameLookupSnapshot,
    ResourceLimits,
)

from langgraph_rlm.asking.requests import Call
from langgraph_rlm.context import Context
from langgraph_rlm.errors import SandboxError
from langgraph_rlm.repl import host
from langgraph_rlm.repl.boot import BIND, BOOT, BUILTINS, LOAD, NAMES, PRELUDE, TOOL, TOOL_BATCH, Unreadable
from langgraph_rlm.repl.processor_time import passing
from langgraph_rlm.settings import Sandbox

PIECE = 4_000_000
"""Characters of the text that are handed to the worker at a time."""
DOCUMENT_BYTES = 2_000
"""What the metadata of a document takes in the sandbox, generously."""
DUMP_HEADROOM = 4.2
"""Monty counts the buffer of a dump against the limit: a dump needs about this many times what is held."""
UNLIMITED: ResourceLimits = {"max_suspensions": 2**62}
"""Of a blank REPL. One that is loaded has the stricter of its own limits and those of its session."""

Snapshot = FunctionSnapshot | NameLookupSnapshot | FutureSnapshot | MontyComplete
Answering = Callable[[FunctionSnapshot], host.HostResult | Call]
"""Gives the result of a call that leaves the sandbox, or the call itself where the graph has to answer it."""


def feed(
    session: MontySession, code: str, on_print: Callable[[str, str], None], inputs: dict[str, Any] | None = None
) -> Snapshot:
    """Begins to run code, with variables for it."""
    return session.feed_start(code, print_callback=on_print, inputs=inputs)


def no_calls(asked: FunctionSnapshot) -> host.HostResult:
    """What the host's own code is answered where it may ask for nothing."""
    return host.raising("RuntimeError", "no calls between cells")


def evaluate(
    session: MontySession, code: str, inputs: dict[str, Any] | None = None, answering: Answering = no_calls
) -> Any:
    """The value of the host's own `code`, which may ask for no more than can be worked out again.

    Raises:
        Unreadable: The host cannot hold it.
    """
    snapshot = feed(session, code, lambda *_: None, inputs)
    while isinstance(snapshot, FunctionSnapshot) and not isinstance(result := answering(snapshot), Call):
        snapshot = resume(snapshot, result)
    if not isinstance(snapshot, MontyComplete):
        raise SandboxError(f"the host's own code stopped at {snapshot!r}")
    try:
        return snapshot.output
    except TypeError:
        raise Unreadable from None


def run_to_call(snapshot: Snapshot, answering: Answering) -> tuple[FunctionSnapshot, Call] | None:
    """Goes on from one suspension to the next until the code ends (None) or asks what the graph has to answer."""
    while not isinstance(snapshot, MontyComplete):
        if isinstance(snapshot, NameLookupSnapshot):
            snapshot = snapshot.resume()
        elif isinstance(snapshot, FutureSnapshot):
            failed: host.HostResult = host.raising("RuntimeError", "nothing here can be awaited")
            snapshot = snapshot.resume(dict.fromkeys(snapshot.pending_call_ids, failed))
        else:
            answer = answering(snapshot)
            if isinstance(answer, Call):
                return snapshot, answer
            snapshot = resume(snapshot, answer)
    return None


def resume(snapshot: FunctionSnapshot, result: host.HostResult) -> Snapshot:
    """Goes on with a result; with an error, where the sandbox cannot hold it: half of a surrogate pair, say."""
    try:
        return snapshot.resume(result)
    except MontyError as failure:
        try:
            return snapshot.resume(host.raising("ValueError", f"what came of this cannot be held here: {failure}"))
        except RuntimeError:  # it had gone on: the failure is the code's own
            raise failure from None


def blank(session: MontySession, loaded: Iterable[str]) -> bytes:
    """The dump of a REPL over no text, with these modules, made in a fresh session: to load it is quicker."""
    names = {"_names": NAMES, "_builtin_names": BUILTINS}
    evaluate(session, BOOT, {"_host": _host, "_at": _at, "_prelude": PRELUDE, **names})
    for name in loaded:
        load = f"{LOAD.format(name)}; None"  # a module is nothing that the host could be given
        run_to_call(feed(session, load, lambda *_: None), host.load)
    return session.dump()


def boot(session: MontySession, blank: bytes, context: Context) -> None:
    """Makes a fresh session a REPL over the text.

    Raises:
        SandboxError: The text does not fit.
    """
    try:
        session.load_session(blank)
        bind_text(session, context)
    except MontyError as failure:
        raise SandboxError(f"the text does not fit the sandbox ({failure}): give Sandbox more memory.") from None


def bind_tools(session: MontySession, names: Iterable[str]) -> None:
    """Makes tools functions of the REPL, those that are not."""
    code = [TOOL.format(name=name) for name in names]
    if code:
        evaluate(session, "\n".join([*code, TOOL_BATCH]))


def bind_text(session: MontySession, context: Context) -> None:
    """Makes `P` the text, piece by piece: bound at once, copies of a long one would stand in both processes."""
    text = context.text
    inputs: dict[str, Any] = {"_metadata": context.metadata}
    if len(text) <= PIECE:
        inputs["P"] = text
    else:
        evaluate(session, "_pieces = []")
        for start in range(0, len(text), PIECE):
            evaluate(session, "_pieces.append(_piece)", {"_piece": text[start : start + PIECE]})
        evaluate(session, "P = ''.join(_pieces)\n_pieces = _piece = None")
    evaluate(session, BIND, inputs)


def is_lost(session: MontySession, failure: MontyError) -> bool:
    """Whether the session cannot be used after `failure`: dead, or stopped in the middle of an operation."""
    stopped = isinstance(failure.exception(), TimeoutError) and not failure.traceback()  # type: ignore[attr-defined]
    return session.worker_pid is None or stopped or isinstance(failure.exception(), MemoryError)


def resource_limits(context: Context, sandbox: Sandbox) -> ResourceLimits:
    """What a session over `context` may use, in Monty's terms."""
    text = context.text
    size = sum(len(text[start : start + PIECE].encode()) for start in range(0, len(text), PIECE))
    size += DOCUMENT_BYTES * context.num_documents()
    memory = sandbox.memory or max(128 * 2**20, 4 * size)
    return {
        "max_feed_duration_secs": passing(sandbox.seconds(len(text))),
        "max_memory": int(DUMP_HEADROOM * (size + memory)),
        **UNLIMITED,
    }


def _host(*_: object) -> None:
    """Stands for the calls that leave the sandbox: they are answered at a snapshot, never by this function."""


def _at(_: object) -> None:
    """Stands for the call that tells where a cell is."""
