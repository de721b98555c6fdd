"""The functions of the REPL. This file runs inside the sandbox, once for each interpreter, before the first cell.

It is executed in a namespace of its own, so that a cell which assigns `len` or `list` cannot break it. The host puts
these names there first: `_host` and `_at` (calls that leave the sandbox), `P`, `metadata`, `names` and
`builtin_names`. Only what Monty understands may be used: no `yield`, no `del`, no class inheritance.
"""

import collections
import datetime as _datetime
import itertools
import json
import math
import re as native_re

_sorted, _min, _max, _map, _filter, _round = sorted, min, max, map, filter, round

CHUNK = 20_000


class Unset:
    """The value of `Final` before an answer is set."""

    def __repr__(self):
        return "Final is not set"


unset = Unset()
final = unset
final_variable = None
passed = collections.deque(maxlen=100)
"""What was noted of exceptions that pass a `try` or a `with`, each with its place: see `rewriting/passing.py`."""


# -- models ---------------------------------------------------------------------------------------------------------


def _ask(kind, prompts, batch, model=None, schema=None, first=False, max_tokens=None):
    if max_tokens is not None and type(max_tokens) is not int:
        raise TypeError("max_tokens must be a whole number, not " + type(max_tokens).__name__)
    return _host("ask", kind, prompts, model, batch, schema, first, max_tokens)


def llm_query(prompt, context=None, *, model=None, schema=None, max_tokens=None):
    """The answer of a model to `prompt`, followed by `context` where one is given: a str, or what the `schema` says.

    The reply has no more than `max_tokens`.
    """
    asked = [[_text("prompt", prompt), _text_or_none("context", context)]]
    return _ask("llm", asked, False, model, schema, False, max_tokens)[0]


def llm_batch(prompts, *, model=None, schema=None, max_tokens=None):
    """Answers to many prompts, asked in parallel, in the order of the prompts. A prompt that fails is its error."""
    asked = [[_text("prompt", p), None] for p in _listed("prompts", prompts)]
    return _ask("llm", asked, True, model, schema, False, max_tokens)


def rlm_query(prompt, context=None, *, model=None):
    """Like `llm_query`, answered by a model that has a REPL of its own with `context` (else the prompt) as its `P`."""
    return _ask("rlm", [[_text("prompt", prompt), _text_or_none("context", context)]], False, model)[0]


def rlm_query_batched(prompts, *, model=None):
    """Like `llm_batch`, each prompt answered as by `rlm_query`."""
    return _ask("rlm", [[_text("prompt", p), None] for p in _listed("prompts", prompts)], True, model)


def ask(question, text):
    """A model's answer to `question` from `text` alone; `NO_ANSWER` where the text does not tell."""
    return llm_query(_question(question), text)


def ask_chunks(question, chunks, size=None, overlap=0):
    """`ask` for each of `chunks`, in parallel; answers in order.

    They are a list, or one text, which is cut up. Where a `size` is given, in characters, what is longer is cut up as
    by `ctx.chunk`, and each piece repeats the last `overlap` of the one before.
    """
    return _ask("llm", _about_each(question, chunks, size, overlap), True)


def ask_chunks_first(question, chunks, size=None, overlap=0):
    """A valid answer that any of `chunks` gives, or None. Asks in growing waves; the first valid answer ends it."""
    answers = _ask("llm", _about_each(question, chunks, size, overlap), True, first=True)
    answer = pick_first_answer(answers)
    if answer is None and ERROR + NOT_ASKED in answers:
        asked = str(len(answers) - answers.count(ERROR + NOT_ASKED))
        raise RuntimeError(
            "no answer in the first " + asked + " of " + str(len(answers)) + " chunks: no sub-calls left"
        )
    return answer


def pick_first_answer(answers):
    """The first of `answers` that is neither empty, nor an error, nor `NO_ANSWER`; None where there is none."""
    for answer in answers:
        if is_valid(answer):
            return answer.strip()
    return None


def _about_each(question, chunks, size, overlap):
    return [[_question(question), chunk] for chunk in _chunks(chunks, size, overlap)]


def _question(question):
    return (
        _text("question", question)
        + "\n\nAnswer from the text below alone, as briefly as you can. "
        + "If it does not tell, reply "
        + NO_ANSWER
        + "."
    )


