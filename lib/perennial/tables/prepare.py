"""From a client's files to cached canonical tables: read, parse, clean, count, write.

The cache is keyed by the contents of the input files, the parameters that matter here and this package's own code, so a
table is made again exactly when it could differ.
"""

from pathlib import Path

import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from perennial.errors import InputError, ParameterError
from perennial.parameters import Parameters
from perennial.schema import TABLES
from perennial.tables import audit, engine, read
from perennial.tables.cache import cached_folder, code_fingerprint, fingerprint, sha256
from perennial.tables.clean import rules as clean
from perennial.tables.files import locate
from perennial.tables.files.request import Request
from perennial.tables.parse.columns import parse_columns
from perennial.tables.summary import customer_summary

# Keys that change nothing in the tables; all others make them anew.
_NOT_OF_TABLES = {
    "title", "prepared_by", "scope", "language", "cohort_period", "horizon_months", "discount_rate", "gross_margin",
    "holdout_days", "minimum_group", "interval", "seed", "contractual", "chapters", "churn", "potential",
}  # fmt: skip


def input_files(parameters: Parameters, root: Path) -> list[audit.SourceFile]:
    """Every file the client's sources read, with size and digest.

    Raises
    ------
    ParameterError
        With one sentence per file that is missing or empty.
    """
    problems = locate.missing_files(parameters, root)
    if problems:
        raise ParameterError(f"{parameters.client}.yaml cannot be used:", problems)
    digests = root / ".cache" / "digests.json"
    digests.parent.mkdir(exist_ok=True)
    return [
        audit.SourceFile(where.split(".")[1], place.name, place.path.stat().st_size, sha256(place.path, digests))
        for where, path in locate.declared_paths(parameters)
        for place in locate.places(path, root)
    ]


def prepare_tables(parameters: Parameters, root: Path, home: Path) -> Path:
    """The folder with the client's canonical tables, customer summary and audit, made now if it is not cached.

    Parameters
    ----------
    root : the project's folder, against which source paths are read.
    home : the client's cache folder.

    Raises
    ------
    InputError
        When no report is possible: no readable rows, a missing column, nothing left after cleaning.
    """
    files = input_files(parameters, root)
    part = parameters.model_dump(mode="json", exclude=_NOT_OF_TABLES)
    code = code_fingerprint([Path(__file__).parent])
    key = fingerprint([file.sha256 for file in files], part, code)
    return cached_folder(home, key, lambda folder: _make(parameters, root, files, folder))


def _make(parameters: Parameters, root: Path, files: list[audit.SourceFile], folder: Path) -> None:
    con = engine.connect()
    record = make_canonical(con, parameters, root, files, folder)
    transactions = engine.read_table(con, folder / "transactions.parquet", "transactions")
    engine.write_table(customer_summary(transactions, parameters.as_of), folder / "summary.parquet")
    record.warnings += _strangers(con, folder, record)
    record.save(folder / "audit.json")


def make_canonical(
    con: Backend, parameters: Parameters, root: Path, files: list[audit.SourceFile], folder: Path
) -> audit.Audit:
    """Write every canonical table the client gives as Parquet into a folder; what was found on the way."""
    record = audit.Audit(parameters.client, parameters.as_of.isoformat(), files)
    for table in TABLES:
        if table in parameters.sources:
            _make_table(con, parameters, table, root, folder, record)
    return record


def _make_table(
    con: Backend, parameters: Parameters, table: str, root: Path, folder: Path, record: audit.Audit
) -> None:
    source = parameters.sources[table]
    request = Request(con, parameters.client, table, source, root, folder, parameters.locale)
    raw = read.read_source(request, parameters.cleaning)
    parsed = con.create_table(f"parsed_{table}", parse_columns(raw.rows, table, source), temp=True)
    marked = clean.mark(parsed, table, parameters.cleaning, parameters.as_of)
    marked = con.create_table(f"marked_{table}", marked, temp=True)
    rules = clean.count_rules(marked, table)
    used = clean.keep_used(marked, table)
    if table == "transactions" and parameters.cleaning.exact_duplicates == "keep":
        record.warnings += _kept_duplicates(used)
    _require_rows(parameters, table, raw.rows, rules, record)
    engine.write_table(used, folder / f"{table}.parquet")
    written = engine.read_table(con, folder / f"{table}.parquet", f"clean_{table}")
    record.rules += rules
    record.tables.append(audit.describe(written, table, sum(rule.rows for rule in rules)))
    con.drop_table(f"marked_{table}")
    con.drop_table(f"parsed_{table}")


