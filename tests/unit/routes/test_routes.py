"""The way a question goes: by its profile, by its size and the model's window, and by what came of earlier runs."""

from __future__ import annotations

import asyncio
import itertools
import logging
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.exceptions import ContextOverflowError
from langchain_core.messages import HumanMessage
from langchain_core.messages.utils import count_tokens_approximately
from langgraph.cache.memory import InMemoryCache
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.store.memory import InMemoryStore
from langgraph.store.sqlite import SqliteStore
from langgraph.store.sqlite.aio import AsyncSqliteStore
from typing_extensions import TypedDict

from langgraph_rlm import (
    Context,
    ExtractorError,
    InvalidInput,
    Limits,
    Router,
    afeedback,
    after,
    create_rlm,
    feedback,
    regex,
)
from langgraph_rlm.routes.learning import EVIDENCE, MOST_MOVES, Outcome, learned_moves
from langgraph_rlm.routes.outcomes import MOST, namespace_of
from langgraph_rlm.routes.routing import CHARACTERS_PER_TOKEN, Reach, Routing
from tests.fakes import QUERY, Graph, KilledAt, ScriptedModel, cell

ASKED = "What is the invoice number?"
TEXT = "Dear Bob\n\nInvoice number: 5\nTotal: 7\n"
THREAD: Any = {"configurable": {"thread_id": "1"}}
FIRST = Router(profile="deterministic_first")


def model_of(*cells: str, window: int | None = None) -> ScriptedModel:
    """A model of that window, in tokens, whose cells are these."""
    model = ScriptedModel(*map(cell, cells or ["Final = 'by code' + P[:0]"]), answer=lambda _: "by one call")
    model.profile = {"max_input_tokens": window} if window else None
    return model


async def ran(rlm: Graph, given: Any, is_async: bool, config: Any = None) -> dict[str, Any]:
    return await rlm.ainvoke(given, config) if is_async else await asyncio.to_thread(rlm.invoke, given, config)


# -- deterministic_first ----------------------------------------------------------------------------------------------


def test_every_depth_has_the_way_through_extract() -> None:
    edges = {
        (e.source.split(":")[-1], e.target.split(":")[-1]) for e in create_rlm(model_of()).get_graph(xray=True).edges
    }
    assert {("route", "extract"), ("extract", "generate")} <= edges
    assert ("extract", "__end__") in {(e.source, e.target) for e in create_rlm(model_of()).get_graph().edges}


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("per_run", [False, True])
async def test_certain_answer_takes_no_model_and_no_token(is_async: bool, per_run: bool) -> None:
    model = model_of()
    rlm = create_rlm(model, router=Router() if per_run else FIRST)
    given = {"query": ASKED, "context": TEXT, **({"profile": "deterministic_first"} if per_run else {})}
    out = await ran(rlm, given, is_async)
    assert (out["answer"], out["route"], out["status"], out["profile"]) == (
        "5",
        "extract",
        "answered",
        "deterministic_first",
    )
    assert (out["usage"], out["steps"], out["subcalls"], out["trajectory"]) == ({}, 0, 0, [])
    assert model.calls == []
    assert "the extractor field found" in Router.explain(out)


@pytest.mark.parametrize("is_async", [False, True])
async def test_without_a_certain_answer_the_loop_runs(is_async: bool) -> None:
    model = model_of("Final = len(P)")
    out = await ran(create_rlm(model, router=FIRST), {"query": "What is the sum?", "context": TEXT}, is_async)
    assert (out["answer"], out["route"], out["profile"], out["steps"]) == (len(TEXT), "rlm", "deterministic_first", 1)
    assert "What is the sum?" in model.turns[0].told
    assert Router.explain(out).startswith("A model wrote code: no extractor, of 1, found")


def test_extractors_of_the_user_come_first_in_their_order() -> None:
    router = Router("deterministic_first", extractors=[after("Nothing:"), after("Total:"), regex("(Bob)")])  # type: ignore[arg-type]
    out = create_rlm(model_of(), router=router).invoke({"query": ASKED, "context": TEXT})
    assert out["answer"] == "7"
    assert "after('Total:')" in Router.explain(out)


