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


def erfc_log(x):
    """-log(erfc(x)) / x."""
    return -mpmath.log(mpmath.erfc(x)) / x


def main():
    log, exp, sqrt = mpmath.log, mpmath.exp, mpmath.sqrt
    two = mpmath.mpf(2)
    parts("ln 2", log(2), 3)
    parts("log2 e", 1 / log(2), 3)
    parts("2 log2 e", 2 / log(2), 3)
    parts("pi", mpmath.pi, 3)
    parts("pi/2", mpmath.pi / 2, 4)
    parts("2/pi", 2 / mpmath.pi, 2)
    parts("2 log2 e / 3", 2 / log(2) / 3, 2)

    half = 0.3475
    fit("exp: (e^r - 1 - r) / r^2", lambda r: (exp(r) - 1 - r) / r**2, 4, -half, half,
        lambda r: r**2 / exp(r))
    fit("exp2: (2^r - 1) / r", lambda r: (two**r - 1) / r, 5, -0.5, 0.5, lambda r: r / two**r)
    low, high = float(sqrt(0.5)) - 1, float(sqrt(2)) - 1
    fit("log: (log(1+f) - f) / f^2", lambda f: (mpmath.log1p(f) - f) / f**2, 8, low, high,
        lambda f: f**2 / mpmath.log1p(f))
    fit("log2: (log(1+f) - f) / f^2 log2 e", lambda f: (mpmath.log1p(f) - f) / f**2 / log(2), 8,
        low, high, lambda f: f**2 / mpmath.log1p(f) * log(2))
    quarter = 0.84
    fit("sin: (sin r - r) / r^3 in r^2",
        lambda z: (mpmath.sin(sqrt(z)) - sqrt(z)) / sqrt(z)**3, 3, 1e-9, quarter**2,
        lambda z: sqrt(z)**3 / mpmath.sin(sqrt(z)))
    fit("cos: (cos r - 1 + r^2/2) / r^4 in r^2",
        lambda z: (mpmath.cos(sqrt(z)) - 1 + z / 2) / z**2, 2, 1e-9, quarter**2,
        lambda z: z**2 / mpmath.cos(sqrt(z)))
    fit("atan: (atan t - t) / t^3 in t^2",
        lambda z: (mpmath.atan(sqrt(z)) - sqrt(z)) / sqrt(z)**3, 8, 1e-9, 1.0,
        lambda z: sqrt(z)**3 / mpmath.atan(sqrt(z)))
    fit("asin: (asin x - x) / x^3 in x^2",
        lambda z: (mpmath.asin(sqrt(z)) - sqrt(z)) / sqrt(z)**3, 4, 1e-9, 0.25,
        lambda z: sqrt(z)**3 / mpmath.asin(sqrt(z)))
    edge = 0.1716**2
    fit("power: (atanh f - f - f^3/3) / f^5 in f^2",
        lambda z: (mpmath.atanh(sqrt(z)) - sqrt(z) - sqrt(z)**3 / 3) / sqrt(z)**5 * 2 / log(2), 3,
        1e-6, edge, lambda z: sqrt(z)**5 / mpmath.atanh(sqrt(z)) / 2 * log(2))
    for limit in (0.875, 1.0):
      for degree in (5, 6):
        fit(f"erf: erf(x)/x - 1 in x^2 up to {limit}",
        lambda z: mpmath.erf(sqrt(z)) / sqrt(z) - 1, degree, 1e-9, limit**2,
        lambda z: sqrt(z) / mpmath.erf(sqrt(z)))
    for degree in (6, 7, 8):
        fit("erf: -log(erfc(x)) / x", erfc_log, degree, 0.87, 3.95,
            lambda x: x * mpmath.erfc(x) / mpmath.erf(x))
    for limit in (0.55, 0.625):
      for degree in (3, 4):
        fit(f"tanh: (tanh x - x) / x^3 in x^2 up to {limit}",
        lambda z: (mpmath.tanh(sqrt(z)) - sqrt(z)) / sqrt(z)**3, degree, 1e-9, limit**2,
        lambda z: sqrt(z)**3 / mpmath.tanh(sqrt(z)))


if __name__ == "__main__":
    main()
