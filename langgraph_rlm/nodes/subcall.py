"""`subcall`: answers what the code has asked for.

Plain prompts are in flight in the run, and one task of this node tells the state what has landed of them. A child RLM
and a tool are a task each: they have interrupts, and a child a namespace and checkpoints of its own. So is every prompt
beside those, and where a run pauses between steps: a superstep ends when all of its tasks have, and what is answered is
to be stored before.
"""

from __future__ import annotations

from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphBubbleUp, GraphInterrupt
from langgraph.types import Command, interrupt

from langgraph_rlm.asking.in_flight import InFlightCalls, Until
from langgraph_rlm.effects import Steps
from langgraph_rlm.nodes.answering import Child
from langgraph_rlm.nodes.landing import GRACE, SOON, answered, ask_alone, begin, update_of
from langgraph_rlm.nodes.pending import PendingCall
from langgraph_rlm.repl.journal import answers_so_far
from langgraph_rlm.running.run import read, run_of
from langgraph_rlm.running.spec import RLMSpec
from langgraph_rlm.state import SubcallInput


def subcall(spec: RLMSpec, child: Child | None, state: SubcallInput, config: RunnableConfig) -> Steps[Command[Any]]:
    run, position = run_of(config), read(config, "position")["token"]
    in_flight = run.in_flight_of(position)
    if "index" in state:
        update = yield from _answer_one(spec, child, state["index"], position, in_flight, config)
        return Command(update=update, goto="execute")

    def pending() -> PendingCall:
        return PendingCall(read(config, "pending"), answers_so_far(read(config, "journal")))

    grace = GRACE if run.is_live(position) else SOON
    update = yield from answered(spec, run, in_flight, pending, position, config, grace)
    is_waiting = not (in_flight.needed_landed or in_flight.is_first)
    return Command(update=update, goto=spec.subcall_node if is_waiting else "execute")


def _answer_one(
    spec: RLMSpec,
    child: Child | None,
    index: int,
    position: str,
    in_flight: InFlightCalls,
    config: RunnableConfig,
) -> Steps[dict[str, Any]]:
    """Answers one request. A prompt that is asked ahead is waited for as long as the superstep lasts without it."""
    run, call = run_of(config), PendingCall(read(config, "pending"), {})
    begun = call.in_flight(index, position)
    if question := in_flight.alone.pop(begun.name, None):
        raise _asked_here(question)
    there, lasts = in_flight.find(begun.name), not (begun.is_ahead and spec.is_plain(begun.request))
    if there is None and lasts:
        yield from ask_alone(spec, child, begun, run, config)
        update = update_of(spec, run, begun)  # where it interrupts, all that is asked ahead is waited for
        in_flight.note_task_ended()
        return update
    with in_flight.attended(config):
        if there:
            begun = there
            in_flight.claim(begun, index, bool(call.pending[index].get("ahead")))
        else:
            yield from begin(spec, run, in_flight, [begun])
        yield Until(in_flight, lambda: begun.has_landed or (not lasts and in_flight.lasting_tasks == 0))
        yield Until(in_flight, lambda: begun.has_landed, GRACE)
    if not begun.has_landed:
        return {}
    in_flight.forget(begun)
    run.in_flight_calls.discard(begun)
    update = update_of(spec, run, begun)
    if lasts:
        in_flight.note_task_ended()
    return update


def _asked_here(question: GraphBubbleUp) -> GraphBubbleUp:
    """What a model in flight has for somebody to answer, as a question of this task, which will have the answer."""
    if isinstance(question, GraphInterrupt):
        [asked, *_] = question.args[0]
        interrupt(asked.value)
    return question