@pytest.mark.parametrize("is_async", [False, True])
async def test_extractor_that_fails_ends_the_run_before_a_model_is_asked_and_a_mended_one_goes_on(
    is_async: bool,
) -> None:
    def broken(query: str, context: Context) -> str:
        raise KeyError(query)

    model, saver = model_of(), InMemorySaver()
    rlm = create_rlm(model, router=Router("deterministic_first", extractors=(broken,)), checkpointer=saver)
    with pytest.raises(ExtractorError, match="broken failed: it raised KeyError"):
        await ran(rlm, {"query": ASKED, "context": TEXT}, is_async, THREAD)
    assert model.calls == []
    mended = create_rlm(model, router=Router("deterministic_first", extractors=(after("Total:"),)), checkpointer=saver)
    assert (await ran(mended, None, is_async, THREAD))["answer"] == "7"


async def test_extractors_leave_the_event_loop_free() -> None:
    threads = list[int]()

    def slow(query: str, context: Context) -> str:
        threads.append(threading.get_ident())
        return context.slice(0, 4)

    rlm = create_rlm(model_of(), router=Router("deterministic_first", extractors=(slow,)))
    assert (await rlm.ainvoke({"query": "q", "context": TEXT}))["answer"] == "Dear"
    assert threading.get_ident() not in threads


def test_conversation_is_the_text_and_gets_the_answer() -> None:
    model = model_of()
    out = create_rlm(model, router=FIRST).invoke({"messages": [("human", TEXT), ("ai", "Well?"), ("human", ASKED)]})
    assert (out["answer"], out["messages"][-1].text, model.calls) == ("5", "5", [])


def test_questions_of_a_thread_go_their_own_ways() -> None:
    model = model_of("n = len(P)\nFinal = n", "Final = n + 1")
    rlm = create_rlm(model, router=FIRST, checkpointer=InMemorySaver())
    assert rlm.invoke({"query": ASKED, "context": TEXT}, THREAD)["route"] == "extract"
    out = rlm.invoke({"query": "How long is it?"}, THREAD)
    assert (out["route"], out["answer"]) == ("rlm", len(TEXT))
    assert f"`P` has {len(TEXT)} characters" in model.turns[0].told
    out = rlm.invoke({"query": "What is the total?"}, THREAD)
    assert (out["route"], out["answer"], out["usage"], out["steps"]) == ("extract", "7", {}, 0)
    out = rlm.invoke({"query": "And one more?"}, THREAD)
    assert (out["route"], out["answer"]) == ("rlm", len(TEXT) + 1)
    assert "the same `P`" in model.turns[1].told


def test_text_that_only_an_extractor_has_seen_is_told_to_the_model_as_a_new_one() -> None:
    model = model_of("Final = P", "Final = P")
    rlm = create_rlm(model, router=FIRST, checkpointer=InMemorySaver())
    rlm.invoke({"query": "How long is it?", "context": "an old text"}, THREAD)
    assert rlm.invoke({"query": ASKED, "context": TEXT}, THREAD)["answer"] == "5"
    assert rlm.invoke({"query": "What is it?"}, THREAD)["answer"] == TEXT
    assert "`P` is a new text now" in model.turns[1].told


def test_killed_run_goes_on_with_either_way() -> None:
    for query, answer in ((ASKED, "5"), ("What is the sum?", "by code")):
        for kill in itertools.count(1):
            saver, model = KilledAt(kill), model_of()
            rlm = create_rlm(model, router=FIRST, checkpointer=saver)
            try:
                out = rlm.invoke({"query": query, "context": TEXT}, THREAD)
                assert out["answer"] == answer
                break
            except KeyboardInterrupt:
                saver.left = -1
            if rlm.get_state(THREAD).next:
                assert rlm.invoke(None, THREAD)["answer"] == answer
        assert kill > 3


