"""The gross margin: set, from the data, or by category."""

import ibis
import pandas as pd
import pytest
from pydantic import ValidationError

from perennial.analysis.margins import line_margin, resolved
from perennial.client import read_parameters
from perennial.errors import ParameterError

LINES = pd.DataFrame(
    {"amount": [100.0, 50.0, -20.0, 70.0], "margin": [40.0, None, -8.0, 7.0], "category": ["a", "a", "b", None]}
)


def parameters(**changed):
    return read_parameters("demo").model_copy(update=changed)


def test_margin_of_the_data_is_margin_over_amount():
    """By hand: (40 + 50 · 0.3 − 8 + 7) / 200 = 27 %; the line without one takes the share that is set."""
    found = resolved(parameters(margin_by="data", gross_margin=0.3), ibis.memtable(LINES))
    assert found.gross_margin == pytest.approx(0.27)


def test_margin_by_category_weighs_them_by_what_they_sell():
    """By hand: (150 · 0.4 − 20 · 0.1 + 70 · 0.3) / 200 = 39.5 %, lines of other categories at the share that is set."""
    found = resolved(parameters(margin_by={"a": 0.4, "b": 0.1}, gross_margin=0.3), ibis.memtable(LINES))
    assert found.gross_margin == pytest.approx(0.395)
    lines = line_margin(ibis.memtable(LINES), 0.3, {"a": 0.4, "b": 0.1}).to_pandas()
    assert sorted(lines) == pytest.approx(sorted([40.0, 20.0, -2.0, 21.0]))


def test_a_set_margin_stays():
    """Nothing is measured where nothing is asked."""
    given = parameters(margin_by="set", gross_margin=0.3)
    assert resolved(given, ibis.memtable(LINES)) is given


@pytest.mark.parametrize("margins", [[-90.0, 0.0, 0.0, 0.0], [300.0, 0.0, 0.0, 0.0]], ids=["a loss", "over revenue"])
def test_a_margin_nobody_can_live_on_is_refused_in_words(margins):
    """The sentence says what was found, what was expected and what to do."""
    with pytest.raises(ParameterError, match="a share above 0 and up to 1 was expected"):
        resolved(parameters(margin_by="data"), ibis.memtable(LINES.assign(margin=margins)))


@pytest.mark.parametrize(("asked", "column"), [("data", "margin"), ({"coffee": 0.4}, "category")])
def test_the_columns_it_needs_must_be_mapped(asked, column):
    """Asking for what the file cannot give is told before anything runs."""
    given = read_parameters("cdnow").model_dump()
    with pytest.raises(ValidationError, match=f"margin_by needs the column '{column}'"):
        type(read_parameters("cdnow")).model_validate({**given, "margin_by": asked})
