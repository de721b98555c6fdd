"""What `python -m benchmarks production` measures with."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from functools import partial

import pytest

from benchmarks.production import SCRIPTS, resident, tree
from benchmarks.proxy import proxy
from benchmarks.server import serving


async def test_proxy_counts_what_goes_through_it() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(5)
        writer.write(b"x" * 300_000)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, proxy(partial(asyncio.open_connection, "127.0.0.1", port), latency=0.001) as through:
        reader, writer = await asyncio.open_connection("127.0.0.1", through.port)
        writer.write(b"hello")
        assert len(await reader.read()) == 300_000
        writer.close()
        await writer.wait_closed()
    assert (through.sent, through.received) == (5, 300_000)


def test_memory_of_a_process_counts_whichever_thread_has_started_it() -> None:
    started = []
    over = threading.Event()

    def start() -> None:
        command = [sys.executable, "-c", "text = 'x' * 50_000_000; print(len(text), flush=True); input()"]
        started.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        over.wait()

    thread = threading.Thread(target=start)
    thread.start()
    try:
        while not started:
            thread.join(0.01)
        with started[0] as process:
            assert process.stdout is not None
            process.stdout.readline()
            assert resident()[1] > 50_000_000
            process.kill()
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize(("name", "asked"), [("one-5", 1 + 5), ("tree-wide", 8 + 8 * 32), ("text-0", 1)])
async def test_trees_are_as_large_as_they_say(name: str, asked: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(0.0, SCRIPTS) as provider:
        monkeypatch.setenv("OPENAI_BASE_URL", provider.url)
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        out = await tree(name, None)()
    assert (out["status"], out["subcalls"]) == ("answered", asked)
