"""What a user may set: values, checked when they are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, Literal, get_args

from langgraph_rlm.errors import InvalidInput
from langgraph_rlm.routes.profiles import PROFILES, Profile
from langgraph_rlm.routes.routing import COMFORTABLE, Routing

if TYPE_CHECKING:
    from langgraph_rlm.routes.extractors import Extractor
else:  # `--help` imports this file, and no LangChain: what an extractor takes is for type checkers
    Extractor = Callable

DialectName = Literal["final", "answer", "final-text"]
"""How a model writes code and ends a run. `final` is for models that were not trained as RLMs."""

VoiceName = Literal["auto", "large", "small"]
"""How a model is told what there is: in few words for small ones. `auto` goes by its window, or by where it runs."""


@dataclass(frozen=True)
class Router:
    """Which path a question takes.

    `direct_below` and `subcall_direct_below` are characters of prompt plus context: below the first a question is
    answered by one model call, above the second an `llm_query` runs a child RLM where depth allows one. Both are more
    where `direct_share` of the model's window is, as LangChain's model profiles know it, at four characters a token;
    and never more than half of that window. The default share is 2,600 tokens of 128,000 and 20,000 of a million,
    which is what a loop of 3 to 12 steps takes itself.

    `extractors` are what `deterministic_first` tries, in order, before its own: see `after` and `regex`.
    """

    profile: Profile = "auto"
    direct_below: int = 8_000
    subcall_direct_below: int = 200_000
    extractors: tuple[Extractor, ...] = field(default=(), repr=False)
    direct_share: float = 0.02

    def __post_init__(self) -> None:
        checked_profile(self.profile)
        _whole(0, direct_below=self.direct_below, subcall_direct_below=self.subcall_direct_below)
        share = self.direct_share
        if not isinstance(share, int | float) or isinstance(share, bool) or not 0 <= share <= COMFORTABLE:
            raise InvalidInput(f"direct_share={share!r}: a share of the model's window is needed, 0 to {COMFORTABLE}.")
        object.__setattr__(self, "extractors", _extractors(self.extractors))

    @staticmethod
    def explain(output: Mapping[str, Any]) -> str:
        """Why a run took its route, in a sentence or two: from its output, or its `get_state(config).values`.

        Raises:
            InvalidInput: It is the output of no run.
        """
        return Routing.of(output).why


@dataclass(frozen=True)
class Limits:
    """What one question may spend; counted over the whole tree of RLMs, `max_steps` for each RLM on its own.

    `max_subcalls` counts every prompt of `llm_*` and `rlm_*`, `max_tool_calls` every call of a tool, `max_tokens` is
    input plus output, `max_seconds` wall time. `max_depth` counts as the paper does: the root is 0; 0 has no
    sub-calls, 1 plain model calls, 2 child RLMs whose own sub-calls are plain. At a limit the model gets one last turn
    (`"answer"`) or `LimitExceeded` leaves the graph (`"raise"`).
    """

    max_steps: int = 30
    max_subcalls: int = 200
    max_depth: int = 2
    max_tokens: int | None = None
    max_seconds: float | None = None
    confirm_above: int | None = None
    on_exceeded: Literal["answer", "raise"] = "answer"
    max_tool_calls: int = 1_000

    def __post_init__(self) -> None:
        _whole(1, max_steps=self.max_steps)
        _whole(0, max_subcalls=self.max_subcalls, max_tool_calls=self.max_tool_calls, max_depth=self.max_depth)
        _whole_or_none(1, max_tokens=self.max_tokens)
        _whole_or_none(0, confirm_above=self.confirm_above)
        if self.max_seconds is not None:
            _seconds(0, max_seconds=self.max_seconds)
        if self.on_exceeded not in ("answer", "raise"):
            raise InvalidInput(f'Limits(on_exceeded={self.on_exceeded!r}): use "answer" or "raise".')


SECONDS = 5.0
CHARACTERS_PER_SECOND = 1_000_000
MOST_SECONDS = 1_000_000_000
"""To split a million characters into records takes some 0.15 s: a cell can go over all of the text several times."""


@dataclass(frozen=True)
class Sandbox:
    """What the model's code may use.

    `timeout`: seconds that one cell may compute, in processor time where the system tells it; waiting for models is not
    counted (default: 5, and one more for each million characters of the context). `memory`: bytes the code may hold
    beyond the context (default: the larger of 128 MiB and four times the context). `max_output`: characters
    of a cell's output that the model is shown, in the dialect "final" (20,000 in the others). `max_live`: interpreters
    alive at once in this process (default: four for each core); others wait as a dump of a few kilobytes and the
    context.
    """

    timeout: float | None = None
    memory: int | None = None
    max_output: int = 8_000
    max_live: int | None = None

    def __post_init__(self) -> None:
        if self.timeout is not None:
            _seconds(0.001, timeout=self.timeout)
        _whole(1, max_output=self.max_output)
        _whole_or_none(1, memory=self.memory, max_live=self.max_live)

    def seconds(self, characters: int) -> float:
        """How long a cell may compute over a context of that length."""
        return SECONDS + characters / CHARACTERS_PER_SECOND if self.timeout is None else self.timeout


def checked_profile(name: object) -> Profile:
    """The profile of that name. `InvalidInput` where there is none."""
    profile: Profile = _known("profile", name, get_args(Profile))
    return profile


def checked_dialect(name: object) -> DialectName:
    """The dialect's name, where there is one of that name. `InvalidInput` where there is none."""
    dialect: DialectName = _known("dialect", name, get_args(DialectName))
    return dialect


def checked_voice(name: object) -> VoiceName:
    """The voice's name, where there is one of that name. `InvalidInput` where there is none."""
    voice: VoiceName = _known("voice", name, get_args(VoiceName))
    return voice


def _known(what: str, name: object, names: tuple[Any, ...]) -> Any:
    for known in names:
        if name == known:
            return known
    raise InvalidInput(f"unknown {what} {name!r}. Known: {', '.join(names)}.")


def _extractors(given: object) -> tuple[Extractor, ...]:
    if not isinstance(given, list | tuple):
        raise InvalidInput(f"extractors={given!r}: a tuple of functions (query, context) -> str | None is needed.")
    for extractor in given:
        if not callable(extractor) or iscoroutinefunction(extractor):
            raise InvalidInput(f"extractors: {extractor!r} is no plain function (query, context) -> str | None.")
    return tuple(given)


def check_profile(profile: str, limits: Limits) -> None:
    """Raises `InvalidInput` where a profile cannot do its work within the limits."""
    if PROFILES[profile].needs_subcalls and limits.max_depth == 0:
        raise InvalidInput(f'The profile "{profile}" makes sub-calls: it needs Limits(max_depth=…) of at least 1.')


def _whole(lowest: int, **values: object) -> None:
    for name, value in values.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < lowest:
            raise InvalidInput(f"{name}={value!r}: a whole number of at least {lowest} is needed.")


def _whole_or_none(lowest: int, **values: object) -> None:
    _whole(lowest, **{name: value for name, value in values.items() if value is not None})


def _seconds(lowest: float, **values: object) -> None:
    for name, value in values.items():
        if not isinstance(value, int | float) or isinstance(value, bool) or not lowest <= value <= MOST_SECONDS:
            raise InvalidInput(f"{name}={value!r}: a number of seconds is needed, {lowest:g} to {MOST_SECONDS:,}.")
