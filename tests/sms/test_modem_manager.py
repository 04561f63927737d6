"""concentrator.sms.modem_manager: a modem of ModemManager's, asked by a program that says what mmcli says."""

import sys

import pytest
import pytest_twisted
from twisted.internet.defer import fail, succeed

from concentrator.model.errors import NoReply, TryLater
from concentrator.sms.modem_manager import AT_ONCE_MOST, LOOK_S, MmcliSms
from concentrator.sms.terms import Ears, Incoming, Kind, Outgoing
from concentrator.system.program import Program

PATH = "/org/freedesktop/ModemManager1/SMS/"


def modem(state="registered", reason="--", lock="--", signal="54", operator="Some Net"):
    """What `mmcli -m any -J` says, as far as it is of use here."""
    generic = {"state": state, "state-failed-reason": reason, "unlock-required": lock}
    generic["signal-quality"] = {"recent": "yes", "value": signal}
    return {"modem": {"3gpp": {"operator-name": operator, "registration-state": "home"}, "generic": generic}}


class Mmcli:
    """What the program would say: `modem`, and messages by their number; `calls` are the arguments it was given."""

    def __init__(self):
        self.calls, self.modem, self.messages, self.last = [], modem(), {}, 20
        self.failures = {}
        self.is_stopped = False

    def receive(self, number="+861366666666", text="SMS START", kind="deliver", state="received", **more):
        self.last += 1
        properties = {"pdu-type": kind, "state": state, "timestamp": "2026-11-21T21:40:00+01", **more}
        self.messages[self.last] = {"sms": {"content": {"number": number, "text": text}, "properties": properties}}
        return self.last

    def say(self, *arguments, timeout_s=0.0):
        self.calls.append(arguments)
        words = " ".join(arguments)
        for part, error in self.failures.items():
            if part in words:
                return fail(error)
        if "--messaging-create-sms=" in words:
            self.last += 1
            properties = {"pdu-type": "submit", "state": "unknown", "message-reference": "7"}
            self.messages[self.last] = {"sms": {"content": {}, "properties": properties}}
            return succeed(f"Successfully created new SMS: {PATH}{self.last}\n")
        if "--messaging-delete-sms=" in words:
            del self.messages[int(words.rpartition("/")[2])]
        return succeed("")

    async def ask(self, *arguments):
        await self.say(*arguments, "-J")
        if "--messaging-list-sms" in arguments:
            return {"modem.messaging.sms": [f"{PATH}{number}" for number in self.messages]}
        if arguments[0] == "-s":
            return self.messages[int(arguments[1].rpartition("/")[2])]
        return self.modem

    def stop(self):
        self.is_stopped = True


class Desk:
    def __init__(self, clock, mmcli, wants_reports):
        self.clock, self.mmcli = clock, mmcli
        self.received, self.reported, self.results, self.ready = [], [], [], 0
        ears = Ears(self.received.append, self.became_ready, lambda *what: self.reported.append(what))
        self.driver = MmcliSms(mmcli, "any", clock, ears, wants_reports)

    def became_ready(self):
        self.ready += 1

    def send(self, text="hello"):
        message = Outgoing("861366666666", text, Kind.TEST, 0.0, 0.0)
        sent = self.driver.send(message)
        sent.addCallbacks(lambda _: self.results.append("sent"), lambda failure: self.results.append(failure.value))
        return message

    @property
    def standing(self):
        return self.driver.standing()


@pytest.fixture
def mmcli():
    return Mmcli()


@pytest.fixture
def desk(clock, mmcli):
    made = []

    def make(wants_reports=True):
        made.append(Desk(clock, mmcli, wants_reports))
        made[-1].driver.start()
        return made[-1]

    yield make
    for each in made:
        each.driver.stop()


