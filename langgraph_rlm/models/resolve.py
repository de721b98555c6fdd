"""From what a user names to a chat model, and the choice for a user who names none."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

import httpx
from langchain.chat_models import init_chat_model
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable, RunnableLambda

from langgraph_rlm.errors import InvalidInput, ModelError, RLMError
from langgraph_rlm.models.clients import is_openai, openai_settings
from langgraph_rlm.models.local import local_chat_model
from langgraph_rlm.models.wrapped import wrapped

LOCAL = "local"


@dataclass(frozen=True)
class _Provider:
    """A provider as LangChain names it, and the model taken where only its key is configured."""

    name: str
    package: str
    key: str
    model: str


_PROVIDERS = (
    _Provider("openai", "langchain_openai", "OPENAI_API_KEY", "gpt-6-luna"),
    _Provider("anthropic", "langchain_anthropic", "ANTHROPIC_API_KEY", "claude-sonnet-5-5"),
    _Provider("google_genai", "langchain_google_genai", "GOOGLE_API_KEY", "gemini-3.8-flash"),
    _Provider("mistralai", "langchain_mistralai", "MISTRAL_API_KEY", "mistral-medium-latest"),
    _Provider("deepseek", "langchain_deepseek", "DEEPSEEK_API_KEY", "deepseek-v4-flash"),
    _Provider("openrouter", "langchain_openrouter", "OPENROUTER_API_KEY", "openrouter/auto"),
)
_EXTRAS = {
    "langchain-openai": "openai",
    "langchain-anthropic": "anthropic",
    "langchain-google-genai": "vertexai",
    "langchain-ollama": "ollama",
}
_NEEDS: Mapping[str, Sequence[Sequence[str]]] = {
    **{provider.name: [[provider.key]] for provider in _PROVIDERS},
    "azure_openai": [
        ["AZURE_OPENAI_API_KEY", "AZURE_OPENAI_AD_TOKEN", "OPENAI_API_KEY"],
        ["AZURE_OPENAI_ENDPOINT"],
        ["OPENAI_API_VERSION"],
    ],
}
"""The variables that a provider needs: of each group one."""
_RETRIED_HERE = ("langchain_openai", "langchain_anthropic", "langchain_google_genai")
"""Packages whose clients try again themselves, and whose failures say enough that a run can do so: it knows its limits,
and the two would multiply."""

_OLLAMA_WAIT = 0.3  # seconds, for a server that is on this machine as a rule


Model = BaseChatModel | Runnable[Any, Any] | Callable[[list[BaseMessage]], Any] | str
"""A chat model, a Runnable or a function from messages to a message, or the name of a model."""


def resolve_model(model: Model) -> BaseChatModel:
    """The chat model itself, the Runnable as one, or the one that `"provider:name"` or `"local"` names.

    Strings are those of LangChain's `init_chat_model`, and `"local"`: the embedded model, fetched on first use. A model
    of OpenAI's kind gets a client that serves hundreds of calls at once, from any event loop. Clients do not try again
    themselves. Gemini, on Vertex AI too, is spoken to by `langchain-google-genai`.
    Raises `InvalidInput` for anything else and for unknown names, and `ModelError` with one line that says what to
    install or to set.
    """
    if isinstance(model, Runnable):
        return wrapped(model)
    if callable(model) and not isinstance(model, type):
        return wrapped(RunnableLambda(model))
    name = model.strip() if isinstance(model, str) else ""
    if not name or name.endswith(":"):
        given = repr(model) if isinstance(model, str) else type(model).__name__
        raise InvalidInput(
            f'model must be a LangChain chat model, a Runnable or a name such as "openai:gpt-6-luna", not {given}.'
        )
    if name == LOCAL:
        return local_chat_model()
    try:
        return _made(name)
    except RLMError:
        raise
    except Exception as error:  # every provider package has its own
        raise _remedy(name, error) from error


def default_model_name(environ: Mapping[str, str] = os.environ) -> str:
    """What to use where no model is named: a string for `resolve_model`.

    The first of `LANGGRAPH_RLM_MODEL`, a provider whose key is set and whose package is installed, the first chat
    model of a running Ollama (at `OLLAMA_HOST`, asked for 0.3 seconds), and `"local"`.
    """
    if chosen := environ.get("LANGGRAPH_RLM_MODEL", "").strip():
        return chosen
    for provider in _PROVIDERS:
        if environ.get(provider.key, "").strip() and find_spec(provider.package):
            return f"{provider.name}:{provider.model}"
    if find_spec("langchain_ollama") and (running := _ollama_model(environ.get("OLLAMA_HOST", "").strip())):
        return f"ollama:{running}"
    return LOCAL


def _made(name: str) -> BaseChatModel:
    """The model of that name, with what a run needs of its client."""
    options: dict[str, Any] = {}
    asked = f"google_genai:{name}" if name.startswith("gemini") else name  # LangChain's default changes to that
    if name.startswith("google_vertexai:"):
        asked = name.replace("google_vertexai", "google_genai", 1)
        options = {"vertexai": True, "project": _vertexai_project(name)}
    model: BaseChatModel = init_chat_model(asked, **options)
    if settings := _settings(name, model):
        model = init_chat_model(asked, **options, **settings)
    if is_openai(model):
        from langgraph_rlm.models.completions import with_cheap_completions  # the openai package is there

        return with_cheap_completions(model)
    return model


def _settings(name: str, model: Any) -> dict[str, Any]:
    """What a model like this one is to be made with."""
    settings = openai_settings(model) if is_openai(model) else {}
    if any(kind.__module__.startswith(_RETRIED_HERE) for kind in type(model).__mro__):
        settings["max_retries"] = 0
    if type(model).__name__ == "ChatAnthropic" and not model.anthropic_api_key.get_secret_value():
        raise ModelError(_lacking(name, ["ANTHROPIC_API_KEY"]))  # each call would fail as a lost connection
    if type(model).__name__ == "ChatOllama":  # a connection that it kept would fail in the next event loop
        settings["async_client_kwargs"] = {"headers": {"Connection": "close"}}
    return settings


def _vertexai_project(name: str) -> str | None:
    """The project of the environment, or of the credentials that are found; None where there is a key instead.

    A project that is only found later is left out of the path where the endpoint is one of the user's own.
    """
    project = os.environ.get("GOOGLE_CLOUD_PROJECT", "").strip()
    if not project and any(os.environ.get(key, "").strip() for key in ("GOOGLE_API_KEY", "GEMINI_API_KEY")):
        return None
    import_module("langchain_google_genai")  # what it needs is there with it
    auth = import_module("google.auth")
    try:
        found = auth.default()[1]
    except auth.exceptions.DefaultCredentialsError as error:
        if os.environ.get("GOOGLE_APPLICATION_CREDENTIALS"):  # and the error says what is wrong with them
            raise
        how = "run gcloud auth application-default login, or set GOOGLE_APPLICATION_CREDENTIALS"
        raise ModelError(f"{name} needs credentials: {how}.") from error
    if not (project or found):
        raise ModelError(_lacking(name, ["GOOGLE_CLOUD_PROJECT"]))
    return project or str(found)


def _lacking(name: str, variables: Sequence[str]) -> str:
    what = "a key" if variables[0].endswith("_KEY") and len(variables) == 1 else "settings"
    return f"{name} needs {what}: set {', '.join(variables)}."


def _remedy(name: str, error: Exception) -> RLMError:
    """What keeps the model of that name from being had, as one line that says what to do."""
    said = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, ImportError) and (missing := re.search(r"langchain[-_][\w-]+", said)):
        package = missing[0].replace("_", "-")
        install = f'"langgraph-rlm[{_EXTRAS[package]}]"' if package in _EXTRAS else package
        return ModelError(f"{name} needs a package that is not installed: pip install {install}.")
    if said.startswith(("Unable to infer", "Unsupported")):
        how = f'name it with its provider, such as "openai:gpt-6-luna", or use "{LOCAL}"'
        provider, colon, _ = name.partition(":")
        if colon:
            like_openai = 'a server that speaks like OpenAI is "openai:<model>" with OPENAI_BASE_URL'
            return InvalidInput(f'Unknown provider "{provider}" of "{name}": {how}; {like_openai}.')
        return InvalidInput(f'Unknown model "{name}": {how}.')
    for provider, needs in _NEEDS.items():
        meant = name.startswith(f"{provider}:") or re.search(rf"\b{needs[0][0]}\b", said, re.IGNORECASE)
        lacking = [names[0] for names in needs if not any(os.environ.get(name, "").strip() for name in names)]
        if meant and lacking:
            return ModelError(_lacking(name, lacking))
    return ModelError(f"{name} cannot be used: {said}")


def _ollama_model(host: str) -> str | None:
    """The first model of the Ollama at `host` (as in `OLLAMA_HOST`) that chats, if one answers in time."""
    try:
        parts = urlsplit(host if "://" in host else f"http://{host or '127.0.0.1'}")
        where = (parts.hostname or "127.0.0.1").replace("0.0.0.0", "127.0.0.1")  # it listens everywhere; ask it here
        port = parts.port or 11434
        tags = httpx.get(f"{parts.scheme}://{where}:{port}/api/tags", timeout=_OLLAMA_WAIT, trust_env=False).json()
        for model in tags["models"]:
            if "embed" not in model["name"] and "bert" not in (model.get("details") or {}).get("family", ""):
                return str(model["name"])
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError, AttributeError):
        return None  # not running, or not Ollama
    return None
