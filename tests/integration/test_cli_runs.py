"""Runs that are kept: what a process leaves behind, and what another one makes of it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from langgraph_rlm.cli.kept import Kept
from langgraph_rlm.cli.request import Settings
from langgraph_rlm.cli.runs import LETTERS, Run, Runs, state_folder
from langgraph_rlm.cli.story import Story
from tests.integration.command_line import ASK, COUNT, FINAL, Cli, Ended, Process, Provider, posix

THREE = "print('before')\nFinal = [llm_query(f'item {i}') for i in range(3)]"


class Hold:
    """Answers prompts in upper case, but holds one of them back until it is let go."""

    def __init__(self, provider: Provider, prompt: str) -> None:
        self._prompt = prompt
        self.reached, self._released = threading.Event(), threading.Event()
        provider.answer = self._answer

    def _answer(self, prompt: str) -> str:
        if prompt == self._prompt and not self._released.is_set():
            self.reached.set()
            self._released.wait(600)
        return prompt.upper()

    def let_go(self) -> None:
        self._released.set()


def prompts(provider: Provider) -> Counter[str]:
    """How often each sub-call was asked."""
    return Counter(messages[-1]["content"] for messages in provider.asked if messages[0]["role"] != "system")


def turns(provider: Provider) -> int:
    """How often the root's model was asked."""
    return sum(messages[0]["role"] == "system" for messages in provider.asked)


def thread_of(told: str | bytes) -> str:
    told = told if isinstance(told, str) else told.decode(errors="replace")
    found = re.search(rf"Thread\s+(?:\x1b\[0m)?([{LETTERS}]{{8}})", told)
    assert found, told
    return found[1]


def listed(cli: Cli) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(cli("runs", "--json").out)
    return listed


def wait_until(reached: Callable[[], bool]) -> None:
    end = time.monotonic() + 600
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.05)


