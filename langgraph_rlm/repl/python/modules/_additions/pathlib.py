"""What Monty's `pathlib` lacks: the names of paths that open nothing."""

from pathlib import Path as _Path

PurePath = PurePosixPath = PosixPath = _Path
