"""concentrator.app.slaves: slave ports come and go with the settings, and their map stays where it is."""

import json

import pytest
from attrs import evolve

from concentrator.app.check import check
from concentrator.app.slaves import FILE
from concentrator.model.errors import Denied
from tests.support.slave_box import TEXT, SlaveBox


@pytest.fixture
def box(tmp_path):
    return SlaveBox(tmp_path)


def names(box):
    return [(state.name, state.where, state.unit, state.serves) for state in box.slaves.states()]


def test_slave_ports_that_share_a_port_are_one_server(box):
    box.slaves.start(box.config)
    box.slaves.start(box.config)
    assert box.ports() == [1502]
    assert names(box) == [("scada", "tcp:1502", 1, "map"), ("meter", "tcp:1502", 11, "mirror")]
    assert all(state.is_open for state in box.slaves.states())
    assert box.ask("03 9C40 0002") == "0304" + b"SunS".hex()
    assert box.ask("03 0000 0001", unit=11) == "830b"
    assert box.ask("03 0000 0001", unit=12) == "830b"
    scada, meter = box.slaves.states()
    assert (scada.reads, scada.refused, scada.clients) == (1, {}, ["127.0.0.1"] * 3)
    assert (meter.reads, meter.refused) == (1, {"11": 1})


def test_they_come_and_go_one_by_one(box):
    box.slaves.start(box.config)
    without = box.changed(scada=None)
    box.slaves.leave(without)
    box.slaves.start(without)
    assert names(box) == [("meter", "tcp:1502", 11, "mirror")]
    assert box.ports() == [1502]
    assert box.ask("03 9C40 0002") == "830b"
    box.slaves.leave(box.config)
    box.slaves.start(box.config)
    assert box.ask("03 9C40 0002") == "0304" + b"SunS".hex()
    assert box.ports() == [1502]


def test_another_port_is_another_server(box):
    box.slaves.start(box.config)
    client = box.ask("03 9C40 0001") and box.clients[-1]
    other = box.changed(scada={"port": 1503}, meter={"port": 1503})
    box.slaves.leave(other)
    assert client.transport.disconnecting and names(box) == []
    box.slaves.start(other)
    assert box.ports() == [1502, 1503]
    box.slaves.stop()
    assert box.slaves.states() == []


def test_one_that_is_off_is_not_there(box):
    box.slaves.start(box.changed(scada={"enabled": False}))
    assert [name for name, *_ in names(box)] == ["meter"]


def test_the_map_has_what_the_devices_say(box):
    box.slaves.start(box.config)
    box.reading("m1", v1=231.5)
    value = next(each for each in box.slaves.mapped()["windows"][0]["values"] if each["name"] == "v1")
    assert (value["type"], value["unit"]) == ("float32", "V")
    assert box.ask(f"03 {value['address']:04X} 0002") == "0304" + "43678000"
    box.reading("m1", v1=0.0)
    assert box.ask(f"03 {value['address']:04X} 0002") == "0304" + "00000000"


def test_the_windows_are_kept(box, tmp_path):
    box.slaves.start(box.config)
    before = box.slaves.mapped()["windows"]
    kept = json.loads((box.still.state / FILE).read_text())
    assert [each["uid"] for each in kept] == ["m1", "m2"]
    again = SlaveBox(tmp_path, "")
    again.slaves.start(again.config)
    assert again.slaves.mapped()["windows"] == before


def test_a_damaged_file_is_told_and_the_map_made_anew(box):
    (box.still.state / FILE).write_text("[7]")
    box.slaves.start(box.config)
    assert [name for name, _ in box.still.events] == ["slave.map_lost"]
    assert [each["uid"] for each in box.slaves.mapped()["windows"]] == ["m1", "m2"]


def test_without_a_map_nothing_is_kept(box):
    box.slaves.start(box.changed(scada=None))
    box.reading("m1", v1=1.0)
    assert not (box.still.state / FILE).exists()


