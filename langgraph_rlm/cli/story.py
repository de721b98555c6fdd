"""What goes on in a run, told from LangGraph's `tasks` events: nothing here that another user of the graph has not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langgraph_rlm.asking.ledger import Usage

Namespace = tuple[str, ...]
"""Which RLM of the tree: `()` is the root, each child adds `node:task`."""


@dataclass(frozen=True)
class Wrote:
    """The root's model has written a cell."""

    step: int
    code: str


@dataclass(frozen=True)
class Asking:
    """The root's code has stopped at a call of that many prompts; `done` of them are answered."""

    done: int
    total: int


@dataclass(frozen=True)
class ChildEnded:
    """A child RLM has answered prompt `index` of the root's call."""

    index: int
    steps: int
    answer: str


@dataclass(frozen=True)
class Ran:
    """A step of the root is over. Without code, `reply` is what the model said instead."""

    step: int
    code: str
    reply: str
    output: str
    error: str | None
    failures: tuple[str, ...]
    """The errors of the sub-calls that failed."""
    subcalls: int


Event = Wrote | Asking | ChildEnded | Ran


@dataclass
class Rlm:
    """What one RLM of the tree is doing now."""

    index: int
    """Which prompt of its parent's call it answers."""
    doing: str = "begins"
    step: int = 0
    done: int = 0
    asked: int = 0


class Story:
    """Follows a run: who is doing what, and what it has cost so far."""

    def __init__(self) -> None:
        self.rlms: dict[Namespace, Rlm] = {}
        self.steps = self.subcalls = self.tokens = 0
        self.limit: str | None = None
        """The first limit that was reached."""
        self._indices: dict[str, int] = {}

    def follow(self, namespace: Namespace, task: dict[str, Any]) -> Iterator[Event]:
        """Takes in an event of LangGraph's `tasks` mode. Gives what is worth a line."""
        name = task["name"]
        if name == "subcall" or name.startswith("subcall_"):
            yield from self._subcall(namespace, task)
            return
        if namespace not in self.rlms:
            self.rlms[namespace] = Rlm(self._indices.get(namespace[-1].partition(":")[2], 0) if namespace else 0)
        rlm = self.rlms[namespace]
        if "result" not in task:
            self._started(rlm, name, task["input"])
        elif task["result"]:
            yield from self._ended(namespace, rlm, name, task["result"])

    def _started(self, rlm: Rlm, name: str, given: dict[str, Any]) -> None:
        if name == "generate":
            rlm.step = given.get("step", 0) + (0 if given.get("block") else 1)
            rlm.doing = "the model writes code"
        elif name == "direct":
            rlm.doing = "the model answers"
        elif name == "extract":
            rlm.doing = "looks for a field"
        elif name == "execute":
            rlm.doing = "the code runs"

    def _ended(self, namespace: Namespace, rlm: Rlm, name: str, result: dict[str, Any]) -> Iterator[Event]:
        if limit := result.get("limit"):
            self.limit = self.limit or limit[0]
        if name in ("generate", "direct"):
            self._spend(result)
        if name == "generate":
            self.steps += result.get("steps", 0)
            if not namespace and result["code"]:
                yield Wrote(rlm.step, result["code"])
        if name == "execute":
            self.subcalls += result.get("subcalls", 0)
            if "asking" in result:  # else the next prompts of the same call follow
                rlm.done, rlm.asked = 0, result["asking"]
            if rlm.asked:
                rlm.doing = "sub-calls"
                if not namespace:
                    yield Asking(rlm.done, rlm.asked)
            for entry in result.get("trajectory", ()) if not namespace else ():
                failures = tuple(call["error"] for call in entry["subcalls"] if call.get("error"))
                said = (entry["code"], entry["reply"], entry["output"], entry["error"])
                yield Ran(entry["step"], *said, failures, len(entry["subcalls"]))

    def _subcall(self, namespace: Namespace, task: dict[str, Any]) -> Iterator[Event]:
        if "result" not in task:
            self._indices[task["id"]] = task["input"].get("index", 0)
            return
        index = self._indices.pop(task["id"], 0)
        child = self.rlms.pop((*namespace, f"{task['name']}:{task['id']}"), None)
        result = task["result"]
        if not result:  # it raised: the run is over, or waits for a human
            return
        if child is None:
            self.subcalls += result.get("subcalls", 0)
        else:  # what it has asked itself was followed
            self.subcalls += sum(not record.get("ahead") for record in result.get("asked", ()))
        asker = self.rlms.setdefault(namespace, Rlm(0))  # a resumed run begins with its sub-calls
        asker.done += len(result.get("asked", ()))
        if child is None:
            self._spend(result)
        if namespace:
            return
        match result.get("asked"):
            case [{"answer": answer}] if child:
                yield ChildEnded(index, result["steps"], answer)
        yield Asking(asker.done, asker.asked)

    def _spend(self, result: dict[str, Any]) -> None:
        self.tokens += tokens_of(result.get("usage", {}))


def tokens_of(usage: Usage) -> int:
    """Tokens of all models, input and output."""
    return sum(used["total_tokens"] for used in usage.values())


def cached_of(usage: Usage) -> int:
    """Those of them that a provider read from its cache."""
    return sum(used.get("input_token_details", {}).get("cache_read", 0) for used in usage.values())
