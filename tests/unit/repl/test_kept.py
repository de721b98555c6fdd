"""What a dropped cell was answered is there for the cells after it: each answer once, and nothing is charged again."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from langgraph_rlm import Limits, Sandbox
from langgraph_rlm.asking.requests import Answer, Request
from langgraph_rlm.repl import repl_state
from langgraph_rlm.repl.journal import kept_answers
from tests.fakes import KilledAt, Ran, ScriptedModel, cell, rlm_of, run
from tests.unit.repl.test_interpreter import ENDLESS, IMPATIENT, SMALL, kill_workers

GIVEN = {"query": "?", "context": "a text"}
THREAD: Any = {"configurable": {"thread_id": "1"}}
BATCH = "Final = llm_batch([f'p{i}' for i in range(50)])"
LOOP = "Final = [llm_query(f'p{i}') for i in range(20)]"
DROPPED = {
    "time-out": (f"{BATCH}\n{ENDLESS}", IMPATIENT),
    "memory": (f"{BATCH}\nhoard = [0] * 10 ** 9", SMALL),
    "dead worker": (f"{BATCH}\nllm_query('kill')", SMALL),
    "too large to keep": (f"{BATCH}\nhoard = 'x' * 30_000_000", SMALL),
}


def upper(prompt: str) -> str:
    """An answer; to "kill" none comes."""
    return kill_workers(prompt) if prompt == "kill" else prompt.upper()


def numbered() -> Callable[[str], str]:
    """Answers that are all different."""
    numbers = count()
    return lambda prompt: f"{prompt} {next(numbers)}"


def kept_records(ran: Ran, step: int) -> list[tuple[str, str]]:
    """Prompt and answer of those of a step that were not asked."""
    records = ran.out["trajectory"][step]["subcalls"]
    return [(record["prompt"], record["answer"]) for record in records if record.get("kept")]


@pytest.mark.parametrize("how", DROPPED)
def test_batch_of_a_dropped_cell_is_not_asked_again(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repl_state, "DUMPS_WORTH", -1)
    code, sandbox = DROPPED[how]
    ran = run(code, BATCH, answer=upper, sandbox=sandbox, limits=Limits(max_subcalls=51), checkpointer=InMemorySaver())
    asked = [prompt for prompt in ran.model.asked if prompt != "kill"]
    assert ran.answer == [f"P{i}" for i in range(50)]
    assert (len(asked), ran.out["subcalls"]) == (50, len(ran.model.asked))
    assert (
        f"{len(ran.model.asked)} answers of models are kept: the same prompts get them again at no cost." in ran.told[0]
    )
    assert kept_records(ran, 1) == [(f"p{i}", f"P{i}") for i in range(50)]


@pytest.mark.parametrize("dialect", ["answer", "final-text"])
def test_models_of_other_dialects_are_told_too(dialect: Any) -> None:
    code, limits = f"llm_query('a')\n{ENDLESS}", Limits(max_steps=1)
    ran = run(code, "", answer=upper, sandbox=IMPATIENT, dialect=dialect, limits=limits)
    assert "The answer of a model is kept: the same prompt gets it again at no cost." in ran.told[0]


def test_loop_of_a_dropped_cell_is_not_asked_again_nor_what_was_asked_ahead_of_it() -> None:
    code = f"for i in range(5):\n    llm_query(f'p{{i}}')\n{ENDLESS}"
    ran = run(code, LOOP, answer=upper, sandbox=IMPATIENT)
    assert ran.answer == [f"P{i}" for i in range(20)]
    assert sorted(ran.model.asked) == sorted(f"p{i}" for i in range(20))


def test_prompts_that_are_kept_are_no_end_of_looking_ahead() -> None:
    first = f"llm_batch(['p0', 'p2', 'p4'])\n{ENDLESS}"
    model = ScriptedModel(cell(first), cell(LOOP), answer=upper, latency=0.02)
    out = rlm_of(model, sandbox=IMPATIENT).invoke(GIVEN)
    assert (out["answer"], len(model.asked)) == ([f"P{i}" for i in range(20)], 20)
    assert model.most_in_flight > 3


def test_votes_of_a_dropped_cell_are_taken_each_once_and_in_order() -> None:
    votes = "llm_batch(['vote'] * 5)"
    ran = run(
        f"{votes}\n{ENDLESS}", "seen = llm_batch(['vote'] * 3)", f"seen += {votes}\nFinal = seen",
        answer=numbered(), sandbox=IMPATIENT,
    )  # fmt: skip
    assert sorted(ran.answer) == [f"vote {i}" for i in range(8)]
    assert (len(ran.model.asked), ran.out["subcalls"]) == (8, 8)


def test_answers_that_a_finished_cell_has_are_its_own() -> None:
    ran = run(
        "a = llm_query('vote')\n1 / 0", ENDLESS, "Final = [a, llm_query('vote')]", answer=numbered(), sandbox=IMPATIENT
    )
    assert ran.answer == ["vote 0", "vote 1"]
    assert "kept" not in "".join(ran.told)


def test_cell_that_is_dropped_twice_gives_back_what_it_took() -> None:
    again = f"seen = llm_batch(['a', 'b'])\nllm_query('c')\n{ENDLESS}"
    ran = run(again, again, again, "Final = [llm_query(x) for x in 'abc']", answer=numbered(), sandbox=IMPATIENT)
    assert [answer[0] for answer in ran.answer] == ["a", "b", "c"]
    assert sorted(ran.model.asked) == ["a", "b", "c"]
    assert all("3 answers of models are kept" in told for told in ran.told)


def test_errors_are_not_kept() -> None:
    failing = iter([True, False])

    def answer(prompt: str) -> str | Exception:
        return ValueError("down") if prompt == "b" and next(failing) else prompt.upper()

    batch = "Final = llm_batch(['a', 'b'])"
    ran = run(f"{batch}\n{ENDLESS}", batch, answer=answer, sandbox=IMPATIENT)
    assert (ran.answer, sorted(ran.model.asked)) == (["A", "B"], ["a", "b", "b"])


def test_call_that_is_refused_leaves_what_is_kept() -> None:
    ran = run(
        f"llm_batch(['a', 'b'])\n{ENDLESS}",
        "try:\n    llm_batch(['a', 'b', 'c', 'd'])\nexcept RuntimeError as e:\n    print(e)\n"
        "Final = llm_batch(['a', 'b', 'c'])",
        answer=numbered(), sandbox=IMPATIENT, limits=Limits(max_subcalls=3),
    )  # fmt: skip
    assert [answer[0] for answer in ran.answer] == ["a", "b", "c"]
    assert (len(ran.model.asked), ran.out["subcalls"]) == (3, 3)
    assert "do not fit" in ran.outputs[1]


def test_first_valid_answer_that_is_kept_is_enough() -> None:
    def answer(prompt: str) -> str:
        return "yes" if "chunk 7" in prompt else "NO_ANSWER"

    chunks = "[f'chunk {i}' for i in range(8)]"
    ran = run(
        f"ask_chunks('q', {chunks})\n{ENDLESS}",
        f"Final = ask_chunks_first('q', {chunks})",
        answer=answer,
        sandbox=IMPATIENT,
    )
    assert (ran.answer, len(ran.model.asked), ran.out["subcalls"]) == ("yes", 8, 8)


def test_plain_data_that_a_schema_asks_for_is_kept() -> None:
    batch = "Final = llm_batch(['a', 'b'], schema={'type': 'integer'})"
    ran = run(f"{batch}\n{ENDLESS}", batch, answer=lambda prompt: "7", sandbox=IMPATIENT)
    assert (ran.answer, len(ran.model.asked)) == ([7, 7], 2)


def test_tools_are_called_again() -> None:
    called: list[str] = []

    def look(at: str) -> str:
        """Looks."""
        called.append(at)
        return f"{at} {len(called)}"

    look.metadata = {"readOnlyHint": True}  # type: ignore[attr-defined]
    ran = run(
        f"look('a')\nllm_query('b')\n{ENDLESS}", "Final = [look('a'), llm_query('b')]", tools=[look], sandbox=IMPATIENT
    )
    assert ran.answer[0] == "a 2"
    assert ran.model.asked == ["b"]
    assert "The answer of a model is kept" in ran.told[0]


def test_only_prompts_that_are_asked_need_consent() -> None:
    batch = "Final = llm_batch(['a', 'b', 'c', 'd'])"
    model = ScriptedModel(cell(f"llm_batch(['a', 'b'])\n{ENDLESS}"), cell(batch), answer=str.upper)
    limits = Limits(confirm_above=1)
    rlm = rlm_of(model, sandbox=IMPATIENT, limits=limits, checkpointer=InMemorySaver())
    rlm.invoke(GIVEN, THREAD)
    shown = rlm.invoke(Command(resume=True), THREAD)["__interrupt__"][0].value
    assert (shown["count"], [request["prompt"] for request in shown["prompts"]]) == (2, ["c", "d"])
    out = rlm.invoke(Command(resume=["d"]), THREAD)
    assert out["answer"][:2] + out["answer"][3:] == ["A", "B", "D"]
    assert "did not agree" in out["answer"][2]
    assert (model.asked[2:], out["subcalls"]) == (["d"], 3)


def test_next_question_has_what_a_cell_was_answered_that_it_drops() -> None:
    saver = KilledAt(math.inf)  # type: ignore[arg-type]
    model = ScriptedModel(cell("a = llm_batch(['a', 'b'])\nllm_query('stop')"), answer=str.upper)

    def stop(prompt: str) -> str:
        if prompt == "stop":
            saver.left = 1
        return prompt.upper()

    model.answer = stop
    rlm = rlm_of(model, checkpointer=saver, lookahead=False)
    with pytest.raises(KeyboardInterrupt):
        rlm.invoke(GIVEN, THREAD)
    asking = ScriptedModel(script={"?": [cell("a"), cell("Final = [llm_query(x) for x in 'ab']")]}, answer=str.upper)
    out = rlm_of(asking, checkpointer=saver).invoke({"query": "What?"}, THREAD)
    assert (out["answer"], out["subcalls"], asking.asked) == (["A", "B"], 0, [])


# -- durable ----------------------------------------------------------------------------------------------------------

BEFORE = f"first = llm_query('first')\nfor i in range(3):\n    llm_query(f'p{{i}}')\nllm_batch(['vote'] * 3)\n{ENDLESS}"
AFTER = "votes = llm_batch(['vote'] * 4)\nloop = [llm_query(f'p{i}') for i in range(5)]"
END = "Final = [len(set(votes)), [answer.split()[0] for answer in loop], llm_query('first').split()[0]]"
EXPECTED = [4, ["p0", "p1", "p2", "p3", "p4"], "first"]
PROMPTS = sorted(["first", *(f"p{i}" for i in range(5)), *["vote"] * 4])


def killed_at(writes: int, script: Any, **given: Any) -> tuple[dict[str, Any], list[str]]:
    """The output of a run that was killed at a write and went on in another one, and all prompts that were answered."""
    saver, model = KilledAt(writes), ScriptedModel(script=script, answer=numbered())
    given = {"checkpointer": saver, "max_concurrency": 1, "sandbox": Sandbox(timeout=0.15), **given}
    try:
        out = rlm_of(model, **given).invoke(GIVEN, THREAD)
    except KeyboardInterrupt:
        out = rlm_of(model, **given).invoke(None, THREAD)
    return out, model.asked


@pytest.mark.parametrize("dumps", [-1, math.inf], ids=["dumped at each stop", "never dumped"])
def test_run_killed_at_any_write_keeps_what_a_dropped_cell_was_answered(
    dumps: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repl_state, "DUMPS_WORTH", dumps)
    for writes in range(4, 50, 2):
        out, asked = killed_at(writes, [cell(BEFORE), cell(AFTER), cell(END)])
        assert out["answer"] == EXPECTED, writes
        again = len(asked) - len(PROMPTS)
        assert again <= 4, (writes, asked)  # those of one call, and what is asked ahead of it: they are stored together


@pytest.mark.parametrize("dumps", [-1, math.inf], ids=["dumped at each stop", "never dumped"])
def test_so_does_a_child(dumps: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repl_state, "DUMPS_WORTH", dumps)
    script = {"Question: child": [cell(BEFORE), cell(AFTER), cell(END)], "": [cell("Final = rlm_query('child', P)")]}
    for writes in range(8, 60, 5):
        out, asked = killed_at(writes, script)
        assert json.loads(out["answer"]) == EXPECTED, writes
        assert len(asked) - len(PROMPTS) <= 4, (writes, asked)


async def test_so_does_a_run_that_is_async() -> None:
    model = ScriptedModel(cell(BEFORE), cell(AFTER), cell(END), answer=numbered())
    out = await rlm_of(model, sandbox=IMPATIENT, checkpointer=InMemorySaver()).ainvoke(GIVEN, THREAD)
    assert (out["answer"], sorted(model.asked), out["subcalls"]) == (EXPECTED, PROMPTS, len(PROMPTS))


def test_variables_made_of_kept_answers_are_the_same_when_cells_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repl_state, "DUMPS_WORTH", math.inf)
    saver, answer = InMemorySaver(), numbered()
    script = {"one": [cell(f"llm_batch(['vote'] * 3)\n{ENDLESS}"), cell("a = llm_batch(['vote'] * 2)\nFinal = a")]}
    rlm = rlm_of(ScriptedModel(script=script, answer=answer), checkpointer=saver, sandbox=IMPATIENT)
    first = rlm.invoke({"query": "one", "context": "a text"}, THREAD)
    model = InOrderLater(answer)
    out = rlm_of(model, checkpointer=saver, sandbox=IMPATIENT).invoke({"query": "two"}, THREAD)
    assert out["answer"] == [*first["answer"], *{f"vote {i}" for i in range(3)} - set(first["answer"])]
    assert model.asked == []


class InOrderLater(ScriptedModel):
    """Writes one cell for a second question, whatever was said before."""

    def __init__(self, answer: Callable[[str], str]) -> None:
        super().__init__(answer=answer)

    def _reply_to(self, call: Any) -> str:
        return cell("Final = [*a, llm_query('vote')]") if call.writes_code else super()._reply_to(call)


# -- the journal ------------------------------------------------------------------------------------------------------

KEY = Request("llm", "p").key
ASKED: list[Any] = [["cell", "c", ""], ["call", "d", 1, False, [KEY]], ["answer", 0, "A", None]]


def kept_of(*events: Any, is_suspended: bool = False) -> dict[str, list[Any]]:
    return {key: list(answers) for key, answers in kept_answers(events, is_suspended).items()}


def test_unfinished_cell_keeps_its_answers_until_it_is_dropped() -> None:
    assert kept_of(*ASKED, is_suspended=True) == {}
    assert kept_of(*ASKED) == {KEY: [((1, 0), Answer("A"))]}
    assert kept_of(*ASKED, ["end"]) == {}


def test_cells_that_are_undone_or_lost_leave_their_answers() -> None:
    one = {KEY: [((1, 0), Answer("A"))]}
    assert kept_of(*ASKED, ["end"], ["undo"]) == one
    assert kept_of(*ASKED, ["end"], ["cell", "e", ""], ["end"], ["lost"]) == one
    assert kept_of(*ASKED, ["end"], ["cell", "e", ""], ["end"], ["undo"]) == {}


def test_answers_of_an_earlier_version_have_no_names_and_are_not_kept() -> None:
    events: list[Any] = [["cell", "c", ""], ["call", "d", 1, False], ["ahead", [KEY]], ["answer", 1, "B", None]]
    assert kept_of(*events, ["answer", 0, "A", None]) == {KEY: [((1, 1), Answer("B"))]}
