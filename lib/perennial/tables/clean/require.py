"""When no report is possible: nothing left to use, or too much that cannot be read."""

from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import ibis.expr.types as ir
import pyarrow as pa

from perennial.errors import InputError
from perennial.parameters import Parameters
from perennial.spreadsheets import write_csv
from perennial.tables.audit import RuleCount
from perennial.tables.clean.masking import mask
from perennial.tables.clean.rules import MEANINGS

_SHOWN_REASONS, _SHOWN_LINES = 3, 3


def require_rows(parameters: Parameters, table: str, raw: ir.Table, rules: list[RuleCount]) -> list[str]:
    """Stop where no order is left; a warning where another table is left empty or ids repeat."""
    removed = {rule.rule: rule.rows for rule in rules if rule.rule != "used" and rule.rows}
    if any(rule.rule == "used" for rule in rules):
        repeated = removed.get("repeated_id")
        return [f"{table}: {repeated} rows repeat an id; the first row of each was kept"] if repeated else []
    reasons = "; ".join(f"{rows} × {MEANINGS[rule]}" for rule, rows in removed.items())
    if table != "transactions":
        return [f"{table}: no usable row is left ({reasons})"]
    raise InputError(
        f"{parameters.client}, transactions: no usable order line is left ({reasons}). "
        f"{_advice(removed, parameters, raw)}"
    )


def told_of_cancelled_orders(rules: list[RuleCount]) -> list[str]:
    """The doubt about returns whose amount is above zero: only who wrote the file knows what they are."""
    found = next((rule for rule in rules if rule.rule == "cancelled_order" and rule.rows), None)
    if found is None:
        return []
    one, many = "line, worth {money:,.2f}, is", "lines, worth {money:,.2f}, are"
    said = (one if found.rows == 1 else many).format(money=found.money)
    return [
        f"{found.table}: {found.rows:,} {said} marked as cancelled or returned, with an amount above zero: removed as "
        "orders that never came about. If refunds are written without a minus there, the sales they give back still "
        "count"
    ]


def _advice(removed: dict[str, int], parameters: Parameters, raw: ir.Table) -> str:
    worst = max(removed, key=lambda rule: removed[rule])
    if worst == "bad_date":
        sample = _sample(raw, "ordered_at")
        return f"Dates look like '{sample}': declare their format under sources.transactions.columns.ordered_at."
    if worst == "bad_amount" and "amount" in raw.columns:
        sample = _sample(raw, "amount")
        return f"Amounts look like '{sample}': map sources.transactions.columns.amount to a column of numbers."
    if worst == "after_as_of":
        return f"as_of is {parameters.as_of.isoformat()}: set it to the last day the data covers."
    if worst in ("zero_amount", "returned", "cancelled", "only_returns"):
        return "A report needs sales: check that 'amount' is what the customer paid, with sales above zero."
    return "Check sources.transactions in the parameters against the file."


def _sample(raw: ir.Table, column: str) -> str:
    found = raw.select(text=raw[column].cast("string")).limit(1).to_pyarrow()["text"].to_pylist()
    return mask(found[0] or "") if found else ""


def require_readable(
    parameters: Parameters,
    table: str,
    rows: tuple[int, int],
    money: tuple[Decimal, Decimal],
    rejects: pa.Table,
    root: Path,
) -> list[str]:
    """Stop where too much cannot be read, unless the parameters allow it; then a warning.

    Parameters
    ----------
    rows, money : of the rejected rows, and of all; money without its sign.
    root : the project's folder; where a run stops, the whole list stays in its cache.

    Raises
    ------
    InputError
        Naming the commonest reasons with their first lines, where all of them are listed, and both ways out.
    """
    limit = parameters.cleaning.rejects
    shares = [float(part / whole) if whole else 0.0 for part, whole in (rows, money)]
    if max(shares) <= limit.stop_above:
        return []
    told = f"{rows[0]:,} of {rows[1]:,} rows ({shares[0]:.1%})"
    if shares[1] > limit.stop_above:
        told += f", with {shares[1]:.1%} of the money,"
    told = f"{told} cannot be read: {_reasons(rejects)}"
    if limit.allow:
        return [f"{table}: {told}. The rest is used, because the parameters allow it (cleaning.rejects.allow)."]
    raise InputError(
        f"{parameters.client}, {table}: {told}. All are listed in {_leave_list(parameters.client, rejects, root)}. "
        f"That is more than {limit.stop_above:.1%} (cleaning.rejects.stop_above). Mend the file or how the columns are "
        "declared; or, to go on without these rows, add `cleaning: {rejects: {allow: true}}` or a higher stop_above."
    )


def _leave_list(client: str, rejects: pa.Table, root: Path) -> str:
    """Write the rejects where the client's tables would be kept, in place of an earlier list; the path to show."""
    shown = f".cache/{client}/rejects.csv"
    place = root / shown
    fresh = place.with_name(".rejects.new")
    write_csv(rejects.to_pandas(), fresh)
    fresh.replace(place)
    return shown


def _reasons(rejects: pa.Table) -> str:
    lines: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    several = len(set(rejects["file"].to_pylist())) > 1
    for row in rejects.to_pylist():
        place = f"{row['line']} of {row['file']}" if several else str(row["line"])
        lines[row["reason"], row["column"]].append(place)
    worst = sorted(lines.items(), key=lambda item: -len(item[1]))[:_SHOWN_REASONS]
    return "; ".join(
        f"{len(places):,} × {reason}{f' in {column!r}' if column else ''} "
        f"({'line' if len(places) == 1 else 'lines'} {', '.join(places[:_SHOWN_LINES])}"
        f"{', …' if len(places) > _SHOWN_LINES else ''})"
        for (reason, column), places in worst
    )
