"""`quopri`: texts with `=C3=A9`, as mails write them."""


def decodestring(s, header=False):
    return __rlm__["standard"]("quopri.decode", s.encode() if isinstance(s, str) else s, header)
