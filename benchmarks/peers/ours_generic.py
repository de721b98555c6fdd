"""langgraph-rlm, with a model that it asks by an HTTP client of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from benchmarks.peers.ours import LACKS, PACKAGE, reply
from benchmarks.peers.works import Work

__all__ = ["LACKS", "NAME", "PACKAGE", "prepare", "reply"]
NAME = "langgraph-rlm with `GenericChatModel`"


def prepare(url: str, model: str, work: Work) -> Callable[[], object]:
    from langgraph_rlm import GenericChatModel, Limits, create_rlm

    asked = GenericChatModel.openai(url, model)
    rlm = create_rlm(asked, limits=Limits(max_subcalls=10_000), max_concurrency=work.concurrency)
    return lambda: asyncio.run(rlm.ainvoke({"query": "What is it?", "context": work.text}))
