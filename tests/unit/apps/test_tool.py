"""An RLM as a tool of an agent."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.tools import ToolRuntime
from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from langgraph_rlm import Context, ContextError, Limits, as_tool
from tests.fakes import AgentModel, ScriptedModel, cell, rlm_of

THREAD: Any = {"configurable": {"thread_id": "1"}}
ASKS: Any = {"messages": [HumanMessage("?")]}


class Agent(AgentModel):
    """Calls the tool with what is there for it, then says what came of that."""

    calls: list[dict[str, Any]]

    def reply(self, messages: list[BaseMessage]) -> AIMessage:
        if isinstance(messages[-1], ToolMessage):
            return AIMessage(messages[-1].text)
        calls: Any = [{"name": "ask", "args": args, "id": str(i)} for i, args in enumerate(self.calls)]
        return AIMessage("", tool_calls=calls)


def agent_with(rlm: Any, *calls: dict[str, Any], context: Any = None, **settings: Any) -> Any:
    ask = as_tool(rlm, name="ask", description="Answers questions about a text.", context=context)
    return create_agent(Agent(calls=[*calls]), [ask], **settings)


def run(agent: Any, given: Any, is_async: bool = False, config: Any = THREAD) -> Any:
    return asyncio.run(agent.ainvoke(given, config)) if is_async else agent.invoke(given, config)


def upper() -> Any:
    return rlm_of(ScriptedModel(cell("Final = P.upper()")), limits=Limits(max_steps=1))


def text_of_state(runtime: ToolRuntime[Any, Any]) -> Any:
    return runtime.state["messages"][0].text


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize(
    ("context", "args", "answer"),
    [
        (None, {"question": "q", "text": "of the agent"}, "OF THE AGENT"),
        ("fixed", {"question": "q"}, "FIXED"),
        (["one", "two"], {"question": "q"}, "ONE\n\nTWO"),
        ([Document("one")], {"question": "q"}, "ONE"),
        (Context.of("made"), {"question": "q"}, "MADE"),
        (text_of_state, {"question": "q"}, "?"),
    ],
    ids=["text", "str", "list", "documents", "Context", "function"],
)
def test_agent_asks_about_its_text_or_one_that_is_there(context: Any, args: Any, answer: str, is_async: bool) -> None:
    out = run(agent_with(upper(), args, context=context), ASKS, is_async)
    *_, told, last = out["messages"]
    assert (told.text, last.text) == (answer, answer)
    assert told.artifact["answer"] == answer
    assert told.artifact["usage"]["scripted-1"]["input_tokens"] == 10
    assert "trajectory" not in told.artifact


def test_arguments_are_a_question_and_a_text_where_none_is_there() -> None:
    described = {"name": "ask", "description": "Answers."}
    assert [*as_tool(upper(), **described).tool_call_schema.model_json_schema()["properties"]] == ["question", "text"]  # type: ignore[union-attr]
    assert [*as_tool(upper(), **described, context="x").args] == ["question"]
    bads: list[Any] = [5, "", []]
    for bad in bads:
        with pytest.raises(ContextError):
            as_tool(upper(), **described, context=bad)


@pytest.mark.parametrize(
    ("args", "context", "told"),
    [
        ({"question": "", "text": "x"}, None, "query is empty"),
        ({"question": "q", "text": ""}, None, "context is empty"),
        ({"question": "q"}, lambda runtime: 5, "of type int"),
    ],
)
def test_what_cannot_be_asked_is_told_to_the_agent(args: Any, context: Any, told: str) -> None:
    message = run(agent_with(upper(), args, context=context), ASKS)["messages"][-2]
    assert (message.status, told in message.text) == ("error", True)


async def test_it_may_be_called_outside_of_an_agent() -> None:
    described: Any = {"name": "ask", "description": "Answers."}
    fixed, open_one = as_tool(upper(), **described, context="text"), as_tool(upper(), **described)
    assert fixed.invoke({"question": "q"}) == "TEXT"
    assert await fixed.ainvoke({"question": "q"}) == "TEXT"
    assert open_one.invoke({"question": "q", "text": "mine"}) == "MINE"
    renamed = as_tool(upper(), name="ask_text", description="Answers.", context="text")
    outer = rlm_of(ScriptedModel(cell("Final = ask_text('q')")), tools=[renamed])
    assert outer.invoke({"query": "q", "context": "other"})["answer"] == "TEXT"
    assert "outside" in as_tool(upper(), **described, context=text_of_state).invoke({"question": "q"})


async def text_later(runtime: Any) -> str:
    return "text"


def test_context_that_is_made_later_is_refused() -> None:
    with pytest.raises(ContextError, match="async"):
        as_tool(upper(), name="ask", description="Answers.", context=text_later)  # type: ignore[arg-type]


def test_question_without_an_answer_is_told_as_such() -> None:
    rlm = rlm_of(ScriptedModel(cell("x = 1"), cell("y = 1")), limits=Limits(max_steps=1))
    message = run(agent_with(rlm, {"question": "q"}, context="text"), ASKS)["messages"][-2]
    assert "No answer was found" in message.text
    assert message.artifact["status"] == "limit"


def test_answer_that_is_data_is_told_as_json() -> None:
    rlm = rlm_of(ScriptedModel(cell("Final = {'n': [1, 2]}")))
    message = run(agent_with(rlm, {"question": "q"}, context="text"), ASKS)["messages"][-2]
    assert (message.text, message.artifact["answer"]) == ('{"n": [1, 2]}', {"n": [1, 2]})


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_interrupts_go_through_and_nothing_is_paid_for_twice(is_async: bool) -> None:
    model = ScriptedModel(cell("Final = [llm_query('a'), *llm_batch(['b', 'c', 'd'])]"))
    agent = agent_with(
        rlm_of(model, limits=Limits(confirm_above=2)), {"question": "q"}, context="text", checkpointer=InMemorySaver()
    )
    [asked] = run(agent, ASKS, is_async)["__interrupt__"]
    assert asked.value["count"] == 3
    out = run(agent, Command(resume=True), is_async)
    assert "answer to d" in out["messages"][-1].text
    assert model.asked == ["a", "b", "c", "d"]
    assert len(model.turns) == 1


def test_questions_of_one_message_are_asked_side_by_side_each_with_its_own_text() -> None:
    calls = [{"question": "q", "text": f"text {i}"} for i in range(3)]
    out = run(agent_with(upper(), *calls, checkpointer=InMemorySaver()), ASKS)
    assert [message.text for message in out["messages"] if message.type == "tool"] == ["TEXT 0", "TEXT 1", "TEXT 2"]


def test_streams_and_callbacks_see_what_goes_on_in_it() -> None:
    agent, usage = agent_with(upper(), {"question": "q"}, context="text"), UsageMetadataCallbackHandler()
    stream = agent.stream(ASKS, {"callbacks": [usage]}, stream_mode="updates", subgraphs=True)
    nodes = [node for namespace, update in stream for node in update if namespace]
    assert {"route", "generate", "execute"} <= {*nodes}
    assert usage.usage_metadata["scripted-1"]["input_tokens"] == 10
