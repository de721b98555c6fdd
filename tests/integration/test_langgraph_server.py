"""`langgraph dev` serves what `langgraph.json` says (`examples/server.py`), and LangGraph's own SDK drives it."""

from __future__ import annotations

import asyncio
import json
import re
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import NotFoundError, UnprocessableEntityError

from tests.integration.langgraph_server import ROOT, DevServer, Model, playing, started

TEXT = "apple\npear\n" * 2_000
ASKED = {"query": "How many?", "context": TEXT}
SCRIPTED = {"model": "openai:fake", "profile": "rlm"}
ONE_BY_ONE = "a = llm_query('one')\nb = llm_query('two ' + a)"
BOTH = "Final = [a, b]"
CHILDREN = "Final = rlm_query_batched(['child a' * 9_000, 'child b' * 9_000])"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevServer]:
    """A server for all tests that do not end theirs: it takes seconds to start."""
    with playing(Model()) as model:
        with started(tmp_path_factory.mktemp("server") / "app", model) as server:
            yield server
        assert "BlockingError" not in server.log  # a call that blocks the event loop of all runs


@pytest.fixture
def model(served: DevServer) -> Model:
    model = served.model
    model.cells, model.child, model.answer, model.open = (), "", str.upper, ""
    model.asked.clear()
    model.is_open.clear()
    return model


@pytest.fixture
async def client(served: DevServer) -> AsyncIterator[LangGraphClient]:
    async with get_client(url=served.url, api_key=None) as client:
        yield client


async def thread_of(client: LangGraphClient) -> str:
    return (await client.threads.create())["thread_id"]


async def asked(client: LangGraphClient, thread: str | None, input: Any, **options: Any) -> Any:
    """The output of a run."""
    return await client.runs.wait(thread, "rlm", input=input, **{"context": SCRIPTED, **options})


async def test_what_a_run_may_choose_is_a_schema_and_no_model_is_loaded_for_that(
    client: LangGraphClient, model: Model
) -> None:
    [assistant] = await client.assistants.search(graph_id="rlm", metadata={"created_by": "system"})
    schemas = await client.assistants.get_schemas(assistant["assistant_id"])
    context: Any = schemas["context_schema"]
    assert context["properties"]["model"]["default"] == "local"
    assert "semantic_batches" in context["properties"]["profile"]["enum"]
    assert context["properties"]["max_steps"]["type"] == "integer"
    assert all("description" in field for field in context["properties"].values())
    assert {"query", "context", "messages"} <= schemas["input_schema"]["properties"].keys()  # type: ignore[index]
    graph = await client.assistants.get_graph(assistant["assistant_id"], xray=True)
    assert {"generate", "execute", "subcall"} <= {str(node["id"]).partition(":")[0] for node in graph["nodes"]}
    assert model.asked == []


async def test_each_run_has_the_model_the_profile_and_the_limits_of_its_context(
    client: LangGraphClient, model: Model
) -> None:
    model.cells = ["n = P.count('apple')", "Final = n"]
    one_step = await client.assistants.create("rlm", context={**SCRIPTED, "max_steps": 1})
    answered, limited, freed, direct = await asyncio.gather(
        asked(client, None, ASKED),
        client.runs.wait(None, one_step["assistant_id"], input=ASKED),
        client.runs.wait(None, one_step["assistant_id"], input=ASKED, context={"max_steps": 2}),
        asked(client, None, ASKED, context={**SCRIPTED, "profile": "direct"}),
    )
    assert (answered["answer"], answered["status"], [*answered["usage"]]) == (2_000, "answered", ["fake"])
    assert (limited["status"], limited["steps"]) == ("limit", 2)  # a last turn, to answer with what there is
    assert (freed["status"], freed["steps"]) == ("answered", 2)
    assert (direct["route"], direct["steps"]) == ("direct", 0)


async def test_what_is_wrong_with_a_context_is_said_before_a_model_is_asked(
    client: LangGraphClient, model: Model
) -> None:
    wrong: dict[str, dict[str, Any]] = {
        "profile='deep': Input should be 'auto', 'direct', 'rlm'": {"profile": "deep"},
        "max_steps='many': Input should be a valid integer": {"max_steps": "many"},
        "max_step=3: Extra inputs are not permitted. Known: model, sub_model": {"max_step": 3},
        'Unknown model "gigantic": name it with its provider': {"model": "gigantic"},
        "needs Limits(max_depth=…) of at least 1": {"profile": "verify", "max_depth": 0},
    }
    runs = [asked(client, None, ASKED, context={**SCRIPTED, **one}, raise_error=False) for one in wrong.values()]
    for out, said in zip(await asyncio.gather(*runs), wrong, strict=True):
        assert out["__error__"]["error"] == "InvalidInput"
        assert said in out["__error__"]["message"]
    assert model.asked == []


