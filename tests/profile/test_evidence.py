import tomllib
from pathlib import Path

import pytest
from attrs import evolve

from concentrator.model.profile import Evidence, Function
from concentrator.profile.catalogue import Catalogue
from concentrator.profile.evidence import as_toml, evidence_of
from concentrator.profile.load import parse_profile
from concentrator.wire.checksum import crc16
from concentrator.wire.modbus import mbap, read, rtu, write_register

PROFILE = Catalogue().get("energycm/ccm")
FILE = Path(__file__).parents[2] / "plugins/energycm/ccm.toml"
FAST = PROFILE.evidence[0]


def framed(body):
    return body + crc16(body).to_bytes(2, "little")


def test_a_read_and_its_answer_are_evidence_with_the_values_the_profile_makes_of_them():
    found = evidence_of(PROFILE, FAST.request, FAST.response, "captured on a bus")
    assert found == Evidence("captured on a bus", FAST.request, FAST.response, FAST.values)


def test_a_frame_with_a_header_is_evidence_too():
    request = mbap(1, read(Function.HOLDING, 0x0100, 52), 9, 1.0).request
    response = b"\0\x09\0\0" + (1 + len(FAST.response[1:-2])).to_bytes(2, "big") + FAST.response[:-2]
    found = evidence_of(PROFILE, request, response, "x")
    assert found is not None and found.values == FAST.values


@pytest.mark.parametrize(
    ("request_", "response"),
    [
        (FAST.request, b""),
        (FAST.request, FAST.response[:-1]),
        (FAST.request, b"\0" + FAST.response),
        (FAST.request, framed(b"\x02" + FAST.response[1:-2])),
        (FAST.request, framed(b"\x01\x83\x02")),
        (FAST.request, framed(FAST.response[:-4])),
        (b"\1", FAST.response),
        (rtu(1, write_register(0x0301, 1), 1.0).request, rtu(1, write_register(0x0301, 1), 1.0).request),
        (rtu(1, read(Function.HOLDING, 0x2000, 1), 1.0).request, framed(b"\x01\x03\x02\x00\x01")),
    ],
)
def test_what_is_no_answered_read_of_the_profiles_values_is_no_evidence(request_, response):
    assert evidence_of(PROFILE, request_, response, "x") is None


def test_as_toml_it_loads_as_part_of_the_profile_file():
    short = evidence_of(
        PROFILE,
        rtu(9, read(Function.HOLDING, 0x0002, 7), 1.0).request,
        framed(b"\x09\x03\x0e" + b"0420020081" + b"\0\4" + b"\x2c\x06"),
        'captured on "Ä"\x7f\x01',
    )
    again = evidence_of(PROFILE, FAST.request, FAST.response, "captured on a bus")
    text = as_toml([short, again])
    loaded = parse_profile(f"{FILE.read_text()}\n{text}", "energycm/ccm")
    assert loaded.evidence == (*PROFILE.evidence, short, again)
    assert short.values == {"serial": "0420020081", "model": 4, "firmware": "0X2C06"}
    assert all(len(line) < 120 for line in text.splitlines())


def test_values_of_any_kind_come_back_as_they_were():
    values = {"p": -1.5e-7, "ea_imp": 2**63, "model": 'a "text" with \\ and \u2028\x1f', "odd name": 1e22}
    text = as_toml([evolve(FAST, values=values)])
    assert tomllib.loads(text)["evidence"][0]["values"] == values
