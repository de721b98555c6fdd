"""Threads that an earlier version has stored: what they have goes by the names that it has now.

What is stored stays as it is: names are changed where a checkpoint is read, and what finished tasks have written since.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple, DeltaChannelHistory
from langgraph.graph.state import CompiledStateGraph

CHANNELS = {"position": "repl_ref", "told": "shown_context", "asked": "subcall_records"}
"""Names of channels up to 0.1.0."""
QUESTION = {"asked": "query", "chosen": "profile"}
"""What the channel `question` has."""
OURS = {"context", "branch:to:route"}
"""Channels of each checkpoint of an RLM, and together of no other graph's: tools have checkpoints, too."""


class RLMGraph(CompiledStateGraph[Any, Any, Any, Any]):
    """The compiled graph of one depth, which goes on with threads of earlier versions."""

    def _resolve_checkpointer(self, config: RunnableConfig) -> BaseCheckpointSaver[Any] | None:
        saver: BaseCheckpointSaver[Any] | None = super()._resolve_checkpointer(config)
        if saver is None or isinstance(saver, EarlierThreads):  # a child has its parent's
            return saver
        return EarlierThreads(saver)


class EarlierThreads(BaseCheckpointSaver[Any]):
    """A checkpointer that gives threads of earlier versions under the names of this one. All else is the `saver`'s."""

    def __init__(self, saver: BaseCheckpointSaver[Any]) -> None:
        self._saver = saver

    def __getattribute__(self, name: str) -> Any:
        if name in _OWN:
            return object.__getattribute__(self, name)
        return getattr(object.__getattribute__(self, "_saver"), name)

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        found = self._saver.get_tuple(config)
        return found and _renamed(found)

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        found = await self._saver.aget_tuple(config)
        return found and _renamed(found)

    def list(self, config: RunnableConfig | None, **options: Any) -> Iterator[CheckpointTuple]:
        return map(_renamed, self._saver.list(config, **options))

    async def alist(self, config: RunnableConfig | None, **options: Any) -> AsyncIterator[CheckpointTuple]:
        async for found in self._saver.alist(config, **options):
            yield _renamed(found)

    def get_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        history = self._saver.get_delta_channel_history(config=config, channels=_with_earlier(channels))
        return _joined(history, channels)

    async def aget_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        history = await self._saver.aget_delta_channel_history(config=config, channels=_with_earlier(channels))
        return _joined(history, channels)


_OWN = {"_saver", *(name for name in vars(EarlierThreads) if not name.startswith("__"))}


def _renamed(found: CheckpointTuple) -> CheckpointTuple:
    checkpoint = found.checkpoint
    if not checkpoint["channel_versions"].keys() >= OURS:
        return found
    return found._replace(
        checkpoint={
            **checkpoint,
            "channel_values": {
                CHANNELS.get(name, name): _value(name, value) for name, value in checkpoint["channel_values"].items()
            },
            "channel_versions": _with_names(checkpoint["channel_versions"], CHANNELS),
            "versions_seen": {
                node: _with_names(versions, CHANNELS) for node, versions in checkpoint["versions_seen"].items()
            },
        },
        pending_writes=[
            (task, CHANNELS.get(name, name), _value(name, value)) for task, name, value in found.pending_writes or ()
        ],
    )


def _value(channel: str, value: Any) -> Any:
    return _with_names(value, QUESTION) if channel == "question" and isinstance(value, dict) else value


def _with_names(values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(name, name): value for name, value in values.items()}


def _with_earlier(channels: Sequence[str]) -> Sequence[str]:
    return [*channels, *(earlier for earlier, name in CHANNELS.items() if name in channels)]


def _joined(history: Mapping[str, DeltaChannelHistory], channels: Sequence[str]) -> dict[str, DeltaChannelHistory]:
    """What was written under the earlier name comes before what was written since."""
    joined = {channel: history[channel] for channel in channels}
    for earlier, name in CHANNELS.items():
        if name in joined and "seed" not in joined[name]:
            before = history[earlier]
            joined[name] = {**before, "writes": [*before["writes"], *joined[name]["writes"]]}
    return joined
