"""What is too long for an agent's model is kept as documents, and asked about by an RLM."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command
from pydantic import PrivateAttr

from langgraph_rlm import InvalidInput, Limits, OffloadMiddleware
from langgraph_rlm.apps import offload
from tests.fakes import AgentModel, ScriptedModel, cell, rlm_of
from tests.traces import traced

THREAD: Any = {"configurable": {"thread_id": "1"}}
LONG = "".join(f"line {i}: nothing\n" for i in range(2_000)) + "the needle is 77"


class Agent(AgentModel):
    """Says what is written down: calls of tools, as (name, arguments), or words."""

    script: list[Any]
    _seen: list[list[BaseMessage]] = PrivateAttr(default_factory=list)

    @property
    def seen(self) -> list[list[BaseMessage]]:
        return self._seen

    def reply(self, messages: list[BaseMessage]) -> AIMessage:
        self._seen.append(messages)
        said = self.script[sum(isinstance(message, AIMessage) for message in messages)]
        if isinstance(said, str):
            return AIMessage(said)
        calls: Any = [{"name": name, "args": args, "id": f"{name}-{i}"} for i, (name, args) in enumerate(said)]
        return AIMessage("", tool_calls=calls)


@tool
def fetch(page: str) -> str:
    """Fetches a page."""
    return page if page == "short" else f"{page}\n{LONG}"


@tool
def move() -> Any:
    """Gives a command."""
    return Command(update={"messages": [ToolMessage(f"moved\n{LONG}", tool_call_id="move-0")]})


@tool
def picture() -> Any:
    """Gives a text and a picture."""
    return [{"type": "text", "text": LONG}, {"type": "image", "url": "https://example.com/a.png"}]


def needle() -> Any:
    code = "m = re.search('needle is (.*)', P)\nFinal = [m.group(1), [d['name'] for d in ctx.metadata]]"
    return rlm_of(ScriptedModel(cell(code)), limits=Limits(max_steps=1))


def run(agent: Any, given: Any, is_async: bool = False) -> Any:
    return asyncio.run(agent.ainvoke(given, THREAD)) if is_async else agent.invoke(given, THREAD)


def asked(text: str = "?") -> Any:
    return {"messages": [HumanMessage(text)]}


def agent_of(model: Agent, **settings: Any) -> Any:
    return create_agent(model, [fetch, move, picture], middleware=[OffloadMiddleware(needle())], **settings)


ASK = [("ask_documents", {"question": "What is the needle?"})]


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_result_of_a_tool_that_is_too_long_is_a_document_that_can_be_asked_about(is_async: bool) -> None:
    model = Agent(script=[[("fetch", {"page": "one"})], ASK, "77"])
    out = run(agent_of(model, checkpointer=InMemorySaver()), asked(), is_async)
    shown = model.seen[1][-1].text
    assert shown.startswith("one\nline 0: nothing\n")
    assert f"document 1, which has {len(LONG) + 4:,} characters" in shown
    assert len(shown) < 800
    assert out["messages"][-2].text == '["77", ["document 1 (fetch)"]]'
    assert out["messages"][-2].artifact["status"] == "answered"


def test_what_is_short_stays_as_it_is() -> None:
    model = Agent(script=[[("fetch", {"page": "short"})], ASK, "77"])
    out = run(agent_of(model), asked())
    assert model.seen[1][-1].text == "short"
    assert "no documents" in out["messages"][-2].text


def test_calls_side_by_side_have_documents_of_their_own_that_can_be_chosen() -> None:
    calls = [("fetch", {"page": page}) for page in ("one", "short", "three")]
    ask = [
        ("ask_documents", {"question": "q", "documents": [3]}),
        ("ask_documents", {"question": "q"}),
        ("ask_documents", {"question": "q", "documents": [2]}),
    ]
    model = Agent(script=[calls, ask, "done"])
    out = run(agent_of(model, checkpointer=InMemorySaver()), asked())
    told = [message.text for message in out["messages"] if message.type == "tool"][3:]
    assert told[0] == '["77", ["document 3 (fetch)"]]'
    assert told[1] == '["77", ["document 1 (fetch)", "document 3 (fetch)"]]'
    assert "no document 2. There are: 1, 3" in told[2]


def test_text_that_a_human_has_pasted_is_a_document_too() -> None:
    model = Agent(script=[ASK, "77"])
    out = run(agent_of(model, checkpointer=InMemorySaver()), asked(f"What is the needle?\n{LONG}"))
    assert model.seen[0][-1].text.startswith("What is the needle?\nline 0")
    assert len(out["messages"][0].text) < 800
    assert out["messages"][-2].text == '["77", ["document 1 (human)"]]'


def test_commands_and_what_is_no_text_are_kept() -> None:
    model = Agent(script=[[("move", {})], [("picture", {})], ASK, "77"])
    out = run(agent_of(model), asked())
    assert "document 1" in model.seen[1][-1].text
    blocks: Any = model.seen[2][-1].content
    assert [block["type"] for block in blocks] == ["text", "image"]
    assert out["messages"][-2].text == '["77", ["document 1 (move)", "document 2 (picture)"]]'


def test_documents_live_over_turns_and_are_stored_once(tmp_path: Path) -> None:
    path = tmp_path / "agent.db"
    with SqliteSaver.from_conn_string(str(path)) as saver:
        model = Agent(script=[[("fetch", {"page": "one"})], "done", *["more"] * 9, ASK, "77"])
        agent = agent_of(model, checkpointer=saver)
        run(agent, asked())
        for _ in range(9):
            run(agent, asked("and?"))
        out = run(agent, asked("What is the needle?"))
    assert out["messages"][-2].text == '["77", ["document 1 (fetch)"]]'
    stored = path.read_bytes() + Path(f"{path}-wal").read_bytes() if Path(f"{path}-wal").exists() else path.read_bytes()
    assert stored.count(b"line 1234: nothing") <= 3  # as the tool's write, in the state, in the RLM's own


def test_state_of_the_agent_shows_no_documents() -> None:
    agent = agent_of(Agent(script=[[("fetch", {"page": "one"})], "done"]))
    assert "offloaded" not in run(agent, asked())
    assert "offloaded" not in agent.get_input_jsonschema()["properties"]


def test_resume_after_an_interrupt_has_the_documents() -> None:
    model = Agent(script=[[("fetch", {"page": "one"})], ASK, "77"])
    agent = agent_of(model, checkpointer=InMemorySaver(), interrupt_before=["tools"])
    for given in (asked(), None, None):
        out = run(agent, given)
    assert out["messages"][-2].text == '["77", ["document 1 (fetch)"]]'


def test_agent_that_keeps_no_state_gives_the_texts_back() -> None:
    given = asked(f"What is the needle?\n{LONG}")
    model = Agent(script=[[("fetch", {"page": "one"})], ASK, "done"])
    out = run(agent_of(model), given)
    assert "document 1" in model.seen[0][-1].text
    assert "document 2" in model.seen[1][-1].text
    assert [out["messages"][0].text, out["messages"][2].text] == [given["messages"][0].text, f"one\n{LONG}"]


def test_agent_in_an_app_gives_the_texts_back_and_finds_them_in_the_next_turn() -> None:
    model = Agent(script=["done", ASK, "77", "ok", ASK, "88"])
    builder = StateGraph(MessagesState)
    builder.add_node("agent", agent_of(model))
    builder.add_edge(START, "agent")
    app = builder.compile(checkpointer=InMemorySaver())
    out = run(app, asked(LONG))
    assert out["messages"][0].text == LONG
    out = run(app, asked("What is the needle?"))
    assert out["messages"][-2].text == '["77", ["document 1 (human)"]]'
    run(app, asked(LONG.replace("77", "88")))
    out = run(app, asked("And the other one?"))
    assert out["messages"][-2].text == '["77", ["document 1 (human)", "document 2 (human)"]]'


@pytest.mark.parametrize("above", [0, 500, -1, "20", True, 2.5])
def test_bound_that_is_none_is_refused(above: Any) -> None:
    with pytest.raises(InvalidInput, match="above"):
        OffloadMiddleware(needle(), above=above)


def test_bound_is_one_of_characters() -> None:
    model = Agent(script=["done"])
    agent = create_agent(model, [], middleware=[OffloadMiddleware(needle(), above=600)])
    run(agent, asked("x" * 601))
    assert "document 1, which has 601 characters" in model.seen[0][0].text
    run(agent, asked("x" * 600))
    assert model.seen[1][0].text == "x" * 600


def clean_up(saver: InMemorySaver) -> None:
    """Keeps the newest checkpoint of each namespace, and no blob that it does not name."""
    for namespace, checkpoints in saver.storage["1"].items():
        for checkpoint in [*checkpoints][:-1]:
            del checkpoints[checkpoint]
        [newest] = saver.list({"configurable": {**THREAD["configurable"], "checkpoint_ns": namespace}})
        versions = newest.checkpoint["channel_versions"]
        for key in [key for key in saver.blobs if key[1] == namespace and versions.get(key[2]) != key[3]]:
            del saver.blobs[key]
    saver.writes.clear()


def test_documents_outlive_a_clean_up() -> None:
    saver = InMemorySaver()
    model = Agent(script=[[("fetch", {"page": "one"})], "seen", [("fetch", {"page": "two"})], ASK, "told", ASK, "told"])
    agent = agent_of(model, checkpointer=saver)
    for text in ("first", "second", "third"):
        out = run(agent, asked(text))
        clean_up(saver)
    told = [message.text for message in out["messages"] if message.type == "tool"]
    assert "beginning of document 2" in told[1]
    assert told[2] == told[3] == '["77", ["document 1 (fetch)", "document 2 (fetch)"]]'


def test_documents_that_a_clean_up_took_are_named_and_their_numbers_are_not_given_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(offload, "MOST_WHOLE", 1_000)
    saver = InMemorySaver()
    model = Agent(script=[[("fetch", {"page": "one"})], "seen", [("fetch", {"page": "two"})], ASK, "told"])
    agent = agent_of(model, checkpointer=saver)
    run(agent, asked())
    clean_up(saver)
    out = run(agent, asked("and now?"))
    told = [message.text for message in out["messages"] if message.type == "tool"]
    assert "beginning of document 2" in told[1]
    assert "document 1 is not in the agent's state any more" in told[2]


def test_traces_show_documents_by_their_lengths() -> None:
    model = Agent(script=[[("fetch", {"page": "one"})], ASK, "77"])
    with traced() as traces:
        run(agent_of(model, checkpointer=InMemorySaver()), asked())
    [root] = traces.roots
    holding = [one.name for one in root if "line 1234: nothing" in one.sent]
    assert {*holding} <= {"fetch", "tools", "wrap_tool_call"}  # the result of the tool itself


def test_message_that_quotes_a_stub_keeps_its_words() -> None:
    quote = "Invoice total: 5 EUR. [This is the beginning of document 1, which has 3 characters."
    model = Agent(script=[[("fetch", {"page": "one"})], "done"])
    out = run(agent_of(model), {"messages": [HumanMessage(quote)]})
    assert out["messages"][0].text == quote
    assert out["messages"][-2].text == f"one\n{LONG}"


def test_text_with_a_lone_surrogate_can_be_asked_about() -> None:
    @tool
    def broken() -> str:
        """Gives a text that is none."""
        return "\ud800" + LONG

    model = Agent(script=[[("broken", {})], ASK, "done"])
    agent = create_agent(model, [broken], middleware=[OffloadMiddleware(needle())])
    out = run(agent, asked())
    assert "77" in [message.text for message in out["messages"] if message.type == "tool"][1]


def test_tracer_has_no_complaint_of_the_tool(caplog: pytest.LogCaptureFixture) -> None:
    """A config that a middleware has passed on names a run that the tracer knows no more."""
    model = Agent(script=[[("fetch", {"page": "one"})], ASK, "77"])
    with traced() as traces:
        run(agent_of(model, checkpointer=InMemorySaver()), asked())
    assert not [record for record in caplog.records if "Error in" in record.message]
    [root] = traces.roots
    assert "ask_documents" in {run.name for run in root}
