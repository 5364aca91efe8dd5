"""How much room is left: the wallet of each customer, known or attainable, less what is spent here.

Headroom is ``max(wallet − spend, 0)`` in money of one year (or of the history, where that is shorter). The sub-score is
the percentile of headroom, never of share. A wallet comes from the client's own column, else from peers
(:mod:`perennial.analysis.peer_wallet`); never from the same flow as the spend, for then the share is a constant.
"""

import datetime as dt
from dataclasses import dataclass, field

import ibis
import ibis.expr.types as ir
import pandas as pd

from perennial.analysis.peer_wallet import PeerWallets, fit_peer_wallets
from perennial.analysis.ranks import percentile_rank
from perennial.language import _

YEAR_DAYS = 365
MOST_FITTED = 5_000  # customers in the regression, every n-th by customer number
FEWEST_FITTED = 100
BANDS = 5  # a numeric attribute enters in fifths
NOT_GIVEN = "not given"
NOT_ATTRIBUTES = {"customer_id", "name", "wallet", "acquired_at", "referrer_id"}
CONSTANT_SHARE = 0.01  # spread of spend ÷ wallet under which the wallet was computed from the spend


@dataclass(frozen=True)
class WalletLook:
    """The look and what it rests on.

    Attributes
    ----------
    table : Ibis table ``customer_id, wallet_low, wallet, wallet_high, wallet_source`` ("known" or "peers"),
        ``headroom`` (all money), ``wallet_score`` (0 to 1), for measured customers only; None where nobody is.
    reason : why not measured, or what was refused; empty otherwise.
    known, peers : customers measured by the client's column and by peers.
    over : customers whose spend exceeds their known wallet (a share above 1: the wallet is wrong or out of date).
    attributes, checks : of the regression, see :class:`perennial.analysis.peer_wallet.PeerWallets`.
    """

    table: ir.Table | None
    reason: str = ""
    known: int = 0
    peers: int = 0
    over: int = 0
    fitted: int = 0
    attributes: list[str] = field(default_factory=list)
    checks: pd.DataFrame | None = None


def window_days(first: dt.date, as_of: dt.date) -> int:
    """Length of the window that spend and wallet are counted over: a year, or the whole history."""
    return min(YEAR_DAYS, (as_of - first).days + 1)


def spend_in_window(transactions: ir.Table, summary: ir.Table, as_of: dt.date, days: int) -> ir.Table:
    """``customer_id, first_on, spend_12m`` (decimal, net, 0 where nothing was bought) for everybody in ``summary``."""
    start = as_of - dt.timedelta(days=days)
    lines = transactions.filter(transactions.ordered_on > ibis.date(start), transactions.ordered_on <= ibis.date(as_of))
    sums = lines.group_by("customer_id").agg(spend_12m=lines.amount.sum())
    everyone = summary.select("customer_id", "first_on").left_join(sums, "customer_id").drop("customer_id_right")
    return everyone.mutate(spend_12m=everyone.spend_12m.fill_null(0))


def measure_wallet(
    customers: ir.Table | None, spend: ir.Table, start: dt.date, *,
    quantile: float = 0.9, attributes: list[str] | None = None, seed: int = 1, check: bool = True,
) -> WalletLook:  # fmt: skip
    """Wallet and headroom of every customer that can be measured.

    Parameters
    ----------
    customers : canonical customers table, or None.
    spend : ``customer_id, first_on, spend_12m``, see :func:`spend_in_window`.
    start : first day of the window; customers won later have had less time and are left out of the fit.
    attributes : columns of ``customers`` to compare peers by; empty: all of them.
    """
    if customers is None:
        return WalletLook(None, _("there is no customers table, so neither known wallets nor attributes"))
    base = spend.join(customers.distinct(on="customer_id"), "customer_id")
    base = base.mutate(spend=base.spend_12m.cast("float64"))
    known, reason = _known_wallets(base)
    peers, fit = _peer_wallets(base, start, quantile, attributes, seed, check)
    if fit is not None and fit.refused:
        reason += _(" Attributes that follow spend itself were refused: {names}.", names=", ".join(fit.refused))
    both = _known_first(known, peers)
    if both is None:
        return WalletLook(None, (reason or _("no attribute tells the customers' wallets apart")).strip())
    both = both.mutate(headroom=ibis.greatest(both.wallet - both.spend, 0.0))
    table = both.mutate(wallet_score=percentile_rank(both, "headroom")).drop("spend")
    counts = _counts(both)
    return WalletLook(
        table, reason.strip(), **counts, fitted=fit.customers if fit else 0,
        attributes=fit.attributes if fit else [], checks=fit.checks if fit else None,
    )  # fmt: skip


