"""How models write code and end a run: three dialects, each a value with one file.

A dialect words what the model is told and reads what it says. It must not know what becomes of either.
"""

from __future__ import annotations

from langchain_core.language_models import BaseChatModel

from langgraph_rlm.conversation.dialects.answer import Answer
from langgraph_rlm.conversation.dialects.dialect import Dialect
from langgraph_rlm.conversation.dialects.final import Final
from langgraph_rlm.conversation.dialects.final_text import FinalText
from langgraph_rlm.conversation.voices import voice_for
from langgraph_rlm.settings import DialectName, VoiceName


def dialect_for(model: BaseChatModel, name: DialectName, voice: VoiceName) -> Dialect:
    """The dialect of that name as a model is spoken to in it. Those that models were trained on have one voice each."""
    match name:
        case "answer":
            return Answer()
        case "final-text":
            return FinalText()
    return Final(voice_for(model, voice))
