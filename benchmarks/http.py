"""The whole over HTTP: a model that is named by a string, and a server that speaks OpenAI's chat completions."""

from __future__ import annotations

import os
from unittest import mock

from benchmarks.overhead import TEXT, Figure, seconds
from benchmarks.server import serving
from langgraph_rlm import Limits, create_rlm

LATENCY = 0.2


async def over_http() -> list[Figure]:
    cell = "```repl\nFinal = len(llm_batch(['?'] * 1000))\n```"
    with serving(LATENCY, {"scripted": [cell]}) as server:
        environ = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "none"}
        with mock.patch.dict(os.environ, environ):
            rlm = create_rlm("openai:scripted", limits=Limits(max_subcalls=10_000), max_concurrency=100)
        taken = await seconds(lambda: rlm.ainvoke({"query": "?", "context": TEXT}), repeats=3)
    return [Figure("1,000 prompts of 200 ms at concurrency 100, over HTTP", taken / (10 * LATENCY), "≤ 1.3", "× ideal")]
