"""`grep`: where a pattern stands, in `P` or in other texts.

What is no regular expression is searched by the host. Other patterns are searched here, a piece after the other: the
host cuts the pieces of `P`, whose characters take long to reach here where they are not of ASCII alone; and here a
pattern that takes for ever takes no longer than a cell.
"""

import itertools

host, module, text_of = __rlm__["host"], __rlm__["module"], __rlm__["text"]

PIECE = 200_000
BEHIND, AHEAD = 100, 2_000
"""Characters before and after a piece that are searched with it: what begins in one may end behind it."""
MOST_COUNTED = 10_000
"""Matches of a regular expression, from which on nobody counts them."""
MOST_MATCH = 1_000
"""Characters of a match that are shown."""
FEW = 20
SPECIAL = "\\^$.|?*+()[]{}"


def grep(pattern, given, texts, context, most, flags):
    """See the function of that name in the prelude."""
    given = [*given]
    if given and not isinstance(given[0], int):
        texts = given.pop(0)
    if len(given) > 2:
        raise TypeError("grep takes a pattern, texts, context and most")
    context, most = [*given, *[context, most][len(given) :]]
    if not isinstance(context, int) or not (most is None or isinstance(most, int)):
        raise TypeError("grep takes whole numbers for context and most")
    context, most = max(0, context), MOST_COUNTED if most is None else max(0, most)
    if texts is None or texts is text_of():
        hits, total, is_all = _found_in_context(*_read_pattern(pattern, flags), context, most)
    else:
        texts = [texts] if isinstance(texts, str) else [*(texts.values() if isinstance(texts, dict) else texts)]
        wrong = [type(text).__name__ for text in texts if not isinstance(text, str)]
        if wrong:
            raise TypeError("each of texts must be a str, not " + wrong[0])
        hits, total, is_all = _found_in_texts(*_read_pattern(pattern, flags), texts, context, most)
    if total > len(hits):
        print("grep: the first " + str(len(hits)) + " of " + ("" if is_all else "at least ") + str(total) + " matches")
    return hits


def _read_pattern(pattern, flags):
    """The text to search for, if the pattern is nothing else, and the compiled pattern."""
    own = module("re")
    if not isinstance(pattern, str):
        compiled = own.compile(pattern)
        return None, own.compile(compiled.pattern, compiled.flags | own.M)
    if not pattern:
        raise ValueError("grep takes a pattern that is not empty")
    if not flags and not any([mark in pattern for mark in SPECIAL]):
        return pattern, own.compile(pattern, own.M)
    try:
        return None, own.compile(pattern, flags | own.M)
    except own.error as failure:
        print("grep: no regular expression (" + str(failure) + "), so it is searched for letter by letter")
        return pattern, own.compile(own.escape(pattern), own.M)


def _found_in_context(literal, compiled, context, most):
    if literal is not None:
        found = host("context", "grep", [literal, context, most])
        return found["hits"], found["total"], True
    spans, total, is_all = _spans(compiled, lambda at: host("context", "piece", [at, PIECE, BEHIND, AHEAD]), most)
    return host("context", "places", [spans, context]), total, is_all


def _found_in_texts(literal, compiled, texts, context, most):
    hits, total, is_all = [], 0, True
    for i in range(len(texts)):
        text = texts[i]
        if literal is not None and literal not in text:
            continue
        spans, more, is_whole = _spans(compiled, _looking_up(_pieces(text)), most - len(hits))
        total, is_all = total + more, is_all and is_whole
        hits += _places(i, text, spans, context)
        if total >= max(MOST_COUNTED, most):
            return hits, total, is_all and i + 1 == len(texts)
    return hits, total, is_all


def _looking_up(pieces):
    return lambda at: pieces.get(at)


def _pieces(text):
    """The pieces of a text by where they begin: each with where what is searched begins, and where the next piece."""
    if len(text) <= PIECE:
        return {0: [text, 0, len(text)]} if text else {}
    pieces, lines, start, length = {}, [], 0, 0
    for line in text.splitlines(True):
        lines.append(line)
        length += len(line)
        if length >= PIECE:
            pieces[start] = ["".join(lines), start, start + length]
            lines, start, length = [], start + length, 0
    if lines:
        pieces[start] = ["".join(lines), start, start + length]
    starts = [*pieces]
    for before, after in itertools.pairwise(starts):
        ahead, behind = pieces[after][0][:AHEAD], pieces[before][0][-BEHIND:]
        pieces[before][0] += ahead
        pieces[after] = [behind + pieces[after][0], after - len(behind), pieces[after][2]]
    return pieces


def _spans(compiled, piece, most):
    """Start and end of the first matches, how many there are, and whether all were counted."""
    spans, total, at, last = [], 0, 0, 0
    while total < max(MOST_COUNTED, most):
        found = piece(at)
        if found is None:
            return spans, total, True
        text, begin, end = found
        cut = max(0, max(at, last) - compiled.behind - begin)  # what ended there is no beginning of another
        text, begin = text[cut:], begin + cut
        found = [[begin + start, begin + stop] for start, stop in _found(compiled, text) if start < stop]
        found = [span for span in found if max(at, last) <= span[0] < end]
        spans += found[: most - len(spans)]
        total, last = total + len(found), found[-1][1] if found else last
        at = end
    return spans, total, piece(at) is None


def _found(compiled, text):
    """Start and end of all matches. To ask many of them takes long in a text that is not of ASCII alone: counted."""
    matches = [*compiled.finditer(text)]
    between = compiled.split(text)[:: compiled.groups + 1] if len(matches) > FEW and not text.isascii() else []
    if len(between) != len(matches) + 1:
        return [[m.start(), m.end()] for m in matches]
    spans, end = [], 0
    for before, m in zip(between, matches):
        start = end + len(before)
        end = start + len(m.group())
        spans.append([start, end])
    return spans


def _places(i, text, spans, context):
    """What `grep` says of matches in one of several texts."""
    hits, offset, line = [], 0, 1
    for start, end in spans:
        line, offset = line + text[offset:start].count("\n"), start
        shown = min(end, start + MOST_MATCH)
        hit = {"name": "texts[" + str(i) + "]", "document": i, "line": line, "offset": start}
        hits.append({**hit, "match": text[start:shown], "text": text[max(0, start - context) : shown + context]})
    return hits
