"""concentrator.sms.at_port: commands one at a time, and what a modem says besides."""

import pytest
from twisted.internet.error import ConnectionLost
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from concentrator.model.errors import LineLost, NoReply, Refused
from concentrator.sms.at_port import ANSWER_S, LINES_MOST, SETTLE_S, AtPort, Unasked


class Modem:
    """The far end of a port, played by the test."""

    def __init__(self, clock):
        self.clock, self.told, self.answers = clock, [], []
        self.port = AtPort(
            clock,
            Unasked(
                lambda: self.told.append("mail"),
                lambda octets: self.told.append(octets),
                lambda: self.told.append("opened"),
                lambda why: self.told.append(f"lost: {why}"),
            ),
        )
        self.transport = StringTransport()
        self.port.makeConnection(self.transport)

    def settle(self):
        self.clock.advance(SETTLE_S)
        self.heard()
        return self

    def heard(self):
        """What the port has said since the last time."""
        data = self.transport.value()
        self.transport.clear()
        return data

    def say(self, *lines):
        self.port.dataReceived("".join(f"\r\n{line}\r\n" for line in lines).encode())

    def ask(self, command, *args, **options):
        answered = self.port.ask(command, *args, **options)
        answered.addCallbacks(self.answers.append, lambda failure: self.answers.append(failure.value))

    def hang_up(self):
        self.port.connectionLost(Failure(ConnectionLost()))


@pytest.fixture
def modem(clock):
    made = Modem(clock).settle()
    yield made
    if made.port.transport is not None:
        made.hang_up()


def test_what_a_modem_was_in_the_middle_of_is_ended_and_its_words_are_left_alone(clock):
    modem = Modem(clock)
    modem.ask("+CSQ")
    assert modem.heard() == b"\x1b\r"
    modem.say("OK", '+CMTI: "SM",1', "ERROR")
    assert modem.answers == [] and modem.told == []
    clock.advance(SETTLE_S)
    assert modem.told == ["opened"] and modem.heard() == b"AT+CSQ\r"
    modem.hang_up()


def test_commands_go_out_one_at_a_time_each_with_its_lines(modem):
    modem.ask("+CSQ")
    modem.ask("+COPS?")
    assert modem.heard() == b"AT+CSQ\r"
    modem.say("+CSQ: 18,99", "OK")
    assert modem.answers == [["+CSQ: 18,99"]] and modem.heard() == b"AT+COPS?\r"
    modem.say("ERROR")
    assert isinstance(modem.answers[1], Refused) and modem.answers[1].detail == "AT+COPS?: ERROR"


def test_an_echo_is_no_answer(modem):
    modem.ask("+CSQ")
    modem.port.dataReceived(b"AT+CSQ\r\r\n+CSQ: 18,99\r\n\r\nOK\r\n")
    assert modem.answers == [["+CSQ: 18,99"]]


@pytest.mark.parametrize("prompt", [[b"\r\n> "], [b"\r\n", b">", b" "], [b"\r\n>"], [b"> \r\n"]])
def test_a_body_is_said_when_the_modem_asks_for_it_and_once(modem, prompt):
    modem.ask("+CMGS=23", b"0011")
    assert modem.heard() == b"AT+CMGS=23\r"
    for piece in prompt:
        modem.port.dataReceived(piece)
    assert modem.heard() == b"0011\x1a"
    modem.port.dataReceived(b"0011\r\n> ")  # an echo, and one that asks again
    assert modem.heard() == b""
    modem.say("+CMGS: 7", "OK")
    assert modem.answers == [["+CMGS: 7"]]


def test_an_error_tells_its_code(modem):
    modem.ask("+CMGS=23", b"0011")
    modem.say("+CMS ERROR: 38")
    (error,) = modem.answers
    assert (error.code, error.detail) == (38, "AT+CMGS: the network is out of order")


def test_what_is_said_unasked_is_told_in_the_middle_of_answers_too(modem):
    modem.ask("+CSQ")
    modem.say('+CMTI: "SM",3', "RING", "+CDS: 5", "00AB", "+CSQ: 18,99", "+CMT: ,5", "FF", "OK")
    assert modem.answers == [["+CSQ: 18,99"]]
    assert modem.told == ["opened", "mail", b"\x00\xab", b"\xff"]


def test_a_modem_that_does_not_answer_in_time_is_let_go(modem):
    modem.ask("+CSQ")
    modem.ask("+COPS?")
    modem.clock.advance(ANSWER_S)
    assert isinstance(modem.answers[0], NoReply) and "AT+CSQ" in str(modem.answers[0])
    assert modem.transport.disconnecting
    modem.say("+CSQ: 18,99", "OK")  # this answers nothing any more
    assert len(modem.answers) == 1
    modem.hang_up()
    assert isinstance(modem.answers[1], LineLost)
    assert modem.told[-1] == "lost: AT+CSQ: the modem did not answer within 10 s"


def test_a_modem_that_talks_without_end_is_let_go(modem):
    modem.ask("+CMGL=4")
    modem.say(*["00"] * (LINES_MOST + 1))
    assert modem.transport.disconnecting


def test_a_port_that_is_gone_answers_nothing(modem):
    modem.ask("+CSQ")
    modem.hang_up()
    modem.ask("+CSQ")
    assert [type(each) for each in modem.answers] == [LineLost, LineLost]
    assert modem.told[-1] == "lost: the modem's port is gone"
