"""``open_client("cdnow")``: parameters, tables and fitted results of one client. What every notebook opens first.

Tables and results are made once, cached on disk and shared by all chapters and processes; opening a prepared
client takes seconds.
"""

import difflib
import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir

from perennial.errors import MissingTableError, ModelError, ParameterError
from perennial.parameter_file import CLIENT_NAME, load_parameters
from perennial.parameters import Parameters
from perennial.schema import UNLOCKS
from perennial.tables import engine
from perennial.tables.audit import REJECT_COLUMNS, Audit
from perennial.tables.cache import cached_folder, code_fingerprint, fingerprint
from perennial.tables.prepare import prepare_tables

if TYPE_CHECKING:
    import pandas as pd

    from perennial.analysis.potential import PotentialResult
    from perennial.analysis.value import ValueResult

ANALYSIS = Path(__file__).parent / "analysis"


def project_root() -> Path:
    """The workbook's folder: ``PERENNIAL_HOME``, else the nearest above with ``parameters/``, else the checkout."""
    if os.environ.get("PERENNIAL_HOME"):
        return Path(os.environ["PERENNIAL_HOME"]).resolve()
    here = Path.cwd().resolve()
    for folder in (here, *here.parents):
        if (folder / "parameters").is_dir():
            return folder
    return Path(__file__).resolve().parents[2]


def known_clients(root: Path | None = None) -> list[str]:
    """Every client with a parameter file, by name."""
    return sorted(path.stem for path in ((root or project_root()) / "parameters").glob("*.yaml"))


def read_parameters(name: str, root: Path | None = None) -> Parameters:
    """The validated parameters of a client.

    Raises
    ------
    ParameterError
        When the client has no file (naming the nearest that has one) or the file has problems.
    """
    root = root or project_root()
    path = root / "parameters" / f"{name}.yaml"
    if not isinstance(name, str) or not CLIENT_NAME.match(name):
        raise ParameterError(f"'{name}' is not a client name:", ["use lower-case letters, digits, - and _ (up to 64)"])
    if not path.is_file():
        known = known_clients(root)
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"known clients: {', '.join(known) or 'none yet'}"
        raise ParameterError(f"no client '{name}':", [f"there is no parameters/{name}.yaml; {hint}"])
    return load_parameters(path)


def open_client(name: str, root: Path | None = None, refresh: bool = False) -> "Client":
    """Open a client by name, preparing its tables if they are not cached.

    ``refresh`` reads tables that live on a server anew; a run does so once, at its start.

    Raises
    ------
    ParameterError, InputError
        With sentences that say what to mend.
    """
    root = root or project_root()
    return Client(read_parameters(name, root), root, refresh)


class Client:
    """One client, ready for analysis."""

    def __init__(self, parameters: Parameters, root: Path, refresh: bool = False):
        self.name = parameters.client
        self.parameters = parameters
        self.root = root
        self.folder = prepare_tables(parameters, root, root / ".cache" / parameters.client, refresh)
        self.audit = Audit.load(self.folder / "audit.json")
        self._engine = engine.connect()
        self._tables: dict[str, ir.Table] = {}
        if parameters.margin_by != "set":
            from perennial.analysis.margins import resolved

            self.parameters = resolved(parameters, self.transactions)

    def has(self, table: str) -> bool:
        """Whether the client gave this table and rows of it are usable."""
        return any(facts.table == table and facts.rows > 0 for facts in self.audit.tables)

    def table(self, name: str) -> ir.Table:
        """A canonical table.

        Raises
        ------
        MissingTableError
            Saying what the table would unlock.
        """
        if not self.has(name):
            raise MissingTableError(f"{self.name} has no {name}; with it: {UNLOCKS.get(name, 'every chapter')}")
        return self._open(name)

    def _open(self, name: str) -> ir.Table:
        if name not in self._tables:
            self._tables[name] = engine.read_table(self._engine, self.folder / f"{name}.parquet", name)
        return self._tables[name]

    def rejects(self) -> "pd.DataFrame":
        """Lines and cells that could not be read: ``table, file, line, column, text, reason``; none where all could."""
        import pandas as pd

        place = self.folder / "rejects.parquet"
        return pd.read_parquet(place) if place.is_file() else pd.DataFrame(columns=list(REJECT_COLUMNS))

    @property
    def transactions(self) -> ir.Table:
        """Canonical order lines."""
        return self.table("transactions")

    @property
    def summary(self) -> ir.Table:
        """One row per customer: see ``tables.summary.customer_summary``, and ``shared_id``."""
        return self._open("summary")

    @cached_property
    def value(self) -> "ValueResult":
        """Fitted purchase and spend models, hold-out scores and every customer's value.

        Raises
        ------
        ModelError
            When no purchase model can be fitted on these customers.
        """
        from perennial.analysis.valuation import compute_value
        from perennial.analysis.value import ValueResult

        def make(folder: Path) -> None:
            people = self.table("customers") if self.has("customers") else None
            compute_value(self.transactions, self.summary, self.parameters, people).save(folder)

        return ValueResult.load(self._cached("value", make), self._engine)

    @cached_property
    def potential(self) -> "PotentialResult":
        """The four looks, the score, its validation and every customer's quadrant."""
        from perennial.analysis.potential import PotentialResult, compute_potential

        def make(folder: Path) -> None:
            tables = {name: self.table(name) for name in UNLOCKS if self.has(name)}
            compute_potential(self.transactions, self.summary, tables, self._value_or_none(), self.parameters).save(
                folder
            )

        return PotentialResult.load(self._cached("potential", make), self._engine)

    def _value_or_none(self) -> "ValueResult | None":
        try:
            return self.value
        except ModelError:
            return None

    def _cached(self, what: str, make: Callable[[Path], None]) -> Path:
        relevant = self.parameters.model_dump(mode="json", exclude={"title", "scope", "prepared_by", "chapters"})
        key = fingerprint(relevant, code_fingerprint([ANALYSIS]))
        return cached_folder(self.folder / what, key, make)

    def customers(self) -> ir.Table:
        """One row per customer: summary, RFM bands, value, potential; a column measured for nobody is absent."""
        from perennial.analysis.rfm import rfm_bands

        parts = [rfm_bands(self.summary)]
        value = self._value_or_none()
        if value is not None:
            parts.append(value.customers)
        parts.append(self.potential.customers)
        whole = self.summary
        for part in parts:
            fresh = [column for column in part.columns if column not in whole.columns]
            joined = whole.left_join(part, "customer_id")
            whole = joined.select(*[whole[c] for c in whole.columns], *[part[c] for c in fresh])
        # nobody is reached under an id that several people share
        action = ibis.ifelse(whole.shared_id, ibis.null("string"), whole.recommended_action)
        whole = whole.mutate(recommended_action=action).cache()
        counts = whole.aggregate(**{column: whole[column].count() for column in whole.columns})
        known = counts.to_pyarrow().to_pylist()[0]
        measured = [column for column in whole.columns if known[column]]
        return whole.select(*measured).order_by("customer_id")
