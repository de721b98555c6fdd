"""`io`: texts that are read and written as files are."""


class StringIO:
    """A file of characters in memory. Lines end at "\\n"."""

    def __init__(self, initial_value="", newline="\n"):
        if not isinstance(initial_value, str):
            raise TypeError("initial_value must be str or None, not " + type(initial_value).__name__)
        self.closed = False
        self._text, self._new = initial_value, []
        self._at, self._size = 0, len(initial_value)
        self._lines = None

    def _whole(self):
        """All of the text, what was written last in it."""
        if self.closed:
            raise ValueError("I/O operation on closed file")
        if self._new:
            self._text, self._new = self._text + "".join(self._new), []
        self._lines = None
        return self._text

    def write(self, s):
        if not isinstance(s, str):
            raise TypeError("string argument expected, got '" + type(s).__name__ + "'")
        if self._at == self._size and not self.closed:
            self._new.append(s)
            self._size += len(s)
            self._lines = None
        else:
            text = self._whole().ljust(self._at, "\0")
            self._text = text[: self._at] + s + text[self._at + len(s) :]
            self._size = len(self._text)
        self._at += len(s)
        return len(s)

    def writelines(self, lines):
        for line in lines:
            self.write(line)

    def getvalue(self):
        return self._whole()

    def read(self, size=-1):
        start = self._at
        end = self._size if size is None or size < 0 else start + size
        text = self._whole()[start:end]
        self._at = start + len(text)
        return text

    def readline(self, size=-1):
        if self._lines is None or self.closed:
            parts = self._whole()[self._at :].split("\n")
            self._lines = [part + "\n" for part in parts[:-1]] + [part for part in parts[-1:] if part]
            self._lines.reverse()
        line = self._lines.pop() if self._lines else ""
        if size is not None and 0 <= size < len(line):
            self._lines.append(line[size:])
            line = line[:size]
        self._at += len(line)
        return line

    def readlines(self, hint=-1):
        lines, size = [], 0
        for line in self:
            lines.append(line)
            size += len(line)
            if hint is not None and 0 < hint < size:
                break
        return lines

    def __iter__(self):
        self._check()
        return self

    def __next__(self):
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    def seek(self, offset, whence=0):
        self._whole()
        if whence not in (0, 1, 2):
            raise ValueError("Invalid whence (" + str(whence) + ", should be 0, 1 or 2)")
        if whence == 0 and offset < 0:
            raise ValueError("Negative seek position " + str(offset))
        if whence and offset:
            raise OSError("Can't do nonzero cur-relative seeks")
        self._at = [offset, self._at, self._size][whence]
        return self._at

    def tell(self):
        self._check()
        return self._at

    def truncate(self, size=None):
        size = self._at if size is None else size
        self._text = self._whole()[:size]
        self._size = len(self._text)
        return size

    def _check(self):
        if self.closed:
            raise ValueError("I/O operation on closed file")

    def readable(self):
        return True

    def writable(self):
        return True

    def seekable(self):
        return True

    def flush(self):
        self._check()

    def close(self):
        self.closed = True

    def __enter__(self):
        self._check()
        return self

    def __exit__(self, kind, error, traceback):
        self.close()
