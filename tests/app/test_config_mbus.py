"""M-Bus lines and meters in the configuration file."""

import json

import pytest

from concentrator.app.cli import main
from concentrator.wire.mbus_frame import SELECTED

LINE = '[line.heat]\nendpoint = "serial:/dev/ttyUSB7"\nrole = "mbus"\n'
NATIVE = '[line.native]\nendpoint = "tcp:10.0.0.9:502"\n'


def device(uid, address, line="heat", profile="mbus/generic", **keys):
    rest = "".join(f"{key} = {value!r}\n" for key, value in keys.items())
    return f'[device.{uid}]\nline = "{line}"\nprofile = "{profile}"\naddress = {address}\n{rest}'


def test_an_mbus_line_is_2400_8e1_where_nothing_is_said(config):
    line = config(LINE).lines["heat"]
    assert (line.protocol, line.serial_address.framing) == ("m-bus", "2400 8E1")
    slow = config(LINE.replace("USB7", "USB7:baudrate=300")).lines["heat"]
    assert slow.serial_address.framing == "300 8E1"
    assert config('[line.a]\nendpoint = "serial:/dev/ttyUSB7"').lines["a"].serial_address.framing == "9600 8N1"


@pytest.mark.parametrize(
    ("address", "primary", "selected"),
    [
        ("5", 5, ""),
        ("0", 0, ""),
        ("250", 250, ""),
        ('"12345678"', SELECTED, "12345678"),
        ('"12345678-kam-08-04"', SELECTED, "12345678-KAM-08-04"),
        ('"1234FFFF-*-*-04"', SELECTED, "1234FFFF-*-*-04"),
    ],
)
def test_a_meter_has_a_primary_or_a_secondary_address(config, address, primary, selected):
    made = config(LINE + device("boiler", address)).devices["boiler"].device("boiler")
    assert (made.address, made.selected, made.station) == (primary, selected, selected or primary)


def test_a_meter_is_read_every_minute_where_nothing_is_said(config):
    both = config(LINE + NATIVE + device("boiler", 5) + device("main", 1, "native", "energycm/ccm")).devices
    assert (both["boiler"].interval_s, both["main"].interval_s) == (60.0, 3.0)
    assert config(LINE + device("boiler", 5, interval="15 min")).devices["boiler"].interval_s == 900


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (LINE + device("a", 251), "[device.a] address: found 251, expected a whole number 1 … 247"),
        (LINE + device("a", '"1234567X"'), '[device.a] address: found "1234567X", expected a secondary address as in'),
        (NATIVE + device("a", 0, "native", "energycm/ccm"), "[device.a] address: found 0, expected a whole number"),
        (
            NATIVE + device("a", '"12345678"', "native", "energycm/ccm"),
            '[device.a] address: found "12345678", expected',
        ),
        (NATIVE + device("a", 7, "native"), '[device.a] profile: found "mbus/generic", expected mbus/generic on an'),
        (LINE + device("a", 7, profile="energycm/ccm"), '[device.a] profile: found "energycm/ccm", expected mbus/'),
        (LINE + 'protocol = "modbus-rtu"', '[line.heat] protocol: found "modbus-rtu", expected m-bus where'),
        (NATIVE + 'protocol = "m-bus"', '[line.native] protocol: found "m-bus", expected m-bus where the role is mbus'),
        (LINE + device("a", 7) + device("b", 7), "[device.b] address: found 7, which [device.a] has on line heat"),
    ],
)
def test_what_does_not_fit_is_one_clear_sentence(faults, text, sentence):
    (found,) = faults(text)
    assert found.startswith(sentence)


def test_a_box_reads_256_meters_and_no_more(config, faults):
    def meters(count):
        return LINE + "".join(device(f"m{n}", f'"{n:08}"') for n in range(count))

    assert len(config(meters(256)).devices) == 256
    assert faults(meters(257)) == ["[device.m256] line: found 257 M-Bus meters in all, expected at most 256"]


def test_check_says_how_often_a_meter_is_read(tmp_path, capsys):
    file = tmp_path / "ccmaster.toml"
    file.write_text(LINE + device("boiler", '"12345678"', interval="15 min"))
    assert main(["check", str(file)]) == 0
    assert "boiler: mbus/generic, ID 12345678; read every 15 min" in capsys.readouterr().out


def test_the_plan_counts_the_time_of_the_line_that_meters_take(tmp_path, capsys):
    file = tmp_path / "my.toml"
    meters = "".join(device(f"m{n}", f'"{12345600 + n}"', interval="30 s") for n in range(20))
    far = '[line.far]\nendpoint = "tcp:10.0.0.7:10001"\nrole = "mbus"\n' + device("distant", 1, "far", interval="30 s")
    plans = []
    for line in (LINE, LINE.replace("USB7", "USB7:baudrate=300")):
        file.write_text('[box]\nstate_dir = "state"\n' + line + meters + far)
        assert main(["check", str(file), "--json"]) == 0
        plans.append({each["name"]: each for each in json.loads(capsys.readouterr().out)["lines"]})
    usual, slow = plans
    assert 0.1 < usual["heat"]["utilisation"] < 1 < 3 < slow["heat"]["utilisation"] < 6
    assert 0.01 < usual["far"]["utilisation"] < 0.1
    (read,) = slow["heat"]["devices"][0]["reads"]
    assert (read["function"], read["wanted_s"]) == ("telegrams", 30.0)
    assert read["kept_s"] == pytest.approx(30 * slow["heat"]["utilisation"], rel=1e-3)
