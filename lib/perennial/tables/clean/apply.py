"""Parsed rows → the rows that every analysis uses, with an account of all others."""

from dataclasses import dataclass
from decimal import Decimal

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from perennial.errors import ParameterError
from perennial.parameters import Cleaning, Parameters
from perennial.schema import TABLES
from perennial.tables import pseudonyms
from perennial.tables.audit import Flag, RuleCount
from perennial.tables.clean import flags, groups, personal, rejects, require, returns
from perennial.tables.clean.amounts import compare_amounts, convert
from perennial.tables.clean.ledger import Ledger
from perennial.tables.clean.merging import merge_customers
from perennial.tables.clean.rules import REJECTING, ROW, conditions
from perennial.tables.files.raw import Raw, Reject
from perennial.tables.files.request import Request


@dataclass(frozen=True)
class Cleaned:
    """One table after cleaning.

    Attributes
    ----------
    used : the canonical rows, not yet computed.
    rules : what each rule removed; with ``"used"``, first, rows and money add up to what arrived exactly.
    flags : what was marked and kept.
    rejects : lines and cells that could not be read; None where all could.
    notes : sentences for the audit.
    rejected : rows that could not be read, and the money on them, without its sign, where it could be read.
    shared : ``customer_id`` of the ids that several people seem to share; None where there are none.
    """

    used: ir.Table
    rules: list[RuleCount]
    flags: list[Flag]
    rejects: pa.Table | None
    notes: list[str]
    rejected: tuple[int, Decimal]
    shared: ir.Table | None = None


def clean(request: Request, parsed: ir.Table, parameters: Parameters, raw: Raw) -> Cleaned:
    """Apply every declared rule to one parsed table, in the order of :data:`perennial.tables.clean.rules.RULES`.

    Parameters
    ----------
    parsed : a materialised table in the order of the files' lines, from ``parse_source``.

    Raises
    ------
    InputError
        When no order is left, or more cannot be read than the parameters allow.
    """
    table, cleaning = request.table, parameters.cleaning
    key = pseudonyms.read_key(parameters) if parameters.pseudonymise else None
    hidden = personal.personal_columns(parsed, table, request.source, parameters.pseudonymise)
    notes = [personal.not_read(table, name, kind, request.source) for name, kind in hidden.items()]
    placed = parsed if ROW in parsed.columns else parsed.mutate(**{ROW: parsed.rowid()})
    rows = _prepare(placed.drop(*hidden), request, parameters)
    applies = conditions(rows, table, request.source, cleaning, ibis.literal(parameters.as_of))
    signs = flags.marks_of(request.engine, rows, table, cleaning)
    ledger = Ledger(request.engine, table, rows, applies, signs.found)
    if {"_copy", "_merged", "_no_rate"} & set(rows.columns):
        ledger.sorted = False  # a join does not keep the order
    counted = _remove_by_groups(ledger, cleaning)
    malformed = raw.malformed()
    rules = ledger.count(len(malformed))
    flagged, told, shared = flags.all_flags(ledger, signs.bounds)
    notes += told + require.require_rows(parameters, table, raw.rows, rules)
    notes += require.told_of_cancelled_orders(rules)
    listed = _rejects(ledger, request, raw, malformed)
    bad, lost = ledger.rejected(len(malformed))
    if bad and listed is not None:
        whole = (ledger.raw_rows + len(malformed), ledger.raw_size)
        notes += require.require_readable(parameters, table, (bad, whole[0]), (lost, whole[1]), listed, request.root)
    used = _canonical(ledger, table)
    if key is not None:
        used = pseudonyms.pseudonymise(request.engine, used, key)
        shared = None if shared is None else pseudonyms.pseudonymise(request.engine, shared.cache(), key)
    return Cleaned(used, rules, counted + flagged, listed, notes, (bad, lost), shared)


def _prepare(rows: ir.Table, request: Request, parameters: Parameters) -> ir.Table:
    """What rules look at, in every row: amounts in one currency, merged ids, what is a return, what is a copy."""
    if request.table != "transactions":
        return merge_customers(rows, request, parameters.cleaning.merge_customers)
    # as the lines came: merged ids and converted amounts would make copies of lines that differ
    again = request.engine.create_table("copies", groups.copies(request.engine, rows), temp=True, overwrite=True)
    rows = convert(compare_amounts(rows, request.source), request, parameters.cleaning.rates, parameters.currency)
    rows = merge_customers(rows, request, parameters.cleaning.merge_customers)
    given = [rows[name] for name in ("is_return", "_cancellation") if name in rows.columns]
    returned = rows.amount < 0
    for more in given:
        returned = returned.fill_null(False) | more.fill_null(False)
    rows = rows.mutate(is_return=returned.fill_null(False))
    if not again.count().execute():
        return rows
    joined = rows.left_join(again, rows[ROW] == again[ROW], rname="{name}_copy")
    return joined.select(*[rows[name] for name in rows.columns], _copy=again[ROW].notnull())


def _remove_by_groups(ledger: Ledger, cleaning: Cleaning) -> list[Flag]:
    """The rules that need more than one row, each on what the earlier ones left."""
    key = TABLES[ledger.table].key
    if key:
        ledger.remove("repeated_id", groups.repeated_ids(ledger.engine, ledger.left, key))
    if ledger.table != "transactions":
        return []
    counted: list[Flag] = []
    if cleaning.returns.treat == "net":
        counted = _net(ledger, cleaning.returns.match)
    if cleaning.minimum_order:
        ledger.remove("below_minimum", groups.small_orders(ledger.left, cleaning.minimum_order))
    ledger.remove("only_returns", groups.only_returns(ledger.left))
    return counted


def _net(ledger: Ledger, match: str) -> list[Flag]:
    if match == "order" and "order_id" not in ledger.rows.columns:
        raise ParameterError(
            "cleaning.returns.match: order needs the order's id:",
            ["map sources.transactions.columns.order_id, or match by customer_product"],
        )
    netted = returns.net(ledger.engine, ledger.left, match)
    ledger.remove("cancelled", netted.pairs)
    marks = {"redated_return": netted.moved, "unmatched_return": netted.unmatched}
    counted = []
    for flag, places in marks.items():
        lines = ledger.left.semi_join(places, ROW)
        counted += flags.count_flags(lines, ledger.table, {flag: ibis.literal(True)})
    if netted.moved.count().execute():
        ledger.left, ledger.sorted = returns.move(ledger.left, netted.moved), False
    return counted


def _rejects(ledger: Ledger, request: Request, raw: Raw, malformed: list[Reject]) -> pa.Table | None:
    applies = {rule: where for rule, where in ledger.conditions.items() if rule in REJECTING}
    found = [rejects.rejected_lines(ledger.rows, ledger.table, applies)] if applies else []
    required = TABLES[ledger.table].required
    bad = ibis.or_(*applies.values()) if applies else None
    found += [rejects.unreadable_cells(ledger.rows, name, bad) for name in ledger.unreadable if name not in required]
    if not found and not malformed:
        return None
    return rejects.table_of(found, ledger.rows, raw, malformed, ledger.table, request.source)


def _canonical(ledger: Ledger, table: str) -> ir.Table:
    """The columns every analysis knows and the client's attributes, with the day of the order where there is one."""
    used = ledger.left if ledger.sorted else ledger.left.order_by(ROW)
    inputs = TABLES[table].inputs
    used = used.select(*[name for name in used.columns if not name.startswith("_") and name not in inputs])
    return used.mutate(ordered_on=used.ordered_at.cast("date")) if table == "transactions" else used
