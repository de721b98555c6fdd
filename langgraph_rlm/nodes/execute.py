"""`execute`: runs a cell, or goes on with it where it was suspended; then asks, goes back to the model, or ends."""

from __future__ import annotations

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
from langgraph_rlm.errors import LimitExceeded, SandboxError
from langgraph_rlm.level import Level
from langgraph_rlm.nodes.ending import at_limit, ended
from langgraph_rlm.repl import gaps
from langgraph_rlm.repl.cells import Answer, Call, Finished, Variable
from langgraph_rlm.repl.interpreter import Interpreter
from langgraph_rlm.repl.printed import Printed
from langgraph_rlm.run import ASYNC_TASKS, Run, is_durable, read, run_of
from langgraph_rlm.state import Position, Question, SubcallInput

MOST_REMINDER = 500
"""Characters of the question that are repeated after each cell."""


class ExecuteInput(TypedDict, total=False):
    question: Question
    context_id: str
    step: int
    reply: str
    code: str
    pending: int
    answers: list[list[Any]]
    limit: list[Any] | None
    position: Position | None


def execute(level: Level, state: ExecuteInput, config: RunnableConfig) -> Steps[Command[Any]]:
    run, position = run_of(config), state.get("position")
    repl = run.take(position["token"]) if position else None
    if not state["pending"] and not state["code"]:
        command = _without_code(level, state)
    else:
        if repl is None or (position and position["context"] != state["context_id"]):
            live = repl
            repl = yield Work(lambda: _brought_here(level, state, config, live))
        command = yield from _executed(level, state, config, repl)
    ends = command.goto == END
    if ends:
        run.forget(state["context_id"])
    if repl is None:
        return command
    if ends:
        yield Work(partial(run.end, repl))
    kept: Position = {"token": "" if ends else run.keep(repl), "context": state["context_id"]}
    return replace(command, update={**(command.update or {}), "position": kept})


def _executed(level: Level, state: ExecuteInput, config: RunnableConfig, repl: Interpreter) -> Steps[Command[Any]]:
    """Runs the cell, or goes on with it, up to where it asks or ends."""
    run, answers, pending = run_of(config), state.get("answers") or [], state["pending"]
    if pending:
        if len(answers) < pending:
            return _asking(level, repl.call, len(answers), config, {})
        given = [Answer(value, error) for _, value, error in sorted(answers, key=lambda answer: answer[0])]
        outcome = yield Work(lambda: repl.resume(given))
    else:
        before = glimpse.rows_for(state["code"], run.context(state["context_id"], config).text)
        outcome = yield Work(lambda: repl.run(gaps.bridged(state["code"]), before))
    while True:
        dump = (yield Work(repl.dump)) if is_durable(config) else b""
        if isinstance(dump, Finished):
            outcome, dump = dump, b""
        if isinstance(outcome, Finished):
            update: dict[str, Any] = {"pending": 0, "answers": Overwrite([]), "asked": Overwrite([])}
            if dump:
                update |= {"cell_end": dump, "variables": [list(astuple(variable)) for variable in outcome.variables]}
            repeated = any(step["code"] == state["code"] for step in read(config, "trajectory"))
            return _concluded(level, state, outcome, update, read(config, "asked"), repeated)
        refusal = _refused(level, outcome.call, run)
        if refusal is None:
            update = {"pending": len(outcome.call.prompts), "answers": Overwrite([])}
            if dump:
                printed = repl.printed
                update |= {"suspension": dump, "printed": [printed.head, printed.tail, printed.length]}
            return _asking(level, outcome.call, 0, config, update)
        outcome = yield Work(partial(repl.refuse, refusal))


