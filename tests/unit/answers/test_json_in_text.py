"""What a model says in JSON, whatever it says around it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pprint import pformat
from typing import Any

import pytest

from langgraph_rlm.answers.schema import AnswerSchema, Unfit

NUMBER = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
PAIRS = {"type": "array", "items": {"type": "array", "items": {"type": "integer"}, "minItems": 2}}


def read(schema: dict[str, Any], reply: str) -> Any:
    return AnswerSchema.of_schema(schema).read(reply)


@pytest.mark.parametrize(
    "reply",
    [
        '{"n": 3}',
        '\ufeff{"n": 3}\n',
        'The text names three fruits, so: {"n": 3}. Ask me if you need more!',
        'Sure.\n\n```json\n{"n": 3}\n```\nThis counts [1] and [2].',
        '```JSON5 title="x"\n{"n": 3}\n```',
        '~~~javascript\n{"n": 3}\n~~~',
        '````\n{"n": 3}\n````',
        'as in ```{"n": 3}``` then',
        '```json\n{"n": 3}',
        '```python\nresult = {"n": 3}\n```',
        '<answer>{"n": 3}</answer>',
        'I counted.\n<Answer>\n```json\n{"n": 3}\n```\n</Answer>',
        "{'n': 3, 'known': True, 'where': None, 'why': \"it's there\"}",
        '{"n": 3, "of": ["a", "b",],}',
        '{"n": 3}  // the pears are not counted',
        '{\n  "n": 3, # fruits\n  /* pears */ "m": 0\n}\n# that is all',
        '```json\n{"n": 1}\n```\nNo, one line has two of them:\n```json\n{"n": 3}\n```',
        '{"n": 1}\n{"n": 2}\n{"n": 3}\n{"note": "done"}',
        'It has the form {"n": <number>}, so {"n": 3}',
        'Fields {n, m} and ["n", oops]: {"n": 3}',
        '[[wiki links]] and [see {"n": 3}]',
        '```json\n{"n": 1,\n```\nSorry, once more:\n```json\n{"n": 3}\n```',
        '{"n": 3, "code": "```python\\nprint({})\\n```"}',
        '{"n": 3, "text": "two\nlines"}',
        '{"n": 3} and then {"n": 4, "m": ',
    ],
)
def test_json_is_read_whatever_stands_around_it(reply: str) -> None:
    assert read(NUMBER, reply)["n"] == 3


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ("three", "it is no JSON."),
        ("There are 3.", "it is no JSON."),
        ('{"a": {"n": 3}, "b": [1, 2', "is cut off"),
        ('{"n": 3, "why": "the text says so', "is cut off"),
        ('```json\n{"n": 3, "m": [1,\n```', "breaks at"),
        ('{"first": {"n": 1}, ..., "last": {"n": 3}}', "breaks at '..., "),
        ('{"n": 3 and more}', "breaks at 'and more}'"),
        ('[{"n": 3}]', "is not of type 'object'"),
        ('"{\\"n\\": 3}"', "is not of type 'object'"),
        ('{"n": "3"}. I looked at [1] and [2].', "'3' is not of type 'integer'"),
        ('{"m": 3}, that is {"n": "three"}', "'three' is not of type 'integer'"),
        ("[" * 200 + '{"n": 3}' + "]" * 200, "nested too deeply"),
        ('{"n": 3, "path": "C:\\Users"}', "breaks at"),
    ],
)
def test_what_is_no_json_or_another_is_told(reply: str, why: str) -> None:
    with pytest.raises(Unfit) as unfit:
        read(NUMBER, reply)
    assert why in str(unfit.value)


@pytest.mark.parametrize(
    ("reply", "value"),
    [
        ("17", 17),
        (" 17\n", 17),
        ("```\n17\n```", 17),
        ("So it is\n```json\n17\n```\nas it says.", 17),
        ("So it is ```17```", 17),
        ("17 pages, I thought: <answer> 18 </answer>", 18),
        ("<answer>17 # of 20\n</answer>", 17),
        ("There are 17.", None),
        ("17 pages", None),
        ("<answer>about 17</answer>", None),
        ("<answer>1", None),
        ("```json\n1", None),
        ("```py\nx = 1\n```\n17\n```json\n{}\n```", None),
        ("[17]", None),
    ],
)
def test_number_counts_only_where_it_is_all_there_is(reply: str, value: int | None) -> None:
    if value is None:
        with pytest.raises(Unfit):
            read({"type": "integer"}, reply)
    else:
        assert read({"type": "integer"}, reply) == value


@pytest.mark.parametrize(
    ("schema", "reply", "value"),
    [
        ({"enum": ["yes", "no"]}, "yes\n", "yes"),
        ({"enum": ["yes", "no"]}, "It says so twice. <answer>yes</answer>", "yes"),
        ({"enum": ["yes", "no"]}, "```json\n'yes'\n```", "yes"),
        ({"type": "string"}, 'The list ["a"] stands there.', 'The list ["a"] stands there.'),
        ({"type": "boolean"}, "True", True),
        ({"type": ["integer", "null"]}, "None", None),
        (PAIRS, "As [1] says: [[1, 2], [3, 4]], see [2].", [[1, 2], [3, 4]]),
    ],
)
def test_other_values_are_read(schema: dict[str, Any], reply: str, value: Any) -> None:
    assert read(schema, reply) == value


def test_code_may_say_its_json_in_words_too() -> None:
    assert AnswerSchema.of_schema(NUMBER).conform('So: {"n": 3}.') == {"n": 3}


# -- made at random ---------------------------------------------------------------------------------------------------

WORDS = [
    "a",
    "é",
    "two words",
    'say "so"',
    "it's",
    "back\\slash",
    "[x]",
    "{y}",
    "```",
    "# no",
    "// no",
    "line\nbreak",
    "😀",
]
BEFORE = ["", "Sure! ", "As [1] and [see] say:\n\n", "In {curly} words, don't forget: ", "I counted 12 of them.\n"]
AFTER = ["", "\nAnything else?", " That's 3 of {them}.", "\n\n(See [above], or not.)"]


def some_value(chance: random.Random, depth: int = 3) -> Any:
    """A value of JSON."""
    kind = chance.randrange(7 if depth else 5)
    if kind == 5:
        return [some_value(chance, depth - 1) for _ in range(chance.randrange(4))]
    if kind == 6:
        return {chance.choice(WORDS): some_value(chance, depth - 1) for _ in range(chance.randrange(4))}
    scalars = [None, chance.random() < 0.5, chance.randrange(-9, 10**6), chance.random() * 100, chance.choice(WORDS)]
    return scalars[kind]


def with_commas(chance: random.Random, value: Any) -> str:
    """With a comma after the last item."""
    return f"{json.dumps(value)[:-1]},{json.dumps(value)[-1]}" if value else json.dumps(value)


def with_comments(chance: random.Random, value: Any) -> str:
    lines = json.dumps(value, indent=1, ensure_ascii=False).splitlines()
    return "\n".join(line + chance.choice(["", " // so it's", " # [so]", " /* it's { */"]) for line in lines)


WRITTEN: list[Callable[[random.Random, Any], str]] = [
    lambda _, value: json.dumps(value),
    lambda _, value: json.dumps(value, indent=2, ensure_ascii=False),
    lambda _, value: repr(value),
    lambda _, value: pformat(value, width=200),
    with_commas,
    with_comments,
]
AROUND: list[Callable[[random.Random, str], str]] = [
    lambda _, text: text,
    lambda chance, text: f"```{chance.choice(['', 'json', 'python', 'JSON lines'])}\n{text}\n```",
    lambda _, text: f"~~~~\n{text}\n~~~~",
    lambda _, text: f"<answer>{text}</answer>",
    lambda _, text: f"<JSON>\n```json\n{text}\n```\n</JSON>",
]


def wrapped(chance: random.Random, value: Any) -> str:
    around = chance.choice(AROUND)(chance, chance.choice(WRITTEN)(chance, value))
    return f"{chance.choice(['', chr(0xFEFF)])}{chance.choice(BEFORE)}{around}{chance.choice(AFTER)}"


@pytest.mark.parametrize("seed", range(8))
def test_any_json_is_read_back_however_it_is_wrapped(seed: int) -> None:
    chance, form = random.Random(seed), AnswerSchema.of_schema({"type": "object", "required": ["value"]})
    for _ in range(50):
        value = {"value": some_value(chance), chance.choice(WORDS): some_value(chance)}
        earlier = wrapped(chance, {"value": 0}) + "\n" if chance.random() < 0.3 else ""
        assert form.read(earlier + wrapped(chance, value)) == value


@pytest.mark.parametrize("seed", range(8))
def test_part_of_what_is_cut_off_is_no_json(seed: int) -> None:
    chance, form = random.Random(seed), AnswerSchema.of_schema({"type": "object", "required": ["value"]})
    for _ in range(50):
        whole = chance.choice(WRITTEN)(chance, {"value": {"value": some_value(chance)}, "z": [{"value": 1}, "e"]})
        cut = chance.choice(BEFORE) + whole[: chance.randrange(1, whole.rindex("}") + 1)]
        with pytest.raises(Unfit):
            form.read(cut)


@pytest.mark.parametrize(
    "part",
    [
        *(
            "{",
            "[",
            "[1,",
            '{"a":',
            '{"a" b}',
            "[1] ",
            "<answer>#",
            "<answer>#\n",
            "[1 /* ] ",
            '["',
            "['",
            "```\n",
            '```"',
        ),
        *("~~~ ", '{"a" b\n```\n', '[{"a":[', '<answer>"', "[[]", "[\n#", "\\", "9", "[{", "<answer>/*", "{'a': 1}"),
    ],
)
def test_hostile_reply_is_gone_over_once(part: str) -> None:
    with pytest.raises(Unfit):
        read(NUMBER, "x " + part * (200_000 // len(part)))
