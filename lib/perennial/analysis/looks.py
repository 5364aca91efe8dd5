"""The four looks of every customer as known on a day: what the data measures, and what it does not."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from perennial.analysis.cross_buy import CrossBuy, measure_cross_buy
from perennial.analysis.engagement import engagement_scores
from perennial.analysis.lifecycle import Stages, lifecycle_stages, timing_score
from perennial.analysis.quadrants import LOOKS
from perennial.analysis.wallet import WalletLook, measure_wallet, spend_in_window, window_days
from perennial.language import _

LATE_START_DAYS = 30  # a customer won in the first month of the window has had the whole of it
COLUMNS = {
    "wallet": {"wallet_low": "float64", "wallet": "float64", "wallet_high": "float64", "wallet_source": "string",
               "headroom": "float64", "wallet_score": "float64"},
    "cross_buy": {"expected_additions": "float64", "next_category": "string", "next_probability": "float64",
                  "cross_buy_score": "float64"},
    "engagement": {"engagement_score": "float64"},
    "lifecycle": {"stage": "string", "lifecycle_score": "float64"},
}  # fmt: skip


@dataclass(frozen=True)
class Looks:
    """What is known of every customer on a day.

    Attributes
    ----------
    table : Ibis table ``customer_id, spend_12m`` and the columns of :data:`COLUMNS`; null where not measured.
    measured : which looks are measured for anybody.
    reasons : why a look is not measured, by look.
    window_days : length of the window that ``spend_12m`` and the wallets cover.
    """

    table: ir.Table
    measured: dict[str, bool]
    reasons: dict[str, str]
    window_days: int
    wallet: WalletLook
    cross_buy: CrossBuy
    stages: Stages


def measure_looks(
    transactions: ir.Table, summary: ir.Table, tables: Mapping[str, ir.Table], as_of: dt.date, parameters: Any,
    *, check: bool = True,
) -> Looks:  # fmt: skip
    """The looks of everybody in ``summary``, from what had happened by ``as_of``.

    ``transactions`` and ``summary`` must end at ``as_of``; later interactions are ignored. Attributes of the customers
    table carry no date and are taken as they stand. ``check`` runs the checks of wallets and of cross-buy as well.
    """
    potential = parameters.potential
    first = pd.Timestamp(summary.first_on.min().to_pandas()).date()
    days = window_days(first, as_of)
    spend = spend_in_window(transactions, summary, as_of, days).cache()
    start = as_of - dt.timedelta(days=days - LATE_START_DAYS)
    wallet = measure_wallet(
        tables.get("customers"), spend, start,
        quantile=potential.wallet_quantile, attributes=list(potential.wallet_attributes), seed=parameters.seed,
        check=check,
    )  # fmt: skip
    cross_buy = measure_cross_buy(transactions, summary, as_of, check=check)
    stages = lifecycle_stages(transactions, summary, as_of, parameters.churn.silence_quantile)
    found = {
        "wallet": wallet.table,
        "cross_buy": cross_buy.table,
        "engagement": _engagement(tables.get("interactions"), summary, as_of, potential.engagement_half_life_days),
        "lifecycle": timing_score(stages.table, potential.timing),
    }
    table = spend.select("customer_id", "spend_12m")
    for look in LOOKS:
        table = _add_look(table, found[look], COLUMNS[look])
    reasons = {
        "wallet": wallet.reason,
        "cross_buy": cross_buy.reason,
        "engagement": _("there is no interactions table"),
    }
    measured = {look: found[look] is not None for look in LOOKS}
    missing = {look: reasons[look] for look in LOOKS if not measured[look]}
    return Looks(table.cache(), measured, missing, days, wallet, cross_buy, stages)


def _engagement(interactions: ir.Table | None, summary: ir.Table, as_of: dt.date, half_life: float) -> ir.Table | None:
    if interactions is None:
        return None
    return engagement_scores(interactions, summary, as_of, half_life)


def _add_look(table: ir.Table, look: ir.Table | None, columns: Mapping[str, str]) -> ir.Table:
    if look is None:
        return table.mutate(**{name: ibis.null(kind) for name, kind in columns.items()})
    joined = table.left_join(look.select("customer_id", *columns), "customer_id")
    return joined.drop("customer_id_right")
