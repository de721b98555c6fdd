"""How a model is spoken to in the dialect "final": in a voice for large models, or in one for small ones.

A voice is words: what is told before the first turn, and after each cell. It must not know how replies are read.
"""

from __future__ import annotations

from langchain_core.language_models import BaseChatModel

from langgraph_rlm.conversation.history import window_of
from langgraph_rlm.conversation.voices.large import Large
from langgraph_rlm.conversation.voices.small import Small
from langgraph_rlm.conversation.voices.voice import Voice
from langgraph_rlm.settings import VoiceName

LARGE_WINDOW = 32_000
"""Tokens of a window from which on a model is large."""
_HERE = ("langchain_core.", "langchain_community.", "langchain_ollama.", "langchain_huggingface.")
_PROVIDED = ("langchain_", "langgraph_rlm.models.generic")
"""Where the classes of models are that a provider serves, as a rule; not those that run `_HERE`, on the user's own."""

_VOICES: dict[str, Voice] = {"large": Large(), "small": Small()}


def voice_for(model: BaseChatModel, name: VoiceName) -> Voice:
    """The voice of that name; "auto": by the model's window, or where LangChain does not know it, by who serves it."""
    return _VOICES.get(name) or _VOICES["large" if _is_large(model) else "small"]


def _is_large(model: BaseChatModel) -> bool:
    if window := window_of(model):
        return window >= LARGE_WINDOW
    modules = [f"{kind.__module__}." for kind in type(model).__mro__]
    return any(module.startswith(_PROVIDED) and not module.startswith(_HERE) for module in modules)
