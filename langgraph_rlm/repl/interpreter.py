"""One REPL: runs cells in a Monty session, stops where they ask a model, survives what they do to it.

The state of an interpreter is a session, or bytes when it is parked. It can always be had again: from `base`, a dump,
`journal`, the cells that finished since, and the cell that is suspended, each with every answer that it was given.
"""

from __future__ import annotations

import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import MappingProxyType
from typing import Any

from pydantic_monty import FunctionSnapshot, MontyError, MontySession

from langgraph_rlm.asking.requests import Answer, Call, Request
from langgraph_rlm.context import Context
from langgraph_rlm.errors import SandboxError
from langgraph_rlm.repl import host
from langgraph_rlm.repl.boot import DATA, NAMES, OCCASIONAL, REBIND, RESTORE, SURVEY, Left, Unreadable, data_of, left_by
from langgraph_rlm.repl.cells import Finished, Outcome, Suspended, Variable
from langgraph_rlm.repl.explain import echoing, explain, reason
from langgraph_rlm.repl.idiom import Idiom
from langgraph_rlm.repl.journal import Cell, Event, Exchange, Past
from langgraph_rlm.repl.lookahead import Found, Guesses, Taken, calls_ahead
from langgraph_rlm.repl.offer import NOTHING_MORE, Offer
from langgraph_rlm.repl.packed import Packing
from langgraph_rlm.repl.printed import Printed
from langgraph_rlm.repl.session import (
    Answering,
    Snapshot,
    bind_text,
    bind_tools,
    boot,
    driven,
    evaluate,
    feed,
    is_lost,
    resource_limits,
)
from langgraph_rlm.repl.workers import Workers
from langgraph_rlm.settings import Sandbox

CLOSE_SECONDS = 0.1
"""How long code that is still running may go on when its run has ended."""
TOO_LARGE = "MemoryError: the variables are too large to be kept. Keep less at once: no copies of P."
MOST_EXCHANGES = 10_000
"""Answers of the host that are kept of a cell, to run it again; sub-calls have a limit of their own."""
TOO_MANY = host.raising("RuntimeError", "the clock was read too often in this cell: wait for nothing here")
DUMPS_WORTH = 2.0
"""How many times the seconds of a dump there have to be to run again, until one is made."""
SAFE_SHARE = 0.1
"""Share of the time that a cell may take. What is run again may take longer than the first time."""
DUMP_SECONDS, DUMP_SECONDS_PER_CHARACTER = 0.005, 2e-8
"""How long the first dump is expected to take; from then on it is known."""
NO_PAST = Past()
NOTHING_GIVEN: Mapping[str, Any] = MappingProxyType({})
Variables = tuple[Variable, ...]


