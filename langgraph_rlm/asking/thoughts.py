"""What a model has only thought: some servers hand it on as a part of what it says.

A tag counts where a thought would stand: at the beginning, at that of a line, after another thought. One in the middle
of a sentence, in quotes or in code is spoken of, and stays.
"""

from __future__ import annotations

import re
from itertools import islice

MOST_TAGS = 200
"""Tags that are looked at: whoever writes more of them does not think."""

_NAMES = "think|thinking|thought|seed:think"
_TAG = re.compile(
    rf"(?P<opens><(?:{_NAMES})(?:\s+\w+=[^<>\n]*)?>|\[THINK\]|◁think▷|<\|channel>thought\b)"
    rf"|</(?:{_NAMES})\s*>|\[/THINK\]|◁/think▷|<channel\|>",
    re.I,
)
_CODE_SPAN = re.compile(r"(`+)(?!`)[^\n]*?(?<!`)\1(?!`)")
_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})([^\n]*)$", re.M)
_NOTHING_SAID = re.compile(r"\s*(?:and|or|to|,|/|\.\.\.|…)\s*", re.I)
"""What stands between two tags where they are spoken of."""

_FINAL_CHANNEL = re.compile(r"<\|channel\|>\s*final\b[^<\n]*<\|message\|>")
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
    if finals := [mark for mark in _FINAL_CHANNEL.finditer(text) if not _is_quoted(text, mark.start())]:
        return _CHANNEL_ENDS.split(text[finals[-1].end() :], maxsplit=1)[0]
    if _OTHER_CHANNEL.match(text):
        return ""
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
    return (begins_line or (has_thought and not _is_quoted(text, at))) and not _is_code(text, at)


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
    if not line.strip():
        return bool(after.strip()) or "\n" in before or not before.strip()
    if _is_quoted(text, closing.start()) or line.endswith(("(", "[", "{", "<")):
        return False
    return not line[-1].isspace() or after.startswith("\n\n")


def _is_quoted(text: str, at: int) -> bool:
    """Whether what stands there is in quotes, or in a code span of its line."""
    if at and text[at - 1] in "`\"'\u201c\u2018":
        return True
    start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
    spans = _CODE_SPAN.finditer(text, start, end if end >= 0 else len(text))
    return any(span.start() < at < span.end() for span in spans)


def _is_code(text: str, at: int) -> bool:
    """Whether what stands there is in a code block that has an end."""
    fence: str | None = None
    for mark in _FENCE.finditer(text):
        is_end = fence is not None and mark[1].startswith(fence) and not mark[2].strip()
        if mark.start() > at:
            if fence is None:
                return False
            if is_end:
                return True
        elif is_end:
            fence = None
        elif fence is None:
            fence = mark[1]
    return False
