"""What generator functions are rewritten to: see `repl/rewriting/generators.py`."""


class End:
    """What `next_of` gives when there is nothing more."""


end = End()


class Thrown:
    """Is sent to a body for it to raise an error."""

    def __init__(self, error):
        self.error = error


def received(sent):
    """What a `yield` gives that was sent this."""
    if type(sent) is Thrown:
        raise sent.error
    return sent


def close(items):
    """Ends a generator that nobody asks for more."""
    if type(items) is Generator:
        items.close()


class Generator:
    """What a generator function returns. `resume` is its body: it gives whether it goes on, and a value."""

    def __init__(self, resume):
        self.resume, self.is_begun, self.is_done, self.value = resume, False, False, None

    def __iter__(self):
        return self

    def __next__(self):
        return self.send(None)

    def send(self, value):
        if self.is_done:
            raise StopIteration
        self.is_begun = True
        try:
            goes_on, value = self.resume(value)
        except StopIteration:
            self.is_done = True
            raise RuntimeError("generator raised StopIteration") from None
        except BaseException:
            self.is_done = True
            raise
        if goes_on:
            return value
        self.is_done, self.value = True, value
        raise StopIteration

    def throw(self, error, value=None, traceback=None):
        """Goes on with `error` raised where the body stopped."""
        error = error if value is None else value
        if type(error) is type:
            error = error()
        if not self.is_begun or self.is_done:
            self.is_done = True
            raise error
        return self.send(Thrown(error))

    def close(self):
        """Ends it, by way of each `finally` that it is in."""
        if self.is_begun and not self.is_done:
            try:
                self.throw(KeyboardInterrupt("the generator is closed"))  # no `except Exception` takes it
            except (KeyboardInterrupt, StopIteration):
                pass
            else:
                raise RuntimeError("generator ignored GeneratorExit")
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
