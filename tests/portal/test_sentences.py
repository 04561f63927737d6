import re
from pathlib import Path

import pytest

import concentrator
from concentrator.portal.sentences import sentence
from concentrator.portal.words import say_in, words

CODE = Path(concentrator.__file__).parent


def plain(text):
    return text.replace("\u202f", " ").replace("\u00a0", " ")


def said(event, language="en", **facts):
    return plain(sentence(event, facts, say_in(language), language))


def told():
    """The names of all events that the code reports, as far as they are written out there."""
    literal = re.compile(r'(?:report|_tell|_told)\(\s*\(?\s*"([a-z]+\.[a-z_]+)"')
    return {name for path in CODE.rglob("*.py") for name in literal.findall(path.read_text())}


def test_every_event_the_box_tells_of_has_a_sentence():
    names = told()
    assert {"device.lost", "line.silent", "journal.expired", "link.started", "output.changed"} <= names
    lacking = {name for name in names if f"event.{name.replace('.', '_')}" not in words("en")}
    assert lacking == set()


@pytest.mark.parametrize(
    ("name", "facts", "english", "spanish"),
    [
        ("device.lost", {"device": "m", "text": "x"}, "It does not answer any more.", "Ya no responde."),
        (
            "device.written",
            {"name": "mode", "value": 1, "was": 0},
            "mode was set to 1; it was 0.",
            "mode se puso a 1; era 0.",
        ),
        (
            "device.written",
            {"name": "mode", "value": 1.5},
            "mode was set to 1.5; it was —.",
            "mode se puso a 1,5; era —.",
        ),
        (
            "counter.reset",
            {"counters": {"ea_imp": {"from": 12480.35, "to": 0}}},
            "Counters were set back: ea_imp: 12 480.350 → 0.",
            "Contadores que se pusieron atrás: ea_imp: 12 480,350 → 0.",
        ),
        (
            "output.changed",
            {"output": "relay1", "value": True, "by": "ana"},
            "Output relay1: on, by ana.",
            "Salida relay1: activado, por ana.",
        ),
        (
            "input.alarm",
            {"input": 1, "function": "fire", "active": True, "text": "x"},
            "Input 1, fire alarm: on.",
            "Entrada 1, alarma de incendio: activado.",
        ),
        (
            "input.changed",
            {"input": 2, "active": False, "function": "lamp_test", "text": "x"},
            "Input 2: off.",
            "Entrada 2: desactivado.",
        ),
        (
            "uplink.records_rejected",
            {"uplink": "mqtt", "records": [4, 5, 6], "reason": "no."},
            "mqtt refused 3 records for ever: no.",
            "mqtt rechazó 3 registros para siempre: no.",
        ),
        (
            "bus.duplicate_id",
            {"unit": 3, "serials": ["a", "b"]},
            "Several meters have ID 3: a, b.",
            "Varios contadores tienen el ID 3: a, b.",
        ),
        (
            "journal.shortened",
            {"from": 17},
            "The end of the store was lost, from record 17 on.",
            "Se perdió el final del almacén, desde el registro 17.",
        ),
    ],
)
def test_a_sentence_has_the_facts(name, facts, english, spanish):
    assert said(name, **facts) == english
    assert said(name, "es", **facts) == spanish


def test_an_event_without_words_or_without_its_facts_says_its_own_text():
    assert said("something.new", text="It is new.") == "It is new."
    assert said("something.new") == "something.new"
    assert said("link.assigned", text="a has an ID") == "a has an ID"


def test_an_alarm_that_is_over_is_said_to_be():
    alarm = {"level": "shutdown", "alarms": ["emergency_stop"], "text": "x"}
    assert said("genset.alarm", **alarm, active=True) == "Alarm (shutdown): emergency_stop."
    assert said("genset.alarm", **alarm, active=False) == "The alarm (shutdown) is over: emergency_stop."
    assert said("genset.alarm", "es", **alarm, active=False) == "La alarma (parada) ha terminado: emergency_stop."


def test_a_command_says_who_gave_it_and_what_came_of_it():
    facts = {"device": "g1", "command": "start", "by": "sms …666", "outcome": "not_confirmed", "text": "x"}
    assert said("genset.command", **facts) == "sms …666 told it: start. Not confirmed."
    assert said("genset.command", **(facts | {"outcome": "wire_error"})) == "sms …666 told it: start. wire_error."
    refused = {"session": "first", "done": False, "text": "It was not allowed."}
    assert said("smartgen.command", **refused).endswith("was not carried out. It was not allowed.")


@pytest.mark.parametrize("why", ["stranger", "no_order", "off", "old", "repeated", "waiting", "often"])
@pytest.mark.parametrize("language", ["en", "es"])
def test_why_a_message_is_not_heard_is_said_in_words(language, why):
    words = said("sms.refused", language, number="…789", why=why, more=0, text="a message of …789 is not heard")
    assert words.count("…789") == 1 and why not in words.split() and words.endswith(".")


def test_a_message_that_failed_is_told_once_with_why():
    facts = {"number": "…789", "kind": "alarm", "reason": "there is no network", "text": "a message to …789 is failed"}
    assert said("sms.failed", **facts) == "A message to …789 did not arrive: there is no network"


def test_an_order_is_told_with_its_answer_or_with_why_there_is_none():
    facts = {"number": "…666", "order": "SMS START", "done": True, "answer": "SMS START OK", "reason": "", "text": "x"}
    assert said("sms.order", **facts) == "Order of …666: SMS START. SMS START OK"
    facts |= {"done": False, "answer": "", "reason": "the mode did not follow"}
    assert said("sms.order", **facts) == "Order of …666: SMS START. No answer: the mode did not follow"
