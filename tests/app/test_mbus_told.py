"""What M-Bus meters say, as JSON and for people."""

import json

from concentrator.app.mbus_told import found_lines, said_lines, told
from concentrator.poll.mbus_search import FoundMeter
from concentrator.wire.mbus_frame import Frame
from concentrator.wire.mbus_record import decoded, telegram_of
from tests.support.mbus_telegrams import frames

HEADER = "78563412 2D2C 08 04 2A 14 0000"


def telegram(text):
    return decoded(Frame(0x08, 1, 0x72, bytes.fromhex(HEADER + text)))


def test_a_record_is_told_as_it_came_and_as_our_value():
    (said,) = told([telegram("8C 10 06 39050000 0F 0102")])
    assert (said["address"], said["medium"], said["access"]) == ("12345678-KAM-08-04", "heat (outlet)", 42)
    assert said["state"] == ["power low", "temporary error"]
    assert (said["rest"], said["more"]) == ("01 02", False)
    (record,) = said["records"]
    assert {key: record[key] for key in ("name", "value", "unit", "said", "said_unit", "tariff", "hex")} == {
        "name": "heat_e_t1",
        "value": 539,
        "unit": "kWh",
        "said": 539_000,
        "said_unit": "Wh",
        "tariff": 1,
        "hex": "8C 10 06 39 05 00 00",
    }
    assert bytes.fromhex(said["hex"]) == bytes(Frame(0x08, 1, 0x72, bytes.fromhex(HEADER + "8C100639050000 0F0102")))


def test_names_count_over_all_telegrams_of_a_read():
    first, second = told([telegram("02 FD 48 0100 1F"), telegram("02 FD 48 0200")])
    assert [each["records"][0]["name"] for each in (first, second)] == ["v", "v_2"]
    assert first["more"]


def test_people_see_a_table_with_reasons_and_the_makers_own():
    lines = list(said_lines(told([telegram("0C 06 39050000 0A 5A DDBB 1F AA")])))
    assert lines[0] == "12345678-KAM-08-04, heat (outlet); access 42, status 14, power low, temporary error"
    assert lines[1].split() == ["NAME", "VALUE", "UNIT", "MEANING", "BYTES"]
    assert lines[2].split()[:3] == ["heat_e", "539", "kWh"]
    assert "it shows BBDD" in lines[3]
    assert lines[4:] == ["the maker's own: AA", "more telegrams follow"]


def test_telegrams_of_real_meters_can_be_told():
    for frame in frames("frames").values():
        from_bytes = told([telegram_of(frame)])
        assert json.loads(json.dumps(from_bytes)) == from_bytes
        assert bytes.fromhex(from_bytes[0]["hex"]) == frame
        assert len(list(said_lines(from_bytes))) >= 1 + len(from_bytes[0]["records"])


def test_finds_are_a_table():
    found = [
        FoundMeter("12345678-KAM-08-04", None, "KAM", 8, "heat (outlet)", "boiler"),
        FoundMeter("", 5, trouble="several meters answer at once, or noise"),
    ]
    head, first, second = found_lines(each.as_json() for each in found)
    assert head.split()[:2] == ["ADDRESS", "PRIMARY"]
    assert first.split()[0] == "12345678-KAM-08-04"
    assert second.split()[0] == "5"
    assert list(found_lines([])) == ["nobody answers"]
