"""Which way a question goes, and why: one rule, which the root, its sub-calls and `Router.explain` share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from langgraph_rlm.errors import InvalidInput
from langgraph_rlm.routes.profiles import PROFILES, First

CHARACTERS_PER_TOKEN = 4
"""As LangChain counts approximately, and `history` with it."""
COMFORTABLE = 0.5
"""Share of a model's window that one call may fill: code, digits and many languages have two characters a token."""

Route = Literal["direct", "extract", "rlm"]
"""The route as the output names it."""


@dataclass(frozen=True)
class Reach:
    """How long question and text may be, in characters, for one model call to answer.

    Fewer than `below`, or than fill a `share` of the model's `window` (tokens, None where LangChain does not know
    it), whichever is more; `moved` doubles that so many times, or halves it where negative. In no case more than what
    the model reads with comfort.
    """

    below: int
    share: float
    window: int | None
    moved: int = 0

    @property
    def unmoved(self) -> int:
        """Before anything was learned."""
        return max(self.below, _characters(self.share, self.window or 0))

    @property
    def most(self) -> float:
        """What the model reads with comfort."""
        return float("inf") if self.window is None else _characters(COMFORTABLE, self.window)

    @property
    def characters(self) -> int:
        """Characters from which on one call does not answer."""
        return int(min(self.unmoved * 2.0**self.moved, self.most))

    def has(self, characters: int) -> bool:
        return characters < self.characters


@dataclass(frozen=True)
class Routing:
    """What decides on the way of a question. The state has it as a plain dict, as `routing`."""

    profile: str
    characters: int
    """Of question and text."""
    reach: Reach
    outcomes: int = 0
    """Earlier runs that `reach` has learned from."""
    extractors: int = 0
    found_by: str | None = None
    """The extractor that found the answer."""
    unread: tuple[int, int] | None = None
    """Chunks of the text that nobody read, since the sub-calls that may be made, which stand after them, are fewer."""
    run: dict[str, Any] | None = None
    """Where the store has the outcome of this run, if it does: `namespace` and `key`, and when it `begun`, in seconds
    since 1970."""

    @classmethod
    def of(cls, output: Mapping[str, Any]) -> Routing:
        """That of a run, from its output or its state.

        Raises:
            InvalidInput: It is the output of no run, or of one with a profile that this version does not have.
        """
        try:
            stored = output["routing"]
            routing = cls(**{**stored, "reach": Reach(**stored["reach"])})
        except (KeyError, TypeError) as error:
            raise InvalidInput("This is no output of a run: it has no `routing`, which tells of its route.") from error
        if routing.profile not in PROFILES:
            raise InvalidInput(f"The run had the profile {routing.profile!r}. Known: {', '.join(PROFILES)}.")
        return routing

    @property
    def stored(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def first(self) -> First:
        """Where the question goes at first. What `extract` does not find goes on."""
        by_size: First = "direct" if self.reach.has(self.characters) else "generate"
        return PROFILES[self.profile].first or by_size

    @property
    def route(self) -> Route:
        """The route as long as nothing else is known."""
        return "direct" if self.first == "direct" else "extract" if self.first == "extract" else "rlm"

    @property
    def after_extract(self) -> Literal["batches", "generate"]:
        """Where a question goes that no extractor answers."""
        return PROFILES[self.profile].after_extract

    @property
    def why(self) -> str:
        """Why it went there, in a sentence or two."""
        if self.first == "extract":
            size = f"the {self.characters:,} characters of question and text"
            if self.found_by:
                return f"No model was asked: the extractor {self.found_by} found the answer in {size}."
            way = self._way(self.after_extract)
            return f"{way}: no extractor, of {self.extractors}, found a certain answer in {size}."
        way = self._way(self.first)
        if not PROFILES[self.profile].goes_by_size:
            return f'{way}: that is what the profile "{self.profile}" is.'
        compared = "fewer" if self.first == "direct" else "not fewer"
        return f"{way}: question and text have {self.characters:,} characters, {compared} than {self._threshold}."

    def _way(self, node: First) -> str:
        if self.unread is None:
            return WAYS[node]
        chunks, most = self.unread
        return f"{WAYS['generate']}, since no more than {most:,} of {chunks:,} chunks of the text could have been read"

    @property
    def _threshold(self) -> str:
        reach = self.reach
        given = f"the {reach.below:,} of direct_below"
        if reach.unmoved > reach.below:
            given = f"the {reach.unmoved:,} that {reach.share:g} of the model's window of {reach.window:,} tokens holds"
        if reach.most < reach.unmoved * 2.0**reach.moved:
            return f"the {reach.characters:,} that half of the model's window of {reach.window:,} tokens holds"
        if reach.moved:
            return (
                f"{reach.characters:,}. That is {given}, {'halved' if reach.moved < 0 else 'doubled'} "
                f"{('once', 'twice')[abs(reach.moved) - 1]} by what {self.outcomes:,} earlier runs have shown"
            )
        return given


WAYS = {
    "direct": "One model call answered",
    "batches": "Models were to read all of the text, in chunks, before one writes code",
    "generate": "A model wrote code",
}
"""What the nodes stand for, in words: true also where reading in chunks fails, and the loop has its turn."""


def _characters(share: float, window: int) -> int:
    return int(share * window * CHARACTERS_PER_TOKEN)
