"""`xml.etree.ElementTree`: XML as a tree of elements. The host parses: no DOCTYPE, no entities of one's own."""

import re

ParseError = SyntaxError
_STEP = re.compile(r"(//?|^)((?:\{[^}]*\})?[^/\[\]{}]+)((?:\[[^\]]*\])*)")
_CONDITION = re.compile(r"\[([^\]]*)\]")
_COMPARED = re.compile(r"(.+?)\s*(!?=)\s*(?:'([^']*)'|\"([^\"]*)\")")


class Element:
    """A tag with attributes, a text before its first child, and a tail: the text after its end."""

    def __init__(self, tag, attrib=None, **extra):
        self.tag, self.attrib, self.text, self.tail = tag, {**(attrib or {}), **extra}, None, None
        self._children = []

    def get(self, key, default=None):
        return self.attrib.get(key, default)

    def set(self, key, value):
        self.attrib[key] = value

    def keys(self):
        return self.attrib.keys()

    def items(self):
        return self.attrib.items()

    def append(self, element):
        self._children.append(element)

    def extend(self, elements):
        for element in elements:
            self.append(element)

    def remove(self, element):
        for place, child in enumerate(self._children):
            if child is element:
                self._children.pop(place)
                return
        raise ValueError("list.remove(x): x not in list")

    def __iter__(self):
        return iter(self._children)

    def __len__(self):
        return len(self._children)

    def __getitem__(self, place):
        return self._children[place]

    def __repr__(self):
        return "<Element " + repr(self.tag) + ">"

    def iter(self, tag=None):
        """The element and all below it, in the order of the text: a list here."""
        found, rest = [], [self]
        while rest:
            element = rest.pop()
            if tag is None or tag == "*" or element.tag == tag:
                found.append(element)
            rest += reversed(element._children)
        return iter(found)

    def itertext(self):
        pieces, rest = [], [(self, False)]
        while rest:
            element, is_over = rest.pop()
            text = element.tail if is_over else element.text
            if text and not (is_over and element is self):
                pieces.append(text)
            if not is_over:
                rest.append((element, True))
                rest += [(child, False) for child in reversed(element._children)]
        return iter(pieces)

    def findall(self, path, namespaces=None):
        return _found(self, path, namespaces or {})

    def iterfind(self, path, namespaces=None):
        return iter(self.findall(path, namespaces))

    def find(self, path, namespaces=None):
        found = self.findall(path, namespaces)
        return found[0] if found else None

    def findtext(self, path, default=None, namespaces=None):
        found = self.find(path, namespaces)
        return default if found is None else found.text or ""


class ElementTree:
    """A tree, by its root."""

    def __init__(self, element=None):
        self._root = element

    def getroot(self):
        return self._root

    def iter(self, tag=None):
        return self._root.iter(tag)

    def find(self, path, namespaces=None):
        return self._root.find(_from_root(path), namespaces)

    def findall(self, path, namespaces=None):
        return self._root.findall(_from_root(path), namespaces)

    def findtext(self, path, default=None, namespaces=None):
        return self._root.findtext(_from_root(path), default, namespaces)


def _from_root(path):
    return "." + path if path.startswith("/") else path


def SubElement(parent, tag, attrib=None, **extra):
    element = Element(tag, attrib, **extra)
    parent.append(element)
    return element


def fromstring(text):
    """The root of the tree of a text of at most 1,000,000 characters and 100,000 elements."""
    elements = []
    for tag, attributes, inner, tail, parent in __rlm__["standard"]("xml.parse", _decoded(text)):
        element = Element(tag, attributes)
        element.text, element.tail = inner, tail
        elements.append(element)
        if parent is not None:
            elements[parent].append(element)
    return elements[0]


XML = fromstring


def _decoded(text):
    return text.decode("utf-8") if isinstance(text, bytes) else text


def fromstringlist(sequence):
    return fromstring("".join(sequence))


def parse(source):
    """The tree of a file such as an `io.StringIO`: there are no others here."""
    if isinstance(source, str):
        raise OSError("there are no files here: use fromstring(text)")
    return ElementTree(fromstring(source.read()))


def iterparse(source, events=("end",)):
    """The elements in the order of their ends."""
    if tuple(events) != ("end",):
        raise ValueError("iterparse tells of ends only here")
    found, rest = [], [parse(source).getroot()]
    while rest:
        element = rest.pop()
        found.append(("end", element))
        rest += element._children
    return iter(found[::-1])


def tostring(element, encoding=None):
    """The XML of an element: bytes, or a str for the encoding "unicode"."""
    element = element.getroot() if isinstance(element, ElementTree) else element
    spaces = {}
    inner = _written(element, spaces)
    told = "".join([" xmlns:" + prefix + '="' + _attribute(uri) + '"' for uri, prefix in spaces.items()])
    start = len("<" + _name(element.tag, spaces))
    text = inner[:start] + told + inner[start:]
    return text if encoding == "unicode" else text.encode("ascii" if text.isascii() else "utf-8")


