"""A `Context` in the state, the store and the cache of an app: stored as what it is, once, and had again."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from langchain_core.documents import Document
from langgraph.cache.memory import InMemoryCache
from langgraph.cache.sqlite import SqliteCache
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, StateGraph
from langgraph.store.memory import InMemoryStore
from langgraph.store.sqlite import SqliteStore
from langgraph.types import CachePolicy, Command, interrupt
from pydantic import BaseModel
from typing_extensions import TypedDict

from langgraph_rlm import Context, ContextError
from tests.fakes import QUERY, ScriptedModel, cell, rlm_of

THREAD: Any = {"configurable": {"thread_id": "1"}}
TEXT = "".join(f"apple {n}\n" for n in range(5_000))


class Typed(TypedDict, total=False):
    query: str
    context: Context
    answer: Any
    steps: int


class Untyped(TypedDict, total=False):
    query: str
    context: Any
    answer: Any
    steps: int


@dataclass
class Fields:
    query: str = ""
    context: Any = None
    answer: Any = None
    steps: int = 0


class Model(BaseModel, arbitrary_types_allowed=True):
    query: str = ""
    context: Any = None
    answer: Any = None
    steps: int = 0


@pytest.fixture(params=["permissive", "strict"])
def serde(request: pytest.FixtureRequest) -> JsonPlusSerializer:
    """As LANGGRAPH_STRICT_MSGPACK leaves it."""
    return JsonPlusSerializer(allowed_msgpack_modules=True if request.param == "permissive" else None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "apples.txt").write_text(TEXT)
    (tmp_path / "texts" / "pears.txt").write_text("pear\n")
    return tmp_path / "texts"


def contexts(folder: Path) -> list[Context]:
    return [
        Context.of(TEXT),
        Context.of([TEXT, "pear"]),
        Context.of([Document(TEXT, metadata={"source": "a.txt", "page": 3})]),
        Context.from_files(folder),
        Context.from_files(folder).only([1]),
    ]


@pytest.mark.parametrize("number", range(5))
def test_serializer_gives_it_back_without_a_word(
    serde: JsonPlusSerializer, folder: Path, number: int, caplog: pytest.LogCaptureFixture
) -> None:
    context = contexts(folder)[number]
    kind, stored = serde.dumps_typed({"documents": [context]})
    again = serde.loads_typed((kind, stored))["documents"][0]
    assert again == context
    assert (again.files, again.skipped, again.get_document(0)) == (
        context.files,
        context.skipped,
        context.get_document(0),
    )
    assert not caplog.records
    assert stored.count(b"apple 4321") == (0 if context.files else 1)
    assert len(stored) < (1_000 if context.files else 1.1 * len(TEXT))


@pytest.mark.parametrize("state", [Typed, Untyped, Fields, Model])
@pytest.mark.parametrize("is_of_files", [False, True])
def test_app_keeps_it_in_its_state_and_goes_on_with_it(
    state: Any, is_of_files: bool, serde: JsonPlusSerializer, folder: Path, tmp_path: Path, caplog: Any
) -> None:
    given = Context.from_files(folder) if is_of_files else Context.of([TEXT, "pear\n"])
    rlm = rlm_of(ScriptedModel(cell("Final = [len(P), P.count('pear'), llm_query('?')]")))

    def ask(seen: Any) -> Any:
        interrupt("go on?")
        context = seen["context"] if isinstance(seen, dict) else seen.context
        assert context.get_document(1) == "pear\n"
        return {"steps": context.num_documents()}

    with closing(sqlite3.connect(tmp_path / "checkpoints.db", check_same_thread=False)) as connection:
        saver = SqliteSaver(connection, serde=serde)
        builder: Any = StateGraph(state)
        builder.add_node("ask", ask).add_node("rlm", rlm)
        app: Any = builder.add_edge(START, "ask").add_edge("ask", "rlm").compile(checkpointer=saver)
        app.invoke({"query": QUERY, "context": given}, THREAD)
        out = app.invoke(Command(resume=True), THREAD)
        assert out["answer"] == [len(given), 1, "answer to ?"]
        assert out["context"] == given
        assert app.get_state(THREAD).values["context"] == given
    assert not caplog.records


def copies_of_the_text(saver: InMemorySaver) -> list[str]:
    """The namespaces and channels that hold it, as often as it is there."""
    written = [
        (key[1], channel, blob) for key, all_of in saver.writes.items() for _, channel, (_, blob), _ in all_of.values()
    ]
    held = [(namespace, channel, blob) for (_, namespace, channel, _), (_, blob) in saver.blobs.items()]
    return [f"{ns.partition(':')[0]}/{channel}" for ns, channel, blob in [*written, *held] if b"apple 4321" in blob]


@pytest.mark.parametrize("is_async", [False, True])
def test_app_stores_it_in_its_own_state_alone(is_async: bool) -> None:
    saver = InMemorySaver()
    rlm = rlm_of(ScriptedModel(cell("a = llm_query('?')"), cell("Final = [len(P), a]")))
    app: Any = StateGraph(Typed).add_node("rlm", rlm).add_edge(START, "rlm").compile(checkpointer=saver)
    given = {"query": QUERY, "context": Context.of(TEXT)}
    out = asyncio.run(app.ainvoke(given, THREAD)) if is_async else app.invoke(given, THREAD)
    assert out["answer"] == [len(TEXT), "answer to ?"]
    assert set(copies_of_the_text(saver)) == {"/__start__", "/context"}


def test_app_stores_files_as_paths_and_digests(folder: Path) -> None:
    saver = InMemorySaver()
    rlm = rlm_of(ScriptedModel(cell("a = llm_query('?')"), cell("Final = [len(P), a]")))
    app: Any = StateGraph(Typed).add_node("rlm", rlm).add_edge(START, "rlm").compile(checkpointer=saver)
    out = app.invoke({"query": QUERY, "context": Context.from_files(folder)}, THREAD)
    assert out["answer"] == [len(TEXT) + 2 + len("pear\n"), "answer to ?"]
    assert not copies_of_the_text(saver)


def test_changed_file_is_a_clear_error_where_the_context_is_used(folder: Path) -> None:
    saver = InMemorySaver()
    rlm = rlm_of(ScriptedModel(cell("Final = len(P)")))
    app: Any = StateGraph(Typed).add_node("rlm", rlm).add_edge(START, "rlm").compile(checkpointer=saver)
    list(app.stream({"query": QUERY, "context": Context.from_files(folder)}, THREAD, interrupt_before=["rlm"]))
    (folder / "apples.txt").write_text("other")
    with pytest.raises(ContextError, match="has changed"):
        app.invoke(None, THREAD)


def test_file_that_was_away_for_a_while_is_read_when_it_is_back(folder: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "checkpoints.db", check_same_thread=False)) as connection:
        builder: Any = StateGraph(Untyped)
        builder.add_node("look", lambda state: {"steps": 1})
        builder.add_node("rlm", rlm_of(ScriptedModel(cell("Final = len(P)"))))
        app: Any = builder.add_edge(START, "look").add_edge("look", "rlm").compile(checkpointer=SqliteSaver(connection))
        given = {"query": QUERY, "context": Context.from_files(folder)}
        list(app.stream(given, THREAD, interrupt_before=["look"]))
        (folder / "apples.txt").rename(tmp_path / "away")
        with pytest.raises(ContextError, match="cannot be read again"):
            app.invoke(None, THREAD)
        (tmp_path / "away").rename(folder / "apples.txt")
        assert app.invoke(None, THREAD)["answer"] == len(TEXT) + 2 + len("pear\n")


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_cache_of_a_node_gives_it_back(kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache: Any = InMemoryCache() if kind == "memory" else SqliteCache(path=str(tmp_path / "cache.db"))
    calls: list[str] = []

    def load(state: Untyped) -> Untyped:
        calls.append(state["query"])
        return {"context": Context.of([TEXT, "pear"])}

    builder = StateGraph(Untyped).add_node("load", load, cache_policy=CachePolicy()).add_edge(START, "load")
    app: Any = builder.compile(cache=cache)
    outs = [app.invoke({"query": QUERY}) for _ in range(2)]
    assert [out["context"] for out in outs] == [Context.of([TEXT, "pear"])] * 2
    assert len(calls) == 1
    assert not caplog.records


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_store_gives_back_what_an_rlm_takes(kind: str, folder: Path, tmp_path: Path) -> None:
    store: Any = (
        InMemoryStore()
        if kind == "memory"
        else SqliteStore(sqlite3.connect(tmp_path / "store.db", isolation_level=None))
    )
    if kind == "sqlite":
        store.setup()
    for given in contexts(folder):
        store.put(("texts",), "1", {"context": given})
        kept = store.get(("texts",), "1").value["context"]
        rlm = rlm_of(ScriptedModel(cell("Final = [len(P), ctx.metadata[0]['name'], ctx.num_documents()]")))
        out = rlm.invoke({"query": QUERY, "context": kept})
        assert out["answer"] == [len(given), given.metadata[0]["name"], given.num_documents()]
        store.put(("texts",), "2", {"context": given.to_state()})
        assert Context.from_state(store.get(("texts",), "2").value["context"]) == given
    if kind == "sqlite":
        store.conn.close()


STRICT = """
import sys
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph_rlm import Context
serde = JsonPlusSerializer()
given = Context.of(["apple", "pear"])
assert serde.loads_typed(serde.dumps_typed(given)) == given
print("ok")
"""


def test_strict_mode_of_the_environment_takes_it() -> None:
    environment = {**os.environ, "LANGGRAPH_STRICT_MSGPACK": "true"}
    ended = subprocess.run([sys.executable, "-c", STRICT], capture_output=True, text=True, env=environment, check=False)
    assert (ended.stdout, ended.stderr) == ("ok\n", "")


def test_strict_mode_still_blocks_what_is_not_ours(caplog: pytest.LogCaptureFixture) -> None:
    serde = JsonPlusSerializer(allowed_msgpack_modules=None)
    with caplog.at_level(logging.WARNING):
        assert isinstance(serde.loads_typed(serde.dumps_typed(Fields())), dict)
    assert "Blocked" in caplog.text
