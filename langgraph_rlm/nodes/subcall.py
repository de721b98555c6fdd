"""`subcall`: answers one prompt, by a model call or by a child RLM."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph._internal._constants import CONF, CONFIG_KEY_TASK_ID
from langgraph.errors import GraphBubbleUp
from langgraph.graph.state import CompiledStateGraph

from langgraph_rlm import prompts
from langgraph_rlm.caching import Await, Known, Recall, Remember
from langgraph_rlm.calls import Ask, Replied, marked_ahead
from langgraph_rlm.context import Context
from langgraph_rlm.context.files import clean
from langgraph_rlm.digests import digest_of
from langgraph_rlm.effects import Steps
from langgraph_rlm.errors import LimitExceeded
from langgraph_rlm.inputs import name_of
from langgraph_rlm.level import Level
from langgraph_rlm.nodes.asking import NOT_NEEDED
from langgraph_rlm.nodes.ending import as_text
from langgraph_rlm.nodes.route import LONG_QUERY
from langgraph_rlm.repl import answers
from langgraph_rlm.repl.cells import key_of
from langgraph_rlm.run import NOTHING, SPENT, Run, read, run_of, spent_before
from langgraph_rlm.state import SubcallInput
from langgraph_rlm.underway import Flight, Land, Launch, Underway

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
    """An answer, what it took, and what the record of it says besides."""

    text: str
    spent: dict[str, Any]
    noted: dict[str, Any]


def subcall(level: Level, child: Child | None, state: SubcallInput, config: RunnableConfig) -> Steps[dict[str, Any]]:
    run, index = run_of(config), state["index"]
    asked = read(config, "pending")[index]
    underway = run.underway(read(config, "position")["token"])
    wave, is_ahead, is_valid = underway.wave, bool(asked.get("ahead")), False
    record = record_of(asked)
    try:
        flight = (
            None if _wants_child(level, child, asked) else (yield from _flight(level, asked, underway, run, config))
        )
        if flight is None:
            answered: Answered = yield from _answered(level, child, asked, run, config)
        elif (yield Land(flight, wave)):
            run.flights.discard(flight)
            record = record_of(flight.asked)
            answered = flight.result()
        elif wave is not None and wave.has_answer and not is_ahead:
            return _not_needed(index, flight, run)
        else:
            underway.put(flight)
            return {}
    except GraphBubbleUp:
        raise
    except Exception as failure:
        if isinstance(failure, LimitExceeded) and is_ahead:  # the code may never come to it
            run.ledger.give_back(1)
            return {**spent_before(failure), "journal": [["unasked", index]], "seconds": run.ledger.seconds}
        if isinstance(failure, LimitExceeded) and level.limits.on_exceeded == "raise":
            raise
        error = clean(f"{type(failure).__name__}: {failure}")
        event, spent = ["answer", index, None, error], spent_before(failure)
        record["error"] = prompts.shortened(error)
    else:
        event, spent = ["answer", index, answered.text, None], answered.spent
        record |= {**answered.noted, "answer": prompts.shortened(answered.text)}
        is_valid = answers.is_valid(answered.text)
    if wave is not None and not is_ahead:
        wave.landed(is_valid)
    if record.get("ahead"):
        spent = {**spent, "usage": marked_ahead(spent["usage"])}
    return {
        **{channel: amount for channel, amount in spent.items() if amount},
        "subcalls": spent["subcalls"] + 1,
        "journal": [event],
        "asked": [record],
        "seconds": run.ledger.seconds,
    }


def record_of(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What the trajectory says of a sub-call, whatever comes of it."""
    return {
        "kind": asked["kind"],
        "prompt": prompts.shortened(asked["prompt"]),
        "characters": len(asked["prompt"]) + len(asked["context"] or ""),
        **({"ahead": True} if asked.get("ahead") else {}),
    }


