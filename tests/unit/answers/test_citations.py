"""Citations: quotes that stand in the text, with the place where they do."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.documents import Document
from langgraph.checkpoint.memory import InMemorySaver

from langgraph_rlm import Context
from langgraph_rlm.answers.citations import locate
from tests.fakes import QUERY, KilledAt, ScriptedModel, cell, error_of, final_of, rlm_of, run

THREAD: Any = {"configurable": {"thread_id": "1"}}
DOCUMENTS = [
    Document("Apples are red.\nPears are\n  green.", metadata={"name": "fruit.txt"}),
    Document("Beans are green.", metadata={"name": "beans.txt"}),
]


def test_quote_has_its_document_and_place() -> None:
    ran = run("c = cite('Beans are green')\nFinal = [c, P[c['start']:c['end']]]", context=DOCUMENTS)
    place, quoted = ran.answer
    assert (place["document"], place["name"], quoted) == (1, "beans.txt", "Beans are green")
    assert ran.out["citations"] == [{"quote": "Beans are green", **place}]


def test_quote_may_differ_in_white_space() -> None:
    ran = run("cite('Pears are green.')\nFinal = 1", context=DOCUMENTS)
    assert [citation["quote"] for citation in ran.out["citations"]] == ["Pears are\n  green."]


@pytest.mark.parametrize("quote", ["Apples are green", "", "  ", "x" * 10_001, "apples are red"])
def test_quote_that_does_not_stand_in_the_text_is_an_error(quote: str) -> None:
    assert "ValueError" in error_of(f"cite({quote!r})", context=DOCUMENTS)


def test_quote_that_goes_on_into_the_next_document_is_counted_to_the_first() -> None:
    ran = run("cite('green. Beans')\nFinal = 1", context=DOCUMENTS)
    assert [(cited["document"], cited["quote"]) for cited in ran.out["citations"]] == [(0, "green.\n\nBeans")]


def test_citations_of_a_child_are_not_those_of_the_run() -> None:
    script = {"Question: child": [cell("cite('red')\nFinal = 1")], QUERY: [cell("Final = rlm_query('child', P)")]}
    assert rlm_of(ScriptedModel(script=script)).invoke({"query": QUERY, "context": DOCUMENTS})["citations"] == []


def test_quote_that_is_no_text_is_an_error() -> None:
    assert "TypeError" in error_of("cite(3)", context=DOCUMENTS)


def test_citations_are_of_all_steps_of_the_question_each_once_and_of_no_other() -> None:
    model = ScriptedModel(
        cell("cite('Apples')"), cell("cite('Beans')\ncite('Apples')\ncite('Beans')\nFinal = 1"), cell("Final = 2")
    )
    rlm = rlm_of(model, checkpointer=InMemorySaver())
    first = rlm.invoke({"query": QUERY, "context": DOCUMENTS}, THREAD)
    assert [citation["quote"] for citation in first["citations"]] == ["Apples", "Beans"]
    assert rlm.invoke({"query": "And now?"}, THREAD)["citations"] == []


def test_run_without_citations_has_none() -> None:
    assert run("Final = 1").out["citations"] == []


def test_places_that_code_makes_up_are_no_citations() -> None:
    forged = "__rlm__['_cited'] += [[-5, 3], [0, 10**9], [3, 3], ['a', 'b'], [0, 6]]\nFinal = 1"
    citations = run(forged, context=DOCUMENTS).out["citations"]
    assert all(citation["quote"] in "".join(d.page_content for d in DOCUMENTS) for citation in citations)


def test_quote_with_other_white_space_is_found_among_its_like_and_given_up_where_that_takes_too_long() -> None:
    text = "a b " * 2_000 + "a\tb\n c end " + "a b " * 2_000
    context = Context.of(text)
    start, end = locate("b a b c  end a", context)
    assert text[start:end].split() == ["b", "a", "b", "c", "end", "a"]
    with pytest.raises(ValueError, match="letter by letter"):
        locate("a  " + "a " * 4_990 + "b", Context.of("a " * 500_000))


def test_number_of_citations_is_bounded() -> None:
    forged = "__rlm__['_cited'] += [[i, i + 1] for i in range(%d, %d)]"
    ran = run(forged % (0, 150), forged % (150, 400) + "\nFinal = 1", context="x" * 1_000)
    assert len(ran.out["citations"]) == 200


def test_quote_is_found_in_a_text_that_is_not_ascii() -> None:
    assert final_of("Final = cite('Bär')['start']", context="Ein großer Bär") == 11


@pytest.mark.parametrize("writes", range(4, 16))
def test_killed_run_has_its_citations(writes: int) -> None:
    saver = KilledAt(writes)
    code = "cite('Apples')\nx = llm_query('a')\ncite('Beans')\nFinal = x"
    rlm = rlm_of(ScriptedModel(cell("cite('Pears')"), cell(code)), checkpointer=saver)
    out: dict[str, Any]
    try:
        out = rlm.invoke({"query": QUERY, "context": DOCUMENTS}, THREAD)
    except KeyboardInterrupt:
        out = rlm.invoke(None, THREAD)
    assert [citation["quote"] for citation in out["citations"]] == ["Pears", "Apples", "Beans"]
