"""Sub-calls that go on while supersteps come and go: nothing waits for a slow one that could go on without it."""

from __future__ import annotations

import asyncio
import math
import re
import threading
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import ContextVar
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from langchain_core.tracers.base import BaseTracer
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command, interrupt
from pydantic import PrivateAttr

from langgraph_rlm import LimitExceeded, Limits, Router
from langgraph_rlm.repl import repl_state
from langgraph_rlm.repl.journal import answers_so_far
from langgraph_rlm.repl.python.answers import NOT_ASKED
from tests.fakes import QUERY, KilledAt, ScriptedModel, all_channels, cell, rlm_of

THREAD: Any = {"configurable": {"thread_id": "1"}}
SOON = 30
"""Seconds that nothing here takes, unless it waits for what never comes."""


NEVER = "never"


def chunk_of(told: str) -> str:
    """The last line of a prompt."""
    return told.rsplit("\n", 1)[-1]


class Held(ScriptedModel):
    """Holds its answer to a prompt until another one has come, where `until` names that by its first or last line."""

    until: Callable[[str], str | None]
    _come: dict[str, threading.Event] = PrivateAttr(default_factory=lambda: defaultdict(threading.Event))
    _come_in_loop: dict[str, asyncio.Event] = PrivateAttr(default_factory=lambda: defaultdict(asyncio.Event))
    _ended: list[str] = PrivateAttr(default_factory=list)
    _is_free: bool = PrivateAttr(default=False)

    @property
    def ended(self) -> list[str]:
        """Prompts whose call was cancelled while it was held."""
        return self._ended

    def note(self, what: str) -> None:
        """Notes that something has come."""
        self._come[what].set()
        self._come_in_loop[what].set()

    def release(self) -> None:
        """Lets go of threads that nobody waits for, and holds nothing any more."""
        self._is_free = True
        for event in list(self._come.values()):
            event.set()

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        told = str(messages[-1].text)
        for name in (told.split("\n")[0], chunk_of(told)):
            self._come[name].set()
        with self._noted(messages) as call:
            if (other := self.until(told)) is not None and not self._is_free:
                assert self._come[other].wait(SOON)
            return self._result(self._reply_to(call))

    async def _agenerate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        told = str(messages[-1].text)
        for name in (told.split("\n")[0], chunk_of(told)):
            self._come_in_loop[name].set()
        with self._noted(messages) as call:
            try:
                if (other := self.until(told)) is not None:
                    await self._come_in_loop[other].wait()
            except asyncio.CancelledError:
                self._ended.append(told)
                raise
            return self._result(self._reply_to(call))


