"""RLMs that a node of an app calls as functions: how often, with its config or without, and after what.

Each call has a thread of its own, and goes on with that where its node is tried again, interrupted or killed: it knows
its text, has its own limits, and pays for nothing twice.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Literal

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import START, StateGraph
from langgraph.types import Command, RetryPolicy, interrupt
from pydantic import Field
from typing_extensions import TypedDict

from langgraph_rlm import Limits
from langgraph_rlm.langgraph_internals import ensure_config
from tests.fakes import AgentModel, InOrder, ScriptedModel, cell, rlm_of

THREAD: Any = {"configurable": {"thread_id": "1"}}
TEXTS = {"same": ["a text"] * 3, "other": ["a text", "another text", "a third text"]}
Event = Literal["happy", "retry", "interrupt", "kill"]


class State(TypedDict, total=False):
    said: list[Any]


QUESTIONS = ("q0", "q1", "q2")


class Situation:
    """An app whose node asks three questions; the second one is where something happens."""

    def __init__(self, event: Event, keeps: bool, passes: bool, texts: list[str], is_async: bool) -> None:
        self.event, self.passes, self.texts, self.is_async = event, passes, texts, is_async
        self.fails = event == "retry"
        script: Any = {
            question: [
                cell(f"said = [llm_query(str(n) + ' of {question} ' + P) for n in (1, 2)]"),
                self.last_turn(question),
            ]
            for question in QUESTIONS
        }
        self.model = ScriptedModel(script=script, answer=lambda prompt: f"re: {prompt}")
        self.rlm = rlm_of(self.model, checkpointer=True if keeps else None, limits=Limits(max_subcalls=2))
        builder = StateGraph(State)
        node: Any = self.anode if is_async else self.node
        builder.add_node("node", node, retry_policy=RetryPolicy(initial_interval=0.01, retry_on=Exception))
        builder.add_edge(START, "node")
        self.app = builder.compile(checkpointer=InMemorySaver())

    def last_turn(self, question: str) -> Callable[[Any], str]:
        def reply(messages: Any) -> str:
            if self.fails and question == "q1":
                self.fails = False
                raise OSError("an outage")
            return cell("Final = said")

        return reply

    def given(self, number: int) -> Any:
        return {"query": QUESTIONS[number], "context": self.texts[number]}

    def config(self, config: RunnableConfig) -> Any:
        return [config] if self.passes else []

    def node(self, state: State, config: RunnableConfig) -> State:
        said = []
        for number in range(3):
            said.append(self.rlm.invoke(self.given(number), *self.config(config)))
            self.between(number)
        return {"said": said}

    async def anode(self, state: State, config: RunnableConfig) -> State:
        said = []
        for number in range(3):
            said.append(await self.rlm.ainvoke(self.given(number), *self.config(config)))
            self.between(number)
        return {"said": said}

    def between(self, number: int) -> None:
        if self.event == "interrupt" and number == 1:
            interrupt("go on?")
        if self.event == "kill" and number == 1 and not self.fails:
            self.fails = True
            raise KeyboardInterrupt

    def run(self, given: Any) -> Any:
        if self.is_async:
            return asyncio.run(self.app.ainvoke(given, THREAD))
        return self.app.invoke(given, THREAD)


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("texts", TEXTS)
@pytest.mark.parametrize("passes", [True, False], ids=["config", "no config"])
@pytest.mark.parametrize("keeps", [False, True], ids=["None", "True"])
@pytest.mark.parametrize("event", ["happy", "retry", "interrupt", "kill"])
def test_each_call_of_a_node_has_its_text_and_limits_and_pays_once(
    event: Event, keeps: bool, passes: bool, texts: str, is_async: bool
) -> None:
    at = Situation(event, keeps, passes, TEXTS[texts], is_async)
    try:
        out = at.run({"said": []})
    except KeyboardInterrupt:
        assert event == "kill"
        out = at.run(None)
    if event == "interrupt":
        out = at.run(Command(resume=True))
    prompts = [
        [f"{n} of {question} {text}" for n in (1, 2)] for question, text in zip(QUESTIONS, at.texts, strict=True)
    ]
    assert [call["answer"] for call in out["said"]] == [[f"re: {prompt}" for prompt in pair] for pair in prompts]
    assert [(call["status"], call["subcalls"]) for call in out["said"]] == [("answered", 2)] * 3
    assert sorted(at.model.asked) == sorted(prompt for pair in prompts for prompt in pair)
    assert len(at.model.turns) == 6 + (event == "retry")


@pytest.mark.parametrize("keeps", [False, True], ids=["None", "True"])
@pytest.mark.parametrize("other", ["question", "text"])
def test_node_that_asks_otherwise_when_it_runs_again_gets_the_answer_to_that(keeps: bool, other: str) -> None:
    model = InOrder(script=[cell("Final = 'first ' + P"), cell("Final = 'then ' + P")])
    rlm = rlm_of(model, checkpointer=True if keeps else None)
    tries = list[Any]()

    def node(state: State) -> State:
        tries.append({"query": "first", "context": "a text"})
        if len(tries) > 1:
            tries[-1] |= {"query": "second"} if other == "question" else {"context": "another text"}
        said = rlm.invoke(tries[-1])["answer"]
        interrupt("go on?")
        return {"said": said}

    builder = StateGraph(State)
    builder.add_node("node", node)
    builder.add_edge(START, "node")
    app = builder.compile(checkpointer=InMemorySaver())
    app.invoke({"said": []}, THREAD)
    answer = app.invoke(Command(resume=True), THREAD)["said"]
    assert answer == ("then a text" if other == "question" else "then another text")


# -- where it is called -----------------------------------------------------------------------------------------------

ASKS: Any = {"query": "q", "context": "text", "profile": "rlm"}


class Calling(AgentModel):
    """The model of an agent: calls the tool `ask`, then says what that gave."""

    def reply(self, messages: list[BaseMessage]) -> AIMessage:
        if isinstance(messages[-1], ToolMessage):
            return AIMessage(messages[-1].text)
        return AIMessage("", tool_calls=[{"name": "ask", "args": {}, "id": "1"}])


def in_a_node(rlm: Any, is_async: bool, saver: Any) -> Any:
    async def anode(state: State) -> State:
        return {"said": (await rlm.ainvoke(ASKS))["answer"]}

    builder = StateGraph(State)
    builder.add_node("node", anode if is_async else lambda state: {"said": rlm.invoke(ASKS)["answer"]})
    builder.add_edge(START, "node")
    return builder.compile(checkpointer=saver)


def in_a_tool(rlm: Any, is_async: bool, saver: Any) -> Any:
    def ask() -> str:
        """Asks."""
        return str(rlm.invoke(ASKS)["answer"])

    async def aask() -> str:
        """Asks."""
        return str((await rlm.ainvoke(ASKS))["answer"])

    return create_agent(Calling(), [tool("ask")(aask if is_async else ask)], checkpointer=saver)


def in_a_middleware(rlm: Any, is_async: bool, saver: Any) -> Any:
    class Asking(AgentMiddleware[Any, Any]):
        def before_agent(self, state: Any, runtime: Any) -> dict[str, Any]:
            return {"messages": [AIMessage(str(rlm.invoke(ASKS)["answer"]))]}

        async def abefore_agent(self, state: Any, runtime: Any) -> dict[str, Any]:
            return {"messages": [AIMessage(str((await rlm.ainvoke(ASKS))["answer"]))]}

    model = GenericFakeChatModel(messages=iter([AIMessage("ended")]))
    return create_agent(model, [], middleware=[Asking()], checkpointer=saver)


def in_a_task(rlm: Any, is_async: bool, saver: Any) -> Any:
    @task
    def ask() -> Any:
        return rlm.invoke(ASKS)["answer"]

    @task
    async def aask() -> Any:
        return (await rlm.ainvoke(ASKS))["answer"]

    def flow(given: Any) -> Any:
        return {"said": ask().result()}

    async def aflow(given: Any) -> Any:
        return {"said": await aask()}

    return entrypoint(checkpointer=saver)(aflow if is_async else flow)


def said_after_a_kill(app: Any, is_async: bool) -> str:
    """What an app says that is broken off, and goes on."""

    def run(given: Any) -> Any:
        return asyncio.run(app.ainvoke(given, THREAD)) if is_async else app.invoke(given, THREAD)

    with pytest.raises(KeyboardInterrupt):
        run({"said": [], "messages": [HumanMessage("?")]})
    out = run(None)
    return str(out.get("said") or [message.text for message in out["messages"]])


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("place", [in_a_node, in_a_tool, in_a_middleware, in_a_task])
def test_call_without_a_config_has_that_of_its_app_wherever_it_is_made(place: Any, is_async: bool) -> None:
    saver, under_way, has_failed = SlowSaver(), list[int](), False

    def answer(prompt: str) -> str:
        nonlocal has_failed
        under_way.append(saver.under_way)
        if prompt == "b of text" and not has_failed:
            has_failed = True
            raise KeyboardInterrupt
        return prompt

    cells = [cell("Final = [llm_query(c + ' of ' + P) for c in 'abcd']")]
    model = ScriptedModel(script=cells, answer=answer)
    rlm = rlm_of(model, limits=Limits(max_subcalls=5), lookahead=False)
    app = place(rlm, is_async, saver)

    said = said_after_a_kill(app, is_async)
    assert "['a of text', 'b of text', 'c of text', 'd of text']" in said
    assert model.asked == [f"{c} of text" for c in "abbcd"]
    assert under_way == [0] * 5
    assert len(model.turns) == 1


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("place", [in_a_node, in_a_tool, in_a_middleware, in_a_task])
def test_limits_hold_over_a_resume_wherever_it_is_called(place: Any, is_async: bool) -> None:
    has_failed = False

    def answer(prompt: str) -> str:
        nonlocal has_failed
        if prompt == "c" and not has_failed:
            has_failed = True
            raise KeyboardInterrupt
        return prompt

    code = "Final = [llm_query(c) if budget()['subcalls'] else 'no more' for c in 'abcdef']"
    rlm = rlm_of(ScriptedModel(cell(code), answer=answer), limits=Limits(max_subcalls=4), lookahead=False)
    app = place(rlm, is_async, InMemorySaver())

    said = said_after_a_kill(app, is_async)
    assert "['a', 'b', 'c', 'd', 'no more', 'no more']" in said


# -- what the app has set ---------------------------------------------------------------------------------------------


class Steps(TypedDict, total=False):
    step: int


def looping() -> Any:
    """A graph that never ends, and counts its steps."""
    builder = StateGraph(Steps)
    builder.add_node("again", lambda state: {"step": state.get("step", 0) + 1})
    builder.add_edge(START, "again")
    builder.add_edge("again", "again")
    return builder.compile()


@pytest.mark.parametrize("most", [7, 60])
@pytest.mark.parametrize("is_nested", [False, True])
def test_graph_in_a_tool_takes_the_steps_that_its_app_allows(most: int, is_nested: bool) -> None:
    graph, steps, given = looping(), list[int](), RunnableConfig(recursion_limit=most)

    @tool
    def loop() -> str:
        """Goes round."""
        for step in graph.stream({}, stream_mode="values"):
            steps.append(step["step"])
        return "ended"

    model = ScriptedModel(cell("loop()"), cell("Final = 1"))
    rlm: Any = rlm_of(model, tools=[loop])
    if is_nested:
        builder = StateGraph(State)
        builder.add_node("node", lambda state: {"said": [rlm.invoke({"query": "q", "context": "text"})]})
        builder.add_edge(START, "node")
        out = builder.compile().invoke({"said": []}, given)["said"][0]
    else:
        out = rlm.invoke({"query": "q", "context": "text"}, given)
    assert "GraphRecursionError" in out["trajectory"][0]["error"]
    assert steps[-1] == most


def test_graph_in_a_tool_runs_as_much_at_once_as_its_app_allows() -> None:
    inner = ScriptedModel(cell("Final = llm_batch([str(i) for i in range(24)])"), latency=0.02)
    rlm = rlm_of(inner)

    @tool
    def ask_other(question: str) -> str:
        """Asks another RLM."""
        return str(len(rlm.invoke({"query": question, "context": "text"})["answer"]))

    outer = rlm_of(ScriptedModel(cell("Final = ask_other('q')")), tools=[ask_other], max_concurrency=20)
    assert outer.invoke({"query": "q", "context": "text"}, {"max_concurrency": 3})["answer"] == "24"
    assert inner.most_in_flight <= 3


class Recording(ScriptedModel):
    """Notes what a graph in it would be allowed."""

    bounds: list[Any] = Field(default_factory=list)

    def invoke(self, input: Any, config: RunnableConfig | None = None, **more: Any) -> AIMessage:
        self.bounds.append(((config or {}).get("recursion_limit"), (config or {}).get("max_concurrency")))
        return super().invoke(input, config, **more)


@pytest.mark.parametrize("given", [{}, {"recursion_limit": 7, "max_concurrency": 3}], ids=["defaults", "set"])
@pytest.mark.parametrize("is_nested", [False, True])
def test_models_get_what_the_app_allows(given: Any, is_nested: bool) -> None:
    model = Recording(script=[cell("Final = llm_query('a')")])
    rlm: Any = rlm_of(model)
    if is_nested:
        in_a_node(rlm, False, None).invoke({"said": []}, given)
    else:
        rlm.invoke(ASKS, given)
    default = ensure_config({})["recursion_limit"]
    assert model.bounds == [(given.get("recursion_limit", default), given.get("max_concurrency"))] * 2


def test_sync_call_in_a_node_keeps_to_what_its_app_runs_at_once() -> None:
    model = ScriptedModel(cell("Final = llm_batch([str(i) for i in range(24)])"), latency=0.02)
    rlm = rlm_of(model)
    builder = StateGraph(State)
    builder.add_node("node", lambda state: {"said": rlm.invoke({"query": "q", "context": "text"})["answer"]})
    builder.add_edge(START, "node")
    out = builder.compile().invoke({"said": []}, {"max_concurrency": 3})
    assert len(out["said"]) == 24
    assert model.most_in_flight <= 3


class SlowSaver(InMemorySaver):
    """Takes its time to store a checkpoint."""

    under_way = 0

    def put(self, *arguments: Any, **named: Any) -> Any:
        self.under_way += 1
        time.sleep(0.03)
        self.under_way -= 1
        return super().put(*arguments, **named)


@pytest.mark.parametrize("passes", [True, False], ids=["config", "no config"])
@pytest.mark.parametrize("durability", ["async", "sync"])
def test_nobody_is_asked_before_what_tells_of_it_is_stored(passes: bool, durability: Any) -> None:
    saver, under_way = SlowSaver(), list[int]()

    def answer(prompt: str) -> str:
        under_way.append(saver.under_way)
        return prompt

    rlm = rlm_of(ScriptedModel(cell("Final = [llm_query(c) for c in 'abc'] + [llm_query('d' + P)]"), answer=answer))

    def node(state: State, config: RunnableConfig) -> State:
        return {"said": rlm.invoke({"query": "q", "context": "text"}, *([config] if passes else []))["answer"]}

    builder = StateGraph(State)
    builder.add_node("node", node)
    builder.add_edge(START, "node")
    app = builder.compile(checkpointer=saver)
    assert app.invoke({"said": []}, THREAD, durability=durability)["said"] == ["a", "b", "c", "dtext"]
    assert under_way == [0] * 4
