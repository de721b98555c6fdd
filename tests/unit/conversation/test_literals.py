"""Answers that are written down where nothing was seen, and answers that are computed."""

from __future__ import annotations

from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from langgraph_rlm import Limits
from langgraph_rlm.conversation.dialects.prose import does_something, is_code
from langgraph_rlm.conversation.literals import states_answer, states_answer_unseen
from tests.fakes import InOrder, ScriptedModel, blocks, cell, rlm_of, submit

TEXT = "ticket 1: angry\nticket 2: calm\n" * 400 + "Sum: 1234567\n"
GIVEN: Any = {"query": "What is the sum?", "context": TEXT}
STATED = [
    "Final = 7",
    "Final = -7.5",
    "Final = 'P'",
    'Final = f"seven"',
    "Final = ['Alice', 'Bob']",
    "Final = {'n': 7, 'of': (1, 2)}",
    "Final = str(7)",
    "Final = ', '.join(['a', 'b'])",
    "answer = 7\nFinal = answer",
    "n = 3\nFinal = f'{n} of 4'",
    "FINAL(7)",
    "total = 7\nFINAL_VAR('total')",
    "print('It is 7')\nFinal = 7",
    "Final: int = 7",
    "import re\nFinal = 1024",
    'answer["content"] = 7\nanswer["ready"] = True',
    "answer.update(content=7, ready=True)",
    "answer = {'content': 7, 'ready': True}",
    "names = ['a', 'b']\nFinal = len(names)",
    "Final = sum([3, 4])",
    "a, b = 3, 4\nFinal = a + b",
    "Final = a = 7",
    "Final = max(7, 0)",
    "import json\nFinal = json.loads('[7]')",
    "Final = [i * i for i in range(3)]",
    "if True:\n    Final = 7",
    "answer = 7\nif answer:\n    Final = answer",
    "(Final := 7)",
    "Final, y = 7, 8",
    "def f():\n    return 7\nFinal = f()",
    "try:\n    Final = 7\nexcept Exception:\n    pass",
    "h = ['a', 'b']\nh.append('c')\nFinal = len(h)",
    "Final = sorted(['b', 'a'])",
    "if True:\n    answer['content'] = 7\n    answer['ready'] = True",
]
IN_LOOPS = [
    "for i in range(7):\n    Final = i",
    "t = 0\nfor x in [3, 4]:\n    t += x\nFinal = t",
    "counts = {'host1': 40, 'host4': 30}\nt = 0\nfor v in counts.values():\n    t += v\nFinal = t",
    "lines = []\nfor name in ['a', 'b']:\n    lines.append('## ' + name)\nFinal = '\\n'.join(lines)",
]
COMPUTED = [
    "Final = len(P)",
    "Final = x",
    "Final = x + 1",
    "Final = f'{x} of 4'",
    "n = 0\nfor line in P.splitlines():\n    n += 1\nFinal = n",
    "if 'a' in P:\n    Final = 'yes'\nelse:\n    Final = 'no'",
    "found = []\nfound.append(x)\nFinal = found",
    "Final = [llm_query('x')]",
    "out = {}\nout['apples'] = P.count('a')\nFinal = out",
    "out = {}\nfill(out)\nFinal = out",
    "Final = [line for line in P.splitlines() if 'a' in line]",
    "Final = 'a' if x else 'b'",
    "FINAL(x)",
    "n = P.count('a')\nn += 1\nFinal = n",
    "n = P.count('a')\nn = n + 1\nFinal = n",
    "found = P.split()\nfound.append('c')\nFinal = found",
    "for line in P.splitlines():\n    Final = line",
    "with x as y:\n    Final = y",
    "def f():\n    return len(P)\nFinal = f()",
    "(Final := len(P))",
    "Final, y = len(P), 8",
    "while x:\n    x = x[1:]\nFinal = x",
    'answer["content"] = x\nanswer["ready"] = True',
]


@pytest.mark.parametrize("code", STATED)
def test_answer_that_is_written_down_is_known(code: str) -> None:
    assert states_answer_unseen(code)
    assert states_answer(["print(P[:100])", code])
    assert not states_answer([code])


