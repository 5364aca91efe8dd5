"""What may stand in a client's YAML: a validated model, and the only place that knows its keys."""

import datetime as dt
import difflib
import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from perennial.schema import CHAPTERS, TABLES

LOOKS = ("wallet", "cross_buy", "engagement", "lifecycle")
QUADRANTS = ("growth_stock", "cash_cow", "sleeping_gold", "low_yield")
STAGES = ("new", "growing", "mature", "declining", "lapsed")

Share = Annotated[float, Field(ge=0, le=1)]
Cost = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Mark = Literal[".", ",", " ", "'", ""]  # between whole and part, or between thousands
Locale = Literal[
    "en", "de", "fr", "es", "it", "nl", "pt", "pl", "cs", "hu", "ru", "uk", "el", "tr", "zh", "zh_tw", "ja", "ko"
]  # fmt: skip
ModelName = Literal["BG/NBD", "MBG/NBD", "Pareto/NBD", "NBD"]
COHORT = "cohort"  # purchase_by: groups by the time of the first purchase
_VARIABLE = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Column(_Strict):
    """Where a canonical column comes from, and how its text is read: a column of the file, or a constant."""

    source: str | None = Field(None, alias="from")
    constant: str | None = None
    format: str | None = None  # of a date: as strptime writes it, or excel, epoch, epoch_ms
    time_zone: str | None = None  # the clock a timestamp was written by; see Parameters.time_zone
    decimal: Mark | None = None  # where one column's numbers are written unlike the source's
    thousands: Mark | None = None
    strip_decimal: bool = False  # an id that went through a number: 17850.0 is 17850

    @model_validator(mode="before")
    @classmethod
    def _accept_a_name(cls, value: Any) -> Any:
        return {"from": str(value)} if isinstance(value, str | int) else value

    @model_validator(mode="after")
    def _one_origin(self) -> "Column":
        if (self.source is None) == (self.constant is None):
            raise ValueError("needs either 'from' (a column of the file) or 'constant', and not both")
        return self


class Lookup(_Strict):
    """A second file whose columns are added by a shared key."""

    path: str
    by: str


class Source(_Strict):
    """The files (or the database table) behind one canonical table."""

    path: str | list[str] | None = None  # a file, a folder, a glob, or several of them; read as one table
    database: str | None = None  # the *name* of an environment variable that holds a connection URI
    table: str | None = None  # of a database, or of a DuckDB or SQLite file
    layout: Literal["auto", "csv", "fixed", "spaced", "excel", "parquet", "jsonl", "duckdb", "sqlite"] = "auto"
    encoding: str | None = None  # None: UTF-8, else what the client's locale suggests
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None  # None: tab in .tsv, comma elsewhere
    quote: Annotated[str, Field(max_length=1)] = '"'
    header: Annotated[int, Field(ge=0)] = 1  # the line the column names stand in; 0: there are none, give names
    names: list[str] = []
    widths: list[Annotated[int, Field(ge=1)]] = []  # of the columns of a fixed layout
    skip_after_header: Annotated[int, Field(ge=0)] = 0  # lines of text or units between the names and the data
    sheet: str | int | list[str] | None = None  # of Excel: a name, a number from 1, several names, or "*" for all
    decimal: Mark = "."
    thousands: Mark = ""
    lookup: Lookup | None = None
    columns: dict[str, Column]
    attributes: list[str] = []

    @model_validator(mode="after")
    def _consistent(self) -> "Source":
        if (self.path is None) == (self.database is None):
            raise ValueError("needs either 'path' (files) or 'database' (the name of an environment variable)")
        if self.database is not None and self.table is None:
            raise ValueError("a database needs 'table', the name of the table or view to read")
        if self.database is not None and not _VARIABLE.match(self.database):
            raise ValueError("database is the name of an environment variable that holds the URI, not the URI itself")
        if self.header == 0 and not self.names:
            raise ValueError("header: 0 says the file has no column names; list them under 'names'")
        if self.layout == "fixed" and not self.widths:
            raise ValueError("a fixed layout needs 'widths', the number of characters of each column")
        if self.decimal == self.thousands:
            raise ValueError(f"decimal and thousands are both '{self.decimal}'")
        return self

    @property
    def paths(self) -> list[str]:
        """The paths as declared, always as a list; empty for a database."""
        return [] if self.path is None else [self.path] if isinstance(self.path, str) else self.path


Patterns = dict[str, str]  # column (canonical, or of the file) → regular expression; a row is meant if any finds


class Returns(_Strict):
    """Cancellations and returns: how they are recognised and what is done with them."""

    where: Patterns = {}  # besides every line with an amount below zero, and is_return where mapped
    treat: Literal["separate", "net", "drop"] = "separate"
    match: Literal["order", "customer_product"] = "customer_product"  # how net finds the sale a return belongs to


class Merge(_Strict):
    """A table of customers known under several ids: column ``from`` is replaced by column ``to``."""

    path: str
    old: str = Field(alias="from")
    new: str = Field(alias="to")


