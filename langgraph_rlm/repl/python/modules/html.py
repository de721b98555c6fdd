"""`html`: texts as HTML writes them."""

import re

_REFERENCE = re.compile(r"#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;]{1,32};?")
_MOST_CACHED = 1000
_known = {}


def escape(s, quote=True):
    s = s.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return s.replace('"', "&quot;").replace("'", "&#x27;") if quote else s


def unescape(s):
    """The host is asked once for each reference that ends with a semicolon, and for all of a text with another one."""
    if "&" not in s:
        return s
    pieces = s.split("&")
    made = pieces[:1]
    for piece in pieces[1:]:
        found = _REFERENCE.match(piece)
        reference = found.group() if found else ""
        if reference and reference not in _known:
            if not reference.endswith(";"):
                return __rlm__["standard"]("html.unescape", s)
            if len(_known) >= _MOST_CACHED:
                _known.clear()
            _known[reference] = __rlm__["standard"]("html.unescape", "&" + reference)
        made.append(_known[reference] + piece[len(reference) :] if reference else "&" + piece)
    return "".join(made)
