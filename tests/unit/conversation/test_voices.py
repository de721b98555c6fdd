"""Two voices: which model is spoken to in which, and what they say."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.messages.utils import count_tokens_approximately
from langchain_ollama import ChatOllama
from langchain_openai import ChatOpenAI

from benchmarks import prompts
from langgraph_rlm import Context, InvalidInput, Limits, create_rlm
from langgraph_rlm.conversation.voices import voice_for
from langgraph_rlm.models import resolve_model
from tests.fakes import InOrder, ScriptedModel, cell, rlm_of

ROOT = Path(__file__).parents[3]
TEXT = "ticket 1: angry\nticket 2: calm\n" * 400 + "Sum: 1234567\n"
GIVEN: Any = {"query": "What is the sum?", "context": TEXT}


def lookup(name: str) -> str:
    """Finds the orders of a customer."""
    return name


def told(voice: Any = "large", given: Any = GIVEN, **settings: Any) -> list[str]:
    """The system prompt and the first message."""
    model = ScriptedModel(cell("Final = len(P)"))
    rlm_of(model, voice=voice, **settings).invoke(given)
    return [str(message.text) for message in model.calls[0].messages]


@pytest.mark.parametrize(
    ("profile", "voice"),
    [(None, "large"), ({"max_input_tokens": 8_192}, "small"), ({"max_input_tokens": 32_000}, "large")],
)
def test_voice_goes_by_the_window(profile: Any, voice: str) -> None:
    assert voice_for(ScriptedModel(profile=profile), "auto").name == voice


def test_voice_goes_by_who_serves_where_the_window_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "none")
    for name, voice in (("openai:of-mine", "large"), ("anthropic:of-mine", "large"), ("ollama:of-mine", "small")):
        assert voice_for(resolve_model(name), "auto").name == voice
    assert voice_for(ChatOllama(model="of-mine", num_ctx=64_000), "auto").name == "large"
    small = ChatOpenAI(model="of-mine", profile={"max_input_tokens": 8_000})
    assert voice_for(small, "auto").name == "small"
    assert voice_for(small, "large").name == "large"


def test_each_depth_is_spoken_to_in_the_voice_of_its_model() -> None:
    root = ScriptedModel(cell("Final = rlm_query('How long?', P)"), profile={"max_input_tokens": 200_000})
    below = ScriptedModel(cell("Final = len(P)"), profile={"max_input_tokens": 8_000})
    create_rlm([root, below]).invoke({**GIVEN, "profile": "rlm"})
    assert "budget()" in root.calls[0].messages[0].text
    assert "budget()" not in below.calls[0].messages[0].text


def test_unknown_voice_is_refused() -> None:
    with pytest.raises(InvalidInput, match="unknown voice 'loud'"):
        create_rlm(ScriptedModel(), voice="loud")  # type: ignore[arg-type]


def test_large_voice_is_as_short_as_it_is_to_be() -> None:
    folder = Context.of([f"def function_{i}():\n    return {i}\n" * 50 for i in range(300)])
    given = {"query": "Where is `function_77`, and what does function_78 return?", "context": folder}
    system, opening = told(given=given, tools=[lookup], models={"fast": ScriptedModel()})
    assert count_tokens_approximately([SystemMessage(system)]) <= 900
    assert count_tokens_approximately([HumanMessage(opening)]) <= 600


def test_large_voice_says_what_there_is_and_guesses_nothing() -> None:
    system, opening = told(tools=[lookup])
    for name in ("grep(", "ctx.chunk(", "llm_map(", "schema=", "max_tokens=", "cite(", "budget()", "Error:", "8,000"):
        assert name in system
    assert "200 of 200 sub-calls left" in opening
    for hint in ("rows", "only place", "Empty"):
        assert hint not in opening


def test_sub_calls_are_told_of_where_there_are_some() -> None:
    [without, opening] = told(limits=Limits(max_depth=0))
    assert "llm_query" not in without
    assert "sub-calls" not in opening
    assert "rlm_query" not in told(limits=Limits(max_depth=1))[0]
    assert "rlm_query" in told(limits=Limits(max_depth=2))[0]


@pytest.mark.parametrize("voice", ["large", "small"])
def test_each_turn_says_what_is_left_and_not_the_question(voice: Any) -> None:
    query = "What is the sum? " * 40
    model = ScriptedModel(cell("x = llm_batch(['a', 'b', 'c'])"), cell("print(x)"), cell("Final = len(P)"))
    limits = Limits(max_steps=15, max_subcalls=20, max_seconds=600, max_tokens=1_000_000)
    rlm_of(model, voice=voice, limits=limits).invoke({**GIVEN, "query": query})
    second, third = (turn.told for turn in model.turns[1:])
    assert second.splitlines()[-1].startswith("Turn 2 of 15, 17 of 20 sub-calls left, ")
    assert "of 600 seconds left, " in second
    assert "of 1,000,000 tokens left" in second
    assert third.splitlines()[-1].startswith("Turn 3 of 15, 17 of 20 sub-calls left")
    assert "What is the sum?" not in second + third
    prompts_sent = [turn.conversation for turn in model.turns]
    assert all(later[: len(earlier)] == earlier for earlier, later in pairwise(prompts_sent))


@pytest.mark.parametrize("voice", ["large", "small"])
def test_nothing_found_is_told_where_a_search_found_nothing_and_printed_nothing(voice: Any) -> None:
    cells = [
        "hits = [line for line in P.splitlines() if 'ANGRY' in line]",
        "late = [line for line in P.splitlines() if 'ANGRY' in line]\nprint(len(late))",
        "seen = []\nkept = {}",
        "bad = grep('zzz', ['abc'])\nworse = grep('zzz', texts=['abc'])",
        "Final = len(P)",
    ]
    model = InOrder(script=[*map(cell, cells)])
    rlm_of(model, voice=voice).invoke(GIVEN)
    told = "\n".join(text for _, text in model.turns[-1].conversation)
    assert told.count("Empty: ") == 1
    assert "Empty: hits" in told


def test_variable_named_almost_like_the_answer_is_told_of_where_it_comes_last() -> None:
    model = ScriptedModel(cell("final = len(P)\nx = final + 1"), cell("final = x"), cell("Final = x"))
    rlm_of(model).invoke(GIVEN)
    assert ["`Final = final`" in turn.told for turn in model.turns[1:]] == [False, True]


def test_imports_are_not_listed_among_the_variables() -> None:
    model = ScriptedModel(cell("import csv, re\nfrom collections import Counter\nn = 1"), cell("Final = len(P)"))
    rlm_of(model).invoke(GIVEN)
    [line] = [line for line in model.turns[1].told.splitlines() if line.startswith("Variables: ")]
    assert "n (int)" in line
    assert "csv" not in line


# -- the user's own rules ---------------------------------------------------------------------------------------------


def test_system_prompt_replaces_the_rules_and_instructions_are_appended_to_it() -> None:
    [system, _] = told(system_prompt="Write Python in ```repl blocks.", instructions="Be brief.")
    assert system == "Write Python in ```repl blocks.\nBe brief.\n"


def test_system_prompt_may_be_made_of_the_default_at_each_depth() -> None:
    model = ScriptedModel(
        script={"How long": [cell("Final = len(P)")], "sum": [cell("Final = rlm_query('How long?', P)")]}
    )
    seen: list[int] = []

    def own(default: str, depth: int) -> str:
        seen.append(depth)
        return f"{default}\nThis is depth {depth}."

    rlm_of(model, system_prompt=own, limits=Limits(max_depth=3)).invoke(GIVEN)
    systems = [str(turn.messages[0].text) for turn in model.turns]
    assert [system.splitlines()[-1] for system in systems] == ["This is depth 0.", "This is depth 1."]
    assert set(seen) == {0, 1, 2}


@pytest.mark.parametrize("given", ["", "  ", 7, ["x"], lambda default, depth: None])
def test_system_prompt_that_is_none_is_refused_before_anything_is_asked(given: Any) -> None:
    with pytest.raises(InvalidInput, match="system_prompt"):
        create_rlm(ScriptedModel(), system_prompt=given)


@pytest.mark.parametrize("voice", ["large", "small"])
def test_page_of_prompts_has_a_whole_run_in_each_voice(voice: Any) -> None:
    turns, _ = prompts.conversations(voice)
    assert [message.type for message in turns[:3]] == ["system", "human", "ai"]
    assert "Error:" in turns[-1].text


def test_page_of_prompts_is_what_the_code_says() -> None:
    assert (ROOT / "docs" / "prompts.md").read_text() == prompts.page()
