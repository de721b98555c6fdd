"""Tools: functions of the host that the code calls, as tasks of the graph."""

from __future__ import annotations

import asyncio
import runpy
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from langchain_core.tools import BaseTool, InjectedToolArg, StructuredTool, Tool, ToolException, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command, interrupt
from pydantic import BaseModel, Field

from langgraph_rlm import InvalidInput, LimitExceeded, Limits, Router
from langgraph_rlm.repl import repl_state
from tests.fakes import QUERY, TEXT, KilledAt, ScriptedModel, all_channels, cell, error_of, final_of, rlm_of, run

GIVEN = {"query": QUERY, "context": TEXT}
NO_SUBCALLS = Limits(max_depth=0, max_subcalls=1)
THREAD: Any = {"configurable": {"thread_id": "1"}}


def weather(city: str, days: int = 1) -> dict[str, Any]:
    """The weather in a city."""
    return {"city": city, "days": days, "degrees": [20] * days}


class Calls:
    """Tools that note when they are called."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self._lock = threading.Lock()

    def note(self, name: str) -> None:
        with self._lock:
            self.made.append(name)

    def tool(self, name: str, reads: bool, result: Callable[[str], Any] = str.upper) -> BaseTool:
        def call(item: str) -> Any:
            self.note(f"{name} {item}")
            return result(item)

        metadata = {"read_only": True} if reads else None
        return StructuredTool.from_function(call, name=name, description="A tool.", metadata=metadata)


# -- what the code gets -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "days"),
    [
        ("weather('Rome')", 1),
        ("weather('Rome', 2)", 2),
        ("weather(city='Rome', days=3)", 3),
        ("weather(days=3, city='Rome')", 3),
        ("list(map(weather, ['Rome']))[0]", 1),
        ("tool_batch(weather, ['Rome'])[0]", 1),
        ("tool_batch(weather, [('Rome', 2)])[0]", 2),
        ("tool_batch(weather, [{'city': 'Rome', 'days': 3}])[0]", 3),
    ],
)
def test_function_is_called_as_any_other(call: str, days: int) -> None:
    assert final_of(f"Final = {call}", tools=[weather]) == {"city": "Rome", "days": days, "degrees": [20] * days}


def test_model_is_shown_signature_and_docstring() -> None:
    ran = run("Final = 1", tools=[weather])
    assert "`weather(city: str, days: int = 1)`: The weather in a city." in ran.model.turns[0].messages[0].text


def test_model_is_shown_what_the_arguments_are() -> None:
    @tool(parse_docstring=True)
    def buy(article: str, how_many: Annotated[int, Field(description="A dozen at most.")] = 1) -> str:
        """Buys articles.

        Args:
            article: By its number.
        """
        return article

    def sell(article: str) -> str:
        """Sells an article.

        Of those
          that are there.
        """
        return article

    shown = run("Final = 1", tools=[buy, sell]).model.turns[0].messages[0].text
    assert "`: Buys articles.\n  - article: By its number.\n  - how_many: A dozen at most.\n" in shown
    assert "`: Sells an article.\n\nOf those\n  that are there.\n" in shown


class Size(Enum):
    SMALL = "S"
    LARGE = "L"


class Item(BaseModel):
    name: str
    size: Size = Size.SMALL


class Order(BaseModel):
    items: list[Item]
    part_of: Order | None = None


def price(order: Order, currency: Literal["EUR"] = "EUR") -> int:
    """What an order costs."""
    return len(order.items)


def test_types_that_have_names_are_spelled_out_in_the_signature() -> None:
    item = "dict(name: str, size: Literal['S', 'L'] = 'S')"
    innermost = "dict(items: list[Any], part_of: Any | None = None)"
    inner = f"dict(items: list[dict(name: str, size: Any = 'S')], part_of: {innermost} | None = None)"
    order = f"dict(items: list[{item}], part_of: {inner} | None = None)"
    ran = run("Final = price({'items': [{'name': 'a'}]})", tools=[price])
    assert f"`price(order: {order}, currency: Literal['EUR'] = 'EUR')`: What" in ran.model.turns[0].messages[0].text
    assert ran.answer == 1


def test_signature_with_types_in_a_circle_stays_short() -> None:
    many = {"anyOf": [{"$ref": f"#/$defs/T{n}"} for n in range(100)]}
    types = {f"T{n}": {"type": "object", "properties": {"of": many}} for n in range(100)}
    schema = {"type": "object", "properties": {"block": {"$ref": "#/$defs/T0"}}, "$defs": types}
    add = StructuredTool(name="add", description="Adds.", args_schema=schema, func=lambda block=None: block)
    ran = run("Final = add({'of': 1})", tools=[add])
    assert ran.answer == {"of": 1}
    assert f"`add(block: dict(of: {' | '.join(['Any'] * 100)} = None) = None)`" in ran.model.turns[0].messages[0].text


def test_a_tool_takes_the_text_of_langchains_oldest_kind_of_tool() -> None:
    shout = Tool(name="shout", description="Shouts.", func=str.upper)
    ran = run("Final = [shout('a'), tool_batch(shout, ['b'])]", tools=[shout])
    assert ran.answer == ["A", ["B"]]
    assert "`shout(tool_input: str)`: Shouts." in ran.model.turns[0].messages[0].text


def test_what_no_encoding_has_is_replaced_in_what_the_model_is_told_of_tools() -> None:
    odd = StructuredTool.from_function(weather, description="Lone \ud800.")
    ran = run("Final = 1", tools=[odd], instructions="Brief \ud800.")
    system = ran.model.turns[0].messages[0].text
    assert "Lone \ufffd." in system
    assert "Brief \ufffd." in system


def test_model_is_told_nothing_of_tools_where_there_are_none() -> None:
    assert "tool_batch" not in run("Final = 1").model.turns[0].messages[0].text


class Shape(BaseModel):
    side: int


@dataclass
class Point:
    x: int


@pytest.mark.parametrize(
    ("result", "seen"),
    [
        ("text", "text"),
        ("\ud800", "\ufffd"),
        ([None], [None]),
        ((1, {2}), [1, [2]]),
        (2**64 - 1, 2**64 - 1),
        (2**64, str(2**64)),
        (-(2**63) - 1, str(-(2**63) - 1)),
        (Shape(side=2), {"side": 2}),
        ([Point(1)], [{"x": 1}]),
        ({1: object}, {"1": "<class 'object'>"}),
        (float("inf"), float("inf")),
    ],
)
def test_result_is_plain_data(result: Any, seen: Any) -> None:
    def give() -> Any:
        """Gives it."""
        return result

    assert final_of("Final = give()", tools=[give], checkpointer=InMemorySaver()) == seen


@pytest.mark.parametrize(
    ("call", "why"),
    [
        ("weather()", "needs city"),
        ("weather('Rome', 1, 2)", "takes 2 arguments, not 3"),
        ("weather('Rome', city='Oslo')", "got 'city' twice"),
        ("weather('Rome', hours=1)", "has no parameter 'hours'"),
        (r"weather(b'\xff')", "plain data"),
        ("weather('Rome', 'many')", "days"),
        ("tool_batch('weather', ['Rome'])", "takes one of the tools"),
        ("_host('tool', 'other', [[[], {}]], False)", "not defined|not callable"),
    ],
)
def test_arguments_that_do_not_fit_are_an_error_in_the_code(call: str, why: str) -> None:
    with pytest.raises(AssertionError):
        final_of(f"Final = {call}", tools=[weather])
    assert any(part in error_of(f"Final = {call}", tools=[weather]) for part in why.split("|"))


def test_failure_of_a_tool_can_be_caught_and_is_one_item_of_a_batch() -> None:
    def divide(by: int) -> float:
        """Divides."""
        if by < 0:
            raise ToolException("not below zero")
        return 1 / by

    code = """
