"""What the model's code may use beyond the text: sub-calls, tools, other models."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from langgraph_rlm.asking.requests import Call, Request
from langgraph_rlm.asking.tools import Tool


@dataclass(frozen=True)
class Capabilities:
    """What code may use beyond its text: sub-calls, tools by name, and the models that it may choose.

    `goes_to_child` says whether a child RLM answers a request. It has the same tools.
    """

    tools: Mapping[str, Tool] = field(default_factory=dict)
    models: Collection[str] = ()
    goes_to_child: Callable[[Request], bool] = lambda request: False
    has_subcalls: bool = True
    comfortable: Callable[[str | None], int | None] = lambda model: None
    """Characters that the model of that name reads with ease at once; None where nobody knows."""

    def can_answer(self, call: Call) -> bool:
        """Whether there is anybody to answer it."""
        return self.has_subcalls or call.requests[0].kind == "tool"

    def has_side_effects(self, request: Request) -> bool:
        """Whether answering it may change something: it is asked when the code comes to it, and then each time."""
        if request.kind == "tool":
            return not self.tools[request.prompt].is_read_only
        return self.goes_to_child(request) and not all(tool.is_read_only for tool in self.tools.values())


NO_CAPABILITIES = Capabilities()