def _chunks(chunks, size, overlap):
    if size is None and not overlap:
        if isinstance(chunks, str):
            return [chunks[i : i + CHUNK] for i in range(0, len(chunks), CHUNK)]
        return [_text("chunk", chunk) for chunk in _listed("chunks", chunks)]
    size = CHUNK if size is None else size
    if chunks is P:
        return ctx.chunk(size, overlap)
    texts = [chunks] if isinstance(chunks, str) else _listed("chunks", chunks)
    cut = [_host("context", "cut", [_text("chunk", text), size, overlap]) for text in texts]
    return [piece for pieces in cut for piece in pieces]


# -- tools ------------------------------------------------------------------------------------------------------------

tools = {}


def tool(name):
    """The function that calls the tool of that name: one of `tools`, since any name may be a tool's."""

    def call(*arguments, **named):
        return _host("tool", name, [[list(arguments), named]], False)[0]

    tools[name] = call
    return call


def tool_batch(tool, arguments):
    """Calls a tool many times, in parallel. `arguments` has for each call a dict of them, a tuple, or the only one.

    The results are in the order of the calls. A call that fails is its error.
    """
    called = [name for name, call in tools.items() if call is tool]
    if not called:
        raise TypeError("tool_batch takes one of the tools, and a list of arguments for it")
    return _host("tool", called[0], [_call_of(item) for item in _listed("arguments", arguments)], True)


def _call_of(arguments):
    if isinstance(arguments, dict):
        return [[], arguments]
    return [list(arguments) if isinstance(arguments, tuple) else [arguments], {}]


# -- the context ----------------------------------------------------------------------------------------------------


def compact(text):
    """`text` with long lines that it repeats, such as the disclaimer under each of its mails, said once."""
    return _host("context", "compact", [_text("text", text)])


def grep(pattern, *given, texts=None, context=80, most=20, flags=0):
    """Where `pattern`, a regular expression, stands in `P`, or in `texts` (a list, or one): a list of dicts, in order.

    Each has the number and `name` of its `document`, the `line` there, from 1, the `offset` in `P` (or in its text),
    the `match`, and the `text` around it: `context` characters either side. `^` and `$` match at lines. No more than
    `most` come; where there are more, that is printed. After the pattern, what is no number is the texts.
    """
    return module("_grep").grep(pattern, given, texts, context, most, flags)


class Ctx:
    """The structure of `P`: its documents and where they are. Offsets and sizes are characters."""

    def __init__(self, metadata):
        self.metadata = metadata

    def __repr__(self):
        return "ctx: " + str(len(P)) + " characters in " + str(len(self.metadata)) + " documents"

    def num_documents(self):
        return len(self.metadata)

    def get_document(self, i):
        return _host("context", "get_document", [i])

    def documents(self):
        return _host("context", "documents", [])

    def slice(self, start, end):
        return _host("context", "slice", [start, end])

    def find(self, needle, start=0, end=None):
        return _host("context", "find", [needle, start, end])

    def chunk(self, size, overlap=0):
        return _host("context", "chunk", [size, overlap])


ctx = Ctx(metadata)


def peek(n=2000):
    """The first `n` characters of `P`."""
    return P[:n]


def tail(n=2000):
    """The last `n` characters of `P`."""
    return P[-n:] if n > 0 else ""


def lenP():
    """The length of `P` in characters."""
    return len(P)


def extract_after(marker, max_len=128):
    """The first word that stands in `P` within `max_len` characters after `marker`, or None."""
    start = P.find(_text("marker", marker))
    words = [] if start < 0 else P[start + len(marker) : start + len(marker) + max_len].split()
    return words[0].strip(" \t\r\n.,;:\"'()[]{}") or None if words else None


_cited = []


def cite(quote):
    """Where `quote` stands in the text, which it must, but for white space; it is among the answer's sources then."""
    place = _host("context", "cite", [_text("quote", quote)])
    _cited.append([place["start"], place["end"]])
    return place


# -- the end --------------------------------------------------------------------------------------------------------


def FINAL(value):
    """Ends the run with `value` as the answer, once the cell has run."""
    global final, final_variable
    final, final_variable = value, None


def FINAL_VAR(name):
    """Ends the run with the value of the variable of that name, once the cell has run."""
    global final, final_variable
    if isinstance(name, str) and name.isidentifier():
        final, final_variable = unset, name
    else:
        final, final_variable = name, None


def budget():
    """What is left of this run, as a dict; None where that is not bounded.

    `turns` after this one, `subcalls`, `tool_calls`, `tokens` and `seconds`; and for each cell `cell_seconds` that it
    may compute, and `output_characters` that are shown.
    """
    return _host("budget")


