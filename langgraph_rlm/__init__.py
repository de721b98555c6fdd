"""Recursive Language Models as LangGraph graphs.

A name is imported when it is first asked for. Whatever is imported of the package begins here, the command line too,
whose `--help` and completion need neither LangGraph nor LangChain.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langgraph_rlm.apps.offload import OffloadMiddleware
    from langgraph_rlm.apps.tool import as_tool
    from langgraph_rlm.context import Context
    from langgraph_rlm.create import create_rlm
    from langgraph_rlm.errors import (
        ContextError,
        ExtractorError,
        InvalidInput,
        LimitExceeded,
        ModelError,
        RLMError,
        SandboxError,
    )
    from langgraph_rlm.models.generic import GenericChatModel
    from langgraph_rlm.routes.extractors import after, regex
    from langgraph_rlm.routes.outcomes import afeedback, feedback
    from langgraph_rlm.settings import Limits, Router, Sandbox

__all__ = [
    "Context",
    "ContextError",
    "ExtractorError",
    "GenericChatModel",
    "InvalidInput",
    "LimitExceeded",
    "Limits",
    "ModelError",
    "OffloadMiddleware",
    "RLMError",
    "Router",
    "Sandbox",
    "SandboxError",
    "afeedback",
    "after",
    "as_tool",
    "create_rlm",
    "feedback",
    "regex",
]

_NAMES = {
    "apps.offload": ("OffloadMiddleware",),
    "apps.tool": ("as_tool",),
    "context": ("Context",),
    "create": ("create_rlm",),
    "errors": (
        "ContextError",
        "ExtractorError",
        "InvalidInput",
        "LimitExceeded",
        "ModelError",
        "RLMError",
        "SandboxError",
    ),
    "models.generic": ("GenericChatModel",),
    "routes.extractors": ("after", "regex"),
    "routes.outcomes": ("afeedback", "feedback"),
    "settings": ("Limits", "Router", "Sandbox"),
}
"""By the modules that they are in."""
_MODULES = ("apps", "context", "create", "errors", "models", "routes", "settings", "state")
"""Those that can be reached from here without being imported, as if all of the package was."""

if not TYPE_CHECKING:  # which would take any name for one that is here

    def __getattr__(name: str) -> Any:
        for module, names in _NAMES.items():
            if name in names:
                globals()[name] = value = getattr(import_module(f"{__name__}.{module}"), name)
                return value
        if name in _MODULES:
            return import_module(f"{__name__}.{name}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
