"""Sequential code is answered in parallel, and nobody can tell but by the clock and the bill."""

from __future__ import annotations

import math
import time
import zlib
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langgraph.checkpoint.memory import InMemorySaver

from langgraph_rlm import Limits, Sandbox
from langgraph_rlm.asking.requests import Answer
from langgraph_rlm.nodes import landing
from langgraph_rlm.repl import interpreter, lookahead, printed, repl_state
from langgraph_rlm.repl.journal import answers_so_far
from tests.fakes import (
    QUERY,
    KilledAt,
    Ran,
    ScriptedModel,
    all_channels,
    cell,
    rlm_of,
    stored_answers,
    worker_processes,
)

GIVEN = {"query": QUERY, "context": "a text\nof three\nlines"}
THREAD: Any = {"configurable": {"thread_id": "1"}}


def ran(code: str, ahead: bool = True, answer: Any = str.upper, config: Any = None, **given: Any) -> Ran:
    """A run of one cell, with the model that answered its sub-calls."""
    asked = ScriptedModel(answer=answer, latency=given.pop("latency", 0))
    root = ScriptedModel(cell(code), cell("Final = 'the cell did not end the run'"))
    rlm = rlm_of(root, sub_model=asked, lookahead=ahead, **given)
    return Ran(rlm.invoke(GIVEN, config), asked)


FOUND = {
    "comprehension": "Final = [llm_query(f'p{i}') for i in range(20)]",
    "loop that branches": (
        "Final = []\nfor i in range(20):\n    a = llm_query(f'p{i}')\n    if 'p' in a.lower(): Final.append(a)"
    ),
    "helper function": "def f(x):\n    return llm_query('p' + x).strip()\nFinal = {k: f(k) for k in 'abcdefgh'}",
    "while": "i, Final = 0, []\nwhile i < 12:\n    Final.append(llm_query(f'p{i}'))\n    i += 1",
    "try": (
        "Final = []\nfor i in range(9):\n    try:\n        Final.append(int(llm_query(f'p{i}')))\n"
        "    except ValueError:\n        Final.append(i)"
    ),
    "ask": "Final = [ask('what?', line) for line in P.splitlines()]",
    "batches in a loop": "Final = [llm_batch([f'{i} {j}' for j in range(4)]) for i in range(5)]",
    "context": "Final = [llm_query('what?', c) for c in ctx.chunk(8)]",
    "before a merge": "a = [llm_query(f'p{i}') for i in range(5)]\nFinal = llm_query('merge ' + ', '.join(a))",
    "numbers": "Final = [int(llm_query(f'#{i}')) for i in range(20)]",
    "numbers in text": "Final = [float(re.search(r'\\d+', llm_query(f'#{i}').strip()).group()) for i in range(9)]",
    "JSON": "Final = []\nfor i in range(9):\n    Final.append(json.loads(llm_query(f'#{i}')))",
    "a sum": "Final = 0\nfor i in range(9):\n    Final += int(llm_query(f'#{i}'))\nFinal = llm_query(f'sum: {Final}')",
    "comparison": (
        "Final = []\nfor i in range(9):\n    n = int(llm_query(f'#{i}'))\n    if n > 4 or n % 2: Final.append(n / 2)"
    ),
    "batches of numbers": "Final = [sum(map(int, llm_batch([f'#{i} {j}' for j in range(4)]))) for i in range(5)]",
    "plain data": (
        "schema = {'type': 'object', 'properties': {'n': {'type': 'integer'}, 'of': {'enum': ['x', 'y']}}}\n"
        "Final = [llm_query(f'{{{i}', schema=schema)['n'] + 1 for i in range(9)]"
    ),
    "map and sorted": "Final = sorted(map(lambda x: llm_query('p' + x), 'cabd'), key=lambda x: llm_query(x))",
}


def answer_of_form(prompt: str) -> str:
    """A number to prompts with "#", an object to those with "{", and text to others."""
    if "{" in prompt:
        return '{"n": 5, "of": "y"}'
    return str(zlib.crc32(prompt.encode()) % 9) if "#" in prompt else prompt.upper()


