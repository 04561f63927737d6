"""concentrator.dialect.modbus_link: the frames of link mode, and what each answer means."""

import pytest
from attrs import evolve

from concentrator.api import Candidate
from concentrator.dialect.modbus_link import CcmLink, link_protocol_of, link_protocols
from concentrator.model.errors import Garbled, NoReply, Refused, Unexpected
from concentrator.profile.catalogue import Catalogue
from concentrator.wire.checksum import crc16
from tests.support.profiles import load, variable

CCM = Catalogue().get("energycm/ccm")
WHO = Candidate("0420020081", 1, 0x1234)
SERIAL = "30 34 32 30 30 32 30 30 38 31"


def framed(text: str) -> bytes:
    body = bytes.fromhex(text)
    return body + crc16(body).to_bytes(2, "little")


def answered(conversation, reply: bytes):
    """What a conversation of one transaction returns to a reply."""
    transaction = next(conversation)
    with pytest.raises(StopIteration) as ended:
        conversation.send(transaction.expect(reply, True))
    return ended.value.value


def unanswered(conversation):
    """What it returns where nothing comes."""
    next(conversation)
    with pytest.raises(StopIteration) as ended:
        conversation.throw(NoReply())
    return ended.value.value


def test_looking_reads_the_link_block():
    transaction = next(CcmLink(CCM).look())
    assert transaction.request == bytes.fromhex("F7 03 0F 00 00 09 92 4E")
    assert (transaction.wait_s, transaction.is_patient, transaction.shape) == (0.15, True, None)


@pytest.mark.parametrize(("slot", "address"), [(0, "0E 00"), (7, "0E 70"), (15, "0E F0")])
def test_each_slot_has_its_block(slot, address):
    assert next(CcmLink(CCM).look(slot)).request == framed(f"F7 03 {address} 00 09")


def test_whoever_is_in_link_mode_says_who_it_is():
    reply = framed(f"F7 03 12 00 01 00 3C {SERIAL} 00 01 12 34")
    assert answered(CcmLink(CCM).look(), reply) == WHO
    assert unanswered(CcmLink(CCM).look()) is None


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (framed(f"F7 03 12 00 01 00 3C {SERIAL} 00 01 12 34")[:-1] + b"\0", Garbled),
        (framed(f"F7 03 10 00 01 00 3C {SERIAL} 00 01"), Garbled),
        (framed("F7 03 12 00 01 00 3C 30 34 32 30 30 32 00 00 38 31 00 01 12 34"), Garbled),
        (framed(f"02 03 12 00 01 00 3C {SERIAL} 00 01 12 34"), Unexpected),
    ],
)
def test_anything_but_one_whole_answer_is_an_error(reply, error):
    conversation = CcmLink(CCM).look()
    transaction = next(conversation)
    with pytest.raises(error):
        conversation.send(transaction.expect(reply, True))


def test_an_id_is_given_to_a_serial_and_a_nonce():
    transaction = next(CcmLink(CCM).assign(WHO, 5))
    assert transaction.request == framed(f"F7 10 0F 10 00 07 0E {SERIAL} 00 05 12 34")
    assert answered(CcmLink(CCM).assign(WHO, 5), framed("F7 10 0F 10 00 07")) is None


def test_a_commit_names_the_nonce_at_the_new_id():
    assert next(CcmLink(CCM).commit(WHO, 5)).request == framed("05 06 0F 17 12 34")
    assert answered(CcmLink(CCM).commit(WHO, 5), framed("05 06 0F 17 12 34")) is None


def test_who_is_at_an_id_is_its_serial_from_where_the_profile_has_it():
    assert next(CcmLink(CCM).who(5)).request == framed("05 03 00 02 00 05")
    assert answered(CcmLink(CCM).who(5), framed(f"05 03 0A {SERIAL}")) == "0420020081"
    assert unanswered(CcmLink(CCM).who(5)) is None


@pytest.mark.parametrize(
    ("reply", "error"), [("05 83 02", Refused), ("05 03 0A 00 00 00 00 00 00 00 00 00 00", Garbled)]
)
def test_a_device_without_a_serial_is_not_nobody(reply, error):
    conversation = CcmLink(CCM).who(5)
    transaction = next(conversation)
    with pytest.raises(error):
        conversation.send(transaction.expect(framed(reply), True))


@pytest.mark.parametrize(("word", "frame"), [("draw_again", "00 06 0F 18 00 01"), ("leave", "00 06 0F 19 00 01")])
def test_what_is_for_everybody_is_answered_by_nobody(word, frame):
    conversation = getattr(CcmLink(CCM), word)()
    transaction = next(conversation)
    assert (transaction.request, transaction.expect) == (framed(frame), None)
    assert transaction.quiet_s >= 0.1
    with pytest.raises(StopIteration):
        conversation.send(None)


def test_a_profile_names_its_way_or_has_a_link_block_or_none():
    without = {key: value for key, value in CCM.settings.items() if key != "link_protocol"}
    assert isinstance(link_protocol_of(evolve(CCM, settings=without)), CcmLink)
    assert isinstance(link_protocol_of(evolve(CCM, settings={**without, "link_protocol": "ccm"})), CcmLink)
    assert link_protocol_of(load(variable())) is None
    assert list(link_protocols) == ["ccm"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"link_protocol": "ccn"}, "link_protocol ccn is none of ccm"),
        ({"link_protocol": "ccm", "link_id": 247}, "link mode needs link_id, link_base and a variable serial"),
    ],
)
def test_a_profile_whose_way_cannot_be_gone_says_why(settings, words):
    with pytest.raises(ValueError, match=words):
        link_protocol_of(evolve(CCM, settings=settings))
