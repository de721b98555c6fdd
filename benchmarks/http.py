"""The whole over HTTP: a model that is named by a string, and a server that speaks OpenAI's chat completions."""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import time
from typing import Any
from unittest import mock

from langchain_core.messages import AIMessage, HumanMessage
from langchain_openai import ChatOpenAI

from benchmarks.overhead import TEXT, Figure, seconds
from benchmarks.server import serving
from langgraph_rlm import Limits, create_rlm
from langgraph_rlm.models import resolve_model
from langgraph_rlm.models.clients import aconnected, openai_clients

LATENCY = 0.2
CALLS, AT_ONCE, ROUNDS = 150, 50, 20


async def over_http() -> list[Figure]:
    cell = "```repl\nFinal = len(llm_batch(['?'] * 1000))\n```"
    with serving(LATENCY, {"scripted": [cell]}) as server:
        environ = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "none"}
        with mock.patch.dict(os.environ, environ):
            rlm = create_rlm("openai:scripted", limits=Limits(max_subcalls=10_000), max_concurrency=100)
        taken = await seconds(lambda: rlm.ainvoke({"query": "?", "context": TEXT}), repeats=3)
    return [Figure("1,000 prompts of 200 ms at concurrency 100, over HTTP", taken / (10 * LATENCY), "≤ 1.3", "× ideal")]


async def completions() -> list[Figure]:
    """Processor time of a call of a model that is named, beside LangChain's own with the same connections, in turns."""
    with serving(0.0, {}) as server:
        with mock.patch.dict(os.environ, {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "none"}):
            own, named = ChatOpenAI(model="leaf", max_retries=0, **openai_clients()), resolve_model("openai:leaf")
        async with aconnected([own, named]):
            talk = [kind("a" * 300) for _ in range(6) for kind in (AIMessage, HumanMessage)]
            return [await _beside(own, named, messages) for messages in ([HumanMessage("?")], talk)]


async def _beside(own: Any, named: Any, messages: list[Any]) -> Figure:
    taken: dict[Any, list[float]] = {own.ainvoke: [], named.ainvoke: []}
    for _ in range(ROUNDS):
        for ask in random.sample([*taken], 2):
            begun, calls = time.process_time(), iter(range(CALLS))

            async def ask_on(ask: Any = ask, calls: Any = calls) -> None:
                for _ in calls:
                    await ask(messages)

            await asyncio.gather(*(ask_on() for _ in range(AT_ONCE)))
            taken[ask].append((time.process_time() - begun) / CALLS * 1e3)
    of_own, of_named = taken.values()
    times = statistics.median(less / more for more, less in zip(of_own, of_named, strict=True))
    work = f"a call over HTTP with {len(messages)} messages, processor time"
    return Figure(work, times, "", "× ChatOpenAI", f"which takes {statistics.median(of_own):.2f} ms")
