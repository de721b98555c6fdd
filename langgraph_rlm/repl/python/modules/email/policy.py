"""`email.policy`: whether headers are read as they stand, or decoded."""


class _Policy:
    """What `message_from_string` looks at."""

    def __init__(self, is_modern):
        self.is_modern = is_modern


compat32, default = _Policy(False), _Policy(True)
SMTP = strict = default
