"""A reply is what was said, and whether that is all: what was cut off or refused is nobody's answer, anywhere."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatResult
from langgraph.cache.memory import InMemoryCache

from langgraph_rlm import Limits, create_rlm
from langgraph_rlm.asking.replies import read_reply
from langgraph_rlm.errors import CutOff
from tests.fakes import Called, ScriptedModel, cell

TEXT = "ticket 1: angry\nticket 2: calm\n" * 400 + "Sum: 1234567\n"
GIVEN: Any = {"query": "What is the sum?", "context": TEXT, "profile": "rlm"}
TOO_LONG: list[dict[str, Any]] = [
    {"finish_reason": "length"},
    {"stop_reason": "max_tokens"},
    {"finish_reason": "MAX_TOKENS"},
    {"done_reason": "length"},
    {"stopReason": "max_tokens"},
    {"stop_reason": "model_context_window_exceeded"},
    {"finish_reason": "model_length"},
    {"finish_reason": "FinishReason.MAX_TOKENS"},
    {"completionReason": "LENGTH"},
    {"stop_type": "limit"},
    {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
]
REFUSED: list[dict[str, Any]] = [
    {"finish_reason": "content_filter"},
    {"stop_reason": "refusal"},
    {"finish_reason": "SAFETY"},
    {"finish_reason": "RECITATION"},
    {"finish_reason": "PROHIBITED_CONTENT"},
    {"stopReason": "guardrail_intervened"},
    {"stopReason": "content_filtered"},
    {"prompt_feedback": {"block_reason": "BLOCKLIST"}},
    {"incomplete_details": {"reason": "content_filter"}},
]
WHOLE: list[dict[str, Any]] = [
    {},
    {"finish_reason": "stop"},
    {"stop_reason": "end_turn"},
    {"stop_reason": "stop_sequence"},
    {"finish_reason": "STOP", "prompt_feedback": {"block_reason": 0, "safety_ratings": []}},
    {"finish_reason": "COMPLETE"},
    {"finish_reason": "tool_calls"},
    {"finish_reason": "eos"},
    {"finish_reason": None, "incomplete_details": None},
    {"status": "completed"},
]


def used(tokens: int) -> UsageMetadata:
    return UsageMetadata(input_tokens=10, output_tokens=tokens, total_tokens=10 + tokens)


class Ending(ScriptedModel):
    """Its replies end as `ends` says: those that have the key in them, with these metadata."""

    ends: Any = None

    def _result(self, text: str) -> ChatResult:
        result = super()._result(text)
        ended = (end for key, end in (self.ends or {}).items() if key == text or (key and key in text))
        result.generations[0].message.response_metadata |= next(ended, {})
        return result


def ending(*script: str, **settings: Any) -> Ending:
    return Ending(script=script, **settings)


@pytest.mark.parametrize("metadata", [*TOO_LONG, *REFUSED], ids=str)
def test_reply_that_its_provider_ended_is_not_whole(metadata: dict[str, Any]) -> None:
    reply = read_reply(AIMessage("12345", response_metadata=metadata, usage_metadata=used(700)), {})
    assert reply.cut
    assert reply.cut.is_too_long == (metadata in TOO_LONG)
    assert ("at 700 tokens" in reply.cut.what) == (metadata in TOO_LONG)
    with pytest.raises(CutOff):
        _ = reply.whole


@pytest.mark.parametrize("metadata", WHOLE, ids=str)
@pytest.mark.parametrize("text", ["12345", ""])
def test_reply_that_ended_by_itself_is_whole(metadata: dict[str, Any], text: str) -> None:
    if text or metadata.get("finish_reason") != "tool_calls":
        assert read_reply(AIMessage(text, response_metadata=metadata), {}).whole == text


@pytest.mark.parametrize(
    "metadata",
    [
        {"finish_reason": "MODEL_ARMOR"},
        {"finish_reason": "TOO_MANY_TOOL_CALLS"},
        {"finish_reason": "NO_IMAGE"},
        {"stop_reason": "pause_turn"},
        {"finish_reason": "tool_calls"},
        {"finish_reason": "something_new"},
    ],
    ids=str,
)
def test_empty_reply_that_ended_for_another_reason_says_nothing(metadata: dict[str, Any]) -> None:
    with pytest.raises(CutOff, match="is empty"):
        _ = read_reply(AIMessage("", response_metadata=metadata), {}).whole
    assert read_reply(AIMessage("yes", response_metadata=metadata), {}).whole == "yes"


def test_reply_of_thoughts_alone_and_a_refusal_without_text_say_nothing() -> None:
    thoughts = AIMessage([{"type": "thinking", "thinking": "hm", "signature": "s"}])
    refusal = AIMessage("", additional_kwargs={"refusal": "I cannot help with that."})
    for message in (
        AIMessage("<think>hm</think>"),
        thoughts,
        refusal,
        AIMessage("", response_metadata={"finish_reason": "OTHER"}),
    ):
        assert read_reply(message, {}).cut


def test_nothing_of_a_cell_that_was_cut_off_runs() -> None:
    model = ending("```repl\nFinal = 12345", cell("Final = int(P.split('Sum: ')[1])"), ends={"12345": TOO_LONG[0]})
    out = create_rlm(model).invoke(GIVEN)
    assert (out["answer"], out["status"], out["steps"]) == (1234567, "answered", 2)
    assert "cut off at 5 tokens" in model.turns[1].told
    assert "shorter code" in model.turns[1].told
    assert out["trajectory"][0]["code"] == ""
    assert "cut off" in out["trajectory"][0]["error"]


def test_block_without_an_end_that_ended_by_itself_runs() -> None:
    model = ending("```repl\nFinal = int(P.split('Sum: ')[1])")
    assert create_rlm(model).invoke(GIVEN)["answer"] == 1234567


@pytest.mark.parametrize("dialect", ["final", "answer", "final-text"])
def test_last_turn_that_was_cut_off_has_no_answer(dialect: Any) -> None:
    model = ending("I look.", "It is 12345", ends={"12345": TOO_LONG[0]})
    out = create_rlm(model, dialect=dialect, limits=Limits(max_steps=1)).invoke(GIVEN)
    assert (out["answer"], out["status"]) == (None, "limit")


@pytest.mark.parametrize("end", [TOO_LONG[1], REFUSED[0]], ids=str)
def test_sub_call_that_was_cut_off_is_an_error_that_code_can_catch_and_no_cache_keeps_it(end: dict[str, Any]) -> None:
    code = """
