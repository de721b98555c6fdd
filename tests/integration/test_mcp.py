"""`langgraph-rlm mcp`, spoken to by the official client, as coding agents do."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.context import RequestContext
from mcp.types import ListRootsResult, Root
from pydantic import FileUrl

from tests.integration.command_line import FINAL, TEXT, Cli, Provider

COUNT = TEXT.count("apple")


@asynccontextmanager
async def client(*arguments: str, roots: Sequence[Path] | None = None) -> AsyncIterator[ClientSession]:
    """A session with a server of its own; `roots` are those that the client allows, None where it does not say."""

    async def list_roots(context: RequestContext[Any, Any]) -> ListRootsResult:
        return ListRootsResult(roots=[Root(uri=FileUrl(root.as_uri())) for root in roots or ()])

    command = ["-m", "langgraph_rlm", "mcp", "-m", "openai:fake", *arguments]
    server = StdioServerParameters(command=sys.executable, args=command, env=dict(os.environ))
    async with (
        stdio_client(server) as (reads, writes),
        ClientSession(reads, writes, list_roots_callback=None if roots is None else list_roots) as session,
    ):
        await session.initialize()
        yield session


async def called(session: ClientSession, name: str, **arguments: Any) -> Any:
    """What a tool gives, or the text of its error."""
    result = await session.call_tool(name, arguments)
    text = "".join(block.text for block in result.content if block.type == "text")
    return text if result.isError else json.loads(text) if name != "runs" else result.structuredContent


async def test_coding_agent_asks_and_asks_on(provider: Provider, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    provider.cells = [FINAL]
    async with client(roots=[tmp_path]) as session:
        tools = {tool.name: tool for tool in (await session.list_tools()).tools}
        assert [*tools] == ["ask", "resume", "runs"]
        assert tools["ask"].inputSchema["required"] == ["question"]
        out = await called(session, "ask", question="How many apples?", paths=["text.txt"], profile="rlm")
        assert (out["answer"], out["status"], out["steps"]) == (COUNT, "answered", 1)
        again = await called(session, "ask", question="And again?", thread=out["thread"], profile="rlm")
        assert (again["answer"], again["thread"]) == (COUNT, out["thread"])
        [run] = (await called(session, "runs"))["result"]
        assert (run["thread"], run["status"], run["question"]) == (out["thread"], "answered", "And again?")
        assert (await called(session, "resume", thread=out["thread"]))["answer"] == COUNT


async def test_without_roots_it_reads_the_folder_that_it_is_given(provider: Provider, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "text.txt").write_text(TEXT)
    provider.cells = [FINAL]
    async with client("--root", str(tmp_path / "docs")) as session:
        out = await called(session, "ask", question="How many?", paths=["."], profile="rlm")
        assert out["answer"] == COUNT
        assert "may be read" in await called(session, "ask", question="How many?", paths=[str(tmp_path)])


OUTSIDE = ("../secret.txt", "/etc/hosts", "link.txt", "folder", "../*.txt", "a/../../secret.txt")
"""By dots, by name, by links that are named themselves."""


async def test_nothing_else_on_the_disk_is_read(provider: Provider, tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (outside / "secret.txt").write_text("secret")
    (inside / "link.txt").symlink_to(tmp_path / "secret.txt")
    (inside / "folder").symlink_to(outside)
    async with client(roots=[inside]) as session:
        for path in OUTSIDE:
            told = await called(session, "ask", question="What?", paths=[path], profile="rlm")
            assert "not in a folder that may be read" in told, path
        assert "is no path" in await called(session, "ask", question="What?", paths=["a\0"])
        assert provider.asked == []
        (inside / "text.txt").write_text(TEXT)
        provider.cells = ["Final = [m['name'] for m in ctx.metadata]"]
        for path in (".", "*.txt", "**/*"):  # links that lead out are none of a folder's files
            out = await called(session, "ask", question="What?", paths=[path], profile="rlm")
            assert [Path(name).name for name in out["answer"]] == ["text.txt"]


async def test_answer_comes_at_once_and_none_is_none(provider: Provider, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    provider.cells = ["print(1)"]
    async with client("--max-steps", "2", roots=[tmp_path / "none", tmp_path]) as session:
        out = await called(session, "ask", question="What?", paths=["text.txt"], profile="rlm")
    assert (out["answer"], out["status"]) == (None, "limit")
    assert out["seconds"] < 9  # it does not wait for the server's own tasks


async def test_threads_of_other_folders_are_not_gone_on_with(provider: Provider, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    (tmp_path / "other").mkdir()
    provider.cells = [FINAL]
    ask = ["ask", "How many?", "-c", str(tmp_path / "text.txt"), "-m", "openai:fake", "--profile", "rlm", "--json"]
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "langgraph_rlm", *ask, stdout=PIPE)
    thread = json.loads((await process.communicate())[0])["thread"]
    async with client(roots=[tmp_path]) as session:
        [run] = (await called(session, "runs"))["result"]
        assert run["thread"] == thread
    async with client(roots=[tmp_path / "other"]) as session:
        assert (await called(session, "runs"))["result"] == []
        assert "other folders" in await called(session, "ask", question="?", thread=thread)
        assert "other folders" in await called(session, "resume", thread=thread)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"question": " ", "paths": ["text.txt"]}, "question is empty"),
    ({"question": "?"}, "no paths"),
    ({"question": "?", "paths": ["none.txt"]}, "none.txt"),
    ({"question": "?", "paths": ["text.txt"], "thread": "zz"}, "no thread"),
    ({"question": "?", "paths": ["text.txt"], "profile": "fastest"}, "profile"),
]


async def test_what_cannot_be_asked_is_told(provider: Provider, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    async with client(roots=[tmp_path]) as session:
        for arguments, told in BAD:
            assert told in await called(session, "ask", **arguments)
    assert provider.asked == []


async def test_agent_is_told_how_far_a_run_is(provider: Provider, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    provider.cells = ["Final = [llm_query(str(i)) for i in range(3)]"]
    provider.answer = lambda prompt: time.sleep(1.2) or "yes"  # type: ignore[func-returns-value]
    told: list[str | None] = []

    async def report(progress: float, total: float | None, message: str | None) -> None:
        told.append(message)

    async with client(roots=[tmp_path]) as session:
        arguments = {"question": "How?", "paths": ["text.txt"], "profile": "rlm"}
        await session.call_tool("ask", arguments, progress_callback=report)
    assert told
    assert all("sub-calls" in message for message in told if message)


async def test_run_of_a_server_that_was_killed_goes_on(provider: Provider, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    provider.cells = ["Final = [llm_query(f'{i}') for i in range(4)]"]
    pids = list[int]()

    def answer(prompt: str) -> str:
        if prompt == "2" and not pids:
            pids.append(0)
            for pid in map(int, filter(str.isdecimal, os.listdir("/proc"))):
                try:
                    command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                except OSError:
                    continue
                if (
                    b"mcp" in command
                    and str(os.getpid()) == Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
                ):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.5)
        return f"re {prompt}"

    provider.answer = answer
    with pytest.raises(BaseException):  # noqa: B017, PT011 - whatever a client says of a server that is gone
        async with client(roots=[tmp_path]) as session:
            await asyncio.wait_for(called(session, "ask", question="?", paths=["text.txt"], profile="rlm"), 20)
    async with client(roots=[tmp_path]) as session:
        [run] = (await called(session, "runs"))["result"]
        assert run["status"] == "interrupted"
        out = await called(session, "resume", thread=run["thread"])
    assert out["answer"] == [f"re {i}" for i in range(4)]


async def test_it_serves_over_http_on_this_machine(provider: Provider, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    provider.cells = [FINAL]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [
        sys.executable,
        "-m",
        "langgraph_rlm",
        "mcp",
        "-m",
        "openai:fake",
        "--http",
        port,
        "--root",
        str(tmp_path),
    ]
    server = await asyncio.create_subprocess_exec(*command)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", int(port))) == 0:
                    break
            await asyncio.sleep(0.1)
        async with (
            streamable_http_client(f"http://127.0.0.1:{port}/mcp") as (reads, writes, _),
            ClientSession(reads, writes) as session,
        ):
            await session.initialize()
            out = await called(session, "ask", question="How many?", paths=["text.txt"], profile="rlm")
            assert out["answer"] == COUNT
    finally:
        server.terminate()
        await asyncio.wait_for(server.wait(), 20)


def test_folder_that_is_none_is_told(cli: Cli, state: Path) -> None:
    ended = cli("mcp", "--root", "/no/such/folder")
    assert (ended.status, "no such folder" in ended.err) == (2, True)
