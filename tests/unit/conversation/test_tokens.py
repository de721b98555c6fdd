"""A history that fills the model's window is summarised once, and what providers cache is asked for and counted."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.exceptions import ContextOverflowError
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatResult
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import SecretStr

from langgraph_rlm import Limits, Sandbox, create_rlm
from langgraph_rlm.asking.model_calls import is_overflow
from langgraph_rlm.conversation import prompts
from langgraph_rlm.conversation.history import SHARE
from langgraph_rlm.repl import repl_state
from tests.fakes import QUERY, Called, KilledAt, ScriptedModel, cell, rlm_of, said

GIVEN = {"query": QUERY, "context": "a text"}
THREAD: Any = {"configurable": {"thread_id": "1"}}
WINDOW = 3_000


class Windowed(ScriptedModel):
    """Has a window, counts four characters as a token, and says a summary when it is asked for one."""

    cells: tuple[str, ...] = ()
    summary: str = "I have seen a lot."
    failure: Any = None
    """What happens instead of a summary."""
    refuses: bool = False
    """Whether more than the window is an error."""
    knows_window: bool = True

    def model_post_init(self, context: Any) -> None:
        super().model_post_init(context)
        self.profile = {"max_input_tokens": WINDOW} if self.knows_window else None

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        with self._noted(messages) as call:
            size = sum(len(message.text) for message in messages) // 4
            if self.refuses and size > WINDOW:
                raise ContextOverflowError("too long")
            if is_summary(call) and self.failure:
                raise self.failure
            text = self.summary if is_summary(call) else cell(self.next_cell(call))
            return said(text, (size, len(text) // 4), self.reports)

    def next_cell(self, call: Called) -> str:
        own = [call for call in self.turns if not is_summary(call)]
        return self.cells[min(len(own), len(self.cells)) - 1]


class Following(Windowed):
    """Writes what comes after what the latest output shows, whatever it was asked before."""

    def next_cell(self, call: Called) -> str:
        shown = re.findall(r"line (\d+) ", call.told)
        return self.cells[int(shown[-1]) + 1 if shown else 0]


@pytest.mark.parametrize(
    ("failure", "is_one"),
    [
        (ContextOverflowError("too long"), True),
        (
            ValueError("request (10674 tokens) exceeds the available context size (8192 tokens), try increasing it"),
            True,
        ),
        (ValueError("This model's maximum context length is 4096 tokens. However, you requested 5000 tokens"), True),
        (ValueError("The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."), True),
        (ValueError("prompt is too long: 210000 tokens > 200000 maximum"), True),
        (ValueError("max_tokens: 100000 > 8192, which is the maximum allowed number of output tokens"), False),
        (ConnectionError("exceeded the maximum of retries in the context of this request"), False),
        (ValueError("invalid api key"), False),
    ],
)
def test_prompt_that_exceeds_the_window_is_known_by_what_servers_say(failure: Exception, is_one: bool) -> None:
    assert is_overflow(failure) is is_one


def is_summary(call: Called) -> bool:
    return call.told.endswith(prompts.SUMMARISE)


def summaries_of(model: ScriptedModel) -> list[Called]:
    return [call for call in model.turns if is_summary(call)]


def prompts_of(model: ScriptedModel) -> list[list[str]]:
    return [[message.text for message in call.messages] for call in model.turns]


def talk(number: int) -> str:
    """A cell that prints some lines and keeps what it found."""
    return f"found_{number} = {number}\nprint('line {number} ' * 60)"


STEPS = tuple(talk(number) for number in range(12))


def test_history_that_fills_the_window_is_summarised_and_the_run_goes_on() -> None:
    model = Windowed(cells=(*STEPS, "Final = [found_0, found_11, past_steps[1][:40], len(past_steps)]"))
    out = rlm_of(model).invoke(GIVEN)
    assert out["answer"][:2] == [0, 11]
    [summarising] = summaries_of(model)
    at = model.turns.index(summarising)
    sizes = [sum(map(len, texts)) // 4 for texts in prompts_of(model)]
    assert max(sizes) <= WINDOW
    assert sizes[at] + 50 > SHARE * WINDOW
    assert sizes[at + 1] < sizes[at] / 2
    after = "\n".join(prompts_of(model)[at + 1])
    assert model.summary in after
    assert f"line {at - 1} " in after  # the latest output stands as it was
    assert "line 0 " not in after
    assert QUERY in after
    assert "`P` has" in after
    # what was said is in a variable: reply and output by turns
    assert out["answer"][2] == cell(talk(0))[:40]
    assert out["answer"][3] == 2 * at
    assert out["steps"] == 13
    used = out["usage"]["scripted-1"]
    assert used["input_tokens"] == sum(sizes)


def test_each_prompt_begins_with_the_one_before_but_for_the_summary() -> None:
    model = Windowed(cells=(*map(talk, range(30)), "Final = 1"))
    rlm_of(model, limits=Limits(max_steps=50)).invoke(GIVEN)
    breaks = 0
    for before, after in zip(prompts_of(model), prompts_of(model)[1:], strict=False):
        grown = after[: len(before) - 1] == before[:-1] and after[len(before) - 1].startswith(before[-1])
        breaks += not grown
        for roles in [[message.type for message in call.messages] for call in model.turns]:
            assert roles == ["system", *(["human", "ai"] * len(roles))[: len(roles) - 1]]
    assert len(summaries_of(model)) >= 2
    assert breaks == len(summaries_of(model))


def test_history_that_turns_out_too_long_is_cut() -> None:
    """Where LangChain does not know the window, the provider's refusal tells."""
    model = Windowed(cells=(*STEPS, *STEPS, "Final = [found_0, len(past_steps)]"), refuses=True, knows_window=False)
    out = rlm_of(model).invoke(GIVEN)
    assert out["answer"][0] == 0
    assert out["answer"][1] > 10
    assert not summaries_of(model)
    assert sum(prompts.LEFT_OUT in "".join(texts) for texts in prompts_of(model)) > 1