async def test_documents_and_messages_are_sent_as_json(client: LangGraphClient, model: Model) -> None:
    model.cells = ["Final = [len(P), [document['name'] for document in ctx.metadata]]"]
    documents = [
        {"page_content": "apple " * 2_000, "metadata": {"source": "a.txt"}},
        {"page_content": "pear", "metadata": {"source": "b.txt"}},
    ]
    messages = [{"role": "user", "content": "apple " * 2_000}, {"role": "user", "content": "How many?"}]
    from_documents, from_messages = await asyncio.gather(
        asked(client, None, {"query": "How many?", "context": documents}), asked(client, None, {"messages": messages})
    )
    assert from_documents["answer"] == [12_006, ["a.txt", "b.txt"]]
    last = from_messages["messages"][-1]
    assert (last["type"], last["name"], json.loads(last["content"])[0]) == ("ai", "rlm", 12_011)


async def test_stream_shows_every_level_and_never_the_text(client: LangGraphClient, model: Model) -> None:
    model.cells, model.child = [CHILDREN], "Final = llm_query('leaf') + P[6]"
    seen: dict[str, list[Any]] = {}
    modes: Any = ["values", "updates", "messages-tuple", "tasks"]
    stream = client.runs.stream(
        await thread_of(client), "rlm", input=ASKED, context=SCRIPTED, stream_mode=modes, stream_subgraphs=True
    )
    async for part in stream:
        event, _, namespace = part.event.partition("|")
        seen.setdefault(f"{event} {namespace.partition(':')[0]}".strip(), []).append(part.data)
    levels = {f"{mode}{level}" for mode in ("values", "updates", "messages", "tasks") for level in ("", " subcall")}
    assert seen.keys() == {"metadata", *levels}
    assert seen["values"][-1]["answer"] == ["LEAFa", "LEAFb"]
    assert sum("subcall" in update for update in seen["updates"]) == 2
    assert sum("subcall_1" in update for update in seen["updates subcall"]) == 2
    assert "LEAF" in "".join(str(message["content"]) for message, _ in seen["messages subcall"])
    assert TEXT[:1_000] not in json.dumps(seen).replace("\\n", "\n")


async def test_run_waits_where_it_is_interrupted_and_a_human_changes_its_code(
    client: LangGraphClient, model: Model
) -> None:
    model.cells = [ONE_BY_ONE, BOTH]
    thread = await thread_of(client)
    assert (await asked(client, thread, ASKED, interrupt_before=["subcall"]))["answer"] is None
    state = await client.threads.get_state(thread, subgraphs=True)
    assert (state["next"], state["values"]["pending"][0]["prompt"]) == (["subcall"], "one")  # type: ignore[call-overload]
    assert model.prompts[1:] == []
    assert (await asked(client, thread, None, interrupt_before=["generate"]))["answer"] is None
    await asked(client, thread, None, interrupt_before=["execute"])
    await client.threads.update_state(thread, {"code": "Final = [a, b, 'changed']"})
    assert (await asked(client, thread, None))["answer"] == ["ONE", "TWO ONE", "changed"]


async def test_human_agrees_to_a_part_of_a_large_fan_out(client: LangGraphClient, model: Model) -> None:
    model.cells = ["answers = llm_batch([f'p{i}' for i in range(5)])", "Final = [a for a in answers if a[0] == 'P']"]
    thread, context = await thread_of(client), {**SCRIPTED, "confirm_above": 3}
    out = await asked(client, thread, ASKED, context=context)
    assert out["__interrupt__"][0]["value"]["count"] == 5
    state: Any = await client.threads.get_state(thread)
    assert (state["next"], state["interrupts"][0]["value"]["count"]) == (["confirm"], 5)
    assert (await client.threads.get(thread))["status"] == "interrupted"
    out = await asked(client, thread, None, context=context, command={"resume": 2})
    assert out["answer"] == ["P0", "P1"]


async def test_children_that_wait_for_a_human_are_seen_and_answered_one_by_one(
    client: LangGraphClient, model: Model
) -> None:
    model.cells, model.child = [CHILDREN], "Final = llm_batch([P[6]] * 4)"
    thread, context = await thread_of(client), {**SCRIPTED, "confirm_above": 3}
    await asked(client, thread, ASKED, context=context)
    state: Any = await client.threads.get_state(thread, subgraphs=True)
    assert [task["name"] for task in state["tasks"]] == ["subcall", "subcall"]
    assert [task["state"]["next"] for task in state["tasks"]] == [["confirm"], ["confirm"]]
    resume = {interrupt["id"]: interrupt["value"]["prompts"][0]["prompt"] == "a" for interrupt in state["interrupts"]}
    out = await asked(client, thread, None, context=context, command={"resume": resume})
    first, second = map(json.loads, out["answer"])
    assert first == ["A"] * 4
    assert all("did not agree" in error for error in second)


