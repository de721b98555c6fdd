"""The channels of the graph: what users put in and get out, and what the nodes tell each other.

Everything that outlives a superstep is stored by the checkpointer, so everything here is plain built-in types or
LangChain messages. Long lists are `DeltaChannel`s: a checkpoint stores what a step added, not the list again.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from langchain_core.messages import AnyMessage
from langgraph.channels import DeltaChannel, EphemeralValue
from langgraph.graph.message import add_messages
from typing_extensions import TypedDict

from langgraph_rlm.calls import add_usages
from langgraph_rlm.ledger import Usage

SNAPSHOT_EVERY = 1_000_000
"""Updates between two full copies of a `DeltaChannel` in a checkpoint: practically none."""


def _append(old: list[Any], added: Sequence[list[Any]]) -> list[Any]:
    return [*old, *(item for items in added for item in items)]


def _keep_last(old: list[Any], written: Sequence[list[Any]]) -> list[Any]:
    return written[-1]


def _extend_usage(old: Usage, added: Usage) -> Usage:
    return add_usages(old, added)


Growing = Annotated[list[Any], DeltaChannel(_append, list, snapshot_frequency=SNAPSHOT_EVERY)]
Stored = Annotated[list[Any], DeltaChannel(_keep_last, list, snapshot_frequency=SNAPSHOT_EVERY)]


class RLMInput(TypedDict, total=False):
    """What a run takes. `query` and `context`, or `messages`; `profile` for this run only."""

    query: Annotated[str, EphemeralValue(str)]
    context: Stored
    profile: Annotated[str, EphemeralValue(str)]
    messages: Annotated[list[AnyMessage], add_messages]


class RLMOutput(TypedDict, total=False):
    """What a run gives. `usage`, `steps` and `subcalls` are of the whole tree, for this question."""

    answer: Any
    route: Literal["direct", "extract", "rlm"]
    profile: Annotated[str, EphemeralValue(str)]
    status: Literal["answered", "limit"]
    usage: Annotated[Usage, _extend_usage]
    steps: Annotated[int, operator.add]
    subcalls: Annotated[int, operator.add]
    trajectory: Growing
    messages: Annotated[list[AnyMessage], add_messages]


class Question(TypedDict):
    """The question being answered: `asked` is the query, `chosen` the profile, `chat` whether it came as messages."""

    asked: str
    chosen: str
    chat: bool


class Position(TypedDict):
    """Where the REPL is: `token` names the live interpreter, `context` the text it is bound to."""

    token: str
    context: str


class RLMState(RLMInput, RLMOutput, total=False):
    """All channels."""

    question: Question
    context_id: str
    """Names the stored context; starts with `messages` where the conversation is the context."""
    history: Growing
    """The model's own conversation (messages), over all questions of the thread."""
    step: int
    """Turns that this RLM's model has had for this question."""
    reply: str
    """The model's last reply."""
    code: str
    """The cell to run next: what the reply holds of it, until somebody edits it."""
    pending: int
    """Prompts of the call at which the cell is suspended; 0 when it is not."""
    answers: Growing
    """`[index, value, error]` for each answered prompt of that call."""
    asked: Growing
    """Records of the prompts that this cell has asked, for the trajectory."""
    limit: list[Any] | None
    """`[name, used, allowed]` once a limit is reached: the next turn is the last."""
    position: Position | None
    told: str
    """The context that the history speaks of, by its name."""
    variables: list[list[Any]]
    """`[name, type, size]` of what the last finished cell left, where a checkpointer keeps it."""
    cell_end: bytes
    """The REPL at the end of the last finished cell. Written where a checkpointer keeps it."""
    suspension: bytes
    """The REPL where the cell is suspended, likewise."""
    printed: list[Any]
    """What the suspended cell had printed: first characters, last characters, how many there were."""


class SubcallInput(TypedDict):
    """One prompt for a model or a child RLM: the argument of a `Send`."""

    index: int
    kind: Literal["llm", "rlm"]
    prompt: str
    context: str | None
