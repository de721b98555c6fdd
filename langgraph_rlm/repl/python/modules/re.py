"""`re`: Monty's, with each pattern compiled once, and what it lacks or takes otherwise than CPython.

A pattern is read by the host (`repl/patterns.py`), which says how the engine has to be told it. Matches are Monty's own
wherever they are alike: a `Match` of this file knows more, and takes longer to make.
"""

from bisect import bisect_left

_native, _host, _state = __rlm__["native_re"], __rlm__["host"], {"wanted": set()}

NOFLAG, I, L, M, S, U, X, A, DEBUG = 0, 2, 4, 8, 16, 32, 64, 256, 128
IGNORECASE, LOCALE, MULTILINE, DOTALL, UNICODE, VERBOSE, ASCII = I, L, M, S, U, X, A
RegexFlag = int
error = PatternError = _native.PatternError
escape = _native.escape

_MOST_CACHED = 256
_LONG = 2000
"""Characters of a text from which on finding its characters takes time, where it is not of ASCII alone."""
_MOST_PATTERNS, _MOST_REMEMBERED, _MOST_IN_ALL = 32, 300_000, 1_000_000
"""Patterns whose matches in a text are kept for searches from places in it; such matches of one, and of all."""
_FLAG_NAMES = {2: "IGNORECASE", 8: "MULTILINE", 16: "DOTALL", 64: "VERBOSE", 256: "ASCII"}
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}

_searching = __rlm__["module"]("_searching")
_remembered = _searching.matches
_native_match = _native.Match
_cache = {0: {}}
_templates = {}


# -- what is called ---------------------------------------------------------------------------------------------------


def compile(pattern, flags=0):
    """The pattern, compiled the first time."""
    if flags in _cache and isinstance(pattern, str):
        found = _cache[flags].get(pattern)
        if found is not None:
            return found
    return _compiled(pattern, flags)


def search(pattern, string, flags=0):
    return compile(pattern, flags).search(string)


def match(pattern, string, flags=0):
    return compile(pattern, flags).match(string)


def fullmatch(pattern, string, flags=0):
    return compile(pattern, flags).fullmatch(string)


def findall(pattern, string, flags=0):
    return compile(pattern, flags).findall(string)


def finditer(pattern, string, flags=0):
    return compile(pattern, flags).finditer(string)


def split(pattern, string, maxsplit=0, flags=0):
    return compile(pattern, flags).split(string, maxsplit)


def sub(pattern, repl, string, count=0, flags=0):
    return compile(pattern, flags).subn(repl, string, count)[0]


def subn(pattern, repl, string, count=0, flags=0):
    return compile(pattern, flags).subn(repl, string, count)


def purge():
    _cache.clear()
    _cache[0] = {}


def prepare(patterns, wanted):
    """Reads patterns that code may come to where the host cannot be asked.

    `wanted` are words for what is asked of a `Match`: its "places", the "last" of its groups, "all" that one has.
    """
    if not _state["wanted"].issuperset(wanted):
        _state["wanted"].update(wanted)
        for kept in _cache.values():
            for pattern in kept.values():
                _set_kind(pattern)
    unknown = [[pattern, flags] for pattern, flags in patterns if pattern not in _cache.get(flags, {})]
    while unknown:
        answers = _host("patterns", unknown)  # of the first of them
        for (pattern, flags), told in zip(unknown, answers):
            if told is not None and "error" not in told:
                _kept(pattern, flags, told)
        unknown = unknown[len(answers) :]


def _compiled(pattern, flags):
    if isinstance(pattern, Pattern):
        if flags:
            raise ValueError("cannot process flags argument with a compiled pattern")
        return pattern
    if not isinstance(pattern, str):
        raise TypeError("first argument must be string or compiled pattern, not " + type(pattern).__name__)
    try:
        told = _host("pattern", pattern, int(flags))
    except NotImplementedError:
        raise error("no new pattern can be compiled here: write p = re.compile(...) before, and use p") from None
    if "error" in told:
        raise error(told["error"])
    return _kept(pattern, flags, told)


