"""What Monty's `asyncio` lacks."""


async def to_thread(function, /, *arguments, **named):
    """There are no threads: it is called at once. Sub-calls in it are found ahead and asked in parallel."""
    return function(*arguments, **named)
