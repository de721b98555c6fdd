"""The RLM as a LangGraph graph: its picture, its inputs and outputs, streaming, nesting, running side by side."""

from __future__ import annotations

import asyncio
import re
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command
from typing_extensions import TypedDict

from langgraph_rlm import Context, ContextError, InvalidInput, Limits, Router, Sandbox, create_rlm
from tests.fakes import QUERY, TEXT, Graph, ScriptedModel, cell, rlm_of, worker_processes

INPUT = {"query": QUERY, "context": TEXT}
THREAD: Any = {"configurable": {"thread_id": "1"}}


def tree() -> ScriptedModel:
    """A root whose child asks a plain call."""
    return ScriptedModel(
        script={
            "Question: root": [cell("print(llm_query('leaf'))"), cell("Final = rlm_query('child', 'text')")],
            "Question: child": [cell("Final = llm_query('deep leaf')")],
        }
    )


class AppState(TypedDict, total=False):
    query: str
    context: str
    answer: Any
    note: str


def app_of(rlm: Any, checkpointer: Any = None, schema: Any = AppState) -> Graph:
    """An app whose only node is the RLM."""
    app = StateGraph(schema)
    app.add_node("reader", rlm)
    app.add_edge(START, "reader")
    return app.compile(checkpointer=checkpointer)


# -- the picture ------------------------------------------------------------------------------------------------------


def test_graph_has_the_nodes_and_edges_of_the_picture() -> None:
    graph = rlm_of(ScriptedModel(), limits=Limits(max_depth=1)).get_graph()
    nodes = {"__start__", "route", "direct", "extract", "batches", "generate", "execute", "subcall", "check", "verify"}
    assert set(graph.nodes) == nodes | {"__end__"}
    assert {(edge.source, edge.target) for edge in graph.edges} == {
        ("__start__", "route"),
        ("route", "direct"),
        ("route", "extract"),
        ("route", "batches"),
        ("route", "generate"),
        ("direct", "__end__"),
        ("extract", "__end__"),
        ("extract", "batches"),
        ("extract", "generate"),
        ("batches", "execute"),
        ("batches", "generate"),
        ("generate", "execute"),
        ("execute", "generate"),
        ("execute", "subcall"),
        ("execute", "__end__"),
        ("execute", "check"),
        ("execute", "verify"),
        ("check", "verify"),
        ("verify", "generate"),
        ("verify", "__end__"),
        ("subcall", "execute"),
    }


def test_depth_0_has_no_node_for_sub_calls() -> None:
    graph = rlm_of(ScriptedModel(), limits=Limits(max_depth=0)).get_graph(xray=True)
    assert set(graph.nodes) == {"__start__", "route", "direct", "extract", "generate", "execute", "__end__"}


@pytest.mark.parametrize("max_depth", [1, 2, 3, 5])
def test_every_level_is_drawn(max_depth: int) -> None:
    drawing = rlm_of(ScriptedModel(), limits=Limits(max_depth=max_depth)).get_graph(xray=True).draw_mermaid()
    assert len(re.findall(r"^\s*subgraph ", drawing, re.M)) == max_depth - 1
    for name in ["subcall", *(f"subcall_{depth}" for depth in range(1, max_depth))]:
        assert name in drawing


def test_name_is_that_of_the_graph() -> None:
    assert rlm_of(ScriptedModel(), name="reader").name == "reader"
    assert rlm_of(ScriptedModel()).name == "rlm"


# -- input and output -------------------------------------------------------------------------------------------------


OUTPUTS = {"answer", "route", "routing", "profile", "status", "usage", "steps", "subcalls", "trajectory", "messages"}
OUTPUTS |= {"citations", "verification"}


def test_schemas_show_what_users_put_in_and_get_out_and_nothing_else() -> None:
    rlm = rlm_of(ScriptedModel())
    assert set(rlm.get_input_jsonschema()["properties"]) == {"query", "context", "profile", "messages"}
    assert set(rlm.get_output_jsonschema()["properties"]) == OUTPUTS


@pytest.mark.parametrize("profile", ["direct", "rlm"])
def test_output_holds_no_inner_channel(profile: str) -> None:
    rlm = rlm_of(ScriptedModel(cell("Final = 1"), answer=lambda _: "1"))
    out = rlm.invoke(INPUT | {"profile": profile})
    assert OUTPUTS - {"messages"} <= set(out) <= OUTPUTS
    assert (out["route"], out["profile"], out["status"]) == (profile, profile, "answered")


