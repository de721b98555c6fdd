"""The runs that `ask` keeps: one SQLite file, with LangGraph's checkpoints and a table of what was asked.

A process that works on a thread holds a lock of the operating system on it, which ends with the process however that
ends. So a row that says "running" while nobody holds its thread was killed.
"""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from langgraph_rlm.cli.request import Settings
from langgraph_rlm.errors import InvalidInput, RLMError

Status = Literal["running", "interrupted", "stopped", "failed", "answered", "limit"]
"""`interrupted`: it was killed; `stopped`: somebody ended it in order; `limit`: answered, at a limit."""

FILE = "runs.db"
LAYOUT = 1
"""Of the table, in the file's `user_version`; a file without one is new."""
PATIENCE = 60.0
"""Seconds to wait while another process writes to the file."""
LETTERS = "23456789abcdefghjkmnpqrstvwxyz"
"""Of the name of a thread: none that is taken for another."""
LENGTH = 8
"""Letters of a name."""
MOST_NAMED = 50
"""Threads that `named` gives."""

TABLE = """
CREATE TABLE runs (
    thread TEXT PRIMARY KEY,
    question TEXT NOT NULL,
    paths TEXT NOT NULL,
    settings TEXT NOT NULL,
    created REAL NOT NULL,
    updated REAL NOT NULL,
    status TEXT NOT NULL,
    pid INTEGER NOT NULL,
    since TEXT,
    tokens INTEGER NOT NULL,
    steps INTEGER NOT NULL,
    subcalls INTEGER NOT NULL,
    seconds REAL NOT NULL,
    output TEXT
)
"""


class StateError(RLMError):
    """The file of the runs cannot be used: unwritable, full, damaged, of a newer version."""

    def __init__(self, path: Path, reason: object) -> None:
        super().__init__(
            f"The runs in {path} cannot be read or written: {reason}. Set LANGGRAPH_RLM_STATE to another folder, or "
            "ask with --ephemeral, which keeps nothing."
        )


@dataclass(frozen=True)
class Run:
    """A question on a thread, the last one, and what became of it."""

    thread: str
    question: str
    paths: tuple[str, ...]
    settings: Settings
    created: float
    """When the thread began, in seconds since 1970."""
    updated: float
    status: Status = "running"
    pid: int = 0
    """The process that works on it, or did."""
    since: str | None = None
    """The thread's last checkpoint before the question: while there is no later one, nothing of it is stored."""
    tokens: int = 0
    steps: int = 0
    subcalls: int = 0
    seconds: float = 0.0
    """Of work on it, in all processes."""
    output: dict[str, Any] | None = None
    """What `ask --json` prints, once there is an answer."""


COLUMNS = tuple(field.name for field in fields(Run))