def _kept(pattern, flags, told):
    """The pattern, as the host has read it."""
    if len(_cache.setdefault(flags, {})) >= _MOST_CACHED:
        _cache[flags].clear()
    made = _cache[flags][pattern] = Pattern(pattern, told)
    return made


# -- patterns ---------------------------------------------------------------------------------------------------------


class Pattern:
    def __init__(self, pattern, told):
        self.pattern, self.flags, self.groups = pattern, told["flags"], told["groups"]
        self.groupindex, self._has_names = told["groupindex"], not told["is_unnamed"]
        self._names = {group: name for name, group in told["groupindex"].items()}
        self.behind = told["behind"]
        self._told, self._made = told, {}
        self._is_plain = not told["is_nullable"]
        self._ascii = self._other = None
        _set_kind(self)

    def __repr__(self):
        names = ["re." + name for flag, name in _FLAG_NAMES.items() if self.flags & flag]
        return "re.compile(" + repr(self.pattern)[:200] + (", " + "|".join(names) if names else "") + ")"

    def search(self, string, pos=0, endpos=None):
        if pos or endpos is not None:
            return _between(self, "search", string, pos, endpos)
        engine = self._quick
        if engine is not None and isinstance(string, str) and string.isascii():
            return engine.search(string)
        try:
            found = _engine(self, string).search(string)
        except PatternError:
            return _first(_matches_by_line(self, string, True))
        return _whole(self, string, found, len(string)) if self._is_rich and found is not None else found

    def match(self, string, pos=0, endpos=None):
        if pos or endpos is not None:
            return _between(self, "match", string, pos, endpos)
        engine = self._quick
        if engine is not None and isinstance(string, str) and string.isascii():
            return engine.match(string)
        found = _engine(self, string).match(string)
        return _whole(self, string, found, len(string)) if self._is_rich and found is not None else found

    def fullmatch(self, string, pos=0, endpos=None):
        if pos or endpos is not None:
            return _between(self, "fullmatch", string, pos, endpos)
        engine = self._quick
        if engine is not None and isinstance(string, str) and string.isascii():
            return engine.fullmatch(string)
        found = _engine(self, string).fullmatch(string)
        return _whole(self, string, found, len(string)) if self._is_rich and found is not None else found

    def findall(self, string, pos=0, endpos=None):
        engine = self._quick
        if engine is not None and not pos and endpos is None and isinstance(string, str) and string.isascii():
            return engine.findall(string)
        if self._is_plain and not pos and endpos is None:
            try:
                return _engine(self, string).findall(string)
            except PatternError:
                pass
        return [_found(m, self.groups) for m in _matches(self, string, pos, endpos)]

    def finditer(self, string, pos=0, endpos=None):
        if self._is_plain and not pos and endpos is None and not self._is_rich:
            engine = _engine(self, string)
            if engine is self._ascii or len(string) < _LONG or "places" not in _state["wanted"]:
                try:
                    return engine.finditer(string)
                except PatternError:
                    pass
        return iter(_matches(self, string, pos, endpos))

    def split(self, string, maxsplit=0):
        if maxsplit < 0:
            return [string]
        try:
            parts = _engine(self, string).split(string, maxsplit=maxsplit)
        except PatternError:
            parts = []
        if self._is_plain and parts:
            return parts
        matches = _matches(self, string)
        is_same = len(parts) == len(matches) * (self.groups + 1) + 1  # nothing is found there that is not found here
        return parts if is_same else _parts(matches, string, maxsplit)

    def sub(self, repl, string, count=0):
        return self.subn(repl, string, count)[0]

    def subn(self, repl, string, count=0):
        """Monty's own takes time by the square of the matches: what is between them comes from `split`."""
        if count < 0:
            return string, 0
        template = repl if not isinstance(repl, str) or "\\" not in repl else _template(repl, self)
        matches, parts, step = None, None, self.groups + 1
        if self._is_plain:
            try:
                parts = _engine(self, string).split(string, maxsplit=count)
            except PatternError:
                pass
        if parts is None:
            matches = _matches(self, string)
            parts = _parts(matches, string, count)
        between = parts[::step]
        if isinstance(template, str):
            return template.join(between), len(between) - 1
        if matches is None:
            matches = self.finditer(string)
        made = []
        for before, m in zip(between[:-1], matches):
            made.append(before)
            made.append(_filled(template, m) if isinstance(template, list) else template(m))
            if made[-1] is None or not isinstance(made[-1], str):
                raise TypeError("expected str instance, " + type(made[-1]).__name__ + " found")
        made.append(between[-1])
        return "".join(made), len(between) - 1