def _flight(
    level: Level, asked: dict[str, Any], underway: Underway, run: Run, config: RunnableConfig
) -> Steps[Flight | None]:
    """The call that asks this already, or a new one where the wave may end before it; None where it has to be waited
    for anyway."""
    wave = underway.wave
    if wave is None and not underway.flights:
        return None
    key = key_of(asked["kind"], asked["prompt"], asked["context"])
    flight = underway.take(key)
    if flight is None and wave is not None and (wave.partial or asked.get("ahead")):
        flight = Flight(key, asked)
        run.flights.add(flight)
        yield Launch(flight, _answered(level, None, asked, run, config, flight.depart))
    return flight


def _not_needed(index: int, flight: Flight, run: Run) -> dict[str, Any]:
    """Another one has the answer: this one is cancelled, and counts where the model was asked."""
    flight.cancel()
    update: dict[str, Any] = {"journal": [["answer", index, None, NOT_NEEDED.error]], "seconds": run.ledger.seconds}
    if not flight.has_departed:
        run.ledger.give_back(1)
        return update
    return {**update, "subcalls": 1, "asked": [record_of(flight.asked) | {"cancelled": True}]}


def _answered(
    level: Level,
    child: Child | None,
    asked: dict[str, Any],
    run: Run,
    config: RunnableConfig,
    on_departure: Callable[[], None] | None = None,
) -> Steps[Answered]:
    """The answer: from the cache where there is one, else asked for. What is asked just now is not asked again."""
    if run.cache is None:
        return (yield from _asked(level, child, asked, run, config, on_departure))
    # who asks: which graph, which model, and with which settings where they matter
    asker = level.recursive if _wants_child(level, child, asked) else level.plain
    key, task = digest_of(asker, asked["prompt"], asked["context"]), config[CONF][CONFIG_KEY_TASK_ID]
    known: Known | None = yield Recall(run.cache, key)
    if known is not None and known.task == task:  # killed before the state had it: it was this run that paid
        return Answered(known.answer, known.spent, {})
    while known is None and (flight := run.shared.join(key)):
        known = yield Await(flight)
    if known is not None:
        return Answered(known.answer, NOTHING, {"cached": True})
    try:
        answered = yield from _asked(level, child, asked, run, config, on_departure)
        if "status" not in answered.noted:
            known = Known(answered.text, task, answered.spent)
            yield Remember(run.cache, key, known)
        return answered
    finally:
        run.shared.land(key, known)


def _asked(
    level: Level,
    child: Child | None,
    asked: dict[str, Any],
    run: Run,
    config: RunnableConfig,
    on_departure: Callable[[], None] | None,
) -> Steps[Answered]:
    """What a model says, or a child RLM."""
    prompt, context = asked["prompt"], asked["context"]
    if _wants_child(level, child, asked):
        assert child is not None
        return (yield from _recursive(child, prompt, context, run, config))
    text = prompt if context is None else f"{prompt}\n\n{context}"
    replied: Replied = yield Ask(level.sub_model, [HumanMessage(text)], run.gate, config, on_departure=on_departure)
    return Answered(replied.text, {**NOTHING, "usage": replied.usage}, {})


def _recursive(child: Child, prompt: str, context: str | None, run: Run, config: RunnableConfig) -> Steps[Answered]:
    """Runs the child. Its text is the prompt's, which this RLM's state has: the child stores its name alone.

    Without a context the prompt is its text, and its query too, shortened.
    """
    text, query = (prompt, prompts.shortened(prompt, LONG_QUERY)) if context is None else (context, prompt)
    about = Context.of(text)
    name = name_of(about)
    with run.knowing(name, about):
        given = {"query": query, "context": [{"id": name}], "profile": "rlm"}
        output = yield RunChild(child, given, config)
    spent = {channel: output[channel] for channel in SPENT}
    noted = {"trajectory": output["trajectory"], **({"status": "limit"} if output["status"] == "limit" else {})}
    return Answered(as_text(output["answer"]), spent, noted)


def _wants_child(level: Level, child: Child | None, asked: dict[str, Any]) -> bool:
    size = len(asked["prompt"]) + len(asked["context"] or "")
    return child is not None and (asked["kind"] == "rlm" or not level.subcall_reach.has(size))
