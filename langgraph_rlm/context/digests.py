"""Names for texts, by what they hold."""

from __future__ import annotations

import hashlib

from langgraph_rlm.context.context import Context

HASH_PIECE = 4_000_000
"""Characters that are encoded at a time to be hashed: never a copy of the whole text."""


def digest_of(*parts: str | None) -> str:
    """A name for these parts: equal parts have the same one, and the borders between them count."""
    digest = hashlib.blake2b(digest_size=32)
    for part in parts:
        encoded = b"" if part is None else part.encode("utf-8", "surrogatepass")
        digest.update(b"%d:%d:" % (part is not None, len(encoded)) + encoded)
    return digest.hexdigest()


def context_id_of(context: Context) -> str:
    """What a context is called in the state, by what it holds: the same text keeps its name."""
    digest = hashlib.blake2b(repr(context.metadata).encode("utf-8", "backslashreplace"), digest_size=16)
    for start in range(0, len(context), HASH_PIECE):
        digest.update(context.slice(start, start + HASH_PIECE).encode())
    return digest.hexdigest()
