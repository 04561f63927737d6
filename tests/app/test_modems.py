"""concentrator.app.modems: data connections come and go with the settings, by the programs of the machine."""

import json
import os
import sys

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from concentrator.actions.modems import ModemState
from concentrator.app.config_modem import ModemSection
from concentrator.app.config_sections import Config
from concentrator.app.modems import TRAFFIC_S, build
from concentrator.panel.lights import Modem

NMCLI = """
import json, os, sys
folder, words = os.path.dirname(sys.argv[0]), sys.argv[1:]
assert os.environ["LC_ALL"] == "C.UTF-8"
place = os.path.join(folder, "connections")
kept = json.load(open(place)) if os.path.exists(place) else {}
command = words[words.index("con") + 1:]
secret = open(words[-1]).read() if "passwd-file" in words else ""
with open(os.path.join(folder, "log"), "a") as out:
    out.write(json.dumps([words, secret]) + "\\n")
if command == ["show"]:
    for name, one in kept.items():
        print(f"{name}:gsm:{one['state']}")
elif command[0] == "show":
    for each in words[words.index("-f") + 1].split(","):
        print(f"{each}:{kept[command[2]].get(each, '')}")
elif command[0] == "add":
    kept[command[6]] = {"state": "", **dict(zip(command[7::2], command[8::2]))}
elif command[0] == "modify":
    kept[command[2]].update(zip(command[3::2], command[4::2]))
elif command[0] == "delete":
    del kept[command[2]]
elif command[0] in ("up", "down"):
    kept[command[2]]["state"] = "activated" if command[0] == "up" else ""
json.dump(kept, open(place, "w"))
"""
MMCLI = """
import json
generic = {"state": "locked", "unlock-required": "sim-pin", "unlock-retries": ["sim-pin (3)"], "ports": ["wwan0 (net)"]}
print(json.dumps({"modem": {"generic": generic, "3gpp": {"operator-name": "Some Net"}}}))
"""


class Around:
    """What a way has around it, as far as a modem needs it."""

    def __init__(self, reactor, folder):
        self.reactor, self.state_dir = reactor, folder
        self.front = self
        self.sources = type("Sources", (), {})()


def configured(**sections):
    return Config(None, services={"modem": sections})


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A folder of nothing but nmcli and mmcli."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, text in (("nmcli", NMCLI), ("mmcli", MMCLI)):
        (folder / name).write_text(f"#!{sys.executable}\n{text}")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    return folder


async def until(is_true):
    """Waits until something is so."""
    from twisted.internet import reactor

    while not is_true():
        await deferLater(reactor, 0.02)


def within(coroutine):
    from twisted.internet import reactor

    return Deferred.fromCoroutine(coroutine).addTimeout(60, reactor)


def told(folder):
    """What nmcli was told to do, each with the secrets of its file."""
    calls = [json.loads(line) for line in (folder / "log").read_text().splitlines()]
    return [(words[words.index("con") + 1], secret) for words, secret in calls if "show" not in words]


@pytest_twisted.ensureDeferred
async def test_a_connection_comes_up_changes_and_goes_with_its_section(programs, tmp_path):
    from twisted.internet import reactor

    modems = build(Around(reactor, tmp_path))
    first = configured(wan=ModemSection(apn="internet", user="me", password="hidden word", pin="1234"))
    modems.start(first)
    await within(until(lambda: modems.states()[0].is_connected))
    (state,) = modems.states()
    assert (state.standing, state.operator, state.connection) == ("Connected", "Some Net", "ccmaster-wan")
    await modems.leave(first)
    assert len(modems.states()) == 1

    second = configured(wan=ModemSection(apn="internet", user="me", password="another", pin="1234"))
    await modems.leave(second)
    modems.start(second)
    await within(until(lambda: modems.states()[0].is_connected))
    await modems.leave(configured())
    assert modems.states() == []
    assert told(programs) == [
        ("add", ""),
        ("up", "gsm.password:hidden\\ word\ngsm.pin:1234\n"),
        ("up", "gsm.password:another\ngsm.pin:1234\n"),
        ("delete", ""),
    ]
    logged = [json.loads(line)[0] for line in (programs / "log").read_text().splitlines()]
    assert not any(secret in word for words in logged for word in words for secret in ("hidden", "another", "1234"))
    assert [path.name for path in tmp_path.iterdir()] == ["bin"]
    await modems.stop()


@pytest_twisted.ensureDeferred
async def test_a_child_ends_with_the_box(programs, tmp_path):
    from twisted.internet import reactor

    waits = f"#!{sys.executable}\nimport os, sys, time\nopen({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n"
    (programs / "mmcli").write_text(f"{waits}time.sleep(50)\n")
    modems = build(Around(reactor, tmp_path))
    modems.start(configured(wan=ModemSection()))
    await within(until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text()))
    await modems.stop().addTimeout(30, reactor)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


@pytest_twisted.ensureDeferred
async def test_where_nmcli_is_not_installed_that_is_told(programs, tmp_path):
    from twisted.internet import reactor

    (programs / "nmcli").unlink()
    modems = build(Around(reactor, tmp_path))
    modems.start(configured(wan=ModemSection()))
    await within(until(lambda: modems.states()[0].standing == "No NetworkManager"))
    assert "nmcli is not installed; it comes with NetworkManager" in modems.states()[0].trouble
    await modems.stop()


class Connection:
    """A connection that stands as it is told."""

    def __init__(self, radio="off", is_connected=False, card="wwan0"):
        self.card, self._state = card, ModemState("x", "", is_connected, radio=radio)

    def state(self):
        return self._state


@pytest.fixture
def light(clock, tmp_path, monkeypatch):
    """`light(connection…)` gives the front's light; `light.moved` is what every card has moved."""

    class Light:
        def __init__(self):
            self.moved, self.around = None, Around(clock, tmp_path)
            self.modems = build(self.around)

        def __call__(self, *connections):
            made = {str(n): type("Made", (), {"connection": each}) for n, each in enumerate(connections)}
            self.modems._made = made
            return self.around.front.sources.modem()

    light = Light()
    monkeypatch.setattr("concentrator.app.modems.bytes_moved", lambda card: light.moved)
    return light


@pytest.mark.parametrize(
    ("radio", "shown"), [("off", Modem.OFF), ("searching", Modem.SEARCHING), ("registered", Modem.REGISTERED)]
)
def test_the_light_tells_of_the_radio(light, radio, shown):
    assert light(Connection(radio)) is shown


def test_the_light_tells_of_the_modem_that_is_further(light):
    assert light() is Modem.OFF
    assert light(Connection("searching"), Connection("registered"), Connection()) is Modem.REGISTERED


def test_the_light_tells_of_data_that_moves_for_a_moment(light, clock):
    connection = Connection("registered", True)
    assert light(connection) is Modem.REGISTERED
    light.moved = 1000
    assert light(connection) is Modem.REGISTERED
    light.moved = 1200
    assert light(connection) is light(connection) is Modem.BUSY
    clock.advance(TRAFFIC_S)
    assert light(connection) is Modem.REGISTERED
