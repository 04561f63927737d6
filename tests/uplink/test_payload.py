import json

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from concentrator.model.quantity import Kind, Quantity
from concentrator.model.reading import Quality
from concentrator.model.record import Draft, Record, Tally
from concentrator.uplink.payload import Message, Voice, is_live
from tests.support.records import NOW, event, interval

VOICE = Voice("/ccm/srv", "4220080001")


def test_an_interval_is_said_as_the_contract_has_it():
    message = VOICE.record(interval(48211), "Café, planta 1", NOW + 2)
    assert message == Message(
        "/ccm/srv/4220080001/0420020081/data",
        (
            '{"v":1,"j":"k3f9","n":48211,"serial":"0420020081","alias":"Café, planta 1","ts":"2026-11-28T10:15:00Z",'
            '"period":10,"values":{"v1":5051.1,"p":48211,"ea_imp":48211.07},"quality":"good"}'
        ).encode(),
    )


KINDS = st.sampled_from(list(Kind))
COLUMN = st.builds(Quantity, st.text(max_size=4), st.just("V"), KINDS, st.just(""), st.integers(0, 6))
STEPS = st.integers(-(2**70), 2**70)
TALLY = st.none() | st.builds(Tally, st.integers(1, 100), STEPS, STEPS, STEPS, STEPS)


@given(st.lists(st.tuples(COLUMN, TALLY), max_size=5, unique_by=lambda each: each[0].name), st.text(max_size=5))
def test_what_is_said_of_an_interval_is_json_of_its_values_to_the_last_digit(cells, alias):
    columns, tallies = tuple(column for column, _ in cells), tuple(tally for _, tally in cells)
    record = Record("k3f9", 7, Draft("main", "42", NOW, 10, columns, tallies))
    said = {"v": 1, "j": "k3f9", "n": 7, "serial": "42", "alias": alias, "ts": "2026-11-28T10:15:00Z", "period": 10}
    said |= {"values": record.values, "quality": "good"}
    assert VOICE.record(record, alias, NOW).payload == json.dumps(
        said, ensure_ascii=False, separators=(",", ":")
    ).encode("utf-8", "surrogatepass")


def test_a_quality_that_is_not_good_is_said():
    payload = json.loads(VOICE.record(interval(1, quality=Quality.PARTIAL), "", NOW).payload)
    assert payload["quality"] == "partial"
    assert "coverage" not in payload


def test_of_a_partial_interval_it_is_said_how_much_of_it_was_heard():
    heard = interval(1, quality=Quality.PARTIAL)
    heard = evolve(heard, draft=evolve(heard.draft, covered=7))
    assert json.loads(VOICE.record(heard, "", NOW).payload)["coverage"] == 0.7
    whole = evolve(heard, draft=evolve(heard.draft, quality=Quality.GOOD))
    assert "coverage" not in json.loads(VOICE.record(whole, "", NOW).payload)


@pytest.mark.parametrize(
    ("age", "period", "live"),
    [(0, 10, True), (20, 10, True), (20.5, 10, False), (70, 60, True), (71, 60, False), (-5, 10, True), (11, 0, False)],
)
def test_a_record_is_live_until_one_more_interval_and_ten_seconds_have_passed(age, period, live):
    record = event(1) if period == 0 else interval(1, period=period)
    assert is_live(record, NOW + age) is live
    payload = json.loads(VOICE.record(record, "", NOW + age).payload)
    assert payload.get("backfill") == (None if live else True)


def test_an_event_says_who_it_is_and_then_its_facts():
    message = VOICE.record(event(7, device="main", n=1, since=3.5), "", NOW)
    assert message.topic == "/ccm/srv/4220080001/event"
    assert json.loads(message.payload) == {
        "v": 1,
        "j": "k3f9",
        "n": 7,
        "ts": "2026-11-28T10:15:00Z",
        "name": "device_lost",
        "device": "main",
        "since": 3.5,
    }


def test_birth_and_last_will_are_kept_by_the_broker():
    assert VOICE.online("1.2.3", NOW) == Message(
        "/ccm/srv/4220080001/status",
        b'{"state":"online","v":1,"version":"1.2.3","ts":"2026-11-28T10:15:00Z"}',
        retain=True,
    )
    assert VOICE.offline() == Message("/ccm/srv/4220080001/status", b'{"state":"offline"}', retain=True)


@pytest.mark.parametrize("serial", ["", "a/b", "a+b", "#", "ñ", "a b", "a\n"])
def test_a_serial_that_is_no_topic_is_refused_with_the_rule(serial):
    with pytest.raises(ValueError, match=r"serial: found .*, expected letters"):
        VOICE.record(interval(1, serial=serial), "", NOW)


def test_what_json_cannot_say_is_refused():
    with pytest.raises(ValueError):
        VOICE.record(event(1, value=float("nan")), "", NOW)
