"""`ccmaster demo`: the whole road of a value on one machine, for people to watch. Plays every part around the service,
which itself is the real one: simulated meters, a broker, an FTP server. Ends all of it cleanly, whatever happens."""

from __future__ import annotations

import argparse
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from concentrator.app.children import ChildEnded, Children
from concentrator.app.demo_audience import Audience, Teller
from concentrator.app.demo_config import EXTERNAL, GENSET_PROFILE, GENSET_UNIT, MARK, Stage, config_text
from concentrator.app.demo_options import DEFAULT_PORTS, add_options
from concentrator.app.demo_peers import HOST, PeerMissing, broker_command, ftp_command
from concentrator.app.launch import environment, twistd

_READY_S = 30.0


class DemoFailed(Exception):
    """The demo cannot go on. Its words are the sentence to show."""


def main(options: argparse.Namespace) -> int:
    """Runs the demo, with the options of `demo_options`, until Ctrl-C, SIGTERM or the time given; the exit status is
    0 unless something failed."""
    ended = Ended()
    tell = Teller(is_json=options.json)
    folder = options.dir.absolute() if options.dir else Path(tempfile.mkdtemp(prefix="ccmaster-demo-"))
    children = Children(folder / "log")
    status = 0
    try:
        stage = _stage(options, folder)
        _raise_curtain(stage, children, ended)
        tell.where_to_look(stage, children)
        _watch(stage, children, ended, tell, options.for_s)
    except (DemoFailed, ChildEnded, PeerMissing, OSError) as error:
        status = 0 if isinstance(error, BrokenPipeError) or ended.is_asked else 1
        if status:
            with suppress(OSError):
                print(f"ccmaster demo: {error}", file=sys.stderr)
    finally:
        for name in children.stop():
            print(f"ccmaster demo: {name} did not end when asked to, and was killed", file=sys.stderr)
    if not options.dir and not status:
        shutil.rmtree(folder, ignore_errors=True)
    tell.end()
    return status


class Ended:
    """Whether somebody wants the demo to end: by Ctrl-C, by SIGTERM or because nobody looks any more."""

    def __init__(self) -> None:
        self.is_asked = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._asked)

    def _asked(self, *_: object) -> None:
        self.is_asked = True


def _stage(options: argparse.Namespace, folder: Path) -> Stage:
    if folder.is_dir() and (folder / "ccmaster.toml").is_file():
        first, *_ = [*(folder / "ccmaster.toml").read_text(errors="replace").splitlines(), ""]
        if first != MARK:
            raise DemoFailed(f"{folder}/ccmaster.toml is there already and not the demo's; give another folder")
    ports: dict[str, int] = {}
    for name, default in DEFAULT_PORTS.items():
        if name == "cloud" and not options.genset:
            continue
        ports[name] = _port(name, getattr(options, f"{name}_port"), default, set(ports.values()))
    for each in (folder, folder / "ftp"):
        each.mkdir(parents=True, exist_ok=True)
    own = (ports["mqtt"], ports["ftp"], ports["http"])
    return Stage(folder, *own, options.meters, secrets.token_urlsafe(12), ports.get("cloud"))


def _port(name: str, given: int | None, default: int, others: set[int]) -> int:
    """The port that was given, or the default, or the next that is free."""
    for port in [given] if given is not None else range(default, default + 100):
        if port not in others and _is_free(port):
            return port
    if given is None:
        raise DemoFailed(f"no port from {default} to {default + 99} is free; choose one with --{name}-port")
    raise DemoFailed(f"--{name}-port: found {given}, which is in use; expected a free port")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _raise_curtain(stage: Stage, children: Children, ended: Ended) -> None:
    """Starts everybody, each when those it needs are there."""
    stage.config.write_text(config_text(stage))
    stage.config.chmod(0o600)  # it holds the FTP server's password
    around = environment()
    simulate = [sys.executable, "-m", "concentrator.app.simulate", "--link"]
    others = [word for _, profile, unit, _ in EXTERNAL for word in ("--profile", f"{profile}@{unit}")]
    children.start("bus", [*simulate, str(stage.bus), "--meters", str(stage.meters)], around)
    children.start("external", [*simulate, str(stage.external), "--baudrate", "9600", *others], around)
    if stage.cloud_port is not None:
        controller = ["--baudrate", "9600", "--profile", f"{GENSET_PROFILE}@{GENSET_UNIT}"]
        children.start("genset", [*simulate, str(stage.genset), *controller], around)
        cloud = [sys.executable, "-m", "concentrator.app.cli", "sim", "smartgen-cloud"]
        children.start("cloud", [*cloud, "--port", str(stage.cloud_port)], around)
    children.start("broker", broker_command(stage.mqtt_port, stage.folder), around)
    children.start("ftp", ftp_command(stage.ftp_port, stage.received), around, told=f"{stage.ftp_password}\n")
    _wait(children, ended, "the simulated bus", stage.bus.exists)
    _wait(children, ended, "the simulated line of other makers' devices", stage.external.exists)
    _wait(children, ended, "the MQTT broker", lambda: _is_open(stage.mqtt_port))
    _wait(children, ended, "the FTP server", lambda: _is_open(stage.ftp_port))
    if stage.cloud_port is not None:
        _wait(children, ended, "the simulated genset", stage.genset.exists)
        _wait(children, ended, "the simulated cloud server", lambda: _is_open(stage.cloud_port or 0))
    children.start("ccmaster", twistd(stage.config), around)
    _wait(children, ended, "CcMaster", lambda: _is_open(stage.http_port))


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((HOST, port)) == 0


def _wait(children: Children, ended: Ended, who: str, is_there: Callable[[], bool]) -> None:
    patience = time.monotonic() + _READY_S
    while not is_there():
        children.check()
        if ended.is_asked:
            raise DemoFailed("ended before it began")
        if time.monotonic() > patience:
            raise DemoFailed(f"{who} was not there after {_READY_S:.0f} s; its log is in {children.logs}")
        time.sleep(0.05)


def _watch(stage: Stage, children: Children, ended: Ended, tell: Teller, seconds: float | None) -> None:
    """Looks on until it is to end, and tells what arrives."""
    began = time.monotonic()
    audience = Audience(stage, tell)
    try:
        while not ended.is_asked and (seconds is None or time.monotonic() - began < seconds):
            children.check()
            audience.look()
            tell.progress(time.monotonic() - began, audience)
    finally:
        audience.stop()


if __name__ == "__main__":
    options = argparse.ArgumentParser(prog="python -m concentrator.app.demo", description=__doc__)
    add_options(options)
    sys.exit(main(options.parse_args()))
