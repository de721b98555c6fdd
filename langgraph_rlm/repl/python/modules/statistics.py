"""`statistics`: means, middles, spreads. What needs exact sums is worked out by the host."""

import collections
import math

StatisticsError = ValueError
LinearRegression = collections.namedtuple("LinearRegression", ["slope", "intercept"])


def _of(name, data, *more):
    return __rlm__["standard"]("statistics", name, list(data), list(more))


def mean(data):
    return _of("mean", data)


def geometric_mean(data):
    return _of("geometric_mean", data)


def harmonic_mean(data, weights=None):
    return _of("harmonic_mean", data) if weights is None else _of("harmonic_mean", data, list(weights))


def stdev(data, xbar=None):
    return _of("stdev", data) if xbar is None else _of("stdev", data, xbar)


def pstdev(data, mu=None):
    return _of("pstdev", data) if mu is None else _of("pstdev", data, mu)


def variance(data, xbar=None):
    return _of("variance", data) if xbar is None else _of("variance", data, xbar)


def pvariance(data, mu=None):
    return _of("pvariance", data) if mu is None else _of("pvariance", data, mu)


def correlation(x, y):
    return _of("correlation", x, list(y))


def covariance(x, y):
    return _of("covariance", x, list(y))


def linear_regression(x, y):
    slope, intercept = _of("linear_regression", x, list(y))
    return LinearRegression(slope, intercept)


def fmean(data, weights=None):
    numbers = list(data)
    if weights is not None:
        weights = list(weights)
        if len(weights) != len(numbers):
            raise ValueError("data and weights must be the same length")
        total = math.fsum(weights)
        if not total:
            raise ValueError("sum of weights must be non-zero")
        return math.fsum([x * weight for x, weight in zip(numbers, weights)]) / total
    if not numbers:
        raise ValueError("fmean requires at least one data point")
    return math.fsum(numbers) / len(numbers)


def _in_order(data):
    numbers = sorted(data)
    if not numbers:
        raise ValueError("no median for empty data")
    return numbers


def median(data):
    numbers = _in_order(data)
    half = len(numbers) // 2
    return numbers[half] if len(numbers) % 2 else (numbers[half - 1] + numbers[half]) / 2


def median_low(data):
    numbers = _in_order(data)
    return numbers[(len(numbers) - 1) // 2]


def median_high(data):
    numbers = _in_order(data)
    return numbers[len(numbers) // 2]


def mode(data):
    counted = collections.Counter(data).most_common(1)
    if not counted:
        raise ValueError("no mode for empty data")
    return counted[0][0]


def multimode(data):
    counts = collections.Counter(data)
    most = max(counts.values(), default=0)
    return [value for value, count in counts.items() if count == most]


def quantiles(data, *, n=4, method="exclusive"):
    """The `n` - 1 places that cut the data into groups of equal size."""
    if n < 1:
        raise ValueError("n must be at least 1")
    if method not in ("exclusive", "inclusive"):
        raise ValueError("Unknown method: " + repr(method))
    numbers = sorted(data)
    size = len(numbers)
    if size < 2:
        raise ValueError("must have at least two data points")
    cuts = []
    for i in range(1, n):
        if method == "inclusive":
            place, rest = divmod(i * (size - 1), n)
            low, high = numbers[place], numbers[place + 1]
        else:
            place = min(max(i * (size + 1) // n, 1), size - 1)
            rest = i * (size + 1) - place * n
            low, high = numbers[place - 1], numbers[place]
        cuts.append((low * (n - rest) + high * rest) / n)
    return cuts
