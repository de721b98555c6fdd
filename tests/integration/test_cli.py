"""The command line, with a model that a server on this machine plays."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from langgraph_rlm.cli import demo
from tests.integration.command_line import ASK, COUNT, FINAL, Cli, Process, Provider, alive, posix


def test_answer_alone_is_on_standard_output_and_the_steps_on_standard_error(cli: Cli, provider: Provider) -> None:
    provider.cells = [COUNT, FINAL]
    ended = cli(*ASK)
    assert (ended.status, ended.out) == (0, "2000\n")
    assert "\x1b" not in ended.err
    shown = ended.err.splitlines()
    assert shown[:2] == ["Context  22,000 characters in 1 document, some 5,500 tokens", "Model    openai:fake"]
    assert re.fullmatch("Thread   [2-9a-z]{8}", shown[2])
    assert shown[3:-2] == ["", "Step 1", f"    {COUNT}", "  output", "    2000", "", "Step 2", f"    {FINAL}"]
    assert shown[-1].startswith("Done     2 steps, 0 sub-calls, 24 tokens, ")


def test_json_is_one_object_with_the_answer_and_what_it_took(cli: Cli, provider: Provider) -> None:
    provider.cells = ["Final = {'apples': P.count('apple'), 'said': llm_query('Well?')}"]
    ended = cli(*ASK, "--json", "--quiet")
    assert (ended.status, ended.err) == (0, "")
    output = json.loads(ended.out)
    assert output.pop("seconds") > 0
    assert len(output.pop("thread")) == 8
    assert output.pop("usage")["fake"]["total_tokens"] == 24
    assert output == {
        "answer": {"apples": 2_000, "said": "yes"},
        "status": "answered",
        "route": "rlm",
        "profile": "auto",
        "steps": 1,
        "subcalls": 1,
        "model": "openai:fake",
    }


def test_short_text_is_answered_by_one_call(cli: Cli, provider: Provider) -> None:
    Path("short.txt").write_text("one apple")
    ended = cli("ask", "How many?", "-c", "short.txt", "-m", "openai:fake")
    assert (ended.status, ended.out) == (0, "yes\n")
    assert "1 document, some 2 tokens" in ended.err
    assert len(provider.asked) == 1


def test_field_of_the_text_is_found_without_a_model(cli: Cli, provider: Provider) -> None:
    Path("invoice.txt").write_text("Invoice number: 5\nTotal: 7\n")
    asked = ("ask", "What is the total?", "-c", "invoice.txt", "-m", "openai:fake", "--profile", "deterministic_first")
    ended = cli(*asked)
    assert (ended.status, ended.out) == (0, "7\n")
    assert "0 tokens" in ended.err
    assert ended.err.endswith("(extract)\n")
    assert not provider.asked


def test_settings_reach_the_run(cli: Cli, provider: Provider) -> None:
    provider.cells = [
        "while True: pass",
        "try:\n    llm_query('?')\nexcept RuntimeError as error:\n    Final = str(error)",
    ]
    ended = cli(*ASK, "--max-depth", "0", "--timeout", "0.05", "--instructions", "Be brave.", "--profile", "rlm")
    assert (ended.status, ended.out) == (0, "sub-calls are not available here: answer with Python alone\n")
    assert "the cell ran longer than 0.05 s" in ended.err
    assert "Be brave." in provider.asked[0][0]["content"]


def test_dialect_is_that_of_the_run_and_of_its_thread(cli: Cli, provider: Provider) -> None:
    ending = "answer['content'] = n\nanswer['ready'] = True"
    provider.cells = [f"n = len(context)\n```\n\n```repl\n{ending}", f"n += 1\n{ending}"]
    first = cli(*ASK, "--dialect", "answer")
    assert (first.status, first.out) == (0, "22000\n")
    assert first.err.index("n = len(context)") < first.err.index("answer['content'] = n")
    assert "Done     1 step, " in first.err
    [thread] = re.findall("Thread   ([2-9a-z]{8})", first.err)
    assert cli("ask", "And now?", "--thread", thread).out == "22001\n"
    assert "Turn 1/30:" in provider.asked[-1][-1]["content"]


def test_answer_has_the_form_of_a_schema(cli: Cli, provider: Provider) -> None:
    Path("form.json").write_text('{"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}')
    provider.cells = ["Final = 'many'", "Final = {'n': P.count('apple')}"]
    ended = cli(*ASK, "--schema", "form.json")
    assert (ended.status, ended.out) == (0, '{"n": 2000}\n')
    provider.cells = ["Final = 1", "Final = 2", "Final = {'n': 3}"]
    [thread] = re.findall("Thread   ([2-9a-z]{8})", ended.err)
    assert cli("ask", "And now?", "--thread", thread).out == '{"n": 3}\n'


@pytest.mark.parametrize(
    ("text", "why"),
    [(None, "cannot be read"), ("{", "cannot be read"), ("3", "object"), ('{"type": 3}', "no JSON schema")],
)
def test_file_that_is_no_schema_is_refused(cli: Cli, provider: Provider, text: str | None, why: str) -> None:
    if text is not None:
        Path("form.json").write_text(text)
    ended = cli(*ASK, "--schema", "form.json")
    assert ended.status == 2
    assert why in ended.err
    assert not provider.asked


@pytest.mark.parametrize("verdict", ["supports", "contradicts"])
def test_sources_and_their_check_are_told(cli: Cli, provider: Provider, verdict: str) -> None:
    provider.cells = ["cite('apple\\npear')\nFinal = 2"]
    provider.answer = lambda prompt: json.dumps({"verdict": verdict, "reason": "so it is"})
    ended = cli(*ASK, "--profile", "verify", "--json")
    output = json.loads(ended.out)
    assert output["verification"]["verified"] is (verdict == "supports")
    assert output["citations"][0]["quote"] == "apple\npear"
    assert "Source   text.txt: “apple pear”" in ended.err
    told = "Checked  the answer holds" if verdict == "supports" else "Warning: The answer did not hold"
    assert told in ended.err


def test_reached_limit_is_an_answer_with_a_warning_also_when_quiet(cli: Cli, provider: Provider) -> None:
    provider.cells = [COUNT, FINAL]
    ended = cli(*ASK, "--max-steps", "1", "-q")
    assert (ended.status, ended.out) == (0, "2000\n")
    assert ended.err.startswith("Warning: max_steps is reached")
    assert ended.err.count("\n") == 1


def test_children_and_failed_sub_calls_are_told(cli: Cli, provider: Provider) -> None:
    def answer(prompt: str) -> str:
        if "bad" in prompt:
            raise RuntimeError
        return "good"

    provider.answer = answer
    provider.cells = [
        "Final = ctx.num_documents() if P == 'child' else [rlm_query('child'), *llm_batch(['bad', 'fine'])]"
    ]
    ended = cli(*ASK, "--json")
    assert json.loads(ended.out)["answer"][::2] == ["1", "good"]
    assert "  sub-call 1 (RLM, 1 step): 1\n" in ended.err
    assert "  3 sub-calls, 1 of them failed\n  failed: " in ended.err


def test_standard_input_and_files_are_one_context(cli: Cli, provider: Provider) -> None:
    provider.cells = ["Final = [d['name'] for d in ctx.metadata] + [P[-5:]]"]
    ended = cli("ask", "?", "-c", "-", "-c", "*.txt", "-m", "openai:fake", "--profile", "rlm", "-q", stdin="piped")
    assert json.loads(ended.out) == ["text.txt", "standard input", "piped"]


def test_documents_of_several_folders_keep_the_folder_in_their_names(cli: Cli, provider: Provider) -> None:
    for name in ("src/logging/config.py", "src/email/header.py"):
        Path(name).parent.mkdir(parents=True)
        Path(name).write_text("text")
    provider.cells = ["Final = [d['name'] for d in ctx.metadata]"]
    asked = ("ask", "?", "-m", "openai:fake", "--profile", "rlm", "-q", "-c", "src/logging")
    assert json.loads(cli(*asked).out) == ["config.py"]
    assert json.loads(cli(*asked, "-c", "src/email/").out) == ["logging/config.py", "email/header.py"]
    with_input = cli(*asked, "-c", "-", "-c", "src/email", stdin="piped")
    assert json.loads(with_input.out) == ["logging/config.py", "email/header.py", "standard input"]


def test_what_of_the_files_is_left_out_is_told(cli: Cli) -> None:
    Path("binary").write_bytes(b"\0")
    Path("latin").write_bytes(b"caf\xe9")
    ended = cli("ask", "?", "-c", ".", "-m", "openai:fake", "--profile", "direct")
    assert "Skipped  1 binary file\nReplaced 1 byte not in UTF-8\n" in ended.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("ask", " ", "-c", "text.txt"), "The question is empty"),
        (("ask", "?", "-c", "nowhere.txt"), "'nowhere.txt' cannot be read: No such file"),
        (("ask", "?", "-c", "*.pdf"), "'*.pdf' has no files"),
        (("ask", "?", "-c", "empty"), "The context is empty"),
        (("ask", "?", "-c", "-"), "The context is empty"),
        (("ask", "?"), "There is no context: name a file, a folder or a glob with --context, or read standard input"),
        (("ask", "?", "-c", "text.txt", "-m", "nonsense"), 'Unknown model "nonsense"'),
    ],
)
def test_unusable_request_is_refused_in_one_line_before_a_model_is_asked(
    cli: Cli, provider: Provider, arguments: Sequence[str], said: str
) -> None:
    Path("empty").touch()
    ended = cli(*arguments, "-q")
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith(f"Error: {said}")
    assert ended.err.count("\n") == 1
    assert not provider.asked


@pytest.mark.parametrize(
    "arguments",
    [
        ("ask",),
        (*ASK, "--max-steps", "0"),
        (*ASK, "--max-tokens", "many"),
        (*ASK, "--timeout", "nan"),
        (*ASK, "--profile", "nonsense"),
        (*ASK, "--nonsense"),
        ("nonsense",),
    ],
)
def test_bad_usage_is_explained(cli: Cli, arguments: Sequence[str]) -> None:
    ended = cli(*arguments)
    assert (ended.status, ended.out) == (2, "")
    assert "Usage: langgraph-rlm" in ended.err


def test_failed_run_says_why_in_one_line(cli: Cli, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    provider.cells = []  # any question about code fails
    ended = cli(*ASK, "-q")
    assert (ended.status, ended.out) == (1, "")
    error, how_to_go_on = ended.err.splitlines()
    assert error.startswith("Error: ")
    assert error.endswith(" The model that was asked: openai:fake.")
    assert re.fullmatch("Resume with: langgraph-rlm resume [2-9a-z]{8}", how_to_go_on)
    assert "Traceback" in cli(*ASK, "-q", "--debug").err


def test_missing_key_is_a_failed_run(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    ended = cli(*ASK, "-q")
    assert (ended.status, ended.err) == (1, "Error: openai:fake needs a key: set OPENAI_API_KEY.\n")


def test_without_any_model_the_remedies_are_named(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.setenv("LANGGRAPH_RLM_MODEL", "")
    monkeypatch.setattr("langgraph_rlm.models.default_model_name", lambda: "local")
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    ended = cli("ask", "?", "-c", "text.txt", "-q")
    assert (ended.status, ended.out) == (1, "")
    assert "pip install" in ended.err
    assert "--model" in ended.err
    assert ended.err.count("\n") == 1


COMMANDS = ("ask", "resume", "runs", "forget", "demo")


@pytest.mark.parametrize("command", [("--help",), *((name, "--help") for name in COMMANDS), ("demo", "-h")])
def test_help_is_on_standard_output(cli: Cli, command: Sequence[str]) -> None:
    ended = cli(*command)
    assert (ended.status, ended.err) == (0, "")
    assert "Usage: langgraph-rlm" in ended.out


def test_help_names_every_option_default_and_example(cli: Cli) -> None:
    shown = " ".join(cli("ask", "--help").out.replace("│", "").split())
    for name in ("context", "model", "sub-model", "profile", "thread", "ephemeral", "max-depth", "max-steps", "json"):
        assert f"--{name}" in shown
    assert "[default: 200]" in shown
    assert "auto|direct|rlm" in shown
    assert "-c -" in shown


def test_demo_compares_the_answer_with_plain_python(
    cli: Cli, provider: Provider, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    library = tmp_path / "library"
    (library / "site-packages").mkdir(parents=True)
    (library / "json").mkdir()
    (library / "os.py").write_text(demo.WANTED)
    (library / "json" / "tool.py").write_text(demo.WANTED * 2)
    (library / "site-packages" / "other.py").write_text(demo.WANTED)
    monkeypatch.setattr(demo, "root", lambda: library)

    from langchain.chat_models import init_chat_model

    monkeypatch.setattr("langgraph_rlm.models.local_chat_model", lambda _: init_chat_model("openai:fake"))
    provider.cells = [f"Final = P.count({demo.WANTED!r})"]
    right = cli("demo")
    assert (right.status, right.out) == (0, "3\n")
    assert right.err.splitlines()[-1] == "Right: plain Python counts 3 too."
    provider.cells = ["Final = 4"]
    wrong = cli("demo")
    assert (wrong.status, wrong.out) == (1, "4\n")
    assert wrong.err.splitlines()[-1] == "Wrong: plain Python counts 3."


# -- real processes -------------------------------------------------------------------------------------------------


@posix
def test_terminal_shows_bars_and_code_and_nothing_that_a_document_makes_it_do(provider: Provider) -> None:
    Path("evil.txt").write_text("\x1b]0;owned\x07\x1b[2J[red]apple[/red]\n" * 2_000)
    held, release = threading.Event(), threading.Event()

    def answer(prompt: str) -> str:
        if prompt == "item 3":
            held.set()
            release.wait(600)
        return "\x1b[2J\x9b2J"

    provider.answer = answer
    provider.cells = [
        "for line in P.splitlines()[:2]:\n    print(line)\nprint(llm_batch([f'item {i}' for i in range(4)]))",
        FINAL,
    ]
    process = Process("ask", "How many?", "-c", "evil.txt", "-m", "openai:fake")
    process.wait_for(b" of 4")
    assert held.wait(600)
    process.wait_for(b"3 of 4")
    release.set()
    status, out = process.end()
    assert (status, out) == (0, b"2000\n")
    assert b"]0;owned" in process.screen  # the text of it, without what makes it an order
    for order in (b"\x1b]0;owned", b"\x07", b"\x1b[2J", b"\x9b"):
        assert order not in process.screen
    assert process.screen.rfind(b"\x1b[?25h") > process.screen.rfind(b"\x1b[?25l")
    assert b"\xe2\x94\x81" in process.screen
    assert b"[red]apple[/red]" in process.screen


@posix
@pytest.mark.parametrize("cell", ["print(llm_query('wait'))", "while True: pass"], ids=["sub-call", "endless cell"])
def test_ctrl_c_ends_run_and_workers_and_leaves_the_terminal_as_it_was(provider: Provider, cell: str) -> None:
    release = threading.Event()
    provider.answer = lambda prompt: str(release.wait(600))
    provider.cells = [cell]
    process = Process(*ASK, "--timeout", "600")
    process.wait_for(b" of 1" if "llm" in cell else b"the code runs")
    workers = process.children()
    process.press_ctrl_c()
    status, out = process.end()
    release.set()
    assert workers
    assert not alive(workers)
    assert (status, out) == (130, b"")
    assert b"Traceback" not in process.screen
    assert b"Stopped." in process.screen.splitlines()[-2]
    assert b"Resume with: " in process.screen.splitlines()[-1]
    assert process.screen.rfind(b"\x1b[?25h") > process.screen.rfind(b"\x1b[?25l")


@posix
def test_termination_is_clean_too(provider: Provider) -> None:
    release = threading.Event()
    provider.answer = lambda prompt: str(release.wait(600))
    provider.cells = ["llm_batch(['a', 'b'])"]
    process = Process(*ASK)
    process.wait_for(b"0 of 2")
    workers = process.children()
    process.send(signal.SIGTERM)
    status, _ = process.end()
    release.set()
    assert workers
    assert not alive(workers)
    assert status == 143


def test_reader_that_has_read_enough_is_no_error(provider: Provider) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        [sys.executable, "-m", "langgraph_rlm", *ASK, "-q", "--profile", "direct"],
        stdout=writing,
        stderr=subprocess.PIPE,
        timeout=600,
    )
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (0, b"")
