"""Models: by name, by what is configured, or the one that comes with the package; and their HTTP clients.

What it gives are LangChain chat models. It must not know what they are asked, nor for whom.
"""

from langgraph_rlm.models.local import local_chat_model, model_path
from langgraph_rlm.models.resolve import default_model_name, resolve_model

__all__ = ["default_model_name", "local_chat_model", "model_path", "resolve_model"]
