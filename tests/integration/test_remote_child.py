"""Child RLMs on a LangGraph server: limits, usage, trajectory, cancellation and interrupts hold across it."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.pregel.remote import RemoteGraph
from langgraph.types import Command
from langgraph_sdk import get_client, get_sync_client
from langgraph_sdk.client import LangGraphClient

from langgraph_rlm import InvalidInput, LimitExceeded, Limits, Router, create_rlm
from langgraph_rlm.asking import remote_child
from tests.fakes import QUERY, ScriptedModel, cell, rlm_of
from tests.integration.langgraph_server import ROOT, DevServer, Model, playing, started

TEXT = "apple\n" * 20
THREAD: Any = {"configurable": {"thread_id": "1"}}
ONE = [cell("r = rlm_query('child a')"), cell("Final = r")]
TWO = "r = rlm_query_batched(['child a', 'child b'])"
COUNTING = """
n = 0
try:
    while n < {most}:
        llm_query('leaf')
        n += 1
except Exception:
    pass
Final = n
"""
ONE_BY_ONE = "a = llm_query('one')\nb = llm_query('two ' + a)\nFinal = [P, a, b]"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevServer]:
    folder = tmp_path_factory.mktemp("server") / "app"
    with playing(Model()) as model, started(folder, model, RLM_MODEL="openai:fake") as server:
        yield server


@pytest.fixture
def model(served: DevServer) -> Model:
    """That of the children."""
    model = served.model
    model.cells, model.child, model.answer, model.open = ["Final = 1"], ONE_BY_ONE, str.upper, ""
    model.asked.clear()
    model.is_open.clear()
    return model


@pytest.fixture
async def client(served: DevServer) -> AsyncIterator[LangGraphClient]:
    async with get_client(url=served.url, api_key=None) as client:
        yield client


Child = Callable[..., RemoteGraph]


@pytest.fixture
async def child(served: DevServer, client: LangGraphClient) -> AsyncIterator[Child]:
    """Gives the server's RLM, or an assistant of it with a context."""
    with get_sync_client(url=served.url, api_key=None) as sync_client:

        def child(**context: Any) -> RemoteGraph:
            given = {"model": "openai:fake", **context}
            assistant = sync_client.assistants.create("rlm", context=given)["assistant_id"] if context else "rlm"
            return RemoteGraph(assistant, client=client, sync_client=sync_client)

        yield child


def leaves(model: Model) -> list[str]:
    """The prompts of plain sub-calls."""
    return sorted(messages[-1]["content"] for messages in model.asked if messages[0]["role"] != "system")


