"""The PostgreSQL server of the tests: LangGraph's checkpointers work on it, and it leaves nothing behind."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import TypedDict

import psycopg
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from tests.postgres import database, server

THREAD: RunnableConfig = {"configurable": {"thread_id": "a"}}
PROJECT = Path(__file__).parents[2]


class State(TypedDict):
    text: str


def two_nodes(saver: BaseCheckpointSaver[str]) -> CompiledStateGraph[State, None, State, State]:
    """A graph that stops between its nodes, as a process that dies there would."""
    graph = StateGraph(State)
    graph.add_node("first", lambda state: {"text": state["text"] + " first"})
    graph.add_node("second", lambda state: {"text": state["text"] + " second"})
    graph.add_edge(START, "first")
    graph.add_edge("first", "second")
    graph.add_edge("second", END)
    return graph.compile(checkpointer=saver, interrupt_before=["second"])


def begin(url: str) -> None:
    with PostgresSaver.from_conn_string(url) as saver:
        saver.setup()
        two_nodes(saver).invoke({"text": "start"}, THREAD)


def hold_a_server() -> None:
    """Say where a server is, and keep it until this process is killed."""
    with server() as folder:
        print(folder, flush=True)
        time.sleep(600)


def other_process(call: str) -> list[str]:
    return [sys.executable, "-c", f"from tests.integration import test_postgres_server as test; test.{call}"]


def test_another_connection_goes_on(postgres_url: str) -> None:
    begin(postgres_url)
    with PostgresSaver.from_conn_string(postgres_url) as saver:
        assert two_nodes(saver).invoke(None, THREAD) == {"text": "start first second"}


async def test_another_connection_goes_on_async(postgres_url: str) -> None:
    async with AsyncPostgresSaver.from_conn_string(postgres_url) as saver:
        await saver.setup()
        await two_nodes(saver).ainvoke({"text": "start"}, THREAD)
    async with AsyncPostgresSaver.from_conn_string(postgres_url) as saver:
        assert await two_nodes(saver).ainvoke(None, THREAD) == {"text": "start first second"}


def test_this_process_goes_on_with_what_another_began(postgres_url: str) -> None:
    with PostgresSaver.from_conn_string(postgres_url) as saver:
        saver.setup()
        subprocess.run(other_process(f"begin({postgres_url!r})"), cwd=PROJECT, check=True)
        assert two_nodes(saver).invoke(None, THREAD) == {"text": "start first second"}


def test_a_database_knows_nothing_of_another(postgres_server: Path) -> None:
    with database(postgres_server) as one, database(postgres_server) as another:
        begin(one)
        with psycopg.connect(another) as connection:
            assert connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall() == []


def test_a_server_goes_when_its_tests_are_killed() -> None:
    with subprocess.Popen(other_process("hold_a_server()"), cwd=PROJECT, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        folder = Path(holder.stdout.readline().strip())
        postmaster = int((folder / "data/postmaster.pid").read_text().split()[0])
        holder.kill()
    deadline = time.monotonic() + 30
    while folder.exists() or Path(f"/proc/{postmaster}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
