"""Text files for a `Context`: which ones are meant by paths, folders and globs, and what is in them."""

from __future__ import annotations

import hashlib
import math
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from glob import has_magic
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_to_bytes

from langgraph_rlm.context.names import prefixes, told_apart
from langgraph_rlm.errors import ContextError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_HEAD = 8 * 1024
"""Bytes at the start of a file in which a NUL makes it binary."""

_CHANGED = "Restore it, or start a new thread with the new context."

_Rules = tuple[tuple[str, "GitIgnoreSpec"], ...]
"""The `.gitignore` files that hold in a folder, outermost first, each with the folder it lies in."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far reading has come."""

    bytes_read: int
    bytes_total: int
    files_read: int
    files_total: int


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that was read: its absolute path, and the SHA-256 of its bytes in hexadecimal."""

    path: str
    sha256: str

    def to_state(self) -> dict[str, str]:
        """Percent-encoded, since a path may hold bytes that are no text."""
        return {"path": quote(os.fsencode(self.path)), "sha256": self.sha256}

    @classmethod
    def from_state(cls, state: dict[str, str]) -> SourceFile:
        """The file that `to_state` stored."""
        return cls(os.fsdecode(unquote_to_bytes(state["path"])), state["sha256"])


@dataclass(frozen=True, slots=True)
class TextFile:
    """What was read from a file."""

    name: str
    text: str
    undecodable_bytes: int
    source: SourceFile


@dataclass(frozen=True, slots=True)
class _Found:
    """A file to read: `name` is what it goes by, `full_name` what it goes by when another file has that name too."""

    path: str
    name: str
    full_name: str
    named_itself: bool = False


def read_files(given: Sequence[object], on_progress: Callable[[Progress], None] | None) -> tuple[list[TextFile], int]:
    """The text files among what the paths mean, and the number of binary files left out. See `Context.from_files`."""
    found = _find_all(_listed(given))
    names = told_apart([file.name for file in found], [file.full_name for file in found])
    sizes = [_size(file.path) for file in found]
    total = sum(sizes)
    report = on_progress or (lambda progress: None)
    report(Progress(0, total, 0, len(found)))
    files: list[TextFile] = []
    for count, (file, name, done) in enumerate(zip(found, names, accumulate(sizes), strict=True), 1):
        data = _read(file.path)
        if data is not None:
            text, undecodable_bytes = _decode(data)
            files.append(TextFile(clean(name), text, undecodable_bytes, SourceFile(file.path, _sha256(data))))
        elif file.named_itself:
            raise ContextError(f"{file.path!r} is a binary file: it has NUL bytes. Convert it to UTF-8 text.")
        report(Progress(done, total, count, len(found)))
    if not files:
        raise ContextError(f"All files are binary, {found[0].path!r} the first: they have NUL bytes. Give UTF-8 text.")
    return files, len(found) - len(files)


def read_again(file: SourceFile) -> str:
    """The text of a file as it was when it was first read.

    Raises:
        ContextError: It is missing, or is not what it was.
    """
    try:
        data = Path(file.path).read_bytes()
    except OSError as error:
        raise ContextError(f"{file.path!r} cannot be read again: {error.strerror}. {_CHANGED}") from error
    if _sha256(data) != file.sha256:
        raise ContextError(f"{file.path!r} has changed since the run began. {_CHANGED}")
    return _decode(data)[0]


def clean(text: str) -> str:
    """The text as UTF-8 can hold it: surrogate pairs joined, each lone surrogate replaced by U+FFFD."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _listed(given: Sequence[object]) -> list[str]:
    """The paths, given one by one or as one iterable of them, as text."""
    if len(given) == 1 and isinstance(given[0], Iterable) and not isinstance(given[0], str | bytes | os.PathLike):
        given = list(given[0])
    if not given:
        raise ContextError("No path was given. Name a file, a folder or a glob.")
    return [_text_of(path) for path in given]


def _text_of(path: object) -> str:
    text = os.fspath(path) if isinstance(path, os.PathLike) else path
    if not isinstance(text, str):
        raise ContextError(
            f"A path is of type {type(text).__name__}, not str or PathLike. Give several paths, or one list of them."
        )
    return text


def _find_all(paths: Sequence[str]) -> list[_Found]:
    """The files that `paths` mean, each once, whatever links lead to it."""
    in_front = prefixes(path for path in paths if os.path.isdir(path))
    found: dict[str, _Found] = {}
    for path in paths:
        files = _find(path, in_front)
        if not files:
            raise ContextError(f"{path!r} has no files, or .gitignore excludes them. Name a file itself.")
        for file in files:
            found.setdefault(os.path.realpath(file.path), file)
    return list(found.values())


