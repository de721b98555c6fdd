"""`urllib.parse`: addresses, their parts, and texts as they stand in them."""

_MOST_CACHED = 1000
_cache = {}


def _host(name, *arguments):
    """What the host says, who is asked once: texts have the same addresses again and again."""
    asked = (name, *[tuple(item) if isinstance(item, list) else item for item in arguments])
    if asked not in _cache:
        if len(_cache) >= _MOST_CACHED:
            _cache.clear()
        _cache[asked] = __rlm__["standard"]("urllib." + name, *arguments)
    found = _cache[asked]
    return list(found) if isinstance(found, list) else found


class _Parts:
    """The parts of an address, by name and in order."""

    def __init__(self, names, values, place):
        self._names, self._place = names, place
        for name, value in zip(names, values):
            setattr(self, name, value)
        self.username, self.password, self.hostname, port = place
        if not isinstance(port, list):
            self.port = port

    def _values(self):
        return tuple([getattr(self, name) for name in self._names])

    def _replace(self, **changed):
        values = {**self._asdict(), **changed}
        place = _host("split", "//" + values["netloc"], "", True)[5:]
        return _Parts(self._names, [values[name] for name in self._names], place)

    def _asdict(self):
        return dict(zip(self._names, self._values()))

    def geturl(self):
        return urlunparse(self) if "params" in self._names else urlunsplit(self)

    def __iter__(self):
        return iter(self._values())

    def __getitem__(self, place):
        return self._values()[place]

    def __len__(self):
        return len(self._names)

    def __eq__(self, other):
        return self._values() == tuple(other)

    def __hash__(self):
        return hash(self._values())

    def __repr__(self):
        kind = "ParseResult" if "params" in self._names else "SplitResult"
        return kind + "(" + ", ".join([name + "=" + repr(getattr(self, name)) for name in self._names]) + ")"


def urlsplit(url, scheme="", allow_fragments=True):
    parts = _host("split", url, scheme, allow_fragments)
    return _Parts(["scheme", "netloc", "path", "query", "fragment"], parts[:5], parts[5:])


def urlparse(url, scheme="", allow_fragments=True):
    parts = _host("split", url, scheme, allow_fragments)
    path, params = _without_params(parts[2], parts[0])
    values = [parts[0], parts[1], path, params, parts[3], parts[4]]
    return _Parts(["scheme", "netloc", "path", "params", "query", "fragment"], values, parts[5:])


def _without_params(path, scheme):
    """`path;params`, of the last step of the path."""
    start = path.find(";", path.rfind("/") + 1)
    has_params = scheme in ("", "ftp", "hdl", "prospero", "http", "https", "shttp", "rtsp", "rtsps", "rtspu")
    has_params = has_params or scheme in ("sip", "sips", "mms", "sftp", "tel")
    return (path[:start], path[start + 1 :]) if has_params and start >= 0 else (path, "")


def urlunsplit(parts):
    return _host("unsplit", list(parts))


def urlunparse(parts):
    scheme, netloc, path, params, query, fragment = parts
    return urlunsplit([scheme, netloc, path + ";" + params if params else path, query, fragment])


def urljoin(base, url, allow_fragments=True):
    return _host("join", base, url, allow_fragments)


def urldefrag(url):
    parts = urlparse(url)
    return (parts._replace(fragment="").geturl(), parts.fragment) if "#" in url else (url, "")


def parse_qsl(qs, keep_blank_values=False, strict_parsing=False, separator="&"):
    return _host("pairs", qs, keep_blank_values, strict_parsing, separator)


def parse_qs(qs, keep_blank_values=False, strict_parsing=False, separator="&"):
    found = {}
    for name, value in parse_qsl(qs, keep_blank_values, strict_parsing, separator):
        found.setdefault(name, []).append(value)
    return found


def quote(string, safe="/"):
    return _host("quote", string, safe, False)


def quote_plus(string, safe=""):
    return _host("quote", string, safe, True)


def unquote(string):
    return _host("unquote", string, False) if "%" in string else string


def unquote_plus(string):
    return _host("unquote", string, True)


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
