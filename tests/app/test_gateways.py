"""concentrator.app.gateways: gateways come and go with the settings, and lines talk at other speeds."""

import pytest
from attrs import evolve
from twisted.internet.testing import MemoryReactorClock

from concentrator.actions.table import Caller, Permission
from concentrator.app.changing import Speeds
from concentrator.app.config_file import ConfigFile
from concentrator.app.gateways import Gateways
from concentrator.app.settings import BoxSettings, effective
from concentrator.line.line import CEILING_S
from concentrator.model.errors import Unknown
from concentrator.wire.mbus_talk import NETWORK_LATEST_S
from tests.support.fields import NATIVE, StillBox
from tests.support.gateways import Polling
from tests.support.lines import open_line

OWNER = Caller("control socket", frozenset(Permission))
TEXT = (
    NATIVE
    + '\n[line.mbus]\nendpoint = "serial:/dev/ttyUSB7:baudrate=2400"\nrole = "mbus"\n'
    + '\n[line.tcp]\nendpoint = "tcp:10.0.0.9:10001"\nrole = "mbus"\n'
    + '\n[mbus_gateway.main]\nline = "mbus"\n'
    + '[device.heat]\nline = "mbus"\nprofile = "mbus/generic"\naddress = 5\n'
)


class Lines:
    """One line for every name, and the speeds it was told."""

    def __init__(self):
        self.line_, self.wire, self.clock = open_line()
        self.told = []

    def line(self, name):
        return self.line_

    def poller(self, name):
        return Polling()

    def set_speed(self, name, section):
        self.told.append((name, section.serial_address.baudrate))


class Box:
    def __init__(self, folder):
        self.still = StillBox(folder, TEXT)
        self.applied = []
        file = ConfigFile(self.still.file)
        self.settings = BoxSettings(file, lambda: (self.still.config, self.devices()), self.apply, lambda: 0.0)

    def devices(self):
        return {uid: known.device for uid, known in self.still.field.known().items()}

    def apply(self, config):
        self.applied.append(effective(self.still.config, config))

    def change(self, place, **keys):
        return self.settings.change({place: keys}, OWNER, is_trial=False)


@pytest.fixture
def box(tmp_path):
    return Box(tmp_path)


def listening(reactor):
    return [server[0] for server in reactor.tcpServers]


def test_gateways_come_and_go_with_the_settings(box):
    reactor, config = MemoryReactorClock(), box.still.config
    gateways = Gateways(Lines(), reactor)
    gateways.start(config)
    gateways.start(config)
    assert listening(reactor) == [10001]
    (state,) = gateways.states()
    assert (state.name, state.listening, state.standing) == ("main", ["tcp:10001"], "Waiting")
    other = evolve(config, services={"mbus_gateway": {"main": evolve(config.gateways["main"], port=10009)}})
    gateways.leave(config)
    assert len(gateways.states()) == 1
    gateways.leave(other)
    assert gateways.states() == []
    gateways.start(other)
    assert listening(reactor) == [10001, 10009]
    off = evolve(config, services={"mbus_gateway": {"main": evolve(config.gateways["main"], enabled=False)}})
    gateways.leave(off)
    gateways.start(off)
    assert gateways.states() == []


def test_a_client_is_thrown_out_by_the_gateways_name(box):
    gateways = Gateways(Lines(), MemoryReactorClock())
    gateways.start(box.still.config)
    gateways.disconnect("main")
    with pytest.raises(Unknown, match="did you mean main"):
        gateways.disconnect("mian")
    gateways.stop()
    assert gateways.states() == []


def test_a_tls_port_is_one_more_door(box, tmp_path):
    reactor, config = MemoryReactorClock(), box.still.config
    section = evolve(config.gateways["main"], tls_port=10002, cert_file=tmp_path / "a", key_file=tmp_path / "a")
    gateways = Gateways(Lines(), reactor)
    gateways.start(evolve(config, services={"mbus_gateway": {"main": section}}))
    (state,) = gateways.states()
    assert state.listening == ["tcp:10001", "tls:10002"]
    assert listening(reactor) == [10001]
    assert state.trouble.startswith("tls:10002") and "No such file" in state.trouble
    gateways.stop()


def test_the_settings_of_a_gateway_take_effect_at_once(box):
    answer = box.change("mbus_gateway.main", port=10005, disconnect_timeout="1 min")
    assert answer["live"] == ["mbus_gateway.main.port", "mbus_gateway.main.disconnect_timeout"]
    assert answer["restart"] == []
    (applied,) = box.applied
    assert (applied.gateways["main"].port, applied.gateways["main"].disconnect_timeout_s) == (10005, 60.0)
    assert box.settings.shown("mbus_gateway.main", "port")["values"] == {"mbus_gateway.main": {"port": 10005}}


def test_the_speed_of_a_line_takes_effect_at_once_and_nothing_else_of_it(box):
    answer = box.change("line.mbus", endpoint="serial:/dev/ttyUSB7:baudrate=300")
    assert (answer["live"], answer["restart"]) == (["line.mbus.endpoint"], [])
    lines = Lines()
    speeds = Speeds(lines, box.still.config.lines)
    for _ in range(2):
        speeds.start(box.applied[0])
    assert lines.told == [("mbus", 300)]
    assert speeds.leave(box.applied[0]).called
    for endpoint in ("serial:/dev/ttyUSB8:baudrate=300", "serial:/dev/ttyUSB7:baudrate=300:parity=O", "tcp:10.0.0.8:1"):
        assert box.change("line.mbus", endpoint=endpoint)["restart"] == ["line.mbus.endpoint"]


def test_devices_of_a_line_that_talks_slower_are_waited_for_longer(box):
    field, config = box.still.field, box.still.config
    slow = evolve(config.lines["mbus"], endpoint="serial:/dev/ttyUSB7:baudrate=300")
    before = field.known()["heat"].station
    field.set_speed("mbus", slow)
    assert field.known()["heat"].station is not before
    assert [state.endpoint for state in field.line_states() if state.name == "mbus"] == [slow.endpoint]


def test_after_a_slower_line_was_not_answered_it_is_lent_later(box):
    field, config = box.still.field, box.still.config
    line = field.line("mbus")
    assert line.ceiling_s == CEILING_S
    field.set_speed("mbus", evolve(config.lines["mbus"], endpoint="serial:/dev/ttyUSB7:baudrate=300"))
    assert line.ceiling_s == pytest.approx(2 * (330 / 300 + 0.05))
    assert (field.line("tcp").ceiling_s, field.line("native").ceiling_s) == (NETWORK_LATEST_S, CEILING_S)