def in_new_process(*arguments: str) -> Ended:
    ended = subprocess.run(
        [sys.executable, "-m", "langgraph_rlm", *arguments], capture_output=True, text=True, timeout=600
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def killed_in_the_middle_of_a_cell(cli: Cli, provider: Provider, *arguments: str) -> str:
    """Kills an `ask` whose cell has two of three answers, and gives the thread."""
    provider.cells = [COUNT, THREE]
    hold = Hold(provider, "item 2")
    process = Process(*(arguments or ASK))
    process.wait_for(b"Thread")
    assert hold.reached.wait(600)
    wait_until(lambda: listed(cli)[0]["subcalls"] == 2)  # what a run has used is told while it runs
    assert listed(cli)[0]["status"] == "running"
    process.send(signal.SIGKILL)
    process.end()
    hold.let_go()
    return thread_of(process.screen)


# -- resume -----------------------------------------------------------------------------------------------------------


@posix
def test_run_killed_in_the_middle_of_a_cell_goes_on_and_pays_for_no_answer_twice(cli: Cli, provider: Provider) -> None:
    thread = killed_in_the_middle_of_a_cell(cli, provider)
    [run] = listed(cli)
    assert (run["thread"], run["status"], run["steps"]) == (thread, "interrupted", 2)
    ended = in_new_process("resume", thread, "--json")
    assert ended.status == 0, ended.err
    output = json.loads(ended.out)
    assert output["answer"] == ["ITEM 0", "ITEM 1", "ITEM 2"]
    assert (output["thread"], output["steps"], output["subcalls"]) == (thread, 2, 3)
    assert (prompts(provider), turns(provider)) == ({"item 0": 1, "item 1": 1, "item 2": 2}, 2)
    assert "    before\n" in ended.err
    assert "Done     2 steps, 3 sub-calls, 60 tokens, " in ended.err
    [run] = listed(cli)
    assert (run["status"], run["tokens"], run["steps"], run["subcalls"]) == ("answered", 60, 2, 3)


@posix
@pytest.mark.parametrize("how", ["Ctrl-C", "SIGTERM"])
def test_stopped_run_says_how_to_go_on_and_goes_on(cli: Cli, provider: Provider, how: str) -> None:
    provider.cells = [THREE]
    hold = Hold(provider, "item 2")
    process = Process(*ASK, "--quiet")
    assert hold.reached.wait(600)
    wait_until(lambda: listed(cli)[0]["subcalls"] == 2)
    if how == "Ctrl-C":
        process.press_ctrl_c()
    else:
        process.send(signal.SIGTERM)
    status, out = process.end()
    hold.let_go()
    assert (status, out) == (130 if how == "Ctrl-C" else 143, b"")
    [run] = listed(cli)
    assert run["status"] == "stopped"
    said = re.sub(r"\x1b\[[\d;?]*\w|\^C", "", process.screen.decode()).split("\r\n")
    assert said == ["Stopped.", f"Resume with: langgraph-rlm resume {run['thread']}", ""]
    ended = cli("resume", run["thread"])
    assert (ended.status, json.loads(ended.out)) == (0, ["ITEM 0", "ITEM 1", "ITEM 2"])
    assert (prompts(provider), turns(provider)) == ({"item 0": 1, "item 1": 1, "item 2": 2}, 1)


def test_failed_run_goes_on_with_its_settings(cli: Cli, provider: Provider) -> None:
    provider.cells = [COUNT]
    settings = ("--max-depth", "1", "--timeout", "0.05", "--instructions", "Be brave.", "--profile", "rlm")
    provider.replies_left = 0
    failed = cli(*ASK, *settings, "-q")
    assert (failed.status, listed(cli)[0]["status"]) == (1, "failed")
    thread = listed(cli)[0]["thread"]
    assert failed.err.splitlines()[-1] == f"Resume with: langgraph-rlm resume {thread}"
    provider.replies_left = None
    provider.cells = [
        "while True: pass",
        "try:\n    Final = rlm_query('?')\nexcept Exception as error:\n    Final = 'no'",
    ]
    ended = cli("resume", thread)
    assert (ended.status, ended.out) == (0, "yes\n")  # at depth 1 a sub-call is plain
    assert "the cell ran longer than 0.05 s" in ended.err
    assert "Question How many?\nModel    openai:fake\n" in ended.err
    assert "Be brave." in provider.asked[-2][0]["content"]


def test_limit_can_be_raised_as_a_run_goes_on(cli: Cli, provider: Provider) -> None:
    provider.cells = [COUNT, COUNT, COUNT, FINAL]
    provider.replies_left = 1
    assert cli(*ASK, "--max-steps", "2").status == 1
    provider.replies_left = None
    ended = cli("resume", listed(cli)[0]["thread"], "--max-steps", "9")
    assert (ended.status, ended.out) == (0, "2000\n")
    assert "Warning" not in ended.err
    assert listed(cli)[0]["settings"]["max_steps"] == 9


def test_finished_run_gives_its_answer_again_and_asks_no_model(cli: Cli, provider: Provider) -> None:
    provider.cells = ["Final = {'apples': P.count('apple')}"]
    first = cli(*ASK, "--json")
    asked = len(provider.asked)
    thread = listed(cli)[0]["thread"]
    again = cli("resume", thread, "--json")
    assert (again.status, json.loads(again.out)) == (0, json.loads(first.out))
    assert again.err == f"Thread   {thread} was answered now: no model is asked.\n"
    assert cli("resume", thread, "-q") == Ended(0, '{"apples": 2000}\n', "")
    assert len(provider.asked) == asked


def test_answer_at_a_limit_is_given_again_with_its_warning(cli: Cli, provider: Provider) -> None:
    provider.cells = [COUNT, FINAL]
    cli(*ASK, "--max-steps", "1")
    [run] = listed(cli)
    assert run["status"] == "limit"
    assert "Warning: A limit is reached" in cli("resume", run["thread"], "-q").err


def test_run_killed_after_its_last_step_gives_its_answer(cli: Cli, provider: Provider, state: Path) -> None:
    provider.cells = [FINAL]
    cli(*ASK)
    runs = Runs(state)
    [run] = runs.newest(1)
    asked = len(provider.asked)
    with closing(sqlite3.connect(runs.path, isolation_level=None)) as file:
        file.execute("UPDATE runs SET status = 'running', output = NULL")
    ended = cli("resume", run.thread, "--json")
    assert (ended.status, json.loads(ended.out)["answer"], len(provider.asked)) == (0, 2000, asked)


def test_run_killed_before_anything_of_it_was_stored_is_asked_again(cli: Cli, provider: Provider, state: Path) -> None:
    provider.cells = [FINAL]
    cli(*ASK)
    [run] = Runs(state).newest(1)
    with closing(sqlite3.connect(state / "runs.db", isolation_level=None)) as file:
        [[last]] = file.execute("SELECT max(checkpoint_id) FROM checkpoints WHERE checkpoint_ns = ''")
        file.execute("UPDATE runs SET status = 'running', output = NULL, since = ?", (last,))
    ended = cli("resume", run.thread)
    assert (ended.status, ended.out) == (2, "")
    assert f"Error: Thread {run.thread} ended before its question was stored: ask it again.\n" in ended.err


@posix
def test_text_from_standard_input_is_there_when_a_run_goes_on(cli: Cli, provider: Provider) -> None:
    provider.cells = ["Final = P[-5:] + llm_query('?')"]
    provider.replies_left = 1
    failed = cli("ask", "?", "-c", "-", "-m", "openai:fake", "--profile", "rlm", stdin="first piped")
    assert failed.status == 1 or "Error" in failed.err
    provider.replies_left = None
    assert cli("resume", thread_of(failed.err)).out == "pipedyes\n"


def test_changed_file_is_an_error_that_says_so(cli: Cli, provider: Provider) -> None:
    provider.replies_left = 0
    thread = thread_of(cli(*ASK).err)
    provider.replies_left = None
    provider.cells = [FINAL]
    Path("text.txt").write_text("pear")
    changed = cli("resume", thread, "-q")
    assert (changed.status, changed.out) == (2, "")
    assert "text.txt' has changed since the run began. Restore it" in changed.err
    Path("text.txt").write_text("apple\npear\n" * 2_000)
    assert cli("resume", thread).out == "2000\n"


@posix
def test_only_one_process_works_on_a_thread(cli: Cli, provider: Provider) -> None:
    provider.cells = [THREE]
    hold = Hold(provider, "item 2")
    process = Process(*ASK)
    process.wait_for(b"Thread")
    assert hold.reached.wait(600)
    thread = thread_of(process.screen)
    for refused in (("resume", thread), ("forget", thread), ("ask", "?", "--thread", thread)):
        ended = cli(*refused)
        assert (ended.status, ended.out) == (2, "")
        assert f"Error: Thread {thread} is running, in process {process.pid}: wait for its end, or stop it first." in (
            ended.err
        )
    hold.let_go()
    assert process.end() == (0, b'["ITEM 0", "ITEM 1", "ITEM 2"]\n')


@posix
def test_of_two_that_resume_a_run_at_once_one_does(cli: Cli, provider: Provider) -> None:
    thread = killed_in_the_middle_of_a_cell(cli, provider)
    hold = Hold(provider, "item 2")
    both = [Process("resume", thread, "-q") for _ in range(2)]
    assert hold.reached.wait(600)
    refused = [False, False]

    def one_is_refused() -> bool:
        for number, process in enumerate(both):
            refused[number] = process.has_ended()
        return any(refused)

    wait_until(one_is_refused)
    assert refused.count(True) == 1
    hold.let_go()
    ended = sorted(process.end() for process in both)
    assert ended == [(0, b'["ITEM 0", "ITEM 1", "ITEM 2"]\n'), (2, b"")]
    assert prompts(provider)["item 0"] == 1


def test_beginning_of_a_name_is_enough_where_it_is_of_one_thread(cli: Cli, provider: Provider, state: Path) -> None:
    provider.cells = [FINAL]
    for _ in range(2):
        cli(*ASK)
    with closing(sqlite3.connect(state / "runs.db", isolation_level=None)) as file:
        names = [name for [name] in file.execute("SELECT thread FROM runs ORDER BY rowid")]
        for old, new in zip(names, ("k3f9aaaa", "k3f9bbbb"), strict=True):
            file.execute("UPDATE runs SET thread = ? WHERE thread = ?", (new, old))
    assert cli("resume", "K3F9b").out == "2000\n"
    for wrong, said in (
        ("k3f9", '"k3f9" may be one of 2 threads (k3f9bbbb, k3f9aaaa): write more of its name.'),
        ("zz", 'There is no thread "zz". langgraph-rlm runs lists those there are.'),
        ("", 'There is no thread "". langgraph-rlm runs lists those there are.'),
    ):
        ended = cli("resume", wrong)
        assert (ended.status, ended.out, ended.err) == (2, "", f"Error: {said}\n")


# -- ask --------------------------------------------------------------------------------------------------------------


def test_further_question_finds_text_variables_and_settings(cli: Cli, provider: Provider) -> None:
    provider.cells = ["seen = P.count('apple')\nFinal = seen", "Final = [seen, len(P)]"]
    thread = thread_of(cli(*ASK, "--max-steps", "7").err)
    ended = cli("ask", "And then?", "--thread", thread[:4], "--max-tokens", "5000", "--json")
    assert ended.status == 0, ended.err
    output = json.loads(ended.out)
    assert (output["answer"], output["thread"], output["steps"]) == ([2000, 22000], thread, 1)
    [run] = listed(cli)
    assert (run["question"], run["status"], run["paths"], run["steps"]) == ("And then?", "answered", ["text.txt"], 1)
    assert (run["settings"]["max_steps"], run["settings"]["max_tokens"]) == (7, 5000)
    assert run["settings"]["model"] == "openai:fake"


def test_further_question_may_bring_another_text(cli: Cli, provider: Provider) -> None:
    Path("other.txt").write_text("plum " * 5_000)
    provider.cells = ["seen = P.count('apple')\nFinal = seen", "Final = [seen, P.count('plum')]"]
    thread = thread_of(cli(*ASK).err)
    assert json.loads(cli("ask", "?", "--thread", thread, "-c", "other.txt").out) == [2000, 5000]
    assert listed(cli)[0]["paths"] == ["other.txt"]


def test_further_question_goes_on_after_a_failure(cli: Cli, provider: Provider) -> None:
    provider.cells = ["seen = 1\nFinal = seen", "Final = seen + 1"]
    thread = thread_of(cli(*ASK).err)
    provider.replies_left = 0
    assert cli("ask", "And then?", "--thread", thread).status == 1
    provider.replies_left = None
    assert cli("resume", thread).out == "2\n"


@pytest.mark.parametrize("ending", ["answered", "failed"])
def test_ephemeral_run_leaves_nothing(cli: Cli, provider: Provider, state: Path, ending: str) -> None:
    provider.cells = [FINAL]
    provider.replies_left = 0 if ending == "failed" else None
    ended = cli(*ASK, "--ephemeral", "--json")
    assert not state.exists()
    assert "Thread" not in ended.err
    assert "Resume" not in ended.err
    if ending == "answered":
        assert json.loads(ended.out)["thread"] is None


def test_ephemeral_run_has_no_thread_to_ask_on(cli: Cli) -> None:
    assert cli(*ASK, "--ephemeral", "--thread", "k3f9").status == 2


@pytest.mark.parametrize(
    "refused",
    [
        ("ask", " ", "-c", "text.txt", "-m", "openai:fake"),
        ("ask", "?", "-c", "nowhere", "-m", "openai:fake"),
        ("ask", "?", "-c", "text.txt", "-m", "nonsense"),
        ("ask", "?", "-c", "text.txt", "-m", "openai:fake", "--timeout", "nan"),
        ("ask", "?", "--thread", "nowhere"),
    ],
)
def test_refused_question_leaves_no_run(cli: Cli, refused: tuple[str, ...]) -> None:
    assert cli(*refused).status == 2
    assert listed(cli) == []


def test_several_processes_keep_their_runs_in_one_file_from_the_first_moment(cli: Cli, provider: Provider) -> None:
    provider.cells = ["Final = llm_batch([str(i) for i in range(20)])[0]"]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "langgraph_rlm", *ASK, "-q"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(4)
    ]
    ended = [(*process.communicate(timeout=600), process.returncode) for process in processes]
    assert ended == [(b"yes\n", b"", 0)] * 4
    assert [run["status"] for run in listed(cli)] == ["answered"] * 4


