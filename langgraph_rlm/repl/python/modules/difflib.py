"""`difflib`: what two sequences share. The host compares, with a bound: long sequences that repeat much are refused."""

import collections

Match = collections.namedtuple("Match", ["a", "b", "size"])


class SequenceMatcher:
    """Compares two texts, or two lists of texts or numbers."""

    def __init__(self, isjunk=None, a="", b="", autojunk=True):
        if isjunk is not None:
            raise ValueError("isjunk must be None here: leave the junk out before")
        self.autojunk = autojunk
        self.set_seqs(a, b)

    def set_seqs(self, a, b):
        self.a, self.b, self._blocks = a, b, None

    def set_seq1(self, a):
        self.set_seqs(a, self.b)

    def set_seq2(self, b):
        self.set_seqs(self.a, b)

    def get_matching_blocks(self):
        if self._blocks is None:
            a, b = [part if isinstance(part, str) else list(part) for part in (self.a, self.b)]
            found = __rlm__["standard"]("difflib.matches", a, b, self.autojunk)
            self._blocks = [Match(*block) for block in found]
        return self._blocks

    def ratio(self):
        both = len(self.a) + len(self.b)
        return 2.0 * sum([block.size for block in self.get_matching_blocks()]) / both if both else 1.0

    def quick_ratio(self):
        both = len(self.a) + len(self.b)
        shared = collections.Counter(self.a) & collections.Counter(self.b)
        return 2.0 * sum(shared.values()) / both if both else 1.0

    def real_quick_ratio(self):
        both = len(self.a) + len(self.b)
        return 2.0 * min(len(self.a), len(self.b)) / both if both else 1.0

    def get_opcodes(self):
        codes, i, j = [], 0, 0
        for a, b, size in self.get_matching_blocks():
            if i < a or j < b:
                kind = "replace" if i < a and j < b else "delete" if i < a else "insert"
                codes.append((kind, i, a, j, b))
            i, j = a + size, b + size
            if size:
                codes.append(("equal", a, i, b, j))
        return codes

    def get_grouped_opcodes(self, n=3):
        """The changes with `n` equal items around them."""
        groups, group = [], []
        codes = self.get_opcodes()
        for place, (kind, i1, i2, j1, j2) in enumerate(codes):
            if kind == "equal" and place == 0:
                i1, j1 = max(i1, i2 - n), max(j1, j2 - n)
            if kind == "equal" and place == len(codes) - 1:
                i2, j2 = min(i2, i1 + n), min(j2, j1 + n)
            elif kind == "equal" and i2 - i1 > 2 * n:
                group.append((kind, i1, i1 + n, j1, j1 + n))
                groups.append(group)
                group, i1, j1 = [], i2 - n, j2 - n
            group.append((kind, i1, i2, j1, j2))
        groups.append(group)
        return [group for group in groups if [code for code in group if code[0] != "equal"]]


def get_close_matches(word, possibilities, n=3, cutoff=0.6):
    return __rlm__["standard"]("difflib.close", word, list(possibilities), n, cutoff)


def IS_CHARACTER_JUNK(ch, ws=" \t"):
    return ch in ws


class Differ:
    """Compares texts line by line, and similar lines character by character."""

    def __init__(self, linejunk=None, charjunk=None):
        if linejunk is not None or not (charjunk is None or charjunk is IS_CHARACTER_JUNK):
            raise ValueError(
                "linejunk must be None here, and charjunk None or IS_CHARACTER_JUNK: leave the junk out before"
            )
        self._are_blanks_junk = charjunk is not None

    def compare(self, a, b):
        return iter(__rlm__["standard"]("difflib.compare", list(a), list(b), self._are_blanks_junk))


def ndiff(a, b, linejunk=None, charjunk=IS_CHARACTER_JUNK):
    return Differ(linejunk, charjunk).compare(a, b)


def unified_diff(a, b, fromfile="", tofile="", fromfiledate="", tofiledate="", n=3, lineterm="\n"):
    """The lines of a diff with `-` and `+`: a list here."""
    lines = []
    for group in SequenceMatcher(None, a, b).get_grouped_opcodes(n):
        if not lines:
            lines.append("--- " + fromfile + ("\t" + fromfiledate if fromfiledate else "") + lineterm)
            lines.append("+++ " + tofile + ("\t" + tofiledate if tofiledate else "") + lineterm)
        old, new = _range(group[0][1], group[-1][2]), _range(group[0][3], group[-1][4])
        lines.append("@@ -" + old + " +" + new + " @@" + lineterm)
        for kind, i1, i2, j1, j2 in group:
            if kind == "equal":
                lines += [" " + line for line in a[i1:i2]]
            else:
                lines += ["-" + line for line in a[i1:i2]] + ["+" + line for line in b[j1:j2]]
    return iter(lines)


def _range(start, end):
    size = end - start
    first = start + 1 if size else start
    return str(first) if size == 1 else str(first) + "," + str(size)