def test_child_rlms_have_no_use_for_extractors() -> None:
    def never(query: str, context: Context) -> str | None:
        assert query == "root"
        return None

    model = ScriptedModel(
        script={
            "Question: root": [cell("Final = rlm_query('What is the total?', 'Total: 7')")],
            "Question: What": [cell("Final = 'by code' + P[:0]")],
        }
    )
    rlm = create_rlm(model, router=Router("deterministic_first", extractors=(never,)))
    assert rlm.invoke({"query": "root", "context": "text"})["answer"] == "by code"


def test_extractors_do_not_part_the_cached_answers_of_child_rlms() -> None:
    cache = InMemoryCache[Any]()
    for calls in (3, 1):
        model = ScriptedModel(
            script={
                "Question: root": [cell("Final = rlm_query('child', 'text')")],
                "Question: child": [cell("Final = llm_query('a')")],
            }
        )
        router = Router("deterministic_first", extractors=(lambda query, context: None,))
        create_rlm(model, router=router, cache=cache).invoke({"query": "root", "context": "text"})
        assert len(model.calls) == calls


# -- auto: size and window --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("window", "characters", "share"),
    [
        (None, 8_000, 0.02),
        (32_000, 8_000, 0.02),
        (128_000, 10_240, 0.02),
        (1_000_000, 80_000, 0.02),
        (1_000_000, 8_000, 0),
        (1_000_000, 2_000_000, 0.5),
        (3_000, 6_000, 0.02),
    ],
)
def test_one_call_answers_what_fills_little_of_the_window_or_is_short(
    window: int | None, characters: int, share: float
) -> None:
    rlm = create_rlm(model_of(window=window), router=Router(direct_share=share))
    routes = [rlm.invoke({"query": QUERY, "context": "x" * (characters - len(QUERY) - less)}) for less in (0, 1)]
    assert [out["route"] for out in routes] == ["rlm", "direct"]
    for out, compared in zip(routes, (", not fewer than", ", fewer than"), strict=True):
        assert compared in Router.explain(out)
        assert f"{characters:,}" in Router.explain(out)


def test_same_rule_holds_for_sub_calls() -> None:
    for window, characters in ((None, 200_001), (8_000, 16_000), (32_000_000, 2_560_000)):
        for size, answer in ((characters - 1, "by one call"), (characters, "by code")):
            script = {
                "Question: root": [cell(f"Final = llm_query('q', 'x' * {size - 1})")],
                "Question: q": [cell("Final = 'by code' + P[:0]")],
            }
            leaf = model_of(window=window)
            root = ScriptedModel(script=script)
            rlm = create_rlm(root, sub_model=leaf, router=Router("rlm"))
            assert rlm.invoke({"query": "root", "context": "text"})["answer"] == answer


def test_tokens_are_counted_as_langchain_does() -> None:
    text = "x" * 400_000
    assert count_tokens_approximately([HumanMessage(text)]) == pytest.approx(len(text) / CHARACTERS_PER_TOKEN, rel=1e-3)


@given(
    st.integers(0, 10**6), st.floats(0, 0.5), st.none() | st.integers(1, 10**7), st.integers(-MOST_MOVES, MOST_MOVES)
)
def test_reach_never_exceeds_half_of_the_window(below: int, share: float, window: int | None, moved: int) -> None:
    reach = Reach(below, share, window, moved)
    if window is None:
        assert reach.characters == int(below * 2.0**moved)
    else:
        assert reach.characters <= window * CHARACTERS_PER_TOKEN / 2


def test_text_that_one_call_cannot_take_is_told_with_what_to_do() -> None:
    def too_long(prompt: str) -> Exception:
        return ContextOverflowError("too long")

    with pytest.raises(InvalidInput, match=r'1,0\d\d characters.*profile "rlm"'):
        create_rlm(ScriptedModel(answer=too_long)).invoke({"query": QUERY, "context": "x" * 1_000})