def test_run_killed_after_a_summary_goes_on_with_it() -> None:
    saver, cells = InMemorySaver(), (*STEPS, "Final = [found_3, len(past_steps)]")
    whole = rlm_of(Windowed(cells=cells)).invoke(GIVEN)["answer"]
    model = Windowed(cells=cells)
    rlm_of(model, checkpointer=saver, interrupt_before=["generate"]).invoke(GIVEN, THREAD)
    for _ in range(13):  # each step in a new process, as it were
        out = rlm_of(model, checkpointer=saver, interrupt_before=["generate"]).invoke(None, THREAD)
    assert out["answer"] == whole
    assert len(summaries_of(model)) == 1


def test_run_killed_at_any_write_repeats_one_turn_at_most() -> None:
    cells = (*STEPS, "Final = [found_3, len(past_steps)]")
    undisturbed = Following(cells=cells)
    expected = rlm_of(undisturbed).invoke(GIVEN)
    assert len(summaries_of(undisturbed)) == 1
    repeated = []
    for writes in range(3, 60):
        model = Following(cells=cells)
        rlm = rlm_of(model, checkpointer=KilledAt(writes))
        try:
            out = rlm.invoke(GIVEN, THREAD)
        except KeyboardInterrupt:
            out = rlm.invoke(None, THREAD)
        assert out["answer"] == expected["answer"], writes
        repeated.append(len(model.turns) - len(undisturbed.turns))
    assert set(repeated) == {0, 1, 2}, repeated  # the turn that makes the summary is two calls


@pytest.mark.parametrize("checkpointer", [None, InMemorySaver()], ids=["not stored", "stored"])
@pytest.mark.parametrize(
    "reply",
    [
        "I think I know it.",
        cell("1 / 0"),
        cell("while True: pass"),
        cell("x = 'a' * 10**10"),
        cell("past_steps = None"),
        cell("past_steps.clear()"),
    ],
)
def test_past_steps_are_there_whatever_the_next_reply_does(reply: str, checkpointer: Any) -> None:
    class Model(Following):
        def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
            if self.turns and is_summary(self.turns[-1]):
                with self._noted(messages):
                    return said(reply, (500, 10), self.reports)
            return super()._generate(messages, *args, **kwargs)

        def next_cell(self, call: Called) -> str:
            return "Final = [type(x).__name__ for x in past_steps]" if summaries_of(self) else super().next_cell(call)

    rlm = rlm_of(Model(cells=STEPS), sandbox=Sandbox(timeout=0.5), checkpointer=checkpointer)
    answer = rlm.invoke(GIVEN, {"configurable": {"thread_id": reply}})["answer"]
    assert answer == ["str"] * len(answer)
    assert len(answer) > 10


