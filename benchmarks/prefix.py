"""How much of what a run sends is what it sent before: what providers' prompt caches can take at a discount."""

from __future__ import annotations

from itertools import pairwise

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.utils import count_tokens_approximately
from langchain_core.outputs import ChatResult
from pydantic import PrivateAttr

from benchmarks.fakes import ScriptedModel
from benchmarks.overhead import Figure
from langgraph_rlm import create_rlm

STEPS = 20
LINE = "2026-03-{:02d} 12:00:00 INFO service-{} request {} took {} ms, status 200\n"
TEXT = "".join(LINE.format(i % 28 + 1, i % 7, i, i * 37 % 900) for i in range(20_000))
SHOWN = 3
"""Lines of the text that each step prints."""
CELL = """\
lines = [line for line in P.splitlines() if 'service-{0} ' in line and line.startswith('2026-03-{1:02d}')]
slow_{0} = [line for line in lines if int(line.split(' took ')[1].split(' ')[0]) > 800]
print(len(lines), len(slow_{0}))
print('\\n'.join(slow_{0}[:{2}]))"""
"""A step as models write them: search, keep, print the number found and some of the lines."""


class Recording(ScriptedModel):
    """Writes a step at each turn, and the answer at the last; keeps what it was sent."""

    _sent: list[list[BaseMessage]] = PrivateAttr(default_factory=list)

    def _result(self, messages: list[BaseMessage]) -> ChatResult:
        self._sent.append(messages)
        step = sum(isinstance(message, AIMessage) for message in messages)
        self.cell = "Final = len(slow_1)" if step == STEPS - 1 else CELL.format(step % 7, step + 1, SHOWN)
        return super()._result(messages)


def shared(sent: list[list[BaseMessage]]) -> float:
    """Share of the tokens (about four characters each) of all prompts but the first that begin the prompt before."""
    repeated = total = 0
    for before, after in pairwise(sent):
        same = [m for m, n in zip(before, after, strict=False) if (m.type, m.content) == (n.type, n.content)]
        assert len(same) == len(before), "a prompt does not begin with the one before it"
        repeated += count_tokens_approximately(same)
        total += count_tokens_approximately(after)
    return repeated / total


async def prefix() -> list[Figure]:
    model = Recording(cell="")
    await create_rlm(model).ainvoke({"query": "How many requests of service-1 took over 800 ms?", "context": TEXT})
    note = "each prompt begins with all of the one before; the rest is the new code and its output"
    share = 100 * shared(model._sent)
    return [Figure(f"prompt tokens that repeat the prompt before, {STEPS} steps", share, "≥ 95", "%", note)]
