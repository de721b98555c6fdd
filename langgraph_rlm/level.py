"""What an RLM at one depth of the tree is made of. Its nodes are built over this, once."""

from __future__ import annotations

from dataclasses import dataclass

from langchain_core.language_models import BaseChatModel

from langgraph_rlm import prompts
from langgraph_rlm.settings import Limits, Router, Sandbox


@dataclass(frozen=True)
class Level:
    """The settings of an RLM at `depth` (the root is 0)."""

    depth: int
    model: BaseChatModel
    sub_model: BaseChatModel
    router: Router
    limits: Limits
    sandbox: Sandbox
    instructions: str | None

    @property
    def subcall_node(self) -> str:
        """The name of the sub-call node: unlike at every depth, since a drawing refuses a nested name twice."""
        return "subcall" if self.depth == 0 else f"subcall_{self.depth}"

    @property
    def has_subcalls(self) -> bool:
        return self.depth < self.limits.max_depth

    @property
    def system(self) -> str:
        return prompts.system(self.depth, self.limits.max_depth, self.instructions)
