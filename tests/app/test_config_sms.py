"""Short messages in the configuration file."""

import pytest

from concentrator.app.config_sms import ITEMS

GENSET = '[line.gens]\nendpoint = "tcp:10.0.0.9:502"\nrole = "external"\n'
GENSET += '[device.gen]\nline = "gens"\nprofile = "smartgen/hgm6100n"\naddress = 1\n'
AT = 'driver = "at"\nendpoint = "serial:/dev/ttyUSB2:baudrate=115200"\n'


def section(text="", name="main"):
    return f"[sms.{name}]\n{text}"


def test_the_defaults_are_careful(config):
    found = config(section()).services["sms"]["main"]
    assert (found.enabled, found.driver, found.modem, found.endpoint) == (True, "modemmanager", "any", None)
    assert (found.numbers, found.device, found.detail) == ((), "", ITEMS)
    assert (found.alarms, found.warnings, found.cleared, found.orders) == (True, False, False, True)
    assert (found.most_per_hour, found.alphabet, found.delivery_reports) == (20, "gsm", True)
    assert found.told() == "ModemManager's modem any: alarms, 0 telephones"


def test_what_is_written_is_what_there_is(config):
    text = AT + 'numbers = ["861366666666", "4366412345678"]\ndevice = "gen"\ndetail = ["mode", "alarm"]\n'
    found = config(GENSET + section(text)).services["sms"]["main"]
    assert found.numbers == ("861366666666", "4366412345678")
    assert found.detail == ("mode", "alarm")
    assert found.told() == "serial:/dev/ttyUSB2:baudrate=115200: alarms, orders for gen, 2 telephones"


def test_a_section_that_is_off_does_nothing_and_asks_for_nothing(config):
    found = config(section('enabled = false\ndriver = "at"\n')).services["sms"]["main"]
    assert found.told() == ""


def test_two_modems_can_be_there(config):
    both = section(AT) + section(AT.replace("USB2", "USB3"), "second") + section('modem = "0"\n', "third")
    assert list(config(both).services["sms"]) == ["main", "second", "third"]


FIVE = ", ".join(f'"86136666666{number}"' for number in range(6))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (section('driver = "at"\n'), "endpoint: found nothing, expected the modem's port, for its driver is at"),
        (section(f"numbers = [{FIVE}]\n"), "expected at most 5 different telephone numbers"),
        (section('numbers = ["861366666666", "861366666666"]\n'), "expected at most 5 different telephone numbers"),
        (section('numbers = ["+861366666666"]\n'), "with its country code and without plus"),
        (section('numbers = ["0136666666"]\n'), "with its country code and without plus"),
        (section('detail = ["mode", "colour"]\n'), "detail: "),
        (section('device = "gne"\n') + GENSET, 'found "gne", expected one of gen (did you mean gen?)'),
        (section('device = "gen"\n'), "expected a section [device.KEY]"),
        (section('modem = "first"\n'), 'expected the number of a modem, or "any"'),
        (section() + section("", "second"), "[sms.main] may have, expected a modem of its own"),
        (section('modem = "1"\n') + section("", "second"), "[sms.main] may have"),
        (section('modem = "1"\n') + section('modem = "1"\n', "second"), 'found "1", which [sms.main] may have'),
        (section(AT) + section(AT, "second"), 'found "/dev/ttyUSB2", which [sms.main] has'),
        (
            section(AT.replace("serial:/dev/ttyUSB2:baudrate=115200", "tcp:10.0.0.9:502")) + GENSET,
            'found "tcp:10.0.0.9:502", which [line.gens] has',
        ),
        (section("most_per_hour = 0\n"), "a whole number 1 … 200"),
    ],
)
def test_faults_are_told(faults, text, fault):
    (found,) = faults(text)
    assert fault in found