# -- runs and forget --------------------------------------------------------------------------------------------------


def test_runs_are_listed_the_last_one_first(cli: Cli, provider: Provider) -> None:
    provider.cells = ["Final = llm_query('?')"]
    cli(*ASK)
    cli("ask", "Why?\tBecause\n[red]of \x1b[31m" + "x" * 1_000, "-c", "text.txt", "-m", "openai:fake")
    provider.replies_left = 0
    cli("ask", "Again?", "-c", "text.txt", "-m", "openai:fake")
    ended = cli("runs")
    header, *lines = ended.out.splitlines()
    assert header.split() == ["Thread", "Status", "Age", "Tokens", "Steps", "Calls", "Seconds", "Question"]
    assert [line[10:].split()[0] for line in lines] == ["failed", "answered", "answered"]
    assert "  now" in lines[0]
    assert re.search(r" 24 +1 +1 +\d+\.\d  Why\? Because \[red\]of \[31mx{370,} …$", lines[1])
    assert lines[2].endswith("  How many?")
    assert "\t" not in ended.out
    assert "\x1b" not in ended.out
    assert re.fullmatch(r"3 runs, \d\.\d MB in .*runs\.db\n", ended.err)
    short = cli("runs", "--limit", "1")
    assert len(short.out.splitlines()) == 2
    assert short.err.startswith("1 of 3 runs, ")


