"""A hostile cloud server against the session as the program wires it: whatever it sends, the program stands, the bus is
polled on, nothing is written that is not allowed, and the memory it takes is bounded."""

import json
import tracemalloc

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from concentrator.genset.talk import MOST_BYTES
from concentrator.sim.smartgen_cloud import CloudServer
from concentrator.wire.checksum import crc16
from concentrator.wire.smartgen_json import LONGEST
from concentrator.wire.smartgen_server import LoginAnswer, WriteConfig
from tests.support.clouds import CONFIG, CloudBox, raw

LIVE = ("live.example", 21318)
ANSWER = LoginAnswer(live=LIVE, always=(raw("010300000010"),), online_s=1.0, offline_s=1.0)
TWO = CONFIG + '\n[device.other]\nline = "native"\nprofile = "energycm/ccm"\naddress = 2\n'
MOST_MEMORY = 2 * 2**20
"""Bytes that a session may take more while a server floods it: its reader, one segment in two forms, what it has parsed
of it, and what the server may say in a second."""


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    """A box that is online with two devices on its bus, brought back online for each test."""
    made = CloudBox(tmp_path_factory.mktemp("hostile") / "box", CloudServer(ANSWER), TWO, meters=2)
    made.start()
    yield made
    made.stop()


def online(box):
    """The long connection, which stands."""
    box.server.answer, box.server.is_silent = ANSWER, False
    for _ in range(200):
        if box.state().standing.startswith("Online") and any(each.talk.hostid for each in box.links):
            return box.link
        box.run(5)
    raise AssertionError(box.state().standing)


def polls_of(box, unit):
    return sum(1 for each in box.bus.heard if each.unit == unit)


def allowed_only(box):
    """What was asked of the actions is writes to the own controller, and nothing else was written on the bus."""
    for action, arguments, _ in box.asked:
        frame = bytes.fromhex(arguments["request"])
        assert action == "modbus.raw" and arguments["uid"] == "gen"
        assert frame[0] == 1 and frame[1] in (5, 6, 15, 16)
        assert crc16(frame[:-2]) == int.from_bytes(frame[-2:], "little")
    assert {each.function for each in box.bus.heard} <= {3, 4, 1, 2}


FLOODS = {
    "one endless object": b'{"method":"' + b"x" * 65536,
    "one endless list": b"[" + b"1," * 32768,
    "opening brackets": b"[" * 65536,
    "opening braces": b'{"a":' * 13107,
    "endless blanks": b" " * 65536,
    "endless nothing": b"\0" * 65536,
    "no UTF-8": b'{"method":"\xff\xfe"}' * 4096,
    "backslashes": b'{"a":"' + b"\\" * 65530,
    "quotes": b'"' * 65536,
    "numbers": b'{"n":' + b"9" * 65530,
    "a whole list": b'["' + b'ab","' * 13000 + b'"]',
    "a list to be mended": b'{"a":[' + b'"ab",' * 13000 + b",]}",
    "keys to be mended": b'{"a" 1' + b'"b" 2' * 11000 + b"}",
    "small objects": b"{}" * 32768,
    "heartbeats": b'{"method":"HB","retcode":"000000"}' * 1900,
    "logins": json.dumps({"method": "login", "result": {"register": 1, "para_command": "01" * 9000}}).encode() * 3,
}


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
def test_a_hundred_megabytes_a_second_are_cut_off_and_cost_no_memory(box, flood):
    link = online(box)
    box.bus.heard.clear()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        sent = 0
        while sent < 100 * 2**20 and link.is_open:
            link.say([flood])
            sent += len(flood)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert not link.is_open
    assert sent <= MOST_BYTES + 2 * LONGEST
    assert peak - before < MOST_MEMORY
    box.run(30)
    assert polls_of(box, 1) >= 8 and polls_of(box, 2) >= 8
    allowed_only(box)
    online(box)


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
def test_the_same_slowly_blocks_neither_the_bus_nor_the_session_for_good(box, flood):
    link = online(box)
    box.bus.heard.clear()
    for at in range(0, 16384, 1024):
        if link.is_open:
            link.say([flood[at : at + 1024]])
        box.run(1.0)
    assert polls_of(box, 2) >= 4
    allowed_only(box)
    online(box)


def test_a_list_of_commands_without_end_leaves_the_bus_to_the_others(box):
    online(box)
    many = tuple(raw(f"0103{address:04X}007D") for address in range(0, 64000, 1000))
    box.server.answer = evolve(ANSWER, always=many, online_s=1.0)
    box.link.say([b'{"method":"reset"}'])
    box.run(10)
    box.bus.heard.clear()
    box.run(60)
    assert polls_of(box, 2) >= 20
    allowed_only(box)


ILLEGAL = [bytes(raw(f"01{code:02X}00000001")).hex() for code in (*range(7, 15), *range(17, 128, 9), 128, 255)]


@pytest.mark.parametrize("unit", [2, 3, 247, 255])
def test_commands_for_other_units_are_never_carried_out(box, unit):
    link = online(box)
    box.asked.clear()
    box.bus.heard.clear()
    for pdu in ("050003FF00", "0600010001", "0F0000000801FF", "1000000001020001", "0300000001"):
        if link.is_open:
            link.say(link.talk.write(bytes(raw(f"{unit:02X}{pdu}")).hex()))
        box.run(3)
    assert box.asked == []
    assert all(each.unit in (1, 2) for each in box.bus.heard)
    assert (3, 0, 1) not in [(each.function, each.address, each.count) for each in box.bus.heard]


def test_illegal_functions_and_broken_frames_are_never_carried_out(box):
    link = online(box)
    box.asked.clear()
    for command in (*ILLEGAL, "", "00", "zz", "0105000", "01050003FF00FFFF", "00" * 300):
        if link.is_open and command:
            link.say(link.talk.write(command))
        box.run(0.2)
    box.run(5)
    assert box.asked == []


KEYS = ["method", "params", "result", "retcode", "uid", "hostid", "modulePort", "moduleBaud", "datatype", "liveData"]
KEYS += ["para_command"]
TEXTS = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace")),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=8),
        lambda each: (
            st.lists(each, max_size=4)
            | st.dictionaries(
                st.sampled_from(KEYS),
                each,
                max_size=6,
            )
        ),
        max_leaves=25,
    ).map(lambda value: json.dumps(value).encode()),
    st.builds(
        lambda unit, pdu, port: WriteConfig(bytes(raw(f"{unit:02x}{pdu.hex()}")).hex(), uid=port).written(),
        st.integers(0, 255),
        st.binary(min_size=1, max_size=12),
        st.integers(),
    ),
    st.sampled_from(
        [
            b'{"method":"reset"}',
            b'{"method":"writeConfig","modulePort":0,"moduleBaud":2}',
            b'{"method":"login","result":{"register":1,"liveData":"a:1","online_rate":-1}}',
            b'{"method":"timing","result":"99999999999999999999"}',
        ]
    ),
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(TEXTS, st.floats(0, 3)), max_size=12))
def test_whatever_a_server_says_the_box_goes_on(box, said):
    online(box)
    box.asked.clear()
    box.bus.heard.clear()
    for segment, pause_s in said:
        for link in list(box.links):
            link.say([segment])
        box.run(pause_s)
    box.run(12)
    assert polls_of(box, 2) >= 3
    assert box.state().port == "rs485"
    allowed_only(box)
