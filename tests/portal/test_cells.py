import json

import pytest

from concentrator.api import LineState, UplinkState
from concentrator.model.trouble import Trouble
from concentrator.portal.cells import CCM, EXTERNAL, Cells, card_readouts, main_readouts, stamp, words_of
from tests.support.web import MADRID, NOW, FakeBox, device


@pytest.fixture
def box():
    return FakeBox()


@pytest.fixture
def cells(box):
    return Cells(box.sources, "en")


@pytest.fixture
def celdas(box):
    return Cells(box.sources, "es")


def spaced(text):
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def sentence(box, cells):
    return spaced(words_of(cells.of_topic("")[":sentence"], NOW, MADRID, "en"))


@pytest.mark.parametrize(
    ("healths", "said"),
    [
        (["answering"] * 8, "8 of 8 devices answer. Newest value 2 s ago."),
        (["answering", "doubtful"], "1 of 2 devices answer, 1 late. Newest value 2 s ago."),
        (["silent", "silent", "doubtful", "doubtful"], "0 of 4 devices answer, 2 late, 2 silent."),
        (["answering", "silent", "new"], "1 of 3 devices answer, 1 silent, 1 not read yet."),
        ([], "No devices yet."),
    ],
)
def test_the_first_sentence_is_true_without_the_rest_of_the_page(box, cells, healths, said):
    box.devices = [device(f"d{index}", health=health) for index, health in enumerate(healths)]
    assert sentence(box, cells).startswith(said)


def test_before_the_first_value_nothing_is_said_of_its_age(box, cells):
    box.devices = [device(health="new", at=None, values={})]
    assert sentence(box, cells) == "0 of 1 devices answer, 1 not read yet."


def test_a_badge_ages_by_itself_and_says_since_when_once_it_is_old(box, cells, celdas):
    box.devices = [device("main", health="doubtful", last_seen=NOW - 48)]
    badge = cells.of_topic("main")["main:health"]
    assert (badge["health"], spaced(words_of(badge, NOW + 60, MADRID, "en"))) == ("doubtful", "Stale 1 min")
    box.devices = [device("main", last_seen=NOW - 7200)]
    assert spaced(words_of(celdas.of_topic("main")["main:health"], NOW, MADRID, "es")) == "desde las 08:41"


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


def test_the_overview_has_what_cards_show_and_a_devices_page_every_variable(box, cells):
    overview = {name for name in cells.of_topic("") if name.startswith("main.")}
    assert overview == {"main.p", "main.v1", "main.i1"}
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


def test_a_card_shows_power_voltage_and_current(box):
    assert [name for name, _, _ in card_readouts(device())] == ["p", "v1", "i1"]


def test_meters_of_the_native_bus_have_a_page_of_their_own_and_all_others_another(box, cells):
    box.devices = [device("main"), device("roof", protocol="MB_RTU_EXT"), device("tank", protocol="MB_TCP_EXT")]
    assert "main:health" in cells.of_topic(CCM) and "roof:health" not in cells.of_topic(CCM)
    assert {"roof:health", "tank:health"} <= cells.of_topic(EXTERNAL).keys() - cells.of_topic(CCM).keys()
    assert spaced(words_of(cells.of_topic(EXTERNAL)[":sentence"], NOW, MADRID, "en")).startswith("2 of 2 devices")


def test_numbers_and_words_are_those_of_the_language(box, celdas):
    box.devices = [device("main", sign="import"), device("roof", health="silent", values={"p": 3100.0})]
    found = celdas.of_topic("")
    assert (found["main.p"]["text"], found["main.p"]["last"]) == ("−1,24", "a la red")
    assert spaced(found["roof.p"]["last"]) == "último 3,10 kW"
    assert spaced(words_of(found[":sentence"], NOW, MADRID, "es")) == (
        "Responden 1 de 2 equipos, 1 sin respuesta. Último valor hace 2 s."
    )


@pytest.mark.parametrize(
    ("sign", "watts", "word"),
    [("import", -1240.0, "to the grid"), ("import", 3.0, ""), ("generation", -5.0, ""), ("", -5.0, "")],
)
def test_a_power_that_goes_the_other_way_says_so_where_the_sign_is_known(box, cells, sign, watts, word):
    box.devices = [device("main", sign=sign, values={"p": watts, "i1": -3.0})]
    found = cells.of_topic("main")
    assert (found["main.p"]["last"], found["main.i1"]["last"]) == (word, "")


def test_a_device_in_conflict_has_no_values_at_all(box, cells):
    box.devices = [device("main", trouble=Trouble("…", "twice"))]
    cell = cells.of_topic("main")["main.p"]
    assert (cell["text"], cell["last"], cell["needle"]) == ("—", "", "")


def test_a_value_with_a_usual_range_has_a_needle_on_its_scale(box, cells):
    found = cells.of_topic("main")
    assert (found["main.v1"]["needle"], found["main.ea_imp"]["needle"]) == ("50", "")


@pytest.mark.parametrize(
    ("state", "is_troubled"),
    [
        (device(), False),
        (device(health="doubtful"), True),
        (device(health="silent"), True),
        (device(health="new", at=None, values={}), False),
        (device(quality="partial"), False),
        (device(trouble=Trouble("…", "foreign")), True),
        (device(trouble="it is on fire"), True),
    ],
)
def test_what_wants_attention_is_troubled(box, cells, state, is_troubled):
    assert cells.troubled([state]) == ({state.uid} if is_troubled else set())


def test_all_lines_are_told_with_their_verdicts(box, cells):
    box.lines = [LineState("a", "x", True), LineState("b", "x", False, "gone")]
    found = cells.of_topic(":lines")
    assert found[":line.a.verdict"]["text"] == "Nothing was asked on a yet."
    assert found[":line.b.verdict"]["text"] == "b cannot be opened: gone. It is tried again by itself."
    assert cells.of_topic(":line.a")[":line.a.used"]["text"] and cells.of_topic(":line.c") is None


def test_the_uplinks_are_told_where_all_devices_are(box, cells):
    box.uplinks = [UplinkState("u", "mqtt", "x", True, NOW)]
    assert spaced(cells.of_topic("")[":uplink.u"]["text"]) == "Connected since 10:41"


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
