"""Names for texts, by what they hold."""

from __future__ import annotations

import hashlib


def digest_of(*parts: str | None) -> str:
    """A name for these parts: equal parts have the same one, and the borders between them count."""
    digest = hashlib.blake2b(digest_size=32)
    for part in parts:
        encoded = b"" if part is None else part.encode("utf-8", "surrogatepass")
        digest.update(b"%d:%d:" % (part is not None, len(encoded)) + encoded)
    return digest.hexdigest()