def wait_for(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


async def asked(rlm: Any, is_async: bool, given: Any, config: Any = THREAD) -> Any:
    return await rlm.ainvoke(given, config) if is_async else await asyncio.to_thread(rlm.invoke, given, config)


ASKED = {"query": QUERY, "context": TEXT}


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("is_kept", [False, True])
async def test_children_on_a_server_answer_and_count_as_those_here_do(
    child: Child, model: Model, is_async: bool, is_kept: bool
) -> None:
    root = ScriptedModel(cell(TWO), cell("Final = r"))
    rlm = rlm_of(root, child=child(), checkpointer=InMemorySaver() if is_kept else None)
    out = await asked(rlm, is_async, ASKED)
    assert [json.loads(answer) for answer in out["answer"]] == [[f"child {x}", "ONE", "TWO ONE"] for x in "ab"]
    assert (out["status"], out["steps"], out["subcalls"]) == ("answered", 4, 6)
    assert out["usage"]["fake"]["total_tokens"] == 12 * 6
    assert out["usage"]["scripted-1"]["total_tokens"] == 15 * 2
    records = out["trajectory"][0]["subcalls"]
    assert [record["kind"] for record in records] == ["rlm", "rlm"]
    assert [step["depth"] for record in records for step in record["trajectory"]] == [1, 1]
    assert [one["prompt"] for one in records[0]["trajectory"][0]["subcalls"]] == ["one", "two ONE"]
    assert leaves(model) == ["one", "one", "two ONE", "two ONE"]


async def test_sub_calls_are_shared_out_among_children(child: Child, model: Model) -> None:
    model.child = COUNTING.format(most=99)
    root = ScriptedModel(
        cell(TWO.replace("['child a', 'child b']", "['child a', 'child b', 'child c']")), cell("Final = r")
    )
    rlm = rlm_of(root, child=child(), limits=Limits(max_subcalls=10))
    out = await rlm.ainvoke(ASKED)
    assert out["subcalls"] <= 10
    assert len(leaves(model)) == sum(map(int, out["answer"])) == 7
    assert out["subcalls"] == 10


async def test_what_one_child_leaves_the_next_one_has(child: Child, model: Model) -> None:
    model.child = COUNTING.format(most="int(P[-1])")
    root = ScriptedModel(cell("r = [rlm_query('child 2'), rlm_query('child 9')]"), cell("Final = r"))
    rlm = rlm_of(root, child=child(), limits=Limits(max_subcalls=7), lookahead=False)
    out = await rlm.ainvoke(ASKED)
    assert out["answer"] == ["2", "3"]
    assert out["subcalls"] == 7


async def test_tokens_hold_across(child: Child, model: Model) -> None:
    model.child = "for i in range(50):\n    llm_query(f'leaf {i}')\nFinal = 50"
    root = ScriptedModel(cell(TWO), cell("Final = r"))
    rlm = rlm_of(root, child=child(), limits=Limits(max_tokens=200))
    out = await rlm.ainvoke(ASKED)
    assert out["status"] in ("limit", "answered")
    assert sum(used["total_tokens"] for used in out["usage"].values()) <= 200 + 2 * 2 * 12 + 15


async def test_tree_is_as_deep_as_its_root_allows(child: Child, model: Model) -> None:
    model.child = "Final = rlm_query('child grand')"
    rlm = rlm_of(ScriptedModel(*ONE), child=child())
    out = await rlm.ainvoke(ASKED)
    assert out["answer"] == "CHILD GRAND"  # a plain call, at depth 2
    model.child = "Final = rlm_query('child grand') if P == 'child a' else 'deep ' + llm_query('leaf')"
    deeper = child(max_depth=3)
    rlm = rlm_of(ScriptedModel(*ONE), child=deeper, limits=Limits(max_depth=3))
    assert (await rlm.ainvoke(ASKED))["answer"] == "deep LEAF"


async def test_limit_of_a_child_leaves_the_tree_where_the_root_wants_that(child: Child, model: Model) -> None:
    model.child = "x = 1"
    rlm = rlm_of(
        ScriptedModel(*ONE),
        child=child(max_steps=1),
        limits=Limits(on_exceeded="raise"),
    )
    with pytest.raises(LimitExceeded, match="max_steps"):
        await rlm.ainvoke(ASKED)


async def test_steps_and_consent_are_those_of_the_root(child: Child, model: Model) -> None:
    model.child = "x = 1"
    rlm = rlm_of(ScriptedModel(cell(CATCHING), cell("Final = r")), child=child(), limits=Limits(max_steps=3))
    assert (await rlm.ainvoke(ASKED))["steps"] == 2 + 4  # the last turn is one more
    model.child = "Final = llm_batch(['x', 'y', 'z', 'u'])"
    rlm = rlm_of(ScriptedModel(*ONE), child=child(), limits=Limits(confirm_above=3), checkpointer=InMemorySaver())
    out = await rlm.ainvoke(ASKED, THREAD)
    assert out["__interrupt__"][0].value["count"] == 4
    assert leaves(model) == []
    out = await rlm.ainvoke(Command(resume=True), THREAD)
    assert json.loads(out["answer"]) == ["X", "Y", "Z", "U"]


async def test_answer_of_a_child_satisfies_a_schema(child: Child, model: Model) -> None:
    model.child = "Final = {'n': 'many'} if ctx.num_documents() > 5 else {'n': 3}"
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    root = ScriptedModel(cell(f"r = llm_query('child a', P, schema={schema})"), cell("Final = r"))
    rlm = rlm_of(root, child=child(), router=Router(profile="rlm", subcall_direct_below=10))
    assert (await rlm.ainvoke(ASKED))["answer"] == {"n": 3}


async def test_failure_on_the_server_is_an_error_in_the_code(child: Child, model: Model) -> None:
    missing = child(profile="verify", max_depth=0)
    root = ScriptedModel(
        cell("try:\n    r = rlm_query('child a')\nexcept Exception as error:\n    r = str(error)"), cell("Final = r")
    )
    out = await rlm_of(root, child=missing).ainvoke(ASKED)
    assert "failed on its server" in out["answer"]
    assert "at least 1" in out["answer"]


CATCHING = "try:\n    r = rlm_query('child a')\nexcept Exception as error:\n    r = str(error)"


async def test_failed_child_counts_what_it_had_spent(child: Child, model: Model) -> None:
    def answer(prompt: str) -> str:
        assert prompt == "one", "the provider has failed"
        return "ONE"

    model.answer, model.cells = answer, ["Final = 1"]
    model.child = "a = llm_query('one')\nb = llm_query('two')"
    failing = child(max_steps=1, max_tokens=20)  # the first turn and the first sub-call take 24
    rlm = rlm_of(ScriptedModel(cell(CATCHING), cell("Final = r")), child=failing)
    out = await rlm.ainvoke(ASKED)
    assert out["usage"]["fake"]["total_tokens"] >= 24
    assert out["subcalls"] >= 2


@pytest.mark.parametrize("is_async", [False, True])
async def test_what_cannot_be_reached_is_an_error_in_the_code(
    child: Child, model: Model, is_async: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_child, "PATIENCE", 0.0)
    nowhere = "http://127.0.0.1:9"
    async with get_client(url=nowhere, api_key=None) as client:
        with get_sync_client(url=nowhere, api_key=None) as sync_client:
            gone = RemoteGraph("rlm", client=client, sync_client=sync_client)
            out = await asked(rlm_of(ScriptedModel(cell(CATCHING), cell("Final = r")), child=gone), is_async, ASKED)
    assert "failed on its server" in out["answer"]
    other = child()
    unknown = RemoteGraph("no such graph", client=other.client, sync_client=other.sync_client)
    out = await asked(rlm_of(ScriptedModel(cell(CATCHING), cell("Final = r")), child=unknown), is_async, ASKED)
    assert "failed on its server" in out["answer"]


async def test_limits_of_time_hold_while_there_is_no_server() -> None:
    async with get_client(url="http://127.0.0.1:9", api_key=None) as client:
        gone = RemoteGraph("rlm", client=client)
        rlm = rlm_of(ScriptedModel(cell(CATCHING), cell("Final = 0")), child=gone, limits=Limits(max_seconds=1))
        out = await rlm.ainvoke(ASKED)
    assert out["status"] == "limit"


@pytest.mark.parametrize(
    "as_child",
    [
        {"limits": {"max_subcalls": -1}},
        {"limits": {"max_depth": "deep"}},
        {"limits": {"max_answers": 3}},
        {"limits": {"max_steps": 0}},
        {"limits": {}, "writer": {}},
        {"limits": {}, "answer_schema": 5},
        {"limits": {}, "answer_schema": {"type": "string", "pattern": "^(a+)+$"}},
        {"limits": []},
        "child",
        {"limits": {}, "writer": "nobody"},
        {"limits": {}, "answer_schema": {"type": 7}},
        {"limits": {}, "resumed": "often"},
    ],
)
def test_nonsense_from_above_is_refused_before_a_model_is_asked(as_child: Any) -> None:
    model = ScriptedModel(cell("Final = 1"))
    with pytest.raises(InvalidInput):
        rlm_of(model).invoke({**ASKED, "as_child": as_child})
    assert not model.calls


async def test_cancelled_run_cancels_its_children_and_goes_on_with_what_they_had(
    child: Child, model: Model, client: LangGraphClient
) -> None:
    model.open = "two ONE"
    saver = InMemorySaver()
    rlm = rlm_of(ScriptedModel(*ONE), child=child(), checkpointer=saver)
    run = asyncio.create_task(rlm.ainvoke(ASKED, THREAD))
    assert await asyncio.to_thread(model.is_open.wait, 60)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    [thread] = await client.threads.search(limit=1)  # the newest
    [cancelled] = await client.runs.list(thread["thread_id"])
    await client.runs.join(thread["thread_id"], cancelled["run_id"])
    assert (await client.threads.get(thread["thread_id"]))["status"] == "interrupted"
    model.open = ""
    out = await rlm.ainvoke(None, THREAD)
    assert json.loads(out["answer"]) == ["child a", "ONE", "TWO ONE"]
    assert leaves(model) == ["one", "two ONE", "two ONE"]
    assert out["subcalls"] == 3
    state: Any = await client.threads.get_state(thread["thread_id"])
    assert state["values"]["status"] == "answered"


@pytest.mark.parametrize("is_async", [False, True])
async def test_human_is_asked_across_servers_each_time(child: Child, model: Model, is_async: bool) -> None:
    model.child = "a = llm_batch(['x', 'y', 'z'])\nb = llm_batch(['u', 'v', 'w'])\nFinal = a + b"
    asking = child(confirm_above=2)
    saver = InMemorySaver()
    root = ScriptedModel(*ONE)
    rlm = rlm_of(root, child=asking, checkpointer=saver)
    out = await asked(rlm, is_async, ASKED)
    assert out["__interrupt__"][0].value["count"] == 3
    assert leaves(model) == []
    rlm = rlm_of(root, child=asking, checkpointer=saver)
    out = await asked(rlm, is_async, Command(resume=True))
    assert out["__interrupt__"][0].value["prompts"][0]["prompt"] == "u"
    assert leaves(model) == ["x", "y", "z"]
    out = await asked(rlm, is_async, Command(resume="no"))
    answer = json.loads(out["answer"])
    assert answer[:3] == ["X", "Y", "Z"]
    assert all("no" in error for error in answer[3:])


async def test_stream_shows_what_children_do_on_their_server(child: Child, model: Model) -> None:
    rlm = rlm_of(ScriptedModel(cell(TWO), cell("Final = r")), child=child())
    seen = [part async for part in rlm.astream(ASKED, THREAD, stream_mode="updates", subgraphs=True)]
    nodes = [(namespace[0].partition(":")[0] if namespace else "", *update) for namespace, update in seen]
    assert nodes.count(("", "subcall")) == 2
    assert nodes.count(("subcall", "generate")) == 2


ROOT_OF_A_TREE = """
import sqlite3, sys
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.pregel.remote import RemoteGraph
from tests.integration.test_remote_child import ASKED, ONE, THREAD
from tests.fakes import ScriptedModel, rlm_of

saver = SqliteSaver(sqlite3.connect(sys.argv[1], check_same_thread=False))
child = RemoteGraph("rlm", url=sys.argv[2], api_key=None)
rlm_of(ScriptedModel(*ONE), child=child, checkpointer=saver).invoke(ASKED, THREAD)
"""


async def test_root_that_was_killed_finds_its_children_again(
    served: DevServer, child: Child, model: Model, tmp_path: Path
) -> None:
    model.open = "two ONE"
    path = tmp_path / "root.db"
    code = ("-W", "ignore", "-c", ROOT_OF_A_TREE)
    root = await asyncio.create_subprocess_exec(sys.executable, *code, str(path), served.url, cwd=ROOT)
    try:
        assert await asyncio.to_thread(model.is_open.wait, 60)
    finally:
        root.kill()
        await root.wait()
    model.open = ""
    with closing(sqlite3.connect(path, check_same_thread=False)) as connection:
        rlm = rlm_of(ScriptedModel(*ONE), child=child(), checkpointer=SqliteSaver(connection))
        out = await asyncio.to_thread(rlm.invoke, None, THREAD)
    assert json.loads(out["answer"]) == ["child a", "ONE", "TWO ONE"]
    assert leaves(model) == ["one", "two ONE", "two ONE"]
    assert (out["steps"], out["subcalls"]) == (3, 3)


@contextmanager
def tree(folder: Path) -> Iterator[tuple[DevServer, DevServer]]:
    """A server of roots, and one of their children, who both wait at their second prompt."""
    root = Model(cells=["r = rlm_query_batched(['child a', 'child b'])", "Final = r"])
    model = Model(cells=["Final = 1"], child=ONE_BY_ONE, answer=str.upper, open="two ONE")
    with (
        playing(model),
        playing(root),
        started(folder / "below", model, RLM_MODEL="openai:fake") as below,
        started(folder / "above", root, RLM_MODEL="openai:fake", RLM_CHILDREN=below.url) as above,
    ):
        yield above, below


def wait_until_both_wait(model: Model) -> None:
    """From then on they are answered."""
    wait_for(lambda: leaves(model).count("two ONE") == 2)
    model.open = ""


def check_tree(out: Any, model: Model) -> None:
    assert [json.loads(answer) for answer in out["answer"]] == [[f"child {x}", "ONE", "TWO ONE"] for x in "ab"]
    assert leaves(model) == ["one"] * 2 + ["two ONE"] * 4
    assert (out["steps"], out["subcalls"]) == (4, 6)


async def test_server_dies_in_the_middle_and_nothing_is_asked_twice(tmp_path: Path) -> None:
    """The root is on one server, its children are on another, which is killed and started again."""
    with tree(tmp_path) as (above, below):
        async with get_client(url=above.url, api_key=None) as client:
            thread = (await client.threads.create())["thread_id"]
            run = await client.runs.create(thread, "rlm", input={**ASKED, "profile": "rlm"})
            await asyncio.to_thread(wait_until_both_wait, below.model)
            below.end()
            below.start()
            out: Any = await client.runs.join(thread, run["run_id"])
    check_tree(out, below.model)


async def test_root_that_dies_finds_its_children_again_and_nothing_is_asked_twice(tmp_path: Path) -> None:
    """The server of a root is killed while the children of it run on another one."""
    with tree(tmp_path) as (above, below):
        async with get_client(url=above.url, api_key=None) as client:
            thread = (await client.threads.create())["thread_id"]
            await client.runs.create(thread, "rlm", input={**ASKED, "profile": "rlm"})
            await asyncio.to_thread(wait_until_both_wait, below.model)
            above.end()
            above.start()
            await client.threads.create(thread_id=thread, if_exists="do_nothing")
            out: Any = await client.runs.wait(thread, "rlm", input=None)
    check_tree(out, below.model)
    assert len(above.model.asked) == 2


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"child": "rlm"}, "RemoteGraph"),
        ({"child": create_rlm(ScriptedModel())}, "RemoteGraph"),
        ({"child": RemoteGraph("rlm", url="http://127.0.0.1:1"), "limits": Limits(max_depth=1)}, "at least 2"),
    ],
)
def test_child_that_cannot_be_one_is_refused(settings: Any, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        create_rlm(ScriptedModel(), **settings)
