"""`create_rlm`: checks the settings and compiles the graph of each depth into the next."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache, partial
from types import MappingProxyType
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.tools import BaseTool
from langgraph.cache.base import BaseCache
from langgraph.graph.state import CompiledStateGraph
from langgraph.pregel.remote import RemoteGraph
from langgraph.store.base import BaseStore
from langgraph.types import All, Checkpointer

from langgraph_rlm.answers.schema import AnswerSchema
from langgraph_rlm.asking.tools import tools_of
from langgraph_rlm.errors import InvalidInput
from langgraph_rlm.graph import rlm_graph
from langgraph_rlm.models import resolve_model
from langgraph_rlm.models.resolve import Model
from langgraph_rlm.repl.boot import BUILTINS, NAMES, OCCASIONAL
from langgraph_rlm.repl.workers import Workers
from langgraph_rlm.rlm import RLM, interrupts_at
from langgraph_rlm.running.spec import RLMSpec, SystemPrompt
from langgraph_rlm.running.views import UNSEEN
from langgraph_rlm.settings import (
    DialectName,
    Limits,
    Router,
    Sandbox,
    VoiceName,
    check_profile,
    checked_dialect,
    checked_voice,
)


def create_rlm(
    model: Model | Sequence[Model],
    tools: Sequence[BaseTool | Callable[..., Any]] = (),
    *,
    sub_model: Model | None = None,
    models: Mapping[str, Model] = MappingProxyType({}),
    retriever: Any = None,
    child: RemoteGraph | None = None,
    router: Router = Router(),
    limits: Limits = Limits(),
    sandbox: Sandbox = Sandbox(),
    dialect: DialectName = "final",
    voice: VoiceName = "auto",
    instructions: str | None = None,
    system_prompt: str | SystemPrompt | None = None,
    response_format: Any = None,
    max_concurrency: int = 16,
    lookahead: bool = True,
    context_schema: type[Any] | None = None,
    checkpointer: Checkpointer = None,
    store: BaseStore | None = None,
    cache: BaseCache[Any] | None = None,
    interrupt_before: All | Sequence[str] | None = None,
    interrupt_after: All | Sequence[str] | None = None,
    debug: bool = False,
    name: str = "rlm",
) -> CompiledStateGraph[Any, Any, Any, Any]:
    """A Recursive Language Model (Zhang, Kraska, Khattab, arXiv 2512.24601) as a LangGraph graph.

    The graph takes `query` and `context` (a str, a list of str or `Document`s, or a `Context`), or `messages`, and
    optionally `profile`; it gives `answer`, `route`, `profile`, `status`, `usage`, `steps`, `subcalls`, `trajectory`
    and `routing`, from which `Router.explain` tells why it took its route.

    Args:
        model: Writes the code. A chat model, any Runnable from messages to a message (`with_fallbacks`, `with_retry`,
            `bind`, `configurable_fields`, `init_chat_model()`), or `"provider:name"` for LangChain's `init_chat_model`,
            or `"local"`. A sequence has one for each depth, from the root on; the last is for all below it too.
        tools: LangChain tools and functions that the code may call by their names, at every depth. One whose `metadata`
            has `read_only` may be called before the code comes to it.
        sub_model: Answers the prompts of `llm_query` and its kin. Default: the model of the root.
        models: Other models, by the names with which code may choose them: `llm_query(prompt, model=name)`.
        child: Runs the child RLMs on a LangGraph server that has an RLM with the same tools, as that was made there:
            with models and a sandbox of its own. What is left of `limits` holds there too.
        router: Which path a question takes: a profile, or by its size in characters.
        limits: What one question may spend, over the whole tree.
        sandbox: What the model's code may use: seconds, bytes, characters of output.
        dialect: How the model writes code and ends: `"final"`, or as the official implementation has it, `"answer"`
            since May 2026 and `"final-text"` before, for models that were trained so.
        voice: How a model is spoken to in the dialect `"final"`: `"large"` tells what there is, `"small"` is for models
            of few parameters. `"auto"`: small for a window below 32,000 tokens, and for models of unknown window
            that run on this machine (Ollama's, say).
        instructions: Appended to the system prompt.
        system_prompt: A str that replaces the rules of the system prompt, or a function of the default rules and the
            depth (the root is 0) that returns them. The rules tell of the REPL, the models and the tools: a str has to
            do so itself.
        response_format: A Pydantic model, a dataclass, a `TypedDict` or a JSON schema that the answer has to satisfy.
            What `invoke` gives as `answer` is the validated value; the state has it as plain data.
        max_concurrency: Model calls in flight at once, over the whole tree of a run.
        lookahead: Where code asks one prompt after the other, find out those to come, and ask them at the same time.
            Not where somebody looks at each: with `confirm_above`, or with `interrupt_…` at `execute` or `subcall`.
        interrupt_before, interrupt_after: Names of nodes; `"subcall"` means the sub-calls of every depth.
        context_schema, checkpointer, store, cache, debug, name: As for `StateGraph.compile`. With a `store`, the
            profile `auto` learns from what came of earlier runs.

    Raises:
        InvalidInput: A setting cannot be used.
        ModelError: A model cannot be had.
    """
    _check(retriever, models, instructions, system_prompt, max_concurrency)
    _check_kinds(router=(router, Router), limits=(limits, Limits), sandbox=(sandbox, Sandbox))
    _check_stops(interrupt_before=interrupt_before, interrupt_after=interrupt_after)
    check_profile(router.profile, limits)
    interrupts = interrupts_at(interrupt_before, interrupt_after)
    _check_child(child, model, limits)
    writer, *writers_below = _by_depth(model, max(1, limits.max_depth))
    root = RLMSpec(
        depth=0,
        model=writer,
        below=() if child else tuple(writers_below),
        sub_model=writer if sub_model is None else resolve_model(sub_model),
        models={_model_name(name): resolve_model(other) for name, other in models.items()},
        tools=tools_of(tools, [*NAMES, *BUILTINS, *OCCASIONAL, "Final", "past_steps", "plain_question"]),
        router=router,
        limits=limits,
        sandbox=sandbox,
        dialect_name=checked_dialect(dialect),
        voice=checked_voice(voice),
        instructions=instructions,
        system_prompt=system_prompt,
        answer_schema=None if response_format is None else AnswerSchema.of(response_format),
        lookahead=lookahead and limits.confirm_above is None and not interrupts,
        interrupts=interrupts,
        name=name,
        remote=child,
    )
    app = {"checkpointer": checkpointer, "store": store, "cache": cache}
    compiled = partial(_compiled, context_schema, interrupt_before, interrupt_after, debug, app)
    return _variants(root, compiled, max_concurrency)(limits.max_depth, limits.confirm_above)


def _variants(
    root: RLMSpec, compiled: Callable[[RLMSpec], CompiledStateGraph[Any, Any, Any, Any]], max_concurrency: int
) -> Callable[[int, int | None], RLM]:
    """Makes the RLM as deep, and with such a bound of fan-outs, as who calls it as a child grants."""
    workers = Workers(root.sandbox.max_live)

    @lru_cache(maxsize=16)
    def variant(depth: int, confirm_above: int | None) -> RLM:
        spec = root.within(depth, confirm_above)
        return RLM(
            **vars(compiled(spec)),
            rlm_spec=spec,
            rlm_max_concurrency=max_concurrency,
            rlm_workers=workers,
            rlm_variant=variant,
        )

    return variant


def _compiled(
    context_schema: type[Any] | None,
    before: All | Sequence[str] | None,
    after: All | Sequence[str] | None,
    debug: bool,
    app: Mapping[str, Any],
    root: RLMSpec,
) -> CompiledStateGraph[Any, Any, Any, Any]:
    """The graph of the root, each depth compiled into the one above it. What is of the `app` is the root's alone."""
    graph: CompiledStateGraph[Any, Any, Any, Any] | None = None
    for spec in reversed(root.depths):
        _ = spec.system  # a function of the user's may make it: what is wrong with that is told now
        built = rlm_graph(spec, graph, context_schema)
        graph = built.compile(
            interrupt_before=_at(spec, built.nodes, before),
            interrupt_after=_at(spec, built.nodes, after),
            debug=debug,
            name=spec.name,
            **(app if spec is root else {}),
        )
        graph.stream_channels = [channel for channel in graph.stream_channels_list if channel not in UNSEEN]
    assert graph is not None
    return graph


def _check(
    retriever: object, models: object, instructions: object, system_prompt: object, max_concurrency: object
) -> None:
    if retriever is not None:
        raise InvalidInput("retriever is not supported by this version yet: leave it out.")
    if not isinstance(models, Mapping):
        raise InvalidInput("models: a dict is needed, of models by the names that code has for them.")
    if instructions is not None and not isinstance(instructions, str):
        raise InvalidInput(f"instructions={instructions!r}: a str is needed.")
    if system_prompt is not None and not (isinstance(system_prompt, str) or callable(system_prompt)):
        raise InvalidInput(f"system_prompt={system_prompt!r}: a str is needed, or a function (default, depth) -> str.")
    if isinstance(system_prompt, str) and not system_prompt.strip():
        raise InvalidInput("system_prompt is empty: leave it out for the default rules.")
    if not isinstance(max_concurrency, int) or isinstance(max_concurrency, bool) or max_concurrency < 1:
        raise InvalidInput(f"max_concurrency={max_concurrency!r}: the number of model calls at once, at least 1.")


def _check_child(child: object, model: object, limits: Limits) -> None:
    if child is None:
        return
    if not isinstance(child, RemoteGraph):
        raise InvalidInput(f"child={child!r}: a RemoteGraph(name, url=…) is needed, of an RLM on a LangGraph server.")
    if limits.max_depth < 2:
        raise InvalidInput("child runs RLMs below this one: it needs Limits(max_depth=…) of at least 2.")
    if isinstance(model, Sequence) and not isinstance(model, str) and len(model) > 1:
        raise InvalidInput("model: child runs the RLMs below with models of its own, so that one is enough here.")


def _check_kinds(**settings: tuple[object, type]) -> None:
    for name, (given, kind) in settings.items():
        if not isinstance(given, kind):
            raise InvalidInput(f"{name}={given!r}: a {kind.__name__}(…) is needed.")


def _check_stops(**settings: object) -> None:
    for name, stops in settings.items():
        if stops not in (None, "*") and (isinstance(stops, str) or not isinstance(stops, Sequence)):
            raise InvalidInput(f'{name}={stops!r}: a list of names of nodes is needed, or "*" for all.')


def _model_name(name: object) -> str:
    if not isinstance(name, str) or not name.strip():
        raise InvalidInput(f"models: {name!r} is no name that code could choose a model by.")
    return name


def _by_depth(model: Model | Sequence[Model], depths: int) -> list[BaseChatModel]:
    """The model for each of so many depths, from the root on."""
    models_by_depth = [model] if isinstance(model, str) or not isinstance(model, Sequence) else model
    if not models_by_depth:
        raise InvalidInput("model is an empty sequence: give one model, or one for each depth.")
    models = [resolve_model(one) for one in models_by_depth]
    return [models[min(depth, len(models) - 1)] for depth in range(depths)]


def _at(spec: RLMSpec, there: Collection[str], nodes: All | Sequence[str] | None) -> All | list[str] | None:
    """Those of the nodes that are `there` at this depth, by their names there. The root has all that any depth has."""
    if nodes is None or nodes == "*":
        return nodes
    named = [spec.subcall_node if node == "subcall" else node for node in nodes]
    unknown = [node for node in named if node not in there]
    if unknown and spec.depth == 0:
        raise InvalidInput(f"interrupt at {unknown[0]!r}: there is no such node. Known: {', '.join(there)}.")
    return [node for node in named if node in there]
