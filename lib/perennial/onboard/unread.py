"""What of a file is not read, and why; what its columns could tell of customers all the same."""

from collections.abc import Sequence

from perennial.header_words import ABOUT_CUSTOMERS, named_outright
from perennial.headers import LIST_TOTALS
from perennial.onboard.choose import Chosen
from perennial.schema import TABLES

_ATTRIBUTE_VALUES = (2, 30)
_SHOWN = 60  # columns named as not read


def attributes_of(one: Chosen) -> list[str]:
    """Columns with a handful of values that tell groups apart, where the table takes such columns."""
    if not TABLES[one.table].takes_attributes:
        return []
    taken = {role.header for role in one.reading.roles.values()}
    low, high = _ATTRIBUTE_VALUES
    reserved = set(TABLES[one.table].columns)
    return [
        profile.name
        for profile in one.opened.profiles.values()
        if profile.name not in taken | reserved
        and low <= profile.distinct <= high
        and not profile.personal
        and profile.repeats >= 5
        and not profile.name.startswith("_")
    ]


def not_read(one: Chosen, attributes: Sequence[str]) -> tuple[str, ...]:
    """Which columns are left, and why those about persons are."""
    taken = {role.header for role in one.reading.roles.values()} | set(attributes)
    left = [profile for profile in one.opened.profiles.values() if profile.name not in taken]
    personal = [f"{profile.name} ({profile.personal})" for profile in left if profile.personal]
    plain = [profile.name for profile in left if not profile.personal]
    lines = []
    if personal:
        lines.append(f"Not read, because personal: {', '.join(personal)}")
    if plain:
        more = f" and {len(plain) - _SHOWN} more" if len(plain) > _SHOWN else ""
        lines.append(f"Not read: {', '.join(plain[:_SHOWN])}{more}")
    asked, got = _list_and_received(one)
    if asked:
        lines.append(f"'{asked}' is what was asked, '{got}' what was received; the report counts what was received.")
    return tuple(lines)


def about_customers(one: Chosen, attributes: Sequence[str]) -> tuple[str, ...]:
    """Columns that say something of the customer rather than of the row, and how they could be used.

    Not proposed: the first row of each customer would count, and nobody has said that all of them agree.
    """
    who = one.reading.roles.get("customer_id")
    taken = {role.header for role in one.reading.roles.values()} | set(attributes)
    left = {profile.name for profile in one.opened.profiles.values() if not profile.personal} - taken
    found = {named_outright(name, "customers", ABOUT_CUSTOMERS): name for name in sorted(left, reverse=True)}
    mapped = ", ".join(f"{column}: {name}" for column, name in found.items() if column)
    if who is None or not mapped:
        return ()
    return (
        "To tell customers apart by it, add 'customers' to the sources, read as this table is (the same path and "
        f"customer_id), with {mapped} under columns; the first row of each customer counts.",
    )


def _list_and_received(one: Chosen) -> tuple[str, str]:
    asked = next((name for name in one.opened.profiles if name in LIST_TOTALS), "")
    got = one.reading.roles["amount"].header if "amount" in one.reading.roles else ""
    return (asked, got) if asked and got and asked != got else ("", "")