@pytest.mark.parametrize(
    ("context", "text", "documents"),
    [
        ("text", "text", 1),
        (["one", "two"], "one\n\ntwo", 2),
        ([Document("one"), "two"], "one\n\ntwo", 2),
        (("one", "two"), "one\n\ntwo", 2),
        (Context.of(["one", "two"]), "one\n\ntwo", 2),
        ("a\ud800b", "a\ufffdb", 1),
        ("é😀\r\n\0", "é😀\r\n\0", 1),
    ],
)
def test_context_of_any_kind_is_one_text_with_its_documents(context: Any, text: str, documents: int) -> None:
    out = rlm_of(ScriptedModel(cell("Final = [P, ctx.num_documents()]"))).invoke({"query": QUERY, "context": context})
    assert out["answer"] == [text, documents]


def test_files_are_a_context(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("from a file")
    out = rlm_of(ScriptedModel(cell("Final = [P, ctx.metadata[0]['name']]"))).invoke(
        {"query": QUERY, "context": Context.from_files(tmp_path)}
    )
    assert out["answer"] == ["from a file", "a.txt"]


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({}, InvalidInput, "query"),
        ({"context": "text"}, InvalidInput, "query"),
        ({"query": "", "context": "text"}, InvalidInput, "empty"),
        ({"query": " \n", "context": "text"}, InvalidInput, "empty"),
        ({"query": 5, "context": "text"}, InvalidInput, "int"),
        ({"query": None, "context": "text"}, InvalidInput, "NoneType"),
        ({"query": ["q"], "context": "text"}, InvalidInput, "list"),
        ({"query": "q"}, ContextError, "no context"),
        ({"query": "q", "context": None}, ContextError, "no context"),
        ({"query": "q", "context": ""}, ContextError, "empty"),
        ({"query": "q", "context": []}, ContextError, "empty"),
        ({"query": "q", "context": ["", ""]}, ContextError, "empty"),
        ({"query": "q", "context": 5}, ContextError, "int"),
        ({"query": "q", "context": b"bytes"}, ContextError, "bytes"),
        ({"query": "q", "context": {"a": 1}}, ContextError, "dict"),
        ({"query": "q", "context": ["a", 5]}, ContextError, "Item 1 .* int"),
        ({"query": "q", "context": Path("/etc/hosts")}, ContextError, "from_files"),
        ({"query": "q", "context": "text", "profile": "fastest"}, InvalidInput, "fastest"),
        ({"query": "q", "context": "text", "profile": 5}, InvalidInput, "5"),
        ({"messages": []}, InvalidInput, "question"),
        ({"messages": [AIMessage("hi")]}, InvalidInput, "human"),
        ({"messages": [HumanMessage(""), AIMessage("a")]}, InvalidInput, "empty"),
        ({"messages": [HumanMessage("")]}, InvalidInput, "empty"),
        ({"messages": 5}, InvalidInput, "messages"),
        ("a question", InvalidInput, "query"),
        (["a question"], InvalidInput, "query"),
    ],
    ids=lambda value: repr(value)[:50] if isinstance(value, dict | str | list) else None,
)
@pytest.mark.parametrize("is_async", [False, True])
def test_input_that_cannot_be_used_is_refused_before_any_model_is_called(
    given: Any, error: type[Exception], message: str, is_async: bool
) -> None:
    model = ScriptedModel()
    rlm = rlm_of(model)
    with pytest.raises(error, match=message):
        asyncio.run(rlm.ainvoke(given)) if is_async else rlm.invoke(given)
    assert model.calls == []


@pytest.mark.parametrize(
    "settings",
    [
        {"model": 5},
        {"model": ""},
        {"model": None},
        {"sub_model": 5},
        {"dialect": "other"},
        {"interrupt_before": ["nowhere"]},
        {"router": "rlm"},
        {"limits": 30},
        {"sandbox": None},
        {"interrupt_before": "direct"},
        {"interrupt_after": 5},
    ],
)
def test_settings_that_cannot_be_used_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"model|dialect|nowhere|router|limits|sandbox|a list of names of nodes"):
        create_rlm(**{"model": ScriptedModel(), **settings})


