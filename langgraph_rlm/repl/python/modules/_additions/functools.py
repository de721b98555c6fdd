"""What Monty's `functools` lacks."""


def wraps(wrapped, assigned=(), updated=()):
    """The wrapper as it is: functions have no names here."""
    return lambda wrapper: wrapper


def update_wrapper(wrapper, wrapped, assigned=(), updated=()):
    return wrapper
