"""What an RLM may do, for those who put it into words; and what is left of that, turn by turn."""

from __future__ import annotations

from dataclasses import dataclass, field

from langgraph_rlm.repl.capabilities import NO_CAPABILITIES, Capabilities
from langgraph_rlm.settings import Sandbox


@dataclass(frozen=True)
class Briefing:
    """What an RLM may do; `has_child` says whether there are RLMs below it."""

    has_child: bool = True
    sandbox: Sandbox = field(default_factory=Sandbox)
    capabilities: Capabilities = NO_CAPABILITIES
    piece: int = 20_000
    """Characters of a text that a model reads well at once."""
    most_piece: int = 200_000
    """Characters that fit the window of who answers sub-calls."""


@dataclass(frozen=True)
class Asked:
    """A question, and the blocks that ran for it so far: their code, and what it printed."""

    question: str
    ran: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Remaining:
    """What is left before a turn. None where there is no bound; `subcalls` is None where there are none at all."""

    turn: int
    turns: int
    subcalls: tuple[int, int] | None = None
    """Those that are left, and those that were allowed; so the others."""
    seconds: tuple[float, float] | None = None
    tokens: tuple[int, int] | None = None

    @property
    def line(self) -> str:
        """It as the model is told."""
        parts = [f"Turn {self.turn} of {self.turns}"]
        if self.subcalls:
            parts.append(f"{self.subcalls[0]:,} of {self.subcalls[1]:,} sub-calls left")
        if self.seconds:
            parts.append(f"{max(0.0, self.seconds[0]):,.0f} of {self.seconds[1]:,.0f} seconds left")
        if self.tokens:
            parts.append(f"{max(0, self.tokens[0]):,} of {self.tokens[1]:,} tokens left")
        return ", ".join(parts) + "."
