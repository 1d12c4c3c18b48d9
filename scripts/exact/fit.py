#!/usr/bin/env python3
"""Where the polynomial coefficients of Kernels/exact come from.

Each polynomial is the one that minimises the largest weighted error at 400 Chebyshev points
(Lawson's reweighted least squares). Coefficients become binary32 one at a time, lowest power
first, the rest being fitted again each time so that they make up for the rounding.

Needs mpmath and numpy. Prints every polynomial as hex floats, lowest power first, with the largest
weighted error that is left, as a power of two.
"""
import mpmath
import numpy as np

mpmath.mp.dps = 40


def chebyshev(low, high, count=400):
    angles = (np.arange(count) + 0.5) * np.pi / count
    return (low + high) / 2 + (high - low) / 2 * np.cos(angles)


def lawson(matrix, target, rounds=300):
    """Coefficients minimising max |matrix @ c - target|."""
    weights = np.full(len(target), 1.0 / len(target))
    best, least = None, np.inf
    for _ in range(rounds):
        root = np.sqrt(weights)[:, None]
        solution = np.linalg.lstsq(matrix * root, target * root[:, 0], rcond=None)[0]
        error = np.abs(matrix @ solution - target)
        if error.max() < least:
            best, least = solution, error.max()
        weights = weights * error
        if weights.sum() == 0:
            break
        weights /= weights.sum()
    return best


def fit(name, function, degree, low, high, weight):
    """Fits function(t) by a polynomial of `degree` in t, the error counted times weight(t)."""
    points = chebyshev(low, high)
    target = np.array([float(function(mpmath.mpf(float(t)))) for t in points])
    scale = np.array([float(weight(mpmath.mpf(float(t)))) for t in points])
    columns = np.vander(points, degree + 1, increasing=True)
    rest = target.copy()
    coefficients = []
    for power in range(degree + 1):
        solution = lawson(columns[:, power:] * scale[:, None], rest * scale)
        value = float(np.float32(solution[0]))
        coefficients.append(value)
        rest = rest - columns[:, power] * value
    left = np.abs(rest * scale).max()
    print(f"{name}: 2^{np.log2(left):.1f}")
    for power, value in enumerate(coefficients):
        print(f"    c{power} = {hexadecimal(value)}")
    return coefficients


def hexadecimal(value):
    """A binary32 as the shortest hex float: 0x1.8p-3f."""
    digits, exponent = float(value).hex().split("p")
    return f"{digits.rstrip('0').rstrip('.')}p{int(exponent)}f"


def parts(name, value, count):
    """Splits a constant into binary32 parts, largest first."""
    pieces = []
    for _ in range(count):
        piece = float(np.float32(float(value)))
        pieces.append(hexadecimal(piece))
        value -= mpmath.mpf(piece)
    print(f"{name}: {', '.join(pieces)}")


def over_odd(function):
    """(f(t) - t) / t^3 as a function of z = t^2."""
    return lambda z: (function(mpmath.sqrt(z)) - mpmath.sqrt(z)) / mpmath.sqrt(z) ** 3


def odd_weight(function):
    """What an error of that means relative to f."""
    return lambda z: mpmath.sqrt(z) ** 3 / function(mpmath.sqrt(z))


def constants():
    ln2 = mpmath.log(2)
    parts("ln 2", ln2, 2)
    parts("log2 e", 1 / ln2, 2)
    parts("2 log2 e", 2 / ln2, 2)
    parts("2 log2 e / 3", 2 / ln2 / 3, 2)
    parts("pi", mpmath.pi, 2)
    parts("pi/2", mpmath.pi / 2, 3)
    parts("2/pi", 2 / mpmath.pi, 1)


def exponential_and_logarithm():
    exp, log1p, ln2, two = mpmath.exp, mpmath.log1p, mpmath.log(2), mpmath.mpf(2)
    fit("exponential.cl, exp: (e^r - 1 - r) / r^2", lambda r: (exp(r) - 1 - r) / r**2, 4,
        -0.3475, 0.3475, lambda r: r**2 / exp(r))
    fit("exponential.cl, exp2: (2^r - 1) / r", lambda r: (two**r - 1) / r, 5, -0.5, 0.5,
        lambda r: r / two**r)
    low, high = float(mpmath.sqrt(0.5)) - 1, float(mpmath.sqrt(2)) - 1
    fit("logarithm.cl, log: (log(1+f) - f) / f^2", lambda f: (log1p(f) - f) / f**2, 8, low, high,
        lambda f: f**2 / log1p(f))
    fit("logarithm.cl, log2: (log(1+f) - f) / f^2 log2 e", lambda f: (log1p(f) - f) / f**2 / ln2,
        8, low, high, lambda f: f**2 / log1p(f) * ln2)

    def tail(z):
        t = mpmath.sqrt(z)
        return (mpmath.atanh(t) - t - t**3 / 3) / t**5 * 2 / ln2

    fit("power.cl: (atanh f - f - f^3/3) / f^5 in f^2, times 2 log2 e", tail, 3, 1e-6, 0.1716**2,
        lambda z: mpmath.sqrt(z) ** 5 / mpmath.atanh(mpmath.sqrt(z)) / 2 * ln2)


def angles():
    edge = 0.84**2
    fit("trigonometric.cl, sin: (sin r - r) / r^3 in r^2", over_odd(mpmath.sin), 3, 1e-9, edge,
        odd_weight(mpmath.sin))
    fit("trigonometric.cl, cos: (cos r - 1 + r^2/2) / r^4 in r^2",
        lambda z: (mpmath.cos(mpmath.sqrt(z)) - 1 + z / 2) / z**2, 2, 1e-9, edge,
        lambda z: z**2 / mpmath.cos(mpmath.sqrt(z)))
    # The kernel's c5 is an ulp above this one; it says why.
    fit("inverse.cl, atan: (atan t - t) / t^3 in t^2", over_odd(mpmath.atan), 8, 1e-9, 1.0,
        odd_weight(mpmath.atan))
    fit("inverse.cl, asin: (asin x - x) / x^3 in x^2", over_odd(mpmath.asin), 4, 1e-9, 0.25,
        odd_weight(mpmath.asin))


def error_and_hyperbolic():
    def near(z):
        return mpmath.erf(mpmath.sqrt(z)) / mpmath.sqrt(z) - 1

    fit("error.cl, below: erf(x)/x - 1 in x^2", near, 6, 1e-9, 0.875**2,
        lambda z: 1 / (1 + near(z)))
    fit("error.cl, above: -log(erfc(x)) / x", lambda x: -mpmath.log(mpmath.erfc(x)) / x, 6, 0.87,
        3.95, lambda x: x * mpmath.erfc(x) / mpmath.erf(x))
    fit("hyperbolic.cl, tanh: (tanh x - x) / x^3 in x^2", over_odd(mpmath.tanh), 4, 1e-9,
        0.55**2, odd_weight(mpmath.tanh))


if __name__ == "__main__":
    constants()
    exponential_and_logarithm()
    angles()
    error_and_hyperbolic()
