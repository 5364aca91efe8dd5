"""Order lines that are no products: postage, fees, vouchers, corrections, told by their codes and names."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from perennial.onboard.opened import Opened

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


def pseudo_pattern(opened: Opened, code: str, named: str | None) -> tuple[str, int, str] | None:
    """A pattern for codes of no product, its lines, and the codes in words; None where there are none.

    A code is meant if it differs in shape from most and is very short or is called a fee (in itself or by its name), or
    if its name is nothing but a word for delivery.
    """
    codes, names = _codes(opened.sample, code, named)
    usual = _usual_shapes(codes)
    if not usual:
        return None
    found = {text: n for text, n in codes.items() if _is_pseudo(text, names.get(text, ""), shape(text) in usual)}
    if not found or len(found) > _MOST or sum(found.values()) > 0.2 * sum(codes.values()):
        return None
    ranked = sorted(found, key=lambda text: (-found[text], text))
    shown = ", ".join(f"{text} ({opened.said(found[text])})" for text in ranked[:8]) + (" …" if len(ranked) > 8 else "")
    return "^(" + "|".join(quote(text) for text in ranked) + ")$", sum(found.values()), shown


def _is_pseudo(text: str, name: str, is_usual: bool) -> bool:
    if is_usual:
        return bool(_SURE.match(name))
    return bool(len(text) <= 2 or _WORDS.search(text.replace("_", " ")) or _WORDS.search(name))


def _codes(seen: ir.Table, code: str, named: str | None) -> tuple[dict[str, int], Mapping[str, str]]:
    """Lines per code, and the commonest name of each."""
    text = seen[code].cast("string").strip().nullif("")
    name = seen[named].cast("string").strip() if named else ibis.literal("")
    lines = seen.select(code=text, name=name).filter(text.notnull())
    rows = lines.group_by("code", "name").agg(n=lines.count()).to_pyarrow().to_pylist()
    codes: dict[str, int] = defaultdict(int)
    names: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        codes[row["code"]] += row["n"]
        names[row["code"]][row["name"] or ""] += row["n"]
    return codes, {text: found.most_common(1)[0][0] for text, found in names.items()}


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
