import json
from types import SimpleNamespace

import pytest

from concentrator.app.check import check, plan
from concentrator.app.config import load_checked
from concentrator.profile.catalogue import Catalogue

BOX = """
[box]
state_dir = "state"
[line.native]
endpoint = "serial:/dev/null:baudrate=9600"
[line.later]
endpoint = "serial:/dev/not-there"
role = "spare"
[device.main]
line = "native"
profile = "energycm/ccm"
address = 1
alias = "Main"
interval = "10 s"
[mqtt]
host = "mqtts://broker.example"
password = "tr0ub4dor"
[ftp]
server = "ftp.example"
password = "tr0ub4dor"
"""
CROWDED = '[line.native]\nendpoint = "serial:/dev/null"\n' + "".join(
    f'[device.m{n}]\nline = "native"\nprofile = "energycm/ccm"\naddress = {n}\n' for n in range(1, 34)
)


@pytest.fixture
def file(tmp_path):
    """Writes a text as a configuration file."""

    def write(text):
        path = tmp_path / "my.toml"
        path.write_text(text)
        return path

    return write


def planned(path):
    config, _ = load_checked(path)
    return plan(config, Catalogue(config.box.plugin_dirs))


def test_a_good_file_gives_a_short_plan_and_status_0(file, capsys, tmp_path):
    assert check(file(BOX)) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith(f"{tmp_path}/my.toml: no faults. This would run:\n")
    for part in (
        "  line     native: serial:/dev/null:baudrate=9600, native, modbus-rtu: ",
        '    main: energycm/ccm, ID 1 "Main"; read every ',
        "  line     later: serial:/dev/not-there, spare\n",
        "  journal  base records every 10 s, kept 7 days\n",
        "  history  records every 5 min, ",
        "  mqtt     mqtts://broker.example:8883, messages under /ccm/srv every 10 s\n",
        "  ftp      ftp://ftp.example:21/incoming, csv files every 1 h\n",
        "  web      http://localhost:8080/\n",
    ):
        assert part in out
    assert "tr0ub4dor" not in out


def test_a_file_with_faults_gives_every_one_and_status_2_and_no_plan(file, capsys):
    text = (
        BOX.replace('"energycm/ccm"', '"energycm/cmc"').replace("address = 1", "address = 0").replace("[ftp]", "[fpt]")
    )
    assert check(file(text)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.partition(": ")[2].partition(" found")[0] for line in err.splitlines()] == [
        "[device.main] address:",
        "[device.main] profile:",
        "[fpt]:",
    ]


def test_a_warning_is_no_fault(file, capsys):
    assert check(file('[line.a]\nendpoint = "serial:/dev/not-there"\n[solar.home]\n')) == 0
    assert [line.split(": ")[0] for line in capsys.readouterr().err.splitlines()] == ["warning", "warning"]


def test_faults_of_the_profiles_in_use_are_faults_of_the_file(file, capsys, tmp_path):
    profile = tmp_path / "own" / "acme" / "meter.toml"
    profile.parent.mkdir(parents=True)
    profile.write_text("[profile\n")
    text = '[box]\nplugin_dirs = ["own"]\n' + BOX.partition("[line.native]")[1] + BOX.partition("[line.native]")[2]
    assert check(file(text.replace("energycm/ccm", "acme/meter"))) == 2
    assert capsys.readouterr().err.startswith(f"{profile}: found ")


def test_the_plan_says_what_each_read_can_keep(file):
    (line,) = planned(file(CROWDED)).lines
    assert line.utilisation > 1
    reads = [read for device in line.devices for read in device.reads]
    assert {round(read.kept_s / read.wanted_s, 3) for read in reads} == {round(line.utilisation, 3)}
    assert {read.wanted_s for read in reads} >= {3.0, 60.0}


def test_a_crowded_line_is_said_to_be_one(file, capsys):
    assert check(file(CROWDED)) == 0
    out = capsys.readouterr().out
    assert "% of its time; more than it has, so all periods grow " in out
    assert "s (wanted 3 s), " in out


def test_a_full_native_bus_is_read_in_time(file):
    (line,) = planned(file(CROWDED)).lines
    assert len(line.devices) == 33
    kept = {read.address: read.kept_s for device in line.devices for read in device.reads}
    assert kept[0x0100] <= 7
    assert kept[0x0140] <= 20
    assert [read.address for read in line.devices[0].reads].count(0) == 1


def test_every_block_a_station_reads_is_in_the_plan(file):
    (device,) = planned(file(BOX)).lines[0].devices
    covered = {address for read in device.reads for address in range(read.address, read.address + read.count)}
    profile = Catalogue().get("energycm/ccm")
    assert {point.address for point in profile.points if point.polled or point.identifies} <= covered


def test_a_network_line_has_time_too(file):
    text = BOX.replace("serial:/dev/null:baudrate=9600", "tcp:192.168.4.20:502")
    assert 0 < planned(file(text)).lines[0].utilisation < 0.1


def test_without_history_nothing_is_filed(file, capsys):
    assert check(file(BOX + "[history]\nenabled = false\n")) == 0
    out = capsys.readouterr().out
    assert "  history  " not in out
    assert "  ftp  " not in out


def test_the_plan_as_json_has_the_same_facts(file, capsys):
    assert check(file(BOX), as_json=True) == 0
    found = json.loads(capsys.readouterr().out, object_hook=lambda fields: SimpleNamespace(**fields))
    assert found.base_interval_s == 10
    assert [line.name for line in found.lines] == ["native", "later"]
    assert found.lines[0].devices[0].reads[0].kept_s > 0
    assert [uplink.section for uplink in found.uplinks] == ["mqtt", "ftp"]
    assert "tr0ub4dor" not in str(found)


def test_a_check_starts_nothing_and_leaves_nothing(file, tmp_path):
    check(file(BOX))
    assert [each.name for each in tmp_path.iterdir()] == ["my.toml"]


def test_what_reads_are_made_is_not_known_before_a_device_has_shown_its_models(file, capsys):
    more = '[device.roof]\nline = "native"\nprofile = "sunspec/inverter-int"\naddress = 9\n'
    assert check(file(BOX + more)) == 0
    out = capsys.readouterr().out
    assert "    roof: sunspec/inverter-int, ID 9; read once its models are found\n" in out


def test_what_is_only_passed_through_to_is_said_not_to_be_read(file, capsys):
    more = '[device.engine]\nline = "native"\nprofile = "smartgen/passthrough"\naddress = 9\n'
    assert check(file(BOX + more)) == 0
    out = capsys.readouterr().out
    assert "    engine: smartgen/passthrough, ID 9; passed through to, not read\n" in out