def test_list_as_json_has_what_resumes_a_run_and_no_key(cli: Cli, provider: Provider) -> None:
    provider.cells = [FINAL]
    cli(*ASK)
    ended = cli("runs", "--json")
    [run] = json.loads(ended.out)
    assert (run["question"], run["paths"], run["status"]) == ("How many?", ["text.txt"], "answered")
    assert run["created"].startswith("20")
    assert run["settings"]["model"] == "openai:fake"
    assert set(run) == {
        *("thread", "question", "paths", "settings", "created", "updated", "status"),
        *("tokens", "steps", "subcalls", "seconds"),
    }


def test_no_runs_are_an_empty_list(cli: Cli) -> None:
    ended = cli("runs")
    assert (ended.status, ended.out) == (0, "")
    assert ended.err.startswith("There are no runs in ")
    assert cli("runs", "--json").out == "[]\n"


def test_forgotten_runs_are_gone_and_their_space_is_given_back(cli: Cli, provider: Provider, state: Path) -> None:
    provider.cells = [FINAL]
    threads = []
    for number in range(3):
        text = "".join(f"{number}apple{i}\n" for i in range(200_000))
        ended = cli("ask", f"q{number}", "-c", "-", "-m", "openai:fake", stdin=text)
        threads.append(thread_of(ended.err))
    before = (state / "runs.db").stat().st_size
    ended = cli("forget", threads[0][:5], threads[1])
    assert (ended.status, ended.out) == (0, f"{threads[0]}  q0\n{threads[1]}  q1\n")
    assert re.fullmatch(r"2 forgotten, [1-9]\.\d MB given back\.\n", ended.err)
    assert (state / "runs.db").stat().st_size < before / 2
    assert [run["thread"] for run in listed(cli)] == [threads[2]]
    assert cli("resume", threads[0]).status == 2
    assert cli("ask", "?", "--thread", threads[2]).out == "200000\n"
    assert sorted(path.name for path in (state / "locks").iterdir()) == sorted(["layout", threads[2]])


