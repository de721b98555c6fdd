"""`Context` over texts and LangChain documents."""

from __future__ import annotations

import time
import tracemalloc
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.documents import Document
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langgraph_rlm.context import Context
from langgraph_rlm.errors import ContextError, InvalidInput

MEGABYTE = 1_000_000
texts = st.lists(st.text(st.characters(codec=None), max_size=30), max_size=8)


def through_checkpoint(context: Context) -> Context:
    serializer = JsonPlusSerializer()
    return Context.from_state(serializer.loads_typed(serializer.dumps_typed(context.to_state())))


def test_text_is_one_document() -> None:
    context = Context.of("hello")
    assert context.text == "hello"
    assert context.metadata == [{"name": "document 0", "length": 5, "start": 0, "end": 5}]
    assert len(context) == 5


def test_documents_are_joined_by_a_blank_line_in_order_without_headers() -> None:
    context = Context.of(["one", Document("two"), "three"])
    assert context.text == "one\n\ntwo\n\nthree"
    assert context.num_documents() == 3
    assert context.documents() == ["one", "two", "three"]
    assert [(m["start"], m["end"], m["length"]) for m in context.metadata] == [(0, 3, 3), (5, 8, 3), (10, 15, 5)]


def test_context_of_a_context_is_that_context() -> None:
    context = Context.of("x")
    assert Context.of(context) is context


@settings(derandomize=True, deadline=None)
@given(texts)
def test_offsets_find_every_document_and_text_is_always_utf8(given_texts: list[str]) -> None:
    context = Context.of(given_texts)
    context.text.encode()
    assert context.text == "\n\n".join(context.documents())
    assert [context.slice(m["start"], m["end"]) for m in context.metadata] == context.documents()
    assert through_checkpoint(context) == context


def test_document_metadata_is_kept_beside_name_and_offsets() -> None:
    context = Context.of([Document("text", metadata={"source": "a.txt", "page": 3})])
    assert context.metadata == [{"name": "a.txt", "length": 4, "start": 0, "end": 4, "source": "a.txt", "page": 3}]


def test_own_metadata_never_overwrites_name_and_offsets_and_is_not_lost() -> None:
    own = {"name": "talk", "start": 12.5, "end": 14.0, "length": 1.5}
    metadata = Context.of(["x", Document("text", metadata=own)]).metadata[1]
    assert metadata == {
        "name": "talk",
        "length": 4,
        "start": 3,
        "end": 7,
        "document_start": 12.5,
        "document_end": 14.0,
        "document_length": 1.5,
    }


@pytest.mark.parametrize(
    ("document", "name"),
    [
        (Document("", metadata={"name": "n", "source": "s"}), "n"),
        (Document("", metadata={"source": "s", "title": "t"}), "s"),
        (Document("", metadata={"title": "t", "path": Path("p")}), "t"),
        (Document("", metadata={"path": Path("p")}, id="i"), "p"),
        (Document("", id="i"), "i"),
        (Document("", metadata={"source": ""}), "document 0"),
    ],
)
def test_document_is_named_by_what_it_says_it_is_called(document: Document, name: str) -> None:
    assert Context.of([document]).metadata[0]["name"] == name


def test_metadata_values_become_plain_types_that_survive_a_checkpoint() -> None:
    own: dict[Any, Any] = {
        "day": date(2026, 5, 1),
        "tags": ("a", {"deep": Path("p")}),
        "huge": 2**80,
        "nan": float("nan"),
        "broken": "\ud800",
        "nothing": None,
        "true": True,
    }
    context = Context.of([Document("text", metadata=own)])
    stored = {key: value for key, value in context.metadata[0].items() if key in own}
    assert stored == {
        "day": "2026-05-01",
        "tags": ["a", {"deep": "p"}],
        "huge": str(2**80),
        "nan": "nan",
        "broken": "\ufffd",
        "nothing": None,
        "true": True,
    }
    assert through_checkpoint(context) == context


def test_lone_surrogates_are_replaced_and_pairs_joined() -> None:
    assert Context.of("a\ud800b\udc00\udc00 \ud83d\ude00 é").text == "a\ufffdb\ufffd\ufffd \U0001f600 é"


@pytest.mark.parametrize("value", ["", [], [""], ["", Document("")]])
def test_context_without_any_text_can_be_built_and_says_so(value: Any) -> None:
    context = Context.of(value)
    assert context.empty
    assert context.documents() == ["" for _ in context.metadata]
    assert context.chunk(10) == [context.text][: len(context)]
    assert through_checkpoint(context) == context