def _kept_duplicates(used: ir.Table) -> list[str]:
    """Say how many order lines equal an earlier one in every column used, and what they are worth."""
    columns = [name for name in used.columns if name != "ordered_on"]
    copies = used.group_by(columns).agg(_more=used.count() - 1).filter(lambda t: t._more > 0)
    row = copies.aggregate(lines=copies._more.sum(), money=(copies._more * copies.amount).sum().cast("float64"))
    found = row.to_pyarrow().to_pylist()[0]
    lines = int(found["lines"] or 0)
    if not lines:
        return []
    one, many = "line, worth {money:,.2f}, equals", "lines, worth {money:,.2f}, equal"
    said = (one if lines == 1 else many).format(money=found["money"])
    kept = "it is kept" if lines == 1 else "they are kept"
    return [f"transactions: {lines:,} {said} an earlier line in every column used; {kept} (cleaning.exact_duplicates)"]


def _require_rows(
    parameters: Parameters, table: str, raw: ir.Table, rules: list[clean.RuleCount], record: audit.Audit
) -> None:
    """Stop where no order is left; say it and go on where another table is left empty."""
    removed = {rule.rule: rule.rows for rule in rules if rule.rule != "used"}
    if any(rule.rule == "used" for rule in rules):
        for rule, told in [("repeated_id", "repeat an id; the first row of each was kept")]:
            if rule in removed:
                record.warnings.append(f"{table}: {removed[rule]} rows {told}")
        return
    reasons = "; ".join(f"{rows} × {clean.RULES[rule]}" for rule, rows in removed.items())
    if table != "transactions":
        record.warnings.append(f"{table}: no usable row is left ({reasons})")
        return
    raise InputError(
        f"{parameters.client}, transactions: no usable order line is left ({reasons}). "
        f"{_advice(removed, parameters, raw)}"
    )


def _advice(removed: dict[str, int], parameters: Parameters, raw: ir.Table) -> str:
    worst = max(removed, key=lambda rule: removed[rule])
    if worst == "bad_date":
        sample = raw.ordered_at.cast("string").as_table().limit(1).execute().iloc[0, 0]
        return f"Dates look like '{sample}': declare their format under sources.transactions.columns.ordered_at."
    if worst == "bad_amount":
        sample = raw.amount.cast("string").as_table().limit(1).execute().iloc[0, 0]
        return f"Amounts look like '{sample}': map sources.transactions.columns.amount to a column of numbers."
    if worst == "after_as_of":
        return f"as_of is {parameters.as_of.isoformat()}: set it to the last day the data covers."
    if worst in ("zero_amount", "negative_amount", "only_returns"):
        return "A report needs sales: check that 'amount' is what the customer paid, with sales above zero."
    return "Check sources.transactions in the parameters against the file."


def _strangers(con: Backend, folder: Path, record: audit.Audit) -> list[str]:
    """Warn of side tables whose customers never appear among the orders."""
    summary = engine.read_table(con, folder / "summary.parquet", "summary")
    warnings = []
    for facts in record.tables:
        if facts.table in ("transactions", "leads") or not facts.customers:
            continue
        side = con.table(f"clean_{facts.table}").select("customer_id").distinct()
        unknown = int(side.anti_join(summary, "customer_id").count().execute())
        if unknown:
            warnings.append(f"{facts.table}: {unknown:,} of {facts.customers:,} customers have no order")
    return warnings
