"""What a run does around its notebooks, in worker processes: warm the client's caches, write the customers' files."""

import os
from pathlib import Path
from typing import Any

from perennial.analysis.reconciliation import in_short
from perennial.errors import ModelError
from perennial.report.excel import write_workbook
from perennial.report.findings import write_json, write_table


def prepare_client(name: str, root: str) -> dict[str, Any]:
    """Make tables and shared results once, and say what the report's cover and provenance need.

    Raises
    ------
    ParameterError, InputError : no report is possible, with what to mend.
    """
    client = _open(name, root, refresh=True)
    notes = [note for what in ("value", "potential") if (note := _warm(client, what))]
    orders = client.audit.rows("transactions")
    return {
        "first": orders.first,
        "last": orders.last,
        "customers": orders.customers,
        "inputs": [vars(file) for file in client.audit.files],
        "tables": [vars(table) for table in client.audit.tables],
        "cleaning": [vars(rule) for rule in client.audit.rules],
        "warnings": [*client.audit.warnings, *notes],
        "parameters": client.parameters.model_dump(mode="json"),
    }


def write_customers(name: str, root: str, folder: str) -> int:
    """Write what a run leaves beside its chapters into a folder; the number of customers.

    ``customers.parquet``, ``customers.xlsx``, ``clv_model.json``, and ``rejects.csv`` (its header alone where all could
    be read).
    """
    client = _open(name, root)
    place = Path(folder)
    try:
        write_json(client.value.to_dict(), place / "clv_model.json")
    except ModelError as error:
        write_json({"model": None, "reason": str(error)}, place / "clv_model.json")
    write_table(in_short(client.rejects()), place / "rejects.csv")
    customers = client.customers()
    customers.to_parquet(str(place / "customers.parquet"), compression="zstd")
    return write_workbook(customers, place / "customers.xlsx", client.parameters)


def _open(name: str, root: str, refresh: bool = False) -> Any:
    os.environ["PERENNIAL_HOME"] = root
    from perennial.client import open_client
    from perennial.language import set_language

    client = open_client(name, Path(root), refresh)
    set_language(client.parameters.language)
    return client


def _warm(client: Any, what: str) -> str:
    try:
        getattr(client, what)
    except ModelError as error:
        return str(error)
    return ""
