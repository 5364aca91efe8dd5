"""How long subscriptions last: the contractual part of churn, where the end is known."""

import datetime as dt

import ibis
import ibis.expr.types as ir
import pandas as pd


def contract_durations(subscriptions: ir.Table, as_of: dt.date) -> pd.DataFrame:
    """Contracts started by ``as_of``, counted by length.

    Returns
    -------
    Frame ``plan`` (empty where not given), ``time`` (days from start to end, or to ``as_of`` while running),
    ``ended``, ``count``.
    """
    if "plan" not in subscriptions.columns:
        subscriptions = subscriptions.mutate(plan=ibis.literal(""))
    began = subscriptions.filter(subscriptions.started_at <= as_of)
    ended_at = began.ended_at if "ended_at" in began.columns else ibis.null("date")
    ended = (ended_at <= as_of).fill_null(False)
    until = ibis.ifelse(ended, ended_at, ibis.date(as_of))
    lengths = began.select(
        plan=began.plan.fill_null(""), time=ibis.greatest(until.delta(began.started_at, unit="day"), 0), ended=ended
    )
    counts = lengths.group_by("plan", "time", "ended").agg(count=lengths.count())
    return counts.order_by("plan", "time", "ended").to_pandas()


def contract_plans(subscriptions: ir.Table, as_of: dt.date) -> pd.DataFrame:
    """``plan, contracts, running, ended, price_per_month`` (of running contracts, summed): one row per plan."""
    if "plan" not in subscriptions.columns:
        subscriptions = subscriptions.mutate(plan=ibis.literal(""))
    began = subscriptions.filter(subscriptions.started_at <= as_of)
    ended_at = began.ended_at if "ended_at" in began.columns else ibis.null("date")
    began = began.mutate(plan=began.plan.fill_null(""), over=(ended_at <= as_of).fill_null(False))
    price = began.price_per_month.cast("float64") if "price_per_month" in began.columns else ibis.null("float64")
    plans = began.mutate(price=price).group_by("plan")
    found = plans.agg(
        contracts=lambda t: t.count(),
        running=lambda t: (~t.over).sum(),
        ended=lambda t: t.over.sum(),
        price_per_month=lambda t: t.price.sum(where=~t.over),
    )
    return found.order_by("plan").to_pandas()


def ended_last_year(subscriptions: ir.Table, as_of: dt.date) -> tuple[int, int]:
    """Contracts running 365 days before ``as_of``, and how many of those ended since."""
    start = as_of - dt.timedelta(days=365)
    if "ended_at" not in subscriptions.columns:
        subscriptions = subscriptions.mutate(ended_at=ibis.null("date"))
    held = subscriptions.filter(
        (subscriptions.started_at <= start) & ((subscriptions.ended_at > start) | subscriptions.ended_at.isnull())
    )
    row = held.agg(held=held.count(), ended=(held.ended_at <= as_of).sum()).to_pyarrow().to_pylist()[0]
    return int(row["held"] or 0), int(row["ended"] or 0)
