"""What Monty's `json` lacks: hooks, encoders, and errors that say what CPython's say."""

import json

WHITE = " \t\n\r"
WINDOW = 2000
MOST = 900_000
"""Characters of which the host says what is wrong."""
failed = {}
"""The text of which an error tells, by its message: of the last one."""


def error(msg, doc, pos):
    """A `JSONDecodeError`, which holds one text here."""
    line, column = doc.count("\n", 0, pos) + 1, pos - doc.rfind("\n", 0, pos)
    message = f"{msg}: line {line} column {column} (char {pos})"
    failed.clear()
    failed[message] = doc
    return json.JSONDecodeError(message)


def doc_of(failure):
    """`failure.doc`."""
    return failed[str(failure)]


def loads(
    s,
    *,
    cls=None,
    object_hook=None,
    parse_float=None,
    parse_int=None,
    parse_constant=None,
    object_pairs_hook=None,
    strict=True,
):
    if cls is not None:
        hooks = {"object_hook": object_hook, "object_pairs_hook": object_pairs_hook, "parse_float": parse_float}
        hooks = {**hooks, "parse_int": parse_int, "parse_constant": parse_constant}
        return cls(**{name: hook for name, hook in hooks.items() if hook is not None}).decode(s)
    scalars = {"f": parse_float or float, "i": parse_int or int, "c": parse_constant or float}
    is_plain = not (parse_float or parse_int or parse_constant or object_hook or object_pairs_hook) and strict
    try:
        value = json.loads(s)
        if is_plain:
            return value
    except json.JSONDecodeError:
        text = s if isinstance(s, str) else s.decode()
        wrong = __rlm__["standard"]("json.fault", text, strict) if len(text) <= MOST else None
        if wrong:
            raise error(wrong[0], text, wrong[1]) from None
        if is_plain:
            raise
    return _with_hooks(s if isinstance(s, str) else s.decode(), strict, scalars, object_hook, object_pairs_hook)


def _with_hooks(text, strict, scalars, object_hook, object_pairs_hook):
    """The value of a text, put together of its parts: what is inside of another comes before it."""
    made = []
    for kind, part in __rlm__["standard"]("json.parts", text, strict):
        if kind == "=":
            made.append(part)
        elif kind in scalars:
            made.append(scalars[kind](part))
        else:
            first = len(made) - part
            items, made = made[first:], made[:first]
            if kind == "{":
                items = list(zip(items[::2], items[1::2]))
                if object_pairs_hook is not None:
                    items = object_pairs_hook(items)
                else:
                    items = dict(items) if object_hook is None else object_hook(dict(items))
            made.append(items)
    return made[0]


def load(fp, **options):
    return loads(fp.read(), **options)


def first_value(text, start):
    """The end of the value that begins at a place of a text. It is looked for in growing parts of the text."""
    size = WINDOW
    while True:
        part = text[start : start + size]
        is_rest = start + size >= len(text)
        end = len(part) if is_rest else 0
        try:
            json.loads(part)
        except json.JSONDecodeError as failure:
            message = str(failure)
            end = int(message[message.rfind(" ") + 1 : -1]) if message.startswith("Extra data") else 0
        if end and part[0] not in WHITE:
            return start + len(part[:end].rstrip(WHITE))
        if is_rest:
            wrong, place = __rlm__["standard"]("json.end", part[:MOST], True)
            if wrong:
                raise error(wrong, text, start + place)
            return start + place
        size *= 4


def dumps(obj, *, cls=None, default=None, **options):
    if cls is not None:
        return cls(default=default, **options).encode(obj)
    return json.dumps(obj if default is None else plain(obj, default), **options)


def dump(obj, fp, **options):
    fp.write(dumps(obj, **options))


def plain(value, default):
    """A value with a function for what is no JSON applied to all that is none."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, (list, tuple)):
        return [plain(item, default) for item in value]
    if isinstance(value, dict):
        return {key: plain(item, default) for key, item in value.items()}
    return plain(default(value), default)
