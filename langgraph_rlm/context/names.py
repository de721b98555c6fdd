"""What files go by as documents: names that are short, and still each one's own."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path


def prefixes(folders: Iterable[str]) -> dict[str, Path]:
    """What stands in front of the names of the files in each folder, by the folder's real path.

    It is the shortest end of its path that no other folder's path has, or else all of it: nothing where there is one
    folder, `logging` beside `email`, `a/src` beside `b/src`. A folder that is given twice counts once, as it was given
    first. What is in the folders has no say, so that it stays what it is when files come and go.
    """
    paths: dict[str, tuple[str, ...]] = {}
    for folder in folders:
        paths.setdefault(os.path.realpath(folder), _parts(folder))
    ends = Counter(end for parts in paths.values() for end in _ends(parts))
    return {
        real_path: Path(*next((end for end in _ends(parts) if ends[end] == 1), parts))
        for real_path, parts in paths.items()
    }


def told_apart(names: Sequence[str], full_names: Sequence[str]) -> list[str]:
    """The names, where two are equal the full ones, until no two are. Full names differ, as their files do."""
    chosen: list[str] = []
    longer = list(names)
    while longer != chosen:
        chosen, count = longer, Counter(longer)
        longer = [name if count[name] == 1 else full for name, full in zip(chosen, full_names, strict=True)]
    return chosen


def _parts(folder: str) -> tuple[str, ...]:
    """The parts of a path as it was given, or of the real path where it does not say what the folder is called."""
    path = Path(folder)
    return path.parts if path.name not in ("", "..") else Path(os.path.realpath(path)).parts


def _ends(parts: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The ends of a path, from no part of it to all."""
    return (parts[start:] for start in range(len(parts), -1, -1))