@pytest.mark.parametrize("when", ["interrupt_before", "interrupt_after"])
@pytest.mark.parametrize("node", ["nowhere", "confirm", "subcall_1"])
def test_interrupt_at_what_is_no_node_is_refused_with_those_that_are(when: str, node: str) -> None:
    known = r"route, direct, extract, generate, execute, subcall, batches, check, verify\."
    with pytest.raises(InvalidInput, match=f"'{node}': there is no such node. Known: {known}"):
        rlm_of(ScriptedModel(), **{when: ["execute", node]})


@pytest.mark.parametrize("max_depth", [1, 2, 3])
def test_interrupt_at_a_node_that_the_root_alone_has(max_depth: int) -> None:
    model = ScriptedModel(cell("cite('apple')\nFinal = 20"), answer=lambda _: '{"verdict": "supports", "reason": ""}')
    saver, limits = InMemorySaver(), Limits(max_depth=max_depth)
    rlm = rlm_of(model, limits=limits, checkpointer=saver, interrupt_before=["check"], interrupt_after=["batches"])
    rlm.invoke({**INPUT, "profile": "verify"}, THREAD)
    assert set(rlm.get_state(THREAD).next) == {"check"}
    assert model.asked == []
    assert rlm.invoke(None, THREAD)["answer"] == 20


# -- the path ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("characters", "route"),
    [(50, "direct"), (100 - len(QUERY) - 1, "direct"), (100 - len(QUERY), "rlm"), (1_000, "rlm")],
)
def test_path_goes_by_the_size_of_query_and_context(characters: int, route: str) -> None:
    rlm = create_rlm(ScriptedModel(cell("Final = len(P)")), router=Router(direct_below=100))
    out = rlm.invoke({"query": QUERY, "context": "x" * characters})
    assert (out["route"], out["profile"]) == (route, "auto")


@pytest.mark.parametrize("profile", ["direct", "rlm"])
def test_profile_of_the_input_holds_over_that_of_the_router(profile: Any) -> None:
    for router in (Router(), Router(profile="rlm"), Router(profile="direct")):
        out = create_rlm(ScriptedModel(cell("Final = 1")), router=router).invoke(INPUT | {"profile": profile})
        assert (out["route"], out["profile"]) == (profile, profile)


def test_direct_asks_once_with_the_question_and_the_text() -> None:
    model = ScriptedModel(answer=lambda _: "20")
    out = create_rlm(model, instructions="Be brief.").invoke(INPUT)
    [call] = model.calls
    assert [message.type for message in call.messages] == ["system", "human"]
    assert call.messages[0].text == "Be brief."
    assert QUERY in call.told
    assert TEXT in call.told
    assert (out["answer"], out["route"], out["steps"], out["subcalls"]) == ("20", "direct", 0, 0)
    assert out["usage"]["scripted-1"]["total_tokens"] == 15


def test_direct_sends_a_conversation_as_it_is() -> None:
    conversation = [HumanMessage("hi"), AIMessage("hello"), HumanMessage("who are you?")]
    model = ScriptedModel(answer=lambda _: "a reader")
    out = create_rlm(model).invoke({"messages": conversation})
    assert [message.text for message in model.calls[0].messages] == ["hi", "hello", "who are you?"]
    assert [message.text for message in out["messages"]] == ["hi", "hello", "who are you?", "a reader"]


@pytest.mark.parametrize(
    "messages",
    [
        "how long?",
        [("human", "how long?")],
        [{"role": "user", "content": "how long?"}],
        [HumanMessage("how long?")],
        [HumanMessage([{"type": "text", "text": "how long?"}])],
        [SystemMessage("be nice"), HumanMessage("how long?")],
        [HumanMessage("how \ud800 long?")],
    ],
)
@pytest.mark.parametrize("profile", ["direct", "rlm"])
@pytest.mark.parametrize("checkpointer", [None, InMemorySaver])
def test_messages_of_any_form_are_a_question_and_a_context(messages: Any, profile: str, checkpointer: Any) -> None:
    model = ScriptedModel(cell("Final = str(P.endswith('long?'))"), answer=lambda _: "True")
    rlm = rlm_of(model, checkpointer=checkpointer and checkpointer())
    out = rlm.invoke({"messages": messages, "profile": profile}, THREAD)
    assert out["answer"] == "True"
    assert out["messages"][-1].text == "True"


