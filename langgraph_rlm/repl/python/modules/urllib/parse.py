"""`urllib.parse`: addresses, their parts, and texts as they stand in them.

What is plain is worked out here. The host is asked where there are users, brackets, letters outside ASCII and the like.
"""

import re

_MOST_CACHED = 1000
_cache, _split_ones, _tables = {}, {}, {}
_PATH = r"[!-\"$->@-~]"
_PLAIN = re.compile(
    r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?"
    rf"(?://([A-Za-z0-9._-]+)(?::([0-9]{{1,4}}))?(/{_PATH}*)?"
    rf"|(/(?:[!-\"$-.0-9:->@-~]{_PATH}*)?|[!-\"$-.0-9;->@-~][!-\"$-9;->@-~]*)?)"
    r"(?:\?([!-\"$-~]*))?(?:#([!-~]*))?"
)
"""The scheme, the host, its port, a path after them, a path without them, the query and the fragment."""
_SAFE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~"
_OF_CODES = {high + low: chr(int(high + low, 16)) for high in "01234567" for low in "0123456789ABCDEFabcdef"}
_WITH_PARAMS = ["", "ftp", "hdl", "prospero", "http", "https", "shttp", "rtsp", "rtsps", "rtspu"]
_WITH_PARAMS += ["sip", "sips", "mms", "sftp", "tel"]


def _host(name, *arguments):
    """What the host says, who is asked once: texts have the same addresses again and again."""
    asked = (name, *[tuple(item) if isinstance(item, list) else item for item in arguments])
    if asked not in _cache:
        if len(_cache) >= _MOST_CACHED:
            _cache.clear()
        _cache[asked] = __rlm__["standard"]("urllib." + name, *arguments)
    return _cache[asked]


# -- parts ------------------------------------------------------------------------------------------------------------


class _Parts:
    """The parts of an address, by name and in order."""

    username = None
    password = None
    hostname = None

    def _values(self):
        return tuple([getattr(self, name) for name in self._names])

    def _replace(self, **changed):
        values = {**self._asdict(), **changed}
        made = _Parts()
        made._names = self._names
        for name in self._names:
            setattr(made, name, values[name])
        _settle(made, _split("//" + values["netloc"], "", True))
        return made

    def _asdict(self):
        return dict(zip(self._names, self._values()))

    def geturl(self):
        return urlunparse(self) if "params" in self._names else urlunsplit(self)

    def __iter__(self):
        return iter(self._values())

    def __getitem__(self, place):
        return self._values()[place]

    def __eq__(self, other):
        return self._values() == tuple(other)

    def __hash__(self):
        return hash(self._values())

    def __repr__(self):
        kind = "ParseResult" if "params" in self._names else "SplitResult"
        return kind + "(" + ", ".join([name + "=" + repr(getattr(self, name)) for name in self._names]) + ")"


_OF_SPLIT = ("scheme", "netloc", "path", "query", "fragment")
_OF_PARSE = ("scheme", "netloc", "path", "params", "query", "fragment")


def urlsplit(url, scheme="", allow_fragments=True):
    parts = _split(url, scheme, allow_fragments)
    made = _Parts()
    made._names = _OF_SPLIT
    made.scheme = parts[0]
    made.netloc = parts[1]
    made.path = parts[2]
    made.query = parts[3]
    made.fragment = parts[4]
    _settle(made, parts)
    return made


def urlparse(url, scheme="", allow_fragments=True):
    parts = _split(url, scheme, allow_fragments)
    made = _Parts()
    made._names = _OF_PARSE
    made.scheme = parts[0]
    made.netloc = parts[1]
    made.path, made.params = _without_params(parts[2], parts[0]) if ";" in parts[2] else (parts[2], "")
    made.query = parts[3]
    made.fragment = parts[4]
    _settle(made, parts)
    return made


def _split(url, scheme, allow_fragments):
    """The five parts, and user, password, host and port; what is wrong with the port is in a list."""
    is_usual = scheme == "" and allow_fragments is True and isinstance(url, str)
    found = _split_ones.get(url) if is_usual else None
    if found is not None:
        return found
    plain = _PLAIN.fullmatch(url) if is_usual and url.isascii() else None
    if plain is None:
        return _host("split", url, scheme, allow_fragments)
    scheme, host, port, path, bare, query, fragment = plain.groups()
    place = host + ":" + port if port else host or ""
    user = (None, None, host and host.lower(), port and int(port))
    found = ((scheme or "").lower(), place, path or bare or "", query or "", fragment or "", *user)
    if len(_split_ones) >= _MOST_CACHED:
        _split_ones.clear()
    _split_ones[url] = found
    return found


def _settle(made, parts):
    """Sets what is said of the place: a port that is none is not there."""
    if parts[1]:
        made.username = parts[5]
        made.password = parts[6]
        made.hostname = parts[7]
    if not isinstance(parts[8], list):
        made.port = parts[8]


def _without_params(path, scheme):
    """`path;params`, of the last step of the path."""
    start = path.find(";", path.rfind("/") + 1)
    return (path[:start], path[start + 1 :]) if scheme in _WITH_PARAMS and start >= 0 else (path, "")


