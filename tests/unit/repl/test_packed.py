"""Dumps as a checkpoint keeps them: small, whole or refused."""

from __future__ import annotations

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langgraph_rlm import Context, SandboxError
from langgraph_rlm.repl import packed
from langgraph_rlm.repl.packed import DumpPacker, is_loadable

WORDS = ["".join(random.Random(i).choices(string.ascii_lowercase, k=7)) for i in range(5_000)]
TEXT = "\n".join(" ".join(random.Random(i).choices(WORDS, k=10)) for i in range(10_000))
"""0.8 MB that does not compress well by itself."""


def packing(text: str = TEXT, name: str = "text") -> DumpPacker:
    return DumpPacker(name, Context.of(text))


@given(st.text(max_size=200), st.binary(max_size=200), st.binary(max_size=200), st.integers(0, 3))
def test_dump_comes_back_as_it_was(text: str, before: bytes, after: bytes, copies: int) -> None:
    over = packing(text)
    dump = before + over.context.text.encode() * copies + after
    assert over.unpack(over.pack(dump)) == dump


@pytest.mark.parametrize("text", [TEXT, TEXT + "é"], ids=["ascii", "not ascii"])
@pytest.mark.parametrize("copies", ["lines", "chunks", "nothing"])
def test_dump_does_not_hold_the_text_again(text: str, copies: str) -> None:
    pieces = {
        "lines": text.splitlines(),
        "chunks": [text[start : start + 1_000] for start in range(0, len(text), 1_000)],
        "nothing": [],
    }[copies]
    over = packing(text)
    dump = b"begin" + text.encode() + b"".join(b"\x01%d" % len(piece) + piece.encode() for piece in pieces)
    kept = over.pack(dump)
    assert over.unpack(kept) == dump
    assert len(kept) < len(text) / 4


def test_text_that_moved_in_the_dump_is_found() -> None:
    over = packing()
    dumps = [b"a" * shift + TEXT.encode() + b"b" for shift in (5, 5, 9, 0)]
    kept = [over.pack(dump) for dump in dumps]
    assert [over.unpack(dump) for dump in kept] == dumps
    assert all(len(dump) < 1_000 for dump in kept)


KEPT = packing().pack(b"before" + TEXT.encode() + b"after")


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"RLM",
        KEPT[:10],
        KEPT[: len(KEPT) // 2],
        KEPT[:-1],
        KEPT + b"\0",
        b"\0" + KEPT,
        bytes(1_000),
        b"another program's checkpoint" * 100,
        "a str",
        None,
    ],
    ids=lambda broken: repr(broken)[:20],
)
def test_what_is_truncated_or_foreign_is_refused(broken: bytes) -> None:
    with pytest.raises(SandboxError, match="cannot be read"):
        packing().unpack(broken)
    with pytest.raises(SandboxError, match="cannot be read"):
        is_loadable(broken)


def test_any_flipped_bit_is_noticed() -> None:
    for place in range(len(KEPT)):
        broken = bytearray(KEPT)
        broken[place] ^= 1 << place % 8
        with pytest.raises(SandboxError, match="cannot be read"):
            packing().unpack(bytes(broken))


def test_dump_over_another_text_is_refused() -> None:
    with pytest.raises(SandboxError, match="belongs to the text"):
        packing("another text", "another").unpack(KEPT)


def test_payload_that_is_sealed_but_rubbish_is_refused() -> None:
    header, _, _ = KEPT[len(packed.MAGIC) + packed.SEAL :].partition(b"\n")
    sealed = header + b"\nrubbish"
    with pytest.raises(SandboxError, match="cannot be read"):
        packing().unpack(packed.MAGIC + packed._seal(sealed) + sealed)


def test_dump_of_another_version_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_loadable(KEPT)
    monkeypatch.setattr(packed, "VERSION", "another")
    assert not is_loadable(KEPT)
