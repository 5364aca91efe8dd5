"""Order lines that are no products: postage, fees, vouchers, corrections, told by their codes and names."""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir

from perennial.onboard.opened import Opened
from perennial.parameters import Source
from perennial.tables.parse.numbers import marks, parse_number

_WORDS = re.compile(
    r"\b(post|postage|shipping|freight|carriage|delivery charge|handling|manual|discounts?|samples?|fees?|commission"
    r"|(bank )?charges|bad debt|adjust(ment)?|gift ?(voucher|card)|voucher|gift certificate|deposit|surcharge|rounding"
    r"|versand(kosten)?|porto|gutschein|rabatt|gebühr|pfand|frais|livraison|bon cadeau|remise|gastos de envio|envio"
    r"|descuento)\b|amazonfee|运费|邮费|快递费|手续费|优惠券|代金券|礼品卡|赠品|押金",
    re.IGNORECASE,
)
_SURE = re.compile(
    r"^\s*(postage|shipping( (cost|fee|charge)s?)?|freight|carriage|versand(kosten)?|porto|frais de port|livraison"
    r"|gastos de envio|运费|邮费|快递费|手续费)\s*$",
    re.IGNORECASE,
)
_USUAL, _MOST = 0.9, 40  # share of lines whose codes' shapes are usual; codes a pattern may list


@dataclass(frozen=True)
class Code:
    """One code of the sample: its commonest name, its lines, and the money its customers' lines bring and take.

    ``spellings`` are the ways it is written, which differ in capitals only; the commonest stands first.
    """

    spellings: tuple[str, ...]
    name: str
    lines: int
    plus: float
    minus: float

    @property
    def text(self) -> str:
        """The code as it is written most often."""
        return self.spellings[0]

    @property
    def is_credit(self) -> bool:
        """Whether its lines take back more than they bring: corrections of sales, without which these stand."""
        return self.minus > self.plus


def pseudo_codes(opened: Opened, source: Source, named: str | None) -> list[Code]:
    """Codes of no product, the most frequent first; none where there are too many to be exceptions.

    A code is meant if it differs in shape from most and is very short or is called a fee (in itself or by its name), or
    if its name is nothing but a word for delivery.

    Parameters
    ----------
    source : how the order lines are read.
    named : the header of products' names, where there is one.
    """
    codes = _codes(opened.sample, source, named)
    usual = _usual_shapes({code.text: code.lines for code in codes})
    found = [code for code in codes if usual and _is_pseudo(code.text, code.name, shape(code.text) in usual)]
    if len(found) > _MOST or sum(code.lines for code in found) > 0.2 * sum(code.lines for code in codes):
        return []
    return sorted(found, key=lambda code: (-code.lines, code.text))


def pattern_of(codes: Collection[Code]) -> str:
    """A regular expression of exactly these codes."""
    return "^(" + "|".join(quote(text) for code in codes for text in code.spellings) + ")$"


def _is_pseudo(text: str, name: str, is_usual: bool) -> bool:
    if is_usual:
        return bool(_SURE.match(name))
    return bool(len(text) <= 2 or _WORDS.search(text.replace("_", " ")) or _WORDS.search(name))


def _codes(seen: ir.Table, source: Source, named: str | None) -> list[Code]:
    def text(name: str) -> ir.StringValue:
        return seen[source.columns[name].source].cast("string").strip().nullif("")

    name = seen[named].cast("string").strip() if named else ibis.literal("")
    money = ibis.ifelse(text("customer_id").notnull(), _money(seen, source), 0.0).fill_null(0.0)
    lines = seen.select(code=text("product_id"), name=name, money=money).filter(lambda t: t.code.notnull())
    counted = lines.group_by("code", "name").agg(
        n=lines.count(), plus=lines.money.clip(lower=0).sum(), minus=-lines.money.clip(upper=0).sum()
    )
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in counted.order_by(ibis.desc("n"), "name").to_pyarrow().to_pylist():
        rows.setdefault(row["code"].casefold(), []).append(row)
    return [_as_one(found) for found in rows.values()]


def _as_one(rows: Sequence[Mapping[str, Any]]) -> Code:
    """One code from its rows by spelling and name, the commonest first."""
    lines, plus, minus = (sum(row[key] for row in rows) for key in ("n", "plus", "minus"))
    return Code(tuple(dict.fromkeys(row["code"] for row in rows)), rows[0]["name"] or "", lines, plus, minus)


def _money(seen: ir.Table, source: Source) -> ir.FloatingValue:
    """What each line is worth: its amount, or quantity times price."""

    def number(name: str) -> ir.NumericValue:
        column = source.columns[name]
        return parse_number(seen[column.source].cast("string"), *marks(column, source), "number")

    if "amount" in source.columns:
        return number("amount")
    return number("quantity") * number("unit_price")


def shape(text: str) -> str:
    """Digits as ``9``, letters as ``A``, runs as one: ``85123A`` → ``9A``."""
    return re.sub(r"9+", "9", re.sub(r"A+", "A", re.sub(r"[^\W\d_]", "A", re.sub(r"\d", "9", text))))


def _usual_shapes(codes: Mapping[str, int]) -> set[str]:
    """The commonest shapes that most lines have; none where codes have no usual shape."""
    shapes: Counter[str] = Counter()
    for text, lines in codes.items():
        shapes[shape(text)] += lines
    usual: set[str] = set()
    covered = 0
    for one, lines in shapes.most_common(4):
        if covered >= 0.95 * sum(shapes.values()):
            break
        usual.add(one)
        covered += lines
    return usual if covered >= _USUAL * sum(shapes.values()) else set()


def quote(text: str) -> str:
    """A text for a regular expression, with as few marks as possible."""
    return re.sub(r"([.^$*+?{}\[\]\\|()])", r"\\\1", text)
