"""Devices of twenty brands, their registers served by pymodbus: every variable is read with its value, unit and sign.

The images in `catalogue_images.json` were laid out by hand-made rules from the published register maps, not by this
program's encoder. A row is [name, table, addresses, registers, value, unit]; without a name it is there for others,
without addresses a value made of others. What no row names is not there, and the server refuses to read it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from concentrator.app.clocks import SharpClock, SystemWall
from concentrator.app.config import load_checked
from concentrator.app.field import build_field
from concentrator.profile.plan import plan_blocks
from concentrator.system.identity import DeviceBook
from tests.support.brokers import free_port

SERVER = Path(__file__).with_name("serve_pymodbus.py")
IMAGES = json.loads(Path(__file__).with_name("catalogue_images.json").read_text())
UNITS = {key: unit for unit, key in enumerate(IMAGES, 1)}
LONGEST_S = 120


def tables(rows):
    """The registers of rows as the server wants them, neighbours together."""
    found = {}
    for _, table, addresses, registers, _, _ in rows:
        found.setdefault(table, {}).update(zip(addresses, registers, strict=True))
    served = {}
    for table, content in found.items():
        runs = served.setdefault(table, {})
        start = None
        for address in sorted(content):
            if address - 1 not in content:
                start = runs.setdefault(str(address), [])
            start.append(content[address])
    return served


@pytest.fixture
def port():
    """The port where all devices are served, each under its Modbus ID."""
    port = free_port()
    with subprocess.Popen(
        [sys.executable, SERVER, "tcp", str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        server.stdin.write(json.dumps({UNITS[key]: tables(rows) for key, rows in IMAGES.items()}))
        server.stdin.close()
        assert server.stdout.readline() == "ready\n"
        yield port
        server.kill()


def configuration(folder, port):
    devices = "".join(
        f'[device.d{unit}]\nline = "bus"\nprofile = "{key}"\naddress = {unit}\n' for key, unit in UNITS.items()
    )
    file = folder / "ccmaster.toml"
    file.write_text(
        f'[box]\nstate_dir = "{folder}"\nplugin_dirs = []\n'
        f'[line.bus]\nendpoint = "tcp:127.0.0.1:{port}"\nrole = "external"\nprotocol = "modbus-tcp"\n{devices}'
    )
    return load_checked(file)


@pytest_twisted.ensureDeferred
async def test_every_variable_of_twenty_brands_is_read_with_its_value_unit_and_sign(tmp_path, port):
    config, catalogue = configuration(tmp_path, port)
    clock = SharpClock(reactor)
    wanted = {f"d{UNITS[key]}": {row[0] for row in rows if row[0]} for key, rows in IMAGES.items()}
    complete = Deferred()

    def heard(_reading):
        missing = [uid for uid, names in wanted.items() if not names <= set(field.latest.of(uid).values)]
        if not missing and not complete.called:
            complete.callback(None)

    field = build_field(
        config,
        catalogue.get,
        reactor=reactor,
        sharp=clock,
        wall=SystemWall(),
        report=lambda name, facts: None,
        book=DeviceBook(tmp_path),
    )
    field.hub.subscribe(heard)
    clock.start()
    field.start()
    try:
        await complete.addTimeout(LONGEST_S, reactor)
        for key, rows in IMAGES.items():
            read = {name: value for name, (value, _) in field.latest.of(f"d{UNITS[key]}").values.items()}
            told = {row[0]: row[4] for row in rows if row[0]}
            assert {name: read[name] for name in told} == pytest.approx(told, rel=1e-9), key
            assert {name: catalogue.get(key).point(name).quantity.unit for name in told} == {
                row[0]: row[5] for row in rows if row[0]
            }
        counters = field.line_states()[0].counters
        assert counters["garbled"] == 0
        assert counters["refusals"] > 0, "holes were read over and refused, and everything was read all the same"
    finally:
        await field.stop()
        clock.stop()


@pytest.mark.parametrize("key", IMAGES)
def test_the_image_has_every_variable_of_the_profile(key, tmp_path):
    catalogue = configuration(tmp_path, 502)[1]
    polled = {point.name for block in plan_blocks(catalogue.get(key)) for point in block.points}
    assert polled == {row[0] for row in IMAGES[key] if row[0]}


def test_the_images_are_of_at_least_twelve_brands():
    assert len({key.partition("/")[0] for key in IMAGES}) >= 12
