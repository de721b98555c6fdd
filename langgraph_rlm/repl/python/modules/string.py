"""`string`: kinds of characters, and templates with `$name`."""

import re

whitespace = " \t\n\r\v\f"
ascii_lowercase = "abcdefghijklmnopqrstuvwxyz"
ascii_uppercase = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ascii_letters = ascii_lowercase + ascii_uppercase
digits = "0123456789"
hexdigits = "0123456789abcdefABCDEF"
octdigits = "01234567"
punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
printable = digits + ascii_letters + punctuation + whitespace

_PLACE = re.compile(r"\$(?:(\$)|([_A-Za-z][_A-Za-z0-9]*)|\{([_A-Za-z][_A-Za-z0-9]*)\}|())")


def capwords(s, sep=None):
    return (" " if sep is None else sep).join([word.capitalize() for word in s.split(sep)])


class Template:
    """A text with places `$name` or `${name}` for values, and `$$` for a dollar sign."""

    def __init__(self, template):
        self.template = template

    def _filled(self, mapping, named, is_safe):
        values = {**(mapping or {}), **named}
        pieces, end = [], 0
        for place in _PLACE.finditer(self.template):
            pieces.append(self.template[end : place.start()])
            end = place.end()
            name = place.group(2) or place.group(3)
            if place.group(1):
                pieces.append("$")
            elif name is None and not is_safe:
                raise ValueError("Invalid placeholder in string: character " + str(place.start() + 1))
            elif name is None or (is_safe and name not in values):
                pieces.append(place.group())
            else:
                pieces.append(str(values[name]))
        return "".join(pieces) + self.template[end:]

    def substitute(self, mapping=None, /, **named):
        return self._filled(mapping, named, False)

    def safe_substitute(self, mapping=None, /, **named):
        return self._filled(mapping, named, True)

    def get_identifiers(self):
        names = [place.group(2) or place.group(3) for place in _PLACE.finditer(self.template)]
        return list({name: None for name in names if name})
