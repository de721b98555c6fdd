"""Outcomes of runs in a LangGraph `store`: what `auto` learns from, and how a user tells that an answer was wrong.

Each run has an item of its own, so runs at the same time do not disturb each other, and a run that is resumed writes
the one it has. `MOST` items are kept for a graph's name, a model and a threshold as it was set.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from langchain_core.language_models import BaseChatModel
from langgraph.store.base import BaseStore, SearchItem

from langgraph_rlm.errors import InvalidInput
from langgraph_rlm.routes.learning import Outcome
from langgraph_rlm.routes.profiles import PROFILES
from langgraph_rlm.routes.routing import Reach, Routing

MOST = 200
"""Outcomes that are kept in a namespace; those that began last."""
SEARCHED = 2 * MOST
"""Outcomes that are read, at most: several runs may have ended since somebody tidied up."""

Namespace = tuple[str, ...]

_logger = logging.getLogger("langgraph_rlm")


def namespace_of(graph_name: str, model: BaseChatModel, reach: Reach) -> Namespace:
    """Where a graph's outcomes with that model are, and that threshold: moves are counted from where it was set.

    The last label keeps 800 from finding 8000 too.
    """
    model_name = model._get_ls_params().get("ls_model_name") or type(model).__name__
    return ("langgraph_rlm", _label(graph_name), _label(model_name), str(reach.unmoved), "outcomes")


@dataclass(frozen=True)
class ReadOutcomes:
    """The effect of reading outcomes. Its result is a list of them, or None where the store failed."""

    store: BaseStore
    namespace: Namespace

    def run(self) -> list[Outcome] | None:
        try:
            return _read(self.store.search(self.namespace, limit=SEARCHED))
        except Exception as failure:
            _complain(failure)
            return None

    async def arun(self) -> list[Outcome] | None:
        try:
            return _read(await self.store.asearch(self.namespace, limit=SEARCHED))
        except Exception as failure:
            _complain(failure)
            return None


@dataclass(frozen=True)
class WriteOutcome:
    """The effect of keeping an outcome, and dropping those that are too old to count."""

    store: BaseStore
    namespace: Namespace
    key: str
    outcome: Outcome

    def run(self) -> None:
        try:
            self.store.put(self.namespace, self.key, asdict(self.outcome), index=False)
            for key in _old(self.store.search(self.namespace, limit=SEARCHED)):
                self.store.delete(self.namespace, key)
        except Exception as failure:
            _complain(failure)

    async def arun(self) -> None:
        try:
            await self.store.aput(self.namespace, self.key, asdict(self.outcome), index=False)
            for key in _old(await self.store.asearch(self.namespace, limit=SEARCHED)):
                await self.store.adelete(self.namespace, key)
        except Exception as failure:
            _complain(failure)


def feedback(store: BaseStore, output: Mapping[str, Any], *, accepted: bool) -> bool:
    """Tells whether the answer of a run was accepted: `auto` learns from it. Without a word, an answer counts as
    accepted that was not given at a limit.

    May be called again, also with another verdict: the last one holds.

    Args:
        store: The store that the graph had.
        output: The output of the run, or its `get_state(config).values`. Its `routing` is enough.
        accepted: Whether the answer was right.

    Returns:
        Whether there was an outcome to change: not of a run that asked no model, did not end, is too long ago, or had a
        profile that `auto` does not learn from.

    Raises:
        InvalidInput: It is the output of no run, or of one without a store; or `accepted` is no bool.
        Exception: What the store raises.
    """
    if (place := _place(output, accepted)) is None or (item := store.get(*place)) is None:
        return False
    store.put(*place, {**item.value, "accepted": accepted}, index=False)
    return True


async def afeedback(store: BaseStore, output: Mapping[str, Any], *, accepted: bool) -> bool:
    """As `feedback`, async."""
    if (place := _place(output, accepted)) is None or (item := await store.aget(*place)) is None:
        return False
    await store.aput(*place, {**item.value, "accepted": accepted}, index=False)
    return True


def _place(output: Mapping[str, Any], accepted: object) -> tuple[Namespace, str] | None:
    """Where the outcome of the run is; None where its profile teaches nothing."""
    if not isinstance(accepted, bool):
        raise InvalidInput(f"accepted={accepted!r}: True or False is needed.")
    routing = Routing.of(output)
    if not PROFILES[routing.profile].is_learned_from:
        return None
    if routing.run is None:
        raise InvalidInput("The run had no store, so nothing is learned from it: give create_rlm(…, store=…) one.")
    return tuple(routing.run["namespace"]), routing.run["key"]


def _read(items: list[SearchItem]) -> list[Outcome]:
    """Those of them that this version can read."""
    return [outcome for item in items if (outcome := _outcome(item.value)) is not None]


def _outcome(value: Mapping[str, Any]) -> Outcome | None:
    match value:
        case {
            "route": str(route),
            "characters": int(characters),
            "tokens": int(tokens),
            "seconds": int(seconds) | float(seconds),
            "accepted": bool(accepted),
            "begun": int(begun) | float(begun),
            "moved": int() | None as moved,
        }:
            return Outcome(route, characters, tokens, seconds, accepted, begun, moved)
    return None


def _old(items: list[SearchItem]) -> list[str]:
    """The keys of those that are too many; first of all of those that this version cannot read."""
    begun = {item.key: outcome.begun if (outcome := _outcome(item.value)) else 0.0 for item in items}
    return sorted(begun, key=lambda key: begun[key], reverse=True)[MOST:]


def _label(name: str) -> str:
    """A name as a part of a namespace, which takes no dots and no empty ones."""
    return name.replace(".", "_") or "_"


def _complain(failure: Exception) -> None:
    _logger.warning("The store failed: nothing is learned from this run, which goes on without it. %s", failure)
