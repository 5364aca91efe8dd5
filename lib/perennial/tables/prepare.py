"""From a client's files to cached canonical tables: read, parse, clean, count, write.

The cache is keyed by the contents of the input files, the parameters that matter here and this package's own code, so a
table is made again exactly when it could differ.
"""

from dataclasses import replace
from pathlib import Path

import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.backends.duckdb import Backend

from perennial.parameters import Parameters
from perennial.tables import audit, engine
from perennial.tables.cache import cached_folder, code_fingerprint, fingerprint
from perennial.tables.clean.apply import clean
from perennial.tables.files.raw import FILE, Raw, ReadFile
from perennial.tables.files.request import Request
from perennial.tables.from_lines import first_of_each, stands_in_lines
from perennial.tables.inputs import Inputs, open_inputs
from perennial.tables.parse.settle import parse_source
from perennial.tables.pseudonyms import key_fingerprint
from perennial.tables.summary import customer_summary, mark_shared_ids
from perennial.tables.unused import unused_columns

SHARED_IDS = "shared_ids.parquet"  # of customers; there only where some are
# Keys that change nothing in the tables; all others make them anew.
_NOT_OF_TABLES = {
    "title", "prepared_by", "scope", "language", "cohort_period", "horizon_months", "discount_rate", "gross_margin",
    "margin_by", "purchase_model",
    "holdout_days", "minimum_group", "interval", "seed", "contractual", "chapters", "churn", "potential",
    "purchase_by", "acquisition_cost",
}  # fmt: skip


def prepare_tables(parameters: Parameters, root: Path, home: Path, refresh: bool = False) -> Path:
    """The folder with the client's canonical tables, customer summary and audit, made now if it is not cached.

    Parameters
    ----------
    root : the project's folder, against which source paths are read.
    home : the client's cache folder.
    refresh : copy servers' tables anew; the chapters of a run read the copies its start has taken.

    Raises
    ------
    InputError
        When no report is possible: no readable rows, a missing column, nothing left after cleaning.
    """
    part = parameters.model_dump(mode="json", exclude=_NOT_OF_TABLES)
    code = code_fingerprint([Path(__file__).parent])
    secret = key_fingerprint(parameters) if parameters.pseudonymise else ""
    with open_inputs(parameters, root, refresh) as inputs:
        key = fingerprint([file.sha256 for file in inputs.files], part, code, secret)
        return cached_folder(home, key, lambda folder: _make(inputs, folder))


def _make(inputs: Inputs, folder: Path) -> None:
    record, con = make_canonical(inputs, folder), inputs.engine
    transactions = engine.read_table(con, folder / "transactions.parquet", "transactions")
    shared = folder / SHARED_IDS
    known = engine.read_table(con, shared, "shared_by_several") if shared.is_file() else None
    summary = mark_shared_ids(customer_summary(transactions, inputs.parameters.as_of), known)
    engine.write_table(summary, folder / "summary.parquet")
    record.warnings += _strangers(con, folder, record)
    record.save(folder / "audit.json")


def make_canonical(inputs: Inputs, folder: Path) -> audit.Audit:
    """Write every canonical table the client gives as Parquet into a folder; what was found on the way."""
    parameters = inputs.parameters
    record = audit.Audit(parameters.client, parameters.as_of.isoformat(), inputs.files)
    made = [_make_table(request, raw, parameters, folder, record) for request, raw in inputs.sources]
    listed = [rejects for _, rejects in made if rejects is not None]
    if listed:
        pq.write_table(pa.concat_tables(listed), folder / "rejects.parquet")
    read_files = [(request, files) for (request, _), (files, _) in zip(inputs.sources, made, strict=True)]
    record.unused = unused_columns(read_files, parameters.cleaning)
    return record


def _make_table(
    request: Request, raw: Raw, parameters: Parameters, folder: Path, record: audit.Audit
) -> tuple[list[ReadFile], pa.Table | None]:
    """Write one table and its place in the audit; its files as they were read, and the rejects on the way."""
    table = request.table
    if stands_in_lines(parameters, table):
        raw, told = first_of_each(request, raw)
        record.warnings.append(told)
    parsed = parse_source(request, raw.rows, parameters.time_zone, raw.trimmed)
    _note_files(record, table, raw, parsed.rows)
    record.columns += parsed.columns
    record.warnings += parsed.notes
    cleaned = clean(request, parsed.rows, parameters, raw)
    path = folder / f"{table}.parquet"
    engine.write_table(cleaned.used, path)
    engine.read_table(request.engine, path, f"clean_{table}")
    if cleaned.shared is not None:
        engine.write_table(cleaned.shared, folder / SHARED_IDS)
    record.rules += cleaned.rules
    record.flags += cleaned.flags
    record.warnings += cleaned.notes
    raw_rows = sum(rule.rows for rule in cleaned.rules)
    customers = sum(rule.customers for rule in cleaned.rules if rule.rule == "used")
    rejected, lost = cleaned.rejected
    money = float(lost) if table == "transactions" else None
    record.tables.append(audit.describe(path, table, raw_rows, customers, rejected, money))
    request.engine.drop_table(f"parsed_{table}")
    return raw.files, cleaned.rejects


def _note_files(record: audit.Audit, table: str, raw: Raw, rows: ir.Table) -> None:
    """Add to the files of a table how they were read and how many records each held; sheets are told apart in notes."""
    if len(raw.files) == 1:
        records = {0: int(rows.count().to_pyarrow().as_py())}
    else:
        counted = rows.group_by(FILE).agg(n=rows.count()).to_pyarrow().to_pylist()
        records = {row[FILE]: int(row["n"]) for row in counted}
    for place, file in enumerate(record.files):
        parts = [
            (part, records.get(number, part.rows))
            for number, part in enumerate(raw.files)
            if file.table == table and _is_within(part.name, file.path)
        ]
        if parts:
            notes = list(dict.fromkeys([*file.notes, *(note for part, _ in parts for note in part.notes)]))
            if len(parts) > 1:
                notes += [f"{part.name.removeprefix(file.path).lstrip('#: ')}: {count:,} rows" for part, count in parts]
            total = sum(count for _, count in parts)
            record.files[place] = replace(file, encoding=parts[0][0].encoding, rows=total, notes=notes)


def _is_within(name: str, path: str) -> bool:
    """Whether something read is a file itself, a sheet of it (``a.xlsx#May``) or a member (``a.zip: may.csv``)."""
    return name == path or name.startswith((f"{path}#", f"{path}: "))


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