def test_past_steps_outlive_a_cell_that_was_too_large_to_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repl_state, "DUMPS_WORTH", -1)

    class Model(Following):
        def next_cell(self, call: Called) -> str:
            if "too large to be kept" in call.told:
                assert "x (str" not in call.told
                return "Final = len(past_steps)"
            return "x = 'ab' * 7_000_000" if summaries_of(self) else super().next_cell(call)

    rlm = rlm_of(Model(cells=STEPS), sandbox=Sandbox(memory=8_000_000), checkpointer=InMemorySaver())
    assert rlm.invoke(GIVEN, THREAD)["answer"] > 10


def test_past_steps_outlive_a_cell_that_a_new_question_dropped() -> None:
    class Model(Following):
        def next_cell(self, call: Called) -> str:
            if "second?" in call.told:
                return "Final = len(past_steps)"
            return "llm_query('x')" if summaries_of(self) else super().next_cell(call)

    saver, model = InMemorySaver(), Model(cells=STEPS)
    rlm_of(model, checkpointer=saver, interrupt_before=["subcall"]).invoke(GIVEN, THREAD)
    assert rlm_of(model, checkpointer=saver).invoke({"query": "second?"}, THREAD)["answer"] > 10


@pytest.mark.parametrize("broken", [{"failure": ValueError("refused")}, {"summary": " \n"}])
def test_run_goes_on_without_a_summary_that_cannot_be_had(broken: dict[str, Any]) -> None:
    model = Following(cells=(*STEPS, "Final = [found_0, found_11, len(past_steps)]"), **broken)
    out = rlm_of(model).invoke(GIVEN)
    assert out["answer"][:2] == [0, 11]
    [summarising] = summaries_of(model)
    after = prompts_of(model)[model.turns.index(summarising) + 1]
    assert any(prompts.LEFT_OUT in text for text in after)
    assert sum(map(len, after)) < sum(map(len, [message.text for message in summarising.messages])) / 2


def test_summary_is_not_asked_for_at_each_step_of_a_window_that_is_too_small() -> None:
    model = Windowed(cells=(*STEPS, "Final = 1"))
    model.profile = {"max_input_tokens": 500}
    assert rlm_of(model).invoke(GIVEN)["answer"] == 1
    places = [place for place, call in enumerate(model.turns) if is_summary(call)]
    assert len(places) > 1
    assert all(later - earlier > 2 for earlier, later in pairwise(places))


