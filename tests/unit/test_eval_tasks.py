"""The tasks of `make eval-local` are what they claim: exact answers, the same for everyone, two families apart.

Answers are worked out here a second time, from the text alone, with regular expressions. Those of natural questions
stand here as well, where every Python has the same.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import PurePath
from typing import get_args

import pytest
from langchain_core.documents import Document
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage

from benchmarks.eval_local import Cost, ask_plainly, timed
from benchmarks.natural_tasks import natural_held_out_tasks, natural_tuning_tasks
from benchmarks.search_and_ask import lines_found, plain_question
from benchmarks.tasks import SIZES, CodeKind, Task, held_out_tasks, tuning_tasks
from langgraph_rlm import Context

SEEDS = (0, 7)

Solver = Callable[[str, str], object]  # (text, question) -> answer


def only(pattern: str, text: str) -> str:
    (found,) = re.findall(pattern, text)
    return str(found)


def count(pattern: str) -> Solver:
    return lambda text, _: len(re.findall(pattern, text, re.MULTILINE))


def distinct(pattern: str) -> Solver:
    return lambda text, _: len(set(re.findall(pattern, text, re.MULTILINE)))


def total(pattern: str) -> Solver:
    return lambda text, _: sum(map(int, re.findall(pattern, text, re.MULTILINE)))


def most(pattern: str) -> Solver:
    def solve(text: str, _: str) -> str:
        votes = Counter[str](re.findall(pattern, text, re.MULTILINE))
        (winner,) = (value for value, count in votes.items() if count == max(votes.values()))  # a tie would fail
        return winner

    return solve


def needle(pattern: str) -> Solver:
    return lambda text, _: only(pattern, text)


def two_hop(asked: str, first: str, second: str) -> Solver:
    def solve(text: str, question: str) -> str:
        link = only(first.format(re.escape(only(asked, question))), text)
        return only(second.format(link), text)

    return solve


SOLVERS: dict[str, dict[str, Solver]] = {
    "tuning": {
        "needle-60k": needle(r"access code of the archive is (\S+)\. "),
        "count-60k": count(r" level=ERROR "),
        "most-60k": most(r"^\d+,[\d-]+,c\d+,(\w+),\d+$"),
        "total-60k": total(r'"team": "network".*"hours": (\d+)}$'),
        "distinct-60k": distinct(r" -> (\w+ \d+),"),
        "two-hop-60k": two_hop(r"badge of (.+)\?", r"Name: {} .*Badge: (\S+)", r"Badge: {} \|\| Locker: (\S+)"),
        "needle-1m": needle(r"level=FATAL .*user=(\w+)"),
        "count-1m": count(r": Porto -> .*, express$"),
        "most-1m": most(r'"team": "(\w+)", "priority": "high"'),
        "total-1m": total(r",Turin,(\d+)$"),
        "distinct-1m": distinct(r"level=ERROR service=export user=(\w+)"),
        "two-hop-1m": two_hop(r"service (svc-\d+)", r"\[service {}\]\nhost = (\S+)", r"\[{}\]\nrack = (\S+)"),
    },
    "held-out": {
        "needle-60k": needle(r"combination of the boathouse lock is (\S+)\. "),
        "count-60k": count(r'" 404 \d+$'),
        "most-60k": most(r"^<(\w+)>"),
        "total-60k": total(r'bin="D14" qty="(\d+)"'),
        "distinct-60k": distinct(r"^  author: (.+)$"),
        "two-hop-60k": two_hop(r"tram that (.+) drives", r"\| {} \| (tram \d+) \|", r"\| {} \| (\w+) depot \|"),
        "needle-1m": needle(r"job (J\d+) crashed"),
        "count-1m": count(r";NW;0$"),
        "most-1m": most(r"^  shelf: (\w+)$"),
        "total-1m": total(r"\(indexer\): .* after (\d+) s$"),
        "distinct-1m": distinct(r"^(\S+) .*\"\w+ /checkout HTTP"),
        "two-hop-1m": two_hop(
            r"house that (.+) bought", r"was {} who bought (house \d+)", r"for {}, .*? was (\w+ \w+)\."
        ),
    },
}
FAMILIES = {"tuning": tuning_tasks, "held-out": held_out_tasks}


def text_of(task: Task) -> str:
    assert not isinstance(task.context, Context)
    return task.context if isinstance(task.context, str) else "\n".join(task.context)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("family", FAMILIES)
def test_every_answer_follows_from_the_text(family: str, seed: int) -> None:
    tasks = FAMILIES[family](seed)
    assert [task.name for task in tasks] == list(SOLVERS[family])
    for task in tasks:
        found = SOLVERS[family][task.name](text_of(task), task.question)
        assert found == task.expected, task.name
        assert task.accepts(found), task.name


@pytest.mark.parametrize("family", FAMILIES)
def test_a_seed_gives_the_same_tasks_again_and_another_seed_others(family: str) -> None:
    tasks, again, other = (FAMILIES[family](seed) for seed in (3, 3, 4))
    assert tasks == again
    assert all(one.context != two.context for one, two in zip(tasks, other, strict=True))


@pytest.mark.parametrize("family", FAMILIES)
def test_texts_have_the_size_of_their_name(family: str) -> None:
    for task in FAMILIES[family](0):
        size = SIZES[task.name.rpartition("-")[2]]
        assert size * 0.99 < task.size < size * 1.02, task.name
        assert text_of(task).isascii()


def test_families_share_no_question_format_or_field() -> None:
    tuning, held_out = tuning_tasks(0), held_out_tasks(0)
    assert not {task.question for task in tuning} & {task.question for task in held_out}
    assert not {shape(line) for task in tuning for line in sample(task)} & {
        shape(line) for task in held_out for line in sample(task)
    }
    assert not fields(tuning) & fields(held_out)


def sample(task: Task) -> list[str]:
    return [line for line in text_of(task).splitlines()[:200] if line]


def shape(line: str) -> str:
    """A line without what varies: its words and numbers."""
    return re.sub(r"\w+", "w", line)


def fields(tasks: list[Task]) -> set[str]:
    """Names that stand before `=`, `:` or `":` in any line, and those of a header line."""
    texts = [text for task in tasks if (text := "\n".join(sample(task)))]
    headers = {name for text in texts for name in re.split("[,;]", text.splitlines()[0]) if name.isidentifier()}
    return headers | {name for text in texts for name in re.findall(r"\b([A-Za-z]\w*)(?: ?=|\"?: )", text)}


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        (42, True),
        (42.0, True),
        ("42", True),
        ("There are 42 lines with status 404.", True),
        ({"404": 42}, True),
        ("42 or 43", False),
        ("142", False),
        ("404", False),
        ("x42", False),
        (None, False),
        (True, False),
        ("42 " + "and so on " * 30, False),
    ],
)
def test_a_number_is_right_when_it_is_the_only_one_named(answer: object, right: bool) -> None:
    assert Task("t", "count", "How many lines have status 404?", "", 42).accepts(answer) is right


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("Leeds", True),
        (" leeds.\n", True),
        (["Leeds", 12], True),
        ("Leeds has the most orders, more than York.", True),
        ("Leeds or Oslo", False),
        ({"Leeds": 12, "Oslo": 3}, False),
        ("Leedsville", False),
        ("Oslo", False),
        (12, False),
        (None, False),
    ],
)
def test_a_name_is_right_when_no_rival_is_named(answer: object, right: bool) -> None:
    question = "Which city has more orders than York?"
    assert Task("t", "group_by", question, "", "Leeds", frozenset({"Leeds", "Oslo", "York"})).accepts(answer) is right


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("locks.py", True),
        ("asyncio/locks.py", True),
        ("In asyncio/locks.py:446, unlike most events.", True),
        ("locks", True),
        ("asyncio.locks", True),
        ("locks.py or events.py", False),
        ("locks or events", False),
        (["asyncio/locks.py", "asyncio/events.py"], False),
        ("base_locks.py", False),
        ("events.py", False),
        ("asyncio", False),
    ],
)
def test_a_file_may_stand_in_a_path_and_go_without_its_ending(answer: object, right: bool) -> None:
    files = frozenset({"locks.py", "events.py", "__init__.py"})
    assert Task("t", "class", "In which file is it?", "", "locks.py", files).accepts(answer) is right


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        (["asyncio/queues.py", "asyncio/base_events.py"], True),
        ("base_events.py and queues.py", True),
        ("queues, base_events", True),
        ("queues.py", False),
        ("queues.py, base_events.py, tasks.py", False),
        ([], False),
    ],
)
def test_of_several_all_are_to_be_named_and_no_other(answer: object, right: bool) -> None:
    files = frozenset({"base_events.py", "queues.py", "tasks.py"})
    task = Task("t", "imports", "Which files import heapq?", "", ("base_events.py", "queues.py"), files)
    assert task.accepts(answer) is right


# Natural questions


def files(pattern: str) -> Callable[[Context], set[object]]:
    """The names of the files that have a match."""

    def solve(context: Context) -> set[object]:
        documents = zip(context.metadata, context.documents(), strict=True)
        return {PurePath(meta["name"]).name for meta, text in documents if re.search(f"(?ms){pattern}", text)}

    return solve


def groups(pattern: str) -> Callable[[Context], set[object]]:
    """What the group of the pattern is, in all its matches; numbers as such."""
    return lambda context: {
        int(found) if found.isdigit() else found for found in re.findall(f"(?ms){pattern}", context.text)
    }


def longest(context: Context) -> set[object]:
    """The file with the most lines, and the one with the most characters."""
    texts = {PurePath(meta["name"]).name: context.get_document(i) for i, meta in enumerate(context.metadata)}
    return {max(texts, key=lambda name: len(texts[name].splitlines())), max(texts, key=lambda name: len(texts[name]))}


def within(function: str, pattern: str) -> str:
    """A pattern within the definition of a function."""
    return rf"def {function}\((?:(?!\bdef ).)*?{pattern}"


SAME = object()  # as in the text at hand: other versions of Python may have another answer
NATURAL: dict[str, dict[str, tuple[Callable[[Context], set[object]], object]]] = {
    "tuning": {
        "asyncio-class": (files(r"^class Barrier\b"), "locks.py"),
        "asyncio-imports": (files(r"^ *(?:import|from) heapq\b"), ("base_events.py", "queues.py")),
        "asyncio-default": (groups(r"def create_server\([^)]*\bbacklog=(\w+)"), 100),
        "asyncio-constant": (groups(r"\bDEBUG_STACK_DEPTH = (\w+)"), 10),
        "asyncio-error": (groups(within(r"(\w+)", r"raise \w+\('Set of Tasks/Futures is empty\.'\)")), "wait"),
        "logging-base": (groups(r"class WatchedFileHandler\(logging\.(.*?)\):"), "FileHandler"),
        "logging-returns": (groups(within("mapPriority", r'return [^\n]*, "(\w+)"\)')), "warning"),
        "logging-raises": (groups(r"raise (\w+)\('A logger name must be a string'\)"), "TypeError"),
        "json-count": (lambda context: {len(re.findall(r"(?m)^ *class \w+\b.*:$", context.text))}, SAME),
        "json-function": (files(r"^ *def py_scanstring\b"), "decoder.py"),
        "email-largest": (longest, SAME),
        "email-docstring": (files(r'^"""[^"]*Lifted directly from rfc822'), "_parseaddr.py"),
    },
    "held-out": {
        "http-class": (files(r"^class Morsel\b"), "cookies.py"),
        "multiprocessing-imports": (files(r"^ *(?:import|from) mmap\b"), ("heap.py", "shared_memory.py")),
        "multiprocessing-largest": (longest, SAME),
        "wsgiref-default": (groups(r"\bblksize=(\w+)"), 8192),
        "wsgiref-returns": (groups(within("guess_scheme", r"else:\s*return '(\w+)'")), "http"),
        "unittest-constant": (groups(r"\b_MAX_LENGTH = (\w+)"), 80),
        "unittest-function": (files(r"^ *def skipUnless\b"), "case.py"),
        "urllib-error": (files(r'"Port out of range 0-65535"'), "parse.py"),
        "concurrent-base": (groups(r"class ThreadPoolExecutor\(_base\.(.*?)\):"), "Executor"),
        "importlib-raises": (groups(r'raise (\w+)\("reload\(\) argument must be a module"\)'), "TypeError"),
        "xml-count": (lambda context: {context.num_documents()}, SAME),
        "xml-docstring": (files(r'\A"""[^"]*SAX driver for the pyexpat C module'), "expatreader.py"),
    },
}
NATURAL_FAMILIES = {"tuning": natural_tuning_tasks, "held-out": natural_held_out_tasks}


