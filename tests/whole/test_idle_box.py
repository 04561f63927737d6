"""The whole program, by itself: what it was not asked for and is not configured to do is not loaded. A megabyte here
and one there is how a box with little memory comes to have none."""

import subprocess
import sys

import pytest

from concentrator.app.launch import environment
from tests.support.brokers import free_port

RUN = """
import sys
from concentrator.app.tap import makeService
service = makeService({"config": sys.argv[1]})
from twisted.internet import reactor

def started(_):
    print(*sorted(sys.modules))
    service.stopService().addBoth(lambda _: reactor.stop())

reactor.callWhenRunning(lambda: service.startService().addBoth(started))
reactor.run()
"""
CONFIG = """
[box]
state_dir = "{folder}/state"
plugin_dirs = []

[line.native]
endpoint = "serial:{folder}/nothing:baudrate=9600"

[device.main]
line = "native"
profile = "energycm/ccm"
address = 1

[web]
listen = "tcp:{port}:interface=127.0.0.1"
"""
UNASKED = {
    "pages are made when they are opened": (
        "concentrator.portal.pages",
        "concentrator.portal.charts",
        "concentrator.portal.config_form",
        "concentrator.portal.metrics",
        "concentrator.portal.openapi",
        "concentrator.web.forms",
        "jinja2",
        "segno",
    ),
    "actions are made when the first of their kind is called": (
        "concentrator.actions.catalogue",
        "concentrator.actions.devices",
        "concentrator.actions.gensets",
        "concentrator.actions.history",
        "concentrator.actions.mbus",
        "concentrator.actions.messages",
        "concentrator.actions.orders",
        "concentrator.actions.panel",
        "concentrator.actions.scanning",
        "concentrator.actions.slave",
        "concentrator.actions.smartgen",
        "concentrator.actions.trends",
        "concentrator.actions.trials",
        "concentrator.actions.users",
        "concentrator.app.bus_actions",
        "concentrator.app.mbus",
        "concentrator.app.orders",
        "concentrator.app.trials",
    ),
    "nobody is looked for": (
        "concentrator.app.identify",
        "concentrator.app.scan",
        "concentrator.poll.identify",
        "concentrator.poll.probe",
        "concentrator.poll.scan",
        "concentrator.profile.evidence",
    ),
    "nobody links meters": ("concentrator.dialect.modbus_link", "concentrator.poll.link_mode"),
    "there is no M-Bus": (
        "concentrator.dialect.mbus",
        "concentrator.mbusgate.gateway",
        "concentrator.wire.mbus_record",
        "concentrator.wire.mbus_talk",
    ),
    "there is no SunSpec device": ("concentrator.dialect.sunspec", "concentrator.profile.sunspec"),
    "there are no gensets, cloud sessions, messages, modems or slave ports": (
        "concentrator.app.clouds",
        "concentrator.app.gensets",
        "concentrator.app.messages",
        "concentrator.app.modems",
        "concentrator.app.slaves",
        "concentrator.genset",
        "concentrator.poll.orders",
        "concentrator.profile.genset_status",
        "concentrator.slave",
        "concentrator.sms",
        "concentrator.system.mobile",
        "concentrator.system.nmcli",
        "concentrator.system.program",
        "concentrator.wire.mmcli",
        "concentrator.wire.smartgen",
    ),
    "there are no uplinks": (
        "concentrator.uplink.ftp",
        "concentrator.uplink.mqtt",
        "concentrator.uplink.paho_link",
        "ftplib",
        "paho",
    ),
    "nothing is encrypted": ("OpenSSL", "cryptography", "service_identity"),
    "nothing is damaged or taken away": (
        "concentrator.journal.export",
        "concentrator.journal.extract",
        "concentrator.journal.trend",
        "concentrator.journal.wreck",
    ),
    "it is no simulator, and reads few profiles": ("concentrator.sim", "concentrator.solar", "rtoml"),
}
"""Why something is not loaded, and what that is: modules and packages."""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("idle")
    config = folder / "ccmaster.toml"
    config.write_text(CONFIG.format(folder=folder, port=free_port()))
    command = [sys.executable, "-c", RUN, str(config)]
    ended = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=120)
    assert ended.returncode == 0 and ended.stdout, ended.stderr
    return ended.stdout.split()


@pytest.mark.parametrize("why", UNASKED)
def test_what_nobody_asked_for_is_not_loaded(loaded, why):
    assert "concentrator.portal.doors" in loaded, "it is at work"
    modules = UNASKED[why]
    assert [name for name in loaded if any(name == each or name.startswith(f"{each}.") for each in modules)] == []