@pytest.mark.parametrize(("profile", "way"), [("direct", "One model call answered"), ("rlm", "A model wrote code")])
def test_profile_that_was_chosen_is_the_reason(profile: Any, way: str) -> None:
    out = create_rlm(model_of()).invoke({"query": "q", "context": "text", "profile": profile})
    assert Router.explain(out) == f'{way}: that is what the profile "{profile}" is.'


def test_reason_can_be_had_from_the_state_of_a_thread_too() -> None:
    rlm = create_rlm(model_of(), checkpointer=InMemorySaver())
    out = rlm.invoke({"query": "q", "context": "text"}, THREAD)
    assert Router.explain(rlm.get_state(THREAD).values) == Router.explain(out)


@pytest.mark.parametrize("output", [{}, {"routing": None}, {"routing": {"reach": {}}}, {"answer": 1}])
def test_reason_of_what_is_no_run_is_refused(output: Any) -> None:
    with pytest.raises(InvalidInput, match="no output of a run"):
        Router.explain(output)


@pytest.mark.parametrize("told", [Router.explain, lambda output: feedback(InMemoryStore(), output, accepted=True)])
def test_profile_of_another_version_is_named(told: Any) -> None:
    out = create_rlm(model_of()).invoke(SIX)
    with pytest.raises(InvalidInput, match=r"had the profile 'guess'. Known: .*auto"):
        told({"routing": out["routing"] | {"profile": "guess"}})


# -- auto: what is learned, as a function -----------------------------------------------------------------------------


REACH = Reach(8_000, 0.0, None)
CLOCK = itertools.count()


def outcome(route: str = "direct", characters: int = 6_000, *, moved: int | None = 0, **other: Any) -> Outcome:
    settings: Any = {"tokens": 2_000, "seconds": 2.0, "accepted": True, "begun": float(next(CLOCK)), **other}
    return Outcome(route, characters, moved=moved, **settings)


def test_nothing_is_learned_from_nothing_and_from_what_goes_well() -> None:
    assert learned_moves([], REACH) == 0
    assert learned_moves([outcome() for _ in range(50)], REACH) == 0
    cheap = [outcome("rlm", 12_000, tokens=3_000) for _ in range(50)]
    assert learned_moves(cheap, REACH) == 0


@pytest.mark.parametrize("characters", [7_999, 4_000, 1_000, 0])
def test_answers_that_are_not_accepted_halve_it(characters: int) -> None:
    refused = [outcome(characters=characters, accepted=False) for _ in range(EVIDENCE)]
    assert learned_moves(refused[1:], REACH) == 0
    assert learned_moves(refused, REACH) == -1


def test_longer_texts_fail_even_where_shorter_ones_do_not() -> None:
    refused = [outcome(characters=7_000, accepted=False) for _ in range(EVIDENCE)]
    assert learned_moves([*refused, *(outcome(characters=1_000) for _ in range(50))], REACH) == -1


def test_half_of_the_answers_is_enough() -> None:
    assert learned_moves([outcome(accepted=number % 2 == 0) for number in range(20)], REACH) == 0


def test_it_stays_where_the_loop_does_no_better() -> None:
    refused = [outcome(accepted=False) for _ in range(EVIDENCE)]
    loops = [outcome("rlm", 6_000, accepted=False, moved=None) for _ in range(EVIDENCE)]
    assert learned_moves([*refused, *loops], REACH) == 0


@pytest.mark.parametrize(
    ("loops", "moved"),
    [
        ({"tokens": 4_001}, 1),
        ({"tokens": 4_000}, 0),
        ({"tokens": 4_001, "seconds": 1.0}, 0),
        ({"tokens": 100, "accepted": False}, 1),
        ({"tokens": 0}, 0),
    ],
)
def test_loops_that_take_more_than_reading_double_it(loops: dict[str, Any], moved: int) -> None:
    ended = [outcome(), *(outcome("rlm", 12_000, **loops) for _ in range(EVIDENCE))]
    assert learned_moves(ended[:-1], REACH) == 0
    assert learned_moves(ended, REACH) == moved


