"""Chances of exactly, or at least, so many purchases at a Gamma-distributed rate; in logarithms throughout.

What the purchase models have in common: purchases of a customer with rate λ ~ Gamma(shape, scale) who stays for
``ahead`` are negative binomial.
"""

from typing import Any

import numpy as np
from scipy.special import betainc, betaln, gammaln, xlogy

from perennial.analysis.purchases.formulas import Floats

_TINY = 1e-250  # below it the incomplete beta function is near the smallest number a computer holds
_MOST_TERMS = 100_000


def log_exactly(count: Any, shape: Any, scale: Any, ahead: Any) -> Floats:
    """Log of Γ(shape+n)/(Γ(shape) n!) · (scale/(scale+ahead))^shape · (ahead/(scale+ahead))^n."""
    found: Floats = (
        gammaln(shape + count) - gammaln(shape) - gammaln(count + 1.0)
        - shape * np.log1p(ahead / scale) + xlogy(count, ahead / (scale + ahead))
    )  # fmt: skip
    return found


def log_at_least(count: Any, shape: Any, scale: Any, ahead: Any) -> Floats:
    """Log of the chance of ``count`` or more: the incomplete beta function I_z(count, shape), z = ahead/(scale+ahead).

    Where it is too small for a number, its series: z^n (1−z)^shape / (n B(n, shape)) · Σ_k Π_j z (n+shape+j)/(n+1+j)
    (Abramowitz & Stegun 26.5.4), whose terms are all positive. 0 (certain) at ``count`` 0.
    """
    n, a, z = np.broadcast_arrays(
        np.asarray(count, float),
        np.asarray(shape, float),
        np.asarray(ahead / (np.asarray(scale, float) + ahead), float),
    )
    some = np.maximum(n, 1.0)
    plain = betainc(some, a, z)
    with np.errstate(divide="ignore"):
        found = np.array(np.log(plain))
        small = (plain < _TINY) & (z > 0)
        if small.any():
            m, b, y = some[small], a[small], z[small]
            start = m * np.log(y) + b * np.log1p(-y) - np.log(m) - betaln(m, b)
            found[small] = start + np.log(_series(m, b, y))
    return np.where(n == 0, 0.0, found)


def _series(n: Floats, shape: Floats, z: Floats) -> Floats:
    """1 + Σ_k Π_{j<k} z (n+shape+j)/(n+1+j); far in the tail the terms fall from the first on."""
    total, term = np.ones_like(z), np.ones_like(z)
    for j in range(_MOST_TERMS):
        term = term * z * (n + shape + j) / (n + 1 + j)
        total = total + term
        if (term < 1e-17 * total).all():
            break
    return total
