"""What a user asks of a run, as plain values: they come from the command line, and are kept for `resume`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langgraph_rlm.routes.profiles import Profile
from langgraph_rlm.settings import (
    DialectName,
    Limits,
    Router,
    Sandbox,
    VoiceName,
    check_profile,
    checked_dialect,
    checked_voice,
)


@dataclass(frozen=True)
class Settings:
    """How a run is made. The names are those of the options of `ask`; a key of a provider is not among them."""

    model: str | None = None
    sub_model: str | None = None
    profile: Profile = "auto"
    instructions: str | None = None
    max_depth: int = Limits.max_depth
    max_steps: int = Limits.max_steps
    max_subcalls: int = Limits.max_subcalls
    max_tokens: int | None = None
    max_seconds: float | None = None
    max_concurrency: int = 16
    timeout: float | None = Sandbox.timeout
    dialect: DialectName = "final"
    voice: VoiceName = "auto"
    schema: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        # they say what of it cannot be used
        _ = self.router, self.limits, self.sandbox, checked_dialect(self.dialect), checked_voice(self.voice)
        check_profile(self.profile, self.limits)

    @property
    def router(self) -> Router:
        return Router(profile=self.profile)

    @property
    def limits(self) -> Limits:
        return Limits(self.max_steps, self.max_subcalls, self.max_depth, self.max_tokens, self.max_seconds)

    @property
    def sandbox(self) -> Sandbox:
        return Sandbox(self.timeout)


@dataclass(frozen=True)
class Request:
    """A question as it was typed. `paths` are files, folders, globs, or `-`; none is the text that a thread has."""

    question: str
    paths: Sequence[str]
    settings: Settings = Settings()
