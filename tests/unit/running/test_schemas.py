"""What travels as JSON: the schema of what a run takes, documents, contexts."""

from __future__ import annotations

import json
from typing import Any, get_args

import jsonschema
import orjson
import pytest
from langchain_core.documents import Document
from langchain_core.load import dumpd

from langgraph_rlm import Context, ContextError, create_rlm
from langgraph_rlm.routes.profiles import Profile
from tests.fakes import ScriptedModel, cell, rlm_of

SCHEMA = create_rlm(ScriptedModel(), name="reader").get_input_jsonschema()
DOCUMENTS = [
    Document("first text", metadata={"source": "a/x.txt", "page": 3}),
    Document("second text", metadata={"title": "Two"}, id="7"),
]


def is_valid(given: Any) -> bool:
    return jsonschema.Draft202012Validator(SCHEMA).is_valid(given)


@pytest.mark.parametrize(
    "given",
    [
        {"query": "q", "context": "text"},
        {"query": "q", "context": ["one", "two"]},
        {"query": "q", "context": [{"page_content": "text", "metadata": {"page": 3}}]},
        {"query": "q", "context": [document.model_dump() for document in DOCUMENTS]},
        {"query": "q"},
        {"messages": [{"type": "human", "content": "q"}]},
        {"messages": [{"role": "user", "content": "q"}]},
        {"messages": [["user", "q"]]},
        {"query": "q", "context": json.loads(json.dumps([dumpd(document) for document in DOCUMENTS]))},
        {"query": "q", "context": json.loads(orjson.dumps(Context.of(DOCUMENTS)))},
        {"query": "q", "context": ["one", {"page_content": "two", "metadata": None}]},
        {"query": "q", "context": None, "profile": None, "messages": None},
        *({"query": "q", "context": "text", "profile": profile} for profile in get_args(Profile)),
    ],
    ids=str,
)
def test_schema_has_what_is_accepted(given: Any) -> None:
    assert is_valid(given)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"context": "text"},
        {"query": 5},
        {"query": ""},
        {"query": None},
        {"query": "q", "context": 5},
        {"query": "q", "context": [{"metadata": {}}]},
        {"query": "q", "profile": "fastest"},
    ],
    ids=str,
)
def test_schema_has_no_more(given: Any) -> None:
    assert not is_valid(given)


def test_schema_says_what_is_what() -> None:
    assert SCHEMA["title"] == "readerInput"
    assert SCHEMA["properties"]["profile"]["enum"] == [*get_args(Profile), None]
    assert all(SCHEMA["properties"][name]["description"] for name in ("query", "context", "profile", "messages"))
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


def read(context: Any) -> Any:
    code = "Final = [P, [(m['name'], m.get('page')) for m in ctx.metadata]]"
    return rlm_of(ScriptedModel(cell(code))).invoke({"query": "q", "context": context, "profile": "rlm"})["answer"]


@pytest.mark.parametrize(
    "form",
    [
        lambda documents: [json.loads(document.model_dump_json()) for document in documents],
        lambda documents: json.loads(json.dumps([dumpd(document) for document in documents])),
        lambda documents: [{"page_content": d.page_content, "metadata": d.metadata} for d in documents],
        lambda documents: json.loads(orjson.dumps(Context.of(documents))),
    ],
    ids=["model_dump", "dumpd", "fields", "context"],
)
def test_documents_and_contexts_arrive_with_names_and_metadata(form: Any) -> None:
    assert read(form(DOCUMENTS)) == [
        "first text\n\nsecond text",
        [["a/x.txt", 3], ["Two", None]],
    ]


def test_context_of_files_arrives_with_its_text_and_reads_no_files_here(tmp_path: Any) -> None:
    (tmp_path / "a.txt").write_text("from a file")
    sent = json.loads(orjson.dumps(Context.from_files(tmp_path), default=str))
    (tmp_path / "a.txt").unlink()
    assert read(sent) == ["from a file", [["a.txt", None]]]
    assert Context.of(sent).files == ()


GOOD = json.loads(orjson.dumps(Context.of(["one", "two"])))


@pytest.mark.parametrize(
    "bad",
    [
        {**GOOD, "text": 5},
        {**GOOD, "text": "one"},
        {**GOOD, "metadata": []},
        {**GOOD, "metadata": {}},
        {**GOOD, "metadata": [{"name": "a"}]},
        {**GOOD, "metadata": [{**GOOD["metadata"][0], "start": 1}, GOOD["metadata"][1]]},
        {**GOOD, "metadata": [GOOD["metadata"][1]]},
        [{"metadata": {}}],
        [{"page_content": 5}],
        [{"type": "constructor", "kwargs": None}],
        {"text": "x"},
        {},
    ],
    ids=str,
)
def test_what_is_no_document_and_no_context_is_told(bad: Any) -> None:
    with pytest.raises(ContextError, match="context"):
        Context.of(bad)
