"""What holds for every profile that is shipped, whatever the device."""

import math
import re
import tomllib
from functools import cache

import pytest

from concentrator.model.profile import Block, Function, Rate, Sign, Status
from concentrator.model.quantities import QUANTITIES
from concentrator.model.quantity import Kind
from concentrator.profile.catalogue import Catalogue, shipped_folders
from concentrator.profile.decode import compile_block
from concentrator.profile.encode import encode
from concentrator.profile.encodings import encoding_of
from concentrator.profile.plan import plan_blocks, plan_identity
from concentrator.profile.recognise import is_match, marks
from concentrator.profile.units import house_unit
from concentrator.wire.checksum import crc16
from concentrator.wire.modbus import MAX_READ_BITS

CATALOGUE = Catalogue()
READS = {1: Function.COIL, 2: Function.DISCRETE, 3: Function.HOLDING, 4: Function.INPUT}
TYPES = ("meter", "analyser", "inverter", "genset")
PRODUCERS = ("inverter", "genset")
BETWEEN_TWO_SOURCES = ("smartgen/hgm9560",)
"""They measure what passes between the mains and the gensets' busbar."""
every_profile = pytest.mark.parametrize("key", CATALOGUE.keys())


def path(key):
    """The file of a shipped profile."""
    return shipped_folders()[0] / f"{key}.toml"


@cache
def said(key):
    """What that file says, unread."""
    return tomllib.loads(path(key).read_text())


def size(block):
    return (block.count + 7) // 8 if block.function.is_bits else 2 * block.count


def test_no_shipped_profile_has_a_fault():
    assert [str(fault) for fault in CATALOGUE.faults()] == []


def test_the_native_meter_is_among_them():
    assert "energycm/ccm" in CATALOGUE.keys()  # noqa: SIM118


@every_profile
def test_names_are_unique_and_units_those_of_the_table(key):
    points = CATALOGUE.get(key).points
    assert len({point.name for point in points}) == len(points)
    for point in points:
        canonical = QUANTITIES.get(point.name)
        assert point.quantity.unit == (canonical.unit if canonical else house_unit(point.quantity.unit))
        assert point.quantity.label


@every_profile
def test_every_polled_point_is_in_one_read_that_the_device_bears(key):
    profile = CATALOGUE.get(key)
    plan = plan_blocks(profile)
    read = [point.name for block in plan for point in block.points]
    assert sorted(read) == sorted(point.name for point in profile.points if point.polled)
    for block in (*plan, *plan_identity(profile)):
        assert 1 <= block.count <= (MAX_READ_BITS if block.function.is_bits else profile.traits.longest_read)
        assert block.address + block.count <= 0x10000


