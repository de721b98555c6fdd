"""Asking a model for an answer that satisfies a JSON schema, with corrections where it does not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage

from langgraph_rlm.answers.schema import AnswerSchema, Unfit
from langgraph_rlm.asking.ledger import NOTHING_SPENT, Usage
from langgraph_rlm.asking.messages import alternating
from langgraph_rlm.asking.model_calls import CallModel, add_usages
from langgraph_rlm.asking.replies import ModelReply
from langgraph_rlm.effects import Steps
from langgraph_rlm.errors import CutOff, RLMError

REPAIRS = 2
"""How often a model may correct a reply that does not satisfy the schema."""


def with_schema(messages: Sequence[AnyMessage], answer_schema: AnswerSchema) -> list[AnyMessage]:
    """The messages to a model whose answer has to satisfy a schema."""
    how = f"Reply with JSON and nothing else. It has to satisfy this JSON schema:\n{json.dumps(answer_schema.schema)}"
    return alternating([SystemMessage(how), *messages])


def ask_typed(ask: CallModel, answer_schema: AnswerSchema) -> Steps[tuple[Any, Usage]]:
    """A model's answer that satisfies a schema, corrected at most `REPAIRS` times, and what all of it used.

    Raises `Unfit`, and what `ask` does; what was used until then is on the error.
    """
    messages, usage = list(ask.messages), Usage()
    failed: RLMError
    for _ in range(REPAIRS + 1):
        try:
            replied: ModelReply = yield replace(ask, messages=with_schema(messages, answer_schema))
            usage = add_usages(usage, replied.usage)
            return answer_schema.read(replied.whole), usage
        except Unfit as unfit:
            failed = Unfit(f"the reply does not satisfy the schema, after {REPAIRS} corrections: {unfit}")
            errors = f"That does not satisfy the schema:\n{unfit}\nReply with the corrected JSON and nothing else."
        except CutOff as cut:
            if not (replied.cut and replied.cut.is_too_long):
                cut.rlm_spent = {**NOTHING_SPENT, "usage": usage}  # type: ignore[attr-defined]
                raise
            failed, errors = cut, f"That {replied.cut.what}. Reply with shorter JSON and nothing else."
        except Exception as failure:
            failure.rlm_spent = {**NOTHING_SPENT, "usage": usage}  # type: ignore[attr-defined]
            raise
        messages += [AIMessage(replied.text)] * bool(replied.text.strip()) + [HumanMessage(errors)]
    failed.rlm_spent = {**NOTHING_SPENT, "usage": usage}  # type: ignore[attr-defined]
    raise failed
