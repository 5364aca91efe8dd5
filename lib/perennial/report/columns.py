"""What the columns of the customers' table mean, for the workbook's sheet and for whoever asks."""

from perennial.language import _


def meaning_of(column: str, currency: str) -> str:
    """The meaning of a column in a sentence; empty for a column unknown here."""
    return meanings(currency).get(column, "")


def meanings(currency: str) -> dict[str, str]:
    """Every known column, in the order of the table."""
    return {
        "customer_id": _("The customer, as the client names them."),
        "first_on": _("Day of the first purchase."),
        "last_on": _("Day of the last purchase."),
        "frequency": _("Repeat purchase days: days with an order after the first."),
        "recency": _("Days from the first to the last purchase."),
        "T": _("Days from the first purchase to the as-of date."),
        "monetary_value": _("Mean amount of a repeat purchase day, {c}; 0 without one.", c=currency),
        "orders": _("Number of orders."),
        "revenue": _("All purchases net of returns, {c}.", c=currency),
        "shared_id": _("Whether several people seem to share this id: then its figures are theirs together."),
        "r": _("Recency band, 1 to 5; 5: ordered most lately."),
        "f": _("Frequency band, 1 to 5; 5: most repeat purchase days."),
        "m": _("Money band, 1 to 5; 5: highest revenue."),
        "p_alive": _(
            "Probability that the customer is still active; empty for one-time buyers where the model cannot judge."
        ),
        "p_alive_mbg": _("The same by a second model (MBG/NBD), which also judges one-time buyers."),
        "model_group": _("Group whose own models value the customer; empty: the models of all customers."),
        "expected_purchases": _("Purchase days expected over the horizon."),
        "probability_of_order": _(
            "Probability of at least one purchase day in the next 7, 30 or 90 days, whichever is nearest the client's "
            "typical gap; the chapter on lifetime value says which."
        ),
        "next_order_on": _(
            "Day by which the customer, if still active, has ordered again with probability one half; empty beyond "
            "the horizon."
        ),
        "expected_order_value": _("Expected amount of a purchase day, {c}.", c=currency),
        "clv": _("Margin expected over the horizon, discounted to the as-of date, {c}.", c=currency),
        "clv_low": _("Lower end of what this one customer may bring: chance included, so often 0, {c}.", c=currency),
        "clv_high": _(
            "Upper end of it, {c}; the mean, clv, may lie above it where a few outcomes are very large.", c=currency
        ),
        "spend_12m": _("Net spend of the last twelve months, or of shorter data as a whole, {c}.", c=currency),
        "current_value": _("Value at today's trajectory, the horizontal axis of the quadrants, {c}.", c=currency),
        "wallet": _("What the customer could spend with the client in that time (attainable wallet), {c}.", c=currency),
        "wallet_low": _("Lower band of the wallet, {c}.", c=currency),
        "wallet_high": _("Upper band of the wallet, {c}.", c=currency),
        "wallet_source": _("Where the wallet comes from: known from the client, or estimated from peers."),
        "headroom": _("Wallet minus today's spend, {c}.", c=currency),
        "wallet_score": _("Look 1, headroom of the wallet, 0 to 1."),
        "expected_additions": _("Categories the customer is expected to add."),
        "next_category": _("The category most likely to be added next."),
        "next_probability": _("Probability of adding it."),
        "cross_buy_score": _("Look 2, categories not yet bought, 0 to 1."),
        "engagement_score": _("Look 3, engagement, 0 to 1."),
        "lifecycle_score": _("Look 4, timing of the stage of life, 0 to 1."),
        "stage": _("Stage of life: new, growing, mature, declining or lapsed."),
        "looks_measured": _("How many of the four looks are measured for this customer."),
        "looks_missing": _("Looks that are measured for others but not for this customer."),
        "potential_score": _("0 to 100: room to grow, from the looks that are measured."),
        "quadrant": _("Growth stock, cash cow, sleeping gold or low-yield, from value and potential."),
        "recommended_action": _(
            "What the client's strategy recommends for this quadrant; empty for an id that several people seem to "
            "share."
        ),
    }
