"""A virtual environment for each peer, with pinned packages, kept in the user's cache folder."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "langgraph-rlm" / "peers"
LEAST = (3, 12)


class CannotSetUp(Exception):
    """A peer cannot be had here, and why."""


def python_of(name: str) -> Path:
    """The Python that has the packages of `name`.txt; they are installed where they are not yet.

    Raises:
        CannotSetUp: no Python that is new enough, or pip failed.
    """
    pins = HERE / f"{name}.txt"
    folder = CACHE / f"{name}-{hashlib.sha256(pins.read_bytes()).hexdigest()[:8]}"
    python = folder / "bin" / "python"
    ready = folder / ".ready"
    if not ready.exists():
        _run(_newest_python(), "-m", "venv", "--clear", str(folder))
        _run(str(python), "-m", "pip", "install", "--quiet", "--requirement", str(pins))
        ready.touch()
    return python


def _newest_python() -> str:
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    kept = [str(path / "bin" / "python") for path in sorted(root.glob("3.*"))]
    test = f"import ensurepip, sys, venv; sys.exit(sys.version_info < {LEAST})"
    for candidate in ("python3.12", "python3.13", "python3", sys.executable, *kept):
        found = shutil.which(candidate)
        if found and not subprocess.run([found, "-c", test], capture_output=True).returncode:
            return found
    raise CannotSetUp(f"no Python ≥ {'.'.join(map(str, LEAST))}")


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise CannotSetUp((done.stderr.strip() or done.stdout.strip() or "failed").splitlines()[-1])
