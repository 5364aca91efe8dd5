"""How much a customer does besides buying: visits, redemptions, reviews, referrals, recent ones counting more.

An event counts ½ after one half-life, ¼ after two. Kinds differ in how common they are, so each kind enters as
``x / (x + mean)``: half a point for an average customer of that kind, never more than one for a giant. The sum over
kinds is ranked within the base; customers without any event stand at 0, which is measured and not missing.
"""

import datetime as dt

import ibis
import ibis.expr.types as ir

from perennial.analysis.ranks import percentile_rank, round_to_signal


def engagement_scores(
    interactions: ir.Table, summary: ir.Table, as_of: dt.date, half_life_days: float = 90
) -> ir.Table:
    """One row per customer of ``summary``.

    Returns
    -------
    Ibis table ``customer_id``, ``engagement`` (sum over kinds, 0 to the number of kinds), ``engagement_score``
    (0 to 1). Events after ``as_of`` and of people who never bought are left out.
    """
    people = summary.select("customer_id")
    events = interactions.filter(interactions.occurred_at.date() <= ibis.date(as_of)).semi_join(people, "customer_id")
    age_days = ibis.date(as_of).delta(events.occurred_at.date(), unit="day").cast("float64")
    events = events.mutate(weight=ibis.literal(0.5) ** (age_days / half_life_days))
    per_kind = events.group_by("customer_id", "kind").agg(strength=round_to_signal(events.weight.sum()))
    means = per_kind.group_by("kind").agg(total=per_kind.strength.sum())
    everyone = people.count().as_scalar()
    per_kind = per_kind.join(means, "kind")
    mean = per_kind.total / everyone
    per_kind = per_kind.mutate(part=per_kind.strength / (per_kind.strength + mean))
    sums = per_kind.group_by("customer_id").agg(engagement=round_to_signal(per_kind.part.sum()))
    all_people = people.left_join(sums, "customer_id").drop("customer_id_right")
    all_people = all_people.mutate(engagement=all_people.engagement.fill_null(0.0))
    score = ibis.ifelse(all_people.engagement > 0, percentile_rank(all_people, "engagement"), 0.0)
    return all_people.mutate(engagement_score=score)


def engagement_kinds(interactions: ir.Table, summary: ir.Table) -> ir.Table:
    """``kind, events, customers``: what the look rests on, most common first."""
    events = interactions.semi_join(summary, "customer_id")
    kinds = events.group_by("kind").agg(events=events.count(), customers=events.customer_id.nunique())
    return kinds.order_by(ibis.desc("events"), "kind")
