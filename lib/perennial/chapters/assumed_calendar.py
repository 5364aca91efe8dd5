"""Chapter 05: whether purchases have a trend or a season that the purchase model does not know."""

from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from perennial import formats
from perennial.analysis import months_ahead, seasons
from perennial.analysis.seasons import Season
from perennial.analysis.trends import Trend
from perennial.analysis.value import ValueResult
from perennial.chapters import assumption_words as words
from perennial.chapters.value_words import DAYS_PER_MONTH, signed_percent
from perennial.language import _
from perennial.statements import Caption, Exhibit, Finding, Part

if TYPE_CHECKING:
    from perennial.client import Client

NOTABLE_CHANGE = 0.10  # a trend over the data or a peak month of at least this much is told first
EXHIBITS = ("value_residuals", "value_season", "value_season_tested")


def calendar(client: "Client", result: ValueResult) -> Part:
    """The weekly residuals with their trend, the months of the year, and the trial of a seasonal index."""
    held = result.holdout
    if held is None:
        reason = _("Not shown: {reason}", reason=result.holdout_reason)
        return Part(absent=dict.fromkeys(EXHIBITS, reason))
    exhibits: dict[str, Exhibit] = {"value_residuals": _residuals(client, result)}
    absent: dict[str, str] = {}
    season = seasons.find_season(held.months, result.settings["interval"])
    if isinstance(season, str):
        reason = _("Season: cannot tell, since {reason}.", reason=season)
        absent |= dict.fromkeys(("value_season", "value_season_tested"), reason)
    else:
        exhibits["value_season"] = _season_chart(client, result, season)
        if held.season["tried"]:
            exhibits["value_season_tested"] = _season_test(client, result)
        else:
            absent["value_season_tested"] = _(
                "No seasonal index was tried: up to the cut {reason}.", reason=held.season["reason"]
            )
    says = [_say_trend(result), *([] if isinstance(season, str) else [_say_season(result, season)])]
    return Part(exhibits, absent, tuple(says), tuple(_calendar_findings(result, season)))


def _residuals(client: "Client", result: ValueResult) -> Exhibit:
    held = result.holdout
    assert held is not None
    weeks, found = held.tracking, held.trends["whole"]
    expected = seasons.plain_expected(weeks)
    frame = pd.DataFrame({"week_end": weeks["week_end"], "actual": weeks["actual"], "expected": expected})
    enough = expected >= seasons.FEWEST_EXPECTED
    frame["ratio"] = (weeks["actual"] / expected).where(enough)
    frame["trend"] = float("nan")
    if isinstance(found, Trend):
        frame["trend"] = found.line(pd.Series(range(len(frame))).to_numpy(float))
    frame["phase"] = weeks["phase"]
    subtitle = _("Repeat purchase days per week, actual as a share of what {model} expects, and their trend",
                 model=held.model.name)  # fmt: skip
    more = _("Weeks with fewer than {n} expected are not drawn.", n=formats.number(seasons.FEWEST_EXPECTED))
    reading = _("A line that leaves 100 % is a change in time that the model does not know: a trend in the market, or "
                "customers who age otherwise than it assumes. The two cannot be told apart here.")  # fmt: skip
    if isinstance(found, Trend) and found.weeks * 7 < seasons.TWO_YEARS:
        reading += " " + _("Nor can a season, in less than two years.")
    caption = Caption(_trend_title(found, result), subtitle, words.source(client, held.n_customers, more), reading)
    looks: dict[str, Any] = dict.fromkeys(("actual", "expected"), words.whole)
    looks |= dict.fromkeys(("ratio", "trend"), formats.percent)
    return Exhibit(frame, caption, looks, {"ratio": _("actual ÷ expected"), "phase": _("part")})


def _trend_title(found: Trend | str, result: ValueResult) -> str:
    if isinstance(found, str):
        return _("Whether purchases drift away from the forecast cannot be told")
    change, low, high = found.over_span
    facts = {"n": formats.number(found.weeks), "bounds": words.between(low, high)}
    if low <= 0 <= high:
        return _("No clear trend against the forecast over {n} weeks: {bounds}", **facts)
    verb = _("fell") if change < 0 else _("rose")
    return _("Against the forecast purchases {verb} {change} over {n} weeks", verb=verb,
             change=formats.percent(abs(change)), **facts)  # fmt: skip


def _say_trend(result: ValueResult) -> str:
    held = result.holdout
    assert held is not None
    texts = []
    for name, found in held.trends.items():
        what = _("Over the days the model was fitted on") if name == "calibration" else _("Over all days")
        if isinstance(found, str):
            texts.append(_("{what} a trend cannot be told: {reason}.", what=what, reason=found))
            continue
        change, low, high = found.over_span
        texts.append(
            _("{what} purchases moved by {change} against the forecast ({n} weeks, {level} interval {bounds}): "
              "{verdict}.",
              what=what, change=signed_percent(change), n=formats.number(found.weeks), level=words.level(result),
              bounds=words.between(low, high),
              verdict=_("no clear trend") if low <= 0 <= high else _("a trend the model does not know"))
        )  # fmt: skip
    return " ".join(texts)