def _written(element, spaces):
    name = _name(element.tag, spaces)
    named = [" " + _name(key, spaces) + '="' + _attribute(value) + '"' for key, value in element.attrib.items()]
    inner = _text(element.text) + "".join([_written(child, spaces) for child in element])
    is_empty = not element.text and not element._children
    whole = "<" + name + "".join(named) + (" />" if is_empty else ">" + inner + "</" + name + ">")
    return whole + _text(element.tail)


def _name(name, spaces):
    if name[:1] != "{":
        return name
    uri, _, local = name[1:].partition("}")
    if uri == "http://www.w3.org/XML/1998/namespace":
        return "xml:" + local
    return spaces.setdefault(uri, "ns" + str(len(spaces))) + ":" + local


def _text(text):
    return (text or "").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _attribute(text):
    text = _text(text).replace('"', "&quot;").replace("\r", "&#13;")
    return text.replace("\n", "&#10;").replace("\t", "&#09;")


# -- paths ------------------------------------------------------------------------------------------------------------


def _found(element, path, namespaces):
    """The elements that a path leads to, such as `item/name`, `.//item[@id='1']`, `{uri}item`, `p:item`."""
    if path.startswith("/"):
        raise SyntaxError("cannot use absolute path on element")
    if path.endswith("/"):
        path += "*"
    steps = _STEP.findall(path)
    if "".join(["".join(step) for step in steps]) != path:
        raise SyntaxError("invalid path")
    found, above = [element], {}
    for slashes, name, conditions in steps:
        if name == "..":
            above = above or {id(child): parent for parent in element.iter() for child in parent}
            found = [above[id(item)] for item in found if id(item) in above]
        elif name != ".":
            name = _expanded(name, namespaces)
            found = [inner for item in found for inner in _below(item, slashes == "//") if _fits(inner.tag, name)]
        found = list({id(item): item for item in found}.values())
        for condition in _CONDITION.findall(conditions):
            found = _kept(element, found, condition.strip(), namespaces)
    return found


def _below(element, is_deep):
    return list(element.iter())[1:] if is_deep else element._children


def _expanded(name, namespaces):
    if name[:1] != "{" and ":" in name:
        prefix, _, local = name.partition(":")
        if prefix not in namespaces:
            raise SyntaxError("prefix " + repr(prefix) + " not found in prefix map")
        return "{" + namespaces[prefix] + "}" + local
    if name[:1] != "{" and name != "*" and namespaces.get(""):
        return "{" + namespaces[""] + "}" + name
    return name


def _fits(tag, name):
    """Whether a tag is the one of that name, `*` standing for any name or any namespace."""
    if name in ("*", tag, "{*}*"):
        return True
    if name[:3] == "{*}":
        return tag.rpartition("}")[2] == name[3:]
    if name[:2] == "{}":
        return tag == name[2:] or (name[2:] == "*" and tag[:1] != "{")
    return name[-2:] == "}*" and tag.startswith(name[:-1])


def _kept(root, found, condition, namespaces):
    """Those of the elements that a condition in brackets holds for."""
    compared = _COMPARED.fullmatch(condition)
    if compared:
        name, sign, single, double = compared.groups()
        value, is_equal = (double if single is None else single), sign == "="
        return [element for element in found if _compares(element, name, value, is_equal, namespaces)]
    if condition[:1] == "@":
        return [element for element in found if element.get(condition[1:]) is not None]
    if condition.isdigit() or condition[:4] == "last":
        return _at(root, found, condition)
    if not condition or condition[:1] in "-(":
        raise SyntaxError("invalid predicate")
    return [element for element in found if element.find(condition, namespaces) is not None]


def _compares(element, name, value, is_equal, namespaces):
    if name[:1] == "@":
        given = element.get(name[1:])
        return given is not None and (given == value) == is_equal
    inner = [element] if name == "." else element.findall(name, namespaces)
    return any([("".join(item.itertext()) == value) == is_equal for item in inner])


def _at(root, found, condition):
    """The elements at a place among those of their tag and parent: `2`, `last()`, `last()-1`."""
    last = re.fullmatch(r"last\(\)(?:\s*-\s*(\d+))?", condition)
    if condition.isdigit() and int(condition) < 1 or not condition.isdigit() and not last:
        raise SyntaxError("XPath position >= 1 expected")
    place = int(condition) - 1 if condition.isdigit() else -1 - int(last.group(1) or 0)
    chosen = []
    for parent in root.iter():
        groups = {}
        for child in parent:
            groups.setdefault(child.tag, []).append(child)
        for group in groups.values():
            if -len(group) <= place < len(group):
                chosen.append(id(group[place]))
    chosen = set(chosen)
    return [element for element in found if id(element) in chosen]