class Runs:
    """The file of the runs in a folder, made where there is none.

    Raises:
        StateError: The file cannot be used. So does every method.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self._locks = folder / "locks"
        with self._explained():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._locks.mkdir(mode=0o700, exist_ok=True)
            with suppress(FileExistsError):
                os.close(os.open(self.path, os.O_CREAT | os.O_EXCL, 0o600))
        with self._opened() as file:
            if _layout(file) == 0:
                with self._lock("layout", PATIENCE):  # SQLite refuses some of it where two do it at once
                    if _layout(file) == 0:
                        file.execute("PRAGMA auto_vacuum = INCREMENTAL")
                        file.execute("PRAGMA journal_mode = WAL")
                        file.execute(TABLE)
                        file.execute(f"PRAGMA user_version = {LAYOUT}")
            if _layout(file) > LAYOUT:
                raise StateError(self.path, "a newer version of langgraph-rlm wrote them")

    def new_thread(self) -> str:
        """A name that no thread has."""
        with self._opened() as file:
            while True:
                name = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
                if not file.execute("SELECT 1 FROM runs WHERE thread = ?", (name,)).fetchone():
                    return name

    def put(self, run: Run, patience: float = PATIENCE) -> None:
        """Writes the run's row. For who holds its thread."""
        values = asdict(run) | {"paths": json.dumps(run.paths), "settings": json.dumps(asdict(run.settings))}
        values["output"] = json.dumps(run.output) if run.output is not None else None
        marks = ", ".join(f":{column}" for column in COLUMNS)
        with self._opened(patience) as file:
            file.execute(f"INSERT OR REPLACE INTO runs ({', '.join(COLUMNS)}) VALUES ({marks})", values)

    def find(self, beginning: str) -> Run:
        """The run of the thread whose name begins so.

        Raises:
            InvalidInput: There is none, or more than one.
        """
        beginning = beginning.strip().lower()
        found = self._select("WHERE substr(thread, 1, ?) = ? ORDER BY updated DESC", len(beginning), beginning)
        if not beginning or not found:
            raise InvalidInput(f'There is no thread "{beginning}". langgraph-rlm runs lists those there are.')
        if len(found) > 1:
            names = ", ".join(run.thread for run in found[:3]) + (", …" if len(found) > 3 else "")
            raise InvalidInput(f'"{beginning}" may be one of {len(found)} threads ({names}): write more of its name.')
        return found[0]

    def idle(self, beginning: str) -> Run:
        """As `find`, for a run that nobody works on.

        Raises:
            InvalidInput: A process works on it.
        """
        run = self.find(beginning)
        if run.status == "running":
            raise _running(run)
        return run

    def newest(self, limit: int) -> list[Run]:
        """The runs that changed last, the last one first."""
        return self._select("ORDER BY updated DESC LIMIT ?", limit)

    def older_than(self, moment: float) -> list[Run]:
        """The runs that have not changed since then."""
        return self._select("WHERE updated < ? ORDER BY updated", moment)

    def count(self) -> int:
        """How many runs there are."""
        with self._opened() as file:
            return int(file.execute("SELECT count(*) FROM runs").fetchone()[0])

    def forget(self, threads: Sequence[str]) -> None:
        """Deletes threads with all that is stored of them, and gives the space back."""
        from langgraph.checkpoint.sqlite import SqliteSaver

        with self._opened() as file:
            saver = SqliteSaver(file)
            for thread in threads:
                with self.held(thread):
                    saver.delete_thread(thread)
                    file.execute("DELETE FROM runs WHERE thread = ?", (thread,))
                (self._locks / thread).unlink(missing_ok=True)
            file.executescript("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)")  # execute frees one page

    def size(self) -> int:
        """Bytes that the runs take."""
        size = 0
        for path in (self.path, self.path.with_name(f"{self.path.name}-wal")):
            with suppress(FileNotFoundError):
                size += path.stat().st_size
        return size

    @contextmanager
    def held(self, thread: str) -> Iterator[None]:
        """Holds the thread for the block: no other process works on it meanwhile.

        Raises:
            InvalidInput: Another process holds it.
        """
        with self._lock(thread, 0.5) as locked:  # another process may be looking who holds it
            if not locked:
                raise _running(self.find(thread))
            yield

    def explained(self, error: OSError | sqlite3.Error) -> StateError:
        """What went wrong with the file, for a user."""
        if isinstance(error, OSError):
            return StateError(self.path, error.strerror or error)
        damaged = _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
        return StateError(self.path, f"the file is damaged ({error})" if damaged else error)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            raise self.explained(error) from error

    @contextmanager
    def _opened(self, patience: float = PATIENCE) -> Iterator[sqlite3.Connection]:
        with self._explained(), closing(_connect(self.path, patience)) as file:
            file.execute("PRAGMA synchronous = NORMAL")  # a row is soon written again, a checkpoint is not
            yield file

    @contextmanager
    def _lock(self, name: str, patience: float) -> Iterator[bool]:
        """Whether this process alone has the lock of that name for the block.

        It is a transaction in an empty database, which is a lock wherever SQLite runs.
        """
        with self._explained():
            lock = _connect(self._locks / name, patience)
        with closing(lock):
            with self._explained():
                locked = _unless_busy(lock, "BEGIN EXCLUSIVE")
            yield locked

    def _is_held(self, thread: str) -> bool:
        with self._explained(), closing(_connect(self._locks / thread, patience=0)) as lock:
            return not _unless_busy(lock, "SELECT 1 FROM sqlite_master")

    def _select(self, which: str, *values: object) -> list[Run]:
        with self._opened() as file:
            rows = file.execute(f"SELECT {', '.join(COLUMNS)} FROM runs {which}", values).fetchall()
        return [self._run(dict(zip(COLUMNS, row, strict=True))) for row in rows]

    def _run(self, row: dict[str, Any]) -> Run:
        row["paths"], row["settings"] = tuple(json.loads(row["paths"])), Settings(**json.loads(row["settings"]))
        row["output"] = json.loads(row["output"]) if row["output"] else None
        run = Run(**row)
        killed = run.status == "running" and not self._is_held(run.thread)
        return replace(run, status="interrupted") if killed else run


def named(folder: Path, beginning: str) -> list[tuple[str, str]]:
    """The threads in that folder whose names begin so, with their questions: the last ones, the last one first.

    It makes no file, and waits for nobody.

    Raises:
        sqlite3.Error: There is no file of runs, or it cannot be read.
    """
    where = f"{(folder / FILE).as_uri()}?mode=rw"  # read-only, it would leave the log that it makes
    with closing(sqlite3.connect(where, timeout=0, uri=True)) as file:
        order = "SELECT thread, question FROM runs WHERE substr(thread, 1, ?) = ? ORDER BY updated DESC LIMIT ?"
        return file.execute(order, (len(beginning), beginning, MOST_NAMED)).fetchall()


def state_folder() -> Path:
    """Where runs are kept: `LANGGRAPH_RLM_STATE`, else `langgraph-rlm` in the user's folder for such things."""
    if chosen := os.environ.get("LANGGRAPH_RLM_STATE", "").strip():
        return Path(chosen).expanduser().absolute()
    base = Path(os.environ.get("XDG_STATE_HOME", ""))
    return (base if base.is_absolute() else Path("~/.local/state").expanduser()) / "langgraph-rlm"


def _running(run: Run) -> InvalidInput:
    return InvalidInput(f"Thread {run.thread} is running, in process {run.pid}: wait for its end, or stop it first.")


def _layout(file: sqlite3.Connection) -> int:
    return int(file.execute("PRAGMA user_version").fetchone()[0])


def _connect(path: Path, patience: float) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=patience, isolation_level=None)


def _unless_busy(file: sqlite3.Connection, order: str) -> bool:
    """Carries out an order, unless somebody else's lock forbids it. Says which."""
    try:
        file.execute(order).fetchall()
    except sqlite3.OperationalError as error:
        if _code(error) != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
