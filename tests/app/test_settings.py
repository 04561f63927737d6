"""concentrator.app.settings: all or nothing, in the file and in the box; and who may change what."""

import tomllib

import pytest

from concentrator.actions.table import Caller, Permission
from concentrator.app.config import load
from concentrator.app.config_file import ConfigFile
from concentrator.app.settings import BoxSettings, effective
from concentrator.model.errors import ConfigError, Denied, Unknown, WrongArguments
from tests.support.fields import NATIVE, StillBox, meter

OWNER = Caller("control socket", frozenset(Permission))
TEXT = (
    NATIVE
    + '\n# The cloud\n[mqtt]\nhost = "mqtts://broker"   # ours\nlatency = "10 s"\npassword = "hunter2"\n\n'
    + '# A second one\n[mqtt.other]\nhost = "mqtt://b"\nlatency = "1 min"\nallow = ["read", "write"]\n'
    + meter("main", 1)
)
MBUS_LINE = '[line.bus]\nendpoint = "serial:/dev/ttyUSB7"\nrole = "mbus"\n'


class Box:
    """A field, its settings, and the configurations that were to be put to work."""

    def __init__(self, folder):
        self.still = StillBox(folder, TEXT)
        self.applied = []
        self.settings = BoxSettings(ConfigFile(self.still.file), self.running, self.apply, lambda: 1_795_254_067.0)

    def running(self):
        return self.still.config, {uid: known.device for uid, known in self.still.field.known().items()}

    def apply(self, config):
        self.applied.append(config)
        self.still.config = effective(self.still.config, config)

    def change(self, changes, caller=OWNER, is_trial=False):
        return self.settings.change(changes, caller, is_trial=is_trial)

    def text(self):
        return self.still.file.read_text()

    def refused(self, error, changes, caller=OWNER):
        with pytest.raises(error) as raised:
            self.change(changes, caller)
        assert (self.text(), self.applied) == (TEXT, [])
        assert not self.still.file.with_name("ccmaster.toml.previous").exists()
        return raised.value.sentence


@pytest.fixture
def box(tmp_path):
    return Box(tmp_path)


# -- shown


def test_values_are_shown_as_the_file_has_them_or_by_default_and_secrets_are_not(box):
    found = box.settings.shown("mqtt", "")
    assert found["secrets"] == ["mqtt.password"]
    (values,) = found["values"].values()
    assert "password" not in values
    assert {
        "host": "mqtts://broker",
        "latency": "10 s",
        "keepalive": "60 s",
        "port": None,
        "qos": 1,
    }.items() <= values.items()
    assert "hunter2" not in str(box.settings.shown("", ""))


@pytest.mark.parametrize(
    ("section", "key", "stays_out"),
    [
        ("mqtt", "password", True),
        ("smartgen.any", "password", True),
        ("sms.any", "numbers", True),
        ("smartgen.any", "telephone", True),
        ("mqtt", "nothing", True),
        ("sms.any", "orders", False),
    ],
)
def test_secrets_and_telephone_numbers_stay_out_of_the_audit(box, section, key, stays_out):
    assert box.settings.is_secret(section, key) is stays_out


def test_one_key_of_one_section_is_shown(box):
    assert box.settings.shown("mqtt.other", "latency") == {
        "values": {"mqtt.other": {"latency": "1 min"}},
        "secrets": [],
        "changed": {},
    }
    assert box.settings.shown("history", "latency")["values"] == {"history": {"latency": "5 min"}}
    assert list(box.settings.shown("", "")["values"]) == [
        "box", "line.native", "device.main", "journal", "history", "mqtt", "mqtt.other", "ftp", "web", "panel",
    ]  # fmt: skip


def test_who_changed_a_section_last_is_told_with_it(box):
    box.change({"mqtt": {"port": 8884}}, Caller("installer", OWNER.allowed), is_trial=True)
    assert box.settings.shown("mqtt", "port")["changed"] == {}
    box.change({"mqtt": {"port": 8884}}, Caller("installer", OWNER.allowed))
    assert box.settings.shown("mqtt", "port")["changed"] == {"mqtt": {"by": "installer", "at": "2026-11-21T09:41:07Z"}}
    assert box.settings.shown("ftp", "")["changed"] == {}


def test_a_service_that_the_file_does_not_have_is_shown_off(tmp_path):
    settings = BoxSettings(ConfigFile(tmp_path / "c.toml"), lambda: None, lambda config: None, lambda: 0.0)
    (tmp_path / "c.toml").write_text("[box]\n")
    assert settings.shown("mqtt", "enabled")["values"] == {"mqtt": {"enabled": False}}
    assert settings.shown("ftp", "enabled")["values"] == {"ftp": {"enabled": False}}
    assert "mqtt" not in settings.shown("", "")["values"]


