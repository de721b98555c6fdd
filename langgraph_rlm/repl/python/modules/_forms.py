"""What `typing` and `collections.abc` are made of: names that are subscripted, and that `isinstance` may ask for."""

_NONE = type(None)
_UNION = type(int | str)


class Form:
    """`List`, `Mapping`, `Literal`.

    `kinds` are the built-in types that it takes for its own, or a function that says which values are; `methods` is
    what others have. `made` gives what it is with arguments, where that is no `Alias` of it.
    """

    def __init__(self, name, kinds=None, methods=(), origin=None, made=None):
        self.name, self.kinds, self.methods, self.made, self.is_form = name, kinds, methods, made, True
        self.__origin__ = self if origin is None else origin

    def __getitem__(self, arguments):
        arguments = arguments if isinstance(arguments, tuple) else (arguments,)
        return Alias(self, arguments) if self.made is None else self.made(arguments)

    def __call__(self, *arguments, **named):
        raise TypeError("Type " + self.name.split(".")[-1] + " cannot be instantiated")

    def __or__(self, other):
        return union((self, other))

    def __ror__(self, other):
        return union((other, self))

    def __repr__(self):
        return self.name

    def mixin(self):
        """The class that a class of the code's own has of it."""
        name = self.__origin__.name.split(".")[-1]
        return getattr(__rlm__["module"]("_mixins"), name)

    def has(self, value):
        """`isinstance`."""
        if self.kinds is None:
            raise TypeError(self.name + " cannot be used with isinstance()")
        if not isinstance(self.kinds, tuple):
            return self.kinds(value)
        if isinstance(value, self.kinds) or (self.methods and all([hasattr(value, name) for name in self.methods])):
            return True
        known = __rlm__["modules"].get("_classes")
        return known is not None and type(value) in known.classes and self.is_above(type(value))

    def is_above(self, cls):
        """`issubclass`."""
        known = __rlm__["modules"].get("_classes")
        if known is not None and cls in known.classes:
            lineage = known.classes[cls]["lineage"]
            has_all = self.methods and all([hasattr(cls, name) for name in self.methods])
            return has_all or ("_mixins" in __rlm__["modules"] and self.mixin() in lineage)
        return cls in self.kinds


class Alias:
    """A form with arguments."""

    def __init__(self, form, arguments):
        self.form, self.__args__, self.__origin__, self.is_form = form, arguments, form.__origin__, True

    def __getitem__(self, arguments):
        return self

    def __call__(self, *arguments, **named):
        return self.__origin__(*arguments, **named)

    def __or__(self, other):
        return union((self, other))

    def __ror__(self, other):
        return union((other, self))

    def __eq__(self, other):
        return isinstance(other, Alias) and self.form is other.form and self._compared() == other._compared()

    def __hash__(self):
        return hash((self.form.name, len(self.__args__)))

    def _compared(self):
        return set(self.__args__) if self.form is Union else self.__args__

    def __repr__(self):
        shown = [_shown(argument) for argument in self.__args__]
        if self.form is Union and len(shown) == 2 and _NONE in self.__args__:
            return "typing.Optional[" + [text for text in shown if text != "NoneType"][0] + "]"
        return self.form.name + "[" + ", ".join(shown) + "]"

    def has(self, value):
        """`isinstance`."""
        if self.form is not Union:
            raise TypeError("Subscripted generics cannot be used with class and instance checks")
        known = __rlm__["module"]("_classes")
        return any([known.is_instance(value, kind) for kind in self.__args__])


class Variable:
    """`TypeVar("T")`, `ParamSpec("P")`."""

    def __init__(self, name, *constraints, bound=None, covariant=False, contravariant=False, default=None):
        self.__name__, self.args, self.kwargs = name, name + ".args", name + ".kwargs"

    def __or__(self, other):
        return union((self, other))

    def __ror__(self, other):
        return union((other, self))

    def __repr__(self):
        return "~" + self.__name__


def _shown(argument):
    if isinstance(argument, list):
        return "[" + ", ".join([_shown(one) for one in argument]) + "]"
    if argument is ...:
        return "..."
    shown = repr(argument)
    return shown[8:-2] if shown.startswith("<class '") else shown


def union(arguments):
    found = []
    for argument in arguments:
        parts = (_NONE if argument is None else argument,)
        if isinstance(argument, Alias) and argument.form is Union:
            parts = argument.__args__
        elif type(argument) is _UNION:
            parts = argument.__args__
        found += [part for part in parts if part not in found]
    return found[0] if len(found) == 1 else Alias(Union, tuple(found))


def optional(arguments):
    return union((*arguments, None))


def literal(arguments):
    found = []
    for argument in arguments:
        parts = argument.__args__ if isinstance(argument, Alias) and argument.form is Literal else (argument,)
        found += [part for part in parts if not any([part == one and type(part) is type(one) for one in found])]
    return Alias(Literal, tuple(found))


Union, Literal = Form("typing.Union", made=union), Form("typing.Literal", made=literal)
