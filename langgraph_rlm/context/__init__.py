"""The long context of a run: texts, documents or files as one `Context`.

It reads, joins, cuts and finds. It must not know questions, models or the graph: whoever has a `Context` has a text.
"""

from langgraph_rlm.context.context import Context, Skipped
from langgraph_rlm.context.files import Progress

__all__ = ["Context", "Progress", "Skipped"]
