"""`html.parser`: goes over HTML and calls a method for each tag and each text."""

import html
import re

_TAG = re.compile(r"([a-zA-Z][^\s/>]*)((?:=\s*(?:\"[^\"]*\"|'[^']*')|[^>])*)>")
_ATTRIBUTE = re.compile(r"([^\s/=>][^\s/=>]*)(?:\s*(=)\s*(\"[^\"]*\"|'[^']*'|[^\s>]*))?")
_REFERENCE = re.compile(r"(&(?:#([0-9]+|[xX][0-9a-fA-F]+)|([a-zA-Z][a-zA-Z0-9]*));?|&)")
_MAY_GO_ON = re.compile(r"&[^\s;]{0,33}\Z")


class HTMLParser:
    """What is not closed yet waits for more, until `close`."""

    CDATA_CONTENT_ELEMENTS = ("script", "style")

    def __init__(self, *, convert_charrefs=True):
        self.convert_charrefs = convert_charrefs
        self.reset()

    def reset(self):
        self.rawdata, self.cdata_elem, self._tag_text, self._place = "", None, None, [1, 0]

    def feed(self, data):
        self._go_over(self.rawdata + data, False)

    def close(self):
        self._go_over(self.rawdata, True)

    def getpos(self):
        """Line and column of what a method is called for."""
        return tuple(self._place)

    def get_starttag_text(self):
        return self._tag_text

    def handle_starttag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        pass

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_data(self, data):
        pass

    def handle_entityref(self, name):
        pass

    def handle_charref(self, name):
        pass

    def handle_comment(self, data):
        pass

    def handle_decl(self, decl):
        pass

    def handle_pi(self, data):
        pass

    def unknown_decl(self, data):
        pass

    def _go_over(self, source, is_end):
        """Each piece is what stands before, or from, a `<`: most of them a tag and the text behind it."""
        pieces, at = source.split("<"), 1
        text, self.rawdata = pieces[0], ""
        while at < len(pieces):
            markup, end, following = self._whole(pieces, at)
            if end < 0 and not is_end:
                self._text(text)
                self.rawdata = "<" + "<".join(pieces[at:])
                return
            if end > 0:
                self._text(text)
                self._markup(markup[:end])
                self._passed("<" + markup[:end])
                text, at = markup[end:], following
            elif self.cdata_elem:
                text, at = text + "<" + pieces[at], at + 1
            else:
                self._text(text)
                self._text("<")
                text, at = pieces[at], at + 1
        waits = self.cdata_elem or (self.convert_charrefs and _MAY_GO_ON.search(text[-34:]))
        if waits and not is_end:
            self.rawdata = text
        else:
            self._text(text)

    def _whole(self, pieces, at):
        """Markup from a `<` on, where it ends (0: it is none, -1: nowhere), and the piece after it."""
        markup, following = pieces[at], at + 1
        end = self._end(markup)
        while end < 0 and following < len(pieces):
            markup, following = markup + "<" + pieces[following], following + 1
            end = self._end(markup)
        return markup, end, following

    def _end(self, markup):
        if self.cdata_elem and markup[1 : 1 + len(self.cdata_elem)].lower() != self.cdata_elem:
            return 0
        if markup[:1] == "/" or (markup[:1] in ("!", "?") and markup[:3] != "!--"):
            return markup.find(">") + 1 or -1
        if markup[:3] == "!--":
            return markup.find("-->", 3) + 3 if "-->" in markup[3:] else -1
        if not (markup[:1].isascii() and markup[:1].isalpha()):
            return 0 if markup else -1
        found = _TAG.match(markup)
        return found.end() if found else -1

    def _markup(self, markup):
        if markup[:1] == "/":
            self._end_tag(markup[1:-1])
        elif markup[:3] == "!--":
            self.handle_comment(markup[3:-3])
        elif markup[:1] == "?":
            self.handle_pi(markup[1:-1])
        elif markup[:8].lower() == "!doctype":
            self.handle_decl(markup[1:-1])
        elif markup[:2] == "![":
            self.unknown_decl(markup[2:-1].removesuffix("]").removesuffix("]"))
        elif markup[:1] == "!":
            self.handle_comment(markup[1:-1])
        else:
            self._start_tag(markup)

    def _start_tag(self, markup):
        name, inner = _TAG.match(markup).groups()
        self._tag_text, name, attributes = "<" + markup, name.lower(), []
        for key, equals, value in _ATTRIBUTE.findall(inner):
            if value[:1] in ("'", '"') and value[:1] == value[-1:] and len(value) > 1:
                value = value[1:-1]
            attributes.append((key.lower(), html.unescape(value) if equals else None))
        if inner.endswith("/"):
            self.handle_startendtag(name, attributes)
            return
        self.handle_starttag(name, attributes)
        if name in self.CDATA_CONTENT_ELEMENTS:
            self.cdata_elem = name

    def _end_tag(self, inner):
        if inner[:1].isascii() and inner[:1].isalpha():
            self.cdata_elem = None
            self.handle_endtag(re.split(r"[\s/]", inner, maxsplit=1)[0].lower())
        elif inner:
            self.handle_comment(inner)

    def _text(self, text):
        if not text:
            return
        if not self.cdata_elem and not self.convert_charrefs and "&" in text:
            self._with_references(text)
            return
        self.handle_data(text if self.cdata_elem or "&" not in text else html.unescape(text))
        self._passed(text)

    def _with_references(self, text):
        between, *parts = _REFERENCE.split(text)
        for whole, number, name, following in zip(parts[::4], parts[1::4], parts[2::4], parts[3::4]):
            self._plain(between)
            if number:
                self.handle_charref(number)
            elif name:
                self.handle_entityref(name)
            else:
                self.handle_data(whole)
            self._passed(whole)
            between = following
        self._plain(between)

    def _plain(self, text):
        if text:
            self.handle_data(text)
            self._passed(text)

    def _passed(self, text):
        lines = text.count("\n")
        if lines:
            self._place = [self._place[0] + lines, len(text) - text.rfind("\n") - 1]
        else:
            self._place[1] += len(text)
