"""The channels of the graph: what users put in and get out, and what the nodes tell each other.

Everything that outlives a superstep is stored by the checkpointer, so everything here is plain built-in types or
LangChain messages. Long lists are `DeltaChannel`s: a checkpoint stores what a step added, not the list again.

Threads are stored under these names, and what a killed run had written as well: a channel keeps its name for good.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from itertools import chain
from typing import Annotated, Any, Literal, NotRequired

from langchain_core.messages import AnyMessage
from langgraph.channels import DeltaChannel, EphemeralValue
from langgraph.graph.message import add_messages
from typing_extensions import TypedDict

from langgraph_rlm.asking.ledger import Usage
from langgraph_rlm.asking.model_calls import add_usages

NEVER = 1_000_000
"""Updates between two full copies of a `DeltaChannel` in a checkpoint: practically none."""
SOMETIMES = 50
"""The same where each update replaces the one before: whoever loads a thread reads all since the last full copy."""


def _append(old: list[Any], added: Sequence[list[Any]]) -> list[Any]:
    return [*old, *chain.from_iterable(added)]


def append_new(old: Sequence[Any], added: Sequence[list[Any]]) -> list[Any]:
    """All of them, each once."""
    new = list(old)
    for item in (item for items in added for item in items):
        if item not in new:
            new.append(item)
    return new


def _keep_last(old: list[Any], written: Sequence[list[Any]]) -> list[Any]:
    return written[-1]


def next_pending(old: Sequence[Any], written: Sequence[list[Any]]) -> list[Any]:
    """The last that was written, where a number stands for the prompt that had it before."""
    pending = list(old)
    for prompts in written:
        pending = [pending[prompt] if isinstance(prompt, int) else prompt for prompt in prompts]
    return pending


def _add_contexts(old: list[Any], written: Sequence[list[Any]]) -> list[Any]:
    """The newest first. `{"only": id}` drops the others."""
    contexts = old
    for item in (item for items in written for item in items):
        if "only" in item:
            contexts = [context for context in contexts if context["id"] == item["only"]]
        else:
            contexts = [item, *(context for context in contexts if context["id"] != item["id"])]
    return contexts


def _add_messages(old: list[AnyMessage], added: Sequence[Any]) -> list[AnyMessage]:
    for messages in added:
        old = add_messages(old, messages)  # type: ignore[assignment, arg-type]
    return old


def _extend_usage(old: Usage, added: Usage) -> Usage:
    return add_usages(old, added)


def _newest(old: Any, new: Any) -> Any:
    return new


def _most(old: float, new: float) -> float:
    return max(old, new)


Growing = Annotated[list[Any], DeltaChannel(_append, list, snapshot_frequency=NEVER)]
Distinct = Annotated[list[Any], DeltaChannel(append_new, list, snapshot_frequency=NEVER)]
Replaced = Annotated[list[Any], DeltaChannel(_keep_last, list, snapshot_frequency=SOMETIMES)]
Pending = Annotated[list[Any], DeltaChannel(next_pending, list, snapshot_frequency=SOMETIMES)]
Contexts = Annotated[list[Any], DeltaChannel(_add_contexts, list, snapshot_frequency=NEVER)]
Messages = Annotated[list[AnyMessage], DeltaChannel(_add_messages, list, snapshot_frequency=NEVER)]


class RLMInput(TypedDict, total=False):
    """What a run takes. `query` and `context`, or `messages`; `profile` for this run only."""

    query: Annotated[str, EphemeralValue(str)]
    context: Contexts
    profile: Annotated[str, EphemeralValue(str)]
    messages: Messages


class ChildInput(RLMInput, total=False):
    """What a child RLM takes: the JSON schema that the code asked for, and the model that it chose, besides."""

    answer_schema: Annotated[dict[str, Any], EphemeralValue(dict)]
    writer: Annotated[str, EphemeralValue(str)]


class RLMOutput(TypedDict, total=False):
    """What a run gives. `usage`, `steps` and `subcalls` are of the whole tree, for this question."""

    answer: Any
    route: Literal["direct", "extract", "rlm"]
    profile: Annotated[str, EphemeralValue(str)]
    status: Literal["answered", "limit"]
    routing: dict[str, Any]
    """What decided on the route, for `Router.explain` and `feedback`."""
    usage: Annotated[Usage, _extend_usage]
    steps: Annotated[int, operator.add]
    subcalls: Annotated[int, operator.add]
    citations: Distinct
    verification: dict[str, Any] | None
    """What came of the checks of the answer, with the profile `verify`: whether it is `verified`, else the `reason`,
    how often it was handed back (`returns`), and the `checks` of the last time."""
    trajectory: Growing
    messages: Messages


class ChildOutput(RLMOutput, total=False):
    """What a child RLM gives: how often tools were called, in the whole tree, besides."""

    tool_calls: Annotated[int, operator.add]


class AsChild(TypedDict):
    """What an RLM is told that runs on a server for another one: what it may spend (as `Limits` has it; the smaller one
    holds), the JSON schema that its code asked for, the model that it chose, how many interrupts were answered."""

    limits: dict[str, Any]
    answer_schema: dict[str, Any] | None
    writer: str | None
    resumed: int


class Question(TypedDict):
    """The question being answered: `asked` is the query, `chosen` the profile, `chat` whether it came as messages.

    The answer has to satisfy the JSON `schema`, if there is one. `model` writes the code, where it was chosen.
    """

    asked: str
    chosen: str
    chat: bool
    schema: NotRequired[dict[str, Any] | None]
    model: NotRequired[str]


class ReplRef(TypedDict):
    """Which REPL goes on: `token` names the live interpreter, `context` the text it is bound to."""

    token: str
    context: str


class RLMState(ChildInput, ChildOutput, total=False):
    """All channels."""

    as_child: Annotated[AsChild | None, _newest]
    in_messages: Annotated[bool, EphemeralValue(bool)]
    """Whether the question came with messages: so does the answer."""
    question: Question
    context_id: str
    """Names the stored context; starts with `messages` where the conversation is the context."""
    history: Growing
    """The model's own conversation (messages), over all questions of the thread."""
    step: int
    """Turns that this RLM's model has had for this question."""
    code: str
    """The cell to run next: what the model's reply holds of it, until somebody edits it."""
    block: int
    """Which block of the latest reply that is, from 1; 0 where it has none, or the model is to be asked."""
    ready: list[Any]
    """`[answer]` where a block of this turn has set it, while those after it run."""
    pending: Pending
    """What the call at which the cell is suspended asks for, in order: `kind`, `prompt`, `context`, what else a
    `Request` has, and `first` where one valid answer is enough; then what is asked `ahead`. What is or was asked ahead
    has an `id` of its own."""
    asking: int
    """How many those are: what streams and traces have in their place."""
    asked: Growing
    """Records of what this cell has asked for, for the trajectory."""
    limit: list[Any] | None
    """`[name, used, allowed]` once a limit is reached: the next turn is the last."""
    seconds: Annotated[float, _most]
    """How long the question has been worked on, when this was written last."""
    position: ReplRef | None
    candidate: list[Any]
    """The answer that is being checked, and what the model is told of the turn that gave it, should it not hold."""
    checks: Growing
    """What the checks of it say: `citation` (its number, or None for all), `verdict`, `reason`."""
    returned: list[int]
    """The steps whose answers were handed back to the model."""
    note: str | None
    """What could not be had again as it was, for the trajectory."""
    told: str
    """The context that the history speaks of, by its name."""
    variables: list[list[Any]]
    """`[name, type, size]` of what the last finished cell left."""
    journal: Growing
    """What the REPL was told, over all questions of the thread: see `repl/journal.py`."""
    cell_end: Replaced
    """A dump of the REPL at the end of a cell, and its place in the journal."""
    suspension: Replaced
    """A dump of the REPL where a cell was suspended, its place in the journal, and what the cell had printed: the first
    characters, the last ones, how many there were."""


class SubcallInput(TypedDict, total=False):
    """What a task answers: the pending prompt of that `index`, the argument of a `Send`; without it, all of them.

    The prompts are in the state, once.
    """

    index: int
    asking: int