def test_forget_refuses_what_is_not_there_before_it_deletes_anything(cli: Cli, provider: Provider) -> None:
    provider.cells = [FINAL]
    thread = thread_of(cli(*ASK).err)
    assert cli("forget", thread, "zz").status == 2
    assert cli("forget").status == 2
    assert cli("forget", thread, "--older-than", "1").status == 2
    assert len(listed(cli)) == 1


def test_forget_by_age_keeps_what_is_younger(cli: Cli, provider: Provider, state: Path) -> None:
    provider.cells = [FINAL]
    old, young = (thread_of(cli(*ASK).err) for _ in range(2))
    with closing(sqlite3.connect(state / "runs.db", isolation_level=None)) as file:
        file.execute("UPDATE runs SET updated = updated - 2.5 * 86400 WHERE thread = ?", (old,))
    assert "  2 d ago" in cli("runs").out
    assert cli("forget", "--older-than", "3").out == ""
    assert cli("forget", "--older-than", "2").out == f"{old}  How many?\n"
    assert [run["thread"] for run in listed(cli)] == [young]


# -- the file ---------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_nobody_else_can_read_the_runs(cli: Cli, provider: Provider, state: Path) -> None:
    umask = os.umask(0)
    try:
        provider.cells = [FINAL]
        cli(*ASK)
    finally:
        os.umask(umask)
    modes = {path.relative_to(state.parent).as_posix(): stat.S_IMODE(path.stat().st_mode) for path in state.rglob("*")}
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert modes["state/runs.db"] == 0o600
    assert modes["state/locks"] == 0o700


