"""The fields of SmartGen's messages, one by one."""

import pytest

from concentrator.model.errors import Garbled
from concentrator.wire.smartgen_fields import (
    Frame,
    Wiring,
    commands,
    frame,
    instant_s,
    number,
    place,
    rate_s,
    whole,
    wiring,
    wiring_if_sound,
)
from concentrator.wire.smartgen_server import LoginAnswer, from_server


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (3000, 3),
        (1000, 1),
        (5000, 5),
        ("3000", 3),
        (5, 5),
        (15, 15),
        (1, 1),
        (20000, 20),
        (60000, 20),
        (99, 20),
        (100, 1),
        (0.5, 1),
        (0, None),
        (-1, None),
        ("fast", None),
        (None, None),
        (True, None),
        ([], None),
        ("nan", None),
        ("1e999", None),
    ],
)
def test_a_rate_below_100_is_seconds_and_else_milliseconds_kept_between_1_and_20_s(said, seconds):
    assert rate_s(said) == seconds


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (1497811080, 1497811080),
        ("1497811080", 1497811080),
        (99999999999, 99999999999),
        ("1497811080077", 1497811080.077),
        ("2017-06-18 18:38:00", 1497811080),
        ("UTC", None),
        ("", None),
        (0, None),
        (-5, None),
        (1e30, None),
        ({}, None),
        ("2017-02-30 00:00:00", None),
    ],
)
def test_a_time_is_seconds_milliseconds_or_a_date(said, seconds):
    assert instant_s(said) == seconds


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("192.168.0.194:81", ("192.168.0.194", 81)),
        (" example.org:21318 ", ("example.org", 21318)),
        ("[fe80::1]:81", ("fe80::1", 81)),
        ("", None),
        ("192.168.0.194", None),
        (":81", None),
        ("a:0", None),
        ("a:65536", None),
        ("a:٣", None),
        ("a b:81", None),
        ("http://a:81", None),
        (None, None),
    ],
)
def test_an_address_is_a_host_and_a_port(said, meant):
    assert place(said) == meant


def test_a_number_is_one_however_it_is_written():
    assert (number("1.5"), whole("2"), whole(2.0), whole("2.5"), whole(float("inf"))) == (1.5, 2, 2, None, None)


@pytest.mark.parametrize(
    "verified",
    [
        "01030000005045F6",
        "01010000004EBC3E",
        "01010000005ABC31",
        "01030000002D85D7",
        "0103002E000AA5C4",
        "01050003FF007C3A",
        "00050003FF007DEB",
    ],
)
def test_frames_that_were_seen_in_the_field_are_whole(verified):
    assert bytes(frame(verified)).hex().upper() == verified


def test_a_frame_tells_what_it_asks_for():
    poll = frame("0103002E000AA5C4")
    assert (poll.unit, poll.function, poll.address, poll.count, poll.is_reading) == (1, 3, 0x2E, 10, True)
    start = frame("00050003FF007DEB")
    assert (start.unit, start.function, start.address, start.count, start.is_reading) == (0, 5, 3, 1, False)
    assert bytes(start.of(1)).hex().upper() == "01050003FF007C3A"


def test_a_command_list_holds_each_reading_command_once_and_nothing_that_writes():
    listed = "01010000005ABC31; 01030000002D85D7;01010000005ABC31;;01050003FF007C3A;x;0103002E000AA5C4"
    assert [(each.function, each.address, each.count) for each in commands(listed)] == [
        (1, 0, 90),
        (3, 0, 45),
        (3, 46, 10),
    ]
    assert commands(None) == commands("") == commands({}) == ()
    many = ";".join(bytes(Frame(1, bytes((3, 0, n, 0, 1)))).hex() for n in range(200))
    assert len(commands(many)) == 64


def test_a_port_and_baud_rate_that_mean_nothing_are_refused():
    assert wiring({}) is None
    assert wiring({"moduleport": 3}) == Wiring(3, 0)
    assert wiring({"modulebaud": 1}, Wiring(4, 2)) == Wiring(4, 1)
    for pair in ({"moduleport": 5}, {"moduleport": -1}, {"modulebaud": 3}, {"modulebaud": "fast"}, {"moduleport": {}}):
        with pytest.raises(Garbled):
            wiring(pair)
        assert wiring_if_sound(pair) is None
        assert wiring_if_sound(pair, Wiring(3, 1)) == Wiring(3, 1)


def test_an_empty_port_in_a_login_hinders_nobody():
    answer = {"method": "login", "retcode": "000000", "result": {"register": 1, "modulePort": "", "moduleBaud": ""}}
    assert from_server(answer) == LoginAnswer()
