"""`html`: texts as HTML writes them."""


def escape(s, quote=True):
    s = s.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return s.replace('"', "&quot;").replace("'", "&#x27;") if quote else s


def unescape(s):
    return __rlm__["standard"]("html.unescape", s) if "&" in s else s
