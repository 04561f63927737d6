"""Settings › Historic and Timezone."""

import pytest
from attrs import evolve

from concentrator.actions.standing import ClockState
from concentrator.portal.pages.settings import as_size, zones
from concentrator.web.access import Role
from tests.support.config_box import TEXT, ConfigBox
from tests.support.pages import Visitor, kept

HISTORIC, TIMEZONE = "/settings/historic", "/settings/timezone"


@pytest.fixture
def box(tmp_path):
    return ConfigBox(tmp_path)


def test_historic_says_how_much_is_stored_and_how_far_back(box, visitor):
    words = visitor.open(HISTORIC).words
    assert "Storing is on." in words
    assert "312.0 MiB used, of at most 2.0 GiB; 9.0 GiB free on the disk." in words
    assert "Oldest record: 20 Nov, 10:41." in words
    box.store = evolve(box.store, oldest=None)
    assert "No record yet." in visitor.open(HISTORIC).words


def test_sizes_are_said_in_the_language_of_the_page(box, site):
    assert "312,0 MiB ocupados, de 2,0 GiB como máximo" in Visitor(box, site, language="es").open(HISTORIC).words
    assert as_size(2048, "en").replace("\u00a0", " ") == "2 KiB"


def test_every_field_of_historic_is_there_and_saved(box, visitor):
    fields = visitor.open(HISTORIC).fields
    fields.pop("was")
    assert fields == {
        "history-enabled": "on",
        "history-latency": "5 min",
        "history-format": "csv",
        "history-keep": "2 years",
        "ftp-sending_latency": "1 h",
        "ftp-time_of_day": "00:05",
    }
    sent = visitor.send(
        HISTORIC, history__latency="10 min", history__format="json", ftp__enabled="on", ftp__time_of_day="01:30"
    )
    assert sent.answer.status == 303
    assert kept(box)["history"] == {"latency": "10 min", "format": "json", "enabled": True}
    assert kept(box)["ftp"] == {"enabled": True, "server": "ftp.example", "time_of_day": "01:30"}
    assert (box.config.history.latency_s, box.config.ftp.enabled) == (600, True)
    assert "Saved at 10:41." in visitor.open(HISTORIC).words


def test_a_latency_that_does_not_divide_the_hour_comes_back_with_the_nearest(box, visitor, site):
    page = visitor.send(HISTORIC, history__latency="7 min")
    assert page.fault("history-latency") == 'Latency: "7 min" does not divide the hour. Nearest: 6 min, 10 min.'
    assert page.fields["history-latency"] == "7 min" and box.text == TEXT
    page = visitor.send(HISTORIC, history__latency="2 h")
    assert page.fault("history-latency") == 'Latency: "2 h" does not divide the hour. Nearest: 1 h.'
    page = Visitor(box, site, language="es").send(HISTORIC, history__latency="7 min")
    assert page.fault("history-latency") == 'Latencia: "7 min" no divide la hora. Más cercanos: 6 min, 10 min.'


@pytest.mark.parametrize(
    ("typed", "field", "sentence"),
    [
        ({"ftp__sending_latency": "7 h"}, "ftp-sending_latency", '"7 h" does not divide the day. Nearest: 6 h, 8 h.'),
        ({"ftp__time_of_day": "24:00"}, "ftp-time_of_day", 'Select time: found "24:00". Use hours and minutes'),
        ({"history__keep": "soon"}, "history-keep", 'Keep: found "soon". Use 1 day to '),
        ({"history__latency": "7"}, "history-latency", 'Latency: found "7". Use 10 s to 1 h, for example 10 s.'),
        (
            {"ftp__enabled": "on", "ftp__sending_latency": "30 s"},
            "ftp-sending_latency",
            '"30 s" is no multiple of Latency, 5 min.',
        ),
        ({"history__latency": "15 s", "history__enabled": "on"}, "history-latency", ""),
    ],
)
def test_a_fault_names_field_finding_and_rule(box, visitor, typed, field, sentence):
    page = visitor.send(HISTORIC, **typed)
    if sentence:
        assert sentence in page.fault(field) and box.text == TEXT
    else:
        assert page.answer.status == 303


def test_a_fault_of_another_page_says_where_it_is(box, visitor):
    page = visitor.send(HISTORIC, history__latency="40 s")
    assert '[mqtt] latency: "1 min" is no multiple of 40 s, the smallest latency in use.' in page.words
    assert box.text == TEXT


def test_storing_that_is_off_is_said_first(box, visitor):
    visitor.send(HISTORIC, history__enabled=None)
    assert kept(box)["history"] == {"enabled": False}
    assert "Storing is off. No files are sent either." in visitor.open(HISTORIC).words


def test_the_zone_is_chosen_from_those_there_are_and_works_after_a_restart(box, visitor):
    assert {"Europe/Madrid", "UTC", "America/Argentina/Buenos_Aires"} <= set(zones()) and len(zones()) > 400
    assert visitor.open(TIMEZONE).fields["box-timezone"] == "Europe/Madrid"
    visitor.send(TIMEZONE, box__timezone="Atlantic/Canary")
    assert kept(box)["box"]["timezone"] == "Atlantic/Canary"
    page = visitor.open(TIMEZONE)
    assert "Saved at 10:41. Works after a restart: Time zone." in page.words
    assert page.fields["box-timezone"] == "Atlantic/Canary"


def test_a_zone_that_is_none_is_refused(box, visitor):
    page = visitor.send(TIMEZONE, box__timezone="Europe/Madrit")
    assert 'Time zone: found "Europe/Madrit". Choose one of the list' in page.fault("box-timezone")
    assert "Did you mean Europe/Madrid?" in page.fault("box-timezone") and box.text == TEXT


def test_how_the_clock_is_kept_right_is_said_as_far_as_the_box_knows(box, visitor):
    assert "The clock is right: kept by NTP or the like. Times are Europe/Madrid." in visitor.open(TIMEZONE).words
    for state in (False, None):
        box.clock_state = ClockState(state, "Europe/Madrid")
        assert "The clock is believed, but nothing keeps it right now." in visitor.open(TIMEZONE).words
    box.wall.trusted = False
    assert "The clock is not set yet" in visitor.open(TIMEZONE).words


def test_a_viewer_reads_and_does_not_save(box, site):
    viewer = Visitor(box, site, Role.VIEWER)
    for path in (HISTORIC, TIMEZONE):
        page = viewer.open(path)
        assert "You are signed in as viewer. Changing this needs installer." in page.words
        assert viewer.send(path, page).answer.status == 403
