"""How a model is spoken to that needs no help of the host's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langgraph_rlm.context import Context
from langgraph_rlm.conversation.briefing import Asked
from langgraph_rlm.conversation.ran import RanBlock


class Unaided:
    """Of a dialect, or of a voice: its code is given nothing, gets no cell of the host's, and its answers no doubt."""

    def given(self, code: str, context: Context, asked: Asked) -> Mapping[str, Any]:
        return {}

    def aid(self, ran: RanBlock, doubt: str | None) -> str | None:
        return None

    def told(self, code: str, answer: Any, asked: Asked, context: Context) -> list[Any]:
        return [answer]

    def asks_plainly(self, code: str) -> bool:
        return False

    def may_show(self, code: str, output: str, error: str | None) -> bool:
        return True

    def doubt(self, answer: object, asked: Asked, context: Context) -> str | None:
        return None