@pytest.mark.parametrize(
    ("said", "word", "is_ready", "trouble", "has_sim"),
    [
        (modem(), "Ready", True, "", True),
        (modem("connected"), "Ready", True, "", True),
        (modem("searching"), "Searching for a network", False, "", None),
        (modem("enabled"), "Searching for a network", False, "", None),
        (
            modem("locked", lock="sim-pin"),
            "Locked",
            False,
            "the SIM asks for its PIN, which must be disabled (sim-pin)",
            None,
        ),
        (modem("failed", "sim-missing"), "Failed", False, "the modem failed: sim-missing", False),
        (modem("disabled"), "Disabled", False, "the modem is disabled (mmcli -m any --enable)", None),
        ({}, "Searching for a network", False, "", None),
    ],
)
def test_a_modem_stands_as_modemmanager_says(desk, mmcli, said, word, is_ready, trouble, has_sim):
    mmcli.modem = said
    standing = desk().standing
    assert (standing.word, standing.is_ready, standing.trouble, standing.has_sim) == (word, is_ready, trouble, has_sim)


def test_the_network_and_its_signal_are_told(desk):
    standing = desk().standing
    assert (standing.operator, standing.signal) == ("Some Net", 54)


@pytest.mark.parametrize(
    "error",
    [TryLater("couldn't find modem"), TryLater("mmcli is not installed; it comes with ModemManager"), NoReply("late")],
)
def test_what_mmcli_cannot_do_is_told_and_asked_again(desk, mmcli, error):
    mmcli.failures["-m any"] = error
    found = desk()
    assert (found.standing.word, found.standing.trouble) == ("No modem", error.detail)
    mmcli.failures.clear()
    found.clock.advance(LOOK_S)
    assert found.standing.is_ready and found.ready == 1


def test_readiness_is_told_once_each_time(desk, mmcli):
    found = desk()
    found.clock.advance(LOOK_S)
    assert found.ready == 1
    mmcli.modem = modem("searching")
    found.clock.advance(LOOK_S)
    mmcli.modem = modem()
    found.clock.advance(LOOK_S)
    assert found.ready == 2


def test_a_message_that_came_is_deleted_and_then_told(desk, mmcli):
    mmcli.receive()
    found = desk()
    assert found.received == [Incoming("+861366666666", "SMS START", 1795293600.0)]
    assert mmcli.messages == {}


def test_a_message_that_cannot_be_deleted_is_not_heard(desk, mmcli):
    mmcli.receive()
    mmcli.failures["--messaging-delete-sms"] = TryLater("not allowed")
    assert desk().received == []


def test_one_that_cannot_be_deleted_keeps_none_of_the_others_from_being_heard(desk, mmcli):
    number = mmcli.receive(text="SMS GENSET")
    mmcli.receive()
    mmcli.failures[f"--messaging-delete-sms={PATH}{number}"] = TryLater("not allowed")
    found = desk()
    assert [each.text for each in found.received] == ["SMS START"]
    assert found.standing.is_ready and found.standing.trouble.endswith("not allowed")
    mmcli.failures.clear()
    found.clock.advance(LOOK_S)
    assert [each.text for each in found.received] == ["SMS START", "SMS GENSET"] and not found.standing.trouble


def test_what_stays_there_keeps_nothing_else_from_being_heard(desk, mmcli):
    stays = [mmcli.receive(state="receiving") for _ in range(2 * AT_ONCE_MOST)]
    mmcli.receive()
    found = desk()
    found.clock.pump([1.0] * 4)
    assert len(found.received) == 1
    calls = len(mmcli.calls)
    found.clock.pump([1.0] * int(LOOK_S - 2))
    assert len(mmcli.calls) <= calls + AT_ONCE_MOST + 2  # and is looked at no more often than anything
    mmcli.messages[stays[0]]["sms"]["properties"]["state"] = "received"
    found.clock.pump([LOOK_S] * 3)
    assert len(found.received) == 2


def test_what_is_not_whole_or_is_ours_is_left_alone(desk, mmcli):
    mmcli.receive(state="receiving")
    mmcli.receive(kind="submit", state="sent")
    assert desk().received == [] and len(mmcli.messages) == 2


