"""The profiles: paths through the graph by name, and all that is particular to each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Profile = Literal["auto", "direct", "rlm", "deterministic_first", "semantic_batches", "hybrid", "verify"]
"""Paths through the graph. `auto` picks `direct` or `rlm` by the size of the context."""

First = Literal["direct", "extract", "batches", "generate"]
"""The node that a question goes to after `route`."""


@dataclass(frozen=True)
class ProfilePath:
    """What a profile does with a question."""

    first: First | None
    """Where it begins; None: by the size of question and text."""
    summary: str
    """What `--help` says of it."""
    after_extract: Literal["batches", "generate"] = "generate"
    """Where a question goes that no extractor answers."""
    needs_subcalls: bool = False
    ends_with_batches: bool = False
    """Whether the run ends with what the batches found, be it nothing."""
    checks_answer: bool = False
    """Whether an answer is checked against the passages that it cites."""
    is_learned_from: bool = False
    """Whether `auto` learns from its runs: not where it does more than the loop, or something else."""

    @property
    def goes_by_size(self) -> bool:
        """Whether the size of question and text decides where it begins."""
        return self.first is None


PROFILES: Mapping[str, ProfilePath] = {
    "direct": ProfilePath("direct", "one model call", is_learned_from=True),
    "rlm": ProfilePath("generate", "code reads the text", is_learned_from=True),
    "auto": ProfilePath(None, "one of them, by its size", is_learned_from=True),
    "deterministic_first": ProfilePath(
        "extract", "no model where the text has the one field that is asked for, else rlm", is_learned_from=True
    ),
    "semantic_batches": ProfilePath(
        "batches", "models read all of the text, in chunks", needs_subcalls=True, ends_with_batches=True
    ),
    "hybrid": ProfilePath("extract", "as the two before, then rlm", after_extract="batches", needs_subcalls=True),
    "verify": ProfilePath(
        "generate", "rlm, and the answer is checked against what it cites", needs_subcalls=True, checks_answer=True
    ),
}
