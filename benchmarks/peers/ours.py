"""langgraph-rlm, with a model that is named by a string."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any
from unittest import mock

from benchmarks.peers.works import Work

NAME = PACKAGE = "langgraph-rlm"
LACKS = {"pool": "the sandbox has no threads"}


def reply(code: str, child: str) -> str:
    return f"```repl\n{code}\n```"


def prepare(url: str, model: str, work: Work) -> Callable[[], object]:
    with mock.patch.dict(os.environ, {"OPENAI_BASE_URL": url}):
        return runs(f"openai:{model}", work)


def runs(model: Any, work: Work) -> Callable[[], object]:
    from langgraph_rlm import Limits, create_rlm

    rlm = create_rlm(model, limits=Limits(max_subcalls=10_000), max_concurrency=work.concurrency)
    return lambda: asyncio.run(rlm.ainvoke({"query": "What is it?", "context": work.text}))