def test_pasted_book_is_the_text_and_its_query_is_short() -> None:
    book = "Find the name.\n" + "x" * 100_000 + "NAME" + "y" * 100_000
    model = ScriptedModel(cell("Final = [len(P), 'NAME' in P]"))
    out = create_rlm(model).invoke({"messages": [HumanMessage(book)]})
    assert (out["route"], out["answer"]) == ("rlm", [len(book), True])
    assert len(model.turns[0].told) < 5_000


def test_context_beside_messages_is_the_text() -> None:
    rlm = rlm_of(ScriptedModel(cell("Final = P")))
    out = rlm.invoke({"messages": [HumanMessage("what?")], "context": "the text"})
    assert (out["answer"], out["messages"][-1].text) == ("the text", "the text")


# -- ways to run it ---------------------------------------------------------------------------------------------------


async def test_sync_and_async_give_the_same() -> None:
    given = {"query": "root", "context": "text"}
    assert rlm_of(tree()).invoke(given) == await rlm_of(tree()).ainvoke(given)


async def test_sync_and_async_stream_the_same() -> None:
    given = {"query": "root", "context": "text"}
    sync = list(rlm_of(tree()).stream(given, stream_mode="updates"))
    streamed = [chunk async for chunk in rlm_of(tree()).astream(given, stream_mode="updates")]
    assert [list(chunk) for chunk in sync] == [list(chunk) for chunk in streamed]


def test_updates_stream_each_node_in_order() -> None:
    chunks = list(rlm_of(tree()).stream({"query": "root", "context": "text"}, stream_mode="updates"))
    assert [name for chunk in chunks for name in chunk] == [
        *("route", "generate", "execute", "subcall", "execute"),
        *("generate", "execute", "subcall", "execute"),
    ]


