"""What a dialect decides: how a model writes code and ends, and all that it is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from langgraph_rlm.context import Context
from langgraph_rlm.conversation.briefing import Asked, Briefing, Remaining
from langgraph_rlm.conversation.dialects.replies import ParsedReply
from langgraph_rlm.conversation.ran import RanBlock
from langgraph_rlm.repl.conventions import ReplConventions


class Dialect(Protocol):
    """How a model is spoken to. What gives an empty str says nothing."""

    @property
    def name(self) -> str:
        """What `create_rlm` knows it by."""

    @property
    def answer_name(self) -> str:
        """What the model knows the answer by."""

    @property
    def conventions(self) -> ReplConventions:
        """The REPL's side of it."""

    def parse(self, reply: str) -> ParsedReply:
        """What a reply says."""

    def setup(self, code: str, context: Context, question: int) -> str:
        """The host's own code that runs before a block. `question` counts those of the thread, from 1."""

    def given(self, code: str, context: Context, asked: Asked) -> Mapping[str, Any]:
        """Variables that a block is given, where it uses them without a definition: plain data."""

    def aid(self, ran: RanBlock, doubt: str | None) -> str | None:
        """A block of the host's own after one that got nowhere, or whose answer is in `doubt`."""

    def told(self, code: str, answer: Any, asked: Asked, context: Context) -> list[Any]:
        """The answer that a block has set, as it is meant; nothing where the host's own block has none to give."""

    def may_show(self, code: str, output: str, error: str | None) -> bool:
        """Whether a block may have told anything of the text, so that an answer after it is no guess."""

    def doubt(self, answer: object, asked: Asked, context: Context) -> str | None:
        """What is said of an answer that cannot be one, once."""

    def rules(self, briefing: Briefing) -> str:
        """The system prompt of an RLM."""

    def opening(self, query: str, context: Context, briefing: Briefing) -> str:
        """The first message: what is known of the text without reading it, and the question."""

    def follow_up(self, query: str, context: Context | None, briefing: Briefing) -> str:
        """A further question on the same thread; `context` where the text is a new one."""

    def after_block(self, ran: RanBlock) -> str:
        """What a block did."""

    def turn(self, remaining: Remaining) -> str:
        """Asks for a turn, at the end of what the model is told before it."""

    def reminder(self, query: str, step: int) -> str:
        """Asks for turn `step` too, but is no part of the conversation: it stands last in that turn's prompt alone."""

    def last_turn(self, limit: str) -> str:
        """Asks for an answer from what is there, when a limit is reached."""
