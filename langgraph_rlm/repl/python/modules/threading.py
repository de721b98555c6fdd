"""`threading`: a thread runs when it is started, to its end."""


class Thread:
    """Runs a function."""

    def __init__(self, group=None, target=None, name=None, args=(), kwargs=None, *, daemon=None):
        self.name, self.daemon = name or "Thread", daemon
        self._target, self._args, self._kwargs = target, args, kwargs or {}
        self._has_run = False

    def start(self):
        if self._has_run:
            raise RuntimeError("threads can only be started once")
        self._has_run = True
        try:
            self.run()
        except Exception as error:
            print("Exception in thread " + self.name + ": " + type(error).__name__ + ": " + str(error))

    def run(self):
        if self._target is not None:
            self._target(*self._args, **self._kwargs)

    def join(self, timeout=None):
        if not self._has_run:
            raise RuntimeError("cannot join thread before it is started")

    def is_alive(self):
        return False


class Lock:
    """Is always free: nothing runs at the same time."""

    def acquire(self, blocking=True, timeout=-1):
        return True

    def release(self):
        pass

    def __enter__(self):
        return True

    def __exit__(self, kind, error, traceback):
        pass


RLock = Lock


def Semaphore(value=1):
    return Lock()


BoundedSemaphore = Semaphore