def _set_kind(own):
    """Whether its matches are of this file, and whether what it finds in texts of ASCII is just what Monty finds."""
    told, wanted = own._told, _state["wanted"]
    own._is_rich = "all" in wanted or ("last" in wanted and not told["is_of_one"]) or told["is_unnamed"]
    own._may_be_quick = own._is_plain and not own._is_rich and not told["looks"] and not told["is_hard"]
    own._quick = None


def _engine(own, string):
    """Monty's pattern for such a text."""
    if not isinstance(string, str):
        if isinstance(string, bytes):
            raise TypeError("re works on str here: decode the bytes first")
        raise TypeError("expected string or bytes-like object, got '" + type(string).__name__ + "'")
    if string.isascii():
        if own._ascii is not None:
            own._quick = own._ascii if own._may_be_quick else None
            return own._ascii
        kind = 0
    else:
        if own._other is not None:
            return own._other
        kind = 2
    sources = own._told["sources"]
    if sources[kind] == sources[kind + 1]:
        made = _made(own, sources[kind])
        if kind:
            own._other = made
        else:
            own._ascii = made
            own._quick = made if own._may_be_quick else None
        return made
    return _made(own, sources[kind + 1 if string.endswith("\n") else kind])


def _made(own, source):
    """Monty's pattern of a source, compiled once."""
    if source not in own._made:
        try:
            own._made[source] = _native.compile(source)
        except PatternError as failure:
            raise error("the pattern cannot be compiled here: " + str(failure)) from None
    return own._made[source]


# -- matches ----------------------------------------------------------------------------------------------------------


class _Match:
    """A match that knows its pattern. `_at` is where in the text the one that Monty's `_match` is of begins."""

    _shift = 0
    _span = None

    _at = 0
    pos = 0

    def _number(self, group):
        if isinstance(group, str):
            group = self.re.groupindex.get(group, -1)
        if not 0 <= group <= self.re.groups:
            raise IndexError("no such group")
        return group

    def group(self, group=0, *more):
        if more:
            return tuple([self[one] for one in (group, *more)])
        if self._shift == 0 and self.re._has_names:
            return self._match.group(group)
        return self._match.group(self._number(group) + self._shift)

    def __getitem__(self, group):
        if self._shift == 0 and self.re._has_names:
            return self._match.group(group)
        return self._match.group(self._number(group) + self._shift)

    def groups(self, default=None):
        values = self._match.groups()
        if self._shift:
            values = values[self._shift :]
        return values if default is None else tuple([default if value is None else value for value in values])

    def groupdict(self, default=None):
        if default is None and self._shift == 0 and self.re._has_names:
            return self._match.groupdict()
        values = self.groups(default)
        return {name: values[group - 1] for name, group in self.re.groupindex.items()}

    def span(self, group=0):
        if group == 0 and self._span is not None:
            return self._span
        start, end = self._match.span(self._number(group) + self._shift)
        return (start + self._at, end + self._at) if start >= 0 else (-1, -1)

    def start(self, group=0):
        if group == 0:
            return self._match.start(self._shift) + self._at if self._span is None else self._span[0]
        return self.span(group)[0]

    def end(self, group=0):
        if group == 0:
            return self._match.end(self._shift) + self._at if self._span is None else self._span[1]
        return self.span(group)[1]

    def expand(self, template):
        return _filled(_template(template, self.re), self)

    def __repr__(self):
        return "<re.Match object; span=" + repr(self.span()) + ", match=" + repr(self.group())[:50] + ">"


Match = (_native_match, _Match)


