"""`rlms`, the authors' own: the local REPL (`exec` in the process), whose batches are asynchronous.

A batch has 16 calls in flight, which no setting changes. Children run one by one: in threads
(`max_concurrent_subcalls`) they fail, since each changes the directory of the whole process
(https://github.com/alexzhang13/rlm/issues/180).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from benchmarks.peers.works import Work

NAME = PACKAGE = "rlms"
LACKS: dict[str, str] = {}


def reply(code: str, child: str) -> str:
    code = re.sub(r"rlm_query_batched\((.*)\)\)", rf"rlm_query_batched(\1, model='{child}'))", code)
    code = re.sub(r"^( *)Final = (.*)$", r"\1answer['content'] = \2\n\1answer['ready'] = True", code, flags=re.M)
    return f"```repl\n{code}\n```"


def prepare(url: str, model: str, work: Work) -> Callable[[], object]:
    from rlm import RLM

    rlm = RLM(
        backend="openai",
        backend_kwargs={"model_name": model, "base_url": url, "api_key": "none"},
        max_depth=2,
        max_concurrent_subcalls=1,
    )
    return lambda: rlm.completion(work.text, root_prompt="What is it?")