class Interpreter:
    """A REPL over one context. Blocking; safe to use from any thread, one at a time."""

    def __init__(
        self,
        workers: Workers,
        packing: Packing,
        sandbox: Sandbox,
        idiom: Idiom,
        offer: Offer = NOTHING_MORE,
        past: Past = NO_PAST,
        variables: Variables = (),
    ) -> None:
        """`past` is what to have again, and `variables` are those that its last finished cell left."""
        self.lock = threading.Lock()
        self.pid: int | None = None
        self._workers, self.packing, self._sandbox, self._offer = workers, packing, sandbox, offer
        self._idiom, self._room = idiom, idiom.room(sandbox)
        self._limits = resource_limits(self._context, sandbox)
        self._session: MontySession | None = None
        self._snapshot: FunctionSnapshot | None = None
        self._base, self._journal = past.base, list(past.cells)
        self._cell: Cell | None = None
        self._call: Call | None = None
        self._awaited: str | None = None
        self._parked: bytes | None = None
        self._told = 0
        if past.suspension is not None:
            self._cell, self._awaited = past.suspension.cell, past.suspension.digest
            self._parked, self._told = past.suspension.dump, past.suspension.told
        self._put_aside = False
        self._events: list[Event] = [["lost"]] if past.is_lost else []
        self._since_base = self._since_dump = 0.0
        self._dump_seconds = DUMP_SECONDS + DUMP_SECONDS_PER_CHARACTER * len(self._context)
        self.variables = self._variables_before = variables
        self.guesses = Guesses()
        self.note: str | None = None
        """What became of the REPL where it could not be had again."""

    @property
    def _context(self) -> Context:
        return self.packing.context

    # -- cells ------------------------------------------------------------------------------------------------------

    def run(self, code: str, before: str = "", given: Mapping[str, Any] = NOTHING_GIVEN) -> Outcome:
        """Runs a cell until it ends or asks a model. An unfinished cell before it is dropped.

        `before` is code of the host's own that runs first, and is no part of the cell. `given` are variables for it.
        """
        code = code.replace("\r\n", "\n").replace("\r", "\n")
        with self._busy():
            if self._cell is not None:
                self._restore()
            cell = self._cell = Cell(code, before, given, Printed(self._room))
            self.guesses = Guesses()

            def begin() -> Snapshot:
                self._live()  # what becomes of the cells before it is told before it
                self._events.append(["cell", code, before, *([dict(given)] if given else [])])
                return self._begin(cell, self._cell_print)

            return self._advance(begin)

    def resume(self, answers: list[Answer]) -> Outcome:
        """Goes on with the suspended cell, its call answered."""
        return self._reply(lambda call: host.reply_to(answers, call.batch))

    def refuse(self, message: str) -> Outcome:
        """Goes on with the suspended cell, its call raising `RuntimeError(message)`."""
        reply = host.raising("RuntimeError", message)
        self._events.append(["reply", reply])
        return self._reply(lambda call: reply)

    def resume_with(self, found: Mapping[int, Found]) -> Outcome:
        """Goes on with the suspended cell, all its prompts answered by what was asked ahead."""
        self.took(found)
        return self.resume([found[index][1] for index in range(len(found))])

    def took(self, found: Mapping[int, Found]) -> None:
        """Notes that these prompts of the call had been asked ahead."""
        self._events += [["took", index, *place] for index, (place, _) in found.items()]

    def take(self, call: Call) -> Taken:
        """What was asked ahead of a call; where the code has gone elsewhere, that nothing takes the rest any more."""
        taken = self.guesses.take(call, any(map(self._offer.changes, call.requests)))
        if taken.drops:
            self._events.append(["dropped"])
        return taken

    def ahead(self, most: int) -> list[Request]:
        """What the suspended cell is likely to ask for next: at most so much. None where no worker is free."""
        with self._busy():
            snapshot, _ = self._suspended()
            try:
                dump = snapshot.dump()
            except MontyError:  # too large for that: back to where the cell was, without a look ahead any more
                self.guesses.wasted = sys.maxsize
                self._session = self._snapshot = self._parked = None
                self._put_aside = False
                self._workers.give_back(self)
                assert self._cell is not None
                self._cell.printed = Printed(self._room)
                return []
        return calls_ahead(dump, self._workers, self._answer, self._offer, self.guesses, most)

    def asks_ahead(self, keys: Sequence[str]) -> None:
        """Notes that prompts of these keys are asked together with the call."""
        self._events.append(["ahead", list(keys)])

    def left_out(self, indices: Sequence[int], why: Answer) -> None:
        """Notes that these prompts of the call are not asked."""
        self._events += [["answer", index, None, why.error] for index in indices]

    def _reply(self, reply_to: Callable[[Call], host.Reply]) -> Outcome:
        with self._busy():
            assert self._cell is not None
            try:
                snapshot, call = self._suspended()
            except _ParkingFailed:
                return self._give_up(TOO_LARGE)
            except MontyError as failure:
                return self._give_up(reason(failure, self._sandbox))
            reply = reply_to(call)
            self._cell.exchanges.append(Exchange(reply, call.digest))
            return self._advance(lambda: snapshot.resume(reply))

    def _advance(self, step: Callable[[], Snapshot]) -> Outcome:
        cell = self._cell
        assert cell is not None
        try:
            with self._timed():
                call = self._drive(step(), self._record(cell))
            if call is not None:
                self._call = call
                self._events.append(["call", call.digest, len(call.requests), call.batch])
                return Suspended(call)
            error = None
        except MontyError as failure:
            if self._session is None or is_lost(self._session, failure):
                return self._give_up(reason(failure, self._sandbox))
            error = explain(failure, self._idiom.ending)
        return self._finish(cell, error)

    def _finish(self, cell: Cell, error: str | None) -> Outcome:
        try:
            left = self._survey()
        except (MontyError, Unreadable) as failure:
            why = (
                explain(failure, self._idiom.ending).splitlines()[-1]
                if isinstance(failure, MontyError)
                else str(failure)
            )
            return self._give_up(f"The cell left something that cannot be read: {why}")
        self._journal.append(cell)
        self._events.append(["end"])
        self._cell = self._call = self._snapshot = None
        if left.problem is not None and error is None:
            error = f"NameError: {left.problem}"
        self._variables_before, self.variables = self.variables, left.variables
        answer = left.answer if error is None else ()
        return Finished(cell.printed, error, left.variables, left.overwritten, answer, left.cited)

    @property
    def _names(self) -> list[str]:
        """Names that a cell may have overwritten."""
        return [*NAMES, *OCCASIONAL, *self._offer.tools]

    def _survey(self) -> Left:
        """Reads what the cell left, restores the names it overwrote and forgets its answer."""
        left = left_by(self._evaluate(SURVEY.format(self._idiom.variable)), self._names)
        repairs = [RESTORE.format(name=name) for name in left.overwritten]
        if self._idiom.variable == "Final":
            repairs.append("Final = __rlm__['unset']")
        if repairs:
            self._evaluate("\n".join(repairs))
        return left

    def _give_up(self, error: str) -> Finished:
        """Ends a cell that cannot go on, with the REPL as it was before it."""
        printed = self._cell.printed if self._cell else Printed(self._room)
        self._restore()
        note = "The cell was dropped: your variables are as they were before it."
        return Finished(printed, f"{error}\n{note}", self.variables)

    # -- the state as bytes -------------------------------------------------------------------------------------------

    def events(self) -> list[Event]:
        """What happened since this was asked the last time, for the journal."""
        events, self._events = self._events, []
        return events

    @property
    def untold(self) -> int:
        """How many events the journal has not been told of."""
        return len(self._events)

    @property
    def printed(self) -> Printed:
        """What the suspended cell has printed."""
        assert self._cell is not None
        return self._cell.printed

    @property
    def worth_dumping(self) -> bool:
        """Whether running again what no dump has would take longer than a dump, or so long that it might time out."""
        since = self._since_base if self._cell is None else self._since_dump
        return since > DUMPS_WORTH * min(self._dump_seconds, SAFE_SHARE * self._sandbox.timeout)

    def dump(self) -> bytes | Finished:
        """The state now, packed: in the middle of a suspended cell, or at the end of a finished one.

        A dump needs several times the memory of what it holds. Where that is too much, the cell ends with an error.
        """
        with self._busy():
            begun = time.perf_counter()
            try:
                if self._cell is not None:
                    dump = self.packing.pack(self._suspended()[0].dump())
                else:
                    dump = self.packing.pack(self._live().dump())
                    self._base, self._journal, self._since_base = dump, [], 0.0
            except (MontyError, _ParkingFailed):
                if self._cell is None and self._journal:
                    self._cell, self.variables = self._journal.pop(), self._variables_before
                    self._events.append(["undo"])
                return self._give_up(TOO_LARGE)
            self._since_dump, self._dump_seconds = 0.0, time.perf_counter() - begun
            return dump

    def rebind(self, packing: Packing) -> bytes | None:
        """Makes another context the text, for the cells to come. Variables stay.

        Gives a dump of the REPL as it is then, since what was before needs the text that it was over. It may be too
        large for one.
        """
        with self._busy():
            before = self.packing
            self._live()
            try:
                self._over(packing)
                bind_text(self._live(), self._context)
                self._evaluate(REBIND, {"_metadata": self._context.metadata})
                self._base = packing.pack(self._live().dump())
            except MontyError:
                self._over(before)
                self._move(packing)
            self._journal = []
            self._events.append(["base"])
            return self._base

    def _over(self, packing: Packing) -> None:
        self.packing, self._limits = packing, resource_limits(packing.context, self._sandbox)

    def _move(self, packing: Packing) -> None:
        """Goes on in a larger session: one keeps for ever the limits that it began with. What is data moves along."""
        self._restore()
        variables: dict[str, Any] = {}
        with suppress(MontyError, Unreadable):
            variables = data_of(self._evaluate(DATA))
        self._restore()
        self._over(packing)
        self._base, self._journal = None, []
        self._evaluate("None", variables)
        with suppress(MontyError):
            self._base = packing.pack(self._live().dump())

    # -- the session ------------------------------------------------------------------------------------------------

    def _drive(self, snapshot: Snapshot, reply: Answering) -> Call | None:
        """Goes on until the code ends (None) or asks a model, and notes where that is."""
        stopped = driven(snapshot, reply)
        if stopped is None:
            return None
        self._snapshot, call = stopped
        return call

    def _evaluate(self, code: str, inputs: dict[str, Any] | None = None) -> Any:
        return evaluate(self._live(), code, inputs)

    def _record(self, cell: Cell) -> Answering:
        """Answers the calls of a cell and notes each answer that a second run could not work out again."""

        def reply(snapshot: FunctionSnapshot) -> host.Reply | Call:
            answer = self._answer(snapshot)
            if not isinstance(answer, Call) and not host.reads_context(snapshot):
                if len(cell.exchanges) >= MOST_EXCHANGES:
                    return TOO_MANY
                cell.exchanges.append(Exchange(answer))
                self._events.append(["reply", answer])
            return answer

        return reply

    def _answer(self, snapshot: FunctionSnapshot) -> host.Reply | Call:
        return host.answer(snapshot, self._context, self.variables, self._offer)

    def _begin(self, cell: Cell, on_print: Callable[[str, str], None]) -> Snapshot:
        if cell.given:
            self._evaluate("None", dict(cell.given))
        if cell.before:
            self._evaluate(cell.before)
        code = echoing(cell.code) if self._idiom.echoes else cell.code
        return feed(self._live(), code, on_print)

    def _cell_print(self, stream: str, text: str) -> None:
        if self._cell is not None:
            self._cell.printed.write(stream, text)

    def _live(self) -> MontySession:
        """The session: as it is, loaded from where it was parked, or brought to the end of the last finished cell."""
        if self._session is None:
            self._session = self._workers.checkout(self, self._limits)
            parked, self._parked = self._parked or self._base, None
            if parked is not None:
                self._session.load_session(self.packing.unpack(parked))
            else:
                boot(self._session, self._context)
            bind_tools(self._session, self._offer.tools)
            if parked is self._base:
                self._since_base = self._since_dump = 0.0
                self._replay()
        return self._session

    def _suspended(self) -> tuple[FunctionSnapshot, Call]:
        """Where the cell is suspended: live, loaded from a dump, or reached again with the answers it was given."""
        cell = self._cell
        assert cell is not None
        if self._snapshot is None:
            if self._put_aside and self._parked is None:
                raise _ParkingFailed
            with self._timed():
                self._call = self._reached_again(cell)
            if self._awaited not in (None, self._call.digest):
                raise Diverged
            self._awaited = None
        assert self._snapshot is not None
        assert self._call is not None
        return self._snapshot, self._call

    def _reached_again(self, cell: Cell) -> Call:
        if self._parked is not None:
            dump, self._parked = self.packing.unpack(self._parked), None
            self._session = self._workers.checkout(self, None)
            snapshot = self._session.load_snapshot(dump, print_callback=self._cell_print)
            call = self._drive(snapshot, self._repeat(cell, self._told))
            if not self._put_aside:
                self._since_base = math.inf  # what was before the dump of a checkpoint took, nobody knows
        else:
            self._live()
            if self.note:
                raise Diverged
            call = self._drive(self._begin(cell, self._cell_print), self._repeat(cell))
        if call is None:
            raise Diverged
        return call

    # -- parking and restoring ----------------------------------------------------------------------------------------

    def park(self) -> None:
        """Gives the worker back and keeps the state as bytes."""
        if self._session is None:
            return
        try:
            self._parked = self.packing.pack((self._snapshot or self._session).dump())
        except MontyError:
            self._parked = None
        self._put_aside = True
        self._told = len(self._cell.exchanges) if self._cell else 0
        self._session = self._snapshot = None
        self._workers.give_back(self)

    def close(self) -> None:
        """Gives the worker back for good. Code that is still running is ended with its process."""
        if not self.lock.acquire(timeout=CLOSE_SECONDS):
            if self.pid is not None:
                os.kill(self.pid, signal.SIGKILL)
            self.lock.acquire()
        self._session = self._snapshot = None
        self._workers.give_back(self)
        self.lock.release()

    def _restore(self) -> None:
        """Back to the end of the last finished cell, once somebody asks for the session again."""
        self._session = self._snapshot = self._parked = self._cell = self._call = self._awaited = None
        self._put_aside = False
        self._workers.give_back(self)

    def _replay(self) -> None:
        """Runs the cells of the journal again, with the answers they were given. Starts empty where that fails."""
        try:
            for cell in self._journal:
                self._run_again(cell)
        except (MontyError, Unreadable, Diverged):
            self._base, self._journal, self.variables = None, [], ()
            self._events.append(["lost"])
            self.note = "The REPL could not be had again: its variables are gone."
            self._session = None
            self._workers.give_back(self)
            self._live()

    def _run_again(self, cell: Cell) -> None:
        try:
            with self._timed():
                call = self._drive(self._begin(cell, lambda *_: None), self._repeat(cell))
        except MontyError as failure:
            if self._session is None or is_lost(self._session, failure):
                raise
        else:
            if call is not None:
                raise Diverged
        self._survey()

    def _repeat(self, cell: Cell, told: int = 0) -> Answering:
        """Answers the calls of a cell as they were answered before, from the exchange `told` on."""
        recorded = iter(cell.exchanges[told:])
        repeated = told

        def reply(snapshot: FunctionSnapshot) -> host.Reply | Call:
            nonlocal repeated
            asked = None if snapshot.is_os_function else self._answer(snapshot)
            if asked is not None and host.reads_context(snapshot):
                return asked
            if not isinstance(asked, Call) and repeated >= MOST_EXCHANGES:
                return TOO_MANY
            exchange = next(recorded, None)
            if exchange is None and isinstance(asked, Call):
                return asked
            if exchange is None or exchange.digest != (asked.digest if isinstance(asked, Call) else None):
                raise Diverged
            repeated += 1
            return exchange.reply

        return reply

    @contextmanager
    def _timed(self) -> Iterator[None]:
        """Counts the seconds of the block as work that is lost without a dump."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            seconds = time.perf_counter() - begun
            self._since_base += seconds
            self._since_dump += seconds

    @contextmanager
    def _busy(self) -> Iterator[None]:
        with self.lock:
            yield
        self._workers.idle(self)


class Diverged(SandboxError):
    """A cell asks for something else than it did, when it runs again: this package is another version, say."""

    def __init__(self) -> None:
        super().__init__(
            "The cell that was suspended asks for something else when it runs again, so it cannot go on. The thread is "
            "as it was: go on with the version of this package that began it, or ask a new question, which drops the "
            "cell."
        )


class _ParkingFailed(Exception):
    """The state was too large to be put aside."""
