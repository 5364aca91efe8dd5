"""Amounts: foreign money converted to the report's currency, and totals compared with quantity × unit price."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from pathlib import Path

import ibis
import ibis.expr.datatypes as ds
import ibis.expr.types as ir

from perennial.errors import InputError
from perennial.parameters import Source
from perennial.tables.files import locate
from perennial.tables.files.raw import FILE
from perennial.tables.files.request import Request
from perennial.tables.parse.numbers import times

_RATE = ds.Decimal(18, 10)
_CENT = Decimal("0.01")
_OF_MONEY = ("amount", "margin", "discount", "unit_price")


def compare_amounts(rows: ir.Table, source: Source) -> ir.Table:
    """``_mismatch`` where a given amount is not quantity × unit price.

    A difference beyond a cent counts, before and after the line's discount where there is one.
    """
    if not {"quantity", "unit_price", "amount"} <= set(source.columns):
        return rows
    product = times(rows.quantity.try_cast(ds.Decimal(18, 4)), rows.unit_price)
    off = (rows.amount - product).abs() > _CENT
    if "discount" in rows.columns:
        off = off & ((rows.amount + rows.discount.fill_null(Decimal(0)) - product).abs() > _CENT)
    return rows.mutate(_mismatch=off.fill_null(False))


def convert(rows: ir.Table, request: Request, rates: Mapping[str, float] | str, currency: str) -> ir.Table:
    """Money in the report's currency; ``_converted`` marks lines in another, ``_no_rate`` those without a rate.

    Parameters
    ----------
    rates : currency → worth of one unit in the report's currency, or the path of a table with the columns
        ``currency``, ``rate`` and, where rates change, ``date``: the first day each is valid.
    currency : the report's own, worth 1.
    """
    if "currency" not in rows.columns:
        return rows
    code = rows.currency.upper()
    if isinstance(rates, str):
        rows, rate = _dated(rows, code, request, _read_rates(request, rates), currency)
    else:
        known = {name.upper(): Decimal(str(worth)) for name, worth in rates.items()} | {currency: Decimal(1)}
        rate = _rate_of(code, known)
    money = {name: times(rows[name], rate).try_cast(rows[name].type()) for name in _OF_MONEY if name in rows.columns}
    marks = {"_no_rate": rate.isnull(), "_converted": rate.notnull() & (code != currency)}
    fresh = rows.mutate(**money, **{name: mark.fill_null(False) for name, mark in marks.items()})
    return fresh.drop("_rate") if "_rate" in fresh.columns else fresh


def _rate_of(code: ir.StringValue, known: Mapping[str, Decimal]) -> ir.DecimalValue:
    cases = [(code == name, ibis.literal(worth, _RATE)) for name, worth in known.items()]
    return ibis.cases(*cases, else_=ibis.null(_RATE))


_Row = tuple[str, dt.date, Decimal]


def _dated(
    rows: ir.Table, code: ir.StringValue, request: Request, table: list[_Row], currency: str
) -> tuple[ir.Table, ir.DecimalValue]:
    """Each line with the rate valid on its day: the latest that began on or before it."""
    always = dt.date(1, 1, 1)
    table = [row for row in table if row[0] != currency] + [(currency, always, Decimal(1))]
    if all(since == always for _, since, _ in table):
        return rows, _rate_of(code, {name: worth for name, _, worth in table})
    ends = {(name, since): dt.date(9999, 12, 31) for name, since, _ in table}
    for name, since, _ in table:
        later = [other for known, other, _ in table if known == name and other > since]
        ends[name, since] = min(later, default=ends[name, since])
    spans = [(name, since, ends[name, since], worth) for name, since, worth in table]
    schema = {"_code": "string", "_since": "date", "_until": "date", "_rate": _RATE}
    small = request.engine.create_table("rates", ibis.memtable(spans, schema=schema), temp=True, overwrite=True)
    rows = rows.mutate(_code=code)
    day = rows.ordered_at.cast("date")
    joined = rows.left_join(small, [rows._code == small._code, day >= small._since, day < small._until])
    joined = joined.select(*[rows[name] for name in rows.columns if name != "_code"], small._rate)
    return joined, joined._rate


def _read_rates(request: Request, path: str) -> list[_Row]:
    from perennial.tables.read import open_files

    place = locate.lookup_place(path, request.root)
    beside = replace(request, source=Source(path=path, columns={}))
    have = open_files(beside, [place], None).rows
    beside.require(Path(path).name, have.columns, ["currency", "rate"])
    kept = [name for name in have.columns if name != FILE]
    found = []
    for number, row in enumerate(have.select(*kept).to_pyarrow().to_pylist(), start=2):
        try:
            since = dt.date.fromisoformat(str(row["date"]).strip()[:10]) if row.get("date") else dt.date(1, 1, 1)
            worth = Decimal(str(row["rate"]).strip())
            if not 0 < worth < 10**8:
                raise ValueError
        except (ValueError, InvalidOperation):
            raise InputError(
                f"{request.client}: {Path(path).name}, row {number}: a table of rates needs a currency, a rate above "
                "zero written like 0.92 and, where rates change, a date written like 2024-12-31"
            ) from None
        found.append((str(row["currency"]).strip().upper(), since, worth))
    return found
