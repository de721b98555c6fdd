"""One REPL: runs cells in a Monty session, stops where they ask a model, survives what they do to it.

The state of an interpreter is a session, or bytes when it is parked. What the last finished cell left can always be
had again: from `base`, a dump, and `journal`, the cells that finished since, with every answer the host gave them.
"""

from __future__ import annotations

import ast
import datetime
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic_monty import (
    ExcType,
    ExternalExceptionData,
    ExternalSettledResult,
    FunctionSnapshot,
    FutureSnapshot,
    MontyComplete,
    MontyError,
    MontyRuntimeError,
    MontySession,
    MontySyntaxError,
    NameLookupSnapshot,
    ResourceLimits,
)

from langgraph_rlm.context import Context
from langgraph_rlm.errors import SandboxError
from langgraph_rlm.repl import gaps
from langgraph_rlm.repl.cells import Answer, Call, Finished, Outcome, Suspended, Variable
from langgraph_rlm.repl.printed import Printed
from langgraph_rlm.repl.workers import Workers
from langgraph_rlm.settings import Sandbox
from langgraph_rlm.syntax import statements

PRELUDE = Path(__file__).with_name("prelude.py").read_text()
NAMES = [
    *("P", "context", "ctx", "peek", "tail", "lenP", "llm_query", "llm_batch", "llm_query_batched", "rlm_query"),
    *("rlm_query_batched", "ask", "ask_chunks", "ask_chunks_first", "pick_first_answer", "extract_after"),
    *("SHOW_VARS", "FINAL", "FINAL_VAR", "re", "json", "math", "collections", "itertools", "datetime"),
]
"""The names of the REPL: what a cell overwrites of them is restored when it ends."""
BUILTINS = ["map", "filter", "sorted", "min", "max"]
"""Built-ins that the prelude replaces. A cell may use these names for its own variables."""
BOOT = "\n".join(
    [
        '__rlm__ = {"_host": _host, "P": P, "metadata": _metadata, "names": _names, "builtin_names": _builtin_names}',
        "exec(_prelude, __rlm__)",
        *(f'{name} = __rlm__["{name}"]' for name in [*NAMES, *BUILTINS]),
        "_host = _metadata = _prelude = _names = _builtin_names = None",
    ]
)
REBIND = """\
__rlm__["rebind"](__rlm__, P, _metadata)
P = context = __rlm__["P"]
ctx = __rlm__["ctx"]
_metadata = None
"""
VALUE, SHOW = "__rlm__['value'] = ", "\n__rlm__['show'](__rlm__)"
CLOSE_SECONDS = 0.1
"""How long code that is still running may go on when its run has ended."""
PIECE = 4_000_000
"""Characters of the text that are handed to the worker at a time."""
TOO_LARGE = "MemoryError: the variables are too large to be kept. Keep less at once: no copies of P."
MOST_CHUNKS = 1_000_000
MOST_NAME = 60
"""Characters of a variable's name or type that the model is shown."""
MOST_ERROR = 2_000
"""Characters of an error that the model is shown."""
DUMP_HEADROOM = 4.2
"""Monty counts the buffer of a dump against the limit: a dump needs about this many times what is held."""

Snapshot = FunctionSnapshot | NameLookupSnapshot | FutureSnapshot | MontyComplete
Reply = ExternalSettledResult
"""What a suspended session is resumed with: `return_value`, or `exc_type` and `message`."""


@dataclass
class Cell:
    """A cell's code, the replies the host gave it so far, and what it printed."""

    code: str
    printed: Printed
    replies: list[Reply] = field(default_factory=list)


