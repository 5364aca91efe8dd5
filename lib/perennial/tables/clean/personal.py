"""Columns that tell who a person is: recognised by name and by content, so that they are never read into a table.

Content decides first, because it is surer: an e-mail address is one whatever its column is called. The name of a
column decides for what cannot be told from a value, such as a first name.
"""

import re
from collections.abc import Callable, Sequence

import ibis.expr.types as ir

from perennial.parameters import Source
from perennial.schema import TABLES
from perennial.tables.parse.flags import NO, YES

E_MAIL, PHONE, ADDRESS = "e-mail addresses", "phone numbers", "street addresses"
NAME, BIRTH, ACCOUNT, IDENTITY = "personal names", "birth dates", "card or account numbers", "identity numbers"

_SAMPLE = 2000  # rows looked at to tell what a column holds, from the whole of the table

_EMAIL = re.compile(r"[^@\s,;]+@[^@\s,;]+\.[A-Za-z]{2,}")
_PHONE = re.compile(
    r"\+\d[\d ()./-]{6,18}\d|\(?0\d{1,5}\)?[ /.-]\d[\d ./-]{4,14}|\(\d{3}\) ?\d{3}-\d{4}|\d{3}[-. ]\d{3}[-. ]\d{4}"
    r"|1[3-9]\d{9}|0\d{8,11}|00\d{8,14}"
)
_DATE = re.compile(r"\d{1,4}[-./年]\d{1,2}[-./月]\d{1,4}日?([ T].*)?|\d{8}")
_STREET = re.compile(
    r"\d+[A-Za-z]? [\w .'-]+ (street|st|road|rd|avenue|ave|lane|ln|drive|dr|boulevard|blvd|way|court|ct|close|square)\b"
    r"|[\w .-]*(straße|strasse|str\.|gasse|weg|platz|allee|straat|laan) ?\d+"
    r"|\d*,? ?(rue|avenue|boulevard|place|via|piazza|calle|avenida|rua|ulica|ul\.) [\w .'-]+"
    r"|.*[路街巷弄道]\s*\d+\s*[号弄].*",
    re.IGNORECASE,
)
_PERSON = re.compile(r"[^\W\d_][\w'’-]*\.?( [^\W\d_][\w'’.-]*){1,3}|[\u4e00-\u9fff]{2,4}")

_BY_NAME: list[tuple[str, re.Pattern[str]]] = [
    (E_MAIL, re.compile(r"\be ?mails?\b|courriel|correo|邮箱|电子邮件|メール|이메일")),
    (PHONE, re.compile(r"\b(tele)?(phone|fon|fax)s?\b|\bmobile( (no|number|phone))?$|\bmsisdn\b|telephone|telefono?\b"
                       r"|\bhandy|portable$|手机|电话|联系方式|電話|전화")),
    (ADDRESS, re.compile(r"\b(street|stra(ss|ß)e|rue|calle)\b|\baddr(ess)?(e|es|line)?\b( \d)?|\badresse?\b|anschrift"
                         r"|direccion|indirizzo|地址|住址|住所|주소")),
    (BIRTH, re.compile(r"\bbirth ?(day|date)?\b|\bdate of birth\b|\bdob\b|geburt|naissance|nacimiento|nascita"
                       r"|生日|出生")),
    (ACCOUNT, re.compile(r"\biban\b|\b(credit|debit|bank) ?card|\bcard ?(no|num|number)\b|\baccount number\b"
                         r"|kontonummer|银行卡|信用卡|卡号$")),
    (IDENTITY, re.compile(r"\bpassport\b|\bssn\b|social security|national id|identity (card|number)|\bid card\b"
                          r"|personalausweis|身份证|证件号|社保|医保|護照|护照")),
    (NAME, re.compile(r"\b(first|last|full|given|family|middle|maiden|customer|client|contact|member|patient|guest"
                      r"|recipient|buyer|user|person) ?names?\b|\b(sur|fore|nick|vor|nach|user|first|last|full)names?\b"
                      r"|\bprenom\b|\bnom( de famille)?$|\bapellidos?\b|\bcognome\b"
                      r"|姓名|联系人|收货人|收件人|昵称|氏名|이름")),
]  # fmt: skip
_BARE_NAME = re.compile(r"^(names?|nombre|nome|naam|名字|名称)$")
_NOT_A_PERSON = re.compile(r"\b(ip|mac|web|url|product|item|store|shop|sku|company|firm|campaign|plan|brand|file)\b")


