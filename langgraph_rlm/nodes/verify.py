"""`check` and `verify`: an answer is checked against the passages that it cites, by calls that know nothing else.

What does not hold goes back to the model with the reason. A citation is checked by itself, for whether it speaks
against the answer; and all of them together, with the code that made the answer of them, for whether they bear it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from langchain_core.messages import AnyMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphBubbleUp
from langgraph.graph import END
from langgraph.types import Command, Overwrite, Send
from typing_extensions import TypedDict

from langgraph_rlm import prompts, typed
from langgraph_rlm.calls import Ask
from langgraph_rlm.effects import Steps
from langgraph_rlm.errors import LimitExceeded
from langgraph_rlm.level import Level
from langgraph_rlm.nodes.ending import as_text, ended, taught
from langgraph_rlm.nodes.turn import TurnInput, next_turn
from langgraph_rlm.repl.cells import Request
from langgraph_rlm.run import Run, read, run_of, spent_before
from langgraph_rlm.state import Question

MOST_RETURNS = 2
"""How often an answer goes back to the model."""
MOST_CHECKED = 5
"""Citations that are checked one by one."""
AROUND = 500
"""Characters of the text that are shown before a passage, and after it."""
MOST_SHOWN = 4_000
"""Characters of the code that made the answer, and of its output."""
VERDICT = typed.Form.of_schema(
    {
        "type": "object",
        "properties": {
            "reason": {"type": "string"},
            "verdict": {"enum": ["supports", "contradicts", "unrelated"]},
        },
        "required": ["reason", "verdict"],
    }
)


class CheckInput(TypedDict):
    """Which citation is to be checked: the argument of a `Send`. None: all of them together."""

    citation: int | None


class VerifyInput(TurnInput, total=False):
    question: Question
    candidate: list[Any]
    returns: int


def to_check(cited: int) -> list[Send] | str:
    """Where an answer with so many citations goes."""
    one_by_one: list[int | None] = [*range(min(cited, MOST_CHECKED))]
    return [Send("check", CheckInput(citation=which)) for which in [*one_by_one, None]] if cited else "verify"


def check(level: Level, state: CheckInput, config: RunnableConfig) -> Steps[dict[str, Any]]:
    run, which = run_of(config), state["citation"]
    question, [answer] = read(config, "question"), read(config, "candidate")
    prompt = _prompt(which, question["asked"], as_text(answer), run, config)
    try:
        run.ledger.reserve([Request("llm", prompt)])
        ask = partial(_ask, level, run, config)
        verdict, usage = yield from typed.asking(ask, [HumanMessage(prompt)], VERDICT)
    except GraphBubbleUp:
        raise
    except Exception as failure:
        if isinstance(failure, LimitExceeded) and level.limits.on_exceeded == "raise":
            raise
        verdict, usage = (
            {"verdict": "failed", "reason": f"{type(failure).__name__}: {failure}"},
            spent_before(failure)["usage"],
        )
    return {
        "checks": [{"citation": which, **verdict}],
        "subcalls": 1,
        "usage": usage,
        "seconds": run.ledger.seconds,
    }


def _ask(level: Level, run: Run, config: RunnableConfig, messages: Sequence[AnyMessage]) -> Ask:
    return Ask(level.sub_model, messages, run.gate, config)


def _prompt(which: int | None, question: str, answer: str, run: Run, config: RunnableConfig) -> str:
    cited = read(config, "citations")
    if which is not None:
        text = run.context(read(config, "context_id"), config).text
        start, end = cited[which]["start"], cited[which]["end"]
        return prompts.check_passage(
            question, answer, text[max(0, start - AROUND) : start], text[start:end], text[end : end + AROUND]
        )
    last = read(config, "trajectory")[-1]
    code, output = prompts.shortened(last["code"], MOST_SHOWN), prompts.shortened(last["output"], MOST_SHOWN)
    return prompts.check_all(question, answer, [citation["quote"] for citation in cited], code, output)


def verify(level: Level, state: VerifyInput, config: RunnableConfig) -> Steps[Command[Any]]:
    """Ends with the answer, or hands it back; `verification` says what came of the checks."""
    [answer], returns = state["candidate"], state.get("returns", 0)
    checks = sorted(read(config, "checks"), key=lambda made: (made["citation"] is None, made["citation"]))
    problem = _problem(checks)
    update: dict[str, Any] = {
        "verification": {"verified": problem is None, "reason": problem, "returns": returns, "checks": checks}
    }
    can_be_mended = not any(made["verdict"] == "failed" for made in checks)
    if problem is None or not can_be_mended or returns >= MOST_RETURNS:
        yield from taught("answered" if problem is None else "unverified", config)
        return Command(update=update | ended(answer, state["question"], "answered"), goto=END)
    update |= {"returns": returns + 1, "citations": Overwrite([])}
    return next_turn(level, state, config, update, prompts.unverified(as_text(answer), problem))


def _problem(checks: list[dict[str, Any]]) -> str | None:
    """Why an answer is not borne out; None where it is."""
    if not checks:
        return prompts.NOTHING_CITED
    *passages, everything = checks
    against = [made["reason"] for made in passages if made["verdict"] in ("contradicts", "failed")]
    if everything["verdict"] != "supports":
        against.append(everything["reason"])
    return "\n".join(against) or None
