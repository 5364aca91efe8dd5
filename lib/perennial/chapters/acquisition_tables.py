"""Sources, cohorts and groups of customers side by side: the tables of the section on new customers."""

from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from perennial import formats
from perennial.analysis import group_models
from perennial.chapters import acquisition_words as words
from perennial.chapters import phrases
from perennial.language import _, plural
from perennial.statements import Caption, Exhibit

if TYPE_CHECKING:
    from perennial.chapters.value_acquisition import Acquired

SOURCES, SEGMENTS = "acquisition_sources", "acquisition_segments"
CHANCE = 1.645  # standard errors, two-sided 90 %: a difference of errors beyond them is more than chance
GIANT = 0.2  # of a cohort's margin, brought by one customer: it is told


def has_ratios(found: "Acquired") -> bool:
    """Whether any cohort's value can be set against its cost."""
    return bool(len(found.cohorts)) and bool(found.cohorts["ratio"].map(words.is_finite).any())


def cohort_exhibit(found: "Acquired") -> Exhibit:
    """What cohorts brought, and will bring, in multiples of their cost."""
    frame = found.cohorts
    counted = frame[frame["mark"] != "before"]
    value, cost = float(counted["total"].sum()), float(counted["cost"].sum())
    title = _("Customers held bring {ratio} times what acquiring them cost", ratio=words.one(value / cost))
    subtitle = _(
        "Total CLV (margin so far and residual CLV of {horizon}) in multiples of the acquisition cost (CLV:CAC), by "
        "{unit} of first purchase, with {level} interval",
        horizon=words.horizon(found),
        unit=words.unit_name(found.unit),
        level=formats.percent(found.parameters.interval),
    )
    left = int(frame["customers"].sum() - frame["costed"].sum())
    more = words.margin_words(found)
    if left:
        more += " " + _("{n} customers of these cohorts without a stated cost left out.", n=formats.number(left))
    reading = _("Older cohorts have had more time, so dots and dashes cannot be compared from cohort to cohort.")
    if found.age is not None:
        reading = _(
            "Older cohorts have had more time: compare cohorts only by what each had brought in its customers' first "
            "{age} (diamonds; none where some customers are younger).",
            age=formats.days(found.age),
        )  # fmt: skip
    large = counted[counted["largest"] > GIANT * counted["realised"]]
    if len(large):
        reading += " " + _("One customer alone brought more than {share} of the margin so far in each of: {names}.",
                           share=formats.percent(GIANT), names=phrases.listed(large["cohort"].tolist()))  # fmt: skip
    if (frame["mark"] == "unfinished").any():
        reading += " " + _("Hollow: the cohort is not over yet.")
    if (frame["mark"] == "doubtful").any():
        reading += " " + _(
            "Hollow at the left: some may have been customers before the data begins, so that they brought more."
        )
    if (frame["mark"] == "before").any():
        reading += " " + _("No ratio for the first cohorts: most of these customers were there before the data begins.")
    cash = partial(words.money, found)
    columns = ["cohort", "customers", "costed", "cost", "realised", "residual", "total", "total_low", "total_high",
               "ratio_so_far", "ratio_at_age", "ratio", "ratio_low", "ratio_high", "mark"]  # fmt: skip
    styles: dict[str, Any] = dict.fromkeys(["cost", "realised", "residual", "total", "total_low", "total_high"], cash)
    styles |= dict.fromkeys(["ratio_so_far", "ratio_at_age", "ratio", "ratio_low", "ratio_high"], words.one)
    labels = {"costed": _("with a cost"), "cost": _("acquisition cost"), "realised": _("margin so far"),
              "residual": _("residual CLV"), "total": _("total CLV"), "total_low": _("low"), "total_high": _("high"),
              "ratio_so_far": _("so far : cost"), "ratio_at_age": _("by the common age : cost"), "ratio": _("CLV:CAC"),
              "ratio_low": _("low"), "ratio_high": _("high"), "mark": _("note")}  # fmt: skip
    styles["mark"] = lambda mark: _marks().get(mark, mark)
    caption = Caption(title, subtitle, words.source(found, int(frame["costed"].sum()), more), reading)
    return Exhibit(frame[columns].reset_index(drop=True), caption, styles, labels)


