"""concentrator.app.field: what people see of lines and devices, and how a device is reached by its short id."""

import pytest

from concentrator.model.errors import Denied, LineLost, Unknown
from concentrator.model.reading import Quality, Reading
from tests.support.fields import NATIVE, StillBox, meter
from tests.support.records import NOW

OVER_IP = '[line.roof]\nendpoint = "tcp:192.168.4.20:502"\nprotocol = "modbus-tcp"\n'
SPARE = '[line.spare]\nendpoint = "serial:/dev/ttySpare"\nrole = "spare"\n'
TEXT = (
    NATIVE
    + OVER_IP
    + SPARE
    + meter("main", 1)
    + meter("kitchen", 1, "secondary = 1\n")
    + meter("roof", 1).replace("native", "roof")
    + meter("open", 5, "allow_write = true\n")
)


@pytest.fixture
def field(tmp_path):
    return StillBox(tmp_path, TEXT).field


def test_a_line_says_where_it_is_and_how_it_does(field):
    native, roof = field.line_states()
    assert (native.name, native.role, native.is_open, native.trouble) == (
        "native", "native", False, "it was not opened yet",
    )  # fmt: skip
    assert (native.utilisation, native.round_s, native.suspended) == (0.0, None, "")
    assert roof.endpoint == "tcp:192.168.4.20:502"
    field.poller("native").suspend("devices are being linked")
    assert field.line_states()[0].suspended == "devices are being linked"


def test_a_lines_stations_are_those_configured_and_those_that_ever_answered(field):
    line = field.line("native")
    for unit in (1, 5, 17, 44):
        line.station_counters(unit).requests = 3
    line.station_counters(17).answers = 1
    assert list(field.line_states()[0].stations) == ["1", "5", "17"]
    assert field.line_states()[0].stations["1"]["requests"] == 3


def test_a_round_takes_as_long_as_that_of_the_slowest_device_that_answers(field):
    slow, quick, silent = field.poller("native").polled()
    slow.round_s, quick.round_s, silent.round_s = 6.5, 3.0, 60.0
    for polled in (slow, quick):
        polled.health.answered()
    for _ in range(3):
        silent.health.failed()
    assert field.line_states()[0].round_s == 6.5


def test_a_device_says_over_what_it_is_read(field):
    states = field.device_states()
    assert [(each.uid, each.protocol, each.address, each.secondary) for each in states] == [
        ("main", "MB_RTU_CCM", 1, None),
        ("kitchen", "MB_RTU_CCM", 1, 1),
        ("roof", "MB_TCP_CCM", 1, None),
        ("open", "MB_RTU_CCM", 5, None),
    ]
    assert [each.health for each in states] == ["new"] * 4
    assert [each.quality for each in states] == [""] * 4


def test_a_device_says_how_far_its_newest_reading_can_be_relied_on(field):
    field.hub.publish(Reading("main", NOW, {"v1": 230.1}, Quality.GOOD))
    field.poller("native").suspend("devices are being linked")
    state = field.device_states()[0]
    assert (state.quality, state.values["v1"]) == ("suspended", (230.1, NOW))


def test_a_secondary_has_the_columns_of_its_kind_and_its_principal_stands_at_the_address(field):
    assert field.at("native")[1].device.uid == "main"
    assert {unit: known.device.uid for unit, known in field.at("native").items()} == {1: "main", 5: "open"}
    names = {column.name for column in field.describe("kitchen")[1]}
    assert {"v1", "i1", "p", "ea_imp"} <= names <= {column.name for column in field.describe("main")[1]}


def test_exchanges_are_traced_by_the_wall_clock(tmp_path):
    box = StillBox(tmp_path, TEXT)
    box.clock.advance(1000)
    box.field.line("native").trace.keep(990.0, 990.1, 1, b"\x01", b"\x02", "")
    (exchange,) = box.field.traced("native")
    assert (exchange.began, exchange.ended) == (NOW - 10, pytest.approx(NOW - 9.9))
    assert box.field.protocol("roof") == "modbus-tcp"
    with pytest.raises(KeyError):
        box.field.traced("spare")


def test_a_command_finds_its_device_by_its_short_id(field):
    failed = []
    field.write("main", "direction_mode", 1).addErrback(failed.append)
    field.write("open", "direction_mode", 1).addErrback(failed.append)
    field.read("main", "direction_mode").addErrback(failed.append)
    assert [failure.type for failure in failed] == [Denied, LineLost, LineLost]
    for ask in (lambda: field.write("mian", "v1", 1), lambda: field.read("mian", "v1")):
        with pytest.raises(Unknown, match=r"device mian \(did you mean main\?\)"):
            ask()


def test_a_secondary_cannot_be_written_to(tmp_path):
    box = StillBox(tmp_path, NATIVE + meter("main", 1) + meter("kitchen", 1, "secondary = 1\nallow_write = true\n"))
    failed = []
    box.field.write("kitchen", "direction_mode", 1).addErrback(failed.append)
    assert failed[0].check(Unknown)


def test_a_counter_that_falls_is_told_unless_it_is_another_devices(tmp_path):
    box = StillBox(tmp_path, TEXT)
    for value in (100.0, 3.0, 3.0):
        box.field.hub.publish(Reading("main", NOW, {"ea_imp": value}))
    assert [(name, facts["device"]) for name, facts in box.events] == [("counter.reset", "main")]
    box.devices.change("main", address=9)
    for value in (1.0, 1.0):
        box.field.hub.publish(Reading("main", NOW, {"ea_imp": value}))
    box.devices.remove("main")
    box.field.hub.publish(Reading("main", NOW, {"ea_imp": 0.0}))
    assert [name for name, _ in box.events] == ["counter.reset", "device.changed", "device.removed"]
