"""Built-in exceptions that Monty lacks, as exceptions of the code's own: see `repl/rewriting/bridges.py`."""

IOError = EnvironmentError = OSError
UnicodeError = (UnicodeDecodeError, UnicodeEncodeError)
"""To be caught, and asked for."""


class _OfSystem(OSError):
    """With two arguments these are a number and what it means."""

    def __init__(self, *arguments):
        self.args = arguments
        self.errno, self.strerror = arguments[:2] if len(arguments) > 1 else (None, None)

    def __str__(self):
        return super().__str__() if self.errno is None else f"[Errno {self.errno}] {self.strerror}"


class BlockingIOError(_OfSystem):
    pass


class ChildProcessError(_OfSystem):
    pass


class ConnectionError(_OfSystem):
    pass


class BrokenPipeError(ConnectionError):
    pass


class ConnectionAbortedError(ConnectionError):
    pass


class ConnectionRefusedError(ConnectionError):
    pass


class ConnectionResetError(ConnectionError):
    pass


class InterruptedError(_OfSystem):
    pass


class ProcessLookupError(_OfSystem):
    pass


class BufferError(Exception):
    pass


class EOFError(Exception):
    pass


class ReferenceError(Exception):
    pass


class SystemError(Exception):
    pass


class FloatingPointError(ArithmeticError):
    pass


class IndentationError(SyntaxError):
    pass


class TabError(IndentationError):
    pass


class ExceptionGroup(Exception):
    """Several errors as one."""

    def __init__(self, message, exceptions):
        self.args = (message, exceptions)
        self.message, self.exceptions = message, tuple(exceptions)

    def __str__(self):
        count = len(self.exceptions)
        return f"{self.message} ({count} sub-exception{'' if count == 1 else 's'})"


class Warning(Exception):
    pass


class BytesWarning(Warning):
    pass


class DeprecationWarning(Warning):
    pass


class EncodingWarning(Warning):
    pass


class FutureWarning(Warning):
    pass


class ImportWarning(Warning):
    pass


class PendingDeprecationWarning(Warning):
    pass


class ResourceWarning(Warning):
    pass


class RuntimeWarning(Warning):
    pass


class SyntaxWarning(Warning):
    pass


class UnicodeWarning(Warning):
    pass


class UserWarning(Warning):
    pass
