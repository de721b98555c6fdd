"""Answers without a model: given where the text leaves no doubt, and nowhere else."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.documents import Document

from langgraph_rlm import Context, ExtractorError, InvalidInput, RLMError, after, regex
from langgraph_rlm.routes.extractors import Found, run_extractors
from langgraph_rlm.routes.fields import MOST_MATCHES, MOST_PLACES, field

ASKED = "What is the invoice number?"


def found(text: Any, query: str = ASKED) -> str | None:
    return field(query, Context.of(text))


# -- a field that the question names ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Invoice number: 5",
        "Dear Bob\n\nINVOICE NUMBER: 5\r\nTotal: 7\r\n",
        "  - **Invoice number:** 5\n  - **Total**: 7\n",
        "invoice_number = 5",
        "invoice-number: '5'\ntotal: 8",
        "[invoice]\ninvoiceNumber=5\n[buyer]\nname=Bob",
        'level=info invoice_number=5 user="Bob B"',
        '{"buyer": {"name": "Bob"}, "invoiceNumber": "5"}',
        '{\n  "invoice_number": 5,\n  "total": 7\n}',
        '{\n  "total": 7,\n  "invoice_number": 5\n}\n',
        "name,invoice number,total\nBob,5,7\nAl,5,8\n",
        'name;"Invoice number"\n"Bob; B";5\n\nThe end',
        "Name\tInvoice number\nBob\t5",
        "| Name | Invoice number |\n|---|--:|\n| Bob | 5 |\n",
        "Invoice number: 5\n\ninvoice_number = 5\n",
        "nothing of it here\ninvoice_number: 5\nnothing of it here either",
        "[1] began\ninvoice_number=5\n[1] went on",
        "Invoice number: 5\nnothing of it here\nnothing of it there",
        "Invoice number: 5\nThank you for your business",
        ["Invoice number: 5", "Nothing of it here"],
    ],
)
def test_value_is_found_in_the_form_it_has(text: Any) -> None:
    assert found(text) == "5"


@pytest.mark.parametrize(
    "text",
    [
        "Nothing of it here",
        "The invoice number is 5",
        "Invoice number: 5\nInvoice number: 6",
        ["Invoice number: 5", "invoice_number=6"],
        "Invoice number: 5\n\nOld invoice number: 4",
        "Invoice number: 5\n\nInvoice number of the order: 4",
        "Invoice number: 5\n\nThe invoice\nnumber was changed to 6.",
        "Invoice number: 5\n\nInvoice numbers: 5 and 6",
        "Invoice number: 5\n\noldInvoiceNumber: 4",
        "Invoice number: 5\n\ninvoice.number = 6",
        "Invoice number: 5\n\ninvoice\u00a0number 6",
        "Invoice number: 5\n\ninvoicenumber 6",
        "Invoice number: 5\nand 6",
        "Invoice number: 5\nand 6\nand 7",
        "Invoice number: 5\nand of the second order 6",
        "Invoice number: 5\nEUR is what it costs",
        "Invoice number: 5\nEuros",
        "Invoice number: 5 Main\nRoad in the town of Newtown",
        "a line\nInvoice number: 5\n  a line",
        "Invoice number: 5\n  part: 6",
        "Invoice number:\n  5",
        "Invoice number: 5 or\nin other words: 6",
        "Invoice number: 5 or\nSince this is a sentence it may be: 6",
        "invoice number: 5 or\nin words: 6",
        "invoice_number = 5 * 6",
        "invoice_number = next(numbers)",
        "Invoice number: 5, total: 7",
        "Invoice number: 5   Total 7",
        "Invoice number: 5\tTotal",
        "Invoice number: 5 | Total",
        "Invoice number: 5  # or 6",
        "Invoice number: 5 // or 6",
        "Invoice number: 5,",
        "Invoice number: 5...",
        "Invoice number: 5\rInvoice number: 6",
        "Invoice number: -",
        "Invoice number: n/a",
        "Invoice number: {{number}}",
        "# Invoice number: 5",
        "invoice_number == 5",
        "invoice_number := 5",
        "see invoice_number=5 here",
        "invoice_number=5 here user=3",
        '{"invoice_number": 5 * 6}',
        '{"invoice_number": null}',
        '{"invoice_number": {"old": 5}}',
        '{"invoice_number": "5"\n "6"}',
        r'"{\"invoice_number\": 5}"',
        "name,invoice number\nBob,5\nAl,6",
        "name,invoice number\nBob,5\nAl",
        "name,invoice number\nBob,",
        "Of these\nname,invoice number\nBob,5",
        "First an invoice, the invoice number, and more",
        "Invoice number: " + "5" * 2_000,
    ],
)
def test_doubt_about_the_value_is_no_answer(text: Any) -> None:
    assert found(text) is None


@pytest.mark.parametrize(
    "query",
    [
        "what's the invoice number",
        "WHAT IS THE INVOICE NUMBER?!",
        "What was the invoice_number in the text?",
        'What is the "invoice number"?',
        "What is the value of invoiceNumber?",
        "What is invoice_number?",
        "Find `invoice_number`.",
        "Tell me the value of the field invoice number, please.",
        " Please give me the invoice number ",
    ],
)
def test_question_may_be_put_in_several_ways(query: str) -> None:
    assert found("Invoice number: 5", query) == "5"


@pytest.mark.parametrize(
    "query",
    [
        "What is the invoice number of order 17?",
        "What is the highest invoice number?",
        "What is the invoice number in 2024?",
        "What are the last invoice numbers?",
        "How many invoice numbers are there?",
        "Is the invoice number 5?",
        "Who is the invoice number?",
        "invoice number",
        "Why is the invoice number 5?",
        "What is the invoice number and the total?",
        "What is the invoice number, and why?",
        "What is the invoice number? Explain.",
        "What is the not invoice number?",
        "What is the number?",
        "What is the invoice?",
        "What is invoice number?",
        "What is invoice_number of order 17?",
        "",
        "?",
    ],
)
def test_question_that_asks_for_more_than_the_field_is_left_to_the_model(query: str) -> None:
    assert found("Invoice number: 5", query) is None


def test_question_itself_in_a_conversation_is_no_mention() -> None:
    said = ["Invoice number: 5", ASKED, "One moment.", ASKED]
    assert found([Document(text) for text in said]) == "5"
    assert found("\n".join(said)) is None


@pytest.mark.parametrize(
    ("key", "query"), [("STRASSENNAME Ä", "strassenname ä"), ("Número", "NÚMERO"), ("番号", "番号")]
)
def test_keys_in_other_languages_are_compared_without_case(key: str, query: str) -> None:
    assert found(f"{key}: 5", f"What is the {query}?") == "5"
    assert found(f"{key}: 5\n\n{key.lower()}: 6", f"What is the {query}?") is None
    assert found(f"{key}: 5\n\n{key.upper()} may be 6", f"What is the {query}?") is None


def test_key_inside_other_words_is_not_meant() -> None:
    assert found("Subtotal: 40\nTotal: 50\nTotality: 9\n", "What is the total?") == "50"


@pytest.mark.parametrize("plural", ["status", "statuses"])
def test_word_that_ends_like_a_plural_is_one(plural: str) -> None:
    assert found("Status: ok", "What is the status?") == "ok"
    assert found(f"Status: ok\n\nThe {plural} may be bad", "What is the status?") is None


def test_value_that_stands_too_often_is_left_to_the_model() -> None:
    assert found("Invoice number: 5\n" * MOST_PLACES) == "5"
    assert found("Invoice number: 5\n" * (MOST_PLACES + 1)) is None
    assert found("Ids and videos. " * MOST_MATCHES + "\n\nID: 5", "What is the id?") is None


def test_field_in_one_long_line_is_found() -> None:
    many = ", ".join('{"name": "é", "amount": 1}' for _ in range(5_000))
    assert found(f'{{"items": [{many}], "invoiceNumber": "5", "all": [{many}]}}') == "5"
    assert found(f'{{"items": [{many}], "invoiceNumber": "5", "all": [{many}]}} Invoice number: 6') is None


WORDS = st.lists(st.sampled_from(["invoice", "number", "total", "of", "status", "x"]), min_size=1, max_size=3)
VALUES = st.text(st.sampled_from("ab12.-:=,;|#/ \"'{}\\é"), min_size=1, max_size=8)
FORMS = st.sampled_from(
    [
        "{}: {}",
        "{} = {}",
        "{}={}",
        "- **{}:** {}",
        '{{"{}": "{}"}}',
        '{{"a": 1, "{}": {}}}',
        "a=b {}={} c=d",
        "name,{}\nBob,{}",
        "| {} | b |\n|---|---|\n| {} | c |",
        "The {} is {}.",
        "x {}: {}",
    ]
)
SPELLINGS = st.sampled_from(
    [
        " ".join,
        "_".join,
        "-".join,
        lambda words: " ".join(words).upper(),
        lambda words: " ".join(words).title(),
        lambda words: words[0] + "".join(map(str.capitalize, words[1:])),
    ]
)
LINES = st.sampled_from(["", "\n", "more words\n", "other: 1\n", "}\n", "\r\n", "  deeper: 2\n", "the end\n", "a,b\n"])
STATED = st.tuples(FORMS, SPELLINGS, LINES)


@given(WORDS, VALUES, VALUES, st.lists(STATED, min_size=2, max_size=4), st.integers(0, 3), LINES)
def test_where_two_values_stand_under_the_key_there_is_no_answer(
    words: list[str], value: str, other: str, stated: list[Any], odd: int, first: str
) -> None:
    text, values = f"{first}\n", list[str]()
    for number, (form, spelling, line) in enumerate(stated):
        values.append(value if number != odd % len(stated) else other)
        text += f"{form.format(spelling(words), values[-1])}\n{line}"
    answer = found(text, f"What is the {' '.join(words)}?")
    if value.strip(" \"'") != other.strip(" \"'"):
        assert answer is None
    else:
        assert answer is None or answer in value


@given(WORDS, st.text(st.sampled_from("ab12 .-:/#é'"), min_size=1, max_size=8), STATED, LINES)
def test_answer_is_all_of_the_value(words: list[str], value: str, stated: Any, first: str) -> None:
    form, spelling, line = stated
    answer = found(f"{first}\n{form.format(spelling(words), value)}\n{line}", f"What is the {' '.join(words)}?")
    assert answer in (None, value.strip(), value.strip().strip("'").strip())


# -- what users name --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("a Marker: 5 \nb", "5"),
        ("Marker:5", "5"),
        ("Marker: 5\r\nMarker:\t5", "5"),
        ("Marker: 5\nMarker: 6", None),
        ("Marker: 5 Marker: 5", None),
        ("Marker: 5\nMarker:", None),
        ("marker: 5", None),
        ("", None),
    ],
)
def test_after_gives_the_rest_of_the_line_where_it_is_the_same_everywhere(text: str, answer: str | None) -> None:
    assert after("Marker:")("Anything?", Context.of(text)) == answer


@pytest.mark.parametrize(
    ("extractor", "text", "answer"),
    [
        (regex(r"No\. (\d+)"), "No. 5 and No. 5", "5"),
        (regex(r"No\. (\d+)"), "No. 5 and No. 6", None),
        (regex(r"No\. (\d+)"), "none", None),
        (regex(r"No\. \d+"), "No. 5", "No. 5"),
        (regex(r"No\. (\d+)", 0), "No. 5", "No. 5"),
        (regex(r"(?P<a>\w)-(?P<b>\w)", "b"), "x-5 y-5", "5"),
        (regex(r"a(\d)?"), "a5 a", None),
        (regex(re.compile(r"no\. (\d+)", re.IGNORECASE)), "No. 5", "5"),
    ],
)
def test_regex_gives_its_group_where_it_is_the_same_everywhere(extractor: Any, text: str, answer: str | None) -> None:
    assert extractor("Anything?", Context.of(text)) == answer


@given(st.lists(st.sampled_from(["5", "6", ""]), min_size=1, max_size=5))
def test_helpers_answer_where_there_is_one_value(values: list[str]) -> None:
    context = Context.of("\n".join(f"Marker: {value}" for value in values))
    one = values[0] if len(set(values)) == 1 and values[0] else None
    for extractor in (after("Marker:"), regex(r"(?m)^Marker: (\d?)$")):
        found_by_it = run_extractors([extractor], "Anything?", context)
        assert (found_by_it.answer if found_by_it else None) == one


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: after(""), "after"),
        (lambda: after(5), "after"),  # type: ignore[arg-type]
        (lambda: regex("("), "regex"),
        (lambda: regex("a", 1), "no group 1"),
        (lambda: regex("a", "b"), "no group 'b'"),
        (lambda: regex(5), "regex"),  # type: ignore[arg-type]
        (lambda: regex(b"a"), "pattern for str"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_extract_anything_is_refused(make: Any, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        make()


# -- one after the other ----------------------------------------------------------------------------------------------


def test_first_answer_counts_and_the_built_in_one_comes_last() -> None:
    context = Context.of("Invoice number: 5\nMarker: 6")
    assert run_extractors([after("Nothing:"), after("Marker:"), after("Invoice number:")], ASKED, context) == Found(
        "6", "after('Marker:')"
    )
    assert run_extractors([after("Nothing:")], ASKED, context) == Found("5", "field")
    assert run_extractors([after("Nothing:")], "How many?", context) is None


@pytest.mark.parametrize("nothing", [None, "", " \n"])
def test_one_that_finds_nothing_is_passed_over(nothing: str | None) -> None:
    assert run_extractors([lambda query, context: nothing], ASKED, Context.of("Invoice number: 5")) == Found(
        "5", "field"
    )


def test_surrogates_of_an_answer_are_cleaned() -> None:
    found_by_it = run_extractors([lambda query, context: "a\ud800"], ASKED, Context.of("text"))
    assert found_by_it is not None
    assert found_by_it.answer == "a\ufffd"


def wrong(query: str, context: Context) -> Any:
    return len(query) // len(context.slice(0, 0))


def test_one_that_fails_is_named() -> None:
    with pytest.raises(ExtractorError, match="The extractor wrong failed: it raised ZeroDivisionError") as caught:
        run_extractors([wrong], ASKED, Context.of("Invoice number: 5"))
    assert isinstance(caught.value, RLMError)
    assert caught.value.extractor == "wrong"


@pytest.mark.parametrize("answer", [5, b"5", ["5"], True])
def test_answer_that_is_no_text_is_an_error(answer: Any) -> None:
    with pytest.raises(ExtractorError, match=f"returned {type(answer).__name__}"):
        run_extractors([lambda query, context: answer], ASKED, Context.of("text"))
