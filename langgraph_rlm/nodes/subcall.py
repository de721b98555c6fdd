"""`subcall`: answers one request, by a model, by a child RLM, or by a tool."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphBubbleUp
from langgraph.graph.state import CompiledStateGraph

from langgraph_rlm.answers.schema import Form, Unfit
from langgraph_rlm.answers.values import as_text
from langgraph_rlm.asking import typed
from langgraph_rlm.asking.caching import Await, Known, Recall, Remember
from langgraph_rlm.asking.calls import Ask, Replied, marked_ahead, overflowed
from langgraph_rlm.asking.ledger import NOTHING
from langgraph_rlm.asking.requests import Request
from langgraph_rlm.asking.tools import ToolFailed, Use
from langgraph_rlm.asking.underway import Flight, Land, Launch, Underway
from langgraph_rlm.context import Context
from langgraph_rlm.context.digests import digest_of
from langgraph_rlm.context.files import clean
from langgraph_rlm.conversation import prompts
from langgraph_rlm.effects import Steps
from langgraph_rlm.errors import LimitExceeded
from langgraph_rlm.langgraph_internals import CONF, CONFIG_KEY_TASK_ID
from langgraph_rlm.nodes.asking import NOT_NEEDED
from langgraph_rlm.nodes.records import record_of
from langgraph_rlm.repl.python import answers
from langgraph_rlm.running.inputs import name_of
from langgraph_rlm.running.level import Level
from langgraph_rlm.running.run import SPENT, Run, read, run_of, spent_before
from langgraph_rlm.state import SubcallInput

Child = CompiledStateGraph[Any, Any, Any, Any]


@dataclass(frozen=True)
class RunChild:
    """The effect of running the child graph. Its result is the child's output."""

    child: Child
    input: dict[str, Any]
    config: RunnableConfig

    def run(self) -> Any:
        return self.child.invoke(self.input, self.config)

    async def arun(self) -> Any:
        return await self.child.ainvoke(self.input, self.config)


@dataclass(frozen=True)
class Answered:
    """An answer, a str or plain data, what it took, and what the record of it says besides."""

    value: Any
    spent: dict[str, Any]
    noted: dict[str, Any]


def subcall(level: Level, child: Child | None, state: SubcallInput, config: RunnableConfig) -> Steps[dict[str, Any]]:
    run, index = run_of(config), state["index"]
    pending = read(config, "pending")[index]
    request, is_ahead = Request.of(pending), bool(pending.get("ahead"))
    underway = run.underway(read(config, "position")["token"])
    wave, is_valid = underway.wave, False
    record = record_of(request, is_ahead)
    try:
        flight: Flight | None = None
        if request.kind != "tool" and not level.goes_to_child(request):
            flight = yield from _flight(level, request, is_ahead, underway, run, config)
        if flight is None:
            answered: Answered = yield from _answered(level, child, request, run, config)
        elif (yield Land(flight, wave)):
            run.flights.discard(flight)
            record = record_of(flight.request, flight.is_ahead)
            answered = flight.result()
        elif wave is not None and wave.has_answer and not is_ahead:
            return _not_needed(index, flight, run)
        else:
            underway.put(flight)
            return {}
    except GraphBubbleUp as waiting:
        if not (is_ahead and request.kind == "tool"):
            raise
        return _unasked(index, request, waiting, run)
    except Exception as failure:
        if isinstance(failure, LimitExceeded) and is_ahead:
            return _unasked(index, request, failure, run)
        if isinstance(failure, LimitExceeded) and level.limits.on_exceeded == "raise":
            raise
        error = _worded(failure)
        event, spent = ["answer", index, None, error], spent_before(failure)
        record["error"] = prompts.shortened(error)
    else:
        event, spent = ["answer", index, answered.value, None], answered.spent
        text = as_text(answered.value)
        record |= {**answered.noted, "answer": prompts.shortened(text)}
        is_valid = answers.is_valid(text)
    if wave is not None and not is_ahead:
        wave.landed(is_valid)
    if record.get("ahead"):
        spent = {**spent, "usage": marked_ahead(spent["usage"])}
    own = "tool_calls" if request.kind == "tool" else "subcalls"
    return {
        **{channel: amount for channel, amount in spent.items() if amount},
        own: spent[own] + 1,
        "journal": [[*event, "tool"] if request.kind == "tool" else event],
        "asked": [record],
        "seconds": run.ledger.seconds,
    }


def _worded(failure: Exception) -> str:
    """An error as the code and the trajectory have it."""
    if isinstance(failure, ToolFailed):
        return clean(str(failure))
    return clean(f"{answers.TOO_LONG if overflowed(failure) else ''}{type(failure).__name__}: {failure}")


