"""`pyrlm-runtime`: its default REPL (`exec` in the process), with parallel sub-calls.

It keeps every answer in a file and answers from there; each run has a folder of its own. A tree has no bound as a
whole: ten children with ten calls each are 100 in flight.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable

from benchmarks.peers.works import Work

NAME = PACKAGE = "pyrlm-runtime"
LACKS = {"pool": "its REPL has no threads"}


def reply(code: str, child: str) -> str:
    code = re.sub(r"rlm_query_batched\((.*)\)\)", r"llm_batch([f'Question: {p}\\nSnippet:\\n{p}' for p in \1]))", code)
    code = re.sub(r"\bllm_query_batched\b", "llm_batch", code)
    code = re.sub(r"\bcontext\b", "P", code)
    is_last = code.splitlines()[-1].startswith("Final = ")
    return f"```repl\n{code}\n```" + "\nFINAL_VAR: Final" * is_last


def prepare(url: str, model: str, work: Work) -> Callable[[], object]:
    from pyrlm_runtime import RLM, Context, Policy
    from pyrlm_runtime.adapters import GenericChatAdapter

    root, leaf = (GenericChatAdapter(base_url=url, model=name, api_key="none") for name in (model, "leaf"))
    folder = tempfile.TemporaryDirectory()
    rlm = RLM(
        adapter=root,
        subcall_adapter=leaf,
        policy=Policy(max_subcalls=10_000),
        cache_dir=folder.name,
        auto_finalize_var="Final",
        parallel_subcalls=True,
        recursive_subcalls=bool(work.child),
        max_concurrent_subcalls=10 if work.child else work.concurrency,
    )

    def run() -> object:
        answer = rlm.run("What is it?", Context.from_text(work.text))
        folder.cleanup()
        return answer

    return run
