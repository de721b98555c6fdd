"""Ask a model questions with one right answer, as an RLM and plainly: `python -m benchmarks.eval_local --help`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import astuple, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable
from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.natural_tasks import natural_held_out_tasks, natural_tuning_tasks
from benchmarks.search_and_ask import plain_question
from benchmarks.tasks import Task, held_out_tasks, tuning_tasks
from langgraph_rlm import Context, Limits, create_rlm
from langgraph_rlm.models import resolve_model

Way = Literal["rlm", "search-and-ask"]

COLUMNS = {  # heading: width
    "task": 23,
    "kind": 9,
    "by": 14,
    "characters": 10,
    "right": 5,
    "answer": 28,
    "expected": 24,
    "steps": 5,
    "sub-calls": 9,
    "tokens in": 9,
    "tokens out": 10,
    "seconds": 7,
}
TEXTS = ("task", "kind", "by", "answer", "expected")  # of the columns; the rest are numbers
console = Console(width=sum(COLUMNS.values()) + 2 * len(COLUMNS))


@dataclass(frozen=True)
class Cost:
    """What one task, or all of them, took."""

    steps: int = 0
    subcalls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(*(mine + its for mine, its in zip(astuple(self), astuple(other), strict=True)))


Ask = Callable[[Task], tuple[dict[str, Any], Cost]]
"""What came of one task (with an `answer`), and what it took, without the seconds."""


def main(
    questions: Annotated[
        Literal["generated", "natural", "all"],
        typer.Option(help="Over generated texts of 60 KB and 1 MB, or as people ask them, over Python's own sources."),
    ] = "all",
    family: Annotated[
        Literal["tuning", "held-out"], typer.Option(help="Prompts may be tuned on the first only.")
    ] = "held-out",
    by: Annotated[
        Literal["rlm", "search-and-ask", "all"],
        typer.Option(help="Who answers: the RLM, or the same model asked once about lines with the question's words."),
    ] = "all",
    seed: Annotated[int, typer.Option(help="The same seed gives the same generated texts.")] = 0,
    only: Annotated[str | None, typer.Option(help="Ask the task of this name alone.")] = None,
    model: Annotated[str, typer.Option(help='"local", or "provider:name".')] = "local",
    profile: Annotated[str | None, typer.Option(help="Path through the graph; default: what the router picks.")] = None,
    max_seconds: Annotated[float, typer.Option(help="For each task, of the RLM.")] = 600,
    trajectories: Annotated[
        Path | None, typer.Option(help="Write each run (of a search: the prompt) here, one JSON object per line.")
    ] = None,
) -> None:
    """Ask a model every task of a family, both ways. Each gets a row as soon as it is answered."""
    tables = _tables(questions, family, seed)
    names = [task.name for tasks in tables for task in tasks]
    if only and only not in names:
        raise typer.BadParameter(f"no task {only!r}; there are {', '.join(names)}")
    rlm = create_rlm(model, limits=Limits(max_steps=8, max_subcalls=20, max_seconds=max_seconds))
    ways: dict[Way, Ask] = {
        "rlm": partial(ask_rlm, rlm, profile=profile),
        "search-and-ask": partial(ask_plainly, resolve_model(model)),
    }
    if by != "all":
        ways = {by: ways[by]}
    if trajectories:
        trajectories.write_text("")
    for tasks in tables:
        if chosen := [task for task in tasks if only in (None, task.name)]:
            _print_table(chosen, ways, trajectories)


def _tables(questions: str, family: str, seed: int) -> list[list[Task]]:
    generated, natural = {
        "tuning": (tuning_tasks, natural_tuning_tasks),
        "held-out": (held_out_tasks, natural_held_out_tasks),
    }[family]
    return ([generated(seed)] if questions != "natural" else []) + ([natural()] if questions != "generated" else [])


def _print_table(tasks: list[Task], ways: dict[Way, Ask], trajectories: Path | None) -> None:
    _print_row(*COLUMNS, style="bold")
    right, total = dict.fromkeys(ways, 0), dict.fromkeys(ways, Cost())
    for task in tasks:
        for way, ask in ways.items():
            out, cost = timed(ask, task)
            accepted = "error" not in out and task.accepts(out["answer"])
            right[way], total[way] = right[way] + accepted, total[way] + cost
            said = out.get("error", out.get("answer"))
            verdict = "yes" if accepted else "no"
            _print_row(task.name, task.kind, way, task.size, verdict, said, task.expected, *_cells(cost))
            if trajectories:
                asked = {"task": task.name, "by": way, "question": task.question, "expected": task.expected}
                with trajectories.open("a") as file:
                    file.write(json.dumps(asked | {"right": accepted} | out, default=str) + "\n")
    size = sum(task.size for task in tasks)
    for way in ways:
        _print_row("all", "", way, size, f"{right[way]}/{len(tasks)}", "", "", *_cells(total[way]), style="bold")
    console.print(", ".join(f"{way} {right[way]}/{len(tasks)}" for way in ways), "\n", style="bold")


def timed(ask: Ask, task: Task) -> tuple[dict[str, Any], Cost]:
    """What came of one task, or its `error`, and what it took."""
    begun = time.monotonic()
    try:
        out, cost = ask(task)
    except Exception as error:  # one task's failure is its row, not the end of the table
        out, cost = {"error": f"{type(error).__name__}: {error}"}, Cost()
    return out, cost + Cost(seconds=time.monotonic() - begun)


def ask_rlm(rlm: Runnable[Any, Any], task: Task, profile: str | None = None) -> tuple[dict[str, Any], Cost]:
    """`answer`, `status` and `trajectory` of a run over a task."""
    out = rlm.invoke({"query": task.question, "context": task.context} | ({"profile": profile} if profile else {}))
    usage = out["usage"].values()
    cost = Cost(
        steps=out["steps"],
        subcalls=out["subcalls"],
        input_tokens=sum(used["input_tokens"] for used in usage),
        output_tokens=sum(used["output_tokens"] for used in usage),
    )
    return {key: out.get(key) for key in ("answer", "status", "trajectory")}, cost


def ask_plainly(model: Runnable[Any, AIMessage], task: Task) -> tuple[dict[str, Any], Cost]:
    """`answer` and `prompt` of one plain question over the lines that a search finds."""
    asked = plain_question(task.question, Context.of(task.context))
    reply = model.invoke(asked)
    used = reply.usage_metadata or {"input_tokens": 0, "output_tokens": 0}
    cost = Cost(input_tokens=used["input_tokens"], output_tokens=used["output_tokens"])
    return {"answer": reply.text, "prompt": asked}, cost


def _cells(cost: Cost) -> list[str]:
    return [*map(str, astuple(cost)[:-1]), f"{cost.seconds:.1f}"]


def _print_row(*cells: object, style: str = "") -> None:
    """One row of the table by itself, since the next may be minutes away."""
    row = Table.grid(padding=(0, 2, 0, 0))
    for heading, width in COLUMNS.items():
        row.add_column(width=width, no_wrap=True, justify="left" if heading in TEXTS else "right")
    row.add_row(*(Text(" ".join(str(cell).split()), style, overflow="ellipsis") for cell in cells))
    console.print(row)


if __name__ == "__main__":
    typer.run(main)
