"""The local model as a LangChain chat model."""

from __future__ import annotations

from langchain_core.language_models import BaseChatModel
from pydantic import SecretStr

from langgraph_rlm.errors import ModelError
from langgraph_rlm.models.local.fetch import Progress, model_path
from langgraph_rlm.models.local.server import CONTEXT, NAME, require_xllamacpp, serve

_MAX_OUTPUT = 700  # tokens: a small model that repeats itself ends, and a cell of code fits
_TIMEOUT = 3_600  # seconds: a call also waits for the calls before it, on a slow machine


def local_chat_model(on_progress: Progress | None = None) -> BaseChatModel:
    """Qwen2.5-Coder-1.5B-Instruct, on this machine: fetched once (1.1 GB), then served in this process.

    `on_progress` is called with bytes done and in total while the file is fetched. A call may have 8,192 tokens,
    700 of them the answer. Raises `ModelError` when a package is missing or the file cannot be had.
    """
    require_xllamacpp()
    try:
        from langchain_openai import ChatOpenAI
        from openai import DefaultAsyncHttpxClient, DefaultHttpxClient
    except ImportError as error:
        raise ModelError('The local model needs langchain-openai: pip install "langgraph-rlm[local]".') from error
    address = serve(model_path(on_progress))
    return ChatOpenAI(
        model=NAME,
        base_url=f"{address.url}/v1",
        api_key=SecretStr(address.key),
        temperature=0,
        max_completion_tokens=_MAX_OUTPUT,
        timeout=_TIMEOUT,
        max_retries=0,
        stream_usage=True,
        profile={"max_input_tokens": CONTEXT - _MAX_OUTPUT, "max_output_tokens": _MAX_OUTPUT},
        # A connection kept open belongs to the event loop that opened it, and the next loop fails on it.
        default_headers={"Connection": "close"},
        # A proxy set in the environment is for the network, not for this machine.
        openai_proxy="",
        http_socket_options=(),
        http_client=DefaultHttpxClient(trust_env=False),
        http_async_client=DefaultAsyncHttpxClient(trust_env=False),
    )