try:
    divide(0)
except Exception as error:
    caught = str(error)
Final = [caught, *tool_batch(divide, [1, 0, -1])]"""
    caught, one, zero, below = final_of(code, tools=[divide])
    assert (caught, one, zero) == ("ZeroDivisionError: division by zero", 1.0, f"Error: {caught}")
    assert below == "Error: ToolException: not below zero"


def test_arguments_are_validated_by_the_schema_of_the_tool() -> None:
    @tool
    def double(shape: Shape) -> int:
        """Doubles the side."""
        return shape.side * 2

    assert final_of("Final = double({'side': 2})", tools=[double]) == 4
    assert "validation error" in error_of("Final = double({'side': 'long'})", tools=[double])


def test_tool_that_a_server_describes_by_a_json_schema_is_called_like_any_other() -> None:
    properties = {"user-id": {"type": "integer"}, "at": {"type": ["string", "null"]}}
    schema = {"type": "object", "properties": properties, "required": ["user-id"]}

    async def find(**arguments: Any) -> str:
        return f"user {arguments['user-id']}"

    found = StructuredTool(name="find", description="Finds.", args_schema=schema, coroutine=find, func=None)
    model = ScriptedModel(cell("Final = [find(1), find(**{'user-id': 2})]"))
    out = asyncio.run(rlm_of(model, tools=[found]).ainvoke(GIVEN))
    assert out["answer"] == ["user 1", "user 2"]
    assert "`find(user-id: int, at: str | None = None)`" in model.turns[0].messages[0].text


def test_error_that_a_tool_would_hand_to_an_agent_is_an_exception_here() -> None:
    def fail(item: str) -> str:
        raise ToolException("gone")

    failing = StructuredTool.from_function(fail, description="Fails.", handle_tool_error=True)
    assert "RuntimeError: ToolException: gone" in error_of("fail('x')", tools=[failing])


def test_content_is_the_value_of_a_tool_that_gives_more_beside_it() -> None:
    def look(item: str) -> tuple[str, list[str]]:
        return f"{item}: found", [item]

    found = StructuredTool.from_function(look, description="Looks.", response_format="content_and_artifact")
    assert final_of("Final = look('x')", tools=[found]) == "x: found"


@pytest.mark.parametrize(
    "rows",
    [
        [{"type": "text", "text": "a", "id": 1}],
        [{"type": "text", "text": "a"}, 3],
        [{"type": "text", "text": "a"}, {"type": "text", "text": None}],
    ],
)
def test_rows_that_look_like_content_stay_as_they_are(rows: list[Any]) -> None:
    def give() -> Any:
        """Gives it."""
        return rows

    assert final_of("Final = give()", tools=[give]) == rows


def test_tool_whose_arguments_have_an_alias_is_called_by_their_names() -> None:
    class Span(BaseModel):
        from_: int = Field(alias="from")
        to: int = 9

    def span(from_: int, to: int) -> list[int]:
        return [from_, to]

    tools = [StructuredTool.from_function(span, description="A span.", args_schema=Span)]
    assert final_of("Final = [span(1), span(from_=2, to=3)]", tools=tools) == [[1, 9], [2, 3]]


def test_errors_of_an_rlm_in_a_tool_are_none_of_the_run_that_calls_it() -> None:
    def delegate(question: str) -> str:
        """Asks an RLM."""
        model = ScriptedModel(cell("llm_query('x')"), cell("1"))
        limits = Limits(max_steps=1, on_exceeded="raise")
        rlm_of(model, limits=limits).invoke({"query": question, "context": "another text"})
        return "not reached"

    code = "try:\n    delegate('What?')\nexcept RuntimeError as error:\n    Final = str(error)"
    ran = run(code, tools=[delegate], limits=Limits(on_exceeded="raise"), checkpointer=InMemorySaver())
    assert ran.answer.startswith("LimitExceeded: max_steps: 1 used of 1 allowed")
    assert (ran.out["steps"], ran.out["subcalls"]) == (1, 0)
    assert ran.out["usage"]["scripted-1"]["total_tokens"] == 15


def test_tools_of_an_mcp_server_give_values_raise_errors_and_run_ahead_where_they_only_read() -> None:
    example = runpy.run_path(str(Path(__file__).parents[3] / "examples" / "mcp_tools.py"))
    code = """