def _month(number: float) -> str:
    return f"{pd.Timestamp(2001, int(number), 1):%B}"


def _season_chart(client: "Client", result: ValueResult, season: Season) -> Exhibit:
    held = result.holdout
    assert held is not None
    peak, trough = season.peak, season.trough
    facts = {"high": _month(peak["month"]), "up": signed_percent(peak["raw"] - 1),
             "low": _month(trough["month"]), "down": signed_percent(trough["raw"] - 1)}  # fmt: skip
    title = _("Months differ: {high} {up}, {low} {down} against the year", **facts)
    if season.p_value >= 1 - result.settings["interval"]:
        title = _("No clear season: even {high} ({up}) and {low} ({down}) may be chance", **facts)
    subtitle = _("Actual against expected repeat purchases by month, the year's average being 100 %; {level} interval",
                 level=words.level(result))  # fmt: skip
    more = _("{n} months of data; a trend is taken out.", n=formats.number(season.cells))
    reading = _("The index draws each month towards 100 % as far as the same months of different years disagree.")
    caption = Caption(title, subtitle, words.source(client, held.n_customers, more), reading)
    frame = season.months.drop(columns="error")
    looks: dict[str, Any] = {"month": _month, "years": words.whole}
    looks |= dict.fromkeys(("raw", "low", "high", "index"), words.two)
    return Exhibit(frame, caption, looks, {"raw": _("measured"), "years": _("times seen")})


def _say_season(result: ValueResult, season: Season) -> str:
    held, peak = result.holdout, season.peak
    assert held is not None
    sure = season.p_value < 1 - result.settings["interval"]
    text = _(
        "{head} {month} stands highest, {up} against the year ({level} interval {bounds}); chance alone would make "
        "months differ as much in {p} of cases.",
        head=_("There is a season.") if sure else _("No season can be told from chance."),
        month=_month(peak["month"]),
        up=signed_percent(peak["raw"] - 1),
        level=words.level(result),
        bounds=words.between(peak["low"] - 1, peak["high"] - 1),
        p=formats.percent(season.p_value, 1),
    )
    return f"{text} {_index_use(result)}"


def _index_use(result: ValueResult) -> str:
    held = result.holdout
    assert held is not None
    tried = held.season
    if not tried["tried"]:
        return _("A seasonal index could not be tried: up to the cut {reason}.", reason=tried["reason"])
    verdict = _(
        "It is used in the tracking and in the forecast of months, not in values: over twelve months an index "
        "changes nothing, because it averages to 1."
    )
    if not tried["used"]:
        why = _("the days up to the cut show no season beyond chance")
        if tried["p_value"] < 1 - result.settings["interval"]:
            why = _("the days held back were not forecast better with it")
        verdict = _("It is not used: {why}.", why=why)
    months = int(result.settings["horizon_months"])
    if tried["used"] and months % 12:
        factor = seasons.mean_index(tried["index"], *_horizon_days(result))
        verdict += " " + _("Over this client's {n} months it would change purchases by {change}.",
                           n=formats.number(months), change=signed_percent(factor - 1))  # fmt: skip
    return _("A seasonal index was tried, from the days up to the cut. {verdict}", verdict=verdict)


def _horizon_days(result: ValueResult) -> tuple[Any, Any]:
    begin = pd.Timestamp(result.settings["as_of"])
    end = begin + pd.Timedelta(days=round(int(result.settings["horizon_months"]) * DAYS_PER_MONTH))
    return (begin + pd.Timedelta(days=1)).date(), end.date()


def _season_test(client: "Client", result: ValueResult) -> Exhibit:
    held = result.holdout
    assert held is not None
    tried = held.season
    names = (("bias", _("total off")), ("rmse", _("error per customer")), ("months_rmse", _("error per month")))
    frame = pd.DataFrame(
        {
            "index": [_("without index"), _("with index")],
            **{name: [tried[name], tried[f"{name}_with"]] for name, _label in names},
        }
    )
    change = tried["months_rmse_with"] / tried["months_rmse"] - 1 if tried["months_rmse"] else 0.0
    title = _("With a seasonal index months are forecast {change} worse", change=formats.percent(change))
    if abs(change) < 0.005:
        title = _("A seasonal index changes the error of months by less than 0.5 %")
    elif change < 0:
        title = _("With a seasonal index months are forecast {change} better", change=formats.percent(-change))
    subtitle = _("Hold-out of {days}: total, root mean square error per customer and per month (purchase days)",
                 days=formats.days(held.holdout_days))  # fmt: skip
    moved = _("The index leaves the hold-out's total as it is.")
    if abs(tried["factor"] - 1) >= seasons.SAME_SHARE:
        moved = _("The index changes the hold-out's total by {change}.", change=signed_percent(tried["factor"] - 1))
    reading = f"{moved} {_index_use(result)}"
    looks: dict[str, Any] = {"bias": partial(words.signed_one), "rmse": partial(formats.number, digits=3)}
    looks["months_rmse"] = partial(formats.number, digits=1)
    labels = {"index": _("forecast"), **dict(names)}
    return Exhibit(frame, Caption(title, subtitle, words.source(client, held.n_customers), reading), looks, labels)


