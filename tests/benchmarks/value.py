"""Fitting, scoring and resampling a million simulated customers, beside the lifetimes package on all their rows.

``make bench`` runs ``python -m tests.benchmarks.value`` with ``fit NAME FILE``, ``lifetimes NAME FILE``, ``score NAME
FILE`` and ``resample NAME FILE``, each in a process of its own that prints its seconds without the start of Python and
its libraries. ``lifetimes`` leaves its parameters beside the file; ``fit`` fails where its own differ from them by more
than a millionth, except where its own likelihood is the higher one (lifetimes stops early on Pareto/NBD).
"""

import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

CUSTOMERS = 1_000_000
WEEKS, WON_WEEKS = 78, 12
TRUTH = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426, "p": 6.25, "q": 3.74, "v": 15.44}  # the CDNOW sample's
KEYS = ["frequency", "recency", "T", "monetary_value"]
FITTERS = {"BG/NBD": "BetaGeoFitter", "MBG/NBD": "ModifiedBetaGeoFitter", "Pareto/NBD": "ParetoNBDFitter"}
RESAMPLES = 200


def make(path: Path, customers: int = CUSTOMERS) -> None:
    """Customers of a BG/NBD and Gamma-Gamma population, won in 12 weeks, watched for 78, times in whole weeks.

    The same file every time.
    """
    rng = np.random.default_rng(1)
    rate = rng.gamma(TRUTH["r"], 1 / TRUTH["alpha"], customers)
    lasts = rng.geometric(np.maximum(rng.beta(TRUTH["a"], TRUTH["b"], customers), 1e-12))
    age = (WEEKS - rng.integers(0, WON_WEEKS, customers)).astype(float)
    tries = rng.poisson(rate * age)
    who = np.repeat(np.arange(customers), tries)
    time_ = rng.random(len(who)) * age[who]
    order = np.lexsort((time_, who))
    who, time_ = who[order], time_[order]
    kept = np.arange(len(who)) - np.repeat(np.cumsum(tries) - tries, tries) < lasts[who]
    frequency = np.bincount(who[kept], minlength=customers)
    recency = np.zeros(customers)
    np.maximum.at(recency, who[kept], np.ceil(time_[kept]))
    worth = rng.gamma(TRUTH["q"], 1 / TRUTH["v"], customers)
    spent = rng.gamma(np.maximum(TRUTH["p"] * frequency, 1e-9)) / np.maximum(frequency, 1) / worth
    pd.DataFrame(
        {
            "frequency": frequency.astype(float),
            "recency": recency * 7,
            "T": age * 7,
            "monetary_value": np.where(frequency > 0, np.maximum(spent.round(2), 0.01), 0.0),
        }
    ).to_parquet(path)


def fit(name: str, path: Path) -> None:
    """One model through weighted distinct rows; the grouping of the rows counts."""
    from perennial.analysis import fitters

    people = pd.read_parquet(path)
    fitters._lifetimes().__enter__()  # the import of the package is not the fit
    started = time.perf_counter()
    rows = people.groupby(KEYS[:3], sort=True).size().rename("weight").reset_index()
    model = fitters.fit_purchases(rows, name)  # type: ignore[arg-type]
    _tell(time.perf_counter() - started)
    print(f"{len(rows)} distinct rows of {len(people)}; {model.params}")
    other = _left_by(path, name)
    if not other.is_file():
        return
    theirs = json.loads(other.read_text())
    apart = max(abs(theirs[key] / value - 1) for key, value in model.params.items())
    total = fitters.purchase_likelihood(rows, name)  # type: ignore[arg-type]
    ahead = model.loglik - total(np.log([theirs[key] for key in model.params]))
    print(f"apart by {apart:.1e} of a parameter, {ahead:.1e} in log-likelihood")
    if apart > 1e-6 and ahead <= 0:
        raise SystemExit("the parameters are not those of lifetimes")


def lifetimes(name: str, path: Path) -> None:
    """The same fitter of the package on all rows."""
    import lifetimes as package

    people = pd.read_parquet(path)
    started = time.perf_counter()
    fitter = getattr(package, FITTERS[name])()
    found = fitter.fit(people["frequency"], people["recency"] / 7, people["T"] / 7).params_
    _tell(time.perf_counter() - started)
    _left_by(path, name).write_text(json.dumps({key: float(value) for key, value in found.items()}))


def score(name: str, path: Path) -> None:
    """P(alive), expected purchases and CLV of every customer, from the fitted models to a column per customer."""
    from perennial.analysis import clv
    from perennial.analysis.purchase_model import HISTORY, PurchaseModel
    from perennial.analysis.spend_model import SpendModel

    people = pd.read_parquet(path)
    model, spend = _true(PurchaseModel, SpendModel)
    started = time.perf_counter()
    codes = people.groupby(HISTORY, sort=True).ngroup().to_numpy()
    histories = people[HISTORY].groupby(codes).first()
    history = [histories[column] for column in HISTORY]
    alive, bought = model.p_alive(*history), model.expected_purchases(365.25, *history)
    discounted = clv.discounted_purchases(model, histories, 12, 0.10)
    order = spend.expected_order_value(people["frequency"], people["monetary_value"])
    scored = people.assign(p_alive=alive[codes], expected=bought[codes], clv=0.3 * discounted[codes] * order)
    _tell(time.perf_counter() - started)
    print(scored.mean().to_dict())


def resample(name: str, path: Path) -> None:
    """Both models fitted to 200 resamples of all customers, and the equity under each."""
    from perennial.analysis import bootstrap, clv, spend_model
    from perennial.analysis.fitters import fit_gamma_gamma, fit_purchases

    people = pd.read_parquet(path)
    rows = people.groupby(KEYS, sort=True).size().rename("weight").reset_index()
    model = fit_purchases(rows.groupby(KEYS[:3], as_index=False)["weight"].sum(), name)  # type: ignore[arg-type]
    spend = fit_gamma_gamma(rows)
    started = time.perf_counter()
    found = bootstrap.resample(rows, model, spend, seed=1, count=RESAMPLES)
    pairs, place = clv.distinct_pairs(rows)
    codes = rows.groupby(KEYS[:3], sort=True).ngroup().to_numpy()
    histories = rows[KEYS[:3]].groupby(codes).first()
    x, money, weight = (rows[column].to_numpy(float) for column in ("frequency", "monetary_value", "weight"))
    equity = []
    for theta, phi in zip(found.thetas, found.phis, strict=True):
        alive = model.p_alive(*(histories[column] for column in KEYS[:3]), theta)[codes]
        spent = weight * alive * spend_model.expected_order_value(phi, x, money)
        bought = model.purchases_if_alive(365.25, pairs[:, 0], pairs[:, 1], theta)
        equity.append(np.bincount(place, spent) @ bought)
    _tell(time.perf_counter() - started)
    print(f"{found.failed} failed; revenue of a year {np.mean(equity):.0f} ± {np.std(equity):.0f}")


def _true(purchase: type, spend: type) -> tuple:  # type: ignore[type-arg]
    params = {key: TRUTH[key] for key in ("r", "alpha", "a", "b")}
    return purchase("BG/NBD", params), spend({key: TRUTH[key] for key in ("p", "q", "v")})


def _left_by(path: Path, name: str) -> Path:
    return path.with_name(f"{name.replace('/', '_')}.json")


def _tell(seconds: float) -> None:
    print(f"SECONDS {seconds:.3f}")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    what, model_name, file = sys.argv[1:]
    {"fit": fit, "lifetimes": lifetimes, "score": score, "resample": resample}[what](model_name, Path(file))