class Interpreter:
    """A REPL over one context. Blocking; safe to use from any thread, one at a time."""

    def __init__(
        self,
        workers: Workers,
        context: Context,
        sandbox: Sandbox,
        cell_end: bytes | None = None,
        variables: tuple[Variable, ...] = (),
    ) -> None:
        """`cell_end` is a dump from which to go on, and `variables` are those in it."""

        self.lock = threading.Lock()
        self.pid: int | None = None
        self._workers, self._context, self._sandbox = workers, context, sandbox
        self._session: MontySession | None = None
        self._snapshot: FunctionSnapshot | None = None
        self._parked: bytes | None = None
        self._base = cell_end
        self._journal: list[Cell] = []
        self._cell: Cell | None = None
        self._call: Call | None = None
        self.variables = variables

    # -- cells ------------------------------------------------------------------------------------------------------

    def run(self, code: str) -> Outcome:
        """Runs a cell until it ends or asks a model. An unfinished cell before it is dropped."""
        code = code.replace("\r\n", "\n").replace("\r", "\n")
        with self._busy():
            if self._cell is not None:
                self._restore()
            self._cell = Cell(code, Printed(self._sandbox.max_output))
            return self._advance(lambda: self._feed(echoing(code), self._cell_print))

    def resume(self, answers: list[Answer]) -> Outcome:
        """Goes on with the suspended cell, its call answered."""
        return self._reply(reply_to(self.call, answers))

    def refuse(self, message: str) -> Outcome:
        """Goes on with the suspended cell, its call raising `RuntimeError(message)`."""
        return self._reply(_error("RuntimeError", message))

    def _reply(self, reply: Reply) -> Outcome:
        with self._busy():
            assert self._cell is not None
            try:
                snapshot = self._suspended()
            except _ParkingFailed:
                return self._give_up(TOO_LARGE)
            self._cell.replies.append(reply)
            return self._advance(lambda: snapshot.resume(reply))

    def _advance(self, step: Callable[[], Snapshot]) -> Outcome:
        cell = self._cell
        assert cell is not None
        try:
            call = self._drive(step, self._record(cell))
            if call is not None:
                self._call = call
                return Suspended(call)
            error = None
        except MontyError as failure:
            if self._lost(failure):
                return self._give_up(_reason(failure, self._sandbox))
            error = explain(failure)
        return self._finish(cell, error)

    def _finish(self, cell: Cell, error: str | None) -> Outcome:
        try:
            left = self._survey()
        except (MontyError, _Unreadable) as failure:
            why = explain(failure).splitlines()[-1] if isinstance(failure, MontyError) else str(failure)
            return self._give_up(f"The cell left something that cannot be read: {why}")
        self._journal.append(cell)
        self._cell = self._call = self._snapshot = None
        if left.missing is not None and error is None:
            error = f"NameError: FINAL_VAR({left.missing!r}): there is no variable of that name. Run the code first."
        self.variables = left.variables
        answer = left.answer if error is None else ()
        return Finished(cell.printed, error, left.variables, left.overwritten, answer)

    def _survey(self) -> _Left:
        """Reads what the cell left, restores the names it overwrote and forgets its answer."""
        left = _left(self._evaluate("__rlm__['survey'](__rlm__, locals())"))
        repairs = [f"{name} = __rlm__[{name!r}]" for name in left.overwritten]
        self._evaluate("\n".join([*repairs, "Final = __rlm__['unset']"]))
        return left

    def _give_up(self, error: str) -> Finished:
        """Ends a cell that cannot go on, with the REPL as it was before it."""
        printed = self._cell.printed if self._cell else Printed(self._sandbox.max_output)
        self._restore()
        note = "The cell was dropped: your variables are as they were before it."
        return Finished(printed, f"{error}\n{note}", self.variables)

    # -- the state as bytes -------------------------------------------------------------------------------------------

    @property
    def printed(self) -> Printed:
        """What the suspended cell has printed."""
        assert self._cell is not None
        return self._cell.printed

    @property
    def call(self) -> Call:
        """The call at which the cell is suspended."""
        if self._call is None:
            with self._busy():
                call = self._host(self._suspended())
            if not isinstance(call, Call):
                raise SandboxError("the dump is not one of a cell that waits for an answer")
            self._call = call
        return self._call

    def dump(self) -> bytes | Finished:
        """The state now: in the middle of a suspended cell, or at the end of a finished one.

        A dump needs several times the memory of what it holds. Where that is too much, the cell ends with an error.
        """
        with self._busy():
            try:
                if self._cell is not None:
                    return self._suspended().dump()
                self._base, self._journal = self._live().dump(), []
            except (MontyError, _ParkingFailed):
                if self._cell is None:
                    self._cell = self._journal.pop()
                return self._give_up(TOO_LARGE)
            return self._base

    def load(self, code: str, suspension: bytes, printed: Printed) -> None:
        """Takes up a cell where `suspension`, a dump, was made. For an interpreter that has not run yet."""
        self._cell, self._parked = Cell(code, printed), suspension

    def rebind(self, context: Context) -> None:
        """Makes `context` the text, for the cells to come. Variables stay."""
        with self._busy():
            self._context = context
            self._bind_text()
            self._evaluate(REBIND, {"_metadata": context.metadata})
            self._base, self._journal = self._live().dump(), []

    # -- the session ------------------------------------------------------------------------------------------------

    def _drive(self, step: Callable[[], Snapshot], reply: Callable[[FunctionSnapshot], Reply | Call]) -> Call | None:
        """Goes on from one suspension to the next until the code ends (None) or asks a model."""
        snapshot = step()
        while not isinstance(snapshot, MontyComplete):
            if isinstance(snapshot, NameLookupSnapshot):
                snapshot = snapshot.resume()
            elif isinstance(snapshot, FutureSnapshot):
                failed: ExternalSettledResult = _error("RuntimeError", "nothing here can be awaited")
                snapshot = snapshot.resume(dict.fromkeys(snapshot.pending_call_ids, failed))
            else:
                answer = reply(snapshot)
                if isinstance(answer, Call):
                    self._snapshot = snapshot
                    return answer
                snapshot = snapshot.resume(answer)
        return None

    def _record(self, cell: Cell) -> Callable[[FunctionSnapshot], Reply | Call]:
        """Answers the calls of a cell and notes each answer that a second run could not work out again."""

        def reply(snapshot: FunctionSnapshot) -> Reply | Call:
            answer = self._host(snapshot)
            if not isinstance(answer, Call) and not _reads_context(snapshot):
                cell.replies.append(answer)
            return answer

        return reply

    def _host(self, snapshot: FunctionSnapshot) -> Reply | Call:
        """The reply to a call that leaves the sandbox, or the `Call` that the graph has to answer."""
        if snapshot.is_os_function:
            return _system(snapshot.function_name, snapshot.args)
        if snapshot.function_name != "_host":
            return _error("NameError", f"name {snapshot.function_name!r} is not defined")
        match snapshot.args:
            case ("ask", ("llm" | "rlm") as kind, list(prompts), (str() | None) as model, bool(batch)):
                if all(_is_prompt(prompt) for prompt in prompts):
                    pairs = [(prompt, context) for prompt, context in prompts]
                    return Call(kind, pairs, model, batch) if pairs else {"return_value": []}
            case ("context", str(name), list(arguments)):
                return self._read_context(name, arguments)
            case ("show_vars",):
                return {"return_value": "\n".join(map(str, described(self.variables))) or "no variables yet"}
        return _error("TypeError", "no such call")

    def _read_context(self, name: str, arguments: list[Any]) -> Reply:
        context = self._context
        try:
            match name, arguments:
                case "get_document", [int(i)]:
                    return {"return_value": context.get_document(i)}
                case "documents", []:
                    return {"return_value": list(context.documents())}
                case "slice", [(int() | None) as start, (int() | None) as end]:
                    return {"return_value": context.text[start:end]}
                case "find", [str(needle), int(start), (int() | None) as end]:
                    return {"return_value": context.find(needle, start, end)}
                case "chunk", [int(size), int(overlap)]:
                    if 0 <= overlap < size and len(context) // (size - overlap) > MOST_CHUNKS:
                        return _error("ValueError", f"more than {MOST_CHUNKS:,} chunks: choose a larger size")
                    return {"return_value": context.chunk(size, overlap)}
        except (IndexError, ValueError) as error:
            return _error("IndexError" if isinstance(error, IndexError) else "ValueError", str(error))
        return _error("TypeError", f"ctx.{name} takes other arguments than {arguments!r:.80}")

    def _evaluate(self, code: str, inputs: dict[str, Any] | None = None) -> Any:
        """The value of the host's own `code`, which may ask nothing of anybody."""
        snapshot = self._feed(code, lambda *_: None, inputs)
        while isinstance(snapshot, FunctionSnapshot):
            snapshot = snapshot.resume({"exc_type": "RuntimeError", "message": "no calls between cells"})
        if not isinstance(snapshot, MontyComplete):
            raise SandboxError(f"the host's own code stopped at {snapshot!r}")
        return snapshot.output

    def _feed(self, code: str, on_print: Callable[[str, str], None], inputs: dict[str, Any] | None = None) -> Snapshot:
        return self._live().feed_start(code, print_callback=on_print, inputs=inputs)

    def _cell_print(self, stream: str, text: str) -> None:
        if self._cell is not None:
            self._cell.printed.write(stream, text)

    def _live(self) -> MontySession:
        """The session: as it is, loaded from where it was parked, or brought to the end of the last finished cell."""
        if self._session is None:
            self._session = self._workers.checkout(self, self._limits())
            parked, self._parked = self._parked or self._base, None
            if parked is not None:
                self._session.load_session(parked)
            else:
                self._boot()
            if parked is self._base:
                for cell in self._journal:
                    self._replay(cell)
        return self._session

    def _suspended(self) -> FunctionSnapshot:
        """The suspended cell's snapshot: live, or loaded from where it was parked."""
        if self._snapshot is None:
            if self._parked is None:
                raise _ParkingFailed
            self._session = self._workers.checkout(self, None)
            snapshot = self._session.load_snapshot(self._parked, print_callback=self._cell_print)
            assert isinstance(snapshot, FunctionSnapshot)
            self._snapshot, self._parked = snapshot, None
        return self._snapshot

    def _boot(self) -> None:
        names = {"_names": NAMES, "_builtin_names": BUILTINS}
        self._bind_text()
        self._evaluate(BOOT, {"_host": _host, "_prelude": PRELUDE, "_metadata": self._context.metadata, **names})

    def _bind_text(self) -> None:
        """Makes `P` the text, piece by piece: bound at once, copies of all of it would stand in both processes."""
        text = self._context.text
        self._evaluate("_pieces = []")
        for start in range(0, len(text), PIECE):
            self._evaluate("_pieces.append(_piece)", {"_piece": text[start : start + PIECE]})
        self._evaluate("P = ''.join(_pieces)\n_pieces = _piece = None")

    def _limits(self) -> ResourceLimits:
        text = self._context.text
        context = sum(len(text[start : start + PIECE].encode()) for start in range(0, len(text), PIECE))
        memory = self._sandbox.memory or max(128 * 2**20, 4 * context)
        return {
            "max_feed_duration_secs": self._sandbox.timeout,
            "max_memory": int(DUMP_HEADROOM * (context + memory)),
            "max_suspensions": 2**62,
        }

    def _lost(self, failure: MontyError) -> bool:
        """Whether the session cannot be used after `failure`: dead, or stopped in the middle of an operation."""
        assert self._session is not None
        stopped = isinstance(failure.exception(), TimeoutError) and not failure.traceback()  # type: ignore[attr-defined]
        return self._session.worker_pid is None or stopped or isinstance(failure.exception(), MemoryError)

    # -- parking and restoring ----------------------------------------------------------------------------------------

    def park(self) -> None:
        """Gives the worker back and keeps the state as bytes."""
        if self._session is None:
            return
        try:
            self._parked = (self._snapshot or self._session).dump()
        except MontyError:
            self._parked = None
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
        self._session = self._snapshot = self._parked = self._cell = self._call = None
        self._workers.give_back(self)

    def _replay(self, cell: Cell) -> None:
        recorded = iter(cell.replies)

        def reply(snapshot: FunctionSnapshot) -> Reply:
            answer = self._host(snapshot) if _reads_context(snapshot) else next(recorded)
            assert not isinstance(answer, Call)
            return answer

        try:
            self._drive(lambda: self._feed(echoing(cell.code), lambda *_: None), reply)
        except MontyError as failure:
            if self._lost(failure):
                raise SandboxError(f"a cell that had run before could not be run again: {failure}") from failure
        self._survey()

    @contextmanager
    def _busy(self) -> Iterator[None]:
        with self.lock:
            yield
        self._workers.idle(self)


