"""`xml.etree.ElementTree`: XML as a tree of elements. The host parses: no DOCTYPE, no entities of one's own."""

import json
import re

ParseError = SyntaxError
_MOST_CACHED = 1000
_MOST_TEXT = 1_900_000
"""Characters that are parsed at once: the host takes 2,000,000."""
_paths = {}
_STEP = re.compile(r"(//?|^)((?:\{[^}]*\})?[^/\[\]{}]+)((?:\[[^\]]*\])*)")
_MORE_THAN_TAG = re.compile(r"^\{\*?\}|^[^{}]*(?:\{[^}]*\}[^{}]*)*[/*\[@.]")
_CONDITION = re.compile(r"\[([^\]]*)\]")
_COMPARED = re.compile(r"(.+?)\s*(!?=)\s*(?:'([^']*)'|\"([^\"]*)\")")


class Element:
    """A tag with attributes, a text before its first child, and a tail: the text after its end."""

    def __init__(self, tag, attrib=None, **extra):
        self.tag = tag
        self.attrib = {**attrib, **extra} if attrib else extra
        self.text = None
        self.tail = None
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
        tag = None if tag == "*" else tag
        found = [self] if tag is None or self.tag == tag else []
        _add_below(self, tag, found)
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
        return _found(self, path, namespaces)

    def iterfind(self, path, namespaces=None):
        return iter(_found(self, path, namespaces))

    def find(self, path, namespaces=None):
        tag = _steps(path, namespaces)[0]
        if tag is not None:
            for child in self._children:
                if child.tag == tag:
                    return child
            return None
        found = _found(self, path, namespaces)
        return found[0] if found else None

    def findtext(self, path, default=None, namespaces=None):
        found = self.find(path, namespaces)
        return default if found is None else found.text or ""


def _add_below(element, tag, found):
    """Adds what is below an element to a list: those of a tag, or all."""
    for child in element._children:
        if tag is None or child.tag == tag:
            found.append(child)
        if child._children:
            _add_below(child, tag, found)


__rlm__["module"]("_classes").known_as_methods(Element, "__len__")


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
    """The root of the tree of a text of at most 1,900,000 characters and 100,000 elements."""
    text = text.decode("utf-8") if isinstance(text, bytes) else text
    if len(text) > _MOST_TEXT:
        raise ValueError(
            f"XML of at most {_MOST_TEXT:,} characters is parsed here: parse the records one by one, "
            "as re.findall(r'(?s)<item\\b.*?</item>', text) finds them"
        )
    elements = []
    for tag, attributes, inner, tail, parent in json.loads(__rlm__["standard"]("xml.parse", text)):
        element = Element(tag, attributes)
        element.text = inner
        element.tail = tail
        elements.append(element)
        if parent is not None:
            elements[parent]._children.append(element)
    return elements[0]


XML = fromstring


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


def indent(tree, space="  ", level=0):
    """Puts each element on a line of its own."""
    if level < 0:
        raise ValueError("Initial indentation level must be >= 0, got " + str(level))
    root = tree.getroot() if isinstance(tree, ElementTree) else tree
    if root._children:
        _indent(root, "\n" + level * space, space)


def _indent(element, before, space):
    children, inner = element._children, before + space
    if not (element.text or "").strip():
        element.text = inner
    for child in children:
        if child._children:
            _indent(child, inner, space)
        if not (child.tail or "").strip():
            child.tail = inner if child is not children[-1] else before


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
    inner = _text(element.text) + "".join([_written(child, spaces) for child in element._children])
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
    found, above = [element], {}
    for is_deep, name, is_exact, conditions in _steps(path, namespaces)[1:]:
        if name == "..":
            above = above or {id(child): parent for parent in element.iter() for child in parent}
            found = [above[id(item)] for item in found if id(item) in above]
            found = list({id(item): item for item in found}.values())
        elif is_deep:
            below = []
            for item in found:
                _add_below(item, name if is_exact else None, below)
            found = below if is_exact else [inner for inner in below if _fits(inner.tag, name)]
        elif is_exact:
            found = [inner for item in found for inner in item._children if inner.tag == name]
        elif name != ".":
            found = [inner for item in found for inner in item._children if _fits(inner.tag, name)]
        for condition in conditions:
            found = _kept(element, found, condition, namespaces)
    return found


def _steps(path, namespaces):
    """The tag, where the path is but one, and its steps: whether it goes all the way down, a name, what holds there."""
    key = path if namespaces is None else (path, *namespaces.items())
    steps = _paths.get(key)
    if steps is None:
        if len(_paths) >= _MOST_CACHED:
            _paths.clear()
        is_tag = namespaces is None and not _MORE_THAN_TAG.search(path)
        steps = _paths[key] = [path, (False, path, True, [])] if is_tag else _read(path, namespaces or {})
    return steps


def _read(path, namespaces):
    if path.startswith("/"):
        raise SyntaxError("cannot use absolute path on element")
    path = path + "*" if path.endswith("/") else path
    steps = _STEP.findall(path)
    if "".join(["".join(step) for step in steps]) != path:
        raise SyntaxError("invalid path")
    made = []
    for slashes, name, conditions in steps:
        if slashes == "//" and name in (".", ".."):
            raise SyntaxError("invalid descendant")
        name = name if name in (".", "..") else _expanded(name, namespaces)
        is_exact = name not in (".", "..", "*") and name[:3] != "{*}" and name[:2] != "{}" and name[-2:] != "}*"
        inside = [condition.strip() for condition in _CONDITION.findall(conditions)]
        if made or name != "." or inside:
            made.append((slashes == "//", name, is_exact, inside))
    is_tag = len(made) == 1 and made[0][2] and not made[0][0] and not made[0][3]
    return [made[0][1] if is_tag else None, *made]


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
        if "/" in name.rpartition("}")[2]:
            raise SyntaxError("invalid predicate")
        value, is_equal = (double if single is None else single), sign == "="
        if name[:1] != "@":
            return [element for element in found if _compares(element, name, value, is_equal, namespaces)]
        if is_equal:
            return [element for element in found if element.attrib.get(name[1:]) == value]
        return [element for element in found if element.attrib.get(name[1:], value) != value]
    if condition[:1] == "@":
        return [element for element in found if element.attrib.get(condition[1:]) is not None]
    if condition.isdigit() or condition[:4] == "last":
        if namespaces and namespaces.get(""):
            raise SyntaxError("with a default namespace no place may stand in brackets: index the list")
        return _at(root, found, condition)
    if not condition or condition[:1] in "-(" or "/" in condition.rpartition("}")[2]:
        raise SyntaxError("invalid predicate")
    return [element for element in found if element.find(condition, namespaces) is not None]


def _compares(element, name, value, is_equal, namespaces):
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
