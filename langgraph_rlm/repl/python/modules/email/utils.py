"""`email.utils`: addresses and dates of mails."""


def parseaddr(addr):
    return __rlm__["standard"]("email.address", addr)


def getaddresses(fieldvalues):
    """Of each field, one after the other: the host reads so much at a time."""
    return [pair for value in fieldvalues for pair in __rlm__["standard"]("email.addresses", [value])]


def formataddr(pair):
    name, address = pair
    if not name:
        return address
    special = [c for c in name if c in '()<>@,:;".[]\\']
    name = name.replace("\\", "\\\\").replace('"', '\\"')
    return ('"' + name + '"' if special else name) + " <" + address + ">"


def parsedate_to_datetime(data):
    return __rlm__["standard"]("email.date", data)