def SHOW_VARS():
    """Names, types and sizes of your variables, as they were when the cell began."""
    return _host("show_vars")


# -- Monty cannot suspend inside its own built-ins: where they are given a function, these run it in Python ------------


def map(function, *iterables):
    if function is None or function is str or function is int or function is float or function is len:
        return _map(function, *iterables)
    return iter([function(*items) for items in zip(*iterables)])


def filter(function, iterable):
    if function is None:
        return _filter(None, iterable)
    return iter([item for item in iterable if function(item)])


def sorted(iterable, *, key=None, reverse=False):
    if key is None or key is len or key is str:
        return _sorted(iterable, key=key, reverse=reverse)
    items = list(iterable)
    keys = [key(item) for item in items]
    return [items[i] for i in _sorted(range(len(items)), key=lambda i: keys[i], reverse=reverse)]


def min(*items, **options):
    return _extreme(_min, items, options)


def max(*items, **options):
    return _extreme(_max, items, options)


def _extreme(choose, items, options):
    key = options.get("key")
    if key is None or key is len:
        return choose(*items, **options)
    candidates = list(items[0]) if len(items) == 1 else list(items)
    if not candidates:
        return choose(candidates, default=options["default"]) if "default" in options else choose(candidates)
    keys = [key(item) for item in candidates]
    return candidates[choose(range(len(candidates)), key=lambda i: keys[i])]


# -- what Monty has otherwise than CPython -----------------------------------------------------------------------------


