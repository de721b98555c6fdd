"""`asyncio`: Monty's coroutines, with tasks. Nothing waits here: sub-calls are found ahead and asked in parallel."""

import asyncio as _native

TimeoutError = TimeoutError
FIRST_COMPLETED, FIRST_EXCEPTION, ALL_COMPLETED = "FIRST_COMPLETED", "FIRST_EXCEPTION", "ALL_COMPLETED"
_COROUTINE = type(_native.sleep(0))
_waiting = []
"""Tasks that have not begun: they do where the code waits for one of them."""


class Task:
    """A coroutine that runs by itself."""

    def __init__(self, coroutine, name=None):
        self._coroutine, self._name = coroutine, name
        self._state, self._result, self._error, self._callbacks = "waiting", None, None, []
        _waiting.append(self)

    async def _run(self):
        self._state = "running"
        try:
            self._result = await awaited(self._coroutine)
        except Exception as error:
            self._error = error
        self._state = "done"
        for function in self._callbacks:
            function(self)

    async def _outcome(self):
        while self._state == "waiting":
            await _waiting.pop(0)._run()
        while self._state == "running":
            await _native.sleep(0)
        return self.result()

    def result(self):
        if self._error is not None:
            raise self._error
        if self._state != "done":
            raise RuntimeError("Result is not set.")
        return self._result

    def exception(self):
        return self._error

    def done(self):
        return self._state == "done"

    def add_done_callback(self, function):
        self._callbacks.append(function)

    def get_name(self):
        return self._name


def awaited(value):
    """What Monty can await in place of a value."""
    return value._outcome() if isinstance(value, Task) else value


async def sleep(delay, result=None):
    """Does not wait, but for the tasks that have not begun."""
    while _waiting:
        await _waiting.pop(0)._run()
    await _native.sleep(delay)
    return result


def create_task(coro, *, name=None, context=None):
    return Task(coro, name)


def ensure_future(coro, *, loop=None):
    return coro if isinstance(coro, Task) else Task(coro)


async def _outcome_or_error(value):
    try:
        return await awaited(value)
    except Exception as error:
        return error


async def gather(*aws, return_exceptions=False):
    if return_exceptions:
        return await _native.gather(*[_outcome_or_error(one) for one in aws])
    return await _native.gather(*[awaited(one) for one in aws])


def as_completed(aws, *, timeout=None):
    """In the order in which they were given."""
    return iter([awaited(ensure_future(one)) for one in aws])


async def wait(aws, *, timeout=None, return_when=ALL_COMPLETED):
    tasks = list(aws)
    await gather(*tasks, return_exceptions=True)
    return {task for task in tasks}, set()


async def wait_for(aw, timeout):
    return await awaited(aw)


async def shield(aw):
    return await awaited(aw)


async def to_thread(function, /, *arguments, **named):
    """There are no threads: it is called at once."""
    return function(*arguments, **named)


def iscoroutine(value):
    return isinstance(value, _COROUTINE)


def run(main, *, debug=None):
    try:
        return _native.run(main)
    finally:
        _waiting.clear()


class _Free:
    """What nobody has to wait for."""

    def __init__(self, value=1):
        self._value = value

    def __enter__(self):
        return None

    def __exit__(self, kind, error, traceback):
        return None

    async def acquire(self):
        return True

    def release(self):
        pass

    def locked(self):
        return False


Semaphore = BoundedSemaphore = Lock = _Free


def timeout(delay):
    return _Free()


class TaskGroup:
    """Tasks that are done where the block ends."""

    def __enter__(self):
        self._tasks = []
        return self

    def __exit__(self, kind, error, traceback):
        if kind is None:
            _native.run(gather(*self._tasks))

    def create_task(self, coro, *, name=None, context=None):
        self._tasks.append(Task(coro, name))
        return self._tasks[-1]


class _Entered:
    """A context manager of coroutines as one of functions."""

    def __init__(self, manager):
        self._manager = manager

    def __enter__(self):
        return _native.run(self._manager.__aenter__())

    def __exit__(self, kind, error, traceback):
        return _native.run(self._manager.__aexit__(kind, error, traceback))


def entered(manager):
    """What `with` takes in place of what `async with` has."""
    return _Entered(manager) if hasattr(manager, "__aenter__") else manager


class _Loop:
    """An event loop: there is no other."""

    def run_until_complete(self, future):
        return run(awaited(future))

    def run_in_executor(self, executor, function, *arguments):
        return Task(to_thread(function, *arguments))

    def create_task(self, coro, *, name=None):
        return Task(coro, name)

    def is_running(self):
        return False

    def close(self):
        pass


_loop = _Loop()


def get_event_loop():
    return _loop


def set_event_loop(loop):
    pass


new_event_loop = get_running_loop = get_event_loop
