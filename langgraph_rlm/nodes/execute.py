"""`execute`: runs a cell, or goes on with it where it was suspended; then asks, goes back to the model, or ends."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import astuple, replace
from functools import partial
from typing import Any, Literal

from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph import END
from langgraph.types import Command, Overwrite, Send
from typing_extensions import TypedDict

from langgraph_rlm import glimpse, prompts
from langgraph_rlm.dialects import final
from langgraph_rlm.effects import Steps, Work
from langgraph_rlm.errors import ContextError, LimitExceeded, SandboxError
from langgraph_rlm.level import Level
from langgraph_rlm.nodes.ending import at_limit, ended
from langgraph_rlm.repl import gaps
from langgraph_rlm.repl.cells import Answer, Call, Finished, Outcome, Suspended, Variable
from langgraph_rlm.repl.interpreter import Interpreter
from langgraph_rlm.repl.journal import Past, answers_so_far, past_of, spare_answers
from langgraph_rlm.repl.lookahead import Found, Guess
from langgraph_rlm.run import Run, is_durable, read, run_of
from langgraph_rlm.state import Position, Question, SubcallInput

MOST_REMINDER = 500
"""Characters of the question that are repeated after each cell."""

_logger = logging.getLogger("langgraph_rlm")


class ExecuteInput(TypedDict, total=False):
    question: Question
    context_id: str
    step: int
    code: str
    limit: list[Any] | None
    position: Position | None
    note: str | None


def execute(level: Level, state: ExecuteInput, config: RunnableConfig) -> Steps[Command[Any]]:
    run, position = run_of(config), state.get("position")
    pending, answers = read(config, "pending"), answers_so_far(read(config, "journal"))
    if missing := [index for index in range(len(pending)) if index not in answers]:
        return Command(goto=wave(level, missing, config))
    repl = run.take(position["token"]) if position else None
    if not pending and not state["code"]:
        command = _without_code(level, state, config)
    else:
        brought: dict[str, Any] = {}
        if repl is None:
            repl, brought = yield Work(partial(_brought_here, level, state, config))
        real = [answers[index] for index, asked in enumerate(pending) if not asked.get("ahead")]
        given: ExecuteInput = {**state, **brought}  # type: ignore[typeddict-item]
        command = yield from _executed(level, given, real, config, repl)
        command = replace(command, update={**brought, **(command.update or {})})
    ends = command.goto == END
    if repl is None:
        return command
    if ends:
        yield Work(partial(run.end, repl))
    kept: Position = {"token": "" if ends else run.keep(repl), "context": state["context_id"]}
    return replace(command, update={**(command.update or {}), "position": kept, "seconds": run.ledger.seconds})


def _executed(
    level: Level, state: ExecuteInput, answers: list[Answer], config: RunnableConfig, repl: Interpreter
) -> Steps[Command[Any]]:
    """Runs the cell, or goes on with it where it has `answers`, up to where it asks or ends."""
    run, pending, journal = run_of(config), read(config, "pending"), read(config, "journal")
    if pending:
        if len(answers) < len(pending):
            repl.guesses.spare = spare_answers(journal)
        outcome = yield Work(lambda: repl.resume(answers))
    else:
        before = glimpse.rows_for(state["code"], run.context(state["context_id"], config).text)
        outcome = yield Work(lambda: repl.run(gaps.bridged(state["code"]), before))
    found: dict[int, Found] = {}
    dump: Any = None
    while True:
        if repl.guesses.spare:
            outcome, found = yield Work(partial(_through_what_is_known, repl, outcome))
        missing = len(outcome.call.prompts) - len(found) if isinstance(outcome, Suspended) else 0
        refusal = _refused(level, outcome.call, missing, run) if isinstance(outcome, Suspended) else None
        if refusal is not None:
            outcome, found = (yield Work(partial(repl.refuse, refusal))), {}
            continue
        if repl.worth_dumping and (is_durable(config) or isinstance(outcome, Finished)):
            dump = yield Work(repl.dump)
        break
    if isinstance(dump, Finished):
        if isinstance(outcome, Suspended):
            run.ledger.give_back(missing)
        outcome, dump = dump, None
    guesses: list[Guess] = []
    place = len(journal) + repl.untold  # that of a dump: after the call, or the end
    if isinstance(outcome, Suspended):
        repl.took(found)
        guesses = yield Work(partial(_ahead, level, outcome.call, repl, run))
    events, note = repl.events(), repl.note or state.get("note")
    repl.note = None
    update: dict[str, Any] = {"journal": events, "note": note}
    if isinstance(outcome, Suspended):
        if dump:
            printed = repl.printed
            update["suspension"] = [dump, place, printed.head, printed.tail, printed.length]
        return _asking(level, outcome.call, found, guesses, config, update)
    if dump:
        update["cell_end"] = [dump, place]
    update |= {"pending": [], "asked": Overwrite([]), "note": None}
    update["variables"] = [list(astuple(variable)) for variable in outcome.variables]
    return _concluded(level, state, config, outcome, note, update)


def _brought_here(level: Level, state: ExecuteInput, config: RunnableConfig) -> tuple[Interpreter, dict[str, Any]]:
    """The REPL of this RLM where no live one is at this position: new, or made again from the state.

    With it, what the state is to know of that.
    """
    run, position, name = run_of(config), state.get("position"), state["context_id"]
    if position is None:
        return run.begin(Interpreter(run.workers, run.packing(name, config), level.sandbox)), {}
    if not is_durable(config):
        raise SandboxError("the REPL is gone, and there is no checkpointer to have it from")
    variables = tuple(Variable(*variable) for variable in read(config, "variables") or [])
    try:
        packing, past = run.packing(position["context"], config), _past(level, config)
    except ContextError as gone:
        note = f"{gone} So the REPL that was over it cannot be had, and its variables are gone."
        packing, past, variables = run.packing(name, config), Past(note=note, is_lost=True), ()
    repl = run.begin(Interpreter(run.workers, packing, level.sandbox, past, variables))
    update: dict[str, Any] = {}
    if past.note:
        _logger.warning(past.note)
        update["note"] = past.note
    if packing.name != name:
        base = repl.rebind(run.packing(name, config))
        place = len(read(config, "journal")) + repl.untold
        update |= {"cell_end": [base, place] if base else [], "context": [{"only": name}]}
    return repl, update


def _past(level: Level, config: RunnableConfig) -> Past:
    return past_of(
        read(config, "journal"),
        read(config, "cell_end"),
        read(config, "suspension"),
        bool(read(config, "pending")),
        level.sandbox.max_output,
    )


def _through_what_is_known(repl: Interpreter, outcome: Outcome) -> tuple[Outcome, dict[int, Found]]:
    """Goes on with a cell as long as it asks what was asked ahead; with the answers there are for where it stops."""
    while isinstance(outcome, Suspended):
        found = repl.guesses.take(outcome.call)
        if len(found) < len(outcome.call.prompts):
            return outcome, found
        outcome = repl.resume_with(found)
    return outcome, {}


def _ahead(level: Level, call: Call, repl: Interpreter, run: Run) -> list[Guess]:
    """What is asked ahead, together with a call: from half of the sub-calls that are left, and of what tokens allow."""
    if not level.lookahead:
        return []
    window, ledger = repl.guesses.next_window() * len(call.prompts), run.ledger
    most = int(min(window, run.wave, ledger.subcalls_left // 2, ledger.calls_left - len(call.prompts)))
    guesses = repl.ahead(most) if most > 0 else []
    try:
        run.ledger.reserve(len(guesses))
    except LimitExceeded:  # others have asked meanwhile
        return []
    if guesses:
        repl.asks_ahead(guesses)
    return guesses


def _refused(level: Level, call: Call, prompts: int, run: Run) -> str | None:
    """Why a call may not be asked; None reserves what its `prompts` without an answer need."""
    if not level.has_subcalls:
        return "sub-calls are not available here: answer with Python alone"
    if call.model is not None:
        return f"there is no model named {call.model!r} to choose: leave `model` out"
    try:
        run.ledger.check()
        run.ledger.reserve(prompts)
    except LimitExceeded as reached:
        at_limit(level, reached)
        if reached.limit == "max_subcalls":
            return (
                f"{len(call.prompts)} sub-calls do not fit: {run.ledger.subcalls_left} of {reached.allowed:g} are "
                "left. Ask fewer, about larger pieces."
            )
        return str(reached)
    return None


def _asking(
    level: Level,
    call: Call,
    found: Mapping[int, Found],
    guesses: list[Guess],
    config: RunnableConfig,
    update: dict[str, Any],
) -> Command[Any]:
    """Asks the prompts of a call that are not `found` already, and `guesses`: at once or when somebody has agreed."""
    update["pending"] = [
        *({"kind": call.kind, "prompt": prompt, "context": context} for prompt, context in call.prompts),
        *({"kind": g.kind, "prompt": g.prompt, "context": g.context, "ahead": True} for g in guesses),
    ]
    if level.limits.confirm_above is not None and len(call.prompts) > level.limits.confirm_above:
        return Command(update=update, goto="confirm")
    missing = [index for index in range(len(update["pending"])) if index not in found]
    return Command(update=update, goto=wave(level, missing, config))


def wave(level: Level, missing: list[int], config: RunnableConfig) -> list[Send]:
    """Sends the next of the prompts that have no answer yet: no more than what runs at once, so that the answer of a
    finished prompt is stored before another one begins."""
    return [Send(level.subcall_node, SubcallInput(index=index)) for index in missing[: run_of(config).wave]]


def _without_code(level: Level, state: ExecuteInput, config: RunnableConfig) -> Command[Any]:
    """A reply without code ends the run with the answer it states, or is asked for code."""
    reply = _reply(config)
    said = final.read(reply)
    entry = {"step": state["step"], "depth": level.depth, "reply": reply, "code": "", "output": "", "subcalls": []}
    update: dict[str, Any] = {"trajectory": [entry | {"error": None}]}
    if isinstance(said, final.Text):
        return Command(update=update | ended(said.answer, state["question"], _status(state)), goto=END)
    update["trajectory"] = [entry | {"error": prompts.NO_CELL}]
    return _next_turn(level, state, config, update, prompts.NO_CELL)


def _concluded(
    level: Level,
    state: ExecuteInput,
    config: RunnableConfig,
    cell: Finished,
    note: str | None,
    update: dict[str, Any],
) -> Command[Any]:
    """A finished cell ends the run, or its output goes back to the model."""
    reply, code = _reply(config), state["code"]
    update["trajectory"] = [
        {
            "step": state["step"],
            "depth": level.depth,
            "reply": reply,
            "code": code,
            "output": str(cell.printed),
            "error": cell.error,
            "subcalls": read(config, "asked"),
            **({"note": note} if note else {}),
        }
    ]
    if cell.answer:
        return Command(update=update | ended(cell.answer[0], state["question"], _status(state)), goto=END)
    query = prompts.shortened(state["question"]["asked"], MOST_REMINDER)
    said = final.read(reply)
    edited = code if not isinstance(said, final.Cell) or said.code != code else None
    repeated = any(step["code"] == code for step in read(config, "trajectory"))
    told = prompts.after_cell(cell, query, repeated, edited, note)
    return _next_turn(level, state, config, update, told)


def _next_turn(
    level: Level, state: ExecuteInput, config: RunnableConfig, update: dict[str, Any], told: str
) -> Command[Any]:
    """Another turn for the model: an ordinary one, the last one, or none."""
    if state.get("limit"):
        return Command(update=update | ended(_reply(config), state["question"], "limit"), goto=END)
    if state["step"] >= level.limits.max_steps:
        update["limit"] = at_limit(level, LimitExceeded("max_steps", state["step"], level.limits.max_steps))
        told = f"{told}\n\n{prompts.last_turn('max_steps')}"
    return Command(update=update | {"history": [HumanMessage(told)]}, goto="generate")


def _reply(config: RunnableConfig) -> str:
    """What the model said last."""
    return str(read(config, "history")[-1].text)


def _status(state: ExecuteInput) -> Literal["answered", "limit"]:
    return "limit" if state.get("limit") else "answered"
