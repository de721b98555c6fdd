"""What is seen of a run: in LangSmith's traces, in streams, in the states of a thread as JSON.

The text is there once at most, and not at all where it comes from files; of the REPL there is nothing that only a REPL
can read. The checkpointer has all of it.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.documents import Document
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import TracePolicy, omit_payload
from pydantic import BaseModel
from typing_extensions import TypedDict

from langgraph_rlm import Context
from langgraph_rlm.repl import packed, repl_state
from tests.fakes import KilledAt, ScriptedModel, all_channels, cell, rlm_of
from tests.traces import COMPRESSED, PLAIN, Run, traced

THREAD: Any = {"configurable": {"thread_id": "1"}}
LINES = 3_000
TEXT = "".join(f"quaint line {i} {hash(i * 7919) ** 3 % 10**20} of a long text\n" for i in range(LINES))
NONE, ONCE = (0, 0.15), (1, 1.15)
"""How often the text is there: the models' first messages have a few lines of it."""
QUESTION = (0, 0.4)
"""The same where it stands in the question, of which each turn has the beginning and the end."""
FORMS = ["str", "documents", "files", "messages"]
MODES = ["values", "updates", "tasks", "checkpoints", "debug"]


@pytest.fixture(autouse=True)
def _always_dumped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repl_state, "DUMPS_WORTH", -1)


