"""A simulated line says who is there, to programs and to people, and answers over TCP whoever is asked for."""

import json
import tomllib

from concentrator.app.simulate_devices import simulated
from concentrator.app.simulate_line import tell
from concentrator.app.simulate_options import parser

NOW = 1_795_262_400.0
READ = bytes.fromhex("04 0000 0002")


def line(*words):
    return simulated(parser().parse_args(words), NOW)


def test_programs_are_told_who_has_which_id(capsys):
    made = line("--meters", "3", "--unlinked", "1", "--secondaries", "2")
    tell(True, made, port="/tmp/bus", terminal="/dev/pts/1", baudrate=9600)
    told = json.loads(capsys.readouterr().out)
    assert (told["port"], told["units"]) == ("/tmp/bus", [1, 2, 3])
    assert told["serials"] == {str(meter.unit): meter.serial for meter in made.meters[:3]}
    assert told["unlinked"] == [made.meters[3].serial]
    assert {unit: len(those) for unit, those in told["secondaries"].items()} == {"1": 2, "3": 2}
    assert set(told["profiles"].values()) == {"energycm/ccm"}


def test_people_are_told_what_to_put_into_a_configuration(capsys):
    made = line("--profile", "goodwe/et@7", "--profile", "eastron/sdm630@2")
    tell(False, made, tcp=("127.0.0.1", 1502))
    told = tomllib.loads(capsys.readouterr().out)
    assert told["line"]["sim"] == {"endpoint": "tcp:127.0.0.1:1502", "role": "external", "protocol": "modbus-tcp"}
    assert [device["address"] for device in told["device"].values()] == [2, 7]
    tell(False, line("--meters", "1"), port="/tmp/bus", terminal="/dev/pts/1", baudrate=19200)
    told = tomllib.loads(capsys.readouterr().out)["line"]["sim"]
    assert told == {"endpoint": "serial:/tmp/bus:baudrate=19200", "role": "native"}


def test_one_device_also_answers_as_the_device_itself():
    alone, two = line("--profile", "eastron/sdm630@5"), line("--profile", "eastron/sdm630@5-6")
    assert alone.answer(0, READ, NOW) == alone.answer(255, READ, NOW) == alone.answer(5, READ, NOW)
    assert alone.answer(6, READ, NOW) is None
    assert two.answer(6, READ, NOW) is not None
    assert two.answer(0, READ, NOW) is two.answer(255, READ, NOW) is None
