"""The functions of the REPL: the same file in CPython, over a fake host, and in the sandbox."""

from __future__ import annotations

import collections
import datetime
import itertools
import json
import math
import re
from collections.abc import Callable
from typing import Any

import pytest

from langgraph_rlm.context import Context
from langgraph_rlm.repl import modules
from langgraph_rlm.repl.boot import BUILTINS, NAMES, PRELUDE
from tests.fakes import run

TEXT = "The key is: 4217.\nalpha beta\n"
DOCUMENTS = [TEXT, "second", "third"]

Evaluate = Callable[[str], Any]


def answer(prompt: str) -> str:
    """Upper case; prompts that begin with "fail" fail, and who is not asked about bingo has no answer."""
    if prompt.startswith("fail"):
        raise ValueError(prompt)
    if "Answer from the text below" in prompt:
        return "found it" if "bingo" in prompt else "NO_ANSWER"
    return prompt.upper()


def in_cpython(expression: str) -> Any:
    context = Context.of(DOCUMENTS)

    def host(what: str, *arguments: Any) -> Any:
        if what == "context":
            return getattr(context, arguments[0])(*arguments[1])
        assert what == "ask"
        _, prompts, _, batch, *_ = arguments
        answers = []
        for prompt, text in prompts:
            try:
                answers.append(answer(prompt if text is None else f"{prompt}\n\n{text}"))
            except ValueError as error:
                if not batch:
                    raise RuntimeError(f"ValueError: {error}") from error
                answers.append(f"Error: ValueError: {error}")
        return answers

    own: dict[str, Any] = {
        "_host": host,
        "P": context.text,
        "metadata": context.metadata,
        "names": NAMES,
        "builtin_names": BUILTINS,
    }
    exec(compile(PRELUDE, "prelude", "exec"), own)
    ending: dict[str, Any] = {"__rlm__": own}
    exec(compile(modules.source("_ending"), "_ending", "exec"), ending)
    return ending["answer_of"](eval(expression, {**own, **{name: own[name] for name in [*NAMES, *BUILTINS]}}))


def in_sandbox(expression: str) -> Any:
    ran = run(f"Final = [{expression}]", "Final = 'raised'", context=DOCUMENTS, answer=answer)
    [error, *_] = ran.errors
    if error is not None:
        raise RuntimeError(error)
    [value] = ran.answer
    return value


@pytest.fixture(params=[in_cpython, in_sandbox])
def evaluate(request: pytest.FixtureRequest) -> Evaluate:
    return request.param  # type: ignore[no-any-return]


TEXT_LENGTH = len("\n\n".join(DOCUMENTS))

