import json

import pytest

from concentrator.api import LineState, MonthsTraffic, UplinkState
from concentrator.portal.cells import Cells, main_readouts, stamp, words_of
from tests.support.web import MADRID, NOW, FakeBox, device


@pytest.fixture
def box():
    return FakeBox()


@pytest.fixture
def cells(box):
    return Cells(box.sources)


def spaced(text):
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def sentence(box, cells):
    return spaced(words_of(cells.of_topic("")[":sentence"], NOW, MADRID))


@pytest.mark.parametrize(
    ("healths", "said"),
    [
        (["answering"] * 8, "8 of 8 devices answer. Newest value 2 s ago."),
        (["answering", "doubtful"], "1 of 2 devices answer, 1 answers late. Newest value 2 s ago."),
        (["silent", "silent", "doubtful", "doubtful"], "0 of 4 devices answer, 2 answer late, 2 are silent."),
        (["answering", "silent", "new"], "1 of 3 devices answer, 1 is silent, 1 is not read yet."),
        ([], "No devices yet: the configuration names none."),
    ],
)
def test_the_first_sentence_is_true_without_the_rest_of_the_page(box, cells, healths, said):
    box.devices = [device(f"d{index}", health=health) for index, health in enumerate(healths)]
    assert sentence(box, cells).startswith(said)


def test_before_the_first_value_nothing_is_said_of_its_age(box, cells):
    box.devices = [device(health="new", at=None, values={})]
    assert sentence(box, cells) == "0 of 1 devices answer, 1 is not read yet."


@pytest.mark.parametrize(
    ("health", "age_s", "words"),
    [
        ("answering", 2, "2 s ago"),
        ("doubtful", 48, "Stale 48 s"),
        ("silent", 400, "No answer since 10:34"),
        ("silent", None, "No answer yet"),
        ("new", None, "Not read yet"),
        ("doubtful", None, "Not read yet"),
    ],
)
def test_a_badge_says_in_words_how_a_device_answers(box, cells, health, age_s, words):
    box.devices = [device("main", health=health, last_seen=None if age_s is None else NOW - age_s)]
    badge = cells.of_topic("main")["main:health"]
    assert badge["health"] == health
    assert spaced(words_of(badge, NOW, MADRID)) == words


def test_a_silent_device_has_no_values_but_what_it_said_last(box, cells):
    box.devices = [device("main", health="silent", values={"p": 3100.0})]
    found = cells.of_topic("main")
    assert (found["main.p"]["text"], spaced(found["main.p"]["last"])) == ("—", "last 3.10 kW")
    assert (found["main.v1"]["text"], found["main.v1"]["last"]) == ("—", "")


def test_a_value_near_a_thousand_watts_does_not_flicker_between_units(box, cells):
    shown = []
    for watts in (950, 1000, 950, 899, 950):
        box.change("main", values={"p": watts})
        cell = cells.of_topic("main")["main.p"]
        shown.append((cell["text"], cell["unit"]))
    assert shown == [("950", "W"), ("1.00", "kW"), ("0.95", "kW"), ("899", "W"), ("950", "W")]


def test_the_overview_has_the_three_main_readouts_and_a_devices_page_every_variable(box, cells):
    overview = {name for name in cells.of_topic("") if name.startswith("main.")}
    assert overview == {"main.p", "main.v1", "main.ea_imp"}
    page = {name for name in cells.of_topic("main") if name.startswith("main.")}
    assert page == {"main.i1", "main.v1", "main.p", "main.pf", "main.ea_imp"}
    assert cells.of_topic("nobody") is None


@pytest.mark.parametrize(
    ("points", "names"),
    [
        ([("dc_v1", "", "V"), ("v1", "", "V"), ("p", "", "W"), ("e_total", "", "kWh")], ["p", "v1", "e_total"]),
        ([("grid_p", "", "W"), ("dc_v1", "", "V")], ["grid_p", "dc_v1"]),
        ([("status", "", "")], []),
        ([], []),
    ],
)
def test_main_readouts_are_power_voltage_and_energy_as_far_as_a_device_has_them(points, names):
    assert [name for name, _, _ in main_readouts(device(points=points))] == names