def context_of(task: Task) -> Context:
    assert isinstance(task.context, Context)
    return task.context


@pytest.mark.parametrize("family", NATURAL)
def test_natural_questions_have_one_answer_which_is_the_same_in_every_python(family: str) -> None:
    tasks = NATURAL_FAMILIES[family]()
    assert [task.name for task in tasks] == list(NATURAL[family])
    for task in tasks:
        solve, always = NATURAL[family][task.name]
        answers = {task.expected} if not isinstance(task.expected, tuple) else {*task.expected}
        assert solve(context_of(task)) == answers, task.name
        assert always in (task.expected, SAME), task.name


@pytest.mark.parametrize("family", NATURAL)
def test_of_all_that_could_be_said_one_answer_is_accepted(family: str) -> None:
    for task in NATURAL_FAMILIES[family]():
        right = [task.expected] if not isinstance(task.expected, tuple) else [*task.expected]
        assert task.accepts(task.expected), task.name
        assert task.accepts(f"It is {' and '.join(map(str, right))}."), task.name
        for rival in task.rivals.difference(map(str, right)):
            assert not task.accepts(rival), task.name
            assert rival in task.question or not task.accepts(f"{' or '.join(map(str, right))} or {rival}"), task.name


@pytest.mark.parametrize("family", NATURAL)
def test_a_natural_family_has_a_question_of_each_kind_over_folders_of_moderate_size(family: str) -> None:
    tasks = NATURAL_FAMILIES[family]()
    assert sorted(task.kind for task in tasks) == sorted(get_args(CodeKind))
    for task in tasks:
        names = [document["name"] for document in context_of(task).metadata]
        assert all(name.startswith(task.name.partition("-")[0] + "/") and name.endswith(".py") for name in names)
        assert not any("/test" in name for name in names)  # not installed everywhere
        assert 8_000 < task.size < 1_000_000, task.name


