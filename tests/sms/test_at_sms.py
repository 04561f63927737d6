"""concentrator.sms.at_sms: a modem by AT commands, against a simulated one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from concentrator.model.errors import Refused, TryLater
from concentrator.sim.at_modem import NOT_DELIVERED, AtModem, Ways
from concentrator.sms.at_sms import REST_S, SEARCH_S, WATCH_S, AtSms
from concentrator.sms.terms import Ears, Incoming, Kind, Outgoing
from concentrator.wire.sms_pdu import Deliver
from concentrator.wire.sms_text import parts
from tests.support.sms import NOW, STRANGER, ModemPort


class Desk:
    """A driver with a simulated modem, and what it told."""

    def __init__(self, clock, wants_reports=True, centre="", **ways):
        self.clock = clock
        self.modem = AtModem(Ways(**ways), wall_s=NOW)
        self.port = ModemPort(clock, self.modem)
        self.received, self.reported, self.results, self.ready = [], [], [], 0
        ears = Ears(self.received.append, self.became_ready, lambda *what: self.reported.append(what))
        self.driver = AtSms(self.port, clock, ears, wants_reports, centre)

    def became_ready(self):
        self.ready += 1

    def start(self, seconds=5.0):
        self.driver.start()
        self.port.run(seconds)
        return self

    def send(self, text="hello", number="861366666666", seconds=5.0):
        message = Outgoing(number, text, Kind.TEST, 0.0, 0.0)
        self.again(message, seconds)
        return message

    def again(self, message, seconds=5.0):
        sent = self.driver.send(message)
        sent.addCallbacks(lambda _: self.results.append("sent"), lambda failure: self.results.append(failure.value))
        self.port.run(seconds)

    def texts(self):
        return [(each.number, each.text) for each in self.modem.sent]

    @property
    def standing(self):
        return self.driver.standing()


@pytest.fixture
def desk(clock):
    """Makes desks, and ends them."""
    made = []

    def make(**options):
        made.append(Desk(clock, **options))
        return made[-1].start()

    yield make
    for each in made:
        each.driver.stop()
        each.port.run(1.0)


def test_a_modem_is_prepared_and_says_its_network(desk):
    found = desk()
    standing = found.standing
    assert (standing.word, standing.is_ready, standing.trouble) == ("Ready", True, "")
    assert (standing.operator, standing.signal, standing.has_sim) == ("Simulated", 58, True)
    assert found.ready == 1
    assert found.modem.asked[:8] == [
        "ATE0",
        "AT+CMEE=1",
        "AT+CPIN?",
        "AT+CMGF=0",
        'AT+CPMS="SM","SM","SM"',
        "AT+CNMI=2,1,0,1,0",
        "AT+CREG?",
        "AT+CEREG?",
    ]


@pytest.mark.parametrize(
    "ways",
    [
        {"is_echoing": False},
        {"lump": 1, "pause_s": 0.001},
        {"lump": 3, "pause_s": 0.001},
        {"refuses": ("+CEREG", "+COPS", '+CPMS="SM"', "+CNMI=2,1,0,1")},
        {"refuses": ("+CREG", "+CSQ", "+CNMI=2")},
    ],
)
def test_modems_differ(desk, ways):
    found = desk(**ways)
    found.send(seconds=30.0)
    assert found.results == ["sent"] and found.texts() == [("+861366666666", "hello")]


def test_a_network_may_take_its_time(desk):
    found = desk(registers_after_s=60.0)
    assert found.standing.word == "Searching for a network" and not found.standing.is_ready
    found.send()
    assert isinstance(found.results[0], TryLater)
    found.port.run(60.0 + SEARCH_S)
    assert found.standing.is_ready and found.ready == 1


def test_a_network_that_goes_and_comes_is_noticed(desk):
    found = desk()
    found.modem.ways.is_away = True
    found.port.run(WATCH_S + 1)
    assert found.standing.word == "Searching for a network" and found.standing.operator == ""
    found.modem.ways.is_away = False
    found.port.run(SEARCH_S + 1)
    assert found.standing.is_ready and found.ready == 2


@pytest.mark.parametrize(
    ("pin", "trouble", "has_sim"),
    [
        ("SIM PIN", "the SIM asks for SIM PIN; its PIN must be disabled", None),
        ("", "AT+CPIN?: there is no SIM", False),
    ],
)
def test_a_sim_that_cannot_be_used_is_told_and_tried_again(desk, pin, trouble, has_sim):
    found = desk(pin=pin)
    assert (found.standing.word, found.standing.trouble, found.standing.has_sim) == ("Waiting", trouble, has_sim)
    found.modem.ways.pin = "READY"
    found.port.run(REST_S + 5)
    assert found.standing.is_ready and found.standing.trouble == "" and found.standing.has_sim


def test_the_service_centre_is_set_where_one_is_configured(desk):
    assert 'AT+CSCA="+861380",145' in desk(centre="861380").modem.asked


def test_a_message_is_sent_and_reported(desk):
    found = desk()
    message = found.send()
    assert found.texts() == [("+861366666666", "hello")]
    assert found.reported == [(message.references[0], True)]


def test_a_message_that_does_not_arrive_is_reported(desk):
    found = desk(status=NOT_DELIVERED)
    message = found.send()
    assert found.reported == [(message.references[0], False)]


def test_no_reports_are_asked_for_where_none_are_wanted(desk):
    found = desk(wants_reports=False)
    found.send()
    assert found.reported == [] and "AT+CNMI=2,1,0,0,0" in found.modem.asked


@pytest.mark.parametrize("text", ["a" * 161, "€" * 200, "ж" * 200, "x" * 160, "😀" * 100])
def test_a_long_message_travels_in_parts_and_arrives_whole(desk, text):
    found = desk()
    message = found.send(text, seconds=20.0)
    assert found.texts() == [("+861366666666", text)]
    assert len(message.references) == len(parts(text, 0))


def test_a_message_that_failed_in_its_middle_goes_on_with_the_part_that_failed(desk):
    found = desk()
    found.modem.errors.extend([0, 38])
    message = found.send("a" * 400, seconds=10.0)
    assert isinstance(found.results[0], TryLater) and found.texts() == []
    assert len(message.references) == 1
    found.again(message, seconds=10.0)
    assert found.results[1] == "sent" and found.texts() == [("+861366666666", "a" * 400)]
    assert sum(command.startswith("AT+CMGS") for command in found.modem.asked) == 4


@pytest.mark.parametrize(("code", "kind"), [(38, TryLater), (500, TryLater), (1, Refused), (304, Refused)])
def test_some_errors_last_and_others_pass(desk, code, kind):
    found = desk()
    found.modem.errors.append(code)
    found.send()
    assert [type(each) for each in found.results] == [kind]
    found.send()
    assert found.results[1] == "sent"


def test_a_message_that_comes_is_deleted_and_then_told(desk):
    found = desk()
    found.modem.receive(STRANGER, "SMS START", found.clock.seconds())
    sent_at = int(NOW + found.clock.seconds())
    found.port.run(2.0)
    assert found.received == [Incoming(STRANGER, "SMS START", sent_at)]
    assert found.modem.sim == {}


def test_a_message_that_cannot_be_deleted_is_not_heard_for_it_would_be_heard_again(desk):
    found = desk(refuses=("+CMGD",))
    found.modem.receive(STRANGER, "SMS START", found.clock.seconds())
    found.port.run(2.0)
    assert found.received == []
    assert found.standing.trouble.startswith("a message cannot be deleted")
    found.modem.ways.refuses = ()
    found.port.run(WATCH_S + 2.0)
    assert len(found.received) == 1 and not found.standing.trouble


def test_mail_that_waited_is_fetched_and_so_is_mail_that_was_not_announced(desk, clock):
    modem = AtModem(wall_s=NOW)
    modem.receive(STRANGER, "waited", 0.0)
    found = Desk(clock)
    found.modem = found.port.modem = modem
    found.start()
    assert [each.text for each in found.received] == ["waited"]
    modem.sim[3] = Deliver(STRANGER, NOW, parts("quiet", 0)[0]).written()
    found.port.run(WATCH_S + 1)
    assert [each.text for each in found.received] == ["waited", "quiet"]
    found.driver.stop()
    found.port.run(1.0)


def test_long_messages_come_together(desk):
    found = desk()
    found.modem.receive(STRANGER, "b" * 300, found.clock.seconds())
    found.port.run(3.0)
    assert [each.text for each in found.received] == ["b" * 300]


def test_what_no_program_can_read_is_thrown_away(desk):
    found = desk()
    found.modem.sim.update({1: b"", 2: b"\x07", 3: b"\x00\x04\x0b\x91"})
    found.modem.receive(STRANGER, "good", found.clock.seconds())
    found.port.run(3.0)
    assert [each.text for each in found.received] == ["good"]
    assert found.modem.sim == {}


def test_a_port_that_goes_is_opened_again(desk):
    found = desk()
    found.port.is_there = False
    found.port.unplug()
    found.port.run(3.0)
    assert found.standing.word == "Closed"
    assert found.standing.trouble == "/dev/ttyUSB2: the port is not there"
    found.port.is_there = True
    found.port.run(10.0)
    assert found.standing.is_ready and found.ready == 2


def test_a_modem_that_falls_silent_is_begun_anew_and_the_message_kept_back(desk):
    found = desk()
    found.modem.ways.is_silent = True
    found.send(seconds=190.0)
    assert isinstance(found.results[0], TryLater)
    assert not found.standing.is_ready
    found.modem.ways.is_silent = False
    found.port.run(30.0)
    assert found.standing.is_ready and found.port.opened > 1


def test_a_flood_is_taken_in_bit_by_bit(desk):
    found = desk(places=10)
    for number in range(300):
        found.modem.receive(STRANGER, f"flood {number}", found.clock.seconds())
    found.port.run(60.0)
    assert len(found.received) == 300 and found.modem.sim == {}


@given(st.lists(st.binary(max_size=60), max_size=12))
def test_any_bytes_from_a_modem_break_nothing(pieces):
    clock = Clock()
    found = Desk(clock).start()
    for piece in pieces:
        if found.port.protocol is not None:
            found.port.protocol.dataReceived(piece)
        found.port.run(0.2)
    found.port.run(WATCH_S + 200)
    assert found.standing.is_ready
    found.driver.stop()
    found.port.run(1.0)
    assert not clock.getDelayedCalls()