said = llm_batch(["a", "b"])
try:
    llm_query("b")
except RuntimeError as error:
    said.append(str(error))
Final = said
"""

    def answer(prompt: str) -> str:
        return "" if prompt == "b" else "whole"

    cache = InMemoryCache[Any]()
    for _ in range(2):
        model = ending(cell(code), answer=answer, ends={"whole": {"finish_reason": "stop"}, "": end})
        out = create_rlm(model, cache=cache).invoke(GIVEN)
        whole, failed, caught = out["answer"]
        assert whole == "whole"
        assert failed.startswith("Error: ")
        assert "CutOff" in caught
        assert sum(used["total_tokens"] for used in out["usage"].values()) >= 3 * 15
    assert model.asked == ["b", "b"]


def test_reply_for_a_schema_that_was_cut_off_is_asked_for_again_in_less() -> None:
    replies = iter(['{"n": 12345', '{"n": 7}'])
    code = (
        'Final = llm_query("n?", schema={"type": "object", "properties": {"n": {"type": "integer"}}})["n"] + len(P[:0])'
    )
    model = ending(cell(code), answer=lambda _: next(replies), ends={"12345": TOO_LONG[0]})
    out = create_rlm(model).invoke(GIVEN)
    assert out["answer"] == 7
    assert "cut off" in model.asked[1]


def test_direct_answer_that_was_cut_off_is_told_as_such() -> None:
    model = ending(answer=lambda _: "The sum is 12", ends={"The sum": TOO_LONG[0]})
    out = create_rlm(model).invoke({**GIVEN, "profile": "direct"})
    assert (out["answer"], out["status"]) == ("The sum is 12", "limit")


@pytest.mark.parametrize(
    ("end", "advice"), [*((end, "max_tokens") for end in TOO_LONG), (REFUSED[0], "other words")], ids=str
)
def test_direct_answer_that_is_empty_is_an_error_that_says_what_to_do(end: dict[str, Any], advice: str) -> None:
    model = ending(answer=lambda _: "", ends={"": end})
    with pytest.raises(CutOff, match=advice):
        create_rlm(model).invoke({**GIVEN, "profile": "direct"})


def test_thoughts_are_left_out_of_all_replies() -> None:
    replies = {"Angry?": "<think>Is it?</think>\nyes", "n?": '<think>{"n": 1}</think>{"n": 2}'}
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    code = f"""
Final = [
    llm_query("Angry?").lower().startswith("yes"),
    llm_batch(["Angry?"])[0],
    llm_query("n?", schema={schema})["n"],
    llm_map("Angry?", ["x"])[0],
]
"""

    def answer(prompt: str) -> str:
        return next(reply for key, reply in replies.items() if key in prompt)

    model = ScriptedModel(f"<think>\n{cell('Final = 1')}\n</think>\n{cell(code)}", answer=answer)
    assert create_rlm(model).invoke(GIVEN)["answer"] == [True, "yes", 2, "yes"]
    direct = ScriptedModel(answer=lambda _: "hm, so it is 7.\n</think>\n\n1234567")
    assert create_rlm(direct).invoke({**GIVEN, "profile": "direct"})["answer"] == "1234567"
    last = ScriptedModel("I look.", "<think>7?</think>It is 1234567.")
    assert create_rlm(last, limits=Limits(max_steps=1)).invoke(GIVEN)["answer"] == "It is 1234567."


def test_empty_replies_are_not_sent_back_to_the_provider() -> None:
    model = ending("", cell("Final = len(P)"))
    create_rlm(model).invoke(GIVEN)
    assert all(message.text.strip() for call in model.calls for message in Called(call.messages).messages)
