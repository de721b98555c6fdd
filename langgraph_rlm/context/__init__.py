"""The long context of a run: texts, documents or files as one `Context`."""

from langgraph_rlm.context.context import Context, Skipped
from langgraph_rlm.context.files import Progress

__all__ = ["Context", "Progress", "Skipped"]
