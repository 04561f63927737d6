import pytest

from concentrator.api import MonthsTraffic, UplinkState
from concentrator.portal.ways import uplink_cells
from concentrator.portal.words import say_in
from tests.support.web import MADRID, NOW


def told(uplink, language="en"):
    cells = uplink_cells(uplink, say_in(language), NOW, MADRID, language)
    return {
        name: {part: text.replace("\u00a0", " ").replace("\u202f", " ") for part, text in cell.items()}
        for name, cell in cells.items()
    }


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
def test_an_uplink_says_whether_data_leaves(uplink, said, health):
    found = told(uplink)
    assert (found[":uplink.u"]["text"], found[":uplink.u"]["health"]) == (said, health)
    assert found[":uplink.u.trouble"]["text"] == uplink.trouble


def test_an_uplink_says_what_waits_and_what_was_taken():
    uplink = UplinkState("u", "mqtt", "x", True, NOW, NOW - 3, "", 0, 12480, 2)
    counts = "0 waiting · 12 480 delivered · 2 rejected · last 10:41:04"
    assert told(uplink)[":uplink.u.counts"]["text"] == counts


@pytest.mark.parametrize(
    ("cap", "language", "words"),
    [
        (0, "en", "10.5 MiB this month"),
        (50 * 2**20, "en", "10.5 of 50 MiB this month"),
        (50 * 2**20, "es", "10,5 de 50 MiB este mes"),
        (5 * 2**19, "es", "10,5 de 2,5 MiB este mes"),
    ],
)
def test_an_uplink_that_counts_says_what_the_month_has_had(cap, language, words):
    traffic = MonthsTraffic("2026-11", 2**20, 19 * 2**19, cap)
    uplink = UplinkState("u", "mqtt", "x", True, NOW, traffic=traffic)
    assert told(uplink, language)[":uplink.u.counts"]["text"].endswith(words)


def test_the_words_are_those_of_the_language():
    found = told(UplinkState("u", "ftp", "x", False, NOW, NOW), "es")
    assert found[":uplink.u"]["text"] == "Sin entregar desde las 10:41"
