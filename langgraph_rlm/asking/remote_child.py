"""A child RLM that runs elsewhere: on a LangGraph server, as a `RemoteGraph`.

It is told what it may spend, since it counts for itself. Its thread on the server is named after the sub-call, so that
a run that goes on finds it again: ended, waiting for a human, or in the middle.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphInterrupt
from langgraph.pregel.remote import RemoteException, RemoteGraph
from langgraph.types import Command, interrupt
from langgraph_sdk.schema import ThreadState
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from langgraph_rlm.asking.ledger import NOTHING_SPENT, Ledger, Share
from langgraph_rlm.asking.requests import Request
from langgraph_rlm.asking.retries import is_transient
from langgraph_rlm.context.digests import digest_of
from langgraph_rlm.effects import Steps
from langgraph_rlm.errors import ModelError
from langgraph_rlm.langgraph_internals import CONF, CONFIG_KEY_CHECKPOINT_NS, CONFIG_KEY_CHECKPOINTER, CONFIG_KEY_STREAM
from langgraph_rlm.settings import Limits

PATIENCE = 600.0
"""Seconds without a step of a child RLM after a failure that may pass: a server may be started anew meanwhile."""
LONGEST_PAUSE = 10.0
"""Seconds between two tries, at most."""
STREAMED = (CONFIG_KEY_CHECKPOINT_NS, CONFIG_KEY_STREAM)
"""What of a config is needed to show here what the child does. The rest of it is not the server's: a `RemoteGraph` has
a config of its own for that."""
STOPPED = ("CancelledError", "UserInterrupt")
"""What a server that is shut down says of the runs it was at."""
LOST = {"error": "HTTPException", "message": "404: Run not found"}
"""What a server that was killed says of them."""

_logger = logging.getLogger("langgraph_rlm")


@dataclass(frozen=True)
class RunRemote:
    """The effect of running a graph on a server. Its result is the output, or what there is of it, or None.

    Who leaves it early has the run cancelled.
    """

    graph: RemoteGraph
    input: Any
    config: RunnableConfig

    def run(self) -> Any:
        return self.graph.invoke(self.input, self.config, **_OPTIONS)

    async def arun(self) -> Any:
        return await self.graph.ainvoke(self.input, self.config, **_OPTIONS)


_OPTIONS: Any = {"on_disconnect": "cancel", "multitask_strategy": "enqueue", "stream_resumable": True}


@dataclass(frozen=True)
class ReadRemote:
    """The effect of reading a thread of a server. Its result is its state, which has no values in a new thread.

    The thread is made first, of its graph: a server that was killed may know neither, though its checkpoints are there.
    """

    graph: RemoteGraph
    thread_id: str

    def run(self) -> ThreadState:
        assert self.graph.sync_client is not None
        assistants, threads = self.graph.sync_client.assistants, self.graph.sync_client.threads
        name = self.graph.assistant_id
        graph_id = assistants.get(name)["graph_id"] if _is_uuid(name) else name
        threads.create(thread_id=self.thread_id, graph_id=graph_id, if_exists="do_nothing")
        return threads.get_state(self.thread_id)

    async def arun(self) -> ThreadState:
        assert self.graph.client is not None
        assistants, threads = self.graph.client.assistants, self.graph.client.threads
        name = self.graph.assistant_id
        graph_id = (await assistants.get(name))["graph_id"] if _is_uuid(name) else name
        await threads.create(thread_id=self.thread_id, graph_id=graph_id, if_exists="do_nothing")
        return await threads.get_state(self.thread_id)


def _is_uuid(name: str) -> bool:
    """Whether that is the id of an assistant, and not the name of a graph."""
    try:
        uuid.UUID(name)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class Pause:
    """The effect of waiting."""

    seconds: float

    def run(self) -> None:
        time.sleep(self.seconds)

    async def arun(self) -> None:
        await asyncio.sleep(self.seconds)


def thread_of(request: Request, config: RunnableConfig) -> str:
    """The id of the thread on the server: the same when the sub-call is asked again, where a checkpointer keeps it."""
    configurable = config[CONF]
    if not configurable.get(CONFIG_KEY_CHECKPOINTER):
        return str(uuid.uuid4())
    place = (str(configurable.get("thread_id")), str(configurable.get(CONFIG_KEY_CHECKPOINT_NS)), request.key)
    return str(uuid.uuid5(uuid.NAMESPACE_URL, digest_of(*place)))


def ask_remote_child(
    graph: RemoteGraph, question: dict[str, Any], thread_id: str, ledger: Ledger, config: RunnableConfig
) -> Steps[dict[str, Any]]:
    """The output of a child RLM on a server, which is asked, or goes on.

    Raises:
        ModelError: It failed there, or its server for longer than `PATIENCE`.
        LimitExceeded: Tokens or seconds are spent while there is no server.
    """
    streamed = {key: config[CONF][key] for key in STREAMED if key in config[CONF]}
    config = {**config, CONF: {"thread_id": thread_id, **streamed}}
    pauses, place, still_since = _pauses(), None, time.monotonic()
    said, heard, has_run, asks_again = None, 0, False, False
    while True:
        try:
            state: ThreadState = yield ReadRemote(graph, thread_id)
            output: Any = state["values"]
            if "as_child" not in output if output else has_run:
                raise ModelError("what answers there is no RLM of this version")
            if state["checkpoint"] != place:
                pauses, place, still_since = _pauses(), state["checkpoint"], time.monotonic()
            if not _has_ended(output) and (said or not state["interrupts"]):
                given, said = (said if state["interrupts"] else None if output else question), None
                output, has_run = (yield RunRemote(graph, given, config)), True
            if _has_ended(output):
                return _checked(output)
        except GraphInterrupt as waits:
            if asks_again:
                raise ModelError("it waits for a human, and its server does not show for what") from waits
            asks_again = True
            continue  # what it waits for is in its state
        except Exception as failure:
            if not _may_pass(failure) or time.monotonic() - still_since > PATIENCE:
                raise (yield from _failure_of(graph, thread_id, failure)) from failure
            has_run = False  # its server may have forgotten it
            _logger.warning("The server of the child RLM %r does not answer: %r", graph.assistant_id, failure)
        else:
            if state["interrupts"]:
                asks_again = False
                said, heard = _said_to(state, heard)
                continue
        ledger.check()
        yield Pause(min(next(pauses), ledger.seconds_left))


Count = Annotated[int, Field(ge=0, le=1_000_000_000_000)]


class _Tokens(TypedDict):
    """Usage of a model. Other keys are kept."""

    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc]

    input_tokens: Count
    output_tokens: Count
    total_tokens: Count


class _Spent(TypedDict):
    usage: dict[str, _Tokens]
    steps: Count
    subcalls: Count


class _Output(_Spent):
    """What an RLM gives to the one that has asked it. Other keys are kept."""

    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc]

    answer: Any
    status: Literal["answered", "limit"]
    trajectory: list[dict[str, Any]]


_OUTPUT = TypeAdapter(_Output)


def _checked(output: Any) -> dict[str, Any]:
    """The output, where it is one. Raises `ModelError`: a server may say anything."""
    try:
        return dict(_OUTPUT.validate_python(output, strict=True))
    except ValidationError as error:
        [first, *_] = error.errors()
        place = ".".join(map(str, first["loc"]))
        raise ModelError(f"what answers there is no RLM of this version: {place}: {first['msg']}") from None


def _said_to(state: ThreadState, heard: int) -> tuple[Command[Any], int]:
    """What a human says to a child that waits, and how much he has said by then, of which so much was `heard` already.

    At first this interrupts the RLM that has asked the child.
    """
    values: Any = state["values"]
    as_child = values["as_child"]
    for _ in range(as_child["resumed"] - heard):
        interrupt(None)  # what was said to earlier interrupts is gone through again
    said = {one["id"]: interrupt(one["value"]) for one in state["interrupts"]}
    in_all = as_child["resumed"] + len(said)
    return Command(resume=said, update={"as_child": {**as_child, "resumed": in_all}}), in_all


def remote_question(request: Request, query: str, text: str, share: Share, limits: Limits) -> dict[str, Any]:
    """The input of a child RLM on a server: what it is asked, and what it may spend of its parent's `limits`."""
    granted = {
        "max_depth": limits.max_depth - 1,
        "max_steps": limits.max_steps,
        "confirm_above": limits.confirm_above,
        "max_subcalls": share.subcalls,
        "max_tool_calls": share.tool_calls,
        "max_tokens": share.tokens,
        "max_seconds": share.seconds,
    }
    as_child = {"limits": granted, "answer_schema": request.schema, "writer": request.model, "resumed": 0}
    return {"query": query, "context": text, "profile": "rlm", "as_child": as_child}


