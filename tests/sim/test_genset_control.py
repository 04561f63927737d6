"""concentrator.sim.genset_control: what is written to a controller moves its genset, in each maker's way."""

import pytest

from concentrator.model.genset import Mode
from concentrator.model.profile import Function
from concentrator.profile.catalogue import Catalogue
from concentrator.profile.genset_status import genset_status
from concentrator.sim.genset import Phase
from concentrator.sim.profile_device import profile_device
from concentrator.sim.profile_map import ProfileMap
from concentrator.wire.checksum import crc16

NOON = 1_795_000_000.0
UNIT = 3
CATALOGUE = Catalogue()
COMMANDED = [
    *(f"smartgen/{each}" for each in ("hgm6100n", "hgm4000n", "hgm9500", "hsc940")),
    *(f"deepsea/{each}" for each in ("dse71xx-mkii", "dse7xxx", "dse7xxx-mkii", "dse8xxx")),
    *(f"comap/{each}" for each in ("intelilite4", "intelilite-nt", "igs-nt")),
]
ON, OFF = b"\xff\x00", b"\x00\x00"


def controller(key):
    return profile_device(ProfileMap(CATALOGUE.get(key)), UNIT, "gensets")


def tell(subject, pdu, at=NOON):
    """The PDU with which a controller answers one, None where it is silent."""
    body = bytes((UNIT,)) + pdu
    reply = subject.reply(body + crc16(body).to_bytes(2, "little"), at)
    return None if reply is None else reply[1:-2]


def coil(address, word):
    return b"\x05" + address.to_bytes(2) + word


def registers(address, *words):
    return (
        b"\x10" + address.to_bytes(2) + bytes((0, len(words), 2 * len(words))) + b"".join(w.to_bytes(2) for w in words)
    )


def order(subject, name, at=NOON):
    """Gives a command as its profile says it is given; the answer to what acts."""
    command = next(each for each in subject.profile.commands if each.name == name)
    if command.function is Function.HOLDING:
        return tell(subject, registers(command.address, *command.values), at)
    if command.pulse_ms is not None:
        tell(subject, coil(command.address, OFF), at)
    said = tell(subject, coil(command.address, ON if command.values[0] else OFF), at)
    if command.pulse_ms is not None:
        tell(subject, coil(command.address, OFF), at + command.pulse_ms / 1000)
    return said


def status(subject, at):
    return genset_status(subject.profile.genset, subject.values(at))


@pytest.mark.parametrize("key", COMMANDED)
def test_each_controller_starts_and_stops_its_genset_when_it_is_told(key):
    subject = controller(key)
    subject.control.genset.mode = Mode.MANUAL
    assert status(subject, NOON).mode is Mode.MANUAL
    assert order(subject, "start") is not None
    assert status(subject, NOON + 10).is_running
    order(subject, "stop", NOON + 10)
    assert status(subject, NOON + 30).is_running is False


@pytest.mark.parametrize("key", [key for key in COMMANDED if not key.startswith("comap/")])
@pytest.mark.parametrize("name", ["stop", "manual", "auto"])
def test_a_mode_is_shown_within_the_second(key, name):
    subject = controller(key)
    subject.values(NOON + 0.1)
    order(subject, name, NOON + 0.2)
    assert status(subject, NOON + 0.9).mode is Mode(name)


def test_a_pulse_acts_once_on_its_edge():
    subject = controller("smartgen/hgm9500")
    subject.control.genset.mode = Mode.MANUAL
    assert tell(subject, coil(0, ON)) == coil(0, ON)
    subject.control.genset.order("stop", NOON + 1)
    subject.control.genset.order("manual", NOON + 1)
    tell(subject, coil(0, ON), NOON + 2)
    assert subject.control.genset.phase is not Phase.CRANK
    tell(subject, coil(0, OFF), NOON + 10)
    tell(subject, coil(0, ON), NOON + 11)
    assert status(subject, NOON + 25).is_running


def test_a_command_that_is_refused_says_so_in_its_result():
    subject = controller("comap/intelilite4")
    start = next(each for each in subject.profile.commands if each.name == "start")
    order(subject, "start")
    assert tell(subject, bytes.fromhex("03 10 6F 00 02")) == bytes.fromhex("03 04 00 00 00 02")
    subject.control.genset.mode = Mode.MANUAL
    order(subject, "start", NOON + 1)
    assert tell(subject, bytes.fromhex("03 10 6F 00 02"), NOON + 1) == b"\x03\x04" + start.result_ok.to_bytes(4)


def test_a_key_that_is_none_is_refused():
    subject = controller("deepsea/dse7xxx")
    assert tell(subject, registers(4104, 35700, 12345)) == bytes((0x90, 7))
    assert tell(subject, registers(4104, 35700, 29835)) == bytes.fromhex("10 10 08 00 02")


def test_what_a_smartgen_does_not_know_it_does_not_answer():
    subject = controller("smartgen/hgm6100n")
    assert tell(subject, bytes.fromhex("03 20 00 00 01")) is None
    assert tell(subject, coil(60, ON)) is None
    assert tell(controller("comap/igs-nt"), bytes.fromhex("03 20 00 00 01")) == bytes((0x83, 2))


@pytest.mark.parametrize(("wants_other", "word"), [(False, ON), (False, b"\xff\xff"), (True, b"\xff\xff")])
def test_an_hsc940_acts_on_either_word_for_on_or_only_on_the_other(wants_other, word):
    subject = controller("smartgen/hsc940")
    subject.control.wants_other_word = wants_other
    assert tell(subject, coil(4, word)) == coil(4, word)
    assert status(subject, NOON + 1).mode is Mode.MANUAL


def test_an_hsc940_that_wants_the_other_word_acknowledges_the_first_and_does_nothing():
    subject = controller("smartgen/hsc940")
    subject.control.wants_other_word = True
    assert tell(subject, coil(4, ON)) == coil(4, ON)
    assert status(subject, NOON + 1).mode is Mode.AUTO
    assert tell(controller("smartgen/hgm6100n"), coil(4, b"\xff\xff")) is None
