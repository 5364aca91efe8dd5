"""The questions to send back to the client: what was seen, why it matters, and which setting an answer changes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from perennial import formats
from perennial.analysis.audit_measures import raw_totals
from perennial.language import _, plural
from perennial.statements import Caption

if TYPE_CHECKING:
    from perennial.chapters.data_audit import Study

MOST = 12  # more than a contact answers in one e-mail


@dataclass(frozen=True)
class Question:
    """One question to the client's contact, as plain text.

    Attributes
    ----------
    id : stable name, ``"no_customer"``.
    seen : what was found, with its figures; ``ask``: what we would like to know.
    why : which chapter moves with the answer, and in which direction.
    setting : the key of the client's parameters that an answer changes.
    rows, money : what is at stake, where it can be counted.
    share : the share of the business at stake, 0 to 1; questions are ordered by it.
    """

    id: str
    seen: str
    ask: str
    why: str
    setting: str
    rows: int | None = None
    money: float | None = None
    share: float = 0.0

    @property
    def text(self) -> str:
        """The question as it stands in an e-mail."""
        return f"{self.seen} {self.ask}"

    def to_dict(self) -> dict[str, Any]:
        """As printed by ``perennial check --json``."""
        return {**vars(self), "text": self.text}


def questions(study: "Study") -> list[Question]:
    """At most twelve questions, the largest share at stake first (:func:`stake`, or an estimate of the same)."""
    from perennial.chapters import audit_asked, audit_asked_of_customers, audit_asked_of_money, audit_asked_of_time

    made = (audit_asked, audit_asked_of_money, audit_asked_of_time, audit_asked_of_customers)
    asked = [question for one in made for question in one.asked(study)]
    return sorted(asked, key=lambda question: -question.share)[:MOST]


def stake(study: "Study", rows: int | None, money: float | None) -> dict[str, Any]:
    """``rows, money, share`` of a question: the larger of the shares of lines and of money."""
    raw, whole = raw_totals(study.audit)
    shares = [(rows or 0) / raw if raw else 0.0, abs(money or 0) / whole if whole else 0.0]
    return {"rows": rows or None, "money": money or None, "share": min(1.0, max(shares))}


def frame(study: "Study") -> pd.DataFrame:
    """``number, question, why, setting, rows, money``, as sent."""
    rows = [
        (place, question.text, question.why, question.setting, question.rows, _cents(question.money))
        for place, question in enumerate(study.questions, 1)
    ]
    columns = ["number", "question", "why", "setting", "rows", "money"]
    return pd.DataFrame(rows, columns=columns).astype({"number": "int64", "rows": "Int64", "money": "float64"})


def _cents(money: float | None) -> float | None:
    return None if money is None else round(money, 2)


def caption(study: "Study") -> Caption:
    """The words around the questions."""
    count = len(study.questions)
    one, many = "{count} question to the client", "{count} questions to the client, the largest share at stake first"
    text = plural(one, many, count, count=formats.number(count))
    subtitle = _("What was seen and asked, which chapter an answer moves, and the setting it changes")
    if count > 1:
        subtitle += _("; in the order of the larger share, of lines or of money, or of an estimate for what is not "
                      "about single lines")  # fmt: skip
    more = _("The questions alone, to be pasted into an e-mail: column question of data/audit_questions.csv.")
    return Caption(text, subtitle, more)


def as_list(study: "Study") -> str:
    """The questions as a numbered list in Markdown."""
    return "\n\n".join(_item(study, place, question) for place, question in enumerate(study.questions, 1))


def _item(study: "Study", place: int, question: Question) -> str:
    because = _("Why we ask: {why}", why=formats.escape(question.why))
    setting = _("The answer goes into {setting}.", setting=formats.escape(question.setting))
    return f"{place}. **{formats.escape(question.seen)}** {formats.escape(question.ask)}\n\n    {because} {setting}"