@dataclass(frozen=True)
class _Left:
    """What the prelude's `survey` says of a finished cell."""

    variables: tuple[Variable, ...]
    overwritten: tuple[str, ...]
    answer: tuple[Any, ...]
    missing: str | None


class _Unreadable(Exception):
    """The cell has tampered with what reads it."""


def _left(value: object) -> _Left:
    """The survey as it comes out of the sandbox, where code may have replaced it by anything."""
    match value:
        case {
            "variables": list(variables),
            "overwritten": list(overwritten),
            "answer": list(answer),
            "missing": (str() | None) as missing,
        } if set(overwritten) <= set(NAMES) and all(map(_is_variable, variables)):
            named = tuple(Variable(name[:MOST_NAME], kind[:MOST_NAME], size) for name, kind, size in variables)
            return _Left(named, tuple(overwritten), tuple(answer), missing and missing[:MOST_NAME])
    raise _Unreadable("the REPL's own functions were overwritten")


def _is_variable(value: object) -> bool:
    match value:
        case [str(), str(), int() | None]:
            return True
    return False


class _ParkingFailed(Exception):
    """The state was too large to be put aside."""


def _host(*_: object) -> None:
    """Stands for the calls that leave the sandbox: they are answered at a snapshot, never by this function."""


def _reads_context(snapshot: FunctionSnapshot) -> bool:
    """Whether a call asks for a part of the text: such an answer can be worked out again."""
    return snapshot.function_name == "_host" and snapshot.args[:1] == ("context",)