@pytest.fixture
def given(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    """The input of a run, with the text in that form."""
    if request.param == "messages":
        return {"messages": [HumanMessage(f"root\n{TEXT}")]}
    half = len(TEXT) // 2
    file = tmp_path / "text.txt"
    file.write_text(TEXT)
    contexts = {"str": TEXT, "documents": [Document(TEXT[:half]), Document(TEXT[half:])]}
    return {"query": "root", "context": contexts.get(request.param) or Context.from_files(file)}


def in_forms(*forms: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("given", forms, indirect=True)


def weigh(what: str) -> str:
    """Weighs something."""
    return what.upper()


def tree() -> ScriptedModel:
    """Keeps the text's lines, asks two prompts, calls a tool, and hands all of the text to a child, which asks too."""
    return ScriptedModel(
        script={
            "Question: root": [
                cell("lines = P.splitlines()\nsaid = llm_batch(['one', 'two'])"),
                cell("weighed = weigh('x')\nchild = rlm_query('child', P)"),
                cell("Final = [said, weighed, child]"),
            ],
            "Question: child": [cell("parts = ctx.chunk(5000)\nx = llm_query('three')"), cell("Final = len(P)")],
        }
    )


ANSWER = [["answer to one", "answer to two"], "X", str(len(TEXT))]


def rlm_of_tree(**settings: Any) -> Any:
    return rlm_of(tree(), tools=[weigh], **{"checkpointer": InMemorySaver(), **settings})


def as_json(value: Any) -> str:
    """The value as a server sends it."""

    def plain(value: Any) -> Any:
        match value:
            case bytes():
                return base64.b64encode(value).decode()
            case BaseModel():
                return value.model_dump()
        return str(value)

    return json.dumps(value, default=plain)


def copies(told: str) -> float:
    return told.count("quaint") / LINES


def check(told: str, text: tuple[float, float] = NONE) -> None:
    """Checks how often the text is in what is told, and that nothing of the REPL's own is."""
    assert text[0] <= copies(told) <= text[1]
    assert base64.b64encode(packed.MAGIC)[:5].decode() not in told
    assert "b'RLM" not in told
    assert packed.VERSION not in told  # the journal begins with it


async def run(rlm: Any, given: Any, is_async: bool, **options: Any) -> Any:
    return await rlm.ainvoke(given, THREAD, **options) if is_async else rlm.invoke(given, THREAD, **options)


def runs_of(roots: Iterable[Run]) -> Iterator[Run]:
    for root in roots:
        yield from root


# -- traces -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_async", [False, True])
@in_forms(*FORMS)
async def test_trace_has_the_text_in_the_roots_input_alone(
    given: dict[str, Any], is_async: bool, request: pytest.FixtureRequest
) -> None:
    with traced() as traces:
        assert (await run(rlm_of_tree(), given, is_async))["answer"][0] == ANSWER[0]
    [root] = traces.roots
    form = request.node.callspec.params["given"]
    check(as_json(root.inputs), NONE if form == "files" else ONCE)
    check(as_json(root.outputs), ONCE if form == "messages" else NONE)  # the conversation, as any graph gives it
    below = "".join(run.sent for child in root.children for run in child)
    check(below, QUESTION if form == "messages" else NONE)
    assert len(list(root)) > 25


@pytest.mark.parametrize("takes", [COMPRESSED, PLAIN], ids=["compressed", "plain"])
def test_trace_tells_what_went_on_at_each_depth(takes: dict[str, Any]) -> None:
    with traced(takes) as traces:
        rlm_of_tree().invoke({"query": "root", "context": TEXT}, THREAD)
    [root] = traces.roots
    names = [run.name for run in root]
    assert names[:4] == ["rlm", "route", "generate", "ScriptedModel"]
    assert {"execute", "subcall", "subcall_1", "weigh"} <= {*names}
    assert {run.kind for run in root} == {"chain", "llm", "tool"}
    asked = [run.outputs["output"]["update"]["asking"] for run in root.children if run.name == "execute"]
    assert asked == [2, 0, 1, 1, 0, 0]
    [child] = [run for run in root if run.name == "rlm" and run is not root]
    assert child.outputs["answer"] == len(TEXT)
    assert "parts = ctx.chunk" in child.outputs["trajectory"][0]["code"]
    assert root.outputs["answer"] == ANSWER


def test_client_that_hides_inputs_hides_the_text() -> None:
    with traced(hide_inputs=True) as traces:
        rlm_of_tree().invoke({"query": "root", "context": TEXT}, THREAD)
    check("".join(run.sent for run in runs_of(traces.roots)))


class Watching(BaseCallbackHandler):
    """A tracer that is not LangSmith's."""

    def __init__(self) -> None:
        self.ended: list[Any] = []

    def on_chain_end(self, outputs: Any, **_: Any) -> None:
        self.ended.append(outputs)


@in_forms("str", "files")
async def test_other_tracers_and_events_have_as_little(given: dict[str, Any]) -> None:
    watching = Watching()
    rlm_of_tree().invoke(given, {**THREAD, "callbacks": [watching]})
    check(str(watching.ended))
    events = [event async for event in rlm_of_tree().astream_events(given, THREAD)]
    check(as_json([event for event in events if event["event"] != "on_chain_start"]))


# -- streams and states -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_async", [False, True])
@in_forms("str", "documents", "files")
async def test_streams_have_no_text_and_nothing_of_the_repl(given: dict[str, Any], is_async: bool) -> None:
    options: Any = {"stream_mode": MODES, "subgraphs": True}
    if is_async:
        events = [event async for event in rlm_of_tree().astream(given, THREAD, **options)]
    else:
        events = list(rlm_of_tree().stream(given, THREAD, **options))
    for mode in MODES:
        told = [event for _, of, event in events if of == mode]
        assert told
        check(as_json(told))


@in_forms("messages")
def test_conversation_is_streamed_as_by_any_graph(given: dict[str, Any]) -> None:
    for mode in MODES:
        told = as_json(list(rlm_of_tree().stream(given, THREAD, stream_mode=mode, subgraphs=True)))
        if mode in ("updates", "tasks"):
            check(told, QUESTION)
        else:  # each has a state, with its `messages`
            check(told, (0, LINES))


@pytest.mark.parametrize("is_async", [False, True])
@in_forms("str", "documents", "files")
async def test_history_has_no_text_and_a_state_has_it_once(
    given: dict[str, Any], is_async: bool, request: pytest.FixtureRequest
) -> None:
    rlm = rlm_of_tree()
    await run(rlm, given, is_async)
    if is_async:
        history = [state async for state in rlm.aget_state_history(THREAD)]
        state = await rlm.aget_state(THREAD, subgraphs=True)
    else:
        history, state = list(rlm.get_state_history(THREAD)), rlm.get_state(THREAD, subgraphs=True)
    assert len(history) > 10
    check(as_json(history))
    check(as_json(state), NONE if request.node.callspec.params["given"] == "files" else ONCE)
    assert {"answer", "trajectory", "history", "usage", "context", "pending"} <= state.values.keys()


@in_forms("files")
def test_state_that_waits_shows_what_is_asked_and_its_history_does_not(given: dict[str, Any]) -> None:
    rlm = rlm_of_tree(interrupt_before=["subcall"])
    rlm.invoke(given, THREAD)
    while not (pending := rlm.get_state(THREAD).values["pending"]) or pending[0]["kind"] != "rlm":
        rlm.invoke(None, THREAD)
    check(as_json(rlm.get_state(THREAD)), ONCE)  # it is what the code asks with
    check(as_json(list(rlm.get_state_history(THREAD))))
    rlm.invoke(None, THREAD)
    [task] = rlm.get_state(THREAD, subgraphs=True).tasks
    assert [asked["prompt"] for asked in task.state.values["pending"]] == ["three"]
    check(as_json(task.state))
    check(as_json(list(rlm.get_state_history(task.state.config))))


def test_checkpointer_has_all_of_it() -> None:
    rlm = rlm_of_tree()
    rlm.invoke({"query": "root", "context": TEXT}, THREAD)
    kept = all_channels(rlm, THREAD)
    assert kept["context"][0]["text"] == TEXT
    assert [kept[dump][0][: len(packed.MAGIC)] for dump in ("cell_end", "suspension")] == [packed.MAGIC] * 2
    assert kept["journal"][0] == ["version", packed.VERSION]


# -- in apps ----------------------------------------------------------------------------------------------------------


class State(TypedDict, total=False):
    query: str
    context: Any
    answer: Any


def app_of(rlm: Any, saver: Any, **options: Any) -> Any:
    return StateGraph(State).add_node("rlm", rlm, **options).add_edge(START, "rlm").compile(checkpointer=saver)


@pytest.mark.parametrize("is_async", [False, True])
async def test_node_of_an_app_repeats_nothing_of_what_the_app_traces(is_async: bool) -> None:
    app = app_of(rlm_of_tree(checkpointer=None), InMemorySaver(), trace_policy=TracePolicy(process_inputs=omit_payload))
    with traced() as traces:
        assert (await run(app, {"query": "root", "context": TEXT}, is_async))["answer"] == ANSWER
    [root] = traces.roots
    assert [run.name for run in root][:4] == ["LangGraph", "rlm", "rlm", "route"]
    check("".join(run.sent for child in root.children for run in child))


@pytest.mark.parametrize("keeps", [None, True], ids=["begins anew", "keeps its thread"])
def test_streams_of_an_app_show_no_more_of_its_node(keeps: bool | None) -> None:
    app = app_of(rlm_of_tree(checkpointer=keeps), InMemorySaver())
    events = list(app.stream({"query": "root", "context": TEXT}, THREAD, stream_mode=MODES, subgraphs=True))
    below = [event for namespace, _, event in events if namespace]
    assert len(below) > 50
    check(as_json(below))


def test_function_of_an_app_traces_the_text_where_it_comes_from() -> None:
    rlm = rlm_of_tree(checkpointer=None)

    def ask(state: State) -> State:
        return {"answer": rlm.invoke({"query": "root", "context": TEXT})["answer"]}

    app = StateGraph(State).add_node("ask", ask).add_edge(START, "ask").compile()
    with traced() as traces:
        assert app.invoke({"query": "?"})["answer"] == ANSWER
    check("".join(run.sent for run in runs_of(traces.roots)))


@pytest.mark.parametrize("keeps", [None, True], ids=["begins anew", "keeps its thread"])
def test_node_that_is_killed_anywhere_has_its_text(keeps: bool | None) -> None:
    kills = 0
    for writes in range(1, 16):
        saver, model = KilledAt(writes), ScriptedModel(*[cell("Final = [llm_query('x'), len(P)]")] * 2)
        app = app_of(rlm_of(model, checkpointer=keeps), saver)
        try:
            out = app.invoke({"query": "q", "context": "a text"}, THREAD)
        except KeyboardInterrupt:
            kills += 1
            out = app.invoke(None if app.get_state(THREAD).next else {"query": "q", "context": "a text"}, THREAD)
        assert out["answer"] == ["answer to x", 6], writes
    assert kills > 8


# -- docs/tracing.md --------------------------------------------------------------------------------------------------

PAGE = (Path(__file__).parents[3] / "docs" / "tracing.md").read_text()


class ChatOpenAI(ScriptedModel):
    """A model whose runs have the name that the page has."""


@pytest.fixture(scope="module")
def shown() -> Run:
    """The trace that the page shows."""
    model = ChatOpenAI(
        script={
            "Question: Which orders": [
                cell("price = weigh('order 1')"),
                cell("said = llm_batch(ctx.chunk(50_000)[:2])"),
                cell("Final = rlm_query('Which are late?', P)"),
            ],
            "Question: Which are": [cell("Final = llm_query('Is order 1 late?')")],
        }
    )
    with traced() as traces:
        rlm_of(model, tools=[weigh]).invoke({"query": "Which orders are late?", "context": TEXT})
    [root] = traces.roots
    return root


def lines_of(run: Run, depth: int = 0) -> Iterator[str]:
    yield f"{'  ' * depth}{run.name} ({run.kind})"
    for child in run.children:
        yield from lines_of(child, depth + 1)


def test_page_shows_the_tree_of_a_run(shown: Run) -> None:
    [block] = re.findall(r"```text\n(.*?)\n```", PAGE, re.S)
    assert block.splitlines() == list(lines_of(shown))


def test_page_names_what_runs_take_and_give(shown: Run) -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \|$", PAGE, re.M)
    assert {name for name, *_ in rows} == {run.name for run in shown}
    for name, *told in rows:
        runs = [run for run in shown if run.name == name]
        outputs = as_json([run.outputs for run in runs])
        takes, gives = (re.findall(r"`([a-z]+)`", cells) for cells in told)
        assert {*takes} - {"messages"} <= {key for run in runs for key in run.inputs}, name
        assert all(f'"{key}":' in outputs for key in gives), name
