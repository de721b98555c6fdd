"""`check` and `verify`: an answer is checked against the passages that it cites, by calls that know nothing else.

What does not hold goes back to the model with the reason. A citation is checked by itself, for whether it speaks
against the answer; and all of them together, with the code that made the answer of them, for whether they bear it out.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphBubbleUp
from langgraph.graph import END
from langgraph.types import Command, Overwrite

from langgraph_rlm.answers.schema import AnswerSchema
from langgraph_rlm.answers.values import as_text
from langgraph_rlm.asking import typed
from langgraph_rlm.asking.ledger import Usage
from langgraph_rlm.asking.model_calls import CallModel
from langgraph_rlm.asking.requests import Request
from langgraph_rlm.context.files import clean
from langgraph_rlm.conversation import prompts
from langgraph_rlm.effects import Steps
from langgraph_rlm.errors import LimitExceeded
from langgraph_rlm.nodes.checking import CheckInput
from langgraph_rlm.nodes.ending import answer_update, record_outcome
from langgraph_rlm.nodes.turn import TurnInput, next_turn
from langgraph_rlm.running.run import Run, as_called, read, run_of, spent_before
from langgraph_rlm.running.spec import RLMSpec

MOST_RETURNS = 2
"""How often an answer goes back to the model."""
FAILED = "failed"
"""The verdict of a check that could not be made."""
AROUND = 500
"""Characters of the text that are shown before a passage, and after it."""
MOST_SHOWN = 4_000
"""Characters of what a check is shown: a passage, or all of them, the code that made the answer, what that printed."""
VERDICT = AnswerSchema.of_schema(
    {
        "type": "object",
        "properties": {
            "reason": {"type": "string"},
            "verdict": {"enum": ["supports", "contradicts", "unrelated"]},
        },
        "required": ["reason", "verdict"],
    }
)


class VerifyInput(TurnInput, total=False):
    candidate: list[Any]
    returned: list[int]


def check(spec: RLMSpec, state: CheckInput, config: RunnableConfig) -> Steps[dict[str, Any]]:
    run, which = run_of(config), state["citation"]
    request, sent, usage = Request("llm", _prompt(which, run, config)), list[None](), Usage()
    ask = CallModel(spec.sub_model, [HumanMessage(request.prompt)], run.gate, as_called(config))
    try:
        run.ledger.reserve([request])
        counted = replace(ask, on_send=partial(sent.append, None))
        verdict, usage = yield from typed.ask_typed(counted, VERDICT)
    except GraphBubbleUp:
        raise
    except Exception as failure:
        if isinstance(failure, LimitExceeded) and spec.limits.on_exceeded == "raise":
            raise
        verdict = {"verdict": FAILED, "reason": clean(f"{type(failure).__name__}: {failure}")}
        usage = spent_before(failure)["usage"]
    return {
        "checks": [{"citation": which, **verdict}],
        "subcalls": min(1, len(sent)),
        "usage": usage,
        "seconds": run.ledger.seconds,
    }


def _prompt(which: int | None, run: Run, config: RunnableConfig) -> str:
    question, answer = read(config, "question")["asked"], as_text(read(config, "candidate")[0])
    cited = read(config, "citations")
    if which is not None:
        text = run.context(read(config, "context_id"), config).text
        start, end = cited[which]["start"], cited[which]["end"]
        before, after = text[max(0, start - AROUND) : start], text[end : end + AROUND]
        return prompts.check_passage(question, answer, before, prompts.shorten(text[start:end], MOST_SHOWN), after)
    since = max(read(config, "returned"), default=0)
    steps = [step for step in read(config, "trajectory") if step["step"] > since]
    code = "\n".join(step["code"] for step in steps if step["code"])
    output = "\n".join(step["output"] for step in steps if step["output"])
    quotes = "\n".join(f"- {citation['quote']}" for citation in cited)
    shown = (prompts.shorten(part, MOST_SHOWN) for part in (quotes, code, output))
    return prompts.check_all(question, answer, *shown)


def verify(spec: RLMSpec, state: VerifyInput, config: RunnableConfig) -> Steps[Command[Any]]:
    """Ends with the answer, or hands it back; `verification` says what came of the checks."""
    [answer, *feedback], returned = state["candidate"], state.get("returned", [])
    checks = sorted(read(config, "checks"), key=lambda made: (made["citation"] is None, made["citation"]))
    problem = _problem(checks)
    is_over = len(returned) >= MOST_RETURNS or any(made["verdict"] == FAILED for made in checks)
    if problem is not None and not is_over:
        returned = [*returned, state["step"]]
    update: dict[str, Any] = {
        "verification": {
            "verified": problem is None,
            "reason": problem,
            "returns": len(returned),
            "checks": checks,
        }
    }
    if problem is None or is_over:
        yield from record_outcome("answered" if problem is None else "unverified", config)
        return Command(update=update | answer_update(spec, answer, state["question"], "answered"), goto=END)
    update |= {"returned": returned, "citations": Overwrite([])}
    return next_turn(spec, state, config, update, *feedback, prompts.unverified(as_text(answer), problem))


def _problem(checks: list[dict[str, Any]]) -> str | None:
    """Why an answer is not borne out; None where it is."""
    if not checks:
        return prompts.NOTHING_CITED
    *passages, everything = checks
    against = [made["reason"] for made in passages if made["verdict"] in ("contradicts", FAILED)]
    if everything["verdict"] != "supports":
        against.append(everything["reason"])
    return "\n".join(dict.fromkeys(against)) or None