def test_natural_families_share_no_folder_and_no_wording() -> None:
    tuning, held_out = natural_tuning_tasks(), natural_held_out_tasks()
    assert not {task.name.partition("-")[0] for task in tuning} & {task.name.partition("-")[0] for task in held_out}
    assert not {phrase for task in tuning for phrase in phrases(task.question)} & {
        phrase for task in held_out for phrase in phrases(task.question)
    }


def phrases(question: str) -> set[tuple[str, ...]]:
    """Each three words that follow each other."""
    words = re.findall(r"\w+", question.casefold())
    return set(zip(words, words[1:], words[2:], strict=False))


# The plain way


DOCUMENTS = Context.of(
    [
        Document("import os\nclass Kettle(Pot):\n    size = 3", metadata={"name": "kitchen/kettle.py"}),
        Document("# a class of its own\nclass Pot:\n    size = 1\n" + "    pass\n" * 50, metadata={"name": "pot.py"}),
        Document("The Kettle is on.\n" + "class X: ...\n" * 20, metadata={"name": "notes.py"}),
    ]
)


def test_lines_with_the_rarest_words_of_the_question_come_first() -> None:
    found = lines_found("Which class is Kettle derived from?", DOCUMENTS)
    assert [str(line) for line in found] == [
        "kitchen/kettle.py:2: class Kettle(Pot):",
        "notes.py:1: The Kettle is on.",
    ]


