"""Has the REPL of an RLM where none is live: a new one, or the one of the state made again."""

from __future__ import annotations

import logging
from typing import Any

from langchain_core.runnables import RunnableConfig

from langgraph_rlm.errors import ContextError, SandboxError
from langgraph_rlm.nodes.turn import CellInput
from langgraph_rlm.repl.cells import Variable
from langgraph_rlm.repl.interpreter import FRESH_REPL, Interpreter
from langgraph_rlm.repl.journal import RestorePlan, kept_answers, restore_plan, unclaimed_answers
from langgraph_rlm.repl.lookahead import Lookahead
from langgraph_rlm.repl.packed import DumpPacker
from langgraph_rlm.running.run import Run, is_durable, read, run_of
from langgraph_rlm.running.spec import RLMSpec

_logger = logging.getLogger("langgraph_rlm")


def restore_interpreter(spec: RLMSpec, state: CellInput, config: RunnableConfig) -> tuple[Interpreter, dict[str, Any]]:
    """The REPL of this RLM where none is live: new, or made again from the state.

    With it, what the state is to know of that.
    """
    run, repl_ref, name = run_of(config), state.get("position"), state["context_id"]
    if repl_ref is None:
        return run.adopt(_interpreter(spec, run, run.packer(name, config))), {}
    if not is_durable(config):
        raise SandboxError("the REPL is gone, and there is no checkpointer to have it from")
    variables = tuple(Variable(*variable) for variable in read(config, "variables") or [])
    try:
        packer, plan = run.packer(repl_ref["context"], config), _plan(spec, config)
    except ContextError as gone:
        note = f"{gone} So the REPL that it had cannot be had, and its variables are gone."
        packer, plan, variables = run.packer(name, config), RestorePlan(note=note, is_lost=True), ()
    repl = run.adopt(_interpreter(spec, run, packer, plan, variables))
    journal = read(config, "journal")
    repl.lookahead = Lookahead(kept_answers(journal, is_suspended=True), unclaimed_answers(journal))
    update: dict[str, Any] = {}
    if plan.note:
        _logger.warning(plan.note)
        update["note"] = plan.note
    if packer.name != name:
        base = repl.rebind(run.packer(name, config))
        place = len(read(config, "journal")) + repl.new_event_count
        update |= {"cell_end": [base, place] if base else [], "context": [{"only": name}]}
    return repl, update


def _interpreter(
    spec: RLMSpec, run: Run, packer: DumpPacker, plan: RestorePlan = FRESH_REPL, variables: tuple[Variable, ...] = ()
) -> Interpreter:
    return Interpreter(run.workers, packer, spec.sandbox, spec.dialect.conventions, spec.capabilities, plan, variables)


def _plan(spec: RLMSpec, config: RunnableConfig) -> RestorePlan:
    return restore_plan(
        read(config, "journal"),
        read(config, "cell_end"),
        read(config, "suspension"),
        bool(read(config, "pending")),
        spec.dialect.conventions.output_cap(spec.sandbox),
    )