def test_values_stream_the_answer_last() -> None:
    chunks = list(rlm_of(tree()).stream({"query": "root", "context": "text"}, stream_mode="values"))
    assert [bool(chunk.get("answer")) for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert (chunks[-1]["answer"], chunks[-1]["steps"], chunks[-1]["subcalls"]) == ("answer to deep leaf", 3, 3)


def test_streaming_shows_what_goes_on_in_children() -> None:
    chunks = list(rlm_of(tree()).stream({"query": "root", "context": "text"}, stream_mode="updates", subgraphs=True))
    child = [name for path, chunk in chunks if path and path[-1].startswith("subcall:") for name in chunk]
    assert child == ["route", "generate", "execute", "subcall_1", "execute"]


def test_messages_stream_what_each_model_says_with_its_node() -> None:
    chunks: Any = rlm_of(tree()).stream({"query": "root", "context": "text"}, stream_mode="messages", subgraphs=True)
    said = [(metadata["langgraph_node"], message.text) for _, (message, metadata) in chunks]
    assert ("subcall", "answer to leaf") in said
    assert ("subcall_1", "answer to deep leaf") in said
    assert ("generate", cell("Final = llm_query('deep leaf')")) in said


def test_messages_stream_each_reply_once() -> None:
    rlm = rlm_of(ScriptedModel(cell("x = 1"), cell("Final = llm_query('leaf')")))
    said = [part.text for part, _ in rlm.stream(INPUT, stream_mode="messages") if isinstance(part, AIMessage)]
    assert said == [cell("x = 1"), cell("Final = llm_query('leaf')"), "answer to leaf"]


def test_messages_stream_the_direct_answer_of_a_chat_once() -> None:
    rlm = create_rlm(ScriptedModel(answer=lambda _: "hello"))
    stream = rlm.stream({"messages": [HumanMessage("hi")]}, stream_mode="messages")
    assert [part.text for part, _ in stream if isinstance(part, AIMessage)] == ["hello"]


def test_reply_that_a_cache_gives_again_is_another_message_of_the_chat() -> None:
    model = ScriptedModel(answer=lambda _: "hello", cache=InMemoryCache())
    rlm = create_rlm(model, checkpointer=InMemorySaver())
    for _ in range(2):
        out = rlm.invoke({"messages": [HumanMessage("hi")], "context": TEXT}, THREAD)
    assert [message.text for message in out["messages"]] == ["hi", "hello", "hi", "hello"]
    assert len(model.calls) == 1


def test_batch_answers_each_input() -> None:
    rlm = rlm_of(ScriptedModel(cell("Final = P")))
    outs = rlm.batch([{"query": QUERY, "context": text} for text in "abc"])
    assert [out["answer"] for out in outs] == ["a", "b", "c"]


def test_settings_of_a_config_reach_the_nodes() -> None:
    rlm = rlm_of(ScriptedModel(cell("Final = 1"))).with_config(tags=["mine"])
    assert rlm.invoke(INPUT)["answer"] == 1


def test_long_runs_are_bounded_by_limits_and_not_by_supersteps() -> None:
    cells = [cell("for _ in range(20): llm_query('x')")] * 60
    model = ScriptedModel(*cells, cell("Final = 'end'"))
    out = rlm_of(model, limits=Limits(max_steps=100, max_subcalls=2_000)).invoke(INPUT)
    assert (out["answer"], out["steps"], out["subcalls"]) == ("end", 61, 1_200)


def test_cell_of_hundreds_of_sub_calls_runs_as_the_node_of_an_app() -> None:
    model = ScriptedModel(cell("for _ in range(300): llm_query('x')\nFinal = 'end'"))
    out = app_of(rlm_of(model, limits=Limits(max_subcalls=300))).invoke(INPUT, {"recursion_limit": 25})
    assert out["answer"] == "end"


# -- in an app --------------------------------------------------------------------------------------------------------


def test_node_of_an_app_gives_it_its_answer() -> None:
    out = app_of(rlm_of(ScriptedModel(cell("Final = P")))).invoke({**INPUT, "note": "kept"})
    assert out == {**INPUT, "note": "kept", "answer": TEXT}


def test_node_of_a_chat_app_answers_in_its_messages() -> None:
    app = app_of(rlm_of(ScriptedModel(cell("Final = P.upper()"))), schema=MessagesState)
    out = app.invoke({"messages": [HumanMessage("hello")]})
    assert [(message.type, message.text) for message in out["messages"]] == [("human", "hello"), ("ai", "HELLO")]


def test_repl_of_a_chat_apps_node_lives_over_turns_with_its_own_checkpoints() -> None:
    model = ScriptedModel(cell("seen = [P]\nFinal = 'first'"), cell("seen.append(P)\nFinal = len(seen)"))
    app = app_of(rlm_of(model, checkpointer=True), InMemorySaver(), MessagesState)
    app.invoke({"messages": [HumanMessage("one")]}, THREAD)
    out = app.invoke({"messages": [HumanMessage("two")]}, THREAD)
    assert [message.text for message in out["messages"]] == ["one", "first", "two", "2"]


@pytest.mark.parametrize("is_left", [False, True], ids=["ended", "left in its middle"])
def test_node_that_keeps_its_thread_answers_each_question_of_an_app_that_stops_before_it(is_left: bool) -> None:
    class State(TypedDict, total=False):
        query: str
        context: str
        answer: Any

    first = "a = llm_query('x')\nFinal = 'first'"
    model = ScriptedModel(cell(first), cell("Final = 'second'"), cell("Final = 'second'"))
    builder = StateGraph(State)
    settings: dict[str, Any] = {"interrupt_before": ["subcall"]} if is_left else {}
    builder.add_node("rlm", rlm_of(model, checkpointer=True, **settings))
    builder.add_edge(START, "rlm")
    app = builder.compile(checkpointer=InMemorySaver(), interrupt_before=["rlm"])
    for query, answer in (("q1", None if is_left else "first"), ("q2", "second")):
        app.invoke({"query": query, "context": "text"}, THREAD)
        assert app.invoke(None, THREAD).get("answer") == answer


def test_node_that_keeps_its_thread_goes_on_where_it_waited_when_the_apps_state_is_edited() -> None:
    class State(TypedDict, total=False):
        query: str
        context: str
        answer: Any
        remark: str

    model = ScriptedModel(cell("a = llm_query('x')\nb = llm_query('y')\nFinal = [a, b]"))
    builder = StateGraph(State)
    builder.add_node("rlm", rlm_of(model, checkpointer=True, limits=Limits(confirm_above=0)))
    builder.add_edge(START, "rlm")
    app = builder.compile(checkpointer=InMemorySaver())
    app.invoke({"query": "q", "context": "text"}, THREAD)
    app.invoke(Command(resume=True), THREAD)
    assert app.invoke(Command(resume=True), THREAD)["answer"] == ["answer to x", "answer to y"]
    assert (len(model.turns), model.asked) == (1, ["x", "y"])


@pytest.mark.parametrize("as_function", [False, True])
def test_interrupt_in_a_node_stops_and_resumes_the_app(as_function: bool) -> None:
    model = ScriptedModel(cell("n = len(P)\nx = llm_query('x')\nFinal = [n, x]"))
    rlm = rlm_of(model, interrupt_before=["subcall"])

    def node(state: AppState) -> dict[str, Any]:
        return {"answer": rlm.invoke({"query": state["query"], "context": state["context"]})["answer"]}

    app = app_of(node if as_function else rlm, InMemorySaver())
    app.invoke(INPUT, THREAD)
    assert app.get_state(THREAD).next == ("reader",)
    assert model.asked == []
    assert app.invoke(None, THREAD)["answer"] == [len(TEXT), "answer to x"]
    assert len(model.turns) == 1


def test_app_streams_what_goes_on_in_the_node() -> None:
    app = app_of(rlm_of(tree()))
    chunks = app.stream({"query": "root", "context": "text"}, stream_mode="updates", subgraphs=True)
    depths = Counter(len(path) for path, _ in chunks)
    assert set(depths) == {0, 1, 2}


def test_drawing_of_an_app_shows_the_node_from_within() -> None:
    assert "reader\\3agenerate" in app_of(rlm_of(ScriptedModel())).get_graph(xray=True).draw_mermaid()


# -- side by side -----------------------------------------------------------------------------------------------------


def counting_model() -> ScriptedModel:
    return ScriptedModel(cell("a = len(P)"), cell("b = llm_batch([P] * 3)"), cell("Final = [a, b]"), latency=0.002)


def expected(text: str) -> list[Any]:
    return [len(text), [f"answer to {text}"] * 3]


@pytest.mark.parametrize("max_live", [1, 2, None])
def test_runs_in_threads_share_nothing_but_the_workers(max_live: int | None) -> None:
    rlm = rlm_of(counting_model(), sandbox=Sandbox(max_live=max_live))
    texts = ["x" * n for n in range(1, 7)]
    with ThreadPoolExecutor(4) as pool:
        outs = list(pool.map(lambda text: rlm.invoke({"query": QUERY, "context": text}), texts))
    assert [out["answer"] for out in outs] == [expected(text) for text in texts]
    assert {(out["steps"], out["subcalls"]) for out in outs} == {(3, 3)}


@pytest.mark.parametrize("max_live", [1, None])
async def test_runs_in_one_event_loop_share_nothing_but_the_workers(max_live: int | None) -> None:
    rlm = rlm_of(counting_model(), sandbox=Sandbox(max_live=max_live))
    texts = ["x" * n for n in range(1, 7)]
    outs = await asyncio.gather(*(rlm.ainvoke({"query": QUERY, "context": text}) for text in texts))
    assert [out["answer"] for out in outs] == [expected(text) for text in texts]


def test_runs_in_two_event_loops_share_nothing_but_the_workers() -> None:
    rlm = rlm_of(counting_model())

    async def both(texts: list[str]) -> list[Any]:
        outs = await asyncio.gather(*(rlm.ainvoke({"query": QUERY, "context": text}) for text in texts))
        return [out["answer"] for out in outs]

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda texts: asyncio.run(both(texts)), [["a", "bb"], ["ccc", "dddd"]]))
    assert answers == [[expected("a"), expected("bb")], [expected("ccc"), expected("dddd")]]