@pytest.mark.parametrize(
    ("line", "said", "health", "counts"),
    [
        (LineState("n", "x", True), "Open", "up", "nothing asked yet"),
        (LineState("n", "x", False), "Opening", "idle", "nothing asked yet"),
        (LineState("n", "x", False, "Gone."), "Not open", "down", "nothing asked yet"),
        (
            LineState("n", "x", True, "", {"requests": 12480, "answers": 12479, "timeouts": 1, "garbled": 0}),
            "Open",
            "up",
            "12 480 requests · 99.9 % answered · 1 timed out",
        ),
        (
            LineState("n", "x", True, "", {"requests": 4, "answers": 4}),
            "Open",
            "up",
            "4 requests · 100 % answered",
        ),
    ],
)
def test_a_line_says_whether_it_is_open_and_how_well_it_answers(box, cells, line, said, health, counts):
    box.lines = [line]
    found = cells.of_topic("")
    assert (found[":line.n"]["text"], found[":line.n"]["health"]) == (said, health)
    assert found[":line.n.trouble"]["text"] == line.trouble
    assert spaced(found[":line.n.counts"]["text"]) == counts


@pytest.mark.parametrize(
    ("uplink", "said", "health"),
    [
        (UplinkState("u", "mqtt", "x", True, NOW), "Connected since 10:41", "up"),
        (UplinkState("u", "mqtt", "x"), "Connecting", "idle"),
        (UplinkState("u", "mqtt", "x", False, NOW, None, "Refused."), "Not connected since 10:41", "down"),
        (UplinkState("u", "ftp", "x", True, None), "Delivering", "up"),
        (UplinkState("u", "ftp", "x"), "Nothing delivered yet", "idle"),
        (UplinkState("u", "ftp", "x", False, NOW, NOW), "Not delivering since 10:41", "down"),
    ],
)
def test_an_uplink_says_whether_data_leaves(box, cells, uplink, said, health):
    box.uplinks = [uplink]
    found = cells.of_topic("")
    assert (found[":uplink.u"]["text"], found[":uplink.u"]["health"]) == (said, health)
    assert found[":uplink.u.trouble"]["text"] == uplink.trouble


def test_an_uplink_says_what_waits_and_what_was_taken(box, cells):
    box.uplinks = [UplinkState("u", "mqtt", "x", True, NOW, NOW - 3, "", 0, 12480, 2)]
    counts = spaced(cells.of_topic("")[":uplink.u.counts"]["text"])
    assert counts == "0 waiting · 12 480 delivered · 2 rejected · last 10:41:04"


@pytest.mark.parametrize(("cap", "words"), [(0, "10.5 MiB this month"), (50 * 2**20, "10.5 of 50 MiB this month")])
def test_an_uplink_that_counts_says_what_the_month_has_had(box, cells, cap, words):
    traffic = MonthsTraffic("2026-11", 2**20, 19 * 2**19, cap)
    box.uplinks = [UplinkState("u", "mqtt", "x", True, NOW, traffic=traffic)]
    assert cells.of_topic("")[":uplink.u.counts"]["text"].endswith(words)


@pytest.mark.parametrize(
    ("up", "words", "health"),
    [
        ([], "No uplink", "down"),
        ([True, True], "Data server", "up"),
        ([True, False], "1 of 2 uplinks", "down"),
        ([False], "Offline", "down"),
    ],
)
def test_the_green_light_is_on_when_every_uplink_is_up(box, cells, up, words, health):
    box.uplinks = [UplinkState(f"u{index}", "mqtt", "x", is_up) for index, is_up in enumerate(up)]
    assert cells.of_topic("")[":way-out"] == {"text": words, "health": health}


def test_every_cell_is_json(box, cells):
    box.devices.append(device("odd", health="silent", values={"p": float("nan"), "v1": "text", "pf": 3}))
    for topic in ("", "main", "odd"):
        json.dumps(cells.of_topic(topic), allow_nan=False)


def test_two_devices_never_share_a_cell(box, cells):
    box.devices = [device("a", points=[("p", "", "W")]), device("a.p", points=[("p", "", "W")])]
    names = [name for state in box.devices for name in cells.device(state, ["p"])]
    assert len(names) == len(set(names))


def test_the_stamp_tells_the_time_and_the_zones_offset(box):
    assert stamp(box.wall, MADRID) == {"now": NOW, "offset": 3600}
