"""The state of a REPL, wherever it is: live in a worker, parked as bytes, or to be had again from what is known of it.

It can always be had again: from a dump of the end of a cell, the cells that finished since, and the cell that is
suspended, each with every answer that it was given. The sandbox is deterministic, so these lead to the same place.
"""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from pydantic_monty import FunctionSnapshot, MontyError, MontySession, ResourceLimits

from langgraph_rlm.asking.requests import Call
from langgraph_rlm.context import Context
from langgraph_rlm.repl import host
from langgraph_rlm.repl.boot import (
    DATA,
    MISSING,
    PROPERTIES,
    PROTECTED,
    RESTORE,
    SURVEY,
    SURVEY_AND_RESET,
    UNSHADOW,
    Survey,
    Unreadable,
    data_of,
    missing_of,
    names_of,
    survey_of,
)
from langgraph_rlm.repl.capabilities import Capabilities
from langgraph_rlm.repl.cell_time import CellTime
from langgraph_rlm.repl.cells import Variable
from langgraph_rlm.repl.conventions import ReplConventions
from langgraph_rlm.repl.explain import instrumentation, own_builtins, reason, shadowed_builtins
from langgraph_rlm.repl.journal import Cell, Event, RestorePlan
from langgraph_rlm.repl.packed import VERSION, DumpPacker
from langgraph_rlm.repl.repeating import Diverged, recording, repeating
from langgraph_rlm.repl.rewriting.bridges import Rewritten, rewritten
from langgraph_rlm.repl.rewriting.lacking import refusal
from langgraph_rlm.repl.rewriting.preparation import needed_at_once
from langgraph_rlm.repl.session import (
    Answering,
    Snapshot,
    bind_text,
    bind_tools,
    boot,
    evaluate,
    feed,
    is_lost,
    no_calls,
    resource_limits,
    resume,
    run_to_call,
)
from langgraph_rlm.repl.tracebacks import Source, name_of
from langgraph_rlm.repl.workers import Workers
from langgraph_rlm.settings import Sandbox

CLOSE_SECONDS = 0.1
"""How long code that is still running may go on when its run has ended."""
MOST_SOURCES = 100
"""Cells whose lines tracebacks show."""
NOT_SET_UP = (
    "What was to be made of the text before this cell, such as `rows`, failed ({}): it is not defined. "
    "Take P apart in your own code, as far as you need it."
)
DUMPS_WORTH = 2.0
"""How many times the seconds of a dump there have to be to run again, until one is made."""
SAFE_SHARE = 0.1
"""Share of the time that a cell may take. What is run again may take longer than the first time."""
DUMP_SECONDS, DUMP_SECONDS_PER_CHARACTER = 0.005, 2e-8
"""How long the first dump is expected to take; from then on it is known."""


@dataclass(frozen=True)
class Live:
    """In a worker; with the call at which its cell is suspended, if it is."""

    session: MontySession
    suspended: tuple[FunctionSnapshot, Call] | None = None


@dataclass(frozen=True)
class Parked:
    """As bytes: the end of a finished cell, or a suspended one after so many of its exchanges."""

    dump: bytes
    exchange_count: int = 0
    is_stored: bool = False
    """Whether a checkpoint had it: how long the way to it took, nobody knows."""


@dataclass(frozen=True)
class TooLarge:
    """Too large to be parked: the suspended cell is lost, those before it can be had again."""


@dataclass(frozen=True)
class Absent:
    """Nowhere: to be had again from the last dump, the cells since and the suspended one."""


@lru_cache(maxsize=16)
def _own(code: str) -> str:
    """The host's own code as Monty understands it: the same for many cells."""
    return rewritten(code).code


class CannotPark(Exception):
    """The state was too large to be parked."""


