"""The attainable wallet: what the best-spending peers of a customer spend here, by quantile regression.

Perlich, Rosset, Lawrence & Zadrozny, "High-quantile modeling for customer wallet estimation" (KDD 2007). The quantile
of spend is linear, on the log scale, in attributes that are not the customer's own spend. A benchmark among the
client's customers: it says what a similar customer can be brought to spend, not what is spent with competitors.

Only attributes and spend of a sample of customers come into memory; the prediction is made once per distinct
combination of attributes.
"""

import warnings
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

RAREST_LEVEL_SHARE = 0.05  # levels with fewer customers are pooled
MOST_ATTRIBUTES = 4
FOLDS = 5
LARGE_GROUP_SHARE = 0.02
MOST_ITERATIONS = 100
ITERATIONS_TO_CHOOSE = 30
TOLERANCE = 1e-4  # of coefficients on the log scale: a hundredth of a percent of a wallet
OWN_SPEND_SHARE = 0.6  # an attribute that explains this much of the ranks of spend is spend under another name
POOLED = "other"


@dataclass(frozen=True)
class PeerWallets:
    """What the regression found.

    Attributes
    ----------
    predicted : one row per distinct combination of ``attributes``: those, ``wallet_low, wallet, wallet_high`` (money
        of the window, as the spend given); None where no attribute tells wallets apart.
    attributes : those used, most telling first.
    refused : attributes that look like own spend.
    customers : those in the fit.
    checks : frame, one row per quantile: ``quantile, coverage_share`` (held-out customers under it), ``pinball,
        pinball_baseline`` (money; the baseline is one quantile for everybody), ``gain_share`` (loss saved).
    """

    predicted: pd.DataFrame | None
    attributes: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    customers: int = 0
    checks: pd.DataFrame | None = None


def band_quantiles(quantile: float) -> tuple[float, float, float]:
    """Low, base and high: .8, .9 and .95 for a base of .9."""
    return quantile - (1 - quantile), quantile, quantile + (1 - quantile) / 2


def fit_peer_wallets(
    sample: pd.DataFrame, combinations: pd.DataFrame, quantile: float, seed: int = 1, *, check: bool = True
) -> PeerWallets:
    """Fit on ``sample`` (attribute columns as text, ``spend``), predict for ``combinations`` (same attributes).

    Attributes are taken one by one, the most telling first, while each lowers the cross-validated pinball loss.
    ``check`` adds coverage and loss of all three quantiles.
    """
    attributes = [column for column in combinations.columns if column != "n"]
    spend = sample["spend"].to_numpy(float)
    refused = [a for a in attributes if explained_share(sample[a], spend) >= OWN_SPEND_SHARE]
    levels = {a: _common_levels(sample[a]) for a in attributes if a not in refused}
    pooled = _pool(sample, levels)
    scale = float(np.mean(np.maximum(spend, 0))) or 1.0
    target = np.log1p(np.maximum(spend, 0) / scale)
    folds = _folds(pooled, target, seed)
    chosen = _choose(pooled, {a: v for a, v in levels.items() if len(v) > 1}, target, folds, quantile)
    if not chosen:
        return PeerWallets(None, [], refused, len(sample))
    used = {a: levels[a] for a in chosen}
    design, asked = _design(pooled, used), _design(_pool(combinations, used), used)
    logs = np.column_stack([asked @ _fit(design, target, q) for q in band_quantiles(quantile)])
    bands = np.maximum.accumulate(np.round(np.expm1(np.maximum(logs, 0)), 6), axis=1) * scale
    columns = ["wallet_low", "wallet", "wallet_high"]
    predicted = pd.concat([combinations[chosen].reset_index(drop=True), pd.DataFrame(bands, columns=columns)], axis=1)
    checks = _checks(design, target, folds, quantile, scale) if check else None
    return PeerWallets(predicted.drop_duplicates(chosen, ignore_index=True), chosen, refused, len(sample), checks)


