"""What a REPL begins as: the dump of one over no text."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic_monty import Monty, MontyRuntimeError, MontySession, ResourceLimits

from langgraph_rlm.context import Context
from langgraph_rlm.repl.rewriting.preparation import needed_at_once
from langgraph_rlm.repl.session import UNLIMITED, blank, boot, evaluate
from langgraph_rlm.repl.workers import POLICY

STRICT: ResourceLimits = {"max_memory": 20_000_000, **UNLIMITED}


@pytest.fixture
def pool() -> Iterator[Monty]:
    with Monty(max_processes=1) as pool:
        yield pool


def blank_with(pool: Monty, *loaded: str) -> bytes:
    with pool.checkout(limits=UNLIMITED, os_policy=POLICY) as session:
        return blank(session, loaded)


def has_too_little_memory(session: MontySession) -> bool:
    with pytest.raises(MontyRuntimeError, match=r"memory limit exceeded: .* > 20000000 bytes"):
        evaluate(session, "x = 'a' * 30_000_000")
    return True


def test_repl_has_the_limits_of_its_session_and_keeps_them(pool: Monty) -> None:
    start = blank_with(pool)
    with pool.checkout(limits=STRICT, os_policy=POLICY) as session:
        boot(session, start, Context.of("text"))
        dump = session.dump()
        assert has_too_little_memory(session)
    with pool.checkout(os_policy=POLICY) as session:
        session.load_session(dump)
        assert has_too_little_memory(session)


@pytest.mark.parametrize("text", ["a text", "é" * 9_000_000])
def test_text_takes_the_place_of_none(pool: Monty, text: str) -> None:
    start = blank_with(pool)
    with pool.checkout(os_policy=POLICY) as session:
        boot(session, start, Context.of(text))
        assert evaluate(session, "[len(P), context is P, context_0 is P, lenP(), ctx.num_documents(), P[-3:]]") == [
            *(len(text), True, True, len(text), 1, text[-3:])
        ]


@pytest.mark.parametrize(
    ("code", "loaded"),
    [
        ("x = 1", []),
        ("import re\nre.findall('a', P)", ["re"]),
        ("x = 1\nclass A:\n    pass", ["_classes"]),
        ("def g():\n    yield 1", ["_generators"]),
        ("x = P[i:i + 9]", ["_searching"]),
    ],
)
def test_modules_that_the_first_cell_names_are_loaded(pool: Monty, code: str, loaded: list[str]) -> None:
    assert needed_at_once(code) == loaded
    start = blank_with(pool, *loaded)
    with pool.checkout(os_policy=POLICY) as session:
        boot(session, start, Context.of("text"))
        assert evaluate(session, "[*__rlm__['modules']]")[-1:] == loaded