def test_each_run_has_a_width_and_limits_of_its_own() -> None:
    rlm = rlm_of(counting_model(), limits=Limits(max_subcalls=3), max_concurrency=1)
    for text in ("a", "b"):
        assert rlm.invoke({"query": QUERY, "context": text})["answer"] == expected(text)


# -- what is left of a run --------------------------------------------------------------------------------------------


def test_workers_live_while_a_run_does_and_no_longer() -> None:
    alive: list[int] = []

    def answer(prompt: str) -> str:
        alive.extend(worker_processes())
        return prompt

    rlm_of(ScriptedModel(cell("Final = llm_query('x')"), answer=answer)).invoke(INPUT)
    assert alive
    assert worker_processes() == []


FAILURES: dict[str, tuple[ScriptedModel, dict[str, Any]]] = {
    "model": (ScriptedModel(cell("a = 1"), ValueError("down")), {}),
    "limit in a cell": (
        ScriptedModel(cell("a = 1"), cell("llm_query('x')")),
        {"limits": Limits(max_subcalls=0, on_exceeded="raise")},
    ),
    "limit in a child": (tree(), {"limits": Limits(max_subcalls=2, on_exceeded="raise")}),
    "limit of steps": (ScriptedModel(cell("a = 1")), {"limits": Limits(max_steps=1, on_exceeded="raise")}),
}


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("is_async", [False, True])
def test_no_worker_is_left_of_a_run_that_failed_and_the_next_run_finds_a_free_one(failure: str, is_async: bool) -> None:
    model, settings = FAILURES[failure]
    rlm = rlm_of(model, sandbox=Sandbox(max_live=1), **settings)
    given = {"query": "root", "context": "text"}
    for _ in range(3):
        with pytest.raises(ValueError if failure == "model" else Exception, match=r"down|max_"):
            asyncio.run(rlm.ainvoke(given)) if is_async else rlm.invoke(given)
        assert worker_processes() == []