def _marks() -> dict[str, str]:
    return {"before": _("there before the data begins"), "doubtful": _("perhaps there before"),
            "unfinished": _("not over")}  # fmt: skip


def source_exhibit(found: "Acquired") -> Exhibit:
    """Sources by what a new customer brings to what it costs."""
    frame = found.sources
    best, worst = frame.iloc[0], frame.iloc[-1]
    if len(frame) == 1:
        title = _(
            "A new customer brings {ratio} times the acquisition cost in {horizon}",
            ratio=words.one(best["return"]),
            horizon=words.horizon(found),
        )
    else:
        title = _(
            "Best return: {best}, {high} times its cost; lowest: {worst}, {low} times",
            best=words.client_name(best["group"]),
            worst=words.client_name(worst["group"]),
            high=words.one(best["return"]),
            low=words.one(worst["return"]),
        )
    subtitle = _(
        "A new customer of each source in {horizon}, ranked by prospect CLV to cost, and CLV:CAC of the customers "
        "held; {currency}; {level} intervals",
        horizon=words.horizon(found),
        currency=found.parameters.currency,
        level=formats.percent(found.parameters.interval),
    )
    reading = _(
        "Break-even is the most one may cost. A source that returns more today need not do so for the next customer "
        "bought there: these are averages of those won so far. CLV:CAC of the customers held depends on how long ago "
        "they came."
    )
    cash = partial(words.money, found)
    shown = pd.DataFrame(
        {
            "source": frame["group"].map(words.group_name),
            "customers": frame["customers"],
            "cost": frame["cost"].map(cash),
            "break_even": [f"{cash(r.clv)} ({words.bounds(found, r.low, r.high)})" for r in frame.itertuples()],
            "return": frame["return"].map(words.one),
            "verdict": [words.verdict(r.clv, r.low, r.high, r.cost) for r in frame.itertuples()],
            "payback": [
                words.payback_words(found, r.payback, r.payback_low, r.payback_high) for r in frame.itertuples()
            ],
            "clv_cac": [
                f"{words.one(r.ratio)} ({words.one(r.ratio_low)} to {words.one(r.ratio_high)})"
                for r in frame.itertuples()
            ],
        }
    )
    labels = {
        "break_even": _("prospect CLV = break-even"),
        "return": _("prospect CLV : cost"),
        "payback": _("pays back"),
        "clv_cac": _("CLV:CAC, customers held"),
        "verdict": _("within the horizon"),
    }
    more = f"{words.margin_words(found)} {words.not_stated(found)}".strip()
    return Exhibit(
        shown, Caption(title, subtitle, words.source(found, int(frame["customers"].sum()), more), reading), {}, labels
    )


