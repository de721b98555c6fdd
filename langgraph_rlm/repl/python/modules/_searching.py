"""Long texts whose methods do not begin at the text's beginning each time, where a place to begin at is given.

Monty goes over all characters of a text at each `text.find(x, start)`, and counts them from the beginning to slice one
that is not of ASCII alone. So what is asked for is searched in windows, and such a text is cut into pieces once.
"""

import re

LONG = 4000
"""Characters of a text from which on this is worth it."""
OFTEN = 8
"""How often it is searched or sliced before it is."""
PIECE = 256
FIRST, GROWTH = 256, 4
"""Characters of the first window, and how much larger the next one is: a slice takes time by its length."""


class Searched:
    """A text, with the methods that take places."""

    def __init__(self, text):
        self.text, self.length = text, len(text)
        self.pieces = None if text.isascii() else re.findall("(?s).{1,256}", text)

    def __getitem__(self, key):
        if not isinstance(key, slice) or key.step is not None:
            return self.text[key]
        return self.slice(*self.bounds(key.start, key.stop))

    def slice(self, start, end):
        if self.pieces is None or end <= start:
            return self.text[start:end] if end > start else ""
        first = start // PIECE
        joined = "".join(self.pieces[first : (end - 1) // PIECE + 1])
        return joined[start - first * PIECE : end - first * PIECE]

    def bounds(self, start, end):
        start = 0 if start is None else start + self.length if start < 0 else start
        end = self.length if end is None else end + self.length if end < 0 else end
        return max(start, 0), min(max(end, 0), self.length)

    def find(self, what, start=None, end=None):
        if end is None and start is not None and 0 <= start < self.length:  # the usual call: it has to be quick
            if self.pieces is None:
                at = self.text[start : start + FIRST].find(what)
            else:
                at = self.pieces[start // PIECE][start % PIECE :].find(what)
            if at >= 0:
                return start + at
        start, end = self.bounds(start, end)
        if start + len(what) > end:
            return -1
        window = FIRST
        while True:
            until = min(start + window + len(what), end)
            at = self.slice(start, until).find(what)
            if at >= 0:
                return start + at
            if until == end:
                return -1
            start, window = start + window, window * GROWTH

    def rfind(self, what, start=None, end=None):
        start, end = self.bounds(start, end)
        if start + len(what) > end:
            return -1
        window = FIRST
        while True:
            since = max(end - window - len(what), start)
            at = self.slice(since, end).rfind(what)
            if at >= 0:
                return since + at
            if since == start:
                return -1
            end, window = end - window, window * GROWTH

    def index(self, what, start=None, end=None):
        at = self.find(what, start, end)
        if at < 0:
            raise ValueError("substring not found")
        return at

    def rindex(self, what, start=None, end=None):
        at = self.rfind(what, start, end)
        if at < 0:
            raise ValueError("substring not found")
        return at

    def count(self, what, start=None, end=None):
        start, end = self.bounds(start, end)
        return self.slice(start, end).count(what) if start <= end else 0

    def startswith(self, what, start=None, end=None):
        start, end = self.bounds(start, end)
        if start > end:
            return False
        longest = max([len(one) for one in what] + [0]) if isinstance(what, tuple) else len(what)
        return self.slice(start, min(start + longest, end)).startswith(what)

    def endswith(self, what, start=None, end=None):
        start, end = self.bounds(start, end)
        if start > end:
            return False
        longest = max([len(one) for one in what] + [0]) if isinstance(what, tuple) else len(what)
        return self.slice(max(start, end - longest), end).endswith(what)


_last = [None, None, None, 0]
"""A text, what it is searched by, what it is sliced by, and how often either was done."""


def at(text):
    """`text` for a method that begins at a place in it."""
    return _last[1] if text is _last[0] and _last[3] == OFTEN else _once_more(text, 1)


def cut(text):
    """`text` for a slice that begins at a place in it."""
    if text is _last[0] and _last[3] == OFTEN:
        return _last[2]
    if not isinstance(text, str) or (text is not _last[0] and len(text) < LONG):
        return text
    return _once_more(text, 2)


def _once_more(text, what):
    if text is not _last[0]:
        if not isinstance(text, str) or len(text) < LONG:
            return text
        _last[:] = [text, text, text, 0]
    _last[3] += 1
    if _last[3] == OFTEN:
        _last[1] = Searched(text)
        _last[2] = text if _last[1].pieces is None else _last[1]
    return _last[what]


matches = {}
"""By pattern: what `re` remembers of a text that the pattern is searched in from places on, the text first."""


def forget():
    """Frees the texts that were searched last."""
    _last[:] = [None, None, None, 0]
    matches.clear()