def test_a_device_that_comes_later_has_its_window_with_its_first_reading(box):
    box.slaves.start(box.config)
    field = box.still.field
    device = evolve(field.known()["m1"].device, uid="m3", address=3)
    field.put(field.made(device, field.known()["m1"].profile))
    box.reading("m3", v1=5.0)
    assert [each["uid"] for each in box.slaves.mapped()["windows"]] == ["m1", "m2", "m3"]
    field.remove("m2")
    assert [each["is_there"] for each in box.slaves.mapped()["windows"]] == [True, False, True]


def test_a_map_that_is_full_is_told_once(box):
    box.slaves.start(box.config)
    windows, field = box.slaves.windows(), box.still.field
    for number in range(400):
        windows.make_room(f"x{number}", field.known()["m1"].profile.points)
    device = evolve(field.known()["m1"].device, uid="m3", address=3)
    field.put(field.made(device, field.known()["m1"].profile))
    box.reading("m3", v1=5.0)
    box.reading("m3", v1=5.0)
    ((name, facts),) = box.still.events
    assert (name, facts["device"]) == ("slave.map_full", "m3")


def test_a_write_goes_the_way_of_all_writes(box):
    box.slaves.start(box.changed(scada={"write": True}))
    place = next(each["address"] for each in box.slaves.mapped()["windows"][0]["values"] if each["name"] == "v1")
    assert box.ask(f"10 {place:04X} 0002 04 43678000") == ""
    ((action, arguments, caller, asking),) = box.asked
    assert (action, arguments) == ("device.write", {"uid": "m1", "name": "v1", "value": 231.5})
    assert (caller.name, sorted(caller.allowed)) == ("modbus_slave.scada 127.0.0.1", ["read", "write"])
    asking.errback(Denied("allow_write is false"))
    assert box.said() == "9001"


def test_a_mirror_passes_writes_on_as_frames_of_unit_0(box):
    box.slaves.start(box.config)
    assert box.ask("05 0003 FF00", unit=11) == ""
    ((action, arguments, caller, asking),) = box.asked
    assert (action, arguments) == ("modbus.raw", {"uid": "m1", "request": "00050003ff007deb"})
    assert caller.name == "modbus_slave.meter 127.0.0.1"
    asking.callback({"uid": "m1", "function": 5, "is_write": True, "reply": "050003ff00"})
    assert box.said() == "050003ff00"


def test_the_panel_knows_whether_a_line_is_asked(box):
    text = TEXT[: TEXT.index("[modbus_slave.scada]")] + '[modbus_slave.wire]\nline = "out"\n'
    (box.still.file).write_text(text)
    wired = SlaveBox(box.still.file.parent, "")
    wired.slaves.start(wired.config)
    (state,) = wired.slaves.states()
    assert (state.where, state.is_open) == ("line out", False)
    assert wired.front.sources.is_slave_asked() is False
    made = wired.slaves._made["wire"]
    made.unit.answer(bytes.fromhex("0300000001"), "")
    assert wired.front.sources.is_slave_asked() is True
    wired.still.clock.advance(5)
    assert wired.front.sources.is_slave_asked() is False
    wired.slaves.stop()


def test_a_line_at_another_speed_is_opened_anew(box):
    text = TEXT[: TEXT.index("[modbus_slave.scada]")] + '[modbus_slave.wire]\nline = "out"\n'
    box.still.file.write_text(text)
    wired = SlaveBox(box.still.file.parent, "")
    before, line = wired.config, wired.config.lines["out"]
    wired.slaves.start(before)
    wired.still.field.set_speed("out", line)  # nothing is read there
    after = evolve(before, lines={**before.lines, "out": evolve(line, endpoint=line.endpoint.replace("19200", "9600"))})
    old = wired.slaves._places[wired.slaves._made["wire"].place]
    wired.slaves.leave(after)
    assert wired.slaves.states() == []
    wired.slaves.start(after)
    new = wired.slaves._places[wired.slaves._made["wire"].place]
    assert (old._silence_s, new._silence_s) == (35 / 19200, 35 / 9600)
    wired.slaves.stop()


def test_a_check_of_the_file_says_where_it_would_answer(box, capsys):
    assert check(box.still.file) == 0
    said = capsys.readouterr().out
    assert "  line     out: serial:/dev/null/nowhere:baudrate=19200, slave\n" in said
    assert "  modbus_slave.scada: the map of all devices at tcp:1502, Modbus ID 1\n" in said