def test_it_is_not_doubled_to_where_direct_answers_have_failed() -> None:
    loops = [outcome("rlm", 12_000, tokens=9_000) for _ in range(EVIDENCE)]
    refused = [outcome(characters=12_000, accepted=False, moved=None) for _ in range(EVIDENCE)]
    assert learned_moves([*refused, *loops], REACH) == 0


@pytest.mark.parametrize(
    ("loops", "moved"), [({"tokens": 900}, -1), ({"tokens": 1_001}, 0), ({"tokens": 900, "seconds": 3.0}, 0)]
)
def test_loops_that_take_less_than_reading_halve_it(loops: dict[str, Any], moved: int) -> None:
    ended = [outcome(), *(outcome("rlm", 6_000, moved=None, **loops) for _ in range(EVIDENCE))]
    assert learned_moves(ended, REACH) == moved


def after_runs(runs: int, route: Callable[[int], Outcome], kept: list[Outcome] | None = None) -> list[int]:
    """What is learned run by run, where each begins with what was learned before it."""
    kept, moves = kept if kept is not None else [], list[int]()
    for _ in range(runs):
        kept.append(route(learned_moves(kept, REACH)))
        moves.append(learned_moves(kept, REACH))
    return moves


def test_it_moves_between_bounds_and_each_move_takes_its_evidence() -> None:
    moves = after_runs(30, lambda moved: outcome(characters=100, accepted=False, moved=moved))
    assert [move for move, _ in itertools.groupby(moves)] == [0, -1, -2]
    assert [len(list(runs)) for _, runs in itertools.groupby(moves)][:2] == [EVIDENCE - 1, EVIDENCE]
    moves = after_runs(30, lambda moved: outcome("rlm", int(8_000 * 2**moved), tokens=10**6, moved=moved))
    assert [move for move, _ in itertools.groupby(moves)] == [0, 1, 2]


def test_no_single_run_turns_it_round() -> None:
    kept = list[Outcome]()
    after_runs(EVIDENCE, lambda moved: outcome(accepted=False, moved=moved), kept)
    assert learned_moves(kept, REACH) == -1
    begun_before = replace(kept[-1], begun=kept[-1].begun + 0.1)
    kept.append(outcome("rlm", 6_000, moved=-1))
    for single in (outcome(moved=-1), outcome("rlm", 6_000, tokens=10**6, moved=-1), begun_before):
        assert learned_moves([*kept, single], REACH) == -1


def test_what_has_failed_is_not_tried_again_while_it_is_kept() -> None:
    def run(moved: int) -> Outcome:
        """Direct answers to such texts are always wrong, and loops dear."""
        if Reach(8_000, 0.0, None, moved).has(6_000):
            return outcome(accepted=False, moved=moved)
        return outcome("rlm", 6_000, tokens=50_000, moved=moved)

    assert after_runs(60, run) == [0] * (EVIDENCE - 1) + [-1] * (60 - EVIDENCE + 1)


def test_it_is_not_moved_beyond_what_the_model_reads() -> None:
    loops = [outcome("rlm", 12_000, tokens=9_000) for _ in range(EVIDENCE)]
    assert learned_moves(loops, replace(REACH, window=4_000)) == 0
    assert learned_moves(loops, replace(REACH, window=400_000)) == 1


@given(
    st.lists(
        st.builds(
            Outcome,
            st.sampled_from(["direct", "rlm"]),
            st.integers(0, 40_000),
            st.integers(0, 40_000),
            st.floats(0, 100),
            st.booleans(),
            st.floats(0, 100),
            st.none() | st.integers(-MOST_MOVES, MOST_MOVES),
        ),
        max_size=30,
    ),
    st.randoms(),
)
def test_any_outcomes_in_any_order_keep_it_within_its_bounds(outcomes: list[Outcome], random: Any) -> None:
    moved = learned_moves(outcomes, REACH)
    assert -MOST_MOVES <= moved <= MOST_MOVES
    if len({one.begun for one in outcomes}) == len(outcomes):
        random.shuffle(outcomes)
        assert learned_moves(outcomes, REACH) == moved


