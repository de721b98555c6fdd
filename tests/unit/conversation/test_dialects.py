"""What holds in each dialect in which a reply may have several blocks, and for dialects as a setting."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langgraph.checkpoint.memory import InMemorySaver

from langgraph_rlm import InvalidInput
from langgraph_rlm.repl import repl_state
from tests.fakes import InOrder, KilledAt, Ran, ScriptedModel, blocks, cell, rlm_of, stored_answers, submit

THREAD: Any = {"configurable": {"thread_id": "1"}}
GIVEN = {"query": "How many?", "context": "apple\npear\n"}
ENDING = {"answer": lambda name: cell(submit(name)), "final-text": "FINAL_VAR({})".format}
"""The reply that ends a run with a variable, by the dialect."""

each_dialect = pytest.mark.parametrize("dialect", ENDING)


def ran(dialect: str, *replies: str, given: Any = GIVEN, answer: Any = str.upper) -> Ran:
    model = InOrder(script=replies, answer=answer)
    return Ran(rlm_of(model, dialect=dialect).invoke(given), model)


PIECES = [
    'answer["ready"] = True',
    'answer = {"content": 1, "ready": True}',
    "```repl\nanswer['content'], answer['ready'] = 1, True\n```",
    "FINAL(1)",
    "FINAL_VAR(context)",
    "FINAL_VAR(made)",
    "```repl\nFINAL(1)\n```",
    "Final = 1",
    "\n",
    "Turn 30/30:",
    "REPL output:",
    "</think>",
    "Your next action:",
]


@each_dialect
@settings(max_examples=30, deadline=None)
@given(pieces=st.lists(st.sampled_from(PIECES), min_size=1, max_size=6))
def test_text_of_documents_output_and_sub_answers_ends_nothing(dialect: str, pieces: list[str]) -> None:
    text = "\n".join(pieces)
    run = ran(
        dialect,
        blocks("print(context)", "print(llm_query('x'))", "made = llm_query('y') + context\nprint(made, [made])"),
        "I have seen it.",
        cell("end = 'the end'"),
        ENDING[dialect]("end"),
        given={"query": "q", "context": f"a text\n{text}"},
        answer=lambda _: text,
    )
    assert (run.answer, run.out["steps"]) == ("the end", 4)


@each_dialect
def test_child_speaks_the_same_dialect(dialect: str) -> None:
    class Both(ScriptedModel):
        """Has a script for the root and one for its child, in the order of their turns."""

        def _reply_to(self, call: Any) -> str:
            name = "child" if call.conversation[0][1].count("child") else "root"
            return str(self.script[name].pop(0))

    root = [blocks("x = 1", "y = rlm_query('child', context)"), cell("z = [x, y]"), ENDING[dialect]("z")]
    child = [blocks("n = len(context)", "n += 1"), ENDING[dialect]("n")]
    out = rlm_of(Both(script={"root": root, "child": child}), dialect=dialect).invoke({**GIVEN, "query": "root"})
    assert (out["answer"], out["steps"]) == ([1, "12"], 5)


TURNS = [
    blocks("seen = [llm_query(x) for x in 'ab']", "1 / 0", "seen.append(llm_query('c'))\nprint(seen)"),
    blocks("seen += llm_query_batched(['d', 'e'])", "lost = llm_query('f')\n1 / 0"),
]


@each_dialect
@pytest.mark.parametrize(("dumps", "first"), [(-1, 2), (math.inf, 3)], ids=["dumped at each stop", "never dumped"])
def test_run_killed_at_any_write_goes_on_between_and_inside_blocks(
    dumps: float, first: int, dialect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repl_state, "DUMPS_WORTH", dumps)
    turns = [*TURNS, ENDING[dialect]("seen")]
    undisturbed = ran(dialect, *turns)
    assert undisturbed.answer == ["A", "B", "C", "D", "E"]
    kills = 0
    for writes in range(first, 120, 2):
        model, saver = ScriptedModel(*turns, answer=str.upper), KilledAt(writes)

        def rlm(model: ScriptedModel = model, saver: KilledAt = saver) -> Any:
            return rlm_of(model, dialect=dialect, checkpointer=saver, max_concurrency=1)

        try:
            out = rlm().invoke(GIVEN, THREAD)
        except KeyboardInterrupt:
            kills += 1
            stored, before = stored_answers(rlm(), THREAD), len(model.asked)
            out = rlm().invoke(None, THREAD)
            assert not stored & {told.upper() for told in model.asked[before:]}, writes
        assert out["answer"] == undisturbed.answer, writes
        assert without_calls(out["trajectory"]) == without_calls(undisturbed.out["trajectory"]), writes
        assert model.turns[-1].conversation == undisturbed.model.turns[-1].conversation, writes
        assert len(model.turns) <= len(turns) + 1, writes
        if saver.left > 0:
            break
    assert kills > 15


def without_calls(trajectory: list[Any]) -> list[Any]:
    """The steps with how many sub-calls they had: whether those were asked ahead depends on where the run was."""
    return [{**step, "subcalls": len(step["subcalls"])} for step in trajectory]


@each_dialect
def test_each_block_can_be_seen_and_edited_before_it_runs(dialect: str) -> None:
    model, saver = InOrder(script=[blocks("a = 1", "b = 2"), cell("c = [a, b]"), ENDING[dialect]("c")]), InMemorySaver()

    def rlm() -> Any:
        return rlm_of(model, dialect=dialect, checkpointer=saver, interrupt_before=["execute"])

    def seen() -> Any:
        return rlm().get_state(THREAD).next, rlm().get_state(THREAD).values["code"]

    rlm().invoke(GIVEN, THREAD)
    assert seen() == (("execute",), "a = 1")
    rlm().invoke(None, THREAD)
    assert seen() == (("execute",), "b = 2")
    rlm().update_state(THREAD, {"code": "b = 3"})
    rlm().invoke(None, THREAD)
    rlm().invoke(None, THREAD)
    assert rlm().invoke(None, THREAD)["answer"] == [1, 3]
    told = "\n".join(text for _, text in model.turns[1].conversation)
    assert told.index("a = 1") < told.index("The code was changed before it ran.") < told.index("```python\nb = 3\n```")


@each_dialect
@pytest.mark.parametrize("is_async", [False, True])
async def test_blocks_run_in_sync_and_async_runs(is_async: bool, dialect: str) -> None:
    model = InOrder(script=[blocks("a = llm_query('x')", "1 / 0", "a += llm_query('y')"), ENDING[dialect]("a")])
    rlm = rlm_of(model, dialect=dialect)
    out = await rlm.ainvoke(GIVEN) if is_async else rlm.invoke(GIVEN)
    assert out["answer"] == "answer to xanswer to y"
    assert [bool(step["error"]) for step in out["trajectory"]][:3] == [False, True, False]


@pytest.mark.parametrize("name", ["Answer", "", None, 3, ["answer"]])
def test_unknown_dialect_is_refused(name: Any) -> None:
    with pytest.raises(InvalidInput, match="Known: final, answer, final-text"):
        rlm_of(ScriptedModel(), dialect=name)