async def test_thread_keeps_text_and_variables_for_the_next_question(client: LangGraphClient, model: Model) -> None:
    model.cells = ["n = P.count('apple')\nFinal = n", "Final = [n, len(P)]"]
    thread = await thread_of(client)
    assert (await asked(client, thread, ASKED))["answer"] == 2_000
    assert (await asked(client, thread, {"query": "And now?"}))["answer"] == [2_000, len(TEXT)]
    history = await client.threads.get_history(thread, limit=100)
    answers = [state["values"].get("answer") for state in history]  # type: ignore[union-attr]
    assert (answers[0], 2_000 in answers, history[0]["next"]) == ([2_000, len(TEXT)], True, [])


async def test_cancelled_run_goes_on_with_what_was_answered(client: LangGraphClient, model: Model) -> None:
    model.cells, model.open = [ONE_BY_ONE, BOTH], "two ONE"
    thread = await thread_of(client)
    run = await client.runs.create(thread, "rlm", input=ASKED, context=SCRIPTED)
    assert await asyncio.to_thread(model.is_open.wait, 60)
    await client.runs.cancel(thread, run["run_id"], wait=True)
    assert (await client.threads.get(thread))["status"] == "interrupted"
    model.open = ""
    assert (await asked(client, thread, None))["answer"] == ["ONE", "TWO ONE"]
    assert (model.prompts.count("one"), model.prompts.count("two ONE"), len(model.prompts)) == (1, 2, 5)


async def test_threads_are_pruned_whole_or_not_at_all(client: LangGraphClient, model: Model) -> None:
    model.cells = ["Final = P.count('apple')"]
    thread = await thread_of(client)
    await asked(client, thread, ASKED)
    with pytest.raises(UnprocessableEntityError, match="keep_latest"):
        await client.threads.prune([thread], strategy="keep_latest")
    assert (await asked(client, thread, {"query": "And now?"}))["answer"] == 2_000
    assert (await client.threads.prune([thread]))["pruned_count"] == 1
    with pytest.raises(NotFoundError):
        await client.threads.get_state(thread)


def test_code_in_the_docs_runs(served: DevServer, model: Model) -> None:
    model.cells = ["Final = llm_batch([f'order {i}' for i in range(60)])[:3]"]
    blocks = re.findall(r"```py\n(.*?)```", (ROOT / "docs" / "server.md").read_text(), re.S)
    names: dict[str, Any] = {}
    exec("\n".join(blocks).replace("http://127.0.0.1:2024", served.url), names)
    names["client"].close()
    assert names["interrupt"]["value"]["count"] == 60
    assert names["out"]["answer"] == ["ORDER 0", "ORDER 1", "ORDER 2"]


@pytest.mark.parametrize(
    ("end", "keeps"),
    [
        pytest.param(signal.SIGKILL, "runs.db", id="killed"),
        pytest.param(signal.SIGTERM, ".langgraph_api", id="ended, without a checkpointer of its own"),
    ],
)
async def test_restarted_server_goes_on_and_pays_for_no_answer_twice(
    end: signal.Signals, keeps: str, tmp_path: Path
) -> None:
    third = "\ntry:\n    c = llm_query('three ' + b)\nexcept Exception as error:\n    c = 'refused'"
    cells = [ONE_BY_ONE + third, "Final = [a, b, c]"]
    context: Any = {**SCRIPTED, "max_subcalls": 2}
    with playing(Model(cells=cells, answer=str.upper, open="two ONE")) as model:
        server = DevServer(tmp_path / "app", model)
        if keeps != "runs.db":
            server.forget("checkpointer")
        try:
            server.start()
            async with get_client(url=server.url, api_key=None) as client:
                thread = await thread_of(client)
                await client.runs.create(thread, "rlm", input=ASKED, context=context)
                assert await asyncio.to_thread(model.is_open.wait, 60)
            before, model.open = len(model.prompts), ""
            server.end(end)
            server.start()
            async with get_client(url=server.url, api_key=None) as client:
                # After a sudden end the server may know neither thread nor run; the checkpoints are there.
                await client.threads.create(thread_id=thread, if_exists="do_nothing")
                out = await asked(client, thread, None, context=context)
        finally:
            server.end()
    assert (server.folder / keeps).exists()
    assert (out["answer"], out["subcalls"]) == (["ONE", "TWO ONE", "refused"], 2)
    assert (before, model.prompts[before], len(model.prompts)) == (3, "two ONE", 5)