try:
    price("plum")
except Exception as error:
    failed = str(error)
Final = [sum([price(article) for article in ["apple", "pear", "pear"]]), failed]"""
    model = ScriptedModel(cell(code))
    price, failed = asyncio.run(example["answer"](model))
    assert price == 2.0
    assert "plum" in failed
    assert "`price(article: str)`" in model.turns[0].messages[0].text


def test_tool_that_can_be_awaited_alone_is_refused_where_nobody_awaits() -> None:
    async def fetch(item: str) -> str:
        """Fetches."""
        return item.upper()

    model = ScriptedModel(cell("Final = fetch('a')"))
    rlm = rlm_of(model, tools=[StructuredTool.from_function(coroutine=fetch)])
    with pytest.raises(InvalidInput, match="async: fetch"):
        rlm.invoke(GIVEN)
    assert model.calls == []
    assert asyncio.run(rlm.ainvoke(GIVEN))["answer"] == "A"


# -- the graph --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_async", [False, True])
def test_batch_runs_in_parallel_and_in_order_within_the_width_of_the_run(is_async: bool) -> None:
    running, most, lock = 0, 0, threading.Lock()

    def slow(item: int) -> int:
        """Takes its time."""
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.05)
        with lock:
            running -= 1
        return item

    rlm = rlm_of(ScriptedModel(cell("Final = tool_batch(slow, list(range(8)))")), tools=[slow], max_concurrency=4)
    out = asyncio.run(rlm.ainvoke(GIVEN)) if is_async else rlm.invoke(GIVEN)
    assert out["answer"] == list(range(8))
    assert most == 4


def test_calls_are_in_the_trajectory_and_are_no_sub_calls() -> None:
    ran = run("Final = weather('Rome')['days'] + len(llm_query('x'))", tools=[weather])
    [called, asked] = ran.out["trajectory"][0]["subcalls"]
    assert (called["kind"], called["prompt"]) == ("tool", "weather(city='Rome')")
    assert asked["kind"] == "llm"
    assert ran.out["subcalls"] == 1


def test_child_rlms_have_the_tools_and_their_calls_count_against_the_tree() -> None:
    calls = Calls()
    script = {
        "Question: child": [cell("Final = up(P) + up(P)")],
        QUERY: [cell("Final = [rlm_query('child', 'a'), rlm_query('child', 'b')]")],
    }
    limits = Limits(max_tool_calls=3)
    rlm = rlm_of(ScriptedModel(script=script), tools=[calls.tool("up", reads=False)], limits=limits, lookahead=False)
    with pytest.raises(IndexError):  # the second child's script has no more to say
        rlm.invoke(GIVEN)
    assert calls.made == ["up a", "up a", "up b"]


def test_limit_of_calls_is_an_error_that_says_what_is_left() -> None:
    limits = Limits(max_tool_calls=2)
    assert "1 of 2 are left" in error_of(
        "weather('a')\ntool_batch(weather, ['b', 'c'])", tools=[weather], limits=limits
    )
    with pytest.raises(LimitExceeded, match="max_tool_calls"):
        run("[weather('a') for _ in range(3)]", tools=[weather], limits=Limits(max_tool_calls=2, on_exceeded="raise"))


def test_tools_are_there_where_sub_calls_are_not() -> None:
    assert final_of("Final = weather('a')['city']", tools=[weather], limits=Limits(max_depth=0)) == "a"


@pytest.mark.parametrize("kill_at", range(4, 26))
def test_killed_run_calls_no_tool_twice_whose_result_was_stored(kill_at: int) -> None:
    calls, saver = Calls(), KilledAt(kill_at)
    code = "x = [send('a'), send('b')]\ny = tool_batch(send, ['c', 'd'])\nFinal = x + y"
    rlm = rlm_of(ScriptedModel(cell(code)), tools=[calls.tool("send", reads=False)], checkpointer=saver)
    try:
        out = rlm.invoke(GIVEN, THREAD)
    except KeyboardInterrupt:
        before = len(calls.made)
        told = [event for event in all_channels(rlm, THREAD).get("journal", []) if event[0] == "answer"]
        out = rlm.invoke(None, THREAD)
        assert len(calls.made) - before <= 4 - len(told)
    assert out["answer"] == ["A", "B", "C", "D"]


def test_tool_that_interrupts_waits_for_its_answer() -> None:
    def approve(what: str) -> str:
        """Asks somebody."""
        return f"{what}: {interrupt({'approve': what})}"

    rlm = rlm_of(ScriptedModel(cell("Final = approve('pay') + '!'")), tools=[approve], checkpointer=InMemorySaver())
    waiting = rlm.invoke(GIVEN, THREAD)
    assert waiting["__interrupt__"][0].value == {"approve": "pay"}
    assert rlm.invoke(Command(resume="yes"), THREAD)["answer"] == "pay: yes!"


def test_name_of_a_tool_that_a_cell_overwrites_is_restored() -> None:
    ran = run("weather = 3", "Final = weather('Rome')['city']", tools=[weather])
    assert ran.answer == "Rome"
    assert "Restored to what they are: weather" in ran.told[0]


@pytest.mark.parametrize(
    "name", ["final", "survey", "names", "tool", "tools", "locals", "show", "value", "len", "rebind", "exec"]
)
def test_tool_may_have_any_name_that_the_repl_has_not(name: str) -> None:
    tools = [Calls().tool(name, reads=False), weather]
    ran = run(f"kept = {name}\n{name} = 3\n5", f"Final = [{name}('a'), {name} is kept]", tools=tools)
    assert (ran.answer, ran.errors) == (["A", True], [None, None])
    assert f"Restored to what they are: {name}." in ran.told[0]
    assert "kept" in ran.told[0]
    assert "weather" not in ran.told[0]


def test_name_of_a_tool_that_is_not_there_any_more_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repl_state, "DUMPS_WORTH", -1)  # a REPL that runs again has no such tool
    saver = InMemorySaver()
    rlm_of(ScriptedModel(cell("weather('Rome')\nFinal = 1")), tools=[weather], checkpointer=saver).invoke(GIVEN, THREAD)
    model = ScriptedModel("", cell("weather = 3"), cell("Final = weather"))
    out = rlm_of(model, checkpointer=saver).invoke({"query": "And there?"}, THREAD)
    assert (out["answer"], [step["error"] for step in out["trajectory"]]) == (3, [None, None])


def test_thread_that_began_without_a_tool_has_it_from_the_next_cell_on() -> None:
    saver, model = InMemorySaver(), ScriptedModel(cell("x = 'Rome'\nFinal = 1"), cell("Final = weather(x)['city']"))
    rlm_of(model, checkpointer=saver).invoke(GIVEN, THREAD)
    out = rlm_of(model, checkpointer=saver, tools=[weather]).invoke({"query": "And there?"}, THREAD)
    assert out["answer"] == "Rome"


# -- running ahead ----------------------------------------------------------------------------------------------------


def test_only_tools_that_change_nothing_are_called_ahead() -> None:
    calls = Calls()
    tools = [calls.tool("look", reads=True), calls.tool("send", reads=False)]
    ran = run("Final = [look(x) for x in 'abcd'] + [send(x) for x in 'ef']", tools=tools)
    assert ran.answer == list("ABCDEF")
    assert sorted(calls.made) == [*(f"look {x}" for x in "abcd"), "send e", "send f"]
    ahead = [record["prompt"] for record in ran.out["trajectory"][0]["subcalls"] if record.get("ahead")]
    assert ahead
    assert all(prompt.startswith("look") for prompt in ahead)


def test_what_was_read_before_a_change_is_read_again_after_it() -> None:
    store = {"n": 0}

    def read(key: str) -> int:
        """Reads."""
        return store[key]

    def add(key: str) -> int:
        """Adds one."""
        store[key] += 1
        return store[key]

    reading = StructuredTool.from_function(read, metadata={"readOnlyHint": True})
    code = """
