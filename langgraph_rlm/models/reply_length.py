"""How a model is told to reply with no more than so many tokens: each provider calls it otherwise."""

from __future__ import annotations

import inspect
from typing import Any

from langchain_core.language_models import BaseChatModel

from langgraph_rlm.models.generic import GenericChatModel
from langgraph_rlm.models.wrapped import WrappedModel

KEYWORDS = ("max_tokens", "max_completion_tokens", "max_output_tokens", "max_new_tokens")
OLLAMA_OPTIONS = (
    *("mirostat", "mirostat_eta", "mirostat_tau", "num_ctx", "num_gpu", "num_thread", "num_predict", "repeat_last_n"),
    *("repeat_penalty", "temperature", "seed", "stop", "tfs_z", "top_k", "top_p"),
)
"""Fields of `ChatOllama` that are sent as `options`: a call that has options of its own has no others."""


def bounded_reply(model: BaseChatModel, max_tokens: int) -> dict[str, Any]:
    """The options of a call of `model` whose reply has no more than `max_tokens`, nor than the model is set to."""
    if isinstance(model, WrappedModel):
        options, *others = [bounded_reply(inside, max_tokens) for inside in model.inside] or [{}]
        return options if options and all(other == options for other in others) else {"max_tokens": max_tokens}
    fields = type(model).model_fields
    if "num_predict" in fields:
        options = {name: getattr(model, name, None) for name in OLLAMA_OPTIONS}
        bound = _smaller(max_tokens, options["num_predict"])
        return {
            "options": {name: value for name, value in options.items() if value is not None} | {"num_predict": bound}
        }
    if isinstance(model, GenericChatModel):
        return _of_generic(model, max_tokens)
    field = next((name for name in KEYWORDS if name in fields), "max_tokens")
    alias = fields[field].alias if field in fields else None
    keyword = alias if alias == "max_completion_tokens" else field  # of OpenAI's; others are aliases of fields alone
    return {keyword: _smaller(max_tokens, getattr(model, field, None))}


def _of_generic(model: GenericChatModel, max_tokens: int) -> dict[str, Any]:
    """As its payload is built: what that does not take cannot be told."""
    parameters = inspect.signature(model.build_payload).parameters.values()
    taken = [parameter.name for parameter in parameters]
    takes_any = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters)
    set_to = {name: value for name, value in (model.model_extra or {}).items() if name in KEYWORDS}
    keyword = next((name for name in KEYWORDS if name in set_to or name in taken), "max_tokens" if takes_any else None)
    return {} if keyword is None else {keyword: _smaller(max_tokens, set_to.get(keyword))}


def _smaller(max_tokens: int, set_to: object) -> int:
    return min(max_tokens, set_to) if isinstance(set_to, int) and set_to > 0 else max_tokens