@pytest.mark.parametrize("code", FOUND.values(), ids=FOUND)
def test_prompts_that_come_one_after_the_other_are_asked_at_the_same_time(code: str) -> None:
    one, many = ran(code, ahead=False, answer=answer_of_form), ran(code, answer=answer_of_form, latency=0.05)
    assert one.model.most_in_flight <= 4  # a batch of its own
    assert (many.answer, sorted(many.model.asked)) == (one.answer, sorted(one.model.asked))
    assert many.model.most_in_flight > one.model.most_in_flight


def test_child_rlms_are_asked_ahead_too() -> None:
    model = ScriptedModel(
        script={
            "Question: root": [cell("Final = [rlm_query(f'child {i}') for i in range(4)]")],
            "Question: child": [cell("Final = llm_query(P)")],
        },
        answer=str.upper,
        latency=0.05,
    )
    out = rlm_of(model).invoke({"query": "root", "context": "text"})
    assert out["answer"] == [f"CHILD {i}" for i in range(4)]
    assert model.most_in_flight == 4


DEPENDENT = {
    "chain": "x = 's'\nfor i in range(6):\n    x = llm_query(x)\nFinal = x",
    "slice": "x = 'start'\nfor i in range(6):\n    x = llm_query(x[:3])\nFinal = x",
    "upper and split": "x = 'start here'\nfor i in range(6):\n    x = llm_query(x.upper().split()[0])\nFinal = x",
    "batch": "x = ['a', 'b']\nfor i in range(4):\n    x = llm_batch(x)\nFinal = x",
    "number": "x = 1\nfor i in range(6):\n    x = int(llm_query(f'#{x}'))\nFinal = x",
    "piece of a number": "x = 1\nfor i in range(6):\n    x = int(llm_query(f'#{str(x)[:1]}')[:2])\nFinal = x",
    "even or odd": "x = 1\nfor i in range(6):\n    x = int(llm_query(f'#{i} {x % 2}'))\nFinal = x",
    "larger": "x = 1\nfor i in range(6):\n    x = int(llm_query(f'#{i} more' if x > 4 else f'#{i} less'))\nFinal = x",
}


@pytest.mark.parametrize("code", DEPENDENT.values(), ids=DEPENDENT)
def test_prompt_that_is_made_of_an_answer_is_not_guessed(code: str) -> None:
    one, many = ran(code, ahead=False, answer=answer_of_form), ran(code, answer=answer_of_form)
    assert (many.answer, sorted(many.model.asked)) == (one.answer, sorted(one.model.asked))


def test_equal_prompts_are_separate_calls_each_with_its_own_answer() -> None:
    numbers = iter(range(9))
    out = ran("Final = [llm_query('vote') for _ in range(5)]", answer=lambda _: str(next(numbers)))
    assert (sorted(out.answer), out.model.asked) == (["0", "1", "2", "3", "4"], ["vote"] * 5)


@pytest.mark.parametrize("end", ["i == 2", "'P2' in a"], ids=["known", "answer"])
def test_loop_that_breaks_early_asks_few_in_vain(end: str) -> None:
    code = f"Final = []\nfor i in range(200):\n    a = llm_query(f'p{{i}}')\n    Final.append(a)\n    if {end}: break"
    out = ran(code)
    assert out.answer == ["P0", "P1", "P2"]
    assert len(out.model.asked) <= 8


def test_guesses_that_do_not_hold_come_to_an_end() -> None:
    # a placeholder is no "x": each guess is wrong
    code = (
        "Final = 0\nfor i in range(60):\n    a = llm_query(f'p{i}')\n"
        "    Final += len(llm_query(f'{i} yes' if 'x' in a else f'{i} no'))"
    )
    one, many = ran(code, ahead=False, answer=lambda p: "x"), ran(code, answer=lambda p: "x")
    assert (one.answer, len(one.model.asked)) == (60, 120)
    assert many.answer == 60
    assert len(many.model.asked) < 150


def test_prompts_asked_ahead_in_vain_are_marked_and_count_for_no_sub_call() -> None:
    out = ran("for i in range(9):\n    Final = llm_query(f'p{i}')\n    if Final == 'P1': break").out
    records, used = out["trajectory"][0]["subcalls"], out["usage"]["scripted-1"]
    assert [record.get("ahead", False) for record in records] == [False, True, True, True]
    assert out["subcalls"] == 2
    assert (used["total_tokens"], used["input_token_details"]["ahead"]) == (15 * (1 + 4), 10 * 3)


