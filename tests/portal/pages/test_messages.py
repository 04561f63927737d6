"""Services › SMS: how each modem stands, its last messages, and one to try it."""

import pytest
from attrs import evolve

from concentrator.actions.messages import MessageState
from concentrator.app.config_sms import ITEMS
from concentrator.portal.pages.messages import said
from concentrator.portal.words import say_in
from concentrator.sms.life import CLOSED, PREPARING, READY, RESTING, SEARCHING
from concentrator.sms.modem_manager import _WORDS
from tests.support.pages import Visitor, kept
from tests.support.service_box import MODEM, ServiceBox
from tests.support.web import NOW

PATH = "/services/sms/modem"
STANDINGS = ("Looking for the modem", "No modem")


@pytest.fixture
def box(tmp_path):
    return ServiceBox(tmp_path)


def test_a_modem_shows_its_network_and_its_last_messages(visitor):
    words = visitor.open(PATH).words.replace("\u202f", " ").replace("\xa0", " ")
    assert "Ready. " in words
    assert "Network Movistar Signal 71 % Phone Numbers …456 Waiting 0 Received 2 Refused 1 Answered 0" in words
    assert "to …456 · delivered: GENSET ALARM" in words
    assert "from …789 · received (a stranger): —" in words


def test_a_trouble_stands_with_how_it_stands(box, visitor):
    box.modems = [evolve(MODEM, standing="Locked", is_ready=False, trouble="Switch the SIM's PIN off.")]
    assert "The SIM is locked. Switch the SIM's PIN off." in visitor.open(PATH).words


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_fate_of_a_message_has_its_words(box, site, language):
    fates = ("received", "waiting", "sent", "delivered", "undelivered", "failed")
    box.modems = [evolve(MODEM, messages=[MessageState(NOW, "out", "…1", "x", fate) for fate in fates])]
    words = Visitor(box, site, language=language).open(PATH).words
    assert all(say_in(language)(f"messages.fate_{fate}") in words for fate in fates)


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("word", [*STANDINGS, *_WORDS.values(), CLOSED, PREPARING, RESTING, SEARCHING, READY])
def test_every_standing_of_our_drivers_has_its_words(word, language):
    assert said({"standing": word, "trouble": ""}, say_in(language)).endswith(".")


def test_a_standing_of_the_modems_own_is_shown_as_it_is():
    assert said({"standing": "Dancing", "trouble": ""}, say_in("es")) == "Dancing"


def test_a_test_message_goes_to_all_numbers(box, visitor):
    visitor.send(PATH, text="Hello from the box")
    assert box.sent == [("modem", "Hello from the box", "")]
    assert "The test message is on its way." in visitor.open(PATH).words


def test_a_test_message_that_is_none_is_refused_with_words(box, visitor):
    page = visitor.send(PATH, text='"' + "x" * 160)
    assert box.sent == []
    assert page.answer.status == 200 and "text: found" in page.words
    assert f'name="text" value="&#34;{"x" * 160}"' in page.html
    assert 'name="text" value=""' in visitor.open(PATH).html


def test_what_detail_tells_is_chosen_of_all_there_is(box, visitor):
    page = visitor.open(f"{PATH}/alarms_and_orders")
    ticked = {name: None for name in page.fields if name.startswith("sms-modem-detail-")}
    assert len(ticked) == len(ITEMS)
    visitor.send(f"{PATH}/alarms_and_orders", page, **(ticked | {"sms__modem__detail__mode": "on"}))
    assert kept(box)["sms"]["modem"]["detail"] == ["mode"]
