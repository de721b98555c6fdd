"""How much of what a run sends is what it sent before: what providers' prompt caches can take at a discount."""

from __future__ import annotations

from itertools import pairwise

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.utils import count_tokens_approximately
from langchain_core.outputs import ChatResult
from pydantic import PrivateAttr

from benchmarks.fakes import ScriptedModel
from benchmarks.overhead import Figure
from langgraph_rlm import Limits, create_rlm

STEPS = 20
LINE = "2026-03-{:02d} 12:00:00 INFO service-{} request {} took {} ms, status 200\n"
TEXT = "".join(LINE.format(i % 28 + 1, i % 7, i, i * 37 % 900) for i in range(20_000))
CELL = """\
lines = [line for line in P.splitlines() if 'service-{0} ' in line and line.startswith('2026-03-{1:02d}')]
slow_{0} = [line for line in lines if int(line.split(' took ')[1].split(' ')[0]) > 800]
print(len(lines), len(slow_{0}))
print('\\n'.join(slow_{0}[:{2}]))"""
"""A step as models write them: search, keep, print the number found and some of the lines."""


class Recording(ScriptedModel):
    """Writes a step at each turn that prints `shown` lines of the text, and the answer at the last of `steps` turns;
    keeps what it was sent."""

    cell: str = ""
    shown: int = 3
    steps: int = STEPS
    _sent: list[list[BaseMessage]] = PrivateAttr(default_factory=list)

    def _result(self, messages: list[BaseMessage]) -> ChatResult:
        self._sent.append(messages)
        step = sum(isinstance(message, AIMessage) for message in messages)
        searching = CELL.format(step % 7, step % 28 + 1, self.shown)
        self.cell = "Final = len(slow_1)" if step == self.steps - 1 else searching
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


async def percent(model: Recording) -> float:
    rlm = create_rlm(model, limits=Limits(max_steps=model.steps))
    await rlm.ainvoke({"query": "How many requests of service-1 took over 800 ms?", "context": TEXT})
    assert len(model._sent) == model.steps
    return 100 * shared(model._sent)


async def prefix() -> list[Figure]:
    share = await percent(Recording())
    few, many = await percent(Recording(shown=0)), await percent(Recording(shown=30))
    longer = await percent(Recording(steps=2 * STEPS))
    note = f"each prints 3 lines; with none {few:.1f}, with 30 {many:.1f}; over {2 * STEPS} steps {longer:.1f}"
    return [Figure(f"prompt tokens that repeat the prompt before, {STEPS} steps", share, "≥ 95", "%", note)]