@pytest.mark.parametrize("code", IN_LOOPS)
def test_what_loops_make_of_what_is_written_down_is_no_guess_and_is_not_believed_beside_other_code(code: str) -> None:
    assert not states_answer_unseen(code)
    assert states_answer(["print(P[:100])", code])


@pytest.mark.parametrize("code", COMPUTED)
def test_answer_that_is_computed_is_not_taken_for_one(code: str) -> None:
    assert not states_answer_unseen(code)
    assert not states_answer(["x = P.find('a')\nprint(x)", code])


@pytest.mark.parametrize(
    ("made", "answer"),
    [
        ("iter([3, 1])", [3, 1]),
        ("map(str, [3])", ["3"]),
        ("{3}", [3]),
        ("set()", []),
        ("{'a': 3}.keys()", ["a"]),
        ("{'a': 3}.items()", [["a", 3]]),
        ("range(3)", [0, 1, 2]),
        ("collections.deque([3])", [3]),
        ("(i for i in [3])", [3]),
        ("itertools.chain([3], [4])", [3, 4]),
    ],
)
def test_what_nobody_guesses_in_is_not_asked_about(made: str, answer: Any) -> None:
    for code in (f"Final = {made}", f"made = {made}\nFinal = made", f"FINAL({made})"):
        out = rlm_of(ScriptedModel(cell(code))).invoke(GIVEN)
        assert (out["answer"], out["status"], out["steps"]) == (answer, "answered", 1)


def test_answer_that_takes_the_place_of_what_was_computed_is_not_believed() -> None:
    first, second = cell("n = P.count('angry')\nprint(n)"), cell("n = 7\nFinal = n")
    model = ScriptedModel(f"{first}\nOutput: 7\n{second}", cell("Final = P.count('angry')"))
    out = rlm_of(model).invoke(GIVEN)
    assert (out["answer"], out["steps"]) == (400, 2)
    assert not states_answer(["n = P.count('a')\nprint(n)", "Final = n + 1"])


@pytest.mark.parametrize("first", ["Final = 1024", "Final = 'P'", "Final = ['a']", "x = 7\nFINAL(x)"])
def test_first_cell_that_only_states_an_answer_is_asked_about_once(first: str) -> None:
    model = ScriptedModel(cell(first), cell("Final = int(P.split('Sum: ')[1])"))
    out = rlm_of(model).invoke(GIVEN)
    assert (out["answer"], out["status"], out["steps"]) == (1234567, "answered", 2)
    assert "not found" in model.turns[1].told
    stubborn = rlm_of(ScriptedModel(cell(first), cell(first))).invoke(GIVEN)
    assert (stubborn["answer"] in (1024, "P", ["a"], 7), stubborn["status"], stubborn["steps"]) == (True, "answered", 2)


def test_answer_beside_the_first_look_is_asked_about() -> None:
    first = cell("n = P.count('angry')\nprint(n)\n# Output: 7\nFinal = 7")
    model = ScriptedModel(first, cell("Final = n"))
    assert rlm_of(model).invoke(GIVEN)["answer"] == 400


def test_answer_of_a_cell_that_somebody_has_edited_is_believed() -> None:
    thread: Any = {"configurable": {"thread_id": "1"}}
    rlm = rlm_of(ScriptedModel(cell("Final = 7")), checkpointer=InMemorySaver(), interrupt_before=["execute"])
    rlm.invoke(GIVEN, thread)
    rlm.update_state(thread, {"code": "Final = 42"})
    assert rlm.invoke(None, thread)["answer"] == 42


def test_object_that_is_no_value_is_asked_about_in_a_text_too() -> None:
    code = "def total():\n    return len(P)\nFinal = f'The total is {total}'"
    model = ScriptedModel(cell(code), cell("Final = f'The total is {total()}'"))
    assert rlm_of(model).invoke(GIVEN)["answer"] == f"The total is {len(TEXT)}"


def test_child_without_an_answer_is_an_error() -> None:
    scripts = {
        "How many?": [cell("x = 1"), cell("x = 2")],
        "the sum": [cell("Final = rlm_query_batched(['How many?'])")],
    }
    out = rlm_of(ScriptedModel(script=scripts), limits=Limits(max_steps=1)).invoke(GIVEN)
    assert out["answer"] == ["Error: ModelError: the RLM that was asked has come to no answer"]


