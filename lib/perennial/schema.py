"""The canonical tables and chapters by name: what every layer may assume, and nothing heavier than that."""

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["text", "timestamp", "date", "money", "price", "number", "flag"]


@dataclass(frozen=True)
class TableSchema:
    """One canonical table: its columns by kind, those that must be there, and its clock."""

    what: str
    columns: dict[str, Kind]
    required: tuple[str, ...]
    clock: str | None = None  # the column that must not lie after as_of
    key: str | None = None  # the column whose values must not repeat
    takes_attributes: bool = False
    inputs: dict[str, Kind] = field(default_factory=dict)  # columns that are read to make others, and not kept


TABLES: dict[str, TableSchema] = {
    "transactions": TableSchema(
        "order lines",
        {
            "customer_id": "text",
            "ordered_at": "timestamp",
            "amount": "money",
            "order_id": "text",
            "quantity": "number",
            "margin": "money",
            "product_id": "text",
            "category": "text",
            "channel": "text",
            "discount": "money",
            "is_return": "flag",
        },
        ("customer_id", "ordered_at", "amount"),
        clock="ordered_at",
        inputs={"unit_price": "price", "currency": "text"},
    ),
    "customers": TableSchema(
        "customers",
        {
            "customer_id": "text",
            "name": "text",
            "segment": "text",
            "region": "text",
            "source": "text",
            "acquired_at": "date",
            "referrer_id": "text",
            "wallet": "money",
        },
        ("customer_id",),
        key="customer_id",
        takes_attributes=True,
    ),
    "interactions": TableSchema(
        "visits, redemptions, reviews and other events",
        {"customer_id": "text", "occurred_at": "timestamp", "kind": "text", "value": "number"},
        ("customer_id", "occurred_at", "kind"),
        clock="occurred_at",
    ),
    "contacts": TableSchema(
        "marketing contacts",
        {
            "customer_id": "text",
            "campaign_id": "text",
            "contacted_at": "timestamp",
            "group": "text",
            "channel": "text",
            "offer": "text",
            "cost": "money",
            "responded_at": "timestamp",
        },
        ("customer_id", "campaign_id", "contacted_at"),
        clock="contacted_at",
    ),
    "leads": TableSchema(
        "leads",
        {
            "lead_id": "text",
            "created_at": "timestamp",
            "qualified_at": "timestamp",
            "accepted_at": "timestamp",
            "opportunity_at": "timestamp",
            "won_at": "timestamp",
            "lost_at": "timestamp",
            "source": "text",
            "owner": "text",
            "value": "money",
            "customer_id": "text",
        },
        ("lead_id", "created_at"),
        clock="created_at",
        key="lead_id",
        takes_attributes=True,
    ),
    "subscriptions": TableSchema(
        "contracts",
        {
            "customer_id": "text",
            "started_at": "date",
            "ended_at": "date",
            "renews_at": "date",
            "plan": "text",
            "price_per_month": "money",
        },
        ("customer_id", "started_at"),
        clock="started_at",
    ),
    "accounts": TableSchema(
        "business accounts by period",
        {
            "customer_id": "text",
            "period_start": "date",
            "revenue": "money",
            "profit": "money",
            "service_hours": "number",
            "bespoke_share": "number",
            "overdue_amount": "money",
        },
        ("customer_id",),
    ),
    "tickets": TableSchema(
        "complaints and service cases",
        {
            "customer_id": "text",
            "opened_at": "timestamp",
            "resolved_at": "timestamp",
            "kind": "text",
            "satisfaction": "number",
        },
        ("customer_id", "opened_at"),
        clock="opened_at",
    ),
}

# What each optional table lets the report say; printed where the table is absent.
UNLOCKS: dict[str, str] = {
    "customers": "attainable wallet by peer group, and every split by segment, region and source",
    "interactions": "the engagement look of the potential score",
    "contacts": "what marketing costs per customer, and whether it worked",
    "leads": "the acquisition funnel and its grades",
    "subscriptions": "contractual churn: renewals and survival of contracts, and what they are worth",
    "accounts": "star ratings from revenue, profit, service effort and payment",
    "tickets": "complaints as a driver of churn",
}

# What single columns let the report say; those that no chapter reads yet are not among them.
COLUMN_UNLOCKS: dict[str, dict[str, str]] = {
    "transactions": {
        "order_id": "orders of one day told apart, returns matched to their order",
        "unit_price": "amounts checked against quantity × price",
        "product_id": "returns matched to the sale of the same product",
        "category": "the categories a customer could still buy",
        "currency": "amounts in several currencies made one",
        "is_return": "returns told from sales",
    },
    "customers": {
        "segment": "differences between segments, wallets of similar customers",
        "region": "differences between regions, wallets of similar customers",
        "source": "differences between sources, wallets of similar customers",
        "wallet": "what each customer could spend here",
    },
    "contacts": {"cost": "what marketing costs per customer"},
    "subscriptions": {
        "ended_at": "how long contracts last",
        "renews_at": "how often contracts are renewed",
        "plan": "contracts by plan",
        "price_per_month": "what running contracts bring and are worth",
    },
    "accounts": {"service_hours": "what serving a customer costs"},
}

CHAPTERS: dict[str, str] = {
    "00_summary": "The bottom line",
    "01_data_audit": "What the data can carry",
    "02_customer_base": "The customer base",
    "03_cohort_retention": "Who stays",
    "04_churn": "Who leaves",
    "05_lifetime_value": "What they are worth",
    "06_potential_quadrants": "Where the room to grow is",
}
