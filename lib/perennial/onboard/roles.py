"""Which column of a file is which canonical column: by its header and by what it holds, each guess with a score."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from perennial.header_words import header_words, name_score, names_of
from perennial.headers import COUNTRIES, LIST_TOTALS, PRODUCT_NAMES
from perennial.onboard.profile import Profile
from perennial.schema import TABLES

SURE, ENOUGH, CLOSE = 0.75, 0.3, 0.12
_IDS = {"customer_id", "order_id", "product_id", "lead_id", "campaign_id", "referrer_id"}
_GROUPS = {"category", "channel", "segment", "region", "source", "plan", "kind", "group", "offer", "currency"}


@dataclass(frozen=True)
class Role:
    """A guess: ``column`` is canonical, ``header`` the file's; ``rivals`` are headers that fit about as well."""

    column: str
    header: str
    score: float
    rivals: tuple[str, ...] = ()

    @property
    def is_sure(self) -> bool:
        """Whether nobody needs to be asked."""
        return self.score >= SURE and not self.rivals


@dataclass(frozen=True)
class Reading:
    """A file read as one canonical table."""

    table: str
    roles: dict[str, Role]
    missing: list[str] = field(default_factory=list)  # required columns that no header fits

    @property
    def score(self) -> float:
        """How well the file fits the table; required columns count double."""
        required = TABLES[self.table].required
        return sum(role.score * (2 if name in required else 0.5) for name, role in self.roles.items())


def read_as(table: str, profiles: Mapping[str, Profile], fixed: Mapping[str, str | None]) -> Reading:
    """The best assignment of headers to the columns of one table.

    ``fixed`` are answers: canonical column → header, or None where it shall not be read.
    """
    schema = TABLES[table]
    scores: dict[str, dict[str, float]] = {}
    for column in [*schema.columns, *schema.inputs]:
        if column not in fixed:
            scores[column] = {name: _score(table, column, profile) for name, profile in profiles.items()}
    roles = {column: Role(column, header, 1.0) for column, header in fixed.items() if header is not None}
    taken = {role.header for role in roles.values()}
    ranked = sorted(((s, c, h) for c, found in scores.items() for h, s in found.items()), reverse=True)
    for score, column, header in ranked:
        if score >= ENOUGH and column not in roles and header not in taken:
            rivals = [h for h, s in scores[column].items() if h != header and s >= max(ENOUGH, score - CLOSE)]
            roles[column] = Role(column, header, score, tuple(rivals))
            taken.add(header)
    roles = {column: _without_taken(role, taken) for column, role in roles.items()}
    _drop_needless(table, roles)
    return Reading(table, _in_order(table, roles), _missing(table, roles))


def _known(table: str) -> list[str]:
    return [*TABLES[table].columns, *TABLES[table].inputs]


def _without_taken(role: Role, taken: set[str]) -> Role:
    return Role(role.column, role.header, role.score, tuple(h for h in role.rivals if h not in taken))


def _in_order(table: str, roles: dict[str, Role]) -> dict[str, Role]:
    return {column: roles[column] for column in _known(table) if column in roles}


def _missing(table: str, roles: Mapping[str, Role]) -> list[str]:
    priced = "quantity" in roles and "unit_price" in roles
    return [c for c in TABLES[table].required if c not in roles and not (c == "amount" and priced)]


def _drop_needless(table: str, roles: dict[str, Role]) -> None:
    """Names are not read, and neither is a unit price beside the amount of the line."""
    roles.pop("name", None)
    if table == "transactions" and "amount" in roles:
        if roles["amount"].score < 0.45 and "quantity" in roles and "unit_price" in roles:
            del roles["amount"]  # quantity and price say more than a doubtful amount
        else:
            roles.pop("unit_price", None)


def _score(table: str, column: str, profile: Profile) -> float:
    """From 0 to 1: the header's fit, times how well the content can be what the column holds."""
    if not profile.filled or (profile.personal and column not in ("customer_id", "lead_id")):
        return 0.0
    named = name_score(profile.name, names_of(table, column))
    if header_words(profile.name) == header_words(column):
        named = 1.0
    if column == "amount" and profile.name in LIST_TOTALS:
        named *= 0.5
    return max(named * _content(column, profile), 0.4 * _content_alone(table, column, profile))


def _content(column: str, profile: Profile) -> float:
    """How far the content allows a role that the header suggests, from 0 to 1."""
    kind = {**_kinds()}.get(column, "text")
    if kind in ("timestamp", "date"):
        return profile.dates if profile.dates > 0.5 else 0.9 * _is_serial(profile)
    if kind in ("money", "price", "number"):
        return profile.numbers if profile.numbers > 0.5 and profile.dates < 0.5 else 0.0
    if kind == "flag":
        return 1.0 if profile.distinct <= 3 else 0.0
    if profile.dates > 0.8:
        return 0.0
    if column in _IDS:
        return 0.2 if profile.fractions > 0.5 and not _whole(profile) else 1.0
    if column in _GROUPS:
        return 1.0 if profile.distinct <= 500 and (profile.rows < 20 or profile.repeats >= 2) else 0.0
    return 1.0


def _kinds() -> dict[str, str]:
    return {name: kind for table in TABLES.values() for name, kind in {**table.columns, **table.inputs}.items()}


def _whole(profile: Profile) -> bool:
    """Whether fractions are only the ``.0`` of ids that went through a number."""
    return all(text.endswith((".0", ".00")) for text in profile.sample if "." in text)


def _is_serial(profile: Profile) -> float:
    """1 where all values are whole numbers of days as Excel counts them (1982 to 2064) or of a Unix clock."""
    try:
        values = [float(text.replace(",", ".")) for text in profile.sample]
    except ValueError:
        return 0.0
    days = all(30_000 <= value <= 60_000 for value in values)
    clock = all(6e8 <= value <= 4e9 or 6e11 <= value <= 4e12 for value in values)
    return float(bool(values) and (days or clock))


def _content_alone(table: str, column: str, profile: Profile) -> float:
    """A guess without a fitting header, of orders only: their time and their amount; never who the customer is."""
    if table != "transactions" or header_words(profile.name) in PRODUCT_NAMES:
        return 0.0
    if column == "ordered_at":
        return profile.dates if profile.dates > 0.9 else 0.0
    if column == "amount":
        return profile.numbers if profile.fractions > 0.3 and not _whole(profile) and profile.dates < 0.1 else 0.0
    return 0.0


def product_name(profiles: Mapping[str, Profile]) -> str | None:
    """The header of the column with products' names, which is looked at and not read."""
    scored = [(name_score(name, PRODUCT_NAMES), name) for name, p in profiles.items() if p.dates < 0.5]
    best = max(scored, default=(0.0, ""))
    return best[1] if best[0] > 0.5 else None


def country_column(profiles: Mapping[str, Profile]) -> str | None:
    """The header of the column with countries, from which the currency can be guessed."""
    return next((name for name in profiles if header_words(name) in COUNTRIES), None)
