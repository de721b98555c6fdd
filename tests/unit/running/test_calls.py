"""RLMs that a node of an app calls as functions: how often, with its config or without, and after what.

Each call has a thread of its own, and goes on with that where its node is tried again, interrupted or killed: it knows
its text, has its own limits, and pays for nothing twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Literal

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import START, StateGraph
from langgraph.types import Command, RetryPolicy, interrupt
from typing_extensions import TypedDict

from langgraph_rlm import Limits
from tests.fakes import KilledAt, ScriptedModel, cell, rlm_of

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
            question: [cell(f"said = [llm_query(str(n) + ' of {question} ' + P) for n in (1, 2)]"), self.last_turn(question)]
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