CASES: dict[str, Any] = {
    # models
    "llm_query('a')": "A",
    "llm_query('a', 'b')": "A\n\nB",
    "llm_query('a', context='b')": "A\n\nB",
    "llm_query(prompt='a')": "A",
    "llm_batch(['a', 'b', 'a'])": ["A", "B", "A"],
    "llm_query_batched(('x', 'y'))": ["X", "Y"],
    "llm_batch([])": [],
    "llm_batch(['a', 'fail b', 'c'])": ["A", "Error: ValueError: fail b", "C"],
    "ask('What?', 'bingo')": "found it",
    "ask('What?', 'nothing')": "NO_ANSWER",
    "ask_chunks('What?', ['x', 'bingo'])": ["NO_ANSWER", "found it"],
    "ask_chunks('What?', [])": [],
    "len(ask_chunks('What?', 'x' * 50000))": 3,
    "ask_chunks_first('What?', ['x'] * 30 + ['bingo'])": "found it",
    "ask_chunks_first('What?', ['x'] * 3)": None,
    "ask_chunks_first('What?', [])": None,
    "ask_chunks_first('What?', 'bingo')": "found it",
    "pick_first_answer(['', ' NO_ANSWER.', 'Error: x', ' yes '])": "yes",
    "pick_first_answer([])": None,
    # the context
    "P == context": True,
    "lenP()": TEXT_LENGTH,
    "peek(3)": "The",
    "len(peek())": TEXT_LENGTH,
    "peek(0)": "",
    "tail(3)": "ird",
    "tail(0)": "",
    "tail(10 ** 9) == P": True,
    "ctx.num_documents()": 3,
    "ctx.get_document(0)": TEXT,
    "ctx.get_document(-1)": "third",
    "ctx.documents()": DOCUMENTS,
    "[d['length'] for d in ctx.metadata]": [len(document) for document in DOCUMENTS],
    "P[ctx.metadata[1]['start'] : ctx.metadata[1]['end']]": "second",
    "ctx.slice(4, 7)": "key",
    "ctx.slice(None, 3)": "The",
    "ctx.find('second') == P.find('second')": True,
    "ctx.find('The', 1)": -1,
    "ctx.find('key', 0, 3)": -1,
    "''.join(ctx.chunk(10)) == P": True,
    "max(len(chunk) for chunk in ctx.chunk(10))": 10,
    "ctx.chunk(1000)": ["\n\n".join(DOCUMENTS)],
    "extract_after('key is:')": "4217",
    "extract_after('nowhere')": None,
    "extract_after('third')": None,
    "extract_after('key is:', 3)": "42",
    # built-ins that are given functions
    "list(map(lambda x: x + 1, [1, 2]))": [2, 3],
    "list(map(lambda x, y: x + y, [1, 2, 3], [10, 20]))": [11, 22],
    "list(map(str, [1, 2]))": ["1", "2"],
    "next(map(lambda x: x * 2, [4]))": 8,
    "list(filter(lambda x: x > 1, [1, 2, 3]))": [2, 3],
    "list(filter(None, [0, 1, '', 'a']))": [1, "a"],
    "sorted([3, 1, 2])": [1, 2, 3],
    "sorted([3, 1, 2], reverse=True)": [3, 2, 1],
    "sorted(['bb', 'a', 'cc', 'd'], key=lambda s: len(s))": ["a", "d", "bb", "cc"],
    "sorted(['bb', 'a', 'cc', 'd'], key=lambda s: len(s), reverse=True)": ["bb", "cc", "a", "d"],
    "sorted(['bb', 'a'], key=len)": ["a", "bb"],
    "sorted({'b': 1, 'a': 2}, key=lambda k: k)": ["a", "b"],
    "min(3, 1, 2)": 1,
    "max([3, 1, 2])": 3,
    "max(['a', 'bb', 'cc'], key=lambda s: len(s))": "bb",
    "min('bb', 'a', 'c', key=lambda s: len(s))": "a",
    "max(['a', 'bb'], key=len)": "bb",
    "max([], default=7)": 7,
    "max([], key=lambda x: x, default=7)": 7,
    "max({'a': 1, 'b': 2}.items(), key=lambda pair: pair[1])": ["b", 2],
    # modules
    "[json.dumps([1]), math.floor(1.5)]": ["[1]", 1],
    "collections.Counter('aab').most_common(1)": [["a", 2]],
    "list(itertools.chain([1], [2]))": [1, 2],
    "datetime.date(2020, 1, 2)": "2020-01-02",
    # answers
    "None": None,
    "True": True,
    "{'a': [1, 2.5, None, 'x'], 2: (3,)}": {"a": [1, 2.5, None, "x"], 2: [3]},
    "{(1, 2): 3}": {"(1, 2)": 3},
    "b'x'": "b'x'",
}


@pytest.mark.parametrize("expression", CASES)
def test_value_is_the_same_in_cpython_and_in_the_sandbox(expression: str, evaluate: Evaluate) -> None:
    assert evaluate(expression) == CASES[expression]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("llm_query(1)", "prompt must be a str, not int"),
        ("llm_query(None)", "prompt must be a str, not NoneType"),
        ("llm_query('a', ['b'])", "context must be a str, not list"),
        ("llm_batch('one')", "prompts must be a list of str, not one str"),
        ("llm_batch(['a', 1])", "prompt must be a str, not int"),
        ("rlm_query_batched([None])", "prompt must be a str, not NoneType"),
        ("ask(1, 'text')", "question must be a str"),
        ("ask_chunks('q', [1])", "chunk must be a str"),
        ("extract_after(1)", "marker must be a str"),
        ("llm_query('fail')", "ValueError: fail"),
        ("ctx.get_document(9)", "no document 9: there are 3"),
        ("ctx.chunk(0)", "size"),
        ("ctx.chunk(5, 5)", "overlap"),
        ("min([])", "empty"),
        ("max([], key=lambda x: x)", "empty"),
        ("map(lambda x: 1 // x, [0])", "zero"),
    ],
)
def test_wrong_use_raises_and_says_what_is_wrong(expression: str, message: str, evaluate: Evaluate) -> None:
    with pytest.raises(Exception, match=re.escape(message)):
        evaluate(expression)


def test_names_given_to_cells_are_all_defined() -> None:
    assert in_sandbox(f"[type(name).__name__ for name in [{', '.join([*NAMES, *BUILTINS])}]]")


def test_imports_of_the_prelude_are_those_the_repl_promises() -> None:
    for module in (re, json, math, collections, itertools, datetime):
        assert module.__name__ in NAMES


def test_asking_chunks_first_stops_at_the_first_answer() -> None:
    ran = run("Final = ask_chunks_first('What?', ['x'] * 4 + ['bingo'] + ['x'] * 100)", answer=answer)
    assert ran.answer == "found it"
    assert len(ran.model.asked) == 12


def test_text_of_a_question_about_a_chunk_comes_after_the_shared_question() -> None:
    first, second = sorted(run("ask_chunks('What?', ['one', 'two'])\nFinal = 1").model.asked)
    assert first.startswith("What?")
    assert first.removesuffix("one") == second.removesuffix("two")
