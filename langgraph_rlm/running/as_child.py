"""An RLM that runs on a server as the child of another one: within what that grants, and as deep as that allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from langgraph.types import StateSnapshot

from langgraph_rlm.answers.schema import checked_schema
from langgraph_rlm.errors import InvalidInput
from langgraph_rlm.running.spec import RLMSpec
from langgraph_rlm.settings import Limits
from langgraph_rlm.state import AsChild

GRANTED = ("max_depth", "max_steps", "max_subcalls", "max_tool_calls", "max_tokens", "max_seconds", "confirm_above")
"""What of `Limits` one RLM sets for another."""


def checked_as_child(given: Any, spec: RLMSpec) -> AsChild:
    """What another RLM says to this one, checked.

    Raises:
        InvalidInput: It is none of that: another version may have written it.
    """
    match given:
        case {"limits": dict(limits)} if limits.keys() <= {*GRANTED}:
            schema, writer, resumed = given.get("answer_schema"), given.get("writer"), given.get("resumed", 0)
        case _:
            said = repr(given)[:200]
            raise InvalidInput(f"as_child={said}: a dict with `limits` is needed, of {', '.join(GRANTED)}.")
    Limits(**limits)
    if schema is not None:
        try:
            schema = checked_schema(schema)
        except (TypeError, ValueError) as error:
            raise InvalidInput(f"as_child: answer_schema: {error}") from None
    if writer is not None and (not isinstance(writer, str) or writer not in spec.models):
        raise InvalidInput(f"There is no model {str(writer)[:200]!r} here. Known: {', '.join(spec.models) or 'none'}.")
    if not isinstance(resumed, int) or resumed < 0:
        raise InvalidInput(f"as_child: resumed={str(resumed)[:200]!r} is no number.")
    return AsChild(limits=limits, answer_schema=schema, writer=writer, resumed=resumed)


def as_child_of(prepared: Any, state: StateSnapshot | None) -> AsChild | None:
    """What the RLM above says: in the input, or in the thread of a run that goes on."""
    if isinstance(prepared, dict):
        return prepared.get("as_child")
    return state.values.get("as_child") if state else None


def granted(limits: Limits, as_child: AsChild | None) -> Limits:
    """The limits of an RLM, of each the smaller one of its own and of what is granted."""
    given: Mapping[str, Any] = as_child["limits"] if as_child else {}
    own = {field.name: getattr(limits, field.name) for field in fields(limits)}
    smaller = {
        name: most if own[name] is None else min(own[name], most) for name, most in given.items() if most is not None
    }
    return replace(limits, **smaller)
