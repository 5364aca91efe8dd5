"""Dates written in every way at random, through the two steps of a run, against Python's calendar and time zones."""

import datetime as dt
import random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import two_steps
from perennial.errors import InputError

QUICK = settings(max_examples=6, deadline=None, phases=[Phase.explicit, Phase.generate])
MONTHS = ["Jan", "February", "März", "avr.", "mai", "giugno", "Juli", "août", "Sept", "octubre", "nov", "déc."]
DAYS = {  # which way a day is written, and how
    "iso": "{y:04}-{m:02}-{d:02}",
    "slashes": "{y:04}/{m}/{d}",
    "points": "{y:04}.{m:02}.{d:02}",
    "digits": "{y:04}{m:02}{d:02}",
    "wide": "{y:04}－{m:02}－{d:02}",
    "chinese": "{y}年{m}月{d}日",
    "named": "{d}. {name} {y:04}",
    "american": "{name} {d}, {y:04}",
    "hyphens": "{d:02}-{name}-{y:04}",
    "year_named": "{y:04}-{name}-{d:02}",
}
TIMES = ["", " {h:02}:{n:02}", " {h:02}:{n:02}:{s:02}", " {h}:{n:02}:{s:02}.{f:03}", " {half}:{n:02} {ap}"]
ZONES = ["", "", "Z", "+02:00", "-0530", " UTC", "+09"]
MINUTES = {"Z": 0, "+02:00": 120, "-0530": -330, " UTC": 0, "+09": 540}
WEEKDAYS = ["", "", "", "Mon ", "周五 ", "Samstag, "]


def written(seed):
    """Texts and the moments they stand for (None: none), in UTC where an offset is written."""
    dice = random.Random(seed)
    return [_one(dice) for _ in range(600)]


def _one(dice):
    y, m, d = dice.randrange(1000, 10000), dice.randrange(0, 14), dice.randrange(0, 33)
    h, n, s, f = dice.randrange(25), dice.randrange(62), dice.randrange(61), dice.randrange(1000)
    way, time = dice.choice(list(DAYS)), dice.choice(TIMES)
    zone = dice.choice(ZONES) if time and "ap" not in time else ""
    name = MONTHS[m - 1] if 1 <= m <= 12 else "Foo"
    half, ap = (h % 12 or 12), "AM" if h < 12 else "pm"
    text = dice.choice(WEEKDAYS) + DAYS[way].format(y=y, m=m, d=d, name=name)
    text += time.format(h=h, n=n, s=s, f=f, half=half, ap=ap) + zone
    seconds, micro = (s if "{s" in time else 0), (f * 1000 if "{f" in time else 0)
    if "{n" not in time:
        h, n = 0, 0
    elif "ap" in time:
        h = half % 12 + (12 if ap == "pm" else 0)
    try:
        moment = dt.datetime(y, m, d, 0 if h == 24 else h, n, seconds, micro)
        if h == 24:  # the midnight that ends a day, and nothing after it
            moment = moment + dt.timedelta(days=1) if (n, seconds, micro) == (0, 0, 0) else None
        moment = moment and moment - dt.timedelta(minutes=MINUTES.get(zone, 0))
    except (ValueError, OverflowError):
        moment = None
    return text, moment if moment is None or moment.year >= 1000 else None


@QUICK
@given(st.integers(0, 2**32))
def test_a_text_is_a_moment_exactly_where_the_calendar_has_it(seed):
    pairs = written(seed)
    found = two_steps.read({"ordered_at": [text for text, _ in pairs]})
    for (text, moment), value, bad in zip(pairs, found["ordered_at"], found["_bad_ordered_at"], strict=True):
        assert value == moment, text
        assert bad == (text.strip() if moment is None else None), text


def _without_offset(time):
    """Two digits after a minus, as a slip of the pen leaves them: hours behind Greenwich, of which there are 14."""
    clock, minus, hours = time[0].partition("-") if len(time) == 1 else ("", "", "")
    if minus and len(hours) == 2 and hours.isdecimal() and int(hours) <= 14:
        return [clock], dt.timedelta(hours=-int(hours))
    return time, dt.timedelta(0)


