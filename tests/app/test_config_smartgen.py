"""concentrator.app.config_smartgen: the parameters of the cloud modem's Form 1 as keys, their ranges and defaults."""

import pytest

from concentrator.app.config_smartgen import SmartgenSection
from concentrator.app.setting import settings_of

BOX = """
[line.a]
endpoint = "serial:/dev/null"
role = "external"

[line.b]
endpoint = "serial:/dev/ttyS9"
role = "mbus"

[device.gen]
line = "a"
profile = "energycm/ccm"
address = 1

[device.heat]
line = "b"
profile = "mbus/generic"
address = 1
"""
SECTION = BOX + '[smartgen.one]\ndevice = "gen"\n'

FORM_1 = {
    "server": (
        "tcp:cm.smartgen.com.cn:81",
        ["tcp:10.0.0.1:1", "tls:own.example:443"],
        ["cm.smartgen.com.cn", "tcp:a:0"],
    ),
    "password": ("123456", ["", "a" * 20], ["a" * 21, 123456]),
    "auto_port": (True, [False], [1, "on"]),
    "port": ("rs485", ["disabled", "link", "rs232", "usb"], ["RS485", 2]),
    "baudrate": (None, [9600, 19200, 115200], [57600, "9600"]),
    "location": ("off", ["manual", "gps"], ["on", 1]),
    "longitude": (0.0, [-180, 180, 113.5], [-180.1, 181, "113"]),
    "latitude": (0.0, [-90, 90], [90.1, True]),
    "altitude": (100.0, [-9999.9, 9999.9], [10000]),
    "model": ("", ["HGM6120", "AMF25 II"], ["a" * 31]),
    "site": ("", ["机组" * 10], ["机" * 21, "a\nb"]),
    "name": ("", ["a" * 20], ["a" * 21]),
    "staff": ("", ["a" * 20], ["a" * 21]),
    "telephone": ("", ["86-371-67988888"], ["1" * 21]),
    "installed": ("", ["2026-11-21"], ["a" * 21]),
    "history_interval": (0.0, ["0 s", "3600 s", "1 h"], ["3601 s", 60]),
    "time_zone": (8, [-12, 12, 0], [-13, 13, 5.5]),
    "live_interval": (5.0, ["1 s", "20 s"], ["0.5 s", "21 s", 5]),
    "module_type": (None, [0, 5], [6, -1]),
    "rated_speed": (1500, [0, 6000], [6001]),
    "ac_supply": ("3P4W", ["3P3W", "2P3W", "1P2W"], ["3p4w", 0]),
    "rated_voltage": (230, [30, 30000], [29, 30001]),
    "rated_frequency": (50, [10, 600], [9, 601]),
    "rated_current": (500, [5, 6000], [4, 6001]),
    "rated_power": (276, [0, 6000], [6001]),
    **{f"description{n}": ("", ["a" * 20], ["a" * 21]) for n in range(1, 6)},
}


def said(value):
    return {True: "true", False: "false"}.get(value) if isinstance(value, bool) else repr(value).replace("'", '"')


@pytest.mark.parametrize("key", FORM_1)
def test_each_parameter_of_form_1_has_its_range_and_its_factory_setting(config, faults, key):
    default, fitting, wrong = FORM_1[key]
    setting = next(each for each in settings_of(SmartgenSection) if each.key == key)
    assert getattr(config(SECTION).services["smartgen"]["one"], setting.attribute) == default
    for value in fitting:
        read = getattr(config(f"{SECTION}{key} = {said(value)}\n").services["smartgen"]["one"], setting.attribute)
        assert read == value or isinstance(value, str)
    for value in wrong:
        raw = '"a\\nb"' if value == "a\nb" else said(value)
        (fault,) = faults(f"{SECTION}{key} = {raw}\n")
        assert fault.startswith(f"[smartgen.one] {key}: ")


def test_all_keys_are_of_form_1_or_named_here():
    ours = {"device", "enabled", "ca_file", "compress", "hostid", "coordinates", "allow_rewire", "set_clock"}
    ours |= {f"{port}_line" for port in ("link", "rs485", "rs232", "usb")}
    assert {each.key for each in settings_of(SmartgenSection)} == ours | set(FORM_1)


@pytest.mark.parametrize(
    ("server", "place"),
    [
        ("tcp:cm.example:8181", ("cm.example", 8181)),
        ("tls:cm.example", ("cm.example", 81)),
        ("tcp:[2001:db8::1]:82", ("2001:db8::1", 82)),
        ("tcp:[2001:db8::1]", ("2001:db8::1", 81)),
    ],
)
def test_a_server_is_a_host_and_a_port(server, place):
    section = SmartgenSection("gen", server=server)
    assert section.place == place
    assert section.is_encrypted is server.startswith("tls:")


def test_the_kind_follows_the_model_unless_it_is_said():
    assert SmartgenSection("gen").kind("HGM9520") == 3
    assert SmartgenSection("gen", module_type=5).kind("HGM9520") == 5


def test_a_session_has_a_controller_of_its_own_on_a_modbus_line(faults):
    (missing,) = faults(BOX + '[smartgen.one]\ndevice = "gem"\n')
    assert "did you mean gen?" in missing
    (kind,) = faults(BOX + '[smartgen.one]\ndevice = "heat"\n')
    assert kind == '[smartgen.one] device: found "heat", on line b, expected a device on a line that speaks Modbus'
    twice = faults(SECTION + '[smartgen.two]\ndevice = "gen"\nhostid = "A"\n')
    assert twice == ['[smartgen.two] device: found "gen", which [smartgen.one] has, expected a device of its own']


def test_two_sessions_may_share_a_device_where_one_is_off(config):
    config(SECTION + '[smartgen.two]\ndevice = "gen"\nenabled = false\n')


def test_ids_are_of_one_session_each(faults):
    more = '\n[device.two]\nline = "a"\nprofile = "energycm/ccm"\naddress = 2\n'
    more += '[smartgen.two]\ndevice = "two"\nhostid = "A"\n'
    (fault,) = faults(SECTION + 'hostid = "A"\n' + more)
    assert fault == '[smartgen.two] hostid: found "A", which [smartgen.one] has, expected a hostid of its own'


def test_the_lines_behind_the_ports_speak_modbus(faults, config):
    assert config(SECTION + 'link_line = "a"\n').services["smartgen"]["one"].lines == {1: "a"}
    assert "expected a line that is read and speaks Modbus" in faults(SECTION + 'link_line = "b"\n')[0]
    assert "expected one of a (did you mean a?)" in faults(SECTION + 'usb_line = "c"\n')[0] or faults(
        SECTION + 'usb_line = "c"\n'
    )[0].endswith("expected one of a")


def test_the_line_of_its_own_port_is_the_devices(faults, config):
    other = '[line.c]\nendpoint = "serial:/dev/ttyS8"\nrole = "external"\n'
    assert config(SECTION + 'rs485_line = "a"\nusb_line = "c"\n' + other).services["smartgen"]["one"].lines[2] == "a"
    (fault,) = faults(SECTION + 'rs485_line = "c"\n' + other)
    assert fault.startswith('[smartgen.one] rs485_line: found "c", expected a, the line of ')
    assert config(SECTION + 'port = "disabled"\nrs485_line = "c"\n' + other)


def test_what_may_not_be_meant_is_a_warning(config):
    warnings = config(SECTION + 'model = "HGM6121"\nca_file = "ca.pem"\n').warnings
    assert [each.partition("] ")[2].partition(":")[0] for each in warnings if "smartgen" in each] == [
        "ca_file",
        "model",
    ]
    assert any("did you mean HGM6120?" in each for each in warnings)
