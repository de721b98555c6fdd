"""The documents of a text, as metadata."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate, takewhile
from typing import Any

from langgraph_rlm.context import Context
from langgraph_rlm.conversation.preview.offered import MOST_TAKEN_APART, defined_for

PREFIX = 300
"""Characters of the text that are shown."""
MOST_DOCUMENTS, MOST_LISTED, MOST_NAME, MOST_KEYS = 20, 900, 80, 10
"""Documents that are listed, and characters of all of them; characters of a name, and keys of their metadata that are
named."""
OWN_KEYS = ("name", "length", "start", "end")


def described(context: Context) -> str:
    """How long the text is, how many documents it has, and how it begins."""
    count = context.num_documents()
    of_documents = f"{count} document{'s' if count > 1 else ''}"
    return f"`P` has {len(context)} characters, in {of_documents}. It begins:\n<<<\n{context.text[:PREFIX]}\n>>>"


def listed(context: Context) -> str:
    """Its documents by number, name and size; nothing where there is only one."""
    if context.num_documents() == 1:
        return ""
    metadata, folder = context.metadata[:MOST_DOCUMENTS], folder_of(context)
    named = [
        f"{number}{_named(folder, number, document)} ({document['length']:,})"
        for number, document in enumerate(metadata)
    ]
    shown = [name for name, length in zip(named, accumulate(map(len, named)), strict=True) if length <= MOST_LISTED]
    more = context.num_documents() - len(shown)
    where = f", in {' '.join(folder[-MOST_NAME:].split())}" if folder else ""
    names = f"Its documents (with characters{where}): {', '.join(shown)}{f', and {more:,} more' if more else ''}."
    keys = [" ".join(str(key)[:MOST_NAME].split()) for key in metadata[0] if key not in OWN_KEYS][:MOST_KEYS]
    return f"{names} `ctx.metadata[i]` has also: {', '.join(keys)}." if keys else names


def are_offered(context: Context) -> bool:
    """Whether the texts of documents are there by their names: in texts that the sandbox may hold twice."""
    return len(context) <= MOST_TAKEN_APART


def documents_for(code: str, context: Context) -> str:
    """What defines `documents` before `code` runs, where it uses them without a definition; else nothing."""

    def made() -> str:
        names = [document["name"] for document in context.metadata]
        if not are_offered(context):
            return ""
        name = "document['name']" if len(names) == len({*names}) else "f'{number} {document[\"name\"]}'"
        items = "enumerate(zip(ctx.metadata, ctx.documents()))"
        return f"{{{name}: text for number, (document, text) in {items}}}"

    return defined_for(code, "documents", context, made)


def _named(folder: str, number: int, document: Mapping[str, Any]) -> str:
    """Its name, where it has one of its own."""
    return "" if document["name"] == f"document {number}" else f" {name_in(folder, document)}"


def name_in(folder: str, document: Mapping[str, Any]) -> str:
    """What a document is called, in the folder of all: on one line, and its end where it is long."""
    return " ".join(str(document["name"]).removeprefix(folder)[-MOST_NAME:].split())


def where(context: Context, at: int, folder: str) -> str:
    """The document of a place and the line in it, before what stands there."""
    return f"{name_in(folder, context.metadata[context.document_at(at)])}:{context.line_at(at)}: "


def folder_of(context: Context) -> str:
    """The folder that all documents are in, with a slash at its end; empty where they are named otherwise."""
    names = [str(document["name"]) for document in context.metadata]
    if not all("/" in name for name in names):
        return ""
    first, last = min(names), max(names)  # what these have in common, all between them have
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False)))
    return first[: first.rfind("/", 0, same) + 1]
