"""Tokens that are not sent: the same tasks with the same answers, with and without what saves them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from unittest import mock

from langchain_core.messages import AIMessage, BaseMessage, SystemMessage
from langchain_core.messages.utils import count_tokens_approximately
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import PrivateAttr

from benchmarks.fakes import ScriptedModel
from langgraph_rlm import Limits, Router, create_rlm
from langgraph_rlm.conversation import sub_answers

INSTRUCTION = (
    "You sort what customers write into one of: late, broken, praise, other. Late is whatever has not come when it "
    "should have, broken whatever does not work or is damaged, praise is thanks without a complaint, and all else is "
    "other. Where two fit, take the one that the customer names first. Reply with that one word, in small letters, "
    "without a full stop and without any explanation."
)
KINDS = {"late": "is late again", "broken": "does not work", "praise": "was great, thanks", "other": "has a question"}
NOTES = [f"Customer {i}: order {i * 7} {list(KINDS.values())[i % 4]}." for i in range(400)]
DISCLAIMER = (
    "This message is confidential and may be legally privileged. If you are not the person whom it is for, please\n"
    "delete it and tell the sender, who may have sent it by mistake. Nothing in it is an offer or binds the sender,\n"
    "unless that is confirmed in writing by somebody who is entitled to do so, under the terms of the company.\n"
)
MAILS = "".join(f"From: customer {i}\n{note}\n{DISCLAIMER}\n" for i, note in enumerate(NOTES))


@dataclass(frozen=True)
class Saved:
    """The tokens of all prompts and replies of a task, about four characters each."""

    task: str
    without: int
    with_it: int


class Reader(ScriptedModel):
    """Writes these cells in turn. Answers a prompt by what stands in it: sorts notes, and reports at length."""

    cells: list[str]
    _tokens: int = PrivateAttr(0)

    def _is_root(self, messages: list[BaseMessage]) -> bool:
        return isinstance(messages[0], SystemMessage) and "```repl" in messages[0].text

    def _result(self, messages: list[BaseMessage]) -> ChatResult:
        if self._is_root(messages):
            text = f"```repl\n{self.cells[sum(isinstance(message, AIMessage) for message in messages)]}\n```"
        else:
            text = self._said(messages[-1].text)
        reply = AIMessage(text)
        self._tokens += count_tokens_approximately([*messages, reply])
        return ChatResult(generations=[ChatGeneration(message=reply)])

    def _said(self, prompt: str) -> str:
        if "Report" in prompt:
            return "\n".join(
                f"{prompt[-20:]}: finding {i}, with what speaks for it and what speaks against it." for i in range(40)
            )
        if "several items" in prompt:
            items = json.loads(prompt.rpartition("\n\n")[2])
            return json.dumps({"answers": [{"item": each["item"], "answer": _kind(each["text"])} for each in items]})
        if "List" in prompt:
            return json.dumps({"items": re.findall(rf"order \d+(?= {KINDS['late']})", prompt)})
        return _kind(prompt.rpartition("\n\n")[2])


def _kind(note: str) -> str:
    return next(kind for kind, words in KINDS.items() if words in note)


async def _measured(cells: list[str]) -> tuple[Any, int]:
    model = Reader(cell="", cells=cells)
    rlm = create_rlm(model, router=Router("rlm"), limits=Limits(max_subcalls=1_000))
    out = await rlm.ainvoke({"query": "What do the customers write?", "context": MAILS})
    return out["answer"], model._tokens


NOTES_OF_P = "[line for line in P.splitlines() if line.startswith('Customer ')]"
EACH = f"Final = llm_batch([{INSTRUCTION!r} + '\\n\\n' + note for note in {NOTES_OF_P}])"
MAPPED = f"Final = llm_map({INSTRUCTION!r}, {NOTES_OF_P})"
AS_IT_IS = """\
items = {"type": "array", "items": {"type": "string"}}
schema = {"type": "object", "properties": {"items": items}, "required": ["items"]}
prompts = ["List the late orders\\n\\n" + chunk for chunk in ctx.chunk(20_000)]
Final = [item for answer in llm_batch(prompts, schema=schema) for item in answer["items"]]"""
COMPACT = AS_IT_IS.replace("+ chunk for", "+ compact(chunk) for")
REPORTS = [
    *(f"report_{i} = llm_query('Report on part {i}')\nprint(report_{i})" for i in range(9)),
    "Final = [len(report_0), report_8[:60]]",
]


async def economy() -> list[Saved]:
    with mock.patch.object(sub_answers, "LONG", 10**9):
        whole = await _measured(REPORTS)
    batch, mapped = await _measured([EACH]), await _measured([MAPPED])
    as_it_is, compact = await _measured([AS_IT_IS]), await _measured([COMPACT])
    return [
        _compared("400 short notes, one instruction: llm_batch, llm_map", batch, mapped),
        _compared("400 mails with a disclaimer each, in chunks: as they are, compact", as_it_is, compact),
        _compared("10 steps that print answers of 3,000 characters: whole, cut", whole, await _measured(REPORTS)),
    ]


def _compared(task: str, without: tuple[Any, int], with_it: tuple[Any, int]) -> Saved:
    assert without[0] == with_it[0], f"{task}: the answers differ"
    return Saved(task, without[1], with_it[1])
