"""`Context`: the long text a run is about, with the documents it is made of. It is `P` and `ctx` in the REPL."""

from __future__ import annotations

import math
import os
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

from langchain_core.documents import Document

from langgraph_rlm.context.files import Progress, SourceFile, clean, read_again, read_files
from langgraph_rlm.errors import ContextError, InvalidInput
from langgraph_rlm.langgraph_internals import allow_in_checkpoints

_BORDER = "\n\n"
"""Stands between two documents in the text."""

_NAME_KEYS = ("name", "source", "title", "path")
"""Where a `Document` says what it is called, best first. Its `id` comes after them."""

_ACCEPTED = "A context is a str, a list of str or LangChain Documents, or a Context (for files: Context.from_files)."

_UNREAD = (
    "The context is a dict of files, without their text: it cannot be sent like this. Read them with "
    "Context.from_files, or give their text."
)


@dataclass(frozen=True, slots=True)
class Skipped:
    """What of the files did not make it into the text: binary files left out, undecodable bytes replaced by U+FFFD."""

    binary_files: int = 0
    undecodable_bytes: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class Context:
    """The long context of a run. Build one with `of` or `from_files`; all offsets and sizes are in characters.

    Attributes:
        text: The documents in order, joined by a blank line, without headers.
        metadata: Of each document `name`, `length`, and `start` and `end` in `text`, then its own metadata as JSON-like
            values. An own key that is one of these four is kept as `document_…`. Not to be changed.
        skipped: What was left out when files were read.
        files: The file of each document, when the documents are files.
    """

    text: str = ""
    metadata: list[dict[str, Any]] = field(default_factory=list, hash=False)
    skipped: Skipped = Skipped()
    files: tuple[SourceFile, ...] = ()

    def __post_init__(self) -> None:
        """Of a context of files that was stored the text is read when it is first needed.

        A checkpointer makes it anew of what `_asdict` gave.
        """
        stored: Any = self.files
        if any(isinstance(file, Mapping) for file in stored):
            skipped: Any = self.skipped
            object.__setattr__(self, "files", tuple(map(SourceFile.from_state, stored)))
            object.__setattr__(self, "skipped", Skipped(**skipped))
            object.__delattr__(self, "text")

    def __getattr__(self, name: str) -> Any:
        if name != "text":
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        text = _BORDER.join(map(read_again, self.files))
        object.__setattr__(self, "text", text)
        return text

    def _asdict(self) -> dict[str, Any]:
        """What the serializers of LangGraph and LangSmith take of a context in a state or an input: as `to_state`."""
        [state] = self.to_state()
        return state

    @classmethod
    def of(cls, value: str | Sequence[str | Document] | Context) -> Context:
        """The context that `value` stands for. Lone surrogates are replaced by U+FFFD; an empty context is allowed.

        Raises:
            ContextError: `value`, or an item of it, is of another type.
        """
        if isinstance(value, Context):
            return value
        if isinstance(value, str):
            return _join([(clean(value), "document 0", {})])
        if isinstance(value, Mapping) and {"text", "metadata"} <= value.keys():
            return _from_json(value)
        if isinstance(value, Mapping) and {"files", "metadata"} <= value.keys():
            raise ContextError(_UNREAD)
        if isinstance(value, os.PathLike):
            raise ContextError(f"The context is a path, {os.fspath(value)!r}. Read it with Context.from_files(path).")
        if not isinstance(value, Sequence) or isinstance(value, bytes | bytearray | memoryview):
            raise ContextError(f"The context is of type {type(value).__name__}. {_ACCEPTED}")
        return _join(_document(index, item) for index, item in enumerate(value))

    @overload
    @classmethod
    def from_files(
        cls, *paths: str | os.PathLike[str], on_progress: Callable[[Progress], None] | None = None
    ) -> Context: ...
    @overload
    @classmethod
    def from_files(
        cls, paths: Iterable[str | os.PathLike[str]], /, *, on_progress: Callable[[Progress], None] | None = None
    ) -> Context: ...
    @classmethod
    def from_files(
        cls,
        *paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Context:
        """Read files, folders (with all below them) and globs (`**` is any number of folders), each file once.

        Paths keep their order; what a folder or glob holds is sorted. Left out are what a `.gitignore` excludes (in the
        folder, below it, or above it up to the repository root), `.git` itself, and folders that are links. `*` matches
        hidden files too. A file or folder that is named itself is read even when it is ignored.

        Binary files (a NUL byte in the first 8 KiB) are left out and counted; bytes that are not UTF-8 are replaced one
        by one and counted, in the metadata (`undecodable_bytes`) and in `skipped`. Line endings stay as they are.

        A document is named by its path as it was given, in a folder by its path from there. Of several folders the name
        stands in front (`logging/config.py`), with as much of the path before it as tells namesakes apart
        (`a/src/x.py`, `b/src/x.py`); a document that would still have the name of another goes by its whole path.

        Args:
            paths: What to read: several paths, or one list (or other iterable) of them.
            on_progress: Called before the first file and after each one.

        Raises:
            ContextError: There is no path, or one is no path, does not exist, matches nothing, cannot be read, or is
                itself a binary file.
        """
        files, binary_files = read_files(paths, on_progress)
        undecodable_bytes = sum(file.undecodable_bytes for file in files)
        return _join(
            ((file.text, file.name, {"undecodable_bytes": file.undecodable_bytes}) for file in files),
            Skipped(binary_files, undecodable_bytes),
            tuple(file.source for file in files),
        )

    @classmethod
    def from_state(cls, state: list[dict[str, Any]]) -> Context:
        """The context that `to_state` stored. Files are read again.

        Raises:
            ContextError: A file is missing, or is not what it was.
        """
        [stored] = state
        context = cls(**{name: value for name, value in stored.items() if name != "id"})
        _ = context.text  # read now
        return context

    def to_state(self) -> list[dict[str, Any]]:
        """Plain built-in types to keep in a checkpoint: of files their paths and SHA-256, else the text, once."""
        if not self.files:
            return [{"text": self.text, "metadata": self.metadata}]
        skipped = {
            "binary_files": self.skipped.binary_files,
            "undecodable_bytes": self.skipped.undecodable_bytes,
        }
        return [{"files": [file.to_state() for file in self.files], "metadata": self.metadata, "skipped": skipped}]

    def only(self, numbers: Iterable[int]) -> Context:
        """The documents of these numbers alone."""
        chosen = [*numbers]
        metadata = [dict(self.metadata[number]) for number in chosen]
        names = [own.pop("name") for own in metadata]
        for own in metadata:
            del own["length"], own["start"], own["end"]
        documents = zip(map(self.get_document, chosen), names, metadata, strict=True)
        return _join(documents, self.skipped, tuple(self.files[number] for number in chosen) if self.files else ())

    @property
    def empty(self) -> bool:
        """Whether no document has any text."""
        return not any(document["length"] for document in self.metadata)

    def num_documents(self) -> int:
        """How many documents there are."""
        return len(self.metadata)

    def get_document(self, index: int) -> str:
        """The text of one document, from 0; negative from the end.

        Raises:
            IndexError: There is no such document.
        """
        try:
            document = self.metadata[index]
        except IndexError:
            raise IndexError(f"no document {index}: there are {len(self.metadata)}, counted from 0") from None
        return self.text[document["start"] : document["end"]]

    def document_at(self, offset: int) -> int:
        """The index of the document that `offset` in `text` is in."""
        return bisect_right(self.metadata, offset, key=lambda document: document["start"]) - 1

    def line_at(self, offset: int) -> int:
        """The number, from 1, of the line at an offset, in the document that has it."""
        document = self.metadata[self.document_at(offset)]
        return self.text.count("\n", document["start"], offset) + 1

    def documents(self) -> list[str]:
        """The texts of all documents."""
        return [self.text[document["start"] : document["end"]] for document in self.metadata]

    def slice(self, start: int = 0, end: int | None = None) -> str:
        """`text[start:end]`."""
        return self.text[start:end]

    def find(self, needle: str, start: int = 0, end: int | None = None) -> int:
        """Where `needle` is first found between two offsets; -1 if it is not."""
        return self.text.find(needle, start, end)

    def find_all(self, needle: str, limit: int = 100_000) -> list[int]:
        """The offsets of the first `limit` occurrences of `needle` that do not overlap.

        Raises:
            InvalidInput: `needle` is empty.
        """
        if not needle:
            raise InvalidInput("find_all needs a needle that is not empty.")
        offsets: list[int] = []
        offset = self.text.find(needle)
        while offset >= 0 and len(offsets) < limit:
            offsets.append(offset)
            offset = self.text.find(needle, offset + len(needle))
        return offsets

    def chunk(self, size: int, overlap: int = 0) -> list[str]:
        """The text in pieces of at most `size` characters, each repeating the last `overlap` of the one before.

        A piece ends where a document ends, or else where a line ends, when there is such a place in its last quarter.
        Without overlap the pieces add up to the text.

        Raises:
            InvalidInput: `size` is below 1, or `overlap` is not in 0 … size - 1.
        """
        if size < 1 or not 0 <= overlap < size:
            raise InvalidInput(f"chunk needs size >= 1 and 0 <= overlap < size; got size={size}, overlap={overlap}.")
        chunks: list[str] = []
        start, end = 0, 0
        while end < len(self.text):
            end = start + size
            if end < len(self.text):
                end = self._border(start + max(overlap + 1, size - size // 4), end)
            chunks.append(self.text[start:end])
            start = end - overlap
        return chunks

    def _border(self, low: int, high: int) -> int:
        """The last start of a document in `low … high`, or else of a line, or else `high`."""
        document = self.metadata[self.document_at(high)]["start"]
        return document if document >= low else self.text.rfind("\n", low - 1, high) + 1 or high

    def __len__(self) -> int:
        return len(self.text)

    def __repr__(self) -> str:
        length = self.metadata[-1]["end"] if self.metadata else 0
        return f"<Context: {len(self.metadata):,} documents, {length:,} characters>"


allow_in_checkpoints(Context)


def _join(
    documents: Iterable[tuple[str, str, dict[str, Any]]],
    skipped: Skipped = Skipped(),
    files: tuple[SourceFile, ...] = (),
) -> Context:
    """One context of (text, name, own metadata) per document."""
    texts: list[str] = []
    metadata: list[dict[str, Any]] = []
    start = 0
    for text, name, own in documents:
        end = start + len(text)
        texts.append(text)
        metadata.append({"name": name, "length": len(text), "start": start, "end": end} | own)
        start = end + len(_BORDER)
    return Context(_BORDER.join(texts), metadata, skipped, files)


def _document(index: int, item: object) -> tuple[str, str, dict[str, Any]]:
    """Text, name and own metadata of an item of a list."""
    if isinstance(item, str):
        return clean(item), f"document {index}", {}
    if isinstance(item, Mapping):
        item = _document_of_json(index, item)
    if not isinstance(item, Document):
        raise ContextError(f"Item {index} of the context is of type {type(item).__name__}. {_ACCEPTED}")
    given = [*(item.metadata.get(key) for key in _NAME_KEYS), item.id]
    name = next((clean(str(value)) for value in given if value), f"document {index}")
    own = _plain(item.metadata)
    for key in [key for key in ("name", "length", "start", "end") if key in own]:
        value = own.pop(key)
        if (key, value) != ("name", name):
            own[f"document_{key}"] = value
    return clean(item.page_content), name, own


def _document_of_json(index: int, item: Mapping[str, Any]) -> Document:
    """A document that has travelled as JSON: in LangChain's own form, or its fields alone."""
    match item.get("kwargs") if item.get("type") == "constructor" else item:
        case {"page_content": str(text), **fields}:
            own, number = fields.get("metadata"), fields.get("id")
            return Document(
                text, metadata=own if isinstance(own, dict) else {}, id=number if isinstance(number, str) else None
            )
    raise ContextError(f"Item {index} of the context is a dict without `page_content`. {_ACCEPTED}")


def _from_json(value: Mapping[str, Any]) -> Context:
    """A context that has travelled as JSON. Its files are of another machine, perhaps: it has their text."""
    text, metadata = value["text"], value["metadata"]
    if not isinstance(text, str) or not isinstance(metadata, list) or not metadata:
        raise ContextError(f"The context is a dict, and its text or its metadata are none. {_ACCEPTED}")
    end = -len(_BORDER)
    for document in metadata:
        match document:
            case {"name": str(), "length": int(length), "start": int(start), "end": int(stop)}:
                if start != end + len(_BORDER) or stop != start + length:
                    raise ContextError("The context is a dict whose metadata does not fit its text.")
                end = stop
            case _:
                raise ContextError("The context is a dict whose metadata lacks name, length, start or end.")
    if end != len(text):
        raise ContextError("The context is a dict whose metadata does not fit its text.")
    return Context(clean(text), [_plain(document) for document in metadata])


def _plain(value: Any) -> Any:
    """The value as JSON and msgpack can hold it; what they have no form for becomes its `str`."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Mapping):
        return {clean(str(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, int) and -(2**63) <= value < 2**64:
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    return clean(str(value))