def test_what_is_quoted_is_looked_for_as_it_stands() -> None:
    assert [line.number for line in lines_found("What is it that says 'is on.'?", DOCUMENTS)] == [1]


def test_plurals_find_their_singular_and_case_does_not_matter() -> None:
    assert len(lines_found("how many classes?", DOCUMENTS)) == 23
    assert len(lines_found("how big is a kettle?", DOCUMENTS)) == 2


def test_no_more_lines_are_found_than_fit() -> None:
    shown = "\n".join(map(str, lines_found("class", DOCUMENTS, most=200)))
    assert 150 < len(shown) <= 200
    assert lines_found("What is it?", DOCUMENTS) == lines_found("teapot", DOCUMENTS) == []


def test_a_plain_question_costs_one_call_and_is_written_down() -> None:
    usage = {"input_tokens": 90, "output_tokens": 2, "total_tokens": 92}
    model = GenericFakeChatModel(messages=iter([AIMessage("It is Pot.", usage_metadata=usage)]))
    task = Task("t", "base", "Which class is Kettle derived from?", DOCUMENTS, "Pot", frozenset({"Pot", "Kettle"}))
    out, cost = timed(lambda task: ask_plainly(model, task), task)
    assert out == {"answer": "It is Pot.", "prompt": plain_question(task.question, DOCUMENTS)}
    assert "\nkitchen/kettle.py:2: class Kettle(Pot):\n" in out["prompt"]
    assert (cost.steps, cost.subcalls, cost.input_tokens, cost.output_tokens) == (0, 0, 90, 2)
    assert task.accepts(out["answer"])


def test_a_task_that_fails_is_told_as_its_error() -> None:
    def fail(task: Task) -> tuple[dict[str, object], Cost]:
        raise ValueError(task.name)

    assert timed(fail, Task("t", "base", "?", "", "Pot"))[0] == {"error": "ValueError: t"}
