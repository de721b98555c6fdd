"""`grep` in the REPL: where a pattern stands, in the text or in others."""

from __future__ import annotations

import re

import pytest

from langgraph_rlm import Context, Sandbox
from tests.fakes import error_of, final_of, run

DOCUMENTS = ["apple\npear (x\n", "zürich apple\npears apple\n"]
LINES = [f"{i} née {'pear' if i % 7 else 'apple'} {'x' * (i % 13)}\n" for i in range(20_000)]
LONG = ["".join(LINES[:9_000]), "".join(LINES[9_000:])]


def test_hit_tells_where_it_is_and_what_stands_around_it() -> None:
    hits = final_of("Final = grep('apple', 6)", context=DOCUMENTS)
    assert [(hit["name"], hit["document"], hit["line"]) for hit in hits] == [
        ("document 0", 0, 1),
        ("document 1", 1, 1),
        ("document 1", 1, 2),
    ]
    text = Context.of(DOCUMENTS).text
    assert [text[hit["offset"] :].startswith("apple") for hit in hits] == [True] * 3
    assert [hit["text"] for hit in hits] == ["apple\npear ", "ürich apple\npears", "pears apple\n"]
    assert {hit["match"] for hit in hits} == {"apple"}


@pytest.mark.parametrize(
    ("call", "matches"),
    [
        ("grep('pears?')", ["pear", "pears"]),
        ("grep('^pear')", ["pear", "pear"]),
        ("grep(r'apple$', most=1)", ["apple"]),
        ("grep('APPLE', flags=re.I)", ["apple", "apple", "apple"]),
        ("grep(re.compile('Z.rich', re.I))", ["zürich"]),
        ("grep('(?i)ZÜRICH')", ["zürich"]),
        ("grep('e*')", ["e", "e", "e", "e", "e"]),
        ("grep('apple', P)", ["apple", "apple", "apple"]),
        ("grep('apple', ctx.documents())", ["apple", "apple", "apple"]),
        ("grep('apple', texts='an apple', context=2)", ["apple"]),
        ("grep('apple', ['none'])", []),
        ("grep('apple', most=None)[:2]", ["apple", "apple"]),
        ("grep('apple', -1, -1)", []),
        ("grep('nowhere')", []),
        ("grep('no[w]here')", []),
    ],
)
def test_patterns_and_texts_as_users_write_them(call: str, matches: list[str]) -> None:
    assert [hit["match"] for hit in final_of(f"Final = {call}", context=DOCUMENTS)] == matches


def test_hits_of_other_texts_have_the_number_of_the_text() -> None:
    [hit] = final_of("Final = grep('b.', ['ab\\n', 'a\\nbé é'], 2)")
    assert hit == {"name": "texts[1]", "document": 1, "line": 2, "offset": 2, "match": "bé", "text": "a\nbé é"}


@pytest.mark.parametrize(
    "pattern",
    [r"apple", r"\d+77 née", r"x{11}\n\d+", r"^\d*3 .*$", r"(?s)apple.{0,300}?apple", r"\bpear\b x{11}$", r"\A0 née"],
)
def test_long_texts_are_searched_as_if_at_once(pattern: str) -> None:
    context = Context.of(LONG)
    hits = final_of(f"Final = [grep(r'{pattern}', most=9_000), grep(r'{pattern}', P[:], most=9_000)]", context=LONG)
    wanted = [(m.start(), m[0]) for m in re.finditer(pattern, context.text, re.M)]
    assert [[(hit["offset"], hit["match"]) for hit in found] for found in hits] == [wanted, wanted]
    assert wanted
    for of_p, of_text in zip(*hits, strict=True):
        start = of_p["offset"]
        assert of_text["line"] == context.text.count("\n", 0, start) + 1
        assert of_p["document"] == context.document_at(start)
        assert of_p["line"] == context.text.count("\n", context.metadata[of_p["document"]]["start"], start) + 1


def test_that_there_are_more_is_printed() -> None:
    ran = run("grep('pear')[0]['line']\ngrep('pear', most=100_000)\ngrep('[pq]ear')", "Final = 1", context=LONG)
    total = "".join(LONG).count("pear")
    assert f"grep: the first 20 of {total} matches\n" in ran.outputs[0]
    assert "grep: the first 20 of at least 1" in ran.outputs[0]


def test_hits_are_shown_line_by_line() -> None:
    [output, _] = run("grep('apple')", "Final = 1", context=DOCUMENTS).outputs
    assert [line.count("(offset ") for line in output.splitlines()] == [1, 1, 1]


def test_hits_that_do_not_fit_are_told_of() -> None:
    [output, _] = run("grep('needle', context=400, most=40)", "Final = len(P)", context="x needle y\n" * 500).outputs
    *lines, last = output.splitlines()
    assert last.endswith("of 40 shown: slice it for the others")
    assert last.startswith(f"… {len(lines) - 1} ")  # what it prints of those it has not is above them
    assert all(line.endswith("'") for line in lines[1:])


def test_what_is_no_pattern_is_searched_as_it_is() -> None:
    ran = run("Final = [hit['match'] for hit in grep('pear (x')]", context=DOCUMENTS)
    assert ran.answer == ["pear (x"]
    assert "no regular expression" in ran.outputs[0]


@pytest.mark.parametrize(
    ("call", "why"), [("grep('')", "not empty"), ("grep(3)", "string or compiled"), ("grep('a', [1])", "must be a str")]
)
def test_what_cannot_be_searched_is_an_error(call: str, why: str) -> None:
    assert why in error_of(call)


def test_pattern_that_takes_for_ever_ends_with_the_cell() -> None:
    ran = run(r"grep(r'(?=(x+x+)+y)z')", "Final = 1", context="x" * 200_000, sandbox=Sandbox(timeout=0.5))
    assert ran.errors[0] is not None


def test_long_matches_and_surroundings_are_cut() -> None:
    [hit] = final_of("Final = grep('a+', 10**9)", context="b" * 50_000 + "a" * 5_000 + "b" * 50_000)
    assert (len(hit["match"]), len(hit["text"])) == (1_000, 5_000)


def test_code_may_use_the_name_for_its_own() -> None:
    assert run("def grep(x):\n    return [x]\n1", "Final = grep(2)").answer == [2]


@pytest.mark.parametrize(
    "call",
    [
        "('context', 'places', [[[0, 10**9]], 5])",
        "('context', 'places', [[[-1, 2]], 5])",
        "('context', 'places', [['x'], 5])",
        "('context', 'piece', [0, 0, 0, 0])",
        "('context', 'grep', ['', 1, 1])",
    ],
)
def test_host_refuses_what_makes_no_sense(call: str) -> None:
    assert "TypeError" in error_of(f"__rlm__['_host']{call}")
