"""Has the REPL of a position where no live one is there: a new one, or the one of the state made again."""

from __future__ import annotations

import logging
from typing import Any

from langchain_core.runnables import RunnableConfig

from langgraph_rlm.errors import ContextError, SandboxError
from langgraph_rlm.nodes.turn import CellInput
from langgraph_rlm.repl.cells import Variable
from langgraph_rlm.repl.interpreter import NO_PAST, Interpreter
from langgraph_rlm.repl.journal import Past, past_of, spare_answers
from langgraph_rlm.repl.packed import Packing
from langgraph_rlm.running.level import Level
from langgraph_rlm.running.run import Run, is_durable, read, run_of

_logger = logging.getLogger("langgraph_rlm")


def brought_here(level: Level, state: CellInput, config: RunnableConfig) -> tuple[Interpreter, dict[str, Any]]:
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