class Rejects(_Strict):
    """How much may be unreadable before a run stops."""

    stop_above: Share = 0.05  # of rows or of money, of any one table
    allow: bool = False  # go on above it; the report says so


class Cleaning(_Strict):
    """Declared rules for order lines; the defaults keep everything that could be a sale."""

    exact_duplicates: Literal["keep", "drop"] = "keep"
    zero_amounts: Literal["keep", "drop"] = "keep"
    negative_prices: Literal["keep", "drop"] = "drop"  # of unit_price: write-offs, neither sale nor return
    returns: Returns = Returns()
    test_orders: Patterns = {}
    staff: Patterns = {}
    pseudo_products: Patterns = {}  # postage, fees, vouchers: lines that are no product
    guests: Patterns = {}  # ids that stand for no customer: checkout without an account
    merge_customers: Merge | None = None
    minimum_order: Annotated[float, Field(gt=0)] | None = None  # smaller orders are removed
    rates: dict[str, Annotated[float, Field(gt=0)]] | str = {}  # currency → its worth in the report's; or a file
    outliers: Annotated[float, Field(gt=0)] = 6  # robust standard deviations of log amount; flagged, never removed
    rejects: Rejects = Rejects()

    @model_validator(mode="after")
    def _patterns_compile(self) -> "Cleaning":
        given = {"returns.where": self.returns.where, "test_orders": self.test_orders, "staff": self.staff,
                 "pseudo_products": self.pseudo_products, "guests": self.guests}  # fmt: skip
        for where, patterns in given.items():
            for column, pattern in patterns.items():
                try:
                    re.compile(pattern)
                except re.error as error:
                    raise ValueError(
                        f"cleaning.{where}.{column}: '{pattern}' is no regular expression: {error}"
                    ) from None
        return self


class Cutoff(_Strict):
    """Where a quadrant's axis is cut: a quantile of the customers with any value, or an absolute figure."""

    kind: Literal["quantile", "absolute"] = "quantile"
    at: float = 0.5

    @model_validator(mode="after")
    def _quantile_inside(self) -> "Cutoff":
        if self.kind == "quantile" and not 0 < self.at < 1:
            raise ValueError(f"a quantile lies between 0 and 1, not at {self.at}")
        return self


class Cutoffs(_Strict):
    """The cut lines of the quadrant map."""

    value: Cutoff = Cutoff()
    potential: Cutoff = Cutoff()


class Strategy(_Strict):
    """What is done with a quadrant's customers."""

    action: str
    budget_share: Share
    channel: str
    owner: str
    cadence: str


DEFAULT_STRATEGIES = {
    "growth_stock": Strategy(
        action="bet heavily: next-best category, named contact, early access",
        budget_share=0.45,
        channel="personal contact",
        owner="account manager",
        cadence="monthly",
    ),
    "cash_cow": Strategy(
        action="maintain with care: service, recognition, no discounting",
        budget_share=0.25,
        channel="service and loyalty programme",
        owner="customer care",
        cadence="quarterly",
    ),
    "sleeping_gold": Strategy(
        action="wake: a reason to return, tested against a hold-out",
        budget_share=0.25,
        channel="campaign with a hold-out group",
        owner="marketing",
        cadence="two tests a quarter",
    ),
    "low_yield": Strategy(
        action="spend less: automate, no paid contact",
        budget_share=0.05,
        channel="automated e-mail",
        owner="nobody by name",
        cadence="only on the customer's own action",
    ),
}


class Churn(_Strict):
    """When silence counts as lapsed."""

    silence_quantile: Annotated[float, Field(gt=0.5, lt=1)] = 0.95


class Potential(_Strict):
    """The potential score: weights of the four looks, timing weights of the stages, cuts and strategies."""

    weights: dict[str, Share] = {"wallet": 0.30, "cross_buy": 0.25, "engagement": 0.20, "lifecycle": 0.25}
    cutoffs: Cutoffs = Cutoffs()
    timing: dict[str, Share] = {"new": 0.8, "growing": 1.0, "mature": 0.6, "declining": 0.5, "lapsed": 0.2}
    wallet_quantile: Annotated[float, Field(gt=0.5, lt=1)] = 0.9
    wallet_attributes: list[str] = []
    engagement_half_life_days: Annotated[float, Field(gt=0)] = 90
    strategies: dict[str, Strategy] = DEFAULT_STRATEGIES

    @model_validator(mode="after")
    def _complete(self) -> "Potential":
        parts: list[tuple[str, Iterable[str], tuple[str, ...]]] = [
            ("weights", self.weights, LOOKS),
            ("timing", self.timing, STAGES),
            ("strategies", self.strategies, QUADRANTS),
        ]
        for key, given, known in parts:
            problems = [unknown_key(name, known, f"potential.{key}") for name in given if name not in known]
            problems += [f"potential.{key} lacks '{name}'" for name in known if name not in given]
            if problems:
                raise ValueError("; ".join(problems))
        if abs(sum(self.weights.values()) - 1) > 1e-6:
            raise ValueError(f"potential.weights must sum to 1, not to {sum(self.weights.values()):.4g}")
        return self