def test_worker_of_a_failed_run_is_free_while_another_run_goes_on() -> None:
    """The processes stay as long as one run is open; what a failed one held must not stay taken."""
    left: list[list[int]] = []
    failing = cell("kept = 1\nllm_query('fail')")

    def answer(prompt: str) -> str:
        if prompt == "outer":
            for _ in range(3):
                with pytest.raises(ValueError, match="down"):
                    rlm.invoke({"query": "inner", "context": "text"})
            left.append(worker_processes())
        return prompt

    model = ScriptedModel(
        script={
            "Question: outer": [cell("Final = llm_query('outer')")],
            "Question: inner": [failing, ValueError("down")],
        },
        answer=answer,
    )
    rlm = rlm_of(model, sandbox=Sandbox(max_live=8), lookahead=False)
    assert rlm.invoke({"query": "outer", "context": "text"})["answer"] == "outer"
    assert [len(processes) <= 2 for processes in left] == [True]


@pytest.mark.parametrize(
    "code", ["llm_query('wait')", "llm_batch(['wait'] * 3)", "rlm_query('child', 'text')", "while True: pass"]
)
async def test_no_worker_is_left_of_a_run_that_was_cancelled(code: str) -> None:
    waiting = asyncio.Event()

    class Waiting(ScriptedModel):
        async def _agenerate(self, messages: Any, *rest: Any, **more: Any) -> Any:
            if messages[-1].text == "wait":
                waiting.set()
                await asyncio.sleep(600)
            result = await super()._agenerate(messages, *rest, **more)
            if "while" in result.generations[0].message.text:
                waiting.set()
            return result

    model = Waiting(
        script={"Question: root": [cell("a = 1"), cell(code)], "Question: child": [cell("llm_query('wait')")]},
    )
    rlm = rlm_of(model, sandbox=Sandbox(timeout=1, max_live=2))
    for _ in range(2):
        waiting.clear()
        task = asyncio.create_task(rlm.ainvoke({"query": "root", "context": "text"}))
        await waiting.wait()
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert worker_processes() == []


def test_no_worker_is_left_of_a_stream_that_was_left() -> None:
    stream = rlm_of(tree()).stream({"query": "root", "context": "text"}, stream_mode="updates")
    for chunk in stream:
        if "subcall" in chunk:
            break
    stream.close()  # type: ignore[attr-defined]
    assert worker_processes() == []


async def test_no_worker_is_left_of_an_async_stream_that_was_left() -> None:
    stream = rlm_of(tree()).astream({"query": "root", "context": "text"}, stream_mode="updates")
    async for chunk in stream:
        if "subcall" in chunk:
            break
    await stream.aclose()  # type: ignore[attr-defined]
    assert worker_processes() == []


def test_no_thread_is_left_of_a_run() -> None:
    rlm_of(tree()).invoke({"query": "root", "context": "text"})
    before = threading.active_count()
    rlm_of(tree()).invoke({"query": "root", "context": "text"})
    assert threading.active_count() <= before


def test_setting_that_would_do_nothing_is_refused() -> None:
    with pytest.raises(InvalidInput, match="retriever"):
        rlm_of(ScriptedModel(), retriever=object())
