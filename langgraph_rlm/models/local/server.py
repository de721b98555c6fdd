"""Serves the local model in this process: started by the first who asks, shared by all, stopped with the program."""

from __future__ import annotations

import atexit
import gc
import secrets
import socket
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from langgraph_rlm.errors import ModelError

NAME = "qwen2.5-coder-1.5b-instruct"

SLOTS = 2
"""Calls answered at the same time; more wait their turn."""

CONTEXT = 8_192
"""Tokens one call may have, prompt and answer together. 28 KB of memory each, for every slot."""

TEMPLATE = Path(__file__).with_name("chat_template.jinja")
"""How a conversation becomes a prompt, calls of tools included."""

_PROMPT_CACHE = 1_024  # MiB for conversations whose slot another call took over: 37,000 tokens


@dataclass(frozen=True)
class Address:
    """Where the server listens (`http://127.0.0.1:…`), and the key it asks for: other users and web pages have none."""

    url: str
    key: str


_lock = threading.Lock()
_address: Address | None = None


def serve(model: Path) -> Address:
    """The OpenAI-compatible server of this process over the GGUF file `model`.

    The first call loads the model, which takes seconds and holds the interpreter; the others return at once.
    Raises `ModelError` when `xllamacpp` is missing or cannot load the file.
    """
    global _address
    with _lock:
        if _address is None:
            _address = _start(model)
        return _address


def require_xllamacpp() -> Any:
    """The module `xllamacpp`, which has no types. Raises `ModelError` with what to install."""
    try:
        import xllamacpp
    except ImportError as error:
        raise ModelError('The local model needs xllamacpp: pip install "langgraph-rlm[local]".') from error
    return xllamacpp


def _start(model: Path) -> Address:
    xllamacpp = require_xllamacpp()
    key = secrets.token_urlsafe()
    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.model_alias = {NAME}
    params.n_parallel = SLOTS
    params.n_ctx = SLOTS * CONTEXT  # divided over the slots
    params.chat_template = TEMPLATE.read_text(encoding="utf-8")
    params.cache_ram_mib = _PROMPT_CACHE
    params.api_keys = [key]
    params.ui = False
    params.verbosity = -1  # nothing, not even errors: the terminal belongs to the program
    try:
        server = xllamacpp.Server(params)
    except RuntimeError as error:
        raise ModelError(f"The local model could not be loaded: delete {model} to fetch it again.") from error
    running = [server]
    del server

    def stop() -> None:
        # The server's destructor waits for the calls that are open, and holds the interpreter while it waits, so
        # nobody could close them: calls of threads that outlive the program are cut off here.
        port = urlsplit(address.url).port
        for connection in gc.get_objects():
            if type(connection) is socket.socket:
                try:
                    if connection.getpeername()[:2] == ("127.0.0.1", port):
                        connection.shutdown(socket.SHUT_RDWR)
                except OSError:  # closed, or never connected
                    pass
        running.clear()

    address = Address(running[0].listening_address, key)
    atexit.register(stop)
    return address
