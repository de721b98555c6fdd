"""A proxy that counts what goes through it, and holds it up as a network does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

Connect = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


@dataclass
class Proxy:
    """`sent` and `received`: bytes, as who asks sees them."""

    port: int = 0
    sent: int = 0
    received: int = 0


@asynccontextmanager
async def proxy(connect: Connect, latency: float = 0.0) -> AsyncIterator[Proxy]:
    """A proxy for the block; `connect` opens a connection to what is behind it. `latency`: seconds, there and back."""
    through, tasks = Proxy(), set[asyncio.Task[None]]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind_reader, behind_writer = await connect()

        def sent(amount: int) -> None:
            through.sent += amount

        def received(amount: int) -> None:
            through.received += amount

        for one in (_pass(reader, behind_writer, latency, sent), _pass(behind_reader, writer, 0.0, received)):
            task = asyncio.create_task(one)
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    through.port = server.sockets[0].getsockname()[1]
    try:
        yield through
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pass(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, latency: float, count: Callable[[int], None]
) -> None:
    try:
        while data := await reader.read(65_536):
            count(len(data))
            if latency:
                await asyncio.sleep(latency)
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass  # who asked is gone
    finally:
        writer.close()
