"""concentrator.app.trials: a trial is of the saved settings with what is typed, and nothing is written."""

import pytest
import pytest_twisted
from twisted.internet import reactor

from concentrator.app.config_file import ConfigFile
from concentrator.app.trials import BoxTrials
from concentrator.model.errors import ConfigError, Unknown
from tests.support.brokers import Mosquitto, free_port
from tests.support.records import FixedWall

TEXT = '[box]\nstate_dir = "state"\n[mqtt]\nenabled = false\nhost = "mqtt://127.0.0.1"\nport = {port}\nuser = "saved"\n'


class Box:
    def __init__(self, folder, text):
        self.path = folder / "ccmaster.toml"
        self.path.write_text(text)
        self.up = set()
        self.trials = BoxTrials(
            ConfigFile(self.path), "4220080001", reactor, FixedWall(), lambda place: place in self.up
        )

    async def tried(self, section="mqtt", **keys):
        return await self.trials.mqtt(section, keys)(lambda done, text, so_far=None: None)


@pytest.fixture
def broker(tmp_path):
    (tmp_path / "b").mkdir()
    broker = Mosquitto(tmp_path / "b", ["log_type all"])
    broker.start()
    yield broker
    broker.stop()


@pytest_twisted.ensureDeferred
async def test_what_is_typed_is_tried_over_what_is_saved_and_nothing_is_written(tmp_path, broker):
    text = TEXT.format(port=free_port())
    box = Box(tmp_path, text)
    assert (await box.tried())["reason"] == "refused"
    result = await box.tried(port=broker.port, prefix_sub="/x")
    assert result["passed"] and result["facts"]["topic"] == "/x/4220080001/test"
    assert box.path.read_text() == text and [each.name for each in tmp_path.iterdir()].count("ccmaster.toml") == 1


def test_the_name_of_a_connection_that_is_up_is_left_to_it(tmp_path, monkeypatch):
    box, said = Box(tmp_path, TEXT.format(port=1)), []

    class Noted:
        def __init__(self, reactor, wall, host, port, trust, hello, *rest):
            said.append(hello.client_id)

        def run(self, tell):
            return None

    monkeypatch.setattr("concentrator.uplink.mqtt_trial.MqttTrial", Noted)
    for up, typed in (((), ""), (("mqtt",), ""), (("mqtt",), "mine"), ((), "mine")):
        box.up = set(up)
        box.trials.mqtt("mqtt", {"client_id": typed})(None)
    assert said == ["ccmaster-4220080001", "ccmaster-4220080001-test", "mine-test", "mine"]


def test_settings_that_cannot_be_are_refused_before_anything_is_tried(tmp_path):
    box = Box(tmp_path, TEXT.format(port=1))
    with pytest.raises(ConfigError) as raised:
        box.trials.mqtt("mqtt", {"host": "broker", "qos": 7})
    assert [(fault.key, fault.rule) for fault in raised.value.faults] == [("host", "broker"), ("qos", "")]
    with pytest.raises(ConfigError):
        box.trials.ftp({})
    for section in ("ftp", "box", "mqtt."):
        with pytest.raises(Unknown):
            box.trials.mqtt(section, {})


@pytest_twisted.ensureDeferred
async def test_a_server_for_files_is_tried_likewise(tmp_path):
    box = Box(tmp_path, TEXT.format(port=1))
    trial = box.trials.ftp({"server": "127.0.0.1", "port": free_port()})
    result = await trial(lambda done, text, so_far=None: None)
    assert (result["passed"], result["reason"]) == (False, "refused")