def _whole(own, string, native, length):
    """A match in the text as it is. To count its characters takes time, where they are not all of ASCII."""
    made = _Match()
    made.re = own
    made.string = string
    made.endpos = length
    made._match = native
    return made


def _part(own, string, native, at, shift, pos, endpos):
    """A match in a part of the text, which begins at `at`, between two places."""
    made = _Match()
    made.re = own
    made.string = string
    made.pos = pos
    made.endpos = endpos
    made._match = native
    made._at = at
    if shift:
        made._shift = shift
    return made


def fact(owner, name):
    """`owner.lastgroup` and the like, which are worked out where they are asked for."""
    if name == "lastgroup" and type(owner) is _native_match:  # a tokenizer asks for each token
        named, found = owner.groupdict(), None
        for key in named:
            if named[key] is not None:
                if found is not None:
                    break
                found = key
        else:
            if len(named) == len(owner.groups()):
                return found
    is_own = isinstance(owner, _Match)
    if not is_own and not isinstance(owner, _native_match):
        return __rlm__["module"]("_methods").attribute(owner, name)
    values = owner.groups()
    if name == "regs":
        return tuple([owner.span(group) for group in range(len(values) + 1)])
    if values.count(None) < len(values) - 1:
        if not is_own:
            raise AttributeError("'re.Match' object has no attribute '" + name + "': search again in this cell")
        last = _closed_last(owner, values)
    elif is_own or name == "lastindex":
        last = _only(values)
    else:
        return _name(owner.groupdict())
    return last if name == "lastindex" else owner.re._names.get(last)


def _name(named):
    """The name of the group that has a value, if any has."""
    for name, value in named.items():
        if value is not None:
            return name
    return None


def _only(values):
    """The number of the group that has a value, if any has."""
    group = 0
    for value in values:
        group += 1
        if value is not None:
            return group
    return None


def _closed_last(m, values):
    last, end = None, -1
    for group in m.re._told["closing"]:
        if values[group - 1] is not None and m.end(group) >= end:
            last, end = group, m.end(group)
    return last


def _first(matches):
    return matches[0] if matches else None


def _found(m, groups):
    """What `findall` gives of a match."""
    if not groups:
        return m.group()
    values = m.groups("")
    return values[0] if groups == 1 else values


def _between(own, how, string, pos, endpos):
    """`search`, `match` or `fullmatch` between two places.

    In a text that is gone over step by step (from the third time on, from the second if it is long) it is one of all
    matches there: each of these searches would take time by the length of the text. Unless the place is in the middle
    of one, where another might begin.
    """
    kept = _remembered.get(own)
    if kept is not None and kept[0] is string and endpos is None and how != "fullmatch":
        found = kept[1].get(pos)
        if found is None and kept[3]:
            if kept[2] is None:
                kept[1], kept[2] = _scanned(own, string)
            starts = kept[2]
            at = bisect_left(starts, pos)
            if pos > 0 and (not at or (kept[1] and kept[1][starts[at - 1]].end() <= pos)):
                if at == len(starts) or (how == "match" and starts[at] != pos):
                    return None
                found = kept[1][starts[at]]
        if found is not None:
            return _from(own, string, found, pos) if own._is_rich else found
        kept[3] = True
    elif not isinstance(string, str):
        _engine(own, string)
    if endpos is None and 0 < pos <= len(string) and how != "fullmatch":
        if own._is_plain and (kept is None or kept[0] is not string):
            if kept is None and len(_remembered) >= _MOST_PATTERNS:
                _remembered.clear()
            _remembered[own] = [string, {}, None, len(string) >= _LONG]
        if not own._told["behind"]:
            rest = string[pos:]
            engine = _engine(own, rest)
            found = engine.match(rest) if how == "match" else engine.search(rest)
            return found if found is None else _part(own, string, found, pos, 0, pos, len(string))
    text, pos = _clipped(string, pos, endpos)
    if pos is None:
        return None
    return _at(own, how, string, text, pos)


