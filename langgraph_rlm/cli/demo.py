"""`demo`: the local model reads the Python standard library, and plain Python checks what it says."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

from langgraph_rlm.cli.request import Request, Settings
from langgraph_rlm.errors import ContextError

WANTED = "raise NotImplementedError"
QUESTION = f"How many times does {WANTED!r} occur in P? Use P.count."
NOT_LIBRARY = ("site-packages", "dist-packages", "__pycache__")


def request() -> Request:
    """The question of the demo. It needs no sub-calls, so the small model is offered none: it would ask itself."""
    return Request(
        QUESTION,
        library(),
        Settings(
            model="local",
            profile="rlm",
            max_depth=0,
            instructions="Write plain statements, such as print(len(P)): no >>> and no results.",
        ),
    )


def root() -> Path:
    """The folder of the standard library of the Python that runs."""
    return Path(sysconfig.get_paths()["stdlib"])


def library() -> list[str]:
    """The standard library's Python source, its tests included, as globs."""
    folders = sorted(path for path in root().iterdir() if path.is_dir() and path.name not in NOT_LIBRARY)
    globs = [f"{root()}/*.py"] if any(root().glob("*.py")) else []
    globs += [f"{folder}/**/*.py" for folder in folders if any(folder.rglob("*.py"))]
    if not globs:
        raise ContextError(f"{sys.executable} has no source of its standard library at {root()}.")
    return globs


def expected() -> int:
    """The right answer, worked out without a model."""
    return sum(
        path.read_bytes().count(WANTED.encode())
        for path in root().rglob("*.py")
        if path.relative_to(root()).parts[0] not in NOT_LIBRARY
    )
