"""`rlms`, the authors' own: the local REPL (`exec` in the process), whose batches are asynchronous.

A batch has 16 calls in flight, which no setting changes; six children have at most 96. Children in threads fail with
the local REPL, since it changes the directory of the process (https://github.com/alexzhang13/rlm/issues/180). So a tree
gets the REPL of IPython kernels.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from benchmarks.peers.works import Work

PACKAGE = "rlms"
LACKS: dict[str, str] = {}
IPYTHON = {"environment": "ipython", "environment_kwargs": {"kernel_mode": "subprocess"}, "max_depth": 2}


def reply(code: str, child: str) -> str:
    code = re.sub(r"rlm_query_batched\((.*)\)\)", rf"rlm_query_batched(\1, model='{child}'))", code)
    code = re.sub(r"^( *)Final = (.*)$", r"\1answer['content'] = \2\n\1answer['ready'] = True", code, flags=re.M)
    return f"```repl\n{code}\n```"


def prepare(url: str, model: str, work: Work) -> Callable[[], object]:
    from rlm import RLM

    repl: dict[str, Any] = IPYTHON if work.child else {"environment": "local"}
    rlm = RLM(
        backend="openai",
        backend_kwargs={"model_name": model, "base_url": url, "api_key": "none"},
        max_concurrent_subcalls=6,
        **repl,
    )
    return lambda: rlm.completion(work.text, root_prompt="What is it?")
