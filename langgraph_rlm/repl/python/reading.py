"""Functions of the REPL that have many texts read: `llm_map` and `read_all`. This file runs in the sandbox, after the
prelude and in its namespace: what they ask by is there.
"""

MAPPED = "\n\nBelow are several items, as JSON, each with its number. Answer for each of them, by itself."
MAPPED_TOKENS = 15
"""Tokens that the form of an answer takes, of several in one reply."""
SHORTEST = 1_000
"""Characters of a chunk that is not cut any more: it is something else that is too long."""


def llm_map(instruction, items, *, schema=None, model=None, max_tokens=None):
    """The answer to `instruction` for each of `items`, in order: a str each, or what the `schema` says.

    Items that are short share a prompt, so that the instruction is sent once for 20 to 100 of them, by what the model
    can read. What is left out of an answer is asked again by itself. An item that fails is its error. Each answer has
    no more than `max_tokens`.
    """
    items = [_text("item", item) for item in _listed("items", items)]
    groups = []
    if len(items) > 1:
        most = _host("group", model)
        groups = [group for group in _grouped(items, most["characters"], most["items"]) if len(group) > 1]
    bound = None
    if max_tokens is not None and groups:
        bound = (max_tokens + MAPPED_TOKENS) * _max([len(group) for group in groups])
    answered = {"item": {"type": "integer"}, "answer": {"type": "string"} if schema is None else schema}
    each = {"type": "object", "properties": answered, "required": ["item", "answer"]}
    form = {"type": "object", "properties": {"answers": {"type": "array", "items": each}}, "required": ["answers"]}
    asked = []
    for group in groups:
        numbered = [{"item": i + 1, "text": items[i]} for i in group]
        asked.append([_text("instruction", instruction) + MAPPED, json.dumps(numbered, ensure_ascii=False)])
    answers = {}
    for group, said in zip(groups, _ask("llm", asked, True, model, form, False, bound)):
        if not _has_failed(said):
            for pair in said["answers"]:
                if pair["item"] - 1 in group:
                    answers.setdefault(pair["item"] - 1, pair["answer"])
    missing = [i for i in range(len(items)) if i not in answers]
    try:
        alone = _ask("llm", [[instruction, items[i]] for i in missing], True, model, schema, False, max_tokens)
    except RuntimeError as error:  # no sub-calls are left for them
        if not answers:
            raise
        alone = [ERROR + str(error) for _ in missing]
    answers.update(zip(missing, alone))
    return [answers[i] for i in range(len(items))]


def _grouped(items, characters, most):
    """The indices of items that go together: as many as fit a prompt of so many characters, at most so many."""
    groups, room = [], 0
    for i in range(len(items)):
        if not groups or len(groups[-1]) >= most or len(items[i]) > room:
            groups.append([])
            room = characters
        groups[-1].append(i)
        room -= len(items[i])
    return groups


READING = {
    "count": (
        "\n\nThe text below is one part of a long text. Where this part itself states the total that is asked for, "
        "give it as `stated`, else null. And count in this part alone what is asked for: give that as `counted`, or "
        "null where there is nothing of it here."
    ),
    "items": "\n\nThe text below is one part of a long text. List what it has of that, as it is written there.",
}
FORMS = {
    "count": {
        "type": ["object", "integer"],
        "minimum": 0,
        "properties": {
            "stated": {"type": ["string", "null"]},
            "counted": {"type": ["integer", "null"], "minimum": 0},
        },
        "required": ["stated", "counted"],
    },
    "items": {
        "type": "object",
        "properties": {"items": {"type": "array", "items": {"type": "string"}}},
        "required": ["items"],
    },
}
TOGETHER = (
    "\n\nA long text was read in parts, and each part was asked that. Below is what the parts said that had an answer, "
    "in their order. Give the one answer for the whole text, as briefly as you can. If they do not tell, reply "
    + NO_ANSWER
    + "."
)


