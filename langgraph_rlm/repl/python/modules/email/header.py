"""`email.header`: headers with `=?utf-8?q?…?=` in them."""


def decode_header(header):
    """Its pieces, each with its character set."""
    return __rlm__["standard"]("email.header_pieces", header)


def make_header(decoded_seq):
    """The text of the pieces that `decode_header` gives: a str here."""
    return "".join([_text(piece, charset) for piece, charset in decoded_seq])


def _text(piece, charset):
    if isinstance(piece, str):
        return piece
    return __rlm__["standard"]("codec.decode", piece, charset or "ascii", "replace")
