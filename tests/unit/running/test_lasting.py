"""Threads whose old checkpoints were cleaned up: they go on, or an error says why not."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.postgres import PostgresSaver, ShallowPostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.message import REMOVE_ALL_MESSAGES
from langgraph.store.base import BaseStore
from langgraph.store.memory import InMemoryStore
from langgraph.store.postgres import PostgresStore
from langgraph.types import Command
from typing_extensions import TypedDict

from langgraph_rlm import Context, ContextError, Limits, create_rlm
from langgraph_rlm.running.lasting import MOST_WHOLE
from tests.fakes import QUERY, ScriptedModel, cell, rlm_of

THREAD: Any = {"configurable": {"thread_id": "1"}}
LONG = ("ä apple\npear\n\0" * (MOST_WHOLE // 13))[:MOST_WHOLE] + "é"
"""One character too long to be copied, and with what databases refuse in JSON."""


class App(TypedDict, total=False):
    first: bool
    query: str
    context: Any
    answer: Any


def clean_memory(saver: InMemorySaver) -> None:
    """Keeps the newest checkpoint of each namespace, with its own writes."""
    for thread, namespaces in saver.storage.items():
        for namespace, checkpoints in namespaces.items():
            newest = max(checkpoints, default=None)
            for checkpoint in [*checkpoints]:
                if checkpoint != newest:
                    del checkpoints[checkpoint]
            for key in [key for key in saver.writes if key[:2] == (thread, namespace) and key[2] != newest]:
                del saver.writes[key]


def deletes(writes: str) -> list[str]:
    """The statements that do so in a database whose writes are in the table of that name."""
    newest = (
        "SELECT max(checkpoint_id) FROM checkpoints AS c "
        "WHERE c.thread_id = {0}.thread_id AND c.checkpoint_ns = {0}.checkpoint_ns"
    )
    return [f"DELETE FROM {table} WHERE checkpoint_id <> ({newest.format(table)})" for table in (writes, "checkpoints")]


def clean_sqlite(saver: SqliteSaver) -> None:
    for statement in deletes("writes"):
        saver.conn.execute(statement)
    saver.conn.commit()


def clean_postgres(saver: PostgresSaver) -> None:
    assert isinstance(saver.conn, psycopg.Connection)
    for statement in deletes("checkpoint_writes"):
        saver.conn.execute(statement)
    used = "SELECT 1 FROM checkpoints AS c WHERE c.thread_id = b.thread_id AND c.checkpoint_ns = b.checkpoint_ns"
    used += " AND c.checkpoint -> 'channel_versions' ->> b.channel = b.version"
    saver.conn.execute(f"DELETE FROM checkpoint_blobs AS b WHERE NOT EXISTS ({used})")


@pytest.fixture
def sqlite_saver(tmp_path: Path) -> Iterator[SqliteSaver]:
    """Unlike the others it stores what has not changed in each checkpoint, and nowhere else."""
    with closing(sqlite3.connect(tmp_path / "checkpoints.db", check_same_thread=False)) as connection:
        yield SqliteSaver(connection)


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def saver(request: pytest.FixtureRequest) -> Iterator[Any]:
    match request.param:
        case "memory":
            yield InMemorySaver()
        case "sqlite":
            yield request.getfixturevalue("sqlite_saver")
        case _:
            with PostgresSaver.from_conn_string(request.getfixturevalue("postgres_url")) as saver:
                saver.setup()
                yield saver


def clean_up(saver: Any) -> None:
    """What jobs that clean up do: the newest checkpoint of each thread is left."""
    match saver:
        case InMemorySaver():
            clean_memory(saver)
        case SqliteSaver():
            clean_sqlite(saver)
        case _:
            clean_postgres(saver)


def count_of(saver: Any) -> int:
    return len(list(saver.list({"configurable": {"thread_id": "1", "checkpoint_ns": ""}})))


FIRST = [
    cell("def twice(text):\n    return text * 2\nparts = llm_batch(['a', 'b', 'c'])"),
    cell("last = llm_query('d')\nFinal = len(P)"),
]
SECOND = [cell("Final = [twice('x'), parts, last, len(P), ctx.metadata[0]['name']]")]


def scripted() -> ScriptedModel:
    return ScriptedModel(*FIRST, *SECOND, cell("Final = [len(P), last]"), answer=str.upper)


def contexts(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "apples.txt").write_text("apple\n" * 50)
    return {
        "str": ("apple\n" * 50, "document 0"),
        "list": (["apple\n" * 50, "pear"], "document 0"),
        "documents": ([Document("apple\n" * 50, metadata={"source": "a.txt"})], "a.txt"),
        "files": (Context.from_files(tmp_path / "texts"), "apples.txt"),
    }


@pytest.mark.parametrize("kind", ["str", "list", "documents", "files"])
def test_next_question_after_a_clean_up_has_text_variables_and_history(saver: Any, kind: str, tmp_path: Path) -> None:
    context, name = contexts(tmp_path)[kind]
    model = scripted()
    rlm = rlm_of(model, checkpointer=saver)
    length = rlm.invoke({"query": QUERY, "context": context}, THREAD)["answer"]
    before = rlm.get_state(THREAD).values
    clean_up(saver)
    assert count_of(saver) == 1
    after = rlm.get_state(THREAD).values
    assert after["trajectory"] == before["trajectory"]
    assert after["history"] == before["history"]
    again = rlm_of(model, checkpointer=saver)
    assert again.invoke({"query": "second"}, THREAD)["answer"] == ["xx", ["A", "B", "C"], "D", length, name]
    told = [message.text for message in model.turns[-1].messages]
    assert QUERY in told[1]
    assert "second" in told[-1]
    clean_up(saver)
    assert again.invoke({"query": "third"}, THREAD)["answer"] == [length, "D"]
    assert len(model.asked) == 4


async def test_async_runs_leave_whole_threads_too(tmp_path: Path) -> None:
    async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "checkpoints.db")) as saver:
        rlm = rlm_of(scripted(), checkpointer=saver)
        await rlm.ainvoke({"query": QUERY, "context": "apple"}, THREAD)
        for statement in deletes("writes"):
            await saver.conn.execute(statement)
        out = await rlm.ainvoke({"query": "second"}, THREAD)
    assert out["answer"] == ["xx", ["A", "B", "C"], "D", 5, "document 0"]


@pytest.mark.parametrize("durability", ["exit", "sync", "async"])
def test_clean_up_spares_threads_of_each_durability(saver: Any, durability: Any) -> None:
    rlm = rlm_of(scripted(), checkpointer=saver)
    rlm.invoke({"query": QUERY, "context": "apple"}, THREAD, durability=durability)
    clean_up(saver)
    out = rlm.invoke({"query": "second"}, THREAD, durability=durability)
    assert out["answer"] == ["xx", ["A", "B", "C"], "D", 5, "document 0"]


def test_conversation_is_whole_after_a_clean_up(saver: Any) -> None:
    rlm = rlm_of(ScriptedModel(cell("n = len(P)\nFinal = 'first'"), cell("Final = [n, P]")), checkpointer=saver)
    rlm.invoke({"messages": [HumanMessage("Call me Ishmael."), HumanMessage("Who speaks?")]}, THREAD)
    clean_up(saver)
    out = rlm.invoke({"messages": [HumanMessage("And now?")]}, THREAD)
    assert [message.text for message in out["messages"]][:3] == ["Call me Ishmael.", "Who speaks?", "first"]
    n, text = out["answer"]
    assert n
    assert "Ishmael" in text


def test_node_that_keeps_its_thread_is_spared_too(saver: Any) -> None:
    rlm = rlm_of(scripted(), checkpointer=True)
    app = StateGraph(MessagesState).add_node("rlm", rlm).add_edge(START, "rlm").compile(checkpointer=saver)
    app.invoke({"messages": [HumanMessage("x" * 50), HumanMessage("How long?")]}, THREAD)
    clean_up(saver)
    out = app.invoke({"messages": [HumanMessage("again")]}, THREAD)
    assert out["messages"][-1].text.startswith('["xx", ["A", "B", "C"], "D", ')


def test_profiles_without_the_loop_are_spared_too(saver: Any) -> None:
    rlm = create_rlm(ScriptedModel(answer=lambda prompt: f"{len(prompt) > 50}"), checkpointer=saver)
    rlm.invoke({"query": QUERY, "context": "apple " * 20}, THREAD)
    clean_up(saver)
    assert rlm.invoke({"query": "And now?"}, THREAD)["answer"] == "True"


@pytest.mark.filterwarnings("ignore:ShallowPostgresSaver is deprecated:DeprecationWarning")
def test_saver_of_the_newest_checkpoint_alone_has_all_that_a_thread_needs(postgres_url: str) -> None:
    with ShallowPostgresSaver.from_conn_string(postgres_url) as saver:
        saver.setup()
        rlm = rlm_of(scripted(), checkpointer=saver)
        rlm.invoke({"query": QUERY, "context": "apple"}, THREAD)
        out = rlm.invoke({"query": "second"}, THREAD)
    assert out["answer"] == ["xx", ["A", "B", "C"], "D", 5, "document 0"]


def test_prune_of_postgresql_refuses_what_it_does_not_know_and_deletes_nothing(postgres_url: str) -> None:
    with PostgresSaver.from_conn_string(postgres_url) as saver:
        saver.setup()
        rlm = rlm_of(scripted(), checkpointer=saver)
        rlm.invoke({"query": QUERY, "context": "apple"}, THREAD)
        with pytest.raises(NotImplementedError, match="DeltaChannel"):
            saver.prune(["1"])
        out = rlm.invoke({"query": "second"}, THREAD)
    assert out["answer"] == ["xx", ["A", "B", "C"], "D", 5, "document 0"]


# -- long texts -------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest) -> Iterator[BaseStore]:
    if request.param == "memory":
        yield InMemoryStore()
    else:
        with PostgresStore.from_conn_string(request.getfixturevalue("postgres_url")) as store:
            store.setup()
            yield store


def test_long_text_comes_from_the_store_after_a_clean_up(sqlite_saver: SqliteSaver, store: BaseStore) -> None:
    saver = sqlite_saver
    cells = [cell("n = len(P)\nFinal = n"), cell("Final = [n, P[-1], len(P), P.count(chr(0))]"), cell("Final = P[:7]")]
    rlm = rlm_of(ScriptedModel(*cells), checkpointer=saver, store=store)
    rlm.invoke({"query": QUERY, "context": LONG}, THREAD)
    clean_up(saver)
    assert rlm.invoke({"query": "second"}, THREAD)["answer"] == [len(LONG), "é", len(LONG), LONG.count("\0")]
    clean_up(saver)
    assert rlm.invoke({"query": "third"}, THREAD)["answer"] == "ä apple"


def test_long_text_comes_from_the_store_of_the_app(sqlite_saver: SqliteSaver) -> None:
    saver, store = sqlite_saver, InMemoryStore()
    rlm = rlm_of(ScriptedModel(cell("n = len(P)\nFinal = n"), cell("Final = [n, len(P)]")), checkpointer=True)

    def ask(state: App) -> App:
        given = {"context": LONG} if state["first"] else {}
        return {"answer": rlm.invoke({"query": QUERY if given else "second", **given})["answer"]}

    app = StateGraph(App).add_node("ask", ask).add_edge(START, "ask").compile(checkpointer=saver, store=store)
    app.invoke({"first": True}, THREAD)
    clean_up(saver)
    assert app.invoke({"first": False}, THREAD)["answer"] == [len(LONG), len(LONG)]


async def test_long_text_comes_from_the_store_of_an_async_run(tmp_path: Path) -> None:
    cells = [cell("n = len(P)\nFinal = n"), cell("Final = [n, len(P)]")]
    async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "checkpoints.db")) as saver:
        rlm = rlm_of(ScriptedModel(*cells), checkpointer=saver, store=InMemoryStore())
        await rlm.ainvoke({"query": QUERY, "context": LONG}, THREAD)
        for statement in deletes("writes"):
            await saver.conn.execute(statement)
        out = await rlm.ainvoke({"query": "second"}, THREAD)
    assert out["answer"] == [len(LONG), len(LONG)]


def test_long_text_is_in_the_thread_as_long_as_its_checkpoints_are() -> None:
    """The store of another process may be empty, and it costs one copy for all questions."""
    saver = InMemorySaver()
    cells = [cell("Final = len(P)")] * 3
    rlm = rlm_of(ScriptedModel(*cells), checkpointer=saver, store=InMemoryStore())
    rlm.invoke({"query": QUERY, "context": LONG}, THREAD)
    rlm = rlm_of(ScriptedModel(*cells), checkpointer=saver, store=InMemoryStore())
    assert rlm.invoke({"query": "second"}, THREAD)["answer"] == len(LONG)
    writes = [blob for written in saver.writes.values() for _, _, (_, blob), _ in written.values()]
    stored = sum(map(len, [*writes, *(blob for _, blob in saver.blobs.values())]))
    assert stored < 1.9 * len(LONG.encode())


def test_long_text_of_files_is_never_copied(tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text(LONG.replace("\0", ""))
    saver, store = InMemorySaver(), InMemoryStore()
    rlm = rlm_of(ScriptedModel(cell("Final = len(P)"), cell("Final = P[-1]")), checkpointer=saver, store=store)
    rlm.invoke({"query": QUERY, "context": Context.from_files(tmp_path / "long.txt")}, THREAD)
    clean_up(saver)
    assert rlm.invoke({"query": "second"}, THREAD)["answer"] == "é"
    assert not store.search(("langgraph_rlm", "texts"))


def test_error_names_the_clean_up_and_the_thread_goes_on_with_the_text_given_again(sqlite_saver: SqliteSaver) -> None:
    saver = sqlite_saver
    rlm = rlm_of(ScriptedModel(cell("n = len(P)\nFinal = n"), cell("Final = [n, len(P)]")), checkpointer=saver)
    rlm.invoke({"query": QUERY, "context": LONG}, THREAD)
    clean_up(saver)
    before = count_of(saver)
    with pytest.raises(ContextError, match="cleaned up"):
        rlm.invoke({"query": "second"}, THREAD)
    assert count_of(saver) == before
    assert rlm.invoke({"query": "second", "context": LONG}, THREAD)["answer"] == [len(LONG), len(LONG)]


class Failing(InMemoryStore):
    """A store with an outage."""

    def batch(self, ops: Any) -> Any:
        raise ConnectionError("the store is down")

    async def abatch(self, ops: Any) -> Any:
        raise ConnectionError("the store is down")


def test_store_with_an_outage_costs_no_answer(sqlite_saver: SqliteSaver, caplog: pytest.LogCaptureFixture) -> None:
    rlm = rlm_of(ScriptedModel(cell("Final = len(P)")), checkpointer=sqlite_saver, store=Failing())
    assert rlm.invoke({"query": QUERY, "context": LONG}, THREAD)["answer"] == len(LONG)
    clean_up(sqlite_saver)
    with pytest.raises(ContextError, match="cleaned up"):
        rlm.invoke({"query": "second"}, THREAD)
    assert "cannot be kept in the store" in caplog.text
    assert "cannot be read from the store" in caplog.text


async def test_store_with_an_outage_costs_no_answer_of_an_async_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "checkpoints.db")) as saver:
        rlm = rlm_of(ScriptedModel(cell("Final = len(P)")), checkpointer=saver, store=Failing())
        assert (await rlm.ainvoke({"query": QUERY, "context": LONG}, THREAD))["answer"] == len(LONG)
        for statement in deletes("writes"):
            await saver.conn.execute(statement)
        with pytest.raises(ContextError, match="cleaned up"):
            await rlm.ainvoke({"query": "second"}, THREAD)
    assert "cannot be kept in the store" in caplog.text
    assert "cannot be read from the store" in caplog.text


# -- in the middle of a question --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given", [{"query": "other"}, {"query": "other", "context": "pear"}, None, Command(resume=True)]
)
def test_thread_that_waits_in_the_middle_names_the_clean_up_that_it_did_not_outlive(given: Any) -> None:
    saver = InMemorySaver()
    model = ScriptedModel(cell("a = llm_batch(['x', 'y', 'z'])\nFinal = a"))
    rlm = rlm_of(model, checkpointer=saver, limits=Limits(confirm_above=2))
    out = rlm.invoke({"query": QUERY, "context": "apple"}, THREAD)
    assert out["__interrupt__"]
    clean_up(saver)
    with pytest.raises(ContextError, match=r"cleaned up in the middle of a question.*new thread"):
        rlm.invoke(given, THREAD)
    assert not model.asked


def test_question_after_one_that_was_killed_has_what_the_clean_up_left(saver: Any) -> None:
    """A job that keeps what is newer than the last end of a question harms nothing."""
    model = scripted()
    rlm = rlm_of(model, checkpointer=saver)
    rlm.invoke({"query": QUERY, "context": "apple"}, THREAD)
    clean_up(saver)
    list(rlm.stream({"query": "second"}, THREAD, interrupt_after=["generate"]))
    out = rlm.invoke(None, THREAD)
    assert out["answer"] == ["xx", ["A", "B", "C"], "D", 5, "document 0"]


def test_children_and_nodes_that_begin_anew_store_no_text_again() -> None:
    saver = InMemorySaver()
    text = "y" * 100_000
    model = ScriptedModel(script={"Sum?": [cell("Final = len(P)")], QUERY: [cell("Final = rlm_query('Sum?', P)")]})
    rlm = rlm_of(model, limits=Limits(max_depth=2))
    app = StateGraph(App).add_node("rlm", rlm).add_edge(START, "rlm").compile(checkpointer=saver)
    app.invoke({"query": QUERY, "context": text}, THREAD)
    nested = [blob for (_, namespace, *_), (_, blob) in saver.blobs.items() if namespace]
    assert len([blob for blob in nested if b"Sum?" in blob]) > 1
    assert not [blob for blob in nested if text.encode() in blob]


def test_long_conversation_is_not_silently_a_short_one(sqlite_saver: SqliteSaver) -> None:
    rlm = rlm_of(ScriptedModel(cell("Final = len(P)"), cell("Final = 'Ishmael' in P")), checkpointer=sqlite_saver)
    book = [HumanMessage("Call me Ishmael." + LONG), HumanMessage("Who speaks?")]
    rlm.invoke({"messages": book}, THREAD)
    clean_up(sqlite_saver)
    with pytest.raises(ContextError, match="cleaned up"):
        rlm.invoke({"messages": [HumanMessage("And now?")]}, THREAD)
    assert rlm.invoke({"query": "And now?", "context": book[0].text}, THREAD)["answer"] is True


def test_thread_goes_on_where_somebody_has_taken_its_messages_away() -> None:
    rlm = rlm_of(ScriptedModel(cell("Final = len(P)"), cell("Final = P")), checkpointer=InMemorySaver())
    rlm.invoke({"messages": [HumanMessage("Call me Ishmael."), HumanMessage("Who speaks?")]}, THREAD)
    rlm.update_state(THREAD, {"messages": [RemoveMessage(REMOVE_ALL_MESSAGES)]})
    assert "Ahab" in rlm.invoke({"messages": [HumanMessage("Where is Ahab?")]}, THREAD)["answer"]


# -- edits, and nodes that begin anew ---------------------------------------------------------------------------------


def test_edited_thread_outlives_a_clean_up(saver: Any) -> None:
    rlm = rlm_of(scripted(), checkpointer=saver)
    rlm.invoke({"query": QUERY, "context": "apple"}, THREAD)
    rlm.update_state(THREAD, {"answer": "edited"})
    clean_up(saver)
    assert rlm.get_state(THREAD).values["answer"] == "edited"
    out = rlm.invoke({"query": "second"}, THREAD)
    assert out["answer"] == ["xx", ["A", "B", "C"], "D", 5, "document 0"]


def test_edited_chat_outlives_a_clean_up(sqlite_saver: SqliteSaver) -> None:
    model = ScriptedModel(answer=lambda told: told[-60:])
    rlm = create_rlm(model, checkpointer=sqlite_saver)
    out = rlm.invoke({"messages": [HumanMessage("My secret word is XYLOPHONE.")]}, THREAD)
    rlm.update_state(THREAD, {"messages": [AIMessage("edited", id=out["messages"][-1].id)]})
    clean_up(sqlite_saver)
    rlm.invoke({"messages": [HumanMessage("What is it?")]}, THREAD)
    assert [message.text for message in model.calls[-1].messages] == [
        "My secret word is XYLOPHONE.",
        "edited",
        "What is it?",
    ]


async def test_thread_that_waits_and_was_edited_outlives_a_clean_up(tmp_path: Path) -> None:
    async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "checkpoints.db")) as saver:
        rlm = rlm_of(scripted(), checkpointer=saver, interrupt_before=["execute"])
        await rlm.ainvoke({"query": QUERY, "context": "apple"}, THREAD)
        await rlm.aupdate_state(THREAD, {"code": "Final = llm_query('edited ' + P)"})
        for statement in deletes("writes"):
            await saver.conn.execute(statement)
        rlm.interrupt_before_nodes = []
        assert (await rlm.ainvoke(None, THREAD))["answer"] == "EDITED APPLE"


def answer_or_error(ask: Callable[[], Any]) -> Any:
    try:
        return ask()["answer"]
    except ContextError as error:
        return str(error)


KEEPING = [
    cell("acc = ['first']"),
    cell("b = [llm_query('x')]"),
    cell("Final = acc + b + llm_batch(['KILL'])"),
]


@pytest.mark.parametrize("kept", range(1, 12))
@pytest.mark.parametrize("keeps", [None, True])
def test_node_in_the_middle_has_all_or_names_the_clean_up(
    sqlite_saver: SqliteSaver, keeps: bool | None, kept: int
) -> None:
    """A job that keeps the newest checkpoints of each namespace."""

    def answer(prompt: str) -> str:
        if prompt == "KILL" and not is_back:
            raise KeyboardInterrupt
        return "A"

    is_back = False
    model = ScriptedModel(*KEEPING, answer=answer)
    rlm = rlm_of(model, checkpointer=keeps, lookahead=False)
    app = StateGraph(App).add_node("rlm", rlm).add_edge(START, "rlm").compile(checkpointer=sqlite_saver)
    with pytest.raises(KeyboardInterrupt):
        app.invoke({"query": QUERY, "context": "text"}, THREAD)
    for table in ("writes", "checkpoints"):
        newest = f"SELECT checkpoint_id FROM checkpoints AS c WHERE c.checkpoint_ns = {table}.checkpoint_ns"
        newest += f" ORDER BY checkpoint_id DESC LIMIT {kept}"
        sqlite_saver.conn.execute(f"DELETE FROM {table} WHERE checkpoint_id NOT IN ({newest})")
    is_back, asked = True, len(model.calls)
    said = answer_or_error(lambda: app.invoke(None, THREAD))
    assert said == ["first", "A", "A"] or ("in the middle of a question" in said and len(model.calls) == asked)


@pytest.mark.parametrize("kept", [1, 2, 3, 5])
def test_long_conversation_is_whole_or_the_clean_up_is_named(sqlite_saver: SqliteSaver, kept: int) -> None:
    rlm = rlm_of(ScriptedModel(cell("Final = len(P)"), cell("Final = 'secret' in P")), checkpointer=sqlite_saver)
    rlm.invoke({"messages": [HumanMessage("the secret word" + LONG), HumanMessage("How long?")]}, THREAD)
    for table in ("writes", "checkpoints"):
        newest = f"SELECT checkpoint_id FROM checkpoints ORDER BY checkpoint_id DESC LIMIT {kept}"
        sqlite_saver.conn.execute(f"DELETE FROM {table} WHERE checkpoint_id NOT IN ({newest})")
    said = answer_or_error(lambda: rlm.invoke({"messages": [HumanMessage("What was it?")]}, THREAD))
    assert said is True or "cleaned up" in said


def test_question_in_messages_after_a_clean_up_is_not_its_own_text(sqlite_saver: SqliteSaver) -> None:
    rlm = rlm_of(ScriptedModel(cell("Final = len(P)"), cell("Final = len(P)")), checkpointer=sqlite_saver)
    rlm.invoke({"query": QUERY, "context": LONG}, THREAD)
    clean_up(sqlite_saver)
    with pytest.raises(ContextError, match="cleaned up"):
        rlm.invoke({"messages": [HumanMessage("What is in the text?")]}, THREAD)


@pytest.mark.parametrize("broken", ["{", "[]", '{"text": "other", "metadata": []}', None])
def test_what_a_store_has_is_no_text_where_it_is_not_what_was_stored(
    sqlite_saver: SqliteSaver, broken: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    store = InMemoryStore()
    rlm = rlm_of(ScriptedModel(cell("Final = len(P)"), cell("Final = P")), checkpointer=sqlite_saver, store=store)
    rlm.invoke({"query": QUERY, "context": LONG}, THREAD)
    clean_up(sqlite_saver)
    [item] = store.search(("langgraph_rlm", "texts"))
    store.put(item.namespace, item.key, {"json": broken} if broken else {"other": 1})
    with pytest.raises(ContextError, match="cleaned up"):
        rlm.invoke({"query": "second"}, THREAD)
    assert "cannot be used" in caplog.text
