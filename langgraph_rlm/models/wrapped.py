"""A Runnable from messages to a message in the place of a chat model: with fallbacks, retries, settings bound to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.base import RunnableBindingBase
from pydantic import ConfigDict, Field

from langgraph_rlm.errors import InvalidInput

MOST_INSIDE = 100
"""Runnables that are looked at for the models in one."""


class WrappedModel(BaseChatModel):
    """Asks a Runnable. Its window is the smallest of those inside, and its name that of the first of them."""

    runnable: Any
    inside: tuple[BaseChatModel, ...] = Field(default=())
    """The chat models that it may ask, as far as they are known before it is asked."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    def invoke(self, input: Any, config: RunnableConfig | None = None, **options: Any) -> AIMessage:
        return _message(self.runnable.invoke(input, config, **options))

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **options: Any) -> AIMessage:
        return _message(await self.runnable.ainvoke(input, config, **options))

    def _generate(self, messages: list[BaseMessage], *_: Any, **options: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self.invoke(messages, **options))])

    @property
    def _llm_type(self) -> str:
        return self.inside[0]._llm_type if self.inside else type(self.runnable).__name__

    def _get_ls_params(self, stop: list[str] | None = None, **options: Any) -> Any:
        return self.inside[0]._get_ls_params(stop, **options) if self.inside else {}

    @property
    def settings(self) -> list[str]:
        """What is set around the models inside."""
        return [*_settings(self.runnable)]


def wrapped(runnable: Runnable[Any, Any]) -> BaseChatModel:
    """The Runnable as a chat model: it may be one already."""
    if isinstance(runnable, BaseChatModel):
        return runnable
    inside = tuple(part for part in _parts(runnable) if isinstance(part, BaseChatModel))
    windows = [window for model in inside if (window := (model.profile or {}).get("max_input_tokens"))]
    profile = {"max_input_tokens": min(windows)} if windows and len(windows) == len(inside) else None
    name = inside[0].get_name() if inside else None
    return WrappedModel(runnable=runnable, inside=inside, profile=cast(Any, profile), name=name)


def models_in(model: BaseChatModel) -> tuple[BaseChatModel, ...]:
    """The models that are asked where this one is."""
    return model.inside if isinstance(model, WrappedModel) and model.inside else (model,)


def is_configurable(model: BaseChatModel) -> bool:
    """Whether the config of a call may decide on what is asked."""
    return isinstance(model, WrappedModel) and (not model.inside or bool(model.runnable.config_specs))


def _parts(runnable: Any) -> Iterator[Any]:
    """The Runnables in one, and itself."""
    waiting, seen = [runnable], list[Any]()
    while waiting and len(seen) < MOST_INSIDE:
        part = waiting.pop(0)
        if any(part is other for other in seen):
            continue
        seen.append(part)
        yield part
        if not isinstance(part, BaseChatModel):
            waiting += _parts_of(part)


def _parts_of(runnable: Any) -> Iterator[Runnable[Any, Any]]:
    """The Runnables that one is made of."""
    held = vars(runnable) if hasattr(runnable, "__dict__") else {}
    for value in held.values():
        match value:
            case Runnable():
                yield value
            case list() | tuple():
                yield from (item for item in value if isinstance(item, Runnable))
            case dict():
                yield from (item for item in value.values() if isinstance(item, Runnable))


def _settings(runnable: Any) -> Iterator[str]:
    """What is set around the models of a Runnable, in words. A function is told apart by being itself."""
    for part in _parts(runnable):
        if isinstance(part, BaseChatModel):
            continue
        own = {name: value for name, value in vars(part).items() if not isinstance(value, Runnable)}
        if isinstance(part, RunnableBindingBase):
            own = {"kwargs": part.kwargs, "config": part.config.get("configurable")}
        yield f"{type(part).__module__}.{type(part).__qualname__} {own!r}"


def _message(said: Any) -> AIMessage:
    """What a Runnable gave, if it is a message of a model's, or its text."""
    match said:
        case AIMessage():
            return said
        case str():
            return AIMessage(said)
        case {"messages": [*_, AIMessage() as last]}:
            return last
    raise InvalidInput(f"the model gave a {type(said).__name__}: a message is needed, as chat models give it.")


def settings_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """What a config has that may decide on what is asked: plain values, but for LangGraph's own."""
    configurable = config.get("configurable") or {}
    plain = (str, int, float, bool)
    return {
        name: value
        for name, value in sorted(configurable.items())
        if isinstance(value, plain) and not name.startswith(("__", "checkpoint_")) and name != "thread_id"
    }
