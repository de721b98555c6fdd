"""`concurrent.futures`: what is submitted runs at once, in order. Sub-calls that it makes are found ahead."""

import collections

FIRST_COMPLETED, FIRST_EXCEPTION, ALL_COMPLETED = "FIRST_COMPLETED", "FIRST_EXCEPTION", "ALL_COMPLETED"
TimeoutError = TimeoutError
DoneAndNotDone = collections.namedtuple("DoneAndNotDoneFutures", ["done", "not_done"])


class Future:
    """What came of a call."""

    def __init__(self):
        self._result, self._error = None, None

    def set_result(self, result):
        self._result = result

    def set_exception(self, exception):
        self._error = exception

    def result(self, timeout=None):
        if self._error is not None:
            raise self._error
        return self._result

    def exception(self, timeout=None):
        return self._error

    def add_done_callback(self, function):
        function(self)

    def done(self):
        return True

    def running(self):
        return False

    def cancel(self):
        return False

    def cancelled(self):
        return False


class _Results:
    """The results of calls, in order: one that has failed raises where its turn is."""

    def __init__(self, futures):
        self._futures = iter(futures)

    def __iter__(self):
        return self

    def __next__(self):
        return next(self._futures).result()


class ThreadPoolExecutor:
    """Runs functions."""

    def __init__(self, max_workers=None, thread_name_prefix="", initializer=None, initargs=()):
        if max_workers is not None and max_workers <= 0:
            raise ValueError("max_workers must be greater than 0")
        self._is_shut = False

    def submit(self, function, /, *arguments, **named):
        if self._is_shut:
            raise RuntimeError("cannot schedule new futures after shutdown")
        future = Future()
        try:
            future.set_result(function(*arguments, **named))
        except Exception as error:
            future.set_exception(error)
        return future

    def map(self, function, *iterables, timeout=None, chunksize=1):
        return _Results([self.submit(function, *items) for items in zip(*iterables)])

    def shutdown(self, wait=True, *, cancel_futures=False):
        self._is_shut = True

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        self.shutdown()


ProcessPoolExecutor = Executor = ThreadPoolExecutor


def as_completed(futures, timeout=None):
    """In the order in which they were given: all are done."""
    return iter(list({id(future): future for future in futures}.values()))


def wait(futures, timeout=None, return_when=ALL_COMPLETED):
    return DoneAndNotDone({future for future in futures}, set())
