"""What generator functions are rewritten to: see `repl/generators.py`."""


class End:
    """What `next_of` gives when there is nothing more."""


end = End()


class Generator:
    """What a generator function returns. `resume` is its body: it gives whether it goes on, and a value."""

    def __init__(self, resume):
        self.resume, self.is_done, self.value = resume, False, None

    def __iter__(self):
        return self

    def __next__(self):
        return self.send(None)

    def send(self, value):
        if self.is_done:
            raise StopIteration
        try:
            goes_on, value = self.resume(value)
        except StopIteration:
            self.is_done = True
            raise RuntimeError("generator raised StopIteration") from None
        except Exception:
            self.is_done = True
            raise
        if goes_on:
            return value
        self.is_done, self.value = True, value
        raise StopIteration

    def close(self):
        self.is_done = True


generator = Generator


def next_of(items):
    """The next item; `end` after the last one. Unlike `next` it may ask a model."""
    if not hasattr(items, "__next__"):
        return next(items, end)
    try:
        return items.__next__()
    except StopIteration:
        return end


def value_of(items):
    """What a generator returned."""
    return getattr(items, "value", None)
