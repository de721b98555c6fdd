"""What can go wrong, as types. Every message says what was wrong, where, and what to do."""

from __future__ import annotations

ASKED = "The model that was asked: "
"""How the note on a model's failure begins: the packages of some providers do not say what has failed."""


class RLMError(Exception):
    """Base of every error this package raises on purpose."""


class InvalidInput(RLMError, ValueError):
    """The question, the context or a setting cannot be used. Raised before any model is called."""


class ContextError(InvalidInput):
    """A context cannot be read: wrong type, empty, missing file, or a file that changed since it was read."""


class ModelError(RLMError):
    """A model cannot be had, or has no answer: unknown provider, missing package, missing key, no network, refusal."""


class CutOff(ModelError):
    """A model's reply is not whole: it was too long, was held back by the provider, or is nothing but thoughts."""


class SandboxError(RLMError):
    """The sandbox itself failed in a way that is not the fault of the code it ran."""


class ExtractorError(RLMError):
    """An extractor of `Router` failed, or returned what is no answer. Raised before any model is called.

    `extractor` is its name. The run ends: to ask a model instead would hide the fault, and cost money at each question.
    """

    def __init__(self, extractor: str, reason: str) -> None:
        self.extractor, self.reason = extractor, reason
        super().__init__(
            f"The extractor {extractor} failed: {reason}. Mend it, or leave it out of Router(extractors=…)."
        )

    def __reduce__(self) -> tuple[type[ExtractorError], tuple[str, str]]:
        return type(self), (self.extractor, self.reason)


class LimitExceeded(RLMError):
    """A limit of `Limits` was reached and `on_exceeded` is `"raise"`.

    `limit` is the name of the field, `used` what was spent (or asked for), `allowed` its value:
    steps, sub-calls, tokens or seconds, by the limit's name.
    """

    def __init__(self, limit: str, used: float, allowed: float) -> None:
        self.limit, self.used, self.allowed = limit, used, allowed
        super().__init__(f"{limit}: {used:g} used of {allowed:g} allowed. Raise Limits({limit}=…) or ask for less.")

    def __reduce__(self) -> tuple[type[LimitExceeded], tuple[str, float, float]]:
        return type(self), (self.limit, self.used, self.allowed)