def _scanned(own, string):
    """The matches in a text by where they begin, and these places. Of too many none is known from the beginning on."""
    try:
        natives = list(_engine(own, string).finditer(string))
    except PatternError:
        return {}, [0]
    if len(natives) > min(_MOST_REMEMBERED, _MOST_IN_ALL - sum([len(kept[1]) for kept in _remembered.values()])):
        return {}, [0]
    is_quick = len(string) < _LONG or string.isascii()
    found = {m.start(): m for m in (natives if is_quick else _placed(own, string, string, natives))}
    return found, list(found)


def _from(own, string, found, pos):
    """A match of the whole text, as one that was searched for from a place on."""
    if not isinstance(found, _Match):
        made = _whole(own, string, found, len(string))
    else:
        made = _whole(own, string, found._match, found.endpos)
        made._span = found._span
    made.pos = pos
    return made


def _clipped(string, pos, endpos):
    """The text up to `endpos`, and `pos` in it; None where it is behind its end."""
    text = string if endpos is None or endpos >= len(string) else string[: max(endpos, 0)]
    pos = min(max(pos, 0), len(string))
    return text, (pos if pos <= len(text) else None)


def _at(own, how, string, text, pos, is_empty_allowed=True):
    """What is found from a place on in `text`, which is `string` up to the place where it ends for the search."""
    behind = min(own._told["behind"], pos)
    rest = text[pos - behind :] if pos > behind else text
    if behind == 0 and is_empty_allowed:
        engine = _engine(own, rest)
        found = (
            engine.search(rest) if how == "search" else engine.match(rest) if how == "match" else engine.fullmatch(rest)
        )
        return found if found is None else _part(own, string, found, pos, 0, pos, len(text))
    kind = (0 if rest.isascii() else 2) + (1 if rest.endswith("\n") else 0)
    before = "(?s:.{" + str(behind) + "}" + (".*?" if how == "search" else "") + ")"
    something = "" if is_empty_allowed else "(?<!\\A(?s:.{" + str(behind) + "}))"
    engine = _made(own, before + "(" + own._told["shifted"][kind] + something + ")")
    found = engine.fullmatch(rest) if how == "fullmatch" else engine.match(rest)
    return found if found is None else _part(own, string, found, pos - behind, 1, pos, len(text))


def _matches(own, string, pos=0, endpos=None):
    """All of them, as CPython finds them: nothing may be found where something ended."""
    engine = _engine(own, string)
    text, pos = _clipped(string, pos, endpos)
    if pos is None:
        return []
    if pos or (own._told["may_prefer_nothing"] and not own._is_plain):
        return _one_by_one(own, string, text, pos)
    try:
        natives = list((engine if text is string else _engine(own, text)).finditer(text))
    except PatternError:
        return _matches_by_line(own, text)
    found = _placed(own, string, text, natives)
    return found if own._is_plain else _with_empty_ones(own, string, text, found)


def _placed(own, string, text, natives):
    """Monty's matches, each with its place where that is long to find: by their number times the text, if not ASCII."""
    length = len(text)
    found = [_whole(own, string, native, length) for native in natives]
    between = [] if text.isascii() else _engine(own, text).split(text)[:: own.groups + 1]
    if len(between) == len(found) + 1:
        end = 0
        for before, m in zip(between, found):
            start = end + len(before)
            end = start + len(m._match.group())
            m._span = start, end
    return found


def _with_empty_ones(own, string, text, found):
    """With those that are empty and stand at the end of another."""
    made, ends = [], len(text)
    for i in range(len(found)):
        made.append(found[i])
        start, end = found[i].span()
        following = found[i + 1].start() if i + 1 < len(found) else ends + 1
        if start < end and following > end:
            if own._told["looks"]:
                empty = _at(own, "match", string, text, end)
            else:
                empty = _part(own, string, _made(own, own._told["sources"][0]).match(""), end, 0, 0, ends)
            if empty is not None:
                made.append(empty)
    return made