def test_history_of_a_child_is_summarised_too() -> None:
    class Model(Following):
        def next_cell(self, call: Called) -> str:
            if "Question: child" in call.messages[1].text:
                return super().next_cell(call)
            return "x = rlm_query('child', 'its text')\nFinal = x"

    model = Model(cells=(*STEPS, "Final = [found_0, found_11, len(past_steps) > 10]"))
    out = rlm_of(model).invoke(GIVEN)
    assert out["answer"] == "[0, 11, true]"
    [summarising] = summaries_of(model)
    assert "Question: child" in summarising.messages[1].text
    sizes = [sum(map(len, texts)) // 4 for texts in prompts_of(model)]
    assert out["usage"]["scripted-1"]["input_tokens"] == sum(sizes)


def test_limit_that_is_reached_by_a_summary_gives_the_last_turn() -> None:
    model = Windowed(cells=(*STEPS, "Final = 1"))
    out = rlm_of(model, limits=Limits(max_tokens=14_000)).invoke(GIVEN)
    assert out["status"] == "limit"
    assert "last turn" in model.turns[-1].told


def test_latest_text_is_told_after_a_summary() -> None:
    model = Windowed(cells=(*STEPS[:4], "Final = 1", *STEPS, "Final = 2"))
    rlm = rlm_of(model, checkpointer=InMemorySaver())
    rlm.invoke({"query": "first?", "context": "the first text"}, THREAD)
    assert rlm.invoke({"query": "second?", "context": "the second text"}, THREAD)["answer"] == 2
    last = "\n".join(prompts_of(model)[-1])
    assert "the second text" in last
    assert "the first text" not in last
    assert "second?" in last


def test_question_that_is_being_answered_is_told_whole_after_a_summary() -> None:
    model = Windowed(cells=(*STEPS[:4], "Final = 1", *STEPS, "Final = 2"))
    rlm = rlm_of(model, checkpointer=InMemorySaver())
    rlm.invoke({"query": "first?", "context": "the text"}, THREAD)
    question = "second? " + "with a condition, " * 40 + "and the last word"
    assert rlm.invoke({"query": question}, THREAD)["answer"] == 2
    assert any(call.told.endswith(prompts.SUMMARISE) for call in model.turns)
    last = "\n".join(prompts_of(model)[-1])
    assert question in last
    assert "the text" in last


# -- providers --------------------------------------------------------------------------------------------------------


@contextmanager
def provider(reply: Any) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server with the address and the bodies of what it was asked; `reply` gives a body for each."""
    asked: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            body = json.dumps(reply(asked[-1])).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.send_header("connection", "close")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


CODE = cell("Final = llm_query('x')")


def test_anthropic_is_told_to_keep_the_conversation_and_cached_tokens_are_counted() -> None:
    def reply(asked: dict[str, Any]) -> dict[str, Any]:
        cached = {"cache_read_input_tokens": 60, "cache_creation_input_tokens": 30} if "system" in asked else {}
        return {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": asked["model"],
            "content": [{"type": "text", "text": CODE if "system" in asked else "yes"}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": {"input_tokens": 10, "output_tokens": 5, **cached},
        }

    with provider(reply) as (url, asked):
        model = ChatAnthropic(
            model_name="claude-sonnet-5-5", base_url=url, api_key=SecretStr("none"), timeout=30, stop=[]
        )
        out = create_rlm(model).invoke({**GIVEN, "profile": "rlm"})
    assert out["answer"] == "yes"
    assert [body.get("cache_control") for body in asked] == [{"type": "ephemeral"}, None]
    used = out["usage"]["claude-sonnet-5-5"]
    assert (used["input_token_details"]["cache_read"], used["input_token_details"]["cache_creation"]) == (60, 30)
    assert used["input_tokens"] == 10 + 60 + 30 + 10


def test_cached_tokens_of_openai_are_counted() -> None:
    def reply(asked: dict[str, Any]) -> dict[str, Any]:
        is_turn = asked["messages"][0]["role"] == "system"
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": asked["model"],
            "choices": [
                {
                    "index": 0,
                    "finish_reason": "stop",
                    "message": {"role": "assistant", "content": CODE if is_turn else "yes"},
                }
            ],
            "usage": {
                "prompt_tokens": 100,
                "completion_tokens": 5,
                "total_tokens": 105,
                "prompt_tokens_details": {"cached_tokens": 64 if is_turn else 0},
            },
        }

    with provider(reply) as (url, asked):
        model = ChatOpenAI(model="gpt", base_url=f"{url}/v1", api_key=SecretStr("none"))
        out = create_rlm(model).invoke({**GIVEN, "profile": "rlm"})
    assert (out["answer"], len(asked)) == ("yes", 2)
    assert not any("cache_control" in body for body in asked)
    assert out["usage"]["gpt"]["input_token_details"]["cache_read"] == 64


@pytest.mark.parametrize("code", ["ask_chunks('What?', chunks)", "[llm_query('What?', chunk) for chunk in chunks]"])
def test_prompts_about_many_chunks_begin_with_what_they_share(code: str) -> None:
    model = ScriptedModel(cell(f"chunks = ['one', 'two', 'three']\nFinal = {code}"))
    rlm_of(model).invoke(GIVEN)
    assert len(model.asked) == 3
    assert {told.rsplit("\n\n", 1)[0] for told in model.asked} == {model.asked[0].rsplit("\n\n", 1)[0]}
    assert sorted(told.rsplit("\n\n", 1)[1] for told in model.asked) == ["one", "three", "two"]