def round(number, ndigits=None):
    """Rounds the value that a float has, as formatting does, and not the one that it is written as: 2.675 to 2.67."""
    if type(number) is not float or not isinstance(ndigits, int):
        return _round(number, ndigits)
    if ndigits >= 0 or not math.isfinite(number):
        return float(f"{number:.{_min(_max(ndigits, 0), 400)}f}")
    whole = int(number)
    more = 0 if number == whole else 1 if number > 0 else -1  # a digit that says that there is more than half
    return math.copysign(float(_round(10 * whole + more, ndigits - 1) // 10), number)


line = None
"""Of the cell, where a statement that may take long has begun last."""


def at(number):
    """Tells the host that such a statement begins."""
    global line
    line = number
    _at(number)


def callable(value):
    return module("_classes").is_callable(value)


def issubclass(cls, kinds):
    return module("_classes").is_subclass(cls, kinds)


def vars(instance):
    return module("_classes").part(instance, "__dict__")


def ascii(value):
    return repr(value).encode("ascii", "backslashreplace").decode("ascii")


# -- dates ----------------------------------------------------------------------------------------------------------


class Dates:
    """`datetime`, the module and the class at once: `datetime.datetime.now()` and `datetime.now()` are the same.

    Where code uses the name otherwise than to take an attribute, `dated` makes it the class (see the bridges).
    """

    datetime = _datetime.datetime
    date = _datetime.date
    time = _datetime.time
    timedelta = _datetime.timedelta
    timezone = _datetime.timezone
    UTC = _datetime.timezone.utc
    min = _datetime.datetime.min
    max = _datetime.datetime.max
    MINYEAR = 1
    MAXYEAR = 9999

    def __repr__(self):
        return "<module 'datetime'>"

    def now(self, tz=None):
        return _datetime.datetime.now(tz)

    def combine(self, *of, **named):
        return _datetime.datetime.combine(*of, **named)

    def strptime(self, text, form):
        return dates("strptime", self)(text, form)

    def fromisoformat(self, text):
        return dates("fromisoformat", self)(text)

    def fromtimestamp(self, timestamp, tz=None):
        return dates("fromtimestamp", self)(timestamp, tz)


datetime = Dates()


def dated(value):
    """The value of the name `datetime`, where it may have to be the class."""
    return _datetime.datetime if value is datetime else value


def dates(method, owner):
    """A method of dates that Monty lacks or has otherwise, as a function."""
    return module("_dates").method_of(owner, method)


# -- arguments ------------------------------------------------------------------------------------------------------


def _text(name, value):
    if isinstance(value, str):
        return value
    raise TypeError(name + " must be a str, not " + type(value).__name__ + ": use str(...) or join the pieces")


def _text_or_none(name, value):
    if value is ctx:
        return P
    return None if value is None else _text(name, value)


def _listed(name, values):
    if isinstance(values, str):
        raise TypeError(name + " must be a list of str, not one str")
    return list(values.values() if isinstance(values, dict) else values)


# -- modules --------------------------------------------------------------------------------------------------------


class Module:
    """What `import` gives where the module is written in Python of the sandbox."""

    def __repr__(self):
        return "<module>"


modules = {}
re = Module()
"""Empty until code is about to use it: a REPL that never does starts faster."""


def module(name):
    """A module of the sandbox's own Python, loaded once: its source is asked of the host."""
    if name not in modules:
        own = {"module": module, "modules": modules, "package": package, "standard": standard}
        own = {**own, "getattr": getattr, "setattr": setattr, "hasattr": hasattr}
        own = {**own, "no_name": no_name, "imported": imported, "datetime": datetime, "dated": dated, "unset": unset}
        if name in ("_operations", "_generators"):
            own = {**own, "replaced": {"sorted": sorted, "min": min, "max": max, "filter": filter, "map": map}}
        if name == "_grep":
            own = {**own, "host": _host, "text": lambda: P}
        if name == "re":
            own = {**own, "host": _host, "native_re": native_re}
        namespace = {"__rlm__": own}
        exec(_host("module", name), namespace)
        loaded = re if name == "re" else Module()
        for key, value in namespace.items():
            if not key.startswith("_"):
                setattr(loaded, key, value)
        modules[name] = loaded
    return modules[name]


def no_name(module, name):
    """`from module import name`, where one of these modules does not have it."""
    raise ImportError("cannot import name '" + name + "' from '" + module + "'")


class NotHere:
    """What an import gives that found nothing."""


def imported(module, name, told):
    """What an import gives that its cell does not use: where there is none, that is told."""
    found = {}
    try:
        exec("from " + module + " import " + name + " as it" if name else "import " + module + " as it", found)
    except ImportError as failure:
        print(told or failure)
    return found.get("it", NotHere())


def missing(wanted, variables):
    """Which of these pairs, a module and a name in it, cannot be had. Without a name it is the module itself.

    Without a module it is a built-in that Monty lacks: a variable may have its name.
    """
    found = []
    for module, name in wanted:
        try:
            if module:
                exec("from " + module + " import " + name if name else "import " + module, {})
            elif name not in variables:
                found.append([module, name])
        except Exception:
            found.append([module, name])
    return found


def properties():
    """The names of the classes of the cells, of the properties and special methods that they have, of bases: `A()`.

    Where there are generators, `__next__` is among them.
    """
    generators = ["__next__"] if "_generators" in modules else []
    if "_classes" not in modules:
        return generators
    known = modules["_classes"].classes
    members = [of["all"] for of in known.values()]
    part = modules["_classes"].part
    bases = [part(above, "__name__") + "()" for of in known.values() for above in of["lineage"][1:]]
    return (
        generators
        + [cls.__name__ for cls in known]
        + bases
        + [
            name
            for each in members
            for name, (kind, _) in each.items()
            if kind in ("property", "cached") or name[:2] == "__"
        ]
    )


def package(name):
    """The package of a module, such as `urllib` of "urllib.parse", with the module in it."""
    found = module(name)
    while "." in name:
        name, _, last = name.rpartition(".")
        setattr(module(name), last, found)
        found = module(name)
    return found


def standard(name, *arguments):
    """The value of a function of the standard library that the host works out, for modules."""
    return _host("standard", name, list(arguments))


# -- what the host asks between cells ---------------------------------------------------------------------------------

llm_query_batched = llm_batch
context = context_0 = P
_hidden = ["__rlm__", "_host", "_at", "_metadata", "_prelude", "_names", "_builtin_names"]
_hidden += ["_pieces", "_piece", "_wanted"]


def rebind(own, text, metadata):
    """Makes `text` the context."""
    own["P"] = own["context"] = own["context_0"] = text
    own["ctx"] = Ctx(metadata)


def data(own, variables):
    """Those of the cell's variables that are plain data: what can move to another interpreter."""
    return {
        name: value
        for name, value in variables.items()
        if name not in tools
        and not name.startswith("__")
        and not (name in own and _same(value, own[name]))
        and _is_data(value)
    }


def _is_data(value):
    if isinstance(value, (list, tuple, set)):
        return all([_is_data(item) for item in value])
    if isinstance(value, dict):
        return all([_is_data(item) for pair in value.items() for item in pair])
    return value is None or isinstance(value, (str, int, float, bytes))


def survey(own, variables, ending, protected):
    """What a cell left behind: its variables, which of the `protected` names it overwrote, and its answer, if any.

    `own` is this namespace, `variables` the cell's; `names` and `builtin_names` are what the cells were given of it.
    `ending` is the variable that ends a run: "Final", "answer", or None where only functions do.
    """
    global final, final_variable, line
    line = None
    answer, problem, where, form = final, None, "What `FINAL` was given", "`FINAL({})`"
    given = {*names, *builtin_names}
    known = {**{name: own[name] for name in protected if name in given}, **tools}
    overwritten = [name for name, value in known.items() if not _same(variables.get(name), value)]
    if ending == "answer":
        answer, where, form = _submitted(variables.get("answer")), '`answer["content"]`', '`answer["content"] = {}`'
        if final is not unset or final_variable is not None:
            problem = 'NameError: FINAL does not end a run: set answer["content"], then answer["ready"] = True.'
        if not isinstance(variables.get("answer"), dict):
            own["answer"] = {"content": "", "ready": False}
            overwritten.append("answer")
    elif final_variable is not None:
        answer, where = variables.get(final_variable, unset), "`" + final_variable + "`"
        form = "`" + final_variable + " = {}`"
        if answer is unset:
            problem = "NameError: FINAL_VAR('" + final_variable + "'): there is no variable of that name. "
            problem += "Run the code first."
    elif answer is unset and ending is not None:
        answer, where, form = variables.get(ending, unset), "`" + ending + "`", "`" + ending + " = {}`"
    final, final_variable = unset, None
    kept, why = ([], None) if answer is unset else module("_ending").kept_answer(answer, where, form)
    if "_searching" in modules:
        modules["_searching"].forget()
    cited = [pair for pair in _cited]
    _cited.clear()
    return {
        "variables": [
            [name, type(value).__name__, _size(value)]
            for name, value in variables.items()
            if not (name in given and (own[name] is value or _same(value, own[name])))
            and name not in known
            and name not in _hidden
            and not name.startswith("__")
            and name != ending
        ],
        "overwritten": overwritten,
        "answer": kept,
        "problem": problem or why,
        "cited": cited,
        "passed": _passed(),
    }


def _passed():
    """Of each exception that passed something in the cell its text and the places where it was, innermost first."""
    found, last = [], None
    for error, *place in passed:
        if error is not last:
            found.append([str(error.args[0]) if error.args else "", []])
        found[-1][1].append(place)
        last = error
    passed.clear()
    return found


def _submitted(answer):
    """The content of `answer` where it is ready. It is not any more, whatever becomes of the cell."""
    if not isinstance(answer, dict) or not answer.get("ready"):
        return unset
    answer["ready"] = False
    return answer.get("content", "")


def builtin(own, name):
    """The built-in function or type of that name, whatever the cells use the name for."""
    return own[name] if name in builtin_names else eval(name, {})


def _same(value, own):
    return value is own or (type(own) is type(json) and type(value) is type(json) and str(value) == str(own))


def _size(value):
    return len(value) if isinstance(value, (str, bytes, list, tuple, dict, set, frozenset)) else None


def _is_hit(value):
    """Whether it is one of those that `grep` gives."""
    return isinstance(value, dict) and "offset" in value and "match" in value


def _show_hits(hits):
    """Prints where they are and what stands there, a line for each: as many as fit, and how many those are."""
    shown, room = [], 6000
    for hit in hits:
        line = str(hit["name"]) + ":" + str(hit["line"]) + " (offset " + str(hit["offset"]) + "): " + repr(hit["text"])
        room -= len(line)
        if room < 0 and shown:
            break
        shown.append(line)
    print("\n".join(shown))
    if len(shown) < len(hits):
        print("… " + str(len(shown)) + " of " + str(len(hits)) + " shown: slice it for the others")


def show(own):
    """Prints the value of a cell's last expression as a REPL does, but never more than a screen of it."""
    value = own.pop("value")
    if value is None:
        return
    size = _size(value)
    if isinstance(value, list) and value and _is_hit(value[0]):
        _show_hits(value)
    elif size is None or size <= 50:
        text = repr(value)
        print(text if len(text) <= 4000 else text[:4000] + "…")
    elif isinstance(value, (str, bytes)):
        print(repr(value) if size <= 4000 else repr(value[:4000]) + "… (" + str(size) + " characters)")
    else:
        items = repr([item for item in itertools.islice(value.items() if isinstance(value, dict) else value, 20)])
        print(items[:4000] + "… (" + type(value).__name__ + " of " + str(size) + ")")
