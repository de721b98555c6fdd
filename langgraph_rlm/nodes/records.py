"""What the trajectory says of a request."""

from __future__ import annotations

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
