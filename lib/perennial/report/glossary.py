"""The words of the report, each in one or two sentences."""

from perennial.language import _


def glossary() -> list[tuple[str, str, str]]:
    """Term, id and meaning, in alphabetical order."""
    return [
        (
            _("Active, alive"),
            "alive",
            _(
                "Still a customer. Where no contract says so, only a probability can: P(alive), from how "
                "often and how lately a customer ordered."
            ),
        ),
        (
            _("As-of date"),
            "as-of",
            _("The last day counted, inclusive. Nothing after it is used."),
        ),
        (
            _("Attainable wallet"),
            "wallet",
            _(
                "What a customer could spend with this client: known where given, else a high quantile of "
                "the spend of customers with the same attributes. A peer benchmark, not what they spend "
                "elsewhere."
            ),
        ),
        (
            _("Churn"),
            "churn",
            _(
                "Leaving. With contracts, the day a contract ends; without, a silence longer than the "
                "customer's own rhythm explains."
            ),
        ),
        (
            _("CLV:CAC"),
            "clv-cac",
            _("Total CLV of customers in multiples of what acquiring them cost (customer acquisition cost)."),
        ),
        (
            _("Cohort"),
            "cohort",
            _("Customers whose first purchase fell into the same period."),
        ),
        (
            _("Customer equity"),
            "equity",
            _("The sum of the lifetime values of all present customers."),
        ),
        (
            _("Frequency"),
            "frequency",
            _("Number of repeat purchase days: days with an order after the first one."),
        ),
        (
            _("Headroom"),
            "headroom",
            _("Attainable wallet minus what the customer spends today."),
        ),
        (
            _("Hold-out"),
            "holdout",
            _("The last stretch of the data, hidden from a model and then compared with what it predicted."),
        ),
        (
            _("Interval"),
            "interval",
            _("The range in which the true value lies with the stated level of confidence, as far as the model holds."),
        ),
        (
            _("Lifetime value (CLV)"),
            "clv",
            _(
                "Margin expected from a customer over the horizon, each month discounted to the as-of date: residual "
                "CLV, what is still to come. Total CLV adds the margin brought so far; prospect CLV is that of a "
                "customer not yet won, first order included."
            ),
        ),
        (
            _("Payback"),
            "payback",
            _("The first month in which the margin expected of a new customer so far reaches what acquiring it cost."),
        ),
        (
            _("Potential score"),
            "score",
            _(
                "0 to 100: room to grow, from wallet headroom, categories not yet bought, engagement and "
                "stage of life. A look without data is left out and named."
            ),
        ),
        (
            _("Purchase day"),
            "purchase-day",
            _("A day on which a customer ordered, however many lines or orders it held."),
        ),
        (
            _("Quadrants"),
            "quadrants",
            _(
                "Growth stock (high value, high potential), cash cow (high value, low potential), "
                "sleeping gold (low value, high potential), low-yield (low value, low potential)."
            ),
        ),
        (
            _("Recency"),
            "recency",
            _("Days from a customer's first to their last purchase."),
        ),
        (
            _("Retention"),
            "retention",
            _("Share of a cohort that ordered in a later period. A period that is not over is masked."),
        ),
    ]
