"""`email.parser`: reads mails."""

import email
import email.policy


class Parser:
    """Reads a text."""

    def __init__(self, _class=None, *, policy=email.policy.compat32):
        self.policy = policy

    def parsestr(self, text, headersonly=False):
        return email.message_from_string(text, policy=self.policy)


class BytesParser:
    """Reads bytes."""

    def __init__(self, _class=None, *, policy=email.policy.compat32):
        self.policy = policy

    def parsebytes(self, text, headersonly=False):
        return email.message_from_bytes(text, policy=self.policy)