def test_what_is_no_section_or_key_is_said_with_the_nearest(box):
    with pytest.raises(Unknown, match=r"section mqt \(did you mean mqtt\?\)"):
        box.settings.shown("mqt", "")
    with pytest.raises(Unknown, match=r"key latnecy of section mqtt \(did you mean latency\?\)"):
        box.settings.shown("mqtt", "latnecy")


# -- changed


def test_a_change_is_in_the_file_and_at_work_and_the_former_file_is_kept(box):
    assert box.change({"mqtt": {"latency": "1 min", "client_id": "me"}, "history": {"latency": "15 min"}}) == {
        "changed": ["history.latency", "mqtt.client_id", "mqtt.latency"],
        "live": ["history.latency", "mqtt.client_id", "mqtt.latency"],
        "restart": [],
        "warnings": [],
    }
    (config,) = box.applied
    assert (config.mqtt["mqtt"].latency_s, config.history.latency_s) == (60, 900)
    assert load(box.still.file).mqtt["mqtt"].client_id == "me"
    assert '# The cloud\n[mqtt]\nhost = "mqtts://broker"   # ours\nlatency = "1 min"\n' in box.text()
    assert box.still.file.with_name("ccmaster.toml.previous").read_text() == TEXT


def test_null_takes_a_key_out_and_a_section_that_is_not_there_is_put_at_the_end(box):
    box.change({"mqtt": {"password": None}, "ftp": {"server": "ftp.example", "port": 2121}})
    parsed = tomllib.loads(box.text())
    assert "password" not in parsed["mqtt"]
    assert parsed["ftp"] == {"server": "ftp.example", "port": 2121}
    assert box.text().endswith('[ftp]\nserver = "ftp.example"\nport = 2121\n')
    assert box.applied[0].ftp.enabled


def test_another_uplink_can_be_added(box):
    box.change({"mqtt.third": {"host": "mqtt://c", "allow": ["read"]}})
    assert box.applied[0].mqtt["mqtt.third"].host == "mqtt://c"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"mqtt": {"latency": "7 s"}}, '[mqtt] latency: found "7 s", expected one of 10 s'),
        ({"mqtt": {"latncy": "1 min"}}, "[mqtt] latncy: found an unknown key, expected a known key (did you mean lat"),
        ({"mqtt": {"password": 7}}, "[mqtt] password: found a number"),
        ({"mqt": {"port": 1}}, "[mqt]: found an unknown section"),
        ({"history.x": {"latency": "5 min"}}, "[history.x]: found an unknown section"),
        ({"mqtt.a b": {"host": "mqtt://c"}}, "a name of letters, digits"),
        ({"mqtt.host": {"x": 1}}, "mqtt.host is no section"),
        ({"mqtt.host.y": {"x": 1}}, "is no section"),
        ({"history": {"latency": "15 s"}, "mqtt": {"latency": "10 s"}}, "a multiple of the base interval, 10 s"),
        ({"mqtt": {"port": 1884}, "ftp": {"enabled": True}}, "[ftp] server: found nothing"),
    ],
)  # fmt: skip
def test_of_changes_with_a_fault_none_is_made(box, changes, words):
    assert words in box.refused(ConfigError, changes)


def test_devices_are_changed_by_their_own_actions(box):
    assert "device.change" in box.refused(WrongArguments, {"device.main": {"alias": "x"}})


def test_a_trial_changes_nothing(box):
    found = box.change({"mqtt": {"latency": "1 min"}}, is_trial=True)
    assert (found["changed"], found["live"]) == (["mqtt.latency"], ["mqtt.latency"])
    assert (box.text(), box.applied) == (TEXT, [])


def test_what_is_so_already_is_no_change(box):
    assert box.change({"mqtt": {"latency": "10 s"}})["changed"] == []
    assert (box.text(), box.applied) == (TEXT, [])


def test_what_needs_a_restart_is_named_until_it_was_made(box):
    found = box.change({"box": {"timezone": "UTC", "model": "Lite"}})
    assert (found["live"], found["restart"]) == ([], ["box.model", "box.timezone"])
    assert box.applied == [], "nothing is disturbed for it"
    found = box.change({"mqtt": {"latency": "1 min"}})
    assert (found["changed"], found["live"], found["restart"]) == (
        ["mqtt.latency"], ["mqtt.latency"], ["box.model", "box.timezone"],
    )  # fmt: skip
    assert box.applied[-1].box.timezone.key == "UTC"
    assert box.still.config.box.timezone.key == "Europe/Madrid"


def test_a_device_that_people_wrote_into_the_file_waits_for_a_restart_and_one_of_the_box_does_not(box):
    box.still.devices.add("cellar", {"line": "native", "profile": "energycm/ccm", "address": 2})
    assert box.change({"mqtt": {"qos": 2}})["restart"] == []
    box.still.file.write_text(box.text() + meter("roof", 3))
    assert box.change({"mqtt": {"qos": 1}})["restart"] == ["device.roof"]