@pytest.mark.parametrize(("told", "reported"), [("completed-received", [(7, True)]), ("error-expired", [(7, False)])])
def test_reports_are_told(desk, mmcli, told, reported):
    mmcli.receive(kind="status-report", **{"message-reference": "7", "delivery-state": told})
    assert desk().reported == reported and mmcli.messages == {}


def test_a_report_that_is_not_the_last_word_is_none(desk, mmcli):
    mmcli.receive(kind="status-report", **{"message-reference": "7", "delivery-state": "temporary-error-congestion"})
    assert desk().reported == []


def test_of_a_flood_some_are_taken_at_a_time_and_the_rest_soon(desk, mmcli):
    for _ in range(3 * AT_ONCE_MOST):
        mmcli.receive()
    found = desk()
    assert len(found.received) == AT_ONCE_MOST
    found.clock.advance(1.0)
    found.clock.advance(1.0)
    assert len(found.received) == 3 * AT_ONCE_MOST and mmcli.messages == {}


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("hello, you", 'text="hello, you"'),
        ('he said "no"', "text='he said \"no\"'"),
        ("it's", 'text="it\'s"'),
        ("""it's "no\"""", """text="it's 'no'\""""),
    ],
)
def test_a_text_is_given_so_that_nothing_in_it_ends_it(desk, mmcli, text, written):
    found = desk()
    found.send(text)
    (created,) = [each[2] for each in mmcli.calls if "--messaging-create" in each[-1]]
    expected = f"--messaging-create-sms={written},number=+861366666666,validity=60,delivery-report-request=yes"
    assert created == expected


def test_a_message_is_created_sent_and_cleared_away(desk, mmcli):
    found = desk()
    message = found.send()
    assert found.results == ["sent"] and message.references == [7] and mmcli.messages == {}
    assert [each[:3] for each in mmcli.calls[2:]] == [
        ("-m", "any", mmcli.calls[2][2]),
        ("-s", f"{PATH}21", "--send"),
        ("-s", f"{PATH}21", "-J"),
        ("-m", "any", f"--messaging-delete-sms={PATH}21"),
    ]


def test_what_mmcli_complains_of_tells_no_whole_number(desk, mmcli):
    mmcli.failures["--messaging-create-sms"] = TryLater("invalid: number=+861366666666")
    found = desk()
    found.send()
    assert found.results[0].detail == "invalid: number=…666"


def test_a_message_that_could_not_be_sent_is_cleared_away_too(desk, mmcli):
    mmcli.failures["--send"] = TryLater("no network")
    found = desk()
    found.send()
    assert found.results[0].detail == "no network" and mmcli.messages == {}


@pytest.mark.parametrize("call", [f"-s {PATH}21 -J", "--messaging-delete-sms"])
@pytest.mark.parametrize("error", [TryLater("busy"), NoReply("late")])
def test_a_message_that_was_sent_counts_as_sent_whatever_goes_wrong_afterwards(desk, mmcli, call, error):
    found = desk()
    mmcli.failures[call] = error
    found.send()
    assert found.results == ["sent"]


def test_nothing_is_sent_while_the_modem_is_not_ready(desk, mmcli):
    mmcli.modem = modem("searching")
    found = desk()
    found.send()
    assert isinstance(found.results[0], TryLater)


def test_at_the_end_the_program_is_ended_and_nobody_looks_any_more(desk, mmcli):
    found = desk()
    found.driver.stop()
    assert mmcli.is_stopped
    calls = len(mmcli.calls)
    found.clock.advance(10 * LOOK_S)
    assert len(mmcli.calls) == calls


@pytest_twisted.ensureDeferred
async def test_a_driver_that_ends_ends_its_program(tmp_path):
    from twisted.internet import reactor

    file = tmp_path / "mmcli"
    file.write_text(f"#!{sys.executable}\nimport sys\nprint('begun', flush=True); sys.stdin.read()\n")
    file.chmod(0o755)
    driver = MmcliSms(
        Program(reactor, str(file), {}, "mmcli", "ModemManager"), "any", reactor, Ears(print, print, print)
    )
    driver.start()
    await driver.stop()
    assert driver.standing().word == "No modem"
