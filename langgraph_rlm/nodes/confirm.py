"""`confirm`: a fan-out that is larger than `Limits(confirm_above=…)` waits until somebody has agreed to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

from langgraph_rlm.conversation.prompts import shorten
from langgraph_rlm.effects import Steps
from langgraph_rlm.nodes.pending import PendingCall, to_subcalls
from langgraph_rlm.repl.journal import answers_so_far
from langgraph_rlm.running.run import read, run_of
from langgraph_rlm.running.spec import RLMSpec

HOW = (
    "Command(resume=…) with True to ask all, a number to ask that many of the first, a list of prompts or of their "
    "indices to ask those, or False (or a str: the reason) to ask none."
)
YES = ("yes", "y", "ok", "go on", "continue", "approve", "accept")
"""What people write who mean True."""


class ConfirmInput(TypedDict, total=False):
    step: int
    code: str


def confirm(spec: RLMSpec, state: ConfirmInput, config: RunnableConfig) -> Steps[Command[Any]]:
    """Interrupts with what is to be asked; goes on with the prompts that were agreed to.

    The others are answered with an error that the code sees, and give their sub-calls back.
    """
    call = PendingCall(read(config, "pending"), answers_so_far(read(config, "journal")))
    pending = [call.pending[index] for index in call.missing]
    shown = [_shown(request) for request in pending]
    question = {
        "depth": spec.depth,
        "step": state["step"],
        "code": state["code"],
        "count": len(pending),
        "characters": sum(len(request["prompt"]) + len(request["context"] or "") for request in pending),
        "prompts": shown,
        "how": HOW,
    }
    said = interrupt(question)
    while (agreed := agreed_to(said, [request["prompt"] for request in shown])) is None:
        said = interrupt({**question, "problem": f"{said!r} is no answer to this."})
    asked = [index for i, index in enumerate(call.missing) if i in agreed]
    refused = [index for i, index in enumerate(call.missing) if i not in agreed]
    run = run_of(config)
    run.ledger.give_back(call.requests(refused))
    because = (
        f"not asked: {said}" if isinstance(said, str) else "not asked: the user did not agree to so many sub-calls"
    )
    update = {"journal": [["answer", index, None, because] for index in refused]}
    yield from ()  # nothing to be done outside
    position = read(config, "position")["token"]
    goto = to_subcalls(spec, run, run.in_flight_of(position), call, position, asked) if asked else "execute"
    return Command(update=update, goto=goto)


def _shown(request: Mapping[str, Any]) -> dict[str, Any]:
    """A request as people see it: each of its texts may be all of the context, and interrupts are traced."""
    texts = {name: shorten(text) for name in ("prompt", "context") if (text := request[name])}
    return {**request, **texts}


def agreed_to(said: object, prompts: list[str]) -> set[int] | None:
    """The indices of the prompts that may be asked; None where that was no answer."""
    every = range(len(prompts))
    match said:
        case bool():
            return set(every) if said else set()
        case int() if said >= 0:
            return set(every[:said])
        case str():
            return set(every) if said.strip().lower() in YES else set()
        case list() if any(isinstance(agreed, bool) for agreed in said):
            fits = len(said) == len(prompts) and all(isinstance(agreed, bool) for agreed in said)
            return {index for index in every if said[index]} if fits else None
        case list() if all(isinstance(index, int) and index in every for index in said):
            return set(said)
        case list() if all(prompt in prompts for prompt in said):
            return {index for index in every if prompts[index] in said}
    return None