class Parameters(_Strict):
    """All that changes between clients. See ``parameters/demo.yaml`` for a commented example."""

    client: str
    title: str
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    as_of: dt.date
    prepared_by: str = ""
    scope: str = ""
    language: Literal["en"] = "en"
    locale: Locale = "en"  # where the files come from: decides how text that is not UTF-8 is read
    time_zone: str = "UTC"  # the clock by which an order's day is told
    pseudonymise: bool = False  # customer ids become keyed digests, names are not read
    pseudonym_key: str = "PERENNIAL_KEY"  # the name of the environment variable with the key
    sources: dict[str, Source]
    cleaning: Cleaning = Cleaning()
    cohort_period: Literal["week", "month", "quarter"] = "month"
    horizon_months: Annotated[int, Field(ge=1, le=120)] = 12
    discount_rate: Annotated[float, Field(ge=0, lt=1)] = 0.10
    gross_margin: Annotated[float, Field(gt=0, le=1)] = 0.30
    margin_by: Literal["set", "data"] | dict[str, Share] = "set"  # gross_margin, the margin column, or by category
    holdout_days: Annotated[int, Field(ge=14)] | None = None
    minimum_group: Annotated[int, Field(ge=1)] = 10
    interval: Annotated[float, Field(gt=0.5, lt=1)] = 0.90
    seed: int = 1
    contractual: Literal["auto"] | bool = "auto"
    purchase_model: Literal["auto"] | ModelName = "auto"  # which forecasts purchases; auto: the evidence decides
    purchase_by: Annotated[str, Field(min_length=1)] = "auto"  # auto, none, cohort, or a column of the customers table
    acquisition_cost: Cost | dict[str, Cost] | None = None  # of a new customer, in currency: one, or by source
    chapters: list[str] = list(CHAPTERS)
    churn: Churn = Churn()
    potential: Potential = Potential()

    @model_validator(mode="after")
    def _tables_and_chapters(self) -> "Parameters":
        problems = [unknown_key(t, TABLES, "sources") for t in self.sources if t not in TABLES]
        if "transactions" not in self.sources:
            problems.append("sources needs 'transactions': no report is possible without orders")
        for name, source in self.sources.items():
            problems += _mapping_problems(name, source)
        problems += [unknown_key(c, CHAPTERS, "chapters") for c in self.chapters if c not in CHAPTERS]
        problems += _grouping_problems(self.purchase_by, self.sources.get("customers"))
        problems += _margin_problems(self.margin_by, self.sources.get("transactions"))
        if problems:
            raise ValueError("\n".join(problems))
        return self


def _mapping_problems(name: str, source: Source) -> Iterator[str]:
    if name not in TABLES:
        return
    table = TABLES[name]
    known = [*table.columns, *table.inputs]
    for column in source.columns:
        if column not in known:
            yield unknown_key(column, known, f"sources.{name}.columns")
    priced = {"quantity", "unit_price"} <= set(source.columns)
    for column in table.required:
        if column not in source.columns and not (column == "amount" and priced):
            also = " (or 'quantity' and 'unit_price')" if column == "amount" else ""
            yield f"sources.{name}.columns lacks '{column}'{also}, which every {name} table needs"
    if source.attributes and not table.takes_attributes:
        yield f"sources.{name}.attributes: only customers and leads take attributes"


def _margin_problems(asked: str | dict[str, float], transactions: Source | None) -> Iterator[str]:
    """What is wrong with ``margin_by``: a column that it needs is not mapped."""
    needed = "margin" if asked == "data" else "category" if isinstance(asked, dict) else ""
    if needed and transactions is not None and needed not in transactions.columns:
        yield f"margin_by needs the column '{needed}', which sources.transactions.columns does not map"


def _grouping_problems(asked: str, customers: Source | None) -> Iterator[str]:
    """What is wrong with ``purchase_by``: a column that nobody maps, or one that parts nobody."""
    known = ["auto", "none", COHORT]
    if customers is not None:
        known += [column for column in ("segment", "source", "region") if column in customers.columns]
        known += customers.attributes
    if asked not in known:
        near = difflib.get_close_matches(asked, known, n=1, cutoff=0.5)
        hint = f"did you mean '{near[0]}'?" if near else f"valid: {', '.join(known)}"
        yield f"purchase_by: no grouping '{asked}'; {hint}"


def unknown_key(name: str, known: Iterable[str], where: str) -> str:
    """The sentence about a key nobody knows, with the nearest one that is known."""
    known = list(known)
    near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.5)
    hint = f"did you mean '{near[0]}'?" if near else f"valid: {', '.join(known)}"
    return f"{where}: unknown key '{name}'; {hint}" if where else f"unknown key '{name}'; {hint}"