def _flight(
    level: Level, request: Request, is_ahead: bool, underway: Underway, run: Run, config: RunnableConfig
) -> Steps[Flight | None]:
    """The call that asks this already, or a new one where the wave may end before it; None where it has to be waited
    for anyway."""
    wave = underway.wave
    if wave is None and not underway.flights:
        return None
    flight = underway.take(request.key)
    if flight is None and wave is not None and (wave.partial or is_ahead):
        flight = Flight(request, is_ahead)
        run.flights.add(flight)
        yield Launch(flight, _answered(level, None, request, run, config, flight.depart))
    return flight


def _unasked(index: int, request: Request, why: Exception, run: Run) -> dict[str, Any]:
    """It was to be asked ahead and cannot be now: the code asks again, if it ever comes to it."""
    run.ledger.give_back([request])
    return {**spent_before(why), "journal": [["unasked", index]], "seconds": run.ledger.seconds}


def _not_needed(index: int, flight: Flight, run: Run) -> dict[str, Any]:
    """Another one has the answer: this one is cancelled, and counts where the model was asked."""
    flight.cancel()
    update: dict[str, Any] = {"journal": [["answer", index, None, NOT_NEEDED.error]], "seconds": run.ledger.seconds}
    if not flight.has_departed:
        run.ledger.give_back([flight.request])
        return update
    return {**update, "subcalls": 1, "asked": [record_of(flight.request, flight.is_ahead) | {"cancelled": True}]}


def _answered(
    level: Level,
    child: Child | None,
    request: Request,
    run: Run,
    config: RunnableConfig,
    on_departure: Callable[[], None] | None = None,
) -> Steps[Answered]:
    """The answer: from the cache where there is one, else asked for. What is asked just now is not asked again."""
    if request.kind == "tool":
        result = yield Use(level.tools[request.prompt], request.arguments or {}, run.gate, config)
        return Answered(result, NOTHING, {})
    if run.cache is None or level.offer.changes(request):
        return (yield from _asked(level, child, request, run, config, on_departure))
    # who asks: which graph, which model, and with which settings where they matter
    asker = level.recursive if level.goes_to_child(request) else level.plain(request.model)
    key, task = digest_of(asker, request.key), config[CONF][CONFIG_KEY_TASK_ID]
    known: Known | None = yield Recall(run.cache, key)
    if known is not None and known.task == task:  # killed before the state had it: it was this run that paid
        return Answered(known.answer, known.spent, {})
    while known is None and (flight := run.shared.join(key)):
        known = yield Await(flight)
    if known is not None:
        return Answered(known.answer, NOTHING, {"cached": True})
    try:
        answered = yield from _asked(level, child, request, run, config, on_departure)
        if "status" not in answered.noted:
            known = Known(answered.value, task, answered.spent)
            yield Remember(run.cache, key, known)
        return answered
    finally:
        run.shared.land(key, known)


def _asked(
    level: Level,
    child: Child | None,
    request: Request,
    run: Run,
    config: RunnableConfig,
    on_departure: Callable[[], None] | None,
) -> Steps[Answered]:
    """What a model says, or a child RLM."""
    if level.goes_to_child(request):
        assert child is not None
        return (yield from _recursive(child, request, run, config))
    text = request.prompt if request.context is None else f"{request.prompt}\n\n{request.context}"
    model = level.model_named(request.model)
    ask = Ask(model, [HumanMessage(text)], run.gate, config, on_departure=on_departure)
    if request.schema is None:
        replied: Replied = yield ask
        return Answered(replied.text, {**NOTHING, "usage": replied.usage}, {})
    value, usage = yield from typed.asking(ask, Form.of_schema(request.schema))
    return Answered(value, {**NOTHING, "usage": usage}, {})


def _recursive(child: Child, request: Request, run: Run, config: RunnableConfig) -> Steps[Answered]:
    """Runs the child. Its text is the prompt's, which this RLM's state has: the child stores its name alone.

    Without a context the prompt is its text, and its query too, shortened.
    """
    prompt, context = request.prompt, request.context
    text, query = (prompt, prompts.shortened(prompt, prompts.MOST_QUERY)) if context is None else (context, prompt)
    about = Context.of(text)
    name = name_of(about)
    with run.knowing(name, about):
        asked = {"query": query, "context": [{"id": name}], "profile": "rlm"}
        given = {**asked, "answer_schema": request.schema, "writer": request.model}
        output = yield RunChild(child, given, config)
    spent = {channel: output[channel] for channel in SPENT}
    noted = {"trajectory": output["trajectory"], **({"status": "limit"} if output["status"] == "limit" else {})}
    if request.schema is None:
        return Answered(as_text(output["answer"]), spent, noted)
    try:
        return Answered(Form.of_schema(request.schema).fitted(output["answer"]), spent, noted)
    except Unfit as unfit:  # it came to a limit before that
        unfit.rlm_spent = spent  # type: ignore[attr-defined]
        raise
