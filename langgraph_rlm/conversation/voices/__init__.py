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
_HERE = ("langchain_ollama.", "langchain_huggingface.", "langchain_community.chat_models.llamacpp.")
"""Where the classes of models are that run on the user's own machine, as a rule."""

_VOICES: dict[str, Voice] = {"large": Large(), "small": Small()}


def voice_for(model: BaseChatModel, name: VoiceName) -> Voice:
    """The voice of that name; "auto": by the model's window, or where nobody knows it, by where the model runs."""
    return _VOICES.get(name) or _VOICES["large" if _is_large(model) else "small"]


def _is_large(model: BaseChatModel) -> bool:
    inside = getattr(model, "inside", ())  # of a Runnable in the place of a model
    if inside:
        return all(map(_is_large, inside))
    window = window_of(model) or getattr(model, "num_ctx", None)  # Ollama's
    if isinstance(window, int) and window > 0:
        return window >= LARGE_WINDOW
    return not any(f"{kind.__module__}.".startswith(_HERE) for kind in type(model).__mro__)