@every_profile
def test_any_content_decodes(key):
    profile = CATALOGUE.get(key)
    for block in (*plan_blocks(profile), *plan_identity(profile)):
        decode = compile_block(block)
        for data in (bytes(size(block)), b"\xff" * size(block), b"\x7f\xff" * (size(block) // 2 + 1)):
            for name, value in decode(data[: size(block)]).items():
                assert isinstance(value, str) or math.isfinite(value), name


@every_profile
def test_it_says_where_its_facts_come_from(key):
    profile = CATALOGUE.get(key)
    assert profile.sources
    assert profile.confidence
    assert profile.evidence or not profile.points, "an exchange, captured or said to be documented and not captured"
    for evidence in profile.evidence:
        assert evidence.source.startswith(("captured", "documented, not captured"))


@every_profile
def test_its_status_is_no_better_than_its_facts(key):
    profile = CATALOGUE.get(key)
    is_captured = any(evidence.source.startswith("captured") for evidence in profile.evidence)
    checked = sum(point.checked for point in profile.points)
    assert "status" in said(key)["profile"]
    if profile.status is Status.VERIFIED:
        assert is_captured
    if profile.status is Status.CROSS_CHECKED:
        assert checked
        assert len(profile.sources) > 1
    if profile.status in (Status.SINGLE_SOURCE, Status.PROPOSED):
        assert profile.doubts


@every_profile
def test_what_a_positive_power_means_is_stated(key):
    profile = CATALOGUE.get(key)
    producer = profile.type in PRODUCERS and profile.point("p") is not None and key not in BETWEEN_TWO_SOURCES
    assert profile.sign in ((Sign.GENERATION,) if producer else (Sign.IMPORT, Sign.NONE, Sign.GENERATION))
    if profile.type not in PRODUCERS:
        assert profile.sign is not Sign.GENERATION


@every_profile
def test_the_model_is_found_by_type_brand_class_and_series(key):
    profile = CATALOGUE.get(key)
    assert all((profile.type, profile.brand, profile.device_class, profile.series, *profile.models))
    assert profile.type in TYPES
    assert len(set(profile.models)) == len(profile.models) > 0


def test_no_two_files_are_the_same_series():
    series = [(one.type, one.brand, one.device_class, one.series) for one in map(CATALOGUE.get, CATALOGUE.keys())]
    assert len(set(series)) == len(series)


@every_profile
def test_what_is_measured_has_a_name_of_the_table(key):
    for point in CATALOGUE.get(key).points:
        if point.recorded and point.quantity.kind is not Kind.STATE:
            assert point.name in QUANTITIES


@every_profile
def test_its_values_are_wanted_as_often_as_they_change(key):
    profile = CATALOGUE.get(key)
    come_along = {point.name for block in profile.blocks for point in block.points}
    for point in profile.points:
        if point.identifies or not point.polled or point.every_s is not None:
            continue
        is_slow = point.quantity.kind in (Kind.COUNTER, Kind.PERIOD_COUNTER, Kind.TEXT) or point.quantity.unit == "°C"
        if is_slow and point.name not in come_along:
            assert point.rate in (Rate.NORMAL, Rate.SLOW), point.name
        if re.fullmatch(r"(grid_|bat_|load_|dc_)?[pvi]\d*", point.name):
            assert point.rate is Rate.FAST, point.name


@every_profile
def test_a_device_that_says_what_is_expected_is_recognised(key):
    profile = CATALOGUE.get(key)
    for point in marks(profile):
        value = expected_at(point)
        assert is_match(point, value)
        data = b"".join(word.to_bytes(2, "big") for word in encode(point, value))
        read = Block(point.function, min(point.addresses), point.count, (point,))
        assert is_match(point, compile_block(read)(data)[point.name])
        assert not is_match(point, "?" if isinstance(value, str) else value + 10_000)


def expected_at(point):
    """What a device of this profile says at a mark, taken from the words of its `match`."""
    number = re.search(r"0[xX][0-9A-Fa-f]+|\d+", point.match)
    if point.encoding.startswith("ascii"):
        return point.match.split("|")[0].strip()
    return int(number[0], 0)


@every_profile
def test_its_line_settings_are_those_of_a_device(key):
    profile = CATALOGUE.get(key)
    if profile.serial is not None:
        assert profile.serial.baudrate in (2400, 4800, 9600, 19200, 38400, 57600, 115200)
    assert profile.serial or profile.settings.keys() & {"tcp", "link_protocol"} or profile.doubts


@every_profile
def test_no_place_of_this_machine_is_named(key):
    text = path(key).read_text()
    assert not re.search(r"/(work|home|tmp|etc|root)/|\.\./|file index", text)


@every_profile
def test_its_evidence_decodes_to_just_the_values_it_gives(key):
    profile = CATALOGUE.get(key)
    for evidence in profile.evidence:
        assert evidence.source
        block, data = exchanged(profile, evidence)
        assert compile_block(block)(data) == evidence.values


def exchanged(profile, evidence):
    """The block a serial line's exchange reads, and the data of its reply."""
    request, response = evidence.request, evidence.response
    for frame in (request, response):
        assert crc16(frame[:-2]) == int.from_bytes(frame[-2:], "little")
    assert response[:2] == request[:2]
    function = READS[request[1]]
    start, count = int.from_bytes(request[2:4], "big"), int.from_bytes(request[4:6], "big")
    points = tuple(
        point
        for point in profile.points
        if point.function is function and all(start <= address < start + count for address in point.addresses)
    )
    block = Block(function, start, count, points)
    data = response[3:-2]
    assert response[2] == len(data) == size(block)
    return block, data


@every_profile
def test_its_commands_write_what_a_register_or_coil_takes(key):
    for command in CATALOGUE.get(key).commands:
        assert command.values
        assert command.function in (Function.COIL, Function.HOLDING)
        assert len(command.values) <= 123
        assert all(0 <= value <= 0xFFFF for value in command.values)


@every_profile
def test_what_is_recorded_is_a_number(key):
    for point in CATALOGUE.get(key).points:
        if point.recorded:
            assert encoding_of(point.encoding).form.value not in ("text", "hex")


@every_profile
def test_no_recorded_name_is_a_column_every_file_has(key):
    recorded = {point.name for point in CATALOGUE.get(key).points if point.recorded}
    assert not recorded & {"time", "quality"}
