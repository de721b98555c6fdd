"""Plain prompts in flight: all that is pending is begun, and what has landed is told to the state, together and soon.

The calls live in the run (`asking/in_flight.py`). Whoever waits for them waits for the first to land and a few
milliseconds more; what has not landed by then flies on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphBubbleUp

from langgraph_rlm.answers.values import as_text
from langgraph_rlm.asking.in_flight import BeginCalls, InFlightCall, InFlightCalls, Until
from langgraph_rlm.asking.model_calls import add_usages, is_overflow, mark_ahead
from langgraph_rlm.asking.tools import ToolFailed
from langgraph_rlm.context.files import clean
from langgraph_rlm.conversation import prompts
from langgraph_rlm.effects import Steps
from langgraph_rlm.errors import LimitExceeded
from langgraph_rlm.nodes.answering import Child, SubcallResult, answer_to
from langgraph_rlm.nodes.pending import NOT_NEEDED, PendingCall
from langgraph_rlm.nodes.records import record_of
from langgraph_rlm.repl.python import answers
from langgraph_rlm.running.run import Run, spent_before
from langgraph_rlm.running.spec import RLMSpec

GRACE = 0.005
"""Seconds for which what has landed waits for what is about to land as well."""
SOON = 0.025
"""The same where something lands again and again, at most, and where the REPL has to be made again first, which takes
long: until the state is told, an answer is lost, should the process be killed."""


@dataclass
class Ended:
    """Requests that have ended, as the state is told of them."""

    spec: RLMSpec
    run: Run
    spent: dict[str, Any] = field(default_factory=dict)
    journal: list[list[Any]] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)

    @property
    def update(self) -> dict[str, Any]:
        spent = {channel: amount for channel, amount in self.spent.items() if amount}
        asked = {"asked": self.asked} if self.asked else {}
        return {**spent, "journal": self.journal, **asked, "seconds": self.run.ledger.seconds}

    def note(self, call: InFlightCall) -> None:
        """Notes what became of a call. Raises what ends the run, or interrupts it."""
        try:
            self._answered(call, call.result())
        except GraphBubbleUp as interrupt:
            if not (call.is_ahead and call.request.kind == "tool"):
                raise
            self._not_asked(call, interrupt)
        except Exception as failure:
            if isinstance(failure, LimitExceeded) and call.is_ahead:
                self._not_asked(call, failure)
            elif isinstance(failure, LimitExceeded) and self.spec.limits.on_exceeded == "raise":
                raise
            else:
                self._failed(call, failure)

    def not_needed(self, call: InFlightCall) -> None:
        """Another one has the answer: this one is cancelled, and counts where the model was asked."""
        call.cancel()
        self.journal.append(["answer", call.index, None, NOT_NEEDED.error])
        if call.was_sent:
            self._spend({"subcalls": 1})
            self.asked.append(record_of(call.request, call.was_ahead) | {"cancelled": True})
        else:
            self.run.ledger.give_back([call.request])

    def _answered(self, call: InFlightCall, result: SubcallResult) -> None:
        answer = {"answer": prompts.shorten(as_text(result.value))}
        self._note(call, [result.value, None], {**result.record_extras, **answer}, result.spent)

    def _failed(self, call: InFlightCall, failure: Exception) -> None:
        error = _error_text(failure)
        self._note(call, [None, error], {"error": prompts.shorten(error)}, spent_before(failure))

    def _note(self, call: InFlightCall, answer: list[Any], record: dict[str, Any], spent: dict[str, Any]) -> None:
        is_tool = call.request.kind == "tool"
        own = "tool_calls" if is_tool else "subcalls"
        counted = 0 if call.is_ahead else 1  # it is when the code comes to it
        usage = mark_ahead(spent["usage"]) if call.was_ahead else spent["usage"]
        self._spend({**spent, "usage": usage, own: spent[own] + counted})
        self.journal.append(["answer", call.index, *answer, *(["tool"] if is_tool else [])])
        self.asked.append(record_of(call.request, call.was_ahead) | record)

    def _not_asked(self, call: InFlightCall, why: Exception) -> None:
        """It was to be asked ahead and cannot be now: the code asks again, if it ever comes to it."""
        self._spend(spent_before(why))
        self.journal.append(["unasked", call.index])

    def _spend(self, spent: dict[str, Any]) -> None:
        for channel, amount in spent.items():
            before = self.spent.get(channel)
            if channel == "usage":
                self.spent[channel] = add_usages(before or {}, amount)
            else:
                self.spent[channel] = (before or 0) + amount


def update_of(spec: RLMSpec, run: Run, call: InFlightCall) -> dict[str, Any]:
    """What the state is told of one that has ended. Raises what ends the run, or interrupts it."""
    ended = Ended(spec, run)
    ended.note(call)
    return ended.update


def _error_text(failure: Exception) -> str:
    """An error as the code and the trajectory have it."""
    if isinstance(failure, ToolFailed):
        return clean(str(failure))
    return clean(f"{answers.TOO_LONG if is_overflow(failure) else ''}{type(failure).__name__}: {failure}")


def answered(
    spec: RLMSpec,
    run: Run,
    in_flight: InFlightCalls,
    pending: Callable[[], PendingCall],
    position: str,
    config: RunnableConfig,
    grace: float = GRACE,
) -> Steps[dict[str, Any]]:
    """Has what is `pending` in flight, where it is not, and waits until some has landed. An update for the state.

    `position` names the call of the code. Code that can go on waits for so many seconds of `grace` for the others.
    Whoever waits for a single prompt asks it himself.
    """
    is_new = in_flight.position != position or in_flight.is_first
    if is_new and (call := pending()).is_alone and not in_flight.calls:
        alone = call.in_flight(call.to_ask[0], position)
        yield from ask_alone(spec, None, alone, run, config)
        return update_of(spec, run, alone)
    with in_flight.attended(config):
        if is_new:
            yield from _begin_pending(spec, run, in_flight, call, position)
        yield from _some_landed(in_flight, grace)
    return _landed(spec, run, in_flight)


def ask_alone(spec: RLMSpec, child: Child | None, call: InFlightCall, run: Run, config: RunnableConfig) -> Steps[None]:
    """Asks in the task that waits for it."""
    call.future = Future()
    if spec.is_plain(call.request):
        config = _telling(config, call)
    try:
        call.future.set_result((yield from answer_to(spec, child, call.request, call.name, run, config)))
    except Exception as failure:
        call.future.set_exception(failure)


def begin(spec: RLMSpec, run: Run, in_flight: InFlightCalls, calls: Sequence[InFlightCall]) -> Steps[None]:
    """Has these in flight."""

    def steps(call: InFlightCall) -> Steps[SubcallResult]:
        config = _telling(in_flight.config, call)
        return answer_to(spec, None, call.request, call.name, run, config, call.mark_sent)

    if calls:
        run.in_flight_calls.update(calls)
        yield BeginCalls(in_flight, calls, steps, run.threads)


def _telling(config: RunnableConfig, call: InFlightCall) -> RunnableConfig:
    """The same, by which streams and traces tell which of the pending prompts is asked."""
    return {**config, "metadata": {**config.get("metadata", {}), "subcall_index": call.index}}


def _begin_pending(spec: RLMSpec, run: Run, in_flight: InFlightCalls, call: PendingCall, position: str) -> Steps[None]:
    """Has what is pending in flight. What is already has its new place noted."""
    in_flight.position, in_flight.is_first = position, call.is_first
    new = list[InFlightCall]()
    for index in [*call.to_ask, *call.ahead]:
        if there := in_flight.find(name := call.name(index, position)):
            in_flight.claim(there, index, index in call.ahead)
        elif name not in in_flight.alone:
            new.append(call.in_flight(index, position))
    yield from begin(spec, run, in_flight, new)


def _some_landed(in_flight: InFlightCalls, grace: float) -> Steps[None]:
    """Waits until some have landed."""

    def can_go_on() -> bool:
        return in_flight.needed_landed or (in_flight.is_first and in_flight.any_landed(_is_valid))

    yield Until(in_flight, lambda: in_flight.landed_count > 0)
    soon, landed_before = time.monotonic() + SOON, 0
    while not can_go_on() and in_flight.landed_count > landed_before and time.monotonic() < soon:
        landed_before = in_flight.landed_count
        yield Until(in_flight, can_go_on, GRACE)
    if can_go_on():  # where a model has a question, the run ends for that: nothing may be in flight then
        yield Until(in_flight, lambda: in_flight.all_landed, None if in_flight.alone else grace)


def _landed(spec: RLMSpec, run: Run, in_flight: InFlightCalls) -> dict[str, Any]:
    """What has landed, as an update for the state. Where one valid answer is enough and there, it ends the others."""
    landed = sorted(in_flight.take_landed(), key=lambda call: call.index)
    ended, last = Ended(spec, run), list[InFlightCall]()
    is_over = in_flight.is_first and any(map(_is_valid, landed))
    for call in in_flight.calls if is_over else ():
        if not call.is_ahead:
            in_flight.forget(call)
            ended.not_needed(call)
    for call in landed:
        try:
            ended.note(call)
        except GraphBubbleUp as question:
            in_flight.alone[call.name] = question
        except LimitExceeded:
            last.append(call)
            continue
        run.in_flight_calls.discard(call)
    if last and not ended.journal:
        ended.note(last[0])
    in_flight.put_back(last)  # it ends the run when the others are stored
    return ended.update


def _is_valid(call: InFlightCall) -> bool:
    return not call.is_ahead and call.has_result and answers.is_valid(as_text(call.result().value))