WASTEFUL = "for i in range(9):\n    a = llm_query(f'{j} {i}')\n    if a.endswith('1'): break\n"


@pytest.mark.parametrize("dumps", [-1, math.inf], ids=["dumped at each stop", "never dumped"])
def test_limit_is_what_the_code_asks_for_also_after_a_kill(dumps: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five times two prompts, and more than that asked ahead in vain; the limit is ten."""
    monkeypatch.setattr(repl_state, "DUMPS_WORTH", dumps)
    cells = [cell(f"j = {j}\n{WASTEFUL}") for j in range(4)]
    last = cell(
        f"j = 4\n{WASTEFUL}Final = a\ntry:\n    llm_query('more')\nexcept RuntimeError as e:\n    Final = str(e)"
    )
    for writes in (math.inf, *range(6, 60, 7)):
        saver, asked = KilledAt(writes), ScriptedModel(answer=str.upper)
        settings: Any = {"sub_model": asked, "checkpointer": saver, "limits": Limits(max_subcalls=10)}
        try:
            out = rlm_of(ScriptedModel(*cells, last), **settings).invoke(GIVEN, THREAD)
        except KeyboardInterrupt:
            out = rlm_of(ScriptedModel(*cells, last), **settings).invoke(None, THREAD)
        assert (out["subcalls"], out["answer"]) == (
            10,
            "1 sub-calls do not fit: 0 of 10 are left. Ask fewer, about larger pieces.",
        ), writes
        assert len(asked.asked) > 12


def test_what_was_asked_ahead_takes_no_place_of_what_the_code_asks() -> None:
    code = (
        "a = llm_query('p0')\n"
        "Final = llm_batch([f'q{i}' for i in range(9)]) if a == 'P0' else [llm_query(x) for x in 'abc']"
    )
    out = ran(code, limits=Limits(max_subcalls=10)).out
    assert (len(out["answer"]), out["subcalls"]) == (9, 10)


def test_answer_that_came_ahead_is_refused_where_the_code_has_asked_too_much() -> None:
    code = (
        "a = llm_query('p0')\nif a == 'P0':\n    llm_batch(['x', 'y'])\nFinal = []\nfor i in range(1, 4):\n"
        "    try:\n        Final.append(llm_query(f'p{i}'))\n    except RuntimeError:\n        Final.append('refused')"
    )
    one, many = (ran(code, ahead=ahead, limits=Limits(max_subcalls=4)) for ahead in (False, True))
    assert (many.answer, many.out["subcalls"]) == (one.answer, one.out["subcalls"]) == (["P1", "refused", "refused"], 4)


def test_children_count_what_their_code_asks_for() -> None:
    script = {
        "Question: child": [
            cell("for i in range(9):\n    Final = llm_query(P + str(i))\n    if Final[-1] == '1': break")
        ],
        "": [cell("Final = rlm_query_batched(['child a', 'child b'])")],
    }
    out = rlm_of(ScriptedModel(script=script, answer=str.upper)).invoke(GIVEN)
    assert (out["answer"], out["subcalls"]) == (["CHILD A1", "CHILD B1"], 2 + 2 * 2)


@pytest.mark.parametrize("most", [45, 75, 150])
def test_tokens_are_not_overshot_by_what_is_asked_ahead(most: int) -> None:
    code = "for i in range(50): llm_query(f'p{i}')"
    one, many = (ran(code, ahead=ahead, limits=Limits(max_tokens=most)) for ahead in (False, True))
    assert len(many.model.asked) == len(one.model.asked) == most // 15 - 1


@pytest.mark.parametrize("on_exceeded", ["raise", "answer"])
def test_limit_that_is_reached_ahead_of_the_code_ends_nothing(on_exceeded: Any) -> None:
    """The second call takes all tokens; the third and the fourth, asked ahead, wait for their turn meanwhile."""
    model = ScriptedModel(answer=str.upper, latency=0.02, tokens=(40, 0))
    code = "Final = []\nfor i in range(4):\n    Final.append(llm_query(f'p{i}'))\n    if Final[-1] == 'P1': break"
    limits = Limits(max_tokens=80, on_exceeded=on_exceeded)
    rlm = rlm_of(ScriptedModel(cell(code), tokens=(0, 1)), sub_model=model, limits=limits, max_concurrency=1)
    out = rlm.invoke(GIVEN)
    assert (out["answer"], out["subcalls"], len(model.asked)) == (["P0", "P1"], 2, 2)


@pytest.mark.parametrize("most", [1, 2, 3, 5, 9, 20])
def test_code_that_needs_all_sub_calls_of_the_limit_gets_them(most: int) -> None:
    code = f"Final = [llm_query(f'p{{i}}') for i in range({most})]"
    assert len(ran(code, limits=Limits(max_subcalls=most)).answer) == most


def test_what_fails_ahead_fails_where_the_code_comes_to_it_and_is_paid_for_once() -> None:
    def answer(prompt: str) -> str:
        if prompt in ("p2", "p4"):
            raise ValueError("down")
        return prompt.upper()

    code = (
        "Final = []\nfor i in range(6):\n    try:\n        Final.append(llm_query(f'p{i}'))\n"
        "    except RuntimeError as e:\n        Final.append(str(e))"
    )
    one, many = ran(code, ahead=False, answer=answer), ran(code, answer=answer)
    assert (many.answer, sorted(many.model.asked)) == (one.answer, sorted(one.model.asked))


def test_lookahead_can_be_turned_off_and_is_where_somebody_looks_at_the_calls() -> None:
    code = "Final = [llm_query(f'p{i}') for i in range(4)]"
    assert ran(code, ahead=False, latency=0.01).model.most_in_flight == 1
    assert ran(code, latency=0.01, limits=Limits(confirm_above=5)).model.most_in_flight == 1
    stopping = {"checkpointer": InMemorySaver(), "interrupt_before": ["subcall"]}
    model = ScriptedModel(cell(code))
    rlm_of(model, **stopping).invoke(GIVEN, THREAD)
    assert len(rlm_of(model, **stopping).get_state(THREAD).values["pending"]) == 1


# -- what a fork does harms nobody ------------------------------------------------------------------------------------


def test_fork_that_never_ends_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookahead, "SECONDS", 0.1)
    code = "a = llm_query('p')\nwhile a != 'P':\n    pass\nFinal = a"
    begun = time.monotonic()
    assert ran(code).answer == "P"
    assert time.monotonic() - begun < 3
    assert worker_processes() == []


def test_fork_prints_nothing_and_fails_for_itself() -> None:
    code = "for i in range(5):\n    a = llm_query(f'p{i}')\n    print(a, len(a))\n    assert a == f'P{i}'\nFinal = 1"
    one, many = ran(code, ahead=False), ran(code)
    assert many.out["trajectory"][0]["output"] == one.out["trajectory"][0]["output"]
    assert many.answer == 1


def test_without_a_free_worker_nothing_is_guessed() -> None:
    out = ran("Final = [llm_query(f'p{i}') for i in range(4)]", latency=0.01, sandbox=Sandbox(max_live=1))
    assert (len(out.answer), out.model.most_in_flight) == (4, 1)


def test_repl_too_large_for_a_fork_goes_on_without_one() -> None:
    code = (
        "big = ['x' * 1000 + str(i) for i in range(8_000)]\nprint('once')\n"
        "answers = [llm_query(f'p{i}') for i in range(3)]\nbig = 0\nFinal = answers"
    )
    out = ran(code, sandbox=Sandbox(memory=4_000_000))
    assert out.answer == ["P0", "P1", "P2"]
    assert out.outputs == ["once\n"]


def test_repl_that_was_too_large_to_be_parked_is_no_end_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    look_ahead = interpreter.Interpreter.requests_ahead

    def parked_before(self: interpreter.Interpreter, most: int) -> Any:
        self._state.leave()
        self._state.where = repl_state.TooLarge()
        return look_ahead(self, most)

    monkeypatch.setattr(interpreter.Interpreter, "requests_ahead", parked_before)
    model = ScriptedModel(cell("Final = [llm_query(x) for x in 'ab']"), cell("Final = 'another way'"), answer=str.upper)
    out = rlm_of(model).invoke(GIVEN)
    assert "too large to be kept" in out["trajectory"][0]["error"]
    assert out["answer"] == "another way"


def test_what_was_printed_is_kept_where_a_fork_was_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    def too_large(self: interpreter.Interpreter, most: int) -> list[Any]:
        assert self._state.cell is not None
        self._state.leave()
        self._state.cell.printed = printed.Printed(self._output_cap)
        return []

    monkeypatch.setattr(repl_state, "DUMPS_WORTH", -1)
    monkeypatch.setattr(interpreter.Interpreter, "requests_ahead", too_large)
    saver, model = InMemorySaver(), ScriptedModel(cell("print('once')\nFinal = llm_query('a')"), answer=str.upper)
    suspensions = [
        all_channels(rlm, THREAD).get("suspension")
        for rlm in [rlm_of(model, checkpointer=saver)]
        for _ in rlm.stream(GIVEN, THREAD, stream_mode="values")
    ]
    assert ["once\n", "", 5] in [suspension[2:] for suspension in suspensions if suspension]


@pytest.mark.parametrize(
    ("code", "first"),
    [
        ("Final = [llm_query(str(i)) for i in range(20)]", 1 + 3),
        ("Final = [llm_batch([str(i), 'b', 'c', 'd', 'e']) for i in range(20)]", 5 + 5),
        ("Final = [llm_batch([str(i), 'b']) for i in range(20)]", 2 + 2),
    ],
    ids=["single prompts", "batches of five", "batches of two"],
)
def test_first_look_goes_three_prompts_ahead_or_as_many_as_the_call_asks(code: str, first: int) -> None:
    rlm = rlm_of(ScriptedModel(cell(code), answer=str.upper))
    tasks = [event["payload"] for event in rlm.stream(GIVEN, stream_mode="debug") if event["type"] == "task"]
    assert next(task["input"]["asking"] for task in tasks if task["name"] == "subcall") == first


# -- durable ----------------------------------------------------------------------------------------------------------


MIXED = """
import time
def both(x):
    return [llm_query(f"{x}{i}") for i in range(2)]
Final = [both("a"), llm_batch(["b", "c"])]
began = time.time()
for i in range(5):
    Final.append(llm_query("loop " + str(i)))
    if i == 3:
        break
Final.append(llm_query("last " + Final[-1]))
"""


@pytest.mark.parametrize("dumps", [-1, math.inf], ids=["dumped at each stop", "never dumped"])
def test_run_killed_at_any_write_asks_nothing_again_that_was_answered(
    dumps: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repl_state, "DUMPS_WORTH", dumps)
    expected = ran(MIXED, ahead=False).answer
    for writes in range(4, 40):
        saver, asked = KilledAt(writes), ScriptedModel(answer=str.upper)
        rlm = rlm_of(ScriptedModel(cell(MIXED)), sub_model=asked, checkpointer=saver, max_concurrency=1)
        try:
            out = rlm.invoke(GIVEN, THREAD)
        except KeyboardInterrupt:
            stored, before = stored_answers(rlm, THREAD), len(asked.asked)
            out = rlm.invoke(None, THREAD)
            assert not stored & {told.upper() for told in asked.asked[before:]}, writes
        assert out["answer"] == expected


BRANCHING = """
a = llm_query('p0')
if a == 'P0':
    b = llm_batch(['p1', 'x'])
    c = llm_query('p2' if b[1] == 'X' else b[1])
    d = llm_query('p3' if c == 'P2' else c)
else:
    d = [llm_query(f'p{i}') for i in (1, 2, 3)]
Final = d
"""


def test_guesses_that_were_stored_are_there_where_the_call_that_waits_has_none() -> None:
    for writes in range(4, 25):
        saver, model = KilledAt(writes), ScriptedModel(cell(BRANCHING), answer=str.upper)
        rlm = rlm_of(model, checkpointer=saver)
        try:
            out = rlm.invoke(GIVEN, THREAD)
        except KeyboardInterrupt:
            values, before = rlm.get_state(THREAD).values, len(model.asked)
            stored = {record["prompt"] for record in values.get("asked", [])}
            out = rlm.invoke(None, THREAD)
            assert not stored & set(model.asked[before:]), writes
        assert (out["answer"], out["subcalls"]) == ("P3", 5), writes  # p0, p1, x, p2, p3


def test_one_guess_that_did_not_hold_is_no_end_of_looking_ahead() -> None:
    code = (
        "a = llm_query('first')\n"
        "Final = [llm_query(item) for item in [('y' if a == 'FIRST' else 'n') + str(i) for i in range(60)]]"
    )
    model = ScriptedModel(cell(code), answer=str.upper)
    steps = [update for update in rlm_of(model).stream(GIVEN, stream_mode="updates") if "execute" in update]
    assert len(steps) < 20
    assert len(model.asked) == 64


def test_answers_that_an_earlier_version_took_are_read() -> None:
    events: list[Any] = [["cell", "c", ""], ["call", "d", 1, False], ["ahead", ["k"]], ["answer", 1, "B", None]]
    events += [["answer", 0, "A", None], ["call", "e", 1, False], ["took", 0, 3]]
    assert answers_so_far(events) == {0: Answer("B")}


# -- any program ------------------------------------------------------------------------------------------------------

WORDS = st.sampled_from(["'a'", "'b'", "str(len(seen))", "str(i)", "x[:2]", "x.upper()", "P[:3]", "str(n)"])
CONDITIONS = st.sampled_from(
    ["'A' in x", "len(x) > 3", "i % 2", "x < 'M'", "x.startswith('B')", "len(seen) > 4", "n > 5"]
)


def lines_of(blocks: list[list[str]]) -> list[str]:
    return [line for block in blocks for line in block]


def statements(depth: int) -> st.SearchStrategy[list[str]]:
    ask = WORDS.map(lambda word: [f"x = llm_query({word} + ' ?')", "seen.append(x)"])
    number = WORDS.map(lambda word: [f"n = int(llm_query({word} + ' #'))", "seen.append(str(n % 3))"])
    batch = st.tuples(WORDS, WORDS).map(lambda w: [f"seen += llm_batch([{w[0]}, {w[1]} + '!'])", "x = seen[-1]"])
    printing = st.just(["print(i, x)"])
    simple = st.one_of(ask, ask, number, batch, printing)
    if not depth:
        return simple
    inner = st.lists(statements(depth - 1), min_size=1, max_size=3).map(lines_of)

    def indented(lines: list[str]) -> list[str]:
        return [f"    {line}" for line in lines]

    branch = st.tuples(CONDITIONS, inner, inner).map(
        lambda part: [f"if {part[0]}:", *indented(part[1]), "else:", *indented(part[2])]
    )
    loop = st.tuples(st.integers(1, 5), inner, CONDITIONS, st.booleans()).map(
        lambda part: [
            f"for i in range({part[0]}):",
            *indented(part[1]),
            *([f"    if {part[2]}: break"] if part[3] else []),
        ]
    )
    trying = inner.map(lambda lines: ["try:", *indented(lines), "except Exception as e:", "    seen.append(str(e))"])
    raising = CONDITIONS.map(lambda condition: [f"assert not ({condition}), x"])
    called = inner.map(lambda lines: ["def f(x, i, n=0):", *indented(lines), "    return x", "x = f(x, i)"])
    return st.one_of(simple, branch, loop, loop, trying, raising, called)


PROGRAMS = st.lists(statements(2), min_size=1, max_size=4).map(
    lambda blocks: "\n".join(["seen, x, i, n = [], 'start', 0, 0", *lines_of(blocks), "Final = [x, i, n, seen]"])
)


def answer_of(prompt: str) -> str:
    if prompt.startswith("2"):
        raise ValueError("down")
    if prompt.endswith("#"):
        return str(zlib.crc32(prompt.encode()) % 12)
    return f"{prompt[::-1].upper()} {len(prompt)}"


def answer_in_time(prompt: str) -> str:
    """Some answers come late, so that the code gets there while they are under way."""
    time.sleep(zlib.crc32(prompt.encode()) % 5 / 500)
    return answer_of(prompt)


@pytest.mark.parametrize("grace", [0.0, landing.GRACE])
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(PROGRAMS)
def test_any_program_does_what_it_does_without_a_look_ahead(grace: float, program: str) -> None:
    one = ran(program, ahead=False, answer=answer_of)
    with mock.patch.object(landing, "GRACE", grace):
        many = ran(program, answer=answer_in_time)
    for key in ("answer", "status", "steps"):
        assert many.out[key] == one.out[key], program
    assert (many.outputs, many.errors) == (one.outputs, one.errors), program
    assert not set(one.model.asked) - set(many.model.asked)
    assert many.out["subcalls"] == one.out["subcalls"]
    assert sum(len(step["subcalls"]) for step in many.out["trajectory"]) == len(many.model.asked)
