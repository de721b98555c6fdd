"""langgraph-rlm, with a model that it asks by an HTTP client of its own."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.peers.ours import LACKS, PACKAGE, reply, runs
from benchmarks.peers.works import Work

__all__ = ["LACKS", "NAME", "PACKAGE", "prepare", "reply"]
NAME = "langgraph-rlm with `GenericChatModel`"


def prepare(url: str, model: str, work: Work) -> Callable[[], object]:
    from langgraph_rlm import GenericChatModel

    return runs(GenericChatModel.openai(url, model), work)