def _brought_here(level: Level, state: ExecuteInput, config: RunnableConfig, live: Interpreter | None) -> Interpreter:
    """The REPL of this RLM where no live one is at this position: loaded from the checkpoint, new, or bound anew."""
    run, position, context_id = run_of(config), state.get("position"), state["context_id"]
    context = run.context(context_id, config)
    if position and live is None and not is_durable(config):
        raise SandboxError("the REPL is gone, and there is no checkpointer to have it from")
    repl = live
    if repl is None:
        variables = tuple(Variable(*variable) for variable in read(config, "variables") or [])
        repl = run.begin(Interpreter(run.workers, context, level.sandbox, read(config, "cell_end"), variables))
    if state["pending"]:
        head, tail, length = read(config, "printed")
        printed = Printed(level.sandbox.max_output, head, tail, length)
        repl.load(gaps.bridged(state["code"]), read(config, "suspension"), printed)
    elif position and position["context"] != context_id:
        repl.rebind(context)
    return repl


def _refused(level: Level, call: Call, run: Run) -> str | None:
    """Why a call may not be asked; None reserves what it needs."""
    if not level.has_subcalls:
        return "sub-calls are not available here: answer with Python alone"
    if call.model is not None:
        return f"there is no model named {call.model!r} to choose: leave `model` out"
    try:
        run.ledger.check()
        run.ledger.reserve(len(call.prompts))
    except LimitExceeded as reached:
        at_limit(level, reached)
        if reached.limit == "max_subcalls":
            return (
                f"{len(call.prompts)} sub-calls do not fit: {run.ledger.subcalls_left} of {reached.allowed:g} are "
                "left. Ask fewer, about larger pieces."
            )
        return str(reached)
    return None


def _asking(level: Level, call: Call, done: int, config: RunnableConfig, update: dict[str, Any]) -> Command[Any]:
    """Sends the next wave of a call's prompts. A wave is no wider than what runs at once, so that the answer of a
    finished prompt is stored before another one begins."""
    width = min(config.get("max_concurrency") or ASYNC_TASKS, run_of(config).tasks_at_once)
    wave = call.prompts[done : done + width]
    sends = [
        Send(level.subcall_node, SubcallInput(index=index, kind=call.kind, prompt=prompt, context=context))
        for index, (prompt, context) in enumerate(wave, done)
    ]
    return Command(update=update, goto=sends)


def _without_code(level: Level, state: ExecuteInput) -> Command[Any]:
    """A reply without code ends the run with the answer it states, or is asked for code."""
    said = final.read(state["reply"])
    entry = {
        "step": state["step"],
        "depth": level.depth,
        "reply": state["reply"],
        "code": "",
        "output": "",
        "subcalls": [],
    }
    update: dict[str, Any] = {"trajectory": [entry | {"error": None}]}
    if isinstance(said, final.Text):
        return Command(update=update | ended(said.answer, state["question"], _status(state)), goto=END)
    update["trajectory"] = [entry | {"error": prompts.NO_CELL}]
    return _next_turn(level, state, update, prompts.NO_CELL)


def _concluded(
    level: Level,
    state: ExecuteInput,
    cell: Finished,
    update: dict[str, Any],
    asked: list[dict[str, Any]],
    repeated: bool,
) -> Command[Any]:
    """A finished cell ends the run, or its output goes back to the model."""
    update["trajectory"] = [
        {
            "step": state["step"],
            "depth": level.depth,
            "reply": state["reply"],
            "code": state["code"],
            "output": str(cell.printed),
            "error": cell.error,
            "subcalls": asked,
        }
    ]
    if cell.answer:
        return Command(update=update | ended(cell.answer[0], state["question"], _status(state)), goto=END)
    query = prompts.shortened(state["question"]["asked"], MOST_REMINDER)
    return _next_turn(level, state, update, prompts.after_cell(cell, query, repeated))


def _next_turn(level: Level, state: ExecuteInput, update: dict[str, Any], told: str) -> Command[Any]:
    """Another turn for the model: an ordinary one, the last one, or none."""
    if state.get("limit"):
        return Command(update=update | ended(state["reply"], state["question"], "limit"), goto=END)
    if state["step"] >= level.limits.max_steps:
        update["limit"] = at_limit(level, LimitExceeded("max_steps", state["step"], level.limits.max_steps))
        told = f"{told}\n\n{prompts.last_turn('max_steps')}"
    return Command(update=update | {"history": [HumanMessage(told)]}, goto="generate")


def _status(state: ExecuteInput) -> Literal["answered", "limit"]:
    return "limit" if state.get("limit") else "answered"
