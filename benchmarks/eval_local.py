"""Ask a model the tasks of `benchmarks.tasks` through the public API: `python -m benchmarks.eval_local --help`."""

from __future__ import annotations

import json
import time
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from langchain_core.runnables import Runnable
from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.tasks import Task, held_out_tasks, tuning_tasks
from langgraph_rlm import Limits, create_rlm

FAMILIES = {"tuning": tuning_tasks, "held-out": held_out_tasks}
COLUMNS = {  # heading: width
    "task": 12,
    "kind": 8,
    "characters": 10,
    "right": 5,
    "answer": 28,
    "expected": 16,
    "steps": 5,
    "sub-calls": 9,
    "tokens in": 9,
    "tokens out": 10,
    "seconds": 7,
}
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


def main(
    family: Annotated[
        Literal["tuning", "held-out"], typer.Option(help="Prompts may be tuned on the first only.")
    ] = "held-out",
    seed: Annotated[int, typer.Option(help="The same seed gives the same tasks.")] = 0,
    only: Annotated[str | None, typer.Option(help="Ask the task of this name alone.")] = None,
    model: Annotated[str, typer.Option(help='"local", or "provider:name".')] = "local",
    profile: Annotated[str | None, typer.Option(help="Path through the graph; default: what the router picks.")] = None,
    max_seconds: Annotated[float, typer.Option(help="For each task.")] = 600,
    trajectories: Annotated[Path | None, typer.Option(help="Write each run here, one JSON object per line.")] = None,
) -> None:
    """Ask a model every task of a family. Each gets a row as soon as it is answered."""
    tasks = FAMILIES[family](seed)
    chosen = [task for task in tasks if only in (None, task.name)]
    if not chosen:
        raise typer.BadParameter(f"no task {only!r}; there are {', '.join(task.name for task in tasks)}")
    rlm = create_rlm(model, limits=Limits(max_steps=8, max_subcalls=20, max_seconds=max_seconds))
    if trajectories:
        trajectories.write_text("")

    _print_row(*COLUMNS, style="bold")
    right, total = 0, Cost()
    for task in chosen:
        out, cost = ask(rlm, task, profile)
        accepted = "error" not in out and task.accepts(out["answer"])
        right, total = right + accepted, total + cost
        verdict = "yes" if accepted else "no"
        answer = str(out.get("error", out.get("answer")))
        _print_row(task.name, task.kind, task.size, verdict, answer, task.expected, *_cells(cost))
        if trajectories:
            record = {"task": task.name, "question": task.question, "expected": task.expected, "right": accepted} | out
            with trajectories.open("a") as file:
                file.write(json.dumps(record, default=str) + "\n")
    _print_row(
        "all", "", sum(task.size for task in chosen), f"{right}/{len(chosen)}", "", "", *_cells(total), style="bold"
    )


def ask(rlm: Runnable[Any, Any], task: Task, profile: str | None = None) -> tuple[dict[str, Any], Cost]:
    """What came of one task (`answer`, `status` and `trajectory`, or `error`), and what it took."""
    question = {"query": task.question, "context": task.context} | ({"profile": profile} if profile else {})
    begun = time.monotonic()
    try:
        out = rlm.invoke(question)
    except Exception as error:  # one task's failure is its row, not the end of the table
        return {"error": f"{type(error).__name__}: {error}"}, Cost(seconds=time.monotonic() - begun)
    usage = out["usage"].values()
    cost = Cost(
        steps=out["steps"],
        subcalls=out["subcalls"],
        input_tokens=sum(used["input_tokens"] for used in usage),
        output_tokens=sum(used["output_tokens"] for used in usage),
        seconds=time.monotonic() - begun,
    )
    return {key: out.get(key) for key in ("answer", "status", "trajectory")}, cost


def _cells(cost: Cost) -> list[str]:
    return [*map(str, astuple(cost)[:-1]), f"{cost.seconds:.1f}"]


def _print_row(*cells: object, style: str = "") -> None:
    """One row of the table by itself, since the next may be minutes away."""
    row = Table.grid(padding=(0, 2, 0, 0))
    for heading, width in COLUMNS.items():
        row.add_column(
            width=width, no_wrap=True, justify="left" if heading in ("task", "kind", "answer", "expected") else "right"
        )
    row.add_row(*(Text(" ".join(str(cell).split()), style, overflow="ellipsis") for cell in cells))
    console.print(row)


if __name__ == "__main__":
    typer.run(main)
