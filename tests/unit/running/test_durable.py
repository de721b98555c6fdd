"""What a checkpoint holds: the REPL in the middle of a cell, the text once, and nothing that breaks a run."""

from __future__ import annotations

import asyncio
import gc
import itertools
import math
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from langchain_core.messages import HumanMessage, RemoveMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

from langgraph_rlm import InvalidInput, Limits, Sandbox, SandboxError
from langgraph_rlm.repl import boot, host, packed, repeating, repl_state, session, workers
from tests.fakes import QUERY, Graph, KilledAt, ScriptedModel, all_channels, cell, rlm_of, worker_processes

THREAD: Any = {"configurable": {"thread_id": "1"}}
LOOP = """
def ask(x):
    return llm_query(x)
seen = []
for x in ["a", "b", "c"]:
    print("asking", x)
    seen.append(ask(x))
"""


@pytest.fixture
def always_dumped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repl_state, "DUMPS_WORTH", -1)


@pytest.fixture
def never_dumped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repl_state, "DUMPS_WORTH", math.inf)


@pytest.fixture
def saver(tmp_path: Path) -> Iterator[SqliteSaver]:
    with closing(sqlite3.connect(tmp_path / "runs.db", check_same_thread=False)) as connection:
        yield SqliteSaver(connection)


def looping() -> ScriptedModel:
    return ScriptedModel(cell("first = 1"), cell(LOOP), cell("Final = [first, seen]"), answer=str.upper)


def waiting_at(sub_call: int, model: ScriptedModel, saver: Any) -> Any:
    """A graph whose run waits before that sub-call of its loop, none of it live."""
    rlm = rlm_of(model, checkpointer=saver, interrupt_before=["subcall"])
    rlm.invoke({"query": QUERY, "context": "text"}, THREAD)
    for _ in range(sub_call):
        rlm.invoke(None, THREAD)
    return rlm_of(model, checkpointer=saver)


