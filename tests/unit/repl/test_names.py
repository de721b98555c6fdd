"""Names: what code makes its own, what is put back, and `datetime` in both of its senses."""

from __future__ import annotations

from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from langgraph_rlm import Sandbox
from langgraph_rlm.repl.boot import NAMES, PROTECTED
from tests.fakes import TEXT, ScriptedModel, cell, error_of, final_of, rlm_of, run, submit

THREAD: Any = {"configurable": {"thread_id": "1"}}
ENDLESS = "while True:\n    pass"


# -- names that are the code's own ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted({*NAMES} - {*PROTECTED}))
def test_name_without_which_there_are_text_and_models_may_be_overwritten(name: str) -> None:
    ran = run(f"{name} = 'mine'", f"Final = [{name}, len(P), llm_query('x'), llm_map('Say.', ['y'])]")
    assert ran.answer[:3] == ["mine", len(TEXT), "answer to x"]
    assert "Restored" not in ran.told[0]
    assert f"{name} (str, 4)" in ran.told[0]


def test_overwritten_helpers_are_not_those_that_others_are_made_of() -> None:
    ran = run(
        "ask = llm_batch = pick_first_answer = context = json = re = 5",
        "Final = [ask_chunks_first('What?', ['x', 'bingo']), extract_after('apple'), llm_map('Say.', ['a'])]",
        answer=lambda prompt: "found" if "bingo" in prompt else "NO_ANSWER",
    )
    assert ran.answer == ["found", "pear", ["NO_ANSWER"]]


def test_imports_stay_and_functions_that_use_them_work_in_the_next_cell() -> None:
    ran = run(
        "from datetime import datetime\nimport json as re\n"
        "def year(text):\n    return datetime.strptime(text, '%Y').year",
        "Final = [year('2024'), datetime(2024, 1, 2).day, re.dumps([1])]",
    )
    assert ran.answer == [2024, 2, "[1]"]
    assert "Restored" not in ran.told[0]


def test_own_names_are_there_after_a_cell_that_was_dropped_and_on_the_next_question() -> None:
    model = ScriptedModel(
        script={
            "Question: first": [cell("context = 'mine'\nask = 3"), cell(ENDLESS), cell("Final = [context, ask]")],
            "Question: second": [],
        }
    )
    saver = InMemorySaver()
    rlm = rlm_of(model, checkpointer=saver, sandbox=Sandbox(timeout=0.3))
    given = {"query": "first", "context": "text"}
    assert rlm.invoke(given, THREAD)["answer"] == ["mine", 3]
    for query, new in (("same text", {}), ("new text", {"context": "new" * 1_000})):
        model.script = [*[""] * 3, *[cell("Final = [context, ask, context_0[:3]]")] * 3]
        out = rlm.invoke({"query": query, **new}, THREAD)
        assert out["answer"] == ["mine", 3, "new" if new else "tex"]


def test_variables_named_like_helpers_move_to_a_larger_session() -> None:
    model = ScriptedModel(cell("context = 'mine'\nask = [1]\nsum = 5\nFinal = 1"))
    rlm = rlm_of(model, checkpointer=InMemorySaver(), sandbox=Sandbox(memory=1_000_000))
    rlm.invoke({"query": "q", "context": "text"}, THREAD)
    model.script = ["", cell("Final = [context, ask, sum, len(P)]")]
    out = rlm.invoke({"query": "q", "context": "x" * 30_000_000}, THREAD)
    assert out["answer"] == ["mine", [1], 5, 30_000_000]


def test_name_that_the_model_knows_the_text_by_is_put_back() -> None:
    ran = run("context = 1", submit("context"), dialect="answer", context="text")
    assert ran.answer == "text"
    assert "Restored to what they are: context" in ran.told[0]


def test_setting_final_by_another_name_is_told() -> None:
    assert "write `Final = FINAL`" in run("FINAL = 5", "Final = FINAL").told[0]


# -- built-ins --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "call", "value"),
    [
        ("sum = 0\nfor n in [1, 2]:\n    sum += n", "sum([1, 2])", 3),
        ("list = ['a']", "list('bc')", ["b", "c"]),
        ("max = 7.5", "max(1, 2)", 2),
        ("map = {}", "[n for n in map(lambda n: n, [1])]", [1]),
        ("str = 'x'\ndef shown(n):\n    return str(n)", "shown(5)", "5"),
    ],
)
def test_builtin_that_is_a_variable_comes_back_where_code_calls_it(code: str, call: str, value: object) -> None:
    name = code.partition(" ")[0]
    ran = run(code, f"x = {call}", f"Final = [{call}, {name}_]")
    assert ran.answer[0] == value
    assert f"`{name}` is the built-in again, and your variable of that name is `{name}_`" in (ran.errors[1] or "")
    assert f"{name}_ (" in ran.told[1].split("Variables: ")[1]