def _calendar_findings(result: ValueResult, season: Season | str) -> list[Finding]:
    held = result.holdout
    assert held is not None
    found = held.trends["whole"]
    made = []
    if isinstance(season, Season) and season.p_value < 1 - result.settings["interval"]:
        peak, trough = season.peak, season.trough
        text = _(
            "Purchases have a season: {high} runs {up} against the year ({level} interval {bounds}), {low} {down}. A "
            "forecast of a few months needs it, values over whole years do not.",
            high=_month(peak["month"]), up=signed_percent(peak["raw"] - 1), level=words.level(result),
            bounds=words.between(peak["low"] - 1, peak["high"] - 1), low=_month(trough["month"]),
            down=signed_percent(trough["raw"] - 1),
        )  # fmt: skip
        if max(abs(peak["raw"] - 1), abs(trough["raw"] - 1)) >= NOTABLE_CHANGE:
            made.append(words.finding("season", text, float(peak["raw"] - 1), 0.5, "value_season", unit="share"))
    if isinstance(found, Trend):
        change, low, high = found.over_span
        if abs(change) >= NOTABLE_CHANGE and not low <= 0 <= high:
            text = _(
                "Against the forecast purchases {verb} {change} over {n} weeks ({level} interval {bounds}): the "
                "purchases expected are probably too {direction} if that goes on.",
                verb=_("fell") if change < 0 else _("rose"), change=formats.percent(abs(change)),
                n=formats.number(found.weeks), level=words.level(result), bounds=words.between(low, high),
                direction=_("many") if change < 0 else _("few"),
            )  # fmt: skip
            figure, importance = "value_residuals", 0.35 + min(0.2, abs(change) / 2)
            made.append(words.finding("trend", text, change, importance, figure, low=low, high=high, unit="share",
                                 kind="caution"))  # fmt: skip
    if isinstance(season, str) and held.holdout_days < 350:
        text = _(
            "Whether there is a season cannot be told: {reason}. The hold-out covers {days}, so its error mixes the "
            "model's with the season's.",
            reason=season, days=formats.days(held.holdout_days),
        )  # fmt: skip
        made.append(words.finding("season", text, None, 0.3, "value_residuals", kind="caution"))
    return made


def next_months(client: "Client", result: ValueResult) -> Part:
    """What today's customers will probably buy in each of the next months."""
    frame = months_ahead.forecast_months(result)
    total = float(frame["expected"].sum())
    title = _("Today's customers probably buy on {n} days in the next three months", n=formats.number(round(total)))
    subtitle = _("Expected purchase days by month from the as-of day, with {level} interval", level=words.level(result))
    limit = _("The interval holds uncertain parameters and chance, not model error.")
    error = _months_error(result)
    if not formats.is_missing(error):
        limit = _("The interval holds uncertain parameters and chance, not model error: in the hold-out single months "
                  "were {error} off (root mean square).", error=formats.percent(error))  # fmt: skip
    used = bool(result.holdout and result.holdout.season.get("used"))
    index = _("With the seasonal index.") if used else _("Without a seasonal index.")
    reading = f"{limit} {index}"
    caption = Caption(title, subtitle, words.source(client, result.purchase.n_customers), reading)
    looks: dict[str, Any] = dict.fromkeys(("expected", "low", "high"), words.whole)
    labels = {"first": _("from"), "last": _("to"), "expected": _("purchase days")}
    shown = frame if used else frame.drop(columns="index")
    if used:
        looks["index"] = formats.percent
    return Part({"value_next_months": Exhibit(shown, caption, looks, labels)})


def _months_error(result: ValueResult) -> float:
    """Root mean square error of the hold-out's months, as a share of their mean."""
    held = result.holdout
    if held is None:
        return float("nan")
    later = held.months[(held.months["phase"] == "holdout") & (held.months["days"] >= seasons.HALF_MONTH)]
    if not len(later) or not later["actual"].sum():
        return float("nan")
    name = "months_rmse_with" if held.season["used"] else ""
    if name:
        return float(held.season[name] / later["actual"].mean())
    return float(((later["expected"] - later["actual"]) ** 2).mean() ** 0.5 / later["actual"].mean())