def _slow_iso(text):
    """Year, month and day by one mark, then perhaps hours, minutes and seconds: by splitting, or None."""
    for mark in "-/.":
        day, *time = text.strip().split(" ") if " " in text.strip() else text.strip().split("T")
        parts = day.split(mark)
        if len(parts) == 3 and len(parts[0]) == 4 and all(part.isdecimal() and len(part) <= 4 for part in parts):
            time, offset = _without_offset(time)
            clock = time[0].split(":") if len(time) == 1 else ["0", "0"] if not time else []
            if not 2 <= len(clock) <= 3 or not all(part.isdecimal() and len(part) <= 2 for part in clock):
                return None
            if not all(len(part) == 2 for part in clock[1:]) and time or any(len(part) > 2 for part in parts[1:]):
                return None
            try:
                moment = dt.datetime(*map(int, parts), *map(int, clock)) - offset
                return moment if int(parts[0]) >= 1000 else None
            except ValueError:
                return None
    return None


@QUICK
@given(st.integers(0, 2**32))
def test_texts_that_are_nearly_dates_are_none(seed):
    """One sign of a date changed, left out or put in; hours up to 23, since 24:00 is a moment of its own."""
    dice = random.Random(seed)
    texts = []
    for _ in range(600):
        text = f"20{dice.randrange(30):02}-{dice.randrange(1, 13):02}-{dice.randrange(1, 29):02}"
        text += dice.choice(["", f" {dice.randrange(24):02}:{dice.randrange(60):02}:{dice.randrange(60):02}"])
        at = dice.randrange(len(text))
        texts.append(text[:at] + dice.choice(["", *"0123456789-/:x_"]) + text[at + dice.randrange(2) :])
    texts += ["2016-06-21 00018:41", "2016-06-21 13: 8:05", "2016-06-21 13:08:0Z", "2015-05-21 03:03:0"]
    texts = [text for text in texts if "24:" not in text]
    for text, value in zip(texts, two_steps.read({"ordered_at": texts})["ordered_at"], strict=True):
        assert value == _slow_iso(text), text


FORMATS = ["%d/%m/%Y", "%m/%d/%Y", "%d.%m.%y", "%Y%m%d", "%d/%m/%Y %H:%M", "%d-%b-%Y %I:%M %p", "%d/%m/%y %H:%M:%S"]


@QUICK
@given(st.integers(0, 2**32), st.sampled_from(FORMATS))
def test_a_declared_format_reads_what_strptime_reads(seed, form):
    dice = random.Random(seed)
    texts = [_by_format(dice, form) for _ in range(500)]
    found = two_steps.read({"ordered_at": texts}, {"ordered_at": {"format": form}})["ordered_at"]
    for text, value in zip(texts, found, strict=True):
        try:
            expected = dt.datetime.strptime(text, form)
        except ValueError:
            expected = None
        assert value == expected, text


def _by_format(dice, form):
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Foo"]
    values = {"%d": f"{dice.randrange(34):02}", "%m": f"{dice.randrange(14):02}", "%Y": f"{dice.randrange(1000, 9999)}",
              "%y": f"{dice.randrange(100):02}", "%H": f"{dice.randrange(24):02}", "%M": f"{dice.randrange(62):02}",
              "%S": f"{dice.randrange(60):02}", "%b": dice.choice(months), "%I": f"{dice.randrange(1, 13):02}",
              "%p": dice.choice(["AM", "PM"])}  # fmt: skip
    for directive, value in values.items():
        form = form.replace(directive, value)
    return form