def test_folder_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LANGGRAPH_RLM_STATE", "")
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    assert state_folder() == tmp_path / ".local/state/langgraph-rlm"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    assert state_folder() == tmp_path / "xdg/langgraph-rlm"
    monkeypatch.setenv("XDG_STATE_HOME", "relative")  # to be ignored, as its specification has it
    assert state_folder() == tmp_path / ".local/state/langgraph-rlm"
    monkeypatch.setenv("LANGGRAPH_RLM_STATE", "~/own")
    assert state_folder() == tmp_path / "own"


@pytest.mark.parametrize("left", ["under way", "not committed"])
async def test_write_that_a_cancelled_run_leaves_is_stored(state: Path, left: str) -> None:
    kept = Kept(Runs(state), Run("k3f9aaaa", "?", (), Settings(), 0, 0), Story(), 0)
    config: Any = {"configurable": {"thread_id": "k3f9aaaa", "checkpoint_ns": "", "checkpoint_id": "1"}}
    with suppress(asyncio.CancelledError):
        async with kept.saver() as saver:
            await saver.setup()
            write = saver.aput_writes(config, [("journal", "answer")], "task")
            if left == "not committed":
                with patch.object(saver.conn, "commit", side_effect=asyncio.CancelledError):
                    await write
            under_way = asyncio.create_task(write)
            raise asyncio.CancelledError
    assert left == "not committed" or under_way.done()
    with closing(sqlite3.connect(state / "runs.db")) as file:
        assert file.execute("SELECT task_id FROM writes").fetchall() == [("task",)]


def a_file_in_the_way(state: Path) -> None:
    state.write_text("")


def a_damaged_file(state: Path) -> None:
    state.mkdir()
    (state / "runs.db").write_bytes(b"no database" * 1_000)


def a_newer_layout(state: Path) -> None:
    path = Runs(state).path
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize(
    ("unusable", "said"),
    [
        (a_file_in_the_way, "File exists"),
        (a_damaged_file, "the file is damaged"),
        (a_newer_layout, "a newer version of langgraph-rlm wrote them"),
    ],
)
def test_unusable_file_is_told_in_one_line_with_a_way_out(
    cli: Cli, provider: Provider, state: Path, unusable: Callable[[Path], None], said: str
) -> None:
    unusable(state)
    for command in (ASK, ("runs",), ("resume", "k3f9"), ("forget", "k3f9")):
        ended = cli(*command)
        assert (ended.status, ended.out, ended.err.count("\n")) == (1, "", 1)
        assert said in ended.err
        assert "--ephemeral" in ended.err
    provider.cells = [FINAL]
    assert cli(*ASK, "--ephemeral").out == "2000\n"


@posix
def test_full_disk_ends_the_run_with_a_way_out(cli: Cli, provider: Provider, state: Path) -> None:
    provider.cells = [COUNT, "Final = llm_batch(['x' * 30_000] * 20)"]
    Runs(state)
    limited = (
        "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000)); "
        "sys.argv[0] = 'langgraph_rlm'; runpy.run_module('langgraph_rlm', run_name='__main__')"
    )
    ended = subprocess.run([sys.executable, "-c", limited, *ASK, "-q"], capture_output=True, text=True, timeout=600)
    assert (ended.returncode, ended.stdout) == (1, "")
    error, how_to_go_on = ended.stderr.splitlines()
    assert error.startswith("Error: The runs in ")
    assert "--ephemeral" in error
    assert how_to_go_on.startswith("Resume with: ")
    assert cli("resume", listed(cli)[0]["thread"]).status == 0