# -- dumps that cannot be loaded --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("always_dumped")
@pytest.mark.parametrize("sub_call", [0, 2])
def test_dump_of_another_version_costs_no_answer(
    sub_call: int, saver: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    model = looping()
    rlm = waiting_at(sub_call, model, saver)
    monkeypatch.setattr(packed, "VERSION", "the next version")
    out = rlm.invoke(None, THREAD)
    assert out["answer"] == [1, ["A", "B", "C"]]
    assert (sorted(model.asked), len(model.turns)) == (["a", "b", "c"], 3)
    assert out["trajectory"][1]["output"] == "asking a\nasking b\nasking c\n"
    assert "another version" in out["trajectory"][1]["note"]
    assert "another version" in caplog.text


@pytest.mark.usefixtures("always_dumped")
def test_next_question_has_the_variables_also_from_a_dump_of_another_version(
    saver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = ScriptedModel(cell("a = llm_query('x')\nFinal = a"), cell("Final = a + P"), answer=str.upper)
    rlm = rlm_of(model, checkpointer=saver)
    rlm.invoke({"query": "first", "context": "text"}, THREAD)
    monkeypatch.setattr(packed, "VERSION", "the next version")
    assert rlm.invoke({"query": "second"}, THREAD)["answer"] == "Xtext"
    assert model.asked == ["x"]


@pytest.mark.usefixtures("always_dumped")
def test_variables_of_a_replaced_text_are_lost_with_their_dump_and_the_model_is_told(
    saver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = "try:\n    Final = a\nexcept NameError:\n    {}"
    model = ScriptedModel(
        cell("a = 1\nFinal = a"),
        cell("Final = a"),
        cell("print(P)"),
        cell(seen.format("Final = 'lost'")),
    )
    rlm = rlm_of(model, checkpointer=saver)
    rlm.invoke({"query": "first", "context": "text"}, THREAD)
    rlm.invoke({"query": "second", "context": "new text"}, THREAD)
    monkeypatch.setattr(packed, "VERSION", "the next version")
    out = rlm.invoke({"query": "third", "context": "text of the third"}, THREAD)
    assert (out["answer"], "note" in out["trajectory"][0]) == ("lost", True)
    assert "REPL of an earlier text cannot be had" in model.turns[-1].told
    out = rlm_of(ScriptedModel(*[cell("b = 1\nFinal = b")] * 5), checkpointer=saver).invoke({"query": "4"}, THREAD)
    assert "note" not in out["trajectory"][0]


@pytest.mark.usefixtures("always_dumped")
@pytest.mark.parametrize("channel", ["cell_end", "suspension"])
@pytest.mark.parametrize(
    "broken",
    [
        lambda dump: dump[:-5],
        lambda dump: dump[:3],
        lambda dump: dump[:60] + bytes([dump[60] ^ 1]) + dump[61:],
        lambda dump: b"somebody else's",
        lambda dump: "a str",
    ],
    ids=["truncated", "cut off", "flipped", "foreign", "no bytes"],
)
def test_damaged_dump_is_a_clear_error_and_nothing_is_lost(channel: str, broken: Any, saver: Any) -> None:
    model = looping()
    rlm = waiting_at(2, model, saver)
    state = rlm.get_state(THREAD)
    dump, *rest = all_channels(rlm, THREAD)[channel]
    rlm.update_state(THREAD, {channel: [broken(dump), *rest]}, as_node="subcall")
    damaged = rlm_of(model, checkpointer=saver)
    with pytest.raises(SandboxError, match="cannot be read"):
        damaged.invoke({"query": "next"} if channel == "cell_end" else None, THREAD)
    assert rlm.invoke(None, state.config)["answer"] == [1, ["A", "B", "C"]]
    assert sorted(model.asked) == ["a", "b", "c"]


CLOCK = """
import time
times = [time.time()]
for x in "ab":
    answer = llm_query(x)
    times.append(time.time())
try:
    llm_batch(["too many"] * 9)
except RuntimeError as error:
    times.append(str(error))
times.append(time.time())
last = llm_query("c")
"""


@pytest.mark.parametrize("dumps", [-1, math.inf], ids=["dumped at each stop", "never dumped"])
def test_clock_and_refused_calls_are_as_they_were_when_a_cell_runs_again(
    dumps: float, saver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repl_state, "DUMPS_WORTH", dumps)
    limits = Limits(max_subcalls=5)
    model = ScriptedModel(cell(CLOCK), cell("Final = times"))
    stopping = rlm_of(model, checkpointer=saver, interrupt_before=["subcall"], limits=limits)
    clock = itertools.count()
    monkeypatch.setattr(host, "time", SimpleNamespace(time=lambda: float(next(clock))))
    stopping.invoke({"query": QUERY, "context": "text"}, THREAD)
    for _ in range(3):
        stopping = rlm_of(model, checkpointer=saver, interrupt_before=["subcall"], limits=limits)
        out = stopping.invoke(None, THREAD)
    assert out["answer"] == [0.0, 1.0, 2.0, out["answer"][3], 3.0]
    assert "do not fit" in out["answer"][3]
    assert sorted(model.asked) == ["a", "b", "c"]


def test_cell_that_reads_the_clock_without_end_fills_no_checkpoint(saver: SqliteSaver) -> None:
    model = ScriptedModel(cell("import time\nwhile time.time(): pass"), cell("import time\nFinal = time.time() > 0"))
    out = rlm_of(model, checkpointer=saver).invoke({"query": QUERY, "context": "text"}, THREAD)
    assert "read too often" in out["trajectory"][0]["error"]
    assert out["answer"] is True
    assert size_on_disk(saver) < 2_000_000


def test_new_text_beside_variables_that_are_too_large_for_a_dump_is_taken_up(saver: Any) -> None:
    model = ScriptedModel(cell("a = 1\nFinal = a"), cell("Final = [a, len(P)]"), cell("Final = [a, len(P)]"))
    settings: dict[str, Any] = {"checkpointer": saver, "sandbox": Sandbox(memory=2_000_000)}
    rlm_of(model, **settings).invoke({"query": "first", "context": "text"}, THREAD)
    out = rlm_of(model, **settings).invoke({"query": "second", "context": "x" * 5_000_000}, THREAD)
    assert out["answer"] == [1, 5_000_000]
    assert rlm_of(model, **settings).invoke({"query": "third"}, THREAD)["answer"] == [1, 5_000_000]


@pytest.mark.parametrize("gone", ["removed", "edited"])
@pytest.mark.parametrize("dumps", [-1, math.inf], ids=["dumped at each stop", "never dumped"])
def test_conversation_that_was_changed_takes_its_variables_along_once(
    gone: str, dumps: float, saver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repl_state, "DUMPS_WORTH", dumps)
    seen = "try:\n    Final = a\nexcept NameError:\n    Final = 'gone'"
    model = ScriptedModel(
        cell("a = llm_query(P)\nFinal = 'one'"), cell(seen), *[cell("b = llm_query('x')\nFinal = b")] * 2
    )

    def rlm() -> Any:
        return rlm_of(model, checkpointer=saver)

    rlm().invoke({"messages": [HumanMessage("hello", id="h1")]}, THREAD)
    change = RemoveMessage(id="h1") if gone == "removed" else HumanMessage("other", id="h1")
    rlm().update_state(THREAD, {"messages": [change]})
    out = rlm().invoke({"messages": [HumanMessage("second")]}, THREAD)
    assert (out["answer"], "have been changed" in out["trajectory"][0]["note"]) == ("gone", True)
    third = rlm().invoke({"messages": [HumanMessage("third")]}, THREAD)
    assert (third["answer"], "note" in third["trajectory"][0]) == ("answer to x", False)
    assert rlm().invoke({"query": "fourth", "context": "a new text"}, THREAD)["answer"] == "answer to x"


def become_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """REPLs that begin from now on ask in other words."""
    monkeypatch.setattr(session, "PRELUDE", boot.PRELUDE.replace("as briefly as you can", "briefly"))
    monkeypatch.setattr(workers, "_blanks", {})


@pytest.mark.usefixtures("never_dumped")
def test_cells_that_do_something_else_in_another_version_cost_their_variables_and_not_the_thread(
    saver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = ScriptedModel(cell("a = ask('what', P)\nFinal = a"), *[cell("b = 1\nFinal = SHOW_VARS()")] * 2)

    def rlm() -> Any:
        return rlm_of(model, checkpointer=saver)

    rlm().invoke({"query": "first", "context": "text"}, THREAD)
    become_another_version(monkeypatch)
    out = rlm().invoke({"query": "second"}, THREAD)
    assert "variables are gone" in out["trajectory"][0]["note"]
    out = rlm().invoke({"query": "third"}, THREAD)
    assert (out["answer"], "note" in out["trajectory"][0]) == ("b: int", False)


@pytest.mark.usefixtures("never_dumped")
def test_suspended_cell_of_another_version_is_an_error_until_the_next_question(
    saver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = ScriptedModel(cell("a = ask('what', P)\nFinal = a"), cell("Final = 'fine'"))
    rlm_of(model, checkpointer=saver, interrupt_before=["subcall"]).invoke({"query": "1", "context": "t"}, THREAD)
    become_another_version(monkeypatch)
    with pytest.raises(SandboxError, match="asks for something else"):
        rlm_of(model, checkpointer=saver).invoke(None, THREAD)
    assert rlm_of(model, checkpointer=saver).invoke({"query": "2"}, THREAD)["answer"] == "fine"


@pytest.mark.usefixtures("never_dumped")
@pytest.mark.parametrize("sub_calls", [1, 2])
def test_cell_that_read_the_clock_too_often_goes_on(
    sub_calls: int, saver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repeating, "MOST_EXCHANGES", 20)
    reading = (
        "import time\nfor i in range(25):\n    try:\n        time.time()\n    except RuntimeError:\n        pass\n"
    )
    model = ScriptedModel(cell(reading + "a = [llm_query('x') for _ in range(2)]"), cell("Final = a"))
    stopping = rlm_of(model, checkpointer=saver, interrupt_before=["subcall"])
    stopping.invoke({"query": QUERY, "context": "text"}, THREAD)
    for _ in range(sub_calls):
        out = rlm_of(model, checkpointer=saver, interrupt_before=["subcall"]).invoke(None, THREAD)
    if sub_calls == 1:
        out = rlm_of(model, checkpointer=saver).invoke(None, THREAD)
    assert out["answer"] == ["answer to x"] * 2
    assert model.asked == ["x"] * 2


HEAVY = "k = 0\nfor i in range(3_000_000): k += i\n"


def test_cell_that_went_on_from_a_dump_is_dumped_at_its_end(saver: Any) -> None:
    model = ScriptedModel(cell(HEAVY + "x = llm_query('x')\nFinal = k"))
    rlm_of(model, checkpointer=saver, interrupt_before=["subcall"]).invoke({"query": QUERY, "context": "t"}, THREAD)
    rlm = rlm_of(model, checkpointer=saver)
    assert all_channels(rlm, THREAD)["suspension"]
    rlm.invoke(None, THREAD)
    assert all_channels(rlm, THREAD)["cell_end"]


def test_dump_is_not_spent_on_a_call_that_is_refused(saver: Any) -> None:
    refused = "try:\n    llm_batch(['n'] * 999)\nexcept RuntimeError:\n    pass\n"
    model = ScriptedModel(cell(HEAVY + refused + "x = llm_query('x')"))
    rlm = rlm_of(model, checkpointer=saver, interrupt_before=["subcall"])
    rlm.invoke({"query": QUERY, "context": "t"}, THREAD)
    assert all_channels(rlm, THREAD)["suspension"]


# -- what is stored ---------------------------------------------------------------------------------------------------


def size_on_disk(saver: SqliteSaver) -> int:
    [[size]] = saver.conn.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").fetchall()
    return int(size)


TEXT = "".join(f"line {i} {hash(i * 7919) ** 3 % 10**20} of a long text\n" for i in range(40_000))


@pytest.mark.usefixtures("always_dumped")
def test_text_is_stored_once_whatever_the_cells_keep_of_it(saver: SqliteSaver) -> None:
    keeping = ["lines = P.splitlines()", "chunks = ctx.chunk(5000)", "x = llm_query('?')", "both = [lines, chunks]"]
    model = ScriptedModel(*map(cell, keeping), cell("Final = len(both[0])"))
    rlm = rlm_of(model, checkpointer=saver)
    assert rlm.invoke({"query": QUERY, "context": TEXT}, THREAD)["answer"] == 40_000
    assert size_on_disk(saver) < 2 * len(TEXT)
    assert rlm_of(model, checkpointer=saver).get_state(THREAD).values["context"][0]["text"] == TEXT


def test_text_of_a_child_is_stored_where_its_caller_asks_alone(saver: SqliteSaver) -> None:
    model = ScriptedModel(
        script={
            "Question: root": [cell("Final = rlm_query('child', P)")],
            "Question: child": [cell("a = llm_query('x')"), cell("Final = [len(P), a]")],
        }
    )
    out = rlm_of(model, checkpointer=saver).invoke({"query": "root", "context": TEXT}, THREAD)
    assert out["answer"] == f'[{len(TEXT)}, "answer to x"]'
    assert size_on_disk(saver) < 2.2 * len(TEXT)


def test_text_handed_in_again_is_not_stored_again(saver: SqliteSaver) -> None:
    rlm = rlm_of(ScriptedModel(*[cell("Final = len(P)")] * 5), checkpointer=saver)
    for n in range(5):
        out = rlm.invoke({"query": f"question {n}", "context": TEXT}, THREAD)
    assert out["answer"] == len(TEXT)
    assert size_on_disk(saver) < 1.2 * len(TEXT)


def test_book_in_a_conversation_is_stored_once(saver: SqliteSaver) -> None:
    rlm = rlm_of(ScriptedModel(*[cell("x = len(P)")] * 9, cell("Final = P.count('line')")), checkpointer=saver)
    assert rlm.invoke({"messages": [HumanMessage(f"How many lines?\n{TEXT}")]}, THREAD)["answer"] == 40_001
    assert size_on_disk(saver) < 1.2 * len(TEXT)


@pytest.mark.slow
def test_20_mb_over_50_steps_take_little_more_than_the_text(saver: SqliteSaver) -> None:
    text = TEXT * (20_000_000 // len(TEXT) + 1)
    model = ScriptedModel(*[cell(f"n{i} = P.count('{i}')\nprint(n{i})") for i in range(50)], cell("Final = n49"))
    rlm_of(model, checkpointer=saver, limits=Limits(max_steps=60)).invoke({"query": QUERY, "context": text}, THREAD)
    assert size_on_disk(saver) < 1.2 * len(text)


@pytest.mark.slow
def test_20_mb_over_50_steps_take_little_more_than_the_text_on_postgresql(postgres_url: str) -> None:
    text = TEXT * (20_000_000 // len(TEXT) + 1)
    model = ScriptedModel(*[cell(f"n{i} = P.count('{i}')\nprint(n{i})") for i in range(50)], cell("Final = n49"))
    with PostgresSaver.from_conn_string(postgres_url) as saver:
        saver.setup()
        before = size_of_database(saver)
        rlm_of(model, checkpointer=saver, limits=Limits(max_steps=60)).invoke({"query": QUERY, "context": text}, THREAD)
        assert size_of_database(saver) - before < 1.2 * len(text)


def size_of_database(saver: Any) -> int:
    [size] = saver.conn.execute("SELECT pg_database_size(current_database())").fetchone().values()
    return int(size)


def test_encrypted_checkpoints_hold_no_word_of_the_run(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "runs.db", check_same_thread=False)) as connection:
        saver = SqliteSaver(connection, serde=EncryptedSerializer.from_pycryptodome_aes(key=b"0123456789abcdef"))
        model = ScriptedModel(cell("secret_name = llm_query('the private prompt')"), cell("Final = secret_name"))
        rlm = rlm_of(model, checkpointer=saver, interrupt_before=["subcall"])
        rlm.invoke({"query": "a private question", "context": "a private text"}, THREAD)
        out = rlm_of(model, checkpointer=saver).invoke(None, THREAD)
        assert out["answer"] == "answer to the private prompt"
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"private" not in stored
    assert b"secret_name" not in stored


# -- durability -------------------------------------------------------------------------------------------------------


class SlowSaver(InMemorySaver):
    """Takes long to store a checkpoint."""

    async def aput(self, *arguments: Any, **named: Any) -> Any:
        await asyncio.sleep(0.1)
        return await super().aput(*arguments, **named)

    def put(self, *arguments: Any, **named: Any) -> Any:
        time.sleep(0.05)
        return super().put(*arguments, **named)


@pytest.mark.parametrize("durability", ["sync", "async", None])
@pytest.mark.parametrize("is_async", [False, True])
async def test_sub_call_is_asked_when_the_checkpoint_that_tells_of_it_is_stored(
    durability: Any, is_async: bool
) -> None:
    saver = SlowSaver()
    pending: list[Any] = []

    def answer(prompt: str) -> str:
        stored = next(saver.list(THREAD))
        pending.append((stored.checkpoint["channel_values"].get("code"), "subcall" in str(stored.checkpoint)))
        return prompt

    model = ScriptedModel(cell("Final = llm_query('x')"), answer=answer)
    rlm = rlm_of(model, checkpointer=saver)
    given = {"query": QUERY, "context": "text"}
    if is_async:
        await rlm.ainvoke(given, THREAD, durability=durability)
    else:
        await asyncio.to_thread(rlm.invoke, given, THREAD, durability=durability)
    assert pending == [("Final = llm_query('x')", True)]


def test_exit_durability_stores_the_end_alone(saver: Any) -> None:
    model = ScriptedModel(cell("a = llm_query('x')\nFinal = a"), cell("Final = a + '!'"), answer=str.upper)
    rlm = rlm_of(model, checkpointer=saver)
    assert rlm.invoke({"query": "first", "context": "text"}, THREAD, durability="exit")["answer"] == "X"
    assert rlm.invoke({"query": "second"}, THREAD, durability="exit")["answer"] == "X!"


def test_nothing_to_go_on_with_is_a_clear_error(saver: Any) -> None:
    with pytest.raises(InvalidInput, match="nothing to go on with"):
        rlm_of(ScriptedModel(), checkpointer=saver).invoke(None, THREAD)


# -- interpreters are a cache -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("runs", [30, pytest.param(500, marks=pytest.mark.slow)])
@pytest.mark.parametrize("is_kept", [False, True], ids=["not kept", "kept"])
async def test_many_runs_at_once_share_few_workers(runs: int, is_kept: bool, tmp_path: Path) -> None:
    most = 0

    def answer(prompt: str) -> str:
        nonlocal most
        most = max(most, len(worker_processes()))
        return prompt.upper()

    model = ScriptedModel(
        cell("mine = P\nx = llm_query(P)\ny = [llm_query(P + c) for c in 'ab']\nFinal = [mine, x, y]"),
        answer=answer,
        latency=0.02,
    )
    async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "runs.db")) as saver:
        rlm = rlm_of(model, checkpointer=saver if is_kept else None, sandbox=Sandbox(max_live=4), max_concurrency=8)
        outs = await asyncio.gather(
            *(
                rlm.ainvoke({"query": QUERY, "context": f"text {n}"}, {"configurable": {"thread_id": str(n)}})
                for n in range(runs)
            )
        )
    expected = [[f"text {n}", f"TEXT {n}", [f"TEXT {n}A", f"TEXT {n}B"]] for n in range(runs)]
    assert [out["answer"] for out in outs] == expected
    assert 0 < most <= 4


async def test_parked_repl_does_not_hold_the_text_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    parked: list[int] = []
    park = repl_state.ReplState.park

    def watched(self: repl_state.ReplState) -> None:
        park(self)
        parked.append(len(self.where.dump) if isinstance(self.where, repl_state.Parked) else 0)

    monkeypatch.setattr(repl_state.ReplState, "park", watched)
    model = ScriptedModel(
        script={
            "Question: root": [cell("lines = P.splitlines()\nFinal = rlm_query_batched(['a', 'b'])")],
            "Question: a": [cell("Final = llm_query('x')")],
            "Question: b": [cell("Final = llm_query('y')")],
        }
    )
    rlm = rlm_of(model, sandbox=Sandbox(max_live=1))
    await rlm.ainvoke({"query": "root", "context": TEXT})
    assert parked
    assert max(parked) < len(TEXT) / 4


def test_no_worker_is_left_when_the_event_loop_was_closed_under_a_run() -> None:
    rlm = rlm_of(ScriptedModel(cell("Final = llm_query('x')")))
    streams = [rlm.astream({"query": QUERY, "context": "text"}, stream_mode="tasks")]

    async def begin() -> None:
        while (await anext(streams[0]))["name"] != "subcall":
            pass

    loop = asyncio.new_event_loop()
    loop.run_until_complete(begin())
    assert worker_processes()
    loop.close()
    streams.clear()
    gc.collect()
    assert worker_processes() == []
    assert asyncio.run(rlm.ainvoke({"query": QUERY, "context": "text"}))["answer"] == "answer to x"


# -- history ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dumps", [-1, math.inf], ids=["dumped at each stop", "never dumped"])
def test_repl_goes_back_with_the_thread(dumps: float, saver: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repl_state, "DUMPS_WORTH", dumps)
    model = ScriptedModel(
        cell("seen = ['first']\nFinal = seen"),
        cell("seen.append('second')\nFinal = seen"),
        cell("seen.append(P)\nFinal = seen"),
    )
    rlm = rlm_of(model, checkpointer=saver)
    rlm.invoke({"query": "first", "context": "text"}, THREAD)
    after_first = rlm.get_state(THREAD).config
    rlm.invoke({"query": "second"}, THREAD)
    assert rlm.invoke({"query": "third"}, THREAD)["answer"] == ["first", "second", "text"]
    assert rlm.invoke({"query": "another second"}, after_first)["answer"] == ["first", "second"]
    steps = [state.values.get("step") for state in rlm.get_state_history(THREAD)]
    assert len(steps) > 10


@pytest.mark.parametrize(
    "code", ["a = llm_query('1')\nb = llm_query(a + '2')", "a = rlm_query('1')\nb = llm_query('2')"]
)
@pytest.mark.parametrize("writes", range(2, 20, 2))
def test_limit_counts_what_a_run_had_spent_that_a_server_tries_again(code: str, writes: int) -> None:
    # LangGraph's server gives a run that its end cut off the same input again: LangGraph knows it by its id.
    child = cell("Final = llm_query('in the child')")
    third = cell(f"{code}\nc = llm_query('one too many')")
    model = ScriptedModel(script={"one too many?": [third, cell("Final = 0")], "": [child]}, answer=str.upper)
    saver = KilledAt(writes)
    config: Any = {**THREAD, "metadata": {"run_id": "7"}}
    given = {"query": "one too many?", "context": "text"}
    settings: dict[str, Any] = {"limits": Limits(max_subcalls=2 + ("rlm_query" in code)), "checkpointer": saver}
    with suppress(KeyboardInterrupt):
        rlm_of(model, **settings).invoke(given, config)
    assert rlm_of(model, **settings).invoke(given, config)["answer"] == 0
    assert "one too many" not in model.asked


def answered_by_a_node(rlm: Graph, saver: KilledAt) -> tuple[Any, bool]:
    """The output of an app whose node it is, which goes on where it is killed; and whether it was."""
    app = StateGraph(Node).add_node("rlm", rlm).add_edge(START, "rlm").compile(checkpointer=saver)
    given: Any = {"query": QUERY, "context": "text"}
    try:
        return app.invoke(given, THREAD, durability="sync"), False
    except KeyboardInterrupt:
        return app.invoke(None if app.get_state(THREAD).values else given, THREAD), True


@pytest.mark.parametrize("keeps", [None, True])
def test_node_killed_at_any_write_counts_and_pays_once(keeps: bool | None) -> None:
    """Also where the write of an answer was stored and the checkpoint after it was not."""
    kills = 0
    for writes in itertools.count(1):
        saver, model = KilledAt(writes), ScriptedModel(cell("a = llm_query('x')\nFinal = [a, llm_query('y')]"))
        rlm = rlm_of(model, checkpointer=keeps, lookahead=False)
        out, was_killed = answered_by_a_node(rlm, saver)
        kills += was_killed
        assert max(map(model.asked.count, model.asked)) <= 1 + was_killed
        assert (out["answer"], out["subcalls"]) == (["answer to x", "answer to y"], 2)
        if saver.left > 0:
            break
    assert kills > 12


class Node(TypedDict, total=False):
    query: str
    context: Any
    answer: Any
    subcalls: int


COUNTING = """
n = 0
try:
    while True:
        llm_query(f'leaf {n}')
        n += 1
except RuntimeError:
    Final = n
"""


@pytest.mark.parametrize("keeps", [None, True])
def test_limits_hold_over_a_kill_at_any_write_in_a_child_of_a_node(keeps: bool | None) -> None:
    script = {"Question: child": [cell(COUNTING)], QUERY: [cell("Final = rlm_query('child', P)")]}
    kills = 0
    for writes in itertools.count(1):
        saver, model = KilledAt(writes), ScriptedModel(script=script)
        rlm = rlm_of(model, checkpointer=keeps, limits=Limits(max_subcalls=4), lookahead=False)
        out, was_killed = answered_by_a_node(rlm, saver)
        kills += was_killed
        assert (out["answer"], out["subcalls"], len({*model.asked})) == ("3", 4, 3)
        if saver.left > 0:
            break
    assert kills > 30
