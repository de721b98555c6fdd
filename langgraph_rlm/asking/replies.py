"""What a model's message says, and whether that is all of it. All replies come in here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.messages.ai import UsageMetadata

from langgraph_rlm.asking.ledger import NOTHING_SPENT
from langgraph_rlm.asking.thoughts import without_thoughts
from langgraph_rlm.context.files import clean
from langgraph_rlm.errors import CutOff

_REASONS = (
    *("finish_reason", "normalized_finish_reason", "stop_reason", "done_reason", "completion_reason", "stop_type"),
    *("finishReason", "stopReason", "completionReason"),
)
"""Where providers say why a reply has ended."""
_IS_REASON = re.compile(r"(?:FinishReason\.)?[A-Za-z][\w -]*")
_TOO_LONG = re.compile(
    r"length|max_?(?:\w+_)?tokens|max_len|token_limit|context_(?:window_)?exceeded|incomplete|^limit$", re.I
)
_REFUSED = re.compile(
    r"filter|safety|refus|^block|_blocked|prohibited|recitation|spii|guardrail|intervened|toxic|^language$|moderation",
    re.I,
)
_FAILED = re.compile(r"^(?:error\w*|cancel\w*|abort\w*|fail\w*|time\w*|insufficient\w*)$", re.I)
_ENDED = re.compile(r"^(?:stop\w*|end\w*|eos\w*|complete\w*|finished|success|normal|done)$", re.I)
"""Reasons of replies that are whole: any other tells something where nothing was said."""

_THOUGHTS = ("thinking", "redacted_thinking", "reasoning")
"""Types of content blocks."""


@dataclass(frozen=True)
class Cut:
    """Why a reply is not whole: `what` follows "the reply"."""

    what: str
    is_too_long: bool
    """Whether the model had more to write, or to think, than it may."""


@dataclass(frozen=True)
class ModelReply:
    """What a model said, without its thoughts, and what it used."""

    text: str
    usage: dict[str, UsageMetadata]
    id: str | None
    """Of the message: who streams messages has seen it by that."""
    cut: Cut | None = None

    @property
    def whole(self) -> str:
        """What was said. Raises `CutOff` where that is not all of it, with what it used."""
        if self.cut is None:
            return self.text
        advice = "ask for a shorter answer, or about a smaller piece" if self.cut.is_too_long else "ask in other words"
        failure = CutOff(f"the reply {self.cut.what}: {advice}")
        failure.rlm_spent = {**NOTHING_SPENT, "usage": self.usage}  # type: ignore[attr-defined]
        raise failure


def read_reply(message: AIMessage, usage: dict[str, UsageMetadata]) -> ModelReply:
    """A model's message, which has cost so much."""
    raw = clean(str(message.text))
    cut = _cut(message, raw)
    text = without_thoughts(raw, is_cut=cut is not None)
    if cut is None and not text.strip() and _has_thought(message, raw):
        cut = Cut("has thoughts, and nothing else", is_too_long=True)
    return ModelReply(text, usage, message.id, cut)


def _cut(message: AIMessage, text: str) -> Cut | None:
    """Why what the provider gave is not all that was to be said, if it is not."""
    reasons = [*_reasons(message.response_metadata or {})]
    tokens = (message.usage_metadata or {}).get("output_tokens", 0)  # type: ignore[call-overload]
    if why := next((reason for reason in reasons if _REFUSED.search(reason)), None):
        return Cut(f"was held back by the provider ({why})", is_too_long=False)
    if why := next((reason for reason in reasons if _TOO_LONG.search(reason)), None):
        return Cut(f"was cut off{f' at {tokens:,} tokens' if tokens else ''} ({why})", is_too_long=True)
    if why := next((reason for reason in reasons if _FAILED.match(reason)), None):
        return Cut(f"was broken off by the provider ({why})", is_too_long=False)
    if text.strip():
        return None
    if refusal := _refusal(message):
        return Cut(f"is a refusal ({clean(refusal)})", is_too_long=False)
    if why := next((reason for reason in reasons if not _ENDED.match(reason)), None):
        return Cut(f"is empty ({why})", is_too_long=False)
    return None


def _refusal(message: AIMessage) -> str:
    """What the model said instead of an answer, where its provider hands that on beside the text."""
    blocks = message.content if isinstance(message.content, list) else []
    inner = [block.get("value", block) for block in blocks if isinstance(block, dict)]
    said = [block.get("refusal") for block in inner if isinstance(block, dict)]
    return str(next(filter(None, [message.additional_kwargs.get("refusal"), *said]), ""))


def _reasons(metadata: Mapping[str, Any]) -> Iterator[str]:
    """What the metadata of a message says of its end."""
    named: list[Any] = [metadata[name] for name in _REASONS if name in metadata]
    for holder, name in (("incomplete_details", "reason"), ("prompt_feedback", "block_reason")):
        if isinstance(inner := metadata.get(holder), Mapping):
            named.append(inner.get(name))
    if metadata.get("status") in ("incomplete", "failed", "cancelled"):
        named.append(metadata["status"])
    for reason in named:
        name = getattr(reason, "name", reason)  # of an enumeration
        if isinstance(name, str) and _IS_REASON.fullmatch(name):  # a stop string is none
            yield name


def _has_thought(message: AIMessage, text: str) -> bool:
    """Whether a message has thoughts: in its text, which has nothing else, or beside it, as providers hand them on."""
    blocks = message.content if isinstance(message.content, list) else []
    has_block = any(isinstance(block, dict) and block.get("type") in _THOUGHTS for block in blocks)
    return bool(text.strip()) or has_block or bool(message.additional_kwargs.get("reasoning_content"))
