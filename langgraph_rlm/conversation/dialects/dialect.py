"""What a dialect decides: how a model writes code and ends, and all that it is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from langgraph_rlm.context import Context
from langgraph_rlm.conversation.dialects.replies import ParsedReply
from langgraph_rlm.repl.capabilities import Capabilities
from langgraph_rlm.repl.cells import Finished
from langgraph_rlm.repl.conventions import ReplConventions


@dataclass(frozen=True)
class RanBlock:
    """A block that has run: the `number`-th of the `blocks` of its reply. `note` says what became of the REPL."""

    code: str
    cell: Finished
    number: int
    blocks: int
    is_edited: bool = False
    """Whether it is not the model's own."""
    is_repeated: bool = False
    """Whether it ran before."""
    note: str | None = None
    has_answer: bool = False
    """Whether it has set an answer, which did not end the run if this is told."""
    answers: tuple[str, ...] = ()
    """Long answers that the code had, of which it may have printed some."""
    kept: int = 0
    """Answers that are kept of dropped cells, where this is one."""


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

    def system(self, depth: int, max_depth: int, instructions: str | None, capabilities: Capabilities) -> str:
        """The system prompt of an RLM at `depth`."""

    def opening(self, query: str, context: Context) -> str:
        """The first message: what is known of the text without reading it, and the question."""

    def follow_up(self, query: str, context: Context | None) -> str:
        """A further question on the same thread; `context` where the text is a new one."""

    def after_block(self, ran: RanBlock, query: str) -> str:
        """What a block did."""

    def turn(self, step: int, most: int) -> str:
        """Asks for turn `step` of `most`, at the end of what the model is told before it."""

    def reminder(self, query: str, step: int) -> str:
        """Asks for turn `step` too, but is no part of the conversation: it stands last in that turn's prompt alone."""

    def last_turn(self, limit: str) -> str:
        """Asks for an answer from what is there, when a limit is reached."""
