"""Who removed what: rows leave by the first rule that applies, and every one that left is kept account of."""

from decimal import Decimal
from functools import cached_property
from typing import Any

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from perennial.tables.audit import RuleCount
from perennial.tables.clean.rules import MEANINGS, REJECTING, ROW

_BAD = "_bad_"
_NOTHING = Decimal(0)


class Ledger:
    """Rows of one table on their way from raw to used.

    Attributes
    ----------
    rows : all rows as they arrived, each with its place ``_row``.
    left : the rows that no rule has removed yet.
    found : rule → the rows it applies to, whichever rule removes them; only rules that apply to any.
    marks : flag → the rows it marks; only flags that mark any.
    unreadable : column → its cells that could not be read, where there are any.
    sorted : whether ``left`` is certain to be in the order of the file.
    """

    def __init__(
        self,
        engine: Backend,
        table: str,
        rows: ir.Table,
        conditions: dict[str, ir.BooleanValue],
        marks: dict[str, ir.BooleanValue],
    ):
        self.engine, self.table, self.rows = engine, table, rows
        measured = self._measure(conditions, marks)
        self.marks = {flag: where for flag, where in marks.items() if measured[f"mark:{flag}"]}
        self.raw_rows, self.raw_money, self._raw_size = measured["rows"], measured["money"], measured["size"]
        self.found = {rule: measured[f"rule:{rule}"] for rule in conditions if measured[f"rule:{rule}"]}
        self.unreadable = {
            name.removeprefix(_BAD): measured[name] for name in rows.columns if name.startswith(_BAD) and measured[name]
        }
        self.conditions = {rule: conditions[rule] for rule in self.found}
        self.left, self.sorted = rows, True
        self._removed: list[ir.Table] = []
        if self.found:
            self._remove_by_conditions()

    def _measure(self, conditions: dict[str, ir.BooleanValue], marks: dict[str, ir.BooleanValue]) -> dict[str, Any]:
        """All counts over all rows in one query."""
        rows = self.rows
        measures: dict[str, ir.Value] = {f"rule:{rule}": where.sum() for rule, where in conditions.items()}
        measures |= {f"mark:{flag}": where.any() for flag, where in marks.items()}
        measures |= {name: rows[name].count() for name in rows.columns if name.startswith(_BAD)}
        measures["rows"] = rows.count()
        if "amount" in rows.columns:
            measures |= {"money": rows.amount.sum(), "size": rows.amount.abs().sum()}
        row: dict[str, Any] = rows.aggregate(**measures).to_pyarrow().to_pylist()[0]
        nothing = {**dict.fromkeys(measures, 0), "money": _NOTHING, "size": _NOTHING}
        return {**nothing, **{name: value for name, value in row.items() if value is not None}}

    def _remove_by_conditions(self) -> None:
        any_rule = ibis.or_(*self.conditions.values())
        first = ibis.cases(*[(where, rule) for rule, where in self.conditions.items()])
        self._keep_account(self.rows.mutate(rule=first, _gone=any_rule).filter(lambda t: t._gone))
        self.left = self.rows.filter(~any_rule)

    def _keep_account(self, gone: ir.Table) -> int:
        columns = [name for name in ("customer_id", "amount") if name in gone.columns]
        name = f"removed_{self.table}_{len(self._removed)}"
        kept = self.engine.create_table(name, gone.select(ROW, "rule", *columns), temp=True, overwrite=True)
        self._removed.append(kept)
        return int(kept.count().execute())

    def remove(self, rule: str, places: ir.Table) -> int:
        """Remove rows by their places under a rule that needs more than one row to tell; how many."""
        rows = self._keep_account(self.left.semi_join(places, ROW).mutate(rule=ibis.literal(rule)))
        if rows:
            self.left = self.left.anti_join(places, ROW)
            self.sorted = False
        return rows

    @cached_property
    def customers(self) -> ir.Table:
        """One row per ``customer_id`` with the count of its ``lines`` among all rows."""
        named = self.rows.filter(self.rows.customer_id.notnull())
        counted = named.group_by("customer_id").agg(lines=lambda t: t.count())
        return self.engine.create_table(f"customers_{self.table}", counted, temp=True, overwrite=True)

    def _used_customers(self) -> int:
        """All customers but those who lost every row: the few removed rows tell, the many used ones need no count."""
        if "customer_id" not in self.rows.columns:
            return 0
        customers = int(self.customers.count().execute())
        if not self._removed:
            return customers
        gone = self._gone().group_by("customer_id").agg(gone=lambda t: t.count())
        both = gone.join(self.customers, "customer_id")
        return customers - int(both.filter(both.gone == both.lines).count().execute())

    def _gone(self) -> ir.Table:
        gone = self._removed[0]
        for more in self._removed[1:]:
            gone = gone.union(more)
        return gone

    @cached_property
    def removed(self) -> dict[str, dict[str, Any]]:
        """Rule → ``rows, customers, money, below`` (the money on lines below zero) of the rows it removed."""
        if not self._removed:
            return {}
        gone = self._gone()
        measures: dict[str, ir.Value] = {"rows": gone.count()}
        if "customer_id" in gone.columns:
            measures["customers"] = gone.customer_id.nunique()
        if "amount" in gone.columns:
            measures |= {"money": gone.amount.sum(), "below": gone.amount.clip(upper=0).sum()}
        rows = gone.group_by("rule").agg(**measures).to_pyarrow().to_pylist()
        return {row["rule"]: row for row in rows}

    def count(self, malformed: int) -> list[RuleCount]:
        """Rows, customers and money per rule in the order the rules apply, ``"used"`` first.

        ``malformed`` lines never became rows: they count as raw rows without money.
        """
        gone = self.removed
        rows = self.raw_rows - sum(row["rows"] for row in gone.values())
        money, below = (
            whole - sum(((row.get(key) or _NOTHING) for row in gone.values()), _NOTHING)
            for key, whole in (("money", self.raw_money), ("below", (self.raw_money - self.raw_size) / 2))
        )
        counted = {"used": (rows, self._used_customers(), money, below)} if rows else {}
        counted |= {"malformed": (malformed, 0, _NOTHING, _NOTHING)} if malformed else {}
        empty = self.found.get("blank_row", 0) + self.found.get("header_repeated", 0)  # miss all that is required
        taken = {rule: (0, 0, _NOTHING, _NOTHING) for rule, count in self.found.items() if count > empty}
        counted |= taken  # rules that apply to rows of which others took every one
        for rule, row in gone.items():
            worth = (row.get("money") or _NOTHING, row.get("below") or _NOTHING)
            counted[rule] = (row["rows"], row.get("customers") or 0, *worth)
        return [
            RuleCount(
                self.table,
                rule,
                meaning,
                counted[rule][0],
                counted[rule][1],
                round(float(counted[rule][2]), 4) if "amount" in self.rows.columns else None,
                self.found.get(rule, counted[rule][0]),
                round(float(counted[rule][3]), 4),
            )
            for rule, meaning in MEANINGS.items()
            if rule in counted
        ]

    def rejected(self, malformed: int) -> tuple[int, Decimal]:
        """Rows that could not be read, empty ones apart, and the money on them without its sign."""
        gone = [row for rule, row in self.removed.items() if rule in REJECTING and rule != "blank_row"]
        size = sum(((row.get("money") or _NOTHING) - 2 * (row.get("below") or _NOTHING) for row in gone), _NOTHING)
        return malformed + sum(row["rows"] for row in gone), size

    @property
    def raw_size(self) -> Decimal:
        """Money on all rows without its sign."""
        return Decimal(self._raw_size or 0)
