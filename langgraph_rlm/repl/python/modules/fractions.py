"""`fractions`: exact quotients."""

import math
import re

_TEXT = re.compile(r"\s*([+-]?)(\d*)(?:/(\d+)|(?:\.(\d*))?(?:[eE]([+-]?\d+))?)\s*")


class Fraction:
    """A quotient in lowest terms."""

    def __init__(self, numerator=0, denominator=None):
        if denominator is None:
            top, bottom = _ratio(numerator)
        else:
            (a, b), (c, d) = _ratio(numerator), _ratio(denominator)
            top, bottom = a * d, b * c
        if bottom == 0:
            raise ZeroDivisionError("Fraction(" + str(top) + ", 0)")
        divisor = math.gcd(top, bottom) * (-1 if bottom < 0 else 1)
        self.numerator, self.denominator = top // divisor, bottom // divisor

    @classmethod
    def from_float(cls, f):
        return cls(f)

    def limit_denominator(self, max_denominator=1000000):
        """The nearest quotient whose denominator is not larger."""
        if max_denominator < 1:
            raise ValueError("max_denominator should be at least 1")
        if self.denominator <= max_denominator:
            return self
        p0, q0, p1, q1 = 0, 1, 1, 0
        n, d = self.numerator, self.denominator
        while True:
            whole = n // d
            if q0 + whole * q1 > max_denominator:
                break
            p0, q0, p1, q1 = p1, q1, p0 + whole * p1, q0 + whole * q1
            n, d = d, n - whole * d
        k = (max_denominator - q0) // q1
        near, far = Fraction(p1, q1), Fraction(p0 + k * p1, q0 + k * q1)
        from_near, from_far = abs(near - self), abs(far - self)
        return near if from_near <= from_far else far

    def __add__(self, other):
        if isinstance(other, float):
            return float(self) + other
        a, b, c, d = _both(self, other)
        return Fraction(a * d + c * b, b * d)

    def __radd__(self, other):
        return other + float(self) if isinstance(other, float) else Fraction(other) + self

    def __sub__(self, other):
        if isinstance(other, float):
            return float(self) - other
        a, b, c, d = _both(self, other)
        return Fraction(a * d - c * b, b * d)

    def __rsub__(self, other):
        return other - float(self) if isinstance(other, float) else Fraction(other) - self

    def __mul__(self, other):
        if isinstance(other, float):
            return float(self) * other
        a, b, c, d = _both(self, other)
        return Fraction(a * c, b * d)

    def __rmul__(self, other):
        return other * float(self) if isinstance(other, float) else Fraction(other) * self

    def __truediv__(self, other):
        if isinstance(other, float):
            return float(self) / other
        a, b, c, d = _both(self, other)
        return Fraction(a * d, b * c)

    def __rtruediv__(self, other):
        return other / float(self) if isinstance(other, float) else Fraction(other) / self

    def __pow__(self, exponent):
        if isinstance(exponent, float):
            return float(self) ** exponent
        if exponent < 0:
            return Fraction(self.denominator**-exponent, self.numerator**-exponent)
        return Fraction(self.numerator**exponent, self.denominator**exponent)

    def __floordiv__(self, other):
        if isinstance(other, float):
            return float(self) // other
        a, b, c, d = _both(self, other)
        return (a * d) // (b * c)

    def __rfloordiv__(self, other):
        return other // float(self) if isinstance(other, float) else Fraction(other) // self

    def __mod__(self, other):
        if isinstance(other, float):
            return float(self) % other
        a, b, c, d = _both(self, other)
        return Fraction((a * d) % (b * c), b * d)

    def __rmod__(self, other):
        return other % float(self) if isinstance(other, float) else Fraction(other) % self

    def __divmod__(self, other):
        return self // other, self % other

    def __round__(self, ndigits=None):
        """To the nearest, and to an even one where two are as near."""
        if ndigits is None:
            whole, rest = divmod(self.numerator, self.denominator)
            return whole + (rest * 2 > self.denominator or (rest * 2 == self.denominator and whole % 2 == 1))
        scale = 10 ** abs(ndigits)
        return (
            Fraction((self * scale).__round__(), scale) if ndigits > 0 else Fraction((self / scale).__round__() * scale)
        )

    def __floor__(self):
        return self.numerator // self.denominator

    def __ceil__(self):
        return -(-self.numerator // self.denominator)

    def __neg__(self):
        return Fraction(-self.numerator, self.denominator)

    def __abs__(self):
        return Fraction(abs(self.numerator), self.denominator)

    def __float__(self):
        return self.numerator / self.denominator

    def __int__(self):
        whole = abs(self.numerator) // self.denominator
        return whole if self.numerator >= 0 else -whole

    def __eq__(self, other):
        if not isinstance(other, (Fraction, int, float)):
            return False
        a, b, c, d = _both(self, other)
        return a * d == c * b

    def __lt__(self, other):
        own, others = _sides(self, other)
        return own < others

    def __le__(self, other):
        own, others = _sides(self, other)
        return own <= others

    def __gt__(self, other):
        own, others = _sides(self, other)
        return own > others

    def __ge__(self, other):
        own, others = _sides(self, other)
        return own >= others

    def __bool__(self):
        return self.numerator != 0

    def __hash__(self):
        return hash(self.numerator) if self.denominator == 1 else hash((self.numerator, self.denominator))

    def __str__(self):
        return str(self.numerator) + ("" if self.denominator == 1 else "/" + str(self.denominator))

    def __repr__(self):
        return "Fraction(" + str(self.numerator) + ", " + str(self.denominator) + ")"


def _both(a, b):
    return (a.numerator, a.denominator) + _ratio(b)


def _sides(a, b):
    """What compares as the two do."""
    if not isinstance(b, (Fraction, int, float)):
        raise TypeError("a Fraction cannot be compared with '" + type(b).__name__ + "'")
    if isinstance(b, float) and not math.isfinite(b):
        return 0.0, b
    a, b, c, d = _both(a, b)
    return a * d, c * b


def _ratio(value):
    """Numerator and denominator."""
    if isinstance(value, Fraction):
        return value.numerator, value.denominator
    if isinstance(value, int):
        return int(value), 1
    if isinstance(value, float):
        return _exactly(value)
    if not isinstance(value, str):
        raise TypeError("argument should be a string or a number")
    read = _TEXT.fullmatch(value)
    if read is None or not (read.group(2) or read.group(4)):
        raise ValueError("Invalid literal for Fraction: " + repr(value))
    sign, whole, bottom, places, exponent = read.groups()
    top, bottom = int((whole or "0") + (places or "")), int(bottom or "1") * 10 ** len(places or "")
    shift = int(exponent or "0")
    top, bottom = top * 10 ** max(shift, 0), bottom * 10 ** max(-shift, 0)
    return (-top if sign == "-" else top), bottom


def _exactly(value):
    if value != value:
        raise ValueError("cannot convert NaN to integer ratio")
    if value in (math.inf, -math.inf):
        raise OverflowError("cannot convert Infinity to integer ratio")
    mantissa, exponent = math.frexp(value)
    top, shift = int(mantissa * 2**53), exponent - 53
    return top * 2 ** max(shift, 0), 2 ** max(-shift, 0)
