"""Where SmartGen's documents contradict themselves, each other and the field: one row for each of the 38 places, with
how it is read and what is said. The numbers are those of the table of readings that the product was specified with."""

import pytest

from concentrator.wire.smartgen import (
    Changes,
    FullSet,
    Heartbeat,
    Inputs,
    Location,
    Login,
    ResetTaken,
    Run,
    Timing,
    Written,
    from_device,
)
from concentrator.wire.smartgen_fields import Frame, Wiring
from concentrator.wire.smartgen_json import Reader, parsed
from concentrator.wire.smartgen_server import Acknowledged, LoginAnswer, Reset, TimeTold, WriteConfig, from_server
from tests.support.smartgen_seeds import CHINESE, ENGLISH, examples

EIGHTY, COILS = Frame(1, bytes.fromhex("0300000050")), Frame(1, bytes.fromhex("010000004E"))
PLAIN = Login("A", "s", "p", "HGM6110")


def of_device(text):
    return [from_device(each) for each in Reader().fed(text.encode())]


def of_server(text, awaited="timing"):
    return [from_server(each, awaited) for each in Reader().fed(text.encode())]


def login(**params):
    return {
        "method": "login",
        "params": {"hostid": "A", "hostname": "s", "password": "p", "moduletype": "HGM6110"} | params,
    }


def answer(**result):
    return {"method": "login", "retcode": "000000", "result": {"register": 1} | result}


def written(message):
    return parsed(message.written().decode())


READ = [
    (1, from_device(login(Hostid="B", hostid=None)).hostid, "B"),
    (1, from_device(login(hosted="C", hostid=None)).hostid, "C"),
    (1, from_device(login(hostid=None) | {"HOSTID": "D"}).hostid, "D"),
    (2, from_device(login(longitude="1", latitude="2", gsen=0)).location.is_gps, False),
    (2, from_device(login(longitude="1", latitude="2", Gpsen="1")).location.is_gps, True),
    (3, from_device(login(modulePort=2)).wiring, Wiring(2, 0)),
    (4, from_device(login(modulePort="4", moduleBaud="2")).wiring, Wiring(4, 2)),
    (5, from_device(login()).wiring, Wiring(2, 0)),
    (6, from_device(login(longitude=113.5, latitude=34, altitude="100.0")).location, Location(113.5, 34, 100.0)),
    (7, from_device(login(hostname="Smatgen", password="980318")).hostname, "Smatgen"),
    (8, from_server({"Method": "login", "Retcode": "000000", "Result": {"Register": 1}}), LoginAnswer()),
    (9, from_server(answer(realtime=1497811080)).time_s, 1497811080),
    (9, from_server(answer(realTime="1497811080077")).time_s, 1497811080.077),
    (9, from_server(answer(realTime="2017-06-18 18:38:00")).time_s, 1497811080),
    (9, from_server(answer(realTime="UTC")).time_s, None),
    (10, from_server(answer(reset_packet_num=3, packetnum=[1])), LoginAnswer()),
    (11, from_server(answer(data_mode=1)).is_full, True),
    (11, from_server(answer(data_mode=0)).is_full, False),
    (12, from_server(answer()), LoginAnswer()),
    (
        13,
        of_server('{"method":"login","result":{"register":1,"moduleBaud":0,}"retcode":"000000"}')[0].wiring,
        Wiring(2, 0),
    ),
    (
        14,
        from_server(answer(para_command="01030000005045F6; ;01010000004EBC3E ;01030000005045F7;")).always,
        (EIGHTY, COILS),
    ),
    (15, from_server(answer(con_command="01030000005045F6; 01030000005045F6")).once, (EIGHTY,)),
    (16, of_server('{"method":"LongCon","message":"OK","retcode":"000000"}'), [Acknowledged("longcon")]),
    (17, of_device('{"method":"HB","hostid":"A","params":null}{"method":"HB","hostid":"A"}'), [Heartbeat("A")] * 2),
    (18, from_device({"method": "reqdata", "params": "0103", "hostid": "A"}), FullSet("A", (b"\1\3",))),
    (18, from_server({"method": "reqdata", "message": "OK", "retcode": "000000"}), Acknowledged("reqdata")),
    (19, from_device({"method": "reset", "hostid": "A"}), ResetTaken("A")),
    (19, from_server({"method": "reset", "message": "ok", "retcode": "000000"}), Reset()),
    (20, of_server('{"method" "reqdata", "message": "OK", "retcode": "000000"}'), [Acknowledged("reqdata")]),
    (21, Acknowledged("reqdata").answers("reqdatachange"), True),
    (21, Acknowledged("reqdatachange").answers("reqdata"), True),
    (21, from_server({"method": "reqdata  ", "retcode": "000000"}).answers("reqdatachange"), True),
    (21, Acknowledged("hb").answers("reqdata"), False),
    (
        22,
        of_device('{"method":"timing","hostid":"A"},\n{"method":"reset","hostid":"A"}'),
        [Timing("A"), ResetTaken("A")],
    ),
    (
        22,
        of_device('{"method":"reqdatachange","params":{"03":[{"0000":"0805"}},"01":[{"0000":"05"}]},"hostid":"A"}'),
        [Changes("A", (Run(1, 0, b"\5"), Run(3, 0, b"\x08\5")))],
    ),
    (23, from_device({"method": "reqdatachange", "hostid": "A", "InhibitRemote": 1}).inputs, Inputs(inhibit=True)),
    (23, from_device({"method": "reqdatachange", "hostid": "A", "InhbitRemote": "1"}).inputs, Inputs(inhibit=True)),
    (23, from_device({"method": "reqdatachange", "hostid": "A", "params": {"FireAlarm": 1}}).inputs, Inputs(fire=True)),
    (
        24,
        from_device({"method": "reqdatachange", "hostid": "A", "params": {"01": [{"0008": "01"}]}}).runs,
        (Run(1, 8, b"\1"),),
    ),
    (25, from_server({"method": "writeConfig", "result": "00", "datatype": "1"}), WriteConfig("00")),
    (25, from_server({"method": "writeConfig", "result": "00", "datatype": 1}), WriteConfig("00")),
    (26, from_server({"method": "writeConfig", "result": "0000000000"}), WriteConfig("0000000000")),
    (
        26,
        from_device({"method": "writeConfig", "hostid": "A", "params": "01010101,1"}),
        Written("A", None, "01010101", True),
    ),
    (27, from_server({"method": "writeConfig", "result": "00", "uid": "any thing"}).uid, "any thing"),
    (28, from_server({"method": "writeConfig", "modulePort": 3, "moduleBaud": 1}), WriteConfig(wiring=Wiring(3, 1))),
    (29, of_device('{"method":"timing","hostid":"A",}'), [Timing("A")]),
    (29, from_server({"method": "timing", "result": 1497811080077}), TimeTold(1497811080.077)),
    (29, of_server('{"message":"ok","retcode":"000000",}\n "method":"timing","result":"1"}'), [TimeTold(None)]),
    (29, of_server('{"message":"ok","retcode":"000000"}', "HB")[0].answers("HB"), True),
    (30, of_server('{"message":"ok","retcode":"000000","method":"reset",}'), [Reset()]),
    (31, of_device('{"method":"reset","hostid":"A",}'), [ResetTaken("A")]),
    (32, from_server({"method": "HB", "retcode": "000000"}).is_success, True),
    (32, from_server({"method": "HB", "retcode": "100", "message": "why"}), Acknowledged("hb", "100", "why")),
    (32, from_server(answer() | {"retcode": "000001"}).is_registered, False),
    (33, from_device(login(hostid="3" * 24)).hostid, "3" * 24),
    (34, from_server(answer(historic="10.0.0.1:81")).history, ("10.0.0.1", 81)),
    (35, from_server(answer(liveData="")).live, None),
    (35, from_server(answer(liveData="example.org:21318")).live, ("example.org", 21318)),
    (36, of_server('{"method":"HB","retcode":"0"}{"method":"reset"}\0\r\n ;,'), [Acknowledged("hb", "0", ""), Reset()]),
]
"""Row, what was read, what it should be."""