def _error(kind: ExcType, message: str) -> ExternalExceptionData:
    return {"exc_type": kind, "message": message}


def _is_prompt(prompt: object) -> bool:
    match prompt:
        case [str(), None | str()]:
            return True
    return False


def reply_to(call: Call, answers: list[Answer]) -> Reply:
    """What the code gets for its call: values, with errors as text in a batch, and raised where it asked one prompt."""
    failed = next((answer.error for answer in answers if answer.error is not None), None)
    if failed is not None and not call.batch:
        return _error("RuntimeError", failed)
    return {"return_value": [answer.value if answer.error is None else f"Error: {answer.error}" for answer in answers]}


def _system(name: str, arguments: tuple[Any, ...]) -> Reply:
    """Clocks are answered; the rest of the system is not there."""
    match name:
        case "time.time":
            return {"return_value": time.time()}
        case "datetime.now":
            return {"return_value": datetime.datetime.now(arguments[0] if arguments else None)}
        case "date.today":
            return {"return_value": datetime.date.today()}
        case "import":
            return _error("ModuleNotFoundError", gaps.module_missing(str(arguments[0]) if arguments else ""))
    return _error("PermissionError", f"{name}: there are no files and no system here. The text is in P.")


def echoing(code: str) -> str:
    """`code`, its last expression printed as a REPL does. Lines keep their numbers."""
    body = statements(code)
    if not body or not isinstance(body[-1], ast.Expr):
        return code
    lines, last = code.encode().split(b"\n"), body[-1]
    start = last.lineno - 1
    lines[start] = lines[start][: last.col_offset] + VALUE.encode() + lines[start][last.col_offset :]
    return b"\n".join(lines).decode() + SHOW