def looks_personal(name: str, values: Sequence[str | None]) -> str | None:
    """What kind of personal data a column seems to hold, in the plural (``"e-mail addresses"``), or None.

    Parameters
    ----------
    name : the column's name in the file, in any language and spelling.
    values : some of its values as text; a few hundred are enough. Empty ones say nothing.
    """
    given = [value.strip() for value in values if value and value.strip()]
    return _by_content(given) or _by_name(_words(name), given)


def _by_content(given: list[str]) -> str | None:
    tests: list[tuple[str, float, Callable[[str], object]]] = [
        (E_MAIL, 0.05, _EMAIL.search),
        (IDENTITY, 0.5, _is_chinese_identity),
        (ACCOUNT, 0.8, _is_account),
        (PHONE, 0.6, _is_phone),
        (ADDRESS, 0.3, _STREET.fullmatch),
    ]
    for kind, share, test in tests:
        if given and sum(bool(test(value)) for value in given) >= share * len(given):
            return kind
    return None


def _by_name(words: str, given: list[str]) -> str | None:
    if _NOT_A_PERSON.search(words) or _is_yes_or_no(given):
        return None
    for kind, pattern in _BY_NAME:
        if pattern.search(words) and not (kind == BIRTH and given and not _mostly(_DATE, given)):
            return kind
    if _BARE_NAME.search(words) and given and len(set(given)) > len(given) / 2 and _mostly(_PERSON, given):
        return NAME
    return None


def _is_yes_or_no(given: list[str]) -> bool:
    """Whether there is a telephone, not which: the name of such a column says nothing of its content."""
    return bool(given) and {value.lower() for value in given} <= {*YES, *NO} - {"x"}  # which also masks


def _mostly(pattern: re.Pattern[str], given: list[str]) -> bool:
    return sum(bool(pattern.fullmatch(value)) for value in given) > 0.6 * len(given)


def _words(name: str) -> str:
    """``"CustomerE-Mail_1"`` as words: ``"customer e mail 1"``."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return re.sub(r"[\s_./-]+", " ", apart).strip().lower()


def _is_phone(value: str) -> bool:
    return bool(_PHONE.fullmatch(value)) and not _DATE.fullmatch(value)


def _is_chinese_identity(value: str) -> bool:
    """Eighteen digits of which the last checks the others (GB 11643-1999)."""
    if not re.fullmatch(r"[1-9]\d{5}(19|20)\d{9}[\dXx]", value):
        return False
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(value[:17]))
    return "10X98765432"[total % 11] == value[17].upper()


def _is_account(value: str) -> bool:
    """A payment card (ISO/IEC 7812, Luhn's check digit) or an IBAN (ISO 13616, remainder 1 of 97)."""
    bare = re.sub(r"[ -]", "", value)
    if re.fullmatch(r"[3-6]\d{12,18}", bare):
        digits = [int(digit) for digit in reversed(bare)]
        doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
        return (sum(digits[::2]) + sum(doubled)) % 10 == 0
    if re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", bare):
        return int("".join(str(int(sign, 36)) for sign in bare[4:] + bare[:4])) % 97 == 1
    return False


def personal_columns(rows: ir.Table, table: str, source: Source, pseudonymise: bool) -> dict[str, str]:
    """Column of the parsed table → what kind of personal data it seems to hold; ids apart.

    ``customers.name`` stays where it is mapped, because that is said on purpose, unless ids become pseudonyms.
    """
    kinds = TABLES[table].columns
    held = [name for name in rows.columns if not name.startswith("_") and not name.endswith("_id")]
    texts = [name for name in held if kinds.get(name, "text") == "text" and name not in TABLES[table].inputs]
    if not texts:
        return {}
    step = max(1, int(rows.count().to_pyarrow().as_py()) // _SAMPLE)
    sample = rows.filter(rows.rowid() % step == 0).select(*texts).limit(_SAMPLE).to_pyarrow()
    found = {}
    for name in texts:
        declared = source.columns.get(name)
        in_file = (declared.source or "") if declared else name
        kind = looks_personal(in_file, sample[name].cast("string").to_pylist())
        if name == "name" and table == "customers":
            kind = NAME if pseudonymise else None
        if kind:
            found[name] = kind
    return found


def not_read(table: str, name: str, kind: str, source: Source) -> str:
    """The sentence that says a column was left out."""
    declared = source.columns.get(name)
    what = f"column '{declared.source}' ({name})" if declared else f"attribute '{name}'"
    return f"{table}: {what} looks like {kind}: not read"