def test_context_with_text_is_not_empty() -> None:
    assert not Context.of(["", "x"]).empty


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (b"bytes", "bytes"),
        (None, "NoneType"),
        ({"a": "b"}, "dict"),
        (["fine", 3], "Item 1 of the context is of type int"),
        (["fine", ["nested"]], "Item 1 of the context is of type list"),
        (Document("alone"), "Document"),
        ((text for text in "ab"), "generator"),
        (Path("a.txt"), r"'a\.txt'.*Context\.from_files"),
    ],
)
def test_wrong_type_is_refused_with_what_was_got(value: Any, said: str) -> None:
    with pytest.raises(ContextError, match=said):
        Context.of(value)


def test_get_document_counts_from_0_and_from_the_end() -> None:
    context = Context.of(["one", "two"])
    assert [context.get_document(index) for index in (0, 1, -1, -2)] == ["one", "two", "two", "one"]
    for index in (2, -3):
        with pytest.raises(IndexError, match=rf"no document {index}: there are 2"):
            context.get_document(index)


def test_find_and_slice_work_as_in_str() -> None:
    context = Context.of("abcabc")
    assert [context.find("c"), context.find("c", 3), context.find("c", 0, 2), context.find("x")] == [2, 5, -1, -1]
    assert [context.slice(), context.slice(4), context.slice(1, 3), context.slice(-2)] == ["abcabc", "bc", "bc", "bc"]


def test_find_all_gives_offsets_that_do_not_overlap_up_to_the_limit() -> None:
    context = Context.of("aaaa b aa")
    assert context.find_all("aa") == [0, 2, 7]
    assert context.find_all("aa", limit=2) == [0, 2]
    assert context.find_all("x") == []
    with pytest.raises(InvalidInput, match="not empty"):
        context.find_all("")


@settings(derandomize=True, deadline=None)
@given(st.lists(st.text("a\n", max_size=30), max_size=5), st.integers(1, 20), st.integers(0, 19))
def test_chunks_cover_the_text_and_overlap_as_asked(given_texts: list[str], size: int, overlap: int) -> None:
    context = Context.of(given_texts)
    overlap = min(overlap, size - 1)
    chunks = context.chunk(size, overlap)
    assert all(0 < len(chunk) <= size for chunk in chunks)
    assert all(len(chunk) > overlap for chunk in chunks[1:])
    assert all(after.startswith(before[len(before) - overlap :]) for before, after in pairwise(chunks))
    assert "".join(chunks[:1] + [chunk[overlap:] for chunk in chunks[1:]]) == context.text


def test_chunks_end_at_a_document_or_else_a_line_where_one_is_near() -> None:
    context = Context.of(["a line\nb\n", "c line\nd\ne line"])
    assert context.chunk(12) == ["a line\nb\n\n\n", "c line\nd\n", "e line"]
    assert Context.of("a line\nthen a long one").chunk(20) == ["a line\nthen a long o", "ne"]


@pytest.mark.parametrize(("size", "overlap"), [(0, 0), (-1, 0), (10, -1), (10, 10)])
def test_chunk_sizes_that_make_no_sense_are_refused(size: int, overlap: int) -> None:
    with pytest.raises(InvalidInput, match=f"size={size}, overlap={overlap}"):
        Context.of("text").chunk(size, overlap)


def test_reading_20_megabytes_copies_nothing_but_what_is_asked_for() -> None:
    context = Context.of(["line of text\n" * (MEGABYTE // 13)] * 20)
    tracemalloc.start()
    try:
        for index in range(20):
            assert len(context.slice(index * MEGABYTE, index * MEGABYTE + 100)) == 100
        assert context.find("absent") == -1
        assert context.find_all("absent") == []
        assert context.num_documents() == 20
        assert len(context.get_document(-1)) == context.metadata[-1]["length"]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1.5 * MEGABYTE, "one document of 1 MB is the most that was asked for"


def test_text_is_stored_once_and_without_a_copy() -> None:
    context = Context.of("x" * MEGABYTE)
    [stored] = context.to_state()
    assert stored["text"] is context.text
    assert all(value is not context.text for document in stored["metadata"] for value in document.values())


def test_joining_50_000_documents_takes_no_noticeable_time() -> None:
    many = [f"document number {number}" for number in range(50_000)]
    start = time.perf_counter()
    context = Context.of(many)
    assert time.perf_counter() - start < 2, "linear work; quadratic work would take minutes"
    assert context.get_document(49_999) == "document number 49999"


def test_context_shows_its_size_and_never_its_text() -> None:
    assert repr(Context.of(["secret"] * 1000)) == "<Context: 1,000 documents, 7,998 characters>"


def test_equal_texts_are_equal_contexts_with_equal_hashes() -> None:
    assert Context.of(["a", "b"]) == Context.of(["a", "b"])
    assert hash(Context.of(["a", "b"])) == hash(Context.of(["a", "b"]))
    assert Context.of("a\n\nb") != Context.of(["a", "b"])