def explain(failure: MontyError) -> str:
    """A failure as the model is told it: the traceback of its own code, and what to write instead."""
    text = failure.display() if isinstance(failure, MontyRuntimeError | MontySyntaxError) else str(failure)
    text = re.sub(r'  File "<string>".*\n(?:    .*\n)*', "", text)
    text = re.sub(r"\n +~+(?=\n)", "", text)
    text = re.sub(r"<python-input-\d+>", "<cell>", text).replace(VALUE, "")
    if len(text) > MOST_ERROR:
        text = f"{text[: MOST_ERROR // 2]}\n…\n{text[-MOST_ERROR // 2 :]}"
    instead = gaps.advice(text)
    return f"{text}\n{instead}" if instead else text


def described(variables: tuple[Variable, ...]) -> list[str]:
    """A line for each variable: name, type, size."""
    return [f"{v.name}: {v.type}" + (f" ({v.size:,})" if v.size is not None else "") for v in variables]


def _reason(failure: MontyError, sandbox: Sandbox) -> str:
    """Why a session was lost, with what the model can do."""
    if isinstance(failure.exception(), TimeoutError):
        return f"TimeoutError: the cell ran longer than {sandbox.timeout:g} s. Do less in one cell, or split the work."
    if isinstance(failure.exception(), MemoryError):
        return "MemoryError: the cell held more than the sandbox allows. Keep less at once: no copies of P."
    return "RuntimeError: the sandbox's process died while the cell ran."