def read_all(question, kind="text", size=100_000):
    """What all of `P` says to a question: each chunk of `size` characters is asked, at once. None where none tells.

    The answers are added up ("count"), joined to a list, each item once ("items"), or put together by a model ("text").
    """
    answers = _read(_text("question", question), kind, ctx.chunk(size))
    failed = [answer for answer in answers if _has_failed(answer)]
    if failed:
        raise RuntimeError(str(len(failed)) + " of " + str(len(answers)) + " chunks could not be read: " + failed[0])
    if kind == "text":
        return _together(question, [answer.strip() for answer in answers if is_valid(answer)], size)
    if kind == "count":
        return _counted(question, answers, size)
    return _distinct([item.strip() for answer in answers for item in answer["items"] if item.strip()]) or None


def _read(question, kind, chunks):
    """What each chunk says, in their order. Those that are too long for the model are read in halves."""
    asked = question + READING[kind] if kind in READING else _question(question)
    read = [[chunk, None] for chunk in chunks]
    unread = read
    while unread:
        texts = [chunk if kind == "count" else compact(chunk) for chunk, _ in unread]  # each line counts, or none twice
        answers = _ask("llm", [[asked, text] for text in texts], True, None, FORMS.get(kind))
        for item, answer in zip(unread, answers):
            item[1] = None if _has_failed(answer, TOO_LONG) and len(item[0]) > SHORTEST else answer
        read = [part for item in read for part in (_halves(item[0]) if item[1] is None else [item])]
        unread = [item for item in read if item[1] is None]
    return [answer for _, answer in read]


def _halves(chunk):
    """The two of them, at the border of a line where there is one, unread."""
    middle = chunk.rfind("\n", 0, len(chunk) // 2) + 1 or len(chunk) // 2
    return [[chunk[:middle], None], [chunk[middle:], None]]


def _counted(question, answers, size):
    answers = [{"stated": None, "counted": answer} if isinstance(answer, int) else answer for answer in answers]
    nothing = ["", "none", "null", "n/a", "unknown", "not stated"]
    stated = [answer["stated"].strip() for answer in answers if answer["stated"] is not None]
    stated = [text for text in stated if text.lower() not in nothing and is_valid(text)]
    counted = [answer["counted"] for answer in answers if answer["counted"] is not None]
    if not stated:
        return sum(counted) if counted else None
    if len(_distinct(stated)) == 1 and not sum(counted):
        return int(stated[0]) if stated[0].isdecimal() else stated[0]
    said = ["A part states: " + text for text in stated]
    return _together(question, [*said, "Counted in all parts: " + str(sum(counted))], size)


def _distinct(texts):
    """Each of them once, in their order."""
    return list(dict.fromkeys(texts))


def _together(question, answers, size):
    """The one answer that many add up to, by a model where they differ: in groups that fit it, as often as it takes.

    Equal numbers may have to be added, so they are no agreement.
    """
    while len(answers) > 1:
        if len({answer.casefold() for answer in answers}) == 1 and not _is_number(answers[0].split()[0]):
            return answers[0]
        groups = [[]]
        for answer in answers:
            if len(groups[-1]) > 1 and sum([len(other) for other in groups[-1]]) + len(answer) > size:
                groups.append([])
            groups[-1].append(answer)
        asked = [[_text("question", question) + TOGETHER, "\n\n".join(group)] for group in groups]
        answers = _ask("llm", asked, True)
        failed = [answer for answer in answers if _has_failed(answer)]
        if failed:
            raise RuntimeError("the answers of the chunks could not be put together: " + failed[0])
        answers = [answer.strip() for answer in answers if is_valid(answer)]
    return answers[0] if answers else None


def _is_number(word):
    return word.replace(",", "").rstrip(".").isdecimal()


def _has_failed(answer, why=""):
    """Whether an item of a batch is its error, and one that begins with `why`."""
    return isinstance(answer, str) and answer.startswith(ERROR + why)