class ReplState:
    """The state of one REPL over a text, and how it is had again. Blocking; to be used with `busy`, one at a time."""

    def __init__(
        self,
        workers: Workers,
        packer: DumpPacker,
        sandbox: Sandbox,
        conventions: ReplConventions,
        capabilities: Capabilities,
        plan: RestorePlan,
        variables: tuple[Variable, ...],
    ) -> None:
        """`plan` is what to have again, and `variables` are those that its last finished cell left."""
        self.lock = threading.Lock()
        self.pid: int | None = None
        self._workers, self.packer, self._sandbox = workers, packer, sandbox
        self._conventions, self._capabilities = conventions, capabilities
        self._limits = resource_limits(self.context, sandbox)
        self._base, self._cells_since_base = plan.base, list(plan.cells)
        self.where: Live | Parked | TooLarge | Absent = Absent()
        self.cell: Cell | None = None
        """The unfinished one."""
        self._expected_digest: str | None = None
        """The digest of the call at which a checkpoint says that cell is suspended."""
        if plan.suspension is not None:
            self.cell, self._expected_digest = plan.suspension.cell, plan.suspension.digest
            if plan.suspension.dump is not None:
                self.where = Parked(plan.suspension.dump, plan.suspension.exchange_count, is_stored=True)
        self._failed_setups: set[str] = set()
        """What failed to run before a cell over this text."""
        self._properties: frozenset[str] | None = None
        """Names of properties that classes of its cells have; None: to be asked of the sandbox."""
        self.sources = deque[Source](maxlen=MOST_SOURCES)
        """Cells that have run, as far as that is known: it is for tracebacks."""
        self.budget: Callable[[], Mapping[str, Any]] = dict
        """What is left of the run, for code that asks."""
        self.refusal = ""
        """Why it does not run, for the model."""
        self.events: list[Event] = [["lost"]] if plan.is_lost else []
        """What the journal has not been told of."""
        self._version = plan.version
        self.variables = self._variables_before = variables
        self.note: str | None = None
        """What became of the REPL where it could not be had again."""
        self.time = CellTime(sandbox.seconds(len(self.context)))
        self._since_base = self._since_dump = 0.0
        self._dump_seconds = DUMP_SECONDS + DUMP_SECONDS_PER_CHARACTER * len(self.context)

    @property
    def context(self) -> Context:
        return self.packer.context

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Has the state alone for the block. Who waits for a worker is told of its end, however it ends."""
        try:
            with self.lock:
                yield
        finally:
            self._workers.idle(self)

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Counts the seconds of the block as work that is lost without a dump."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            seconds = time.perf_counter() - begun
            self._since_base += seconds
            self._since_dump += seconds

    # -- running code -------------------------------------------------------------------------------------------------

    def begin(self, cell: Cell) -> Snapshot:
        """Begins to run a cell, of which the journal is told."""
        self.session()  # what becomes of the cells before it is told before it
        self._try_set_up(cell)
        if self._version != VERSION:
            self._version = VERSION
            self.events.append(["version", VERSION])
        variables = [dict(cell.variables)] if cell.variables else []
        self.events.append(["cell", cell.code, cell.setup, *variables])
        return self._start(cell, self.print)

    def _begin_again(self, cell: Cell, on_print: Callable[[str, str], None]) -> Snapshot:
        """Begins to run a cell that the journal knows."""
        self._set_up(cell)
        return self._start(cell, on_print)

    def _try_set_up(self, cell: Cell) -> None:
        """Has run what comes before a cell's own code. Where that fails, the cells do without it from now on."""
        if cell.setup in self._failed_setups:
            cell.setup = ""
        try:
            self._set_up(cell)
        except MontyError as failure:
            if not cell.setup:
                raise
            self._failed_setups.add(cell.setup)
            self.note = NOT_SET_UP.format(self.time.kind_of(failure))
            cell.setup = ""
            if self.is_lost(failure):
                self.leave()
            self._set_up(cell)

    def _set_up(self, cell: Cell) -> None:
        if cell.variables:
            self.evaluate("None", dict(cell.variables))
        if cell.setup:
            self.evaluate(_own(cell.setup), answering=self.answer)

    def _start(self, cell: Cell, on_print: Callable[[str, str], None]) -> Snapshot:
        """Begins to run a cell's own code."""
        session = self.session()
        if self._properties is None:
            self._properties = self._asked_properties()
        begun = time.thread_time()
        ran = self._rewritten(cell)
        self.refusal = refusal(cell.code, ran.gaps, self._missing, self._conventions.how_to_end)
        spent = time.thread_time() - begun
        if self.refusal:
            return feed(session, "raise NotImplementedError", on_print)
        self._properties |= ran.properties
        self.time.line = None
        with self._limited(spent):
            return feed(session, ran.code, on_print)

    def _rewritten(self, cell: Cell) -> Rewritten:
        edits = instrumentation(cell.code, self._conventions.echoes)
        ran = rewritten(cell.code, self._properties or (), edits, name_of(cell.code))
        self.sources.append(Source(cell.code, ran))
        return ran

    def _asked_properties(self) -> frozenset[str]:
        try:
            return names_of(self.evaluate(PROPERTIES))
        except (MontyError, Unreadable) as failure:  # code has tampered with them
            if isinstance(failure, MontyError) and self.is_lost(failure):
                raise
            return frozenset()

    def go_on(self, snapshot: FunctionSnapshot, result: host.HostResult) -> Snapshot:
        """Goes on with the cell where it is suspended."""
        with self._spending():
            return resume(snapshot, result)

    def _missing(self, wanted: list[list[str]]) -> set[tuple[str, str]]:
        try:
            return missing_of(self.evaluate(MISSING, {"_wanted": wanted}))
        except (MontyError, Unreadable):  # the cell will say so
            return set()

    def advance(self, snapshot: Snapshot, answering: Answering) -> Call | None:
        """Goes on until the code ends (None) or asks what the graph has to answer, and notes where that is."""
        with self._spending():
            suspended = run_to_call(snapshot, self.time.counting(answering))
        self.where = Live(self.session(), suspended)
        return suspended and suspended[1]

    def print(self, stream: str, text: str) -> None:
        """Takes what the unfinished cell prints."""
        if self.cell is not None:
            self.cell.printed.write(stream, text)

    def answer(self, snapshot: FunctionSnapshot) -> host.HostResult | Call:
        """The host's answer to a call that leaves the sandbox, or the call where the graph has to answer."""
        return host.answer(snapshot, self.context, self.variables, self._capabilities, self.budget)

    def recording(self, cell: Cell) -> Answering:
        """Answers the calls of a cell, and notes what a second run could not work out."""
        return recording(cell, self.events, self.answer)

    def evaluate(self, code: str, inputs: dict[str, Any] | None = None, answering: Answering = no_calls) -> Any:
        """The value of the host's own code, which may run into what the cells have left."""
        session = self.session()
        with self._limited():
            return evaluate(session, code, inputs, answering)

    def survey(self, failure: MontyError | None = None) -> Survey:
        """Reads what a cell left, restores the names it overwrote and forgets its answer.

        A built-in that its `failure` shows to be a variable is the built-in again.
        """
        self.time.line = None
        if self._properties is None and self.cell is not None:  # it was resumed: how it was rewritten hangs on that
            self._properties = self._asked_properties()
            self.sources.pop()
            self._rewritten(self.cell)
        protected = [*self._conventions.names_of_text, *PROTECTED, "tool_batch"]
        code = SURVEY_AND_RESET if self._conventions.variable == "Final" else SURVEY
        asked = code.format(self._conventions.variable, protected)
        survey = survey_of(self.evaluate(asked, answering=host.load), [*protected, "answer", *self._capabilities.tools])
        repairs = [RESTORE.format(name=name) for name in survey.overwritten]
        unshadowed = shadowed_builtins(failure, survey.variables)
        repairs += [UNSHADOW.format(name=name) for name in unshadowed]
        if repairs:
            self.evaluate("\n".join(repairs))
        renamed = [replace(v, name=f"{v.name}_") if v.name in unshadowed else v for v in survey.variables]
        own = own_builtins(failure, self.cell.code if self.cell else "", survey.variables)
        return replace(survey, variables=tuple(renamed), unshadowed=unshadowed, own_builtins=own)

    def finish(self, cell: Cell, variables: tuple[Variable, ...], has_failed: bool) -> None:
        """The cell has ended, and what it did stays."""
        self._cells_since_base.append(cell)
        cell.has_failed = has_failed
        self.events.append(["end", has_failed])
        self.cell, self.where = None, Live(self.session())
        self._variables_before, self.variables = self.variables, variables

    def is_lost(self, failure: MontyError) -> bool:
        """Whether nothing can be run any more after a failure."""
        return not isinstance(self.where, Live) or is_lost(self.where.session, failure)

    # -- what it may compute ------------------------------------------------------------------------------------------

    def _limited(self, spent: float = 0.0) -> AbstractContextManager[None]:
        """The time of a cell, for code that begins, of which the host has spent so many seconds."""
        self.time.begin(spent)
        return self._spending()

    def _spending(self) -> AbstractContextManager[None]:
        """What is left of it, for code that goes on."""
        return self._workers.spending(self, self.time.budget)

    def reason(self, failure: MontyError) -> str:
        """Why nothing can be run any more after a failure."""
        return self.out_of_time() if self.time.kind_of(failure) == "TimeoutError" else reason(failure)

    def out_of_time(self) -> str:
        """Why code was ended that took too long."""
        assert self.cell is not None
        return self.time.explained(self.cell.code, self.variables)

    # -- where it is --------------------------------------------------------------------------------------------------

    def session(self) -> MontySession:
        """The session: as it is, loaded from where it was parked, or brought to the end of the last finished cell."""
        if not isinstance(self.where, Live):
            parked = self.where
            kept = parked.dump if isinstance(parked, Parked) else self._base
            dump = self._blank() if kept is None else self.packer.unpack(kept)
            session, self._properties = self._checked_out(self._limits), None
            if kept is None:
                boot(session, dump, self.context)
                self._properties = frozenset()
            else:
                session.load_session(dump)
            bind_tools(session, self._capabilities.tools)
            if not isinstance(parked, Parked):
                self._since_base = self._since_dump = 0.0
                self._replay()
        assert isinstance(self.where, Live)
        return self.where.session

    def reach_suspension(self) -> tuple[FunctionSnapshot, Call]:
        """Where the cell is suspended: live, loaded from a dump, or reached again with the answers it was given.

        Raises:
            CannotPark: It was too large to be parked.
            Diverged: Run again, it asks for something else.
        """
        if not (isinstance(self.where, Live) and self.where.suspended):
            if isinstance(self.where, TooLarge):
                raise CannotPark
            with self.timed():
                call = self._reach_again()
            if call is None or self._expected_digest not in (None, call.digest):
                raise Diverged
            self._expected_digest = None
        assert isinstance(self.where, Live)
        assert self.where.suspended is not None
        return self.where.suspended

    def park(self) -> None:
        """Gives the worker back and keeps the state as bytes."""
        if not isinstance(self.where, Live):
            return
        live, exchanges = self.where, len(self.cell.exchanges) if self.cell else 0
        try:
            self.where = Parked(self.packer.pack((live.suspended or (live.session,))[0].dump()), exchanges)
        except MontyError:
            self.where = TooLarge() if self.cell else Absent()
        self._workers.give_back(self)

    def leave(self) -> None:
        """Gives the worker back: what it had is had again when somebody asks for it."""
        self.where = Absent()
        self._workers.give_back(self)

    def roll_back(self) -> None:
        """Back to the end of the last finished cell."""
        self.cell = self._expected_digest = None
        self.leave()

    def close(self) -> None:
        """Gives the worker back for good. Code that is still running is ended with its process."""
        if not self.lock.acquire(timeout=CLOSE_SECONDS):
            if self.pid is not None:
                os.kill(self.pid, signal.SIGKILL)
            self.lock.acquire()
        self.leave()
        self.lock.release()

    def _blank(self) -> bytes:
        """What a REPL begins as. What its first cell is seen to need is in it."""
        return self._workers.blank(*needed_at_once(self.cell.code if self.cell else ""))

    def _checked_out(self, limits: ResourceLimits | None) -> MontySession:
        session = self._workers.checkout(self, limits)
        self.where = Live(session)
        return session

    # -- having it again ----------------------------------------------------------------------------------------------

    def _reach_again(self) -> Call | None:
        assert self.cell is not None
        parked = self.where
        if isinstance(parked, Parked):
            dump, session = self.packer.unpack(parked.dump), self._checked_out(None)
            self._rewritten(self.cell)
            snapshot = session.load_snapshot(dump, print_callback=self.print)
            call = self.advance(snapshot, repeating(self.cell, self.answer, parked.exchange_count))
            if parked.is_stored:
                self._since_base = math.inf
                self._properties = None  # nothing can be asked in the middle of a cell
            return call
        self.session()
        if self.note:
            raise Diverged
        return self.advance(self._begin_again(self.cell, self.print), repeating(self.cell, self.answer))

    def _replay(self) -> None:
        """Runs the finished cells again, with the answers they were given. Starts empty where that fails."""
        try:
            for cell in self._cells_since_base:
                self._run_again(cell)
        except (MontyError, Unreadable, Diverged):
            self._base, self._cells_since_base, self.variables = None, [], ()
            self.events.append(["lost"])
            self.note = "The REPL could not be had again: its variables are gone."
            self.leave()
            self.session()

    def _run_again(self, cell: Cell) -> None:
        failure = None
        try:
            with self.timed():
                call = self.advance(self._begin_again(cell, lambda *_: None), repeating(cell, self.answer))
        except MontyError as raised:
            if self.is_lost(raised):
                raise
            failure = raised
        else:
            if call is not None:
                raise Diverged
        if cell.has_failed not in (None, failure is not None):
            raise Diverged
        self.survey(failure)

    # -- dumps --------------------------------------------------------------------------------------------------------

    @property
    def worth_dumping(self) -> bool:
        """Whether running again what no dump has would take longer than a dump, or so long that it might time out."""
        since = self._since_base if self.cell is None else self._since_dump
        return since > DUMPS_WORTH * min(self._dump_seconds, SAFE_SHARE * self.time.seconds)

    def dump(self) -> bytes | None:
        """The state now, packed: in the middle of a suspended cell, or at the end of a finished one.

        A dump needs several times the memory of what it holds. None where that is too much: the cell, be it finished,
        is the unfinished one then.
        """
        begun = time.perf_counter()
        try:
            if self.cell is not None:
                dump = self.packer.pack(self.reach_suspension()[0].dump())
            else:
                dump = self.packer.pack(self.session().dump())
                self._base, self._cells_since_base, self._since_base = dump, [], 0.0
        except (MontyError, CannotPark):
            if self.cell is None and self._cells_since_base:
                self.cell, self.variables = self._cells_since_base.pop(), self._variables_before
                self.events.append(["undo"])
            return None
        self._since_dump, self._dump_seconds = 0.0, time.perf_counter() - begun
        return dump

    def rebind(self, packer: DumpPacker) -> bytes | None:
        """Makes another context the text, for the cells to come. Variables stay.

        Gives a dump of the REPL as it is then, since what was before needs the text that it was over. It may be too
        large for one.
        """
        before = self.packer
        self.session()
        try:
            self._use(packer)
            with self._limited():
                bind_text(self.session(), self.context)
            self._base = packer.pack(self.session().dump())
        except MontyError:
            self._use(before)
            self._move(packer)
        self._cells_since_base = []
        self.events.append(["base"])
        return self._base

    def _use(self, packer: DumpPacker) -> None:
        self._failed_setups = set()
        self.packer, self._limits = packer, resource_limits(packer.context, self._sandbox)
        self.time = CellTime(self._sandbox.seconds(len(packer.context)))

    def _move(self, packer: DumpPacker) -> None:
        """Goes on in a larger session: one keeps for ever the limits that it began with. What is data moves along."""
        self.roll_back()
        variables: dict[str, Any] = {}
        with suppress(MontyError, Unreadable):
            variables = data_of(self.evaluate(DATA))
        self.roll_back()
        self._use(packer)
        self._base, self._cells_since_base = None, []
        self.evaluate("None", variables)
        with suppress(MontyError):
            self._base = packer.pack(self.session().dump())
