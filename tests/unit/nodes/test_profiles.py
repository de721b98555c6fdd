"""The profiles that are made of sub-calls: `semantic_batches`, `hybrid` and `verify`."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from langgraph_rlm import InvalidInput, LimitExceeded, Limits, Router, create_rlm
from langgraph_rlm.nodes.batches import kind_of
from tests.fakes import QUERY, Graph, KilledAt, ScriptedModel, cell

THREAD: Any = {"configurable": {"thread_id": "1"}}
LINES = "".join(f"order {i} is {'late' if i % 3 else 'early'}\n" for i in range(300))
"""300 orders, 200 of them late."""
GIVEN = {"query": "How many orders are late?", "context": LINES}


def rlm_with(profile: Any, model: ScriptedModel, chunk: int = 2_000, **settings: Any) -> Graph:
    """An RLM whose chunks have about so many characters."""
    return create_rlm(model, router=Router(profile, subcall_direct_below=chunk + 1_025), **settings)


def chunk_of(prompt: str) -> str:
    """What a prompt has after its question."""
    return prompt.rpartition("\n\n")[2]


def counts(prompt: str) -> str:
    return json.dumps({"stated": None, "counted": chunk_of(prompt).count("is late")})


# -- semantic_batches -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_async", [False, True])
def test_all_chunks_are_asked_at_once_and_counts_are_added_up_by_code(is_async: bool) -> None:
    model = ScriptedModel(answer=counts, latency=0.05)
    rlm = rlm_with("semantic_batches", model)
    out = asyncio.run(rlm.ainvoke(GIVEN)) if is_async else rlm.invoke(GIVEN)
    assert (out["answer"], out["route"], out["profile"], out["status"]) == (200, "rlm", "semantic_batches", "answered")
    assert (out["steps"], out["subcalls"]) == (0, len(model.asked))
    assert model.most_in_flight == len(model.asked) > 2
    assert "".join(map(chunk_of, model.asked)).count("order") == 300 * 1
    assert all(chunk_of(prompt).endswith("\n") for prompt in model.asked[:-1])  # no line is cut
    assert "in chunks" in Router.explain(out)


@pytest.mark.parametrize("profile", ["semantic_batches", "hybrid"])
@pytest.mark.parametrize("fails", [False, True])
def test_reason_claims_no_reading_that_may_not_have_been(profile: str, fails: bool) -> None:
    model = ScriptedModel("", cell("Final = 'by the loop'"), answer=lambda p: ValueError("no") if fails else counts(p))
    out = rlm_with(profile, model).invoke(GIVEN)
    assert out["answer"] == ("by the loop" if fails else 200)
    way = "Models were to read all of the text, in chunks, before one writes code: "
    assert Router.explain(out).startswith(way)


TOO_LONG = "This model's maximum context length is 700 tokens. However, you requested 900 tokens."
"""As servers say it that LangChain does not know."""


@pytest.mark.parametrize(
    ("query", "answer"), [("How many orders are late?", 200), ("Which orders are late?", "0 1 2 3")]
)
def test_chunks_that_are_too_long_for_the_model_are_read_in_halves(query: str, answer: Any) -> None:
    def reply(prompt: str) -> str | Exception:
        if "was read in parts" in prompt:
            return " ".join(word for i, word in enumerate("0123") if f"order {i} " in prompt)
        if len(chunk_of(prompt)) > 1_200:
            return ValueError(TOO_LONG)
        return counts(prompt) if "stated" in prompt else chunk_of(prompt)

    model = ScriptedModel(answer=reply)
    out = rlm_with("semantic_batches", model).invoke({"query": query, "context": LINES})
    assert out["answer"] == answer
    read = [chunk_of(prompt) for prompt in model.asked if len(chunk_of(prompt)) <= 1_200 and "in parts" not in prompt]
    assert "".join(sorted(read, key=LINES.index)) == LINES
    assert all(chunk.endswith("\n") for chunk in read)
    assert len([record for record in out["trajectory"][0]["subcalls"] if "too long" in record.get("error", "")]) > 2


def test_what_is_too_long_however_short_the_chunk_ends_the_reading() -> None:
    model = ScriptedModel("", cell("Final = 'by the loop'"), answer=lambda _: ValueError(TOO_LONG))
    out = rlm_with("semantic_batches", model).invoke(GIVEN)
    assert out["answer"] == "by the loop"
    assert "chunks could not be read: Error: too long for the model: ValueError" in out["trajectory"][0]["error"]
    assert "smaller pieces" in model.turns[0].told


def test_chunks_end_where_documents_do() -> None:
    documents = [f"document {i}\n" + "x" * 900 for i in range(9)]
    model = ScriptedModel(answer=lambda prompt: json.dumps({"items": [f"{chunk_of(prompt).count('document')}"]}))
    rlm_with("semantic_batches", model).invoke({"query": "List the documents", "context": documents})
    assert all("document" in prompt.split("\n\n")[2] for prompt in model.asked)


@pytest.mark.parametrize(
    ("query", "said", "answer"),
    [
        (
            "List all colours",
            [{"items": ["red", "Blue "]}, {"items": []}, {"items": ["Blue", "green"]}],
            ["red", "Blue", "green"],
        ),
        ("How many different colours are there?", [{"items": ["red", "blue"]}, {"items": ["red"]}], 2),
        ("How many colours are there?", [{"stated": None, "counted": 2}, {"stated": None, "counted": 3}], 5),
        (
            "How many people work there?",
            [{"stated": "500", "counted": 0}, {"stated": None, "counted": 0}],
            500,
        ),
        ("How many people work there?", [{"stated": "500", "counted": 2}, {"stated": "501", "counted": 0}], "together"),
        ("Who wrote it?", ["NO_ANSWER", "Ann", " ann "], "Ann"),
        ("Who wrote it?", ["Ann", "NO_ANSWER", "Bob"], "together"),
        ("Who wrote it?", ["NO_ANSWER", "NO_ANSWER"], None),
        ("How many men were there?", [{"stated": None, "counted": None}, {"stated": "none", "counted": None}], None),
        ("How many men were there?", [{"stated": " ", "counted": 3}, {"stated": None, "counted": None}], 3),
        ("How many men were there?", ["3", {"stated": None, "counted": 2}, "```json\n3\n```"], 8),
        ("How many men were there?", ["3", {"stated": "9", "counted": 0}], "together"),
        ("Count the men", ["3", "3"], 6),
        ("What is the number of men?", ["3", "3"], "together"),
        ("What was paid?", ["1,200 euros.", "NO_ANSWER", "1,200 euros."], "together"),
        ("What is the id?", ["A-3", "A-3"], "A-3"),
        ("List all ids", [{"items": ["aX", ""]}, {"items": ["ax", "aX"]}], ["aX", "ax"]),
        ("List all colours", [{"items": []}, {"items": []}], None),
    ],
)
def test_answers_of_chunks_are_merged_by_code_where_they_add_up_and_by_a_model_where_not(
    query: str, said: list[Any], answer: Any
) -> None:
    text = "".join(f"<{i}>{'x' * 1_900}\n" for i in range(len(said)))

    def reply(prompt: str) -> str:
        if "was read in parts" in prompt:
            return "together"
        part = said[int(chunk_of(prompt)[1])]
        return part if isinstance(part, str) else json.dumps(part)

    model = ScriptedModel(answer=reply)
    out = rlm_with("semantic_batches", model).invoke({"query": query, "context": text})
    assert out["answer"] == answer
    assert len(model.asked) == len(said) + (answer == "together")


def test_equal_answers_of_some_parts_count_each_where_others_differ() -> None:
    said = {"<0>": "210", "<1>": "210", "<2>": "240"}
    model = ScriptedModel(answer=lambda prompt: said.get(chunk_of(prompt)[:3], "660"))
    text = "".join(f"<{i}>{'x' * 1_900}\n" for i in range(3))
    rlm_with("semantic_batches", model).invoke({"query": "What is the total of the payments?", "context": text})
    assert model.asked[-1].endswith("210\n\n210\n\n240")


def test_merging_that_finds_no_answer_gives_none() -> None:
    model = ScriptedModel(answer=lambda prompt: "NO_ANSWER" if "in parts" in prompt else chunk_of(prompt)[:3])
    text = "".join(f"<{i}>{'x' * 1_900}\n" for i in range(3))
    assert rlm_with("semantic_batches", model).invoke({"query": "Who?", "context": text})["answer"] is None


def test_many_different_answers_are_put_together_in_groups_that_fit() -> None:
    def reply(prompt: str) -> str:
        if "was read in parts" in prompt:
            return f"{len(chunk_of(prompt)) % 7} {'y' * 500}"
        return f"{chunk_of(prompt)[:6]} {'y' * 600}"

    text = "".join(f"<{i:03}>{'x' * 1_900}\n" for i in range(40))
    model = ScriptedModel(answer=reply)
    out = rlm_with("semantic_batches", model).invoke({"query": "Who wrote it?", "context": text})
    assert out["status"] == "answered"
    assert max(map(len, model.asked)) < 4_000


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How many orders are late?", "count"),
        ("How many people work there?", "count"),
        ("How many countries are mentioned?", "distinct"),
        ("How many days lie between the two audits?", "text"),
        ("How many orders did the busiest day have?", "text"),
        ("How many percent are late?", "text"),
        ("What is the number of the invoice from Acme?", "text"),
        ("Give me the sum of all payments", "text"),
        ("Find all of the largest orders", "text"),
        ("Show the total for each region", "text"),
        ("Count Dracula lives where?", "text"),
        ("Count all late orders, please", "count"),
        ("Count the different customers", "distinct"),
        ("Who is the captain?\n\n" + "How many men were aboard, he asked.\n" * 20, "text"),
        ("How many distinct customers ordered?", "distinct"),
        ("List the late orders", "items"),
        ("Give me all late orders", "items"),
        ("What is the average number of orders?", "text"),
        ("How many more orders are late than early?", "text"),
        ("What is the phone number of Bob?", "text"),
        ("Why are they late?", "text"),
    ],
)
def test_words_of_the_question_tell_how_answers_add_up(question: str, kind: str) -> None:
    assert kind_of(question) == kind


def test_chunk_that_cannot_be_read_leaves_the_question_to_the_loop() -> None:
    def reply(prompt: str) -> str | Exception:
        return ValueError("no") if "order 0 " in prompt else counts(prompt)

    model = ScriptedModel("", cell("Final = P.count('is late')"), answer=reply)  # the first reply is the host's cell
    out = rlm_with("semantic_batches", model).invoke(GIVEN)
    assert (out["answer"], out["steps"]) == (200, 1)
    assert "1 of 3 chunks could not be read" in out["trajectory"][0]["error"]


@pytest.mark.parametrize("profile", ["semantic_batches", "hybrid"])
def test_text_of_more_chunks_than_sub_calls_is_left_to_the_loop_as_if_it_began_there(profile: str) -> None:
    code = cell("Final = len(P[:1])")
    model, alike = ScriptedModel(code, answer=counts), ScriptedModel(code)
    out = rlm_with(profile, model, limits=Limits(max_subcalls=2)).invoke(GIVEN)
    assert (out["answer"], out["steps"], out["subcalls"], model.asked) == (1, 1, 0, [])
    rlm_with("rlm", alike, limits=Limits(max_subcalls=2)).invoke(GIVEN)
    assert model.turns[0].conversation == alike.turns[0].conversation
    assert "no more than 2 of 3 chunks of the text could have been read" in Router.explain(out)
    limits = Limits(max_subcalls=2, on_exceeded="raise")
    with pytest.raises(LimitExceeded, match="max_subcalls: 3 used of 2 allowed"):
        rlm_with(profile, model, limits=limits).invoke(GIVEN)


def test_answer_of_chunks_has_to_have_the_form_that_was_asked_for() -> None:
    model = ScriptedModel("", cell("Final = {'n': 200}"), answer=counts)
    form = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    out = rlm_with("semantic_batches", model, response_format=form).invoke(GIVEN)
    assert (out["answer"], out["steps"]) == ({"n": 200}, 1)


@pytest.mark.parametrize("dialect", ["final", "answer", "final-text"])
def test_it_ends_in_every_dialect(dialect: Any) -> None:
    assert rlm_with("semantic_batches", ScriptedModel(answer=counts), dialect=dialect).invoke(GIVEN)["answer"] == 200


@pytest.mark.parametrize("writes", range(4, 22, 2))
def test_killed_run_asks_no_chunk_again_that_was_answered(writes: int) -> None:
    model, saver = ScriptedModel(answer=counts), KilledAt(writes)
    rlm = rlm_with("semantic_batches", model, checkpointer=saver)
    try:
        out = rlm.invoke(GIVEN, THREAD)
    except KeyboardInterrupt:
        before, stored = len(model.asked), rlm.get_state(THREAD).values.get("asked", [])
        out = rlm.invoke(None, THREAD)
        assert len(model.asked) - before <= 3 - len(stored)
    assert (out["answer"], out["subcalls"]) == (200, 3)


def test_second_question_of_a_thread_is_asked_of_the_same_text() -> None:
    rlm = rlm_with("semantic_batches", ScriptedModel(answer=counts), checkpointer=InMemorySaver())
    rlm.invoke(GIVEN, THREAD)
    assert rlm.invoke({"query": "How many orders are late there?"}, THREAD)["answer"] == 200


# -- hybrid -----------------------------------------------------------------------------------------------------------


def test_hybrid_takes_what_an_extractor_finds() -> None:
    model = ScriptedModel()
    out = rlm_with("hybrid", model).invoke({"query": "What is the invoice number?", "context": "Invoice number: 17\n"})
    assert (out["answer"], out["route"], model.calls) == ("17", "extract", [])


def test_hybrid_reads_in_chunks_what_no_extractor_finds() -> None:
    out = rlm_with("hybrid", ScriptedModel(answer=counts)).invoke(GIVEN)
    assert (out["answer"], out["route"], out["steps"]) == (200, "rlm", 0)
    assert "no extractor" in Router.explain(out)


def test_hybrid_goes_on_with_the_loop_where_no_chunk_tells() -> None:
    model = ScriptedModel("", cell("Final = [found, 'by the loop']"), answer=lambda _: "NO_ANSWER")
    out = rlm_with("hybrid", model).invoke({"query": "Who wrote it?", "context": LINES})
    assert (out["answer"], out["steps"]) == ([None, "by the loop"], 1)
    roles = [message.type for message in model.turns[0].messages]
    assert roles == ["system", "human", "ai", "human"]
    assert "read_all('Who wrote it?', 'text'" in model.turns[0].messages[2].text


# -- verify -----------------------------------------------------------------------------------------------------------


def judge(right: str) -> Any:
    """Who finds that passages support this answer alone."""

    def reply(prompt: str) -> str:
        verdict = "supports" if f"Answer: {right}\n" in prompt else "contradicts"
        return json.dumps({"verdict": verdict, "reason": f"it is {right}"})

    return reply


@pytest.mark.parametrize("is_async", [False, True])
def test_answer_is_checked_against_each_passage_and_all_of_them(is_async: bool) -> None:
    model = ScriptedModel(cell("cite('order 1 is late')\ncite('order 2 is late')\nFinal = 'yes'"), answer=judge("yes"))
    rlm = rlm_with("verify", model)
    out = asyncio.run(rlm.ainvoke(GIVEN)) if is_async else rlm.invoke(GIVEN)
    assert (out["answer"], out["status"], out["route"], out["subcalls"]) == ("yes", "answered", "rlm", 3)
    assert out["verification"]["verified"] is True
    assert [made["citation"] for made in out["verification"]["checks"]] == [0, 1, None]
    assert any("order 0 is early\n>>>order 1 is late<<<\norder 2" in prompt for prompt in model.asked)
    assert any("- order 1 is late\n- order 2 is late" in prompt and "Final = 'yes'" in prompt for prompt in model.asked)
    assert "cite(quote)" in model.turns[0].told


def test_answer_that_does_not_hold_goes_back_with_the_reason() -> None:
    model = ScriptedModel(
        cell("cite('order 1 is late')\nFinal = 'no'"),
        cell("cite('order 2 is late')\nFinal = 'yes'"),
        answer=judge("yes"),
    )
    out = rlm_with("verify", model).invoke(GIVEN)
    assert (out["answer"], out["steps"]) == ("yes", 2)
    assert "it is yes" in model.turns[1].told
    assert (out["verification"]["verified"], out["verification"]["returns"]) == (True, 1)
    assert [citation["quote"] for citation in out["citations"]] == ["order 2 is late"]


def test_answer_goes_back_at_most_twice_and_the_outcome_is_in_the_output() -> None:
    model = ScriptedModel(*[cell(f"cite('order 1 is late')\nFinal = 'no {i}'") for i in range(9)], answer=judge("yes"))
    out = rlm_with("verify", model).invoke(GIVEN)
    assert (out["answer"], out["status"], out["steps"]) == ("no 2", "answered", 3)
    verification = out["verification"]
    assert (verification["verified"], verification["returns"]) == (False, 2)
    assert verification["reason"] == "it is yes"


def test_passage_that_is_cited_again_is_checked_once() -> None:
    model = ScriptedModel(
        cell("cite('order 1 is late')\nprint('seen')"),
        cell("cite('order 1 is late')\nFinal = 'yes'"),
        answer=judge("yes"),
    )
    rlm = rlm_with("verify", model, checkpointer=InMemorySaver())
    out = rlm.invoke(GIVEN, THREAD)
    assert (len(out["verification"]["checks"]), len(out["citations"])) == (2, 1)
    assert rlm.get_state(THREAD).values["citations"] == out["citations"]
    assert all(code in model.asked[-1] + model.asked[-2] for code in ("print('seen')", "Final = 'yes'"))


def test_model_that_is_handed_its_answer_back_sees_what_its_code_did() -> None:
    cells = [
        cell("cite('order 1 is late')\nprint('SEEN')\nFinal = 'no'"),
        cell("cite('order 1 is late')\nFinal = 'yes'"),
    ]
    model = ScriptedModel(*cells, answer=judge("yes"))
    rlm_with("verify", model).invoke(GIVEN)
    assert "SEEN" in model.turns[1].told


def test_checks_are_bounded_in_size() -> None:
    code = "[cite(P[i:i + 3000]) for i in range(0, 4000, 100)]\nFinal = P * 50"
    model = ScriptedModel(*[cell(code)] * 3, answer=judge("yes"))
    rlm_with("verify", model).invoke(GIVEN)
    assert max(map(len, model.asked)) < 20_000


def test_answer_that_cites_nothing_goes_back_unchecked() -> None:
    model = ScriptedModel(cell("Final = 'yes'"), cell("cite('order 1 is late')\nFinal = 'yes'"), answer=judge("yes"))
    out = rlm_with("verify", model).invoke(GIVEN)
    assert (out["answer"], out["steps"], out["subcalls"]) == ("yes", 2, 2)
    assert "cites nothing" in model.turns[1].told


def test_check_that_fails_ends_the_run_and_says_so() -> None:
    model = ScriptedModel(cell("cite('order 1 is late')\nFinal = 'yes'"), answer=lambda _: "I would say so")
    out = rlm_with("verify", model).invoke(GIVEN)
    assert (out["answer"], out["steps"], out["verification"]["verified"]) == ("yes", 1, False)
    assert "Unfit" in out["verification"]["reason"]
    assert out["usage"]["scripted-1"]["total_tokens"] == 15 * (1 + 2 * 3)


def test_checks_count_against_the_limits() -> None:
    cells = [cell("cite('order 1 is late')\nFinal = 'yes'")]
    limited = rlm_with("verify", ScriptedModel(*cells, answer=judge("yes")), limits=Limits(max_subcalls=1))
    out = limited.invoke(GIVEN)
    assert (out["verification"]["verified"], out["subcalls"]) == (False, 1)
    spent = rlm_with("verify", ScriptedModel(*cells, answer=judge("yes")), limits=Limits(max_tokens=1)).invoke(GIVEN)
    assert (spent["verification"]["verified"], spent["subcalls"]) == (False, 0)
    limits = Limits(max_subcalls=1, on_exceeded="raise")
    with pytest.raises(LimitExceeded, match="max_subcalls"):
        rlm_with("verify", ScriptedModel(*cells, answer=judge("yes")), limits=limits).invoke(GIVEN)


def test_last_turn_is_not_checked() -> None:
    model = ScriptedModel(cell("Final = 'no'"), cell("Final = 'maybe'"), answer=judge("yes"))
    out = rlm_with("verify", model, limits=Limits(max_steps=1)).invoke(GIVEN)
    assert (out["answer"], out["status"]) == ("maybe", "limit")
    assert (out["verification"]["verified"], out["verification"]["returns"]) == (False, 1)


def test_each_question_of_a_thread_is_verified_anew() -> None:
    model = ScriptedModel(*[cell("cite('order 1 is late')\nFinal = 'yes'")] * 2, answer=judge("yes"))
    rlm = rlm_with("verify", model, checkpointer=InMemorySaver())
    rlm.invoke(GIVEN, THREAD)
    out = rlm.invoke({"query": QUERY, "profile": "rlm"}, THREAD)
    assert (out["verification"], len(model.asked)) == (None, 2)


@pytest.mark.parametrize("writes", range(4, 24, 2))
def test_killed_run_makes_no_check_again_that_was_made(writes: int) -> None:
    cells = [cell("cite('order 1 is late')\nFinal = 'no'"), cell("cite('order 2 is late')\nFinal = 'yes'")]
    model, saver = ScriptedModel(*cells, answer=judge("yes")), KilledAt(writes)
    rlm = rlm_with("verify", model, checkpointer=saver)
    try:
        out = rlm.invoke(GIVEN, THREAD)
    except KeyboardInterrupt:
        out = rlm.invoke(None, THREAD)
    assert (out["answer"], out["verification"]["verified"]) == ("yes", True)
    assert len(model.asked) <= 4 + 2  # those that were under way


# -- what cannot be ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", ["semantic_batches", "hybrid", "verify"])
def test_profile_that_needs_sub_calls_is_refused_where_there_are_none(profile: Any) -> None:
    with pytest.raises(InvalidInput, match="max_depth"):
        create_rlm(ScriptedModel(), router=Router(profile), limits=Limits(max_depth=0))
    with pytest.raises(InvalidInput, match="max_depth"):
        create_rlm(ScriptedModel(), limits=Limits(max_depth=0)).invoke(GIVEN | {"profile": profile})
