"""`kill -9` at any moment: the run goes on in another process, and nothing that was answered is asked again."""

from __future__ import annotations

import itertools
import random
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.postgres import PostgresSaver

from langgraph_rlm import Limits
from tests.victim import SETTLED, SUBCALLS, Trial, asked_again, finished, returned, started

MATRIX = list(itertools.product(["sqlite", "postgres"], [False, True], [1, 4, None], ["sync", "async"]))
FEW = [("sqlite", True, None, "async"), ("sqlite", False, 4, "sync"), ("postgres", True, 1, "async")]


@pytest.fixture
def trial_of(tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    """Makes trials, each with a folder and a database of its own."""
    numbers = itertools.count()

    def make(work: str, database: str, is_async: bool, at_once: int | None, durability: Any) -> Trial:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        if database == "sqlite":
            where = str(folder / "runs.db")
        else:
            where = request.getfixturevalue("new_postgres_url")()
            with PostgresSaver.from_conn_string(where) as saver:
                saver.setup()
        return Trial(work, where, folder, is_async, at_once, durability)

    return make


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What each work gives without a kill."""
    return {
        work: finished(Trial(work, str(folder / "runs.db"), folder, is_async=True))
        for work in SUBCALLS
        for folder in [tmp_path_factory.mktemp(work)]
    }


def kill(trial: Trial) -> float:
    """Runs the trial until it is killed, and says when that was."""
    process = started(trial)
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    return time.time()


def went_on(trial: Trial, killed_at: float, undisturbed: dict[str, dict[str, Any]]) -> None:
    """Resumes a killed trial in another process, and checks what came of it."""
    assert finished(replace(trial, resumes=True)) == undisturbed[trial.work]
    assert asked_again(trial, killed_at) == []


@pytest.mark.parametrize("work", SUBCALLS)
@pytest.mark.parametrize(("database", "is_async", "at_once", "durability"), FEW)
def test_run_killed_at_a_sub_call_goes_on_elsewhere(
    work: str, database: str, is_async: bool, at_once: Any, durability: Any, trial_of: Any, undisturbed: Any
) -> None:
    few = range(2, SUBCALLS[work], 3)
    killed_at_each(few, 0.5, work, database, is_async, at_once, durability, trial_of, undisturbed)


@pytest.mark.parametrize("durability", ["sync", "async"])
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_run_that_a_node_calls_without_a_config_is_killed_beside_a_slow_store(
    is_async: bool, durability: Any, trial_of: Any, undisturbed: Any
) -> None:
    for kill_after in (2, 4):
        trial = trial_of("loop", "sqlite", is_async, None, durability)
        trial = replace(trial, is_called_in_node=True, storing_takes=0.1, kill_after=kill_after, settled=0.5)
        went_on(trial, kill(trial), undisturbed)


@pytest.mark.slow
@pytest.mark.parametrize("work", SUBCALLS)
@pytest.mark.parametrize(("database", "is_async", "at_once", "durability"), MATRIX)
def test_run_killed_at_any_sub_call_goes_on_elsewhere(
    work: str, database: str, is_async: bool, at_once: Any, durability: Any, trial_of: Any, undisturbed: Any
) -> None:
    each, soon = range(1, SUBCALLS[work]), SETTLED + 0.02
    killed_at_each(each, soon, work, database, is_async, at_once, durability, trial_of, undisturbed)


def killed_at_each(returned: range, settled: float, *arguments: Any) -> None:
    *described, trial_of, undisturbed = arguments
    for kill_after in returned:
        trial = replace(trial_of(*described), kill_after=kill_after, settled=settled)
        went_on(trial, kill(trial), undisturbed)


@pytest.mark.slow
@pytest.mark.parametrize("work", SUBCALLS)
@pytest.mark.parametrize(("database", "is_async", "at_once", "durability"), MATRIX)
def test_run_killed_at_random_times_again_and_again_goes_on_elsewhere(
    work: str, database: str, is_async: bool, at_once: Any, durability: Any, trial_of: Any, undisturbed: Any
) -> None:
    chance = random.Random(f"{work} {database} {is_async} {at_once} {durability}")
    trial = replace(trial_of(work, database, is_async, at_once, durability), latency=0.1)
    kills = []
    for _ in range(6):
        process = started(replace(trial, resumes=trial.log.exists()))
        wait = time.monotonic() + 30
        while not trial.log.exists() and time.monotonic() < wait:
            time.sleep(0.005)  # before that there is nothing to resume
        process.join(chance.uniform(0.05, 0.9))
        if process.exitcode is not None:
            break
        process.kill()
        process.join()
        kills.append(time.time())
    assert finished(replace(trial, resumes=True)) == undisturbed[work]
    assert [asked_again(trial, killed_at) for killed_at in kills] == [[]] * len(kills)


@pytest.mark.parametrize(
    ("work", "limits"),
    [
        ("loop", Limits(max_tokens=75)),
        ("loop", Limits(max_subcalls=5)),
        ("batch", Limits(max_tokens=150)),
        ("batch", Limits(max_subcalls=12)),
    ],
    ids=str,
)
@pytest.mark.parametrize("is_async", [False, True])
def test_limit_counts_what_was_spent_before_the_kill(work: str, limits: Limits, is_async: bool, trial_of: Any) -> None:
    whole = replace(trial_of(work, "sqlite", is_async, 1, "sync"), limits=limits)
    finished(whole)
    killed = replace(trial_of(work, "sqlite", is_async, 1, "sync"), limits=limits, kill_after=3)
    kill(killed)
    finished(replace(killed, resumes=True))
    assert 3 < returned(killed) == returned(whole) < SUBCALLS[work]


def test_limit_counts_what_a_tree_had_spent_before_the_kill(trial_of: Any) -> None:
    killed = replace(trial_of("tree", "sqlite", True, 1, "sync"), kill_after=4)
    kill(killed)
    before = returned(killed)
    limits = Limits(max_depth=3, max_tokens=120)  # less than four answers and their callers' turns took
    finished(replace(killed, resumes=True, limits=limits))
    assert returned(killed) == before


def test_time_counts_that_was_spent_before_the_kill(trial_of: Any) -> None:
    killed = replace(trial_of("batch", "sqlite", True, 1, "sync"), kill_after=8, latency=0.1)
    kill(killed)
    limits = Limits(max_seconds=0.8)
    assert finished(replace(killed, resumes=True, limits=limits))["status"] == "limit"
    assert returned(killed) == 8