def test_builtin_that_came_back_is_back_when_cells_run_again() -> None:
    ran = run("sum = 3", "sum([1])", ENDLESS, "Final = [sum([1]), sum_]", sandbox=Sandbox(timeout=0.3))
    assert ran.answer == [1, 3]


def test_variable_named_like_a_builtin_stays_one_where_something_else_cannot_be_called() -> None:
    ran = run("sum = 3\nf = 4", "f(len([sum]))", "Final = sum")
    assert ran.answer == 3
    assert "built-in" not in (ran.errors[1] or "")


# -- datetime ---------------------------------------------------------------------------------------------------------

AS_MODULE = [
    "datetime.datetime(2024, 1, 2).day == 2",
    "datetime.datetime.now().year > 2000",
    "datetime.datetime.strptime('2024-01-02', '%Y-%m-%d').day == 2",
    "datetime.date.today().year > 2000",
    "datetime.timedelta(days=1).days == 1",
    "datetime.timezone.utc is datetime.UTC",
    "isinstance(datetime.datetime(2024, 1, 2), datetime.date)",
    "datetime.datetime.fromisoformat('2024-01-02') < datetime.datetime.max",
]
AS_CLASS = [
    "datetime(2024, 1, 2).day == 2",
    "datetime(year=2024, month=1, day=2).year == 2024",
    "datetime.now().year > 2000",
    "datetime.today().year > 2000",
    "datetime.strptime('2024-01-02', '%Y-%m-%d').day == 2",
    "datetime.fromisoformat('2024-01-02') == datetime(2024, 1, 2)",
    "datetime.fromtimestamp(0).year == 1970",
    "datetime.min < datetime(2024, 1, 2)",
    "isinstance(datetime(2024, 1, 2), datetime) and not isinstance(5, (str, datetime))",
    "type(datetime(2024, 1, 2)) is datetime",
    "f'{datetime(2024, 1, 2):%d}' == '02'",
    "[t.day for t in map(datetime.fromisoformat, ['2024-01-02'])] == [2]",
]


@pytest.mark.parametrize("imports", ["", "import datetime", "from datetime import datetime", "from datetime import *"])
def test_datetime_is_the_module_and_the_class_however_it_was_imported(imports: str) -> None:
    ran = run(
        f"{imports}\ndef both():\n    return [{', '.join([*AS_MODULE, *AS_CLASS])}]", "Final = [*both(), *both()]"
    )
    assert ran.errors == [None, None]
    assert all(ran.answer)


@pytest.mark.parametrize(
    "code",
    [
        "import datetime as dt\nFinal = dt.datetime(2024, 1, 2).day",
        "from datetime import datetime as dt\nFinal = dt(2024, 1, 2).day",
        "from datetime import datetime, timedelta, date\nFinal = (datetime(2024, 1, 1) + timedelta(days=1)).day",
        "from datetime import (\n    date as day,\n    UTC,\n)\nFinal = day(2024, 1, 2).day",
        "import datetime, json\nFinal = datetime.date(2024, 1, 2).day",
        "when = datetime\nFinal = when(2024, 1, 2).day",
        "datetime = 2\nFinal = datetime",
        "Final = [datetime for datetime in [1, 2]][1]",
        "def f(datetime):\n    return datetime\nFinal = f(2)",
    ],
)
def test_datetime_by_other_names_and_other_things_by_its_name(code: str) -> None:
    assert final_of(code) == 2


def test_errors_about_dates_show_the_models_own_code() -> None:
    error = error_of("x = 1\nwhen = datetime.strptime('x', '%Y') - datetime(2024, 1, 2)")
    assert "when = datetime.strptime('x', '%Y') - datetime(2024, 1, 2)" in error
    assert "line 2" in error
    assert "time data 'x' does not match format '%Y'" in error
    assert "__rlm__" not in error_of("x = timedelta(days=y)")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("def sum(a, b): return a + b", "sum([1, 2])"),
        ("max = lambda xs: xs[0]", "max(1, 2)"),
        ("class list: pass", "list('ab')"),
        ("from operator import add as sum", "sum([1, 2])"),
        ("def filter(line): return line", "filter(None, [1])"),
    ],
)
def test_error_says_that_a_built_in_is_the_code_s_own(first: str, second: str) -> None:
    name = second.partition("(")[0]
    ran = run(first, second, f"del {name}\n{second}\nFinal = 1")
    assert f"Your code has made `{name}` its own: `del {name}` brings the built-in back." in (ran.errors[1] or "")
    assert ran.errors[2] is None
