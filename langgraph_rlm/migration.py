"""Threads that an earlier version has stored: what they have goes by the names that it has now.

Channels are renamed where LangGraph reads a checkpoint, by its own hook for that. What is stored stays as it is. The
hook does not see pending writes: of a process that was killed between the writes of a step and its checkpoint, these
keep their old names.
"""

from __future__ import annotations

from typing import Any

from langgraph.checkpoint.base import Checkpoint
from langgraph.graph.state import CompiledStateGraph

CHANNELS = {"position": "repl_ref", "told": "shown_context"}
"""Names of channels up to 0.1.0."""
DROPPED = "asked"
"""The records of sub-calls of an unfinished cell then: they are not taken over, its answers are in the journal."""
QUESTION = {"asked": "query", "chosen": "profile"}
"""What the channel `question` has."""


class RLMGraph(CompiledStateGraph[Any, Any, Any, Any]):
    """The compiled graph of one depth, which goes on with threads of earlier versions."""

    def _migrate_checkpoint(self, checkpoint: Checkpoint) -> None:
        super()._migrate_checkpoint(checkpoint)
        values = checkpoint["channel_values"]
        for names in (values, checkpoint["channel_versions"], *checkpoint["versions_seen"].values()):
            _rename(names, CHANNELS)
            names.pop(DROPPED, None)  # a version that no node has seen would interrupt the run for ever
        if isinstance(values.get("question"), dict):
            values["question"] = _rename(dict(values["question"]), QUESTION)


def _rename(names: dict[str, Any], renamed: dict[str, str]) -> dict[str, Any]:
    for old, new in renamed.items():
        if old in names:
            names[new] = names.pop(old)
    return names
