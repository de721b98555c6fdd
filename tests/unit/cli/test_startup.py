"""What the command line says without LangGraph, and what a shell may complete."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pytest

from langgraph_rlm import create_rlm
from langgraph_rlm.cli.request import Settings
from langgraph_rlm.cli.runs import Run, Runs
from langgraph_rlm.routes.profiles import Profile

COMMANDS = ["ask", "resume", "runs", "forget", "mcp", "demo"]


@dataclass(frozen=True)
class Ended:
    status: int
    out: str
    err: str
    imported: frozenset[str]
    """Packages."""


def run(*arguments: str, **environment: str) -> Ended:
    """The command line in a process of its own, where LangGraph is not there yet."""
    command = [sys.executable, "-X", "importtime", "-m", "langgraph_rlm", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, timeout=600)
    lines = ended.stderr.splitlines(keepends=True)
    imports = [line for line in lines if line.startswith("import time:")]
    said = "".join(line for line in lines if line not in imports)
    packages = frozenset(line.rpartition("|")[2].strip().partition(".")[0] for line in imports)
    assert "langgraph_rlm" in packages
    return Ended(ended.returncode, ended.stdout, said, packages)


def completed(line: str, shell: str = "bash", **environment: str) -> list[str]:
    """What may stand at the end of the line, as typer's script for the shell asks for it."""
    ended = run(
        _LANGGRAPH_RLM_COMPLETE=f"complete_{shell}",
        COMP_WORDS=line,
        COMP_CWORD=str(line.count(" ")),
        _TYPER_COMPLETE_ARGS=line,
        _TYPER_COMPLETE_FISH_ACTION="get-args",
        **environment,
    )
    assert (ended.status, ended.err) == (0, "")
    assert not heavy(ended)
    return list(filter(None, ended.out.splitlines()))


def heavy(ended: Ended) -> set[str]:
    return {name for name in ended.imported if name == "langgraph" or name.startswith("langchain")}


@pytest.mark.parametrize("arguments", [("--help",), (), *((command, "--help") for command in COMMANDS)])
def test_help_waits_for_neither_langgraph_nor_langchain(arguments: Sequence[str]) -> None:
    ended = run(*arguments)
    assert "Usage: langgraph-rlm" in ended.out + ended.err
    assert not heavy(ended)
    assert "pydantic" not in ended.imported


def test_version_waits_for_neither_langgraph_nor_langchain() -> None:
    ended = run("--version")
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.startswith("langgraph-rlm ")
    assert not heavy(ended)


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("ask",),
        ("ask", "?", "--nonsense"),
        ("ask", "?", "--max-steps", "0"),
        ("ask", "?", "--profile", "nonsense"),
    ],
)
def test_bad_usage_is_told_without_langgraph(arguments: Sequence[str]) -> None:
    ended = run(*arguments)
    assert ended.status == 2
    assert "Usage: langgraph-rlm" in ended.err
    assert not heavy(ended)


def test_defaults_are_those_of_create_rlm() -> None:
    settings = inspect.signature(create_rlm).parameters
    assert Settings.max_concurrency == settings["max_concurrency"].default
    assert Settings.dialect == settings["dialect"].default
    assert Settings.profile == settings["router"].default.profile
    assert Settings().limits == settings["limits"].default
    assert Settings().sandbox == settings["sandbox"].default


# -- completion -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_script_of_a_shell_is_had_without_langgraph(shell: str) -> None:
    ended = run("--show-completion", shell, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert ended.status == 0
    assert f"_LANGGRAPH_RLM_COMPLETE=complete_{shell}" in ended.out
    assert not heavy(ended)


def test_commands_options_and_choices_are_completed() -> None:
    assert completed("langgraph-rlm ") == COMMANDS
    assert completed("langgraph-rlm r") == ["resume", "runs"]
    assert completed("langgraph-rlm ask --max-s") == ["--max-steps", "--max-subcalls", "--max-seconds"]
    assert completed("langgraph-rlm ask --profile ") == list(get_args(Profile))
    assert completed("langgraph-rlm ask What? --dialect f") == ["final", "final-text"]


def test_option_that_was_given_is_not_offered_again_unless_it_may_be() -> None:
    offered = completed("langgraph-rlm ask What? --model m --context . --max-steps 3 --")
    assert "--context" in offered
    assert "--max-seconds" in offered
    assert not {"--model", "--max-steps"} & set(offered)


@pytest.mark.parametrize("line", ["ask What? --context ", "ask What? --schema ", "ask 'What", "ask --x "])
def test_shell_completes_files_where_nothing_else_is_known(line: str) -> None:
    assert completed(f"langgraph-rlm {line}") == []


def test_what_stands_beside_an_option_is_one_short_line() -> None:
    lines = completed("langgraph-rlm ask --", shell="fish", COLUMNS="50")
    assert {line[:2] for line in lines} == {"--"}
    assert max(len(line.partition("\t")[2]) for line in lines) < 50


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def keep(state: Path, *questions: str) -> list[str]:
    """Keeps a run for each, and gives their threads."""
    threads = [f"k3f9aaa{letter}" for letter in "abcdef"[: len(questions)]]
    runs = Runs(state)
    for moment, (thread, question) in enumerate(zip(threads, questions, strict=True)):
        runs.put(Run(thread, question, (), Settings(), created=moment, updated=moment))
    return threads


@pytest.mark.parametrize("line", ["resume ", "resume k3", "forget ", "forget m2 k", "ask What? --thread k3f9a"])
def test_threads_are_completed_the_last_one_first(state: Path, line: str) -> None:
    first, second = keep(state, "How many?", "Why?")
    assert completed(f"langgraph-rlm {line}", LANGGRAPH_RLM_STATE=str(state)) == [second, first]


def test_threads_of_another_name_are_not_offered(state: Path) -> None:
    first, _ = keep(state, "How many?", "Why?")
    assert completed(f"langgraph-rlm resume {first}", LANGGRAPH_RLM_STATE=str(state)) == [first]
    assert completed("langgraph-rlm resume m", LANGGRAPH_RLM_STATE=str(state)) == []


def test_question_beside_a_thread_means_nothing_to_a_shell(state: Path) -> None:
    [thread] = keep(state, "Où \\$(touch x) `y` \"z\" 'a' [/b] :c\nand " + "so on " * 100)
    [fish] = completed("langgraph-rlm resume ", shell="fish", LANGGRAPH_RLM_STATE=str(state))
    assert fish == f"{thread}\tOù touch x y z a b c and so on so on so on..."
    [zsh] = completed("langgraph-rlm resume ", shell="zsh", LANGGRAPH_RLM_STATE=str(state))
    assert zsh == f"""_arguments '*: :(("{thread}":"Où touch x y z a b c and so on so on so on..."))'"""


def test_completion_makes_no_file(state: Path) -> None:
    assert completed("langgraph-rlm resume ", LANGGRAPH_RLM_STATE=str(state)) == []
    assert not state.exists()
    [thread] = keep(state, "How many?")
    before = sorted(state.iterdir())
    assert completed("langgraph-rlm resume ", LANGGRAPH_RLM_STATE=str(state)) == [thread]
    assert sorted(state.iterdir()) == before


def test_runs_that_cannot_be_read_complete_nothing(state: Path) -> None:
    state.mkdir()
    (state / "runs.db").write_bytes(b"no database" * 1_000)
    assert completed("langgraph-rlm resume ", LANGGRAPH_RLM_STATE=str(state)) == []
    assert completed("langgraph-rlm resume ", LANGGRAPH_RLM_STATE=str(state / "runs.db")) == []
