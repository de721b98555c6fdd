"""The embedded default: a small model that needs no provider, fetched once and served in this process.

It must not know anything but its file and its server: to the rest of the package it is one more chat model.
"""

from langgraph_rlm.models.local.chat import local_chat_model
from langgraph_rlm.models.local.fetch import ModelFile, Progress, model_path

__all__ = ["ModelFile", "Progress", "local_chat_model", "model_path"]
