"""Conversations of several agents, and states of apps in any form: as a question and a text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.message import add_messages
from langgraph_supervisor import create_supervisor
from langgraph_swarm import create_handoff_tool, create_swarm
from pydantic import BaseModel
from typing_extensions import TypedDict

from langgraph_rlm import create_rlm
from langgraph_rlm.errors import InvalidInput
from tests.fakes import AgentModel, ScriptedModel, cell, rlm_of

BOOK = "Call me Ishmael. Some years ago, never mind how long precisely, I went to sea."
THREAD: Any = {"configurable": {"thread_id": "1"}}
HANDED: list[BaseMessage] = [
    AIMessage("", tool_calls=[{"name": "transfer_to_rlm", "args": {}, "id": "1"}]),
    ToolMessage("Successfully transferred to rlm", name="transfer_to_rlm", tool_call_id="1"),
]


class Agent(AgentModel):
    """A model that calls a tool where its script names one, else says what is there."""

    script: list[Any]

    def reply(self, messages: list[BaseMessage]) -> AIMessage:
        said = self.script.pop(0)
        calls = [{"name": said[0], "args": {}, "id": f"call-{len(self.script)}"}] if isinstance(said, tuple) else []
        return AIMessage("" if calls else said, tool_calls=calls)


def said(messages: list[AnyMessage]) -> list[tuple[str, str | None, str]]:
    return [(message.type, message.name, message.text) for message in messages if message.text]


@pytest.mark.parametrize(
    "after",
    [
        HANDED,
        [AIMessage("Let me see.", name="supervisor")],
        [AIMessage("", tool_calls=[{"name": "look", "args": {}, "id": "1"}]), ToolMessage("7", tool_call_id="1")],
        [AIMessage("It is on page 1.", name="researcher"), *HANDED],
        [SystemMessage("Be brief.")],
    ],
    ids=["hand-off", "agent", "tool", "agent and hand-off", "system"],
)
@pytest.mark.parametrize("profile", ["rlm", "direct"])
def test_last_message_of_a_human_is_the_question_whatever_follows_it(after: list[BaseMessage], profile: str) -> None:
    model = ScriptedModel(cell("Final = P"), answer=lambda prompt: prompt)
    messages = [HumanMessage(BOOK), AIMessage("I have read it."), HumanMessage("Who?"), *after]
    out = rlm_of(model, name="reader").invoke({"messages": messages, "profile": profile})
    assert (out["messages"][-1].type, out["messages"][-1].name) == ("ai", "reader")
    assert out["messages"][:-1] == messages
    if profile == "rlm":
        assert "Question: Who?" in model.turns[0].told
        assert out["answer"].startswith(f"{BOOK}\n\nI have read it.\n\nWho?")
        assert "transferred" not in out["answer"]
    else:
        [call] = model.calls
        assert (call.messages[-1].type, "Who?" in call.told) == ("human", True)
        assert "transferred" not in call.told
        assert not any(getattr(message, "tool_calls", None) or message.type == "tool" for message in call.messages)


def test_model_is_sent_no_two_messages_of_ours_in_a_row_and_no_empty_ones() -> None:
    model = ScriptedModel(answer=lambda prompt: "sunny")
    calls = AIMessage("", tool_calls=[{"name": "weather", "args": {}, "id": "1"}])
    weather = ToolMessage("sunny", name="weather", tool_call_id="1")
    messages = [HumanMessage("How is it?"), AIMessage(""), calls, weather, *HANDED]
    rlm_of(model).invoke({"messages": messages, "profile": "direct"})
    [call] = model.calls
    assert [message.type for message in call.messages] == ["human"]
    assert "weather: sunny" in call.told


def test_what_other_agents_and_tools_said_is_in_the_text_under_their_names() -> None:
    model = ScriptedModel(cell("Final = [(ctx.metadata[i]['name'], ctx.get_document(i)) for i in (0, 1, 2)]"))
    calls = AIMessage("", tool_calls=[{"name": "weigh", "args": {}, "id": "1"}])
    found = AIMessage("It is a whale.", name="researcher")
    messages = [HumanMessage("How heavy?"), calls, ToolMessage("7 t", name="weigh", tool_call_id="1"), found]
    out = rlm_of(model).invoke({"messages": messages, "profile": "rlm"})
    assert out["answer"] == [["human", "How heavy?"], ["weigh", "7 t"], ["researcher", "It is a whale."]]


def test_query_beside_messages_that_end_with_an_agent_is_answered_in_them() -> None:
    model = ScriptedModel(cell("Final = len(P)"))
    out = rlm_of(model).invoke({"query": "How long?", "messages": [HumanMessage(BOOK), AIMessage("Well.")]})
    assert out["messages"][-1].text == str(len(f"{BOOK}\n\nWell."))


def test_query_alone_on_a_thread_of_messages_is_not() -> None:
    model = ScriptedModel(script=[cell("Final = 1"), cell("Final = 2")])
    rlm = rlm_of(model, checkpointer=InMemorySaver())
    rlm.invoke({"messages": [HumanMessage("one")], "profile": "rlm"}, THREAD)
    out = rlm.invoke({"query": "two", "profile": "rlm"}, THREAD)
    assert [message.text for message in out["messages"]] == ["one", "1"]


supervised = pytest.mark.filterwarnings("ignore:create_react_agent has been moved")  # it uses that itself


@supervised
def test_worker_of_a_supervisor_gets_the_question_and_hands_back_its_answer() -> None:
    rlm = rlm_of(ScriptedModel(cell("Final = P.upper()")), name="reader")
    boss = Agent(script=[("transfer_to_reader",), "He is Ishmael."])
    app = create_supervisor([rlm], model=boss).compile(checkpointer=InMemorySaver())
    out = app.invoke({"messages": [HumanMessage("Who?")]}, THREAD)
    assert ("ai", "reader", "WHO?") in said(out["messages"])
    assert out["messages"][-1].text == "He is Ishmael."


@supervised
def test_worker_is_asked_again_over_turns_and_beside_another() -> None:
    first = rlm_of(ScriptedModel(cell("Final = 'one: ' + P.splitlines()[-1]")), name="one")
    second = rlm_of(ScriptedModel(cell("Final = 'two: ' + P.splitlines()[-1]")), name="two")
    boss = Agent(script=[("transfer_to_one",), ("transfer_to_two",), "Done.", ("transfer_to_one",), "Done again."])
    app = create_supervisor([first, second], model=boss).compile(checkpointer=InMemorySaver())
    app.invoke({"messages": [HumanMessage("q1")]}, THREAD)
    out = app.invoke({"messages": [HumanMessage("q2")]}, THREAD)
    answers = [text for _, name, text in said(out["messages"]) if name in ("one", "two") and "ransfer" not in text]
    assert answers == ["one: q1", "two: one: q1", "one: q2"]


async def test_agent_of_a_swarm_takes_over_and_answers() -> None:
    rlm = rlm_of(ScriptedModel(cell("Final = P.upper()")), name="reader")
    host = create_agent(
        Agent(script=[("transfer_to_reader",)]), [create_handoff_tool(agent_name="reader")], name="host"
    )
    app = create_swarm([host, rlm], default_active_agent="host").compile(checkpointer=InMemorySaver())
    out = await app.ainvoke({"messages": [HumanMessage("Who?")]}, THREAD)
    assert (out["messages"][-1].name, out["messages"][-1].text) == ("reader", "WHO?")


def test_rlm_follows_an_agent_another_rlm_and_itself() -> None:
    model = ScriptedModel(cell("Final = str(ctx.num_documents())"))
    one, two = rlm_of(model, name="one"), rlm_of(model, name="two")
    builder = StateGraph(MessagesState)
    builder.add_node("agent", lambda state: {"messages": [AIMessage("I looked.", name="agent")]})
    for name, rlm in (("one", one), ("two", two), ("again", two)):
        builder.add_node(name, rlm)
    for pair in ((START, "agent"), ("agent", "one"), ("one", "two"), ("two", "again")):
        builder.add_edge(*pair)
    out = builder.compile().invoke({"messages": [HumanMessage("How many?")]})
    assert [text for _, _, text in said(out["messages"])] == ["How many?", "I looked.", "2", "3", "4"]


# -- states -----------------------------------------------------------------------------------------------------------


class AsModel(BaseModel):
    query: str | None = None
    context: Any = None
    profile: str | None = None
    messages: Annotated[list[AnyMessage] | None, add_messages] = None
    answer: Any = None
    note: str = "kept"


@dataclass
class AsDataclass:
    query: str | None = None
    context: Any = None
    profile: str | None = None
    messages: Annotated[list[AnyMessage], add_messages] = field(default_factory=list)
    answer: Any = None
    note: str = "kept"


class AsDict(TypedDict, total=False):
    query: str | None
    context: Any
    profile: str | None
    messages: Annotated[list[AnyMessage], add_messages]
    answer: Any
    note: str


STATES: list[Any] = [AsModel, AsDataclass, AsDict]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("context", ["a text", ["a text"], [Document("a text")]], ids=["str", "list", "documents"])
def test_state_of_an_app_may_have_any_form(state: Any, context: Any) -> None:
    builder = StateGraph(state)
    builder.add_node("rlm", rlm_of(ScriptedModel(cell("Final = P"))))
    builder.add_edge(START, "rlm")
    app = builder.compile(checkpointer=InMemorySaver())
    given = {"query": "What?", "context": context, "note": "mine"}
    for asked in (given, {**given, "profile": "rlm"}):
        out = app.invoke(asked if state is AsDict else state(**asked), THREAD)
        assert (out["answer"], out["note"]) == ("a text", "mine")


@pytest.mark.parametrize("state", STATES)
def test_messages_of_such_a_state_are_answered_in_them(state: Any) -> None:
    builder = StateGraph(state)
    builder.add_node("rlm", rlm_of(ScriptedModel(cell("Final = P.upper()"))))
    builder.add_edge(START, "rlm")
    out = builder.compile().invoke({"messages": [HumanMessage("hello")]})
    assert [message.text for message in out["messages"]] == ["hello", "HELLO"]


@pytest.mark.parametrize("state", [AsModel, AsDataclass])
def test_such_a_state_may_be_handed_to_it_as_it_is(state: Any) -> None:
    rlm = rlm_of(ScriptedModel(cell("Final = P")))
    assert rlm.invoke(state(query="What?", context="a text"))["answer"] == "a text"
    with pytest.raises(InvalidInput, match="query"):
        rlm.invoke(state(context="a text"))


def test_keys_of_an_app_and_what_is_not_given_are_left_out() -> None:
    rlm = rlm_of(ScriptedModel(cell("Final = P")))
    given = {"query": "What?", "context": "a text", "profile": None, "messages": None, "status": {"mine": 1}, "x": 2}
    assert rlm.invoke(given)["answer"] == "a text"


@pytest.mark.parametrize("given", ["a question", 5, ["a question"], object()])
def test_input_without_names_is_refused(given: Any) -> None:
    with pytest.raises(InvalidInput, match="dict"):
        create_rlm(ScriptedModel()).invoke(given)
