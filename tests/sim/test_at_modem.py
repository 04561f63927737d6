"""concentrator.sim.at_modem: a modem that is played, talked to as a terminal program would."""

import pytest

from concentrator.sim.at_modem import AtModem, Sent, Ways, obey
from concentrator.wire.sms_pdu import Submit, parse
from concentrator.wire.sms_text import parts, read


def talk(modem, text, now=100.0, until=200.0):
    """Everything it says until a moment, without line ends."""
    modem.take(text.encode(), now)
    return modem.give(until).decode().replace("\r\n", "|")


def quiet(**ways):
    return AtModem(Ways(is_echoing=False, **ways))


def submit(number, text, reference=0):
    return [Submit(number, part, wants_report=True).written() for part in parts(text, reference)]


def test_what_it_is_told_it_repeats_until_it_is_told_not_to():
    modem = AtModem()
    assert talk(modem, "ATE0\r") == "ATE0\r|OK|"
    assert talk(modem, "AT\r") == "|OK|"


def test_what_it_does_not_know_it_refuses():
    assert talk(quiet(), "AT+CFUN=1\r") == "|ERROR|"
    assert talk(quiet(refuses=("+CSQ",)), "AT+CSQ\r") == "|ERROR|"
    assert talk(quiet(), "hello\r") == ""


def test_it_takes_its_time_and_says_things_in_their_order():
    modem = quiet(answers_after_s=2.0)
    modem.take(b"AT\rAT+CSQ\r", 10.0)
    assert modem.give(11.9) == b"" and modem.wake_at() == 12.0
    assert modem.give(12.0) == b"\r\nOK\r\n\r\n+CSQ: 18,99\r\n\r\nOK\r\n"
    assert modem.wake_at() is None


def test_it_may_say_a_few_bytes_at_a_time():
    modem = quiet(lump=2, pause_s=1.0, answers_after_s=0.0)
    modem.take(b"AT\r", 10.0)
    assert [modem.give(10.0 + step) for step in range(4)] == [b"\r\n", b"OK", b"\r\n", b""]


def test_a_network_is_found_after_a_while():
    modem = quiet(registers_after_s=5.0)
    assert talk(modem, "AT+CREG?\r", 10.0, 11.0) == "|+CREG: 0,2||OK|"
    assert talk(modem, "AT+CREG?\r", 15.0, 16.0) == "|+CREG: 0,1||OK|"


def test_a_message_is_put_together_from_its_parts_and_reported():
    heard = []
    modem = quiet(reports_after_s=1.0)
    modem.on_sent = heard.append
    talk(modem, "AT+CNMI=2,1,0,1,0\r")
    answers = []
    for pdu in submit("+861366666666", "a" * 200):
        answers.append(talk(modem, "AT+CMGS=1\r"))
        modem.take(pdu.hex().encode() + b"\x1a", 100.0)
        answers.append(modem.give(200.0).decode())
    assert answers[0] == answers[2] == "|> "
    assert "+CMGS: 1" in answers[1] and "+CDS:" in answers[1] and "+CMGS: 2" in answers[3]
    report = parse(bytes.fromhex(answers[3].split("\r\n")[-2]))
    assert (report.reference, report.number, report.is_delivered) == (2, "+861366666666", True)
    assert heard == modem.sent == [Sent("+861366666666", "a" * 200)]


def test_a_message_may_be_refused_given_up_or_no_message():
    modem = quiet()
    modem.errors.extend([38, 0])
    pdu = submit("+861", "hi")[0].hex()
    talk(modem, "AT+CMGS=1\r")
    assert talk(modem, f"{pdu}\x1a") == "|+CMS ERROR: 38|"
    talk(modem, "AT+CMGS=1\r")
    assert talk(modem, f"{pdu}\x1b") == "|OK|"
    talk(modem, "AT+CMGS=1\r")
    assert talk(modem, "nonsense\x1a") == "|+CMS ERROR: 304|"
    modem.ways.is_away = True
    talk(modem, "AT+CMGS=1\r")
    assert talk(modem, f"{pdu}\x1a") == "|+CMS ERROR: 331|"
    assert modem.sent == []


def test_what_the_sim_has_no_room_for_waits_in_the_network():
    modem = quiet(places=2)
    talk(modem, "AT+CNMI=2,1,0,0,0\r")
    for number in range(3):
        modem.receive("+861", f"message {number}", 100.0)
    assert modem.give(200.0) == b'\r\n+CMTI: "SM",1\r\n\r\n+CMTI: "SM",2\r\n'
    assert len(modem.network) == 1
    assert talk(modem, "AT+CMGD=1\r") == '|OK||+CMTI: "SM",1|'
    listed = talk(modem, "AT+CMGL=4\r").split("|")
    texts = [read(parse(bytes.fromhex(line)).text)[0] for line in listed if line.startswith("00")]
    assert texts == ["message 1", "message 2"]
    assert talk(modem, "AT+CMGD=9\r") == "|+CMS ERROR: 321|"


@pytest.mark.parametrize(("pin", "answer"), [("READY", "|+CPIN: READY||OK|"), ("", "|+CME ERROR: 10|")])
def test_a_sim_may_be_missing(pin, answer):
    assert talk(quiet(pin=pin), "AT+CPIN?\r") == answer


def test_it_can_be_told_what_happens_to_it():
    modem = quiet()
    for line in ("receive +861366666666 SMS GENSET", "error 38", "away", "say RING", "silent"):
        assert obey(modem, line, 100.0) == ""
    assert (len(modem.sim), list(modem.errors), modem.ways.is_away, modem.ways.is_silent) == (1, [38], True, True)
    assert modem.give(100.0) == b"\r\nRING\r\n"
    assert talk(modem, "AT\r") == ""
    for line in ("back", "awake"):
        assert obey(modem, line, 100.0) == ""
    assert talk(modem, "AT\r") == "|OK|"
    for line in ("receive me now", "error x", "dance", ""):
        assert obey(modem, line, 100.0).startswith("expected receive NUMBER TEXT")
