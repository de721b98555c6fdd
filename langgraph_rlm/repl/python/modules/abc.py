"""`abc`: names for base classes. That a method is abstract is not checked."""


class ABC:
    pass


class ABCMeta:
    pass


def abstractmethod(function):
    return function
