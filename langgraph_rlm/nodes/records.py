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


def below(trajectory: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The trajectory of an RLM that took itself for a root, as it is one level below another."""
    return [
        {**step, "depth": step["depth"] + 1, "subcalls": [_below(record) for record in step.get("subcalls", ())]}
        for step in trajectory
    ]


def _below(record: Mapping[str, Any]) -> dict[str, Any]:
    return {**record, **({"trajectory": below(record["trajectory"])} if "trajectory" in record else {})}


def tool_calls_in(trajectory: Sequence[Mapping[str, Any]]) -> int:
    """How often tools were called, in the RLM whose trajectory it is and in those below."""
    records = [record for step in trajectory for record in step.get("subcalls", ())]
    own: int = sum(record["kind"] == "tool" for record in records)
    return sum((tool_calls_in(record.get("trajectory", ())) for record in records), own)
