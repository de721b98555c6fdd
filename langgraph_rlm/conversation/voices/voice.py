"""What a voice says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from langgraph_rlm.context import Context
from langgraph_rlm.conversation.briefing import Asked, Briefing
from langgraph_rlm.conversation.ran import RanBlock


class Voice(Protocol):
    """How a model is told what there is, and what its code did."""

    @property
    def name(self) -> str:
        """What `create_rlm` knows it by."""

    def given(self, code: str, context: Context, asked: Asked) -> Mapping[str, Any]:
        """Variables that a cell is given, where it uses them without a definition: plain data."""

    def aid(self, ran: RanBlock, doubt: str | None) -> str | None:
        """A cell of the host's own after one that got nowhere, or whose answer is in `doubt`."""

    def asks_plainly(self, code: str) -> bool:
        """Whether a cell puts the question over what was found: the host's own does, and one that is copied from it."""

    def may_show(self, code: str, output: str, error: str | None) -> bool:
        """Whether a cell may have told anything of the text, so that an answer after it is no guess."""

    def doubt(self, answer: object, asked: Asked, context: Context) -> str | None:
        """What is said of an answer that cannot be one, once."""

    def rules(self, briefing: Briefing) -> str:
        """The system prompt."""

    def opening(self, query: str, context: Context, briefing: Briefing) -> str:
        """The first message: what is known of the text without reading it, and the question."""

    def follow_up(self, query: str, context: Context | None, briefing: Briefing) -> str:
        """A further question on the same thread; `context` where the text is a new one."""

    def after_cell(self, ran: RanBlock, output: str) -> str:
        """What a cell did, of which `output` is shown. It asks for the next one, unless there is an answer."""