def _has_ended(output: Any) -> bool:
    return isinstance(output, dict) and bool(output.get("status"))


def _may_pass(failure: Exception) -> bool:
    if isinstance(failure, RemoteException):
        [said] = failure.args
        return isinstance(said, dict) and (said.get("error") in STOPPED or said == LOST)
    return is_transient(failure)


def _failure_of(graph: RemoteGraph, thread_id: str, failure: Exception) -> Steps[ModelError]:
    """The failure of a child as the code is told of it, with what the child had spent, where that can be had."""
    said = failure.args[0] if isinstance(failure, RemoteException) else None
    text = f"{said.get('error')}: {said.get('message')}" if isinstance(said, dict) else f"{failure!r}"
    told = ModelError(f"the child RLM {graph.assistant_id!r} failed on its server: {text}")
    try:
        state: ThreadState = yield ReadRemote(graph, thread_id)
        values: Any = state["values"]
        told.rlm_spent = _SPENT.validate_python({name: values[name] for name in NOTHING_SPENT})  # type: ignore[attr-defined]
    except Exception:  # it has spent nothing that anybody knows of
        pass
    return told


class _SpentSoFar(_Spent):
    tool_calls: Count


_SPENT = TypeAdapter(_SpentSoFar)


def _pauses() -> Iterator[float]:
    pause = 0.1
    while True:
        yield pause
        pause = min(2 * pause, LONGEST_PAUSE)
