"""`email`: mails, their headers and parts. The host parses."""


def _host(name, *arguments):
    return __rlm__["standard"]("email." + name, *arguments)


class Message:
    """A mail, or a part of one."""

    def __init__(self, headers, payload, facts):
        self._headers, self._payload, self._facts = headers, payload, facts
        self._parts = []

    def get(self, name, failobj=None):
        found = self.get_all(name)
        return found[0] if found else failobj

    def get_all(self, name, failobj=None):
        found = [value for key, value in self._headers if key.lower() == name.lower()]
        return found or failobj

    def __getitem__(self, name):
        return self.get(name)

    def __contains__(self, name):
        return name.lower() in [key.lower() for key, _ in self._headers]

    def __iter__(self):
        return iter(self.keys())

    def __len__(self):
        return len(self._headers)

    def keys(self):
        return [key for key, _ in self._headers]

    def values(self):
        return [value for _, value in self._headers]

    def items(self):
        return [(key, value) for key, value in self._headers]

    def is_multipart(self):
        return self._facts["multipart"]

    def get_content_type(self):
        return self._facts["content_type"]

    def get_content_maintype(self):
        return self.get_content_type().partition("/")[0]

    def get_content_subtype(self):
        return self.get_content_type().partition("/")[2]

    def get_content_charset(self, failobj=None):
        return self._facts["charset"] or failobj

    def get_content_disposition(self):
        return self._facts["disposition"]

    def get_filename(self, failobj=None):
        return self._facts["filename"] or failobj

    def get_boundary(self, failobj=None):
        return self._facts["boundary"] or failobj

    def walk(self):
        """The part and all in it, in the order of the mail: a list here."""
        found = [self]
        for part in self._parts:
            found += part.walk()
        return found

    def get_payload(self, i=None, decode=False):
        """The parts of a multipart, else the text: bytes where it is decoded."""
        if self.is_multipart():
            return None if decode else self._parts if i is None else self._parts[i]
        if not decode:
            return self._payload
        encoding = self.get("content-transfer-encoding", "")
        return _host("decode", self._payload, encoding, self._facts["charset"] or "")

    def is_attachment(self):
        return self.get_content_disposition() == "attachment"

    def get_content(self):
        """The text of a part in its character set, or bytes where it is no text."""
        if self.is_multipart():
            raise KeyError(self.get_content_type())
        data = self.get_payload(decode=True)
        if self.get_content_maintype() != "text":
            return data
        return __rlm__["standard"]("codec.decode", data, self._facts["charset"] or "ascii", "replace")

    def get_body(self, preferencelist=("related", "html", "plain")):
        """The part that is the text of the mail: of the kind that is named first."""
        parts = [part for part in self.walk() if not part.is_multipart() and not part.is_attachment()]
        for kind in preferencelist:
            for part in parts:
                if part.get_content_type() == "text/" + kind:
                    return part
        return None

    def iter_attachments(self):
        return iter([part for part in self.walk() if part.is_attachment()])

    def iter_parts(self):
        return iter(self._parts)


def message_from_string(s, *, policy=None):
    """The mail in a text of at most 2,000,000 characters."""
    made = []
    for headers, payload, facts, parent in _host("parse", s, policy is not None and policy.is_modern):
        part = Message(headers, payload, facts)
        made.append(part)
        if parent is not None:
            made[parent]._parts.append(part)
    return made[0]


def message_from_bytes(s, *, policy=None):
    return message_from_string(__rlm__["standard"]("codec.decode", s, "ascii", "strict"), policy=policy)


def message_from_file(fp, *, policy=None):
    return message_from_string(fp.read(), policy=policy)
