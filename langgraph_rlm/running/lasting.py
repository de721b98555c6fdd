"""Threads that go on without their old checkpoints: jobs that clean up keep the newest one of each thread, at most.

The long channels store what each step added, so their values are spread over all checkpoints of a thread. In the one at
the end of a question they are whole. A text that is too long to be copied each time is in the `store`, where there is
one, as well.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from langgraph.channels import DeltaChannel, LastValue
from langgraph.store.base import BaseStore, Item
from langgraph.types import StateSnapshot

from langgraph_rlm.context import Context
from langgraph_rlm.context.digests import context_id_of
from langgraph_rlm.conversation.history import is_whole
from langgraph_rlm.effects import Steps
from langgraph_rlm.errors import ContextError
from langgraph_rlm.state import NEVER

MOST_WHOLE = 200_000
"""Characters of a text that is stored again with each question."""
MOST_DUMPED = 100_000
"""Bytes of a dump of which that is so. Without one, the cells run again."""
TEXTS = ("langgraph_rlm", "texts")
"""Where texts are in a store, by their names: a name is a digest of the text and of what its documents are called."""

_MIDDLE = (
    "The thread's old checkpoints were cleaned up in the middle of a question, and its text, its variables and its "
    "history with them. Start a new thread."
)
_LONG = (
    "The text is not in the thread any more: its old checkpoints were cleaned up. Give the same `context` again: "
    f"variables and history are still there. A text of more than {MOST_WHOLE:,} characters outlives a clean-up in a "
    "`store` (create_rlm(store=…), or that of the app), or where it comes from files."
)

NEEDED: dict[str, Callable[[Any], bool]] = {
    "context": lambda texts: sum(map(_length, texts)) <= MOST_WHOLE,
    "messages": lambda messages: sum(len(message.text) for message in messages) <= MOST_WHOLE,
    "history": lambda _: True,
    "trajectory": lambda _: True,
    "citations": lambda _: True,
    "journal": lambda _: True,
    "cell_end": lambda stored: len(stored[0]) <= MOST_DUMPED,
}
"""The channels that the next question needs, and those that show the last one: and whether a value is short enough."""

_logger = logging.getLogger("langgraph_rlm")


@dataclass
class _Ending:
    """What the channels of one run know of each other: whether the question has ended."""

    is_there: bool = False


class _Status(LastValue[Any]):
    """The status of the question: None until it has ended."""

    __slots__ = ("ending",)
    ending: _Ending

    def from_checkpoint(self, checkpoint: Any) -> Self:
        new = super().from_checkpoint(checkpoint)
        new.ending = self.ending
        return new

    def update(self, values: Any) -> bool:
        is_new = super().update(values)
        if is_new:
            self.ending.is_there = self.value is not None
        return is_new


class _WholeAtEnd(DeltaChannel[Any]):
    """A channel whose checkpoint at the end of a question has all of its value, where that is not too long.

    LangGraph tells channels of the end of a run before it stores the checkpoint, and also where tasks are still to be
    sent. It stores the whole value of one that has had `snapshot_frequency` updates.
    """

    __slots__ = ("ending", "is_short")
    ending: _Ending
    is_short: Callable[[Any], bool]

    def from_checkpoint(self, checkpoint: Any) -> Self:
        new = super().from_checkpoint(checkpoint)
        new.ending, new.is_short = self.ending, self.is_short
        return new

    def finish(self) -> bool:
        becomes_whole = self.ending.is_there and bool(self.value) and self.is_short(self.value)
        if becomes_whole:
            self.snapshot_frequency = 1
        return becomes_whole


def lasting(channels: Mapping[str, Any]) -> dict[str, Any]:
    """The channels of a graph for one run of it, at whose end the thread can do without its older checkpoints."""
    ending = _Ending()
    status = _Status(channels["status"].typ, "status")
    status.ending = ending
    whole = {name: _whole_at_end(channels[name], ending, is_short) for name, is_short in NEEDED.items()}
    return {**channels, **whole, "status": status}


def _whole_at_end(channel: Any, ending: _Ending, is_short: Callable[[Any], bool]) -> _WholeAtEnd:
    new = _WholeAtEnd(channel.reducer, channel.typ, snapshot_frequency=channel.snapshot_frequency)
    new.key, new.ending, new.is_short = channel.key, ending, is_short
    return new


def edited(channels: Mapping[str, Any]) -> dict[str, Any]:
    """The channels of a graph for an edit of its state: the checkpoint of that is whole too."""
    return {
        name: _always_whole(name, channel) if isinstance(channel, DeltaChannel) else channel
        for name, channel in channels.items()
    }


def _always_whole(name: str, channel: Any) -> _AlwaysWhole:
    new = _AlwaysWhole(channel.reducer, channel.typ)
    new.key, new.is_short = name, NEEDED.get(name, lambda _: True)
    return new


class _AlwaysWhole(DeltaChannel[Any]):
    """A channel that is stored whole each time, where its value is not too long."""

    __slots__ = ("is_short",)
    is_short: Callable[[Any], bool]

    def __init__(self, reducer: Any, typ: Any = None, *, snapshot_frequency: int = 1) -> None:
        super().__init__(reducer, typ, snapshot_frequency=1)

    def from_checkpoint(self, checkpoint: Any) -> Self:
        new = super().from_checkpoint(checkpoint)
        new.is_short = self.is_short
        return new

    @property
    def snapshot_frequency(self) -> int:
        """After how many updates it is stored whole: none, and so whether this one updates it or not."""
        return 0 if self.is_available() and self.value and self.is_short(self.value) else NEVER

    @snapshot_frequency.setter
    def snapshot_frequency(self, updates: int) -> None:
        pass


def check_whole(values: Mapping[str, Any]) -> None:
    """Raises `ContextError` where a clean-up has taken a part of the state of a question that is being answered."""
    lacks_text = bool(values.get("context_id")) and not values.get("context") and not values.get("status")
    lacks_rest = bool(values.get("told")) and not is_whole(values["history"])
    if lacks_text or lacks_rest:
        raise ContextError(_MIDDLE)


def with_text(prepared: Any, state: StateSnapshot, store: BaseStore | None) -> Steps[Any]:
    """The input of a question, with the thread's text from the store where a clean-up has taken it.

    Raises:
        ContextError: The text cannot be had.
    """
    values = state.values
    if not isinstance(prepared, dict) or "context" in prepared:
        return prepared
    if _lacks_messages(state):
        raise ContextError(_LONG)
    if values.get("context") or not values.get("context_id"):
        return prepared
    kept = (yield _ReadText(store, values["context_id"])) if store else None
    if kept is None:
        raise ContextError(_LONG)
    return {**prepared, "context": [kept]}


def _lacks_messages(state: StateSnapshot) -> bool:
    """Whether the text is a conversation of which a part is gone: not because somebody has edited the state."""
    newest: Mapping[str, Any] = next(iter(state.values.get("context", ())), {})
    is_edited = (state.metadata or {}).get("source") == "update"
    return len(state.values.get("messages", ())) < newest.get("messages", 0) and not is_edited


def keep_text(prepared: Any, store: BaseStore | None) -> Steps[None]:
    """Keeps the text of an input in the store, where it is too long to be stored with each question."""
    if store is None or not isinstance(prepared, dict):
        return
    for text in prepared.get("context", ()):
        if _length(text) > MOST_WHOLE:
            yield _KeepText(store, text)


def _length(stored: Mapping[str, Any]) -> int:
    return len(stored.get("text", ""))


@dataclass(frozen=True)
class _KeepText:
    """The effect of keeping a text in a store. As JSON in a str: databases refuse some characters in JSON of their own.

    A store that fails costs the text its second copy, and no answer.
    """

    store: BaseStore
    stored: dict[str, Any]

    def run(self) -> None:
        try:
            self.store.put(TEXTS, self.stored["id"], {"json": json.dumps(self.stored)}, index=False)
        except Exception as failure:
            _complain("A long text cannot be kept in the store", failure)

    async def arun(self) -> None:
        try:
            await self.store.aput(TEXTS, self.stored["id"], {"json": json.dumps(self.stored)}, index=False)
        except Exception as failure:
            _complain("A long text cannot be kept in the store", failure)


@dataclass(frozen=True)
class _ReadText:
    """The effect of reading a text from a store. Its result is None where it is not there, or the store failed."""

    store: BaseStore
    name: str

    def run(self) -> dict[str, Any] | None:
        try:
            item = self.store.get(TEXTS, self.name)
        except Exception as failure:
            _complain("A long text cannot be read from the store", failure)
            return None
        return _text_of(item, self.name)

    async def arun(self) -> dict[str, Any] | None:
        try:
            item = await self.store.aget(TEXTS, self.name)
        except Exception as failure:
            _complain("A long text cannot be read from the store", failure)
            return None
        return _text_of(item, self.name)


def _text_of(item: Item | None, name: str) -> dict[str, Any] | None:
    """The text of a store's item. None where it is not what it was."""
    if item is None:
        return None
    try:
        stored: dict[str, Any] = json.loads(item.value["json"])
        text = Context.from_state([stored])
        if context_id_of(text) != name:
            raise ValueError("it is another text than was stored")
    except Exception as failure:
        _complain("A long text in the store cannot be used", failure)
        return None
    return stored


def _complain(what: str, failure: Exception) -> None:
    _logger.warning("%s: %r", what, failure)