# -- auto: what is learned, over a store ------------------------------------------------------------------------------


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    if request.param == "memory":
        yield InMemoryStore()
        return
    with closing(sqlite3.connect(tmp_path / "store.db", check_same_thread=False, isolation_level=None)) as connection:
        store = SqliteStore(connection)
        store.setup()
        yield store


@asynccontextmanager
async def async_store(kind: str, folder: Path) -> AsyncIterator[Any]:
    if kind == "memory":
        yield InMemoryStore()
        return
    async with AsyncSqliteStore.from_conn_string(str(folder / "store.db")) as store:
        await store.setup()
        yield store


SIX = {"query": "q", "context": "x" * 5_999}
AS_IT_IS = Reach(8_000, 0.02, None)


def kept_in(store: Any, model: ScriptedModel, name: str = "rlm") -> list[dict[str, Any]]:
    return [item.value for item in store.search(namespace_of(name, model, AS_IT_IS), limit=1_000)]


@pytest.mark.parametrize(
    ("profile", "moved"), [("auto", 0), ("direct", None), ("rlm", None), ("deterministic_first", None)]
)
def test_outcome_of_a_question_is_kept(store: Any, profile: Any, moved: int | None) -> None:
    model = model_of()
    out = create_rlm(model, store=store).invoke({**SIX, "profile": profile})
    [kept] = kept_in(store, model)
    assert kept.pop("seconds") >= 0
    assert kept.pop("begun") > 0
    assert kept == {"route": out["route"], "characters": 6_000, "tokens": 15, "accepted": True, "moved": moved}


def test_answer_at_a_limit_is_not_accepted_and_one_without_a_model_teaches_nothing(store: Any) -> None:
    model = model_of("x = 1", "Final = x")
    create_rlm(model, store=store, limits=Limits(max_steps=1)).invoke({**SIX, "profile": "rlm"})
    assert [kept["accepted"] for kept in kept_in(store, model)] == [False]
    out = create_rlm(model, store=store, router=FIRST).invoke({"query": ASKED, "context": TEXT})
    assert out["route"] == "extract"
    assert len(kept_in(store, model)) == 1
    assert feedback(store, out, accepted=False) is False


def test_tokens_are_those_of_the_whole_tree_and_children_keep_nothing(store: Any) -> None:
    root = ScriptedModel(
        script={
            "Question: root": [cell("Final = rlm_query('child', 'text')")],
            "Question: child": [cell("Final = llm_query('a')")],
        }
    )
    create_rlm(root, store=store).invoke({"query": "root", "context": "x" * 9_000})
    assert [(kept["route"], kept["tokens"]) for kept in kept_in(store, root)] == [("rlm", 45)]


def test_threshold_moves_by_what_users_say_of_answers(store: Any) -> None:
    model = model_of()
    for _ in range(EVIDENCE):
        out = create_rlm(model, store=store).invoke(SIX)
        assert out["route"] == "direct"
        assert feedback(store, out, accepted=False)
    out = create_rlm(model, store=store).invoke(SIX)
    assert out["route"] == "rlm"
    assert Router.explain(out) == (
        "A model wrote code: question and text have 6,000 characters, not fewer than 4,000. That is the 8,000 of "
        f"direct_below, halved once by what {EVIDENCE} earlier runs have shown."
    )
    assert create_rlm(model, store=store).invoke({**SIX, "profile": "direct"})["route"] == "direct"
    assert create_rlm(model_of()).invoke(SIX)["route"] == "direct"
    assert create_rlm(model, store=store, name="other").invoke(SIX)["route"] == "direct"


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_it_learns_in_an_event_loop_too(kind: str, tmp_path: Path) -> None:
    model = model_of()
    async with async_store(kind, tmp_path) as store:
        rlm = create_rlm(model, store=store)
        for _ in range(EVIDENCE):
            out = await rlm.ainvoke(SIX)
            assert out["route"] == "direct"
            assert await afeedback(store, out, accepted=False)
        assert (await rlm.ainvoke(SIX))["route"] == "rlm"