SAID = [
    (1, written(PLAIN)["params"].keys() & {"hostid", "Hostid"}, {"hostid", "Hostid"}),
    (1, written(PLAIN)["hostid"], "A"),
    (
        2,
        {"Gpsen": 1, "gsen": 1}.items()
        <= written(Login("A", "s", "p", "t", Wiring(), Location(1, 2)))["params"].items(),
        True,
    ),
    (3, Wiring().fields(), {"modulePort": 2, "moduleBaud": 0}),
    (5, {"modulePort": 2, "moduleBaud": 0}.items() <= written(PLAIN)["params"].items(), True),
    (6, Location(-3.5, 40.25, 667).fields()["longitude"], "-3.500000"),
    (17, written(Heartbeat("A")), {"method": "HB", "hostid": "A", "params": ""}),
    (
        23,
        written(Changes("A", (), Inputs(access=True, inhibit=True))),
        {"method": "reqdatachange", "params": {}, "hostid": "A"}
        | {"AccessAlarm": 1, "FireAlarm": 0, "AlarmInput": 0, "InhbitRemote": 1},
    ),
    (
        24,
        written(Changes("A", (Run(1, 8, b"\1"), Run(3, 0x2E, b"\x08\5"))))["params"],
        {"01": [{"0008": "01"}], "03": [{"002E": "0805"}]},
    ),
    (25, written(WriteConfig("00"))["datatype"], 1),
    (26, written(Written("A", "1", "000000000000", False))["params"], "000000000000,0"),
    (27, written(Written("A", 123456, "00", True))["uid"], 123456),
    (
        28,
        written(Written("A", "1", wiring=Wiring(3, 1))),
        {"method": "writeConfig", "hostid": "A", "uid": "1", **Wiring(3, 1).fields()},
    ),
    (31, written(ResetTaken("A")), {"method": "reset", "hostid": "A"}),
    (34, written(FullSet("A", (b"\1\3",), 1497811080))["time"], 1497811080),
    (36, PLAIN.written().count(b"\n") + PLAIN.written().count(b" "), 0),
    (37, written(PLAIN)["params"]["password"], "p"),
]
"""Row, what was said, what it should be."""


@pytest.mark.parametrize(("row", "found", "meant"), READ)
def test_each_inconsistency_is_read_as_it_was_meant(row, found, meant):
    assert found == meant


@pytest.mark.parametrize(("row", "said", "meant"), SAID)
def test_each_inconsistency_is_said_so_that_every_server_understands(row, said, meant):
    assert said == meant


def test_row_38_that_a_section_number_is_printed_twice_changes_no_message():
    assert len(examples(CHINESE)) == len(examples(ENGLISH)) == 18


def test_no_row_is_left_out():
    assert {row for row, _, _ in READ + SAID} | {38} == set(range(1, 39))
