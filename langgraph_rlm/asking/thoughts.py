"""What a model has only thought: some servers hand it on as a part of what it says.

A tag counts where a thought would stand: at the beginning, at that of a line, after another thought. One in the middle
of a sentence, in quotes or in code is spoken of, and stays.
"""

from __future__ import annotations

import re
from itertools import islice

MOST_TAGS = 40
"""Tags that are looked at: whoever writes more of them does not think."""

_NAMES = "think|thinking|thoughts?|antthinking|seed:think|longcat_think"
_TAG = re.compile(
    rf"(?P<opens><(?:{_NAMES})(?:\s+\w+=[^<>\n]*)?>|\[THINK\]|◁think▷|<\|channel>thought\b"
    r"|<\|START_THINKING\|>|<\|begin_of_thought\|>)"
    rf"|</(?:{_NAMES})\s*>|\[/THINK\]|◁/think▷|<channel\|>"
    r"|<\|END_THINKING\|>|<\|end_of_thought\|>",
    re.I,
)
_CODE_SPAN = re.compile(r"(`+)(?!`)[^\n]*?(?<!`)\1(?!`)")
_FENCE = re.compile(r"^([^`~\n]*)(`{3,}|~{3,})([^\n]*)$", re.M)
_IN_STRING = re.compile(r"[=(\[,]\s*[rfb]?(?:'[^']*|\"[^\"]*)$")
"""The end of a line of code that is in a string."""
_NOTHING_SAID = re.compile(r"\s*(?:and|or|to|,|/|\.\.\.|…)\s*", re.I)
"""What stands between two tags where they are spoken of."""

NEAR = 300
"""Characters before and after a tag in which a code span is looked for."""

_FINAL = r"<\|channel\|>\s*final\b(?:[^<\n]|<\|constrain\|>)*<\|message\|>"
_FINAL_CHANNEL = re.compile(rf"(?:\A\s*|<\|start\|>\s*assistant\s*|<\|end\|>\s*){_FINAL}")
_LATER_CHANNEL = re.compile(_FINAL)
_OTHER_CHANNEL = re.compile(r"\s*(?:<\|start\|>\s*assistant\s*)?<\|channel\|>\s*(?:analysis|commentary)\b")
_CHANNEL_ENDS = re.compile(r"<\|(?:end|return|call|start)\|>")
_UNMARKED_CHANNELS = re.compile(r"\s*analysis(?=[A-Z]).*?assistantfinal", re.S)
"""The channels of gpt-oss where a server has left the marks out."""


def without_thoughts(text: str, is_cut: bool = False) -> str:
    """What a model says, without what it has thought; `is_cut`: a thought may have no end."""
    said = _without_channels(text)
    for thought in range(MOST_TAGS):
        rest = _without_first(said, is_cut, has_thought=thought > 0)
        if rest is None:
            break
        said = rest
    return said if said == text else said.strip()


def _without_channels(text: str) -> str:
    """What stands in the last channel that is meant to be read, where there are channels."""
    marks = _LATER_CHANNEL if _OTHER_CHANNEL.match(text) else _FINAL_CHANNEL  # between channels a mark may be missing
    finals = [*marks.finditer(text)][-MOST_TAGS:]
    for mark in reversed(finals):
        if not _is_quoted(text, mark.start()) and not _is_code(text, mark.start()):
            return _CHANNEL_ENDS.split(text[mark.end() :], maxsplit=1)[0]
    if _OTHER_CHANNEL.match(text):
        after = text.rpartition("<|end|>")[2] if "<|end|>" in text else ""
        return "" if after.lstrip().startswith("<|") else after
    unmarked = _UNMARKED_CHANNELS.match(text)
    return text[unmarked.end() :] if unmarked else text


def _without_first(text: str, is_cut: bool, has_thought: bool) -> str | None:
    """The text without its first thought; None where it has none."""
    is_spoken_of = False
    for tag in islice(_TAG.finditer(text), MOST_TAGS):
        if tag["opens"]:
            begins = _begins_thought(text, tag.start(), has_thought)
            if begins and (end := _end_of_thought(text, tag, is_cut)):
                return text[: tag.start()] + text[end:]
            is_spoken_of = True
        elif is_spoken_of:
            is_spoken_of = False
        elif _ends_thought(text, tag) and not _is_code(text, tag.start()):
            return text[tag.end() :]
    return None


def _begins_thought(text: str, at: int, has_thought: bool) -> bool:
    """Whether one begins here: at the beginning of a line, or where the model `has_thought` before, anywhere."""
    begins_line = not text[text.rfind("\n", 0, at) + 1 : at].strip()
    if text[:at].strip() and not has_thought and text[at : at + 8].casefold() == "<thought":
        return False  # an element of a document that is copied, as likely
    if not (begins_line or has_thought or _ends_line(text, at)) or _is_code(text, at):
        return False
    return begins_line or not _is_quoted(text, at)


def _ends_line(text: str, at: int) -> bool:
    """Whether a thought that begins there, after other words, has several words and ends with the line."""
    tags = _TAG.finditer(text, at)
    opening, closing = next(tags), next(tags, None)
    if closing is None or closing["opens"] or not re.search(r"\S\s+\S", text[opening.end() : closing.start()]):
        return False
    return text[closing.end() :].lstrip(" \t")[:1] in ("", "\n")


def _end_of_thought(text: str, opening: re.Match[str], is_cut: bool) -> int:
    """Where the thought ends that begins so; 0 where the tag is spoken of."""
    start = opening.end()
    ends = [tag for tag in islice(_TAG.finditer(text, start), MOST_TAGS) if tag["opens"] is None]
    if end := next((tag for tag in ends if not _is_quoted(text, tag.start())), None):
        return 0 if _NOTHING_SAID.fullmatch(text, start, end.start()) else end.end()
    is_first = not text[: opening.start()].strip()
    return len(text) if is_cut or (is_first and not text.startswith((" ", "`"), start)) else 0


def _ends_thought(text: str, closing: re.Match[str]) -> bool:
    """Whether a thought ends here whose beginning the prompt had, or another thought."""
    before, after = text[: closing.start()], text[closing.end() :]
    line = before[before.rfind("\n") + 1 :]
    if not before.strip():
        return not after.startswith(" ")
    if not line.strip():
        return True
    if _is_quoted(text, closing.start()) or line.endswith(("(", "[", "{", "<")):
        return False
    return not line[-1].isspace() or after.startswith("\n\n")


def _is_quoted(text: str, at: int) -> bool:
    """Whether what stands there is in quotes, or in a code span of its line."""
    if at and not text.endswith("```", 0, at) and text[at - 1] in "`\"'\u201c\u2018":
        return True
    start, end = max(text.rfind("\n", 0, at) + 1, at - NEAR), text.find("\n", at, at + NEAR)
    if _IN_STRING.search(text, start, at):
        return True
    spans = _CODE_SPAN.finditer(text, start, end if end >= 0 else min(at + NEAR, len(text)))
    return any(span.start() < at < span.end() for span in spans)


def _is_code(text: str, at: int) -> bool:
    """Whether what stands there is in a code block that has an end."""
    if (text.count('"""', 0, at) + text.count("'''", 0, at)) % 2:
        return True
    fence: str | None = None
    for mark in _FENCE.finditer(text):
        is_end = fence is not None and mark[2].startswith(fence) and not (mark[1] + mark[3]).strip()
        if mark.start(2) > at:
            if fence is None:
                return False
            if is_end:
                return True
        elif is_end:
            fence = None
        elif fence is None:
            fence = mark[2]
    return False
