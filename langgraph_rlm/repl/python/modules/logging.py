"""`logging`: messages are printed, from the level that is set on."""

import datetime

NOTSET, DEBUG, INFO, WARNING, ERROR, CRITICAL = 0, 10, 20, 30, 40, 50
WARN, FATAL = WARNING, CRITICAL
_NAMES = {0: "NOTSET", 10: "DEBUG", 20: "INFO", 30: "WARNING", 40: "ERROR", 50: "CRITICAL"}
_set = {"format": None, "datefmt": None, "disabled": 0}
_loggers = {}


class Logger:
    """Prints messages under a name."""

    def __init__(self, name, level=NOTSET):
        self.name, self.level, self.disabled, self.handlers = name, level, False, []

    def setLevel(self, level):
        self.level = level if isinstance(level, int) else getLevelName(level)

    def getEffectiveLevel(self):
        return self.level or root.level

    def isEnabledFor(self, level):
        return not self.disabled and level > _set["disabled"] and level >= self.getEffectiveLevel()

    def log(self, level, message, *arguments, **options):
        if not self.isEnabledFor(level):
            return
        named = len(arguments) == 1 and isinstance(arguments[0], dict) and arguments[0]
        message = str(message) % (named or arguments) if arguments else str(message)
        if _set["format"] is None:
            print(message)
            return
        fields = {"message": message, "msg": message, "name": self.name, "levelname": getLevelName(level)}
        fields = {**fields, "levelno": level, "asctime": "", "filename": "", "lineno": 0, "funcName": "", "module": ""}
        if "%(asctime)" in _set["format"]:
            fields["asctime"] = datetime.datetime.now().strftime(_set["datefmt"] or "%Y-%m-%d %H:%M:%S,000")
        print(_set["format"] % fields)

    def debug(self, message, *arguments, **options):
        self.log(DEBUG, message, *arguments)

    def info(self, message, *arguments, **options):
        self.log(INFO, message, *arguments)

    def warning(self, message, *arguments, **options):
        self.log(WARNING, message, *arguments)

    def error(self, message, *arguments, **options):
        self.log(ERROR, message, *arguments)

    def exception(self, message, *arguments, **options):
        self.log(ERROR, message, *arguments)

    def critical(self, message, *arguments, **options):
        self.log(CRITICAL, message, *arguments)


root = Logger("root", WARNING)


def getLogger(name=None):
    if not name or name == "root":
        return root
    if name not in _loggers:
        _loggers[name] = Logger(name)
    return _loggers[name]


def basicConfig(*, level=None, format="%(levelname)s:%(name)s:%(message)s", datefmt=None, force=False, **options):
    """Sets level and format, the first time."""
    if _set["format"] is None or force:
        _set["format"], _set["datefmt"] = format, datefmt
        if level is not None:
            root.setLevel(level)


def getLevelName(level):
    """The name of a level, or the level of a name."""
    if isinstance(level, str):
        return {name: number for number, name in _NAMES.items()}[level]
    return _NAMES.get(level, "Level " + str(level))


def disable(level=CRITICAL):
    _set["disabled"] = level


def _log(level, message, arguments):
    basicConfig()
    root.log(level, message, *arguments)


def log(level, message, *arguments, **options):
    _log(level, message, arguments)


def debug(message, *arguments, **options):
    _log(DEBUG, message, arguments)


def info(message, *arguments, **options):
    _log(INFO, message, arguments)


def warning(message, *arguments, **options):
    _log(WARNING, message, arguments)


def error(message, *arguments, **options):
    _log(ERROR, message, arguments)


def exception(message, *arguments, **options):
    _log(ERROR, message, arguments)


def critical(message, *arguments, **options):
    _log(CRITICAL, message, arguments)
