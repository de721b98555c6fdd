"""Recursive Language Models as LangGraph graphs."""

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
from langgraph_rlm.models import GenericChatModel
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
    "RLMError",
    "Router",
    "Sandbox",
    "SandboxError",
    "afeedback",
    "after",
    "create_rlm",
    "feedback",
    "regex",
]
