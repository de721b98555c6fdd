"""`execute`: runs a cell, or goes on with it where it was suspended; then asks, goes back to the model, or ends."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, dataclass, field, replace
from functools import partial
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.graph import END
from langgraph.types import Command, Overwrite

from langgraph_rlm.answers.values import as_text
from langgraph_rlm.asking.in_flight import InFlightCalls
from langgraph_rlm.asking.ledger import Usage
from langgraph_rlm.asking.model_calls import add_usages, mark_ahead
from langgraph_rlm.asking.requests import Call, Request
from langgraph_rlm.conversation.history import past_steps, questions
from langgraph_rlm.conversation.prompts import shorten
from langgraph_rlm.effects import Steps, Work
from langgraph_rlm.errors import LimitExceeded
from langgraph_rlm.langgraph_internals import CONF, CONFIG_KEY_TASK_ID
from langgraph_rlm.nodes.conclusion import conclude_cell, conclude_reply
from langgraph_rlm.nodes.ending import record_outcome
from langgraph_rlm.nodes.landing import answered
from langgraph_rlm.nodes.pending import (
    LEFT_OUT,
    NOT_NEEDED,
    PendingCall,
    Refused,
    guess_ahead,
    left_out,
    next_pending_call,
    to_subcalls,
    try_reserve,
)
from langgraph_rlm.nodes.records import record_of
from langgraph_rlm.nodes.restoring import restore_interpreter
from langgraph_rlm.nodes.turn import CellInput, asked_of
from langgraph_rlm.repl.cells import CellOutcome, Finished, Suspended, Variable
from langgraph_rlm.repl.interpreter import Interpreter
from langgraph_rlm.repl.journal import answers_so_far, kept_answers, unclaimed_answers
from langgraph_rlm.repl.lookahead import Prefetched
from langgraph_rlm.running.run import Run, fresh, is_durable, is_seen, read, run_of, write
from langgraph_rlm.running.spec import RLMSpec
from langgraph_rlm.state import ReplRef


@dataclass(frozen=True)
class Execution:
    """What one execution of the node works with."""

    spec: RLMSpec
    state: CellInput
    config: RunnableConfig
    repl: Interpreter
    in_flight: InFlightCalls

    @property
    def run(self) -> Run:
        return run_of(self.config)


@dataclass(frozen=True)
class StopPoint:
    """A cell that goes no further by itself: it has ended, or it asks.

    With it, what there is for its call, and the requests that are to be asked. Both have their places.
    """

    outcome: CellOutcome
    prefetched: Prefetched = field(default_factory=Prefetched)
    reserved: Sequence[Request] = ()


def execute(spec: RLMSpec, state: CellInput, config: RunnableConfig) -> Steps[Command[Any]]:
    run, repl_ref = run_of(config), state.get("position")
    token = repl_ref["token"] if repl_ref else ""
    call = PendingCall(read(config, "pending"), answers_so_far(read(config, "journal")))
    if not call.is_settled:
        return Command(goto=to_subcalls(spec, run, run.in_flight_of(token), call, token, call.to_ask))

    repl, in_flight = run.take_live(token)
    if call.pending or state["code"] or state.get("block"):
        restored: dict[str, Any] = {}
        if repl is None:
            repl, restored = yield Work(partial(restore_interpreter, spec, state, config))
        cell_input: CellInput = {**state, **restored}  # type: ignore[typeddict-item]
        command = yield from _run_or_resume(Execution(spec, cell_input, config, repl, in_flight), call)
        command = replace(command, update={**restored, **(command.update or {})})
    else:
        command = conclude_reply(spec, state, config)
    if command.goto == END:
        yield from record_outcome((command.update or {})["status"], config)
    if repl is None:
        return command
    new_ref: ReplRef = {"token": "", "context": state["context_id"]}
    if command.goto == END:
        yield Work(partial(run.release, repl))
    else:
        new_ref["token"] = run.keep_live(repl, in_flight)
    return replace(command, update={**(command.update or {}), "position": new_ref, "seconds": run.ledger.seconds})


def _run_or_resume(now: Execution, call: PendingCall) -> Steps[Command[Any]]:
    """Runs the cell, or goes on with it where it was suspended and has its answers, up to where it asks or ends.

    Where nobody sees it, the answers are waited for here. Where they are kept, a single one is, and that once: it is to
    be stored before the code goes on.
    """
    config = now.config
    now.repl.tell_budget(partial(_budget, now))
    while True:
        outcome = yield from (_resume_cell(now, call) if call.pending else _run_cell(now))
        stopped = yield from _run_to_ask_or_end(now, outcome)
        stopped, dump = yield from _dump(now, stopped)
        update: dict[str, Any] = {}
        awaits_ahead = stopped.prefetched.in_flight or now.repl.lookahead.in_flight.total()
        if isinstance(stopped.outcome, Finished) or not awaits_ahead:
            update = _cancel_ahead(now)
            call = PendingCall([], {})
        if isinstance(stopped.outcome, Finished):
            return _conclude(now, stopped.outcome, dump, update)
        command, call = yield from _ask(now, call, stopped.outcome.call, stopped, dump, update)
        is_kept = is_durable(config)
        if is_seen(config) or (is_kept and (dump or now.in_flight.calls or not call.is_alone)):
            return command
        update = {**(command.update or {}), "pending": list(call.pending)}  # the state may not have what it refers to
        if command.goto != now.spec.subcall_node:
            return replace(command, update=update)
        call = yield from _answered_here(now, call, update)
        if is_kept:
            return Command(update=update, goto="execute")
        if not call.is_settled:
            return Command(update=update, goto=to_subcalls(now.spec, now.run, now.in_flight, call, "", call.to_ask))
        now = replace(now, state={**now.state, "note": update["note"]}, config=fresh(config))


def _answered_here(now: Execution, call: PendingCall, update: dict[str, Any]) -> Steps[PendingCall]:
    """The call with its answers. What the state adds up goes from the `update` into it."""
    task, answers = now.config[CONF][CONFIG_KEY_TASK_ID], dict(call.answers)
    position = task if is_durable(now.config) else uuid.uuid4().hex  # a killed run has the same task again
    now_pending = partial(PendingCall, call.pending, answers, call.known)
    write(now.config, update)
    while not (call := now_pending()).is_settled and not now.in_flight.alone:
        ended = yield from answered(now.spec, now.run, now.in_flight, now_pending, position, now.config)
        answers |= answers_so_far(ended["journal"])
        write(now.config, ended)
    return call


def _budget(now: Execution) -> dict[str, Any]:
    """What is left of the run, as `budget()` of the REPL tells it."""
    spec, cap = now.spec, now.spec.dialect.conventions.output_cap(now.spec.sandbox)
    context = now.run.context(now.state["context_id"], now.config)
    remaining = now.run.ledger.remaining
    return {
        "turns": max(0, now.run.ledger.limits.max_steps - now.state["step"]),
        **(remaining if spec.has_subcalls else {**remaining, "subcalls": 0}),
        "cell_seconds": spec.sandbox.seconds(len(context)),
        "output_characters": cap.head + cap.tail,
    }


def _run_cell(now: Execution) -> Steps[CellOutcome]:
    """Runs the cell from its beginning."""
    code, history = now.state["code"], read(now.config, "history")
    context = now.run.context(now.state["context_id"], now.config)
    setup = now.spec.dialect.setup(code, context, questions(history))
    past = past_steps(history)
    is_there = past is None or Variable("past_steps", "list", len(past)) in now.repl.variables
    variables = {} if is_there else {"past_steps": past}
    asked = asked_of(now.state, now.config)
    kept = kept_answers(read(now.config, "journal"), is_suspended=False)

    def run() -> CellOutcome:
        given = now.spec.dialect.given(code, context, asked)
        return now.repl.run(code, setup, {**given, **variables}, kept)

    outcome: CellOutcome = yield Work(run)
    return outcome


def _resume_cell(now: Execution, call: PendingCall) -> Steps[CellOutcome]:
    """Goes on with the suspended cell, whose call has its answers."""
    now.run.ledger.give_back(call.requests(call.missing))
    now.repl.answer_with_error(call.missing, NOT_NEEDED)
    if len(call.result) < len(call.pending):
        now.repl.lookahead.in_flight = Counter(request.key for request in call.ahead.values())
        now.repl.lookahead.answered = unclaimed_answers(read(now.config, "journal"))
    outcome: CellOutcome = yield Work(lambda: now.repl.resume(call.result))
    return outcome


def _run_to_ask_or_end(now: Execution, outcome: CellOutcome) -> Steps[StopPoint]:
    """Goes on until the cell ends, or asks for what it may have."""
    while True:
        prefetched = Prefetched()
        if now.repl.lookahead.has_any:
            outcome, prefetched = yield Work(partial(_use_prefetched, now, outcome))
        if isinstance(outcome, Finished):
            return StopPoint(outcome)
        reserved = try_reserve(now.spec, outcome.call, prefetched, now.run)
        if not isinstance(reserved, Refused):
            return StopPoint(outcome, prefetched, reserved)
        outcome = yield Work(partial(now.repl.refuse, outcome.call, prefetched, reserved.reason))


def _use_prefetched(now: Execution, outcome: CellOutcome) -> tuple[CellOutcome, Prefetched]:
    """Goes on while the answers are there to what the cell asks, and with what there is for the next call."""
    while isinstance(outcome, Suspended):
        prefetched = now.repl.claim(outcome.call)
        if len(prefetched.answers) < len(outcome.call.requests):
            return outcome, prefetched
        try:
            now.run.ledger.reserve(prefetched.claimed_of(outcome.call))
        except LimitExceeded:  # it is refused like any other
            return outcome, prefetched
        outcome = now.repl.resume_prefetched(outcome.call, prefetched)
    return outcome, Prefetched()


def _dump(now: Execution, stopped: StopPoint) -> Steps[tuple[StopPoint, list[Any]]]:
    """The REPL as the state keeps it, with its place in the journal, where a dump is worth its time; else nothing.

    Where it is too large for a dump, the cell has ended with an error.
    """
    dump: bytes | Finished | None = None
    if (is_durable(now.config) or isinstance(stopped.outcome, Finished)) and now.repl.worth_dumping:
        dump = yield Work(now.repl.dump)
    if isinstance(dump, Finished):
        if isinstance(stopped.outcome, Suspended):
            now.run.ledger.give_back([*stopped.prefetched.claimed_of(stopped.outcome.call), *stopped.reserved])
        return replace(stopped, outcome=dump), []
    if not dump:
        return stopped, []
    return stopped, [dump, len(read(now.config, "journal")) + now.repl.new_event_count]  # after the call, or the end


def _cancel_ahead(now: Execution) -> dict[str, Any]:
    """Cancels what is in flight of what was asked ahead. The tokens that it took count, where they are known."""
    sent = [ahead for ahead in now.in_flight.cancel() if ahead.was_sent] if now.in_flight.calls else []
    if not sent:
        return {}
    usage: Usage = {}
    for ahead in sent:
        usage = add_usages(usage, mark_ahead(ahead.result().spent["usage"]) if ahead.has_result else {})
    records = [record_of(ahead.request, ahead.is_ahead) | {"cancelled": True} for ahead in sent]
    return {"usage": usage, "asked": records}


def _ask(
    now: Execution, before: PendingCall, call: Call, stopped: StopPoint, dump: list[Any], update: dict[str, Any]
) -> Steps[tuple[Command[Any], PendingCall]]:
    """Has asked what the suspended cell asks for, and what it is likely to ask next; or has somebody agree to it first.

    With it, what is pending then.
    """
    spec, run, repl, prefetched, reserved = now.spec, now.run, now.repl, stopped.prefetched, len(stopped.reserved)
    if dump:
        update["suspension"] = [*dump, repl.printed.head, repl.printed.tail, repl.printed.length]
    repl.note_claimed(call, prefetched)
    repl.answer_with_error(left_out(call, prefetched, reserved), LEFT_OUT)
    guesses = list[Request]()
    run.ledger.note_ahead(repl, repl.lookahead.unclaimed)
    if spec.lookahead and not run.interrupts and not call.first:
        guesses = yield Work(partial(guess_ahead, call, repl, run))
    run.ledger.note_ahead(repl, repl.lookahead.unclaimed + len(guesses))
    update["pending"], pending = next_pending_call(before, call, prefetched, reserved, guesses)
    repl.note_asked_ahead([request.key for request in pending.ahead.values()])
    update["asking"] = len(update["pending"])
    update |= _repl_update(now, update)
    if pending.is_settled:
        return Command(update=update, goto="execute"), pending
    subcalls = [request for request in stopped.reserved if request.kind != "tool"]
    if spec.confirms_fan_outs and len(subcalls) > (spec.limits.confirm_above or 0):
        return Command(update=update, goto="confirm"), pending
    goto = to_subcalls(spec, run, now.in_flight, pending, "", pending.to_ask)  # own prompts have no names yet
    return Command(update=update, goto=goto), pending


def _conclude(now: Execution, cell: Finished, dump: list[Any], update: dict[str, Any]) -> Command[Any]:
    """Leaves the finished cell behind: what it did goes to the model, or it has ended the run."""
    now.run.ledger.note_ahead(now.repl, 0)
    repl_update = _repl_update(now, update)
    records = [*read(now.config, "asked"), *repl_update["asked"]]
    update |= {**repl_update, "pending": [], "asking": 0, "asked": Overwrite([]), "note": None}
    update["variables"] = [list(astuple(variable)) for variable in cell.variables]
    if dump:
        update["cell_end"] = dump
    return conclude_cell(now.spec, now.state, now.config, cell, records, repl_update["note"], update)


def _repl_update(now: Execution, update: dict[str, Any]) -> dict[str, Any]:
    """What the state is told of the REPL, with what is in the `update` already: what happened, and what became of it.

    What was asked ahead is counted here, when the code has come to it.
    """
    claimed = now.repl.take_claimed()
    kept = [
        record_of(claim.request, is_ahead=False) | {"kept": True, "answer": shorten(as_text(claim.answer.value))}
        for claim in claimed
        if claim.is_kept
    ]
    needed = Counter(
        "tool_calls" if claim.request.kind == "tool" else "subcalls" for claim in claimed if not claim.is_kept
    )
    return {
        **needed,
        "note": now.repl.take_note() or now.state.get("note"),
        "journal": now.repl.take_events(),
        "asked": [*update.get("asked", []), *kept],
    }