def _find(path: str, in_front: Mapping[str, Path]) -> list[_Found]:
    """The files that one path means. `in_front` of the names in a folder stands a path, by the folder's real path."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError) as error:
        if has_magic(path):
            return _glob(path)
        raise _unreadable(path, error) from error
    if stat.S_ISDIR(mode):
        prefix = str(in_front[os.path.realpath(path)])
        return [_Found(_absolute(path, *parts), _name(prefix, *parts), _name(path, *parts)) for parts in _below(path)]
    if stat.S_ISREG(mode):
        return [_Found(_absolute(path), _name(path), _name(path), named_itself=True)]
    raise ContextError(f"{path!r} is not a regular file: it cannot be read again later. Give its text as the context.")


def _glob(path: str) -> list[_Found]:
    """The files that a glob matches."""
    parts = Path(path).parts
    fixed = next(index for index, part in enumerate(parts) if has_magic(part))
    folder, pattern = str(Path(*parts[:fixed])), parts[fixed:]
    if not os.path.isdir(folder):
        return []
    found = _below(folder, math.inf if "**" in pattern else len(pattern))
    matches = (names for names in found if _matches(names, pattern))
    return [_Found(_absolute(folder, *names), _name(folder, *names), _name(folder, *names)) for names in matches]


def _matches(names: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether the parts of a path match the parts of a glob."""
    if not pattern:
        return not names
    if pattern[0] == "**":
        return any(_matches(names[skipped:], pattern[1:]) for skipped in range(len(names) + 1))
    return bool(names) and fnmatch(names[0], pattern[0]) and _matches(names[1:], pattern[1:])


def _below(folder: str, depth: float = math.inf) -> Iterator[tuple[str, ...]]:
    """The files at most `depth` levels below `folder` that are not ignored, each as the parts of its path, sorted."""
    folder = os.path.realpath(folder)
    return _walk(folder, _rules_above(folder), depth)


def _walk(folder: str, rules: _Rules, depth: float) -> Iterator[tuple[str, ...]]:
    rules += _rules_in(folder)
    try:
        with os.scandir(folder) as scan:
            entries = sorted(scan, key=lambda entry: entry.name)
    except OSError as error:
        raise _unreadable(folder, error) from error
    for entry in entries:
        is_folder = entry.is_dir(follow_symlinks=False)
        if entry.name == ".git" or _ignored(entry.path, is_folder, rules):
            continue
        if is_folder and depth > 1:
            yield from ((entry.name, *parts) for parts in _walk(entry.path, rules, depth - 1))
        elif os.path.isfile(entry.path):
            yield (entry.name,)


def _rules_above(folder: str) -> _Rules:
    """What holds in `folder` from above it, up to the repository root; nothing when it is itself ignored."""
    folders = [Path(folder), *Path(folder).parents]
    root = next((index for index, above in enumerate(folders) if os.path.exists(above / ".git")), 0)
    rules: _Rules = ()
    for parent, child in pairwise(reversed(folders[: root + 1])):
        rules += _rules_in(str(parent))
        if _ignored(str(child), True, rules):
            return ()
    return rules


def _rules_in(folder: str) -> _Rules:
    """The `.gitignore` of one folder. Lines that are no pattern match nothing, as in Git."""
    path = Path(folder, ".gitignore")
    if not os.path.isfile(path):
        return ()
    from pathspec import GitIgnoreSpec

    try:
        lines = path.read_text(encoding="utf-8-sig", errors="surrogateescape").split("\n")
    except OSError as error:
        raise _unreadable(str(path), error) from error
    return ((os.path.join(folder, ""), GitIgnoreSpec.from_lines(_full(line) for line in lines if _is_pattern(line))),)


def _full(pattern: str) -> str:
    """The pattern with a last `*` as `?*`, a last `**` as `**/?*`: for the short forms pathspec matches only a part."""
    pattern = re.sub(r"(^!?|/)\*\*(/? *)$", r"\1**/*\2", pattern)
    return re.sub(r"(^!?|/)\*(/? *)$", r"\1?*\2", pattern)


def _is_pattern(line: str) -> bool:
    from pathspec import GitIgnoreSpec

    try:
        GitIgnoreSpec.from_lines([line])
    except (ValueError, re.error):
        return False
    return True


def _ignored(path: str, is_folder: bool, rules: _Rules) -> bool:
    """Whether a path is excluded by the last pattern that names it. The folder it lies in is known not to be.

    pathspec lets a pattern that names a folder decide about all below it, so that `!src` would bring back what
    `node_modules/` excludes in `src`. Git asks about the path alone; so does a full match.
    """
    for folder, spec in reversed(rules):
        relative = path.removeprefix(folder) + "/" * is_folder
        for pattern in reversed(spec.patterns):
            if pattern.regex and pattern.regex.fullmatch(relative):
                return bool(pattern.include)
    return False


def _size(path: str) -> int:
    try:
        return os.path.getsize(path)
    except OSError as error:
        raise _unreadable(path, error) from error


def _read(path: str) -> bytes | None:
    """The bytes of a file; `None` if it is binary."""
    try:
        with open(path, "rb") as file:
            head = file.read(_HEAD)
            return None if b"\0" in head else head + file.read()
    except OSError as error:
        raise _unreadable(path, error) from error


def _decode(data: bytes) -> tuple[str, int]:
    """The text, and how many of its bytes are not UTF-8: each is replaced by U+FFFD."""
    try:
        return data.decode("utf-8-sig"), 0
    except UnicodeDecodeError:
        escaped = data.decode("utf-8-sig", "surrogateescape")
        text = clean(escaped)
        return text, text.count("\ufffd") - escaped.count("\ufffd")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _absolute(*parts: str) -> str:
    return str(Path(*parts).absolute())


def _name(*parts: str) -> str:
    return Path(*parts).as_posix()


def _unreadable(path: str, error: OSError | ValueError) -> ContextError:
    reason = error.strerror if isinstance(error, OSError) else error
    return ContextError(f"{path!r} cannot be read: {reason}. Check the path and its permissions, or leave it out.")