def test_runs_of_explicit_profiles_teach(store: Any) -> None:
    model = model_of()
    rlm = create_rlm(model, store=store)
    for _ in range(EVIDENCE):
        assert feedback(store, rlm.invoke({**SIX, "profile": "direct"}), accepted=False)
    assert rlm.invoke(SIX)["route"] == "rlm"


@pytest.mark.parametrize(
    ("router", "window"),
    [(Router(direct_below=800), None), (Router(direct_below=80_000), None), (Router(), 1_000_000)],
    ids=["lower", "higher", "by the window"],
)
def test_moves_of_one_threshold_are_not_those_of_another(store: Any, router: Router, window: int | None) -> None:
    model = model_of()
    for _ in range(EVIDENCE):
        feedback(store, create_rlm(model, store=store).invoke(SIX), accepted=False)
    moved = create_rlm(model, store=store).invoke(SIX)
    assert moved["routing"]["reach"]["moved"] == -1
    other = create_rlm(model_of(window=window), store=store, router=router).invoke(SIX)
    assert (other["routing"]["reach"]["moved"], other["routing"]["outcomes"]) == (0, 0)
    again = create_rlm(model, store=store).invoke(SIX)
    assert (again["routing"]["reach"]["moved"], again["routing"]["outcomes"]) == (-1, EVIDENCE + 1)


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("profile", ["semantic_batches", "hybrid", "verify"])
async def test_runs_that_are_not_the_loop_teach_nothing_of_it(profile: str, is_async: bool) -> None:
    store, model = InMemoryStore(), model_of(*["Final = 'by code' + P[:0]"] * 3)
    rlm = create_rlm(model, store=store)
    nine = {"query": "Who?", "context": "x" * 9_000}
    for _ in range(EVIDENCE):
        out = await ran(rlm, {**nine, "profile": profile}, is_async)
        assert not (await afeedback(store, out, accepted=False) if is_async else feedback(store, out, accepted=False))
    out = await ran(rlm, nine, is_async)
    assert (out["route"], out["routing"]["outcomes"]) == ("rlm", 0)
    assert len(kept_in(store, model)) == 1


def test_last_word_on_an_answer_holds(store: Any) -> None:
    model = model_of()
    out = create_rlm(model, store=store).invoke(SIX)
    for accepted in (False, False, True, False):
        assert feedback(store, out, accepted=accepted)
        assert [kept["accepted"] for kept in kept_in(store, model)] == [accepted]


