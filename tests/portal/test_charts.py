import pytest

from concentrator.portal.charts import LINES_MOST, chart_of
from concentrator.portal.words import say_in
from tests.support.web import MADRID, NOW

MIDNIGHT = 1_795_215_600  # 21 Nov 2026 in Madrid


def column(name="p", unit="W", value=(1.0, 2.0), least=(), most=()):
    return {"name": name, "unit": unit, "value": value, "least": least, "most": most}


def trend(device="main", *columns, ends=(MIDNIGHT + 300, MIDNIGHT + 600), step=300):
    return {"device": device, "columns": columns or (column(),), "ends": list(ends), "step": step, "period": 300}


def chart(*trends, gaps=None, language="en"):
    return chart_of(
        trends,
        {"main": "Main", "roof": "Roof"},
        lambda device, name: {"p": "active power"}.get(name, name),
        lambda device: (gaps or {}).get(device, ()),
        say=say_in(language),
        language=language,
        zone=MADRID,
        now=NOW,
    )


def rows(found):
    return [(said, [value.replace("\u202f", " ") for value in values]) for said, values in found.rows()]


def test_a_row_is_a_moment_and_the_values_in_words():
    assert rows(chart(trend("main", column(value=(999.4, -12.0))))) == [("00:05", ["999"]), ("00:10", ["−12"])]


def test_power_is_in_kilo_where_any_of_it_is_large():
    found = chart(trend("main", column(value=(240.0, 1240.5), least=(200.0, 1000.0), most=(300.0, 2000.0))))
    assert (found.plots[0].unit, rows(found)[0][1]) == ("kW", ["0.24"])
    assert (found.plots[0].lines[0].least[1], found.plots[0].lines[0].most[1]) == (1.0, 2.0)


def test_spanish_has_a_comma():
    found = chart(trend("main", column("v1", "V", (230.12, 231.0))), language="es")
    assert rows(found)[0][1] == ["230,1"]
    assert found.as_json()["point"] == ","


def test_each_unit_is_a_plot_of_its_own_and_energy_begins_at_zero_but_voltage_does_not():
    found = chart(trend("main", column("v1", "V"), column("p", "W"), column("v2", "V")))
    assert [(plot.unit, [line.variable for line in plot.lines], plot.from_zero) for plot in found.plots] == [
        ("V", ["v1", "v2"], False),
        ("W", ["p"], True),
    ]


def test_several_devices_are_told_apart_by_name():
    assert [line.label for _, line in chart(trend("main"), trend("roof")).lines] == [
        "Main: active power",
        "Roof: active power",
    ]
    assert [line.label for _, line in chart(trend("main")).lines] == ["active power"]


def test_no_more_lines_than_can_be_told_apart():
    many = [column(f"v{n}", "V") for n in range(4)] + [column(f"p{n}", "W") for n in range(4)]
    assert len(chart(trend("main", *many)).lines) == LINES_MOST


def test_a_gap_is_a_row_with_its_reason_and_steps_without_any_value_are_left_out():
    ends = [MIDNIGHT + 300 * n for n in range(1, 6)]
    values = (1.0, None, None, 4.0, 5.0)
    found = chart(
        trend("main", column(value=values), ends=ends),
        gaps={"main": [(MIDNIGHT + 300, MIDNIGHT + 900, "silent")]},
    )
    assert rows(found) == [
        ("00:05", ["1"]),
        ("No data 00:05 to 00:15: the device did not answer.", []),
        ("00:20", ["4"]),
        ("00:25", ["5"]),
    ]


@pytest.mark.parametrize("reason", ["", "silent", "suspended", "conflict", "partial"])
def test_every_reason_has_words_in_both_languages(reason):
    for language in ("en", "es"):
        found = chart(trend(), gaps={"main": [(MIDNIGHT, MIDNIGHT + 300, reason)]}, language=language)
        assert found.gaps[0].text.endswith(".")


def test_where_the_clocks_change_moments_say_which_time_they_are_in():
    # 25 Oct 2026, the hour from 02:00 to 03:00 comes twice
    first = 1_792_886_400
    found = chart(trend("main", ends=(first, first + 3600)), gaps={"main": [(first - 3600, first + 3600, "")]})
    assert [said.split(", ")[1] for said in found.times] == ["02:00 CEST", "02:00 CET"]
    assert "01:00 CEST" in found.gaps[0].text and "02:00 CET" in found.gaps[0].text


def test_nothing_is_no_chart():
    empty = chart()
    assert (empty.has_values, list(empty.rows())) == (False, [])
    assert not chart(trend("main", column(value=(None, None)))).has_values
