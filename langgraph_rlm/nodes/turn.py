"""What a turn reads of the state, and what comes after one that has not ended the run."""

from __future__ import annotations

from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.graph import END
from langgraph.types import Command
from typing_extensions import TypedDict

from langgraph_rlm.asking.ledger import SUBCALLS
from langgraph_rlm.conversation import history
from langgraph_rlm.conversation.briefing import Asked, Remaining
from langgraph_rlm.errors import LimitExceeded
from langgraph_rlm.nodes.ending import answer_update, limit_reached
from langgraph_rlm.running.run import Run, read, run_of
from langgraph_rlm.running.spec import RLMSpec
from langgraph_rlm.state import Question, ReplRef


class TurnInput(TypedDict, total=False):
    question: Question
    step: int
    limit: list[Any] | None


class CellInput(TurnInput, total=False):
    context_id: str
    code: str
    block: int
    ready: list[Any]
    position: ReplRef | None
    note: str | None


def remaining_of(spec: RLMSpec, run: Run, turn: int) -> Remaining:
    """What is left before a turn of an RLM; sub-calls, seconds and tokens are those of the whole tree."""
    ledger = run.ledger
    limits = ledger.limits
    return Remaining(
        turn,
        limits.max_steps,
        (ledger.left(SUBCALLS), limits.max_subcalls) if spec.has_subcalls else None,
        None if limits.max_seconds is None else (limits.max_seconds - ledger.seconds, limits.max_seconds),
        None if limits.max_tokens is None else (limits.max_tokens - ledger.tokens, limits.max_tokens),
    )


def asked_of(state: CellInput, config: RunnableConfig, *latest: tuple[str, str]) -> Asked:
    """The question, and the blocks that ran for it: those of the trajectory, and the `latest` with what it printed."""
    ran = ((step["code"], step["output"]) for step in read(config, "trajectory"))
    return Asked(state["question"]["asked"], (*ran, *latest))


def next_turn(
    spec: RLMSpec,
    state: TurnInput,
    config: RunnableConfig,
    update: dict[str, Any],
    *feedback: str,
    last_words: str | None = None,
    stuck: history.Stuck | None = None,
) -> Command[Any]:
    """Another turn for the model, which is given `feedback`: an ordinary one, or the last one.

    After that there is none: its `last_words` are the answer, where it had some and no code.
    """
    if state.get("limit"):
        return Command(update=update | answer_update(spec, last_words, state["question"], "limit"), goto=END)
    most = run_of(config).ledger.limits.max_steps
    if state["step"] >= most:
        update["limit"] = limit_reached(spec, LimitExceeded("max_steps", state["step"], most))
        turn = spec.dialect.last_turn("max_steps")
    else:
        turn = spec.dialect.turn(remaining_of(spec, run_of(config), state["step"] + 1))
    said = "\n\n".join(filter(None, [*feedback, turn]))
    return Command(
        update=update | {"block": 0, "history": [history.feedback(said, stuck)] if said else []}, goto="generate"
    )
