"""The demo's configuration file is one that the program accepts, wherever the demo plays."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve

from concentrator.app.config import load_checked
from concentrator.app.demo_config import MARK, Stage, config_text


def stage(folder: Path, meters: int = 8) -> Stage:
    folder.mkdir(parents=True, exist_ok=True)
    made = Stage(folder, mqtt_port=11, ftp_port=12, http_port=13, meters=meters, ftp_password='pass "word" \\ 1')
    made.config.write_text(config_text(made))
    return made


@pytest.mark.parametrize("meters", [1, 8, 33])
def test_it_has_no_faults(tmp_path: Path, meters: int) -> None:
    config, _ = load_checked(stage(tmp_path, meters).config)
    native = [device.address for device in config.devices.values() if device.line == "native"]
    assert native == list(range(1, meters + 1))
    assert {uid for uid, device in config.devices.items() if device.line == "external"} == {"inverter", "analyser"}
    assert len({device.alias for device in config.devices.values()}) == meters + 2


def test_a_genset_has_its_line_its_cloud_and_may_be_commanded(tmp_path: Path) -> None:
    made = evolve(stage(tmp_path), cloud_port=14)
    made.config.write_text(config_text(made))
    config, catalogue = load_checked(made.config)
    genset = config.devices["genset"]
    assert catalogue.get(genset.profile).type == "genset"
    assert genset.model in catalogue.get(genset.profile).settings["verified_models"]
    assert (genset.allow_commands, genset.allow_raw) == (True, True)
    assert config.services["smartgen"]["genset"].place == ("127.0.0.1", 14)
    address = config.lines["genset"].serial_address
    assert address is not None and address.path == str(tmp_path / "genset")
    assert "genset" not in load_checked(stage(tmp_path / "other").config)[0].devices


def test_it_leads_to_the_stage(tmp_path: Path) -> None:
    config, _ = load_checked(stage(tmp_path).config)
    assert config.box.state_dir == tmp_path / "state"
    assert (config.mqtt["mqtt"].hostname, config.mqtt["mqtt"].port) == ("127.0.0.1", 11)
    assert (config.ftp.server, config.ftp.port, config.ftp.password) == ("127.0.0.1", 12, 'pass "word" \\ 1')
    assert config.web.listen == ("tcp:13:interface=127.0.0.1",)
    assert (config.history.latency_s, config.mqtt["mqtt"].latency_s, config.ftp.sending_latency_s) == (10, 10, 30)


def test_a_folder_may_have_any_name(tmp_path: Path) -> None:
    odd = tmp_path / 'a "folder": with=odd, größe'
    config, _ = load_checked(stage(odd).config)
    for line, name in (("native", "bus"), ("external", "external")):
        address = config.lines[line].serial_address
        assert address is not None
        assert address.path == str(odd / name)
    assert config.box.state_dir == odd / "state"


def test_it_is_marked_as_the_demos_own_and_explains_itself(tmp_path: Path) -> None:
    lines = stage(tmp_path).config.read_text().splitlines()
    assert lines[0] == MARK
    assert sum(line.startswith("#") for line in lines) > 10


def test_the_password_is_in_no_repr(tmp_path: Path) -> None:
    assert "pass" not in repr(stage(tmp_path / "here")).replace(str(tmp_path), "")
