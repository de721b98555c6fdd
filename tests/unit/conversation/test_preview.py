"""What the host tells of a text: the words of the question, and records taken apart."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from langchain_core.documents import Document

from langgraph_rlm import Sandbox
from langgraph_rlm.context import Context
from langgraph_rlm.conversation.briefing import Briefing
from langgraph_rlm.conversation.preview import records
from langgraph_rlm.conversation.preview.words import words_found
from langgraph_rlm.conversation.voices.large import Large
from langgraph_rlm.conversation.voices.small import Small
from langgraph_rlm.conversation.voices.voice import Voice
from tests.fakes import ScriptedModel, cell, final_of, rlm_of, run

PEOPLE = "\n".join(f"{i};Ada {i};{'Oslo' if i % 2 else 'Bergen'}" for i in range(500))


SMALL, LARGE = Small(), Large()


def opening(query: str, text: Any, voice: Voice = SMALL) -> str:
    return voice.opening(query, Context.of(text), Briefing())


def rows_of(text: str) -> list[object]:
    """What the offered code makes of `text`, run by CPython."""
    way = records.way_apart(text)
    assert way is not None
    names: dict[str, Any] = {"P": text, "re": re, "json": json}
    exec(way.code, names)
    return list(names["rows"])


@pytest.mark.parametrize(
    ("line", "row"),
    [
        ('{{"n": {i}, "team": "a"}}', {"n": 7, "team": "a"}),
        ("t{i} level=INFO user=u{i}", {"level": "INFO", "user": "u7"}),
        ('<a id="{i}" b="x y"/>', {"id": "7", "b": "x y"}),
        ("Name: N {i} | Desk: {i}", {"Name": "N 7", "Desk": "7"}),
        ("{i},b,c", ["7", "b", "c"]),
        ("{i}\tb b\tc", ["7", "b b", "c"]),
        ("Box {i}: from A, heavy", ["Box", "7:", "from", "A,", "heavy"]),
    ],
)
def test_lines_come_apart_by_their_format(line: str, row: object) -> None:
    assert rows_of("\n".join(line.format(i=i) for i in range(900)))[7] == row


@pytest.mark.parametrize(
    ("line", "other"),
    [
        ("t{i} level=INFO user=u{i}", "--- a new day ---"),
        ("Name: N {i} | Desk: {i}", "(no more of them)"),
        ("{i},b,c", "# of January"),
        ("{i};b;c", "the end;or so"),
        ('{{"n": {i}}}', "# of January"),
    ],
)
def test_lines_that_do_not_come_apart_are_no_rows(line: str, other: str) -> None:
    lines = [line.format(i=i) for i in range(900)]
    assert len(rows_of("\n".join([other, *lines[:450], "", other, *lines[450:], "", other]))) == 900


def test_lines_with_more_fields_are_rows_and_quoted_fields_make_none() -> None:
    lines = [f"{i} | late | Oslo{' | note' if i % 4 == 0 else ''}" for i in range(2_000)]
    assert sum(row[1] == "late" for row in rows_of("\n".join(lines))) == 2_000  # type: ignore[index]
    quoted = [f'"Smith, {i}",Oslo,{i}' if i % 50 == 49 else f"Smith,Oslo,{i}" for i in range(2_000)]
    assert records.way_apart("\n".join(["name,town,n", *quoted])) is None


@pytest.mark.parametrize("start", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_ends_of_lines_and_a_mark_at_the_start_are_no_parts_of_fields(start: str, end: str) -> None:
    text = start + end.join(["name;town", "n;place", *(f"{i};x;{i}" for i in range(900))])
    assert rows_of(text)[-1] == ["899", "x", "899"]
    text = start + end.join(["name;town;n", *(f"a{i};x;{i}" for i in range(900))])
    assert rows_of(text)[-1] == {"name": "a899", "town": "x", "n": "899"}


def test_lines_that_code_would_split_otherwise_are_no_records() -> None:
    assert records.way_apart("\n".join(f"a\x0cb | x | {i}" for i in range(900))) is None


def test_named_columns_become_keys() -> None:
    assert rows_of(f"id;name;city\n{PEOPLE}")[3] == {"id": "3", "name": "Ada 3", "city": "Oslo"}


def test_short_blocks_are_records() -> None:
    assert rows_of("\n\n".join(f"[host {i}]\nport = {i}" for i in range(200)))[5] == "[host 5]\nport = 5"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        "One long sentence follows another. " * 400,
        "x" * 4_000_000,
        "a,b,c\n" * 600_000,
        "Bergen is a city in Norway. It has 280,000 inhabitants.\n" * 200,
        "In 1984 the old king went to war\n" * 200,
        "3 men went down to the pier.\n7 women came up from the sea.\n" * 200,
    ],
)
def test_prose_and_very_long_texts_offer_no_rows(text: str) -> None:
    assert records.way_apart(text) is None


def test_words_of_the_question_are_found_in_the_spelling_of_the_text() -> None:
    words = words_found("Which badges has Vera A. Holt?", "Badge of Vera A. Holt, and a badger")
    assert {word.text: word.place for word in words} == {"Vera A. Holt": 9, "Badge": 0}


@pytest.mark.parametrize(
    "query",
    [
        "What does TaskBasket.drain do?",
        "Where is user.TaskBasket imported?",
        "What is the TaskBasket-class?",
        "Is TaskBasket/Base in use?",
        "Which file sets TaskBasket=30.5?",
    ],
)
def test_parts_of_joined_names_are_found(query: str) -> None:
    text = "x = 1\n" * 300 + "class TaskBasket(Base):\n" + "y = 2\n" * 300
    assert "line 301: class TaskBasket(Base):" in opening(query, text, LARGE)


def test_second_search_is_told_where_the_only_place_lacks_a_word() -> None:
    text = "\n".join(["x: 1 | badge: 2", "x: Vera | badge: 77", *(f"badge: {i} | locker: {i}" for i in range(99))])
    told = opening("Which locker has Vera?", text)
    assert "only place with 'Vera' does not have 'locker'" in told
    assert "only place" not in opening("Which badge has Vera?", text)


def test_opening_is_small_whatever_the_text_and_the_question() -> None:
    for text in ("word " * 10**6, "k=v " * 10**6, ("k=" + "v" * 5_000 + " j=w\n") * 100, PEOPLE, "[" * 10**6):
        query = "word k=v Oslo Bergen Ada [ " * 40
        assert len(opening(query, text)) - len(query) < 2_000
        assert len(opening(query, text, LARGE)) - len(query) < 2_000


def test_first_message_of_a_large_model_is_short_in_the_worst_case() -> None:
    lines = [f"def handler_{{0}}_{j}(request, payload_{j}): return registry['{'k' * 40}'][{j}]" for j in range(40)]
    documents = [
        Document(
            "\n".join(lines).format(i),
            metadata={
                "source": f"src/{'pkg' * 6}{i}/{'mod' * 8}_{i}.py",
                "author": "x",
                "license": "MIT",
                "commit": "c",
            },
        )
        for i in range(60)
    ]
    query = "Which of handler_3_4, handler_5_6, handler_7_8, handler_50_30, payload_12 and `registry` do what?"
    told = opening(query, documents, LARGE)
    assert len(told) / 4 <= 600
    assert "and 45 more" in told


def test_rows_are_defined_only_where_a_cell_uses_them_without_a_definition() -> None:
    for code in ("rows = [1]\nlen(rows)", "print('rows')", "len(P)", "def f(rows):\n    return rows"):
        assert "P" not in records.rows_for(code, Context.of(PEOPLE))
    assert "P" not in records.rows_for("len(rows)", Context.of("Prose alone."))
    names: dict[str, object] = {"P": PEOPLE, "__rlm__": {}}
    exec(records.rows_for("n = len(rows)", Context.of(PEOPLE)) + "\nn = len(rows)", names)
    assert names["n"] == 500


def test_rows_stay_over_cells_and_lines_of_an_error_are_those_of_the_cell() -> None:
    model = ScriptedModel(cell("n = len(rows)\n1 / 0"), cell("rows = rows[:2]"), cell("Final = [n, len(rows)]"))
    out = rlm_of(model).invoke({"query": "q", "context": PEOPLE, "profile": "rlm"})
    assert out["answer"] == [500, 2]
    assert "line 2, in <module>\n    1 / 0" in out["trajectory"][0]["error"]


RECORDS = "\n".join(f"Name: N {i} | Desk: {i}" for i in range(40_000))


def test_rows_of_a_long_text_are_there_in_good_time() -> None:
    assert final_of("Final = rows[7]['Desk']", context=RECORDS) == "7"


def test_rows_that_cannot_be_had_are_told_of_once_and_not_tried_again() -> None:
    cells = ("x = 1\nrows", "y = x + 1\nlen(rows)", "Final = [x, y]")
    ran = run(*cells, context=RECORDS, sandbox=Sandbox(timeout=0.05))
    assert ["`rows`, failed" in told for told in ran.told] == [True, False]
    assert ["name 'rows' is not defined" in (error or "") for error in ran.errors] == [True, True, False]
    assert ran.answer == [1, 2]
