"""The local model itself, answering. It is fetched on first use: 1.1 GB."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import httpx
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage, ToolMessage

from langgraph_rlm.asking.model_calls import is_overflow
from langgraph_rlm.models import model_path, resolve_model
from langgraph_rlm.models.local.server import serve

pytest.importorskip("xllamacpp")
pytestmark = pytest.mark.local_model


@pytest.fixture(scope="module")
def model() -> BaseChatModel:
    return resolve_model("local")


def tokens(message: AIMessage) -> tuple[int, int, int]:
    """Tokens of the prompt, of them cached, and of the answer."""
    usage = message.usage_metadata
    assert usage is not None
    return usage["input_tokens"], usage.get("input_token_details", {}).get("cache_read", 0), usage["output_tokens"]


def ask(model: BaseChatModel, messages: list[AnyMessage]) -> AIMessage:
    answer = model.invoke(messages, max_tokens=24)
    assert isinstance(answer, AIMessage)
    return answer


def test_answers_and_reports_usage_under_its_name(model: BaseChatModel) -> None:
    answer = ask(model, [HumanMessage("What is the capital of France? One word.")])
    assert "Paris" in str(answer.content)
    prompt, _, output = tokens(answer)
    assert 20 < prompt < 60
    assert 0 < output <= 24
    assert answer.response_metadata["model_name"] == "qwen2.5-coder-1.5b-instruct"


def test_second_turn_reads_the_new_tokens_only_also_after_other_calls(model: BaseChatModel) -> None:
    history: list[AnyMessage] = [SystemMessage("You write Python. " * 30), HumanMessage("Count the lines of P.")]
    first = ask(model, history)
    for i in range(3):  # more than there are slots, so the conversation loses its own
        ask(model, [HumanMessage(f"{i} " * 100)])
    second = ask(model, [*history, first, HumanMessage("And the words.")])
    prompt, cached, _ = tokens(second)
    assert prompt - cached < 30 < cached


def test_async_calls_work_in_one_event_loop_after_another(model: BaseChatModel) -> None:
    async def both() -> list[AIMessage]:
        return await asyncio.gather(*(model.ainvoke(f"Say {word}.", max_tokens=8) for word in ("yes", "no")))

    for _ in range(2):
        assert all(answer.content for answer in asyncio.run(both()))


def test_cancelled_call_frees_its_slot(model: BaseChatModel) -> None:
    async def cancelled() -> float:
        calls = [asyncio.create_task(model.ainvoke(f"Write the numbers from {i} to 2000.")) for i in range(4)]
        await asyncio.sleep(1)  # all of them are in the server by now
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        started = time.monotonic()
        await model.ainvoke("Say yes.", max_tokens=8)
        return time.monotonic() - started

    assert asyncio.run(cancelled()) < 20  # one such answer alone takes longer


def test_prompt_beyond_the_context_is_refused_with_its_size(model: BaseChatModel) -> None:
    with pytest.raises(
        Exception, match=r"90\d\d tokens\) exceeds the available context size \(8192 tokens\)"
    ) as raised:
        model.invoke("word " * 9_000)
    assert is_overflow(raised.value)


def count_orders(question: str) -> int:
    """Answers questions about all orders of the shop."""
    return 286


def read_log() -> str:
    """Reads the log of the server."""
    return "12:00 up [The beginning of document 1. To know more of it, call count_orders with a question.]"


HOW_MANY = HumanMessage("How many orders are late?")
CALLED = AIMessage("", tool_calls=[{"name": "count_orders", "args": {"question": "How many are late?"}, "id": "1"}])
READ = AIMessage("", tool_calls=[{"name": "read_log", "args": {}, "id": "1"}])


@pytest.mark.parametrize(
    ("messages", "called"),
    [
        ([HOW_MANY], ["count_orders"]),
        ([HOW_MANY, CALLED, ToolMessage("286", tool_call_id="1")], []),
        ([HOW_MANY, READ, ToolMessage(read_log(), tool_call_id="1")], ["count_orders"]),
        ([HumanMessage("Write a haiku about pears.")], []),
    ],
    ids=["question", "its answer", "a result that names a tool", "no question for a tool"],
)
def test_calls_tools_until_one_has_answered(
    model: BaseChatModel, messages: list[AnyMessage], called: list[str]
) -> None:
    answer = model.bind_tools([count_orders, read_log]).invoke(messages)
    assert [call["name"] for call in answer.tool_calls] == called
    assert called or answer.text
    assert "286" in answer.text or len(messages) != 3 or called


def test_prompt_without_tools_is_that_of_the_models_own_template(model: BaseChatModel) -> None:
    """Which has been measured: the template of this package is for calls of tools alone."""
    address = serve(model_path())
    turns = [("system", "Be brief."), ("user", "One?"), ("assistant", "1"), ("user", "Two?")]
    request = {"messages": [{"role": role, "content": text} for role, text in turns]}
    headers = {"Authorization": f"Bearer {address.key}"}
    prompt = httpx.post(f"{address.url}/apply-template", json=request, headers=headers, trust_env=False).json()[
        "prompt"
    ]
    said = "".join(f"<|im_start|>{role}\n{text}<|im_end|>\n" for role, text in turns)
    assert prompt == f"{said}<|im_start|>assistant\n"


START = """
    import threading, time
    from langgraph_rlm.models import resolve_model
    model = resolve_model("local")
    print(model.openai_api_base, flush=True)
    def write(): model.invoke("Write all numbers from 1 to 2000, one per line.")
    """
AT_ONCE = 10  # seconds; an answer that is cut off would take longer to finish


@pytest.mark.parametrize(
    "then",
    [
        "model.invoke('Say yes.', max_tokens=4); print('end', flush=True)",
        "threading.Thread(target=write, daemon=True).start(); time.sleep(2); print('end', flush=True)",
        "print('end', flush=True); write()",
    ],
    ids=["done", "with a call in flight", "interrupted"],
)
def test_server_goes_quietly_with_the_program(then: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(START) + then],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        port = int(program.stdout.readline().strip().removesuffix("/v1").rsplit(":", 1)[1])
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            pass
        assert program.stdout.readline() == "end\n"
        if then.endswith("write()"):
            time.sleep(2)
            program.send_signal(signal.SIGINT)
        started = time.monotonic()
        program.wait(timeout=60)
        assert time.monotonic() - started < AT_ONCE
        errors = program.stderr.read()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)
    if then.endswith("write()"):
        assert program.returncode == -signal.SIGINT
        assert errors.rstrip().endswith("KeyboardInterrupt")
    else:
        assert program.returncode == 0
        assert "Thread" in then or errors == ""


def test_first_block_of_the_readme_runs_as_pasted() -> None:
    root = Path(__file__).parents[2]
    block = (root / "README.md").read_text().split("```python\n")[1].split("```")[0]
    code = [sys.executable, "-c", block]
    ran = subprocess.run(code, cwd=root / "langgraph_rlm", capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip()