@QUICK
@given(st.lists(st.integers(1, 2_958_465_000), min_size=300, max_size=300))
def test_serial_days_are_those_of_the_workbook(thousandths):
    """Days since 1899-12-30 from March 1900; before, one more; day 60 never was. A thousandth of a day is 86.4 s."""
    texts = [f"{n // 1000}.{n % 1000:03}" if n % 1000 else str(n // 1000) for n in thousandths]
    found = two_steps.read({"ordered_at": texts}, {"ordered_at": {"format": "excel"}})["ordered_at"]
    for n, value in zip(thousandths, found, strict=True):
        day = n / 1000 if n >= 61_000 else n / 1000 + 1
        moment = dt.datetime(1899, 12, 30) + dt.timedelta(milliseconds=round(day * 86_400_000))
        assert value == (None if n < 1000 or 60_000 <= n < 61_000 else moment)


@QUICK
@given(st.lists(st.integers(-(10**9), 4 * 10**9), min_size=300, max_size=300))
def test_seconds_since_1970_are_told_by_the_clock_of_the_report(seconds):
    berlin = ZoneInfo("Europe/Berlin")
    expected = [dt.datetime.fromtimestamp(n, dt.UTC).astimezone(berlin).replace(tzinfo=None) for n in seconds]
    for form, texts in {"epoch": [str(n) for n in seconds], "epoch_ms": [f"{n}000" for n in seconds]}.items():
        found = two_steps.read({"ordered_at": texts}, {"ordered_at": {"format": form}}, time_zone="Europe/Berlin")
        assert found["ordered_at"] == expected


@QUICK
@given(st.lists(st.integers(0, 60 * 366 * 24 * 60), min_size=300, max_size=300))
def test_a_clock_is_moved_as_python_moves_it(minutes):
    """Local times of New York from 1970: skipped hours a later one, repeated hours the second (fold=1)."""
    local = [dt.datetime(1970, 1, 1) + dt.timedelta(minutes=n) for n in minutes]
    york, berlin = ZoneInfo("America/New_York"), ZoneInfo("Europe/Berlin")
    texts = [f"{moment:%Y-%m-%d %H:%M:%S}" for moment in local]
    declared = {"ordered_at": {"time_zone": "America/New_York"}}
    found = two_steps.read({"ordered_at": texts}, declared, time_zone="Europe/Berlin")["ordered_at"]
    for moment, value in zip(local, found, strict=True):
        skipped = moment.replace(tzinfo=york).astimezone(dt.UTC).astimezone(york).replace(tzinfo=None) != moment
        assert value == moment.replace(tzinfo=york, fold=0 if skipped else 1).astimezone(berlin).replace(tzinfo=None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-03-31 02:30:00", (2024, 3, 31, 1, 30)),  # skipped: read as 03:30, UTC+2
        ("2024-03-31 01:59:00", (2024, 3, 31, 0, 59)),
        ("2024-10-27 02:30:00", (2024, 10, 27, 1, 30)),  # told twice: the second, UTC+1
        ("2024-10-27 01:59:59", (2024, 10, 26, 23, 59, 59)),
        ("2024-10-27", (2024, 10, 27)),  # a day is that day by any clock
        ("2024-10-27T02:30:00+02:00", (2024, 10, 27, 0, 30)),  # what an offset says is not moved again
    ],
)
def test_hours_that_summer_time_skips_or_repeats(text, expected):
    found = two_steps.read({"ordered_at": [text]}, {"ordered_at": {"time_zone": "Europe/Berlin"}})
    assert found["ordered_at"] == [dt.datetime(*expected)]


def test_an_order_late_at_night_is_of_the_next_day_elsewhere(workbook):
    """23:30 in Greenwich is 00:30 in Berlin in winter."""
    rows = [("a", "2024-01-05T23:30:00Z", 1), ("b", "2024-07-05T21:30:00Z", 1), ("c", "2024-07-05T22:30:00Z", 1)]
    workbook.write("acme", rows, time_zone="Europe/Berlin")
    days = workbook.open("acme").transactions.execute().ordered_on.astype(str).str[:10].tolist()
    assert days == ["2024-01-06", "2024-07-05", "2024-07-06"]


def test_an_order_of_days_is_found_among_all_values():
    parsed = two_steps.parsed_source({"ordered_at": ["05/01/2024", "06/02/2024", "31/12/2023", "2024-02-03"]})
    found = parsed.rows.to_pyarrow()["ordered_at"].to_pylist()
    assert [day.date().isoformat() for day in found] == ["2024-01-05", "2024-02-06", "2023-12-31", "2024-02-03"]
    assert "3 values are read as day, month, year" in parsed.notes[0] and "1 others have the year" in parsed.notes[0]
    assert parsed.columns[0].format == "%d/%m/%Y"


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["05/01/2024", "06/02/2024"], "fit 2 orders; declare format: '%d/%m/%Y' or '%m/%d/%Y'"),
        (["13/01/2024", "01/14/2024", "02/03/2024"], "fit only day, month, year"),
        (["43102", "43103"], "if they are dates, declare format: excel under"),
    ],
)
def test_what_can_be_read_in_two_ways_is_asked(texts, words):
    with pytest.raises(InputError, match="sources.transactions.columns.ordered_at") as caught:
        two_steps.read({"ordered_at": texts})
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("columns", "zone", "words"),
    [
        ({}, "Europe/Berlim", "time_zone: there is no time zone 'Europe/Berlim'; did you mean 'Europe/Berlin'"),
        ({"ordered_at": {"time_zone": "Mars"}}, "UTC", "ordered_at.time_zone: there is no time zone 'Mars'"),
        ({"ordered_at": {"format": "%d/%m"}}, "UTC", "'%d/%m' has no year"),
        ({"ordered_at": {"format": "dd/mm/%"}}, "UTC", "is no date format"),
    ],
)
def test_zones_and_formats_nobody_knows_are_refused(columns, zone, words):
    with pytest.raises(InputError) as caught:
        two_steps.read({"ordered_at": ["2024-01-05"]}, columns, time_zone=zone)
    assert words in str(caught.value)