def test_text_that_the_first_message_shows_whole_may_be_answered_at_once() -> None:
    assert rlm_of(ScriptedModel(cell("Final = 7"))).invoke({"query": "?", "context": "seven"})["steps"] == 1


def test_further_question_about_a_text_that_was_looked_at_may_be_answered_at_once() -> None:
    thread: Any = {"configurable": {"thread_id": "1"}}
    rlm = rlm_of(
        ScriptedModel(cell("print(P[:9])"), cell("Final = P[0]"), cell("Final = 't'")), checkpointer=InMemorySaver()
    )
    rlm.invoke(GIVEN, thread)
    assert rlm.invoke({"query": "And?"}, thread)["steps"] == 1


@pytest.mark.parametrize("dialect", ["final", "answer"])
def test_answer_after_invented_output_is_not_believed(dialect: Any) -> None:
    stated = "Final = 7" if dialect == "final" else submit("7")
    found = "Final = n" if dialect == "final" else submit("n")
    counted = cell("n = P.count(':')\nprint(n)")
    invented = f"{counted}\nOutput: 7\nSo it is 7.\n{cell(stated)}"
    model = ScriptedModel(invented, cell(found))
    out = rlm_of(model, dialect=dialect).invoke(GIVEN)
    assert (out["answer"], out["status"], out["steps"]) == (TEXT.count(":"), "answered", 2)
    assert str(TEXT.count(":")) in model.turns[1].told
    assert "not taken" in model.turns[1].told


@pytest.mark.parametrize("dialect", ["final", "answer"])
def test_answer_that_later_blocks_compute_is_believed(dialect: Any) -> None:
    found = "Final = n + 1" if dialect == "final" else submit("n + 1")
    out = rlm_of(ScriptedModel(blocks("n = P.count(':')\nprint(n)", found)), dialect=dialect).invoke(GIVEN)
    assert (out["answer"], out["steps"]) == (TEXT.count(":") + 1, 1)


@pytest.mark.parametrize("voice", ["large", "small"])
def test_none_is_asked_about_once(voice: Any) -> None:
    cells = (cell("Final = None\nn = P.count('x')"), cell("Final = None if n < 5 else n"))
    model = InOrder(script=cells)
    out = rlm_of(model, voice=voice).invoke(GIVEN)
    assert (out["answer"], out["status"], out["steps"]) == (None, "answered", 2)
    assert sum("`Final` is None" in text for _, text in model.turns[1].conversation) == 1


def test_last_turn_may_state_an_answer() -> None:
    model = ScriptedModel(cell("print(1)"), cell("Final = 7"))
    out = rlm_of(model, limits=Limits(max_steps=1)).invoke(GIVEN)
    assert (out["answer"], out["status"]) == (7, "limit")


PROSE = [
    *("Alice and Bob", "It is 3.", "Alice", "not found", "A or B", "Alice, Bob", "3 - 4", "-42.5", "Bob [3]", "pass"),
    *("Bergen (Norway)", "Alice (2024)", "Oslo (capital), Bergen (port)", "Alice (in 2024)\nBob (later)"),
    *(
        "answer: 5",
        "['a', 'b']",
        "item(s)",
        "global warming",
        "yes if true else no",
        "e.g",
        '"quoted"',
        "Paris in France",
    ),
]


@pytest.mark.parametrize("words", PROSE)
def test_prose_that_is_python_states_an_answer(words: str) -> None:
    assert not does_something(words)
    model = ScriptedModel(f"{words}\nFINAL: 42")
    assert rlm_of(model).invoke(GIVEN)["answer"] == "42"


@pytest.mark.parametrize(
    "code",
    [
        "print(1)",
        "x = 1",
        "import re",
        "for a in P: pass",
        "x += 1",
        "rows[0]",
        "P[:9]",
        "[len(x) for x in P]",
        "x: int = 1",
    ],
)
def test_code_is_code(code: str) -> None:
    assert is_code(code)
