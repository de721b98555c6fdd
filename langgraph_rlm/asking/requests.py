"""What code asks for, as values: a request, the requests of one call, and what became of each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from langgraph_rlm.context.digests import digest_of

Kind = Literal["llm", "rlm", "tool"]


@dataclass(frozen=True)
class Request:
    """What the code asks for at one place: of a model, `prompt` followed by `context`; of a tool, its `arguments`.

    `prompt` is a tool's name. `model` is the one that the code chose. The answer satisfies the JSON `schema`, if any.
    A model's reply has no more than `max_tokens`; a child RLM is not bound by it.
    """

    kind: Kind
    prompt: str
    context: str | None = None
    model: str | None = None
    schema: dict[str, Any] | None = None
    arguments: dict[str, Any] | None = None
    max_tokens: int | None = None

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Request:
        """What the state has."""
        return cls(**{name: stored[name] for name in cls.__match_args__ if name in stored})

    @property
    def stored(self) -> dict[str, Any]:
        """It as the state has it."""
        kept = {"kind": self.kind, "prompt": self.prompt, "context": self.context}
        return kept | {name: value for name, value in vars(self).items() if name in OPTIONAL and value is not None}

    @cached_property
    def key(self) -> str:
        """Names what is asked, and of whom."""
        if self.arguments is not None:
            return TOOL + digest_of(self.prompt, json.dumps(self.arguments, sort_keys=True))
        shape = [] if self.schema is None else [json.dumps(self.schema, sort_keys=True)]
        bound = [] if self.max_tokens is None else [f"max_tokens {self.max_tokens}"]
        return digest_of(self.kind, self.model, self.prompt, self.context, *shape, *bound)

    @property
    def text(self) -> str:
        """What is asked, for people."""
        if self.arguments is None:
            return self.prompt
        return f"{self.prompt}({', '.join(f'{name}={value!r}' for name, value in self.arguments.items())})"

    @property
    def characters(self) -> int:
        """How long it is."""
        return len(self.text) + len(self.context or "")


TOOL = "tool "
"""Begins the keys of calls of tools."""
OPTIONAL = ("model", "schema", "arguments", "max_tokens")
"""Fields of a `Request` that most have not."""


@dataclass(frozen=True)
class Call:
    """What the code asks for at once, answered in order.

    In a batch, what fails is answered with its error as a str; alone, it raises in the code. Where the `first` valid
    answer is enough, the others may be errors that say so.
    """

    requests: list[Request]
    batch: bool
    first: bool = False

    @cached_property
    def keys(self) -> list[str]:
        """Names of the requests."""
        return [request.key for request in self.requests]

    @cached_property
    def digest(self) -> str:
        """Names the call: a cell that runs again has to ask the same."""
        return digest_of(str(self.batch), *self.keys)


@dataclass(frozen=True)
class Answer:
    """What became of a request: its answer, or why there is none."""

    value: Any = None
    error: str | None = None