def urlunsplit(parts):
    scheme, netloc, path, query, fragment = parts
    if not _is_plain(scheme, netloc, path) or not isinstance(query, str) or not isinstance(fragment, str):
        return _host("unsplit", list(parts))
    url = scheme + "://" + netloc + path if netloc else path
    return url + ("?" + query if query else "") + ("#" + fragment if fragment else "")


def _is_plain(scheme, netloc, path):
    """Whether it is an address with a host, or a path alone."""
    if not isinstance(path, str) or not isinstance(netloc, str):
        return False
    if scheme in ("http", "https"):
        return netloc != "" and path[:1] in ("", "/")
    return scheme == "" and netloc == "" and path[:2] != "//"


def urlunparse(parts):
    scheme, netloc, path, params, query, fragment = parts
    return urlunsplit([scheme, netloc, path + ";" + params if params else path, query, fragment])


def urljoin(base, url, allow_fragments=True):
    if not base or not url or allow_fragments is not True or not isinstance(base, str) or not isinstance(url, str):
        return _host("join", base, url, allow_fragments)
    above, own = _split(base, "", True), _split(url, "", True)
    scheme, netloc, path = own[0] or above[0], own[1], own[2]
    if ";" not in path and above[0] in ("http", "https") and above[1]:
        if scheme != above[0]:
            return url
        if netloc:
            return urlunsplit((scheme, netloc, *own[2:5]))
        if path:
            return urlunsplit((scheme, above[1], _joined(above[2], path), *own[3:5]))
    return _host("join", base, url, allow_fragments)


def _joined(base, path):
    """A path that begins where another ends."""
    steps = path.split("/")
    if path[0] != "/":
        above = base.split("/")
        steps = above[:-1] + steps if above[-1] else above + steps
        steps = steps[:1] + [step for step in steps[1:-1] if step] + steps[-1:]
    resolved = []
    for step in steps:
        if step == "..":
            if resolved:
                resolved.pop()
        elif step != ".":
            resolved.append(step)
    if steps[-1] in (".", ".."):
        resolved.append("")
    return "/".join(resolved) or "/"


def urldefrag(url):
    if "#" not in url:
        return url, ""
    parts = urlparse(url)
    return parts._replace(fragment="").geturl(), parts.fragment


# -- queries ----------------------------------------------------------------------------------------------------------


def parse_qsl(qs, keep_blank_values=False, strict_parsing=False, separator="&"):
    if strict_parsing or not separator or not isinstance(qs, str) or not isinstance(separator, str):
        return [pair for pair in _host("pairs", qs, keep_blank_values, strict_parsing, separator)]
    found = []
    for field in qs.split(separator):
        name, _, value = field.partition("=")
        if value or (keep_blank_values and field):
            found.append((unquote_plus(name), unquote_plus(value)))
    return found


def parse_qs(qs, keep_blank_values=False, strict_parsing=False, separator="&"):
    found = {}
    for name, value in parse_qsl(qs, keep_blank_values, strict_parsing, separator):
        found.setdefault(name, []).append(value)
    return found


def quote(string, safe="/"):
    if not isinstance(string, str) or not isinstance(safe, str) or not safe.isascii():
        return _host("quote", string, safe, False)
    if not string.rstrip(_SAFE + safe):
        return string
    if safe not in _tables:
        if len(_tables) >= _MOST_CACHED:
            _tables.clear()
        codes = [chr(code) for code in range(128)]
        _tables[safe] = {one: one if one in _SAFE + safe else _quoted(one) for one in codes}
    table = _tables[safe]
    return "".join([table.get(one) or _quoted(one) for one in string])


def _quoted(character):
    return "".join([f"%{code:02X}" for code in character.encode("utf-8")])


def quote_plus(string, safe=""):
    if not isinstance(string, str) or not isinstance(safe, str):
        return _host("quote", string, safe, True)
    return quote(string, safe + " ").replace(" ", "+") if " " in string else quote(string, safe)


def unquote(string):
    if not isinstance(string, str):
        return _host("unquote", string, False)
    if "%" not in string:
        return string
    pieces = string.split("%")
    made = pieces[:1]
    for piece in pieces[1:]:
        character = _OF_CODES.get(piece[:2])
        if character is None:
            return _host("unquote", string, False)
        made.append(character + piece[2:])
    return "".join(made)


def unquote_plus(string):
    return unquote(string.replace("+", " ") if "+" in string else string)


def urlencode(query, doseq=False, safe="", quote_via=quote_plus):
    pairs = []
    for name, value in query.items() if isinstance(query, dict) else query:
        values = [value]
        if doseq and not isinstance(value, (str, bytes)):
            values = list(value) if isinstance(value, (list, tuple, set, dict)) else [value]
        pairs += [_part(name, safe, quote_via) + "=" + _part(item, safe, quote_via) for item in values]
    return "&".join(pairs)


def _part(value, safe, quote_via):
    return quote_via(value if isinstance(value, bytes) else str(value), safe)