def _one_by_one(own, string, text, pos):
    """Slower, since each search begins where the last one ended: for patterns of which the engine's own are others."""
    made, is_empty_allowed = [], True
    while pos <= len(text):
        m = None
        if not is_empty_allowed:
            m = _at(own, "match", string, text, pos, False)
            if m is None:
                pos += 1
                if pos > len(text):
                    break
        if m is None:
            m = _at(own, "search", string, text, pos)
        if m is None:
            break
        made.append(m)
        start, pos = m.span()
        is_empty_allowed = start < pos
    return made


def _matches_by_line(own, string, is_one_enough=False):
    """Where the engine gave up: some lines at a time, if that is the same."""
    if not own._told["is_of_lines"] or "\n" not in string:
        raise error(
            "the pattern takes too many steps on a text of this length: search line by line, or without \\b and (?...)"
        )
    made, at, length = [], 0, len(string)
    for some in _lines(string, length // 16):
        for m in _matches(own, some):
            start, end = m.span()
            moved = _part(own, string, m._match, m._at + at, m._shift, 0, length)
            moved._span = start + at, end + at
            made.append(moved)
        if made and is_one_enough:
            break
        at += len(some) + 1
    return made


def _lines(string, size):
    """The lines, so many together that they have about `size` characters."""
    made, together, length = [], [], 0
    for line in string.split("\n"):
        together.append(line)
        length += len(line) + 1
        if length > size:
            made.append("\n".join(together))
            together, length = [], 0
    return [*made, "\n".join(together)] if together else made


def _parts(matches, string, most):
    """What `split` gives: what is between matches, and their groups."""
    text, made, at = _searching.at(string), [], 0
    slice_of = text.slice if text is not string else lambda start, end: string[start:end]
    for m in matches[:most] if most else matches:
        start, end = m.span()
        made.append(slice_of(at, start))
        made.extend(m.groups())
        at = end
    made.append(string[at:])
    return made


# -- what takes the place of a match ----------------------------------------------------------------------------------


def _template(text, pattern):
    """A replacement as a list: text, and the numbers of groups."""
    made = _templates.get(text)
    if made is None or made[0] is not pattern:
        if len(_templates) >= _MOST_CACHED:
            _templates.clear()
        made = _templates[text] = pattern, _template_of(text, pattern)
    return made[1]


def _template_of(text, pattern):
    made, pieces = [], text.split("\\")
    made.append(pieces[0])
    i = 1
    while i < len(pieces):
        piece = pieces[i]
        if piece == "":  # an escaped backslash
            made.append("\\")
            if i + 1 < len(pieces):
                made.append(pieces[i + 1])
            else:
                raise error("bad escape (end of pattern)")
            i += 2
            continue
        made.extend(_escaped(piece, pattern))
        i += 1
    return made


def _escaped(piece, pattern):
    """What a backslash before `piece` means, and the rest of it."""
    first = piece[0]
    if first == "g":
        name, closed, rest = piece[1:].partition(">")
        if not name.startswith("<") or not closed:
            raise error("missing group name" if not name.startswith("<") else "missing >, unterminated name")
        return [_group(name[1:], pattern), rest]
    digits = 1
    while digits < 3 and piece[digits : digits + 1].isdigit():
        digits += 1
    if first == "0" or (digits == 3 and first in "0123" and piece[1] in "01234567" and piece[2] in "01234567"):
        octal = "".join([digit for digit in piece[:digits] if digit in "01234567"])
        return [chr(int(octal, 8) & 255), piece[len(octal) :]]
    if first.isdigit():
        return [_group(piece[: min(digits, 2)], pattern), piece[min(digits, 2) :]]
    if first in _ESCAPES:
        return [_ESCAPES[first], piece[1:]]
    if first.isalpha() and first.isascii():
        raise error("bad escape \\" + first)
    return ["\\" + first, piece[1:]]


def _group(name, pattern):
    if name.isdigit() and name.isascii():
        number = int(name)
        if number > pattern.groups:
            raise error("invalid group reference " + name)
        return number
    if name not in pattern.groupindex:
        if not name.isidentifier():
            raise error("bad character in group name " + repr(name))
        raise IndexError("unknown group name " + repr(name))
    return pattern.groupindex[name]


def _filled(template, m):
    return "".join([part if isinstance(part, str) else m.group(part) or "" for part in template])