def segment_exhibit(found: "Acquired") -> Exhibit:
    """Groupings by whether models of their own are supported."""
    tests, decision = found.result.segmentation.tests, found.result.segmentation.decision
    supported = int((tests["supported"] & tests["not_worse"]).sum())
    title = _("None of {n} groupings supports models of its own", n=formats.number(len(tests)))
    if len(tests) == 1:
        only = tests.iloc[0]
        title = _("Separate models by {name} are not supported", name=words.grouping_name(only["grouping"]))
        if supported:
            title = _("Separate models by {name} are supported", name=words.grouping_name(only["grouping"]))
    elif supported:
        name = (
            tests[tests["supported"] & tests["not_worse"]].sort_values("bic_gain", ascending=False)["grouping"].iloc[0]
        )
        title = plural(
            "Of {n} groupings, {count} supports models of its own: by {name}",
            "Of {n} groupings, {count} support separate models; {name} gains most",
            supported, n=formats.number(len(tests)), count=formats.number(supported), name=words.grouping_name(name),
        )  # fmt: skip
    subtitle = _(
        "One {model} and Gamma-Gamma per group against one for all of the same customers: likelihood ratio, {p}, gain "
        "in BIC (fit less a price for each parameter), and the errors on unseen days",
        model=found.result.purchase.name,
        p=_("p corrected for {n} groupings (Holm)", n=formats.number(len(tests))) if len(tests) > 1 else _("p"),
    )  # fmt: skip
    lines = []
    for row in tests.itertuples():
        year = group_models.first_year(
            found.result.segmentation.models[row.grouping], found.parameters.interval, found.parameters.seed
        )
        year = year[year["own"]]
        lines.append(
            {
                "grouping": words.grouping_name(row.grouping),
                "groups": row.groups,
                "customers": row.customers,
                "first_year": f"{words.one(year['purchases'].iloc[-1])} – {words.one(year['purchases'].iloc[0])}",
                "lr": _("{lr} ({df})", lr=formats.number(row.lr, 1), df=formats.number(row.df)),
                "p": words.p_words(row.p_holm),
                "bic_gain": formats.signed(row.bic_gain, lambda value: formats.number(value, 0)),
                "error": _unseen(row),
                "off": _off(row),
                "verdict": _verdict(row, decision.grouping),
            }
        )
    left = int(tests["left_out"].max())
    more = ""
    if left:
        more = _("Left out on both sides: up to {n} customers, there before the data begins or in groups without a "
                 "sound fit.", n=formats.number(left))  # fmt: skip
    untested = [words.grouping_name(name) for name in found.result.segmentation.untested]
    if untested:
        more += " " + _("Not compared, too few groups with a sound fit: {names}.", names=phrases.listed(untested))
    tested = set(tests["grouping"])
    pooled = {words.grouping_name(k): small for k, small in found.result.segmentation.pooled.items() if k in tested}
    for name, small in pooled.items():
        more += " " + _(
            "Pooled by {name}: {small}.", name=name, small=phrases.listed([words.client_name(s) for s in small])
        )
    reading = _(
        "Supported: p under 5 %, a lower BIC, and errors on unseen days, of purchases and of money, no larger than "
        "those of one model for all; only what passes the first two goes through the last (hold-out). First-year "
        "purchases are expected repeat purchase days of a new customer, lowest and highest group."
    )
    labels = {"first_year": _("first-year purchases"), "lr": _("likelihood ratio (df)"), "p": _("p (Holm)"),
              "bic_gain": _("BIC gain"), "error": _("error per customer, unseen days"),
              "off": _("total off: apart; one model"), "verdict": _("models apart")}  # fmt: skip
    caption = Caption(title, subtitle, words.source(found, int(tests["customers"].max()), more.strip()), reading)
    return Exhibit(pd.DataFrame(lines), caption, {}, labels)


def _unseen(row: Any) -> str:
    """The error of the separate models against the pooled one, and whether the difference is more than chance."""
    if formats.is_missing(getattr(row, "rmse", float("nan"))):
        return formats.MISSING
    off = formats.signed(row.rmse / row.rmse_pooled - 1, words.change)
    return off if abs(row.rmse_z) > CHANCE else _("{off}, within chance", off=off)


def _off(row: Any) -> str:
    """By how much each was off in total."""
    if formats.is_missing(row.bias):
        return formats.MISSING
    return "; ".join(formats.signed(bias, words.change) for bias in (row.bias, row.bias_pooled))


def _verdict(row: Any, used: str) -> str:
    if row.supported and row.not_worse:
        return _("yes, gains most") if row.grouping == used else _("yes")
    if row.grouping == used:
        return _("as asked")
    return _("no: hold-out") if row.supported else _("no")
