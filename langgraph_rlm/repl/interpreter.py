"""One REPL: runs cells in the sandbox, stops where they ask a model, survives what they do to it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from pydantic_monty import MontyError

from langgraph_rlm.asking.requests import Answer, Call, Request
from langgraph_rlm.repl import host
from langgraph_rlm.repl.boot import Unreadable
from langgraph_rlm.repl.capabilities import NO_CAPABILITIES, Capabilities
from langgraph_rlm.repl.cells import CellOutcome, Finished, Suspended, Variable
from langgraph_rlm.repl.conventions import ReplConventions
from langgraph_rlm.repl.explain import explain
from langgraph_rlm.repl.journal import Cell, Event, Exchange, RestorePlan
from langgraph_rlm.repl.lookahead import AnswersByKey, Claimed, Lookahead, Prefetched, requests_ahead
from langgraph_rlm.repl.packed import DumpPacker
from langgraph_rlm.repl.printed import Printed
from langgraph_rlm.repl.repl_state import CannotPark, ReplState
from langgraph_rlm.repl.session import Snapshot
from langgraph_rlm.repl.workers import Workers
from langgraph_rlm.settings import Sandbox

TOO_LARGE = "MemoryError: the variables are too large to be kept. Keep less at once: no copies of P."
FRESH_REPL = RestorePlan()
NO_VARIABLES: Mapping[str, Any] = MappingProxyType({})


class Interpreter:
    """A REPL over one context. Blocking; safe to use from any thread, one at a time."""

    def __init__(
        self,
        workers: Workers,
        packer: DumpPacker,
        sandbox: Sandbox,
        conventions: ReplConventions,
        capabilities: Capabilities = NO_CAPABILITIES,
        plan: RestorePlan = FRESH_REPL,
        variables: tuple[Variable, ...] = (),
    ) -> None:
        """`plan` is what to have again, and `variables` are those that its last finished cell left."""
        self._state = ReplState(workers, packer, sandbox, conventions, capabilities, plan, variables)
        self._workers = workers
        self._conventions, self._capabilities = conventions, capabilities
        self._output_cap = conventions.output_cap(sandbox)
        self.lookahead = Lookahead()
        self._claimed: list[Claimed] = []

    # -- cells --------------------------------------------------------------------------------------------------------

    def run(
        self,
        code: str,
        setup: str = "",
        variables: Mapping[str, Any] = NO_VARIABLES,
        kept: AnswersByKey | None = None,
    ) -> CellOutcome:
        """Runs a cell until it ends or asks a model. An unfinished cell before it is dropped.

        `setup` is code of the host's own that runs first, and is no part of the cell. It is given `variables`. The cell
        gets the answers that are `kept` of dropped ones before anything is asked.
        """
        code, state = code.replace("\r\n", "\n").replace("\r", "\n"), self._state
        with state.busy():
            if state.cell is not None:
                state.roll_back()
            cell = state.cell = Cell(code, setup, variables, Printed(self._output_cap))
            self.lookahead = Lookahead(kept or {})
            return self._advance(cell, lambda: state.begin(cell))

    def tell_budget(self, budget: Callable[[], Mapping[str, Any]]) -> None:
        """Has code that asks what is left of the run told that."""
        self._state.budget = budget

    def resume(self, answers: list[Answer]) -> CellOutcome:
        """Goes on with the suspended cell, its call answered."""
        return self._resume(lambda call: host.result_of(answers, call.batch))

    def resume_prefetched(self, call: Call, prefetched: Prefetched) -> CellOutcome:
        """Goes on with the suspended cell, whose call has all its answers before it is asked."""
        self.note_claimed(call, prefetched)
        return self.resume([prefetched.answers[index][1] for index in range(len(call.requests))])

    def refuse(self, call: Call, prefetched: Prefetched, message: str) -> CellOutcome:
        """Goes on with the suspended cell, its call raising `RuntimeError(message)`. What it claimed is put back."""
        self.lookahead.put_back(call, prefetched)
        result = host.raising("RuntimeError", message)
        self._state.events.append(["reply", result])
        return self._resume(lambda call: result)

    def _resume(self, result_of: Callable[[Call], host.HostResult]) -> CellOutcome:
        with self._state.busy():
            cell = self._state.cell
            assert cell is not None
            try:
                snapshot, call = self._state.reach_suspension()
            except CannotPark:
                return self._give_up(TOO_LARGE)
            except MontyError as failure:
                return self._give_up(self._state.reason(failure))
            result = result_of(call)
            cell.exchanges.append(Exchange(result, call.digest))
            return self._advance(cell, lambda: self._state.go_on(snapshot, result))

    def _advance(self, cell: Cell, step: Callable[[], Snapshot]) -> CellOutcome:
        try:
            with self._state.timed():
                call = self._state.advance(step(), self._state.recording(cell))
            if self._state.time.is_over:  # it came to its end, or to a call, as it was ended
                return self._give_up(self._state.out_of_time())
            if call is not None:
                self._state.events.append(["call", call.digest, len(call.requests), call.batch, self._keys_of(call)])
                return Suspended(call)
            failure = None
        except MontyError as raised:
            if self._state.is_lost(raised):
                return self._give_up(self._state.reason(raised))
            failure = raised
        return self._finish(cell, failure)

    def _keys_of(self, call: Call) -> list[str]:
        """The keys of the call's requests, empty where they are asked each time: what a model says, others may use."""
        is_asked_again = self._capabilities.has_side_effects
        return ["" if is_asked_again(request) else key for request, key in zip(call.requests, call.keys, strict=True)]

    def _finish(self, cell: Cell, failed: MontyError | None) -> Finished:
        try:
            survey = self._state.survey(failed)
        except Unreadable as failure:
            return self._give_up(f"The cell left something that cannot be read: {failure}")
        except MontyError as failure:
            why = explain(failure, self._conventions.how_to_end).splitlines()[-1]
            if self._state.time.is_over:
                why = self._state.reason(failure)
            return self._give_up(f"The cell left something that cannot be read: {why}")
        self._state.finish(cell, survey.variables, has_failed=failed is not None)
        error: str | None = None
        if failed is not None:
            told, sources = self._state.refusal, [*self._state.sources]
            ending = self._conventions.how_to_end
            error = told or explain(failed, ending, sources, survey.unshadowed, survey.own_builtins, survey.passed)
        if survey.problem is not None and error is None:
            error = survey.problem
        answer = survey.answer if error is None else ()
        held, cited = survey.answer, survey.cited
        return Finished(cell.printed, error, survey.variables, survey.overwritten, answer, held, cited)

    def _give_up(self, error: str) -> Finished:
        """Ends a cell that cannot go on, with the REPL as it was before it."""
        printed = self._state.cell.printed if self._state.cell else Printed(self._output_cap)
        self._state.roll_back()
        note = "The cell was dropped: your variables are as they were before it."
        return Finished(printed, f"{error}\n{note}", self._state.variables, is_dropped=True)

    # -- what is asked ahead ------------------------------------------------------------------------------------------

    def claim(self, call: Call) -> Prefetched:
        """What there is for a call before it is asked; where the code has gone elsewhere, nothing claims the rest of
        what was asked ahead any more."""
        prefetched = self.lookahead.claim(call, any(map(self._capabilities.has_side_effects, call.requests)))
        if prefetched.drops_rest:
            self._state.events.append(["dropped"])
        return prefetched

    def requests_ahead(self, most: int) -> list[Request]:
        """What the suspended cell is likely to ask for next: at most so much. None where no worker is free."""
        state = self._state
        with state.busy():
            try:
                dump = state.reach_suspension()[0].dump()
            except CannotPark:  # the model is told when the cell is to go on
                return []
            except MontyError:
                # too large for a dump, or lost: it is had again where it was, without a look ahead any more
                self.lookahead.wasted = sys.maxsize
                state.leave()
                assert state.cell is not None
                state.cell.printed = Printed(self._output_cap)
                return []
        return requests_ahead(dump, self._workers, state.answer, self._capabilities, self.lookahead, most)

    def note_claimed(self, call: Call, prefetched: Prefetched) -> None:
        """Notes that the answers to these prompts of the call were there."""
        for index, (place, answer) in prefetched.answers.items():
            self._state.events.append(["took", index, *place])
            self._claimed.append(Claimed(call.requests[index], answer, index in prefetched.kept))

    def note_asked_ahead(self, keys: Sequence[str]) -> None:
        """Notes that prompts of these keys are asked together with the call."""
        if keys:
            self._state.events.append(["ahead", list(keys)])

    def answer_with_error(self, indices: Sequence[int], why: Answer) -> None:
        """Notes that these prompts of the call are answered with an error: they are not asked, or not needed."""
        self._state.events += [["answer", index, None, why.error] for index in indices]

    # -- what the graph keeps of it -----------------------------------------------------------------------------------

    @property
    def variables(self) -> tuple[Variable, ...]:
        """Those that the last finished cell left."""
        return self._state.variables

    @property
    def printed(self) -> Printed:
        """What the suspended cell has printed."""
        assert self._state.cell is not None
        return self._state.cell.printed

    @property
    def new_event_count(self) -> int:
        """How many events the journal has not been told of."""
        return len(self._state.events)

    def take_events(self) -> list[Event]:
        """What happened since this was asked the last time, for the journal."""
        events, self._state.events = self._state.events, []
        return events

    def take_claimed(self) -> list[Claimed]:
        """What the code was given, since this was asked the last time, of answers that were there."""
        claimed, self._claimed = self._claimed, []
        return claimed

    def take_note(self) -> str | None:
        """What became of the REPL where it could not be had again, told once."""
        note, self._state.note = self._state.note, None
        return note

    @property
    def worth_dumping(self) -> bool:
        """Whether having it again without a dump would take longer than a dump."""
        return self._state.worth_dumping

    def dump(self) -> bytes | Finished:
        """The state now, as bytes. Where it is too large for that, the cell ends with an error."""
        with self._state.busy():
            return self._state.dump() or self._give_up(TOO_LARGE)

    def rebind(self, packer: DumpPacker) -> bytes | None:
        """Makes another context the text, for the cells to come. A dump of the REPL, unless it is too large for one."""
        with self._state.busy():
            return self._state.rebind(packer)

    def close(self) -> None:
        """Ends it for good, with the code that may still run in it."""
        self._state.close()
