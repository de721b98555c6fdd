"""`execute`: runs a cell, or goes on with it where it was suspended; then asks, goes back to the model, or ends."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import astuple, replace
from functools import partial
from typing import Any, Literal

from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph import END
from langgraph.types import Command, Overwrite

from langgraph_rlm import prompts
from langgraph_rlm.calls import add_usages, marked_ahead
from langgraph_rlm.citations import MOST_CITATIONS, citations
from langgraph_rlm.dialects.dialect import Ran
from langgraph_rlm.dialects.replies import Code, Text
from langgraph_rlm.effects import Steps, Work
from langgraph_rlm.errors import ContextError, SandboxError
from langgraph_rlm.evidence import long_answers
from langgraph_rlm.history import latest_reply, past_steps, questions
from langgraph_rlm.ledger import Usage
from langgraph_rlm.level import Level
from langgraph_rlm.nodes.asking import NOT_NEEDED, Asked, asking, reserved, wave
from langgraph_rlm.nodes.ending import ended, form_of, taught
from langgraph_rlm.nodes.subcall import record_of
from langgraph_rlm.nodes.turn import TurnInput, next_turn
from langgraph_rlm.nodes.verify import to_check
from langgraph_rlm.repl import gaps
from langgraph_rlm.repl.cells import Finished, Outcome, Request, Suspended, Variable
from langgraph_rlm.repl.interpreter import NO_PAST, Interpreter
from langgraph_rlm.repl.journal import Past, answers_so_far, past_of, spare_answers
from langgraph_rlm.repl.lookahead import Taken
from langgraph_rlm.repl.packed import Packing
from langgraph_rlm.run import Run, is_durable, read, run_of
from langgraph_rlm.state import Position, append_new
from langgraph_rlm.typed import Unfit
from langgraph_rlm.underway import Underway

_logger = logging.getLogger("langgraph_rlm")


class ExecuteInput(TurnInput, total=False):
    context_id: str
    code: str
    block: int
    ready: list[Any]
    position: Position | None
    note: str | None


def execute(level: Level, state: ExecuteInput, config: RunnableConfig) -> Steps[Command[Any]]:
    run, position = run_of(config), state.get("position")
    token = position["token"] if position else ""
    asked = Asked(read(config, "pending"), answers_so_far(read(config, "journal")))
    if not asked.is_settled:
        return Command(goto=wave(level, run, run.underway(token), asked, asked.missing))
    repl, underway = run.take(token)
    if not (asked.pending or state["code"] or state.get("block")):
        command = _without_code(level, state, config)
    else:
        brought: dict[str, Any] = {}
        if repl is None:
            repl, brought = yield Work(partial(_brought_here, level, state, config))
        given: ExecuteInput = {**state, **brought}  # type: ignore[typeddict-item]
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
    level: Level, state: ExecuteInput, asked: Asked, config: RunnableConfig, repl: Interpreter, underway: Underway
) -> Steps[Command[Any]]:
    """Runs the cell, or goes on with it where it was suspended and has its answers, up to where it asks or ends."""
    run, journal = run_of(config), read(config, "journal")
    if asked.pending:
        run.ledger.give_back(asked.requests(asked.missing))
        repl.left_out(asked.missing, NOT_NEEDED)
        if len(asked.given) < len(asked.pending):
            flying = Counter(request.key for request in asked.ahead.values())
            repl.guesses.spare, repl.guesses.flying = spare_answers(journal), flying
        outcome = yield Work(lambda: repl.resume(asked.given))
    else:
        history, context = read(config, "history"), run.context(state["context_id"], config)
        before = level.dialect.before(state["code"], context, questions(history))
        past = past_steps(history)
        is_there = past is None or Variable("past_steps", "list", len(past)) in repl.variables
        given = {} if is_there else {"past_steps": past}
        outcome = yield Work(lambda: repl.run(gaps.bridged(state["code"]), before, given))
    taken = Taken()
    granted: Sequence[Request] = ()
    dump: Any = None
    while True:
        if repl.guesses.outstanding:
            outcome, taken = yield Work(partial(_through_what_is_known, repl, outcome))
        if isinstance(outcome, Suspended):
            missing = [outcome.call.requests[index] for index in taken.missing_of(outcome.call)]
            said = reserved(level, outcome.call, missing, run)
            if isinstance(said, str):
                outcome, taken = (yield Work(partial(repl.refuse, said))), Taken()
                continue
            granted = said
        if repl.worth_dumping and (is_durable(config) or isinstance(outcome, Finished)):
            dump = yield Work(repl.dump)
        break
    if isinstance(dump, Finished):
        run.ledger.give_back(granted)
        outcome, dump = dump, None
    place = len(journal) + repl.untold  # that of a dump: after the call, or the end
    update: dict[str, Any] = {}
    if isinstance(outcome, Finished) or not (taken.flying or repl.guesses.flying.total()):
        update = _cancelled(underway, asked.ahead.values(), run)
        asked = replace(asked, pending=[])
    if isinstance(outcome, Suspended):
        pending, asked = yield from asking(level, asked, outcome.call, taken, len(granted), repl, run)
        if dump:
            printed = repl.printed
            update["suspension"] = [dump, place, printed.head, printed.tail, printed.length]
    events, note = repl.events(), repl.note or state.get("note")
    repl.note = None
    update |= {"journal": events, "note": note}
    if isinstance(outcome, Suspended):
        update["pending"] = pending
        subcalls = [request for request in outcome.call.requests if request.kind != "tool"]
        if level.confirms and len(subcalls) > (level.limits.confirm_above or 0):
            return Command(update=update, goto="confirm")
        return Command(update=update, goto=wave(level, run, underway, asked, asked.missing))
    if dump:
        update["cell_end"] = [dump, place]
    cancelled = update.pop("asked", [])
    update |= {"pending": [], "asked": Overwrite([]), "note": None}
    update["variables"] = [list(astuple(variable)) for variable in outcome.variables]
    return _concluded(level, state, config, outcome, [*read(config, "asked"), *cancelled], note, update)


def _brought_here(level: Level, state: ExecuteInput, config: RunnableConfig) -> tuple[Interpreter, dict[str, Any]]:
    """The REPL of this RLM where no live one is at this position: new, or made again from the state.

    With it, what the state is to know of that.
    """
    run, position, name = run_of(config), state.get("position"), state["context_id"]
    if position is None:
        return run.begin(_interpreter(level, run, run.packing(name, config))), {}
    if not is_durable(config):
        raise SandboxError("the REPL is gone, and there is no checkpointer to have it from")
    variables = tuple(Variable(*variable) for variable in read(config, "variables") or [])
    try:
        packing, past = run.packing(position["context"], config), _past(level, config)
    except ContextError as gone:
        note = f"{gone} So the REPL that was over it cannot be had, and its variables are gone."
        packing, past, variables = run.packing(name, config), Past(note=note, is_lost=True), ()
    repl = run.begin(_interpreter(level, run, packing, past, variables))
    repl.guesses.spare = spare_answers(read(config, "journal"))
    update: dict[str, Any] = {}
    if past.note:
        _logger.warning(past.note)
        update["note"] = past.note
    if packing.name != name:
        base = repl.rebind(run.packing(name, config))
        place = len(read(config, "journal")) + repl.untold
        update |= {"cell_end": [base, place] if base else [], "context": [{"only": name}]}
    return repl, update


def _interpreter(
    level: Level, run: Run, packing: Packing, past: Past = NO_PAST, variables: tuple[Variable, ...] = ()
) -> Interpreter:
    return Interpreter(run.workers, packing, level.sandbox, level.dialect.idiom, level.offer, past, variables)


def _past(level: Level, config: RunnableConfig) -> Past:
    return past_of(
        read(config, "journal"),
        read(config, "cell_end"),
        read(config, "suspension"),
        bool(read(config, "pending")),
        level.dialect.idiom.room(level.sandbox),
    )


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


def _without_code(level: Level, state: ExecuteInput, config: RunnableConfig) -> Command[Any]:
    """A reply without code ends the run with the answer it states, or another one is asked for."""
    reply = latest_reply(read(config, "history"))
    said = level.dialect.read(reply)
    entry = {"step": state["step"], "depth": level.depth, "reply": reply, "code": "", "output": "", "subcalls": []}
    if isinstance(said, Text):
        return _answered(level, state, config, {"trajectory": [entry | {"error": None}]}, said.answer)
    told = said.told
    return next_turn(level, state, config, {"trajectory": [entry | {"error": told or None}]}, told)


def _concluded(
    level: Level,
    state: ExecuteInput,
    config: RunnableConfig,
    cell: Finished,
    asked: list[dict[str, Any]],
    note: str | None,
    update: dict[str, Any],
) -> Command[Any]:
    """A finished cell goes on to the next block of its reply. After the last one the first answer that was set ends the
    run, or what the blocks did goes back to the model."""
    reply, code = latest_reply(read(config, "history")), state["code"]
    number = state.get("block", 1)  # not in a thread of an earlier version
    said = level.dialect.read(reply)
    written = said if isinstance(said, Code) else Code(())
    update["trajectory"] = [
        {
            "step": state["step"],
            "depth": level.depth,
            "reply": reply,
            "code": code,
            "output": str(cell.printed),
            "error": cell.error,
            "subcalls": asked,
            **({"block": number} if len(written.blocks) > 1 else {}),
            **({"note": note} if note else {}),
        }
    ]
    if cell.cited:
        room = MOST_CITATIONS - len(read(config, "citations"))
        update["citations"] = citations(cell.cited, run_of(config).context(state["context_id"], config))[:room]
    ready, following = state.get("ready") or list(cell.answer), written.blocks[number:] if number else ()
    ran = Ran(
        code,
        cell,
        number,
        len(written.blocks),
        is_edited=written.blocks[number - 1 : number] != (code,),
        is_repeated=any(step["code"] == code for step in read(config, "trajectory")),
        note=note,
        has_answer=bool(ready),
        answers=tuple(long_answers(read(config, "journal"))),
    )
    told = level.dialect.told(ran, prompts.shortened(state["question"]["asked"], prompts.MOST_REMINDER))
    if ready and not following:
        return _answered(level, state, config, update | {"ready": []}, ready[0], told, written.told)
    if following:
        update |= {"code": following[0], "block": number + 1, "ready": ready, "history": [HumanMessage(told)]}
        return Command(update=update, goto="generate")
    return next_turn(level, state, config, update, told, written.told)


def _answered(
    level: Level, state: ExecuteInput, config: RunnableConfig, update: dict[str, Any], answer: Any, *told: str
) -> Command[Any]:
    """The end, with an answer, or its check; or another turn for the model, where it is not what it has to be.

    It is `told` then what its turn did.
    """
    if form := form_of(level, state["question"]):
        try:
            answer = form.fitted(answer)
        except Unfit as unfit:
            if not state.get("limit"):
                wrong = prompts.unfit(str(unfit), level.dialect.answer, level.dialect.idiom.ending)
                return next_turn(level, state, config, update, *told, wrong)
    if state["question"]["chosen"] == "verify" and not state.get("limit"):
        cited = append_new(read(config, "citations"), [update.get("citations", [])])
        update |= {"candidate": [answer, *told], "checks": Overwrite([])}
        return Command(update=update, goto=to_check(len(cited)))
    return Command(update=update | ended(answer, state["question"], _status(state)), goto=END)


def _status(state: ExecuteInput) -> Literal["answered", "limit"]:
    return "limit" if state.get("limit") else "answered"
