"""The demo's configuration file: every section that matters today, with a comment for whoever changes it. Pure text."""

from __future__ import annotations

import json
from pathlib import Path

from attrs import field, frozen

from concentrator.app.demo_peers import FTP_USER, HOST

USER, FACTORY_SECRET = "admin", "admin"
"""The first user where the manual's defaults are asked for (CcMaster user manual, 6.2.1.6.1)."""
EXTERNAL = (("inverter", "goodwe/et", 247, "Roof"), ("analyser", "eastron/sdm630", 1, "Shop"))
"""The devices of other makers: short id, profile, Modbus ID and alias."""
GENSET_PROFILE, GENSET_MODEL, GENSET_UNIT = "smartgen/hgm6100n", "HGM6120N", 1
"""The genset's controller: a model whose commands are verified, with the mains beside it."""

MARK = "# CcMaster: the demo's configuration. The demo writes it anew each time it starts in this folder."


@frozen
class Stage:
    """Where the demo plays: its folder, its ports, the number of meters, the password of its FTP server, and where
    there is a genset, the port of its cloud server."""

    folder: Path
    mqtt_port: int
    ftp_port: int
    http_port: int
    meters: int
    ftp_password: str = field(repr=False)
    cloud_port: int | None = None

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.folder / "ccmaster.toml"

    @property
    def bus(self) -> Path:
        """The simulated bus, as a serial port."""
        return self.folder / "bus"

    @property
    def external(self) -> Path:
        """The simulated line of other makers' devices, as a serial port."""
        return self.folder / "external"

    @property
    def genset(self) -> Path:
        """The simulated line of a genset's controller, as a serial port."""
        return self.folder / "genset"

    @property
    def received(self) -> Path:
        """The folder of the FTP server."""
        return self.folder / "ftp"


_TEXT = """\
{mark}
# To read real meters: change the endpoint below to your adapter, such as "serial:/dev/ttyUSB0:baudrate=9600", and run
#     ccmaster check FILE
#     ccmaster run --config FILE

[box]
model = "PRO"
timezone = "Europe/Madrid"
# Journal, identity and control socket.
state_dir = {state}
plugin_dirs = []
# The manual's passwords, to be changed at first login; here everything is on loopback.
manual_defaults = true

# The NDsp/ND bus. Here it is simulated, with true byte times.
[line.native]
endpoint = {endpoint}
role = "native"
{devices}
# A line for devices of other makers: here an inverter with a battery, and an analyser, simulated too. There are more in
#     ccmaster profiles list
[line.external]
endpoint = {external}
role = "external"
{externals}{genset}
# Everything is kept here first; base records are the finest intervals.
[journal]
base_keep = "7 days"
max_size = "256 MiB"

# The historic store: what the files are made of. Usually 5 min.
[history]
enabled = true
latency = "10 s"
format = "csv"
keep = "30 days"

# One message a device every 10 s:
#     mosquitto_sub -h {host} -p {mqtt_port} -t '/ccm/srv/#' -v
[mqtt]
enabled = true
broker = "own"
host = "mqtt://{host}"
port = {mqtt_port}
prefix_sub = "/ccm/srv"      # published here
prefix_pub = "/ccm/dev"      # subscribed here
qos = 1
latency = "10 s"
allow = ["read"]

# One file a device every 30 s. Usually 1 h; below 15 min is for trials.
[ftp]
enabled = true
server = "{host}"
port = {ftp_port}
directory = ""               # where the login leads
user = "{ftp_user}"
password = {ftp_password}
sending_latency = "30 s"
time_of_day = "00:00"

# The portal, on loopback: sign in as admin with the password admin, and choose another one.
[web]
listen = "tcp:{http_port}:interface={host}"
"""

_GENSET = """
# A genset's controller, simulated: it starts when the mains fails, and does what it is told.
#     ccmaster genset status genset --config FILE
#     ccmaster genset command genset test --config FILE
[line.genset]
endpoint = {endpoint}
role = "external"

[device.genset]
line = "genset"
profile = "{profile}"
address = {unit}
model = "{model}"
alias = "Genset"
allow_commands = true
allow_raw = true             # for the cloud server, which commands by Modbus requests

# Its session with a SmartGen cloud server, simulated on this machine.
[smartgen.genset]
device = "genset"
server = "tcp:{host}:{cloud_port}"
site = "Demo"
"""

_DEVICE = """
[device.{uid}]
line = "native"
profile = "energycm/ccm"
address = {unit}
alias = {alias}
interval = "{interval_s} s"
"""

_EXTERNAL_DEVICE = """
[device.{uid}]
line = "external"
profile = "{profile}"
address = {unit}
alias = {alias}
"""


def config_text(stage: Stage) -> str:
    """The configuration file of a stage."""
    return _TEXT.format(
        mark=MARK,
        host=HOST,
        state=_quoted(str(stage.folder / "state")),
        endpoint=_endpoint(stage.bus),
        devices="".join(_device(unit, stage.meters) for unit in range(1, stage.meters + 1)),
        external=_endpoint(stage.external),
        externals="".join(
            _EXTERNAL_DEVICE.format(uid=uid, profile=profile, unit=unit, alias=_quoted(alias))
            for uid, profile, unit, alias in EXTERNAL
        ),
        genset="" if stage.cloud_port is None else _genset(stage),
        mqtt_port=stage.mqtt_port,
        ftp_port=stage.ftp_port,
        ftp_user=FTP_USER,
        ftp_password=_quoted(stage.ftp_password),
        http_port=stage.http_port,
    )


def _genset(stage: Stage) -> str:
    return _GENSET.format(
        endpoint=_endpoint(stage.genset),
        profile=GENSET_PROFILE,
        model=GENSET_MODEL,
        unit=GENSET_UNIT,
        host=HOST,
        cloud_port=stage.cloud_port,
    )


def _endpoint(port: Path) -> str:
    path = str(port).replace(":", "\\:")
    return _quoted(f"serial:{path}:baudrate=9600")


def _device(unit: int, meters: int) -> str:
    alias = "Main" if unit == 1 else f"Bakery {unit}" if unit % 10 == 3 else f"Flat {unit}"
    # a meter takes 0.14 s of the bus; a full bus of 33 is read every 6 s
    return _DEVICE.format(uid=f"m{unit:02}", unit=unit, alias=_quoted(alias), interval_s=max(3, meters // 5))


def _quoted(text: str) -> str:
    """A TOML string."""
    return json.dumps(text, ensure_ascii=False)
