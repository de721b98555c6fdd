"""Recursive Language Models as LangGraph graphs."""

from langgraph_rlm.context import Context
from langgraph_rlm.create import create_rlm
from langgraph_rlm.errors import ContextError, InvalidInput, LimitExceeded, ModelError, RLMError, SandboxError
from langgraph_rlm.settings import Limits, Router, Sandbox

__all__ = [
    "Context",
    "ContextError",
    "InvalidInput",
    "LimitExceeded",
    "Limits",
    "ModelError",
    "RLMError",
    "Router",
    "Sandbox",
    "SandboxError",
    "create_rlm",
]
