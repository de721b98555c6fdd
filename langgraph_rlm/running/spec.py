"""What an RLM at one depth of the tree is made of. Its nodes are built over this, once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import RunnableConfig
from langgraph.pregel.remote import RemoteGraph

from langgraph_rlm.answers.schema import AnswerSchema
from langgraph_rlm.asking.requests import Request
from langgraph_rlm.asking.tools import Tool
from langgraph_rlm.context.files import clean
from langgraph_rlm.conversation.briefing import Briefing
from langgraph_rlm.conversation.dialects import dialect_for
from langgraph_rlm.conversation.dialects.dialect import Dialect
from langgraph_rlm.conversation.history import window_of
from langgraph_rlm.errors import InvalidInput
from langgraph_rlm.models.wrapped import WrappedModel, is_configurable, models_in, settings_of
from langgraph_rlm.repl.capabilities import Capabilities
from langgraph_rlm.routes.routing import CHARACTERS_PER_TOKEN, COMFORTABLE, Reach
from langgraph_rlm.settings import DialectName, Limits, Router, Sandbox, VoiceName

SystemPrompt = Callable[[str, int], str]
"""Makes the rules of the default ones and the depth."""
PIECE = 20_000
"""Characters of a text that any model reads well at once."""
NO_PARAMETERS = ("name", "cache", "verbose", "callbacks", "tags", "metadata")
"""Fields of a model that decide on no answer."""


@dataclass(frozen=True)
class RLMSpec:
    """The settings of an RLM at `depth` (the root is 0)."""

    depth: int
    model: BaseChatModel
    below: tuple[BaseChatModel, ...]
    """Those that write the code of the RLMs below it, by their depth."""
    sub_model: BaseChatModel
    router: Router
    limits: Limits
    sandbox: Sandbox
    dialect_name: DialectName
    voice: VoiceName
    instructions: str | None
    system_prompt: str | SystemPrompt | None
    """The rules in place of ours, or a function that makes them of ours and the depth."""
    name: str
    lookahead: bool
    """Whether prompts are asked before the code comes to them: not where somebody looks at what is asked."""
    interrupts: bool
    """Whether runs are interrupted at what executes code or asks: nothing can be under way between two steps then."""
    tools: Mapping[str, Tool]
    models: Mapping[str, BaseChatModel]
    """Those that code may choose for a sub-call, by the names it has for them."""
    answer_schema: AnswerSchema | None
    """What the answer has to be."""
    remote: RemoteGraph | None = None
    """Runs the child RLMs on a server: there are none below it here."""

    @property
    def depths(self) -> tuple[RLMSpec, ...]:
        """This one, and those below it, from the top down. What an answer has to be is asked of the root alone."""
        if not self.below:
            return (self,)
        below = replace(self, depth=self.depth + 1, model=self.below[0], below=self.below[1:], answer_schema=None)
        return (self, *below.depths)

    def within(self, depth: int, confirm_above: int | None) -> RLMSpec:
        """The same, with child RLMs down to that depth, and with consent to fan-outs above that size."""
        limits = replace(self.limits, max_depth=depth, confirm_above=confirm_above)
        lookahead = self.lookahead and confirm_above is None
        return replace(self, limits=limits, below=self.below[: max(0, depth - 1)], lookahead=lookahead)

    @property
    def all_models(self) -> tuple[BaseChatModel, ...]:
        """Those that it and the RLMs below it ask."""
        named = (self.model, *self.below, self.sub_model, *self.models.values())
        return tuple(inside for model in named for inside in models_in(model))

    @property
    def subcall_node(self) -> str:
        """The name of the sub-call node: unlike at every depth, since a drawing refuses a nested name twice."""
        return "subcall" if self.depth == 0 else f"subcall_{self.depth}"

    @property
    def has_subcalls(self) -> bool:
        return self.depth < self.limits.max_depth

    @cached_property
    def has_child(self) -> bool:
        """Whether there are child RLMs."""
        return self.depth + 1 < self.limits.max_depth

    def goes_to_child(self, request: Request) -> bool:
        """Whether a child RLM answers. The model that code has chosen for an `llm_query` is asked itself."""
        if not self.has_child or request.kind == "tool":
            return False
        return request.kind == "rlm" or (request.model is None and not self.subcall_reach.has(request.characters))

    def is_plain(self, request: Request) -> bool:
        """Whether one call of a model answers."""
        return request.kind != "tool" and not self.goes_to_child(request)

    @property
    def can_ask(self) -> bool:
        """Whether its code may ask for anything: there are sub-calls, or tools."""
        return self.has_subcalls or bool(self.tools)

    @property
    def reach(self) -> Reach:
        """What one model call answers, of the questions of this RLM."""
        return Reach(self.router.direct_below, self.router.direct_share, window_of(self.model))

    @cached_property
    def subcall_reach(self) -> Reach:
        """What one model call answers, of the prompts of its code."""
        return Reach(self.router.subcall_direct_below + 1, self.router.direct_share, window_of(self.sub_model))

    @property
    def has_profiles(self) -> bool:
        """Whether there are the profiles that are made of sub-calls: a child RLM runs the loop, and nothing else."""
        return self.depth == 0 and self.has_subcalls

    @property
    def confirms_fan_outs(self) -> bool:
        """Whether there are fan-outs that somebody has to agree to."""
        return self.has_subcalls and self.limits.confirm_above is not None

    @cached_property
    def cache_markers(self) -> dict[str, Any]:
        """What tells the provider to keep the conversation's prompts for the next turn, where it has to be told.

        Sub-calls have no prompt to come that begins like theirs, and keeping one costs more than reading it once.
        """
        is_anthropic = all(
            any(kind.__module__.startswith("langchain_anthropic.") for kind in type(model).__mro__)
            for model in models_in(self.model)
        )
        return {"cache_control": {"type": "ephemeral"}} if is_anthropic else {}

    @cached_property
    def capabilities(self) -> Capabilities:
        """What its code may use beyond the text."""
        return Capabilities(
            self.tools, tuple(self.models), self.goes_to_child, self.has_subcalls, self._comfortable_characters
        )

    def _comfortable_characters(self, model: str | None) -> int | None:
        """What a model reads with ease in a sub-call, where its window is known: a quarter of it, in English text.

        No more than half of what goes to a child RLM, since texts grow where they are written as JSON.
        """
        window = window_of(self.model_named(model))
        if window is None:
            return None
        is_asked_itself = model is not None or not self.has_child
        return window if is_asked_itself else min(window, self.subcall_reach.characters // 2)

    def with_model(self, name: str | None) -> RLMSpec:
        """The same, its code written by the model that the parent's code has chosen, if any."""
        return self if name is None else replace(self, model=self.models[name])

    def model_named(self, name: str | None) -> BaseChatModel:
        """Who answers a plain sub-call: the model that the code has chosen, if any."""
        return self.sub_model if name is None else self.models[name]

    def model_identity(self, model: str | None, config: RunnableConfig) -> str:
        """Who asks a plain sub-call, for the cache: nothing but the model decides on its answer, and what may be set of
        it in the config of a run."""
        set_to = settings_of(config) if is_configurable(self.model_named(model)) else ""
        return f"{self.name} {self._identities[model]} {set_to}"

    @cached_property
    def child_identity(self) -> str:
        """Who asks a child RLM, for the cache: all that it is made of."""
        package = version("langgraph-rlm")
        dialect, rules = (self.dialect_name, self.voice), [below.system for below in self.depths[1:]]
        settings = (self.depth, self.router, self.limits, self.sandbox, dialect, rules, package)
        tools = [(tool.signature, tool.description) for tool in self.tools.values()]
        elsewhere = self.remote.assistant_id if self.remote else ""
        return f"{self.name} {elsewhere} {[*map(_identity, self.below)]} {self._identities} {tools} {settings!r}"

    @cached_property
    def _identities(self) -> dict[str | None, str]:
        return {None: _identity(self.sub_model), **{name: _identity(model) for name, model in self.models.items()}}

    @cached_property
    def dialect(self) -> Dialect:
        """How its model is spoken to."""
        return dialect_for(self.model, self.dialect_name, self.voice)

    @cached_property
    def briefing(self) -> Briefing:
        """What it may do, for those who tell it."""
        window = window_of(self.sub_model)
        most = self.router.subcall_direct_below if window is None else int(COMFORTABLE * window * CHARACTERS_PER_TOKEN)
        piece = self._comfortable_characters(None) or PIECE
        return Briefing(self.has_child, self.sandbox, self.capabilities, piece, max(piece, most))

    @cached_property
    def system(self) -> str:
        """The system prompt: the rules, and the instructions of the user."""
        rules = self.dialect.rules(self.briefing)
        match self.system_prompt:
            case None:
                pass
            case str(own):
                rules = own
            case made:
                try:
                    rules = made(rules, self.depth)
                except Exception as failure:
                    raise InvalidInput(f"system_prompt failed at depth {self.depth}: {failure!r}") from failure
                if not isinstance(rules, str) or not rules.strip():
                    raise InvalidInput(f"system_prompt gave {rules!r} at depth {self.depth}: a str is needed.")
        return clean(f"{rules}\n{self.instructions}\n" if self.instructions else rules)


def _identity(model: BaseChatModel) -> str:
    """The model and its parameters: what LangChain's own caches tell models apart by, and its plain fields.

    A model that somebody wrote may leave its parameters out of the former.
    """
    if isinstance(model, WrappedModel):
        return f"{[*map(_identity, model.inside)]} {model.settings}"
    kind = type(model)
    fields = {
        name: value
        for name, value in vars(model).items()
        if name in kind.model_fields and name not in NO_PARAMETERS and _is_plain(value)
    }
    return f"{kind.__module__}.{kind.__qualname__} {model._get_llm_string()} {json.dumps(fields, sort_keys=True)}"


def _is_plain(value: object) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True