@pytest.mark.parametrize(
    ("output", "accepted", "said"),
    [({"answer": 1}, True, "no output of a run"), (None, True, "had no store"), (None, "no", "accepted='no'")],
)
def test_word_on_what_cannot_be_judged_is_refused(output: Any, accepted: Any, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        feedback(InMemoryStore(), output or create_rlm(model_of()).invoke(SIX), accepted=accepted)


def test_outcomes_are_bounded_in_number_and_the_latest_are_kept(store: Any) -> None:
    model = model_of()
    namespace = namespace_of("rlm", model, AS_IT_IS)
    for number in range(MOST + 20):
        store.put(namespace, f"old {number}", asdict(outcome(begun=float(number))))
    out = create_rlm(model, store=store).invoke(SIX)
    kept = kept_in(store, model)
    assert len(kept) == MOST
    assert sorted(item["begun"] for item in kept)[:2] == [21, 22]
    assert feedback(store, out, accepted=False)
    store.delete(namespace, out["routing"]["run"]["key"])
    assert not feedback(store, out, accepted=True)


async def test_runs_at_the_same_time_each_keep_theirs() -> None:
    store, model = InMemoryStore(), model_of()
    rlm = create_rlm(model, store=store)
    await asyncio.gather(*(rlm.ainvoke(SIX) for _ in range(30)))
    assert len(kept_in(store, model)) == 30


def test_resumed_run_keeps_one_outcome() -> None:
    for kill in itertools.count(1):
        store, saver, model = InMemoryStore(), KilledAt(kill), model_of()
        rlm = create_rlm(model, store=store, checkpointer=saver)
        try:
            rlm.invoke(SIX, THREAD)
            break
        except KeyboardInterrupt:
            saver.left = -1
        if rlm.get_state(THREAD).next:
            rlm.invoke(None, THREAD)
            assert len(kept_in(store, model)) == 1
    assert kill > 3


def test_models_whose_names_begin_alike_are_kept_apart(store: Any) -> None:
    for name in ("gpt-4.1", "gpt-4.1-mini"):

        class Named(ScriptedModel):
            model_name: str = name

        rlm = create_rlm(Named(answer=lambda _: "1"), store=store, name="an.app")
        for number in range(2):
            assert rlm.invoke(SIX)["routing"]["outcomes"] == number


def test_what_others_have_in_the_place_of_outcomes_is_passed_over(store: Any) -> None:
    model = model_of()
    odd = {**asdict(outcome()), "tokens": "many"}
    for number in range(MOST):
        store.put(namespace_of("rlm", model, AS_IT_IS), f"{number}", ({}, {"begun": "now"}, odd)[number % 3])
    rlm = create_rlm(model, store=store)
    assert [rlm.invoke(SIX)["routing"]["outcomes"] for _ in range(2)] == [0, 1]
    assert len(kept_in(store, model)) == MOST


def test_app_around_it_has_the_store() -> None:
    class AppState(TypedDict, total=False):
        query: str
        context: str
        answer: Any
        routing: dict[str, Any]

    store, model = InMemoryStore(), model_of()
    app: Any = StateGraph(AppState).add_node("rlm", create_rlm(model)).add_edge(START, "rlm").compile(store=store)
    outs = [app.invoke(SIX) for _ in range(2)]
    assert [out["routing"]["outcomes"] for out in outs] == [0, 1]
    assert feedback(store, outs[0], accepted=False)
    assert sorted(kept["accepted"] for kept in kept_in(store, model)) == [False, True]


class BrokenStore(InMemoryStore):
    """Fails at reading, or at writing."""

    def __init__(self, broken: str) -> None:
        super().__init__()
        self.broken = broken

    def batch(self, ops: Any) -> Any:
        ops = list(ops)
        if any(type(op).__name__ == self.broken for op in ops):
            raise ConnectionError("the store is down")
        return super().batch(ops)

    async def abatch(self, ops: Any) -> Any:
        return self.batch(ops)


@pytest.mark.parametrize("broken", ["SearchOp", "PutOp"])
@pytest.mark.parametrize("profile", ["auto", "direct", "rlm", "deterministic_first"])
@pytest.mark.parametrize("is_async", [False, True])
async def test_store_that_fails_ends_no_run_and_is_told_of_once(
    broken: str, profile: str, is_async: bool, caplog: pytest.LogCaptureFixture
) -> None:
    rlm = create_rlm(model_of(), store=BrokenStore(broken))
    with caplog.at_level(logging.WARNING, "langgraph_rlm"):
        out = await ran(rlm, {**SIX, "profile": profile}, is_async)
    assert out["status"] == "answered"
    assert [record.getMessage() for record in caplog.records] == [
        "The store failed: nothing is learned from this run, which goes on without it. the store is down"
    ]


async def test_stream_shows_the_way() -> None:
    async with aclosing(create_rlm(model_of()).astream(SIX, stream_mode="values")) as stream:  # type: ignore[type-var]
        values = [value async for value in stream]
    assert values[-1]["routing"] == Routing("auto", 6_000, Reach(8_000, 0.02, None), extractors=1).stored
