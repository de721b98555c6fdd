"""The context of a question: from what the user typed after `--context`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from langchain_core.documents import Document

from langgraph_rlm.answers.schema import AnswerSchema
from langgraph_rlm.cli.view import View
from langgraph_rlm.context import Context, Progress
from langgraph_rlm.errors import ContextError, InvalidInput

STDIN = "-"
CHARACTERS_PER_TOKEN = 4
"""For a rough word about size, nothing else."""


def read_context(paths: Sequence[str], view: View) -> Context:
    """The files, folders and globs in order, and after them standard input where one of them is `-`."""
    if not paths:
        raise ContextError(
            "There is no context: name a file, a folder or a glob with --context"
            + (", or read standard input with --context -." if sys.stdin and not sys.stdin.isatty() else ".")
        )
    files = [path for path in paths if path != STDIN]
    context = _read_files(files, view) if files else None
    if len(files) < len(paths):
        context = _with_documents_of(context, _read_stdin(view))
    assert context is not None
    if context.empty:
        raise ContextError("The context is empty: there is nothing to answer the question from.")
    documents = f"{context.num_documents():,} document" + "s" * (context.num_documents() != 1)
    tokens = len(context) // CHARACTERS_PER_TOKEN
    view.note("Context", f"{len(context):,} characters in {documents}, some {_rounded(tokens)} tokens")
    if left_out := context.skipped.binary_files:
        view.note("Skipped", f"{left_out:,} binary file" + "s" * (left_out != 1))
    if replaced := context.skipped.undecodable_bytes:
        view.note("Replaced", f"{replaced:,} byte" + "s" * (replaced != 1) + " not in UTF-8")
    return context


def read_schema(path: str) -> dict[str, Any]:
    """The JSON schema in a file.

    Raises:
        InvalidInput: It cannot be read, or is none.
    """
    try:
        schema = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidInput(f"--schema {path}: it cannot be read as JSON ({error}).") from None
    if not isinstance(schema, dict):
        raise InvalidInput(f'--schema {path}: a JSON schema is an object, such as {{"type": "integer"}}.')
    return AnswerSchema.of(schema).schema


def _read_files(paths: Sequence[str], view: View) -> Context:
    with view.progress("Reading") as meter:

        def on_progress(progress: Progress) -> None:
            meter.show(progress.bytes_read, progress.bytes_total)

        return Context.from_files(*paths, on_progress=on_progress)


def _read_stdin(view: View) -> str:
    if sys.stdin is None:
        raise ContextError("Standard input is closed: there is nothing to read with --context -.")
    if sys.stdin.isatty():
        view.note("Reading", "standard input, up to Ctrl-D")
    return sys.stdin.buffer.read().decode("utf-8-sig", "replace")


def _with_documents_of(context: Context | None, text: str) -> Context:
    """The documents of `context`, if there is one, and `text`."""
    if context is None:
        return Context.of(text)
    given: Iterable[tuple[str, dict[str, Any]]] = zip(context.documents(), context.metadata, strict=True)
    documents = [Document(document, metadata={"name": metadata["name"]}) for document, metadata in given]
    joined = Context.of([*documents, Document(text, metadata={"name": "standard input"})])
    return Context(joined.text, joined.metadata, context.skipped)


def _rounded(number: int) -> str:
    return f"{number / 1e6:,.1f} million" if number >= 1_000_000 else f"{number:,}"
