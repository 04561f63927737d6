"""concentrator.wire.at: lines, prompts, and what lines say."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concentrator.wire.at import (
    LONGEST,
    PROMPT,
    Lines,
    Verdict,
    answer_of,
    is_registered,
    is_unasked,
    octets_of,
    operator_of,
    signal_percent,
    stored,
    verdict_of,
)

SAID = b'AT+CMGS=23\r\r\n> \r\n+CMGS: 7\r\n\r\nOK\r\n\r\n+CMTI: "SM",3\r\n'
HEARD = ["AT+CMGS=23", PROMPT, "+CMGS: 7", "OK", '+CMTI: "SM",3']


def heard(*pieces):
    lines = Lines()
    return [line for piece in pieces for line in lines.came(piece)]


@given(st.lists(st.integers(0, len(SAID)), max_size=10))
def test_lines_are_the_same_however_they_are_cut(cuts):
    places = [0, *sorted(cuts), len(SAID)]
    assert heard(*(SAID[start:stop] for start, stop in pairwise(places))) == HEARD


def test_lines_are_the_same_byte_by_byte():
    assert heard(*(bytes((each,)) for each in SAID)) == HEARD


def test_a_line_without_end_is_dropped_and_the_next_one_heard():
    assert heard(b"x" * (10 * LONGEST), b"x" * LONGEST, b"y\r\nOK\r\n") == ["OK"]
    lines = Lines()
    for _ in range(1000):
        assert list(lines.came(b"z" * 1000)) == []
    assert len(lines._begun) <= LONGEST


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_any_bytes_are_some_lines(pieces):
    for line in heard(*pieces, b"\r\n"):
        verdict_of(line)
        is_unasked(line)
        list(stored([line, line]))
        for prefix in ("+CREG:", "+CSQ:", "+COPS:"):
            answer = answer_of([prefix + line], prefix)
            is_registered(answer)
            signal_percent(answer)
            operator_of(answer)


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        ("OK", Verdict(True)),
        ("ERROR", Verdict(False, 0, "ERROR")),
        ("+CMS ERROR: 310", Verdict(False, 310, "there is no SIM")),
        ("+CMS ERROR: 77", Verdict(False, 77, "+CMS ERROR: 77")),
        ("+CME ERROR: 10", Verdict(False, 0, "there is no SIM")),
        ("+CME ERROR: SIM not inserted", Verdict(False, 0, "+CME ERROR: SIM not inserted")),
        ("NO CARRIER", Verdict(False, 0, "NO CARRIER")),
        ("+CMGS: 7", None),
        ("OKAY", None),
    ],
)
def test_a_command_ends_in_one_of_some_ways(line, verdict):
    assert verdict_of(line) == verdict


@pytest.mark.parametrize(
    ("answer", "is_there"),
    [
        ("0,1", True),
        ("0,5", True),
        ("0,2", False),
        ('2,1,"00C3","1A2B",7', True),
        ("1", True),
        ("0,x", False),
        ("", False),
    ],
)
def test_a_network_is_at_home_or_elsewhere(answer, is_there):
    assert is_registered(answer) is is_there


@pytest.mark.parametrize(
    ("answer", "percent"), [("0,99", 0), ("31,99", 100), ("18,99", 58), ("99,99", None), ("", None)]
)
def test_the_signal_is_a_share(answer, percent):
    assert signal_percent(answer) == percent


def test_messages_are_listed_with_their_places():
    lines = ["+CMGL: 1,0,,23", "0011AA", "+CMGL: 7,1,,5", "nonsense", "+CMGL: x,1,,5", "00", "00"]
    assert list(stored(lines)) == [(1, b"\x00\x11\xaa"), (7, b"")]
    assert list(stored(["+CMGL: 1,0,,0", "+CMGL: 2,0,,1", "00", "+CMGL: 3,0,,0"])) == [(1, b""), (2, b"\0"), (3, b"")]


def test_other_answers_are_taken_apart():
    assert answer_of(["noise", "+CPIN: READY"], "+CPIN:") == "READY"
    assert answer_of(["noise"], "+CPIN:") == ""
    assert operator_of('0,0,"Some Net",7') == "Some Net"
    assert operator_of("0") == ""
    assert octets_of("00ff") == b"\x00\xff" and octets_of("0") == b""
    assert is_unasked('+CMTI: "SM",3') and is_unasked("RING") and not is_unasked("+CMGL: 1,0,,2")
