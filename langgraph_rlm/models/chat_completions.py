"""OpenAI's chat completions, as many servers speak them: what is posted, and what the reply says."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.exceptions import (
    ModelAPIError,
    ModelAuthenticationError,
    ModelError,
    ModelInvalidRequestError,
    ModelRateLimitError,
)
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    convert_to_openai_messages,
)
from langchain_core.messages.ai import InputTokenDetails, OutputTokenDetails, UsageMetadata

from langgraph_rlm.models.posting import FailureInReply, kind_of

_ROLES: dict[type, str] = {SystemMessage: "system", HumanMessage: "user", AIMessage: "assistant"}


def build_payload(
    messages: Sequence[BaseMessage], *, model: str, extra_body: Mapping[str, Any] | None = None, **parameters: Any
) -> dict[str, Any]:
    """The body of a request. Parameters that are None are not sent; those in `extra_body` are as any others."""
    named = {name: value for name, value in parameters.items() if value is not None}
    return {"model": model, "messages": _turns(messages), **named, **(extra_body or {})}


def _turns(messages: Sequence[BaseMessage]) -> Any:
    turns = []
    for message in messages:
        role = _ROLES.get(type(message))
        if role is None or not isinstance(message.content, str) or message.name or message.additional_kwargs:
            return convert_to_openai_messages(messages)
        if isinstance(message, AIMessage) and (message.tool_calls or message.invalid_tool_calls):
            return convert_to_openai_messages(messages)
        turns.append({"role": role, "content": message.content})
    return turns


def parse_response(body: Any) -> AIMessage:
    """The answer in the body of a reply. Raises `FailureInReply` where there is none."""
    whole = _object(body)
    choices = whole.get("choices")
    choice = _object(choices[0]) if choices and isinstance(choices, list) else {}
    if error := whole.get("error") or choice.get("error") or (whole.get("object") == "error" and whole):
        raise _failure(error, whole)
    if not choices:
        raise FailureInReply(" without choices")
    message = _object(choice.get("message"))
    said = message.get("content") or ""
    if not message or not isinstance(said, str | list):
        raise FailureInReply(" without a message in its first choice")
    names = {"model_name": whole.get("model"), "id": whole.get("id"), "finish_reason": choice.get("finish_reason")}
    beside = {
        "reasoning_content": message.get("reasoning_content") or message.get("reasoning"),
        "refusal": message.get("refusal"),
        "tool_calls": message.get("tool_calls"),
    }
    return AIMessage(
        said,
        additional_kwargs={name: value for name, value in beside.items() if value},
        response_metadata={name: value for name, value in names.items() if value},
        usage_metadata=_usage(_object(whole.get("usage"))),
    )


def _usage(used: Mapping[str, Any]) -> UsageMetadata | None:
    if not used:
        return None
    read, written = _count(used, "prompt_tokens"), _count(used, "completion_tokens")
    usage = UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written)
    of_input, of_output = _object(used.get("prompt_tokens_details")), _object(used.get("completion_tokens_details"))
    cached = _count(of_input, "cached_tokens") or _count(used, "prompt_cache_hit_tokens")  # the latter is DeepSeek's
    if cached:
        usage["input_token_details"] = InputTokenDetails(cache_read=cached)
    if thought := _count(of_output, "reasoning_tokens") or _count(used, "reasoning_tokens"):  # the latter is SGLang's
        usage["output_token_details"] = OutputTokenDetails(reasoning=thought)
    return usage


def _count(used: Mapping[str, Any], name: str) -> int:
    tokens = used.get(name)
    return tokens if isinstance(tokens, int) and tokens > 0 else 0


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


_KINDS: tuple[tuple[str, type[ModelError]], ...] = (
    ("rate_?limit|quota|too_many|exhausted", ModelRateLimitError),
    ("overload|unavailable|time_?out|server_error|internal|api_error", ModelAPIError),
    ("auth|api_key|permission", ModelAuthenticationError),
    ("invalid|validation|badrequest|context|not_found", ModelInvalidRequestError),
)
"""By what is in the names that servers give to errors."""


def _failure(error: Any, body: Mapping[str, Any]) -> FailureInReply:
    """An error that came as if it were an answer, as from gateways."""
    told = _object(error) or {"message": error, "type": body.get("error_type")}  # the latter is TGI's
    what, others = told.get("message"), {name: value for name, value in told.items() if name != "message" and value}
    shown = " ".join(part if isinstance(part, str) else json.dumps(part) for part in (what, others) if part)
    return FailureInReply(" with an error", _kind(told), shown)


def _kind(error: Mapping[str, Any]) -> type[ModelError]:
    code = str(error.get("code"))
    if re.fullmatch("[45][0-9][0-9]", code):
        return kind_of(int(code))
    named = f"{code} {error.get('type')} {error.get('status')}"
    return next((kind for pattern, kind in _KINDS if re.search(pattern, named, re.I)), ModelError)
