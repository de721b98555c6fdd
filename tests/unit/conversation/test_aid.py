"""In the small voice the host puts the question over what was found, where a cell guesses or gets nowhere."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import SecretStr

from langgraph_rlm import Limits, create_rlm
from langgraph_rlm.context import Context
from langgraph_rlm.conversation.preview import evidence
from langgraph_rlm.conversation.preview.amounts import is_computed
from langgraph_rlm.conversation.preview.hops import second_places
from langgraph_rlm.conversation.preview.words import words_found
from tests.fakes import InOrder, cell, rlm_of
from tests.servers import Asked, Reply, serving

FILES = [
    "def a():\n    return 1\n" * 40,
    "class Barrier:\n    def wait(self, limit=7):\n        raise BrokenBarrier()\n",
    "x = 1\n" * 300,
]
GIVEN: Any = {"query": "In which file is the class Barrier defined?", "context": FILES}
VAIN = "hits = [x for x in P.splitlines() if 'zzz' in x]"


def asked(
    *cells: str, given: Any = GIVEN, answer: Any = "document 1", **settings: Any
) -> tuple[dict[str, Any], InOrder]:
    model = InOrder(script=[*map(cell, cells)], answer=lambda prompt: answer)
    return rlm_of(model, voice="small", **settings).invoke(given), model


@pytest.mark.parametrize("guess", ["Final = 'P'", "Final = None", "Final = 1024", "Final = []", VAIN])
def test_guess_and_search_in_vain_are_followed_by_the_plain_question(guess: str) -> None:
    out, model = asked(guess)
    assert (out["answer"], out["status"], out["steps"], out["subcalls"]) == ("document 1", "answered", 1, 1)
    [prompt] = model.asked
    assert "document 1:\n1: class Barrier:" in prompt
    assert GIVEN["query"] in prompt


@pytest.mark.parametrize(
    "search",
    [
        "for line in P.splitlines():\n    if 'zzz' in line:\n        print(line)",
        "for name, text in documents.items():\n    if 'class zzz' in text:\n        print(name)",
        "m = re.search('zzz', P)\nif m: print(m.group())",
        "m = re.search('zzz', P)\nprint(m.group() if m else 'Nothing was found.')",
        "if 'zzz' in P:\n    print('yes')\nelse:\n    print('It is not there.')",
        "m = re.search('zzz', P)\nif m:\n    print(f'It is {m.group()}.')\nelse:\n    print('It is not there.')",
        "print([line for line in P.splitlines() if 'zzz' in line])",
        "hits = re.findall('zzz', P)\nprint(hits)",
        "hits = re.findall('zzz', P)\nprint('Hits:', hits)",
        "hits = re.findall('zzz', P)\nprint(f'{len(hits)} hits')",
        "print(re.search('zzz', P))",
        "print('zzz' in P)",
        "print(P.find('zzz'))",
        "print(P.count('zzz'))",
        "print(grep('zzz'))",
        "grep('zzz')",
        "re.findall('zzz', P)",
        "hits = [line for line in P.splitlines() if 'zzz' in line]\nprint('\\n'.join(hits))",
        "print(set(re.findall('zzz', P)))",
        "hits = collections.Counter(re.findall('zzz', P))\nprint(hits)",
        "print({name: text.count('zzz') for name, text in documents.items() if 'zzz' in text})",
        "print('zzz:')\nfor hit in re.finditer('zzz', P):\n    print(hit.start())",
        "print(re.search('zzz', P).group())",
        "print(P[P.index('zzz')])",
        "print(re.findall('zzz', P)[0])",
        "print([line for line in P.splitlines() if 'zzz' in line][0])",
        "print(documents['zzz'])",
        "print(next(line for line in P.splitlines() if 'zzz' in line))",
        "print(max(re.findall('zzz', P)))",
        "for line in P.splitlines():\n    if 'zzz' in line:\n        hit = line\nprint(hit)",
        "Final = [line for line in P.splitlines() if 'zzz' in line]",
        "Final = re.findall('zzz', P)",
        "Final = next((name for name, text in documents.items() if 'zzz' in text), None)",
        "Final = {name: 1 for name, text in documents.items() if 'zzz' in text}",
        "Final = '\\n'.join(re.findall('zzz', P))",
        "Final = P.find('zzz')",
    ],
)
def test_search_that_finds_nothing_is_followed_by_the_plain_question(search: str) -> None:
    out, model = asked(search)
    assert (out["answer"], out["steps"], len(model.asked)) == ("document 1", 1, 1)


@pytest.mark.parametrize(
    "code",
    [
        "print(P[:9])",
        "print(lines[0])",
        "lines = P.splitlines()\nprint('loaded')",
        "def show(x):\n    print(x)\nlines = P.splitlines()",
        "print('\\t' in P)",
        "print(P.count('\\t'))",
        "len(P) / 0",
        "n = len(P)",
        "print(len(P))",
        "print([P[:3]])",
        "lines = P.splitlines()",
        "print(-1)",
        "if 'class' in P:\n    print('It is there.', P.find('class'))",
        "print(P.count('x') - P.count('y') - 299)",
        "def first(text):\n    print(text[:3])",
        "for name in documents:\n    print(name)",
    ],
)
def test_cell_that_found_something_or_did_not_look_is_not(code: str) -> None:
    _, model = asked(code, "Final = P[:5]")
    assert model.asked == []


def test_message_of_code_that_found_nothing_is_asked_about_once() -> None:
    search = "if 'zzz' in P:\n    print('yes')\nelse:\n    print('It is not there.')"
    out, _ = asked(search, "Final = 'It is not there.'", "Final = 'It is not there.'", answer="NO_ANSWER")
    assert (out["answer"], out["steps"]) == ("It is not there.", 3)


def test_empty_answer_is_believed_the_second_time() -> None:
    again = "Final = re.findall('zzz', P)"
    out, _ = asked(again, again, answer="NO_ANSWER")
    assert (out["answer"], out["steps"]) == ([], 2)


def test_cell_that_repeats_is_followed_by_the_plain_question_over_what_it_printed() -> None:
    out, model = asked("print(P[:9])", "print(P[:9])")
    assert (out["answer"], out["steps"]) == ("document 1", 2)
    assert "def a():" in model.asked[0]


def test_error_that_comes_again_is_followed_by_the_plain_question() -> None:
    out, _ = asked("print(hits)", "for hit in hits:\n    print(P[:5])")
    assert (out["answer"], out["steps"]) == ("document 1", 2)
    out, _ = asked("print(hits)", "print(hit)", "len(P) / 0", "print(hits)[0]", "Final = P[:5]")
    assert out["answer"] == "def a"


def test_cell_that_prints_something_else_does_not_repeat() -> None:
    page = "print(P[at : at + 30])\nat += 30"
    out, model = asked("at = len(P) - len(P)", page, page, page, "Final = at")
    assert (out["answer"], model.asked) == (90, [])


ITEMS = "\n".join(
    f"item {i}: colour {'red' if i % 3 else 'blue'}, owner {'Ada' if i % 2 else 'Bob'}" for i in range(500)
)


@pytest.mark.parametrize(
    ("question", "code", "answer"),
    [
        ("How many items are purple?", "n = P.count('purple')\nprint('purple', n)\nFinal = n", 0),
        ("How many items are purple?", "n = P.count('purple')\nprint(P[:99])\nFinal = n", 0),
        ("Which item is purple?", "hits = re.findall('.*purple.*', P)\nprint('found', hits)\nFinal = hits", []),
        ("Which item is purple?", "m = re.search('purple', P)\nprint(m)\nFinal = m", None),
        ("Which is purple? If none, say 'No answer'.", "Final = 'No answer' if 'purple' not in P else P", "No answer"),
    ],
)
def test_honest_nothing_is_asked_of_the_model_and_believed_the_second_time(
    question: str, code: str, answer: Any
) -> None:
    out, _ = asked(code, code, given={"query": question, "context": ITEMS}, answer="item 4, or 99")
    assert (out["answer"], out["status"], out["steps"]) == (answer, "answered", 2)


@pytest.mark.parametrize(
    ("question", "code", "answer"),
    [
        ("Is the first item blue, red?", "Final = re.search(r'colour (\\w+)', P).group(1)", "blue"),
        ("Who owns more items (Ada/Bob)?", "Final = max(['Ada', 'Bob'], key=P.count)", "Ada"),
        ("Reply yes if red occurs in P, no if it does not.", "Final = 'yes' if 'red' in P else 'no'", "yes"),
        ("Which of Ada and Bob owns the first item?", "Final = re.search(r'owner (\\w+)', P).group(1)", "Bob"),
        ("What is the number of the item after item 7, a 8 perhaps?", "Final = str(P.count('item 8:') + 7)", "8"),
        ("Was ist häufiger, red oder blue?", "Final = max(['red', 'blue'], key=P.count)", "red"),
        ("Reply true/false: red occurs.", "Final = str('red' in P).lower()", "true"),
    ],
)
def test_one_of_what_the_question_names_may_be_the_answer(question: str, code: str, answer: str) -> None:
    out, _ = asked(code, given={"query": question, "context": ITEMS}, answer="WRONG")
    assert (out["answer"], out["steps"]) == (answer, 1)


def test_last_turn_keeps_what_a_copied_cell_has_set() -> None:
    again = "Final = llm_query(plain_question).strip()"
    out, _ = asked("Final = 'P'", again, again, answer="Barrier", limits=Limits(max_steps=2))
    assert (out["answer"], out["status"]) == ("Barrier", "limit")


def test_cell_that_repeats_with_other_comments_is_followed_by_it_too() -> None:
    for again in ("print(P[:9])  \n\n# Once more", "print( P[:9] )", "print(P[:9])  # again"):
        out, _ = asked("# First\nprint(P[:9])", again)
        assert (out["answer"], out["steps"]) == ("document 1", 2)


@pytest.mark.parametrize(
    ("code", "is_told"),
    [
        ("if 'zzz' not in P:\n    print('No match found.')", False),
        ("print(None)", False),
        ("print('loaded', len(P))", True),
        ("print('purple', P.count('purple'))", True),
        ("print([])", False),
        ("print('Found:', P[:5])", True),
        ("print(len(P))", True),
    ],
)
def test_what_only_says_that_there_is_nothing_is_not_shown_with_the_lines(code: str, is_told: bool) -> None:
    _, model = asked(code, code)
    assert ("This was printed" in model.asked[0]) == is_told


def test_what_was_printed_twice_is_shown_once() -> None:
    _, model = asked("print(P[:9])", "print(P[:9])")
    assert model.asked[0].count("def a():") == 1


@pytest.mark.parametrize(
    "first", ["import heapq", "x = 5", "def f(x):\n    return x\nf(1)", "import re\nn = re.I", "len(P) / 0"]
)
def test_answer_after_code_that_did_not_look_is_a_guess(first: str) -> None:
    out, model = asked(first, "Final = 'document 0'")
    assert (out["answer"], len(model.asked)) == ("document 1", 1)


@pytest.mark.parametrize(
    "first", ["print(P[:9])", "n = len(P)", "print(llm_query('?'))", "hits = grep('x')", "print(P[:5])\n1 / 0"]
)
def test_answer_after_code_that_looked_is_none(first: str) -> None:
    out, _ = asked(first, "Final = 'document 0'")
    assert out["answer"] == "document 0"


@pytest.mark.parametrize(("temperature", "warmer"), [(0, 0.7), (0.2, 0.7), (0.7, 0.9), (0.9, 1), (1, 1), (None, None)])
def test_sample_after_a_turn_that_got_nowhere_is_warmer(temperature: float | None, warmer: float | None) -> None:
    replies = [cell("Final = 'P'"), cell("Final = len(P)")]

    def answer(asked: Asked) -> Reply:
        said = "NO_ANSWER" if asked.body["messages"][0]["role"] != "system" else replies.pop(0)
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": said}}
        return Reply({"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]})

    with serving(answer) as server:
        model = ChatOpenAI(model="m", base_url=server.url, api_key=SecretStr("none"), temperature=temperature)
        create_rlm(model, voice="small").invoke({**GIVEN, "profile": "rlm"})
    turns = [asked.body for asked in server.asked if asked.body["messages"][0]["role"] == "system"]
    assert [body.get("temperature") for body in turns] == [temperature, warmer]


def test_plain_question_is_not_put_twice_over_the_same() -> None:
    out, model = asked("Final = 'P'", "Final = None", "Final = len(P)", answer="NO_ANSWER")
    assert (out["answer"], len(model.asked)) == (len("\n\n".join(FILES)), 1)


RECORDS = "\n".join(f"Name: N {i} | City: {'Oslo' if i % 2 else 'Bergen'}" for i in range(400))


@pytest.mark.parametrize(
    ("question", "text", "is_so"),
    [
        ("How many people live in Oslo?", RECORDS, True),
        ("Which city has the most people?", RECORDS, True),
        ("Where does N 317 live?", RECORDS, False),
        ("How many employees are there?", "Prose says much.\n" * 90 + "There are 412 employees.\n", False),
        ("How many lines are there?", "x = 1\n" * 900, True),
        ("Which file has more lines than any other?", "x = 1\n" * 900, True),
        ("What is max_size?", "x = 1\n" * 900 + "max_size = 3\n", False),
    ],
)
def test_amounts_of_all_of_a_text_are_to_be_computed(question: str, text: str, is_so: bool) -> None:
    assert is_computed(question, words_found(question, text), text, is_of_records=text is RECORDS) == is_so
    _, model = asked("Final = 1", "Final = len(P) + P.count('Oslo')", given={"query": question, "context": text})
    assert ("Compute this" in model.turns[0].told) == is_so
    assert [prompt.startswith("These lines were found") for prompt in model.asked] == ([] if is_so else [True])


LIVES = {"query": "How many people live in Oslo?", "context": RECORDS}


def test_amount_whose_code_leaves_out_a_name_is_asked_about_once() -> None:
    all_of_them, right = "Final = sum(1 for row in rows if row['City'])", "Final = P.count('Oslo')"
    out, model = asked(all_of_them, right, given=LIVES)
    assert out["answer"] == 200
    assert "leaves out 'Oslo'" in model.turns[1].told
    assert asked(all_of_them, all_of_them, given=LIVES)[0]["answer"] == 400
    assert asked("oslo = 'Oslo'\nprint(P.count(oslo))", "Final = P.count(oslo)", given=LIVES)[0]["answer"] == 200


def test_amount_of_nothing_is_asked_about_once() -> None:
    out, model = asked("Final = P.count('City: oslo')", "Final = P.count('City: Oslo')", given=LIVES)
    assert out["answer"] == 200
    assert "is 0" in model.turns[1].told
    assert asked(*["Final = P.count('City: oslo')"] * 2, given=LIVES)[0]["answer"] == 0


@pytest.mark.parametrize(
    ("said", "is_taken"), [("Ada", False), ("There are 7.", True), ("seven", True), ("None.", True)]
)
def test_answer_to_how_many_is_a_number(said: str, is_taken: bool) -> None:
    given = {"query": "How many employees are there?", "context": "Prose.\n" * 90 + "There are 7 employees: Ada …\n"}
    out, _ = asked("Final = 99", "Final = len(P)", given=given, answer=said)
    assert (out["answer"] == said) == is_taken


def test_cell_that_does_the_same_again_is_left_out_with_all_before_it() -> None:
    again = "Final = llm_query(plain_question).strip()"
    _, model = asked("Final = 'P'", "zz = len(P)", again, "Final = P[:5]", answer="Barrier")
    *_, before, last = [turn.conversation for turn in model.turns]
    assert [len(before), len(last)] == [7, 1]
    assert "begins" in last[0][1]
    assert "Begin afresh" in last[0][1]
    assert "zz" not in last[0][1].partition("Begin afresh")[0]


@pytest.mark.parametrize("answer", ["NO_ANSWER", "", " "])
def test_model_goes_on_where_the_lines_do_not_tell(answer: str) -> None:
    out, model = asked("Final = 'P'", "Final = len(P)", answer=answer)
    assert (out["answer"], out["steps"]) == (len("\n\n".join(FILES)), 2)
    assert "do not tell" in model.turns[1].told


@pytest.mark.parametrize(
    "said",
    [
        "no_answer",
        "NO ANSWER",
        "No answer.",
        "NO\\_ANSWER",
        "NO-ANSWER",
        "Answer: NoAnswer",
        "None of this has to do with it.",
    ],
)
def test_other_spellings_of_no_answer_are_none(said: str) -> None:
    out, _ = asked("Final = 'P'", "Final = len(P)", answer=said)
    assert out["answer"] == len("\n\n".join(FILES))


@pytest.mark.parametrize("ending", ["", " or None", "  # once more"])
def test_no_answer_that_the_model_copies_again_and_again_ends_nothing(ending: str) -> None:
    again = f"Final = llm_query(plain_question).strip(){ending}"
    out, _ = asked("Final = 'P'", again, again, again, "Final = len(P)", answer="NO_ANSWER.")
    assert out["answer"] == len("\n\n".join(FILES))


@pytest.mark.parametrize(
    "said",
    [
        cell("Final = 3"),
        cell("print(P.find('Barrier'))"),
        "```python\nprint(1)\n```",
        "```\nFinal = 'document 0'\n```",
        "print(P.find('Barrier'))",
        "Final = llm_query(plain_question)",
        "FINAL(3)",
        "Look at it:\n```py\nfor line in P.splitlines():\n    print(line)\n```",
        "Barrier",
        "**Barrier**",
        "``````",
    ],
)
def test_code_and_words_of_the_question_are_no_answer_to_the_plain_one(said: str) -> None:
    out, _ = asked("Final = 'P'", "Final = llm_query(plain_question).strip()", "Final = len(P)", answer=said)
    assert (out["answer"], out["steps"]) == (len("\n\n".join(FILES)), 3)


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("FINAL: document 1", "document 1"),
        ("**document 1**", "document 1"),
        ("**Answer:** `document 1`", "document 1"),
        ("The answer is: 'document 1'", "document 1"),
        ("```\ndocument 1\n```", "document 1"),
        ("```text\ndocument 1\n```\n", "document 1"),
        ("`a.py` and `b.py`", "`a.py` and `b.py`"),
        ("limit = 7", "limit = 7"),
        ("```python\nlimit = 7\n```", "limit = 7"),
        ("It is:\n```python\nlimit = 7\n```", "It is:\n```python\nlimit = 7\n```"),
        ("import selectors", "import selectors"),
        ("It is **7**", "It is **7**"),
        ("'", "'"),
        ("__init__", "__init__"),
        ("`__init__`", "__init__"),
        ("print", "print"),
        ("P", "P"),
    ],
)
def test_answer_to_the_plain_question_is_taken_out_of_what_it_is_wrapped_in(said: str, answer: str) -> None:
    assert asked("Final = 'P'", answer=said)[0]["answer"] == answer


@pytest.mark.parametrize("guess", ["FINAL: 2048", "I know it.\nFINAL: document 7", "FINAL: P", "FINAL: None"])
def test_answer_that_is_stated_before_anything_was_seen_is_a_guess(guess: str) -> None:
    model = InOrder(script=[guess], answer=lambda prompt: "document 1")
    out = rlm_of(model, voice="small").invoke(GIVEN)
    assert (out["answer"], out["steps"], out["subcalls"]) == ("document 1", 1, 1)
    model = InOrder(script=[guess, guess], answer=lambda prompt: "NO_ANSWER")
    assert rlm_of(model, voice="small").invoke(GIVEN)["answer"] == guess.partition("FINAL: ")[2]


def test_answer_that_speaks_of_no_answer_is_one() -> None:
    out, _ = asked("print(P[:9])", "Final = 'NO_ANSWER is ' + P[:3]")
    assert out["answer"] == "NO_ANSWER is def"


def test_plain_question_that_the_model_puts_again_in_vain_is_no_answer() -> None:
    again = "Final = llm_query(plain_question).strip()"
    out, _ = asked("Final = 'P'", again, "Final = len(P)", answer="NO_ANSWER")
    assert (out["answer"], out["steps"]) == (len("\n\n".join(FILES)), 3)


def test_nobody_is_asked_where_nothing_was_found() -> None:
    given = {"query": "How many employees?", "context": "nothing here\n" * 200}
    out, model = asked(VAIN, "Final = len(P)", given=given)
    assert (out["answer"], model.asked) == (2_600, [])


def test_variables_and_functions_of_the_code_stay_its_own() -> None:
    cells = [
        "answer, question, evidence = {'n': 3}, 'mine', [1, 2]\ndef ask(q):\n    return 'hacked'",
        VAIN,
        "Final = [answer, question, evidence, ask('?')]",
    ]
    out, _ = asked(*cells, answer="NO_ANSWER")
    assert out["answer"] == [{"n": 3}, "mine", [1, 2], "hacked"]


@pytest.mark.parametrize("limits", [Limits(max_subcalls=0), Limits(max_depth=0)], ids=["max_subcalls", "max_depth"])
def test_without_sub_calls_the_model_is_asked_again(limits: Limits) -> None:
    out, model = asked("Final = 'P'", "Final = len(P)", limits=limits)
    assert (out["steps"], model.asked) == (2, [])


@pytest.mark.parametrize("limits", [Limits(max_subcalls=0), Limits(max_depth=0)], ids=["max_subcalls", "max_depth"])
@pytest.mark.parametrize(
    "guess", ["Final = None", "Final = 'Barrier'", "Final = 1024", "Final = ''", "Final = []", "Final = 'P'"]
)
def test_what_is_said_twice_is_believed_the_second_time(guess: str, limits: Limits) -> None:
    out, _ = asked(guess, guess, limits=limits)
    assert out["steps"] == 2


def test_word_of_the_question_is_no_answer_to_it() -> None:
    out, _ = asked("print(P[:9])", "Final = P[P.find('Barrier'):][:7]")
    assert out["answer"] == "document 1"


def test_blank_is_asked_about_once() -> None:
    out, _ = asked("print(P[:9])", "Final = P[:0] + '\\n'", "Final = P[:5]", answer="NO_ANSWER")
    assert out["answer"] == "def a"
    assert asked("print(P[:9])", "Final = P[:0]", "Final = P[1:1]", answer="NO_ANSWER")[0]["answer"] == ""


def test_what_was_paid_for_stays_paid_on_a_resume() -> None:
    thread: Any = {"configurable": {"thread_id": "1"}}
    model = InOrder(script=[cell("Final = 'P'")], answer=lambda prompt: "document 1")
    rlm = rlm_of(model, voice="small", checkpointer=InMemorySaver(), interrupt_after=["subcall"])
    rlm.invoke(GIVEN, thread)
    assert rlm.invoke(None, thread)["answer"] == "document 1"
    assert len(model.asked) == 1


# -- the documents ----------------------------------------------------------------------------------------------------


def test_documents_are_a_dict_where_a_cell_uses_them_without_a_definition() -> None:
    out, model = asked("print(P[:3])", "Final = [name for name, text in documents.items() if 'class' in text]")
    assert out["answer"] == ["document 1"]
    assert "`documents` is a dict" in model.turns[0].told
    assert asked("documents = [P]", "Final = len(documents)")[0]["answer"] == 1


def test_they_are_not_offered_where_the_text_is_long() -> None:
    model = InOrder(script=[cell("print(P[:3])\ndocuments"), cell("Final = len(P)")])
    out = rlm_of(model, voice="small").invoke({"query": "What?", "context": ["x" * 2_000_000, "y" * 2_000_000]})
    assert "`documents`" not in model.turns[0].told
    assert "NameError" in out["trajectory"][0]["error"]


def on_a_thread(texts: list[Any], *cells: str) -> list[Any]:
    """The answers over texts, one after the other, by cells of which the last of each ends the run."""
    model = InOrder(script=[*map(cell, cells)], answer=lambda prompt: "NO_ANSWER")
    rlm = rlm_of(model, voice="small", checkpointer=InMemorySaver())
    thread: Any = {"configurable": {"thread_id": "1"}}
    return [rlm.invoke({"query": "What is there?", "context": text}, thread)["answer"] for text in texts]


def named(*names: str) -> list[Document]:
    return [Document(f"the text of {name} " * 30, metadata={"source": name}) for name in names]


def records_of(letter: str) -> str:
    return "\n".join(f"{letter}{i}|x{i}|y|z" for i in range(300))


@pytest.mark.parametrize(
    ("texts", "cells", "answers"),
    [
        ([named("a", "b"), named("c", "d", "e")], ["Final = list(documents)"] * 2, [["a", "b"], ["c", "d", "e"]]),
        ([named("a", "b"), "one text " * 90], ["Final = list(documents)"] * 2, [["a", "b"], ["document 0"]]),
        ([named("a", "a")], ["Final = list(documents)"], [["0 a", "1 a"]]),
        ([records_of("a"), records_of("b")], ["Final = rows[7][0]"] * 2, ["a7", "b7"]),
        (
            [named("a", "b"), named("c", "d")],
            ["documents = ['mine']\nFinal = documents + [P[0]]"] * 2,
            [["mine", "t"]] * 2,
        ),
    ],
    ids=["documents", "one", "same names", "rows", "own"],
)
def test_what_is_made_of_a_text_is_made_anew_of_a_new_one(texts: Any, cells: list[str], answers: Any) -> None:
    assert on_a_thread(texts, *cells) == answers


@pytest.mark.parametrize(
    ("first", "then", "answer"),
    [
        ("documents = {n: t for n, t in documents.items() if n == 'b'}", "Final = list(documents)", ["b"]),
        ("documents = list(documents.items())", "Final = documents[0][0] + P[:0]", "a"),
        ("for name, documents in documents.items():\n    print(name)", "Final = documents[:11]", "the text of"),
        ("try:\n    print(len(documents))\nexcept NameError:\n    documents = {}", "Final = len(documents)", 2),
        ("print(len(documents)); documents = 3", "Final = documents", 3),
        ("documents['c'] = P[:3]", "Final = list(documents)", ["a", "b", "c"]),
        ("documents = documents if 'documents' in locals() else {}", "Final = len(documents)", 2),
    ],
)
def test_code_may_make_something_else_of_them(first: str, then: str, answer: Any) -> None:
    assert on_a_thread([named("a", "b")], f"{first}\nprint(P[:3])", then) == [answer]


def test_what_code_has_made_of_them_is_its_own_over_texts() -> None:
    cells = ["documents = {**documents, 'mine': P}\nFinal = len(documents)", "Final = list(documents)"]
    assert on_a_thread([named("a", "b"), named("c", "d")], *cells) == [3, ["a", "b", "mine"]]


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("len(grep('text of b', documents, most=99))", 30),
        ("ask_chunks('what?', documents)", ["NO_ANSWER"] * 2),
        ("len(llm_batch(documents)[0])", 9),
    ],
)
def test_functions_take_a_dict_for_its_texts(code: str, answer: Any) -> None:
    assert on_a_thread([named("a", "b")], f"Final = {code}") == [answer]


# -- the lines --------------------------------------------------------------------------------------------------------


def lines_found(query: str, context: Context, most: int) -> list[str]:
    return [*map(str, evidence.lines_found(query, context, words_found(query, context.text), most))]


@pytest.mark.parametrize(
    ("question", "line"),
    [
        ("Which invoices are there?", "The invoice of March is 7."),
        ("What do the companies sell?", "A company sells shoes."),
        ("Who is 'Zoë K.'?", "It was Zoë K. who paid."),
        ("What is the value of max_retries?", "max_retries = 5"),
        ("Where are the buses?", "The bus is late."),
    ],
)
def test_line_with_the_words_of_a_question_is_found(question: str, line: str) -> None:
    text = "\n".join(["Nothing is said here."] * 50 + [line] + ["Nor is there anything here."] * 50)
    assert lines_found(question, Context.of(text), 500)[0] == line


def test_lines_come_with_what_they_stand_in_and_the_rest_of_their_brackets() -> None:
    text = "import os\n\nclass A:\n    def first(\n        self,\n        limit=7,\n    ):\n        raise Odd('a')\n"
    found = lines_found("What does `first` raise, which Odd?", Context.of(text), 500)
    assert [line.strip() for line in found] == ["class A:", "def first(", "raise Odd('a')"]
    found = lines_found("What is the default of `first`?", Context.of(text), 500)
    assert [line.strip() for line in found] == ["class A:", "def first(", "self,", "limit=7,", "):"]


def test_line_below_one_with_words_of_the_question_comes_before_other_lines_with_its_own() -> None:
    others = "\n\n".join(f"def serve_{i}(\n    backlog={i},\n):\n    pass" for i in range(20))
    text = f"{others}\n\ndef create_server(\n    backlog=100,\n):\n    pass\n\n{others}"
    found = lines_found("What is the default backlog of create_server?", Context.of(text), 500)
    assert [line.strip() for line in found[:2]] == ["def create_server(", "backlog=100,"]


def test_word_may_be_a_part_of_a_name() -> None:
    text = "x = 1\n" * 50 + "DEFAULT_TCP_PORT = 9020\n" + "y = 2\n" * 50
    assert lines_found("Which port is the default?", Context.of(text), 500) == ["DEFAULT_TCP_PORT = 9020"]


def test_names_count_more_than_other_words() -> None:
    text = "The march of the army.\n" * 5 + "It was in March.\n" + "The march goes on.\n" * 5
    assert lines_found("What was in the month of March?", Context.of(text), 20) == ["It was in March."]


@pytest.mark.parametrize("before", [0, 1, 139, 140, 141, 1_000, 50_000])
def test_place_in_a_long_line_is_shown(before: int) -> None:
    text = "so on " * (before // 6) + "." * (before % 6) + " the deposit is 700 euros " + "and on " * 300
    [*pieces] = lines_found("How much is the deposit?", Context.of(text), 300)
    assert any("deposit is 700 euros" in piece for piece in pieces)
    assert all(len(piece) <= 200 for piece in pieces)


def test_lines_end_where_the_next_has_much_less_of_the_question() -> None:
    text = "import heapq\n" * 2 + "import os\n" * 200 + "def find(module):\n    pass\n" * 9
    assert lines_found("Which files import the module heapq?", Context.of(text), 500) == ["import heapq"] * 2


def test_names_of_documents_are_on_one_line_and_short() -> None:
    names = ["x\n```repl\nFinal = 1\n```\n", "n" * 100_000]
    documents = [Document("The needle is 7.\n", metadata={"source": name}) for name in names]
    lines = lines_found("Where is the needle?", Context.of(documents), 2_000)
    assert len(lines) == 2
    assert all(len(line) < 200 and "\n" not in line for line in lines)


# -- the second place -------------------------------------------------------------------------------------------------

PEOPLE = "\n".join(f"Name: N {i} Smith || Badge: B-{81_000 + i}" for i in range(200))
LOCKERS = "\n".join(f"Badge: B-{81_199 - i} || Locker: L-{i}" for i in range(200))
HOSTS = "\n\n".join(
    f"[service svc-{i}]\nhost = host-{900 - i}\nport = 80\n\n[host-{900 - i}]\nrack = R{i}" for i in range(90)
)


@pytest.mark.parametrize(
    ("question", "text", "lines"),
    [
        (
            "Which locker has the badge of N 17 Smith?",
            f"{PEOPLE}\n{LOCKERS}",
            ["Name: N 17 Smith || Badge: B-81017", "Badge: B-81017 || Locker: L-182"],
        ),
        (
            "In which rack is the host of svc-42?",
            HOSTS,
            ["[service svc-42]", "host = host-858", "port = 80", "[host-858]", "rack = R42"],
        ),
    ],
)
def test_question_of_two_steps_shows_both_places(question: str, text: str, lines: list[str]) -> None:
    assert lines_found(question, Context.of(text), 1_200) == lines


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Where is N 17 Smith?", f"{PEOPLE}\n{LOCKERS}"),
        ("Which locker has N 17 Smith?", PEOPLE),
        ("Which city had the fair of Uppingham?", "The fair of Uppingham was in 1984.\n\nOf 1984 no city speaks.\n"),
        ("What?", ""),
        ("What is B-1?", "B-1"),
        ("Which locker is of B-1?", "B-1 x" * 5_000 + " locker"),
    ],
)
def test_there_is_no_second_place_without_a_value_that_leads_there(question: str, text: str) -> None:
    assert second_places(question, text, words_found(question, text)) == []
