"""concentrator.wire.sms_pdu: short messages as modems hand them over, read by another program too."""

from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smspdudecoder.easy import read_incoming_sms, read_outgoing_sms
from smspdudecoder.fields import SMSSubmit

from concentrator.model.errors import Garbled
from concentrator.wire.sms_pdu import Deliver, StatusReport, Submit, length_of, parse, parse_submit
from concentrator.wire.sms_text import GSM7, parts, read

AT = 1_795_300_000.0
NUMBERS = st.from_regex(r"\+?[0-9]{3,15}", fullmatch=True)
LINES = st.text(st.characters(codec="latin-1", exclude_categories=("Cc",)), min_size=1, max_size=300)


def test_the_classic_message_is_written_as_everybody_writes_it():
    (text,) = parts("hellohello", 0)
    written = Submit("+46708251358", text, validity_s=4 * 86400).written()
    assert written.hex().upper() == "0011000B916407281553F80000AA0AE8329BFD4697D9EC37"
    assert length_of(written) == 23


def test_a_message_of_a_telephone_is_read():
    # An example that is all over the web: hellohello of 27838890001, at 15:16:59 on 29 March 99, two hours from UTC.
    found = parse(bytes.fromhex("07917283010010F5040BC87238880900F10000993092516195800AE8329BFD4697D9EC37"))
    assert (found.sender, read(found.text)) == ("27838890001", ("hellohello", None))
    assert found.sent_at == 4078473419.0  # 2099-03-29 13:16:59 UTC


def agrees(content, text):
    """Whether the other program read the same: seven free bits at the end are one more character to it, an @."""
    return content in (read(text)[0], read(text)[0] + "@")


@given(NUMBERS, LINES, st.integers(0, 255))
def test_another_program_reads_what_we_send(number, line, reference):
    messages = parts(line, reference)
    found = [Submit(number, each).written().hex().upper() for each in messages]
    assert all(agrees(read_outgoing_sms(pdu)["content"], each) for pdu, each in zip(found, messages, strict=True))
    assert "".join(read(each)[0] for each in messages) == line
    assert {read_outgoing_sms(each)["recipient"] for each in found} == {number}
    assert SMSSubmit.decode(StringIO(found[0]))["vp"] == 11  # an hour


@given(NUMBERS, LINES)
def test_another_program_reads_what_our_modems_play(number, line):
    messages = parts(line, 1)
    found = [read_incoming_sms(Deliver(number, AT, each).written().hex().upper()) for each in messages]
    assert all(agrees(one["content"], each) for one, each in zip(found, messages, strict=True))
    assert {(each["sender"], each["date"].timestamp()) for each in found} == {(number, AT)}


@given(NUMBERS, LINES, st.booleans(), st.integers(0, 255))
def test_what_was_written_comes_back(number, line, wants_report, reference):
    for text in parts(line, 3):
        submit = Submit(number, text, 3600, wants_report, reference)
        assert parse_submit(submit.written()) == submit
        deliver = Deliver(number, AT, text)
        assert parse(deliver.written()) == deliver
    report = StatusReport(reference, number, 0x46)
    assert parse(report.written(AT)) == report


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(1, 300), (300, 300), (3600, 3600), (43200, 43200), (45000, 45000), (86400, 86400), (3 * 86400, 3 * 86400)],
)
def test_validities_are_told_in_their_steps(seconds, told):
    assert parse_submit(Submit("123", parts("x", 0)[0], seconds).written()).validity_s == told


@pytest.mark.parametrize(
    ("status", "is_delivered", "is_final"), [(0x00, True, True), (0x01, True, True), (0x20, False, False)]
)
def test_a_report_says_whether_it_arrived_and_whether_that_is_the_end(status, is_delivered, is_final):
    report = StatusReport(1, "+1", status)
    assert (report.is_delivered, report.is_final) == (is_delivered, is_final)
    assert StatusReport(1, "+1", 0x46).is_final and not StatusReport(1, "+1", 0x46).is_delivered


def test_a_sender_that_is_a_name_passes_for_no_number():
    # "4366412" as a name: type 0xD0, 13 semi-octets of packed septets.
    name = "0D" + "D0" + "34D9 8C46 A3C9 00".replace(" ", "")
    found = parse(bytes.fromhex("00" + "04" + name + "0000" + "62112200000000" + "00"))
    assert found.sender.startswith('"4') and found.sender.endswith('"')


def test_a_time_that_is_none_is_not_known():
    pdu = bytearray(Deliver("+123", AT, parts("x", 0)[0]).written())
    pdu[9:16] = b"\xff" * 7
    assert parse(bytes(pdu)).sent_at is None


def test_a_time_says_how_far_it_is_from_utc():
    pdu = Deliver("+123", 0.0, parts("x", 0)[0]).written()
    assert pdu[8:15].hex() == "07101000000000"
    east, west = pdu[:14] + b"\x40" + pdu[15:], pdu[:14] + b"\x48" + pdu[15:]  # four quarters of an hour
    assert parse(east).sent_at == 3155760000.0 - 3600
    assert parse(west).sent_at == 3155760000.0 + 3600


@pytest.mark.parametrize("number", ["", "+", "43 664", "x", "+" + "1" * 21])
def test_what_is_no_number_is_not_written(number):
    with pytest.raises(ValueError, match="no telephone number"):
        Submit(number, parts("x", 0)[0]).written()


@given(st.binary(max_size=200))
def test_any_octets_are_a_message_or_garbled(octets):
    for take in (parse, parse_submit):
        try:
            found = take(octets)
        except Garbled:
            continue
        assert isinstance(found, Deliver | StatusReport | Submit)
    assert GSM7 == 0


@given(st.integers(0, 40))
def test_a_message_cut_short_is_garbled(length):
    whole = Deliver("+4366412345678", AT, parts("hellohello", 0)[0]).written()
    head = len(whole) - 9  # the user data may be short: it is read as far as it goes
    with pytest.raises(Garbled):
        parse(whole[: min(length, head - 1)])
