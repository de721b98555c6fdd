"""A dump as a checkpoint keeps it: less what the context holds already, and sealed.

The text stands in a dump verbatim: it is cut out. Where what is left is large, chances are that it is the text once
more, in lines or chunks, so it is compressed with the text as its dictionary. The seal is a checksum and no signature:
it tells damage from change by accident, not from change on purpose (see docs/durability.md).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import zstandard

from langgraph_rlm.context import Context
from langgraph_rlm.errors import SandboxError
from langgraph_rlm.repl.boot import BOOT, PRELUDE

MAGIC = b"RLM\x01"
SEAL = 16
"""Bytes of the checksum."""
VERSION = f"{version('pydantic-monty')} {hashlib.blake2b((PRELUDE + BOOT).encode(), digest_size=8).hexdigest()}"
"""What can load a dump: the sandbox that made it, with the functions that were in it."""
WORTH_A_DICTIONARY = 64_000
"""Bytes that are left of a dump, from which on it pays to index the text: that takes 40 ms for each megabyte of it."""
MOST_INDEXED = 24
"""Bits of the index: 128 MiB of memory while a dump is packed."""


@dataclass
class DumpPacker:
    """Packs and unpacks dumps of REPLs over `context`. `name` is what the state calls it."""

    name: str
    context: Context
    _place: int = field(default=0, init=False)
    """Where the text stood in the last dump: it is likely to stand there again."""

    def pack(self, dump: bytes) -> bytes:
        text = self.context.text.encode()
        place = self._place if dump.startswith(text, self._place) else dump.find(text)
        self._place = max(place, 0)
        rest = dump if place < 0 else dump[:place] + dump[place + len(text) :]
        indexed = len(rest) >= WORTH_A_DICTIONARY
        payload = _compressor(text if indexed else b"", len(rest)).compress(rest)
        header = {"version": VERSION, "context": self.name, "place": place, "indexed": indexed, "size": len(rest)}
        sealed = json.dumps(header).encode() + b"\n" + payload
        return MAGIC + _seal(sealed) + sealed

    def unpack(self, packed: bytes) -> bytes:
        """The dump.

        Raises:
            SandboxError: It is damaged, or was made over another text.
        """
        header, payload = _opened(packed)
        if header["context"] != self.name:
            raise damaged(f"it belongs to the text {header['context']}, and the text here is {self.name}")
        text = self.context.text.encode()
        dictionary = _dictionary(text) if header["indexed"] else None
        try:
            rest = zstandard.ZstdDecompressor(dict_data=dictionary, max_window_size=2**31).decompress(
                payload, max_output_size=max(1, header["size"])
            )
        except zstandard.ZstdError as error:
            raise damaged(str(error)) from error
        place = header["place"]
        return rest if place < 0 else rest[:place] + text + rest[place:]


def is_loadable(packed: bytes) -> bool:
    """Whether this version of the sandbox can load the dump. `SandboxError` where it is damaged."""
    return bool(_opened(packed)[0]["version"] == VERSION)


def damaged(why: str) -> SandboxError:
    return SandboxError(
        f"The REPL in the checkpoint cannot be read: {why}. The thread is as it was: restore the checkpoint from a "
        "backup, go on from an earlier one (get_state_history), or ask on a new thread."
    )


def _opened(packed: object) -> tuple[dict[str, Any], bytes]:
    if not isinstance(packed, bytes) or not packed.startswith(MAGIC):
        raise damaged("it is not one of ours")
    seal, sealed = packed[len(MAGIC) : len(MAGIC) + SEAL], packed[len(MAGIC) + SEAL :]
    if _seal(sealed) != seal:
        raise damaged("it is truncated or has changed")
    header, _, payload = sealed.partition(b"\n")
    return json.loads(header), payload


def _seal(sealed: bytes) -> bytes:
    return hashlib.blake2b(sealed, digest_size=SEAL).digest()


def _dictionary(text: bytes) -> zstandard.ZstdCompressionDict:
    return zstandard.ZstdCompressionDict(text, dict_type=zstandard.DICT_TYPE_RAWCONTENT)


def _compressor(text: bytes, size: int) -> zstandard.ZstdCompressor:
    """Matches of 64 bytes and more are found in all of the text, shorter ones as far as the index has room."""
    if not text:
        return zstandard.ZstdCompressor()
    index = min(max(len(text).bit_length(), 17), MOST_INDEXED)
    parameters = zstandard.ZstdCompressionParameters.from_level(
        3,
        window_log=min(max((len(text) + size).bit_length(), 20), 31),
        hash_log=index,
        chain_log=index,
        enable_ldm=True,
    )
    return zstandard.ZstdCompressor(dict_data=_dictionary(text), compression_params=parameters)
