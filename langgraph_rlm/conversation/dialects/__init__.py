"""How models write code and end a run: three dialects, each a value with one file.

A dialect words what the model is told and reads what it says. It must not know what becomes of either.
"""

from __future__ import annotations

from langgraph_rlm.conversation.dialects.answer import Answer
from langgraph_rlm.conversation.dialects.dialect import Dialect
from langgraph_rlm.conversation.dialects.final import Final
from langgraph_rlm.conversation.dialects.final_text import FinalText
from langgraph_rlm.settings import checked_dialect

_DIALECTS: dict[str, Dialect] = {dialect.name: dialect for dialect in (Final(), Answer(), FinalText())}


def dialect_named(name: object) -> Dialect:
    """The dialect of that name. `InvalidInput` where there is none."""
    return _DIALECTS[checked_dialect(name)]
