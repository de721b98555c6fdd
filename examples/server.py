"""An RLM behind LangGraph's server: who asks it chooses the model, the profile and the limits, for each run.

Run: pip install 'langgraph-cli[inmem]'; langgraph dev
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any

from langchain_core.messages import BaseMessage
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.pregel.remote import RemoteGraph
from langgraph_sdk.runtime import ServerRuntime
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from langgraph_rlm import InvalidInput, Limits, Router, create_rlm
from langgraph_rlm.routes.profiles import Profile

DEEPEST = 3
MODEL = os.environ.get("RLM_MODEL", "local")
CHILDREN = os.environ.get("RLM_CHILDREN")
"""The URL of a server like this one that runs the child RLMs, with the model that it has."""


class RunContext(BaseModel):
    """What a run may choose: the server shows it as a JSON schema, and Studio as a form."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    model: str = Field(MODEL, description='Writes the code: "provider:name", or "local" for the embedded one.')
    sub_model: str | None = Field(None, description="Answers what the code asks. Default: the model.")
    profile: Profile = Field("auto", description="Which way a question takes.")
    max_steps: int = Field(30, ge=1, description="Cells of code, for each RLM.")
    max_subcalls: int = Field(200, ge=0, description="Prompts that code may ask, over the whole tree.")
    max_depth: int = Field(2, ge=0, le=DEEPEST, description="0: no sub-calls; 1: model calls; 2 and more: child RLMs.")
    max_tokens: int | None = Field(None, ge=1, description="Input plus output, over the whole tree.")
    max_seconds: float | None = Field(None, ge=0, description="Wall time.")
    confirm_above: int | None = Field(None, ge=0, description="Asks a human before more prompts than that.")
    max_concurrency: int = Field(16, ge=1, description="Model calls in flight at once.")

    @property
    def limits(self) -> Limits:
        return Limits(**self.model_dump(exclude={"model", "sub_model", "profile", "max_concurrency"}))


def ask_nobody(messages: list[BaseMessage]) -> Any:
    raise AssertionError("a graph that shows states runs nothing")


shown = create_rlm(ask_nobody, limits=Limits(max_depth=DEEPEST, confirm_above=0), context_schema=RunContext)
"""Shows schemas and states. No model is loaded for that, and a state is shown to whatever depth a run has gone."""


async def graph(runtime: ServerRuntime[RunContext]) -> Any:
    """The graph of a run, made for what its context says; what is wrong with that is said before a model is asked."""
    execution = runtime.execution_runtime
    if execution is None:
        return shown
    return await asyncio.to_thread(rlm_for, checked(execution.context))  # to load a model takes a while


def checked(context: Any) -> RunContext:
    try:
        return RunContext.model_validate(context or {})
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, one['loc']))}={one['input']!r}: {one['msg']}" for one in error.errors()]
        raise InvalidInput(f"context: {'; '.join(wrong)}. Known: {', '.join(RunContext.model_fields)}.") from error


@lru_cache(maxsize=32)
def rlm_for(context: RunContext) -> Any:
    """One graph for all runs of the same context: they share models, connections and the sandbox's processes."""
    return create_rlm(
        context.model,
        sub_model=context.sub_model,
        router=Router(profile=context.profile),
        limits=context.limits,
        child=RemoteGraph("rlm", url=CHILDREN) if CHILDREN and context.max_depth > 1 else None,
        max_concurrency=context.max_concurrency,
        context_schema=RunContext,
    )


@asynccontextmanager
async def checkpointer() -> AsyncIterator[AsyncSqliteSaver]:
    """Keeps the runs in a file, answer by answer: the server's own store loses up to ten seconds at a kill -9."""
    async with AsyncSqliteSaver.from_conn_string("runs.db") as saver:
        yield saver
        await saver.conn.commit()  # what a run had written when the end of the server cancelled it
