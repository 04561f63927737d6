import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concentrator.portal.numbers import MISSING, ago, clock_time, count, joined, moment, shown, span, three_figures
from tests.support.web import MADRID, NOW

MINUTE, HOUR, DAY = 60, 3600, 86400


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0, "W", "0 W"),
        (-0.3, "W", "0 W"),
        (859.6, "W", "860 W"),
        (999.4, "W", "999 W"),
        (999.6, "W", "1.00 kW"),
        (-1240.0, "W", "−1.24 kW"),
        (2410, "W", "2.41 kW"),
        (9996, "W", "10.0 kW"),
        (24_100, "W", "24.1 kW"),
        (99_960, "W", "100 kW"),
        (241_000, "W", "241 kW"),
        (12_480_000, "W", "12 480 kW"),
        (-33, "var", "−33 var"),
        (1500, "VA", "1.50 kVA"),
        (18.204, "kWh", "18.20 kWh"),
        (9999.99, "kWh", "9999.99 kWh"),
        (12480.354, "kWh", "12 480.35 kWh"),
        (1_234_567.8, "kvarh", "1 234 567.80 kvarh"),
        (230.14, "V", "230.1 V"),
        (5.424, "A", "5.42 A"),
        (9.996, "A", "10.0 A"),
        (13.42, "A", "13.4 A"),
        (-0.001, "A", "0.00 A"),
        (50.02, "Hz", "50.02 Hz"),
        (0.612, "", "0.61"),
        (61.6, "%", "62 %"),
        (21.34, "degC", "21.3 °C"),
        (4, "", "4"),
        (70_000, "s", "70 000 s"),
        ("bidirectional", "", "bidirectional"),
    ],
)
def test_a_value_looks_as_the_trade_writes_it(value, unit, text):
    assert joined(*shown(value, unit)).replace("\u00a0", " ").replace("\u202f", " ") == text


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf, ""])
def test_what_was_not_measured_is_a_dash_and_never_a_zero(value):
    assert joined(*shown(value, "W")) == MISSING


@pytest.mark.parametrize(("watts", "was_kilo", "text"), [(950, False, "950"), (950, True, "0.95"), (899, True, "899")])
def test_a_value_near_a_thousand_keeps_its_unit(watts, was_kilo, text):
    assert shown(watts, "W", was_kilo)[0] == text


@given(st.floats(-1e9, 1e9), st.sampled_from(["W", "A", "V", "kWh", "Hz", "", "%"]), st.booleans())
def test_a_shown_number_is_the_value_to_its_last_digit(value, unit, was_kilo):
    text, shown_unit = shown(value, unit, was_kilo)
    number = text.replace("\u202f", "").replace("−", "-")
    assert not (number.startswith("-") and float(number) == 0)
    step = 10.0 ** -len(number.partition(".")[2])
    factor = 1000 if shown_unit != unit else 1
    assert abs(float(number) * factor - value) <= step * factor * 0.5 + abs(value) * 1e-12


@given(st.floats(1, 999.4))
def test_three_figures_are_three(value):
    assert len(three_figures(value).replace(".", "")) == 3


@pytest.mark.parametrize(
    ("age_s", "words"),
    [
        (-5, "0 s ago"),
        (0.9, "0 s ago"),
        (59.9, "59 s ago"),
        (60, "1 min ago"),
        (59.9 * MINUTE, "59 min ago"),
        (HOUR, "since 09:41"),
        (10 * HOUR, "since 00:41"),
        (11 * HOUR, "since 20 Nov, 23:41"),
        (360 * DAY, "since 26 Nov 2025, 10:41"),
    ],
)
def test_an_age_is_told_as_precisely_as_it_matters(age_s, words):
    assert ago(NOW - age_s, NOW, MADRID).replace("\u00a0", " ") == words


def test_times_are_the_boxs_own():
    assert clock_time(NOW, MADRID) == "10:41:07"
    assert moment(NOW, NOW, MADRID) == "10:41"


@pytest.mark.parametrize(
    ("seconds", "words"), [(-1, "0 s"), (48.7, "48 s"), (61, "1 min"), (11_530, "3 h 12 min"), (3 * DAY, "3 d 0 h")]
)
def test_a_length_of_time_is_short(seconds, words):
    assert span(seconds).replace("\u00a0", " ") == words


def test_counts_are_grouped():
    assert count(1204) == "1204"
    assert count(12480) == "12\u202f480"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(-1240.0, "W", "−1,24 kW"), (12480.354, "kWh", "12 480,35 kWh"), (5, "", "5"), (230.14, "V", "230,1 V")],
)
def test_in_spanish_the_decimal_sign_is_a_comma(value, unit, text):
    assert joined(*shown(value, unit, language="es")).replace("\u00a0", " ").replace("\u202f", " ") == text


@pytest.mark.parametrize(
    ("age_s", "words"),
    [
        (2, "hace 2 s"),
        (60, "hace 1 min"),
        (HOUR, "desde las 09:41"),
        (11 * HOUR, "desde el 20 nov, 23:41"),
        (360 * DAY, "desde el 26 nov 2025, 10:41"),
    ],
)
def test_in_spanish_an_age_is_told_in_spanish(age_s, words):
    assert ago(NOW - age_s, NOW, MADRID, "es").replace("\u00a0", " ") == words