def _folds(pooled: pd.DataFrame, target: np.ndarray, seed: int) -> np.ndarray:
    """A fold per customer, by what is known of them: alike customers together, so that counting everybody twice changes
    nothing; only the large groups of alike customers (those who spent nothing, say) are spread over the folds."""
    alike = pooled.assign(target=target).groupby([*pooled.columns, "target"], observed=True)
    group, place, size = alike.ngroup().to_numpy(), alike.cumcount().to_numpy(), alike["target"].transform("size")
    first = np.random.default_rng(seed).permutation(group.max() + 1)[group]
    further = np.where(size / len(target) >= LARGE_GROUP_SHARE, FOLDS * place // size, 0)
    return np.asarray((first + further) % FOLDS)


def explained_share(labels: pd.Series, spend: np.ndarray) -> float:
    """Share of the variance of the ranks of spend between the groups of an attribute, corrected for their number."""
    ranks, groups = pd.Series(spend).rank(), labels.nunique()
    if len(ranks) <= groups or ranks.var() == 0:
        return 0.0
    within = ranks - ranks.groupby(labels.to_numpy()).transform("mean")
    return float(1 - (within**2).sum() / (len(ranks) - groups) / ranks.var())


def _common_levels(labels: pd.Series) -> list[str]:
    shares = labels.value_counts(normalize=True)
    common = sorted(shares.index[shares >= RAREST_LEVEL_SHARE])
    return common if len(common) == len(shares) else [*common, POOLED]


def _pool(frame: pd.DataFrame, levels: dict[str, list[str]]) -> pd.DataFrame:
    """Rare and never-seen levels become :data:`POOLED`, or the first level where nothing was pooled."""
    return pd.DataFrame({
        a: frame[a].where(frame[a].isin(known), POOLED if POOLED in known else known[0]) for a, known in levels.items()
    })  # fmt: skip


def _design(pooled: pd.DataFrame, levels: dict[str, list[str]]) -> np.ndarray:
    """Intercept and one column per level but the first of each attribute."""
    columns: list[np.ndarray] = [np.ones(len(pooled))]
    columns += [(pooled[a] == level).to_numpy(float) for a, known in levels.items() for level in known[1:]]
    return np.column_stack(columns)


def _fit(design: np.ndarray, target: np.ndarray, quantile: float, iterations: int = MOST_ITERATIONS) -> np.ndarray:
    if design.shape[1] == 1:
        return np.quantile(target, [quantile], method="inverted_cdf")
    from statsmodels.regression.quantile_regression import QuantReg

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # slow last digits and empty cells of a fold; the checks judge the result
        return np.asarray(QuantReg(target, design).fit(q=quantile, max_iter=iterations, p_tol=TOLERANCE).params)


def pinball(actual: np.ndarray, predicted: np.ndarray, quantile: float) -> float:
    """Mean pinball loss: what a quantile is judged by; lower is better, in the unit of ``actual``."""
    error = actual - predicted
    return float(np.mean(np.maximum(quantile * error, (quantile - 1) * error)))


def _held_out(
    design: np.ndarray, target: np.ndarray, folds: np.ndarray, quantile: float, iterations: int = MOST_ITERATIONS
) -> np.ndarray:
    predicted = np.empty(len(target))
    for fold in range(FOLDS):
        train = folds != fold
        predicted[~train] = design[~train] @ _fit(design[train], target[train], quantile, iterations)
    return predicted


def _choose(
    pooled: pd.DataFrame, levels: dict[str, list[str]], target: np.ndarray, folds: np.ndarray, quantile: float
) -> list[str]:
    money, chosen = np.expm1(target), list[str]()
    best = pinball(money, np.expm1(_held_out(np.ones((len(target), 1)), target, folds, quantile)), quantile)
    while len(chosen) < MOST_ATTRIBUTES:
        losses = {}
        for name in sorted(set(levels) - set(chosen)):
            design = _design(pooled, {a: levels[a] for a in [*chosen, name]})
            held_out = _held_out(design, target, folds, quantile, ITERATIONS_TO_CHOOSE)
            losses[name] = pinball(money, np.expm1(held_out), quantile)
        if not losses or min(losses.values()) >= best:
            break
        chosen.append(min(losses, key=lambda name: losses[name]))
        best = losses[chosen[-1]]
    return chosen


def _checks(design: np.ndarray, target: np.ndarray, folds: np.ndarray, quantile: float, scale: float) -> pd.DataFrame:
    rows, money = [], np.expm1(target)
    for q in band_quantiles(quantile):
        peers = np.expm1(_held_out(design, target, folds, q))
        alone = np.expm1(_held_out(design[:, :1], target, folds, q))
        loss, baseline = pinball(money, peers, q), pinball(money, alone, q)
        rows.append((q, float(np.mean(money <= peers)), loss * scale, baseline * scale, 1 - loss / baseline))
    return pd.DataFrame(rows, columns=["quantile", "coverage_share", "pinball", "pinball_baseline", "gain_share"])