def _known_first(known: ir.Table | None, peers: ir.Table | None) -> ir.Table | None:
    """Known wallets, and those of peers for the others."""
    if known is None or peers is None:
        return peers if known is None else known
    return ibis.union(known, peers.anti_join(known, "customer_id"))


def _counts(both: ir.Table) -> dict[str, int]:
    is_known = both.wallet_source == "known"
    row = both.agg(known=is_known.sum(), peers=(~is_known).sum(), over=(is_known & (both.spend > both.wallet)).sum())
    return {name: int(value) for name, value in row.to_pandas().iloc[0].fillna(0).items()}


def _known_wallets(base: ir.Table) -> tuple[ir.Table | None, str]:
    """Wallets of the client's own column, unless they were computed from the spend."""
    if "wallet" not in base.columns:
        return None, ""
    given = base.filter(base.wallet.notnull(), base.wallet > 0).mutate(wallet=base.wallet.cast("float64"))
    share = given.filter(given.spend > 0).mutate(share=lambda t: t.spend / t.wallet).share
    row = share.as_table().agg(n=share.count(), mean=share.mean(), spread=share.std(how="pop")).to_pandas().iloc[0]
    if row["n"] >= 20 and row["spread"] < CONSTANT_SHARE * row["mean"]:
        return None, _("The column 'wallet' is the spend times a constant: it was computed from it and says nothing.")
    if not given.count().to_pandas():
        return None, ""
    return given.select("customer_id", "spend", wallet_low="wallet", wallet="wallet", wallet_high="wallet",
                        wallet_source=ibis.literal("known")), ""  # fmt: skip


def _peer_wallets(
    base: ir.Table, start: dt.date, quantile: float, asked: list[str] | None, seed: int, check: bool
) -> tuple[ir.Table | None, PeerWallets | None]:
    """Peer wallets of the customers with at least one attribute given, and the fit behind them."""
    names = _attribute_names(base, asked)
    if not names:
        return None, None
    labelled = base.select("customer_id", "first_on", "spend", **{name: _label(base, name) for name in names})
    labelled = labelled.filter(ibis.or_(*[labelled[name] != NOT_GIVEN for name in names]))
    sample = _sample(labelled, start, names)
    if len(sample) < FEWEST_FITTED:
        return None, None
    combinations = labelled.group_by(names).agg(n=labelled.count()).order_by(names).to_pandas()
    fit = fit_peer_wallets(sample, combinations, quantile, seed, check=check)
    if fit.predicted is None:
        return None, fit
    joined = labelled.join(ibis.memtable(fit.predicted), fit.attributes)
    bands = ["wallet_low", "wallet", "wallet_high"]
    return joined.select("customer_id", "spend", *bands, wallet_source=ibis.literal("peers")), fit


def _sample(labelled: ir.Table, start: dt.date, names: list[str]) -> pd.DataFrame:
    """Customers known for the whole window (all, if those are too few), at most :data:`MOST_FITTED`, drawn by id."""
    whole = labelled.filter(labelled.first_on <= ibis.date(start))
    if whole.count().to_pandas() < FEWEST_FITTED:
        whole = labelled
    numbered = whole.mutate(place=ibis.row_number().over(order_by=whole.customer_id))
    step = -(-int(whole.count().to_pandas()) // MOST_FITTED) or 1
    return numbered.filter(numbered.place % step == 0).order_by("place").select(*names, "spend").to_pandas()


def _attribute_names(base: ir.Table, asked: list[str] | None) -> list[str]:
    reserved = NOT_ATTRIBUTES | {"first_on", "spend_12m", "spend"}
    usable = [c for c, kind in base.schema().items() if c not in reserved and (kind.is_string() or kind.is_numeric())]
    return [name for name in usable if not asked or name in asked]


def _label(base: ir.Table, name: str) -> ir.StringValue:
    """Text as it stands; numbers by fifth of the base."""
    column = base[name]
    if column.type().is_string():
        return column.fill_null(NOT_GIVEN)
    cuts = base.agg(**{f"q{i}": column.cast("float64").quantile(i / BANDS) for i in range(1, BANDS)}).to_pandas()
    number = column.cast("float64")
    band = sum(((number > float(cut)).cast("int64") for cut in cuts.iloc[0]), ibis.literal(0))
    return (ibis.literal("fifth ") + (band + 1).cast("string")).fill_null(NOT_GIVEN)
