"""`execute`: runs a cell, or goes on with it where it was suspended; then asks, goes back to the model, or ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import astuple, replace
from functools import partial
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.graph import END
from langgraph.types import Command, Overwrite

from langgraph_rlm.asking.calls import add_usages, marked_ahead
from langgraph_rlm.asking.ledger import Usage
from langgraph_rlm.asking.requests import Request
from langgraph_rlm.asking.underway import Underway
from langgraph_rlm.conversation.history import past_steps, questions
from langgraph_rlm.effects import Steps, Work
from langgraph_rlm.nodes.asking import NOT_NEEDED, Asked, asking, reserved, wave
from langgraph_rlm.nodes.bringing import brought_here
from langgraph_rlm.nodes.conclusion import concluded, without_code
from langgraph_rlm.nodes.ending import taught
from langgraph_rlm.nodes.records import record_of
from langgraph_rlm.nodes.turn import CellInput
from langgraph_rlm.repl import gaps
from langgraph_rlm.repl.cells import Finished, Outcome, Suspended, Variable
from langgraph_rlm.repl.interpreter import Interpreter
from langgraph_rlm.repl.journal import answers_so_far, spare_answers
from langgraph_rlm.repl.lookahead import Taken
from langgraph_rlm.running.level import Level
from langgraph_rlm.running.run import Run, is_durable, read, run_of
from langgraph_rlm.state import Position


def execute(level: Level, state: CellInput, config: RunnableConfig) -> Steps[Command[Any]]:
    run, position = run_of(config), state.get("position")
    token = position["token"] if position else ""
    asked = Asked(read(config, "pending"), answers_so_far(read(config, "journal")))
    if not asked.is_settled:
        return Command(goto=wave(level, run, run.underway(token), asked, asked.missing))
    repl, underway = run.take(token)
    if not (asked.pending or state["code"] or state.get("block")):
        command = without_code(level, state, config)
    else:
        brought: dict[str, Any] = {}
        if repl is None:
            repl, brought = yield Work(partial(brought_here, level, state, config))
        given: CellInput = {**state, **brought}  # type: ignore[typeddict-item]
        command = yield from _executed(level, given, asked, config, repl, underway)
        command = replace(command, update={**brought, **(command.update or {})})
    ends = command.goto == END
    if ends:
        yield from taught((command.update or {})["status"], config)
    if repl is None:
        return command
    if ends:
        yield Work(partial(run.end, repl))
    kept: Position = {"token": "" if ends else run.keep(repl, underway), "context": state["context_id"]}
    return replace(command, update={**(command.update or {}), "position": kept, "seconds": run.ledger.seconds})


def _executed(
    level: Level, state: CellInput, asked: Asked, config: RunnableConfig, repl: Interpreter, underway: Underway
) -> Steps[Command[Any]]:
    """Runs the cell, or goes on with it where it was suspended and has its answers, up to where it asks or ends."""
    run, journal = run_of(config), read(config, "journal")
    if asked.pending:
        outcome = yield from _answered(asked, config, repl)
    else:
        outcome = yield from _begun(level, state, config, repl)
    outcome, taken, granted = yield from _as_far_as_it_goes(level, outcome, repl, run)
    dump: Any = None
    if repl.worth_dumping and (is_durable(config) or isinstance(outcome, Finished)):
        dump = yield Work(repl.dump)
    if isinstance(dump, Finished):
        run.ledger.give_back(granted)
        outcome, dump = dump, None
    place = len(journal) + repl.untold  # that of a dump: after the call, or the end
    update: dict[str, Any] = {}
    if isinstance(outcome, Finished) or not (taken.flying or repl.guesses.flying.total()):
        update = _cancelled(underway, asked.ahead.values(), run)
        asked = replace(asked, pending=[])
    if isinstance(outcome, Suspended):
        update["pending"], asked = yield from asking(level, asked, outcome.call, taken, len(granted), repl, run)
        if dump:
            printed = repl.printed
            update["suspension"] = [dump, place, printed.head, printed.tail, printed.length]
        update |= _noted(repl, state)
        subcalls = [request for request in outcome.call.requests if request.kind != "tool"]
        if level.confirms and len(subcalls) > (level.limits.confirm_above or 0):
            return Command(update=update, goto="confirm")
        return Command(update=update, goto=wave(level, run, underway, asked, asked.missing))
    if dump:
        update["cell_end"] = [dump, place]
    told = _noted(repl, state)
    records = [*read(config, "asked"), *update.pop("asked", [])]
    update |= {**told, "pending": [], "asked": Overwrite([]), "note": None}
    update["variables"] = [list(astuple(variable)) for variable in outcome.variables]
    return concluded(level, state, config, outcome, records, told["note"], update)


def _begun(level: Level, state: CellInput, config: RunnableConfig, repl: Interpreter) -> Steps[Outcome]:
    """Runs the cell from its beginning."""
    history, context = read(config, "history"), run_of(config).context(state["context_id"], config)
    before = level.dialect.before(state["code"], context, questions(history))
    past = past_steps(history)
    is_there = past is None or Variable("past_steps", "list", len(past)) in repl.variables
    given = {} if is_there else {"past_steps": past}
    outcome: Outcome = yield Work(lambda: repl.run(gaps.bridged(state["code"]), before, given))
    return outcome


def _answered(asked: Asked, config: RunnableConfig, repl: Interpreter) -> Steps[Outcome]:
    """Goes on with the suspended cell, whose call has its answers."""
    run_of(config).ledger.give_back(asked.requests(asked.missing))
    repl.left_out(asked.missing, NOT_NEEDED)
    if len(asked.given) < len(asked.pending):
        repl.guesses.flying = Counter(request.key for request in asked.ahead.values())
        repl.guesses.spare = spare_answers(read(config, "journal"))
    outcome: Outcome = yield Work(lambda: repl.resume(asked.given))
    return outcome


def _as_far_as_it_goes(
    level: Level, outcome: Outcome, repl: Interpreter, run: Run
) -> Steps[tuple[Outcome, Taken, Sequence[Request]]]:
    """Goes on until the cell ends, or asks for what it may have: with what of that was asked ahead, and what is granted
    of the rest."""
    while True:
        taken = Taken()
        if repl.guesses.outstanding:
            outcome, taken = yield Work(partial(_through_what_is_known, repl, outcome))
        if not isinstance(outcome, Suspended):
            return outcome, taken, ()
        missing = [outcome.call.requests[index] for index in taken.missing_of(outcome.call)]
        granted = reserved(level, outcome.call, missing, run)
        if not isinstance(granted, str):
            return outcome, taken, granted
        outcome = yield Work(partial(repl.refuse, granted))


def _noted(repl: Interpreter, state: CellInput) -> dict[str, Any]:
    """What the state is told of the REPL: what happened, and what became of it."""
    note, repl.note = repl.note or state.get("note"), None
    return {"journal": repl.events(), "note": note}


def _through_what_is_known(repl: Interpreter, outcome: Outcome) -> tuple[Outcome, Taken]:
    """Goes on while the cell asks what was asked ahead and answered, and with what there is for the next call."""
    while isinstance(outcome, Suspended):
        taken = repl.take(outcome.call)
        if len(taken.found) < len(outcome.call.requests):
            return outcome, taken
        outcome = repl.resume_with(taken.found)
    return outcome, Taken()


def _cancelled(underway: Underway, ahead: Iterable[Request], run: Run) -> dict[str, Any]:
    """Cancels what is under way of what was to be asked ahead. What the model was asked counts."""
    departed = [flight for flight in underway.cancel() if flight.has_departed]
    counted = Counter(flight.request.key for flight in departed)
    for request in ahead:
        if counted[request.key]:
            counted[request.key] -= 1
        else:
            run.ledger.give_back([request])
    if not departed:
        return {}
    usage: Usage = {}
    for flight in departed:
        usage = add_usages(usage, marked_ahead(flight.result().spent["usage"]) if flight.has_landed else {})
    records = [record_of(flight.request, flight.is_ahead) | {"cancelled": True} for flight in departed]
    return {"subcalls": len(departed), "usage": usage, "asked": records}
