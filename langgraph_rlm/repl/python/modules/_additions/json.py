"""What Monty's `json` lacks: classes."""

import json as _native

_json = __rlm__["module"]("_json")


class JSONDecoder:
    """Reads values, with functions for some of them."""

    def __init__(self, **hooks):
        self._hooks = hooks

    def decode(self, s):
        return _json.loads(s, **self._hooks)

    def raw_decode(self, s, idx=0):
        """The value that begins at a place of a text, and where it ends."""
        end = _json.first_value(s, idx)
        return self.decode(s[idx:end]), end


class JSONEncoder:
    """Writes values. `default` gives what to write for those that are no JSON."""

    def __init__(self, *, default=None, **options):
        self._default, self._options = default, options

    def default(self, o):
        raise TypeError("Object of type " + type(o).__name__ + " is not JSON serializable")

    def encode(self, o):
        return _native.dumps(_json.plain(o, self._default or self.default), **self._options)

    def iterencode(self, o):
        return iter([self.encode(o)])
