"""The tasks of `make eval-local` are what they claim: exact answers, the same for everyone, two families apart.

Answers are worked out here a second time, from the text alone, with regular expressions.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import pytest

from benchmarks.tasks import SIZES, Task, held_out_tasks, tuning_tasks

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
