"""LangGraph's private names, each with what it is needed for and what breaks without it.

A release of LangGraph may change them without notice, so they are imported here and nowhere else: ruff's PLC2701 holds
that, and tests/unit/test_langgraph_internals.py what they mean. Where a new release breaks them, mend it here.

What is relied on as much, and cannot be imported:

- The arguments of a compiled graph's class are the attributes of its objects (`create_rlm` and `RLM` copy graphs so,
  as LangGraph does). Without: no graph is made, or a setting of it is lost.
- A key of "configurable" that begins with two underscores is in no checkpoint and no trace. Without: what a run holds
  live (`langgraph_rlm.running.run.RUN`) would be written there.
- A task's child graph is found in the functions of its node, which name it. Without: the levels below the root are
  neither drawn, nor streamed, nor counted when a run goes on.
- LangChain's `BaseChatModel._get_llm_string` tells apart, for the cache of answers, models that have the same class.
  Without: one model would be given the answers of another. And `BaseChatModel._get_ls_params` has the name and the
  provider of a model: without, what is learned of routes is kept by class, and a failure names the class.
"""

from __future__ import annotations

# How LangGraph merges the configs of a call, with that of the node in which it is made. Without: an RLM that is called
# without one would not know of the checkpointer, the durability and the concurrency that its app has set.
from langgraph._internal._config import ensure_config
from langgraph._internal._constants import (
    # The part of a config in which all keys below stand. Without: no node finds its run.
    CONF,
    # The checkpoint that a config asks for, or that a state is of: tells whether the one a run resumes at is the
    # thread's latest, which alone has what its finished tasks wrote. Without: what those had spent is not counted.
    CONFIG_KEY_CHECKPOINT_ID,
    # The checkpoints of the graphs above: tell whether a node that keeps its thread waits in the very step that its app
    # goes on with. Without: it would go on with an old question where it is asked a new one.
    CONFIG_KEY_CHECKPOINT_MAP,
    # The path to a graph from the root: not empty in a node of an app. Without: an RLM in an app would read another's
    # state before it begins.
    CONFIG_KEY_CHECKPOINT_NS,
    # The checkpointer that a graph hands to those in its nodes. Without: in an app the sandbox is never dumped, and
    # a killed run pays twice.
    CONFIG_KEY_CHECKPOINTER,
    # When an app has checkpoints written. Without: one that has asked for "exit" would have one written at each step.
    CONFIG_KEY_DURABILITY,
    # A function that reads a channel which is no input of the node. Without: inputs would have to hold the text,
    # and inputs are traced.
    CONFIG_KEY_READ,
    # Whether the app around a node goes on with a step that was begun. Without: the node would begin its question
    # again, or, where it has to begin, LangGraph would ignore the new one.
    CONFIG_KEY_RESUMING,
    # The run as public functions of LangGraph have it, with the store of the graph or of its app. Without: `auto`
    # learns nothing.
    CONFIG_KEY_RUNTIME,
    # What a task counts, the graphs that it calls among it. Without: an RLM would read another state than it writes.
    CONFIG_KEY_SCRATCHPAD,
    # A function that writes channels beside what the node returns. Without: dumps of the sandbox would have to be
    # returned, and what is returned is traced.
    CONFIG_KEY_SEND,
    # Where a graph's events go. Without: what a child RLM does on a server is seen in no stream.
    CONFIG_KEY_STREAM,
    # The name of a node's task, the same when a killed run goes on. Without: an answer that the run has paid for, and
    # that is in the cache alone, would look as if another run had; and an outcome is stored twice.
    CONFIG_KEY_TASK_ID,
    # Between the parts of a namespace. Without: as for the scratchpad.
    NS_SEP,
)

# How a state that is an object of a class is taken apart. Without: an RLM would be no node of an app with such a state.
from langgraph._internal._fields import get_cached_annotated_keys, get_update_as_tuples

# A node as a sync and an async function, not traced: LangGraph traces the node around it. Without: `RunnableLambda`,
# which puts each input and output into the trace once more.
from langgraph._internal._runnable import RunnableCallable

# What is under the key of that name. Without: as for that.
from langgraph._internal._scratchpad import PregelScratchpad

# The types that a checkpoint may hold, read at each load. Without: a `Context` in an app's state, or in a cache, comes
# with a warning, and as a dict where LANGGRAPH_STRICT_MSGPACK is set.
from langgraph.checkpoint.serde import _msgpack

# The channel that makes a node run in the next step. Without: the input has to go by way of LangGraph's own channel,
# and a long text is stored a second time.
from langgraph.graph.state import _CHANNEL_BRANCH_TO as CHANNEL_BRANCH_TO

__all__ = [
    "CHANNEL_BRANCH_TO",
    "CONF",
    "CONFIG_KEY_CHECKPOINTER",
    "CONFIG_KEY_CHECKPOINT_ID",
    "CONFIG_KEY_CHECKPOINT_MAP",
    "CONFIG_KEY_CHECKPOINT_NS",
    "CONFIG_KEY_DURABILITY",
    "CONFIG_KEY_READ",
    "CONFIG_KEY_RESUMING",
    "CONFIG_KEY_RUNTIME",
    "CONFIG_KEY_SCRATCHPAD",
    "CONFIG_KEY_SEND",
    "CONFIG_KEY_STREAM",
    "CONFIG_KEY_TASK_ID",
    "NS_SEP",
    "PregelScratchpad",
    "RunnableCallable",
    "allow_in_checkpoints",
    "ensure_config",
    "get_cached_annotated_keys",
    "get_update_as_tuples",
]


def allow_in_checkpoints(kind: type) -> None:
    """Has LangGraph's serializer make objects of that type again, as it does those of LangChain."""
    _msgpack.SAFE_MSGPACK_TYPES |= {(kind.__module__, kind.__name__)}