@pytest.fixture(params=["sync", "async"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def models() -> Iterator[list[Held]]:
    """Models that are let go of when the test has ended, so that no thread stays behind."""
    models: list[Held] = []
    yield models
    for model in models:
        model.release()


def ran(mode: str, code: str, model: ScriptedModel, config: Any = None, **settings: Any) -> dict[str, Any]:
    """A run of one cell, its sub-calls answered by `model`."""
    rlm = rlm_of(ScriptedModel(cell(code), cell("Final = 'not ended'")), sub_model=model, **settings)
    given = {"query": QUERY, "context": "a text"}
    if mode == "sync":
        return dict(rlm.invoke(given, config))
    return dict(asyncio.run(asyncio.wait_for(rlm.ainvoke(given, config), SOON)))


def test_slow_guess_does_not_hold_up_the_calls_before_it(mode: str) -> None:
    """The answer to p3, asked ahead of p1, comes when the code has got further: p4 is known after p1 only."""
    code = "Final = [llm_query(f'p{i}') for i in range(20)]"
    model = Held(answer=str.upper, until={"p3": "p5"}.get)
    assert ran(mode, code, model)["answer"] == [f"P{i}" for i in range(20)]
    assert sorted(model.asked) == sorted(f"p{i}" for i in range(20))


def test_slow_guess_is_used_once_it_is_needed_and_marked(mode: str) -> None:
    code = "Final = [llm_query(f'p{i}') for i in range(8)]"
    model = Held(answer=str.upper, until={"p2": "p5"}.get)
    out = ran(mode, code, model)
    records = {record["prompt"]: record for record in out["trajectory"][0]["subcalls"]}
    assert len(records) == out["subcalls"] == 8
    assert records["p2"] == {"kind": "llm", "prompt": "p2", "characters": 2, "ahead": True, "answer": "P2"}
    ahead = sum(record.get("ahead", False) for record in records.values())
    used = out["usage"]["scripted-1"]
    assert (used["input_token_details"]["ahead"], used["output_token_details"]["ahead"]) == (10 * ahead, 5 * ahead)
    assert "ahead" not in records["p0"]


def test_guesses_that_nobody_needs_are_cancelled(mode: str, models: list[Held]) -> None:
    code = "Final = []\nfor i in range(50):\n    Final.append(llm_query(f'p{i}'))\n    if Final[-1] == 'P1': break"
    model = Held(answer=str.upper, until=lambda told: None if told in ("p0", "p1") else NEVER)
    models.append(model)
    out = ran(mode, code, model)
    assert out["answer"] == ["P0", "P1"]
    cancelled = [record for record in out["trajectory"][0]["subcalls"] if record.get("cancelled")]
    assert all(record["ahead"] for record in cancelled)
    assert (out["subcalls"], len(model.asked)) == (2, 2 + len(cancelled))
    assert len(model.asked) <= 8
    if mode == "async":
        assert sorted(model.ended) == sorted(record["prompt"] for record in cancelled)


def test_guesses_under_way_are_dropped_where_the_code_goes_elsewhere(mode: str, models: list[Held]) -> None:
    code = (
        "first = llm_query('p0')\n"
        "Final = [llm_query(f'{word} {i}') for word in (['no'] if 'P' in first else ['yes']) for i in range(3)]"
    )
    model = Held(answer=str.upper, until=lambda told: NEVER if told.startswith("yes") else None)
    models.append(model)
    out = ran(mode, code, model)
    assert out["answer"] == ["NO 0", "NO 1", "NO 2"]
    assert {record["prompt"][:3] for record in out["trajectory"][0]["subcalls"] if record.get("cancelled")} == {"yes"}
    assert out["subcalls"] == 4


def test_guesses_whose_turn_has_not_come_cost_nothing() -> None:
    """One call at a time: p2 holds the place, so the model is not asked for p3."""
    code = "a = [llm_query('p0'), llm_query('p1')]\nif a != ['P0', 'P1']:\n    llm_batch(['p2', 'p3'])\nFinal = a"
    model = Held(answer=str.upper, until={"p2": NEVER, "p3": NEVER}.get)
    out = ran("async", code, model, max_concurrency=1)
    assert out["answer"] == ["P0", "P1"]
    assert (out["subcalls"], model.asked) == (2, ["p0", "p1", "p2"])


@pytest.mark.parametrize("prompts", [9, 40])
def test_slow_prompt_of_a_batch_does_not_hold_up_the_rest(mode: str, prompts: int) -> None:
    last = f"p{prompts - 1}"
    model = Held(answer=str.upper, until={"p0": last}.get)
    out = ran(mode, f"Final = llm_batch([f'p{{i}}' for i in range({prompts})])", model, max_concurrency=2)
    assert out["answer"] == [f"P{i}" for i in range(prompts)]
    assert (out["subcalls"], len(model.asked)) == (prompts, prompts)


def test_all_is_waited_for_where_a_run_pauses_between_steps() -> None:
    model = ScriptedModel(cell("Final = llm_batch([f'p{i}' for i in range(12)])"), answer=str.upper)
    rlm = rlm_of(model, checkpointer=InMemorySaver(), interrupt_after=["subcall"], max_concurrency=2)
    rlm.invoke({"query": QUERY, "context": "a text"}, THREAD)
    while rlm.get_state(THREAD).next:
        rlm.invoke(None, THREAD)
    assert len(model.asked) == 12


# -- the first valid answer -------------------------------------------------------------------------------------------


def found_in(*chunks: str) -> Callable[[str], str]:
    return lambda told: f"it is {chunk_of(told)}" if chunk_of(told) in chunks else "NO_ANSWER"


FIRST = "Final = ask_chunks_first('What?', [f'c{{i}}' for i in range({})])"


def test_first_valid_answer_ends_the_search_and_the_others(mode: str, models: list[Held]) -> None:
    model = Held(answer=found_in("c2"), until=lambda told: NEVER if chunk_of(told) in ("c0", "c1") else None)
    models.append(model)
    out = ran(mode, FIRST.format(100), model)
    assert out["answer"] == "it is c2"
    assert sorted(map(chunk_of, model.asked)) == ["c0", "c1", "c2", "c3"]
    cancelled = [record for record in out["trajectory"][0]["subcalls"] if record.get("cancelled")]
    assert len(cancelled) == 2
    assert out["subcalls"] == 4
    if mode == "async":
        assert sorted(map(chunk_of, model.ended)) == ["c0", "c1"]


def test_slow_chunk_does_not_hold_up_the_search(mode: str, models: list[Held]) -> None:
    model = Held(answer=found_in("c30"), until=lambda told: NEVER if chunk_of(told) == "c1" else None)
    models.append(model)
    out = ran(mode, FIRST.format(60), model)
    assert out["answer"] == "it is c30"
    assert len(model.asked) < 60


def test_chunks_without_an_answer_are_all_asked(mode: str) -> None:
    model = ScriptedModel(answer=found_in())
    assert ran(mode, f"{FIRST.format(30)}\nFinal = [Final]", model)["answer"] == [None]
    assert len(model.asked) == 30


def test_search_takes_what_is_left_of_the_limit_and_says_when_it_is_not_enough(mode: str) -> None:
    early = ran(mode, FIRST.format(50), ScriptedModel(answer=found_in("c5")), limits=Limits(max_subcalls=10))
    assert early["answer"] == "it is c5"
    caught = f"try:\n    {FIRST.format(50)}\nexcept RuntimeError as e:\n    Final = str(e)"
    model = ScriptedModel(answer=found_in("c40"))
    late = ran(mode, caught, model, limits=Limits(max_subcalls=10))
    assert late["answer"] == "no answer in the first 10 of 50 chunks: no sub-calls left"
    assert len(model.asked) == late["subcalls"] == 10
    none = f"llm_batch(['x'] * 10)\n{caught}"
    said = ran(mode, none, ScriptedModel(), limits=Limits(max_subcalls=10))["answer"]
    assert said.startswith("50 sub-calls do not fit: 0 of 10 are left")


def test_what_a_search_did_not_need_can_be_asked_later(mode: str) -> None:
    code = f"{FIRST.format(9)}\nFinal = llm_batch(['x'] * 6)"
    out = ran(mode, code, ScriptedModel(answer=lambda told: f"yes {told[-2:]}"), limits=Limits(max_subcalls=10))
    assert len(out["answer"]) == 6


def test_search_is_replayed_as_it_was(mode: str, models: list[Held]) -> None:
    """The variables of a search are there again where the REPL is made again from its journal."""
    model = Held(answer=found_in("c2"), until=lambda told: NEVER if chunk_of(told) in ("c0", "c1") else None)
    models.append(model)
    root = ScriptedModel(
        cell("found = ask_chunks_first('What?', [f'c{i}' for i in range(9)])"), cell("Final = found + '!'")
    )
    saver = InMemorySaver()
    rlm = rlm_of(root, sub_model=model, checkpointer=saver, interrupt_before=["generate"])
    rlm.invoke({"query": QUERY, "context": "a text"}, THREAD)
    for _ in range(2):
        out = rlm_of(root, sub_model=model, checkpointer=saver, interrupt_before=["generate"]).invoke(None, THREAD)
    assert out["answer"] == "it is c2!"
    assert NOT_ASKED not in str(all_channels(rlm, THREAD)["journal"])


def test_guess_under_way_outlives_a_search(mode: str) -> None:
    """What the search has not waited for is no error where the code comes to it."""
    code = (
        "r = ask('Q', 'c0')\n"
        "if 'yes' in r:\n    f = ask_chunks_first('Q', ['c1', 'c5'])\nelse:\n    f = [ask('Q', 'c1'), ask('Q', 'c2')]\n"
        "Final = [f, ask('Q', 'c2')]"
    )

    def until(told: str) -> str | None:
        return {"c1": "c5", "c2": "c9"}.get(chunk_of(told))

    code += "\nllm_query('c9')"
    model = Held(answer=lambda told: f"yes {chunk_of(told)}", until=until)
    # c2 is held until the run goes on with something else: the guess is asked for c9 while c2 is waited for
    assert ran(mode, code, model)["answer"] == ["yes c1", "yes c2"]


def test_pauses_of_one_run_leave_nothing_under_way() -> None:
    model = ScriptedModel(cell("Final = [llm_query(f'p{i}') for i in range(4)]"), answer=str.upper)
    rlm = rlm_of(model, checkpointer=InMemorySaver())
    given: Any = {"query": QUERY, "context": "a text"}
    while given is not None or rlm.get_state(THREAD).next:
        rlm.invoke(given, THREAD, interrupt_before=["execute"])
        given = None
        assert model.most_in_flight <= 1
    assert model.asked == [f"p{i}" for i in range(4)]


# -- durable ----------------------------------------------------------------------------------------------------------


def later(told: str) -> str | None:
    return {"p2": "p5", "p3": "p8"}.get(told[:2])


LOOP = "Final = [llm_query(f'p{i}', P * 20) for i in range(12)]"


@pytest.mark.parametrize("dumps", [-1, math.inf], ids=["dumped at each stop", "never dumped"])
def test_run_killed_with_calls_under_way_asks_nothing_again_that_was_stored(
    dumps: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repl_state, "DUMPS_WORTH", dumps)
    kills = 0
    for writes in range(4, 60):
        model = Held(answer=str.upper, until=later)
        saver = KilledAt(writes)
        rlm = rlm_of(ScriptedModel(cell(LOOP)), sub_model=model, checkpointer=saver)
        try:
            out = rlm.invoke({"query": QUERY, "context": "a text"}, THREAD)
        except KeyboardInterrupt:
            kills += 1
            model.release()
            values = all_channels(rlm, THREAD)
            paid = [values["pending"][index]["prompt"] for index in answers_so_far(values.get("journal", []))]
            before = len(model.asked)
            out = rlm.invoke(None, THREAD)
            assert not set(paid) & {told[: told.index("\n")] for told in model.asked[before:]}, writes
        assert out["answer"] == [f"P{i}\n\n" + "A TEXT" * 20 for i in range(12)], writes
        assert out["subcalls"] == 12
    assert kills > 10


def test_prompts_under_way_are_stored_once() -> None:
    saver = InMemorySaver()
    model = Held(answer=str.upper, until=later)
    rlm_of(ScriptedModel(cell(LOOP)), sub_model=model, checkpointer=saver).invoke(
        {"query": QUERY, "context": "a text"}, THREAD
    )
    carried = [
        value
        for stored in saver.list(THREAD)
        for _, channel, value in stored.pending_writes or ()
        if channel == "pending" and any(isinstance(prompt, int) for prompt in value)
    ]
    assert carried


# -- what the state is told, and when ---------------------------------------------------------------------------------


class Tells(InMemorySaver):
    """Has `told` called with the answers that it has just stored."""

    told: Callable[[list[str]], None] = print

    def put_writes(self, config: Any, writes: Any, *arguments: Any, **named: Any) -> None:
        super().put_writes(config, writes, *arguments, **named)
        events = [event for channel, value in writes if channel == "journal" for event in value]
        self.told([event[2] for event in events if event[0] == "answer"])


def go(mode: str, rlm: Any, given: Any, config: Any = THREAD) -> dict[str, Any]:
    if mode == "sync":
        return dict(rlm.invoke(given, config))
    return dict(asyncio.run(asyncio.wait_for(rlm.ainvoke(given, config), SOON)))


GIVEN: Any = {"query": QUERY, "context": "a text"}


@pytest.mark.parametrize(
    "code",
    ["llm_batch(['slow', 'a', 'b'])", "llm_batch(['slow', *'abcdefgh'])", "[llm_query(x) for x in ['a', 'b', 'slow']]"],
)
def test_answers_are_stored_while_another_one_is_waited_for(mode: str, code: str) -> None:
    """The slow answer comes when the store has the others, and not before."""
    model = Held(answer=str.upper, until={"slow": "stored"}.get)
    stored = list[str]()

    def tell(answers: list[str]) -> None:
        stored.extend(answers)
        if {"A", "B"} <= {*stored}:
            model.note("stored")

    saver = Tells()
    saver.told = tell
    rlm = rlm_of(ScriptedModel(cell(f"Final = {code}")), sub_model=model, checkpointer=saver, max_concurrency=3)
    assert "SLOW" in go(mode, rlm, GIVEN)["answer"]


def test_answers_are_stored_while_a_child_or_a_tool_is_waited_for(mode: str) -> None:
    """A superstep ends when all of its tasks have: what is answered beside a slow one is stored before."""
    model = Held(answer=str.upper, until={"slow leaf": "stored"}.get)
    saver = Tells()
    saver.told = lambda answers: model.note("stored") if "A" in answers else None
    script = {
        "Question: How": [cell("Final = llm_batch(['a', 'child ' + 'x' * 100, 'b'])")],
        "Question: child": [cell("Final = llm_query('slow leaf')")],
    }
    router = Router(profile="rlm", subcall_direct_below=50)
    rlm = rlm_of(ScriptedModel(script=script), sub_model=model, checkpointer=saver, router=router)
    assert go(mode, rlm, GIVEN)["answer"] == ["A", "SLOW LEAF", "B"]


def test_steps_are_as_many_as_there_are_moments_not_prompts(mode: str) -> None:
    model = ScriptedModel(cell("Final = len(llm_batch([str(i) for i in range(600)]))"))
    rlm = rlm_of(model, checkpointer=InMemorySaver(), limits=Limits(max_subcalls=1_000))
    assert go(mode, rlm, GIVEN)["answer"] == 600
    metadata = rlm.get_state(THREAD).metadata
    assert metadata is not None
    assert metadata["step"] < 60


class Notes(ScriptedModel):
    """Notes the superstep that each plain call is made in."""

    _steps: list[tuple[Any, ...]] = PrivateAttr(default_factory=list)

    def _note(self, messages: list[BaseMessage], run_manager: Any) -> None:
        if len(messages) == 1:
            metadata = run_manager.metadata
            self._steps.append((metadata["langgraph_node"], metadata["langgraph_step"]))

    def _generate(self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **more: Any) -> Any:
        self._note(messages, run_manager)
        return super()._generate(messages, stop, run_manager, **more)

    async def _agenerate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **more: Any
    ) -> Any:
        self._note(messages, run_manager)
        return await super()._agenerate(messages, stop, run_manager, **more)


class Spelling(ScriptedModel):
    """Says its answers word by word."""

    answer: Callable[[str], str | Exception] = str.upper

    def _stream(self, messages: list[BaseMessage], *rest: Any, **more: Any) -> Iterator[ChatGenerationChunk]:
        for word in self._words(messages):
            time.sleep(0.001)
            yield word

    async def _astream(
        self, messages: list[BaseMessage], *rest: Any, **more: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        for word in self._words(messages):
            await asyncio.sleep(0.001)
            yield word

    def _words(self, messages: list[BaseMessage]) -> Iterator[ChatGenerationChunk]:
        for word in re.findall(r"\S+\s*", self._generate(messages).generations[0].text):
            yield ChatGenerationChunk(message=AIMessageChunk(content=word))


MANY_ASK = "Final = [llm_query(f'p{i}') for i in range(9)] + llm_batch(['a', 'b']) + [ask_chunks_first('?', ['c'])]"


@pytest.mark.parametrize("ahead", [False, True])
def test_no_answer_needs_a_superstep_where_nobody_looks_and_nothing_is_kept(mode: str, ahead: bool) -> None:
    script = [cell(MANY_ASK)]
    model = Notes(script=script, answer=str.upper)
    rlm = rlm_of(model, lookahead=ahead)
    out = go(mode, rlm, GIVEN, None)
    assert out["answer"] == [*(f"P{i}" for i in range(9)), "A", "B", out["answer"][-1]]
    assert len({*model._steps}) == 1
    kept = rlm_of(Notes(script=script, answer=str.upper), lookahead=ahead, checkpointer=InMemorySaver())
    same = go(mode, kept, GIVEN)
    for channel in ("answer", "subcalls", "usage" if not ahead else "steps"):
        assert out[channel] == same[channel], channel


LEAVES = """
Final = []
for i in range(8):
    Final.append(llm_query(f'p{i}'))
    if i == 3:
        Final.append(shout('tool'))
        Final += llm_batch(['a', 'child ' + 'x' * 100])
    if i == 5:
        Final.append(rlm_query('child'))
        Final.append(shout('again'))
"""


def shout(text: str) -> str:
    """Says it loudly."""
    return text.upper()


@pytest.mark.parametrize("ahead", [False, True])
@pytest.mark.parametrize("reads_only", [False, True])
def test_cell_that_comes_to_a_child_or_a_tool_goes_on_in_supersteps(mode: str, ahead: bool, reads_only: bool) -> None:
    """What is in flight ahead of it is used afterwards."""
    script = {"Question: How": [cell(LEAVES)], "Question: child": [cell("Final = llm_query('leaf')")]}
    model = ScriptedModel(script=script, answer=str.upper, latency=0.002)
    loud = tool(shout)
    loud.metadata = {"read_only": reads_only}
    settings: Any = {"tools": [loud], "router": Router(profile="rlm", subcall_direct_below=50), "lookahead": ahead}
    out = go(mode, rlm_of(model, **settings), GIVEN, None)
    before, between, after = [f"P{i}" for i in range(4)], ["P4", "P5"], ["P6", "P7"]
    assert out["answer"] == [*before, "TOOL", "A", "LEAF", *between, "LEAF", "AGAIN", *after]
    assert (out["subcalls"], len(model.asked)) == (13, 11)


def test_guess_in_flight_outlives_a_call_that_goes_to_a_child(mode: str) -> None:
    code = (
        "x = llm_query('a')\n"
        "y = llm_batch(['b', 'child ' + 'x' * 100]) if x == 'A' else [llm_query('b')]\n"
        "Final = [y, llm_query('c')]"
    )
    script = {"Question: How": [cell(code)], "Question: child": [cell("Final = llm_query('leaf')")]}
    model = Held(answer=str.upper, until={"c": "leaf"}.get)
    router = Router(profile="rlm", subcall_direct_below=50)
    rlm = rlm_of(ScriptedModel(script=script), sub_model=model, router=router)
    assert go(mode, rlm, GIVEN, None)["answer"] == [["B", "LEAF"], "C"]
    assert sorted(model.asked) == ["a", "b", "c", "leaf"]


CHAIN = "x = 'a'\nfor i in range(20):\n    x = llm_query(x)\nFinal = x"


def test_answer_that_the_code_waits_for_alone_is_one_superstep(mode: str) -> None:
    """And it is stored before the code goes on: the next prompt is asked when the store has the answer before it."""
    stored = list[str]()
    saver = Tells()
    saver.told = stored.extend

    def answer(told: str) -> str:
        assert stored == [told[:i] for i in range(2, len(told) + 1)]
        return f"{told}a"

    rlm = rlm_of(ScriptedModel(cell(CHAIN)), sub_model=ScriptedModel(answer=answer), checkpointer=saver)
    assert go(mode, rlm, GIVEN)["answer"] == "a" * 21
    metadata = rlm.get_state(THREAD).metadata
    assert metadata is not None
    assert metadata["step"] < 20 + 10


def test_streams_have_the_answers_in_batches(mode: str) -> None:
    """They are told as they land: the slow one comes when somebody has seen the others."""
    model = Held(answer=str.upper, until={"slow": "seen"}.get)
    rlm = rlm_of(ScriptedModel(cell("Final = llm_batch(['slow', 'a', 'b', 'c'])")), sub_model=model)
    seen = list[int]()

    def see(update: dict[str, Any]) -> None:
        if "subcall" in update:
            seen.append(update["subcall"]["subcalls"])
            model.note("seen")

    async def astream() -> None:
        async for update in rlm.astream(GIVEN, stream_mode="updates"):
            see(update)

    if mode == "sync":
        for update in rlm.stream(GIVEN, stream_mode="updates"):
            see(update)
    else:
        asyncio.run(asyncio.wait_for(astream(), SOON))
    assert (sum(seen), seen[-1]) == (4, 1)


@pytest.mark.parametrize("keeps", [None, InMemorySaver()])
def test_streams_tell_of_each_token_to_which_prompt_it_belongs(mode: str, keeps: Any) -> None:
    prompts = ["one two", "three four", "five six", "seven eight"]
    rlm = rlm_of(Spelling(script=[cell(f"Final = llm_batch({prompts})")]), checkpointer=keeps)
    thread: Any = {"configurable": {"thread_id": mode}}
    seen = list[Any]()

    async def astream() -> None:
        async for event in rlm.astream(GIVEN, thread, stream_mode="messages"):
            seen.append(event)

    if mode == "sync":
        seen = list(rlm.stream(GIVEN, thread, stream_mode="messages"))
    else:
        asyncio.run(asyncio.wait_for(astream(), SOON))
    said = defaultdict[tuple[str, int], str](str)
    for message, metadata in seen:
        if metadata["langgraph_node"] == "subcall":
            said[message.id, metadata["subcall_index"]] += message.text
    assert sorted((index, text) for (_, index), text in said.items()) == list(enumerate(map(str.upper, prompts)))


@pytest.mark.parametrize(("prompts", "width"), [(40, 2), (400, 16)])
def test_one_pause_shows_all_that_waits(mode: str, prompts: int, width: int) -> None:
    model = ScriptedModel(cell(f"Final = len(llm_batch([str(i) for i in range({prompts})]))"))
    settings: Any = {"interrupt_before": ["subcall"], "limits": Limits(max_subcalls=1_000), "max_concurrency": width}
    rlm = rlm_of(model, checkpointer=InMemorySaver(), **settings)
    go(mode, rlm, GIVEN)
    assert {*rlm.get_state(THREAD).next} == {"subcall"}
    assert len(rlm.get_state(THREAD).values["pending"]) == prompts
    assert model.asked == []
    assert go(mode, rlm, None)["answer"] == prompts


ASK_FOUR = ["llm_batch(['?a', 'b', '?c', 'd'])", "[llm_query(x) for x in ['?a', 'b', '?c', 'd']]"]


@pytest.mark.parametrize("code", ASK_FOUR)
@pytest.mark.parametrize("is_seen", [False, True])
def test_model_that_has_a_question_for_somebody_gets_its_own_answer(mode: str, code: str, is_seen: bool) -> None:
    """And nothing is asked twice that has no question, the others once before it is answered and once after."""
    asked = list[str]()

    def asks(messages: list[BaseMessage]) -> AIMessage:
        told = str(messages[-1].text)
        asked.append(told)
        time.sleep(0.0 if told.startswith("?") else 0.05)
        return AIMessage(f"{told} {interrupt(told)}" if told.startswith("?") else told.upper())

    root = ScriptedModel(cell(f"Final = {code}"))
    rlm = rlm_of(root, sub_model=RunnableLambda(asks), checkpointer=InMemorySaver())
    config: Any = {**THREAD, **({"callbacks": [BaseCallbackHandler()]} if is_seen else {})}
    out = go(mode, rlm, GIVEN, config)
    while waiting := out.get("__interrupt__"):
        out = go(mode, rlm, Command(resume={one.id: f"<{one.value}>" for one in waiting}), config)
    assert out["answer"] == ["?a <?a>", "B", "?c <?c>", "D"]
    assert (asked.count("b"), asked.count("d"), asked.count("?a")) == (1, 1, 2)


def test_model_that_is_asked_alone_and_has_a_question_gets_its_answer(mode: str) -> None:
    def asks(messages: list[BaseMessage]) -> AIMessage:
        return AIMessage(f"{messages[-1].text} {interrupt(messages[-1].text)}")

    root = ScriptedModel(cell("a = llm_query('?a')\nFinal = [a, llm_query(a)]"))
    rlm = rlm_of(root, sub_model=RunnableLambda(asks), checkpointer=InMemorySaver())
    out = go(mode, rlm, GIVEN)
    for _ in range(2):
        [waiting] = out["__interrupt__"]
        out = go(mode, rlm, Command(resume=f"<{waiting.value}>"))
    assert out["answer"] == ["?a <?a>", "?a <?a> <?a <?a>>"]


def test_what_is_asked_ahead_is_waited_for_where_a_tool_has_a_question(mode: str) -> None:
    def approve(what: str) -> str:
        """Asks somebody."""
        return f"{what}: {interrupt(what)}"

    code = (
        "Final = []\nfor i in range(3):\n    Final.append(approve(f't{i}'))\n    for j in 'abc': llm_query(f'{j}{i}')"
    )
    model = ScriptedModel(answer=str.upper, latency=0.05)
    rlm = rlm_of(ScriptedModel(cell(code)), sub_model=model, tools=[approve], checkpointer=InMemorySaver())
    out = go(mode, rlm, GIVEN)
    while waiting := out.get("__interrupt__"):
        out = go(mode, rlm, Command(resume={one.id: "yes" for one in waiting}))
    assert out["answer"] == ["t0: yes", "t1: yes", "t2: yes"]
    assert sorted(model.asked) == sorted(f"{j}{i}" for i in range(3) for j in "abc")


@pytest.mark.parametrize("slow", ["rlm_query('child')", "linger('x')"])
def test_what_is_asked_ahead_is_stored_while_a_child_or_a_tool_asked_ahead_goes_on(mode: str, slow: str) -> None:
    model = Held(answer=str.upper, until={"leaf": "stored", "quick": "leaf" if "rlm" in slow else None}.get)
    saver, is_stored = Tells(), threading.Event()

    def linger(what: str) -> str:
        """Takes long."""
        assert is_stored.wait(SOON)
        return what.upper()

    def tell(answers: list[str]) -> None:
        if "QUICK" in answers:
            model.note("stored")
            is_stored.set()

    saver.told = tell
    lingering = tool(linger)
    lingering.metadata = {"read_only": True}
    script = {
        "Question: How": [cell(f"a = llm_query('first')\nb = {slow}\nFinal = [a, b, llm_query('quick')]")],
        "Question: child": [cell("Final = llm_query('leaf')")],
    }
    rlm = rlm_of(ScriptedModel(script=script), sub_model=model, tools=[lingering], checkpointer=saver)
    assert go(mode, rlm, GIVEN)["answer"] == ["FIRST", "LEAF" if "rlm" in slow else "X", "QUICK"]


class Tree(BaseTracer):
    """Has the runs of models that are part of a tree."""

    in_tree = 0

    def _persist_run(self, run: Any) -> None:
        self.in_tree += self._models(run)

    def _models(self, run: Any) -> int:
        return (run.run_type in ("llm", "chat_model")) + sum(map(self._models, run.child_runs))


def test_each_call_of_a_model_begins_under_a_task_that_goes_on(mode: str) -> None:
    """Tracers find parents among the runs that have not ended."""

    class Slow(InMemorySaver):
        def put(self, *arguments: Any, **named: Any) -> Any:
            time.sleep(0.005)
            return super().put(*arguments, **named)

    root = ScriptedModel(cell("Final = len(llm_batch([str(i) for i in range(60)]))"))
    rlm = rlm_of(root, sub_model=ScriptedModel(latency=0.004), checkpointer=Slow(), max_concurrency=4)
    tree = Tree()
    assert go(mode, rlm, GIVEN, {**THREAD, "callbacks": [tree]})["answer"] == 60
    assert tree.in_tree == 61


def test_what_has_landed_beside_a_limit_is_stored_before_that_ends_the_run(mode: str) -> None:
    model = ScriptedModel(cell("Final = llm_batch([str(i) for i in range(30)])"))
    limits = Limits(max_tokens=100, on_exceeded="raise")
    rlm = rlm_of(model, limits=limits, checkpointer=InMemorySaver(), max_concurrency=2)
    with pytest.raises(LimitExceeded):
        go(mode, rlm, GIVEN)
    assert len(answers_so_far(all_channels(rlm, THREAD)["journal"])) == len(model.asked)


LANGUAGE = ContextVar("LANGUAGE", default="none")


def test_what_a_call_sets_in_its_context_is_seen_by_no_other(mode: str) -> None:
    def answer(told: str) -> str:
        before = LANGUAGE.get()
        LANGUAGE.set(told)
        return before

    code = "Final = llm_batch(['a'] * 40) + [llm_query('b') for _ in range(3)]"
    LANGUAGE.set("mine")
    assert {*ran(mode, code, ScriptedModel(answer=answer))["answer"]} == {"mine"}


async def test_a_wide_fan_out_has_no_more_tasks_than_may_ask() -> None:
    most = 0

    def answer(told: str) -> str:
        nonlocal most
        most = max(most, len(asyncio.all_tasks()))
        return told

    root = ScriptedModel(cell("Final = len(llm_batch([str(i) for i in range(2_000)]))"))
    rlm = rlm_of(root, sub_model=ScriptedModel(answer=answer), limits=Limits(max_subcalls=2_000), max_concurrency=8)
    assert (await rlm.ainvoke(GIVEN))["answer"] == 2_000
    assert most < 40


def test_no_thread_is_left_when_a_run_has_ended() -> None:
    before = threading.active_count()
    ran("sync", "Final = len(llm_batch(['x'] * 40))", ScriptedModel())
    deadline = time.monotonic() + SOON
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before