seen = []
for i in range(6):
    seen.append(read('n'))
    if i % 2 and seen[-1] >= 0:
        add('n')
Final = seen"""
    assert final_of(code, tools=[reading, add]) == [0, 0, 1, 1, 2, 2]


def children_of(code: str, tools: list[BaseTool], says: str = "no", **settings: Any) -> dict[str, Any]:
    """A run of a cell whose child RLMs send what their text is."""
    model = ScriptedModel(
        script={QUERY: [cell(code)], "": [cell("Final = send(P)")]}, answer=lambda prompt: says, latency=0.05
    )
    return rlm_of(model, tools=tools, **settings).invoke(GIVEN)


@pytest.mark.parametrize("asks", ["rlm_query('child', 'a mail')", "llm_query('child', 'a mail' * 20)"])
def test_child_that_could_change_something_waits_until_the_code_comes_to_it(asks: str) -> None:
    calls = Calls()
    router = Router(profile="rlm", subcall_direct_below=50)
    code = f"if llm_query('may we?') != 'no':\n    {asks}\nFinal = 1"
    assert children_of(code, [calls.tool("send", reads=False)], router=router)["answer"] == 1
    assert calls.made == []


def test_what_children_change_is_changed_in_the_order_of_the_code() -> None:
    calls = Calls()
    tools = [calls.tool("send", reads=False), calls.tool("look", reads=True, result=lambda _: len(calls.made))]
    out = children_of("Final = [look('x'), rlm_query('child', 'a'), rlm_query('child', 'b'), look('x')]", tools)
    assert calls.made == ["look x", "send a", "send b", "look x"]
    assert out["answer"] == [1, "A", "B", 4]


def test_children_are_asked_ahead_where_all_tools_only_read() -> None:
    code = "Final = [rlm_query('child', item) for item in 'abcd']"
    out = children_of(code, [Calls().tool("send", reads=True)])
    assert out["answer"] == list("ABCD")
    assert [record.get("ahead", False) for record in out["trajectory"][0]["subcalls"]] == [False, True, True, True]


def test_sub_call_that_is_not_available_is_not_asked_ahead_of_its_refusal() -> None:
    code = "look('a')\ntry:\n    llm_query('x')\nexcept RuntimeError as error:\n    Final = str(error)"
    ran = run(code, tools=[Calls().tool("look", reads=True)], limits=Limits(max_depth=0))
    assert "not available" in ran.answer
    assert (ran.model.asked, ran.out["subcalls"]) == ([], 0)


def test_calls_ahead_take_no_more_than_half_of_what_is_left_of_their_limit() -> None:
    code = "for item in 'abcdefgh':\n    if look(item) == 'A':\n        break\nFinal = [look('y'), look('z')]"
    calls = Calls()
    assert final_of(code, tools=[calls.tool("look", reads=True)], limits=Limits(max_tool_calls=4)) == ["Y", "Z"]
    assert len(calls.made) == 4


def test_tools_are_called_ahead_where_no_sub_calls_are_left() -> None:
    ran = run("Final = [look(item) for item in 'abc']", tools=[Calls().tool("look", reads=True)], limits=NO_SUBCALLS)
    assert [record.get("ahead", False) for record in ran.out["trajectory"][0]["subcalls"]] == [False, True, True]


def test_tool_that_interrupts_does_so_when_the_code_comes_to_it() -> None:
    def approve(what: str) -> str:
        """Asks somebody."""
        return f"{what}: {interrupt(what)}"

    tools = [StructuredTool.from_function(approve, metadata={"read_only": True})]
    saver, code = InMemorySaver(), "Final = [approve(what) for what in ['a', 'b', 'c']]"
    rlm = rlm_of(ScriptedModel(cell(code)), tools=tools, checkpointer=saver, limits=Limits(max_tool_calls=5))
    out = rlm.invoke(GIVEN, THREAD)
    for what in "abc":
        [waiting] = out["__interrupt__"]
        assert waiting.value == what
        out = rlm.invoke(Command(resume="yes"), THREAD)
    assert out["answer"] == ["a: yes", "b: yes", "c: yes"]
    assert rlm.get_state(THREAD).values["tool_calls"] == 3


def test_change_ends_no_look_ahead_all_of_whose_guesses_held() -> None:
    calls = Calls()
    tools = [calls.tool("look", reads=True), calls.tool("send", reads=False)]
    code = "for n in range(6):\n    for i in range(8):\n        look(f'{n}{i}')\n    send(str(n))\nFinal = 1"
    rlm = rlm_of(ScriptedModel(cell(code)), tools=tools)
    steps = [update for update in rlm.stream(GIVEN, stream_mode="updates") if "execute" in update]
    assert len(calls.made) == 54
    assert len(steps) < 20


# -- what cannot be used ----------------------------------------------------------------------------------------------


def nameless() -> None:
    pass


def renamed(name: str) -> BaseTool:
    return StructuredTool.from_function(weather, name=name)


@tool
def secret(city: str, user: Annotated[str, InjectedToolArg]) -> str:
    """Needs what an agent injects."""
    return city + user


class Injected(BaseTool):
    name: str = "injected"
    description: str = "Needs what an agent injects."

    def _run(self, city: str, user: Annotated[str, InjectedToolArg]) -> str:
        return city + user


def by_place(city: str, /) -> str:
    """Cannot be called by the names of its arguments."""
    return city


def unreadable(city: str) -> None:
    """Has an annotation that is not there."""


unreadable.__annotations__["city"] = "NotThere"


@pytest.mark.parametrize(
    ("tools", "why"),
    [
        (renamed("alone"), "a list is needed"),
        ([Injected()], "injects"),
        ([by_place], "without names"),
        ([unreadable], "cannot be read"),
        ([renamed("past_steps")], "of its own"),
        ([3], "neither a LangChain tool nor a function"),
        ([nameless], "docstring"),
        ([lambda x: x], "docstring"),
        ([renamed("get-weather")], "rename it"),
        ([renamed("class")], "rename it"),
        ([renamed("_host")], "rename it"),
        ([renamed("llm_query")], "of its own"),
        ([renamed("sorted")], "of its own"),
        ([weather, renamed("weather")], "two tools"),
        ([secret], "injects"),
        (weather, "a list is needed"),
    ],
)
def test_tool_that_code_could_not_call_is_refused(tools: Any, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        rlm_of(ScriptedModel(), tools=tools)
