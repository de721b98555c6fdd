"""Whether a run goes on with what its thread has, and where that is."""

from __future__ import annotations

from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.types import Command, StateSnapshot

from langgraph_rlm.langgraph_internals import (
    CONF,
    CONFIG_KEY_CHECKPOINT_ID,
    CONFIG_KEY_CHECKPOINT_MAP,
    CONFIG_KEY_CHECKPOINT_NS,
    CONFIG_KEY_RESUMING,
)
from langgraph_rlm.running.conversations import question_in


def resumes(prepared: Any, config: RunnableConfig) -> bool:
    """Whether the run goes on with a question: asked for, or as the node of a graph that goes on."""
    return prepared is None or isinstance(prepared, Command) or bool(config.get(CONF, {}).get(CONFIG_KEY_RESUMING))


def run_id_of(config: RunnableConfig) -> Any:
    """The id by which a server knows its runs."""
    return config.get("metadata", {}).get("run_id")


def is_tried_again(config: RunnableConfig, state: StateSnapshot) -> bool:
    """Whether a server gives a run that was cut off its input once more: to LangGraph that is to go on with it."""
    run_id = run_id_of(config)
    return run_id is not None and not is_nested(config) and run_id == (state.metadata or {}).get("run_id")


def goes_on(prepared: Any, config: RunnableConfig, state: StateSnapshot) -> bool:
    """Whether a node that keeps its thread goes on with what it has, where the app around it goes on.

    To LangGraph each node of such an app goes on. But this one may have ended, or been left, in an earlier step of it.
    """
    configurable = config[CONF]
    if not configurable.get(CONFIG_KEY_RESUMING) or not state.values:
        return True
    own, above = configurable.get(CONFIG_KEY_CHECKPOINT_NS), configurable.get(CONFIG_KEY_CHECKPOINT_MAP, {})
    if (state.metadata or {}).get("parents", {}) == {ns: checkpoint for ns, checkpoint in above.items() if ns != own}:
        return asks_same(prepared, state)
    if not state.tasks or not isinstance(prepared, dict):  # the app's state was edited while this one waited
        return False
    return asks_same(prepared, state)


def asks_same(prepared: Any, state: StateSnapshot) -> bool:
    """Whether a call asks what its thread was asked, over the same text: a node that runs again may ask otherwise."""
    if not isinstance(prepared, dict) or not state.values:
        return True
    query, had = prepared.get("query") or question_in(prepared["messages"]), state.values.get("context")
    is_same_text = not had or "context" not in prepared or prepared["context"][0]["id"] == had[0]["id"]
    return is_same_text and bool(query == state.values.get("question", {}).get("asked", query))


def latest_unless_named(config: RunnableConfig) -> RunnableConfig:
    """The config of the checkpoint that is asked for: for none LangGraph has None in a node, and takes that for one."""
    return config if config[CONF].get(CONFIG_KEY_CHECKPOINT_ID) else latest(config)


def latest(config: RunnableConfig) -> RunnableConfig:
    """The config of a thread's latest checkpoint, whose state alone has what finished tasks wrote after it."""
    return {**config, CONF: {key: value for key, value in config[CONF].items() if key != CONFIG_KEY_CHECKPOINT_ID}}


def checkpoint_of(state: StateSnapshot) -> Any:
    return state.config[CONF].get(CONFIG_KEY_CHECKPOINT_ID)


def is_nested(config: RunnableConfig) -> bool:
    return bool(config.get(CONF, {}).get(CONFIG_KEY_CHECKPOINT_NS))
