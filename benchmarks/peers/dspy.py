"""`dspy.RLM`, with DSPy's `LocalInterpreter` (CPython in a process of its own), whose code may use threads.

A batch has 8 calls in flight, which no setting changes. Children are RLMs that the code makes and calls in threads;
twelve have at most 96 calls in flight. DSPy's default interpreter, Pyodide in Deno, is not measured: it loads a part of
itself from deno.land when it starts.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from benchmarks.peers.works import STEPS, Work

NAME = PACKAGE = "dspy"
LACKS: dict[str, str] = {}
CHILDREN = """\
import dspy
from concurrent.futures import ThreadPoolExecutor
def child(prompt):
    return dspy.RLM('context, query -> answer', max_llm_calls=1000)(context=prompt, query=prompt).answer
def rlm_query_batched(prompts):
    with ThreadPoolExecutor(12) as pool:
        return list(pool.map(child, prompts))
"""


def reply(code: str, child: str) -> str:
    code = re.sub(r"^( *)Final = (.*)$", r"\1SUBMIT(str(\2))", code, flags=re.M)
    code = CHILDREN * ("rlm_query_batched" in code) + code
    return f"[[ ## reasoning ## ]]\nNext.\n\n[[ ## code ## ]]\n```python\n{code}\n```\n\n[[ ## completed ## ]]\n"


def prepare(url: str, model: str, work: Work) -> Callable[[], object]:
    import dspy

    dspy.configure(lm=dspy.LM(f"openai/{model}", api_base=url, api_key="none", cache=False))
    rlm = dspy.RLM(
        "context, query -> answer",
        max_iters=STEPS + 1,
        max_llm_calls=10_000,
        interpreter_factory=dspy.LocalInterpreter,
    )
    return lambda: rlm(context=work.text, query="What is it?")
