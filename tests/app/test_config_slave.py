"""concentrator.app.config_slave: a slave port has one place, and is what it says there."""

import pytest

from concentrator.app.config import load
from concentrator.model.errors import ConfigError
from tests.support.fields import NATIVE, meter

OUT = '[line.out]\nendpoint = "serial:/dev/null/a:baudrate=19200"\nrole = "slave"\n'
GATE = '[line.heat]\nendpoint = "serial:/dev/null/b"\nrole = "mbus"\n[mbus_gateway.main]\nline = "heat"\nport = 1502\n'


@pytest.fixture
def read(tmp_path):
    def read(*parts):
        file = tmp_path / "ccmaster.toml"
        file.write_text("\n".join([NATIVE, meter("m1", 1), *parts]))
        return load(file)

    return read


def slave(name="s", **keys):
    written = "".join(f"{key} = {value}\n" for key, value in keys.items())
    return f"[modbus_slave.{name}]\n{written}"


def faults(read, *parts):
    with pytest.raises(ConfigError) as caught:
        read(*parts)
    return [(fault.section, fault.key, fault.found) for fault in caught.value.faults]


def test_a_slave_line_with_somebody_who_answers_is_as_it_should_be(read):
    config = read(
        OUT, slave(line='"out"', unit=7), slave("t", port=1502, serve='"mirror"', device='"m1"', write="true")
    )
    assert not any("nobody answers" in warning or "anybody" in warning for warning in config.warnings)
    assert config.lines["out"].protocol == "modbus-rtu"
    told = [each.told() for each in config.services["modbus_slave"].values()]
    assert told == [
        "the map of all devices at line out, Modbus ID 7",
        "the registers of m1 at tcp:1502, Modbus ID 1, may be written to",
    ]


def test_one_that_is_off_tells_nothing_and_breaks_no_rule(read):
    config = read(slave(enabled="false", line='"nowhere"'))
    assert config.services["modbus_slave"]["s"].told() == ""


@pytest.mark.parametrize(
    ("parts", "wanted"),
    [
        ([slave()], [("modbus_slave.s", "port", "0")]),
        ([OUT, slave(line='"out"', port=502)], [("modbus_slave.s", "port", "502")]),
        ([OUT, slave(line='"uot"')], [("modbus_slave.s", "line", '"uot"')]),
        ([slave(line='"native"')], [("modbus_slave.s", "line", '"native", whose role is native')]),
        ([GATE, slave(port=1502)], [("modbus_slave.s", "port", "1502, which [mbus_gateway.main] has")]),
        (
            [OUT, slave(line='"out"'), slave("t", line='"out"')],
            [("modbus_slave.t", "unit", "1, which [modbus_slave.s] has at line out")],
        ),
        (
            [slave(port=502), slave("t", port=502, unit=2, clients=3, allow='["10.0.0.1"]')],
            [("modbus_slave.t", "allow", "something else"), ("modbus_slave.t", "clients", "something else")],
        ),
        ([slave(port=502, serve='"mirror"')], [("modbus_slave.s", "device", '""')]),
        ([slave(port=502, serve='"mirror"', device='"m2"')], [("modbus_slave.s", "device", '"m2"')]),
        ([slave(port=502, device='"m1"')], [("modbus_slave.s", "device", '"m1"')]),
        ([slave(port=502, unit=248)], [("modbus_slave.s", "unit", "248")]),
        ([slave(port=502, max_age='"0 s"')], [("modbus_slave.s", "max_age", '"0 s"')]),
        ([OUT, meter("m2", 5).replace('"native"', '"out"')], [("device.m2", "line", '"out"')]),
        ([OUT + 'protocol = "modbus-tcp"\n'], [("line.out", "protocol", '"modbus-tcp"')]),
    ],
)
def test_what_cannot_be_is_said_where_it_is(read, parts, wanted):
    assert faults(read, *parts) == wanted


def test_a_mirror_is_of_a_modbus_device(read):
    heat = '[line.heat]\nendpoint = "serial:/dev/null/b"\nrole = "mbus"\n'
    boiler = '[device.boiler]\nline = "heat"\nprofile = "mbus/generic"\naddress = 5\n'
    found = faults(read, heat, boiler, slave(port=502, serve='"mirror"', device='"boiler"'))
    assert found == [("modbus_slave.s", "device", '"boiler", which speaks m-bus')]


def test_what_is_open_to_the_world_and_what_nobody_answers_on_is_warned_of(read):
    config = read(OUT, slave(port=502, allow='["0.0.0.0/0"]', write="true"))
    wide, idle = (warning for warning in config.warnings if "endpoint" not in warning)
    assert "anybody in 0.0.0.0/0 may read and write its registers, without a password" in wide
    assert "[line.out] role: nobody answers on it" in idle
