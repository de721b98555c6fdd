"""What the trajectory says of a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langgraph_rlm.asking.requests import Request
from langgraph_rlm.conversation import prompts


def record_of(request: Request, is_ahead: bool) -> dict[str, Any]:
    """What is said of it whatever comes of it."""
    return {
        "kind": request.kind,
        "prompt": prompts.shorten(request.text),
        "characters": request.characters,
        **({"model": request.model} if request.model else {}),
        **({"ahead": True} if is_ahead else {}),
    }


def tool_calls_in(trajectory: Sequence[Mapping[str, Any]]) -> int:
    """How often tools were called, in the RLM whose trajectory it is and in those below."""
    records = [record for step in trajectory for record in step.get("subcalls", ())]
    own: int = sum(record["kind"] == "tool" for record in records)
    below = (tool_calls_in(record.get("trajectory", ())) for record in records)
    return sum(below, own)