def test_a_file_that_cannot_be_written_changes_nothing(box, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    assert "no space left" in box.refused(ConfigError, {"mqtt": {"latency": "1 min"}})


# -- who may what

MAY = frozenset({Permission.READ, Permission.CONFIG})
CLOUD = Caller("mqtt", MAY)


def test_nobody_gives_what_he_may_not_do(box):
    said = box.refused(Denied, {"mqtt": {"allow": ["read", "system"]}}, CLOUD)
    assert "[mqtt] allows system, which mqtt is not; change it on the box" in said
    box.refused(Denied, {"mqtt.new": {"host": "mqtt://evil", "allow": ["write"]}}, CLOUD)
    assert box.change({"mqtt": {"allow": ["read", "config"]}}, CLOUD)["live"] == ["mqtt.allow"]


def test_nobody_turns_a_road_to_himself_that_may_more(box):
    box.refused(Denied, {"mqtt.other": {"host": "mqtt://evil"}}, CLOUD)
    assert box.change({"mqtt.other": {"allow": ["read"], "host": "mqtt://ours"}}, CLOUD)["changed"]


@pytest.mark.parametrize(
    ("before", "place", "keys"),
    [
        ("", "sms.m", {"numbers": ["34600123456"], "device": "main"}),
        ('[sms.m]\nnumbers = ["34600123456"]\ndevice = "main"\n', "sms.m", {"numbers": ["34600666666"]}),
        ("", "smartgen.g", {"device": "main", "server": "tcp:evil:81"}),
        ('[smartgen.g]\ndevice = "main"\n', "smartgen.g", {"server": "tcp:evil:81"}),
        ("[modbus_slave.s]\nport = 1502\n", "modbus_slave.s", {"write": True}),
        ("[modbus_slave.s]\nport = 1502\nwrite = true\n", "modbus_slave.s", {"allow": ["0.0.0.0/0"]}),
        (MBUS_LINE, "mbus_gateway.m", {"line": "bus"}),
    ],
)
def test_nobody_opens_a_service_that_writes_who_may_not(box, before, place, keys):
    box.still.file.write_text(TEXT + before)
    box.still.config = load(box.still.file)
    with pytest.raises(Denied, match=rf"\[{place}\] allows write, which mqtt is not"):
        box.change({place: keys}, CLOUD)
    assert (box.text(), box.applied) == (TEXT + before, [])
    writer = Caller("mqtt", MAY | {Permission.WRITE})
    assert box.change({place: keys}, writer)["changed"]


def test_whoever_may_configure_sets_up_and_closes_a_service_that_only_tells(box):
    box.still.file.write_text(TEXT + "[modbus_slave.s]\nport = 1502\nwrite = true\n")
    box.still.config = load(box.still.file)
    assert box.change({"modbus_slave.t": {"port": 1503}, "sms.m": {"numbers": ["34600123456"]}}, CLOUD)["changed"]
    assert box.change({"modbus_slave.s": None}, CLOUD)["changed"] == ["modbus_slave.s"]


@pytest.mark.parametrize(
    "changes",
    [
        {"web": {"rules": ["/ none"]}},
        {"web": {"https": "tcp:443"}},
        {"box": {"manual_defaults": True}},
        {"box": {"state_dir": "/tmp/other"}},
        {"box": {"plugin_dirs": ["/tmp"]}},
    ],
)
def test_nobody_opens_the_portal_who_does_not_decide_about_its_users(box, changes):
    assert "who may decide about users" in box.refused(Denied, changes, CLOUD)
    installer = Caller("ana", frozenset(Permission) - {Permission.SYSTEM, Permission.USERS})
    box.refused(Denied, changes, installer)
    assert box.change(changes)["changed"]


def test_the_portal_changes_while_the_box_runs(box):
    told = box.change({"web": {"listen": "tcp:81"}})
    assert (told["changed"], told["live"], told["restart"]) == (["web.listen"], ["web.listen"], [])
    assert box.applied[0].web.listen == ("tcp:81",)


def test_who_may_everything_may_allow_everything(box):
    box.change({"mqtt": {"allow": ["read", "write", "system"]}})
    assert box.applied[0].mqtt["mqtt"].allow == ("read", "write", "system")


def test_the_section_of_a_service_is_taken_out_and_no_other(box):
    text = TEXT + '\n[line.bus]\nendpoint = "serial:/dev/ttyUSB7"\nrole = "mbus"\n\n[mbus_gateway.bus]\nline = "bus"\n'
    box.still.file.write_text(text)
    box.still.config = load(box.still.file)
    for place in ("mqtt.other", "line.bus", "history"):
        with pytest.raises(WrongArguments, match="found null, expected keys and values"):
            box.change({place: None})
    assert box.text() == text
    answer = box.change({"mbus_gateway.bus": None})
    assert (answer["changed"], answer["live"], answer["restart"]) == (["mbus_gateway.bus"], ["mbus_gateway.bus"], [])
    assert "mbus_gateway" not in box.text()
    assert box.applied[0].services == {}
