"""The demo's far sides: an MQTT broker and an FTP server, on loopback, for people who have neither at hand. Hides which
programs play them. Run as a process of its own it is the FTP server, or the broker where mosquitto is not installed."""

from __future__ import annotations

import argparse
import os
import pwd
import shutil
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

HOST = "127.0.0.1"
FTP_USER = "ccmaster"
_MODULE = "concentrator.app.demo_peers"


class PeerMissing(Exception):
    """A peer cannot be played here. Its words say what to install."""


def broker_command(port: int, folder: Path) -> list[str]:
    """The command that runs a broker for anybody on loopback; may put a file into `folder`."""
    mosquitto = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if mosquitto is not None:
        settings = folder / "mosquitto.conf"
        # else, started by root, it becomes another user, and the kernel no longer ends it with its parent
        user = pwd.getpwuid(os.geteuid()).pw_name
        listening = f"listener {port} {HOST}\nallow_anonymous true\n"
        settings.write_text(f"user {user}\n{listening}persistence false\nlog_dest stdout\n")
        return [mosquitto, "-c", str(settings)]
    if find_spec("amqtt") is None:
        raise PeerMissing("there is no MQTT broker: install mosquitto, or `pip install amqtt`")
    return [sys.executable, "-m", _MODULE, "broker", str(port)]


def ftp_command(port: int, folder: Path) -> list[str]:
    """The command that runs an FTP server into `folder` for one user, whose password it reads from standard input."""
    if find_spec("pyftpdlib") is None:
        raise PeerMissing("there is no FTP server: `pip install pyftpdlib`")
    return [sys.executable, "-m", _MODULE, "ftp", str(port), str(folder)]


def _serve_ftp(port: int, folder: Path) -> None:
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import FTPHandler
    from pyftpdlib.servers import FTPServer

    class Session(FTPHandler):
        authorizer = DummyAuthorizer()
        banner = "CcMaster demo"

    Session.authorizer.add_user(FTP_USER, sys.stdin.readline().strip(), str(folder), perm="elradfmwMT")
    FTPServer((HOST, port), Session).serve_forever()


def _serve_mqtt(port: int) -> None:
    import asyncio

    from amqtt.broker import Broker

    settings = {
        "listeners": {"default": {"type": "tcp", "bind": f"{HOST}:{port}"}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    }

    async def serve() -> None:
        broker = Broker(settings)
        await broker.start()
        await asyncio.Event().wait()

    asyncio.run(serve())


def main(argv: Sequence[str] | None = None) -> int:
    """Serves until it is ended."""
    parser = argparse.ArgumentParser(prog="python -m concentrator.app.demo_peers", description=__doc__)
    kinds = parser.add_subparsers(dest="kind", required=True)
    ftp = kinds.add_parser("ftp")
    ftp.add_argument("port", type=int)
    ftp.add_argument("folder", type=Path)
    kinds.add_parser("broker").add_argument("port", type=int)
    options = parser.parse_args(argv)
    if options.kind == "ftp":
        _serve_ftp(options.port, options.folder)
    else:
        _serve_mqtt(options.port)
    return 0


if __name__ == "__main__":
    sys.exit(main())
