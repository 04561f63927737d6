from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from attrs import fields
from hypothesis import given
from hypothesis import strategies as st

from concentrator.app.config import LATER, SECTIONS, load, load_checked
from concentrator.app.setting import settings_of
from concentrator.model.device import Device
from concentrator.model.errors import ConfigError
from tests.support import profiles

PROFILES = ("energycm/ccm", "goodwe/et_eh")

CONTRACT = """
[box]
model = "PRO"
timezone = "Europe/Madrid"
state_dir = "/var/lib/ccmaster"
plugin_dirs = ["/etc/ccmaster/plugins"]
manual_defaults = false

[line.native]
endpoint = "serial:/dev/null:baudrate=9600"
role = "native"

[line.external]
endpoint = "serial:/dev/zero:baudrate=19200:parity=E"
role = "external"

[line.inverter]
endpoint = "tcp:192.168.4.20:502"
role = "external"
protocol = "modbus-tcp"

[device.main]
line = "native"
profile = "energycm/ccm"
address = 1
alias = "Main"
interval = "3 s"

[device.roof]
line = "inverter"
profile = "goodwe/et_eh"
address = 247
alias = "Roof inverter"
allow_write = false

[journal]
base_keep = "7 days"
max_size = "2 GiB"

[history]
enabled = true
latency = "5 min"
format = "csv"
keep = "2 years"

[mqtt]
enabled = true
broker = "own"
host = "mqtts://broker.example"
port = 8883
client_id = ""
user = ""
password = ""
tls = "ca"
keepalive = "60 s"
prefix_sub = "/ccm/srv"
prefix_pub = "/ccm/dev"
qos = 1
latency = "10 s"
protocol = "3.1.1"
allow = ["read"]

[ftp]
enabled = true
server = "ftp.example"
port = 21
directory = "/incoming"
user = ""
password = ""
tls = false
sending_latency = "1 h"
time_of_day = "00:05"

[web]
listen = "tcp:8080"
user = "admin"
"""


@pytest.fixture
def read(tmp_path):
    """Loads a text as a configuration file."""

    def load_text(text, profiles=PROFILES):
        file = tmp_path / "ccmaster.toml"
        file.write_text(text, encoding="utf-8")
        return load(file, profiles)

    return load_text


@pytest.fixture
def faults(read):
    """The faults of a text, each without the file's name."""

    def found(text, profiles=PROFILES):
        with pytest.raises(ConfigError) as error:
            read(text, profiles)
        assert {fault.file.rpartition("/")[2] for fault in error.value.faults} == {"ccmaster.toml"}
        return [str(fault).partition(": ")[2] for fault in error.value.faults]

    return found


NATIVE = '[line.native]\nendpoint = "serial:/dev/null"\n'


def device(uid, **keys):
    keys = {"line": "native", "profile": "energycm/ccm", "address": 1} | keys
    shown = {str: lambda v: f'"{v}"', bool: lambda v: str(v).lower(), int: str}
    return f"[device.{uid}]\n" + "".join(f"{key} = {shown[type(value)](value)}\n" for key, value in keys.items())


def test_the_file_of_the_contract_is_read_whole(read):
    config = read(CONTRACT)
    assert config.box.timezone == ZoneInfo("Europe/Madrid")
    assert list(config.lines) == ["native", "external", "inverter"]
    assert config.lines["external"].serial_address.framing == "19200 8E1"
    assert [line.protocol for line in config.lines.values()] == ["modbus-rtu", "modbus-rtu", "modbus-tcp"]
    assert config.devices["main"].device("main") == Device("main", "native", "energycm/ccm", 1, alias="Main")
    assert (config.journal.base_keep_s, config.journal.max_size_bytes) == (7 * 86400, 2 * 2**30)
    assert (config.history.latency_s, config.history.keep_s) == (300, 2 * 365 * 86400)
    mqtt = config.mqtt["mqtt"]
    assert (mqtt.hostname, mqtt.is_encrypted, mqtt.port, mqtt.keepalive_s) == ("broker.example", True, 8883, 60)
    assert (mqtt.latency_s, mqtt.allow) == (10, ("read",))
    assert (config.ftp.enabled, config.ftp.sending_latency_s, config.ftp.time_of_day_s) == (True, 3600, 300)
    assert config.base_interval_s == 10


def test_what_the_contract_shows_are_the_defaults(read, tmp_path):
    required = (
        '[line.native]\nendpoint = "serial:/dev/null:baudrate=9600"\n'
        '[device.main]\nline = "native"\nprofile = "energycm/ccm"\naddress = 1\nalias = "Main"\n'
        '[mqtt]\nhost = "mqtts://broker.example"\n[ftp]\nserver = "ftp.example"\n'
    )
    short, whole = read(required), read(CONTRACT)
    assert (short.box, short.journal, short.history, short.ftp) == (whole.box, whole.journal, whole.history, whole.ftp)
    assert (short.mqtt, short.web) == (whole.mqtt, whole.web)
    assert short.lines["native"] == whole.lines["native"]
    assert short.devices["main"] == whole.devices["main"]


def test_an_empty_file_is_a_box_that_keeps_its_defaults_and_sends_nowhere(read):
    config = read("")
    assert (config.lines, config.devices, config.mqtt, config.ftp.enabled) == ({}, {}, {}, False)
    assert config.history.enabled
    assert (config.base_interval_s, config.warnings) == (60, ())


def test_all_faults_come_in_one_run_in_the_files_order(faults):
    assert faults(
        NATIVE
        + device("a", profile="energycm/cmc", alais="Main")
        + device("b", interval="soon")
        + device("c", line="nativ", address=2)
        + '[mqtt]\nhost = "mqtts://b"\nport = "8883"\nprefix_sub = "ccm"\n[hisory]\n'
    ) == [
        "[device.a] alais: found an unknown key, expected a known key (did you mean alias?)",
        '[device.a] profile: found "energycm/cmc", expected a profile of the catalogue (did you mean energycm/ccm?)',
        '[device.b] interval: found "soon", expected a duration 0.1 s … 1 h',
        "[device.b] address: found 1, which [device.a] has on line native, expected an address of its own",
        '[device.c] line: found "nativ", expected one of native (did you mean native?)',
        '[mqtt] port: found "8883", expected a whole number 1 … 65535 (did you mean 8883?)',
        '[mqtt] prefix_sub: found "ccm", expected a topic that begins with / and ends without, free of + and #',
        "[hisory]: found an unknown section, expected a known section (did you mean history?)",
    ]


def test_a_fault_names_the_file_as_it_was_given(tmp_path, monkeypatch):
    (tmp_path / "my.toml").write_text("[box]\nmodel = 1\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as error:
        load(Path("my.toml"))
    assert str(error.value.faults[0]).startswith("my.toml: [box] model: found 1, expected one of ")


WRONG = [
    ('[box]\nmodel = "pro"', '[box] model: found "pro"', "PRO"),
    ('[box]\nserial = "42200800011"', '[box] serial: found "42200800011", expected ten digits', ""),
    ('[box]\ntimezone = "Europe/Madird"', '[box] timezone: found "Europe/Madird"', "Europe/Madrid"),
    ('[box]\ntimezone = "Europe"', '[box] timezone: found "Europe"', "Europe/Rome"),
    ('[box]\ntimezone = "../etc/passwd"', '[box] timezone: found "../etc/passwd"', ""),
    ('[box]\nplugin_dirs = "/x"', '[box] plugin_dirs: found "/x", expected a list, each item a path', ""),
    ('[box]\nmanual_defaults = "true"', '[box] manual_defaults: found "true", expected true or false', "true"),
    ("[box]\nmanual_defaults = 1", "[box] manual_defaults: found 1, expected true or false", ""),
    ("[box]\nmodel = 2026-11-21", "[box] model: found a date or time", ""),
    ("box = 3", "box: found 3, expected a section, [box]", ""),
    ("lines = 3", "lines: found an unknown section", "line"),
    ("[line]\nnative = 3", "[line] native: found 3, expected a section, [line.NAME]", ""),
    ('[line."a b"]\nendpoint = "tcp:x:1"', '[line]: found the name "a b", expected a name of letters', ""),
    ('[line.a]\nrole = "native"', "[line.a] endpoint: found nothing, expected a wire such as ", ""),
    ('[line.a]\nendpoint = "serial:/dev/x:parity=X"', '[line.a] endpoint: found "serial:/dev/x:parity=X"', ""),
    ('[line.a]\nendpoint = "serial:/dev/x:baud=9600"', '[line.a] endpoint: found "serial:/dev/x:baud=9600"', ""),
    ('[line.a]\nendpoint = "serial:"', '[line.a] endpoint: found "serial:", expected serial:PATH', ""),
    ('[line.a]\nendpoint = "tcp:host"', '[line.a] endpoint: found "tcp:host", expected tcp:HOST:PORT', ""),
    ('[line.a]\nendpoint = "tcp:host:0"', '[line.a] endpoint: found "tcp:host:0", expected tcp:HOST:PORT', ""),
    ('[line.a]\nendpoint = "tcp:host:502:tmeout=3"', '[line.a] endpoint: found "tcp:host:502:tmeout=3"', ""),
    ('[line.a]\nendpoint = "tpc:host:502"', '[line.a] endpoint: found "tpc:host:502", expected a wire such as', ""),
    ('[line.a]\nendpoint = "tcp:x:1"\nrole = "nativ"', '[line.a] role: found "nativ"', "native"),
    ('[line.a]\nendpoint = "tcp:x:1"\nrole = "meter"', '[line.a] role: found "meter", expected one of native, ', ""),
    ('[line.a]\nendpoint = "tcp:x:1"\nprotocol = "dlms"', '[line.a] protocol: found "dlms", expected one of ', ""),
    (
        '[line.a]\nendpoint = "serial:/dev/null"\nprotocol = "modbus-tcp"',
        '[line.a] endpoint: found "serial:/dev/null", expected tcp:HOST:PORT, for the protocol is modbus-tcp',
        "",
    ),
    (
        '[line.a]\nendpoint = "tcp:x:502"\n[line.b]\nendpoint = "tcp:x:502:timeout=3"',
        '[line.b] endpoint: found "tcp:x:502", which [line.a] has, expected an address of its own',
        "",
    ),
    (
        NATIVE + '[line.b]\nendpoint = "serial:/dev/null:baudrate=19200"',
        '[line.b] endpoint: found "/dev/null", which [line.native] has, expected a port of its own',
        "",
    ),
    (NATIVE + device("a", address=0), "[device.a] address: found 0, expected a whole number 1 … 247", ""),
    (NATIVE + device("a", address=248), "[device.a] address: found 248", ""),
    (NATIVE + device("a", address=247), "[device.a] address: found 247, expected a whole number 1 … 246 on a nat", ""),
    (NATIVE + device("a", address=True), "[device.a] address: found true", ""),
    (NATIVE + "[device.a]\naddress = 1.0\n", "[device.a] address: found 1.0", ""),
    (NATIVE + '[device.a]\nline = "native"\n', "[device.a] profile: found nothing", ""),
    (NATIVE + device("a", profile="et_eh"), '[device.a] profile: found "et_eh"', "goodwe/et_eh"),
    (NATIVE + device("a", serial="a/b"), '[device.a] serial: found "a/b", expected letters, digits', ""),
    (NATIVE + device("a", secondary=0), "[device.a] secondary: found 0", ""),
    (NATIVE + device("a", interval=3), "[device.a] interval: found 3", '"3 s"'),
    (NATIVE + device("a", alias="a\\nb"), '[device.a] alias: found "a\\nb", expected a text on one line', ""),
    (
        NATIVE + device("a", serial="7") + device("b", address=2, serial="7"),
        '[device.b] serial: found "7", which [device.a] has, expected a serial of its own',
        "",
    ),
    (
        NATIVE + device("a", secondary=1) + device("b", secondary=1),
        "[device.b] address: found 1 (secondary 1), which [device.a] has on line native",
        "",
    ),
    (device("a", line="x"), '[device.a] line: found "x", expected a section [line.NAME]', ""),
    (
        '[line.s]\nendpoint = "tcp:x:1"\nrole = "spare"\n' + device("a", line="s"),
        '[device.a] line: found "s", expected a line that is read',
        "",
    ),
    ('[journal]\nmax_size = "2 GB"', '[journal] max_size: found "2 GB", expected a size 16 MiB … 1 TiB', ""),
    ("[journal]\nmax_size = 2048", "[journal] max_size: found 2048", ""),
    ('[journal]\nbase_keep = "1 s"', '[journal] base_keep: found "1 s"', ""),
    ('[history]\nlatency = "7 min"', '[history] latency: found "7 min", expected a duration 10 s … 1 h that div', ""),
    ('[history]\nlatency = "5 s"', '[history] latency: found "5 s"', ""),
    ('[history]\nlatency = "2 h"', '[history] latency: found "2 h"', ""),
    ('[history]\nlatency = "10.5 s"', '[history] latency: found "10.5 s"', ""),
    (
        '[history]\nlatency = "90 s"',
        '[history] latency: found "90 s", expected a multiple of the base interval, 1 ',
        "",
    ),
    ('[history]\nformat = "CSV"', '[history] format: found "CSV"', "csv"),
    ("[mqtt]\nqos = 1", "[mqtt] host: found nothing, expected the broker", ""),
    ('[mqtt]\nhost = "broker"', '[mqtt] host: found "broker", expected mqtt://HOST', ""),
    ('[mqtt]\nhost = "mqtt://b:1883"', '[mqtt] host: found "mqtt://b:1883"', "mqtt://b"),
    ('[mqtt]\nhost = "mqtt://b:x"', '[mqtt] host: found "mqtt://b:x"', ""),
    ('[mqtt]\nhost = "mqtt://b"\nqos = 3', "[mqtt] qos: found 3, expected one of 0, 1, 2", ""),
    ('[mqtt]\nhost = "mqtt://b"\nlatency = "20 s"', '[mqtt] latency: found "20 s", expected one of 10 s, 1 min', ""),
    ('[mqtt]\nhost = "mqtt://b"\nprotocol = 5', "[mqtt] protocol: found 5", ""),
    ('[mqtt]\nhost = "mqtt://b"\nallow = ["wirte"]', '[mqtt] allow: found ["wirte"]', "write"),
    ('[mqtt]\nhost = "mqtt://b"\nkeepalive = "19 h"', '[mqtt] keepalive: found "19 h"', ""),
    (
        '[mqtt]\nbroker = "default"',
        '[mqtt] broker: found "default", expected "own", for this box was given no default broker: ',
        "",
    ),
    ('[mqtt]\nhost = "mqtts://b"\nclient_key_file = "k"', "[mqtt] client_cert_file: found nothing, expected the", ""),
    ('[mqtt]\nhost = "mqtt://b"\nmonthly_cap = 50', "[mqtt] monthly_cap: found 50, expected a size", ""),
    ('[mqtt]\nhost = "mqtts://b"\ntls = "self-signed"', "[mqtt] cert_file: found nothing", ""),
    ('[mqtt]\nhost = "mqtt://b"\nprefix_pub = "/a/"', '[mqtt] prefix_pub: found "/a/"', ""),
    ('[mqtt]\nhost = "mqtt://b"\nprefix_pub = "/a/+/b"', '[mqtt] prefix_pub: found "/a/+/b"', ""),
    ('[mqtt]\nhost = "mqtt://b"\nprefix_pub = "/ccm/srv"', '[mqtt] prefix_pub: found "/ccm/srv", expected anoth', ""),
    ('[mqtt]\nhost = "mqtt://b"\nprefix_pub = "/ccm"', '[mqtt] prefix_pub: found "/ccm", expected a prefix that', ""),
    ('[mqtt]\nhost = "mqtt://b"\nprefix_pub = "/ccm/srv/x"', '[mqtt] prefix_pub: found "/ccm/srv/x", expected a', ""),
    ('[mqtt.b]\nhost = "mqtt://b"\nprot = 1', "[mqtt.b] prot: found an unknown key", "port"),
    ('[mqtt."a b"]\nhost = "mqtt://b"', '[mqtt]: found the name "a b"', ""),
    (
        '[mqtt]\nhost = "mqtt://b"\npassword = "a"\npassword_file = "b"',
        "[mqtt] password_file: found password as well, expected one of the two",
        "",
    ),
    (
        '[ftp]\nserver = "f"\npassword_file = "/nowhere"',
        '[ftp] password_file: found "/nowhere" (no such file or directory), expected a file that can be read',
        "",
    ),
    ("[ftp]\nport = 21", "[ftp] server: found nothing, expected the server's name", ""),
    ('[ftp]\nserver = "ftp://x"', '[ftp] server: found "ftp://x", expected a host name or address', ""),
    ('[ftp]\nserver = "f"\ntime_of_day = "24:00"', '[ftp] time_of_day: found "24:00", expected a time of day', ""),
    ('[ftp]\nserver = "f"\nsending_latency = "7 min"', '[ftp] sending_latency: found "7 min", expected a durat', ""),
    ('[ftp]\nserver = "f"\nsending_latency = "20 s"', '[ftp] sending_latency: found "20 s", expected a duration', ""),
    (
        '[ftp]\nserver = "f"\nsending_latency = "1 min"',
        '[ftp] sending_latency: found "1 min", expected a multiple of history\'s latency, 5 min',
        "",
    ),
    ('[web]\nlisten = "ssl:443"', '[web] listen: found "ssl:443", expected "tcp:PORT" or "tcp:PORT:interface=', ""),
    ('[web]\nlisten = "tcp:80:interface=eth0"', '[web] listen: found "tcp:80:interface=eth0"', ""),
    ('[web]\nlisten = ["tcp:80", 81]', '[web] listen: found ["tcp:80", 81]', ""),
    ('[web]\nrules = ["api basic"]', '[web] rules: found ["api basic"], expected a list, each item "/URI TYPE', ""),
    ('[web]\ntls = ["1.1"]', '[web] tls: found ["1.1"], expected a list, each item one of "1.2", "1.3"', "1.3"),
    ("[web]\ntls = []", '[web] tls: found none, expected a list of "1.2", "1.3" or both', ""),
    ("[web]\nredirect = true", "[web] redirect: found true, expected false, or an address in https", ""),
    ('[web]\nrules = ["/ ssl"]', '[web] rules: found "/ ssl", expected a rule without ssl, or an address in https', ""),
    ('[web]\nlog_format = "%z"', '[web] log_format: found "%z", expected directives that there are, not %z', ""),
    ('[web]\nmax_bytes = "2 B"', '[web] max_bytes: found "2 B", expected a size 1 KiB', ""),
    ('[web]\nuser = ""', '[web] user: found "", expected a name', ""),
]


@pytest.mark.parametrize(("text", "sentence", "hint"), WRONG, ids=range(len(WRONG)))
def test_a_wrong_value_is_one_clear_sentence(faults, text, sentence, hint):
    (found,) = [each for each in faults(text) if each.startswith(sentence)]
    assert found.endswith(f" (did you mean {hint}?)") if hint else "did you mean" not in found


def test_latencies_that_no_base_interval_divides_are_refused(faults):
    assert faults('[history]\nlatency = "15 s"\n[mqtt]\nhost = "mqtt://b"\nlatency = "10 s"') == [
        '[history] latency: found "15 s", expected a multiple of the base interval, 10 s (the smallest latency, '
        "at most 1 min)"
    ]


def test_the_native_bus_takes_id_1_and_thirty_two_besides(read, faults):
    devices = [device(f"d{n}", address=n) for n in range(1, 35)]
    assert len(read(NATIVE + "".join(devices[:33])).devices) == 33
    assert faults(NATIVE + "".join(devices)) == [
        "[line.native]: found 33 devices besides the one with ID 1, expected at most 32 on a native line"
    ]


def test_secondaries_share_their_principals_address_and_do_not_fill_the_bus(read):
    principals = [device(f"p{n}", address=n) for n in range(1, 34)]
    secondaries = [device(f"s{n}", address=2, secondary=n) for n in (1, 2)]
    config = read(NATIVE + "".join(principals + secondaries))
    assert [config.devices[uid].device(uid).secondary for uid in ("p2", "s1", "s2")] == [None, 1, 2]
    assert not [warning for warning in config.warnings if "secondary" in warning]


def test_a_secondary_has_its_principals_profile(faults):
    text = NATIVE + device("p", address=2) + device("s", address=2, secondary=1, profile="goodwe/et_eh")
    assert faults(text) == [
        '[device.s] profile: found "goodwe/et_eh", expected "energycm/ccm", the profile of its principal [device.p]'
    ]


def test_a_secondary_without_its_principal_is_read_and_remarked(read):
    config = read(NATIVE + device("s", address=2, secondary=1))
    assert config.warnings[-1].endswith("[device.s] secondary: its principal, ID 2 on line native, is not configured")


def test_only_a_profile_that_knows_of_secondaries_has_any(tmp_path):
    folder = tmp_path / "plugins" / "acme"
    folder.mkdir(parents=True)
    (folder / "m1.toml").write_text(profiles.text([profiles.variable()]), encoding="utf-8")
    file = tmp_path / "ccmaster.toml"
    devices = device("s", address=2, secondary=3, profile="acme/m1") + device("p", secondary=1)
    file.write_text(f'[box]\nplugin_dirs = ["{tmp_path}/plugins"]\n{NATIVE}{devices}', encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        load_checked(file)
    assert [str(fault).partition(": ")[2] for fault in error.value.faults] == [
        "[device.s] secondary: found 3, expected none, for devices of acme/m1 have no secondaries"
    ]


def test_a_profile_whose_registers_nobody_can_find_cannot_be_polled(tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own/odd.toml").write_text(profiles.text([profiles.variable()], {"dialect": "morse"}))
    file = tmp_path / "ccmaster.toml"
    own = f'[box]\nplugin_dirs = ["{tmp_path}"]\n\n'
    file.write_text(own + NATIVE + device("s", address=2, profile="own/odd"), encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        load_checked(file)
    assert [str(fault).partition(": ")[2] for fault in error.value.faults] == [
        '[device.s] profile: found "own/odd", expected a profile whose dialect is modbus or sunspec; '
        "this one's is morse"
    ]


def test_a_profile_whose_registers_are_found_by_walking_models_can_be_polled(tmp_path):
    file = tmp_path / "ccmaster.toml"
    file.write_text(NATIVE + device("s", address=2, profile="sunspec/inverter-int"), encoding="utf-8")
    config, catalogue = load_checked(file)
    assert catalogue.get(config.devices["s"].profile).dialect == "sunspec"


def test_text_that_is_no_toml_is_one_fault(faults):
    assert faults("[box\n") == [
        "found expected ']' at the end of a table declaration (at line 1, column 5), expected valid TOML"
    ]


def test_bytes_that_are_no_text_are_one_fault(tmp_path):
    (tmp_path / "x.toml").write_bytes(b'[box]\nmodel = "\xff"')
    with pytest.raises(ConfigError, match="found a byte at 15 that is no UTF-8, expected TOML text"):
        load(tmp_path / "x.toml")


def test_a_file_that_is_not_there_is_one_fault(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.toml: found no such file or directory, expected a file that can be"):
        load(tmp_path / "none.toml")


SECRET = "tr0ub4dor"


@pytest.mark.parametrize(
    "text",
    [
        f'[mqtt]\nhost = "mqtt://b"\npassword = ["{SECRET}"]',
        f'[mqtt]\nhost = "mqtts://me:{SECRET}@b"',
        f'[mqtt]\nhost = "mqtt://b"\npasword = "{SECRET}"',
        f'[ftp]\nserver = "f"\npassword = "{SECRET}\\n"',
        f'[ftp]\nserver = "ftp://me:{SECRET}@f"',
        f'[ftp]\nserver = "f"\npassword = "{SECRET}"\npassword_file = "x"',
    ],
)
def test_no_fault_shows_a_secret(read, text):
    with pytest.raises(ConfigError) as error:
        read(text)
    assert SECRET not in str(error.value)


def test_no_repr_shows_a_secret(read):
    config = read(f'[mqtt]\nhost = "mqtt://b"\npassword = "{SECRET}"\n[ftp]\nserver = "f"\npassword = "{SECRET}"')
    assert (config.mqtt["mqtt"].password, config.ftp.password) == (SECRET, SECRET)
    assert SECRET not in repr(config)


def test_a_password_may_be_in_a_file_of_its_own(read, tmp_path):
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    assert read('[mqtt]\nhost = "mqtt://b"\npassword_file = "secret"').mqtt["mqtt"].password == SECRET


def test_relative_paths_start_at_the_files_folder(read, tmp_path):
    box = read('[box]\nstate_dir = "state"\nplugin_dirs = ["more", "/abs"]').box
    assert (box.state_dir, box.plugin_dirs) == (tmp_path / "state", (tmp_path / "more", Path("/abs")))


def test_further_uplinks_have_names_and_defaults_of_their_own(read):
    config = read('[mqtt]\nhost = "mqtt://a"\n[mqtt.cloud]\nhost = "mqtts://c"\nlatency = "15 min"')
    assert list(config.mqtt) == ["mqtt", "mqtt.cloud"]
    assert [each.port for each in config.mqtt.values()] == [1883, 8883]
    assert config.latencies_s == {"history": 300, "mqtt": 10, "mqtt.cloud": 900}


def test_a_named_uplink_needs_no_unnamed_one(read):
    assert list(read('[mqtt.cloud]\nhost = "mqtts://c"').mqtt) == ["mqtt.cloud"]


def test_an_uplink_that_is_off_needs_no_broker_and_counts_for_no_interval(read):
    config = read("[mqtt]\nenabled = false")
    assert (config.mqtt["mqtt"].enabled, config.base_interval_s) == (False, 60)


def test_sections_of_later_versions_are_left_out_with_a_warning(read):
    config = read("".join(f"[{name}.x]\nanything = 1\n" for name in LATER))
    assert [warning.partition(": ")[2] for warning in config.warnings] == [
        f"[{name}] is for a later version and is left out" for name in LATER
    ]


def test_a_port_that_is_absent_is_a_warning(read):
    (warning,) = read('[line.native]\nendpoint = "serial:/dev/not-there"').warnings
    assert warning.endswith("[line.native] endpoint: /dev/not-there is not there now; the line waits for it")


def test_a_name_that_another_adapter_may_get_is_a_warning_with_the_lasting_one(read, tmp_path, monkeypatch):
    text = '[line.native]\nendpoint = "serial:/dev/ttyUSB77"'
    assert read(text).warnings[1].endswith("replugging; /dev/serial/by-id/… stays it")
    (tmp_path / "usb-FTDI-if00-port0").symlink_to("/dev/ttyUSB77")
    monkeypatch.setattr("concentrator.app.config._BY_ID", tmp_path)
    assert read(text).warnings[1].endswith(f"replugging; {tmp_path}/usb-FTDI-if00-port0 stays it")


def test_eleven_native_meters_on_the_network_are_one_too_many(read):
    def meters(count):
        lines = "".join(
            f'[line.w{n}]\nendpoint = "tcp:10.0.0.{n}:502"\nprotocol = "modbus-tcp"\n'
            f'[device.d{n}]\nline = "w{n}"\nprofile = "energycm/ccm"\naddress = 1\n'
            for n in range(1, count + 1)
        )
        return lines

    assert len(read(meters(10)).devices) == 10
    with pytest.raises(ConfigError) as raised:
        read(meters(11))
    (fault,) = raised.value.faults
    assert str(fault).endswith(
        '[device.d11] line: found "w11", with 11 native meters on the network in all, '
        "expected at most 10 native meters on the network"
    )


def test_history_that_is_off_stops_files_with_a_warning(read):
    config = read('[history]\nenabled = false\n[ftp]\nserver = "f"')
    assert not config.ftp.enabled
    assert config.warnings[0].endswith("[ftp] sends nothing while [history] is off")


@pytest.mark.parametrize(
    ("listen", "served"),
    [
        ('"tcp:8080"', ("tcp:8080",)),
        ('["tcp:80", "tcp:443:interface=\\\\:\\\\:1"]', ("tcp:80", r"tcp:443:interface=\:\:1")),
        ("[]", ()),
    ],
)
def test_the_portal_is_served_where_it_is_written(read, listen, served):
    config = read(f"[web]\nlisten = {listen}")
    assert config.web.listen == served
    assert config.warnings == ()


def test_any_endpoint_of_twisted_will_do(read):
    config = read('[line.a]\nendpoint = "unix:/run/converter.sock"')
    assert config.lines["a"].serial_address is None


def test_every_setting_says_what_it_means():
    for section in SECTIONS.values():
        assert section.__doc__
        for setting in settings_of(section):
            assert setting.meaning.endswith("."), setting


def test_every_secret_stays_out_of_reprs():
    for section in SECTIONS.values():
        for attribute, setting in zip(fields(section), settings_of(section), strict=True):
            assert attribute.repr is not setting.is_secret
            assert setting.is_secret == (setting.key in ("password", "pin"))


KEYS = [(name, setting.key) for name, section in SECTIONS.items() for setting in settings_of(section)]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.sampled_from(KEYS), VALUES)
def test_any_value_is_read_or_refused_with_its_rule(place, raw):
    name, key = place
    setting = next(each for each in settings_of(SECTIONS[name]) if each.key == key)
    try:
        setting.rule.read(raw)
    except ValueError as error:
        assert type(error).__name__ == "Mismatch"
