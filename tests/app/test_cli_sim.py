"""`ccmaster sim`, read by masters that we did not write: over a serial port and over TCP."""

import json
import subprocess
import sys
import tomllib
from contextlib import contextmanager

import pytest
from pymodbus.client import ModbusSerialClient, ModbusTcpClient
from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

from concentrator.app.launch import environment

SIM = [sys.executable, "-m", "concentrator.app.cli", "sim"]


class Simulation:
    def __init__(self, process):
        self.process = process
        self.ready = json.loads(process.stdout.readline())

    def says(self, unit):
        """What the simulated device says of itself, and the second before it."""
        self.process.stdin.write(f"show {self.ready['serials'][str(unit)]}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())["meter"]["values"]


@contextmanager
def simulation(*options):
    command = [*SIM, "--json", *options]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, text=True, env=environment()) as process:
        try:
            yield Simulation(process)
        finally:
            process.terminate()


ROWS = (
    # profile, function, address, pymodbus's type, word order, scale, name
    ("eastron/sdm630", "input", 0, "FLOAT32", "big", 1, "v1"),
    ("eastron/sdm630", "input", 72, "FLOAT32", "big", 1, "ea_imp"),
    ("carlo-gavazzi/em24-e1", "input", 0, "INT32", "little", 0.1, "v1"),
    ("goodwe/et", "holding", 35103, "UINT16", "big", 0.1, "dc_v1"),
    ("huawei/sun2000", "holding", 32106, "UINT32", "big", 0.01, "e_total"),
    ("victron/gx-system", "holding", 843, "UINT16", "big", 1, "soc"),
    ("sungrow/sg", "input", 5003, "UINT32", "little", 1, "e_total"),
)
"""Register places by the makers' documents; which of them a profile has is looked up by place."""


def read(client, unit, row):
    _, function, address, kind, order, scale, _ = row
    data_type = getattr(client.DATATYPE, kind)
    ask = client.read_input_registers if function == "input" else client.read_holding_registers
    answered = ask(address, count=data_type.value[1], device_id=unit)
    assert not answered.isError(), row
    return client.convert_from_registers(answered.registers, data_type, word_order=order) * scale


def close_to(value):
    """A second may pass between two looks."""
    return pytest.approx(value, rel=0.02, abs=0.6)


@pytest.mark.parametrize("way", ["serial", "tcp"])
def test_another_master_reads_what_the_devices_say(way, tmp_path):
    keys = sorted({row[0] for row in ROWS})
    units = {key: unit for unit, key in enumerate(keys, 11)}
    asked = [word for key in keys for word in ("--profile", f"{key}@{units[key]}")]
    where = ["--tcp", "0"] if way == "tcp" else ["--link", str(tmp_path / "port"), "--baudrate", "38400"]
    with simulation(*asked, *where) as sim:
        assert sim.ready["units"] == list(units.values())
        if way == "tcp":
            client = ModbusTcpClient(*sim.ready["tcp"][:1], port=sim.ready["tcp"][1])
        else:
            client = ModbusSerialClient(sim.ready["port"], baudrate=38400)
        with client:
            for row in ROWS:
                assert read(client, units[row[0]], row) == close_to(sim.says(units[row[0]])[row[-1]]), row
            refused = client.read_holding_registers(9, count=1, device_id=units["goodwe/et"])
            assert refused.exception_code == 2
            silent = client.read_holding_registers(9, count=1, device_id=99) if way == "tcp" else None
            assert silent is None or silent.exception_code == 11


def test_a_sunspec_device_is_read_by_the_alliances_own_client():
    with simulation("--profile", "sunspec/inverter-int@1", "--tcp", "0") as sim:
        host, port = sim.ready["tcp"]
        device = SunSpecModbusClientDeviceTCP(slave_id=1, ipaddr=host, ipport=port)
        device.scan()
        says = sim.says(1)
        (common,), (inverter,) = device.models[1], device.models[103]
        assert (common.SN.value, common.Mn.value) == (says["serial"], says["manufacturer"])
        assert inverter.PhVphA.cvalue == close_to(says["v1"])
        assert inverter.WH.cvalue / 1000 == close_to(says["e_total"])
        assert len(device.models[160][0].module) == 2
        device.close()


def test_people_get_a_configuration_that_reads_it():
    with subprocess.Popen([*SIM, "--profile", "goodwe/et", "--tcp", "0"], stdout=subprocess.PIPE, text=True) as process:
        lines = [process.stdout.readline() for _ in range(11)]
        process.terminate()
        assert process.wait(10) == 0
    told = tomllib.loads("".join(lines))
    assert told["device"]["sim247"]["profile"] == "goodwe/et"
    assert told["line"]["sim"]["endpoint"].startswith("tcp:127.0.0.1:")


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (["--profile", "goodwe/ex"], 2, "did you mean goodwe/et?"),
        (["--profile", "goodwe/et@1", "--profile", "sungrow/sg@1"], 1, "Modbus ID 1: found two devices, expected one"),
        (["--profile", "goodwe/et@300"], 2, "expected a profile's key"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(options, status, words):
    ended = subprocess.run([*SIM, *options], capture_output=True, text=True, timeout=60, env=environment())
    assert ended.returncode == status
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr
